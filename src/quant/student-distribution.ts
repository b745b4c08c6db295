// Student's t: density, distribution and quantiles. Random draws of it are in random.ts.
import { logGamma } from './gamma-distribution.ts';
import { normalQuantile } from './random.ts';

/** Of one number of degrees of freedom, not scaled: the variance is degrees / (degrees - 2). */
export interface StudentDistribution {
  readonly degrees: number;
  readonly logDensity: (x: number) => number;
  /** Probability of being below x, to about 1e-13 relative in the lower tail as well. */
  readonly probability: (x: number) => number;
  /** Of a probability in (0, 1). */
  readonly quantile: (probability: number) => number;
}

const MOST_TERMS = 10_000;

/**
 * By the incomplete beta function's continued fraction (Press et al., Numerical Recipes, section 6.4), and its inverse by Hill's (1970)
 * algorithm 396, refined.
 * @throws RangeError unless there is 1 degree of freedom at least
 */
export function studentDistribution(degrees: number): StudentDistribution {
  if (!(degrees >= 1 && degrees < Infinity)) throw new RangeError(`${degrees} degrees of freedom, expected a number from 1`);
  const logBeta = logGamma(degrees / 2) + logGamma(0.5) - logGamma((degrees + 1) / 2);
  const constant = -0.5 * Math.log(degrees) - logBeta;
  const logDensity = (x: number): number => constant - ((degrees + 1) / 2) * Math.log1p((x * x) / degrees);
  /** Of |x|. */
  const tail = (x: number): number => {
    const square = x * x;
    const [far, near] = [degrees / (degrees + square), square / (degrees + square)];
    // Log of near is that of x, and of far that of 1 + square / degrees, so that neither end loses digits.
    const front = Math.exp(-(degrees / 2) * Math.log1p(square / degrees) + 0.5 * Math.log(near) - logBeta);
    if (far < (degrees / 2 + 1) / (degrees / 2 + 2.5)) return (front * betaFraction(far, degrees / 2, 0.5)) / degrees;
    return 0.5 - front * betaFraction(near, 0.5, degrees / 2);
  };
  const probability = (x: number): number => (x === 0 ? 0.5 : x < 0 ? tail(-x) : 1 - tail(x));
  const quantile = (of: number): number => {
    if (!(of > 0 && of < 1)) throw new RangeError(`probability ${of}, expected one in (0, 1)`);
    if (of === 0.5) return 0;
    const part = Math.min(of, 1 - of);
    const x = degrees === 1 ? 1 / Math.tan(Math.PI * part) : refined(hill(part, degrees), part);
    return of < 0.5 ? -x : x;
  };
  /** Taylor's steps of second order on the upper tail. */
  const refined = (start: number, part: number): number => {
    let x = start;
    for (let step = 0; step < 10; step++) {
      const move = (tail(x) - part) / Math.exp(logDensity(x));
      if (!Number.isFinite(move)) break;
      x += move * (1 + (move * x * (degrees + 1)) / (2 * (x * x + degrees)));
      if (Math.abs(move) <= 1e-12 * Math.abs(x)) break;
    }
    return x;
  };
  return { degrees, logDensity, probability, quantile };
}

/** Lentz's form. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let step = 1; step < MOST_TERMS; step++) {
    const twice = 2 * step;
    const even = (step * (b - step) * x) / ((a + twice - 1) * (a + twice));
    d = 1 / nonZero(1 + even * d, tiny);
    c = nonZero(1 + even / c, tiny);
    fraction *= d * c;
    const odd = (-(a + step) * (a + b + step) * x) / ((a + twice) * (a + twice + 1));
    d = 1 / nonZero(1 + odd * d, tiny);
    c = nonZero(1 + odd / c, tiny);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return fraction;
}

function nonZero(value: number, instead: number): number {
  return Math.abs(value) < instead ? instead : value;
}

/** Upper quantile of a probability below a half, to some digits. */
function hill(part: number, degrees: number): number {
  if (Math.abs(degrees - 2) < 1e-12) return (1 - 2 * part) * Math.sqrt(2 / (4 * part * (1 - part)));
  const a = 1 / (degrees - 0.5);
  const b = 48 / (a * a);
  let c = ((20_700 * (a / b) - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * degrees;
  let y = (d * 2 * part) ** (2 / degrees);
  if (y > 0.05 + a) {
    const x = normalQuantile(part);
    y = x * x;
    if (degrees < 5) c += 0.3 * (degrees - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    y =
      ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) * y - 1) *
        ((degrees + 1) / (degrees + 2)) +
      1 / y;
  }
  return Math.sqrt(degrees * y);
}
