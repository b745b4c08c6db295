// Choosing parameters under combinatorial purged cross-validation: not one walk through time but many, and how they are distributed.
import { combinatorialPaths, combinatorialPurgedSplits } from '../../quant/splits.ts';
import { medianOf } from './parameter-surface.ts';
import { sharpeSample } from './sharpe-ratio.ts';

export interface CombinatorialChoice {
  readonly splits: number;
  /** Sharpe ratios of the paths, ascending, of a period. A path without a spread has 0. */
  readonly sharpes: readonly number[];
  readonly median: number;
  /** Share of the paths that lost. */
  readonly lossShare: number;
}

/**
 * In each split the column with the best Sharpe ratio of the training rows is taken in the test parts, which are joined to whole paths
 * (López de Prado 2018, chapter 12). The label of a row is the row itself, and `embargo` rows after each test part train nothing. Training
 * rows may lie after the test: it judges the way of choosing, and is no equity that somebody could have had. The paths share their rows.
 * @param columns returns of all that was tried, a column each, row by row of the same periods
 * @throws RangeError as `combinatorialPurgedSplits` does
 */
export function combinatorialChoice(
  columns: readonly Float64Array[],
  groups: number,
  testGroups: number,
  embargo: number,
): CombinatorialChoice {
  const rows = columns[0]?.length ?? 0;
  const row = Float64Array.from({ length: rows }, (_, index) => index);
  const paths = combinatorialPaths(groups, testGroups);
  const joined = paths.map(() => new Float64Array(rows));
  let split = 0;
  for (const { train, test } of combinatorialPurgedSplits({ start: row, end: row }, groups, testGroups, embargo)) {
    const chosen = columns[bestOf(columns, train)];
    for (const at of test) {
      const path = paths.findIndex((splits) => splits[groupOf(at, rows, groups)] === split);
      const into = joined[path];
      if (into !== undefined) into[at] = chosen?.[at] ?? NaN;
    }
    split++;
  }
  const sharpes = joined
    .map((path) => sharpeSample(path).sharpe)
    .map((sharpe) => (Number.isFinite(sharpe) ? sharpe : 0))
    .toSorted((one, other) => one - other);
  return {
    splits: split,
    sharpes,
    median: medianOf(sharpes) ?? NaN,
    lossShare: sharpes.filter((sharpe) => sharpe < 0).length / sharpes.length,
  };
}

/** The first of equals; a column without a spread counts as 0. */
function bestOf(columns: readonly Float64Array[], rows: Int32Array): number {
  let best = 0;
  let highest = -Infinity;
  columns.forEach((column, index) => {
    const { sharpe } = sharpeSample(Float64Array.from(rows, (row) => column[row] ?? NaN));
    const figure = Number.isFinite(sharpe) ? sharpe : 0;
    if (figure <= highest) return;
    highest = figure;
    best = index;
  });
  return best;
}

/** As the splits cut the rows: the first groups have one row more where they do not divide. */
function groupOf(row: number, rows: number, groups: number): number {
  const least = Math.floor(rows / groups);
  const longer = rows % groups;
  return row < longer * (least + 1) ? Math.floor(row / (least + 1)) : longer + Math.floor((row - longer * (least + 1)) / least);
}
