// Correlations that only look at order: what outliers and the shape of the marginals do not move.
import { correlation } from './statistics.ts';

/** Places in ascending order, from 1; equal values share the mean of theirs. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from(values, (_, index) => index).sort((one, other) => (values[one] ?? NaN) - (values[other] ?? NaN));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let place = start; place < end; place++) ranks[order[place] ?? 0] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/**
 * Spearman's (1904) rho: Pearson's of the ranks, in [-1, 1]. NaN where a column does not vary.
 * @throws RangeError where the columns are not of one length
 */
export function spearman(left: ArrayLike<number>, right: ArrayLike<number>): number {
  return correlation(averageRanks(left), averageRanks(right));
}

/**
 * Kendall's (1945) tau-b, in [-1, 1]: pairs of rows in the same order less those in the other, without the pairs that are equal in a column.
 * By Knight's (1966) merge sort, O(n log n). NaN where a column does not vary.
 * @throws RangeError where the columns are not of one length
 */
export function kendall(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const count = left.length;
  if (count !== right.length) throw new RangeError(`columns had ${count} and ${right.length} values, expected equally many`);
  const order = Uint32Array.from(left, (_, index) => index).sort(
    (one, other) => (left[one] ?? NaN) - (left[other] ?? NaN) || (right[one] ?? NaN) - (right[other] ?? NaN),
  );
  const sorted = Float64Array.from(order, (row) => right[row] ?? NaN);
  const [all, equalLeft] = [(count * (count - 1)) / 2, equalPairs(order, (row) => left[row] ?? NaN)];
  let [equalBoth, run] = [0, 1];
  for (let place = 1; place <= count; place++) {
    const [row, before] = [order[place] ?? -1, order[place - 1] ?? -1];
    if (place < count && left[row] === left[before] && right[row] === right[before]) run++;
    else {
      equalBoth += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  const swaps = inversions(sorted);
  // Sorted in place by counting.
  const equalRight = equalPairs(sorted, (value) => value);
  return (all - equalLeft - equalRight + equalBoth - 2 * swaps) / Math.sqrt((all - equalLeft) * (all - equalRight));
}

/** Pairs of equal values among neighbours of an ordered column. */
function equalPairs(ordered: Uint32Array | Float64Array, valueOf: (entry: number) => number): number {
  let [pairs, run] = [0, 1];
  for (let place = 1; place <= ordered.length; place++) {
    if (place < ordered.length && valueOf(ordered[place] ?? NaN) === valueOf(ordered[place - 1] ?? NaN)) run++;
    else {
      pairs += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  return pairs;
}

/** How many pairs stand in descending order. Sorts the column. */
function inversions(column: Float64Array): number {
  let [from, to]: [Float64Array, Float64Array] = [column, new Float64Array(column.length)];
  let count = 0;
  for (let width = 1; width < column.length; width *= 2) {
    for (let start = 0; start < column.length; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, column.length), Math.min(start + 2 * width, column.length)];
      let [one, other] = [start, middle];
      for (let place = start; place < end; place++) {
        if (one < middle && (other >= end || !((from[other] ?? NaN) < (from[one] ?? NaN)))) to[place] = from[one++] ?? NaN;
        else {
          count += middle - one;
          to[place] = from[other++] ?? NaN;
        }
      }
    }
    [from, to] = [to, from];
  }
  if (from !== column) column.set(from);
  return count;
}

/**
 * A measure of each window of rows and those before it, one entry a row; NaN before there are so many. Ranks of a window are made anew, so it is
 * O(window log window) a row; Pearson's is `RollingRegression.line.correlation`, in O(1).
 * @param of such as `kendall` or `spearman`
 * @throws RangeError unless the window is a whole number from 2, and the columns are of one length
 */
export function rollingCorrelation(
  left: Float64Array,
  right: Float64Array,
  window: number,
  of: (left: Float64Array, right: Float64Array) => number,
): Float64Array {
  if (!Number.isInteger(window) || window < 2) throw new RangeError(`window was ${window}, expected a whole number from 2`);
  if (left.length !== right.length) throw new RangeError(`columns had ${left.length} and ${right.length} values, expected equally many`);
  return Float64Array.from(left, (_, row) =>
    row + 1 < window ? NaN : of(left.subarray(row + 1 - window, row + 1), right.subarray(row + 1 - window, row + 1)),
  );
}
