// What pandas makes of the captured trades: an independent witness for every kind of bar. See book-bars-golden.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { TradeColumns } from '../../src/domain/book.ts';
import { BarBuilder, type BarRule, type TradeBar } from '../../src/market/bar-builder.ts';
import { readTrades } from '../../src/market/book/captures.fixture.ts';
import { needs, sharedPath } from '../support/needs.ts';

const numbers = z.array(z.number());
const golden = z
  .object({
    cases: z.record(
      z.string(),
      z.object({
        bars: z.number(),
        ohlcAndTrades: z.string(),
        every: z.number(),
        volume: numbers,
        turnover: numbers,
        buyVolume: numbers,
        openAt: numbers.optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('book-bars.json', import.meta.url), 'utf8'))).cases;

const COINM = 'binance_coinm_BTCUSD_PERP_2024-08-08_09';
const SPOT = 'binance_spot_BTCUSDT_2024-08-08_09';

const CASES: Readonly<Record<string, readonly [capture: string, rule: BarRule]>> = {
  'coinm, 1 s': [COINM, { by: 'time', spanMs: 1_000 }],
  'coinm, 1 s, flat': [COINM, { by: 'time', spanMs: 1_000, empty: 'flat' }],
  'spot, 10 s': [SPOT, { by: 'time', spanMs: 10_000 }],
  'spot, 1 min': [SPOT, { by: 'time', spanMs: 60_000 }],
  'spot, 100 trades': [SPOT, { by: 'trades', count: 100 }],
  'spot, 5 of volume': [SPOT, { by: 'volume', quantity: 5 }],
  'spot, 1e6 of turnover': [SPOT, { by: 'turnover', turnover: 1e6 }],
  'coinm, 5000 of volume': [COINM, { by: 'volume', quantity: 5_000 }],
};

test('every golden case is compared', () => {
  assert.deepEqual(Object.keys(CASES).toSorted(), Object.keys(golden).toSorted());
});

function barsOf(trades: TradeColumns, rule: BarRule): readonly TradeBar[] {
  const bars: TradeBar[] = [];
  const builder = new BarBuilder(rule, (bar) => bars.push({ ...bar }));
  const { at, happenedAt, price, quantity, takerSide } = trades;
  for (let row = 0; row < at.length; row++) {
    builder.push(at[row] ?? NaN, happenedAt[row] ?? NaN, price[row] ?? NaN, quantity[row] ?? NaN, takerSide[row] ?? 0);
  }
  assert.equal(builder.lateTrades, 0);
  return bars;
}

/** Of what does not depend on the order of a sum, column by column. */
function digest(bars: readonly TradeBar[]): string {
  const sha = createHash('sha256');
  for (const field of ['open', 'high', 'low', 'close', 'trades'] as const) {
    sha.update(new Uint8Array(Float64Array.from(bars, (bar) => bar[field]).buffer));
  }
  return sha.digest('hex');
}

describe('bars of captured trades', { skip: needs('shared data') }, async () => {
  const captures = new Map<string, TradeColumns>();
  // The clock is not compared: bars are by the venue's time.
  for (const name of [COINM, SPOT]) captures.set(name, await readTrades(sharedPath(`data/3_tick/${name}`), 0));

  for (const [name, [capture, rule]] of Object.entries(CASES)) {
    test(name, () => {
      const trades = captures.get(capture);
      const expected = golden[name];
      assert.ok(trades !== undefined && expected !== undefined);
      const bars = barsOf(trades, rule);
      assert.equal(bars.length, expected.bars);
      assert.equal(digest(bars), expected.ohlcAndTrades);
      const sampled = bars.filter((_, index) => index % expected.every === 0);
      for (const field of ['volume', 'turnover', 'buyVolume'] as const) {
        sampled.forEach((bar, index) => {
          const value = expected[field][index] ?? NaN;
          assert.ok(Math.abs(bar[field] - value) <= 1e-11 * Math.abs(value), `${field} of ${index}: ${bar[field]}, ${value}`);
        });
      }
      if (expected.openAt !== undefined) {
        assert.deepEqual(
          sampled.map(({ openAt }) => openAt),
          expected.openAt,
        );
      }
    });
  }
});
