// What statsmodels, hmmlearn and arch say of the same columns. See regime-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { fitGarch, GarchVariance } from '../../src/quant/garch.ts';
import { fitGaussianHmm, refineHmm, RegimeFilter, type GaussianHmm } from '../../src/quant/hidden-markov.ts';

const numbers = z.array(z.number());
const matrix = z.array(numbers);
const model = z.object({ initial: numbers, transition: matrix, means: matrix, variances: matrix });
const fitted = model.extend({ logLikelihood: z.number() });
const golden = z
  .object({
    first: numbers,
    second: numbers,
    hamilton: fitted.extend({ rows: numbers, filtered: matrix }),
    expectation: z.object({ start: model, afterFive: fitted, end: fitted }),
    garch: z.object({
      values: numbers,
      mean: z.number(),
      omega: z.number(),
      alpha: z.number(),
      beta: z.number(),
      startVariance: z.number(),
      logLikelihood: z.number(),
      rows: numbers,
      variances: numbers,
      forecast: numbers,
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('regime.json', import.meta.url), 'utf8')));

function assertNear(found: number, wanted: number, what: string, tolerance: number): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.abs(wanted), `${what} was ${found}, the witness says ${wanted}`);
}

function made({ initial, transition, means, variances }: z.infer<typeof model>): GaussianHmm {
  const rows = (all: readonly number[][]): Float64Array[] => all.map((row) => Float64Array.from(row));
  return { initial: Float64Array.from(initial), transition: rows(transition), means: rows(means), variances: rows(variances) };
}

function calmestFirst({ initial, transition, means, variances }: z.infer<typeof model>): GaussianHmm {
  const order = initial.map((_, state) => state).sort((one, other) => (variances[one]?.[0] ?? NaN) - (variances[other]?.[0] ?? NaN));
  const pick = <T>(all: readonly T[]): T[] => order.flatMap((state) => all[state] ?? []);
  const rows = (all: readonly number[][]): number[][] => order.map((state) => all[state] ?? []);
  return made({ initial: pick(initial), transition: rows(transition).map(pick), means: rows(means), variances: rows(variances) });
}

function assertModel(found: GaussianHmm, wanted: GaussianHmm, tolerance: number): void {
  for (const key of ['transition', 'means', 'variances'] as const) {
    wanted[key].forEach((row, state) =>
      row.forEach((value, place) => {
        const own = found[key][state]?.[place] ?? NaN;
        assert.ok(
          Math.abs(own - value) <= tolerance * Math.max(Math.abs(value), 1e-3),
          `${key} ${state} ${place} was ${own}, expected ${value}`,
        );
      }),
    );
  }
}

test("filtered probabilities and likelihood are those of statsmodels' Hamilton filter", () => {
  const { rows, filtered, logLikelihood } = golden.hamilton;
  const filter = new RegimeFilter(made(golden.hamilton));
  let total = 0;
  golden.first.forEach((value, row) => {
    filter.push([value]);
    total += filter.logDensity;
    const wanted = filtered[rows.indexOf(row)];
    wanted?.forEach((probability, state) =>
      assertNear(filter.probabilities[state] ?? NaN, probability, `state ${state} of row ${row}`, 1e-9),
    );
  });
  assertNear(total, logLikelihood, 'log likelihood', 1e-10);
});

test('the fit of two regimes is at least as likely as that of statsmodels, which begins where its chain is at rest', () => {
  const { logLikelihood, model: own } = fitGaussianHmm([golden.first], { states: 2, seed: 1, randomStarts: 4 });
  // With the first state free as well it may gain the logarithm of that state's probability at rest.
  assert.ok(logLikelihood >= golden.hamilton.logLikelihood && logLikelihood < golden.hamilton.logLikelihood + 1, `${logLikelihood}`);
  assertModel(own, calmestFirst(golden.hamilton), 0.15);
});

test("a step of expectation and maximisation is hmmlearn's, after five and at the end", () => {
  const columns = [golden.first, golden.second];
  const { start, afterFive, end } = golden.expectation;
  const five = refineHmm(columns, made(start), 5);
  assert.equal(five.iterations, 5);
  assertNear(five.logLikelihood, afterFive.logLikelihood, 'log likelihood after five', 1e-11);
  assertModel(five.model, calmestFirst(afterFive), 1e-8);
  const last = refineHmm(columns, made(start), 3000);
  assert.ok(last.hasConverged);
  assertNear(last.logLikelihood, end.logLikelihood, 'log likelihood at the end', 1e-6);
  // It never was the best of them: other beginnings find a higher hill.
  assert.ok(fitGaussianHmm(columns, { states: 3, seed: 1, randomStarts: 8 }).logLikelihood >= end.logLikelihood - 1e-4);
});

test("variances, forecasts, likelihood and estimates of GARCH(1,1) are arch's", () => {
  const { values, rows, variances, forecast, logLikelihood, ...wanted } = golden.garch;
  const filter = new GarchVariance(wanted);
  let total = 0;
  values.forEach((value, row) => {
    const expected = variances[rows.indexOf(row)];
    if (expected !== undefined) assertNear(filter.variance, expected, `variance of row ${row}`, 1e-10);
    filter.push(value);
    total += filter.logDensity;
  });
  assertNear(total, logLikelihood, 'log likelihood', 1e-11);
  filter.forecast(5).forEach((value, step) => assertNear(value, forecast[step] ?? NaN, `forecast ${step}`, 1e-9));
  const found = fitGarch(values);
  assertNear(found.logLikelihood, logLikelihood, 'log likelihood of the fit', 1e-10);
  assertNear(found.model.startVariance, wanted.startVariance, 'backcast', 1e-10);
  for (const key of ['mean', 'omega', 'alpha', 'beta'] as const) assertNear(found.model[key], wanted[key], key, 2e-4);
  assertNear(found.persistence, wanted.alpha + wanted.beta, 'persistence', 1e-5);
});
