// Against statsmodels: test/golden/cointegration.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dot, leastSquares, orthogonalise } from './linear-model.ts';
import { Random } from './random.ts';

test('the basis is orthonormal, and mixed as it says it is the columns again', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 6 }), (seed, width, decades) => {
      const random = new Random(seed);
      // Columns that nearly repeat the first.
      const first = Float64Array.from({ length: 40 }, () => random.normal());
      const columns = Array.from({ length: width }, (_, index) =>
        index === 0 ? first : first.map((value) => value + 10 ** -decades * random.normal()),
      );
      const { basis, mix } = orthogonalise(columns);
      basis.forEach((one, index) => {
        basis.forEach((other, place) => assert.ok(Math.abs(dot(one, other) - (index === place ? 1 : 0)) < 1e-13));
      });
      columns.forEach((column, index) => {
        column.forEach((value, row) => {
          const again = basis.reduce((sum, direction, place) => sum + (mix[index]?.[place] ?? 0) * (direction[row] ?? NaN), 0);
          assert.ok(Math.abs(again - value) < 1e-12 * (1 + Math.abs(value)));
        });
      });
    }),
    { numRuns: 50 },
  );
});

test('residuals are at right angles to every column', () => {
  const random = new Random(4);
  const columns = Array.from({ length: 4 }, () => Float64Array.from({ length: 60 }, () => random.normal()));
  const { residuals, freedom } = leastSquares(
    Float64Array.from({ length: 60 }, () => random.normal()),
    columns,
  );
  for (const column of columns) assert.ok(Math.abs(dot(residuals, column)) < 1e-12);
  assert.equal(freedom, 56);
});

test('a column that repeats others, and too few rows, are refused', () => {
  const column = Float64Array.of(1, 2, 3, 4);
  assert.throws(() => leastSquares(column, [column, column.map((value) => 3 * value)]), /column 1 repeats those before it/);
  assert.throws(() => leastSquares(column, [new Float64Array(4)]), /column 0 repeats/);
  assert.throws(() => leastSquares(column, [column, column, column, column]), /4 rows and 4 columns/);
});
