// Where the close lies between the lowest and the highest of a window.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingRange, RollingSum } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';
import { Rsi } from './wilder.ts';

/**
 * Stochastic oscillator (Lane), 0..100: `value` is %K, where the close lies between the lowest low and the highest high of the window,
 * averaged over `smoothing` bars (1 is the fast stochastic), and `average` is %D, the mean of the last %K. Where the window has no height
 * it is 0, as in TA-Lib.
 */
export class Stochastic implements Indicator {
  value = NaN;
  average = NaN;
  readonly warmup: number;
  readonly #smoothing: number;
  readonly #averaging: number;
  readonly #range: RollingRange;
  readonly #smoothed: RollingSum;
  readonly #averaged: RollingSum;

  constructor(window: number, smoothing: number, averaging: number) {
    this.warmup = window + smoothing + averaging - 2;
    this.#smoothing = smoothing;
    this.#averaging = averaging;
    this.#range = new RollingRange(window);
    this.#smoothed = new RollingSum(smoothing);
    this.#averaged = new RollingSum(averaging);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    this.#range.push(high, low);
    const { highest, lowest } = this.#range;
    if (Number.isNaN(highest)) return;
    this.#smoothed.push(place(close, lowest, highest));
    if (Number.isNaN(this.#smoothed.sum)) return;
    this.#averaged.push(this.#smoothed.sum / this.#smoothing);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#range.save(out);
    this.#smoothed.save(out);
    this.#averaged.save(out);
  }

  restore(from: ByteReader): void {
    this.#range.restore(from);
    this.#smoothed.restore(from);
    this.#averaged.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.average = this.#averaged.sum / this.#averaging;
    this.value = Number.isNaN(this.average) ? NaN : this.#smoothed.sum / this.#smoothing;
  }
}

/**
 * Stochastic of the relative strength index (Chande and Kroll 1994), 0..100: `value` is where the index lies in its own range over the
 * window, `average` the mean of the last such values.
 */
export class StochasticRsi implements Indicator {
  value = NaN;
  average = NaN;
  readonly warmup: number;
  readonly #averaging: number;
  readonly #strength: Rsi;
  readonly #range: RollingRange;
  readonly #averaged: RollingSum;

  constructor(rsiWindow: number, window: number, averaging: number) {
    this.warmup = rsiWindow + window + averaging - 1;
    this.#averaging = averaging;
    this.#strength = new Rsi(rsiWindow);
    this.#range = new RollingRange(window);
    this.#averaged = new RollingSum(averaging);
  }

  update(bar: BarView): void {
    this.#strength.update(bar);
    const strength = this.#strength.value;
    if (Number.isNaN(strength)) return;
    this.#range.push(strength, strength);
    const { highest, lowest } = this.#range;
    if (Number.isNaN(highest)) return;
    const found = place(strength, lowest, highest);
    this.#averaged.push(found);
    this.average = this.#averaged.sum / this.#averaging;
    if (!Number.isNaN(this.average)) this.value = found;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.average);
    this.#strength.save(out);
    this.#range.save(out);
    this.#averaged.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.average = from.number();
    this.#strength.restore(from);
    this.#range.restore(from);
    this.#averaged.restore(from);
  }
}

/** Williams %R, -100..0: 0 is a close at the highest high of the window, -100 one at the lowest low. 0 where the window has no height. */
export class WilliamsR implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #range: RollingRange;

  constructor(window: number) {
    this.warmup = window;
    this.#range = new RollingRange(window);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    this.#range.push(high, low);
    const { highest, lowest } = this.#range;
    const height = highest - lowest;
    this.value = height === 0 ? 0 : (-100 * (highest - close)) / height;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#range.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#range.restore(from);
  }
}

function place(value: number, lowest: number, highest: number): number {
  const height = highest - lowest;
  return height === 0 ? 0 : (100 * (value - lowest)) / height;
}
