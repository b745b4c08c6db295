// The values themselves are held to a brute-force recomputation in test/golden/overfitting.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../quant/random.ts';
import { probabilityOfOverfitting } from './overfitting.ts';

function noise(columns: number, rows: number, seed: number): Float64Array[] {
  const random = new Random(seed);
  return Array.from({ length: columns }, () => Float64Array.from({ length: rows }, () => 0.01 * random.normal()));
}

test('sixteen blocks are 12,870 combinations', () => {
  const { logits, rows } = probabilityOfOverfitting(noise(4, 100, 1));
  assert.deepEqual([logits.length, rows], [12_870, 96]);
});

test('the unit of the returns does not matter, nor does the oldest of rows that do not divide', () => {
  const columns = noise(6, 204, 2);
  const { logits, probability } = probabilityOfOverfitting(columns, 8);
  const scaled = probabilityOfOverfitting(
    columns.map((column) => column.map((value) => 1_024 * value)),
    8,
  );
  assert.deepEqual([scaled.probability, scaled.logits], [probability, logits]);
  const changed = columns.map((column) => column.with(0, 5).with(3, -5));
  assert.deepEqual(probabilityOfOverfitting(changed, 8).logits, logits);
  assert.notDeepEqual(
    probabilityOfOverfitting(
      columns.map((column, index) => column.with(4, index)),
      8,
    ).logits,
    logits,
  );
});

test('columns that are all one column are all in the middle', () => {
  const [column = new Float64Array()] = noise(1, 80, 3);
  const found = probabilityOfOverfitting([column, column, column], 4);
  assert.deepEqual([...found.logits], [0, 0, 0, 0, 0, 0]);
  assert.equal(found.probability, 1);
});

test('a column that never trades is neither an infinity nor a winner', () => {
  const losing = noise(3, 80, 4).map((column) => column.map((value) => value - 0.02));
  const found = probabilityOfOverfitting([...losing, new Float64Array(80)], 4);
  assert.equal(found.probability, 0);
  assert.equal(found.lossProbability, 0);
});

test('what cannot be halved is refused', () => {
  const columns = noise(2, 40, 5);
  assert.throws(() => probabilityOfOverfitting(columns.slice(1), 4), /1 columns/);
  assert.throws(() => probabilityOfOverfitting([...columns, new Float64Array(39)], 4), /different lengths/);
  for (const blocks of [0, 3, 4.5, 26]) assert.throws(() => probabilityOfOverfitting(columns, blocks), /expected an even number/);
  assert.throws(() => probabilityOfOverfitting(columns, 22), /at least 2 rows a block/);
});
