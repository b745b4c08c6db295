// Against pandas, scipy, dcor, pyinform and lead-lag: test/golden/dependence.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distanceCorrelation } from './distance-correlation.ts';
import { leadLag, type TimedValues } from './lead-lag.ts';
import { Random } from './random.ts';
import { averageRanks, kendall, rollingCorrelation, spearman } from './rank-correlation.ts';
import { correlation } from './statistics.ts';
import { binnedTransferEntropy, quantileBins, transferEntropy } from './transfer-entropy.ts';

const column = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -6, max: 6 }), { minLength: length, maxLength: length });

test('Kendall counts pairs as a double loop does, ranks do not move under what keeps the order', () => {
  fc.assert(
    fc.property(column(25), column(25), (left, right) => {
      let [balance, equalLeft, equalRight] = [0, 0, 0];
      for (let one = 0; one < 25; one++) {
        for (let other = 0; other < one; other++) {
          const [a, b] = [Math.sign((left[one] ?? 0) - (left[other] ?? 0)), Math.sign((right[one] ?? 0) - (right[other] ?? 0))];
          balance += a * b;
          if (a === 0) equalLeft++;
          if (b === 0) equalRight++;
        }
      }
      const wanted = balance / Math.sqrt((300 - equalLeft) * (300 - equalRight));
      const found = kendall(left, right);
      assert.ok(Number.isNaN(wanted) ? Number.isNaN(found) : Math.abs(found - wanted) < 1e-12);
      const cubes = left.map((value) => value ** 3 + 2 * value);
      assert.deepEqual(averageRanks(cubes), averageRanks(left));
      assert.equal(spearman(cubes, right), spearman(left, right));
    }),
    { numRuns: 80 },
  );
});

test('a rolling measure knows its window only', () => {
  const random = new Random(1);
  const left = Float64Array.from({ length: 60 }, () => random.normal());
  const right = Float64Array.from({ length: 60 }, () => random.normal());
  const before = rollingCorrelation(left, right, 20, kendall);
  const later = Float64Array.from(left, (value, row) => (row > 40 ? -value : value));
  assert.deepEqual(rollingCorrelation(later, right, 20, kendall).subarray(0, 41), before.subarray(0, 41));
  assert.throws(() => rollingCorrelation(left, right, 1, kendall), /whole number from 2/);
  assert.throws(() => rollingCorrelation(left, right.subarray(1), 5, kendall), /equally many/);
});

test('distance correlation sees the parabola that Pearson does not, is 1 of a line, and does not depend on units', () => {
  const x = Float64Array.from({ length: 101 }, (_, row) => row / 50 - 1);
  const parabola = x.map((value) => value ** 2);
  assert.ok(Math.abs(correlation(x, parabola)) < 1e-12 && distanceCorrelation(x, parabola) > 0.45);
  assert.ok(
    Math.abs(
      distanceCorrelation(
        x,
        x.map((value) => 3 - 7 * value),
      ) - 1,
    ) < 1e-12,
  );
  assert.ok(Number.isNaN(distanceCorrelation(x, new Float64Array(101))));
  assert.throws(() => distanceCorrelation([1], [1]), /at least 2/);
});

test('entropy is transferred from the leader and not back, and independent columns transfer what chance does', (context) => {
  const settings = { bins: 3, shuffles: 99, seed: 1 };
  let mistaken = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const [one, other] = [0, 0].map(() => Float64Array.from({ length: 400 }, () => random.normal()));
    if (one !== undefined && other !== undefined && transferEntropy(one, other, settings).pValue <= 0.05) mistaken++;
  }
  context.diagnostic(`independent columns: ${mistaken} of 40 at 5 %`);
  assert.ok(mistaken <= 7, `${mistaken}`);
  const random = new Random(77);
  const leader = Float64Array.from({ length: 800 }, () => random.normal());
  const follower = leader.map((_, row) => 0.5 * (leader[row - 1] ?? 0) + random.normal());
  const [there, back] = [transferEntropy(leader, follower, settings), transferEntropy(follower, leader, settings)];
  assert.ok(there.pValue === 0.01 && there.effective > 0.05, `${there.effective}`);
  assert.ok(back.pValue > 0.05 && Math.abs(back.effective) < 0.01, `${back.effective}`);
  assert.deepEqual(transferEntropy(leader, follower, settings), there);
});

test('a copy one row late transfers all of the entropy that its own past does not hold', () => {
  const random = new Random(5);
  const source = Uint8Array.from({ length: 20_000 }, () => random.integer(4));
  const copy = source.map((_, row) => source[row - 1] ?? 0);
  assert.ok(Math.abs(binnedTransferEntropy(source, copy) - Math.log(4)) < 2e-3);
  assert.deepEqual(Array.from(quantileBins([5, 1, 9, 7], 2)), [0, 0, 1, 1]);
  assert.throws(() => quantileBins([1, 2], 1), /from 2 to 256/);
  assert.throws(() => transferEntropy([1, 2], [1, 2], { bins: 2, shuffles: 0, seed: 1 }), /0 shuffles/);
});

/** Every pair of moves, by hand. */
function allPairs({ at, value }: TimedValues, other: TimedValues, lag: number): number {
  let [sum, squares, otherSquares] = [0, 0, 0];
  const move = (values: ArrayLike<number>, row: number): number => (values[row] ?? NaN) - (values[row - 1] ?? NaN);
  for (let row = 1; row < at.length; row++) squares += move(value, row) ** 2;
  for (let row = 1; row < other.at.length; row++) otherSquares += move(other.value, row) ** 2;
  for (let row = 1; row < at.length; row++) {
    for (let place = 1; place < other.at.length; place++) {
      const start = Math.max(at[row - 1] ?? NaN, (other.at[place - 1] ?? NaN) - lag);
      const end = Math.min(at[row] ?? NaN, (other.at[place] ?? NaN) - lag);
      if (start < end) sum += move(value, row) * move(other.value, place);
    }
  }
  return sum / Math.sqrt(squares * otherSquares);
}

const path = fc
  .uniqueArray(fc.tuple(fc.nat(200), fc.integer({ min: -9, max: 9 })), { minLength: 2, maxLength: 25, selector: ([at]) => at })
  .map((rows) => rows.toSorted(([one], [other]) => one - other))
  .map((rows): TimedValues => ({ at: rows.map(([at]) => at), value: rows.map(([, value]) => value) }));

test('products of overlapping moves are those of all pairs, at any lag; changed over, lags change their sign', () => {
  const lags = [-300, -40, -7, 0, 1, 13, 150];
  fc.assert(
    fc.property(path, path, (one, other) => {
      const found = leadLag(one, other, lags);
      const changed = leadLag(
        other,
        one,
        lags.map((lag) => -lag),
      );
      lags.forEach((lag, index) => {
        const wanted = allPairs(one, other, lag);
        const own = found.correlations[index] ?? NaN;
        assert.ok(Number.isNaN(wanted) ? Number.isNaN(own) : Math.abs(own - wanted) < 1e-12, `${lag}: ${own} ${wanted}`);
        if (!Number.isNaN(wanted)) assert.ok(Math.abs((changed.correlations[index] ?? NaN) - wanted) < 1e-12);
      });
    }),
    { numRuns: 120 },
  );
});

test('a leader and a follower that trade at times of their own: the lead is found', (context) => {
  const random = new Random(4);
  const [one, other] = [0, 0].map(() => ({ at: [] as number[], value: [] as number[] }));
  assert.ok(one !== undefined && other !== undefined);
  const walk = new Float64Array(60_000);
  for (let time = 1; time < walk.length; time++) walk[time] = (walk[time - 1] ?? NaN) + random.normal();
  for (let time = 500; time < walk.length; time++) {
    if (random.uniform() < 0.02) {
      one.at.push(time);
      one.value.push(walk[time] ?? NaN);
    }
    if (random.uniform() < 0.01) {
      other.at.push(time);
      other.value.push(0.6 * (walk[time - 80] ?? NaN));
    }
  }
  const lags = Array.from({ length: 41 }, (_, index) => 10 * (index - 20));
  const { lag, correlation: strongest, ratio } = leadLag(one, other, lags);
  context.diagnostic(`planted lead 80 ms, found ${lag} ms at ${strongest.toFixed(3)}, ratio ${ratio.toFixed(1)}`);
  assert.ok(Math.abs(lag - 80) <= 10 && strongest > 0.5 && ratio > 3);
});

test('several trades of one time count once, by the last; times that go back are refused', () => {
  const lags = [0, 1];
  const doubled = leadLag({ at: [1, 2, 2, 3], value: [0, 7, 1, 2] }, { at: [1, 2, 3], value: [0, 1, 2] }, lags);
  assert.deepEqual(doubled, leadLag({ at: [1, 2, 3], value: [0, 1, 2] }, { at: [1, 2, 3], value: [0, 1, 2] }, lags));
  assert.equal(doubled.lag, 0);
  assert.ok(Number.isNaN(leadLag({ at: [1, 2], value: [3, 3] }, { at: [1, 2], value: [0, 1] }, lags).lag));
  assert.throws(() => leadLag({ at: [2, 1], value: [0, 0] }, { at: [1, 2], value: [0, 0] }, lags), /expected times that ascend/);
  assert.throws(() => leadLag({ at: [2], value: [0] }, { at: [1, 2], value: [0, 0] }, lags), /at least 2/);
});
