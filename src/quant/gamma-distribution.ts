// The upper tail of the gamma distribution, and with it that of chi-squared.

const MOST_TERMS = 10_000;
const PRECISION = 1e-16;

/**
 * Probability that a gamma variable of this shape and of scale 1 is above `x`, to about 1e-13: the series below the mean, Lentz's continued
 * fraction above it (Press et al., Numerical Recipes, section 6.2).
 * @throws RangeError unless the shape is above 0
 */
export function gammaTail(shape: number, x: number): number {
  if (!(shape > 0)) throw new RangeError(`shape was ${shape}, expected a number above 0`);
  if (Number.isNaN(x)) return NaN;
  if (x <= 0) return 1;
  const front = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let term = 1 / shape;
    let sum = term;
    for (let step = 1; step < MOST_TERMS && term > PRECISION * sum; step++) {
      term *= x / (shape + step);
      sum += term;
    }
    return 1 - front * sum;
  }
  const tiny = 1e-300;
  let b = x + 1 - shape;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let step = 1; step < MOST_TERMS; step++) {
    const a = -step * (step - shape);
    b += 2;
    d = 1 / nonZero(a * d + b, tiny);
    c = nonZero(b + a / c, tiny);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < PRECISION) break;
  }
  return front * fraction;
}

function nonZero(value: number, instead: number): number {
  return Math.abs(value) < instead ? instead : value;
}

/** Lanczos (1964) with g = 7 and nine terms: about 1e-15 relative for x above 0.5. Below it by the reflection formula. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const from = x - 1;
  let sum = 0.99999999999980993;
  for (const [index, coefficient] of LANCZOS.entries()) sum += coefficient / (from + index + 1);
  const t = from + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (from + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
  9.9843695780195716e-6, 1.5056327351493116e-7,
];
