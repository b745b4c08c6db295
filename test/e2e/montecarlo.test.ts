// Other histories of a backtest, through the command line: recomputed from its report by a loop that shares nothing with src/.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { monteCarloOfRun } from '../../src/app/monte-carlo.ts';
import { ballast, document, seeded, temporaryHome } from '../support/run-app.ts';

type Percentiles = Readonly<Record<'p5' | 'p25' | 'p50' | 'p75' | 'p95', number>>;
interface Paths {
  readonly paths: number;
  readonly finalEquity: Percentiles;
  readonly maxDrawdown: Percentiles;
  readonly sharpe: Percentiles;
  readonly lossProbability: number;
}
interface Document {
  readonly runId: string;
  readonly period: string;
  readonly returns: number;
  readonly blockLengths: { readonly stationary: number; readonly circular: number };
  readonly observed: { readonly finalEquity: number; readonly maxDrawdown: number; readonly sharpe: number };
  readonly stationaryBootstrap: Paths;
  readonly circularBlockBootstrap: Paths;
  readonly tradeShuffle: (Paths & { readonly trips: number }) | null;
  readonly gate: { readonly drawdown95: number; readonly limit: number; readonly passes: boolean };
}
interface Report {
  readonly runId: string;
  readonly equity: readonly (readonly [string, number])[];
  readonly metrics: { readonly finalEquity: number; readonly trades: number; readonly maxDrawdown: number };
}

/** A wave with a drift and a seeded ripple: enough to trade on. */
function csv(rows: number): string {
  const random = seeded(5);
  const lines = ['time,open,high,low,close,volume'];
  let open = 100;
  for (let row = 0; row < rows; row++) {
    const close = 100 + 0.002 * row + 8 * Math.sin((2 * Math.PI * row) / 130) + random();
    lines.push(
      [Date.UTC(2022, 0, 1) + row * 3_600_000, open, Math.max(open, close) + 0.1, Math.min(open, close) - 0.1, close, 1].join(','),
    );
    open = close;
  }
  return lines.join('\n');
}

/** Drawdowns at the 50th and 95th percentile of stationary resamples, by the letter of Politis and Romano: row by row. */
function recomputed(returns: readonly number[], blockLength: number, paths: number): readonly [number, number] {
  const random = seeded(99);
  const drawdowns: number[] = [];
  for (let path = 0; path < paths; path++) {
    let [row, equity, peak, worst] = [0, 1, 1, 0];
    for (let day = 0; day < returns.length; day++) {
      row = day === 0 || random() < 1 / blockLength ? Math.floor(random() * returns.length) : (row + 1) % returns.length;
      equity *= 1 + (returns[row] ?? NaN);
      peak = Math.max(peak, equity);
      worst = Math.max(worst, 1 - equity / peak);
    }
    drawdowns.push(worst);
  }
  drawdowns.sort((one, other) => one - other);
  return [drawdowns[Math.floor(paths * 0.5)] ?? NaN, drawdowns[Math.floor(paths * 0.95)] ?? NaN];
}

test('a backtest has other histories, with a gate on their drawdown', async () => {
  const home = temporaryHome('montecarlo');
  const file = join(home, 'bars.csv');
  writeFileSync(file, csv(3_000));
  await document(home, 'data', 'import', file, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
  const report = await document<Report>(home, 'backtest', '--strategy', 'trend', '--symbols', 'BTC/USDT', '--timeframe', '1h');

  const found = await document<Document>(home, 'montecarlo', 'latest', '--paths', '4000');
  assert.equal(found.runId, report.runId);
  assert.equal(found.period, '1d');
  assert.ok(Math.abs(found.observed.finalEquity / report.metrics.finalEquity - 1) < 1e-12);
  assert.ok(
    found.observed.maxDrawdown <= report.metrics.maxDrawdown + 1e-12 && found.observed.maxDrawdown > 0,
    `${found.observed.maxDrawdown}, ${report.metrics.maxDrawdown} in ${report.metrics.trades}`,
  );

  // A bar's mark is at its close: the one at midnight ends the day.
  const closes = new Map<number, number>();
  for (const [at, equity] of report.equity) closes.set(Math.ceil(Math.floor(Date.parse(at) / 3_600_000) / 24), equity);
  const returns = [...closes.values()].map((equity, index, all) => equity / (all[index - 1] ?? 10_000) - 1);
  assert.equal(found.returns, returns.length);
  const [middle, bad] = recomputed(returns, found.blockLengths.stationary, 4_000);
  assert.ok(
    Math.abs(found.stationaryBootstrap.maxDrawdown.p50 / middle - 1) < 0.05,
    `${found.stationaryBootstrap.maxDrawdown.p50}, ${middle}`,
  );
  assert.ok(Math.abs(found.stationaryBootstrap.maxDrawdown.p95 / bad - 1) < 0.06, `${found.stationaryBootstrap.maxDrawdown.p95}, ${bad}`);
  assert.equal(found.gate.drawdown95, found.stationaryBootstrap.maxDrawdown.p95);
  assert.deepEqual([found.gate.limit, found.gate.passes], [0.3, found.gate.drawdown95 <= 0.3]);
  if (report.metrics.trades < 30) assert.equal(found.tradeShuffle, null);
  else assert.equal(found.tradeShuffle?.trips, report.metrics.trades);

  // A thousand paths unless said; one seed, one answer.
  const again = await document<Document>(home, 'montecarlo', report.runId);
  assert.equal(again.stationaryBootstrap.paths, 1_000);
  assert.notDeepEqual(await document(home, 'montecarlo', report.runId, '--seed', '2'), again);

  // Not to pass the gate is a finding, no failure.
  const { code, stdout } = await ballast(home, 'montecarlo', 'latest', '--max-drawdown', '0.0001');
  assert.equal(code, 0);
  assert.match(stdout, /1000 paths of \d+ returns of 1d, seed 1/);
  assert.match(stdout, /drawdown, stationary( +[\d.]+ %){6}/);
  assert.match(stdout, /gate NOT passed: 95th-percentile drawdown [\d.]+ %, limit 0\.01 %/);

  const path = join(home, 'runs', report.runId, 'report.json');
  const whole = readFileSync(path, 'utf8');
  for (const [text, words] of [
    [whole.slice(0, 100), 'REPORT_DAMAGED'],
    ['{"capital":"1"}', 'REPORT_DAMAGED'],
    [JSON.stringify({ ...(JSON.parse(whole) as object), equity: report.equity.slice(0, 24 * 20) }), 'REPORT_SHORT'],
  ] as const) {
    writeFileSync(path, text);
    const request = { home, runId: report.runId, paths: 100, seed: 1, drawdownLimit: 1 };
    assert.throws(() => monteCarloOfRun(request), { code: words });
  }
  rmSync(path);
  const missing = await ballast(home, 'montecarlo', 'latest', '--json');
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /REPORT_MISSING/);
});

test('what there is no report of is named', async () => {
  const home = temporaryHome('montecarlo-none');
  for (const [words, code, message] of [
    [['montecarlo', 'latest'], 1, /run "latest": found no such folder/],
    [['montecarlo', 'latest', '--max-drawdown', '30'], 2, /--max-drawdown: found "30", expected a number from 0 to 1/],
  ] as const) {
    const ended = await ballast(home, ...words);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
  }
});
