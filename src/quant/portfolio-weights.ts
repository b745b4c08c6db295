// How to divide one among assets that vary together: weights from 0 to 1 that sum to 1, one for each row of a covariance.
import { cholesky, solve, type SymmetricMatrix } from './covariance.ts';
import { dot } from './linear-model.ts';

/**
 * The lowest variance without short positions (Markowitz, 1952). That there are none is itself a shrinkage (Jagannathan and Ma, 2003): where
 * one market moves all assets, one drawn towards the identity on top of it may do harm, and its use is that it can be inverted.
 * @throws RangeError where the covariance is not positive definite
 */
export function minimumVarianceWeights(covariance: SymmetricMatrix): Float64Array {
  return meanVarianceWeights(new Float64Array(covariance.length), covariance, 1);
}

/**
 * The highest expected return less `riskAversion` / 2 x variance, without short positions (Markowitz, 1952): the exact optimum, by an active set.
 * Estimated means are mostly error: give it those of `bayesSteinMeans` and the covariance of `ledoitWolf`.
 * @param means expected returns of one period, one for each row of the covariance of the same period
 * @param riskAversion above 0: 1 is the growth of wealth (Kelly, 1956)
 * @throws RangeError where the covariance is not positive definite, or there are not as many means as rows
 */
export function meanVarianceWeights(means: ArrayLike<number>, covariance: SymmetricMatrix, riskAversion: number): Float64Array {
  const size = covariance.length;
  if (means.length !== size || size === 0) throw new RangeError(`${means.length} means and ${size} rows, expected equally many`);
  if (!(riskAversion > 0)) throw new RangeError(`risk aversion ${riskAversion}, expected a number above 0`);
  cholesky(covariance);
  const gainOf = (asset: number, weights: Float64Array): number =>
    (means[asset] ?? NaN) - riskAversion * dot(covariance[asset] ?? [], weights);
  // Begins with the best single asset, which is allowed; from there every step gains, so no set of held assets comes twice.
  const alone = Float64Array.from(covariance, (row, asset) => (means[asset] ?? NaN) - (riskAversion / 2) * (row[asset] ?? NaN));
  const first = alone.indexOf(Math.max(...alone));
  let weights = new Float64Array(size);
  weights[first] = 1;
  let held = [first];
  for (let round = 0; round < 20 * size * size + 50; round++) {
    const { wanted, price } = within(held, means, covariance, riskAversion);
    // As far towards the optimum of those held as none of them turns negative.
    let reach = 1;
    let blocking = -1;
    for (const asset of held) {
      const [from, to] = [weights[asset] ?? NaN, wanted[asset] ?? NaN];
      if (to < 0 && from / (from - to) < reach) [reach, blocking] = [from / (from - to), asset];
    }
    weights = weights.map((from, asset) => from + reach * ((wanted[asset] ?? NaN) - from));
    if (blocking >= 0) {
      weights[blocking] = 0;
      held = held.filter((asset) => asset !== blocking);
      continue;
    }
    // Who would earn more at the margin than all that are held do?
    let [best, most] = [-1, 1e-12 * (Math.abs(price) + 1e-12)];
    for (let asset = 0; asset < size; asset++) {
      const gain = gainOf(asset, weights) - price;
      if (!held.includes(asset) && gain > most) [best, most] = [asset, gain];
    }
    if (best < 0) return weights;
    held = [...held, best];
  }
  throw new RangeError('weights that do not settle, expected a covariance that is further from being singular');
}

/** The optimum of some assets with any sign, and what another unit of them would earn. */
function within(
  held: readonly number[],
  means: ArrayLike<number>,
  covariance: SymmetricMatrix,
  riskAversion: number,
): { readonly wanted: Float64Array; readonly price: number } {
  const factor = cholesky(held.map((one) => Float64Array.from(held, (other) => covariance[one]?.[other] ?? NaN)));
  const even = solve(factor, new Float64Array(held.length).fill(1));
  const tilted = solve(
    factor,
    held.map((asset) => means[asset] ?? NaN),
  );
  const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  const price = (sumOf(tilted) - riskAversion) / sumOf(even);
  const wanted = new Float64Array(covariance.length);
  held.forEach((asset, place) => (wanted[asset] = ((tilted[place] ?? NaN) - price * (even[place] ?? NaN)) / riskAversion));
  return { wanted, price };
}

/**
 * Risk parity: every asset adds as much to the portfolio's variance as its budget says, all alike where none are given (Maillard, Roncalli and
 * Teiletche, 2010). By the cyclical descent of Griveau-Billion, Richard and Roncalli (2013), to the last digits.
 * @param budgets above 0, of any sum
 * @throws RangeError where the covariance is not positive definite, or budgets are not above 0
 */
export function riskParityWeights(covariance: SymmetricMatrix, budgets?: ArrayLike<number>): Float64Array {
  cholesky(covariance);
  const size = covariance.length;
  const wanted = budgets === undefined ? new Float64Array(size).fill(1) : Float64Array.from(budgets);
  if (wanted.length !== size || wanted.some((budget) => !(budget > 0))) {
    throw new RangeError(`budgets ${wanted.join(', ')}, expected ${size} above 0`);
  }
  const weights = Float64Array.from(covariance, (row, asset) => Math.sqrt((wanted[asset] ?? NaN) / (row[asset] ?? NaN)));
  for (let round = 0; round < 10_000; round++) {
    let moved = 0;
    for (const [asset, row] of covariance.entries()) {
      const [own, before] = [row[asset] ?? NaN, weights[asset] ?? NaN];
      const others = dot(row, weights) - own * before;
      // The positive root of own w^2 + others w = budget, in the form that does not cancel.
      const root = Math.sqrt(others * others + 4 * own * (wanted[asset] ?? NaN));
      const after = others > 0 ? (2 * (wanted[asset] ?? NaN)) / (others + root) : (root - others) / (2 * own);
      weights[asset] = after;
      moved = Math.max(moved, Math.abs(after / before - 1));
    }
    if (moved < 1e-14) break;
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Hierarchical risk parity (López de Prado, 2016): assets are put in the order of a tree of single linkage, on distances between the columns of
 * correlation distances, and the order is halved again and again, each half weighted by the inverse of its variance. Nothing is inverted, so
 * the covariance may be singular.
 * @throws RangeError where a variance is not above 0
 */
export function hierarchicalWeights(covariance: SymmetricMatrix): Float64Array {
  const size = covariance.length;
  const deviations = Float64Array.from(covariance, (row, asset) => Math.sqrt(row[asset] ?? NaN));
  if (deviations.some((deviation) => !(deviation > 0))) throw new RangeError('a variance that is not above 0, expected all above it');
  const distances = covariance.map((row, one) =>
    row.map((value, other) => {
      const correlation = one === other ? 1 : value / ((deviations[one] ?? NaN) * (deviations[other] ?? NaN));
      return Math.sqrt(Math.max(0, 1 - correlation) / 2);
    }),
  );
  const between = distances.map((one) =>
    Float64Array.from(distances, (other) => Math.sqrt(one.reduce((sum, value, row) => sum + (value - (other[row] ?? NaN)) ** 2, 0))),
  );
  const weights = new Float64Array(size).fill(1);
  const halve = (assets: readonly number[]): void => {
    if (assets.length < 2) return;
    const middle = Math.floor(assets.length / 2);
    const [left, right] = [assets.slice(0, middle), assets.slice(middle)];
    const [one, other] = [clusterVariance(left, covariance), clusterVariance(right, covariance)];
    for (const asset of left) weights[asset] = ((weights[asset] ?? NaN) * other) / (one + other);
    for (const asset of right) weights[asset] = ((weights[asset] ?? NaN) * one) / (one + other);
    halve(left);
    halve(right);
  };
  halve(singleLinkageOrder(between));
  return weights;
}

/** Of assets weighted by the inverse of their variance. */
function clusterVariance(assets: readonly number[], covariance: SymmetricMatrix): number {
  const inverse = assets.map((asset) => 1 / (covariance[asset]?.[asset] ?? NaN));
  const sum = inverse.reduce((total, value) => total + value, 0);
  let variance = 0;
  for (const [one, asset] of assets.entries()) {
    for (const [other, beside] of assets.entries()) {
      variance += (((inverse[one] ?? NaN) * (inverse[other] ?? NaN)) / sum ** 2) * (covariance[asset]?.[beside] ?? NaN);
    }
  }
  return variance;
}

interface Cluster {
  /** Assets are numbered first, then clusters as they were made. */
  readonly id: number;
  readonly leaves: readonly number[];
}

/** The leaves of the tree from left to right; at each branch the cluster that was there first is on the left, as in scipy. */
function singleLinkageOrder(distances: SymmetricMatrix): readonly number[] {
  let clusters: Cluster[] = distances.map((_, asset) => ({ id: asset, leaves: [asset] }));
  const between = (one: Cluster, other: Cluster): number =>
    Math.min(...one.leaves.map((left) => Math.min(...other.leaves.map((right) => distances[left]?.[right] ?? NaN))));
  for (let id = distances.length; clusters.length > 1; id++) {
    let closest = Infinity;
    let pair: readonly [Cluster, Cluster] | undefined;
    for (const [place, one] of clusters.entries()) {
      for (const other of clusters.slice(place + 1)) {
        const distance = between(one, other);
        if (distance < closest) [closest, pair] = [distance, [one, other]];
      }
    }
    if (pair === undefined) throw new RangeError('distances that are no numbers, expected a covariance of numbers');
    const [left, right] = pair[0].id < pair[1].id ? pair : [pair[1], pair[0]];
    clusters = [...clusters.filter((each) => each !== left && each !== right), { id, leaves: [...left.leaves, ...right.leaves] }];
  }
  return clusters[0]?.leaves ?? [];
}
