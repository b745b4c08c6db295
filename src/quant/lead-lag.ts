// Which of two prices moves first, from trades that do not come at the same times.

/** Times ascend; where one comes several times the last value counts. Values in logarithms where prices are meant. */
export interface TimedValues {
  readonly at: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

export interface LeadLag {
  /** In the order of the lags that were asked for. A small sample's may be a little beyond -1 and 1. NaN without moves. */
  readonly correlations: Float64Array;
  /** Of the strongest correlation, in the unit of the times: above 0 the first leads by so much. The smallest of equal ones; NaN without moves. */
  readonly lag: number;
  /** Its correlation. */
  readonly correlation: number;
  /** Squared correlations of lags above 0 over those below (Huth and Abergel, 2014): above 1 the first leads. NaN without both. */
  readonly ratio: number;
}

/**
 * The cross-correlation of Hayashi and Yoshida (2005) with the second moved back in time by each lag (Hoffmann, Rosenbaum and Yoshida, 2013):
 * products of all moves whose spans overlap, over the root of both sums of squares. Nothing is put on a common grid, which would bias
 * correlations towards 0 the finer it is (Epps, 1979). O(rows) a lag. A coarser clock of one of the two venues looks like a lead.
 * @throws RangeError where times and values are not of one length of at least 2, or times do not ascend
 */
export function leadLag(first: TimedValues, second: TimedValues, lags: readonly number[]): LeadLag {
  const [one, other] = [lastOfEach(first), lastOfEach(second)];
  const scale = Math.sqrt(squaresOf(one.value) * squaresOf(other.value));
  const correlations = Float64Array.from(lags, (lag) => overlapping(one, other, lag) / scale);
  let [lag, correlation, ahead, behind] = [NaN, NaN, 0, 0];
  correlations.forEach((value, index) => {
    const own = lags[index] ?? NaN;
    const isStronger = Number.isNaN(lag) || Math.abs(value) > Math.abs(correlation);
    if (isStronger || (Math.abs(value) === Math.abs(correlation) && Math.abs(own) < Math.abs(lag))) {
      if (!Number.isNaN(value)) [lag, correlation] = [own, value];
    }
    if (own > 0) ahead += value ** 2;
    if (own < 0) behind += value ** 2;
  });
  return { correlations, lag, correlation, ratio: ahead / behind };
}

interface Path {
  readonly at: Float64Array;
  readonly value: Float64Array;
}

function lastOfEach({ at, value }: TimedValues): Path {
  if (at.length !== value.length || at.length < 2) {
    throw new RangeError(`${at.length} times and ${value.length} values, expected equally many, at least 2`);
  }
  const [times, values] = [new Float64Array(at.length), new Float64Array(at.length)];
  let count = 0;
  for (let row = 0; row < at.length; row++) {
    const time = at[row] ?? NaN;
    const before = times[count - 1] ?? -Infinity;
    if (!(time >= before)) throw new RangeError(`time ${time} after ${before} in row ${row}, expected times that ascend`);
    if (time > before) count++;
    times[count - 1] = time;
    values[count - 1] = value[row] ?? NaN;
  }
  return { at: times.subarray(0, count), value: values.subarray(0, count) };
}

function squaresOf(values: Float64Array): number {
  let sum = 0;
  for (let row = 1; row < values.length; row++) sum += ((values[row] ?? NaN) - (values[row - 1] ?? NaN)) ** 2;
  return sum;
}

/** Moves of the other that overlap a move of the one are neighbours, so their sum is a difference of two values. */
function overlapping(one: Path, other: Path, lag: number): number {
  let [sum, from, to] = [0, 0, 0];
  const last = other.at.length - 1;
  for (let row = 1; row < one.at.length; row++) {
    const [start, end] = [one.at[row - 1] ?? NaN, one.at[row] ?? NaN];
    // From the last value at or before the start, to the first at or after the end.
    while (from < last && (other.at[from + 1] ?? NaN) - lag <= start) from++;
    while (to < last && (other.at[to] ?? NaN) - lag < end) to++;
    const overlaps = to > from && (other.at[from] ?? NaN) - lag < end && (other.at[to] ?? NaN) - lag > start;
    if (overlaps) sum += ((one.value[row] ?? NaN) - (one.value[row - 1] ?? NaN)) * ((other.value[to] ?? NaN) - (other.value[from] ?? NaN));
  }
  return sum;
}
