// Windows tried by the kernels of a sweep: long or flat, one position, without the rules of a session.
import type { BarColumns } from '../../domain/bars.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { SweepAccount, SweepBars } from '../sweep/account.ts';
import { METRIC_NAMES, metricsAt } from '../sweep/column-metrics.ts';
import { ColumnRunner } from '../sweep/column-runner.ts';
import { barsPerYear } from '../sweep/run-column.ts';
import type { SweepPoint, SweepStrategy } from '../sweep/strategy.ts';
import { sharedNumbers, type Sweeper } from '../sweep/sweeper.ts';
import { columnReturns } from './run-returns.ts';
import type { RowRange, TestedColumn, WindowEvaluator } from './walk-forward.ts';

export interface SweepWindows {
  readonly strategy: SweepStrategy;
  readonly bars: BarColumns;
  readonly account: SweepAccount;
  readonly timeframeMs: TimeMs;
  readonly sweeper: Sweeper;
  readonly signal?: AbortSignal | undefined;
}

/** Fits as a sweep of the window's bars does: cold, so that the first bars of a window form its indicators. */
export function sweepEvaluator({ strategy, bars, account, timeframeMs, sweeper, signal }: SweepWindows): WindowEvaluator {
  const shared = inSharedMemory(bars);
  return {
    fit: (points, range) =>
      sweeper.run({
        bars: rowsOf(shared, range),
        timeframeMs,
        strategy: strategy.name,
        points,
        account,
        ...(signal === undefined ? {} : { signal }),
      }),
    test: async (point, range) => tested(strategy, point, shared, bars.openAt, range, account, timeframeMs),
  };
}

/** What is decided on the closes before the range is not decided: a position is first entered on a bar of its own. */
function tested(
  strategy: SweepStrategy,
  point: SweepPoint,
  all: SweepBars,
  openAt: Float64Array,
  { first, end }: RowRange,
  account: SweepAccount,
  timeframeMs: TimeMs,
): TestedColumn {
  const bars = rowsOf(all, { first: 0, end });
  const column = strategy.column(point);
  const { indicators, protection } = column;
  const columns = indicators.map((indicator) => {
    const into = new Float64Array(end);
    indicator.compute(bars, into);
    return into;
  });
  const runner = new ColumnRunner(bars, account, 'general');
  const rules = {
    indicators,
    protection,
    mark: (seen: SweepBars, inputs: readonly Float64Array[], flags: Uint8Array): void => {
      column.mark(seen, inputs, flags);
      flags.fill(0, 0, first);
    },
  };
  runner.run(rules, columns);
  const figures = new Float64Array(METRIC_NAMES.length);
  runner.sums.write(account.capital, end - first, barsPerYear(timeframeMs), figures, 0);
  return {
    metrics: metricsAt(figures, 0),
    returns: columnReturns(account.capital, openAt.subarray(first, end), runner.equity.subarray(first, end), timeframeMs),
  };
}

function rowsOf({ open, high, low, close }: SweepBars, { first, end }: RowRange): SweepBars {
  return {
    open: open.subarray(first, end),
    high: high.subarray(first, end),
    low: low.subarray(first, end),
    close: close.subarray(first, end),
  };
}

/** Once, so that no window is copied for its threads. */
function inSharedMemory({ open, high, low, close }: SweepBars): SweepBars {
  const share = (column: Float64Array): Float64Array => {
    if (column.buffer instanceof SharedArrayBuffer) return column;
    const copy = sharedNumbers(column.length);
    copy.set(column);
    return copy;
  };
  return { open: share(open), high: share(high), low: share(low), close: share(close) };
}
