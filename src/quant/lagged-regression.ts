// The regression behind every Dickey-Fuller test: of a column's change on something known before it and on its own earlier changes, with
// the number of earlier changes chosen.
//
// One table of products serves every number of lags. The products of changes that lie i and j steps back are those of i - 1 and j - 1 but
// for a row at either end, so a row of n x lags products makes the whole table; one Cholesky factor of it has the squared residuals of every
// nested regression in its last row. Thirty-three regressions cost little more than one.
import type { Deterministic } from './unit-root-distribution.ts';

/** How the number of lags is chosen: Akaike's or Schwarz's criterion, or the longest lag whose own t-statistic is 1.645 in size. */
export type LagCriterion = 'aic' | 'bic' | 't';

/** Of 0 to `most` lags, over the rows that all of them have; the chosen one is then fitted to all the rows that it has. */
export interface LagChoice {
  readonly by: LagCriterion;
  /** Left out, that of Schwert (1989): `longestLag`. */
  readonly most?: number | undefined;
}

export type Lags = number | LagChoice;

export interface LaggedRegression {
  /** The t-statistic of what was known before. */
  readonly statistic: number;
  /** Its coefficient. */
  readonly slope: number;
  /** Earlier changes in the regression. */
  readonly lags: number;
  /** Rows of the regression. */
  readonly observations: number;
}

const WIDTHS: Readonly<Record<Deterministic, number>> = { none: 0, constant: 1, trend: 2 };
/** A tenth of the normal distribution lies beyond it on the two sides together. */
const LARGE_T = 1.6448536269514722;

/** ceil(12 (values / 100)^(1/4)), Schwert (1989), and never so many that fewer rows than columns would be left. */
export function longestLag(values: number, terms: Deterministic): number {
  return Math.min(Math.ceil(12 * (values / 100) ** 0.25), Math.floor(values / 2) - WIDTHS[terms] - 1);
}

/**
 * Regresses `changes[t]` on `before[t]`, on `changes[t - 1]` to `changes[t - lags]` and on the terms. Agrees with a QR decomposition to
 * about 1e-10: the factor is of products, which squares the condition, but the columns hardly repeat each other. Under a constant or a trend
 * `before` should be near 0 on average, or at its line: what is large and constant in it costs digits.
 * @param before as long as `changes`
 * @throws RangeError where there are not more rows than coefficients
 */
export function laggedRegression(changes: Float64Array, before: Float64Array, terms: Deterministic, lags: Lags): LaggedRegression {
  const values = changes.length + 1;
  const longest = typeof lags === 'number' ? lags : (lags.most ?? longestLag(values, terms));
  const least = 2 * longest + WIDTHS[terms] + 3;
  if (!Number.isInteger(longest) || longest < 0 || values < least) {
    throw new RangeError(`${values} values and ${longest} lags, expected at least ${least} values for a whole number of lags`);
  }
  const sums = sumsOf(changes, before, longest, terms === 'trend');
  const chosen = typeof lags === 'number' ? lags : chosenLag(tableOf(changes, sums, terms), WIDTHS[terms], lags.by);
  if (chosen < longest) addRows(sums, changes, before, chosen);
  return fitted(tableOf(changes, sums, terms), WIDTHS[terms]);
}

/** Of rows `lags` to the last. `ofChanges[j]` is of changes[t] x changes[t - j], `ofBefore[j]` of before[t] x changes[t - j]. */
interface Sums {
  lags: number;
  /** Whether what is said of time is kept: only a trend asks. */
  readonly hasTime: boolean;
  ofChanges: Float64Array;
  ofBefore: Float64Array;
  /** Of before[t], of its square, and of before[t] x (t - centre). */
  level: number;
  square: number;
  levelInTime: number;
  /** Of changes[t - j] x (t - centre). */
  inTime: Float64Array;
}

function sumsOf(changes: Float64Array, before: Float64Array, lags: number, hasTime: boolean): Sums {
  const first = lags;
  const ofChanges = new Float64Array(lags + 1);
  const ofBefore = new Float64Array(lags + 1);
  const count = changes.length;
  let lag = 0;
  // Four lags at a time: each number is read once for four products of either kind.
  for (; lag + 3 <= lags; lag += 4) {
    let [c0, c1, c2, c3] = [0, 0, 0, 0];
    let [b0, b1, b2, b3] = [0, 0, 0, 0];
    // What is one step back is two steps back in the next row.
    let x1 = changes[first - lag - 1] ?? NaN;
    let x2 = changes[first - lag - 2] ?? NaN;
    let x3 = changes[first - lag - 3] ?? NaN;
    for (let row = first; row < count; row++) {
      const change = changes[row] ?? NaN;
      const level = before[row] ?? NaN;
      const x0 = changes[row - lag] ?? NaN;
      c0 += change * x0;
      b0 += level * x0;
      c1 += change * x1;
      b1 += level * x1;
      c2 += change * x2;
      b2 += level * x2;
      c3 += change * x3;
      b3 += level * x3;
      x3 = x2;
      x2 = x1;
      x1 = x0;
    }
    ofChanges.set([c0, c1, c2, c3], lag);
    ofBefore.set([b0, b1, b2, b3], lag);
  }
  for (; lag <= lags; lag++) {
    let [ofChange, ofLevel] = [0, 0];
    for (let row = first; row < count; row++) {
      const earlier = changes[row - lag] ?? NaN;
      ofChange += (changes[row] ?? NaN) * earlier;
      ofLevel += (before[row] ?? NaN) * earlier;
    }
    ofChanges[lag] = ofChange;
    ofBefore[lag] = ofLevel;
  }
  const sums: Sums = { lags, hasTime, ofChanges, ofBefore, level: 0, square: 0, levelInTime: 0, inTime: new Float64Array(lags + 1) };
  addMoments(sums, changes, before, first, count);
  return sums;
}

function addMoments(sums: Sums, changes: Float64Array, before: Float64Array, first: number, end: number): void {
  const centre = (changes.length - 1) / 2;
  for (let row = first; row < end; row++) {
    const level = before[row] ?? NaN;
    sums.level += level;
    sums.square += level * level;
    sums.levelInTime += level * (row - centre);
  }
  if (!sums.hasTime) return;
  for (let lag = 0; lag <= sums.lags; lag++) {
    let inTime = 0;
    for (let row = first; row < end; row++) inTime += (row - centre) * (changes[row - lag] ?? NaN);
    sums.inTime[lag] = (sums.inTime[lag] ?? NaN) + inTime;
  }
}

/** Cuts down to `lags`, and adds the rows that so many have and more have not. */
function addRows(sums: Sums, changes: Float64Array, before: Float64Array, lags: number): void {
  const end = sums.lags;
  sums.lags = lags;
  for (let lag = 0; lag <= lags; lag++) {
    for (let row = lags; row < end; row++) {
      const earlier = changes[row - lag] ?? NaN;
      sums.ofChanges[lag] = (sums.ofChanges[lag] ?? NaN) + (changes[row] ?? NaN) * earlier;
      sums.ofBefore[lag] = (sums.ofBefore[lag] ?? NaN) + (before[row] ?? NaN) * earlier;
    }
  }
  addMoments(sums, changes, before, lags, end);
}

/** Products of the columns with the terms taken out: place 0 is the change itself, 1 to lags the earlier ones, the last what was before. */
interface Table {
  readonly lags: number;
  readonly observations: number;
  readonly size: number;
  readonly products: Float64Array;
}

function tableOf(changes: Float64Array, sums: Sums, terms: Deterministic): Table {
  const { lags, ofChanges, ofBefore } = sums;
  const count = changes.length;
  const observations = count - lags;
  const size = lags + 2;
  const level = lags + 1;
  const products = new Float64Array(size * size);
  const totals = new Float64Array(size);
  for (let row = lags; row < count; row++) totals[0] = (totals[0] ?? NaN) + (changes[row] ?? NaN);
  for (let column = 0; column <= lags; column++) products[column] = ofChanges[column] ?? NaN;
  for (let row = 1; row <= lags; row++) {
    const entering = changes[lags - row] ?? NaN;
    const leaving = changes[count - row] ?? NaN;
    totals[row] = (totals[row - 1] ?? NaN) + entering - leaving;
    for (let column = row; column <= lags; column++) {
      products[row * size + column] =
        (products[(row - 1) * size + column - 1] ?? NaN) +
        entering * (changes[lags - column] ?? NaN) -
        leaving * (changes[count - column] ?? NaN);
    }
  }
  for (let row = 0; row <= lags; row++) products[row * size + level] = ofBefore[row] ?? NaN;
  products[level * size + level] = sums.square;
  totals[level] = sums.level;
  if (terms === 'none') return { lags, observations, size, products };
  takeOut(products, size, totals, observations);
  if (terms === 'trend') {
    // The line in time, about the middle of these rows, so that it has nothing of the constant.
    const middle = (lags + count - 1) / 2 - (count - 1) / 2;
    const inTime = new Float64Array(size);
    for (let row = 0; row <= lags; row++) inTime[row] = (sums.inTime[row] ?? NaN) - middle * (totals[row] ?? NaN);
    inTime[level] = sums.levelInTime - middle * sums.level;
    takeOut(products, size, inTime, (observations * (observations - 1) * (observations + 1)) / 12);
  }
  return { lags, observations, size, products };
}

/** Less what a column explains whose products with the others are `shares`, and with itself `square`. */
function takeOut(products: Float64Array, size: number, shares: Float64Array, square: number): void {
  for (let row = 0; row < size; row++) {
    for (let column = row; column < size; column++) {
      const place = row * size + column;
      products[place] = (products[place] ?? NaN) - ((shares[row] ?? NaN) * (shares[column] ?? NaN)) / square;
    }
  }
}

/** The lower factor of the products of the columns in this order, row by row: row i has i + 1 entries from i x (i + 1) / 2. */
function factorOf({ size, products }: Table, order: readonly number[]): Float64Array {
  const factor = new Float64Array((size * (size + 1)) / 2);
  for (let row = 0; row < size; row++) {
    const start = (row * (row + 1)) / 2;
    const of = order[row] ?? 0;
    for (let column = 0; column <= row; column++) {
      const other = (column * (column + 1)) / 2;
      const and = order[column] ?? 0;
      let rest = products[of <= and ? of * size + and : and * size + of] ?? NaN;
      for (let before = 0; before < column; before++) rest -= (factor[start + before] ?? NaN) * (factor[other + before] ?? NaN);
      factor[start + column] = column === row ? Math.sqrt(Math.max(0, rest)) : rest / (factor[other + column] ?? NaN);
    }
  }
  return factor;
}

function chosenLag(table: Table, terms: number, by: LagCriterion): number {
  const { lags, observations, size } = table;
  // What was before, the lags from the nearest on, then the change: its row has what each explains beyond those before it.
  const order = [lags + 1, ...Array.from({ length: lags }, (_, lag) => lag + 1), 0];
  const last = factorOf(table, order).subarray(((size - 1) * size) / 2);
  const squares = new Float64Array(lags + 1);
  let rest = (last[size - 1] ?? NaN) ** 2;
  for (let lag = lags; lag >= 0; lag--) {
    squares[lag] = rest;
    rest += (last[lag] ?? NaN) ** 2;
  }
  if (by === 't') {
    for (let lag = lags; lag > 0; lag--) {
      const freedom = observations - terms - 1 - lag;
      if (Math.abs(last[lag] ?? NaN) / Math.sqrt((squares[lag] ?? NaN) / freedom) >= LARGE_T) return lag;
    }
    return 0;
  }
  const price = by === 'aic' ? 2 : Math.log(observations);
  let [best, least] = [0, Infinity];
  for (let lag = 0; lag <= lags; lag++) {
    const criterion = observations * Math.log((squares[lag] ?? NaN) / observations) + price * (lag + 1 + terms);
    if (criterion < least) [best, least] = [lag, criterion];
  }
  return best;
}

function fitted(table: Table, terms: number): LaggedRegression {
  const { lags, observations, size } = table;
  const order = [...Array.from({ length: lags }, (_, lag) => lag + 1), lags + 1, 0];
  const factor = factorOf(table, order);
  const last = ((size - 1) * size) / 2;
  const part = factor[last + lags] ?? NaN;
  const unexplained = factor[last + lags + 1] ?? NaN;
  const freedom = observations - lags - 1 - terms;
  return {
    statistic: part / (unexplained / Math.sqrt(freedom)),
    slope: part / (factor[last - 1] ?? NaN),
    lags,
    observations,
  };
}
