// Long when the relative strength index falls below a level, flat when it rises above another or a stop is reached.
import { z } from 'zod';
import { isAllIn, type SweepAccount, type SweepBars } from './account.ts';
import type { ColumnSums } from './column-metrics.ts';
import { FusedColumn } from './fused-column.ts';
import { RETURN_SUMS, rsiColumn } from './indicator-columns.ts';
import { ENTER_LONG, EXIT_LONG } from './simulator.ts';
import { defineSweepStrategy } from './strategy.ts';

const level = z.number().min(0).max(100);
const parameters = z.strictObject({
  window: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ search: [2, 50] }),
  entryBelow: level,
  exitAbove: level,
  /** Part of the price; 0 is none. */
  stop: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .meta({ search: [0.002, 0.2] }),
  trailing: z.boolean().default(false),
});
type RsiStop = z.infer<typeof parameters>;

export const rsiStop = defineSweepStrategy({
  name: 'rsi-stop',
  about: 'long when the RSI falls below one level, flat when it rises above another, with a fixed or trailing stop',
  parameters,
  fill: 'close',
  constraint: 'entryBelow < exitAbove',
  meets: ({ entryBelow, exitAbove }) => entryBelow < exitAbove,
  column(chosen) {
    const indicators = [rsiColumn(chosen.window)];
    return {
      indicators,
      protection: { stopRatio: chosen.stop, isTrailing: chosen.trailing, targetRatio: 0 },
      mark: (_bars, columns, flags) => markLevels(columns, chosen, flags),
      fused: {
        indicators: [...indicators, ...RETURN_SUMS],
        follows: (account) => isAllIn(account) && account.fill === 'close' && chosen.stop > 0,
        run: (bars, columns, account, sums) => fusedRsiStop(bars, columns, chosen, account, sums),
      },
    };
  },
});

/** A passage needs the index on both bars: comparisons with NaN are false, and so the first value passes nothing. */
function markLevels([index]: readonly Float64Array[], { entryBelow, exitAbove }: RsiStop, flags: Uint8Array): void {
  if (index === undefined) throw new Error('broken invariant: there is one index');
  let wasNotBelow = 0;
  let wasNotAbove = 0;
  for (let bar = 0; bar < flags.length; bar++) {
    const value = index[bar] ?? NaN;
    flags[bar] = (Number(value < entryBelow) & wasNotBelow) * ENTER_LONG + (Number(value > exitAbove) & wasNotAbove) * EXIT_LONG;
    wasNotBelow = Number(value >= entryBelow);
    wasNotAbove = Number(value <= exitAbove);
  }
}

function fusedRsiStop(
  bars: SweepBars,
  columns: readonly Float64Array[],
  { window, entryBelow, exitAbove, stop, trailing }: RsiStop,
  account: SweepAccount,
  sums: ColumnSums,
): void {
  const [index, ...returnSums] = columns;
  if (index === undefined) throw new Error('broken invariant: there is one index');
  const column = new FusedColumn(bars, returnSums, account, sums);
  const { open, high, low, close } = bars;
  const count = close.length;
  const keptRatio = 1 - stop;
  let bar = Math.min(window, count);
  // An index that begins below its level has to leave it before it can fall below it, and so has one that is below when a position ends.
  while (bar < count && (index[bar] ?? NaN) < entryBelow) bar++;
  while (bar < count) {
    while (bar < count && !((index[bar] ?? NaN) < entryBelow)) bar++;
    if (bar >= count) break;
    const reference = close[bar] ?? NaN;
    column.enter(bar, reference);
    let stopPrice = reference * keptRatio;
    let trailFrom = trailing ? reference : Infinity;
    let wasAbove = (index[bar] ?? NaN) > exitAbove;
    let isStopped = false;
    for (bar++; bar < count; bar++) {
      if ((low[bar] ?? NaN) <= stopPrice) {
        isStopped = true;
        break;
      }
      const top = high[bar] ?? NaN;
      if (top > trailFrom) {
        trailFrom = top;
        stopPrice = top * keptRatio;
      }
      const isAbove = (index[bar] ?? NaN) > exitAbove;
      if (isAbove && !wasAbove) break;
      wasAbove = isAbove;
    }
    if (bar >= count) break;
    column.hold(bar);
    if (isStopped) column.exit(bar, Math.min(open[bar] ?? NaN, stopPrice), account.stopSlippageRatio);
    else column.exit(bar, close[bar] ?? NaN, account.slippageRatio);
    if (sums.isHopeless) return;
    while (bar < count && (index[bar] ?? NaN) < entryBelow) bar++;
  }
  column.finish();
}
