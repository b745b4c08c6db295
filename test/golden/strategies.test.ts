// Eight strategies on real bars, lived by the engine's own board and mind, against rules that were written anew in pandas and TA-Lib: see
// strategies-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { BarColumns } from '../../src/domain/bars.ts';
import { forecaster } from '../../src/domain/strategy.ts';
import { DAY_MS, HOUR_MS, type TimeMs } from '../../src/domain/time.ts';
import { strategies } from '../../src/forecasts/strategies/index.ts';
import { observeForecaster } from '../../src/lab/lookahead/subject.ts';
import { needs, sharedPath } from '../support/needs.ts';

/** Of the number itself, or of one where it is smaller. */
const TOLERANCE = 1e-9;

const changes = z.object({ first: z.number(), count: z.number(), changes: z.array(z.number()), to: z.array(z.number()) });
const sampled = z.object({
  first: z.number(),
  count: z.number(),
  sum: z.number(),
  absoluteSum: z.number(),
  rows: z.array(z.number()),
  values: z.array(z.number()),
});
const golden = z
  .looseObject({ rows: z.record(z.string(), z.number()) })
  .parse(JSON.parse(readFileSync(new URL('strategies.json', import.meta.url), 'utf8')));

const YEAR = { from: Date.UTC(2022, 0, 1), to: Date.UTC(2023, 0, 1) };
const hourly =
  (name: string): (() => BarColumns) =>
  () =>
    barsOf(`data/2_intraday/${name}.csv.gz`, YEAR.from, YEAR.to);
const BTC = hourly('1h_spot/BTCUSDT_1h');

interface Case {
  readonly legs: readonly (() => BarColumns)[];
  readonly timeframeMs?: TimeMs;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** How many times it changes its mind at least: a rule that never speaks proves nothing. */
  readonly changes?: number;
  /** Columns of the golden that are not features of the strategy, made of those that are. */
  readonly derived?: Readonly<Record<string, (columns: ReadonlyMap<string, Float64Array>, row: number) => number>>;
}

const CASES: Readonly<Record<string, Case>> = {
  'donchian-ensemble': { legs: [() => barsOf('data/1_daily/ohlcv/BTCUSDT_1d.csv.gz', -Infinity, Infinity)], timeframeMs: DAY_MS },
  'vwap-deviation': { legs: [BTC], changes: 100 },
  'trend-strength': { legs: [BTC], changes: 100 },
  'price-action': { legs: [BTC], changes: 100, derived: { points: pointsOf } },
  'mean-reversion': { legs: [BTC], changes: 40 },
  'lead-lag': { legs: [BTC, hourly('1h_spot/ETHUSDT_1h')], parameters: { leastT: 0.5, leastReturn: 0.001 }, changes: 100 },
  'cross-venue-arbitrage': {
    legs: [hourly('1h_perp/BTCUSDT_perp_1h'), BTC],
    parameters: { feeRate: 0.000006, slippageRatio: 0.000005 },
    changes: 100,
  },
  'correlation-divergence': { legs: [BTC, hourly('1h_spot/ETHUSDT_1h')], changes: 100 },
};

describe('strategies on real bars', { skip: needs('shared data') }, () => {
  for (const [name, { legs, timeframeMs = HOUR_MS, parameters = {}, changes: least, derived = {} }] of Object.entries(CASES)) {
    test(`${name} says what its rule says elsewhere, bar by bar`, () => {
      const strategy = strategies.find((each) => each.name === name);
      assert.ok(strategy !== undefined);
      const asked = forecaster(strategy, strategy.parameters.parse(parameters));
      const { columns, failure } = observeForecaster(asked, { legs: legs.map((load) => load()), timeframeMs });
      assert.equal(failure, undefined);
      const stance = columns.get('stance') ?? new Float64Array();
      for (const [column, expected] of Object.entries(z.record(z.string(), z.unknown()).parse(golden[name]))) {
        const own = derived[column];
        const found = own === undefined ? columns.get(column) : stance.map((_, row) => own(columns, row));
        assert.ok(found !== undefined, `${column} is a column`);
        const path = changes.safeParse(expected).data;
        if (path === undefined) compareNumbers(column, found, sampled.parse(expected));
        else {
          assert.ok(path.changes.length >= (least ?? 0), `${path.changes.length} changes`);
          assert.deepEqual(changesOf(found, path.first), path);
        }
      }
    });
  }
});

function compareNumbers(column: string, found: Float64Array, expected: z.infer<typeof sampled>): void {
  const known = found.subarray(expected.first);
  assert.equal(known.length, expected.count, column);
  expected.rows.forEach((row, place) => near(`${column} of row ${row}`, found[row] ?? NaN, expected.values[place] ?? NaN));
  const scale = Math.max(1, expected.absoluteSum);
  near(`sum of ${column}`, known.reduce((sum, value) => sum + value, 0) / scale, expected.sum / scale);
  near(`absolute sum of ${column}`, known.reduce((sum, value) => sum + Math.abs(value), 0) / scale, expected.absoluteSum / scale);
}

function near(what: string, found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)), `${what}: found ${found}, expected ${expected}`);
}

/** From the first row on; before it nothing was said. */
function changesOf(stance: Float64Array, first: number): z.infer<typeof changes> {
  assert.ok(stance.subarray(0, first).every(Number.isNaN), 'silent until then');
  const said = Array.from(stance.subarray(first));
  const rows = said.flatMap((value, row) => (value === said[row - 1] ? [] : [row]));
  return { first, count: said.length, changes: rows.map((row) => first + row), to: rows.map((row) => said[row] ?? NaN) };
}

/** Of price-action, from the features that it declares. */
function pointsOf(columns: ReadonlyMap<string, Float64Array>, row: number): number {
  const side = (name: string): number => Math.sign(columns.get(name)?.[row] ?? NaN);
  const [engulfing, marubozu] = [side('engulfing'), side('marubozu')];
  const afterDoji = side('dojiBefore') === 0 ? 0 : Math.sign(engulfing + marubozu);
  return Math.sign(side('hammer') + side('pin')) + engulfing + marubozu + afterDoji + side('sweep') + side('structure');
}

function barsOf(path: string, from: TimeMs, to: TimeMs): BarColumns {
  const rows = gunzipSync(readFileSync(sharedPath(path)))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .map(([at = '', ...values]) => [Date.parse(at), ...values.slice(0, 5).map(Number)])
    .filter(([at = NaN]) => at >= from && at < to);
  const column = (place: number): Float64Array => Float64Array.from(rows, (row) => row[place] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}
