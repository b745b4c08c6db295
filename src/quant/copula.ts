// How two columns depend on each other when how each is distributed by itself has been taken out: copulas of two uniform variables.
import { integrate } from './integrate.ts';
import { normalDistribution } from './normal-distribution.ts';
import { normalQuantile } from './random.ts';
import { studentDistribution } from './student-distribution.ts';

/**
 * Counter-clockwise, in degrees, of the density over the unit square, as R's VineCopula and vinecopulib turn it: 90 is c(1 - u, v), 180 is
 * c(1 - u, 1 - v), 270 is c(u, 1 - v). Turned by 90 or 270 a family of positive dependence has negative.
 */
export type Rotation = 0 | 90 | 180 | 270;

export type Copula =
  /** Correlation in (-1, 1). */
  | { readonly family: 'gaussian'; readonly correlation: number }
  /** Degrees of freedom from 1. */
  | { readonly family: 'student'; readonly correlation: number; readonly degrees: number }
  /** Theta from -35 to 35, and not 0; below it negative dependence. */
  | { readonly family: 'frank'; readonly theta: number }
  /** Theta above 0 of Clayton's, from 1 of Gumbel's and Joe's. */
  | { readonly family: 'clayton' | 'gumbel' | 'joe'; readonly theta: number; readonly rotation: Rotation };

export type CopulaFamily = Copula['family'];

/** Of a copula that treats both variables alike, before it is turned. Arguments are inside of the unit square. */
export interface CopulaKernel {
  readonly logDensity: (u: number, v: number) => number;
  /** Probability that the first is below u where the second is v. */
  readonly conditional: (u: number, v: number) => number;
  readonly distribution: (u: number, v: number) => number;
}

/** Probabilities closer to an end are taken for this: there a density is infinite, or nothing. */
export const CLOSEST = 1e-10;

/** Natural logarithm of the density at (u, v). @throws RangeError where a parameter is out of its range */
export function copulaLogDensity(copula: Copula, u: number, v: number): number {
  const { flipU, flipV } = turned(copula);
  return kernelOf(copula).logDensity(inside(flipU ? 1 - u : u), inside(flipV ? 1 - v : v));
}

/** Probability that both are below: the copula itself. @throws RangeError where a parameter is out of its range */
export function copulaDistribution(copula: Copula, u: number, v: number): number {
  if (u <= 0 || v <= 0) return 0;
  if (u >= 1 || v >= 1) return Math.min(u, v, 1);
  const { flipU, flipV } = turned(copula);
  const inner = kernelOf(copula).distribution(flipU ? 1 - u : u, flipV ? 1 - v : v);
  if (flipU && flipV) return u + v - 1 + inner;
  if (flipU) return v - inner;
  return flipV ? u - inner : inner;
}

/** What each is worth when the other is known: 0.5 as expected, near 0 too low, near 1 too high. */
export interface Conditional {
  /** Probability that the first is below u where the second is v: h of 1 given 2, the derivative of the copula by v. */
  readonly first: number;
  /** Probability that the second is below v where the first is u. */
  readonly second: number;
}

/** The h-functions of Aas et al. (2009), each in [0, 1]. @throws RangeError where a parameter is out of its range */
export function conditionalProbabilities(copula: Copula, u: number, v: number): Conditional {
  const { flipU, flipV } = turned(copula);
  const { conditional } = kernelOf(copula);
  const [ownU, ownV] = [inside(flipU ? 1 - u : u), inside(flipV ? 1 - v : v)];
  const [first, second] = [conditional(ownU, ownV), conditional(ownV, ownU)];
  return { first: within(flipU ? 1 - first : first), second: within(flipV ? 1 - second : second) };
}

/** How likely the one is to be at its very end where the other is: limits of probabilities, in [0, 1]. */
export interface TailDependence {
  /** Both at their lowest. */
  readonly lower: number;
  /** Both at their highest. */
  readonly upper: number;
}

/** Joe (1997). Copulas that are turned by 90 or 270 have theirs where the one is at its lowest and the other at its highest: here 0. */
export function tailDependence(copula: Copula): TailDependence {
  if (copula.family === 'student') {
    const { correlation, degrees } = copula;
    const both = 2 * studentDistribution(degrees + 1).probability(-Math.sqrt(((degrees + 1) * (1 - correlation)) / (1 + correlation)));
    return { lower: both, upper: both };
  }
  if (copula.family === 'gaussian' || copula.family === 'frank') return { lower: 0, upper: 0 };
  if (copula.rotation === 90 || copula.rotation === 270) return { lower: 0, upper: 0 };
  const strong = copula.family === 'clayton' ? 2 ** (-1 / copula.theta) : 2 - 2 ** (1 / copula.theta);
  return (copula.family === 'clayton') === (copula.rotation === 0) ? { lower: strong, upper: 0 } : { lower: 0, upper: strong };
}

/** Kendall's tau that the copula implies, in [-1, 1] (Nelsen, 2006, chapter 5). */
export function kendallTauOf(copula: Copula): number {
  switch (copula.family) {
    case 'gaussian':
    case 'student':
      return (2 / Math.PI) * Math.asin(copula.correlation);
    case 'frank':
      return Math.sign(copula.theta) * frankTau(Math.abs(copula.theta));
    default: {
      const { theta, rotation } = copula;
      const tau = copula.family === 'clayton' ? theta / (theta + 2) : copula.family === 'gumbel' ? 1 - 1 / theta : joeTau(theta);
      return rotation === 90 || rotation === 270 ? -tau : tau;
    }
  }
}

/** With Debye's function of first order. */
function frankTau(theta: number): number {
  const debye = integrate((t) => t / Math.expm1(t), 0, theta) / theta;
  // Small ones by their series: the formula takes 1 from 1.
  return theta < 1e-2 ? theta / 9 - theta ** 3 / 900 : 1 - (4 / theta) * (1 - debye);
}

/** A series whose terms fall with the cube, and its rest as an integral. */
function joeTau(theta: number): number {
  let sum = 0;
  const terms = 2000;
  for (let k = terms; k >= 1; k--) sum += 1 / (k * (theta * k + 2) * (theta * (k - 1) + 2));
  const rest = terms + 0.5;
  sum += 1 / (2 * theta ** 2 * rest ** 2) - (4 - theta) / (3 * theta ** 3 * rest ** 3);
  return 1 - 4 * sum;
}

/** Which of the two variables are changed over, low for high. */
export function turned(copula: Copula): { readonly flipU: boolean; readonly flipV: boolean } {
  const rotation = 'rotation' in copula ? copula.rotation : 0;
  return { flipU: rotation === 90 || rotation === 180, flipV: rotation === 180 || rotation === 270 };
}

export function inside(probability: number): number {
  return Math.min(1 - CLOSEST, Math.max(CLOSEST, probability));
}

function within(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}

/** @throws RangeError where a parameter is out of its range */
export function kernelOf(copula: Copula): CopulaKernel {
  const assertRange = (isRight: boolean, expected: string): void => {
    if (!isRight) throw new RangeError(`copula ${JSON.stringify(copula)}, expected ${expected}`);
  };
  switch (copula.family) {
    case 'gaussian':
      assertRange(Math.abs(copula.correlation) < 1, 'a correlation in (-1, 1)');
      return gaussian(copula.correlation);
    case 'student':
      assertRange(Math.abs(copula.correlation) < 1, 'a correlation in (-1, 1)');
      return student(copula.correlation, copula.degrees);
    case 'frank':
      assertRange(Math.abs(copula.theta) <= 35 && copula.theta !== 0, 'a theta from -35 to 35 that is not 0');
      return frank(copula.theta);
    case 'clayton':
      assertRange(copula.theta > 0 && copula.theta <= 100, 'a theta above 0, at most 100');
      return clayton(copula.theta);
    case 'gumbel':
      assertRange(copula.theta >= 1 && copula.theta <= 100, 'a theta from 1 to 100');
      return gumbel(copula.theta);
    case 'joe':
      assertRange(copula.theta >= 1 && copula.theta <= 100, 'a theta from 1 to 100');
      return joe(copula.theta);
  }
}

/** Log density from normal quantiles x and y. */
export function gaussianLogDensity(correlation: number, x: number, y: number): number {
  const rest = 1 - correlation * correlation;
  return -0.5 * Math.log(rest) - (correlation * (correlation * (x * x + y * y) - 2 * x * y)) / (2 * rest);
}

function gaussian(correlation: number): CopulaKernel {
  const scale = Math.sqrt(1 - correlation * correlation);
  return {
    logDensity: (u, v) => gaussianLogDensity(correlation, normalQuantile(u), normalQuantile(v)),
    conditional: (u, v) => normalDistribution((normalQuantile(u) - correlation * normalQuantile(v)) / scale),
    distribution: (u, v) => elliptical(correlation, u, v, normalQuantile(u), normalQuantile(v), (square) => Math.exp(-square / 2)),
  };
}

function student(correlation: number, degrees: number): CopulaKernel {
  const one = studentDistribution(degrees);
  const more = studentDistribution(degrees + 1);
  const rest = 1 - correlation * correlation;
  const constant = -Math.log(2 * Math.PI) - 0.5 * Math.log(rest);
  return {
    logDensity: (u, v) => {
      const [x, y] = [one.quantile(u), one.quantile(v)];
      const square = (x * x + y * y - 2 * correlation * x * y) / rest;
      return constant - ((degrees + 2) / 2) * Math.log1p(square / degrees) - one.logDensity(x) - one.logDensity(y);
    },
    conditional: (u, v) => {
      const [x, y] = [one.quantile(u), one.quantile(v)];
      return more.probability((x - correlation * y) * Math.sqrt((degrees + 1) / ((degrees + y * y) * rest)));
    },
    distribution: (u, v) =>
      elliptical(correlation, u, v, one.quantile(u), one.quantile(v), (square) => (1 + square / degrees) ** (-degrees / 2)),
  };
}

/** From perfect dependence backwards: Plackett's (1954) identity, with the correlation as a sine (Genz, 2004). */
function elliptical(correlation: number, u: number, v: number, x: number, y: number, weigh: (square: number) => number): number {
  // (x2 + y2 - 2 x y sin) / cos2, without the difference of squares that is below 0 by rounding where x is nearly y, or -y, and cos nearly 0.
  const squareAt = (angle: number): number => {
    const sine = Math.sin(angle);
    const squared = Math.cos(angle) ** 2;
    return sine >= 0 ? (x - y) ** 2 / squared + (2 * x * y) / (1 + sine) : (x + y) ** 2 / squared - (2 * x * y) / (1 - sine);
  };
  const at = (angle: number): number => weigh(squareAt(angle));
  const angle = Math.asin(correlation);
  const value =
    correlation >= 0
      ? Math.min(u, v) - integrate(at, angle, Math.PI / 2) / (2 * Math.PI)
      : Math.max(0, u + v - 1) + integrate(at, -Math.PI / 2, angle) / (2 * Math.PI);
  return Math.min(Math.min(u, v), Math.max(0, u + v - 1, value));
}

/** Clayton (1978). Lower tail. */
function clayton(theta: number): CopulaKernel {
  // u^-theta alone is beyond a double near 0.
  const logSum = (u: number, v: number): number => {
    const [a, b] = [-theta * Math.log(u), -theta * Math.log(v)];
    const most = Math.max(a, b);
    return most + Math.log(Math.exp(a - most) + Math.exp(b - most) - Math.exp(-most));
  };
  return {
    logDensity: (u, v) => Math.log1p(theta) - (1 + theta) * (Math.log(u) + Math.log(v)) - (2 + 1 / theta) * logSum(u, v),
    conditional: (u, v) => Math.exp(-(1 + theta) * Math.log(v) - (1 + 1 / theta) * logSum(u, v)),
    distribution: (u, v) => Math.exp(-logSum(u, v) / theta),
  };
}

/** Gumbel (1960). Upper tail. */
function gumbel(theta: number): CopulaKernel {
  const logSum = (x: number, y: number): number => {
    const [most, least] = x > y ? [x, y] : [y, x];
    return theta * Math.log(most) + Math.log1p((least / most) ** theta);
  };
  return {
    logDensity: (u, v) => {
      const [x, y] = [-Math.log(u), -Math.log(v)];
      const sum = logSum(x, y);
      const root = Math.exp(sum / theta);
      return -root + x + y + (theta - 1) * (Math.log(x) + Math.log(y)) + (2 / theta - 2) * sum + Math.log1p((theta - 1) / root);
    },
    conditional: (u, v) => {
      const [x, y] = [-Math.log(u), -Math.log(v)];
      const sum = logSum(x, y);
      return Math.exp(-Math.exp(sum / theta) + y + (theta - 1) * Math.log(y) + (1 / theta - 1) * sum);
    },
    distribution: (u, v) => Math.exp(-Math.exp(logSum(-Math.log(u), -Math.log(v)) / theta)),
  };
}

/** Frank (1979). No tail, and both signs. */
function frank(theta: number): CopulaKernel {
  const all = -Math.expm1(-theta);
  // all - (1 - e^-theta u)(1 - e^-theta v) as a sum of two terms of one sign.
  const restOf = (u: number, v: number): number =>
    -Math.exp(-theta * u) * Math.expm1(-theta * v) - Math.exp(-theta * v) * Math.expm1(-theta * (1 - v));
  return {
    logDensity: (u, v) => Math.log(theta * all) - theta * (u + v) - 2 * Math.log(Math.abs(restOf(u, v))),
    conditional: (u, v) => (-Math.exp(-theta * v) * Math.expm1(-theta * u)) / restOf(u, v),
    distribution: (u, v) => -Math.log1p((-Math.expm1(-theta * u) * Math.expm1(-theta * v)) / all) / theta,
  };
}

/** Joe (1993). Upper tail, heavier than Gumbel's. */
function joe(theta: number): CopulaKernel {
  const sumOf = (u: number, v: number): number => {
    const [a, b] = [Math.exp(theta * Math.log1p(-u)), Math.exp(theta * Math.log1p(-v))];
    return a + b - a * b;
  };
  return {
    logDensity: (u, v) => {
      const sum = sumOf(u, v);
      return (1 / theta - 2) * Math.log(sum) + (theta - 1) * (Math.log1p(-u) + Math.log1p(-v)) + Math.log(theta - 1 + sum);
    },
    conditional: (u, v) =>
      -Math.expm1(theta * Math.log1p(-u)) * Math.exp((theta - 1) * Math.log1p(-v) + (1 / theta - 1) * Math.log(sumOf(u, v))),
    distribution: (u, v) => 1 - sumOf(u, v) ** (1 / theta),
  };
}
