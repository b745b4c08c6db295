import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { symmetricEigen } from './symmetric-eigen.ts';

test('eigenvectors are orthonormal, and give the matrix back with their values', () => {
  const size = fc.integer({ min: 1, max: 8 });
  const matrix = size.chain((n) =>
    fc.tuple(fc.constant(n), fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n * n, maxLength: n * n })),
  );
  fc.assert(
    fc.property(matrix, ([n, numbers]) => {
      const at = (row: number, column: number): number => numbers[Math.min(row, column) * n + Math.max(row, column)] ?? NaN;
      const { values, vectors } = symmetricEigen(Float64Array.from(numbers), n);
      for (let row = 0; row < n; row++) {
        for (let column = 0; column < n; column++) {
          let back = 0;
          let product = 0;
          for (let axis = 0; axis < n; axis++) {
            back += (vectors[row * n + axis] ?? NaN) * (values[axis] ?? NaN) * (vectors[column * n + axis] ?? NaN);
            product += (vectors[axis * n + row] ?? NaN) * (vectors[axis * n + column] ?? NaN);
          }
          assert.ok(Math.abs(back - at(row, column)) < 1e-11, `${back} at ${row}, ${column}, expected ${at(row, column)}`);
          assert.ok(Math.abs(product - Number(row === column)) < 1e-12);
        }
      }
    }),
    { numRuns: 200, seed: 4 },
  );
});

test('a matrix known from the textbook', () => {
  const { values } = symmetricEigen(Float64Array.of(2, -1, 0, 0, 2, -1, 0, 0, 2), 3);
  const expected = [2 - Math.SQRT2, 2, 2 + Math.SQRT2];
  assert.ok(values.toSorted().every((value, index) => Math.abs(value - (expected[index] ?? NaN)) < 1e-14));
});
