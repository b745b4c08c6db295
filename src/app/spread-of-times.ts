// How long something took the last so many times.

/** The latest are kept, and no more: what is asked for is how it goes now. */
const KEPT = 4_096;

export class SpreadOfTimes {
  readonly #kept = new Float64Array(KEPT);
  /** How often, in all. */
  count = 0;
  /** Of the latest; NaN before the first. */
  lastMs = NaN;

  add(ms: number): void {
    this.#kept[this.count++ % KEPT] = ms;
    this.lastMs = ms;
  }

  /** By the nearest rank. @param shares 0..1 each @returns milliseconds; NaN before the first */
  quantiles(shares: readonly number[]): readonly number[] {
    const sorted = this.#kept.slice(0, Math.min(this.count, KEPT)).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  }
}
