// The line through the last n pairs of numbers, or through all so far: O(1) a step, without drift.
//
// As in rolling.ts a window is the tail of the last block and the head of this one, sums are taken of differences from a pair that is itself
// in the window, and nothing is ever taken out of a sum.
import type { ByteReader, ByteWriter } from '../domain/bytes.ts';

/** y = intercept + slope x + residual, by least squares. NaN where there is no line: too few pairs, or x does not vary. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Share of y's spread that the line explains. */
  readonly rSquared: number;
  /** Pearson's of x and y, in [-1, 1]: with the digits that the root of `rSquared` has lost near 0. NaN where y does not vary. */
  readonly correlation: number;
  /** Sum of squared residuals. */
  readonly squares: number;
  /** Of the slope, under errors of one variance without memory; NaN of two pairs. */
  readonly slopeError: number;
  readonly interceptError: number;
}

const NO_LINE: Line = { slope: NaN, intercept: NaN, rSquared: NaN, correlation: NaN, squares: NaN, slopeError: NaN, interceptError: NaN };

/** Places in a row of sums. */
const [X, Y, XX, XY, YY, SUMS] = [0, 1, 2, 3, 4, 5];

/** The line through the last `window` pairs; without one before there are so many. The window is at least 2. */
export class RollingRegression {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  /** Five sums of differences from the reference for each place: of the last block from there to its end. */
  readonly #tails: Float64Array;
  readonly #head = new Float64Array(SUMS);
  #referenceX = NaN;
  #referenceY = NaN;
  #position = 0;
  #full = false;

  /** @param window a whole number from 2 @throws RangeError */
  constructor(window: number) {
    if (!Number.isInteger(window) || window < 2) throw new RangeError(`window was ${window}, expected a whole number from 2`);
    this.#x = new Float64Array(window);
    this.#y = new Float64Array(window);
    this.#tails = new Float64Array(SUMS * window);
  }

  push(x: number, y: number): void {
    // Only the first pair of all finds no reference.
    if (Number.isNaN(this.#referenceX)) this.#refer(x, y);
    this.#x[this.#position] = x;
    this.#y[this.#position] = y;
    add(this.#head, 0, x - this.#referenceX, y - this.#referenceY);
    this.#position++;
    if (this.#position < this.#x.length) return;
    this.#refer(x, y);
    this.#formTails(0);
    this.#position = 0;
    this.#head.fill(0);
    this.#full = true;
  }

  get line(): Line {
    if (!this.#full) return NO_LINE;
    const tail = SUMS * this.#position;
    const sum = (place: number): number => (this.#head[place] ?? NaN) + (this.#tails[tail + place] ?? NaN);
    const count = this.#x.length;
    const [meanX, meanY] = [sum(X) / count, sum(Y) / count];
    return lineOf(count, this.#referenceX + meanX, this.#referenceY + meanY, {
      xx: sum(XX) - sum(X) * meanX,
      xy: sum(XY) - sum(X) * meanY,
      yy: sum(YY) - sum(Y) * meanY,
    });
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.numbers(this.#x);
    out.numbers(this.#y);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    from.numbers(this.#x);
    from.numbers(this.#y);
    const reference = this.#full ? this.#x.length - 1 : 0;
    const isEmpty = !this.#full && this.#position === 0;
    this.#refer(isEmpty ? NaN : (this.#x[reference] ?? NaN), isEmpty ? NaN : (this.#y[reference] ?? NaN));
    this.#head.fill(0);
    for (let index = 0; index < this.#position; index++) {
      add(this.#head, 0, (this.#x[index] ?? NaN) - this.#referenceX, (this.#y[index] ?? NaN) - this.#referenceY);
    }
    if (this.#full) this.#formTails(this.#position);
  }

  #refer(x: number, y: number): void {
    this.#referenceX = x;
    this.#referenceY = y;
  }

  #formTails(first: number): void {
    const tails = this.#tails;
    for (let index = this.#x.length - 1; index >= first; index--) {
      const place = SUMS * index;
      if (index === this.#x.length - 1) tails.fill(0, place, place + SUMS);
      else tails.copyWithin(place, place + SUMS, place + 2 * SUMS);
      add(tails, place, (this.#x[index] ?? NaN) - this.#referenceX, (this.#y[index] ?? NaN) - this.#referenceY);
    }
  }
}

/** The line through all pairs so far; without one before there are two. Means and products about them are carried on, as Welford (1962). */
export class ExpandingRegression {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #xx = 0;
  #xy = 0;
  #yy = 0;

  push(x: number, y: number): void {
    this.#count++;
    const [fromX, fromY] = [x - this.#meanX, y - this.#meanY];
    this.#meanX += fromX / this.#count;
    this.#meanY += fromY / this.#count;
    this.#xx += fromX * (x - this.#meanX);
    this.#xy += fromX * (y - this.#meanY);
    this.#yy += fromY * (y - this.#meanY);
  }

  get line(): Line {
    if (this.#count < 2) return NO_LINE;
    return lineOf(this.#count, this.#meanX, this.#meanY, { xx: this.#xx, xy: this.#xy, yy: this.#yy });
  }

  save(out: ByteWriter): void {
    out.count(this.#count);
    out.numbers(Float64Array.of(this.#meanX, this.#meanY, this.#xx, this.#xy, this.#yy));
  }

  restore(from: ByteReader): void {
    this.#count = from.count();
    const state = new Float64Array(SUMS);
    from.numbers(state);
    [this.#meanX = NaN, this.#meanY = NaN, this.#xx = NaN, this.#xy = NaN, this.#yy = NaN] = state;
  }
}

function add(sums: Float64Array, place: number, x: number, y: number): void {
  sums[place + X] = (sums[place + X] ?? NaN) + x;
  sums[place + Y] = (sums[place + Y] ?? NaN) + y;
  sums[place + XX] = (sums[place + XX] ?? NaN) + x * x;
  sums[place + XY] = (sums[place + XY] ?? NaN) + x * y;
  sums[place + YY] = (sums[place + YY] ?? NaN) + y * y;
}

/** From products of deviations from the means. */
function lineOf(
  count: number,
  meanX: number,
  meanY: number,
  { xx, xy, yy }: { readonly xx: number; readonly xy: number; readonly yy: number },
): Line {
  if (!(xx > 0)) return NO_LINE;
  const slope = xy / xx;
  // Never negative where y lies on the line, to the last digit.
  const squares = Math.max(0, yy - slope * xy);
  const variance = count > 2 ? squares / (count - 2) : NaN;
  return {
    slope,
    intercept: meanY - slope * meanX,
    rSquared: 1 - squares / yy,
    correlation: Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))),
    squares,
    slopeError: Math.sqrt(variance / xx),
    interceptError: Math.sqrt(variance * (1 / count + meanX ** 2 / xx)),
  };
}
