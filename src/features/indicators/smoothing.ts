// What indicators are built of: a mean that forgets, a memory of n values, and a sum that does not lose what is small.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';

/** Exponential mean of whatever is pushed, seeded by the plain mean of the first n, as TA-Lib does. NaN before there are n. */
export class ExponentialMean implements Stateful {
  value = NaN;
  readonly #window: number;
  readonly #alpha: number = NaN;
  #seedSum = NaN;
  #seen = 0;

  /** Alpha is 2 / (n + 1) unless said; Wilder's smoothing is 1 / n. */
  constructor(window: number, alpha = 2 / (window + 1)) {
    this.#window = window;
    this.#alpha = alpha;
    this.#seedSum = 0;
  }

  push(value: number): void {
    if (this.#seen === this.#window) {
      this.value += (value - this.value) * this.#alpha;
      return;
    }
    this.#seedSum += value;
    this.#seen++;
    if (this.#seen === this.#window) this.value = this.#seedSum / this.#window;
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
}

/** Remembers the last n values: `value` is what was pushed n pushes before the last one, NaN until there was one. */
export class Delay implements Stateful {
  value = NaN;
  readonly #values: Float64Array;
  #position = 0;

  constructor(pushes: number) {
    this.#values = new Float64Array(pushes).fill(NaN);
  }

  push(value: number): void {
    const position = this.#position;
    this.value = this.#values[position] ?? NaN;
    this.#values[position] = value;
    this.#position = position + 1 === this.#values.length ? 0 : position + 1;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.count(this.#position);
    out.numbers(this.#values);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#position = from.count();
    from.numbers(this.#values);
  }
}

/**
 * A sum from the first number on, for totals that never forget: what rounding takes from each addition is kept and added back (Neumaier
 * 1974), so that a million numbers cost no more digits than one.
 */
export class RunningTotal implements Stateful {
  #sum = NaN;
  #lost = NaN;

  constructor() {
    this.clear();
  }

  get value(): number {
    return this.#sum + this.#lost;
  }

  clear(): void {
    this.#sum = 0;
    this.#lost = 0;
  }

  add(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  save(out: ByteWriter): void {
    out.number(this.#sum);
    out.number(this.#lost);
  }

  restore(from: ByteReader): void {
    this.#sum = from.number();
    this.#lost = from.number();
  }
}
