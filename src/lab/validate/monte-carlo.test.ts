// The percentiles themselves are held to numpy in test/golden/overfitting.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../quant/random.ts';
import { circularBlockBootstrap, permutation, stationaryBootstrap } from '../../quant/resampling.ts';
import { monteCarlo, pathOf, type Percentiles } from './monte-carlo.ts';

const returns = fc
  .array(fc.double({ min: -0.4, max: 0.5, noNaN: true }), { minLength: 2, maxLength: 60 })
  .map((values) => new Float64Array(values));

test('a path is what a plain loop makes of it', () => {
  fc.assert(
    fc.property(returns, (values) => {
      let equity = 1;
      let peak = 1;
      let drawdown = 0;
      for (const value of values) {
        equity *= 1 + value;
        peak = Math.max(peak, equity);
        drawdown = Math.max(drawdown, 1 - equity / peak);
      }
      const found = pathOf(values);
      assert.equal(found.finalEquity, equity);
      assert.ok(Math.abs(found.maxDrawdown - drawdown) < 1e-14);
    }),
  );
});

test('percentiles ascend, drawdowns are ratios, and another order keeps the end', () => {
  fc.assert(
    fc.property(returns, fc.nat(1_000), (values, seed) => {
      const found = monteCarlo(values, 50, stationaryBootstrap(4, new Random(seed)));
      for (const { p5, p25, p50, p75, p95 } of [found.finalEquity, found.maxDrawdown, found.sharpe]) {
        assert.ok(p5 <= p25 && p25 <= p50 && p50 <= p75 && p75 <= p95);
      }
      assert.ok(found.maxDrawdown.p5 >= 0 && found.maxDrawdown.p95 <= 1);
      const shuffled = monteCarlo(values, 20, permutation(new Random(seed)));
      const { finalEquity } = pathOf(values);
      for (const end of Object.values(shuffled.finalEquity)) assert.ok(Math.abs(Number(end) / finalEquity - 1) < 1e-12);
    }),
    { numRuns: 50 },
  );
});

test('losses that come in a row make deeper drawdowns in blocks than one by one', () => {
  const random = new Random(2);
  let last = 0;
  const clustered = Float64Array.from({ length: 1_000 }, () => 0.0005 + (last = 0.6 * last + 0.01 * random.normal()));
  const worst = (percentiles: Percentiles): number => percentiles.p95;
  const blocks = monteCarlo(clustered, 500, circularBlockBootstrap(20, new Random(3)));
  const single = monteCarlo(clustered, 500, circularBlockBootstrap(1, new Random(3)));
  const shuffled = monteCarlo(clustered, 500, permutation(new Random(3)));
  assert.ok(worst(blocks.maxDrawdown) > 1.3 * worst(single.maxDrawdown));
  assert.ok(worst(blocks.maxDrawdown) > 1.3 * worst(shuffled.maxDrawdown));
});

test('the same seed gives the same figures, and more paths begin with the fewer', () => {
  const values = Float64Array.from({ length: 90 }, (_, index) => 0.01 * Math.sin(index * index));
  const run = (seed: number): unknown => monteCarlo(values, 100, stationaryBootstrap(5, new Random(seed)));
  assert.deepEqual(run(7), run(7));
  assert.notDeepEqual(run(7), run(8));
});

test('ruin is the end of a path', () => {
  const found = pathOf(Float64Array.of(0.5, -1.5, 3));
  assert.deepEqual([found.finalEquity, found.maxDrawdown], [0, 1]);
});

test('returns without spread have a Sharpe ratio of 0', () => {
  assert.equal(pathOf(new Float64Array(40).fill(0.01)).sharpe, 0);
  assert.equal(pathOf(new Float64Array(40)).sharpe, 0);
});

test('what makes no path is refused', () => {
  assert.throws(() => monteCarlo(new Float64Array(1), 10, permutation(new Random(1))), /1 returns/);
  assert.throws(() => pathOf(new Float64Array()), /0 returns/);
  for (const paths of [0, 1.5, NaN]) {
    assert.throws(() => monteCarlo(new Float64Array(5), paths, permutation(new Random(1))), /expected a whole number/);
  }
});
