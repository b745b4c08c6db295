// What a backtest says when it is asked to end.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { document, temporaryHome } from '../../test/support/run-app.ts';
import { BallastError } from '../domain/errors.ts';
import { HOUR_MS } from '../domain/time.ts';
import { runBacktest } from './backtest.ts';
import { runBacktests } from './backtests.ts';

test('a backtest that was stopped before its first bar says so, and one of many before its first run has none', async () => {
  const home = temporaryHome('backtest-stopped');
  const file = join(home, 'bars.csv');
  const rows = Array.from({ length: 400 }, (_, row) => [Date.UTC(2022, 0, 1) + row * HOUR_MS, 100, 101, 99, 100, 1].join(','));
  writeFileSync(file, ['time,open,high,low,close,volume', ...rows].join('\n'));
  await document(home, 'data', 'import', file, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
  const common = { home, noRisk: false, warmup: 'auto', seed: 1, allowSpotShort: false, signal: AbortSignal.abort() } as const;
  await assert.rejects(
    // A stop that comes while the bars are being loaded.
    runBacktest({ ...common, strategy: 'trend', symbols: ['BTC/USDT'], timeframeMs: HOUR_MS, fromMs: Date.UTC(2022, 0, 10) }),
    (error) => {
      assert.ok(error instanceof BallastError);
      assert.deepEqual([error.code, error.exitCode, error.found], ['RUN_STOPPED', 1, 'a stop before its first bar']);
      return true;
    },
  );
  assert.deepEqual(await runBacktests({ ...common, strategies: ['trend'], symbols: undefined, timeframesMs: undefined }), {
    rows: [],
    total: 1,
    isStopped: true,
  });
});
