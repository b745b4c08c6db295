// What a backtest says when it is asked to end.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { document, temporaryHome } from '../../test/support/run-app.ts';
import { BallastError } from '../domain/errors.ts';
import { HOUR_MS } from '../domain/time.ts';
import { trialsText } from '../views/trials.ts';
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

const OPTIONS = { noRisk: false, warmup: 'none', seed: 1, allowSpotShort: false } as const;
const OWN = `import { abstain, defineStrategy, z } from 'ballast';
export default defineStrategy({
  name: 'idle',
  about: 'Says nothing.',
  legs: 1,
  parameters: z.strictObject({ patience: z.number().default(3) }),
  features: () => ({}),
  opine: () => abstain('it has nothing to say'),
  explain: () => ({ because: 'it has nothing to say', numbers: {} }),
});
`;

function hours(count: number, wanting: readonly number[] = [], quietFrom = count): string {
  const rows = Array.from({ length: count }, (_, hour) => hour).filter((hour) => !wanting.includes(hour));
  const lines = rows.map((hour) => {
    const at = Date.UTC(2022, 0, 1) + hour * HOUR_MS;
    return hour < quietFrom ? `${at},100,101,99,100,1` : `${at},100,100,100,100,0`;
  });
  return `time,open,high,low,close,volume\n${lines.join('\n')}\n`;
}

async function imported(home: string, symbol: string, text: string): Promise<void> {
  const file = join(home, 'bars.csv');
  writeFileSync(file, text);
  await document(home, 'data', 'import', file, '--symbol', symbol, '--timeframe', '1h', '--venue', 'mine');
}

test('what is wrong with its bars is said in the report, a line for each series, and below the table of many', async () => {
  const home = temporaryHome('backtest-flaws');
  await imported(home, 'BTC/USDT', hours(200, [50, 51, 120], 190));
  await imported(home, 'ETH/USDT', hours(200));
  const { dataFlaws, warnings, config, runId } = await runBacktest({
    ...OPTIONS,
    home,
    strategy: 'trend',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    timeframeMs: HOUR_MS,
  });
  const line =
    'the bars of mine BTC/USDT 1h have 2 holes with 3 bars missing, 10 bars without a trade: ballast data check --symbol BTC/USDT --venue mine --timeframe 1h';
  assert.deepEqual(dataFlaws, [line]);
  assert.ok(warnings.includes(line));
  assert.match(readFileSync(join(home, 'runs', runId, 'report.json'), 'utf8'), /2 holes with 3 bars missing/);
  assert.equal(config['venue'], 'mine', 'one venue is named once');
  // What is wrong outside of what is used is no matter of this run.
  const sound = { fromMs: Date.UTC(2022, 0, 1), toMs: Date.UTC(2022, 0, 3) };
  const clean = await runBacktest({ ...OPTIONS, home, strategy: 'trend', symbols: ['BTC/USDT'], timeframeMs: HOUR_MS, ...sound });
  assert.deepEqual(clean.dataFlaws, []);
  const { rows } = await runBacktests({ ...OPTIONS, home, strategies: ['trend'], symbols: undefined, timeframesMs: undefined });
  assert.deepEqual(
    rows.map((row) => row.dataFlaws.length),
    [1, 0],
  );
  assert.match(trialsText(rows), new RegExp(`^! ${line}$`, 'm'));
});

test("a strategy of one's own has its own name in the report and in the table, and the report says the file", async () => {
  const home = temporaryHome('backtest-names');
  await imported(home, 'BTC/USDT', hours(50));
  mkdirSync(join(home, 'strategies'));
  const file = join(home, 'strategies', 'mine.ts');
  writeFileSync(file, OWN);
  for (const strategy of ['mine', file]) {
    const { config } = await runBacktest({ ...OPTIONS, home, strategy, symbols: ['BTC/USDT'], timeframeMs: HOUR_MS });
    assert.deepEqual([config['strategy'], config['file'], config['parameters']], ['idle', file, { patience: 3 }]);
  }
  const many = { ...OPTIONS, home, symbols: ['BTC/USDT'], timeframesMs: [HOUR_MS] };
  const { rows } = await runBacktests({ ...many, strategies: ['mine', file, 'trend'] });
  assert.deepEqual(
    rows.map(({ strategy }) => strategy),
    ['idle', `idle (${file})`, 'trend'],
  );
});
