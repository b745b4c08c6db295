// Regimes that are not seen, only what they do: a Markov chain of states, in each of which columns are normal with means and variances of
// their own.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { Random } from './random.ts';
import { averageRanks } from './rank-correlation.ts';
import { mean, variance } from './statistics.ts';

/** Of k states and d columns. States ascend by the variance of the first column: the calmest is 0. */
export interface GaussianHmm {
  /** k probabilities of the first row's state. */
  readonly initial: Float64Array;
  /** k rows of k: from a state, to each. Each row sums to 1. */
  readonly transition: readonly Float64Array[];
  /** k rows of d. */
  readonly means: readonly Float64Array[];
  /** k rows of d, above 0. Within a state the columns are independent. */
  readonly variances: readonly Float64Array[];
}

/**
 * Hamilton's (1989) filter: how likely each state is, knowing this row and those before it, and nothing after. Smoothed probabilities, which
 * most plots of regimes show, know the future. O(k^2) a row, nothing allocated.
 */
export class RegimeFilter implements Stateful {
  /** Of the states, with the last row known; `initial` before the first. The same array each time. */
  readonly probabilities: Float64Array;
  readonly #model: GaussianHmm;
  readonly #next: Float64Array;
  readonly #logDensities: Float64Array;
  #isFirst = true;
  #logDensity = NaN;

  constructor(model: GaussianHmm) {
    this.#model = model;
    this.probabilities = Float64Array.from(model.initial);
    this.#next = new Float64Array(model.initial.length);
    this.#logDensities = new Float64Array(model.initial.length);
  }

  /** The next row: a value for each column. */
  push(row: ArrayLike<number>): void {
    const { transition } = this.#model;
    const [now, next] = [this.probabilities, this.#next];
    if (this.#isFirst) next.set(now);
    else {
      for (let to = 0; to < next.length; to++) {
        let sum = 0;
        for (let from = 0; from < now.length; from++) sum += (now[from] ?? NaN) * (transition[from]?.[to] ?? NaN);
        next[to] = sum;
      }
    }
    this.#isFirst = false;
    let highest = -Infinity;
    for (let state = 0; state < next.length; state++) {
      const logDensity = logDensityOf(this.#model, state, row);
      this.#logDensities[state] = logDensity;
      // Of states that can be: beside one that cannot, they could all be too small to be told from nothing.
      if ((next[state] ?? NaN) > 0) highest = Math.max(highest, logDensity);
    }
    let total = 0;
    for (let state = 0; state < next.length; state++) {
      const joint = next[state] === 0 ? 0 : (next[state] ?? NaN) * Math.exp((this.#logDensities[state] ?? NaN) - highest);
      now[state] = joint;
      total += joint;
    }
    for (let state = 0; state < now.length; state++) now[state] = (now[state] ?? NaN) / total;
    this.#logDensity = Math.log(total) + highest;
  }

  /** Log density of the last row as it was expected; summed over the rows it is the log likelihood of the model. */
  get logDensity(): number {
    return this.#logDensity;
  }

  save(out: ByteWriter): void {
    out.flag(this.#isFirst);
    out.numbers(this.probabilities);
    out.number(this.#logDensity);
  }

  restore(from: ByteReader): void {
    this.#isFirst = from.flag();
    from.numbers(this.probabilities);
    this.#logDensity = from.number();
  }
}

function logDensityOf({ means, variances }: GaussianHmm, state: number, row: ArrayLike<number>): number {
  const [own, spread] = [means[state], variances[state]];
  if (own === undefined || spread === undefined) return NaN;
  let sum = 0;
  for (let column = 0; column < own.length; column++) {
    const width = spread[column] ?? NaN;
    sum -= 0.5 * (Math.log(2 * Math.PI * width) + ((row[column] ?? NaN) - (own[column] ?? NaN)) ** 2 / width);
  }
  return sum;
}

export interface HmmFit {
  readonly model: GaussianHmm;
  readonly logLikelihood: number;
  readonly iterations: number;
  /** Whether the last step gained less than the tolerance. */
  readonly hasConverged: boolean;
  /** Parameters x ln rows - 2 x log likelihood (Schwarz, 1978): compare it between numbers of states. */
  readonly bic: number;
}

export interface HmmSettings {
  /** Of the states, from 1. */
  readonly states: number;
  readonly seed: number;
  /** Beginnings beside the two that are always tried: EM finds the nearest hill only. */
  readonly randomStarts: number;
}

const TOLERANCE = 1e-6;
const MOST_ITERATIONS = 1000;
/** Part of a column's variance below which no state's goes: a state of one row would have infinite likelihood. */
const NARROWEST = 1e-4;

/**
 * By expectation and maximisation (Baum et al., 1970) from several beginnings: rows grouped by how far they are out, rows grouped by level,
 * and runs of random length. The best is kept.
 * @param columns d of one length, at least 10 rows for each state
 * @throws RangeError with fewer rows, columns of different length, or one that does not vary
 */
export function fitGaussianHmm(columns: readonly ArrayLike<number>[], { states, seed, randomStarts }: HmmSettings): HmmFit {
  const rows = columns[0]?.length ?? 0;
  if (!Number.isInteger(states) || states < 1 || rows < 10 * states || columns.some(({ length }) => length !== rows)) {
    throw new RangeError(`${rows} rows for ${states} states, expected columns of one length with at least 10 rows for each state`);
  }
  if (columns.some((column) => !(variance(column) > 0))) throw new RangeError('a column that does not vary, expected one that does');
  const [first = []] = columns;
  const centre = mean(first);
  const random = new Random(seed);
  const starts = [
    grouped(calmed(Float64Array.from(first, (value) => (value - centre) ** 2)), states),
    grouped(Float64Array.from(first), states),
    ...Array.from({ length: randomStarts }, () => runs(rows, states, random)),
  ];
  let best: HmmFit | undefined;
  for (const labels of starts) {
    const fit = refineHmm(columns, modelOf(columns, labels, states));
    if (best === undefined || fit.logLikelihood > best.logLikelihood) best = fit;
  }
  if (best === undefined) throw new RangeError('no beginning, expected one');
  return best;
}

/** Means over the last ten rows: regimes last. */
function calmed(values: Float64Array): Float64Array {
  const width = 10;
  let sum = 0;
  return values.map((value, row) => {
    sum += value - (row >= width ? (values[row - width] ?? 0) : 0);
    return sum / Math.min(row + 1, width);
  });
}

/** Equally many rows in each state, by rank. */
function grouped(values: Float64Array, states: number): Uint8Array {
  return Uint8Array.from(averageRanks(values), (rank) => Math.min(states - 1, Math.floor(((rank - 0.5) * states) / values.length)));
}

function runs(rows: number, states: number, random: Random): Uint8Array {
  const labels = new Uint8Array(rows);
  let state = random.integer(states);
  for (let row = 0; row < rows; row++) {
    if (random.uniform() < 0.05) state = random.integer(states);
    labels[row] = state;
  }
  return labels;
}

/** What rows of known states would give, with one transition of each kind more than there were. */
function modelOf(columns: readonly ArrayLike<number>[], labels: Uint8Array, states: number): GaussianHmm {
  const transition = Array.from({ length: states }, () => new Float64Array(states).fill(1));
  for (let row = 1; row < labels.length; row++) {
    const from = transition[labels[row - 1] ?? 0];
    const to = labels[row] ?? 0;
    if (from !== undefined) from[to] = (from[to] ?? NaN) + 1;
  }
  const own = Array.from({ length: states }, (_, state) =>
    columns.map((column) => {
      const values = Array.from(labels, (label, row) => (label === state ? (column[row] ?? NaN) : NaN)).filter(
        (value) => !Number.isNaN(value),
      );
      // A run of chance may have left a state without rows.
      const [middle, spread] = values.length < 2 ? [mean(column), variance(column)] : [mean(values), variance(values)];
      return [middle, Math.max(spread, NARROWEST * variance(column))] as const;
    }),
  );
  return {
    initial: new Float64Array(states).fill(1 / states),
    transition: transition.map(normalised),
    means: own.map((all) => Float64Array.from(all, ([middle]) => middle)),
    variances: own.map((all) => Float64Array.from(all, ([, spread]) => spread)),
  };
}

function normalised(values: Float64Array): Float64Array {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/**
 * Climbs from a model that is given, such as that of a window before: until a step gains less than a millionth, or for so many steps.
 * @throws RangeError where the columns do not fit the model
 */
export function refineHmm(columns: readonly ArrayLike<number>[], start: GaussianHmm, mostIterations = MOST_ITERATIONS): HmmFit {
  const rows = columns[0]?.length ?? 0;
  if (start.means.some(({ length }) => length !== columns.length)) {
    throw new RangeError(`${columns.length} columns for a model of ${start.means[0]?.length}, expected as many`);
  }
  const narrowest = columns.map((column) => NARROWEST * variance(column));
  let model = start;
  let [before, iterations, hasConverged] = [-Infinity, 0, false];
  let expected = expect(columns, model);
  while (iterations < mostIterations && !hasConverged) {
    model = maximise(columns, expected, narrowest, model);
    before = expected.logLikelihood;
    expected = expect(columns, model);
    iterations++;
    hasConverged = expected.logLikelihood - before < TOLERANCE;
  }
  const states = model.initial.length;
  const parameters = states - 1 + states * (states - 1) + 2 * states * columns.length;
  return {
    model: calmestFirst(model),
    logLikelihood: expected.logLikelihood,
    iterations,
    hasConverged,
    bic: parameters * Math.log(rows) - 2 * expected.logLikelihood,
  };
}

interface Expectations {
  readonly logLikelihood: number;
  /** By state, of each row: knowing all rows, which is for fitting only. */
  readonly smoothed: readonly Float64Array[];
  /** Expected number of moves, by rows from a state. */
  readonly moves: readonly Float64Array[];
}

/** Forwards and backwards, scaled (Rabiner, 1989). */
function expect(columns: readonly ArrayLike<number>[], model: GaussianHmm): Expectations {
  const rows = columns[0]?.length ?? 0;
  const states = model.initial.length;
  const filter = new RegimeFilter(model);
  const row = new Float64Array(columns.length);
  const filtered = Array.from({ length: states }, () => new Float64Array(rows));
  let logLikelihood = 0;
  for (let index = 0; index < rows; index++) {
    columns.forEach((column, place) => (row[place] = column[index] ?? NaN));
    filter.push(row);
    logLikelihood += filter.logDensity;
    for (let state = 0; state < states; state++) {
      const into = filtered[state];
      if (into !== undefined) into[index] = filter.probabilities[state] ?? NaN;
    }
  }
  // Kim's (1994) recursion: from what is known of the next row's state back to this one's.
  const smoothed = filtered.map((column) => Float64Array.from(column));
  const moves = Array.from({ length: states }, () => new Float64Array(states));
  const expectedNext = new Float64Array(states);
  for (let index = rows - 2; index >= 0; index--) {
    for (let to = 0; to < states; to++) {
      let sum = 0;
      for (let from = 0; from < states; from++) sum += (filtered[from]?.[index] ?? NaN) * (model.transition[from]?.[to] ?? NaN);
      expectedNext[to] = sum;
    }
    for (let from = 0; from < states; from++) {
      const [into, counts] = [smoothed[from], moves[from]];
      if (into === undefined || counts === undefined) continue;
      let sum = 0;
      for (let to = 0; to < states; to++) {
        const likely = expectedNext[to] ?? NaN;
        const part = (filtered[from]?.[index] ?? NaN) * (model.transition[from]?.[to] ?? NaN);
        const joint = likely > 0 ? (part * (smoothed[to]?.[index + 1] ?? NaN)) / likely : 0;
        counts[to] = (counts[to] ?? NaN) + joint;
        sum += joint;
      }
      into[index] = sum;
    }
  }
  return { logLikelihood, smoothed, moves };
}

/** Less expected rows than this are none. */
const NOTHING = 1e-12;

/** A state that no row is in, or from which no row moves on, keeps what it had: there is nothing to learn it from. */
function maximise(
  columns: readonly ArrayLike<number>[],
  { smoothed, moves }: Expectations,
  narrowest: readonly number[],
  before: GaussianHmm,
): GaussianHmm {
  const means: Float64Array[] = [];
  const variances: Float64Array[] = [];
  for (const [state, weights] of smoothed.entries()) {
    let total = 0;
    for (const weight of weights) total += weight;
    const [own, spread] = [Float64Array.from(before.means[state] ?? []), Float64Array.from(before.variances[state] ?? [])];
    columns.forEach((column, place) => {
      if (!(total > NOTHING)) return;
      let sum = 0;
      for (let row = 0; row < weights.length; row++) sum += (weights[row] ?? NaN) * (column[row] ?? NaN);
      const middle = sum / total;
      let squares = 0;
      for (let row = 0; row < weights.length; row++) squares += (weights[row] ?? NaN) * ((column[row] ?? NaN) - middle) ** 2;
      own[place] = middle;
      spread[place] = Math.max(squares / total, narrowest[place] ?? NaN);
    });
    means.push(own);
    variances.push(spread);
  }
  return {
    initial: normalised(Float64Array.from(smoothed, (weights) => weights[0] ?? NaN)),
    transition: moves.map((counts, state) =>
      counts.reduce((sum, count) => sum + count, 0) > NOTHING ? normalised(counts) : Float64Array.from(before.transition[state] ?? []),
    ),
    means,
    variances,
  };
}

function calmestFirst({ initial, transition, means, variances }: GaussianHmm): GaussianHmm {
  const order = Array.from(initial, (_, state) => state).sort(
    (one, other) => (variances[one]?.[0] ?? NaN) - (variances[other]?.[0] ?? NaN),
  );
  const pick = (values: Float64Array | undefined): Float64Array => Float64Array.from(order, (state) => values?.[state] ?? NaN);
  const copy = (values: Float64Array | undefined): Float64Array => Float64Array.from(values ?? []);
  return {
    initial: pick(initial),
    transition: order.map((state) => pick(transition[state])),
    means: order.map((state) => copy(means[state])),
    variances: order.map((state) => copy(variances[state])),
  };
}
