// Which copula two columns of probabilities are most likely a sample of.
import { gaussianLogDensity, inside, kernelOf, turned, type Copula, type CopulaFamily, type Rotation } from './copula.ts';
import { minimiseWithin } from './minimise.ts';
import { normalQuantile } from './random.ts';
import { kendall } from './rank-correlation.ts';
import { studentDistribution } from './student-distribution.ts';

export interface FittedCopula {
  readonly copula: Copula;
  readonly logLikelihood: number;
  /** 2 x parameters - 2 x log likelihood (Akaike, 1974). Above 0 independence, which has none, is the better model. */
  readonly aic: number;
}

/** Degrees of freedom of Student's: above the last it is a Gaussian in all but name, and below the first its tails are all it has. */
const [LEAST_DEGREES, MOST_DEGREES] = [2, 50];
const [CLAYTON, GUMBEL, JOE, FRANK] = [28, 50, 30, 35] as const;

/**
 * By maximum likelihood, parameter by parameter within the bounds that vinecopulib has: thetas to 28 (Clayton), 50 (Gumbel), 30 (Joe) and 35
 * (Frank), degrees of freedom from 2 to 50.
 * @param u @param v probabilities in [0, 1] of one length, from 10: of marginals, or `pseudoObservations`
 * @param rotation of Clayton's, Gumbel's and Joe's; the others have none
 * @throws RangeError where the columns are too short, of different lengths, do not vary, or hold no probabilities
 */
export function fitCopula(family: CopulaFamily, u: ArrayLike<number>, v: ArrayLike<number>, rotation: Rotation = 0): FittedCopula {
  assertProbabilities(u, v);
  switch (family) {
    case 'gaussian':
      return fitGaussian(u, v);
    case 'student':
      return fitStudent(u, v);
    case 'frank': {
      const sign = kendall(u, v) < 0 ? -1 : 1;
      return fitTheta((theta) => ({ family, theta: sign * theta }), u, v, 1e-4, FRANK, 0);
    }
    case 'clayton':
      return fitTheta((theta) => ({ family, theta, rotation }), u, v, 1e-4, CLAYTON, 0);
    case 'gumbel':
      return fitTheta((theta) => ({ family, theta, rotation }), u, v, 1 + 1e-6, GUMBEL, 1);
    case 'joe':
      return fitTheta((theta) => ({ family, theta, rotation }), u, v, 1 + 1e-6, JOE, 1);
  }
}

/**
 * Every family, turned so that its dependence has the sign of the sample's Kendall tau; the lowest AIC first. Two parameters have to earn
 * their place; which tail matters decides between families of like fit, and a short window does not know it.
 * @throws RangeError as `fitCopula`
 */
export function fitCopulas(u: ArrayLike<number>, v: ArrayLike<number>): readonly FittedCopula[] {
  assertProbabilities(u, v);
  const rotations: readonly Rotation[] = kendall(u, v) < 0 ? [90, 270] : [0, 180];
  return [
    ...(['gaussian', 'student', 'frank'] as const).map((family) => fitCopula(family, u, v)),
    ...(['clayton', 'gumbel', 'joe'] as const).flatMap((family) => rotations.map((rotation) => fitCopula(family, u, v, rotation))),
  ].toSorted((one, other) => one.aic - other.aic);
}

function assertProbabilities(u: ArrayLike<number>, v: ArrayLike<number>): void {
  if (u.length !== v.length || u.length < 10) {
    throw new RangeError(`columns of ${u.length} and ${v.length} rows, expected the same, at least 10`);
  }
  for (const column of [u, v]) {
    let varies = false;
    for (let row = 0; row < column.length; row++) {
      const value = column[row] ?? NaN;
      if (!(value >= 0 && value <= 1)) throw new RangeError(`row ${row} holds ${value}, expected a probability`);
      varies ||= value !== column[0];
    }
    if (!varies) throw new RangeError('a column that does not vary, expected one that does');
  }
}

/** Places at which a likelihood is looked at before the best of them is refined: some likelihoods have a dull second hill. */
const PLACES = 9;

/** Of the logarithm of theta's distance from `floor`. */
function fitTheta(
  of: (theta: number) => Copula,
  u: ArrayLike<number>,
  v: ArrayLike<number>,
  least: number,
  most: number,
  floor: number,
): FittedCopula {
  const { flipU, flipV } = turned(of(most));
  const ownU = Float64Array.from(u, (value) => inside(flipU ? 1 - value : value));
  const ownV = Float64Array.from(v, (value) => inside(flipV ? 1 - value : value));
  const unlikelihood = (place: number): number => {
    const { logDensity } = kernelOf(of(floor + Math.exp(place)));
    let sum = 0;
    for (let row = 0; row < ownU.length; row++) sum -= logDensity(ownU[row] ?? NaN, ownV[row] ?? NaN);
    return sum;
  };
  const { at, value } = lowest(unlikelihood, Math.log(least - floor), Math.log(most - floor));
  return { copula: of(floor + Math.exp(at)), logLikelihood: -value, aic: 2 * (1 + value) };
}

function lowest(of: (place: number) => number, low: number, high: number): { readonly at: number; readonly value: number } {
  const step = (high - low) / (PLACES - 1);
  let [best, bestValue] = [low, Infinity];
  for (let index = 0; index < PLACES; index++) {
    const value = of(low + index * step);
    if (value < bestValue) [best, bestValue] = [low + index * step, value];
  }
  return minimiseWithin(of, Math.max(low, best - step), Math.min(high, best + step));
}

function fitGaussian(u: ArrayLike<number>, v: ArrayLike<number>): FittedCopula {
  const x = Float64Array.from(u, (value) => normalQuantile(inside(value)));
  const y = Float64Array.from(v, (value) => normalQuantile(inside(value)));
  const unlikelihood = (place: number): number => {
    const correlation = Math.tanh(place);
    let sum = 0;
    for (let row = 0; row < x.length; row++) sum -= gaussianLogDensity(correlation, x[row] ?? NaN, y[row] ?? NaN);
    return sum;
  };
  const { at, value } = lowest(unlikelihood, -STRONGEST, STRONGEST);
  return { copula: { family: 'gaussian', correlation: Math.tanh(at) }, logLikelihood: -value, aic: 2 * (1 + value) };
}

/** Inverse hyperbolic tangent of the strongest correlation. */
const STRONGEST = 5;

/** Degrees outside, correlation inside: quantiles, which cost the most, are taken once for each number of degrees. */
function fitStudent(u: ArrayLike<number>, v: ArrayLike<number>): FittedCopula {
  const [ownU, ownV] = [Float64Array.from(u, inside), Float64Array.from(v, inside)];
  const start = Math.atanh(Math.min(0.999, Math.max(-0.999, Math.sin((Math.PI / 2) * kendall(u, v)))));
  const profileAt = (place: number): { readonly at: number; readonly value: number } => {
    const degrees = Math.exp(place);
    const { quantile, logDensity } = studentDistribution(degrees);
    const [x, y] = [ownU.map(quantile), ownV.map(quantile)];
    let marginals = 0;
    for (let row = 0; row < x.length; row++) marginals += logDensity(x[row] ?? NaN) + logDensity(y[row] ?? NaN);
    const unlikelihood = (along: number): number => {
      const correlation = Math.tanh(along);
      const rest = 1 - correlation * correlation;
      let logs = 0;
      for (let row = 0; row < x.length; row++) {
        const [one, other] = [x[row] ?? NaN, y[row] ?? NaN];
        logs += Math.log1p((one * one + other * other - 2 * correlation * one * other) / (rest * degrees));
      }
      return x.length * (Math.log(2 * Math.PI) + 0.5 * Math.log(rest)) + ((degrees + 2) / 2) * logs + marginals;
    };
    return minimiseWithin(unlikelihood, Math.max(-STRONGEST, start - 1), Math.min(STRONGEST, start + 1));
  };
  const [low, high] = [Math.log(LEAST_DEGREES), Math.log(MOST_DEGREES)];
  const { at } = minimiseWithin((place) => profileAt(place).value, low, high, 1e-6);
  const { at: along, value } = profileAt(at);
  return {
    copula: { family: 'student', correlation: Math.tanh(along), degrees: Math.exp(at) },
    logLikelihood: -value,
    aic: 2 * (2 + value),
  };
}
