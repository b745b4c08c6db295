/**
 * Distance correlation (Székely, Rizzo and Bakirov, 2007), in [0, 1]: of the distances between rows in one column with those in the other. In a
 * large sample it is 0 only of columns that are independent, where Pearson's is 0 of a parabola as well; in a small one it is above 0 always,
 * about a quarter of fifty independent rows. O(rows^2). NaN where a column does not vary.
 * @throws RangeError where the columns are not of one length of at least 2
 */
export function distanceCorrelation(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const rows = left.length;
  if (rows !== right.length || rows < 2) throw new RangeError(`columns of ${rows} and ${right.length} rows, expected the same, at least 2`);
  const [ownLeft, ownRight] = [meanDistances(left), meanDistances(right)];
  let [both, onlyLeft, onlyRight] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    for (let other = 0; other < rows; other++) {
      const a = centred(left, ownLeft, row, other);
      const b = centred(right, ownRight, row, other);
      both += a * b;
      onlyLeft += a * a;
      onlyRight += b * b;
    }
  }
  // Never negative but for rounding.
  return Math.sqrt(Math.max(0, both) / Math.sqrt(onlyLeft * onlyRight));
}

interface MeanDistances {
  readonly ofRow: Float64Array;
  readonly all: number;
}

function meanDistances(values: ArrayLike<number>): MeanDistances {
  const ofRow = new Float64Array(values.length);
  let all = 0;
  for (let row = 0; row < values.length; row++) {
    let sum = 0;
    for (let other = 0; other < values.length; other++) sum += Math.abs((values[row] ?? NaN) - (values[other] ?? NaN));
    ofRow[row] = sum / values.length;
    all += sum;
  }
  return { ofRow, all: all / values.length ** 2 };
}

function centred(values: ArrayLike<number>, { ofRow, all }: MeanDistances, row: number, other: number): number {
  return Math.abs((values[row] ?? NaN) - (values[other] ?? NaN)) - (ofRow[row] ?? NaN) - (ofRow[other] ?? NaN) + all;
}
