import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clockOffset } from './clock-offset.ts';

const BASE = 1_723_161_256_000;

/** Times of a capture: messages a tenth of a second apart, each so long on its way, by a clock that is `early`. */
function capture(latencies: readonly number[], earlyMs: number): [local: Float64Array, happenedAt: Float64Array] {
  const happenedAt = Float64Array.from(latencies, (_, row) => BASE + 100 * row);
  return [Float64Array.from(latencies, (latency, row) => BASE + 100 * row + latency - earlyMs), happenedAt];
}

describe('the offset of a clock', () => {
  test('is the least whole number of milliseconds after which nothing is known before it happened', () => {
    const latency = fc.double({ min: 0, max: 15, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 100 }),
        fc.double({ min: 20, max: 5_000, noNaN: true }),
        (latencies, early) => {
          const [local, happenedAt] = capture(latencies, early);
          const offset = clockOffset(local, happenedAt);
          assert.ok(Number.isInteger(offset));
          const shifted = local.map((at, row) => at + offset - (happenedAt[row] ?? NaN));
          const smallest = Math.min(...shifted);
          assert.ok(smallest >= 0 && smallest < 1, `smallest latency ${smallest}`);
        },
      ),
    );
  });

  test('is 0 for a clock that is right or late: how late cannot be told from a long way', () => {
    assert.equal(clockOffset(...capture([3, 5, 900], 0)), 0);
    assert.equal(clockOffset(...capture([3, 5, 900], -60_000)), 0);
    assert.equal(clockOffset(new Float64Array(0), new Float64Array(0)), 0);
  });

  test('is not moved by a wrong stamp, nor by a row without one', () => {
    const latencies = Array.from({ length: 200 }, (_, row) => 2 + (row % 7));
    const [local, happenedAt] = capture(latencies, 1_270);
    assert.equal(clockOffset(local, happenedAt), 1_268);
    happenedAt[50] = BASE + 86_400_000;
    happenedAt[51] = NaN;
    local[52] = 0;
    assert.equal(clockOffset(local, happenedAt), 1_268);
  });

  test('covers both halves of a capture whose clock was set on its way', () => {
    const latencies = Array.from({ length: 200 }, (_, row) => 2 + (row % 7) + (row < 120 ? 0 : 1_000));
    assert.equal(clockOffset(...capture(latencies, 1_270)), 1_268);
  });
});
