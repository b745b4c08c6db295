// Every indicator against its definition, computed anew over the whole window or the whole past at each bar.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { HOUR_MS } from '../../domain/time.ts';
import {
  atr,
  bollinger,
  columns,
  donchian,
  ema,
  realisedVolatility,
  rsi,
  sma,
  standardDeviation,
  volatilityRatio,
  zScore,
} from '../catalog.ts';
import { anyBars } from './bars.fixture.ts';

const windows = fc.integer({ min: 2, max: 40 });
const manyBars = anyBars(60, 160);
/** Of the number itself, or of one where the number is a ratio of what may vanish. */
const TOLERANCE = 1e-9;

test('the simple mean is the mean of the window', () => {
  compare(windows, (window, bars) => [columns(sma(window), bars).value, sliding(bars.close, window, mean), relative]);
});

test('the exponential mean weighs the seed and every later close by what it has decayed', () => {
  compare(fc.integer({ min: 1, max: 40 }), (window, bars) => {
    const alpha = 2 / (window + 1);
    const expected = Array.from(bars.close, (_, index) => {
      if (index + 1 < window) return NaN;
      let value = mean(bars.close.subarray(0, window)) * (1 - alpha) ** (index + 1 - window);
      for (let place = window; place <= index; place++) value += alpha * (bars.close[place] ?? NaN) * (1 - alpha) ** (index - place);
      return value;
    });
    return [columns(ema(window), bars).value, expected, relative];
  });
});

test('relative strength is the smoothed gain among all that moved', () => {
  compare(windows, (window, bars) => {
    const gains = changes(bars.close).map((change) => Math.max(change, 0));
    const losses = changes(bars.close).map((change) => Math.max(-change, 0));
    const gain = wilder(gains, window);
    const loss = wilder(losses, window);
    const expected = gain.map((up, index) => {
      const moved = up + (loss[index] ?? NaN);
      return moved === 0 ? 50 : (100 * up) / moved;
    });
    return [columns(rsi(window), bars).value, [NaN, ...expected], absolute];
  });
});

test('relative strength is 100 when all rose, 0 when all fell and 50 when nothing moved', () => {
  const run = (factor: number): number | undefined => columns(rsi(14), ramp(factor)).value.at(-1);
  assert.equal(run(1.01), 100);
  assert.equal(run(0.99), 0);
  assert.equal(run(1), 50);
});

test('the average true range smooths the widest of three ranges', () => {
  compare(fc.integer({ min: 1, max: 40 }), (window, bars) => {
    const ranges = Array.from(bars.close.subarray(1), (_, place) => {
      const high = bars.high[place + 1] ?? NaN;
      const low = bars.low[place + 1] ?? NaN;
      const previous = bars.close[place] ?? NaN;
      return Math.max(high - low, Math.abs(high - previous), Math.abs(low - previous));
    });
    // A range is a difference of prices: near 1e5 it cannot be exact to more than 1e-11, however small it is.
    const grain = Math.max(...bars.high) * 1e-14;
    return [columns(atr(window), bars).value, [NaN, ...wilder(ranges, window)], (expected) => relative(expected) + grain];
  });
});

test('the standard deviation is that of the population in the window', () => {
  compare(windows, (window, bars) => [columns(standardDeviation(window), bars).value, sliding(bars.close, window, deviation), relative]);
});

test('the z-score is the distance from the mean in population standard deviations', () => {
  compare(windows, (window, bars) => [columns(zScore(window), bars).value, sliding(bars.close, window, score), absolute]);
});

test('Bollinger bands lie k deviations around the mean, and %B and width say where and how far', () => {
  const multiple = 2.5;
  const outputs = ['value', 'upper', 'lower', 'percentB', 'width'] as const;
  const definitions: Record<(typeof outputs)[number], (values: Float64Array) => number> = {
    value: mean,
    upper: (values) => mean(values) + multiple * deviation(values),
    lower: (values) => mean(values) - multiple * deviation(values),
    percentB: (values) => 0.5 + score(values) / (2 * multiple),
    width: (values) => (2 * multiple * deviation(values)) / mean(values),
  };
  for (const output of outputs) {
    // The lower band may lie at or below zero, where nothing is relative to it.
    const tolerance = output === 'percentB' ? absolute : output === 'lower' ? relativeToPrice : relative;
    compare(windows, (window, bars) => [
      columns(bollinger(window, multiple), bars)[output],
      sliding(bars.close, window, definitions[output]),
      tolerance,
    ]);
  }
});

test('a z-score of k is the Bollinger band of k', () => {
  fc.assert(
    fc.property(windows, fc.constantFrom(1, 2, 2.5), manyBars, (window, multiple, bars) => {
      const scores = columns(zScore(window), bars).value;
      const { percentB } = columns(bollinger(window, multiple), bars);
      scores.forEach((value, index) => {
        if (Number.isNaN(value)) return;
        assert.ok(Math.abs((percentB[index] ?? NaN) - 0.5 - value / multiple / 2) < TOLERANCE);
      });
    }),
  );
});

test('realised volatility is the sample deviation of logarithmic returns, a bar or a year of 365 days', () => {
  compare(windows, (window, bars) => [
    columns(realisedVolatility(window), bars).value,
    [NaN, ...sliding(logReturns(bars.close), window, sampleDeviation)],
    relative,
  ]);
  compare(windows, (window, bars) => [
    columns(realisedVolatility(window, HOUR_MS), bars).value,
    [NaN, ...sliding(logReturns(bars.close), window, (values) => sampleDeviation(values) * Math.sqrt(8_760))],
    relative,
  ]);
});

test('the volatility ratio is the short volatility over the long one, and both can be read', () => {
  const long = 60;
  for (const output of ['value', 'short', 'long'] as const) {
    compare(windows, (short, bars) => {
      const returns = logReturns(bars.close);
      const shorts = sliding(returns, short, sampleDeviation);
      const longs = sliding(returns, long, sampleDeviation);
      const ratios = shorts.map((value, index) => (longs[index] === 0 ? 1 : value / (longs[index] ?? NaN)));
      const expected = { value: ratios, short: shorts, long: longs };
      return [columns(volatilityRatio(short, long), bars)[output], [NaN, ...expected[output]], relative];
    });
  }
});

test('the Donchian channel is the highest high and the lowest low of the window, exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), manyBars, (window, bars) => {
      const { value, upper, lower } = columns(donchian(window), bars);
      const highs = sliding(bars.high, window, (values) => Math.max(...values));
      const lows = sliding(bars.low, window, (values) => Math.min(...values));
      assert.deepEqual([...upper], highs);
      assert.deepEqual([...lower], lows);
      assert.deepEqual(
        [...value],
        highs.map((high, index) => (high + (lows[index] ?? NaN)) / 2),
      );
    }),
  );
});

test('a market that stands still has no deviation, a z-score of 0, %B in the middle and a volatility ratio of 1', () => {
  const still = ramp(1);
  assert.equal(columns(standardDeviation(20), still).value.at(-1), 0);
  assert.equal(columns(zScore(20), still).value.at(-1), 0);
  assert.equal(columns(bollinger(20, 2), still).percentB.at(-1), 0.5);
  assert.equal(columns(bollinger(20, 2), still).width.at(-1), 0);
  assert.equal(columns(realisedVolatility(20), still).value.at(-1), 0);
  assert.equal(columns(volatilityRatio(5, 20), still).value.at(-1), 1);
  assert.equal(columns(atr(14), still).value.at(-1), 0);
});

type Comparison = readonly [found: Float64Array, expected: readonly number[], tolerance: (expected: number, price: number) => number];

function compare(window: fc.Arbitrary<number>, run: (window: number, bars: BarColumns) => Comparison): void {
  fc.assert(
    fc.property(window, manyBars, (bars, history) => {
      const [found, expected, tolerance] = run(bars, history);
      assert.equal(found.length, expected.length);
      found.forEach((value, index) => {
        const wanted = expected[index] ?? NaN;
        if (Number.isNaN(value) && Number.isNaN(wanted)) return;
        const allowed = tolerance(wanted, Math.max(...history.close.subarray(Math.max(0, index - bars), index + 1)));
        assert.ok(Math.abs(value - wanted) <= allowed, `window ${bars}, bar ${index}: found ${value}, expected ${wanted} to ${allowed}`);
      });
    }),
  );
}

function relative(expected: number): number {
  return TOLERANCE * Math.abs(expected);
}
function absolute(): number {
  return TOLERANCE;
}
function relativeToPrice(_expected: number, price: number): number {
  return TOLERANCE * price;
}

function sliding(values: Float64Array, window: number, of: (values: Float64Array) => number): number[] {
  return Array.from(values, (_, index) => (index + 1 < window ? NaN : of(values.subarray(index + 1 - window, index + 1))));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Differences from the last value first: exact where prices are close together, which is where digits are lost. */
function differences(values: Float64Array): Float64Array {
  const last = values.at(-1) ?? NaN;
  return values.map((value) => value - last);
}

function squares(values: Float64Array): number {
  const from = differences(values);
  const centre = mean(from);
  return from.reduce((sum, value) => sum + (value - centre) ** 2, 0);
}

function deviation(values: Float64Array): number {
  return Math.sqrt(squares(values) / values.length);
}

function sampleDeviation(values: Float64Array): number {
  return Math.sqrt(squares(values) / (values.length - 1));
}

function score(values: Float64Array): number {
  const spread = deviation(values);
  return spread === 0 ? 0 : -mean(differences(values)) / spread;
}

function changes(values: Float64Array): number[] {
  return Array.from(values.subarray(1), (value, index) => value - (values[index] ?? NaN));
}

function logReturns(values: Float64Array): Float64Array {
  return values.subarray(1).map((value, index) => Math.log(value / (values[index] ?? NaN)));
}

/** Wilder's smoothing as he wrote it: the mean of the first n, then (n - 1) parts of the old and one of the new. */
function wilder(values: readonly number[], window: number): number[] {
  let smoothed = NaN;
  return values.map((value, index) => {
    if (index + 1 < window) return NaN;
    if (index + 1 === window) smoothed = values.slice(0, window).reduce((sum, each) => sum + each, 0) / window;
    else smoothed = (smoothed * (window - 1) + value) / window;
    return smoothed;
  });
}

/** A hundred bars, each by the same factor. */
function ramp(factor: number): BarColumns {
  const close = Float64Array.from({ length: 100 }, (_, index) => 0.1 * factor ** index);
  return { openAt: close, open: close, high: close, low: close, close, volume: close };
}
