// Averages whose weights fall in a straight line, the newest close weighing most: WMA, and Hull's mean of three of them.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';

/**
 * Mean of the last n values with weights 1, 2, ... n, the newest n; NaN before there are n. Cut into blocks as the windows of
 * `quant/rolling.ts` are: a tail of the last block and the head of this one, nothing ever taken out of a sum.
 */
class WeightedWindow implements Stateful {
  value = NaN;
  readonly #values: Float64Array;
  readonly #inverse: number = NaN;
  /** At i the values of the last block from i to its end, weighted 1, 2, ...; NaN before there was a block. One longer than the block. */
  readonly #tails: Float64Array;
  #head = NaN;
  #headWeighted = NaN;
  #position = 0;
  #full = false;

  constructor(window: number) {
    this.#values = new Float64Array(window);
    this.#inverse = 2 / (window * (window + 1));
    this.#tails = new Float64Array(window + 1).fill(NaN);
    this.#head = 0;
    this.#headWeighted = 0;
  }

  push(value: number): void {
    const values = this.#values;
    const position = this.#position;
    values[position] = value;
    if (position + 1 === values.length) this.#turn();
    else {
      this.#position = position + 1;
      this.#head += value;
      this.#headWeighted += value * (position + 1);
    }
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.numbers(this.#values);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    const values = from.numbers(this.#values);
    this.#head = 0;
    this.#headWeighted = 0;
    for (let index = 0; index < this.#position; index++) {
      const value = values[index] ?? NaN;
      this.#head += value;
      this.#headWeighted += value * (index + 1);
    }
    if (this.#full) this.#formTails(this.#position);
    else this.#tails.fill(NaN);
    this.#publish();
  }

  #publish(): void {
    const position = this.#position;
    // The head's weights go on where the tail's end.
    const head = this.#headWeighted + (this.#values.length - position) * this.#head;
    this.value = (head + (this.#tails[position] ?? NaN)) * this.#inverse;
  }

  #turn(): void {
    this.#formTails(0);
    this.#position = 0;
    this.#head = 0;
    this.#headWeighted = 0;
    this.#full = true;
  }

  #formTails(first: number): void {
    const values = this.#values;
    const tails = this.#tails;
    let plain = 0;
    let weighted = 0;
    for (let index = values.length - 1; index >= first; index--) {
      plain += values[index] ?? NaN;
      weighted += plain;
      tails[index] = weighted;
    }
  }
}

/** Weighted mean of the last n closes, weights 1 to n. */
export class Wma implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #closes: WeightedWindow;

  constructor(window: number) {
    this.warmup = window;
    this.#closes = new WeightedWindow(window);
  }

  update(bar: BarView): void {
    this.#closes.push(demandPrice(bar.close));
    this.value = this.#closes.value;
  }

  save(out: ByteWriter): void {
    this.#closes.save(out);
  }

  restore(from: ByteReader): void {
    this.#closes.restore(from);
    this.value = this.#closes.value;
  }
}

/** Hull's mean: WMA over √n of 2 WMA(n / 2) - WMA(n), both windows cut to whole numbers, as Hull and TA-Lib do (A. Hull, 2005). */
export class Hma implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #full: WeightedWindow;
  readonly #half: WeightedWindow;
  readonly #root: WeightedWindow;

  constructor(window: number) {
    const root = Math.floor(Math.sqrt(window));
    this.warmup = window + root - 1;
    this.#full = new WeightedWindow(window);
    this.#half = new WeightedWindow(Math.floor(window / 2));
    this.#root = new WeightedWindow(root);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    this.#full.push(close);
    this.#half.push(close);
    const full = this.#full.value;
    if (Number.isNaN(full)) return;
    this.#root.push(2 * this.#half.value - full);
    this.value = this.#root.value;
  }

  save(out: ByteWriter): void {
    this.#full.save(out);
    this.#half.save(out);
    this.#root.save(out);
  }

  restore(from: ByteReader): void {
    this.#full.restore(from);
    this.#half.restore(from);
    this.#root.restore(from);
    this.value = this.#root.value;
  }
}
