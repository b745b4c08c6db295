// What statsmodels, filterpy and numpy say of the same columns. See hedge-golden.py; and the golden values of the shared folder.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { fitKalmanHedge, KalmanHedge } from '../../src/quant/kalman-hedge.ts';
import { totalLeastSquares } from '../../src/quant/total-least-squares.ts';
import { needs, sharedPath } from '../support/needs.ts';

const state = z.object({
  row: z.number(),
  slope: z.number(),
  intercept: z.number(),
  slopeVariance: z.number(),
  interceptVariance: z.number(),
  innovation: z.number(),
  innovationVariance: z.number(),
});
const triple = z.tuple([z.number(), z.number(), z.number()]);
const golden = z
  .object({
    x: z.array(z.number()),
    y: z.array(z.number()),
    known: z.object({
      variances: triple,
      prior: z.object({ slope: z.number(), intercept: z.number(), slopeVariance: z.number(), interceptVariance: z.number() }),
      rows: z.array(state),
      logLikelihood: z.number(),
    }),
    fitted: z.object({ variances: triple, logLikelihood: z.number() }),
    totalLeastSquares: z.object({ slope: z.number(), intercept: z.number(), squares: z.number() }),
  })
  .parse(JSON.parse(readFileSync(new URL('hedge.json', import.meta.url), 'utf8')));

function assertNear(found: number, wanted: number, what: string, tolerance: number): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.abs(wanted), `${what} was ${found}, the witness says ${wanted}`);
}

test('the filter has the states, innovations and likelihood of statsmodels and filterpy', () => {
  const { variances, prior, rows, logLikelihood } = golden.known;
  const filter = new KalmanHedge({ slope: variances[0], intercept: variances[1], noise: variances[2] }, prior);
  let total = 0;
  golden.x.forEach((x, row) => {
    filter.push(x, golden.y[row] ?? NaN);
    total += filter.logDensity;
    const wanted = rows.find((each) => each.row === row);
    if (wanted === undefined) return;
    for (const key of ['slope', 'intercept', 'slopeVariance', 'interceptVariance', 'innovation', 'innovationVariance'] as const) {
      assertNear(filter[key], wanted[key], `${key} of row ${row}`, 1e-9);
    }
  });
  assertNear(total, logLikelihood, 'log likelihood', 1e-11);
});

test('the variances of highest likelihood are those that scipy finds on the likelihood of statsmodels', () => {
  const { variances, logLikelihood } = fitKalmanHedge(golden.x, golden.y);
  // Some digits of a variance of 1e7 are lost in both.
  assertNear(logLikelihood, golden.fitted.logLikelihood, 'log likelihood', 1e-8);
  assertNear(variances.slope, golden.fitted.variances[0], 'variance of the slope', 1e-4);
  assertNear(variances.intercept, golden.fitted.variances[1], 'variance of the intercept', 1e-2);
  assertNear(variances.noise, golden.fitted.variances[2], 'variance of the noise', 1e-4);
});

test("total least squares is numpy's singular vector", () => {
  const { slope, intercept, distances } = totalLeastSquares(golden.x, golden.y);
  assertNear(slope, golden.totalLeastSquares.slope, 'slope', 1e-12);
  assertNear(intercept, golden.totalLeastSquares.intercept, 'intercept', 1e-12);
  assertNear(
    distances.reduce((sum, distance) => sum + distance ** 2, 0),
    golden.totalLeastSquares.squares,
    'squared distances',
    1e-10,
  );
});

test("Chan's hedge ratio of the shared golden values is reproduced", { skip: needs('shared data') }, () => {
  const { kalman_chan: wanted } = z
    .object({ kalman_chan: z.object({ beta_T: z.number(), alpha_T: z.number(), e_T: z.number(), Q_T: z.number() }) })
    .parse(JSON.parse(readFileSync(sharedPath('golden/golden.json'), 'utf8')));
  // The generator that its README describes.
  let word = 12_345;
  const deviate = (): number => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) {
      word = (Math.imul(1_664_525, word) + 1_013_904_223) >>> 0;
      sum += (word + 0.5) / 4_294_967_296;
    }
    return sum;
  };
  const drift = 1e-4 / (1 - 1e-4);
  const filter = new KalmanHedge(
    { slope: drift, intercept: drift, noise: 1e-3 },
    { slope: 0, intercept: 0, slopeVariance: 0, interceptVariance: 0 },
  );
  let [leader, rest] = [9, 0];
  for (let row = 0; row < 500; row++) {
    leader += 0.02 * deviate();
    rest = 0.9 * rest + 0.01 * deviate();
    filter.push(leader, 0.5 + 1.2 * leader + rest);
  }
  assertNear(filter.slope, wanted.beta_T, 'slope', 1e-12);
  assertNear(filter.intercept, wanted.alpha_T, 'intercept', 1e-11);
  assertNear(filter.innovation, wanted.e_T, 'innovation', 1e-10);
  assertNear(filter.innovationVariance, wanted.Q_T, 'variance of the innovation', 1e-12);
});
