// Exponential means of exponential means: DEMA, TEMA, TRIX and MACD.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';
import { ExponentialMean } from './smoothing.ts';

/** Double exponential mean: 2 EMA - EMA of EMA (Mulloy 1994). */
export class Dema implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #first: ExponentialMean;
  readonly #second: ExponentialMean;

  constructor(window: number) {
    this.warmup = 2 * window - 1;
    this.#first = new ExponentialMean(window);
    this.#second = new ExponentialMean(window);
  }

  update(bar: BarView): void {
    this.#first.push(demandPrice(bar.close));
    const first = this.#first.value;
    if (Number.isNaN(first)) return;
    this.#second.push(first);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#first.save(out);
    this.#second.save(out);
  }

  restore(from: ByteReader): void {
    this.#first.restore(from);
    this.#second.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = 2 * this.#first.value - this.#second.value;
  }
}

/** Triple exponential mean: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA (Mulloy 1994). */
export class Tema implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #first: ExponentialMean;
  readonly #second: ExponentialMean;
  readonly #third: ExponentialMean;

  constructor(window: number) {
    this.warmup = 3 * window - 2;
    this.#first = new ExponentialMean(window);
    this.#second = new ExponentialMean(window);
    this.#third = new ExponentialMean(window);
  }

  update(bar: BarView): void {
    this.#first.push(demandPrice(bar.close));
    if (Number.isNaN(this.#first.value)) return;
    this.#second.push(this.#first.value);
    if (Number.isNaN(this.#second.value)) return;
    this.#third.push(this.#second.value);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#first.save(out);
    this.#second.save(out);
    this.#third.save(out);
  }

  restore(from: ByteReader): void {
    this.#first.restore(from);
    this.#second.restore(from);
    this.#third.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = this.#third.value + 3 * (this.#first.value - this.#second.value);
  }
}

/** Change of the triple exponential mean over one bar, in percent of it (Hutson 1983). */
export class Trix implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #first: ExponentialMean;
  readonly #second: ExponentialMean;
  readonly #third: ExponentialMean;

  constructor(window: number) {
    this.warmup = 3 * window - 1;
    this.#first = new ExponentialMean(window);
    this.#second = new ExponentialMean(window);
    this.#third = new ExponentialMean(window);
  }

  update(bar: BarView): void {
    this.#first.push(demandPrice(bar.close));
    if (Number.isNaN(this.#first.value)) return;
    this.#second.push(this.#first.value);
    if (Number.isNaN(this.#second.value)) return;
    const previous = this.#third.value;
    this.#third.push(this.#second.value);
    this.value = (100 * (this.#third.value - previous)) / previous;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#first.save(out);
    this.#second.save(out);
    this.#third.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#first.restore(from);
    this.#second.restore(from);
    this.#third.restore(from);
  }
}

/**
 * Moving average convergence and divergence (Appel 1979): `value` is the fast exponential mean less the slow one, `trigger` (called the
 * signal line elsewhere) its exponential mean, `histogram` the difference of the two. All three are known from the same bar on, and the
 * fast mean is seeded so that it begins together with the slow one, as TA-Lib does.
 */
export class Macd implements Indicator {
  value = NaN;
  trigger = NaN;
  histogram = NaN;
  readonly warmup: number;
  readonly #fast: ExponentialMean;
  readonly #slow: ExponentialMean;
  readonly #trigger: ExponentialMean;
  #skip: number;

  constructor(fast: number, slow: number, trigger: number) {
    this.warmup = slow + trigger - 1;
    this.#fast = new ExponentialMean(fast);
    this.#slow = new ExponentialMean(slow);
    this.#trigger = new ExponentialMean(trigger);
    this.#skip = slow - fast;
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    this.#slow.push(close);
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    this.#fast.push(close);
    const line = this.#fast.value - this.#slow.value;
    if (Number.isNaN(line)) return;
    this.#trigger.push(line);
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.count(this.#skip);
    this.#fast.save(out);
    this.#slow.save(out);
    this.#trigger.save(out);
  }

  restore(from: ByteReader): void {
    this.#skip = from.count();
    this.#fast.restore(from);
    this.#slow.restore(from);
    this.#trigger.restore(from);
    this.#publish();
  }

  #publish(): void {
    const trigger = this.#trigger.value;
    const line = Number.isNaN(trigger) ? NaN : this.#fast.value - this.#slow.value;
    this.value = line;
    this.trigger = trigger;
    this.histogram = line - trigger;
  }
}
