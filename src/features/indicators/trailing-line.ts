// Lines that follow a trend at a distance and change sides when the market crosses them.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';
import { Atr } from './wilder.ts';

/**
 * SuperTrend (Seban): bands k average true ranges around the middle of the bar, each moved only towards the market until a close crosses
 * it. `value` is the line in force, `trend` 1 when that is the lower band and -1 when it is the upper. The first trend is taken to be up,
 * as TA-Lib does.
 */
export class SuperTrend implements Indicator {
  value = NaN;
  trend = NaN;
  readonly warmup: number;
  readonly #multiple: number = NaN;
  readonly #range: Atr;
  #upper = NaN;
  #lower = NaN;
  #previousClose = NaN;

  constructor(window: number, multiple: number) {
    this.warmup = window + 1;
    this.#multiple = multiple;
    this.#range = new Atr(window);
  }

  update(bar: BarView): void {
    // The range looks at high, low and close, and refuses a bar before anything is changed.
    this.#range.update(bar);
    const range = this.#range.value;
    if (Number.isNaN(range)) return;
    const middle = (bar.high + bar.low) / 2;
    const band = this.#multiple * range;
    const upper = middle + band;
    const lower = middle - band;
    const previous = this.#previousClose;
    this.#previousClose = bar.close;
    if (Number.isNaN(previous)) {
      this.#upper = upper;
      this.#lower = lower;
      this.trend = 1;
    } else {
      if (upper < this.#upper || previous > this.#upper) this.#upper = upper;
      if (lower > this.#lower || previous < this.#lower) this.#lower = lower;
      if (this.trend > 0 && bar.close < this.#lower) this.trend = -1;
      else if (this.trend < 0 && bar.close > this.#upper) this.trend = 1;
    }
    this.value = this.trend > 0 ? this.#lower : this.#upper;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.trend);
    out.number(this.#upper);
    out.number(this.#lower);
    out.number(this.#previousClose);
    this.#range.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.trend = from.number();
    this.#upper = from.number();
    this.#lower = from.number();
    this.#previousClose = from.number();
    this.#range.restore(from);
  }
}

/**
 * Parabolic stop and reverse (Wilder 1978): `value` is the stop for the bar, which comes closer the longer the trend makes new extremes;
 * `trend` is 1 when it follows from below, -1 from above, as it stands after the bar. Begun as TA-Lib begins it: down when the second bar
 * fell further than it rose, otherwise up.
 */
export class ParabolicSar implements Indicator {
  value = NaN;
  trend = NaN;
  readonly warmup = 2;
  readonly #step: number = NaN;
  readonly #most: number = NaN;
  #acceleration = NaN;
  #extreme = NaN;
  /** The stop for the next bar. */
  #next = NaN;
  #previousHigh = NaN;
  #previousLow = NaN;

  constructor(step: number, most: number) {
    this.#step = step;
    this.#most = most;
    this.#acceleration = step;
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    if (!Number.isNaN(this.#previousHigh)) this.#follow(high, low);
    this.#previousHigh = high;
    this.#previousLow = low;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.trend);
    out.number(this.#acceleration);
    out.number(this.#extreme);
    out.number(this.#next);
    out.number(this.#previousHigh);
    out.number(this.#previousLow);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.trend = from.number();
    this.#acceleration = from.number();
    this.#extreme = from.number();
    this.#next = from.number();
    this.#previousHigh = from.number();
    this.#previousLow = from.number();
  }

  #follow(high: number, low: number): void {
    let highBefore = this.#previousHigh;
    let lowBefore = this.#previousLow;
    if (Number.isNaN(this.trend)) {
      const fall = lowBefore - low;
      const isDown = fall > 0 && fall > high - highBefore;
      this.trend = isDown ? -1 : 1;
      this.#extreme = isDown ? low : high;
      this.#next = isDown ? highBefore : lowBefore;
      // The first stop may lie within the bar before the second.
      highBefore = high;
      lowBefore = low;
    }
    const isUp = this.trend > 0;
    const isCrossed = isUp ? low <= this.#next : high >= this.#next;
    if (isCrossed) {
      // The stop goes to the far end of the trend that has ended, out of reach of the last two bars.
      this.value = isUp ? Math.max(this.#extreme, highBefore, high) : Math.min(this.#extreme, lowBefore, low);
      this.trend = isUp ? -1 : 1;
      this.#acceleration = this.#step;
      this.#extreme = isUp ? low : high;
    } else {
      this.value = this.#next;
      if (isUp ? high > this.#extreme : low < this.#extreme) {
        this.#extreme = isUp ? high : low;
        this.#acceleration = Math.min(this.#acceleration + this.#step, this.#most);
      }
    }
    const next = this.value + this.#acceleration * (this.#extreme - this.value);
    this.#next = this.trend > 0 ? Math.min(next, lowBefore, low) : Math.max(next, highBefore, high);
  }
}
