// What a Sharpe ratio is worth: given how long, how skewed and how heavy-tailed its sample is, and how many others were tried.
//
// Everywhere a Sharpe ratio is one of a period, a day's say: mean over standard deviation, not times the root of the periods of a year.
import { normalDistribution } from '../../quant/normal-distribution.ts';
import { normalQuantile } from '../../quant/random.ts';
import { kurtosis, mean, skewness, variance } from '../../quant/statistics.ts';

export interface SharpeSample {
  /** Of a period. */
  readonly sharpe: number;
  readonly skewness: number;
  /** 3 for a normal distribution. */
  readonly kurtosis: number;
  /** Periods, T. */
  readonly observations: number;
}

/** Standard deviation by T - 1, moments by T. Sharpe, skewness and kurtosis are NaN of returns without spread. */
export function sharpeSample(returns: Float64Array): SharpeSample {
  const observations = returns.length;
  const deviation = Math.sqrt((variance(returns) * observations) / (observations - 1));
  return { sharpe: mean(returns) / deviation, skewness: skewness(returns), kurtosis: kurtosis(returns), observations };
}

/**
 * Probability that the true Sharpe ratio is above `benchmark`, of a period: PSR, Bailey and López de Prado (2012, The Sharpe ratio
 * efficient frontier). For returns without memory: autocorrelation makes the sample worth less than it says (Lo 2002).
 */
export function probabilisticSharpe(sample: SharpeSample, benchmark = 0): number {
  const root = Math.sqrt(sample.observations - 1);
  return normalDistribution(((sample.sharpe - benchmark) * root) / Math.sqrt(unitVariance(sample)));
}

/**
 * Observations from which on a Sharpe ratio like this one is above `benchmark` at the significance: MinTRL, in the same paper.
 * Infinity where it is not above it.
 */
export function minimumTrackRecord(sample: Omit<SharpeSample, 'observations'>, benchmark = 0, significance = 0.05): number {
  if (sample.sharpe <= benchmark) return Infinity;
  return 1 + unitVariance(sample) * (normalQuantile(1 - significance) / (sample.sharpe - benchmark)) ** 2;
}

/** Variance of the estimated Sharpe ratio, times the observations. Never negative: a kurtosis is at least 1 and the squared skewness. */
function unitVariance({ sharpe, skewness: asymmetry, kurtosis: tails }: Omit<SharpeSample, 'observations'>): number {
  return 1 - asymmetry * sharpe + ((tails - 1) / 4) * sharpe ** 2;
}

const EULER_MASCHERONI = 0.5772156649015329;

/**
 * Mean of the largest of so many independent standard normal draws, by its limit: (1 - g) q(1 - 1/N) + g q(1 - 1/(N e)), with q the normal
 * quantile and g Euler's constant. Bailey and López de Prado (2014, The deflated Sharpe ratio). 0 for one draw.
 * @throws RangeError below one
 */
export function expectedMaximum(draws: number): number {
  if (!(draws >= 1)) throw new RangeError(`${draws} draws, expected 1 or more`);
  if (draws === 1) return 0;
  return (1 - EULER_MASCHERONI) * normalQuantile(1 - 1 / draws) + EULER_MASCHERONI * normalQuantile(1 - 1 / (draws * Math.E));
}

/** Everything that was tried before one was chosen, what was thrown away included. */
export interface Trials {
  /** As many as were independent: near copies of each other count once. */
  readonly count: number;
  /** Of the Sharpe ratios of all trials, of the same period as the sample's. */
  readonly variance: number;
}

export interface DeflatedSharpe {
  /** What the best of as many trials without skill is expected to have, of a period. */
  readonly benchmark: number;
  /** That the true Sharpe ratio is above that. */
  readonly probability: number;
}

/** The probabilistic Sharpe ratio against the expected best of as many worthless trials: DSR, Bailey and López de Prado (2014). */
export function deflatedSharpe(sample: SharpeSample, trials: Trials): DeflatedSharpe {
  const benchmark = Math.sqrt(trials.variance) * expectedMaximum(trials.count);
  return { benchmark, probability: probabilisticSharpe(sample, benchmark) };
}

/**
 * Years of data below which the best of so many worthless trials is expected to show an annual Sharpe ratio as high as `annualSharpe`:
 * MinBTL, Bailey, Borwein, López de Prado and Zhu (2014, Pseudo-mathematics and financial charlatanism).
 */
export function minimumBacktestYears(trials: number, annualSharpe = 1): number {
  return (expectedMaximum(trials) / annualSharpe) ** 2;
}
