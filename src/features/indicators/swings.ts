// The turning points of the market, known only once the bars after them have confirmed them, and what happens at their levels.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';
import { RollingExtreme } from './rolling-extreme.ts';

/**
 * Swings with n bars on each side: a swing high is higher than each of the n bars before and the n bars after it (Williams's fractal for
 * n = 2, TA-Lib's FRACTAL), and is known with the last of them, never before. `high` and `low` are the last confirmed levels, NaN before
 * there was one; `newHigh` and `newLow` are 1 on the bar that confirms one, otherwise 0; `highTurn` is 1 when the last swing high lies above
 * the one before it (a higher high), -1 below it (a lower high), 0 when equal or unknown, `lowTurn` the same of lows. `value` is the
 * structure: 1 for higher highs and higher lows, -1 for lower ones of both, otherwise 0.
 */
export class Swings implements Indicator {
  value = NaN;
  high = NaN;
  low = NaN;
  newHigh = 0;
  newLow = 0;
  highTurn = 0;
  lowTurn = 0;
  readonly warmup: number;
  readonly #side: number;
  readonly #highest: RollingExtreme;
  readonly #lowest: RollingExtreme;
  #seen = 0;

  constructor(side: number) {
    this.warmup = 2 * side + 1;
    this.#side = side;
    this.#highest = new RollingExtreme(this.warmup);
    this.#lowest = new RollingExtreme(this.warmup);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    this.#highest.push(high);
    this.#lowest.push(-low);
    if (this.#seen < this.warmup) this.#seen++;
    this.newHigh = this.#isConfirmed(this.#highest) ? 1 : 0;
    this.newLow = this.#isConfirmed(this.#lowest) ? 1 : 0;
    if (this.newHigh > 0) {
      const level = this.#highest.value;
      this.highTurn = turn(this.high, level);
      this.high = level;
    }
    if (this.newLow > 0) {
      const level = -this.#lowest.value;
      this.lowTurn = turn(this.low, level);
      this.low = level;
    }
    if (this.#seen === this.warmup) this.value = this.highTurn === this.lowTurn ? this.highTurn : 0;
  }

  save(out: ByteWriter): void {
    for (const part of [this.value, this.high, this.low, this.newHigh, this.newLow, this.highTurn, this.lowTurn]) out.number(part);
    out.count(this.#seen);
    this.#highest.save(out);
    this.#lowest.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.high = from.number();
    this.low = from.number();
    this.newHigh = from.number();
    this.newLow = from.number();
    this.highTurn = from.number();
    this.lowTurn = from.number();
    this.#seen = from.count();
    this.#highest.restore(from);
    this.#lowest.restore(from);
  }

  #isConfirmed(extreme: RollingExtreme): boolean {
    return extreme.age === this.#side && extreme.isUnique;
  }
}

/**
 * A liquidity sweep: the bar reaches beyond the last swing level that was confirmed before it and closes back inside, having come from
 * inside. `value` is 1 where it went below a swing low (stops of longs were taken, bullish), -1 where above a swing high, 0 otherwise and
 * where both were swept; `depth` is how far beyond the level the bar went, as a ratio of the level, 0 where `value` is.
 */
export class LiquiditySweep implements Indicator {
  value = NaN;
  depth = NaN;
  readonly warmup: number;
  readonly #swings: Swings;
  #previousClose = NaN;
  #seen = 0;

  constructor(side: number) {
    this.#swings = new Swings(side);
    // One bar more: the level stood before the bar that sweeps it.
    this.warmup = this.#swings.warmup + 1;
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const { high, low } = this.#swings;
    this.#swings.update(bar);
    const previous = this.#previousClose;
    this.#previousClose = close;
    if (this.#seen < this.warmup) this.#seen++;
    if (this.#seen < this.warmup) return;
    const sweptLow = bar.low < low && close > low && previous > low;
    const sweptHigh = bar.high > high && close < high && previous < high;
    this.value = (sweptLow ? 1 : 0) - (sweptHigh ? 1 : 0);
    if (this.value === 0) this.depth = 0;
    else this.depth = sweptLow ? (low - bar.low) / low : (bar.high - high) / high;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.depth);
    out.number(this.#previousClose);
    out.count(this.#seen);
    this.#swings.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.depth = from.number();
    this.#previousClose = from.number();
    this.#seen = from.count();
    this.#swings.restore(from);
  }
}

function turn(before: number, after: number): number {
  return Number.isNaN(before) ? 0 : Math.sign(after - before);
}
