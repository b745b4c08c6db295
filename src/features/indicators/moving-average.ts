// Averages of the close: simple and exponential.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** Mean of the last n closes. */
export class Sma implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #closes: RollingSum;

  constructor(window: number) {
    this.warmup = window;
    this.#closes = new RollingSum(window);
  }

  update(bar: BarView): void {
    this.#closes.push(demandPrice(bar.close));
    this.value = this.#closes.sum / this.warmup;
  }

  save(out: ByteWriter): void {
    this.#closes.save(out);
  }

  restore(from: ByteReader): void {
    this.#closes.restore(from);
    this.value = this.#closes.sum / this.warmup;
  }
}

/** Exponential mean with alpha = 2 / (n + 1), seeded by the simple mean of the first n closes, as TA-Lib does. */
export class Ema implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #alpha: number = NaN;
  #seedSum = NaN;
  #seen = 0;

  constructor(window: number) {
    this.warmup = window;
    this.#alpha = 2 / (window + 1);
    this.#seedSum = 0;
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    if (this.#seen === this.warmup) this.value += (close - this.value) * this.#alpha;
    else this.#seed(close);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#seedSum);
    out.count(this.#seen);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#seedSum = from.number();
    this.#seen = from.count();
  }

  #seed(close: number): void {
    this.#seedSum += close;
    this.#seen++;
    if (this.#seen === this.warmup) this.value = this.#seedSum / this.warmup;
  }
}
