// The windows that indicators are built on, against the window computed anew: extremes, deviations, rows of volume, totals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cci, columns, pinBar, volumeProfile, wma } from '../catalog.ts';
import { anyBars } from './bars.fixture.ts';
import { OrderedWindow } from './ordered-window.ts';
import { RollingExtreme } from './rolling-extreme.ts';
import { RunningTotal } from './smoothing.ts';

const numbers = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })), {
  minLength: 1,
  maxLength: 200,
  size: 'max',
});
const windows = fc.integer({ min: 1, max: 40 });

test('the highest of a window, how old it is and whether it is alone', () => {
  fc.assert(
    fc.property(numbers, windows, (values, window) => {
      const extreme = new RollingExtreme(window);
      values.forEach((value, index) => {
        extreme.push(value);
        if (index + 1 < window) return assert.deepEqual([extreme.value, extreme.age], [NaN, NaN]);
        const last = values.slice(index + 1 - window, index + 1);
        const highest = Math.max(...last);
        const equals = last.filter((each) => each === highest).length;
        assert.deepEqual(
          // Zero has two signs and one value.
          [extreme.value + 0, extreme.age, extreme.isUnique],
          [highest + 0, window - 1 - last.findLastIndex((each) => each === highest), equals === 1],
        );
      });
    }),
  );
});

test('what the numbers below a place lack of it', () => {
  fc.assert(
    fc.property(numbers, windows, fc.double({ min: -1e6, max: 1e6, noNaN: true }), (values, window, offset) => {
      const ordered = new OrderedWindow(window);
      values.forEach((value, index) => {
        ordered.push(value);
        const place = value - offset;
        const last = values.slice(Math.max(0, index + 1 - window), index + 1);
        const expected = last.reduce((sum, each) => sum + Math.max(0, place - each), 0);
        assert.ok(Math.abs(ordered.shortfall(value, offset) - expected) <= 1e-9 * (1 + expected), `bar ${index}`);
      });
    }),
  );
});

test('the channel index is the offset from the mean in 0.015 mean absolute deviations', () => {
  fc.assert(
    fc.property(anyBars(60, 150), fc.integer({ min: 2, max: 40 }), (bars, window) => {
      const found = columns(cci(window), bars).value;
      const typical = bars.close.map((close, index) => ((bars.high[index] ?? NaN) + (bars.low[index] ?? NaN) + close) / 3);
      for (let index = window - 1; index < typical.length; index++) {
        const last = typical[index] ?? NaN;
        // Differences from the last price first, which are exact where digits would be lost.
        const from = typical.slice(index + 1 - window, index + 1).map((price) => price - last);
        const mean = from.reduce((sum, value) => sum + value, 0) / window;
        const deviation = from.reduce((sum, value) => sum + Math.abs(value - mean), 0) / window;
        const expected = deviation === 0 ? 0 : -mean / (0.015 * deviation);
        assert.ok(
          Math.abs((found[index] ?? NaN) - expected) <= 1e-9 * (100 + Math.abs(expected)),
          `bar ${index}: ${found[index]}, ${expected}`,
        );
      }
    }),
  );
});

test('the weighted mean weighs the newest close n, the one before n - 1', () => {
  fc.assert(
    fc.property(anyBars(60, 150), windows, (bars, window) => {
      columns(wma(window), bars).value.forEach((value, index) => {
        if (index + 1 < window) return assert.equal(value, NaN);
        const last = bars.close.subarray(index + 1 - window, index + 1);
        const expected = last.reduce((sum, close, place) => sum + close * (place + 1), 0) / ((window * (window + 1)) / 2);
        assert.ok(Math.abs(value - expected) <= 1e-9 * expected, `bar ${index}`);
      });
    }),
  );
});

test('the profile has the row with the most volume, and around it the least rows that hold 0.7 of it', () => {
  fc.assert(
    fc.property(anyBars(60, 150), windows, fc.constantFrom(0.001, 0.02, 0.5), (history, window, rowRatio) => {
      // Whole volumes, so that no order of adding them matters.
      const bars = { ...history, volume: history.close.map((_, index) => (index * 7919) % 11) };
      const { value, areaLow, areaHigh } = columns(volumeProfile(window, rowRatio), bars);
      const height = Math.log1p(rowRatio);
      for (let index = window - 1; index < value.length; index++) {
        const rows = new Map<number, number>();
        let newest = NaN;
        for (let row = index + 1 - window; row <= index; row++) {
          const typical = ((bars.high[row] ?? NaN) + (bars.low[row] ?? NaN) + (bars.close[row] ?? NaN)) / 3;
          newest = Math.floor(Math.log(typical) / height);
          rows.set(newest, (rows.get(newest) ?? 0) + (bars.volume[row] ?? NaN));
        }
        const sorted = [...rows].toSorted(([left], [right]) => left - right);
        const most = Math.max(...rows.values());
        const control = most === 0 ? newest : (sorted.find(([, volume]) => volume === most)?.[0] ?? NaN);
        near(value[index], Math.exp((control + 0.5) * height), `control of bar ${index}`);
        const low = Math.round(Math.log(areaLow[index] ?? NaN) / height);
        const high = Math.round(Math.log(areaHigh[index] ?? NaN) / height) - 1;
        assert.ok(low <= control && control <= high);
        const total = [...rows.values()].reduce((sum, volume) => sum + volume, 0);
        const area = sorted.filter(([row]) => row >= low && row <= high);
        const inside = area.reduce((sum, [, volume]) => sum + volume, 0);
        assert.ok(inside >= 0.7 * total - 1e-9, 'the area holds its share');
        // Without the row that was taken last, one of the two at the ends, it would not.
        const ends = area.filter(([row]) => row !== control && (row === area[0]?.[0] || row === area.at(-1)?.[0]));
        if (ends.length > 0)
          assert.ok(
            ends.some(([, volume]) => inside - volume < 0.7 * total),
            'no row too many',
          );
      }
    }),
  );
});

test('a total keeps what a plain sum loses', () => {
  const total = new RunningTotal();
  for (const value of [1e16, 1, 1, -1e16]) total.add(value);
  assert.equal(total.value, 2);
  assert.equal(1e16 + 1 + 1 - 1e16, 0);
  total.clear();
  for (let index = 0; index < 1_000_000; index++) total.add(0.1);
  assert.ok(Math.abs(total.value - 100_000) < 1e-8, `${total.value}`);
});

test('a pin bar has one long shadow: below it is bullish, above bearish', () => {
  const bars: readonly (readonly [open: number, high: number, low: number, close: number, expected: number])[] = [
    [10, 11, 4, 10.5, 1],
    [10.5, 11, 4, 10, 1],
    [5, 11, 4, 4.5, -1],
    [4, 11, 4, 11, 0],
    [7, 11, 4, 8, 0],
    [10, 10, 10, 10, 0],
    [10, 10, 7, 9, 1],
  ];
  const column = (place: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(bars, (bar) => bar[place]);
  const history = { openAt: column(0), open: column(0), high: column(1), low: column(2), close: column(3), volume: column(0) };
  assert.deepEqual(
    [...columns(pinBar(2 / 3), history).value],
    bars.map((bar) => bar[4]),
  );
});

function near(found: number | undefined, expected: number, where: string): void {
  assert.ok(Math.abs((found ?? NaN) - expected) <= 1e-9 * Math.abs(expected), `${where}: found ${found}, expected ${expected}`);
}
