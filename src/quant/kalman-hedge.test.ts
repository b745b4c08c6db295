// Against statsmodels, filterpy and the shared golden values: test/golden/hedge.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { fitKalmanHedge, KalmanHedge } from './kalman-hedge.ts';
import { Random } from './random.ts';
import { ExpandingRegression, RollingRegression } from './rolling-regression.ts';
import { totalLeastSquares } from './total-least-squares.ts';

/** y = slope x + 1 + noise of 0.02; x wanders around 0 by 0.05 a step, and the slope by `drift`. */
function market(seed: number, drift: number, count: number): { x: Float64Array; y: Float64Array; slope: Float64Array } {
  const random = new Random(seed);
  const [x, y, slope] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  let [level, ratio] = [0, 1.2];
  for (let row = 0; row < count; row++) {
    level = 0.99 * level + 0.05 * random.normal();
    ratio += drift * random.normal();
    x[row] = level;
    slope[row] = ratio;
    y[row] = 1 + ratio * level + 0.02 * random.normal();
  }
  return { x, y, slope };
}

const [FORMATION, ROWS] = [600, 1800];
const WINDOWS = [10, 20, 30, 45, 60, 90, 120, 180, 250, 400];

/** Root mean squared errors of the hedge ratio after the formation, of the filter fitted on the formation, of every window, and of the line through all pairs. */
function errorsOf(drift: number): { readonly filter: number; readonly windows: readonly number[]; readonly all: number } {
  let [filterSquares, allSquares] = [0, 0];
  const squares = WINDOWS.map(() => 0);
  let counted = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const { x, y, slope } = market(seed, drift, ROWS);
    const fit = fitKalmanHedge(x.subarray(0, FORMATION), y.subarray(0, FORMATION));
    const filter = new KalmanHedge(fit.variances, fit.prior);
    const expanding = new ExpandingRegression();
    const rolling = WINDOWS.map((window) => new RollingRegression(window));
    for (let row = 0; row < ROWS; row++) {
      const [own, other] = [x[row] ?? NaN, y[row] ?? NaN];
      filter.push(own, other);
      expanding.push(own, other);
      for (const each of rolling) each.push(own, other);
      if (row < FORMATION) continue;
      counted++;
      filterSquares += (filter.slope - (slope[row] ?? NaN)) ** 2;
      allSquares += (expanding.line.slope - (slope[row] ?? NaN)) ** 2;
      rolling.forEach(({ line }, index) => (squares[index] = (squares[index] ?? NaN) + (line.slope - (slope[row] ?? NaN)) ** 2));
    }
  }
  const rooted = (sum: number): number => Math.sqrt(sum / counted);
  return { filter: rooted(filterSquares), windows: squares.map(rooted), all: rooted(allSquares) };
}

test('a hedge ratio that drifts is tracked better by the filter than by any window of rolling least squares', (context) => {
  const { filter, windows } = errorsOf(0.02);
  const best = Math.min(...windows);
  context.diagnostic(
    `drift 0.02 a step: filter ${filter.toFixed(4)}, windows of ${WINDOWS.join(', ')}: ${windows.map((each) => each.toFixed(4)).join(', ')}`,
  );
  assert.ok(filter < 0.8 * best, `filter ${filter}, best window ${best}`);
});

test('where it stands still the line through all pairs is better: a filter pays for what it is ready for', (context) => {
  const { filter, windows, all } = errorsOf(0);
  context.diagnostic(
    `no drift: filter ${filter.toFixed(4)}, all pairs ${all.toFixed(4)}, window of 400 ${(windows.at(-1) ?? NaN).toFixed(4)}`,
  );
  assert.ok(all < filter && filter < 3 * all);
});

test('variances are found again, the innovations are white, and both are likelier than other ones', () => {
  const { x, y } = market(5, 0.03, 4000);
  const { variances, prior, logLikelihood } = fitKalmanHedge(x, y);
  assert.ok(Math.abs(Math.sqrt(variances.noise) / 0.02 - 1) < 0.1, `noise ${Math.sqrt(variances.noise)}`);
  assert.ok(Math.abs(Math.sqrt(variances.slope) / 0.03 - 1) < 0.15, `drift ${Math.sqrt(variances.slope)}`);
  assert.ok(Math.sqrt(variances.intercept) < 0.002, `intercept ${Math.sqrt(variances.intercept)}`);
  const scoresOf = (each: typeof variances): { squares: number; lagged: number; logs: number } => {
    const filter = new KalmanHedge(each, prior);
    let [squares, lagged, logs, before] = [0, 0, 0, 0];
    x.forEach((value, row) => {
      filter.push(value, y[row] ?? NaN);
      if (row < 2) return;
      squares += filter.zScore ** 2;
      lagged += filter.zScore * before;
      logs += filter.logDensity;
      before = filter.zScore;
    });
    return { squares: squares / (x.length - 2), lagged: lagged / squares, logs };
  };
  const own = scoresOf(variances);
  assert.ok(Math.abs(own.logs - logLikelihood) < 1e-6 && Math.abs(own.squares - 1) < 1e-9 && Math.abs(own.lagged) < 0.05);
  for (const factor of [0.7, 1.4]) {
    assert.ok(scoresOf({ ...variances, slope: variances.slope * factor }).logs < own.logs);
    assert.ok(scoresOf({ ...variances, noise: variances.noise * factor }).logs < own.logs);
  }
});

test('a filter that was saved goes on as if it had not been', () => {
  const { x, y } = market(2, 0.01, 80);
  const make = (): KalmanHedge =>
    new KalmanHedge({ slope: 1e-4, intercept: 1e-5, noise: 1e-3 }, { slope: 1, intercept: 0, slopeVariance: 1, interceptVariance: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 79 }), (cut) => {
      const whole = make();
      const first = make();
      for (let row = 0; row < 80; row++) {
        whole.push(x[row] ?? NaN, y[row] ?? NaN);
        if (row < cut) first.push(x[row] ?? NaN, y[row] ?? NaN);
      }
      const out = new ByteWriter();
      first.save(out);
      const second = make();
      second.restore(new ByteReader(out.view()));
      for (let row = cut; row < 80; row++) second.push(x[row] ?? NaN, y[row] ?? NaN);
      assert.deepEqual([second.slope, second.intercept, second.zScore], [whole.slope, whole.intercept, whole.zScore]);
    }),
    { numRuns: 20 },
  );
});

test('what is no variance, no column or no direction is refused', () => {
  const prior = { slope: 0, intercept: 0, slopeVariance: 1, interceptVariance: 1 };
  assert.throws(() => new KalmanHedge({ slope: -1, intercept: 0, noise: 1 }, prior), /expected none below 0/);
  assert.throws(() => new KalmanHedge({ slope: 0, intercept: 0, noise: 0 }, prior), /noise above it/);
  assert.throws(() => fitKalmanHedge([1, 2], [1, 2]), /at least 10/);
  assert.throws(() => fitKalmanHedge(new Float64Array(20).fill(3), new Float64Array(20)), /does not vary/);
  assert.throws(() => totalLeastSquares([1, 1, 1], [1, 2, 3]), /stands upright/);
  assert.throws(() => totalLeastSquares([1, 2], [1, 2]), /at least 3/);
});

test('total least squares gives one line, whichever column comes first, and turns with them', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.double({ min: -3, max: 3, noNaN: true }), (seed, slope) => {
      const random = new Random(seed);
      const x = Float64Array.from({ length: 30 }, () => random.normal());
      const y = x.map((value) => 2 + slope * value + 0.1 * random.normal());
      const line = totalLeastSquares(x, y);
      const changedOver = totalLeastSquares(y, x);
      assert.ok(Math.abs(line.slope * changedOver.slope - 1) < 1e-9);
      // The closest of all: a little turn either way is further off.
      const lengthOf = (ratio: number): number => {
        const mid = [x, y].map((column) => column.reduce((sum, value) => sum + value, 0) / 30);
        return x.reduce(
          (sum, value, row) => sum + ((y[row] ?? NaN) - (mid[1] ?? NaN) - ratio * (value - (mid[0] ?? NaN))) ** 2 / (1 + ratio ** 2),
          0,
        );
      };
      const least = line.distances.reduce((sum, distance) => sum + distance ** 2, 0);
      assert.ok(Math.abs(least - lengthOf(line.slope)) < 1e-9);
      assert.ok(lengthOf(line.slope + 0.01) > least && lengthOf(line.slope - 0.01) > least);
    }),
    { numRuns: 60 },
  );
});
