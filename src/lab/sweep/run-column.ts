// One column with everything that a sweep throws away: its fills and its equity.
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import type { SweepAccount, SweepBars } from './account.ts';
import { METRIC_NAMES, metricsAt, type ColumnMetrics } from './column-metrics.ts';
import { ColumnRunner } from './column-runner.ts';
import type { FillRecord } from './order-log.ts';
import type { SweepPoint, SweepStrategy } from './strategy.ts';

const YEAR_MS = 365 * DAY_MS;

export interface ColumnRun {
  readonly metrics: ColumnMetrics;
  readonly fills: readonly FillRecord[];
  /** At each close. */
  readonly equity: Float64Array;
}

/** How many bars of this length a year has: what ratios of returns are annualised by. */
export function barsPerYear(timeframeMs: TimeMs): number {
  return YEAR_MS / timeframeMs;
}

/** By the general path. @throws BallastError POINT_INVALID */
export function runColumn(
  strategy: SweepStrategy,
  point: SweepPoint,
  bars: SweepBars,
  account: SweepAccount,
  timeframeMs: TimeMs,
): ColumnRun {
  const rules = strategy.column(point);
  const columns = rules.indicators.map((indicator) => {
    const into = new Float64Array(bars.close.length);
    indicator.compute(bars, into);
    return into;
  });
  const runner = new ColumnRunner(bars, account, 'general');
  runner.run(rules, columns);
  const figures = new Float64Array(METRIC_NAMES.length);
  runner.sums.write(account.capital, bars.close.length, barsPerYear(timeframeMs), figures, 0);
  return { metrics: metricsAt(figures, 0), fills: runner.orders.toArray(), equity: runner.equity };
}
