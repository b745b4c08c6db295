// What kind of leak it is: read off how far ahead each row looks, and at which bars around it. That it leaks is proven before; the kind is
// the likeliest name for the pattern, to say where to look in the code.
import { formatSpan } from '../../domain/time.ts';
import { correlation } from '../../quant/statistics.ts';
import { closeOf, rowsOf, type World } from './world.ts';

export type LeakKind =
  /** A value of a bar's open knows that bar's high, low, close or volume. */
  | 'own bar'
  /** The bar after: what tools miss that keep one bar more than they should. */
  | 'next bar'
  | 'negative shift'
  | 'label'
  | 'centred window'
  | 'whole sample'
  | 'higher timeframe'
  | 'back-fill'
  /** How many bars follow, or which is the last, matters. */
  | 'length'
  /** Later bars, in none of these ways. */
  | 'later bars'
  | 'as-of join'
  | 'outside future'
  | 'module state'
  | 'not repeatable'
  | 'in-sample';

/** The bars that one row looks at, as distances from it: negative before, positive after. */
export interface Influence {
  readonly row: number;
  readonly offsets: readonly number[];
}

export interface Symptoms {
  readonly world: World;
  readonly values: Float64Array;
  /** By row: the furthest row that it depends on; -1 where it was not seen to leak. */
  readonly furthest: Int32Array;
  readonly influence: Influence | undefined;
  readonly decidesAt: 'close' | 'open';
  /** The future was changed after every bar before this row: what is furthest up to here is exact. */
  readonly exactUntil: number;
  /** Declared labels: what it may be. */
  readonly labels: ReadonlyMap<string, Float64Array>;
}

export interface Diagnosis {
  readonly kind: LeakKind;
  readonly words: string;
}

export function diagnose(symptoms: Symptoms): Diagnosis {
  const { world, values, furthest, influence, decidesAt, labels, exactUntil } = symptoms;
  const rows = rowsOf(world);
  const leaking = [...furthest.keys()].filter((row) => (furthest[row] ?? -1) >= 0);
  if (leaking.length === 0 || influence === undefined) {
    return { kind: 'length', words: 'depends on how many bars follow, or on which is the last' };
  }
  const label = [...labels].find(([, column]) => Math.abs(pairedCorrelation(values, column)) > 0.9999);
  if (label !== undefined) return { kind: 'label', words: `is the label ${label[0]}, which is only known once later bars have closed` };
  const exact = leaking.filter((row) => (furthest[row] ?? 0) <= exactUntil && (furthest[row] ?? 0) < rows - 1);
  const reaches = exact.map((row) => (furthest[row] ?? 0) - row);
  const furthestReach = Math.max(...leaking.map((row) => (furthest[row] ?? 0) - row));
  if (decidesAt === 'open' && furthestReach === 0) {
    return { kind: 'own bar', words: "is used at a bar's open and knows what that bar only shows by its close" };
  }
  const atTheEnd = leaking.filter((row) => (furthest[row] ?? 0) >= rows - 2).length;
  if (atTheEnd > 0.9 * leaking.length && leaking.length > rows / 2) {
    return { kind: 'whole sample', words: 'is made with a statistic of all bars, the last among them: a mean, deviation, extreme or rank' };
  }
  const ends = [...new Set(exact.map((row) => furthest[row] ?? 0))];
  return (
    filledBack(symptoms, exact, ends) ??
    ofHigherTimeframe(symptoms, exact, ends) ??
    ofConstantReach(symptoms, influence, reaches) ??
    (new Set(leaking.map((row) => furthest[row])).size <= 2 && leaking.length > rows / 2
      ? { kind: 'whole sample', words: 'is made with an extreme or a rank among all bars' }
      : { kind: 'later bars', words: `looks up to ${furthestReach} bars ahead` })
  );
}

/** The leading rows take the first value that there is. */
function filledBack({ values, world }: Symptoms, leaking: readonly number[], ends: readonly number[]): Diagnosis | undefined {
  const isLeading = leaking[0] === 0 && leaking.length < rowsOf(world) / 2 && leaking.at(-1) === leaking.length - 1 && ends.length === 1;
  if (!isLeading || !leaking.every((row) => Object.is(values[row], values[0]))) return undefined;
  return { kind: 'back-fill', words: `the first ${leaking.length} rows are filled with the first value that there is later` };
}

/** Blocks of rows that look at the last row of their block: bars of a longer timeframe where they are regular, otherwise filled back. */
function ofHigherTimeframe(
  { world, values, furthest }: Symptoms,
  leaking: readonly number[],
  ends: readonly number[],
): Diagnosis | undefined {
  if (ends.length < 3) return undefined;
  const isBlocked = leaking.every((row) => (furthest[row] ?? 0) === (furthest[row + 1] ?? -1) || row + 1 === furthest[row]);
  if (!isBlocked) return undefined;
  const sorted = ends.toSorted((left, right) => left - right);
  const gaps = sorted.slice(1).map((end, index) => end - (sorted[index] ?? 0));
  const length = gaps[0] ?? 0;
  const spanMs = length * world.timeframeMs;
  if (length > 1 && gaps.every((gap) => gap === length) && sorted.every((end) => closeOf(world, end) % spanMs === 0)) {
    return { kind: 'higher timeframe', words: `uses a bar of ${formatSpan(spanMs)} before it is closed` };
  }
  const isFlat = length > 1 && leaking.every((row) => Object.is(values[row], values[furthest[row] ?? 0]));
  return isFlat
    ? { kind: 'back-fill', words: 'rows without a value of their own are filled with the next one, which comes later' }
    : undefined;
}

function ofConstantReach({ world, values }: Symptoms, { offsets }: Influence, reaches: readonly number[]): Diagnosis | undefined {
  if (reaches.length === 0) return undefined;
  const reach = Math.max(...reaches);
  const after = offsets.filter((offset) => offset > 0);
  const before = offsets.filter((offset) => offset < 0);
  const hasSelf = offsets.includes(0);
  if (reach > 1 && after.at(-1) === reach && Math.abs(reach + (before[0] ?? 0)) <= 1) {
    return { kind: 'centred window', words: `a window of ${reach} bars before and ${reach} after its row, not of those before it` };
  }
  if (reaches.filter((each) => each === reach).length < 0.8 * reaches.length) return undefined;
  if (hasSelf && after.length === 1 && before.length === 0) {
    const isReturn = Math.abs(pairedCorrelation(values, forwardReturns(world, reach))) > 0.99;
    if (isReturn || reach > 1) return { kind: 'label', words: `compares its bar with the one ${barsLater(reach)}, as a label does` };
  }
  if (reach === 1) return { kind: 'next bar', words: 'knows the bar after its own: a leak of one bar' };
  if (after.length === 1 || before.length > 0)
    return { kind: 'negative shift', words: `is shifted: its row shows what is known ${barsLater(reach)}` };
  return undefined;
}

function barsLater(count: number): string {
  return count === 1 ? 'one bar later' : `${count} bars later`;
}

function forwardReturns({ legs: [bars] }: World, ahead: number): Float64Array {
  const close = bars?.close ?? new Float64Array(0);
  return close.map((value, row) => (close[row + ahead] ?? NaN) / value - 1);
}

/** Over the rows where both are numbers; 0 where there are too few, or one does not move. */
function pairedCorrelation(left: Float64Array, right: Float64Array): number {
  const rows = [...left.keys()].filter((row) => Number.isFinite(left[row]) && Number.isFinite(right[row]));
  if (rows.length < 10) return 0;
  const found = correlation(
    rows.map((row) => left[row] ?? NaN),
    rows.map((row) => right[row] ?? NaN),
  );
  return Number.isNaN(found) ? 0 : found;
}
