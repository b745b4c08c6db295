// Issue 3, promise 6: one command over everything that is stored.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ballast, document, startBallast, temporaryHome, until } from '../support/run-app.ts';

interface Trials {
  readonly runs: readonly {
    readonly strategy: string;
    readonly venue: string;
    readonly symbols: readonly string[];
    readonly timeframe: string;
    readonly runId?: string;
    readonly metrics?: Readonly<Record<string, unknown>>;
    readonly failure?: string;
  }[];
  readonly finished: number;
  readonly failed: number;
  readonly total: number;
  readonly stopped: boolean;
}

/** A wave with a drift: enough to trade on. */
function csv(rows: number, stepMs: number, period: number): string {
  const lines = ['time,open,high,low,close,volume'];
  for (let row = 0; row < rows; row++) {
    const at = (step: number): number => 100 + 0.01 * step + 8 * Math.sin((2 * Math.PI * step) / period);
    const [open, close] = [at(row), at(row + 1)];
    lines.push([Date.UTC(2022, 0, 1) + row * stepMs, open, Math.max(open, close) + 0.1, Math.min(open, close) - 0.1, close, 1].join(','));
  }
  return lines.join('\n');
}

test('several strategies on all symbols and timeframes are a run of each, with one table', async () => {
  const home = temporaryHome('backtests');
  const series = [
    ['BTC/USDT', '1h', 3_600_000, 90],
    ['ETH/USDT', '1h', 3_600_000, 70],
    ['BTC/USDT', '1d', 86_400_000, 60],
  ] as const;
  for (const [symbol, timeframe, stepMs, period] of series) {
    const file = join(home, 'bars.csv');
    writeFileSync(file, csv(600, stepMs, period));
    await document(home, 'data', 'import', file, '--symbol', symbol, '--timeframe', timeframe, '--venue', 'mine');
  }
  const all = ['--strategy', 'trend,mean-reversion', '--symbols', 'all', '--timeframe', 'all'];
  const trials = await document<Trials>(home, 'backtest', ...all);
  assert.deepEqual(
    trials.runs.map((run) => [run.strategy, run.symbols.join(), run.timeframe]),
    ['trend', 'mean-reversion'].flatMap((strategy) => [
      [strategy, 'BTC/USDT', '1h'],
      [strategy, 'BTC/USDT', '1d'],
      [strategy, 'ETH/USDT', '1h'],
    ]),
  );
  assert.deepEqual([trials.finished, trials.failed, trials.total, trials.stopped], [6, 0, 6, false]);
  for (const run of trials.runs) assert.ok(existsSync(join(home, 'runs', run.runId ?? '', 'report.json')), run.runId ?? run.failure ?? '');

  // Each is the very run that its own command gives.
  const alone = await document<{ metrics: unknown }>(home, 'backtest', '--strategy', 'trend', '--symbols', 'ETH/USDT', '--timeframe', '1h');
  assert.deepEqual(trials.runs[2]?.metrics, alone.metrics);

  const text = await ballast(home, 'backtest', ...all, '--venue', 'mine');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /trend +mine +ETH\/USDT +1h/);
  assert.match(text.stdout, /6 runs, \d of them traded/);

  // What one run cannot do is its own row: a feature of four hours on daily bars.
  const own = join(home, 'slow.ts');
  writeFileSync(
    own,
    `import { defineStrategy, ema, on, HOUR_MS, z } from 'ballast';
export default defineStrategy({ name: 'slow', about: 'a mean of four hours', legs: 1, parameters: z.strictObject({}),
  features: () => ({ mean: on({ timeframeMs: 4 * HOUR_MS }, ema(5)) }),
  opine: ({ bars, features }) => ({ kind: 'forecast', stance: (bars[0]?.close ?? NaN) > features.mean.value ? 1 : 0, confidence: 0.5 }),
  explain: () => ({ because: 'above its mean or not', numbers: {} }) });`,
  );
  const mixed = await ballast(home, 'backtest', '--strategy', `trend,${own}`, '--symbols', 'all', '--timeframe', 'all', '--json');
  assert.equal(mixed.code, 1, mixed.stderr);
  const rows = (JSON.parse(mixed.stdout) as Trials).runs.map((run) => [run.timeframe, run.failure === undefined]);
  assert.deepEqual(rows.slice(3), [
    ['1h', true],
    ['1d', false],
    ['1h', true],
  ]);

  // Symbols by name are one portfolio; what is not stored fails by itself.
  const named = await ballast(home, 'backtest', '--strategy', 'trend', '--symbols', 'BTC/USDT,ETH/USDT', '--timeframe', '1h,1d');
  assert.equal(named.code, 1);
  assert.match(named.stdout, /BTC\/USDT ETH\/USDT +1h/);
  assert.match(named.stdout, /1 failed\n +trend BTC\/USDT ETH\/USDT 1d: ETH\/USDT 1d: found no such bars/);

  for (const [wrong, words] of [
    [['--strategy', 'trend,nope', '--symbols', 'all', '--timeframe', 'all'], /nope/],
    [['--strategy', 'trend,mean-reversion', '--symbols', 'all', '--timeframe', 'all', '--params', 'fast=3'], /--params/],
    [['--strategy', 'trend', '--symbols', 'all', '--timeframe', '5m'], /no stored bars/],
  ] as const) {
    const { code, stderr } = await ballast(home, 'backtest', ...wrong);
    assert.equal(code, 2, stderr);
    assert.match(stderr, words);
  }
});

test('ended by Ctrl-C, several runs are a table of those that are done, and a failure', async () => {
  const home = temporaryHome('backtests-stopped');
  const file = join(home, 'bars.csv');
  for (let series = 1; series <= 6; series++) {
    writeFileSync(file, csv(20_000, 60_000, 700 + series));
    await document(home, 'data', 'import', file, '--symbol', `C${series}/USDT`, '--timeframe', '1m', '--venue', 'mine');
  }
  const all = ['backtest', '--strategy', 'trend', '--symbols', 'all', '--timeframe', 'all'];
  const runs = join(home, 'runs');
  const reports = (): number =>
    existsSync(runs) ? readdirSync(runs).filter((run) => existsSync(join(runs, run, 'report.json'))).length : 0;

  const json = startBallast(home, ...all, '--json');
  await until('two runs are done', () => reports() >= 2);
  json.kill('SIGINT');
  const { code, stdout, stderr } = await json.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /SIGINT: ending/);
  const { stopped, total, finished, failed, runs: rows } = JSON.parse(stdout) as Trials;
  assert.deepEqual([stopped, total, failed, finished], [true, 6, 0, rows.length]);
  assert.ok(rows.length >= 2 && rows.length < 6, `${rows.length} rows`);
  assert.equal(rows.length, reports(), 'every report has its row');

  const before = reports();
  const text = startBallast(home, ...all);
  await until('another is done', () => reports() > before);
  text.kill('SIGINT');
  const ended = await text.ended;
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stdout, /^ +strategy +venue[^]*\n +trend +mine/);
  assert.match(ended.stdout, new RegExp(`\n\nstopped: ${reports() - before} of 6 done\n$`));
  assert.doesNotMatch(ended.stdout + ended.stderr, /1970/);
});
