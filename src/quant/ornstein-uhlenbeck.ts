// A spread that is drawn back to its middle: how fast, how wide, and from where it pays to trade it.
import { leastSquares } from './linear-model.ts';
import { changesOf } from './unit-root.ts';

export interface Reversion {
  /** Of the change on the level before it: about -0.05 where 5 % of a deviation is gone after a step. */
  readonly slope: number;
  /** Steps until half of a deviation is gone: -ln 2 / ln(1 + slope). Null where the slope is not between -1 and 0: it does not come back so. */
  readonly halfLife: number | null;
  /** -ln 2 / slope, as many write it: too long, by half a slope. Null where the slope is not below 0. */
  readonly halfLifeLinear: number | null;
}

/** From the regression of the change on the level before it, with a constant. @throws RangeError below 4 values, or where they do not vary */
export function reversionOf(values: ArrayLike<number>): Reversion {
  return reversion(levelRegression(values).slope);
}

function reversion(slope: number): Reversion {
  return {
    slope,
    halfLife: slope < 0 && slope > -1 ? -Math.LN2 / Math.log1p(slope) : null,
    halfLifeLinear: slope < 0 ? -Math.LN2 / slope : null,
  };
}

interface LevelRegression {
  readonly slope: number;
  readonly constant: number;
  /** Of the residuals, per degree of freedom. */
  readonly variance: number;
}

function levelRegression(values: ArrayLike<number>): LevelRegression {
  const changes = changesOf(values);
  const before = Float64Array.from(changes, (_, row) => values[row] ?? NaN);
  const { coefficients, squares, freedom } = leastSquares(changes, [new Float64Array(changes.length).fill(1), before]);
  const [constant = NaN, slope = NaN] = coefficients;
  return { slope, constant, variance: squares / freedom };
}

/** dX = speed x (middle - X) dt + volatility dW, where a step is one of time. */
export interface OrnsteinUhlenbeck {
  readonly speed: number;
  readonly middle: number;
  readonly volatility: number;
}

/**
 * The process of which a column is a sample, one a step, by its exact discretisation: the autoregression of first order. In a sample the
 * speed comes out too high, the more so the fewer the half-lives in it (Kendall, 1954).
 * @returns undefined where the column does not come back, or overshoots: no such process makes it
 * @throws RangeError below 4 values, or where they do not vary
 */
export function ornsteinUhlenbeckOf(values: ArrayLike<number>): OrnsteinUhlenbeck | undefined {
  const { slope, constant, variance } = levelRegression(values);
  if (!(slope < 0 && slope > -1)) return undefined;
  const speed = -Math.log1p(slope);
  return { speed, middle: -constant / slope, volatility: Math.sqrt((2 * speed * variance) / -Math.expm1(-2 * speed)) };
}

/** Of the trade that buys at `entry`, sells at `exit` and waits for `entry` again; its mirror image sells first. In units of the process. */
export interface SpreadThresholds {
  /** Below the middle. */
  readonly entry: number;
  /** As far above it. */
  readonly exit: number;
  /** Steps of one round. */
  readonly expectedSteps: number;
  readonly stepsVariance: number;
  /** Net of cost, a step. */
  readonly expectedReturn: number;
  /** A step, in many rounds. */
  readonly returnVariance: number;
}

/** Entries further out, in standard deviations divided by sqrt 2, are reached once in 10^40 steps. */
const FURTHEST = 10;

/**
 * The thresholds with the highest expected return a step, net of what a round costs: Bertram (2010), Analytic solutions for optimal
 * statistical arbitrage trading, equations 9, 10 and 13. The parameters are taken for known; where they are estimated, wider is safer.
 * @param cost of one round, in the units of the process: log price where the spread is one of log prices; above 0
 * @returns undefined where the cost is so large that no round would be seen
 * @throws RangeError where the cost, the speed or the volatility is not above 0
 */
export function optimalThresholds({ speed, middle, volatility }: OrnsteinUhlenbeck, cost: number): SpreadThresholds | undefined {
  if (!(cost > 0 && speed > 0 && volatility > 0)) {
    throw new RangeError(`cost ${cost}, speed ${speed} and volatility ${volatility}, expected all above 0`);
  }
  const unit = volatility / Math.sqrt(speed);
  // In these units the first-order condition is x = cost / 2 + D(x), with Dawson's D between 0 and 0.5411: the root is unique.
  const half = cost / unit / 2;
  let [low, high] = [half, half + 0.55];
  if (high > FURTHEST) return undefined;
  for (let step = 0; step < 200 && high - low > Number.EPSILON * high; step++) {
    const between = (low + high) / 2;
    if (between < half + dawson(between)) low = between;
    else high = between;
  }
  const distance = (low + high) / 2;
  const expectedSteps = (2 * Math.PI * erfi(distance)) / speed;
  const stepsVariance = (2 * roundVariance(distance * Math.SQRT2)) / speed ** 2;
  const gain = 2 * distance * unit - cost;
  return {
    entry: middle - distance * unit,
    exit: middle + distance * unit,
    expectedSteps,
    stepsVariance,
    expectedReturn: gain / expectedSteps,
    returnVariance: (gain ** 2 * stepsVariance) / expectedSteps ** 3,
  };
}

/** 2 / sqrt(pi) x the integral of exp(t^2) from 0 to x: a series without a change of sign. */
function erfi(x: number): number {
  let power = x;
  let sum = x;
  for (let k = 1; power > Number.EPSILON * 1e-2 * sum; k++) {
    power *= (x * x) / k;
    sum += power / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** Dawson's integral of x from 0 to `FURTHEST`. */
function dawson(x: number): number {
  return (Math.sqrt(Math.PI) / 2) * Math.exp(-x * x) * erfi(x);
}

/** w1(z) - w2(z) of Bertram's equation 10, by gamma and digamma functions of halves, each from the one before. */
function roundVariance(z: number): number {
  const step = Math.SQRT2 * z;
  // Terms step^k / k! x gamma(k / 2), of odd and of even k; odd ones again with digamma(k / 2) - digamma(1).
  let [odd, even] = [Math.sqrt(Math.PI) * step, step ** 2 / 2];
  let digamma = -2 * Math.LN2;
  let [odds, evens, weighted] = [0, 0, 0];
  for (let k = 1; odd > Number.EPSILON * 1e-2 * odds || k < 4; k += 2) {
    odds += odd;
    weighted += odd * digamma;
    digamma += 2 / k;
    odd *= (step ** 2 * (k / 2)) / ((k + 1) * (k + 2));
  }
  for (let k = 2; even > Number.EPSILON * 1e-2 * evens || k < 4; k += 2) {
    evens += even;
    even *= (step ** 2 * (k / 2)) / ((k + 1) * (k + 2));
  }
  return odds * evens - weighted;
}
