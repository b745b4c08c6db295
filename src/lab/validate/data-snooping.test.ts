// The p-values themselves are held to arch in test/golden/overfitting.test.ts, their rates in test/simulation/calibration.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../quant/random.ts';
import { stationaryBootstrap } from '../../quant/resampling.ts';
import { dataSnooping, longRunVariance, type DataSnooping } from './data-snooping.ts';

function noise(columns: number, rows: number, seed: number, drift = 0): Float64Array[] {
  const random = new Random(seed);
  return Array.from({ length: columns }, () => Float64Array.from({ length: rows }, () => drift + random.normal()));
}

function tested(columns: readonly Float64Array[], seed = 1, replications = 200): DataSnooping {
  return dataSnooping(columns, { blockLength: 5, replications, resample: stationaryBootstrap(5, new Random(seed)) });
}

test('lower, consistent and upper stand in this order', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.double({ min: -0.6, max: 0.3, noNaN: true }), (seed, drift) => {
      const { lower, consistent, upper } = tested([...noise(4, 60, seed), ...noise(4, 60, seed + 1, drift)]).superiorAbility;
      assert.ok(lower <= consistent && consistent <= upper, `${lower} ${consistent} ${upper}`);
    }),
    { numRuns: 40 },
  );
});

test('a wild column hides skill from the reality check and not from the studentised test', () => {
  const skilled = noise(1, 400, 2, 0.2);
  const wild = noise(3, 400, 3).map((column) => column.map((value) => 30 * value));
  const found = tested([...skilled, ...wild], 4, 400);
  assert.ok(found.superiorAbility.consistent < 0.01, `${found.superiorAbility.consistent}`);
  assert.ok(found.realityCheck > 0.1, `${found.realityCheck}`);
});

test('hopeless columns cost the consistent p-value nothing and the upper one a lot', () => {
  const skilled = noise(1, 200, 5, 0.15);
  const hopeless = noise(60, 200, 6, -0.8);
  const alone = tested(skilled, 7, 400).superiorAbility;
  const among = tested([...skilled, ...hopeless], 7, 400).superiorAbility;
  assert.equal(among.consistent, alone.consistent);
  assert.ok(among.upper > 2 * among.consistent + 0.02, `${among.upper}`);
});

test('a column that never differs from the benchmark is left out, and its number still counts', () => {
  const columns = noise(3, 100, 8);
  const idle = [new Float64Array(100), new Float64Array(100).fill(0.1), ...columns];
  const [without, withIdle] = [tested(columns), tested(idle)];
  assert.deepEqual({ ...withIdle, best: withIdle.best - 2 }, without);
});

test('what gains nothing has a statistic of 0 and no skill', () => {
  const { superiorAbility, realityCheck } = tested(noise(5, 200, 9, -0.5));
  assert.equal(superiorAbility.statistic, 0);
  assert.deepEqual([superiorAbility.lower, superiorAbility.consistent, superiorAbility.upper], [1, 1, 1]);
  assert.ok(realityCheck > 0.9);
});

test('independent rows have their plain variance', () => {
  const values = Float64Array.of(1, 2, 4, 8, 16, 3, 5);
  const centre = values.reduce((sum, value) => sum + value, 0) / 7;
  const plain = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / 7;
  assert.ok(Math.abs(longRunVariance(values, 1) - plain) < 1e-12);
});

test('what cannot be tested is refused', () => {
  assert.throws(() => tested([]), /0 rows/);
  assert.throws(() => tested(noise(2, 15, 1)), /15 rows/);
  assert.throws(() => tested([...noise(1, 30, 1), ...noise(1, 31, 1)]), /different lengths/);
  assert.throws(() => tested([new Float64Array(30)]), /no column differs/);
  assert.throws(() => tested(noise(2, 30, 1), 1, 0), /0 replications/);
});
