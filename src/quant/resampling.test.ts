import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { longRunVariance } from '../lab/validate/data-snooping.ts';
import { Random } from './random.ts';
import { circularBlockBootstrap, permutation, stationaryBootstrap, type Resample } from './resampling.ts';
import { mean, variance } from './statistics.ts';

const kinds: Readonly<Record<string, (seed: number, blockLength: number) => Resample>> = {
  stationary: (seed, blockLength) => stationaryBootstrap(blockLength, new Random(seed)),
  circular: (seed, blockLength) => circularBlockBootstrap(blockLength, new Random(seed)),
  permutation: (seed) => permutation(new Random(seed)),
};

function rowsOf(resample: Resample, replication: number, count: number): Int32Array {
  const rows = new Int32Array(count);
  resample(replication, rows);
  return rows;
}

describe('each kind', () => {
  for (const [name, make] of Object.entries(kinds)) {
    test(`${name}: rows of the sample, the same whatever was asked for before`, () => {
      fc.assert(
        fc.property(
          fc.maxSafeNat(),
          fc.integer({ min: 1, max: 3_000 }),
          fc.double({ min: 1, max: 200, noNaN: true }),
          fc.nat(1_000_000),
          (seed, count, blockLength, replication) => {
            const one = make(seed, blockLength);
            const rows = rowsOf(one, replication, count);
            assert.ok(rows.every((row) => row >= 0 && row < count));
            const other = make(seed, blockLength);
            rowsOf(other, replication + 1, count);
            assert.deepEqual(rowsOf(other, replication, count), rows);
            if (count > 50) assert.notDeepEqual(rowsOf(other, replication + 1, count), rows);
          },
        ),
        { numRuns: 60 },
      );
    });

    test(`${name}: every row is drawn as often as any other`, () => {
      const count = 37;
      const resample = make(3, 5);
      const times = new Float64Array(count);
      const replications = 4_000;
      for (let replication = 0; replication < replications; replication++) {
        for (const row of rowsOf(resample, replication, count)) times[row] = (times[row] ?? NaN) + 1;
      }
      // Blocks of 5 draw a row up to five times at once: the error of its count is up to the root of five times as large.
      const error = Math.sqrt(5 * replications);
      for (const each of times) assert.ok(Math.abs(each - replications) < 4 * error, `${each} of ${replications}`);
    });
  }
});

/** Lengths of the pieces that go on row by row, end and beginning joined. */
function pieces(rows: Int32Array): number[] {
  const lengths: number[] = [];
  let length = 1;
  for (let place = 1; place < rows.length; place++) {
    if (rows[place] === ((rows[place - 1] ?? NaN) + 1) % rows.length) length++;
    else {
      lengths.push(length);
      length = 1;
    }
  }
  return lengths;
}

describe('the stationary bootstrap', () => {
  test('has blocks of geometric length around what was asked for', () => {
    const lengths = pieces(rowsOf(stationaryBootstrap(8, new Random(4)), 0, 400_000));
    const around = mean(lengths);
    assert.ok(Math.abs(around - 8) < 0.15, `${around}`);
    // Variance of a geometric distribution: (1 - p) / p^2, here 56.
    assert.ok(Math.abs(variance(lengths) - 56) < 3, `${variance(lengths)}`);
  });

  for (const blockLength of [1, 1.5, 6, 25]) {
    test(`gives the mean the variance of its closed form, blocks of ${blockLength}`, () => {
      const random = new Random(8);
      let last = 0;
      const values = Float64Array.from({ length: 120 }, () => (last = 0.6 * last + random.normal()));
      const resample = stationaryBootstrap(blockLength, new Random(9));
      const replications = 20_000;
      const means = Float64Array.from({ length: replications }, (_, replication) => {
        let sum = 0;
        for (const row of rowsOf(resample, replication, values.length)) sum += values[row] ?? NaN;
        return sum / values.length;
      });
      const expected = longRunVariance(values, blockLength) / values.length;
      // The variance of so many draws has a relative standard error of 1 %.
      assert.ok(Math.abs(variance(means) / expected - 1) < 0.04, `${variance(means)}, expected ${expected}`);
      assert.ok(Math.abs(mean(means) - mean(values)) < 4 * Math.sqrt(expected / replications));
    });
  }
});

test('circular blocks have one length, the last one cut', () => {
  const rows = rowsOf(circularBlockBootstrap(6.2, new Random(5)), 3, 100);
  for (let place = 0; place < 100; place++) {
    if (place % 7 !== 0) assert.equal(rows[place], ((rows[place - 1] ?? NaN) + 1) % 100);
  }
});

test('a permutation has every row once, and every order is as likely', () => {
  const resample = permutation(new Random(6));
  const orders = new Map<string, number>();
  for (let replication = 0; replication < 24_000; replication++) {
    const order = rowsOf(resample, replication, 4).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 24);
  for (const [order, times] of orders) {
    assert.deepEqual(order.split('').toSorted(), ['0', '1', '2', '3']);
    assert.ok(Math.abs(times - 1_000) < 4.5 * Math.sqrt(1_000), `${order} ${times} times`);
  }
  assert.deepEqual(
    rowsOf(resample, 1, 5_000).toSorted(),
    Int32Array.from({ length: 5_000 }, (_, row) => row),
  );
});

test('a block of less than one row is refused', () => {
  for (const length of [0, 0.99, -1, NaN]) {
    assert.throws(() => stationaryBootstrap(length, new Random(1)), /expected at least 1/);
    assert.throws(() => circularBlockBootstrap(length, new Random(1)), /expected at least 1/);
  }
});
