// How far the close strays from its own mean over a window. Deviations here are the population's (divided by n), as in TA-Lib,
// so that a z-score of k is exactly the Bollinger band of k.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** Population standard deviation of the last n closes, in units of price. */
export class StandardDeviation implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #inverse: number = NaN;
  readonly #closes: RollingMoments;

  constructor(window: number) {
    this.warmup = window;
    this.#inverse = 1 / window;
    this.#closes = new RollingMoments(window);
  }

  update(bar: BarView): void {
    this.#closes.push(demandPrice(bar.close));
    this.value = Math.sqrt(this.#closes.squares * this.#inverse);
  }

  save(out: ByteWriter): void {
    this.#closes.save(out);
  }

  restore(from: ByteReader): void {
    this.#closes.restore(from);
    this.value = Math.sqrt(this.#closes.squares * this.#inverse);
  }
}

/** The close less its mean, in population standard deviations of the last n closes. Where nothing has moved it is 0. */
export class ZScore implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #inverse: number = NaN;
  readonly #closes: RollingMoments;

  constructor(window: number) {
    this.warmup = window;
    this.#inverse = 1 / window;
    this.#closes = new RollingMoments(window);
  }

  update(bar: BarView): void {
    this.#closes.push(demandPrice(bar.close));
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#closes.save(out);
  }

  restore(from: ByteReader): void {
    this.#closes.restore(from);
    this.#publish();
  }

  #publish(): void {
    const { squares, offset } = this.#closes;
    this.value = squares === 0 ? 0 : offset / Math.sqrt(squares * this.#inverse);
  }
}

/** Bollinger bands: `value` is the middle, the mean of the last n closes; the bands lie k population standard deviations away. */
export class Bollinger implements Indicator {
  get #band(): number {
    return this.#multiple * Math.sqrt(this.#closes.squares * this.#inverse);
  }
  get value(): number {
    return this.#closes.mean;
  }
  get upper(): number {
    return this.#closes.mean + this.#band;
  }
  get lower(): number {
    return this.#closes.mean - this.#band;
  }
  /** Where the close lies: 0 on the lower band, 1 on the upper, outside beyond them. 0.5 where the bands have no width. */
  get percentB(): number {
    const band = this.#band;
    return band === 0 ? 0.5 : 0.5 + (0.5 * this.#closes.offset) / band;
  }
  /** Distance between the bands as a ratio of the middle. */
  get width(): number {
    return (2 * this.#band) / this.#closes.mean;
  }
  readonly warmup: number;
  readonly #multiple: number = NaN;
  readonly #inverse: number = NaN;
  readonly #closes: RollingMoments;

  constructor(window: number, multiple: number) {
    this.warmup = window;
    this.#multiple = multiple;
    this.#inverse = 1 / window;
    this.#closes = new RollingMoments(window);
  }

  update(bar: BarView): void {
    this.#closes.push(demandPrice(bar.close));
  }

  save(out: ByteWriter): void {
    this.#closes.save(out);
  }

  restore(from: ByteReader): void {
    this.#closes.restore(from);
  }
}
