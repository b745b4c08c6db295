// Against statsmodels, hmmlearn and arch: test/golden/regime.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { fitGarch, GarchVariance } from './garch.ts';
import { fitGaussianHmm, refineHmm, RegimeFilter } from './hidden-markov.ts';
import { Random } from './random.ts';

/** A calm state that rises and a wild one that falls, and which it was. */
function market(seed: number, rows: number): { readonly returns: Float64Array; readonly state: Uint8Array } {
  const random = new Random(seed);
  const [returns, state] = [new Float64Array(rows), new Uint8Array(rows)];
  let now = 0;
  for (let row = 0; row < rows; row++) {
    if (random.uniform() < (now === 0 ? 0.02 : 0.05)) now = 1 - now;
    state[row] = now;
    returns[row] = now === 0 ? 0.001 + 0.01 * random.normal() : -0.002 + 0.035 * random.normal();
  }
  return { returns, state };
}

test('regimes that were planted are found again, and named from rows that were not fitted on, knowing no row after', (context) => {
  const { returns, state } = market(3, 3000);
  const { model, hasConverged } = fitGaussianHmm([returns.subarray(0, 1500)], { states: 2, seed: 1, randomStarts: 4 });
  assert.ok(hasConverged);
  assert.ok(Math.abs(Math.sqrt(model.variances[0]?.[0] ?? NaN) - 0.01) < 0.001);
  assert.ok(Math.abs(Math.sqrt(model.variances[1]?.[0] ?? NaN) - 0.035) < 0.004);
  assert.ok(Math.abs((model.transition[0]?.[1] ?? NaN) - 0.02) < 0.01);
  const filter = new RegimeFilter(model);
  let right = 0;
  for (let row = 1500; row < 3000; row++) {
    filter.push([returns[row] ?? NaN]);
    if ((filter.probabilities[1] ?? NaN) > 0.5 === (state[row] === 1)) right++;
  }
  context.diagnostic(`regime named rightly in ${((100 * right) / 1500).toFixed(1)} % of the rows out of sample`);
  assert.ok(right / 1500 > 0.9);
});

test('the number of states is where the BIC is lowest', () => {
  const { returns } = market(4, 1000);
  const criteria = [1, 2, 3].map((states) => fitGaussianHmm([returns], { states, seed: 1, randomStarts: 1 }).bic);
  assert.equal(criteria.indexOf(Math.min(...criteria)), 1, criteria.join());
});

test('no step of the fit is downhill, probabilities sum to 1, and the same seed gives the same digits', () => {
  const { returns } = market(5, 250);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.nat(1000), (states, seed) => {
      const fit = fitGaussianHmm([returns], { states, seed, randomStarts: 1 });
      assert.deepEqual(fitGaussianHmm([returns], { states, seed, randomStarts: 1 }), fit);
      assert.ok(refineHmm([returns], fit.model, 1).logLikelihood >= fit.logLikelihood - 1e-7);
      for (const row of [fit.model.initial, ...fit.model.transition]) {
        assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-9);
      }
      const filter = new RegimeFilter(fit.model);
      for (const value of returns) {
        filter.push([value]);
        assert.ok(Math.abs(filter.probabilities.reduce((sum, each) => sum + each, 0) - 1) < 1e-9);
      }
    }),
    { numRuns: 6 },
  );
});

test('filters that were saved go on as if they had not been; a return beyond all belief leaves them numbers', () => {
  const { returns } = market(6, 300);
  const { model } = fitGaussianHmm([returns], { states: 2, seed: 1, randomStarts: 0 });
  const garch = { mean: 0, omega: 1e-5, alpha: 0.1, beta: 0.85, startVariance: 1e-4 };
  const [regime, volatility] = [new RegimeFilter(model), new GarchVariance(garch)];
  returns.subarray(0, 150).forEach((value) => {
    regime.push([value]);
    volatility.push(value);
  });
  const out = new ByteWriter();
  regime.save(out);
  volatility.save(out);
  const from = new ByteReader(out.view());
  const [again, againVolatility] = [new RegimeFilter(model), new GarchVariance(garch)];
  again.restore(from);
  againVolatility.restore(from);
  for (const value of [...returns.subarray(150), -8]) {
    for (const each of [regime, again]) each.push([value]);
    for (const each of [volatility, againVolatility]) each.push(value);
    assert.deepEqual(again.probabilities, regime.probabilities);
    assert.equal(againVolatility.variance, volatility.variance);
  }
  assert.ok((regime.probabilities[1] ?? NaN) > 0.99 && Number.isFinite(regime.logDensity));
});

test('a state that cannot be does not drown those that can, and one that no row is in keeps what it had', () => {
  const model = {
    initial: Float64Array.of(1, 0),
    transition: [Float64Array.of(1, 0), Float64Array.of(0.5, 0.5)],
    means: [Float64Array.of(0), Float64Array.of(100)],
    variances: [Float64Array.of(1e-4), Float64Array.of(1e-4)],
  };
  const filter = new RegimeFilter(model);
  for (const value of [0, 100, 0]) filter.push([value]);
  assert.deepEqual(Array.from(filter.probabilities), [1, 0]);
  assert.ok(Number.isFinite(filter.logDensity));
  const { model: refined, logLikelihood } = refineHmm([market(8, 200).returns], model);
  assert.ok(Number.isFinite(logLikelihood));
  assert.ok(refined.means.some(([mean]) => mean === 100));
});

test('GARCH finds its own parameters, and its forecast goes from this variance to that of the long run', () => {
  const random = new Random(9);
  const truth = { mean: 0.0002, omega: 4e-6, alpha: 0.08, beta: 0.9, startVariance: 2e-4 };
  const source = new GarchVariance(truth);
  const returns = Float64Array.from({ length: 6000 }, () => {
    const value = truth.mean + Math.sqrt(source.variance) * random.normal();
    source.push(value);
    return value;
  });
  const { model, persistence, longRunVariance } = fitGarch(returns);
  assert.ok(Math.abs(model.alpha - 0.08) < 0.02 && Math.abs(model.beta - 0.9) < 0.03, `${model.alpha} ${model.beta}`);
  assert.ok(Math.abs(persistence - 0.98) < 0.015 && Math.abs(longRunVariance / 2e-4 - 1) < 0.3);
  const filter = new GarchVariance(model);
  returns.forEach((value) => filter.push(value));
  const forecast = filter.forecast(4000);
  assert.equal(forecast[0], filter.variance);
  assert.ok(Math.abs((forecast.at(-1) ?? NaN) / longRunVariance - 1) < 1e-6);
  // A unit is a unit.
  const scaled = fitGarch(returns.map((value) => 1000 * value));
  assert.ok(Math.abs(scaled.model.alpha - model.alpha) < 1e-6 && Math.abs(scaled.model.omega / model.omega / 1e6 - 1) < 1e-5);
});

test('too few rows, and rows that do not vary, are refused', () => {
  const flat = new Float64Array(100);
  assert.throws(() => fitGaussianHmm([flat], { states: 2, seed: 1, randomStarts: 0 }), /does not vary/);
  assert.throws(() => fitGaussianHmm([flat.subarray(0, 15)], { states: 2, seed: 1, randomStarts: 0 }), /15 rows for 2 states/);
  assert.throws(() => fitGarch(flat), /variance of 0/);
  assert.throws(() => fitGarch([1, 2]), /2 returns/);
});
