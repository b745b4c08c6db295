// The values themselves are held to fifty digits in test/golden/overfitting.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalDistribution } from './normal-distribution.ts';
import { normalQuantile } from './random.ts';

test('it takes back what the quantile does', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 0.5, noNaN: true }), (probability) => {
      const found = normalDistribution(normalQuantile(probability));
      // The last digits of a quantile of -37 move its probability by 37 squared as much.
      assert.ok(Math.abs(found - probability) <= 1e-12 * probability, `${probability} came back as ${found}`);
    }),
  );
});

test('both sides sum to one, and it never falls', () => {
  fc.assert(
    fc.property(fc.double({ min: -40, max: 40, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (x, step) => {
      assert.ok(Math.abs(normalDistribution(x) + normalDistribution(-x) - 1) <= 1e-15);
      assert.ok(normalDistribution(x + step) >= normalDistribution(x) * (1 - 1e-15));
    }),
  );
});

test('the ends, the middle and what is no number', () => {
  assert.deepEqual([-Infinity, -38, 0, 38, Infinity].map(normalDistribution), [0, 0, 0.5, 1, 1]);
  assert.ok(Number.isNaN(normalDistribution(NaN)));
});
