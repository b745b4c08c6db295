// Whether a column comes back faster the further it is out: the unit-root test against a smooth transition.
import { laggedRegression, type LaggedRegression, type Lags } from './lagged-regression.ts';
import { normalDistribution } from './normal-distribution.ts';
import { normalQuantile } from './random.ts';
import { changesOf, levelsOf } from './unit-root.ts';
import type { SignificanceLevel } from './unit-root-distribution.ts';

/** The column as it is, less its mean, less its line in time; or the residuals of one column regressed on another, with a constant. */
export type TransitionCase = 'none' | 'constant' | 'trend' | 'residual';

/** Below the critical value: it comes back. */
export interface SmoothTransition extends LaggedRegression {
  readonly pValue: number;
}

/**
 * The t-statistic of Kapetanios, Shin and Snell (2003): of the cubed level in a regression of the change on it and on earlier changes. Its
 * null is a unit root, its alternative a column that wanders near its middle and is drawn back from far out, as costs of trading make it.
 * Residuals of a cointegrating regression (Kapetanios, Shin and Snell, 2006) have a distribution of their own.
 * @throws RangeError where there are too few values for the lags
 */
export function smoothTransition(values: ArrayLike<number>, of: TransitionCase, lags: Lags = { by: 'aic' }): SmoothTransition {
  const levels = levelsOf(values, of === 'residual' ? 'none' : of);
  const cubes = levels.subarray(0, -1).map((level) => level ** 3);
  const regression = laggedRegression(changesOf(levels), cubes, 'none', lags);
  return { ...regression, pValue: transitionProbability(regression.statistic, of) };
}

/** Kapetanios, Shin and Snell (2003), table 1; of residuals from the simulation behind the p-values, to two digits. */
export function transitionCritical(level: SignificanceLevel, of: TransitionCase): number {
  return CRITICAL[of][level];
}

const CRITICAL: Readonly<Record<TransitionCase, Readonly<Record<SignificanceLevel, number>>>> = {
  none: { 0.01: -2.82, 0.05: -2.22, 0.1: -1.92 },
  constant: { 0.01: -3.48, 0.05: -2.93, 0.1: -2.66 },
  trend: { 0.01: -3.93, 0.05: -3.4, 0.1: -3.13 },
  residual: { 0.01: -3.86, 0.05: -3.3, 0.1: -3.02 },
};

/**
 * Probability of a statistic at or below this one where there is a unit root: quantiles of a million simulated walks of 1,000 steps
 * (test/golden/kss-null-golden.py), straight lines between them on the scale of the normal distribution, and beyond them on.
 */
export function transitionProbability(statistic: number, of: TransitionCase): number {
  const quantiles = QUANTILES[of];
  const next = Math.min(Math.max(1, quantiles.filter((quantile) => quantile < statistic).length), quantiles.length - 1);
  const [left, right] = [quantiles[next - 1] ?? NaN, quantiles[next] ?? NaN];
  const [from, to] = [normalQuantile(PROBABILITIES[next - 1] ?? NaN), normalQuantile(PROBABILITIES[next] ?? NaN)];
  return normalDistribution(from + ((to - from) * (statistic - left)) / (right - left));
}

const PROBABILITIES = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
  0.999,
];

const QUANTILES: Readonly<Record<TransitionCase, readonly number[]>> = {
  none: [
    -4.0571, -3.8723, -3.6482, -3.47, -3.2725, -3.0049, -2.7862, -2.5551, -2.4089, -2.2125, -2.0467, -1.9198, -1.7301, -1.5826, -1.3522,
    -1.1598, -0.9799, -0.7869, -0.5282, -0.1669, 0.3582, 0.7898, 1.5792, 2.4465,
  ],
  constant: [
    -4.6813, -4.5169, -4.302, -4.1193, -3.9333, -3.6728, -3.4704, -3.2506, -3.1134, -2.9265, -2.7675, -2.6491, -2.468, -2.3267, -2.1031,
    -1.9174, -1.7466, -1.575, -1.384, -1.1236, -0.5943, -0.0767, 0.8726, 1.8631,
  ],
  trend: [
    -5.0986, -4.9818, -4.7627, -4.5796, -4.4052, -4.1512, -3.9431, -3.7206, -3.5829, -3.3989, -3.242, -3.1225, -2.9397, -2.7967, -2.5692,
    -2.3796, -2.2046, -2.0322, -1.8466, -1.6232, -1.2719, -0.8548, 0.2217, 1.3765,
  ],
  residual: [
    -5.0644, -4.9005, -4.6848, -4.5067, -4.3357, -4.065, -3.856, -3.6339, -3.4934, -3.3042, -3.1437, -3.0207, -2.8314, -2.6849, -2.4483,
    -2.2515, -2.0709, -1.8923, -1.7006, -1.467, -1.062, -0.5447, 0.5131, 1.5992,
  ],
};
