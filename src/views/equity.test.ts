import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { dailyReturns } from './daily.ts';
import { CURVE_POINTS, EquityRecorder } from './equity.ts';

const HOUR = 3_600_000;

function recorded(values: readonly number[], capital = 100): EquityRecorder {
  const recorder = new EquityRecorder({ capital, intervalMs: HOUR });
  values.forEach((value, index) => recorder.record((index + 1) * HOUR, value));
  return recorder;
}

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.max(1, Math.abs(expected)), `${what} was ${actual}, expected ${expected}`);
}

test('moments, drawdown and times of a curve worked out by hand', () => {
  // Returns +10 %, -20 %, +25 %, -10 %.
  const summary = recorded([110, 88, 110, 99]).summary();
  assert.equal(summary.instants, 4);
  near(summary.meanReturn, 0.0125, 'mean');
  near(summary.variance, (0.0875 ** 2 + 0.2125 ** 2 + 0.2375 ** 2 + 0.1125 ** 2) / 3, 'variance');
  near(summary.downsideVariance, (0.04 + 0.01) / 4, 'downside variance');
  near(summary.maxDrawdownRatio, 0.2, 'drawdown');
  assert.equal(summary.maxDrawdownFrom, HOUR);
  assert.equal(summary.maxDrawdownBottom, 2 * HOUR);
  assert.equal(summary.maxDrawdownRecovered, 3 * HOUR);
  assert.equal(summary.longestUnderwaterMs, 2 * HOUR);
  assert.deepEqual([summary.lowestEquity, summary.highestEquity, summary.finalEquity], [88, 110, 99]);
});

test('the start is a peak too', () => {
  const summary = recorded([75, 90]).summary();
  near(summary.maxDrawdownRatio, 0.25, 'drawdown');
  assert.equal(summary.maxDrawdownFrom, HOUR);
  assert.ok(Number.isNaN(summary.maxDrawdownRecovered));
});

test('of nothing there is nothing to say', () => {
  const recorder = new EquityRecorder({ capital: 100 });
  const summary = recorder.summary();
  assert.equal(summary.instants, 0);
  assert.equal(summary.finalEquity, 100);
  assert.ok(Number.isNaN(summary.meanReturn) && Number.isNaN(summary.variance));
  assert.deepEqual(recorder.curve(), []);
  assert.throws(() => new EquityRecorder({ capital: 0 }), /capital: found 0, expected more than 0/);
});

test('ruin has no further returns', () => {
  const summary = recorded([0, 0]).summary();
  near(summary.meanReturn, -0.5, 'mean');
  assert.equal(summary.maxDrawdownRatio, 1);
});

test('calls within one interval are one instant, the last of them counts', () => {
  const recorder = new EquityRecorder({ capital: 100, intervalMs: HOUR });
  recorder.record(HOUR, 50);
  recorder.record(HOUR, 120);
  recorder.record(HOUR + 40, 110);
  assert.equal(recorder.last, 110);
  recorder.record(2 * HOUR + 15, 121);
  const summary = recorder.summary();
  assert.equal(summary.instants, 2);
  assert.equal(summary.maxDrawdownRatio, 0);
  near(summary.meanReturn, 0.1, 'mean');
  assert.deepEqual(recorder.curve(), [
    { at: HOUR + 40, equity: 110 },
    { at: 2 * HOUR + 15, equity: 121 },
  ]);
});

test('asking for the figures changes none of them', () => {
  const asked = recorded([110, 90]);
  asked.summary();
  asked.record(2 * HOUR, 99);
  assert.deepEqual(asked.summary(), recorded([110, 99]).summary());
});

test('streamed figures equal those of the whole column', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 2, maxLength: 200 }), (values) => {
      const summary = recorded(values).summary();
      const all = [100, ...values];
      const returns = values.map((value, index) => value / (all[index] ?? NaN) - 1);
      const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
      const variance = returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (returns.length - 1);
      let peak = 0;
      let deepest = 0;
      for (const value of all) {
        peak = Math.max(peak, value);
        deepest = Math.max(deepest, 1 - value / peak);
      }
      assert.ok(Math.abs(summary.meanReturn - mean) < 1e-9 * (1 + Math.abs(mean)));
      assert.ok(Math.abs(summary.variance - variance) < 1e-9 * (1 + variance));
      assert.equal(summary.maxDrawdownRatio, deepest);
    }),
  );
});

test('the curve stays small, evenly spaced, and keeps its last point', () => {
  const recorder = new EquityRecorder({ capital: 1, intervalMs: HOUR });
  const count = 5 * CURVE_POINTS + 3;
  for (let index = 0; index < count; index++) recorder.record(index * HOUR, 1 + index);
  const curve = recorder.curve();
  assert.ok(curve.length > CURVE_POINTS / 2 && curve.length <= CURVE_POINTS + 1, `${curve.length} points`);
  assert.deepEqual(curve[0], { at: 0, equity: 1 });
  assert.deepEqual(curve.at(-1), { at: (count - 1) * HOUR, equity: count });
  const step = (curve[1]?.at ?? NaN) - (curve[0]?.at ?? NaN);
  for (let index = 1; index < curve.length - 1; index++) assert.equal((curve[index]?.at ?? NaN) - (curve[index - 1]?.at ?? NaN), step);
  assert.equal(recorder.summary().instants, count);
});

test('a day has its last mark; midnight ends a day, however late it is known', () => {
  const recorder = new EquityRecorder({ capital: 100, intervalMs: HOUR });
  const day = 24 * HOUR;
  recorder.record(22 * HOUR, 101);
  recorder.record(day, 102);
  assert.deepEqual(recorder.summary().daily, { day: Float64Array.of(0), equity: Float64Array.of(102) });
  recorder.record(day + 150, 103);
  recorder.record(day + HOUR + 150, 104);
  recorder.record(4 * day - HOUR, 105);
  recorder.record(4 * day + 150, 106);
  recorder.record(4 * day + HOUR, 107);
  assert.deepEqual(recorder.summary().daily, {
    day: Float64Array.of(0, day, 3 * day, 4 * day),
    equity: Float64Array.of(103, 104, 106, 107),
  });
});

test('with marks further apart than a day, a mark is of the day before it or of its own', () => {
  const day = 24 * HOUR;
  const recorder = new EquityRecorder({ capital: 100, intervalMs: 7 * day });
  for (const at of [7 * day, 14 * day + 5, 21 * day]) recorder.record(at, 100 + at / day);
  assert.deepEqual([...recorder.summary().daily.day], [6 * day, 14 * day, 20 * day]);
});

test('years of days are kept, and restored', () => {
  const recorder = new EquityRecorder({ capital: 1, intervalMs: HOUR });
  const days = 3_000;
  for (let index = 1; index <= days * 4; index++) recorder.record(index * 6 * HOUR, index);
  const { daily } = recorder.summary();
  assert.equal(daily.day.length, days);
  assert.deepEqual([daily.equity[0], daily.equity.at(-1), daily.day.at(-1)], [4, days * 4, (days - 1) * 24 * HOUR]);
});

test('what is kept of a million bars is a curve and their days', () => {
  const recorder = new EquityRecorder({ capital: 1_000, intervalMs: 60_000 });
  for (let minute = 1; minute <= 1_000_000; minute++) recorder.record(minute * 60_000, 1_000 + (minute % 7));
  const bytes = new ByteWriter();
  recorder.save(bytes);
  const days = Math.ceil(1_000_000 / 1_440);
  assert.equal(recorder.summary().daily.day.length, days);
  assert.ok(bytes.length <= 16 * (CURVE_POINTS + days) + 256, `${bytes.length} bytes`);
});

test('no fall is deeper than everything, and none is less than nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 100 }), (values) => {
      const { maxDrawdownRatio } = recorded(values).summary();
      assert.ok(maxDrawdownRatio >= 0 && maxDrawdownRatio <= 1, `${maxDrawdownRatio}`);
    }),
  );
});

test('a short curve is kept whole', () => {
  assert.deepEqual(
    recorded([110, 88, 99])
      .curve()
      .map((point) => point.equity),
    [110, 88, 99],
  );
});

test('saved and restored anywhere, it reports the same', () => {
  const values = Array.from({ length: CURVE_POINTS * 2 + 100 }, (_, index) => 100 + 10 * Math.sin(index / 50) + index / 1_000);
  const whole = recorded(values);
  for (const cut of [0, 1, 5, CURVE_POINTS, CURVE_POINTS + 1, values.length]) {
    const first = recorded(values.slice(0, cut));
    const bytes = new ByteWriter();
    first.save(bytes);
    const second = new EquityRecorder({ capital: 100, intervalMs: HOUR });
    second.restore(new ByteReader(bytes.view()));
    values.slice(cut).forEach((value, index) => second.record((cut + index + 1) * HOUR, value));
    assert.deepEqual(second.summary(), whole.summary(), `cut at ${cut}`);
    assert.deepEqual(second.curve(), whole.curve(), `cut at ${cut}`);
  }
});

test('money that comes and goes changes no return, no fall and no day, but the curve, which shows what was there', () => {
  const anySteps = fc.array(
    fc.record({ growth: fc.double({ min: 0.7, max: 1.4, noNaN: true }), left: fc.option(fc.double({ min: 0.05, max: 8, noNaN: true })) }),
    {
      minLength: 1,
      maxLength: 120,
    },
  );
  fc.assert(
    fc.property(anySteps, (steps) => {
      const still = new EquityRecorder({ capital: 100, intervalMs: HOUR });
      let moved = new EquityRecorder({ capital: 100, intervalMs: HOUR });
      const shown: number[] = [];
      let [equity, scale] = [100, 1];
      steps.forEach(({ growth, left }, index) => {
        equity *= growth;
        still.record((index + 1) * HOUR, equity);
        moved.record((index + 1) * HOUR, equity * scale);
        if (left !== null) {
          moved.transfer(equity * scale, equity * scale * left);
          scale *= left;
        }
        shown.push(equity * scale);
        if (index === 40) moved = restored(moved);
      });
      const [one, other] = [still.summary(), moved.summary()];
      const isNear = (actual: number, expected: number, what: string): void =>
        assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${what} was ${actual}, expected ${expected}`);
      isNear(other.finalEquity / other.basis, one.finalEquity / one.basis, 'growth');
      isNear(other.maxDrawdownRatio, one.maxDrawdownRatio, 'drawdown');
      isNear(other.lowestEquity / other.basis, one.lowestEquity / one.basis, 'lowest');
      isNear(other.highestEquity / other.basis, one.highestEquity / one.basis, 'highest');
      isNear(other.meanReturn, one.meanReturn, 'mean');
      if (steps.length > 1) isNear(other.variance, one.variance, 'variance');
      isNear(other.downsideVariance, one.downsideVariance, 'downside');
      const days = dailyReturns(one.basis, one.daily);
      dailyReturns(other.basis, other.daily).forEach((value, day) => isNear(value, days[day] ?? NaN, `day ${day}`));
      assert.equal(other.capital, 100);
      moved.curve().forEach((point, index) => isNear(point.equity, shown[index] ?? NaN, `point ${index}`));
    }),
    { numRuns: 200 },
  );
});

test('all that is taken is lost, and what comes to nothing is won: of nothing there is no proportion', () => {
  const gone = recorded([100, 100]);
  gone.transfer(100, 0);
  gone.record(3 * HOUR, 0);
  assert.equal(gone.summary().maxDrawdownRatio, 1);
  gone.transfer(0, 100);
  gone.record(4 * HOUR, 100);
  assert.deepEqual([gone.summary().basis, gone.summary().finalEquity], [100, 100]);
});

function restored(recorder: EquityRecorder): EquityRecorder {
  const bytes = new ByteWriter(16);
  recorder.save(bytes);
  const copy = new EquityRecorder({ capital: 100, intervalMs: HOUR });
  copy.restore(new ByteReader(bytes.view()));
  return copy;
}
