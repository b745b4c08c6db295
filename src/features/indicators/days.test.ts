// What belongs to a UTC day: session prices and pivot points, whatever the hour of the first bar and whatever bars are missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { anchoredVwap, columns, pivotPoints, rollingVwap, sessionVwap } from '../catalog.ts';
import { gappyBars } from './bars.fixture.ts';

/** Bars by the hour of which any are missing, from any hour on. */
const withHoles: fc.Arbitrary<BarColumns> = fc
  .tuple(fc.nat({ max: 23 }), fc.array(fc.boolean(), { minLength: 60, maxLength: 240, size: 'max' }), fc.integer({ min: 1, max: 12 }))
  .map(([hour, kept, holes]) => {
    const bars = gappyBars(kept.length);
    // Whole days must occur too.
    const rows = [...kept.keys()].filter((row) => kept[row] === true || row % holes !== 0);
    const pick = (column: Float64Array): Float64Array => Float64Array.from(rows, (row) => column[row] ?? NaN);
    return {
      openAt: pick(bars.openAt).map((at) => at + hour * HOUR_MS),
      open: pick(bars.open),
      high: pick(bars.high),
      low: pick(bars.low),
      close: pick(bars.close),
      volume: pick(bars.volume),
    };
  });

interface Day {
  readonly number: number;
  readonly rows: number[];
}

/** Rows by the UTC day in which they opened. */
function daysOf({ openAt }: BarColumns, until: number): Day[] {
  const groups = Map.groupBy(openAt.subarray(0, until + 1).keys(), (row) => Math.floor((openAt[row] ?? NaN) / DAY_MS));
  return [...groups].map(([number, rows]) => ({ number, rows }));
}

function near(found: number | undefined, expected: number, where: string): void {
  assert.ok(Math.abs((found ?? NaN) - expected) <= 1e-9 * Math.abs(expected), `${where}: found ${found}, expected ${expected}`);
}

test('the session price is what the day so far paid, and silent about a day whose beginning was not seen', () => {
  fc.assert(
    fc.property(withHoles, (bars) => {
      const { value } = columns(sessionVwap(HOUR_MS), bars, HOUR_MS);
      for (let index = 0; index < value.length; index++) {
        const days = daysOf(bars, index);
        const today = days.at(-1) ?? assert.fail();
        const sawItBegin = days.length > 1 || bars.openAt[0] === today.number * DAY_MS;
        if (index + 1 < 24 || !sawItBegin) assert.equal(value[index], NaN, `bar ${index}`);
        else near(value[index], paid(bars, today.rows), `bar ${index}`);
        // As declared: a day's bars, however they lie.
        if (index + 1 >= 24) assert.ok(Number.isFinite(value[index]), `bar ${index} is warm`);
      }
    }),
  );
});

test('pivot points are of the last day that is over, and silent about one whose beginning was not seen', () => {
  fc.assert(
    fc.property(withHoles, fc.constantFrom('classic', 'fibonacci', 'camarilla'), (bars, method) => {
      const found = columns(pivotPoints(method, HOUR_MS), bars, HOUR_MS);
      for (let index = 0; index < bars.close.length; index++) {
        const closedAt = (bars.openAt[index] ?? NaN) + HOUR_MS;
        const whole = daysOf(bars, index).filter(({ number }, place) => {
          const sawItBegin = place > 0 || bars.openAt[0] === number * DAY_MS;
          return sawItBegin && closedAt >= (number + 1) * DAY_MS;
        });
        const day = whole.at(-1);
        if (index + 1 < 47) {
          assert.equal(found.value[index], NaN, `bar ${index}`);
          continue;
        }
        assert.ok(day !== undefined, 'within two days less a bar one day is over');
        const high = Math.max(...day.rows.map((row) => bars.high[row] ?? NaN));
        const low = Math.min(...day.rows.map((row) => bars.low[row] ?? NaN));
        const close = bars.close[day.rows.at(-1) ?? NaN] ?? NaN;
        const pivot = (high + low + close) / 3;
        near(found.value[index], pivot, `pivot of bar ${index}`);
        const [resistance, support] = {
          classic: [2 * pivot - low, 2 * pivot - high],
          fibonacci: [pivot + 0.382 * (high - low), pivot - 0.382 * (high - low)],
          camarilla: [close + (1.1 / 12) * (high - low), close - (1.1 / 12) * (high - low)],
        }[method] ?? [NaN, NaN];
        near(found.resistance1[index], resistance ?? NaN, `resistance of bar ${index}`);
        near(found.support1[index], support ?? NaN, `support of bar ${index}`);
      }
    }),
  );
});

test('pivot points of a day known by heart', () => {
  // High 110, low 90, close 105: the pivot is 101 2/3.
  const prices = Float64Array.from({ length: 48 }, (_, hour) => (hour === 5 ? 110 : hour === 9 ? 90 : hour < 23 ? 100 : 105));
  const openAt = prices.map((_, hour) => hour * HOUR_MS);
  const bars = { openAt, open: prices, high: prices, low: prices, close: prices, volume: prices };
  const at = (method: 'classic' | 'fibonacci' | 'camarilla'): number[] =>
    Object.values(columns(pivotPoints(method, HOUR_MS), bars, HOUR_MS)).map((column) => Number(column[46]?.toFixed(4)));
  // In the order of the outputs: pivot, three resistances, three supports.
  assert.deepEqual(at('classic'), [101.6667, 113.3333, 121.6667, 133.3333, 93.3333, 81.6667, 73.3333]);
  assert.deepEqual(at('fibonacci'), [101.6667, 109.3067, 114.0267, 121.6667, 94.0267, 89.3067, 81.6667]);
  assert.deepEqual(at('camarilla'), [101.6667, 106.8333, 108.6667, 110.5, 103.1667, 101.3333, 99.5]);
});

test('the anchored price is what was paid since, and the rolling one what was paid lately', () => {
  fc.assert(
    fc.property(withHoles, fc.nat({ max: 90 }), fc.integer({ min: 1, max: 30 }), (bars, anchorHour, window) => {
      const anchorAt = anchorHour * HOUR_MS;
      const anchored = columns(anchoredVwap(anchorAt), bars, HOUR_MS).value;
      const rolling = columns(rollingVwap(window), bars).value;
      for (let index = 0; index < bars.close.length; index++) {
        const all = [...bars.openAt.subarray(0, index + 1).keys()];
        const since = all.filter((row) => (bars.openAt[row] ?? NaN) >= anchorAt);
        if (since.length === 0) assert.equal(anchored[index], NaN);
        else near(anchored[index], paid(bars, since), `anchored, bar ${index}`);
        if (index + 1 < window) assert.equal(rolling[index], NaN);
        else near(rolling[index], paid(bars, all.slice(-window)), `rolling, bar ${index}`);
      }
    }),
    { numRuns: 40 },
  );
});

/** Turnover by volume; the last typical price where nothing was traded. */
function paid({ high, low, close, volume }: BarColumns, rows: readonly number[]): number {
  const typical = (row: number): number => ((high[row] ?? NaN) + (low[row] ?? NaN) + (close[row] ?? NaN)) / 3;
  const traded = rows.reduce((sum, row) => sum + (volume[row] ?? NaN), 0);
  if (traded === 0) return typical(rows.at(-1) ?? NaN);
  return rows.reduce((sum, row) => sum + typical(row) * (volume[row] ?? NaN), 0) / traded;
}
