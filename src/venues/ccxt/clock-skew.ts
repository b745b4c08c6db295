// By how much a venue's clock differs from this machine's. Every answer carries the venue's time; the one that came back fastest says it best.
import { MINUTE_MS } from '../../domain/time.ts';

/** Clocks drift, and step: what was measured longer ago says nothing. */
const KEPT_MS = 2 * MINUTE_MS;
const MOST_KEPT = 64;

interface Sample {
  readonly at: number;
  readonly aheadMs: number;
  readonly roundTripMs: number;
}

export class ClockSkew {
  #samples: Sample[] = [];

  /**
   * @param at of the timers
   * @param aheadMs the venue's time less this machine's, both taken for the middle of the way there and back
   */
  measured(at: number, aheadMs: number, roundTripMs: number): void {
    this.#samples = this.#samples.filter((each) => each.at > at - KEPT_MS).slice(-MOST_KEPT + 1);
    this.#samples.push({ at, aheadMs, roundTripMs });
  }

  /** A clock has stepped: what was measured before it did says nothing. */
  forget(): void {
    this.#samples = [];
  }

  get #best(): Sample | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) if (best === undefined || sample.roundTripMs <= best.roundTripMs) best = sample;
    return best;
  }

  /** NaN before anything was measured. */
  get aheadMs(): number {
    return this.#best?.aheadMs ?? NaN;
  }

  /** How far the clocks are apart at least, whichever way of the answer took the time. */
  get leastMs(): number {
    const best = this.#best;
    return best === undefined ? NaN : Math.max(0, Math.abs(best.aheadMs) - best.roundTripMs / 2);
  }
}
