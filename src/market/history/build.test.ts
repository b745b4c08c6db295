import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../domain/time.ts';
import { openOfBar } from '../quality.ts';
import { buildBars, type BuildReport, type BuildRequest } from './build.ts';
import { importRecords } from './record-import.ts';
import { openRecords } from './record-store.ts';
import type { BarStore } from './store.ts';
import { ballastError, openedStore, temporaryFolder } from './test-bars.ts';

const START = Date.parse('2025-01-02T03:04:05Z');

/** Of a trade: milliseconds after START, id, price, quantity. */
type Trade = readonly [afterMs: number, id: number, price: number, quantity: number];

async function bench(context: TestContext): Promise<{
  readonly store: BarStore;
  take(trades: readonly Trade[]): Promise<void>;
  build(request?: Partial<BuildRequest>): Promise<BuildReport>;
}> {
  const home = temporaryFolder(context);
  const records = await openRecords(home);
  context.after(() => records.close());
  const store = await openedStore(context, home);
  return {
    store,
    async take(trades) {
      const file = join(home, 'trades.csv');
      const lines = trades.map(([afterMs, id, price, quantity]) => `${START + afterMs},${id},buy,${price},${quantity}`);
      writeFileSync(file, ['time_ms,trade_id,taker_side,price,qty', ...lines].join('\n'));
      await importRecords({
        store: records,
        files: [file],
        format: 'csv',
        kind: 'trades',
        venue: 'binance',
        symbol: 'BTC/USDT',
        importedAt: 1,
      });
    },
    build: (request = {}) => buildBars({ bars: store, records, symbol: 'BTC/USDT', timeframeMs: SECOND_MS, builtAt: 2, ...request }),
  };
}

async function rows(store: BarStore, timeframeMs = SECOND_MS): Promise<number[][]> {
  const { openAt, open, high, low, close, volume } = await store.load({ venue: 'binance', symbol: 'BTC/USDT', timeframeMs });
  return Array.from(openAt, (at, row) => [at - START, ...[open, high, low, close, volume].map((column) => column[row] ?? NaN)]);
}

test('bars of which every trade is there are built, those of the first and the last trade are not, and again changes nothing', async (context) => {
  const { store, take, build } = await bench(context);
  await take([
    [500, 7, 100, 1],
    [1_000, 8, 101, 2],
    [1_999, 9, 99, 1],
    [4_000, 10, 103, 0.5],
    [4_100, 11, 104, 0.5],
    [5_000, 12, 105, 1],
  ]);
  const report = await build();
  const said = { trades: 6, bars: 4, emptyBars: 2, holes: 0, lateTrades: 0, added: 4, unchanged: 0, corrected: 0 };
  assert.deepEqual(report, { venue: 'binance', ...said, fromMs: START + 1_000, toMs: START + 5_000 });
  assert.deepEqual(await rows(store), [
    [1_000, 101, 101, 99, 99, 3],
    [2_000, 99, 99, 99, 99, 0],
    [3_000, 99, 99, 99, 99, 0],
    [4_000, 103, 104, 103, 104, 1],
  ]);
  assert.deepEqual(await build(), { ...report, added: 0, unchanged: 4 });
  // More trades complete what was left out; what was there stays.
  await take([[6_000, 13, 106, 1]]);
  assert.deepEqual((await build()).added, 1);
});

test('a range says that the trades are whole from its beginning up to its end', async (context) => {
  const { store, take, build } = await bench(context);
  await take([
    [0, 1, 100, 1],
    [900, 2, 101, 1],
    [1_500, 3, 102, 1],
    [2_500, 4, 103, 1],
  ]);
  await build({ fromMs: START, toMs: START + 2_000 });
  assert.deepEqual(await rows(store), [
    [0, 100, 101, 100, 101, 2],
    [1_000, 102, 102, 102, 102, 1],
  ]);
  // Nobody knows what comes after the last trade, whatever the end of the range.
  assert.deepEqual((await build({ fromMs: START, toMs: START + DAY_MS })).bars, 3);
});

test('bars that a missing number touches are left out; ids that are no numbers miss none, and prove no silence', async (context) => {
  const holed = await bench(context);
  await holed.take([
    [0, 1, 100, 1],
    [1_100, 2, 101, 1],
    [2_100, 3, 102, 1],
    [4_100, 5, 103, 1],
    [5_100, 6, 104, 1],
    [6_100, 7, 105, 1],
  ]);
  assert.equal((await holed.build()).holes, 1);
  assert.deepEqual(
    (await rows(holed.store)).map(([at]) => at),
    [1_000, 5_000],
  );
  const named = await bench(context);
  await named.take([
    [0, 900, 100, 1],
    [1_100, 50, 101, 1],
    [3_100, 700, 102, 1],
    [4_100, 20, 103, 1],
  ]);
  assert.equal((await named.build()).holes, 0);
  assert.deepEqual(
    (await rows(named.store)).map(([at]) => at),
    [1_000, 3_000],
  );
});

test('weeks begin on a Monday, as those of an import', async (context) => {
  const { store, take, build } = await bench(context);
  await take(Array.from({ length: 30 }, (_, day) => [day * DAY_MS, day + 1, 100 + day, 1] as const));
  await build({ timeframeMs: 7 * DAY_MS });
  const weeks = (await rows(store, 7 * DAY_MS)).map(([at = NaN]) => START + at);
  assert.deepEqual(
    weeks.map((at) => new Date(at).toISOString().slice(0, 10)),
    ['2025-01-06', '2025-01-13', '2025-01-20'],
  );
});

test('a bar of other values is replaced and kept, as by an import', async (context) => {
  const { store, take, build } = await bench(context);
  await take(Array.from({ length: 8 }, (_, second) => [second * SECOND_MS, second + 1, 100, 1] as const));
  const one = Float64Array.of(99);
  await store.merge(
    { venue: 'binance', symbol: 'BTC/USDT', timeframeMs: SECOND_MS },
    { openAt: Float64Array.of(START + 2_000), open: one, high: one, low: one, close: one, volume: one },
  );
  const { added, corrected } = await build();
  assert.deepEqual([added, corrected], [5, 1]);
  assert.deepEqual((await store.list())[0]?.corrections, 1);
});

test('what is not there, and what cannot be, is said', async (context) => {
  const { store, take, build } = await bench(context);
  const said = async (request: Partial<BuildRequest> = {}): Promise<string> => {
    const { code, message } = await ballastError(() => build(request));
    return `${code} ${message}`;
  };
  assert.match(await said(), /^TRADES_MISSING .*none stored/);
  await take(Array.from({ length: 8 }, (_, second) => [second * SECOND_MS, second + 1, second === 4 ? 100_000 : 100, 1] as const));
  assert.match(await said({ venue: 'bybit' }), /^TRADES_MISSING .*bybit/);
  assert.match(await said({ timeframeMs: HOUR_MS }), /^TRADES_MISSING .*no bar of 1h/);
  assert.match(await said({ fromMs: START + DAY_MS }), /^TRADES_MISSING .*none from 2025-01-03/);
  assert.match(await said(), /^TRADES_CORRUPT .*spike/);
  assert.deepEqual(await store.list(), [], 'nothing was stored');
});

test('the sum over bars is the sum over the trades of their spans', async (context) => {
  const { store, take, build } = await bench(context);
  const [steps = []] = fc.sample(
    fc.array(fc.record({ step: fc.integer({ min: 0, max: 2_500 }), lots: fc.integer({ min: 1, max: 64 }) }), {
      minLength: 300,
      maxLength: 300,
    }),
    { numRuns: 1, seed: 42 },
  );
  let after = 0;
  const trades = steps.map(({ step, lots }, index) => [(after += step), index + 1, 100 + (index % 7), lots / 64] as const);
  await take(trades);
  await build();
  const built = await rows(store);
  const spans = new Map<number, number>();
  for (const [afterMs, , , quantity] of trades) {
    const openAt = openOfBar(START + afterMs, SECOND_MS) - START;
    spans.set(openAt, (spans.get(openAt) ?? 0) + quantity);
  }
  assert.ok(built.length > 200);
  for (const [openAt = NaN, , , , , volume] of built) assert.equal(volume, spans.get(openAt) ?? 0);
});
