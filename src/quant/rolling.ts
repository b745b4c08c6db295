// Windows that slide: sum, moments and range of the last n numbers, without drift and without subtraction of what left.
//
// The stream is cut into blocks of n. A window is then the tail of the last block and the head of this one: tails are computed once,
// when a block is full, the head grows by one number at a time, and the two are combined. Amortised O(1), nothing is ever taken out of a
// sum, so no error outlives its block. All state follows from the numbers in the window and the place in the block: only these are saved.
import type { ByteReader, ByteWriter } from '../domain/bytes.ts';

/** Sum of the last n numbers; NaN before there are n. */
export class RollingSum {
  sum = NaN;
  /** Below `#position` numbers of this block, from there on the rest of the last one. */
  readonly #values: Float64Array;
  /** At i the sum of the last block from i to its end; NaN before there was a block, which keeps `sum` NaN. */
  readonly #tails: Float64Array;
  #head = NaN;
  #position = 0;
  #full = false;

  constructor(window: number) {
    this.#values = new Float64Array(window);
    this.#tails = new Float64Array(window).fill(NaN);
    this.#head = 0;
  }

  push(value: number): void {
    const position = this.#position;
    this.#values[position] = value;
    this.#head += value;
    if (position + 1 === this.#values.length) this.#turn();
    else this.#position = position + 1;
    this.sum = this.#head + (this.#tails[this.#position] ?? NaN);
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.numbers(this.#values);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    from.numbers(this.#values);
    this.#head = 0;
    for (let index = 0; index < this.#position; index++) this.#head += this.#values[index] ?? NaN;
    if (this.#full) this.#sumTails(this.#position);
    else this.#tails.fill(NaN);
    this.sum = this.#head + (this.#tails[this.#position] ?? NaN);
  }

  #turn(): void {
    this.#sumTails(0);
    this.#position = 0;
    this.#head = 0;
    this.#full = true;
  }

  #sumTails(first: number): void {
    const values = this.#values;
    const tails = this.#tails;
    let tail = 0;
    for (let index = values.length - 1; index >= first; index--) {
      tail += values[index] ?? NaN;
      tails[index] = tail;
    }
  }
}

/**
 * Mean and squared deviations of the last n numbers; NaN before there are n.
 *
 * Sums are taken of differences from a reference that is itself in the window: the last number of the last block. So the reference is
 * never further from the mean than sqrt(n) standard deviations, what is subtracted for the mean leaves at least one part in n, and prices
 * near 1e5 that move by 1e-4, or fall by seven orders within a window, keep their digits.
 */
export class RollingMoments {
  /** The newest number. What is known of the window is derived when it is asked: most bars are asked for little. */
  #last = NaN;
  readonly #inverse: number = NaN;
  readonly #values: Float64Array;
  readonly #sumTails: Float64Array;
  readonly #squareTails: Float64Array;
  #reference = NaN;
  #sumHead = NaN;
  #squareHead = NaN;
  #position = 0;
  #full = false;

  constructor(window: number) {
    this.#inverse = 1 / window;
    this.#values = new Float64Array(window);
    this.#sumTails = new Float64Array(window).fill(NaN);
    this.#squareTails = new Float64Array(window).fill(NaN);
    this.#sumHead = 0;
    this.#squareHead = 0;
  }

  push(value: number): void {
    // Only the first number of all finds no reference.
    if (Number.isNaN(this.#reference)) this.#reference = value;
    const position = this.#position;
    const difference = value - this.#reference;
    this.#values[position] = value;
    this.#sumHead += difference;
    this.#squareHead += difference * difference;
    if (position + 1 === this.#values.length) this.#turn(value);
    else this.#position = position + 1;
    this.#last = value;
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
    const position = this.#position;
    const last = values.length - 1;
    this.#reference = (this.#full ? values[last] : position > 0 ? values[0] : NaN) ?? NaN;
    this.#sumHead = 0;
    this.#squareHead = 0;
    for (let index = 0; index < position; index++) {
      const difference = (values[index] ?? NaN) - this.#reference;
      this.#sumHead += difference;
      this.#squareHead += difference * difference;
    }
    if (this.#full) {
      this.#formTails(position);
    } else {
      this.#sumTails.fill(NaN);
      this.#squareTails.fill(NaN);
    }
    this.#last = values[position > 0 ? position - 1 : last] ?? NaN;
  }

  get #sum(): number {
    return this.#sumHead + (this.#sumTails[this.#position] ?? NaN);
  }
  get mean(): number {
    return this.#reference + this.#sum * this.#inverse;
  }
  /** Sum of squared deviations from the mean: divide by n for the population's variance, by n - 1 for the sample's. Never negative. */
  get squares(): number {
    const sum = this.#sum;
    return this.#squareHead + (this.#squareTails[this.#position] ?? NaN) - sum * (sum * this.#inverse);
  }
  /** The newest number less the mean, with the digits that `value - mean` would lose. */
  get offset(): number {
    return this.#last - this.#reference - this.#sum * this.#inverse;
  }

  #turn(value: number): void {
    this.#reference = value;
    this.#formTails(0);
    this.#position = 0;
    this.#sumHead = 0;
    this.#squareHead = 0;
    this.#full = true;
  }

  #formTails(first: number): void {
    const values = this.#values;
    const sumTails = this.#sumTails;
    const squareTails = this.#squareTails;
    const reference = this.#reference;
    let sum = 0;
    let square = 0;
    for (let index = values.length - 1; index >= first; index--) {
      const difference = (values[index] ?? NaN) - reference;
      sum += difference;
      square += difference * difference;
      sumTails[index] = sum;
      squareTails[index] = square;
    }
  }
}

/** Highest of the last n highs and lowest of the last n lows; NaN before there are n. */
export class RollingRange {
  highest = NaN;
  lowest = NaN;
  readonly #highs: Float64Array;
  readonly #lows: Float64Array;
  readonly #highTails: Float64Array;
  readonly #lowTails: Float64Array;
  #highHead = NaN;
  #lowHead = NaN;
  #position = 0;
  #full = false;

  constructor(window: number) {
    this.#highs = new Float64Array(window);
    this.#lows = new Float64Array(window);
    this.#highTails = new Float64Array(window).fill(NaN);
    this.#lowTails = new Float64Array(window).fill(NaN);
    this.#highHead = -Infinity;
    this.#lowHead = Infinity;
  }

  push(high: number, low: number): void {
    const position = this.#position;
    this.#highs[position] = high;
    this.#lows[position] = low;
    this.#highHead = Math.max(this.#highHead, high);
    this.#lowHead = Math.min(this.#lowHead, low);
    if (position + 1 === this.#highs.length) this.#turn();
    else this.#position = position + 1;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.numbers(this.#highs);
    out.numbers(this.#lows);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    from.numbers(this.#highs);
    from.numbers(this.#lows);
    this.#highHead = -Infinity;
    this.#lowHead = Infinity;
    for (let index = 0; index < this.#position; index++) {
      this.#highHead = Math.max(this.#highHead, this.#highs[index] ?? NaN);
      this.#lowHead = Math.min(this.#lowHead, this.#lows[index] ?? NaN);
    }
    if (this.#full) {
      this.#formTails(this.#position);
    } else {
      this.#highTails.fill(NaN);
      this.#lowTails.fill(NaN);
    }
    this.#publish();
  }

  #publish(): void {
    this.highest = Math.max(this.#highHead, this.#highTails[this.#position] ?? NaN);
    this.lowest = Math.min(this.#lowHead, this.#lowTails[this.#position] ?? NaN);
  }

  #turn(): void {
    this.#formTails(0);
    this.#position = 0;
    this.#highHead = -Infinity;
    this.#lowHead = Infinity;
    this.#full = true;
  }

  #formTails(first: number): void {
    let highest = -Infinity;
    let lowest = Infinity;
    for (let index = this.#highs.length - 1; index >= first; index--) {
      highest = Math.max(highest, this.#highs[index] ?? NaN);
      lowest = Math.min(lowest, this.#lows[index] ?? NaN);
      this.#highTails[index] = highest;
      this.#lowTails[index] = lowest;
    }
  }
}
