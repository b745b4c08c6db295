// What scikit-learn, skfolio, riskfolio-lib, PyPortfolioOpt and scipy say of the same returns. See portfolio-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { bayesSteinMeans, ledoitWolf, sampleCovariance } from '../../src/quant/covariance.ts';
import { hierarchicalWeights, meanVarianceWeights, minimumVarianceWeights, riskParityWeights } from '../../src/quant/portfolio-weights.ts';

const numbers = z.array(z.number());
const matrix = z.array(numbers);
const golden = z
  .object({
    columns: matrix,
    sample: matrix,
    ledoitWolf: z.object({ shrinkage: z.number(), covariance: matrix }),
    fewRows: z.object({ rows: z.number(), shrinkage: z.number(), covariance: matrix }),
    bayesStein: numbers,
    minimumVariance: numbers,
    meanVariance: z.array(z.object({ aversion: z.number(), weights: numbers })),
    riskParity: numbers,
    budgets: numbers,
    riskBudgets: numbers,
    hierarchical: numbers,
  })
  .parse(JSON.parse(readFileSync(new URL('portfolio.json', import.meta.url), 'utf8')));

function assertNear(found: ArrayLike<number>, wanted: readonly number[], what: string, tolerance: number): void {
  assert.equal(found.length, wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  wanted.forEach((value, index) =>
    assert.ok(
      Math.abs((found[index] ?? NaN) - value) <= tolerance * scale,
      `${what} ${index} was ${found[index]}, the witness says ${value}`,
    ),
  );
}

const { covariance, shrinkage } = ledoitWolf(golden.columns);

test("covariances are scikit-learn's, shrunk and not, of many rows and of fewer rows than columns", () => {
  sampleCovariance(golden.columns).forEach((row, index) => assertNear(row, golden.sample[index] ?? [], `sample row ${index}`, 1e-12));
  assertNear([shrinkage], [golden.ledoitWolf.shrinkage], 'shrinkage', 1e-11);
  covariance.forEach((row, index) => assertNear(row, golden.ledoitWolf.covariance[index] ?? [], `row ${index}`, 1e-12));
  const few = ledoitWolf(golden.columns.map((column) => column.slice(0, golden.fewRows.rows)));
  assertNear([few.shrinkage], [golden.fewRows.shrinkage], 'shrinkage of few rows', 1e-11);
  few.covariance.forEach((row, index) => assertNear(row, golden.fewRows.covariance[index] ?? [], `row ${index} of few`, 1e-12));
});

test("Bayes-Stein means are skfolio's", () => {
  assertNear(bayesSteinMeans(golden.columns, covariance).means, golden.bayesStein, 'mean', 1e-10);
});

test("weights are those of the witnesses' programs", () => {
  assertNear(minimumVarianceWeights(covariance), golden.minimumVariance, 'lowest variance', 1e-6);
  const { means } = bayesSteinMeans(golden.columns, covariance);
  for (const { aversion, weights } of golden.meanVariance) {
    assertNear(meanVarianceWeights(means, covariance, aversion), weights, `utility of ${aversion}`, 1e-5);
  }
  assertNear(riskParityWeights(covariance), golden.riskParity, 'risk parity', 1e-6);
  assertNear(riskParityWeights(covariance, golden.budgets), golden.riskBudgets, 'risk budgets', 1e-6);
  assertNear(hierarchicalWeights(covariance), golden.hierarchical, 'hierarchical', 1e-11);
});
