// The lengths themselves are held to arch in test/golden/overfitting.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optimalBlockLengths } from './block-length.ts';
import { Random } from './random.ts';

/** An autoregression of order 1. */
function remembering(memory: number, count: number, seed: number): Float64Array {
  const random = new Random(seed);
  let last = 0;
  return Float64Array.from({ length: count }, () => (last = memory * last + random.normal()));
}

test('what remembers longer has longer blocks', () => {
  const lengths = [0, 0.3, 0.6, 0.9].map((memory) => optimalBlockLengths(remembering(memory, 2_000, 5)).stationary);
  assert.deepEqual(
    lengths,
    lengths.toSorted((one, other) => one - other),
  );
  assert.ok((lengths[0] ?? NaN) < 4 && (lengths[3] ?? NaN) > 30, lengths.join(' '));
});

test('neither the unit nor the level of the values matters', () => {
  const values = remembering(0.7, 400, 6);
  const { stationary, circular } = optimalBlockLengths(values);
  const moved = optimalBlockLengths(values.map((value) => 1_000 + 64 * value));
  assert.ok(Math.abs(moved.stationary / stationary - 1) < 1e-9 && Math.abs(moved.circular / circular - 1) < 1e-9);
  // By the constants of the two: the cube root of 3/2.
  assert.ok(Math.abs(circular / stationary - Math.cbrt(1.5)) < 1e-12);
});

test('values without spread have nothing to keep together', () => {
  assert.deepEqual(optimalBlockLengths(new Float64Array(100).fill(0.25)), { stationary: 1, circular: 1 });
});

test('no block is longer than the paper allows', () => {
  let level = 0;
  const walk = remembering(0, 300, 7).map((step) => (level += step));
  const { stationary, circular } = optimalBlockLengths(walk);
  assert.ok(stationary <= Math.ceil(3 * Math.sqrt(300)) && circular <= Math.ceil(3 * Math.sqrt(300)));
});

test('too few values are refused', () => {
  assert.throws(() => optimalBlockLengths(new Float64Array(15)), /15 values, expected at least 16/);
});
