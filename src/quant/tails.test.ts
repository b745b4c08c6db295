import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cornishFisherTail, omegaRatio, quantile, sampleTail, tailRatio, WORST_HUNDREDTH, WORST_TWENTIETH } from './tails.ts';

const near = (actual: number | undefined, expected: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

const NORMAL = { mean: 0.001, standardDeviation: 0.02, skewness: 0, kurtosis: 3 };

test('a quantile lies on a straight line between its neighbours', () => {
  const sorted = [1, 2, 4, 8, 16];
  assert.deepEqual(
    [0, 0.25, 0.3, 1].map((probability) => quantile(sorted, probability)),
    [1, 2, 2.4, 16],
  );
  assert.equal(quantile([7], 0.05), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('the mean of a tail is of what lies in it, its edge included', () => {
  const sorted = Array.from({ length: 101 }, (_, index) => index - 50);
  assert.deepEqual(sampleTail(sorted, WORST_TWENTIETH), { quantile: -45, mean: -47.5 });
  assert.deepEqual(sampleTail(sorted, WORST_HUNDREDTH), { quantile: -49, mean: -49.5 });
});

test('of normal moments the tail is the normal one', () => {
  const tail = cornishFisherTail(NORMAL, WORST_TWENTIETH);
  near(tail?.quantile, 0.001 - 0.02 * 1.6448536269514722);
  near(tail?.mean, 0.001 - 0.02 * 2.062712807507194);
});

test('a heavy tail is worse at one in 100 and milder at one in 20; a skewed one is worse at both', () => {
  const beyond = (kurtosis: number, skewness: number): readonly number[] =>
    [WORST_TWENTIETH, WORST_HUNDREDTH].map((tail) => cornishFisherTail({ ...NORMAL, skewness, kurtosis }, tail)?.quantile ?? NaN);
  const [normal = NaN, normalFar = NaN] = beyond(3, 0);
  const [heavy = NaN, heavyFar = NaN] = beyond(6, 0);
  const [skewed = NaN, skewedFar = NaN] = beyond(4, -0.5);
  assert.ok(heavy > normal && heavyFar < normalFar);
  assert.ok(skewed < normal && skewedFar < normalFar);
});

test('moments that the expansion cannot follow have no tail', () => {
  for (const [skewness, kurtosis] of [
    [-3, 10],
    [0, 1.5],
    [2, 5],
  ] as const) {
    assert.equal(cornishFisherTail({ ...NORMAL, skewness, kurtosis }, WORST_TWENTIETH), undefined);
  }
  assert.equal(cornishFisherTail({ ...NORMAL, skewness: NaN, kurtosis: NaN }, WORST_TWENTIETH), undefined);
});

test('the mean beyond a quantile is never above it', () => {
  const moments = fc.record({
    mean: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    standardDeviation: fc.double({ min: 0.001, max: 1, noNaN: true }),
    skewness: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
    kurtosis: fc.double({ min: 2, max: 12, noNaN: true }),
  });
  fc.assert(
    fc.property(moments, fc.constantFrom(WORST_TWENTIETH, WORST_HUNDREDTH), (each, tail) => {
      const found = cornishFisherTail(each, tail);
      if (found !== undefined) assert.ok(found.mean <= found.quantile);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
      const sorted = Float64Array.from(values).sort();
      const found = sampleTail(sorted, WORST_TWENTIETH);
      assert.ok(found.mean <= found.quantile + 1e-12);
    }),
  );
});

test('gains over losses, and one end over the other', () => {
  assert.equal(omegaRatio([1, -2, 3, 0]), 2);
  assert.equal(omegaRatio([1, 2]), Infinity);
  assert.ok(Number.isNaN(omegaRatio([0, 0])));
  assert.equal(tailRatio(Array.from({ length: 101 }, (_, index) => (index < 50 ? index - 50 : 2 * (index - 50)))), 2);
});
