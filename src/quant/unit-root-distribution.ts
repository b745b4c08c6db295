// Where the statistic of a unit-root test lies when there is a unit root: p-values and critical values by response surface.
import { normalDistribution } from './normal-distribution.ts';

/** What the regression has beside the level: nothing, a constant, a constant and a straight line in time. */
export type Deterministic = 'none' | 'constant' | 'trend';

/** How many columns are integrated: 1 for a column tested for itself, 2 for the residuals of one regressed on another, 3 on two others. */
export type Variables = 1 | 2 | 3;

export type SignificanceLevel = 0.01 | 0.05 | 0.1;

/** Below `lowest` the probability is 0, above `highest` 1; up to `divide` the polynomial of the left tail holds, from there the other. */
interface Surface {
  readonly lowest: number;
  readonly divide: number;
  readonly highest: number;
  readonly left: readonly number[];
  readonly right: readonly number[];
}

/** MacKinnon (1994), Approximate asymptotic distribution functions for unit-root and cointegration tests, tables 3 and 4. */
const SURFACES: Readonly<Record<Deterministic, Readonly<Record<Variables, Surface>>>> = {
  none: {
    1: { lowest: -19.04, divide: -1.04, highest: Infinity, left: [0.6344, 1.2378, 0.032496], right: [0.4797, 0.93557, -0.06999, 0.033066] },
    2: { lowest: -19.62, divide: -1.53, highest: 1.51, left: [1.9129, 1.3857, 0.035322], right: [1.5578, 0.8558, -0.2083, -0.033549] },
    3: { lowest: -21.21, divide: -2.68, highest: 0.86, left: [2.7648, 1.4502, 0.034186], right: [2.2268, 0.68093, -0.32362, -0.054448] },
  },
  constant: {
    1: { lowest: -18.83, divide: -1.61, highest: 2.74, left: [2.1659, 1.4412, 0.038269], right: [1.7339, 0.93202, -0.12745, -0.010368] },
    2: { lowest: -18.86, divide: -2.62, highest: 0.92, left: [2.92, 1.5012, 0.039796], right: [2.1945, 0.64695, -0.29198, -0.042377] },
    3: { lowest: -23.48, divide: -3.13, highest: 0.55, left: [3.4699, 1.4856, 0.03164], right: [2.5893, 0.45168, -0.36529, -0.050074] },
  },
  trend: {
    1: { lowest: -16.18, divide: -2.89, highest: 0.7, left: [3.2512, 1.6047, 0.049588], right: [2.5261, 0.61654, -0.37956, -0.060285] },
    2: { lowest: -21.15, divide: -3.19, highest: 0.63, left: [3.6646, 1.5419, 0.036448], right: [2.85, 0.5272, -0.36622, -0.051695] },
    3: { lowest: -25.37, divide: -3.5, highest: 0.71, left: [4.0983, 1.5173, 0.029898], right: [3.221, 0.5255, -0.32685, -0.041501] },
  },
};

/**
 * Probability of a statistic at or below this one where there is no relation, in many observations: MacKinnon (1994).
 * It says a little more or less than the critical values, which are of 2010 and know the number of observations.
 */
export function dickeyFullerProbability(statistic: number, variables: Variables = 1, terms: Deterministic = 'constant'): number {
  if (Number.isNaN(statistic)) return NaN;
  const { lowest, divide, highest, left, right } = SURFACES[terms][variables];
  if (statistic > highest) return 1;
  if (statistic < lowest) return 0;
  return normalDistribution((statistic <= divide ? left : right).reduceRight((sum, coefficient) => sum * statistic + coefficient, 0));
}

/** Polynomials in 1 / observations, for 1, 5 and 10 %. */
type CriticalRows = readonly [onePercent: readonly number[], fivePercent: readonly number[], tenPercent: readonly number[]];

/**
 * MacKinnon (2010), Critical values for cointegration tests, tables 1 to 3. The third coefficient of two variables with a constant at 1 % is
 * -22.527 as the paper prints it; statsmodels and arch have -33.527 there (statsmodels issue 10271).
 */
const CRITICAL: Readonly<Record<Deterministic, Partial<Readonly<Record<Variables, CriticalRows>>>>> = {
  none: {
    1: [
      [-2.56574, -2.2358, -3.627],
      [-1.941, -0.2686, -3.365, 31.223],
      [-1.61682, 0.2656, -2.714, 25.364],
    ],
  },
  constant: {
    1: [
      [-3.43035, -6.5393, -16.786, -79.433],
      [-2.86154, -2.8903, -4.234, -40.04],
      [-2.56677, -1.5384, -2.809],
    ],
    2: [
      [-3.89644, -10.9519, -22.527],
      [-3.33613, -6.1101, -6.823],
      [-3.04445, -4.2412, -2.72],
    ],
    3: [
      [-4.29374, -14.4354, -33.195, 47.433],
      [-3.74066, -8.5632, -10.852, 27.982],
      [-3.45218, -6.2143, -3.718],
    ],
  },
  trend: {
    1: [
      [-3.95877, -9.0531, -28.428, -134.155],
      [-3.41049, -4.3904, -9.036, -45.374],
      [-3.12705, -2.5856, -3.925, -22.38],
    ],
    2: [
      [-4.32762, -15.4387, -35.679],
      [-3.78057, -9.5106, -12.074],
      [-3.49631, -7.0815, -7.538, 21.892],
    ],
    3: [
      [-4.66305, -18.7688, -49.793, 104.244],
      [-4.1189, -11.8922, -19.031, 77.332],
      [-3.83511, -9.0723, -8.504, 35.403],
    ],
  },
};

const LEVELS: readonly SignificanceLevel[] = [0.01, 0.05, 0.1];

/** Below it the level says "related". NaN where there is no table: two or three variables without a constant. */
export function dickeyFullerCritical(
  variables: Variables,
  level: SignificanceLevel,
  observations: number,
  terms: Deterministic = 'constant',
): number {
  const row = CRITICAL[terms][variables]?.[LEVELS.indexOf(level)];
  return row === undefined ? NaN : row.reduceRight((sum, coefficient) => sum / observations + coefficient, 0);
}
