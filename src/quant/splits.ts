// Training and test rows for data in time whose labels look ahead: what a model is tested on must not have been in what it was trained on.

/**
 * The span that each row's label is made of, both ends included, in one unit for all: row numbers, or times. Rows are in the order of
 * `start`; rows of several instruments are put into one order, so that a span is cut out of all of them.
 */
export interface LabelSpans {
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
}

/** Row numbers, ascending. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * `folds` neighbouring parts, each the test of one split and all others its training rows, purged and embargoed: López de Prado (2018,
 * Advances in Financial Machine Learning, chapter 7). Purged is a training row whose span touches the span of the test part, from its first
 * start to its last end; embargoed, one that starts within `embargo` after that. The first parts have one row more where the rows do not
 * divide.
 * @param embargo in the unit of the spans; 0 is none
 * @throws RangeError for fewer than 2 folds, more folds than rows, or spans that are not in order
 */
export function purgedFolds(spans: LabelSpans, folds: number, embargo = 0): Split[] {
  return [...combinatorialPurgedSplits(spans, folds, 1, embargo)];
}

/**
 * Every choice of `testGroups` out of `groups` neighbouring parts as the test, the others for training, purged and embargoed around each
 * run of test parts: combinatorial purged cross-validation (López de Prado 2018, chapter 12). C(groups, testGroups) splits, in
 * lexicographic order. The training rows may lie after the test: it assesses a model, it is not an equity that somebody could have had.
 * Each is made when it is asked for: of sixteen parts there are 12,870.
 * @throws RangeError as `purgedFolds` does, and unless at least one part is left for training
 */
export function combinatorialPurgedSplits(spans: LabelSpans, groups: number, testGroups: number, embargo = 0): Iterable<Split> {
  const rows = checkedRows(spans);
  if (!Number.isInteger(groups) || groups < 2 || groups > rows) {
    throw new RangeError(`${groups} parts of ${rows} rows, expected a whole number from 2 to the number of rows`);
  }
  if (!(embargo >= 0)) throw new RangeError(`an embargo of ${embargo}, expected 0 or more`);
  return splitsOf(spans, groups, combinations(groups, testGroups), embargo);
}

function* splitsOf(spans: LabelSpans, groups: number, choices: readonly (readonly number[])[], embargo: number): Generator<Split> {
  const rows = spans.start.length;
  const bounds = Array.from({ length: groups + 1 }, (_, group) => group * Math.floor(rows / groups) + Math.min(group, rows % groups));
  for (const chosen of choices) {
    const isTest = new Uint8Array(rows);
    const isPurged = new Uint8Array(rows);
    for (const [first, last] of runsOf(chosen)) {
      const from = bounds[first] ?? NaN;
      const to = bounds[last + 1] ?? NaN;
      isTest.fill(1, from, to);
      const testStart = spans.start[from] ?? NaN;
      let testEnd = -Infinity;
      for (let row = from; row < to; row++) testEnd = Math.max(testEnd, spans.end[row] ?? NaN);
      for (let row = 0; row < rows; row++) {
        if ((spans.start[row] ?? NaN) <= testEnd + (row < from ? 0 : embargo) && (spans.end[row] ?? NaN) >= testStart) isPurged[row] = 1;
      }
    }
    yield { train: rowsWhere(rows, (row) => isTest[row] === 0 && isPurged[row] === 0), test: rowsWhere(rows, (row) => isTest[row] === 1) };
  }
}

/**
 * How the test parts of the combinatorial splits are joined to whole histories, each part of a path predicted by another split: by path and
 * part, the number of the split. C(groups, testGroups) * testGroups / groups paths. They share their training rows: report how they are
 * distributed, they are not so many independent tests.
 */
export function combinatorialPaths(groups: number, testGroups: number): Int32Array[] {
  const splits = combinations(groups, testGroups);
  const paths = Array.from({ length: (splits.length * testGroups) / groups }, () => new Int32Array(groups));
  const filled = new Int32Array(groups);
  splits.forEach((chosen, split) => {
    for (const group of chosen) {
      const path = paths[filled[group] ?? NaN];
      if (path !== undefined) path[group] = split;
      filled[group] = (filled[group] ?? NaN) + 1;
    }
  });
  return paths;
}

export interface WalkForwardSettings {
  /** Rows before each test, before purging; of an anchored window, those before the first. */
  readonly trainRows: number;
  readonly testRows: number;
  /** From one test to the next; `testRows` unless said, so that the tests join without a gap. */
  readonly stepRows?: number;
  /** All rows from the first on, instead of the last `trainRows`. */
  readonly isAnchored?: boolean;
  /** What must lie between the end of a training label and the start of the test, beyond touching, in the unit of the spans. */
  readonly embargo?: number;
}

/**
 * Windows that move forward through time: train, test on what comes next, go on (Pardo 1992). A training row whose label ends at or after
 * the start of the test, or within `embargo` before it, is purged. Whatever is fitted (scalers, thresholds, choice of features and of
 * parameters) is to be fitted on `train` alone. Rows after the last whole test are left out.
 * @throws RangeError where there is no window, or numbers of rows are not whole and positive
 */
export function walkForwardSplits(spans: LabelSpans, settings: WalkForwardSettings): Split[] {
  const { trainRows, testRows, stepRows = testRows, isAnchored = false, embargo = 0 } = settings;
  const rows = checkedRows(spans);
  for (const [name, value] of Object.entries({ trainRows, testRows, stepRows })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} was ${value}, expected a whole number from 1 on`);
  }
  if (!(embargo >= 0)) throw new RangeError(`an embargo of ${embargo}, expected 0 or more`);
  if (trainRows + testRows > rows) throw new RangeError(`${rows} rows, expected at least ${trainRows + testRows} for one window`);
  const splits: Split[] = [];
  for (let from = trainRows; from + testRows <= rows; from += stepRows) {
    const testStart = spans.start[from] ?? NaN;
    const first = isAnchored ? 0 : from - trainRows;
    splits.push({
      train: rowsWhere(from, (row) => row >= first && (spans.end[row] ?? NaN) + embargo < testStart),
      test: Int32Array.from({ length: testRows }, (_, row) => from + row),
    });
  }
  return splits;
}

/** Every choice of `size` out of the numbers from 0 to `count` - 1, ascending, in lexicographic order. */
export function combinations(count: number, size: number): number[][] {
  if (!Number.isInteger(size) || size < 1 || size >= count) {
    throw new RangeError(`${size} out of ${count}, expected a whole number from 1 to ${count - 1}`);
  }
  const all: number[][] = [];
  const chosen = Array.from({ length: size }, (_, place) => place);
  for (;;) {
    all.push(chosen.slice());
    let place = size - 1;
    while (place >= 0 && chosen[place] === count - size + place) place--;
    if (place < 0) return all;
    let next = (chosen[place] ?? NaN) + 1;
    for (; place < size; place++) chosen[place] = next++;
  }
}

function checkedRows({ start, end }: LabelSpans): number {
  if (start.length !== end.length) throw new RangeError(`${start.length} starts and ${end.length} ends, expected equally many`);
  for (let row = 0; row < start.length; row++) {
    const from = start[row] ?? NaN;
    if (!(from >= (start[row - 1] ?? -Infinity)) || !((end[row] ?? NaN) >= from)) {
      throw new RangeError(
        `row ${row} spans ${from} to ${end[row]}, expected rows in the order of their starts and no end before its start`,
      );
    }
  }
  return start.length;
}

/** First and last of each run of neighbours. */
function runsOf(ascending: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const each of ascending) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === each - 1) run[1] = each;
    else runs.push([each, each]);
  }
  return runs;
}

function rowsWhere(rows: number, holds: (row: number) => boolean): Int32Array {
  const found = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (holds(row)) found[count++] = row;
  return found.slice(0, count);
}
