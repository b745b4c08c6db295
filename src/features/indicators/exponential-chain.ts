// Exponential means of exponential means: DEMA, TEMA, TRIX and MACD.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';
import { ExponentialMean } from './smoothing.ts';

/** Exponential means of one window, each of the one before it and from when that is known on. */
class ExponentialChain implements Stateful {
  readonly #means: readonly ExponentialMean[];

  constructor(window: number, count: number) {
    this.#means = Array.from({ length: count }, () => new ExponentialMean(window));
  }

  /** NaN until it is known; the first is 0. */
  mean(index: number): number {
    return this.#means[index]?.value ?? NaN;
  }

  push(value: number): void {
    let pushed = value;
    for (const mean of this.#means) {
      mean.push(pushed);
      pushed = mean.value;
      if (Number.isNaN(pushed)) return;
    }
  }

  save(out: ByteWriter): void {
    for (const mean of this.#means) mean.save(out);
  }

  restore(from: ByteReader): void {
    for (const mean of this.#means) mean.restore(from);
  }
}

/** Double exponential mean: 2 EMA - EMA of EMA (Mulloy 1994). */
export class Dema implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #chain: ExponentialChain;

  constructor(window: number) {
    this.warmup = 2 * window - 1;
    this.#chain = new ExponentialChain(window, 2);
  }

  update(bar: BarView): void {
    this.#chain.push(demandPrice(bar.close));
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#chain.save(out);
  }

  restore(from: ByteReader): void {
    this.#chain.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = 2 * this.#chain.mean(0) - this.#chain.mean(1);
  }
}

/** Triple exponential mean: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA (Mulloy 1994). */
export class Tema implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #chain: ExponentialChain;

  constructor(window: number) {
    this.warmup = 3 * window - 2;
    this.#chain = new ExponentialChain(window, 3);
  }

  update(bar: BarView): void {
    this.#chain.push(demandPrice(bar.close));
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#chain.save(out);
  }

  restore(from: ByteReader): void {
    this.#chain.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = this.#chain.mean(2) + 3 * (this.#chain.mean(0) - this.#chain.mean(1));
  }
}

/** Change of the triple exponential mean over one bar, in percent of it (Hutson 1983). */
export class Trix implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #chain: ExponentialChain;

  constructor(window: number) {
    this.warmup = 3 * window - 1;
    this.#chain = new ExponentialChain(window, 3);
  }

  update(bar: BarView): void {
    const previous = this.#chain.mean(2);
    this.#chain.push(demandPrice(bar.close));
    this.value = (100 * (this.#chain.mean(2) - previous)) / previous;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#chain.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#chain.restore(from);
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
