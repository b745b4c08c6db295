// What is said of days and months: returns between the closes of UTC days, their distribution, and the table of months.
import { kurtosis, mean, skewness, standardDeviation } from '../quant/statistics.ts';
import { cornishFisherTail, omegaRatio, sampleTail, tailRatio, WORST_HUNDREDTH, WORST_TWENTIETH, type Tail } from '../quant/tails.ts';
import type { DailyEquity } from './equity.ts';

/** Fewer daily returns than this have no shape to speak of: the standard error of the skewness of 30 is 0.43. */
export const MINIMUM_DAYS = 30;

/** So many days must lie in a tail on average before it is measured: 100 returns for the worst 5 %, 500 for the worst 1 %. */
export const MINIMUM_TAIL_DAYS = 5;

/** Standard deviation below which returns are equal: each carries the rounding of a quotient near 1. */
export const ROUNDING = 1e-12;

/**
 * Of the returns from one day's last mark to the next day's, the first against the capital; moments divided by n. Null is "cannot be
 * said": too few days by the two minima above, or nothing to divide by. Losses are positive parts of the equity of the day before.
 */
export interface DailyFigures {
  /** How many there are, n. */
  readonly dailyReturns: number;
  /** Negative where the falls are larger than the rises. MINIMUM_DAYS, and a spread. */
  readonly skewness: number | null;
  /** 3 for a normal distribution. MINIMUM_DAYS, and a spread. */
  readonly kurtosis: number | null;
  /** Sum of the gains over the sum of the losses. MINIMUM_DAYS, and a loss. */
  readonly omega: number | null;
  /** 95th percentile over the 5th, by size. As many days as a tail of 5 % needs. */
  readonly tailRatio: number | null;
  /** Historical: less the 5th percentile of the returns, and less the mean of those not above it. */
  readonly valueAtRisk95: number | null;
  readonly expectedShortfall95: number | null;
  readonly valueAtRisk99: number | null;
  readonly expectedShortfall99: number | null;
  /** By the Cornish-Fisher expansion of the moments, all of them from as many days as a tail of 5 % needs; null outside its domain. */
  readonly cornishFisherValueAtRisk95: number | null;
  readonly cornishFisherExpectedShortfall95: number | null;
  readonly cornishFisherValueAtRisk99: number | null;
  readonly cornishFisherExpectedShortfall99: number | null;
}

/** Of nothing there is no return: after ruin every one is 0. */
export function dailyReturns(capital: number, { equity }: DailyEquity): Float64Array {
  let before = capital;
  return equity.map((value) => {
    const change = before > 0 ? value / before - 1 : 0;
    before = value;
    return change;
  });
}

export function dailyFigures(returns: Float64Array): DailyFigures {
  const days = returns.length;
  const sorted = returns.toSorted();
  const deviation = standardDeviation(returns);
  const moments = { mean: mean(returns), standardDeviation: deviation, skewness: skewness(returns), kurtosis: kurtosis(returns) };
  const isShaped = days >= MINIMUM_DAYS && deviation > ROUNDING;
  const reaches = ({ probability }: Tail): boolean => days * probability >= MINIMUM_TAIL_DAYS;
  const historical = (tail: Tail): TailLosses => lossesOf(reaches(tail) ? sampleTail(sorted, tail) : undefined);
  const expanded = (tail: Tail): TailLosses =>
    lossesOf(isShaped && reaches(WORST_TWENTIETH) ? cornishFisherTail(moments, tail) : undefined);
  const [twentieth, hundredth] = [historical(WORST_TWENTIETH), historical(WORST_HUNDREDTH)];
  const [smoothTwentieth, smoothHundredth] = [expanded(WORST_TWENTIETH), expanded(WORST_HUNDREDTH)];
  return {
    dailyReturns: days,
    skewness: isShaped ? known(moments.skewness) : null,
    kurtosis: isShaped ? known(moments.kurtosis) : null,
    omega: days >= MINIMUM_DAYS ? known(omegaRatio(returns)) : null,
    tailRatio: reaches(WORST_TWENTIETH) ? known(tailRatio(sorted)) : null,
    valueAtRisk95: twentieth.quantile,
    expectedShortfall95: twentieth.mean,
    valueAtRisk99: hundredth.quantile,
    expectedShortfall99: hundredth.mean,
    cornishFisherValueAtRisk95: smoothTwentieth.quantile,
    cornishFisherExpectedShortfall95: smoothTwentieth.mean,
    cornishFisherValueAtRisk99: smoothHundredth.quantile,
    cornishFisherExpectedShortfall99: smoothHundredth.mean,
  };
}

interface TailLosses {
  readonly quantile: number | null;
  readonly mean: number | null;
}

/** A loss is a return with its sign changed; a quantile of zero is no negative zero. */
function lossesOf(tail: { readonly quantile: number; readonly mean: number } | undefined): TailLosses {
  return tail === undefined ? { quantile: null, mean: null } : { quantile: known(0 - tail.quantile), mean: known(0 - tail.mean) };
}

/** JSON has neither infinity nor not-a-number. */
export function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export interface MonthReturn {
  /** `2021-01`, UTC. */
  readonly month: string;
  /** From the last mark before the month, or the capital, to the last mark in it. The first and the last month may be parts of one. */
  readonly returnRatio: number;
}

/** Months that have a mark, oldest first. One plus each, multiplied, is one plus the total return. */
export function monthlyReturns(capital: number, { day, equity }: DailyEquity): MonthReturn[] {
  const months: MonthReturn[] = [];
  let before = capital;
  for (let index = 0; index < day.length; index++) {
    const month = monthOf(day[index] ?? NaN);
    if (index + 1 < day.length && monthOf(day[index + 1] ?? NaN) === month) continue;
    const value = equity[index] ?? NaN;
    months.push({ month, returnRatio: before > 0 ? value / before - 1 : 0 });
    before = value;
  }
  return months;
}

function monthOf(day: number): string {
  return new Date(day).toISOString().slice(0, 7);
}
