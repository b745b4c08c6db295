// Bars out of trades as a user builds them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ballast, document, temporaryHome } from '../../test/support/run-app.ts';

test('trades become bars that a command finds again, and what is not there is said', async () => {
  const home = temporaryHome('data-build');
  const file = join(home, 'trades.csv');
  const start = Date.parse('2025-01-02T03:00:00Z');
  const lines = Array.from({ length: 100 }, (_, second) => `${start + second * 1_000},${second + 1},buy,${100 + (second % 3)},2`);
  writeFileSync(file, ['time_ms,trade_id,taker_side,price,qty', ...lines].join('\n'));
  await document(home, 'data', 'import', file, '--kind', 'trades', '--symbol', 'BTC/USDT', '--venue', 'binance');
  const build = ['data', 'build', '--symbols', 'BTC/USDT', '--timeframe', '10s'];
  const series = { symbol: 'BTC/USDT', timeframe: '10s', venue: 'binance' };
  const counts = { trades: 100, bars: 8, emptyBars: 0, holes: 0, lateTrades: 0, added: 8, unchanged: 0, corrected: 0 };
  assert.deepEqual(await document(home, ...build), [{ ...series, ...counts, from: '2025-01-02T03:00:10Z', to: '2025-01-02T03:01:30Z' }]);
  const { code, stdout, stderr } = await ballast(home, ...build, '--symbols', 'BTC/USDT,ETH/USDT');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(
    stderr,
    /built before it failed:\n.*\nbinance {2}BTC\/USDT {2}10s .* 8 +0 +0 +8 +0\nerror: trades ETH\/USDT: found none stored/,
  );
});
