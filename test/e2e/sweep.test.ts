// `ballast sweep` as its users have it: the rows of another program's backtests, a kill at any moment, and what is wrong told.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { needs, sharedPath } from '../support/needs.ts';
import { ballast, document, seeded, startBallast, temporaryHome, until } from '../support/run-app.ts';

interface Row {
  readonly params: Readonly<Record<string, number | boolean>>;
  readonly metrics: Readonly<Record<string, number | null>>;
}

interface Sweep {
  readonly runId: string;
  readonly rows: readonly Row[];
  readonly best: Row;
  readonly trials: { readonly tried: number; readonly failed: number; readonly leftOut: number; readonly resumed: number };
}

const goldenSchema = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])));
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'sma-cross': ['fast', 'slow'],
  'rsi-stop': ['window', 'entryBelow', 'exitAbove', 'stop', 'trailing'],
};
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

test('reproduces every golden backtest, by a list and by a grid', { skip: needs('shared data') }, async () => {
  const home = temporaryHome('sweep-golden');
  const golden = goldenSchema.parse(JSON.parse(readFileSync(sharedPath('golden/backtest-goldens.json'), 'utf8')));
  let checked = 0;
  for (const symbol of new Set(golden.map((row) => String(row['symbol'])))) {
    const [header = '', ...bars] = gunzipSync(readFileSync(sharedPath(`data/2_intraday/1h_spot/${symbol.replace('/', '')}_1h.csv.gz`)))
      .toString()
      .split('\n');
    // Some bars before and after the range are there as well, and must not matter.
    const file = join(home, 'bars.csv');
    writeFileSync(file, [header, ...bars.filter((line) => line > '2021-06' && line < '2023-07-15')].join('\n'));
    await document(home, 'data', 'import', file, '--symbol', symbol, '--timeframe', '1h', '--venue', 'binance');
    for (const [strategy, names] of Object.entries(PARAMETERS)) {
      const expected = golden.filter((row) => row['symbol'] === symbol && row['case'] === strategy);
      if (expected.length === 0) continue;
      const points = expected.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
      const { from, to, fee, slippage } = expected[0] ?? {};
      assert.ok(expected.every((row) => row['from'] === from && row['to'] === to && row['fee'] === fee && row['slippage'] === slippage));
      const list = join(home, 'points.json');
      writeFileSync(list, JSON.stringify(points));
      const common = ['--strategy', strategy, '--symbols', symbol, '--timeframe', '1h', '--from', String(from), '--to', String(to)];
      const costs = ['--capital', '10000', '--fee', String(fee), '--slippage', String(slippage), '--sizing', 'all-in', '--no-risk'];
      const fill = ['--warmup', 'none', '--fill', ...(strategy === 'sma-cross' ? ['next-open'] : ['close', '--stop-slippage', '0'])];
      const { rows } = await document<Sweep>(home, 'sweep', ...common, ...costs, ...fill, '--points', list);
      assert.deepEqual(
        rows.map((row) => row.params),
        points,
      );
      for (const [index, row] of expected.entries()) {
        for (const name of ['orders', 'trades'])
          assert.equal(rows[index]?.metrics[name], row[name], `${strategy} ${symbol} ${index} ${name}`);
        for (const name of METRICS) assertNear(rows[index]?.metrics[name], Number(row[name]), `${strategy} ${symbol} ${index} ${name}`);
        checked++;
      }
      if (checked > expected.length) continue;
      const first = points[0] ?? {};
      const grid = names.map((name) => `${name}=${String(first[name])}`).join(',');
      const alone = await document<Sweep>(home, 'sweep', ...common, ...costs, '--grid', grid, '--workers', '1');
      assert.deepEqual(alone.rows, rows.slice(0, 1));
    }
  }
  assert.equal(checked, golden.length);
});

function assertNear(found: number | null | undefined, expected: number, place: string): void {
  assert.ok(Math.abs((found ?? NaN) - expected) <= 1e-9 * Math.abs(expected), `${place}: found ${found}, expected ${expected}`);
}

/** A walk of hours. */
function csv(rows: number): string {
  const next = seeded(5);
  const lines = ['time,open,high,low,close,volume'];
  let price = 100;
  for (let row = 0; row < rows; row++) {
    const close = price * (1 + 0.02 * (next() + next() - 1));
    const [high, low] = [Math.max(price, close) * 1.001, Math.min(price, close) * 0.999];
    lines.push([Date.UTC(2015, 0, 1) + row * 3_600_000, price, high, low, close, 1].join(','));
    price = close;
  }
  return lines.join('\n');
}

test('killed at any moment it goes on, and ends with the rows of an uninterrupted sweep', async () => {
  const home = temporaryHome('sweep-kill');
  const file = join(home, 'bars.csv');
  writeFileSync(file, csv(20_000));
  await document(home, 'data', 'import', file, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
  const words = ['sweep', '--strategy', 'sma-cross', '--grid', 'fast=2..40,slow=50..200:2', '--symbols', 'BTC/USDT', '--timeframe', '1h'];
  const columns = (): string | undefined => {
    const runs = join(home, 'runs');
    const name = existsSync(runs) ? readdirSync(runs)[0] : undefined;
    return name === undefined ? undefined : join(runs, name, 'columns.jsonl');
  };
  const killed = startBallast(home, ...words);
  await until('some columns are finished', () => {
    const path = columns();
    return path !== undefined && existsSync(path) && readFileSync(path, 'utf8').split('\n').length > 200;
  });
  killed.kill('SIGKILL');
  assert.equal((await killed.ended).signal, 'SIGKILL');
  const kept = readFileSync(columns() ?? '', 'utf8').split('\n').length - 1;
  const resumed = await document<Sweep>(home, ...words);
  assert.ok(kept >= 200 && kept < resumed.trials.tried, `${kept} of ${resumed.trials.tried} were finished when it was killed`);
  // The last line may be torn.
  assert.ok(Math.abs(resumed.trials.resumed - kept) <= 1, `${resumed.trials.resumed} taken over, ${kept} kept`);
  assert.equal(existsSync(columns() ?? ''), false);
  const whole = await document<Sweep>(home, ...words, '--workers', '1');
  assert.equal(whole.trials.resumed, 0);
  assert.deepEqual(whole.rows, resumed.rows);
  assert.deepEqual(whole.best, resumed.best);
  assert.equal(whole.trials.tried + whole.trials.leftOut, 39 * 76);

  const best = JSON.parse(readFileSync(join(home, 'runs', whole.runId, 'best.json'), 'utf8')) as Row & {
    readonly fills: readonly unknown[];
  };
  assert.deepEqual([best.params, best.metrics], [whole.best.params, whole.best.metrics]);
  assert.equal(best.fills.length, whole.best.metrics['orders']);
  const sharpes = whole.rows.map((row) => row.metrics['sharpe'] ?? -Infinity);
  assert.equal(whole.best.metrics['sharpe'], Math.max(...sharpes));

  const small = [...words.slice(0, 3), '--grid', 'fast=5..30:5,slow=10|20', ...words.slice(5)];
  const text = await ballast(home, ...small, '--objective', 'maxDrawdown');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /20,000 bars: the best 4 by maxDrawdown/);
  assert.match(text.stdout, /4 combinations tried, 8 of the grid left out; 4 traded/);

  // Two finished sweeps: listed, filtered and side by side.
  const sweeps = await document<readonly { readonly runId: string; readonly state: string; readonly trials: Sweep['trials'] }[]>(
    home,
    'sweeps',
    'ls',
  );
  assert.deepEqual(
    sweeps.map(({ state, trials }) => [state, trials.tried]).toSorted((one, other) => Number(one[1]) - Number(other[1])),
    [
      ['finished', 4],
      ['finished', whole.trials.tried],
    ],
  );
  const shown = await document<{ readonly found: number; readonly rows: readonly Row[] }>(
    ...[home, 'sweeps', 'show', whole.runId, '--where', 'fast=20,trades>=10', '--objective', 'calmar', '--top', '3'],
  );
  const fitting = whole.rows.filter(({ params, metrics }) => params['fast'] === 20 && (metrics['trades'] ?? 0) >= 10);
  assert.equal(shown.found, fitting.length);
  assert.equal(shown.rows.length, 3);
  assert.equal(shown.rows[0]?.metrics['calmar'], Math.max(...fitting.map(({ metrics }) => metrics['calmar'] ?? -Infinity)));
  const other = sweeps.find(({ runId }) => runId !== whole.runId)?.runId ?? '';
  const compared = await ballast(home, 'sweeps', 'compare', whole.runId, other);
  assert.equal(compared.code, 1, 'they have nothing in common');
  assert.match(compared.stderr, /no parameters that all of them tried/);
  const itself = await ballast(home, 'sweeps', 'compare', whole.runId, whole.runId, '--top', '2');
  assert.match(itself.stdout, /rank correlation\n {2}1 and 2: 1\.00/);
  const unknown = await ballast(home, 'sweeps', 'show', 'sweep-');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /2 of them/);

  for (const [wrong, expected] of [
    [['--grid', 'fast=5,slow=20', '--points', 'x.json'], /both/],
    [['--grid', 'fast=5,slow=20', '--objective', 'luck'], /--objective/],
    [['--points', join(home, 'none.json')], /--points/],
    [['--grid', 'fast=5,slow=20', '--from', '2031-01-01'], /no 1h bars/],
  ] as const) {
    const { code, stderr } = await ballast(home, ...words.slice(0, 3), ...words.slice(5), ...wrong);
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
  }
});
