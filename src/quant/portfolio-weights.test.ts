// Against skfolio, riskfolio-lib and PyPortfolioOpt: test/golden/portfolio.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bayesSteinMeans, cholesky, ledoitWolf, sampleCovariance, solve, type SymmetricMatrix } from './covariance.ts';
import { dot } from './linear-model.ts';
import { hierarchicalWeights, meanVarianceWeights, minimumVarianceWeights, riskParityWeights } from './portfolio-weights.ts';
import { Random } from './random.ts';

/** Columns that share a market, each with a volatility of its own. */
function returns(seed: number, size: number, rows: number): Float64Array[] {
  const random = new Random(seed);
  const columns = Array.from({ length: size }, () => new Float64Array(rows));
  const scales = columns.map(() => 0.2 + random.uniform());
  for (let row = 0; row < rows; row++) {
    const market = random.normal();
    columns.forEach((column, asset) => (column[row] = 0.01 * (scales[asset] ?? NaN) * (0.7 * market + random.normal())));
  }
  return columns;
}

const sizes = fc.record({ seed: fc.nat(1_000_000), size: fc.integer({ min: 1, max: 9 }) });

function varianceOf(weights: Float64Array, covariance: SymmetricMatrix): number {
  return covariance.reduce((sum, row, asset) => sum + (weights[asset] ?? NaN) * dot(row, weights), 0);
}

test('weights are from 0 to 1 and sum to 1, do not depend on the unit, and turn with the order of the assets', () => {
  const methods = [minimumVarianceWeights, riskParityWeights, hierarchicalWeights] as const;
  fc.assert(
    fc.property(sizes, ({ seed, size }) => {
      const covariance = sampleCovariance(returns(seed, size, 60));
      for (const method of methods) {
        const weights = method(covariance);
        assert.ok(weights.every((weight) => weight >= 0 && weight <= 1 + 1e-12));
        assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12);
        const scaled = method(covariance.map((row) => row.map((value) => 1e4 * value)));
        weights.forEach((weight, asset) => assert.ok(Math.abs(weight - (scaled[asset] ?? NaN)) < 1e-9));
        // The halves of the hierarchy depend on which side is left.
        if (method === hierarchicalWeights) continue;
        const turned = method([...covariance].toReversed().map((row) => row.toReversed()));
        weights.forEach((weight, asset) => assert.ok(Math.abs(weight - (turned[size - 1 - asset] ?? NaN)) < 1e-9));
      }
    }),
    { numRuns: 60 },
  );
});

test('nobody finds better: no shift between two assets lowers the variance or raises the utility', () => {
  fc.assert(
    fc.property(sizes, fc.double({ min: 0.5, max: 20, noNaN: true }), ({ seed, size }, aversion) => {
      const columns = returns(seed, size, 80);
      const { covariance } = ledoitWolf(columns);
      const { means } = bayesSteinMeans(columns, covariance);
      const utility = (weights: Float64Array): number => dot(means, weights) - (aversion / 2) * varianceOf(weights, covariance);
      const [best, lowest] = [meanVarianceWeights(means, covariance, aversion), minimumVarianceWeights(covariance)];
      for (let from = 0; from < size; from++) {
        for (let to = 0; to < size; to++) {
          const shifted = (weights: Float64Array): Float64Array => {
            const moved = Float64Array.from(weights);
            const part = Math.min(1e-3, moved[from] ?? 0);
            moved[from] = (moved[from] ?? NaN) - part;
            moved[to] = (moved[to] ?? NaN) + part;
            return moved;
          };
          assert.ok(utility(shifted(best)) <= utility(best) + 1e-12);
          assert.ok(varianceOf(shifted(lowest), covariance) >= varianceOf(lowest, covariance) - 1e-14);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('parts of the risk are as the budgets say', () => {
  fc.assert(
    fc.property(sizes, ({ seed, size }) => {
      const covariance = sampleCovariance(returns(seed, size, 60));
      const budgets = Float64Array.from({ length: size }, (_, asset) => 1 + asset);
      const weights = riskParityWeights(covariance, budgets);
      const total = budgets.reduce((sum, budget) => sum + budget, 0);
      covariance.forEach((row, asset) => {
        const part = ((weights[asset] ?? NaN) * dot(row, weights)) / varianceOf(weights, covariance);
        assert.ok(Math.abs(part - (budgets[asset] ?? NaN) / total) < 1e-10);
      });
    }),
    { numRuns: 40 },
  );
});

test('shrinking brings a covariance closer to the true one and can be inverted; weights without short positions need it less', (context) => {
  let [shrunk, plain] = [0, 0];
  let [shrunkVariance, plainVariance] = [0, 0];
  for (let seed = 1; seed <= 30; seed++) {
    const columns = returns(seed, 12, 4018);
    const [before, after] = [columns.map((column) => column.subarray(0, 18)), columns.map((column) => column.subarray(18))];
    const truth = sampleCovariance(after);
    const errorOf = (found: SymmetricMatrix): number =>
      found.reduce((sum, row, one) => sum + row.reduce((part, value, other) => part + (value - (truth[one]?.[other] ?? NaN)) ** 2, 0), 0);
    const [drawn, sample] = [ledoitWolf(before).covariance, sampleCovariance(before)];
    shrunk += errorOf(drawn);
    plain += errorOf(sample);
    shrunkVariance += varianceOf(minimumVarianceWeights(drawn), truth);
    plainVariance += varianceOf(minimumVarianceWeights(sample), truth);
  }
  context.diagnostic(`12 assets, 18 rows: squared error ${((100 * shrunk) / plain).toFixed(1)} % of the sample's`);
  context.diagnostic(
    `lowest variance without shorts, out of sample: ${((100 * shrunkVariance) / plainVariance).toFixed(1)} % of the sample's`,
  );
  assert.ok(shrunk < 0.9 * plain, `${shrunk / plain}`);
  const few = ledoitWolf(returns(1, 12, 6)).covariance;
  assert.ok(minimumVarianceWeights(few).every(Number.isFinite));
  assert.throws(() => minimumVarianceWeights(sampleCovariance(returns(1, 12, 6))), /not positive definite/);
});

test('a system is solved by its factor; what is wrong is refused', () => {
  fc.assert(
    fc.property(sizes, ({ seed, size }) => {
      const covariance = sampleCovariance(returns(seed, size, 40));
      const right = Float64Array.from({ length: size }, (_, asset) => asset - 2);
      const found = solve(cholesky(covariance), right);
      covariance.forEach((row, asset) => assert.ok(Math.abs(dot(row, found) - (right[asset] ?? NaN)) < 1e-8));
    }),
    { numRuns: 40 },
  );
  assert.throws(() => ledoitWolf([[1, 2], [1]]), /one length of at least 2/);
  const unit = [Float64Array.of(1)];
  assert.throws(() => meanVarianceWeights([1, 2], unit, 1), /2 means and 1 rows/);
  assert.throws(() => meanVarianceWeights([1], unit, 0), /risk aversion 0/);
  assert.throws(() => riskParityWeights(unit, [0]), /expected 1 above 0/);
  assert.throws(() => hierarchicalWeights([Float64Array.of(0)]), /not above 0/);
});
