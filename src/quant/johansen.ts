// How many relations hold between columns that wander: canonical correlations of what they do with where they are.
import { gammaTail } from './gamma-distribution.ts';
import { dot, orthogonalise, residualOf } from './linear-model.ts';
import { changesOf, levelsOf } from './unit-root.ts';
import type { Deterministic } from './unit-root-distribution.ts';

/** Entries are of 0, 1, ... relations under the null, against more of them. */
export interface Johansen {
  /** Squared canonical correlations, the largest first. */
  readonly eigenvalues: readonly number[];
  /** Against any number more. */
  readonly trace: readonly number[];
  /** At 10, 5 and 1 %. */
  readonly traceCritical: readonly Criticals[];
  /** Of the trace, by the gamma approximation of Doornik (1998): within about 0.002 of the critical values' levels. */
  readonly tracePValues: readonly number[];
  /** Against one more. */
  readonly maxEigen: readonly number[];
  readonly maxEigenCritical: readonly Criticals[];
  /** In the order of the eigenvalues; each is 1 in the first column. The first is the relation that is most likely one. */
  readonly vectors: readonly Float64Array[];
  readonly observations: number;
}

export type Criticals = readonly [tenPercent: number, fivePercent: number, onePercent: number];

/** Beyond it the tables end. */
export const MOST_COLUMNS = 12;

/**
 * Johansen (1988, 1991). `terms` says what is taken out of the columns before: nothing, a constant, or a line in time (with a constant in
 * the changes in both of the latter cases), as LeSage's toolbox and `coint_johansen` of statsmodels do it.
 * @param columns 2 to 12 of one length, in logarithms where prices are meant
 * @param lags earlier changes in the model: one fewer than the lags of the levels
 * @throws RangeError with another number of columns, with too few rows, or where a column repeats others
 */
export function johansen(columns: readonly ArrayLike<number>[], lags = 1, terms: Deterministic = 'constant'): Johansen {
  const size = columns.length;
  const rows = columns[0]?.length ?? 0;
  const observations = rows - 1 - lags;
  if (size < 2 || size > MOST_COLUMNS || columns.some(({ length }) => length !== rows)) {
    throw new RangeError(`${size} columns, expected 2 to ${MOST_COLUMNS} of one length`);
  }
  if (!Number.isInteger(lags) || lags < 0 || observations <= size * (lags + 1) + 2) {
    throw new RangeError(
      `${rows} rows and ${lags} lags, expected more than ${size * (lags + 1) + 3 + lags} rows for a whole number of lags`,
    );
  }
  const inner = terms === 'none' ? 'none' : 'constant';
  const levels = columns.map((column) => levelsOf(column, terms));
  const changes = levels.map(changesOf);
  const earlier: Float64Array[] = [];
  for (let lag = 1; lag <= lags; lag++) {
    for (const column of changes) earlier.push(levelsOf(column.subarray(lags - lag, -lag), inner));
  }
  const { basis } = orthogonalise(earlier);
  const moved = changes.map((column) => residualOf(levelsOf(column.subarray(lags), inner), basis));
  const stood = levels.map((column) => residualOf(levelsOf(column.subarray(1, rows - lags), inner), basis));
  const left = orthogonalise(moved).basis;
  const right = orthogonalise(stood);
  const correlations = right.basis.map((one) => Float64Array.from(left, (other) => dot(one, other)));
  const { lengths, rotation } = singularValues(correlations);
  const eigenvalues = lengths.map((length) => length ** 2);
  const ratios = eigenvalues.map((eigenvalue) => -observations * Math.log1p(-eigenvalue));
  const trace = ratios.map((_, rank) => ratios.slice(rank).reduce((sum, ratio) => sum + ratio, 0));
  return {
    eigenvalues,
    trace,
    traceCritical: trace.map((_, rank) => TRACE[terms][size - rank - 1] ?? NONE),
    tracePValues: trace.map((statistic, rank) => traceProbability(statistic, size - rank, terms)),
    maxEigen: ratios,
    maxEigenCritical: ratios.map((_, rank) => MAX_EIGEN[terms][size - rank - 1] ?? NONE),
    vectors: rotation.map((direction) => vectorOf(direction, right.mix)),
    observations,
  };
}

/**
 * One-sided Jacobi (Hestenes, 1958) on the rows of a small matrix: turned in pairs until they are orthogonal, so that small singular values
 * keep their digits. `rotation[i]` is the combination of rows that has the i-th length, the longest first.
 */
function singularValues(matrix: readonly Float64Array[]): {
  readonly lengths: readonly number[];
  readonly rotation: readonly Float64Array[];
} {
  const rows = matrix.map((row) => Float64Array.from(row));
  const turned = rows.map((_, index) => Float64Array.from(rows, (_row, other) => (other === index ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let largest = 0;
    for (let one = 0; one < rows.length - 1; one++) {
      for (let other = one + 1; other < rows.length; other++) {
        const [first, second] = [rows[one], rows[other]];
        if (first === undefined || second === undefined) continue;
        const [a, b, product] = [dot(first, first), dot(second, second), dot(first, second)];
        const size = Math.abs(product) / Math.sqrt(a * b);
        if (!(size > 1e-16)) continue;
        largest = Math.max(largest, size);
        const zeta = (b - a) / (2 * product);
        const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        turn(first, second, cosine, cosine * tangent);
        turn(turned[one] ?? first, turned[other] ?? second, cosine, cosine * tangent);
      }
    }
    if (largest < 1e-15) break;
  }
  const found = rows.map((row, index) => ({ length: Math.sqrt(dot(row, row)), direction: turned[index] ?? row }));
  found.sort((one, other) => other.length - one.length);
  return { lengths: found.map(({ length }) => length), rotation: found.map(({ direction }) => direction) };
}

function turn(first: Float64Array, second: Float64Array, cosine: number, sine: number): void {
  for (let index = 0; index < first.length; index++) {
    const [a, b] = [first[index] ?? NaN, second[index] ?? NaN];
    first[index] = cosine * a - sine * b;
    second[index] = sine * a + cosine * b;
  }
}

/** The combination of columns that a direction among their orthonormal basis is, 1 in the first column. */
function vectorOf(direction: Float64Array, mix: readonly Float64Array[]): Float64Array {
  const vector = new Float64Array(direction.length);
  for (let row = direction.length - 1; row >= 0; row--) {
    let rest = direction[row] ?? NaN;
    for (let later = row + 1; later < direction.length; later++) rest -= (mix[later]?.[row] ?? NaN) * (vector[later] ?? NaN);
    vector[row] = rest / (mix[row]?.[row] ?? NaN);
  }
  const [first = NaN] = vector;
  return vector.map((entry) => entry / first);
}

/** Mean and variance of the trace statistic for n columns less relations: of n^2, n, 1, whether n is 1, whether it is 2, and sqrt(n). */
type Moments = readonly [mean: readonly number[], variance: readonly number[]];

/** Doornik (1998), Approximations to the asymptotic distributions of cointegration tests, table 7: cases z, lc and ql. */
const TRACE_MOMENTS: Readonly<Record<Deterministic, Moments>> = {
  none: [
    [2, -1, 0.07, 0.07, 0, 0],
    [3, -0.33, -0.55, 0, 0, 0],
  ],
  constant: [
    [2, 1.05, -1.55, -0.5, -0.23, 0],
    [3, 1.8, 0, -2.8, -1.1, 0],
  ],
  trend: [
    [2, 2.85, -5.1, -0.1, -0.06, 1.35],
    [3, 4, 0.8, -5.8, -2.66, 0],
  ],
};

function traceProbability(statistic: number, free: number, terms: Deterministic): number {
  const [mean, variance] = TRACE_MOMENTS[terms].map((coefficients) => {
    return dot([free ** 2, free, 1, free === 1 ? 1 : 0, free === 2 ? 1 : 0, Math.sqrt(free)], coefficients);
  });
  if (mean === undefined || variance === undefined) return NaN;
  return gammaTail(mean ** 2 / variance, (statistic * mean) / variance);
}

const NONE: Criticals = [NaN, NaN, NaN];

/** Rows are of 1, 2, ... columns less relations. MacKinnon, Haug and Michelis (1999), by MacKinnon's program johdist. */
const TRACE: Readonly<Record<Deterministic, readonly Criticals[]>> = {
  none: [
    [2.9762, 4.1296, 6.9406],
    [10.4741, 12.3212, 16.364],
    [21.7781, 24.2761, 29.5147],
    [37.0339, 40.1749, 46.5716],
    [56.2839, 60.0627, 67.6367],
    [79.5329, 83.9383, 92.7136],
    [106.7351, 111.7797, 121.7375],
    [137.9954, 143.6691, 154.7977],
    [173.2292, 179.5199, 191.8122],
    [212.4721, 219.4051, 232.8291],
    [255.6732, 263.2603, 277.9962],
    [302.9054, 311.1288, 326.9716],
  ],
  constant: [
    [2.7055, 3.8415, 6.6349],
    [13.4294, 15.4943, 19.9349],
    [27.0669, 29.7961, 35.4628],
    [44.4929, 47.8545, 54.6815],
    [65.8202, 69.8189, 77.8202],
    [91.109, 95.7542, 104.9637],
    [120.3673, 125.6185, 135.9825],
    [153.6341, 159.529, 171.0905],
    [190.8714, 197.3772, 210.0366],
    [232.103, 239.2468, 253.2526],
    [277.374, 285.1402, 300.2821],
    [326.5354, 334.9795, 351.215],
  ],
  trend: [
    [2.7055, 3.8415, 6.6349],
    [16.1619, 18.3985, 23.1485],
    [32.0645, 35.0116, 41.0815],
    [51.6492, 55.2459, 62.5202],
    [75.1027, 79.3422, 87.7748],
    [102.4674, 107.3429, 116.9829],
    [133.7852, 139.278, 150.0778],
    [169.0618, 175.1584, 187.1891],
    [208.3582, 215.1268, 228.2226],
    [251.6293, 259.0267, 273.3838],
    [298.8836, 306.8988, 322.4264],
    [350.1125, 358.719, 375.3203],
  ],
};

const MAX_EIGEN: Readonly<Record<Deterministic, readonly Criticals[]>> = {
  none: [
    [2.9762, 4.1296, 6.9406],
    [9.4748, 11.2246, 15.0923],
    [15.7175, 17.7961, 22.2519],
    [21.837, 24.1592, 29.0609],
    [27.916, 30.4428, 35.7359],
    [33.9271, 36.6301, 42.2333],
    [39.9085, 42.7679, 48.6606],
    [45.893, 48.8795, 55.0335],
    [51.8528, 54.9629, 61.3449],
    [57.7954, 61.0404, 67.6415],
    [63.7248, 67.0756, 73.8856],
    [69.6513, 73.0946, 80.0937],
  ],
  constant: [
    [2.7055, 3.8415, 6.6349],
    [12.2971, 14.2639, 18.52],
    [18.8928, 21.1314, 25.865],
    [25.1236, 27.5858, 32.7172],
    [31.2379, 33.8777, 39.3693],
    [37.2786, 40.0763, 45.8662],
    [43.2947, 46.2299, 52.3069],
    [49.2855, 52.3622, 58.6634],
    [55.2412, 58.4332, 64.996],
    [61.2041, 64.504, 71.2525],
    [67.1307, 70.5392, 77.4877],
    [73.0563, 76.5734, 83.7105],
  ],
  trend: [
    [2.7055, 3.8415, 6.6349],
    [15.0006, 17.1481, 21.7465],
    [21.8731, 24.2522, 29.2631],
    [28.2398, 30.8151, 36.193],
    [34.4202, 37.1646, 42.8612],
    [40.5244, 43.4183, 49.4095],
    [46.5583, 49.5875, 55.8171],
    [52.5858, 55.7302, 62.1741],
    [58.5316, 61.8051, 68.503],
    [64.5292, 67.904, 74.7434],
    [70.463, 73.9355, 81.0678],
    [76.4081, 79.9878, 87.2395],
  ],
};
