// `ballast backtest` against the backtests of another program (the shared goldens): every row of both cases.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { runBacktest } from '../../src/app/backtest.ts';
import { HOUR_MS, parseTime } from '../../src/domain/time.ts';
import { needs, sharedPath } from '../support/needs.ts';
import { ballast, document, temporaryHome } from '../support/run-app.ts';

const rowSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const METRICS = [
  'totalReturn',
  'finalEquity',
  'sharpe',
  'sortino',
  'maxDrawdown',
  'calmar',
  'winRate',
  'profitFactor',
  'expectancy',
  'feesPaid',
];

interface Report {
  readonly runId: string;
  readonly stateHash: string;
  readonly metrics: object;
}

function assertGolden(metrics: object, row: z.infer<typeof rowSchema>): void {
  const found = (name: string): unknown => Reflect.get(metrics, name);
  const place = JSON.stringify(row).slice(0, 250);
  for (const name of ['orders', 'trades']) assert.equal(found(name), row[name], `${place}: ${name}`);
  for (const name of METRICS) {
    const [value, expected] = [Number(found(name)), Number(row[name])];
    assert.ok(Math.abs(value - expected) <= 1e-9 * Math.abs(expected), `${place}: ${name} found ${value}, expected ${expected}`);
  }
}

async function golden(): Promise<{ readonly home: string; readonly rows: readonly z.infer<typeof rowSchema>[] }> {
  const home = temporaryHome('golden');
  const rows = z.array(rowSchema).parse(JSON.parse(readFileSync(sharedPath('golden/backtest-goldens.json'), 'utf8')));
  for (const symbol of new Set(rows.map((row) => String(row['symbol'])))) {
    const [header = '', ...bars] = gunzipSync(readFileSync(sharedPath(`data/2_intraday/1h_spot/${symbol.replace('/', '')}_1h.csv.gz`)))
      .toString()
      .split('\n');
    // Some bars before and after the range are there as well, and must not matter.
    const file = join(home, 'bars.csv');
    writeFileSync(file, [header, ...bars.filter((line) => line > '2021-06' && line < '2023-07-15')].join('\n'));
    await document(home, 'data', 'import', file, '--symbol', symbol, '--timeframe', '1h', '--venue', 'binance');
  }
  return { home, rows };
}

const CROSS =
  'backtest --strategy sma-cross --params fast=10,slow=50 --symbols BTC/USDT --timeframe 1h --from 2021-07-01 --to 2023-07-01 --capital 10000 --fee 0.001 --slippage 0.0005 --fill next-open --sizing all-in --no-risk --warmup none';
const STOP =
  'backtest --strategy rsi-stop --params window=14,entryBelow=30,exitAbove=70,stop=0.03,trailing=false --symbols BTC/USDT --timeframe 1h --from 2021-07-01 --to 2023-07-01 --capital 10000 --fee 0.001 --slippage 0.0005 --fill close --stop-slippage 0 --sizing all-in --no-risk --warmup none';

test('every golden backtest comes out of the engine, orders exactly and figures to 1e-9', { skip: needs('shared data') }, async () => {
  const { home, rows } = await golden();

  for (const [words, of] of [
    [CROSS, { case: 'sma-cross', symbol: 'BTC/USDT', fast: 10, slow: 50 }],
    [STOP, { case: 'rsi-stop', symbol: 'BTC/USDT', window: 14, stop: 0.03 }],
  ] as const) {
    const row = rows.find((each) => Object.entries(of).every(([name, value]) => each[name] === value));
    const report = await document<Report>(home, ...words.split(' '));
    assertGolden(report.metrics, row ?? assert.fail('the row is there'));
    const replay = await document<{ matches: boolean; stateHash: string }>(home, 'replay', report.runId);
    assert.deepEqual([replay.matches, replay.stateHash], [true, report.stateHash]);
  }

  for (const row of rows) {
    const isCross = row['case'] === 'sma-cross';
    const names = isCross ? ['fast', 'slow'] : ['window', 'entryBelow', 'exitAbove', 'stop', 'trailing'];
    const { metrics } = await runBacktest({
      home,
      strategy: String(row['case']),
      parameters: names.map((name) => `${name}=${String(row[name])}`).join(','),
      symbols: [String(row['symbol'])],
      timeframeMs: HOUR_MS,
      fromMs: parseTime(String(row['from']), 'from'),
      toMs: parseTime(String(row['to']), 'to'),
      capital: '10000',
      feeRate: Number(row['fee']),
      slippageRatio: Number(row['slippage']),
      sizing: 'all-in',
      ...(isCross ? { fill: 'next-open' } : { fill: 'close', stopSlippageRatio: 0 }),
      noRisk: true,
      warmup: 'none',
      seed: 1,
      allowSpotShort: false,
    });
    assertGolden(metrics, row);
  }

  const { code, stderr } = await ballast(home, ...CROSS.split(' '), '--symbols', 'BTC/USDT,ETH/USDT');
  assert.equal(code, 2, stderr);
  assert.match(stderr, /sizing all-in: found 2 sleeves, expected one strategy on one spot symbol/);
});
