// What the returns of two legs have to do with each other: at once, and one after the other.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, JointIndicator } from '../../domain/feature.ts';
import { RollingRegression } from '../../quant/rolling-regression.ts';
import { demandPrice } from './price.ts';

/**
 * Pearson's correlation of the logarithmic returns of both legs over the last n closes that both had, and `beta`, the slope of the first
 * leg's returns on the second's. Both are 0 where one of them has not moved: then they have nothing to do with each other.
 */
export class ReturnCorrelation implements JointIndicator {
  readonly warmup: number;
  readonly #returns: RollingRegression;
  #first = NaN;
  #second = NaN;
  #left: number;
  readonly #window: number;

  constructor(window: number) {
    this.#window = window;
    this.#left = window;
    this.warmup = window + 1;
    this.#returns = new RollingRegression(window);
  }

  get value(): number {
    return this.#left > 0 ? NaN : orZero(this.#returns.line.correlation);
  }
  get beta(): number {
    return this.#left > 0 ? NaN : orZero(this.#returns.line.slope);
  }

  update(bars: readonly BarView[]): void {
    const first = demandPrice(bars[0]?.close ?? NaN);
    const second = demandPrice(bars[1]?.close ?? NaN);
    const [firstBefore, secondBefore] = [this.#first, this.#second];
    this.#first = first;
    this.#second = second;
    // The first bar of all has no return.
    if (Number.isNaN(firstBefore)) return;
    this.#returns.push(Math.log(second / secondBefore), Math.log(first / firstBefore));
    if (this.#left > 0) this.#left--;
  }

  save(out: ByteWriter): void {
    out.number(this.#first);
    out.number(this.#second);
    out.count(this.#left);
    this.#returns.save(out);
  }

  restore(from: ByteReader): void {
    this.#first = from.number();
    this.#second = from.number();
    this.#left = from.count();
    if (this.#left > this.#window) throw new RangeError(`${this.#left} returns were to come, expected at most ${this.#window}`);
    this.#returns.restore(from);
  }
}

/**
 * What the second leg has usually caught up of the first one's lead. The lead is the logarithmic return of the first leg over `moveBars`
 * closes less that of the second; `slope` is that of the second leg's return over the `aheadBars` closes after a lead on that lead, over the
 * last `window` of such pairs, all of them in the past. `value` is the lead now, and slope x value what of it is to come if the past holds.
 *
 * Returns over several bars overlap from bar to bar and are no independent observations: `tStatistic` is that of the slope over the root of
 * `aheadBars`, as if only every so many had been counted. Slope and statistic are 0 where leads or returns have not varied.
 */
export class CatchUp implements JointIndicator {
  value = NaN;
  readonly warmup: number;
  readonly #move: number;
  readonly #ahead: number;
  readonly #pairs: RollingRegression;
  /** Rings of the last closes, in logarithms: as many as a lead and what came after it take. */
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  /** Closes seen, up to the warm-up. */
  #seen = 0;
  #place = 0;

  constructor(moveBars: number, aheadBars: number, window: number) {
    this.#move = moveBars;
    this.#ahead = aheadBars;
    this.#pairs = new RollingRegression(window);
    this.#first = new Float64Array(moveBars + aheadBars + 1);
    this.#second = new Float64Array(moveBars + aheadBars + 1);
    this.warmup = moveBars + aheadBars + window;
  }

  get slope(): number {
    return Number.isNaN(this.value) ? NaN : orZero(this.#pairs.line.slope);
  }
  get tStatistic(): number {
    if (Number.isNaN(this.value)) return NaN;
    const { slope, slopeError } = this.#pairs.line;
    // A line without error is one of rounding: nothing that was ever traded lies on it.
    return slopeError > 0 ? orZero(slope / slopeError / Math.sqrt(this.#ahead)) : 0;
  }

  update(bars: readonly BarView[]): void {
    const first = Math.log(demandPrice(bars[0]?.close ?? NaN));
    const second = Math.log(demandPrice(bars[1]?.close ?? NaN));
    const length = this.#first.length;
    const place = (this.#place + 1) % length;
    this.#place = place;
    this.#first[place] = first;
    this.#second[place] = second;
    if (this.#seen < this.warmup) this.#seen++;
    if (this.#seen >= length) this.#pairs.push(this.#leadOf(this.#ahead), second - this.#closeOf(this.#second, this.#ahead));
    if (this.#seen === this.warmup) this.value = this.#leadOf(0);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.count(this.#seen);
    out.count(this.#place);
    out.numbers(this.#first);
    out.numbers(this.#second);
    this.#pairs.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#seen = from.count();
    this.#place = from.count();
    from.numbers(this.#first);
    from.numbers(this.#second);
    this.#pairs.restore(from);
  }

  /** As it was so many closes ago. */
  #leadOf(ago: number): number {
    const first = this.#closeOf(this.#first, ago) - this.#closeOf(this.#first, ago + this.#move);
    return first - (this.#closeOf(this.#second, ago) - this.#closeOf(this.#second, ago + this.#move));
  }

  #closeOf(ring: Float64Array, ago: number): number {
    return ring[(this.#place - ago + ring.length) % ring.length] ?? NaN;
  }
}

function orZero(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
