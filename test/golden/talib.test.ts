// What TA-Lib, numpy and pandas say of the same bars: an independent witness for every indicator. See talib-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { HOUR_MS } from '../../src/domain/time.ts';
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
} from '../../src/features/catalog.ts';
import { madeUpBars } from '../../src/features/indicators/bars.fixture.ts';

const golden = z
  .object({
    versions: z.record(z.string(), z.string()),
    bars: z.object({ count: z.number(), lastHigh: z.number(), lastLow: z.number(), lastClose: z.number() }),
    columns: z.record(z.string(), z.object({ first: z.number(), rows: z.array(z.number()), values: z.array(z.number()) })),
  })
  .parse(JSON.parse(readFileSync(new URL('talib.json', import.meta.url), 'utf8')));

const bars = madeUpBars(golden.bars.count);
const bands = columns(bollinger(20, 2.5), bars);
const channel = columns(donchian(20), bars);
const found: Readonly<Record<string, Float64Array>> = {
  'sma(20)': columns(sma(20), bars).value,
  'ema(12)': columns(ema(12), bars).value,
  'ema(48)': columns(ema(48), bars).value,
  'rsi(14)': columns(rsi(14), bars).value,
  'atr(14)': columns(atr(14), bars).value,
  'bollinger(20,2.5).value': bands.value,
  'bollinger(20,2.5).upper': bands.upper,
  'bollinger(20,2.5).lower': bands.lower,
  'bollinger(20,2.5).percentB': bands.percentB,
  'bollinger(20,2.5).width': bands.width,
  'standardDeviation(20)': columns(standardDeviation(20), bars).value,
  'donchian(20).upper': channel.upper,
  'donchian(20).lower': channel.lower,
  'zScore(20)': columns(zScore(20), bars).value,
  'realisedVolatility(24)': columns(realisedVolatility(24), bars).value,
  'realisedVolatility(24,3600000ms)': columns(realisedVolatility(24, HOUR_MS), bars).value,
  'volatilityRatio(10,60)': columns(volatilityRatio(10, 60), bars).value,
};

test('the witness and the tests speak of the same bars, to the last bit', () => {
  assert.deepEqual(
    [bars.high.at(-1), bars.low.at(-1), bars.close.at(-1)],
    [golden.bars.lastHigh, golden.bars.lastLow, golden.bars.lastClose],
  );
});

test('every golden column is compared', () => {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(golden.columns).sort());
});

for (const [name, { first, rows, values }] of Object.entries(golden.columns)) {
  test(`${name} begins at the same bar as the witness and agrees with it to 1e-9`, () => {
    const column = found[name];
    assert.ok(column !== undefined);
    assert.equal(column.findIndex(Number.isFinite), first);
    rows.forEach((row, place) => {
      const wanted = values[place] ?? NaN;
      const value = column[row] ?? NaN;
      assert.ok(
        Math.abs(value - wanted) <= 1e-9 * Math.max(Math.abs(wanted), Number.EPSILON),
        `bar ${row}: ${value}, the witness says ${wanted}`,
      );
    });
  });
}
