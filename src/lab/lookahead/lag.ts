// The time-shift test: what a subject says is used one, two and more bars later than it may be. What knows something keeps most of it; what
// has peeked at one bar loses all of it at once. A hint, no proof: the differential tests prove.
import type { Trace } from './trace.ts';
import { rowsOf, type World } from './world.ts';

export interface LagScore {
  readonly lagBars: number;
  /** t statistic: mean of stance x return over its standard error; for a column, of its correlation with the return of the next bar. */
  readonly score: number;
}

export interface LagTest {
  readonly column: string;
  readonly scores: readonly LagScore[];
  /** Far more than luck at once, and gone a bar later. */
  readonly isSuspicious: boolean;
}

const LAGS = [0, 1, 2, 3, 5];
/** 1 in 15,000 by luck alone. */
const REMARKABLE = 4;
const MOST_LEFT = 0.25;

/** Of a strategy's stance as it would have earned, from the next open to the one after; or of one column, at the bar's own open where it is used there. */
export function lagTest(trace: Trace, world: World, column: string, decidesAt: 'close' | 'open'): LagTest {
  const values = trace.columns.get(column) ?? new Float64Array(0);
  const early = decidesAt === 'open' ? 1 : 0;
  const scores = LAGS.map((lagBars) => ({
    lagBars,
    score: column === 'stance' ? earned(values, world, lagBars - early) : foretold(values, world, lagBars - early),
  }));
  const [now = NaN, later = NaN] = scores.map(({ score }) => Math.abs(score));
  return { column, scores, isSuspicious: now >= REMARKABLE && later <= MOST_LEFT * now };
}

/** By row: what the legs make from the open after it to the open after that; the first leg against the others. */
function returnsFrom(world: World, row: number): number {
  let sum = 0;
  for (const [leg, { open }] of world.legs.entries()) sum += ((open[row + 2] ?? NaN) / (open[row + 1] ?? NaN) - 1) * (leg === 0 ? 1 : -1);
  return sum;
}

function earned(stance: Float64Array, world: World, lagBars: number): number {
  const made: number[] = [];
  for (let row = 0; row + lagBars + 2 < rowsOf(world); row++) {
    const value = (stance[row] ?? NaN) * returnsFrom(world, row + lagBars);
    if (Number.isFinite(value)) made.push(value);
  }
  return tStatistic(made);
}

function foretold(values: Float64Array, world: World, lagBars: number): number {
  const pairs: (readonly [number, number])[] = [];
  for (let row = 0; row + lagBars + 2 < rowsOf(world); row++) {
    const pair = [values[row] ?? NaN, returnsFrom(world, row + lagBars)] as const;
    if (pair.every(Number.isFinite)) pairs.push(pair);
  }
  const mean = (side: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[side], 0) / pairs.length;
  const [left, right] = [mean(0), mean(1)];
  // The products' mean over their own error: a correlation's t statistic but for its scale.
  return tStatistic(pairs.map(([one, other]) => (one - left) * (other - right)));
}

function tStatistic(values: readonly number[]): number {
  const count = values.length;
  if (count < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares === 0 ? 0 : mean / Math.sqrt(squares / (count - 1) / count);
}
