// Indicators over whole columns, equal to the last bit to the ones that grow bar by bar (src/features/indicators/): a sweep and a run that
// are given the same bars see the same numbers. NaN until there is a value.
import { assert } from '../../domain/errors.ts';
import type { SweepBars } from './account.ts';

export interface IndicatorColumn {
  /** Two of the same key are the same column. */
  readonly key: string;
  /** Fills every row of `into`, which is as long as the bars and holds what was there before. */
  compute(bars: SweepBars, into: Float64Array): void;
}

/** Mean of the last `window` closes. */
export function smaColumn(window: number): IndicatorColumn {
  demandWindow(window);
  return { key: `sma(${window})`, compute: ({ close }, into) => rollingMean(close, window, into) };
}

/** Wilder's relative strength index, 0..100, seeded by the plain mean of the first changes. */
export function rsiColumn(window: number): IndicatorColumn {
  demandWindow(window);
  return { key: `rsi(${window})`, compute: ({ close }, into) => relativeStrength(close, window, into) };
}

/** Running sums over the returns r from close to close, the first of them 0: of r, of r² and of min(r, 0)². */
export const RETURN_SUMS: readonly IndicatorColumn[] = [
  { key: 'sum of returns', compute: sumOfReturns },
  { key: 'sum of squared returns', compute: sumOfSquares },
  { key: 'sum of squared losses', compute: sumOfLosses },
];

function demandWindow(window: number): void {
  assert(Number.isSafeInteger(window) && window > 0, `a window is a whole number of bars, but one was ${window}`);
}

/**
 * In blocks of a window's length: a mean is of the tail of the last block and the head of this one. Nothing is subtracted, so nothing drifts,
 * and the sums are those of src/quant/rolling.ts. Heads grow forwards while this block's tails grow backwards: two chains of additions that
 * do not wait for each other.
 */
function rollingMean(values: Float64Array, window: number, into: Float64Array): void {
  const count = values.length;
  let tails = new Float64Array(window + 1).fill(NaN);
  let nextTails = new Float64Array(window + 1);
  let start = 0;
  for (; start + window <= count; start += window) {
    const last = start + window - 1;
    let head = 0;
    let tail = 0;
    for (let step = 0; step < window; step++) {
      head += values[start + step] ?? NaN;
      tail += values[last - step] ?? NaN;
      into[start + step] = (head + (tails[step + 1] ?? NaN)) / window;
      nextTails[window - 1 - step] = tail;
    }
    into[last] = tail / window;
    [tails, nextTails] = [nextTails, tails];
  }
  let head = 0;
  for (let step = 0; start + step < count; step++) {
    head += values[start + step] ?? NaN;
    into[start + step] = (head + (tails[step + 1] ?? NaN)) / window;
  }
}

function relativeStrength(close: Float64Array, window: number, into: Float64Array): void {
  const count = close.length;
  const alpha = 1 / window;
  const seeded = Math.min(window, count - 1);
  into.fill(NaN, 0, Math.min(window, count));
  let net = 0;
  let moved = 0;
  let previous = close[0] ?? NaN;
  for (let row = 1; row <= seeded; row++) {
    const price = close[row] ?? NaN;
    net += price - previous;
    moved += Math.abs(price - previous);
    previous = price;
  }
  if (count <= window) return;
  net *= alpha;
  moved *= alpha;
  into[window] = moved > 0 ? 50 + (50 * net) / moved : 50;
  for (let row = window + 1; row < count; row++) {
    const price = close[row] ?? NaN;
    const change = price - previous;
    previous = price;
    net += (change - net) * alpha;
    moved += (Math.abs(change) - moved) * alpha;
    into[row] = moved > 0 ? 50 + (50 * net) / moved : 50;
  }
}

// Three loops instead of one with a function for its term: a call a bar would cost more than the bar.

function sumOfReturns({ close }: SweepBars, into: Float64Array): void {
  let sum = 0;
  let previous = close[0] ?? NaN;
  for (let row = 0; row < close.length; row++) {
    const price = close[row] ?? NaN;
    sum += price / previous - 1;
    previous = price;
    into[row] = sum;
  }
}

function sumOfSquares({ close }: SweepBars, into: Float64Array): void {
  let sum = 0;
  let previous = close[0] ?? NaN;
  for (let row = 0; row < close.length; row++) {
    const price = close[row] ?? NaN;
    const ratio = price / previous - 1;
    sum += ratio * ratio;
    previous = price;
    into[row] = sum;
  }
}

function sumOfLosses({ close }: SweepBars, into: Float64Array): void {
  let sum = 0;
  let previous = close[0] ?? NaN;
  for (let row = 0; row < close.length; row++) {
    const price = close[row] ?? NaN;
    const ratio = price / previous - 1;
    const loss = (ratio - Math.abs(ratio)) * 0.5;
    sum += loss * loss;
    previous = price;
    into[row] = sum;
  }
}
