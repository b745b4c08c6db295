// The values themselves are held to scipy and to the papers in test/golden/overfitting.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../quant/random.ts';
import { deflatedSharpe, expectedMaximum, minimumTrackRecord, probabilisticSharpe, sharpeSample } from './sharpe-ratio.ts';

const sample = fc
  .record({
    sharpe: fc.double({ min: 0.02, max: 1, noNaN: true }),
    skewness: fc.double({ min: -3, max: 3, noNaN: true }),
    more: fc.nat(20),
  })
  .map(({ sharpe, skewness, more }) => ({ sharpe, skewness, kurtosis: 1 + skewness ** 2 + more }));

test('a track record of the minimum length is just as probable as was asked for', () => {
  fc.assert(
    fc.property(sample, fc.double({ min: 0.001, max: 0.3, noNaN: true }), (moments, significance) => {
      const observations = minimumTrackRecord(moments, 0.01, significance);
      assert.ok(Math.abs(probabilisticSharpe({ ...moments, observations }, 0.01) - (1 - significance)) < 1e-9);
    }),
  );
});

test('negative skewness and heavy tails make a Sharpe ratio less probable, a longer sample more', () => {
  const plain = { sharpe: 0.1, skewness: 0, kurtosis: 3, observations: 250 };
  const worth = probabilisticSharpe(plain);
  assert.ok(probabilisticSharpe({ ...plain, skewness: -1 }) < worth);
  assert.ok(probabilisticSharpe({ ...plain, kurtosis: 12 }) < worth);
  assert.ok(probabilisticSharpe({ ...plain, observations: 500 }) > worth);
  assert.equal(probabilisticSharpe(plain, 0.1), 0.5);
});

test('what is not above the benchmark needs forever', () => {
  assert.equal(minimumTrackRecord({ sharpe: 0.1, skewness: 0, kurtosis: 3 }, 0.1), Infinity);
  assert.equal(minimumTrackRecord({ sharpe: -0.1, skewness: 0, kurtosis: 3 }), Infinity);
});

test('one trial deflates nothing, and each further one does', () => {
  const found = sharpeSample(Float64Array.from({ length: 300 }, (_, index) => 0.001 + 0.01 * Math.sin(index * index)));
  const probabilities = [1, 2, 10, 100, 10_000].map((count) => deflatedSharpe(found, { count, variance: 0.002 }).probability);
  assert.equal(probabilities[0], probabilisticSharpe(found));
  assert.deepEqual(
    probabilities,
    probabilities.toSorted((one, other) => other - one),
  );
  assert.throws(() => expectedMaximum(0), /0 draws/);
});

test('the expected maximum is what simulation gives', () => {
  const random = new Random(3);
  for (const draws of [5, 50]) {
    let sum = 0;
    for (let round = 0; round < 20_000; round++) {
      let highest = -Infinity;
      for (let draw = 0; draw < draws; draw++) highest = Math.max(highest, random.normal());
      sum += highest;
    }
    // The limit is not exact for so few: 2 % off at five draws.
    assert.ok(Math.abs(sum / 20_000 / expectedMaximum(draws) - 1) < 0.04, `${draws}: ${sum / 20_000}`);
  }
});

test('of returns without spread nothing can be said', () => {
  assert.ok(Number.isNaN(probabilisticSharpe(sharpeSample(new Float64Array(50)))));
});
