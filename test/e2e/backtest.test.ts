// Promise 2: real bars imported, a backtest of them, and its final equity computed once more by a script that shares no code with src/.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, sharedPath } from '../support/needs.ts';
import { ballast, document, startNode, temporaryHome } from '../support/run-app.ts';
import { ROOT } from '../support/source-tree.ts';

const RANGE = ['--from', '2021-01-01', '--to', '2023-01-01'];
const SERIES = ['--symbols', 'BTC/USDT', '--timeframe', '1h'];

interface Report {
  readonly runId: string;
  readonly stateHash: string;
  readonly metrics: { readonly finalEquity: number };
  readonly trades: readonly unknown[];
  readonly fills: readonly Readonly<Record<string, string>>[];
  readonly equity: readonly (readonly [number, number])[];
  readonly rulings: Readonly<Record<string, number>>;
}

test(
  'the real bars of two years give a report whose final equity a stranger to src/ computes again to 1e-9',
  { skip: needs('shared data') },
  async (t) => {
    const home = temporaryHome('backtest');
    const file = sharedPath('data/2_intraday/1h_spot/BTCUSDT_1h.csv.gz');
    const imported = await document<{ rowsRead: number; added: number }>(
      home,
      'data',
      'import',
      file,
      '--symbol',
      'BTC/USDT',
      '--timeframe',
      '1h',
      '--venue',
      'binance',
    );
    assert.ok(imported.added > 17_520, `two years of hours and more, found ${imported.added}`);

    for (const strategy of ['trend', 'mean-reversion']) {
      const report = await document<Report>(home, 'backtest', '--strategy', strategy, ...SERIES, ...RANGE);
      for (const field of ['runId', 'stateHash', 'metrics', 'trades', 'fills', 'equity', 'rulings'] as const)
        assert.ok(field in report, field);
      assert.ok(report.fills.length > 20, `${strategy} trades, found ${report.fills.length} fills`);
      assert.deepEqual(Object.keys(report.fills[0] ?? {}).sort(), ['at', 'fee', 'feeCurrency', 'price', 'quantity', 'side', 'symbol']);

      const reportFile = join(home, `${strategy}.json`);
      writeFileSync(reportFile, JSON.stringify(report));
      const bars = join(home, 'bars.csv');
      const exported = await ballast(home, 'data', 'export', '--symbol', 'BTC/USDT', '--timeframe', '1h', ...RANGE, '--out', bars);
      assert.equal(exported.code, 0, exported.stderr);
      const { code, stdout, stderr } = await startNode([join(ROOT, 'test', 'recompute-equity.ts'), reportFile, bars]).ended;
      t.diagnostic(`${strategy}: ${stdout.trim()}`);
      assert.equal(code, 0, stdout + stderr);

      const again = await document<Report>(home, 'backtest', '--strategy', strategy, ...SERIES, ...RANGE);
      assert.equal(again.stateHash, report.stateHash, 'the same in another process');
      const replay = await document<{ matches: boolean; stateHash: string }>(home, 'replay', report.runId);
      assert.deepEqual([replay.matches, replay.stateHash], [true, report.stateHash]);
    }
  },
);
