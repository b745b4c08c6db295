// How much the close moves, measured on logarithmic returns. Deviations here are the sample's (divided by n - 1), as in pandas:
// returns are a sample of a process, whereas bands describe the window itself.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** Sample standard deviation of the last n logarithmic returns, times the square root of `barsPerYear` (1 gives it per bar). */
export class RealisedVolatility implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #scale: number = NaN;
  readonly #returns: RollingMoments;
  #previous = NaN;

  constructor(window: number, barsPerYear: number) {
    this.warmup = window + 1;
    this.#scale = barsPerYear / (window - 1);
    this.#returns = new RollingMoments(window);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const previous = this.#previous;
    this.#previous = close;
    // The first bar of all has no return.
    if (Number.isNaN(previous)) return;
    this.#returns.push(Math.log(close / previous));
    this.value = Math.sqrt(this.#returns.squares * this.#scale);
  }

  save(out: ByteWriter): void {
    out.number(this.#previous);
    this.#returns.save(out);
  }

  restore(from: ByteReader): void {
    this.#previous = from.number();
    this.#returns.restore(from);
    this.value = Math.sqrt(this.#returns.squares * this.#scale);
  }
}

/** Realised volatility of a short window over that of a long one: above 1 the market is waking up. 1 where nothing has moved. */
export class VolatilityRatio implements Indicator {
  get value(): number {
    const long = this.long;
    return long === 0 ? 1 : this.short / long;
  }
  /** Realised volatility per bar of the short window: known for the asking, so nobody needs a second indicator for it. */
  get short(): number {
    return Math.sqrt(this.#shortReturns.squares * this.#shortScale);
  }
  /** The same of the long window. */
  get long(): number {
    return Math.sqrt(this.#longReturns.squares * this.#longScale);
  }
  readonly warmup: number;
  readonly #shortScale: number = NaN;
  readonly #longScale: number = NaN;
  readonly #shortReturns: RollingMoments;
  readonly #longReturns: RollingMoments;
  #previous = NaN;

  constructor(short: number, long: number) {
    this.warmup = long + 1;
    this.#shortScale = 1 / (short - 1);
    this.#longScale = 1 / (long - 1);
    this.#shortReturns = new RollingMoments(short);
    this.#longReturns = new RollingMoments(long);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const previous = this.#previous;
    this.#previous = close;
    // The first bar of all has no return.
    if (Number.isNaN(previous)) return;
    const logReturn = Math.log(close / previous);
    this.#shortReturns.push(logReturn);
    this.#longReturns.push(logReturn);
  }

  save(out: ByteWriter): void {
    out.number(this.#previous);
    this.#shortReturns.save(out);
    this.#longReturns.save(out);
  }

  restore(from: ByteReader): void {
    this.#previous = from.number();
    this.#shortReturns.restore(from);
    this.#longReturns.restore(from);
  }
}
