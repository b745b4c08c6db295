// Long while the fast mean of closes is above the slow one, entered and left on the crossings.
import { z } from 'zod';
import { isAllIn, UNPROTECTED, type SweepAccount, type SweepBars } from './account.ts';
import type { ColumnSums } from './column-metrics.ts';
import { FusedColumn } from './fused-column.ts';
import { RETURN_SUMS, smaColumn } from './indicator-columns.ts';
import { ENTER_LONG, EXIT_LONG } from './simulator.ts';
import { defineSweepStrategy } from './strategy.ts';

const window = z.int().min(1).max(1_000_000);
const fastWindow = window.meta({ search: [2, 100] });
const slowWindow = window.meta({ search: [10, 500] });

export const smaCross = defineSweepStrategy({
  name: 'sma-cross',
  about: 'long when the fast simple mean of closes crosses above the slow one, flat when it crosses below',
  parameters: z.strictObject({ fast: fastWindow, slow: slowWindow }),
  fill: 'next-open',
  constraint: 'fast < slow',
  meets: ({ fast, slow }) => fast < slow,
  column({ fast, slow }) {
    const indicators = [smaColumn(fast), smaColumn(slow)];
    const firstBar = Math.max(fast, slow) - 1;
    return {
      indicators,
      protection: UNPROTECTED,
      mark: (_bars, columns, flags) => markCrossings(columns, firstBar, flags),
      fused: {
        indicators: [...indicators, ...RETURN_SUMS],
        follows: isAllIn,
        run: (bars, columns, account, sums) => fusedCross(bars, columns, firstBar, account, sums),
      },
    };
  },
});

/**
 * A mean that comes to be above the other has crossed it, whether it was below or level on the bar before; so has one that comes to be below.
 * A crossing needs both means on both bars, and the first bar that has them is `firstBar`.
 */
function markCrossings([fast, slow]: readonly Float64Array[], firstBar: number, flags: Uint8Array): void {
  if (fast === undefined || slow === undefined) throw new Error('broken invariant: a cross has two means');
  const count = flags.length;
  flags.fill(0);
  let bar = firstBar;
  while (bar < count) {
    const quick = fast[bar] ?? NaN;
    const late = slow[bar] ?? NaN;
    if (quick > late) while (bar < count && (fast[bar] ?? NaN) > (slow[bar] ?? NaN)) bar++;
    else if (quick < late) while (bar < count && (fast[bar] ?? NaN) < (slow[bar] ?? NaN)) bar++;
    else bar++;
    if (bar >= count) return;
    if ((fast[bar] ?? NaN) > (slow[bar] ?? NaN)) flags[bar] = ENTER_LONG;
    else if ((fast[bar] ?? NaN) < (slow[bar] ?? NaN)) flags[bar] = EXIT_LONG;
  }
}

function fusedCross(bars: SweepBars, columns: readonly Float64Array[], firstBar: number, account: SweepAccount, sums: ColumnSums): void {
  const [fast, slow, ...returnSums] = columns;
  if (fast === undefined || slow === undefined) throw new Error('broken invariant: a cross has two means');
  const column = new FusedColumn(bars, returnSums, account, sums);
  const { open, close } = bars;
  const count = close.length;
  const delay = account.fill === 'close' ? 0 : 1;
  const price = delay === 0 ? close : open;
  let bar = firstBar;
  // A mean that begins above has not crossed.
  while (bar < count && (fast[bar] ?? NaN) > (slow[bar] ?? NaN)) bar++;
  for (;;) {
    while (bar < count && (fast[bar] ?? NaN) <= (slow[bar] ?? NaN)) bar++;
    const entry = bar + delay;
    if (entry >= count) break;
    column.enter(entry, price[entry] ?? NaN);
    bar = entry + 1 - delay;
    while (bar < count && (fast[bar] ?? NaN) >= (slow[bar] ?? NaN)) bar++;
    const exit = bar + delay;
    if (exit >= count) break;
    column.hold(exit);
    column.exit(exit, price[exit] ?? NaN, account.slippageRatio);
    if (sums.isHopeless) return;
    // The bar of a decision to leave is below: what follows it is asked for the next crossing.
    bar = bar + 1;
  }
  column.finish();
}
