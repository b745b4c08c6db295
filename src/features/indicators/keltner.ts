// A channel as wide as the market's usual range.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice, trueRange } from './price.ts';
import { ExponentialMean } from './smoothing.ts';

/**
 * Keltner channel in Raschke's form: `value` is the exponential mean of the typical price, the bands lie k average true ranges away. Mean
 * and range are seeded so that they begin on the same bar, as TA-Lib's KC does: the quicker of the two is fed later.
 */
export class Keltner implements Indicator {
  value = NaN;
  upper = NaN;
  lower = NaN;
  readonly warmup: number;
  readonly #multiple: number = NaN;
  readonly #middle: ExponentialMean;
  readonly #range: ExponentialMean;
  #previousClose = NaN;
  #skipMiddle: number;
  #skipRange: number;

  constructor(window: number, rangeWindow: number, multiple: number) {
    this.warmup = Math.max(window, rangeWindow + 1);
    this.#multiple = multiple;
    this.#middle = new ExponentialMean(window);
    this.#range = new ExponentialMean(rangeWindow, 1 / rangeWindow);
    this.#skipMiddle = this.warmup - window;
    // The bar before the first range lends its close.
    this.#skipRange = this.warmup - rangeWindow;
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const range = trueRange(high, low, this.#previousClose);
    this.#previousClose = close;
    if (this.#skipMiddle > 0) this.#skipMiddle--;
    else this.#middle.push((high + low + close) / 3);
    if (this.#skipRange > 0) this.#skipRange--;
    else this.#range.push(range);
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#previousClose);
    out.count(this.#skipMiddle);
    out.count(this.#skipRange);
    this.#middle.save(out);
    this.#range.save(out);
  }

  restore(from: ByteReader): void {
    this.#previousClose = from.number();
    this.#skipMiddle = from.count();
    this.#skipRange = from.count();
    this.#middle.restore(from);
    this.#range.restore(from);
    this.#publish();
  }

  #publish(): void {
    const middle = this.#middle.value;
    const band = this.#multiple * this.#range.value;
    this.upper = middle + band;
    this.lower = middle - band;
    this.value = middle;
  }
}
