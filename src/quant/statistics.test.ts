import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';
import { autocorrelation, correlation, halfLife, kurtosis, linearFit, mean, skewness, standardDeviation, variance } from './statistics.ts';

const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

test('moments of a column worked out by hand', () => {
  const values = [2, 4, 4, 4, 5, 5, 7, 9];
  near(mean(values), 5);
  near(variance(values), 4);
  near(standardDeviation(values), 2);
  // Deviations -3, -1, -1, -1, 0, 0, 2, 4: cubes sum to 42, fourth powers to 356.
  near(skewness(values), 42 / 8 / 8);
  near(kurtosis(values), 356 / 8 / 16);
  assert.ok(Number.isNaN(mean([])));
});

test('correlation is 1 with a rising line, -1 with a falling one, and needs equal lengths', () => {
  const values = [1, 2, 4, 8];
  near(
    correlation(
      values,
      values.map((value) => 3 * value + 1),
    ),
    1,
  );
  near(
    correlation(
      values,
      values.map((value) => -value),
    ),
    -1,
  );
  assert.throws(() => correlation([1, 2], [1]), RangeError);
  assert.throws(() => linearFit([1, 2], [1]), RangeError);
});

test('a line is fitted exactly', () => {
  const { slope, intercept } = linearFit([0, 1, 2, 5], [1, 3, 5, 11]);
  near(slope, 2);
  near(intercept, 1);
});

test('autocorrelation of an alternating column is near -1 at lag one', () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 1 : -1));
  near(autocorrelation(values, 1), -0.999);
  near(autocorrelation(values, 0), 1);
});

test('the half-life of a planted autoregression is found again', () => {
  const random = new Random(1);
  const memory = 0.5 ** (1 / 20);
  const values = new Float64Array(200_000);
  for (let index = 1; index < values.length; index++) values[index] = (values[index - 1] ?? 0) * memory + random.normal();
  assert.ok(Math.abs(halfLife(values) - 20) < 1);
  assert.equal(halfLife(Float64Array.from({ length: 50 }, (_, index) => 1.1 ** index)), Infinity);
  assert.equal(halfLife(Float64Array.from({ length: 50 }, (_, index) => (-1) ** index)), 0);
});
