// What TA-Lib, pandas-ta-classic, numpy and pandas say of the same bars: an independent witness for every feature. See talib-golden.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { BarColumns } from '../../src/domain/bars.ts';
import type { Indicator } from '../../src/domain/feature.ts';
import { HOUR_MS } from '../../src/domain/time.ts';
import * as catalog from '../../src/features/catalog.ts';
import { columns, type CatalogSpec } from '../../src/features/catalog.ts';
import { PATTERN_NAMES } from '../../src/features/indicators/bar-pattern.ts';
import { gappyBars, madeUpBars, stillBars } from '../../src/features/indicators/bars.fixture.ts';
import { needs, sharedPath } from '../support/needs.ts';

const whole = z.object({ first: z.number(), values: z.array(z.number()) });
const sampled = z.object({
  first: z.number(),
  sum: z.number(),
  absoluteSum: z.number(),
  rows: z.array(z.number()),
  values: z.array(z.number()),
});
const bars = z.object({ count: z.number(), last: z.array(z.number()) });
const golden = z
  .object({
    versions: z.record(z.string(), z.string()),
    smooth: bars.extend({ columns: z.record(z.string(), whole) }),
    gappy: bars.extend({ columns: z.record(z.string(), whole) }),
    still: bars.extend({ columns: z.record(z.string(), whole) }),
    patterns: bars.extend({
      found: z.record(z.string(), z.object({ lookback: z.number(), rows: z.array(z.number()), values: z.array(z.number()) })),
    }),
    real: z.object({
      count: z.number(),
      columns: z.record(z.string(), sampled),
      patterns: z.record(z.string(), z.object({ count: z.number(), sha256: z.string() })),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('talib.json', import.meta.url), 'utf8')));

type Columns = Readonly<Record<string, Float64Array>>;

/** Every output of a feature under its full name. */
function named<I extends Indicator & Readonly<Record<Output, number>>, Output extends string>(
  spec: CatalogSpec<I, Output>,
): (bars: BarColumns) => Columns {
  return (history) =>
    Object.fromEntries(
      Object.entries<Float64Array>(columns(spec, history, HOUR_MS)).map(([output, column]) => [`${spec.key}.${output}`, column]),
    );
}

const SMOOTH: readonly ((bars: BarColumns) => Columns)[] = [
  named(catalog.sma(20)),
  named(catalog.ema(12)),
  named(catalog.ema(48)),
  named(catalog.rsi(14)),
  named(catalog.atr(14)),
  named(catalog.bollinger(20, 2.5)),
  named(catalog.standardDeviation(20)),
  named(catalog.donchian(20)),
  named(catalog.zScore(20)),
  named(catalog.realisedVolatility(24)),
  named(catalog.realisedVolatility(24, HOUR_MS)),
  named(catalog.volatilityRatio(10, 60)),
];

/** The anchor is a bar's opening, so it differs between histories. */
function gappyFeatures(anchorAt: number): readonly ((bars: BarColumns) => Columns)[] {
  return [
    named(catalog.wma(20)),
    named(catalog.dema(12)),
    named(catalog.tema(9)),
    named(catalog.kama(10)),
    named(catalog.hma(20)),
    named(catalog.macd(12, 26, 9)),
    named(catalog.adx(14)),
    named(catalog.adxr(14)),
    named(catalog.keltner(20, 10, 2)),
    named(catalog.keltner(5, 14, 1.5)),
    named(catalog.stochastic(14, 3, 3)),
    named(catalog.stochasticFast(14, 3)),
    named(catalog.stochasticRsi(14, 5, 3)),
    named(catalog.williamsR(14)),
    named(catalog.cci(20)),
    named(catalog.mfi(14)),
    named(catalog.obv()),
    named(catalog.accumulationDistribution()),
    named(catalog.chaikinOscillator(3, 10)),
    named(catalog.chaikinMoneyFlow(20)),
    named(catalog.sessionVwap(HOUR_MS)),
    named(catalog.rollingVwap(20)),
    named(catalog.anchoredVwap(anchorAt)),
    named(catalog.rateOfChange(10)),
    named(catalog.momentum(10)),
    named(catalog.trix(15)),
    named(catalog.ultimateOscillator(7, 14, 28)),
    named(catalog.aroon(14)),
    named(catalog.ichimoku(9, 26, 52, 26)),
    named(catalog.superTrend(10, 3)),
    named(catalog.parabolicSar(0.02, 0.2)),
    named(catalog.pivotPoints('classic', HOUR_MS)),
    named(catalog.pivotPoints('fibonacci', HOUR_MS)),
    named(catalog.pivotPoints('camarilla', HOUR_MS)),
    named(catalog.volumeProfile(48, 0.0025)),
    named(catalog.parkinson(20)),
    named(catalog.garmanKlass(20)),
    named(catalog.rogersSatchell(20)),
    named(catalog.yangZhang(20, HOUR_MS)),
    named(catalog.swings(3)),
    named(catalog.liquiditySweep(3)),
    named(catalog.pinBar(2 / 3)),
  ];
}

/** TA-Lib does not say which side its stop is on; indicators/trailing-line.test.ts does. */
const WITHOUT_WITNESS = ['parabolicSar(0.02,0.2).trend'];

function computed(features: readonly ((bars: BarColumns) => Columns)[], history: BarColumns): Columns {
  const found = features.flatMap((of) => Object.entries(of(history)));
  return Object.fromEntries(found.filter(([name]) => !WITHOUT_WITNESS.includes(name)));
}

/** An oscillator crosses zero by subtracting numbers as large as its column: there it is as exact as they are, to the twelfth digit. */
function assertAgrees(found: number, wanted: number, largest: number, where: string): void {
  const allowed = Math.max(1e-9 * Math.abs(wanted), 1e-12 * largest);
  assert.ok(Math.abs(found - wanted) <= allowed, `${where}: found ${found}, the witness says ${wanted}`);
}

const worlds = [
  ['smooth', madeUpBars(golden.smooth.count), golden.smooth, SMOOTH],
  ['gappy', gappyBars(golden.gappy.count), golden.gappy, gappyFeatures(100 * HOUR_MS)],
  ['still', stillBars(golden.still.count), golden.still, gappyFeatures(100 * HOUR_MS)],
] as const;

for (const [world, history, { last, columns: wanted }, features] of worlds) {
  describe(`on ${world} bars`, () => {
    test('the witness and the tests speak of the same bars, to the last bit', () => assert.deepEqual(lastOf(history), last));

    const found = computed(features, history);
    test('every golden column is compared, and no column is without a witness', () => {
      assert.deepEqual(Object.keys(found).toSorted(), Object.keys(wanted).toSorted());
    });

    for (const [name, { first, values }] of Object.entries(wanted)) {
      test(`${name} begins at the same bar as the witness and agrees with it to 1e-9`, () => {
        const column = found[name] ?? new Float64Array(0);
        assert.equal(column.findIndex(Number.isFinite), first);
        assert.equal(column.length, first + values.length);
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        values.forEach((value, place) => assertAgrees(column[first + place] ?? NaN, value, largest, `bar ${first + place}`));
      });
    }
  });
}

describe('patterns are TA-Lib’s integers', () => {
  const history = gappyBars(golden.patterns.count);
  test('of the same bars', () => assert.deepEqual(lastOf(history), golden.patterns.last));
  test('all of them', () => {
    assert.deepEqual(Object.keys(golden.patterns.found), [...PATTERN_NAMES]);
    assert.deepEqual(Object.keys(golden.real.patterns), [...PATTERN_NAMES]);
  });

  for (const name of PATTERN_NAMES) {
    const { lookback, rows, values } = golden.patterns.found[name] ?? assert.fail(name);
    test(`${name}, found ${rows.length} times`, () => {
      assert.ok(rows.length >= 5, 'a pattern that is never there proves nothing');
      const column = columns(catalog.barPattern(name), history).value;
      assert.equal(column.findIndex(Number.isFinite), lookback);
      const found = [...column.keys()].filter((row) => (column[row] ?? 0) !== 0 && row >= lookback);
      assert.deepEqual(found, rows);
      assert.deepEqual(
        found.map((row) => column[row]),
        values,
      );
    });
  }
});

describe('on real bars of BTC/USDT by the hour', { skip: needs('shared data') }, () => {
  const history = realBars();
  const found = computed([...SMOOTH, ...gappyFeatures(history.openAt[100] ?? NaN)], history);
  test('there are as many, and every column is compared', () => {
    assert.equal(history.close.length, golden.real.count);
    assert.deepEqual(Object.keys(found).toSorted(), Object.keys(golden.real.columns).toSorted());
  });

  for (const [name, { first, sum, absoluteSum, rows, values }] of Object.entries(golden.real.columns)) {
    test(`${name} agrees with the witness, value by value in ${rows.length} places and in the sum of all`, () => {
      const column = found[name] ?? new Float64Array(0);
      assert.equal(column.findIndex(Number.isFinite), first);
      const known = column.subarray(first);
      const largest = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      rows.forEach((row, place) => assertAgrees(column[row] ?? NaN, values[place] ?? NaN, largest, `bar ${row}`));
      const tolerance = 1e-9 * absoluteSum;
      assert.ok(Math.abs(known.reduce((total, value) => total + value, 0) - sum) <= tolerance, 'sum');
      assert.ok(Math.abs(known.reduce((total, value) => total + Math.abs(value), 0) - absoluteSum) <= tolerance, 'absolute sum');
    });
  }

  for (const name of PATTERN_NAMES) {
    test(`${name} is TA-Lib’s integer on every bar`, () => {
      const column = Int8Array.from(columns(catalog.barPattern(name), history).value, (value) => (Number.isNaN(value) ? 0 : value));
      const { count, sha256 } = golden.real.patterns[name] ?? assert.fail(name);
      assert.equal(
        column.reduce((total, value) => total + (value === 0 ? 0 : 1), 0),
        count,
      );
      assert.equal(createHash('sha256').update(column).digest('hex'), sha256);
    });
  }
});

function lastOf({ openAt, open, high, low, close, volume }: BarColumns): (number | undefined)[] {
  return [openAt, open, high, low, close, volume].map((column) => column.at(-1));
}

function realBars(): BarColumns {
  const lines = gunzipSync(readFileSync(sharedPath('data/2_intraday/1h_spot/BTCUSDT_1h.csv.gz')))
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const column = (place: number): Float64Array => Float64Array.from(lines, (cells) => Number(cells[place]));
  return {
    openAt: Float64Array.from(lines, ([timestamp = '']) => Date.parse(timestamp)),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}
