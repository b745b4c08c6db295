// Turning points against their definition over the whole past, and what happens at their levels, bar by bar.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { columns, liquiditySweep, swings } from '../catalog.ts';
import { anyBars, gappyBars } from './bars.fixture.ts';

const sides = fc.integer({ min: 1, max: 8 });
/** Made-up markets seldom have equal highs: these are cut to a few prices, so that they often have. */
const anyTurns = fc.oneof(
  anyBars(2, 150),
  fc
    .array(fc.tuple(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 150, size: 'max' })
    .map(barsOf),
);

test('a swing is higher than all around it, and is known with the last bar that confirms it, not before', () => {
  fc.assert(
    fc.property(sides, anyTurns, (side, bars) => {
      const found = columns(swings(side), bars);
      const levels = { high: NaN, low: NaN };
      const turns = { high: 0, low: 0 };
      for (let index = 0; index < bars.close.length; index++) {
        const turn = index - side;
        const isWhole = turn >= side;
        const isHigh = isWhole && isExtreme(bars.high, turn, side, 1);
        const isLow = isWhole && isExtreme(bars.low, turn, side, -1);
        if (isHigh) {
          const level = bars.high[turn] ?? NaN;
          turns.high = Number.isNaN(levels.high) ? 0 : Math.sign(level - levels.high);
          levels.high = level;
        }
        if (isLow) {
          const level = bars.low[turn] ?? NaN;
          turns.low = Number.isNaN(levels.low) ? 0 : Math.sign(level - levels.low);
          levels.low = level;
        }
        const structure = turns.high === turns.low ? turns.high : 0;
        assert.deepEqual(
          [found.newHigh[index], found.newLow[index], found.high[index], found.low[index], found.highTurn[index], found.lowTurn[index]],
          [isHigh ? 1 : 0, isLow ? 1 : 0, levels.high, levels.low, turns.high, turns.low],
          `bar ${index}`,
        );
        assert.equal(found.value[index], index < 2 * side ? NaN : structure);
      }
    }),
  );
});

test('two equal highs side by side are no swing', () => {
  const highs = [1, 2, 5, 5, 2, 1, 1, 6, 1, 1].map((high) => [high + 5, 1] as const);
  const { newHigh, high } = columns(swings(2), barsOf(highs));
  assert.deepEqual([...newHigh], [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  assert.equal(high.at(-1), 11);
});

test('higher highs and higher lows make an upward structure, lower ones of both a downward one, otherwise there is none', () => {
  // Peaks and troughs four bars apart, each further up or down.
  const zigzag = (slope: number): BarColumns =>
    barsOf(Array.from({ length: 60 }, (_, index) => [100 + slope * index + 4 * Math.abs(4 - (index % 8)), 1] as const));
  assert.equal(columns(swings(2), zigzag(0.5)).value.at(-1), 1);
  assert.equal(columns(swings(2), zigzag(-0.5)).value.at(-1), -1);
  assert.equal(columns(swings(2), zigzag(0)).value.at(-1), 0);
  const before = columns(swings(2), zigzag(0.5)).value.subarray(0, 4);
  assert.ok(before.every(Number.isNaN));
});

test('a sweep goes beyond the level, closes back inside and came from inside', () => {
  // A swing high at 20 is confirmed by the fifth bar; then come the bars of the case.
  const until = [
    { high: 15, low: 10, close: 12 },
    { high: 16, low: 11, close: 13 },
    { high: 20, low: 12, close: 15 },
    { high: 16, low: 11, close: 13 },
    { high: 15, low: 10.5, close: 12 },
  ];
  const lastOf = (...bars: { high: number; low: number; close: number }[]): [number | undefined, number | undefined] => {
    const { value, depth } = columns(liquiditySweep(2), barsFrom([...until, ...bars]));
    return [value.at(-1), depth.at(-1)];
  };
  assert.deepEqual(lastOf({ high: 21, low: 12, close: 19 }), [-1, 1 / 20]);
  assert.deepEqual(lastOf({ high: 20, low: 12, close: 19 }), [0, 0], 'to touch is not to sweep');
  assert.deepEqual(lastOf({ high: 21, low: 12, close: 20.5 }), [0, 0], 'a close beyond is a breakout');
  assert.deepEqual(lastOf({ high: 23, low: 12, close: 22 }, { high: 23, low: 15, close: 16 }), [0, 0], 'from beyond it is a way back');
});

test('sweeps of a long made-up market are those of the definition, on both sides', () => {
  const bars = gappyBars(5_000);
  const side = 3;
  const { high, low } = columns(swings(side), bars);
  const { value, depth } = columns(liquiditySweep(side), bars);
  const counts = new Map<number, number>();
  for (let index = 2 * side + 1; index < value.length; index++) {
    const [top = NaN, bottom = NaN, from = NaN, close = NaN] = [high[index - 1], low[index - 1], bars.close[index - 1], bars.close[index]];
    const above = (bars.high[index] ?? NaN) - top;
    const below = bottom - (bars.low[index] ?? NaN);
    const up = below > 0 && close > bottom && from > bottom;
    const down = above > 0 && close < top && from < top;
    const expected = up === down ? 0 : up ? 1 : -1;
    assert.equal(value[index], expected, `bar ${index}`);
    assert.equal(depth[index], expected === 0 ? 0 : up ? below / bottom : above / top);
    counts.set(expected, (counts.get(expected) ?? 0) + 1);
  }
  assert.ok((counts.get(1) ?? 0) > 50 && (counts.get(-1) ?? 0) > 50);
});

function isExtreme(values: Float64Array, place: number, side: number, sign: 1 | -1): boolean {
  for (let away = 1; away <= side; away++) {
    const [before = NaN, middle = NaN, after = NaN] = [values[place - away], values[place], values[place + away]];
    if (!(sign * middle > sign * before && sign * middle > sign * after)) return false;
  }
  return true;
}

function barsOf(heights: readonly (readonly [high: number, height: number])[]): BarColumns {
  return barsFrom(heights.map(([high, height]) => ({ high, low: high - height, close: high - height / 2 })));
}

function barsFrom(bars: readonly { readonly high: number; readonly low: number; readonly close: number }[]): BarColumns {
  const close = Float64Array.from(bars, (bar) => bar.close);
  const zero = new Float64Array(bars.length);
  const high = Float64Array.from(bars, (bar) => bar.high);
  return { openAt: zero, open: close, high, low: Float64Array.from(bars, (bar) => bar.low), close, volume: zero };
}
