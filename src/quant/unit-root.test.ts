// Against statsmodels: test/golden/synthetic-unit-root.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';
import { dickeyFullerCritical } from './unit-root-distribution.ts';
import { augmentedDickeyFuller } from './unit-root.ts';

/** x <- memory x + noise. */
function autoregression(seed: number, memory: number, length: number): Float64Array {
  const random = new Random(seed);
  let value = 0;
  return Float64Array.from({ length }, () => (value = memory * value + random.normal()));
}

test('a random walk is rejected about as often as the level says, a reverting column nearly always', () => {
  const found = (memory: number): number => {
    let rejected = 0;
    for (let seed = 0; seed < 400; seed++) {
      const { statistic, observations } = augmentedDickeyFuller(autoregression(seed, memory, 250), 1);
      if (statistic < dickeyFullerCritical(1, 0.05, observations)) rejected++;
    }
    return rejected / 400;
  };
  // Four standard errors of 400 draws at 5 %.
  assert.ok(Math.abs(found(1) - 0.05) < 0.044, `walks rejected: ${found(1)}`);
  assert.ok(found(0.85) > 0.95, `reverting columns rejected: ${found(0.85)}`);
});

test('the slope is the pace of the return', () => {
  const { slope } = augmentedDickeyFuller(autoregression(5, 0.8, 50_000), 0);
  assert.ok(Math.abs(slope + 0.2) < 0.02, `slope was ${slope}`);
});

test('too short a column is refused', () => {
  assert.throws(() => augmentedDickeyFuller(new Float64Array(7), 2), /7 values and 2 lags, expected at least 8/);
  assert.throws(() => augmentedDickeyFuller(new Float64Array(50), 1.5), RangeError);
});
