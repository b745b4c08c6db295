// How often the best of many in one half of history is below the middle in the other half.
import { combinations } from '../../quant/splits.ts';
import { linearFit } from '../../quant/statistics.ts';

export interface Overfitting {
  /** PBO: share of the combinations whose best was not above the middle out of sample. Near 0.5 where choosing is worth nothing. */
  readonly probability: number;
  /** By combination: ln(w / (1 - w)) of the relative rank w out of sample of the best in sample. */
  readonly logits: Float64Array;
  /** Least squares of the chosen one's Sharpe ratio out of sample on that in sample: a negative slope is degradation. Per period. */
  readonly degradation: { readonly slope: number; readonly intercept: number };
  /** Share of the combinations whose best lost money out of sample. */
  readonly lossProbability: number;
  /** Rows that were used: the oldest are dropped until the blocks divide them. */
  readonly rows: number;
}

/** A variance this small a part of the mean square is what rounding leaves of none. */
const ROUNDING = 1e-12;
/** C(24, 12) is 2.7 million combinations. */
const MOST_BLOCKS = 24;

/**
 * Probability of backtest overfitting by combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2017). The
 * rows are cut into `blocks` neighbouring blocks; each half of them is the sample once, C(blocks, blocks / 2) combinations; the column with
 * the best Sharpe ratio there (the first of equals) is ranked by that of the other half (the mean rank of equals), and its rank is divided
 * by the number of columns plus 1. A column without spread in a half has a Sharpe ratio of 0 there: it did not trade. Near copies of one
 * column among the others move the probability.
 * @param columns returns of all that was tried, a column each, row by row of the same periods
 * @throws RangeError for fewer than 2 columns, columns of different lengths, an odd number of blocks, or blocks of fewer than 2 rows
 */
export function probabilityOfOverfitting(columns: readonly Float64Array[], blocks = 16): Overfitting {
  const count = columns.length;
  const given = columns[0]?.length ?? 0;
  if (count < 2) throw new RangeError(`${count} columns, expected at least 2 to choose from`);
  if (columns.some((column) => column.length !== given)) throw new RangeError('columns of different lengths, expected equally many rows');
  if (!Number.isInteger(blocks) || blocks < 2 || blocks > MOST_BLOCKS || blocks % 2 !== 0) {
    throw new RangeError(`${blocks} blocks, expected an even number from 2 to ${MOST_BLOCKS}`);
  }
  const height = Math.floor(given / blocks);
  if (height < 2) throw new RangeError(`${given} rows in ${blocks} blocks, expected at least 2 rows a block`);

  const { sums, squares } = blockSums(columns, blocks, height);
  const half = blocks / 2;
  const halves = combinations(blocks, half);
  const halfRows = half * height;
  const logits = new Float64Array(halves.length);
  const inSample = new Float64Array(halves.length);
  const outOfSample = new Float64Array(halves.length);
  const outside = new Float64Array(count);
  let lost = 0;
  let overfitted = 0;
  halves.forEach((chosen, combination) => {
    const rest = restOf(chosen, blocks);
    let best = 0;
    let highest = -Infinity;
    for (let column = 0; column < count; column++) {
      const inside = sharpeOf(sums, squares, column * blocks, chosen, halfRows);
      outside[column] = sharpeOf(sums, squares, column * blocks, rest, halfRows);
      if (inside > highest) {
        highest = inside;
        best = column;
      }
    }
    const reached = outside[best] ?? NaN;
    const rank = meanRank(outside, reached);
    const relative = rank / (count + 1);
    logits[combination] = Math.log(relative / (1 - relative));
    inSample[combination] = highest;
    outOfSample[combination] = reached;
    // Exact, where the logarithm of a quotient near 1 is not.
    if (2 * rank <= count + 1) overfitted++;
    if (reached < 0) lost++;
  });
  return {
    probability: overfitted / halves.length,
    logits,
    degradation: linearFit(inSample, outOfSample),
    lossProbability: lost / halves.length,
    rows: blocks * height,
  };
}

/** Sums and sums of squares by column and block: all that the combinations need. */
function blockSums(columns: readonly Float64Array[], blocks: number, height: number) {
  const sums = new Float64Array(columns.length * blocks);
  const squares = new Float64Array(columns.length * blocks);
  columns.forEach((column, index) => {
    const first = column.length - blocks * height;
    for (let block = 0; block < blocks; block++) {
      let sum = 0;
      let square = 0;
      for (let row = first + block * height; row < first + (block + 1) * height; row++) {
        const value = column[row] ?? NaN;
        sum += value;
        square += value * value;
      }
      sums[index * blocks + block] = sum;
      squares[index * blocks + block] = square;
    }
  });
  return { sums, squares };
}

function sharpeOf(sums: Float64Array, squares: Float64Array, offset: number, chosen: readonly number[], rows: number): number {
  let sum = 0;
  let square = 0;
  for (let index = 0; index < chosen.length; index++) {
    const place = offset + (chosen[index] ?? NaN);
    sum += sums[place] ?? NaN;
    square += squares[place] ?? NaN;
  }
  const mean = sum / rows;
  const spread = square - sum * mean;
  return spread > ROUNDING * square ? mean / Math.sqrt(spread / (rows - 1)) : 0;
}

function restOf(chosen: readonly number[], blocks: number): number[] {
  const rest: number[] = [];
  for (let block = 0; block < blocks; block++) if (!chosen.includes(block)) rest.push(block);
  return rest;
}

/** From 1 for the lowest; of equals the mean. */
function meanRank(values: Float64Array, value: number): number {
  let below = 0;
  let equal = 0;
  for (let index = 0; index < values.length; index++) {
    const each = values[index] ?? NaN;
    if (each < value) below++;
    else if (each === value) equal++;
  }
  return below + (equal + 1) / 2;
}
