// Levels that floor traders drew each morning from the day before. In a market that never closes the day is the UTC day.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import { demandPrice, demandTime } from './price.ts';

export const PIVOT_METHODS = ['classic', 'fibonacci', 'camarilla'] as const;
/** Which distances the levels have from the pivot. */
export type PivotMethod = (typeof PIVOT_METHODS)[number];

/**
 * Pivot points of the last completed UTC day: `value` is the pivot (H + L + C) / 3, `resistance1` to `resistance3` lie above, `support1` to
 * `support3` below. A day is complete with the bar that closes at its midnight, or, that one missing, with the first of a later day. Nothing
 * is said before two days' bars less one were seen: by then a day is complete that was seen from its beginning.
 *
 * - classic: R1 = 2P - L, R2 = P + (H - L), R3 = H + 2 (P - L); S1 = 2P - H, S2 = P - (H - L), S3 = L - 2 (H - P)
 * - fibonacci: P ± 0.382, 0.618 and 1 times (H - L)
 * - camarilla: C ± 1.1 / 12, 1.1 / 6 and 1.1 / 4 times (H - L)
 */
export class PivotPoints implements Indicator {
  value = NaN;
  resistance1 = NaN;
  resistance2 = NaN;
  resistance3 = NaN;
  support1 = NaN;
  support2 = NaN;
  support3 = NaN;
  readonly warmup: number;
  readonly #barMs: TimeMs;
  readonly #method: PivotMethod;
  #day = NaN;
  #high = NaN;
  #low = NaN;
  #close = NaN;
  /** Of the last completed day. */
  #dayHigh = NaN;
  #dayLow = NaN;
  #dayClose = NaN;
  #seen = 0;

  constructor(method: PivotMethod, barMs: TimeMs) {
    this.warmup = (2 * DAY_MS) / barMs - 1;
    this.#method = method;
    this.#barMs = barMs;
  }

  update(bar: BarView): void {
    const at = demandTime(bar.at);
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const day = Math.floor((at - this.#barMs) / DAY_MS);
    if (day === this.#day) {
      if (high > this.#high) this.#high = high;
      if (low < this.#low) this.#low = low;
    } else {
      this.#complete();
      this.#day = day;
      this.#high = high;
      this.#low = low;
    }
    this.#close = close;
    if (at === (day + 1) * DAY_MS) this.#complete();
    if (this.#seen < this.warmup) this.#seen++;
    if (this.#seen === this.warmup) this.#publish();
  }

  save(out: ByteWriter): void {
    for (const part of [this.#day, this.#high, this.#low, this.#close, this.#dayHigh, this.#dayLow, this.#dayClose]) out.number(part);
    out.count(this.#seen);
  }

  restore(from: ByteReader): void {
    this.#day = from.number();
    this.#high = from.number();
    this.#low = from.number();
    this.#close = from.number();
    this.#dayHigh = from.number();
    this.#dayLow = from.number();
    this.#dayClose = from.number();
    this.#seen = from.count();
    this.#publish();
  }

  #complete(): void {
    this.#dayHigh = this.#high;
    this.#dayLow = this.#low;
    this.#dayClose = this.#close;
  }

  #publish(): void {
    const isKnown = this.#seen === this.warmup;
    const high = isKnown ? this.#dayHigh : NaN;
    const low = isKnown ? this.#dayLow : NaN;
    const close = isKnown ? this.#dayClose : NaN;
    const height = high - low;
    const pivot = (high + low + close) / 3;
    this.value = pivot;
    if (this.#method === 'classic') {
      this.resistance1 = 2 * pivot - low;
      this.resistance2 = pivot + height;
      this.resistance3 = high + 2 * (pivot - low);
      this.support1 = 2 * pivot - high;
      this.support2 = pivot - height;
      this.support3 = low - 2 * (high - pivot);
    } else if (this.#method === 'fibonacci') {
      this.#spread(pivot, 0.382 * height, 0.618 * height, height);
    } else {
      this.#spread(close, (1.1 * height) / 12, (1.1 * height) / 6, (1.1 * height) / 4);
    }
  }

  #spread(middle: number, near: number, far: number, farthest: number): void {
    this.resistance1 = middle + near;
    this.resistance2 = middle + far;
    this.resistance3 = middle + farthest;
    this.support1 = middle - near;
    this.support2 = middle - far;
    this.support3 = middle - farthest;
  }
}
