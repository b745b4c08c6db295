// One pair over time: its spread, how far out it is by what was known at each bar, and from where it would have paid to trade it.
import { engleGranger } from '../../quant/cointegration.ts';
import { optimalThresholds, ornsteinUhlenbeckOf, reversionOf, type SpreadThresholds } from '../../quant/ornstein-uhlenbeck.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { standardDeviation } from '../../quant/statistics.ts';
import { eitherWay, LEVEL } from './scan.ts';
import type { JoinedLogs } from './join.ts';

export interface PairStudy {
  /** Which of the two logs is explained by the other: the direction with the smaller p-value. */
  readonly explained: 'a' | 'b';
  readonly alpha: number;
  readonly beta: number;
  readonly rSquared: number;
  readonly statistic: number;
  /** min(1, 2 x the smaller of both directions). */
  readonly pValue: number;
  readonly halfLifeBars: number | null;
  readonly deviation: number;
  /** Log price of the spread that a round trip of both legs costs. */
  readonly spreadCost: number;
  /** Log price of the spread, around its mean of 0; null where it does not come back, or a round costs more than it moves. */
  readonly thresholds: SpreadThresholds | null;
  /** Why the thresholds are not to be traded by; null where nothing speaks against it. */
  readonly warning: string | null;
  /** Open time of each bar. */
  readonly openAt: Float64Array;
  /** With the relation of the whole range: what somebody in the middle of it could not have known. */
  readonly spread: Float64Array;
  /** Deviations of the last `window` bars from their mean; NaN before there are so many. */
  readonly zScore: Float64Array;
  readonly window: number;
}

/**
 * @param window of the z-score, in bars, from 2
 * @param fillCosts fee and slippage of one fill of a and of b, as ratios of notional
 * @throws RangeError where there are too few bars, or a price does not move
 */
export function studyPair({ openAt, a, b }: JoinedLogs, window: number, fillCosts: { readonly a: number; readonly b: number }): PairStudy {
  const [aOnB, bOnA] = [engleGranger(a, b), engleGranger(b, a)];
  const isA = !(bOnA.pValue < aOnB.pValue);
  const { alpha, beta, rSquared, statistic, residuals } = isA ? aOnB : bOnA;
  const [own, other] = isA ? [fillCosts.a, fillCosts.b] : [fillCosts.b, fillCosts.a];
  const spreadCost = 2 * (own + Math.abs(beta) * other);
  const process = ornsteinUhlenbeckOf(residuals);
  const thresholds = process === undefined || !(spreadCost > 0) ? undefined : optimalThresholds(process, spreadCost);
  const moments = new RollingMoments(window);
  const zScore = residuals.map((value) => {
    moments.push(value);
    return moments.offset / Math.sqrt(moments.squares / (window - 1));
  });
  const pValue = eitherWay(aOnB.pValue, bOnA.pValue);
  return {
    explained: isA ? 'a' : 'b',
    alpha,
    beta,
    rSquared,
    statistic,
    pValue,
    halfLifeBars: reversionOf(residuals).halfLife,
    deviation: standardDeviation(residuals),
    spreadCost,
    thresholds: thresholds ?? null,
    warning:
      pValue <= LEVEL
        ? null
        : `not shown to be cointegrated (p ${pValue.toFixed(3)}, above ${LEVEL}): the spread of two walks comes back too within the range to which its line was fitted, and then leaves`,
    openAt,
    spread: residuals,
    zScore,
    window,
  };
}
