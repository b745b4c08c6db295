// The warm-up test: how much what is said now depends on how long ago it began. A window forgets; an exponential mean forgets slowly; a
// running sum never does. What differs after the declared warm-up differs between a backtest and a session that begins later.
import type { Instance } from './subject.ts';
import type { Trace } from './trace.ts';
import { rowsBetween, rowsOf, type World } from './world.ts';

export interface WarmupRow {
  readonly column: string;
  /** By the lengths of `WarmupTest.bars`: the largest difference over the last bars, over the value with all history; null where it says nothing. */
  readonly differences: readonly (number | null)[];
  /** Below a millionth from this many bars on; null where no length that was tried is enough. */
  readonly settledAfterBars: number | null;
}

export interface WarmupTest {
  /** Declared by the subject, or 50 for functions of columns, which declare none. */
  readonly declaredBars: number;
  /** Of history before the bars that are compared: once, twice, four and eight times what is declared, as far as there are bars. */
  readonly bars: readonly number[];
  readonly rows: readonly WarmupRow[];
}

/** What is compared: the last bars, so that one at which nothing happens does not decide. */
const COMPARED = 20;
const SETTLED = 1e-6;
export const WARMUP_MULTIPLES = [1, 2, 4, 8];

/** @param trace what the instance says of all of the world */
export function warmupTest(instance: Instance, world: World, trace: Trace, declaredBars: number): WarmupTest {
  const rows = rowsOf(world);
  const bars = WARMUP_MULTIPLES.map((multiple) => multiple * declaredBars).filter((length) => length + COMPARED < rows);
  const traces = bars.map((length) => instance.observe(rowsBetween(world, rows - COMPARED - length, rows)));
  return {
    declaredBars,
    bars,
    rows: [...trace.columns]
      .map(([column, values]) => {
        const differences = traces.map((shorter) => largestDifference(values, shorter.columns.get(column)));
        const settled = bars.findIndex((_, index) =>
          differences.slice(index).every((difference) => difference !== null && difference < SETTLED),
        );
        return { column, differences, settledAfterBars: bars[settled] ?? null };
      })
      .filter(({ differences }) => differences.some((difference) => difference !== null)),
  };
}

function largestDifference(values: Float64Array, shorter: Float64Array | undefined): number | null {
  let largest: number | null = null;
  for (let back = 1; back <= COMPARED; back++) {
    const [expected, found] = [values.at(-back) ?? NaN, shorter?.at(-back) ?? NaN];
    if (Number.isNaN(expected) && Number.isNaN(found)) continue;
    const difference = expected === found ? 0 : Math.abs(found - expected) / Math.abs(expected);
    // No number on one side, or something where nothing was: all of it.
    largest = Math.max(largest ?? 0, Number.isFinite(difference) ? difference : 1);
  }
  return largest;
}
