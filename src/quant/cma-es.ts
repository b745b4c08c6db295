// Covariance matrix adaptation: an evolution strategy that learns the shape of the valley it descends. Hansen (2016), The CMA evolution
// strategy: a tutorial, arXiv:1604.00772, with its default parameters and negative weights; the numbers in brackets are its equations.
import type { Random } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

export interface CmaEsSettings {
  readonly mean: Float64Array;
  /** Standard deviation of the first generation along every axis: about a third of the way to the ends of what makes sense. */
  readonly deviation: number;
  readonly random: Random;
  /** Points a generation; 4 + 3 ln(dimensions) unless said. */
  readonly population?: number;
}

/** Looks for a minimum, a generation at a time: `ask`, measure, `tell`. */
export class CmaEs {
  readonly population: number;
  readonly #size: number;
  readonly #random: Random;
  readonly #mean: Float64Array;
  #deviation: number;
  /** By rank: positive for the better half, negative for the worse. */
  readonly #weights: Float64Array;
  readonly #parents: number;
  readonly #effective: number;
  readonly #pathRate: number;
  readonly #deviationRate: number;
  readonly #damping: number;
  readonly #rankOneRate: number;
  readonly #rankManyRate: number;
  /** Expected length of a standard normal vector. */
  readonly #expectedLength: number;
  readonly #covariance: Float64Array;
  readonly #path: Float64Array;
  readonly #deviationPath: Float64Array;
  /** Of the covariance: B and D. */
  #axes: Float64Array;
  #lengths: Float64Array;
  #generation = 0;

  constructor({ mean, deviation, random, population }: CmaEsSettings) {
    const size = mean.length;
    if (!(size > 0 && deviation > 0)) throw new RangeError(`${size} axes and a deviation of ${deviation}, expected both above 0`);
    this.#size = size;
    this.#random = random;
    this.#mean = Float64Array.from(mean);
    this.#deviation = deviation;
    this.population = population ?? 4 + Math.floor(3 * Math.log(size));
    this.#parents = Math.floor(this.population / 2);
    const raw = Float64Array.from({ length: this.population }, (_, rank) => Math.log((this.population + 1) / 2) - Math.log(rank + 1)); // (49)
    const better = raw.subarray(0, this.#parents);
    const worse = raw.subarray(this.#parents);
    this.#effective = sum(better) ** 2 / sumOfSquares(better);
    const effectiveWorse = sum(worse) ** 2 / sumOfSquares(worse);
    this.#pathRate = (4 + this.#effective / size) / (size + 4 + (2 * this.#effective) / size); // (56)
    this.#deviationRate = (this.#effective + 2) / (size + this.#effective + 5); // (55)
    this.#damping = 1 + 2 * Math.max(0, Math.sqrt((this.#effective - 1) / (size + 1)) - 1) + this.#deviationRate; // (55)
    this.#rankOneRate = 2 / ((size + 1.3) ** 2 + this.#effective); // (57)
    this.#rankManyRate = Math.min(
      1 - this.#rankOneRate,
      (2 * (0.25 + this.#effective + 1 / this.#effective - 2)) / ((size + 2) ** 2 + this.#effective), // (58)
    );
    const worstSum = Math.min(
      1 + this.#rankOneRate / this.#rankManyRate, // (50)
      1 + (2 * effectiveWorse) / (this.#effective + 2), // (51)
      (1 - this.#rankOneRate - this.#rankManyRate) / (size * this.#rankManyRate), // (52)
    );
    const [positive, negative] = [sum(better), -sum(worse)];
    this.#weights = raw.map((weight) => (weight >= 0 ? weight / positive : (worstSum * weight) / negative)); // (53)
    this.#expectedLength = Math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size * size));
    this.#covariance = identity(size);
    this.#path = new Float64Array(size);
    this.#deviationPath = new Float64Array(size);
    this.#axes = identity(size);
    this.#lengths = new Float64Array(size).fill(1);
  }

  /** Largest standard deviation along an axis of the ellipsoid: what a search that goes nowhere any more is known by. */
  get spread(): number {
    return this.#deviation * Math.max(...this.#lengths);
  }

  /** One draw from where it looks now. */
  sample(): Float64Array {
    const size = this.#size;
    const scaled = Float64Array.from({ length: size }, (_, axis) => (this.#lengths[axis] ?? NaN) * this.#random.normal());
    const point = Float64Array.from(this.#mean);
    for (let row = 0; row < size; row++) {
      for (let axis = 0; axis < size; axis++) {
        point[row] = (point[row] ?? NaN) + this.#deviation * (this.#axes[row * size + axis] ?? NaN) * (scaled[axis] ?? NaN);
      }
    }
    return point;
  }

  ask(): Float64Array[] {
    return Array.from({ length: this.population }, () => this.sample());
  }

  /** @param points a generation, of `ask` or moved into bounds @param values of them, less is better; NaN and Infinity are worst */
  tell(points: readonly Float64Array[], values: readonly number[]): void {
    if (points.length !== this.population || values.length !== this.population) {
      throw new RangeError(`a generation of ${this.population} was told of ${points.length} points and ${values.length} values`);
    }
    const rank = (value: number | undefined): number => (value === undefined || Number.isNaN(value) ? Infinity : value);
    const order = points.map((_, index) => index).toSorted((one, other) => compare(rank(values[one]), rank(values[other])));
    const steps = order.map((index) => this.#stepTo(points[index]));
    const mean = this.#combined(steps);
    for (let axis = 0; axis < this.#size; axis++) this.#mean[axis] = (this.#mean[axis] ?? NaN) + this.#deviation * (mean[axis] ?? NaN);
    this.#generation++;
    const isStraight = this.#movePaths(mean);
    this.#adapt(steps, isStraight);
    this.#deviation *= Math.exp(
      Math.min(1, (this.#deviationRate / this.#damping) * (length(this.#deviationPath) / this.#expectedLength - 1)), // (44)
    );
    const { values: squares, vectors } = symmetricEigen(this.#covariance, this.#size);
    this.#axes = vectors;
    // Rounding may leave a square a hair below 0.
    this.#lengths = squares.map((square) => Math.sqrt(Math.max(square, Number.EPSILON ** 2)));
  }

  #stepTo(point: Float64Array | undefined): Float64Array {
    return Float64Array.from({ length: this.#size }, (_, axis) => ((point?.[axis] ?? NaN) - (this.#mean[axis] ?? NaN)) / this.#deviation);
  }

  /** The weighted mean of the better half (42). */
  #combined(steps: readonly Float64Array[]): Float64Array {
    const mean = new Float64Array(this.#size);
    for (let index = 0; index < this.#parents; index++) {
      for (let axis = 0; axis < this.#size; axis++) {
        mean[axis] = (mean[axis] ?? NaN) + (this.#weights[index] ?? NaN) * (steps[index]?.[axis] ?? NaN);
      }
    }
    return mean;
  }

  /** Both evolution paths (43, 45); false where the second stands still because the steps grow anyway. */
  #movePaths(mean: Float64Array): boolean {
    const whitened = this.#whitened(mean);
    const turn = Math.sqrt(this.#deviationRate * (2 - this.#deviationRate) * this.#effective);
    for (let axis = 0; axis < this.#size; axis++) {
      this.#deviationPath[axis] = (1 - this.#deviationRate) * (this.#deviationPath[axis] ?? NaN) + turn * (whitened[axis] ?? NaN);
    }
    const settled = Math.sqrt(1 - (1 - this.#deviationRate) ** (2 * this.#generation));
    const isStraight = length(this.#deviationPath) / settled < (1.4 + 2 / (this.#size + 1)) * this.#expectedLength;
    const follow = isStraight ? Math.sqrt(this.#pathRate * (2 - this.#pathRate) * this.#effective) : 0;
    for (let axis = 0; axis < this.#size; axis++) {
      this.#path[axis] = (1 - this.#pathRate) * (this.#path[axis] ?? NaN) + follow * (mean[axis] ?? NaN);
    }
    return isStraight;
  }

  /** The covariance (46, 47). */
  #adapt(steps: readonly Float64Array[], isStraight: boolean): void {
    const size = this.#size;
    const stalled = isStraight ? 0 : this.#pathRate * (2 - this.#pathRate);
    const kept = 1 + this.#rankOneRate * stalled - this.#rankOneRate - this.#rankManyRate * sum(this.#weights);
    const weights = this.#weights.map((weight, index) => {
      if (weight >= 0) return weight;
      const whitened = length(this.#whitened(steps[index] ?? new Float64Array(size)));
      return (weight * size) / Math.max(whitened * whitened, Number.MIN_VALUE);
    });
    for (let row = 0; row < size; row++) {
      for (let column = row; column < size; column++) {
        let many = 0;
        for (const [index, step] of steps.entries()) many += (weights[index] ?? NaN) * (step[row] ?? NaN) * (step[column] ?? NaN);
        const one = (this.#path[row] ?? NaN) * (this.#path[column] ?? NaN);
        const at = row * size + column;
        this.#covariance[at] = kept * (this.#covariance[at] ?? NaN) + this.#rankOneRate * one + this.#rankManyRate * many;
      }
    }
  }

  /** C^-1/2 times the vector. */
  #whitened(vector: Float64Array): Float64Array {
    const size = this.#size;
    const whitened = new Float64Array(size);
    for (let axis = 0; axis < size; axis++) {
      let along = 0;
      for (let row = 0; row < size; row++) along += (this.#axes[row * size + axis] ?? NaN) * (vector[row] ?? NaN);
      along /= this.#lengths[axis] ?? NaN;
      for (let row = 0; row < size; row++) whitened[row] = (whitened[row] ?? NaN) + (this.#axes[row * size + axis] ?? NaN) * along;
    }
    return whitened;
  }
}

/** Infinity less Infinity is no number to sort by. */
function compare(one: number, other: number): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let axis = 0; axis < size; axis++) matrix[axis * size + axis] = 1;
  return matrix;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((total, value) => total + value * value, 0);
}

function length(vector: Float64Array): number {
  return Math.sqrt(sumOfSquares(vector));
}
