// Volatility that comes in spells: the variance of the next return from this one and from its own.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { minimise } from './minimise.ts';
import { mean, variance } from './statistics.ts';

/** Return = mean + e; variance of the next e = omega + alpha e^2 + beta x variance of this one. In the units of the returns, a step. */
export interface Garch {
  readonly mean: number;
  readonly omega: number;
  readonly alpha: number;
  readonly beta: number;
  /** What stands for the square and the variance before the first return. */
  readonly startVariance: number;
}

export interface GarchFit {
  readonly model: Garch;
  readonly logLikelihood: number;
  /** alpha + beta: the part of a shock to the variance that is left a step later. */
  readonly persistence: number;
  /** omega / (1 - alpha - beta), to which variances return. */
  readonly longRunVariance: number;
}

/** Bollerslev's (1986) recursion: O(1) a return. `variance` is of the return to come, and knows all those that came. */
export class GarchVariance implements Stateful {
  readonly #model: Garch;
  #variance = NaN;
  #logDensity = NaN;

  constructor(model: Garch) {
    this.#model = model;
    this.#variance = model.omega + (model.alpha + model.beta) * model.startVariance;
  }

  push(value: number): void {
    const { mean: middle, omega, alpha, beta } = this.#model;
    const square = (value - middle) ** 2;
    this.#logDensity = -0.5 * (Math.log(2 * Math.PI * this.#variance) + square / this.#variance);
    this.#variance = omega + alpha * square + beta * this.#variance;
  }

  /** Of the next return. */
  get variance(): number {
    return this.#variance;
  }
  /** Log density of the last return as it was expected, normal. */
  get logDensity(): number {
    return this.#logDensity;
  }

  /** Expected variance of the returns from the next one on, one entry a step; their sum is that of the whole span. */
  forecast(steps: number): Float64Array {
    const { omega, alpha, beta } = this.#model;
    let expected = this.#variance;
    return Float64Array.from({ length: steps }, (_, step) => {
      if (step > 0) expected = omega + (alpha + beta) * expected;
      return expected;
    });
  }

  save(out: ByteWriter): void {
    out.number(this.#variance);
    out.number(this.#logDensity);
  }

  restore(from: ByteReader): void {
    this.#variance = from.number();
    this.#logDensity = from.number();
  }
}

/** Of the squares that stand for those before the first, so many, each worth so much of the one before it: as RiskMetrics (1996) weighs. */
const [BACKCAST, DECAY] = [75, 0.94];

/**
 * GARCH(1,1) with a constant mean by maximum likelihood under normal errors, whose estimates hold where the errors are not normal as well
 * (Bollerslev and Wooldridge, 1992). Omega, alpha and beta are not negative, alpha + beta is below 1.
 * @param returns from 50; a hundred are little, and the estimates of few are near a bound
 * @throws RangeError with fewer, or where they do not vary
 */
export function fitGarch(returns: ArrayLike<number>): GarchFit {
  const spread = variance(returns);
  if (returns.length < 50 || !(spread > 0)) {
    throw new RangeError(`${returns.length} returns with a variance of ${spread}, expected at least 50 that vary`);
  }
  const middle = mean(returns);
  const scale = Math.sqrt(spread);
  const scaled = Float64Array.from(returns, (value) => (value - middle) / scale);
  let [weight, weights, squares] = [1, 0, 0];
  for (const value of scaled.subarray(0, BACKCAST)) {
    weights += weight;
    squares += weight * value * value;
    weight *= DECAY;
  }
  const startVariance = squares / weights;
  // Mean, logarithm of the long-run variance, persistence, and alpha's part of it, the last two as logits.
  const modelAt = ([place = NaN, logVariance = NaN, held = NaN, part = NaN]: ArrayLike<number> & Iterable<number>): Garch => {
    const persistence = 1 / (1 + Math.exp(-held));
    const alpha = persistence / (1 + Math.exp(-part));
    return { mean: place, omega: Math.exp(logVariance) / (1 + Math.exp(held)), alpha, beta: persistence - alpha, startVariance };
  };
  const unlikelihood = (point: Float64Array): number => {
    const filter = new GarchVariance(modelAt(point));
    let sum = 0;
    for (const value of scaled) {
      filter.push(value);
      sum -= filter.logDensity;
    }
    return sum;
  };
  let [start, lowest] = [[0, 0, 0, 0], Infinity];
  for (const persistence of [0.5, 0.9, 0.98]) {
    for (const part of [0.05, 0.15, 0.4]) {
      const point = [0, 0, Math.log(persistence / (1 - persistence)), Math.log(part / (1 - part))];
      const value = unlikelihood(Float64Array.from(point));
      if (value < lowest) [start, lowest] = [point, value];
    }
  }
  const found = minimise(unlikelihood, start, [0.05, 0.2, 0.5, 0.5]);
  const model = modelAt(found.at);
  return {
    model: {
      mean: middle + scale * model.mean,
      omega: spread * model.omega,
      alpha: model.alpha,
      beta: model.beta,
      startVariance: spread * model.startVariance,
    },
    logLikelihood: -found.value - returns.length * Math.log(scale),
    persistence: model.alpha + model.beta,
    longRunVariance: spread * Math.exp(found.at[1] ?? NaN),
  };
}
