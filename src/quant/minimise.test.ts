import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { minimise, minimiseWithin } from './minimise.ts';

test('the bottom of a curved valley is found (Rosenbrock, 1960), and that of one that is walled in', () => {
  const valley = minimise(([x = NaN, y = NaN]) => (1 - x) ** 2 + 100 * (y - x * x) ** 2, [-1.2, 1], [0.5, 0.5]);
  assert.ok(Math.hypot((valley.at[0] ?? NaN) - 1, (valley.at[1] ?? NaN) - 1) < 1e-6, valley.at.join());
  const walled = minimise(([x = NaN, y = NaN]) => (x < 0.5 ? NaN : x * x + (y - 3) ** 2), [2, 0], [0.5, 0.5]);
  assert.ok(Math.hypot((walled.at[0] ?? NaN) - 0.5, (walled.at[1] ?? NaN) - 3) < 1e-5, walled.at.join());
  assert.throws(() => minimise(() => NaN, [1], [1]), /the function was NaN at the start/);
  assert.throws(() => minimise(() => 1, [1], []), /0 steps and 1 axes/);
});

test('a bowl of up to five axes has its bottom where it was put', () => {
  const places = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(places, (bottom) => {
      const found = minimise(
        (point) => point.reduce((sum, value, axis) => sum + (axis + 1) * (value - (bottom[axis] ?? NaN)) ** 2, 0),
        bottom.map(() => 0),
        bottom.map(() => 1),
      );
      bottom.forEach((place, axis) =>
        assert.ok(Math.abs((found.at[axis] ?? NaN) - place) < 1e-5, `${found.at.join()} for ${bottom.join()}`),
      );
    }),
    { numRuns: 60 },
  );
});

test('of one variable the place is found to a hundred-millionth, inside and at the edge', () => {
  assert.ok(Math.abs(minimiseWithin((x) => Math.exp(x) - 2 * x, -3, 4).at - Math.LN2) < 1e-7);
  assert.ok(Math.abs(minimiseWithin((x) => x, 1, 2).at - 1) < 1e-6);
  assert.throws(() => minimiseWithin((x) => x, 2, 2), /expected an ascending one/);
});
