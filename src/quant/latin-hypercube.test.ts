import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { latinHypercube } from './latin-hypercube.ts';
import { Random } from './random.ts';

test('along each axis every interval has exactly one point', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6 }), fc.nat(), (points, dimensions, seed) => {
      const sample = latinHypercube(points, dimensions, new Random(seed));
      for (let axis = 0; axis < dimensions; axis++) {
        const intervals = sample.map((point) => Math.floor((point[axis] ?? NaN) * points));
        assert.deepEqual(
          intervals.toSorted((one, other) => one - other),
          Array.from({ length: points }, (_, index) => index),
        );
      }
    }),
    { numRuns: 100, seed: 5 },
  );
});

test('axes do not follow each other, and a seed is a sample', () => {
  const sample = latinHypercube(2_000, 2, new Random(3));
  const product = sample.reduce((sum, [x = NaN, y = NaN]) => sum + (x - 0.5) * (y - 0.5), 0) / (2_000 / 12);
  assert.ok(Math.abs(product) < 0.08, `correlation ${product}`);
  assert.deepEqual(latinHypercube(2_000, 2, new Random(3)), sample);
});
