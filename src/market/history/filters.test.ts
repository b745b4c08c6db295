// What venues demand of orders, as it is kept: a version for every change, and the right one at any time.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { amount, format, price, quantity } from '../../domain/decimal.ts';
import { filtersAt, type FilterVersion } from '../../domain/instrument.ts';
import { keepFilters, listFilters, readFilters } from './filters.ts';
import { ballastError, temporaryFolder } from './test-bars.ts';

const BTC = { venue: 'bybit', symbol: 'BTC/USDT:USDT' } as const;

function demands(tick: string, lot = '0.001'): Omit<FilterVersion, 'fromMs'> {
  return { tick: price(tick), lot: quantity(lot), minimumQuantity: quantity(lot), minimumNotional: amount('5'), contractSize: 1 };
}

const at = (day: string) => (): Promise<number> => Promise.resolve(Date.parse(day));
const never = (): Promise<number> => assert.fail('nothing has changed: the time is asked for nothing');

test('a version is added when something has changed, and only then', async (context) => {
  const home = temporaryFolder(context);
  assert.deepEqual([readFilters(home, BTC), listFilters(home)], [[], []]);
  assert.equal(await keepFilters(home, BTC, demands('0.5'), at('2024-01-01')), 'new');
  assert.equal(await keepFilters(home, BTC, demands('0.50'), never), undefined);
  const before = await keepFilters(home, BTC, demands('0.1'), at('2025-01-01'));
  assert.ok(typeof before === 'object' && format(before.tick) === '0.5');
  // Back to what it was before is a change too.
  await keepFilters(home, BTC, demands('0.5'), at('2026-01-01'));
  const [stored] = listFilters(home);
  assert.deepEqual({ venue: stored?.venue, symbol: stored?.symbol }, BTC);
  assert.deepEqual(
    stored?.versions.map(({ fromMs, tick }) => [new Date(fromMs).toISOString().slice(0, 10), format(tick)]),
    [
      ['2024-01-01', '0.5'],
      ['2025-01-01', '0.1'],
      ['2026-01-01', '0.5'],
    ],
  );
  assert.deepEqual(stored?.versions, readFilters(home, BTC));
});

test('the version in force is the last that was told by then, and before the first the first', () => {
  const versions = [10, 20, 30].map((fromMs, index) => ({ ...demands(String(index + 1)), fromMs }));
  const tickAt = (time: number): string | undefined => {
    const found = filtersAt(versions, time);
    return found && format(found.tick);
  };
  assert.deepEqual([0, 10, 19, 20, 99].map(tickAt), ['1', '1', '1', '2', '3']);
  assert.equal(filtersAt([], 10), undefined);
});

test('every figure comes back as it was told, each instrument by itself', async (context) => {
  const home = temporaryFolder(context);
  const told = { ...demands('0.00000001', '1000000'), minimumNotional: amount('0.0001'), contractSize: 0.001 };
  await keepFilters(home, { venue: 'binance', symbol: 'PEPE/USDT' }, told, at('2026-01-01T00:00:00.123Z'));
  const [kept] = readFilters(home, { venue: 'binance', symbol: 'PEPE/USDT' });
  assert.deepEqual(kept, { ...told, fromMs: Date.parse('2026-01-01T00:00:00.123Z') });
  await keepFilters(home, { venue: 'binance', symbol: 'DOGE/USDT' }, told, at('2026-01-02'));
  assert.deepEqual(
    listFilters(home).map(({ symbol }) => symbol),
    ['DOGE/USDT', 'PEPE/USDT'],
  );
});

test('a damaged file is named with what to do about it, and is left as it is', async (context) => {
  const home = temporaryFolder(context);
  mkdirSync(join(home, 'data/instruments/bybit'), { recursive: true });
  const path = join(home, 'data/instruments/bybit/BTC-USDT_USDT.json');
  for (const text of ['[]', '[{"from":"2024-01-01"}]', 'no JSON']) {
    writeFileSync(path, text);
    const error = await ballastError(async () => readFilters(home, BTC));
    assert.deepEqual([error.code, error.place], ['STORE_FILE_CORRUPT', path]);
    assert.equal((await ballastError(() => keepFilters(home, BTC, demands('1'), never))).code, 'STORE_FILE_CORRUPT');
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});
