// The ledger of trials and what a backtest is worth among them, through the command line.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runBacktest } from '../../src/app/backtest.ts';
import { HOUR_MS } from '../../src/domain/time.ts';
import { ballast, document, seeded, temporaryHome } from '../support/run-app.ts';

interface Document {
  readonly returns: number;
  readonly annualSharpe: number;
  readonly probabilisticSharpe: number;
  readonly trials: { readonly count: number; readonly variance: number; readonly damagedLines: number };
  readonly deflatedSharpe: { readonly benchmark: number; readonly probability: number };
  readonly minimumTrackRecord: number | null;
  readonly minimumBacktestYears: number;
  readonly findings: readonly string[];
}

function csv(rows: number): string {
  const random = seeded(6);
  const lines = ['time,open,high,low,close,volume'];
  let open = 100;
  for (let row = 0; row < rows; row++) {
    const close = 100 + 6 * Math.sin((2 * Math.PI * row) / 130) + 4 * random();
    lines.push([Date.UTC(2022, 0, 1) + row * HOUR_MS, open, Math.max(open, close) + 0.1, Math.min(open, close) - 0.1, close, 1].join(','));
    open = close;
  }
  return lines.join('\n');
}

/** Daily returns of an hourly curve: a mark at midnight ends the day. */
function dailyReturns(equity: readonly (readonly [string, number])[]): number[] {
  const closes = new Map<number, number>();
  for (const [at, value] of equity) closes.set(Math.ceil(Math.floor(Date.parse(at) / HOUR_MS) / 24), value);
  return [...closes.values()].map((value, index, all) => value / (all[index - 1] ?? 10_000) - 1);
}

function spreadOf(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}

test('every backtest is a trial, and one that is run again is none more', async () => {
  const home = temporaryHome('validate');
  const file = join(home, 'bars.csv');
  writeFileSync(file, csv(1_500));
  for (const symbol of ['BTC/USDT', 'ETH/USDT'])
    await document(home, 'data', 'import', file, '--symbol', symbol, '--timeframe', '1h', '--venue', 'mine');
  const run = (parameters: string, symbol = 'BTC/USDT'): ReturnType<typeof runBacktest> =>
    runBacktest({
      home,
      strategy: 'trend',
      parameters,
      symbols: [symbol],
      timeframeMs: HOUR_MS,
      noRisk: false,
      warmup: 'auto',
      seed: 1,
      allowSpotShort: false,
    });
  const reports = [await run('fast=5,slow=20'), await run('fast=10,slow=40'), await run('fast=20,slow=60')];
  await run('fast=10,slow=40', 'ETH/USDT');
  const again = await run('fast=5,slow=20');
  assert.equal(
    readFileSync(join(home, 'data', 'trials.jsonl'), 'utf8')
      .trim()
      .split('\n\n').length,
    5,
  );

  const found = await document<Document>(home, 'validate', again.runId);
  const sharpes = reports.map((report) => {
    const { mean, variance } = spreadOf(dailyReturns(report.equity));
    return mean / Math.sqrt(variance);
  });
  const expected = spreadOf(sharpes).variance;
  assert.deepEqual([found.trials.count, found.trials.damagedLines], [3, 0]);
  assert.ok(Math.abs(found.trials.variance / expected - 1) < 1e-9, `${found.trials.variance}, expected ${expected}`);
  assert.ok(Math.abs(found.annualSharpe / ((sharpes[0] ?? NaN) * Math.sqrt(365)) - 1) < 1e-9);
  assert.ok(found.deflatedSharpe.benchmark > 0 && found.deflatedSharpe.probability < found.probabilisticSharpe);
  assert.ok(
    found.deflatedSharpe.probability >= 0.95 === !found.findings.some((finding) => finding.startsWith('no edge beyond the luck of 3')),
  );
  assert.match(found.findings.join('\n'), /the data are short for so many trials: 0\.2 years/);

  const both = await document<{ readonly summary: readonly string[]; readonly runs: readonly Document[] }>(
    home,
    'validate',
    ...reports.slice(0, 2).map((report) => report.runId),
  );
  assert.equal(both.runs.length, 2);
  both.runs.forEach(({ annualSharpe }, index) => {
    assert.ok(Math.abs(annualSharpe / ((sharpes[index] ?? NaN) * Math.sqrt(365)) - 1) < 1e-9);
  });
  assert.match(both.summary[0] ?? '', /of 2 runs lost after costs/);

  const { code, stdout } = await ballast(home, 'validate', 'latest');
  assert.equal(code, 0);
  assert.match(stdout, /deflated Sharpe +[\d.]+ % that it is above the best of 3 worthless trials/);
  const unknown = await ballast(home, 'validate', 'nowhere');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /run "nowhere": found no such folder/);

  // Of all runs the one of a week is too short to judge, and takes none of the others with it.
  const short = await runBacktest({
    home,
    strategy: 'trend',
    symbols: ['ETH/USDT'],
    timeframeMs: HOUR_MS,
    toMs: Date.UTC(2022, 0, 8),
    noRisk: false,
    warmup: 'none',
    seed: 1,
    allowSpotShort: false,
  });
  const all = await document<{
    readonly runs: readonly unknown[];
    readonly leftOut: readonly { readonly runId: string; readonly why: string }[];
  }>(home, 'validate', 'all');
  assert.equal(all.runs.length, 5);
  assert.deepEqual(
    all.leftOut.map(({ runId }) => runId),
    [short.runId],
  );
  assert.match(all.leftOut[0]?.why ?? '', /found \d+ returns? of 1d, expected at least 30/);
});
