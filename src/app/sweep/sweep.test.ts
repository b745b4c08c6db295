// Sweeps through the engine: a column is the backtest with its parameters, whoever runs it and however often it is interrupted.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { document, seeded, temporaryHome } from '../../../test/support/run-app.ts';
import { BallastError } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { METRIC_NAMES } from '../../lab/sweep/column-metrics.ts';
import type { SweepRow } from '../../lab/sweep/column-pool.ts';
import { trialsOn } from '../../lab/validate/trial-ledger.ts';
import { runBacktest } from '../backtest.ts';
import { luckOf, trialsPath } from '../trials.ts';
import type { SweepOrder } from './prepared.ts';
import { sweep } from './run-sweep.ts';
import { listSweeps, sweepNamed } from './stored-sweeps.ts';

const SYMBOL = 'BTC/USDT';
const HOURS = 1_300;
const FROM = Date.UTC(2020, 0, 21);

/** Buys after so many falling closes; needs its parameters, and fails for one of them. */
const OWN = `import { abstain, defineStrategy, sma, z } from 'ballast';
export default defineStrategy({
  name: 'my-dip',
  about: 'buys below the mean',
  legs: 1,
  parameters: z.strictObject({ window: z.int().min(2).max(60), side: z.enum(['long', 'none']), keen: z.boolean() }),
  features: ({ window }) => ({ mean: sma(window) }),
  opine({ bars, features }, { window, side, keen }) {
    if (window === 13) throw new Error('thirteen is unlucky');
    if (window === 14 && keen) process.exit(3);
    const bar = bars[0];
    if (bar === undefined) return abstain('no bar');
    const isBelow = bar.close < features.mean.value * (keen ? 1 : 0.995);
    return { kind: 'forecast', stance: isBelow && side === 'long' ? 1 : 0, confidence: 0.5, protection: { stopRatio: 0.03 } };
  },
  explain: () => ({ because: 'below the mean', numbers: {} }),
});
`;

let home = '';

function order(changes: Partial<SweepOrder>): SweepOrder {
  return {
    home,
    strategy: 'trend',
    grid: undefined,
    points: undefined,
    search: undefined,
    trials: 20,
    symbols: [SYMBOL],
    timeframeMs: HOUR_MS,
    fromMs: FROM,
    fill: undefined,
    warmup: undefined,
    objective: 'sharpe',
    drawdownLimit: undefined,
    workers: 1,
    noRisk: false,
    seed: 1,
    allowSpotShort: false,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...changes,
  };
}

before(async () => {
  home = temporaryHome('sweep-engine');
  const next = seeded(11);
  const lines = ['time,open,high,low,close,volume'];
  let price = 100;
  for (let row = 0; row < HOURS; row++) {
    const close = price * (1 + 0.02 * (next() + next() - 1));
    lines.push(
      [Date.UTC(2020, 0, 1) + row * HOUR_MS, price, Math.max(price, close) * 1.002, Math.min(price, close) * 0.998, close, 1].join(','),
    );
    price = close;
  }
  const file = join(home, 'bars.csv');
  writeFileSync(file, lines.join('\n'));
  writeFileSync(join(home, 'my-dip.ts'), OWN);
  await document(home, 'data', 'import', file, '--symbol', SYMBOL, '--timeframe', '1h', '--venue', 'mine');
});

function figures(row: SweepRow | undefined): Record<string, number | null | undefined> {
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, row?.metrics?.[name]]));
}

test('a column is the backtest with its parameters, both are one trial, and one that falls too far is stopped', async () => {
  const counted = (): number => trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count;
  const grid = 'fast=4|9,slow=20|30,short=true|false';
  const { document: swept } = await sweep(order({ grid }));
  assert.equal(swept.path, 'engine');
  assert.equal(swept.rows.length, 8);
  assert.ok(swept.rows.every((row) => (row.metrics?.trades ?? 0) > 3));
  assert.equal(counted(), 8);
  const last = swept.rows[7];
  const { slow, fast } = last?.params ?? {};
  const common = {
    home,
    strategy: 'trend',
    symbols: [SYMBOL],
    timeframeMs: HOUR_MS,
    fromMs: FROM,
    noRisk: false,
    warmup: 'auto',
    seed: 1,
    allowSpotShort: false,
  } as const;
  const backtest = await runBacktest({ ...common, parameters: `fast=${fast},slow=${slow},short=false` });
  assert.deepEqual(figures(last), Object.fromEntries(METRIC_NAMES.map((name) => [name, backtest.metrics[name]])));
  assert.equal(counted(), 8, 'the backtest is the trial that the sweep has made already');
  const best = join(home, 'runs', swept.runId, 'best.json');
  const again = await runBacktest({ ...common, parameters: best });
  assert.equal(again.metrics.sharpe, swept.best?.value);
  assert.deepEqual((JSON.parse(readFileSync(best, 'utf8')) as { fills: unknown }).fills, again.fills);
  assert.equal(counted(), 8);
  await runBacktest({ ...common, parameters: 'fast=3,slow=50' });
  assert.equal(counted(), 9);
  assert.equal(luckOf(home, again.runId).trials.count, 9);

  // Once more, with a limit that half of them break.
  const falls = swept.rows.map((row) => row.metrics?.maxDrawdown ?? NaN).toSorted((one, other) => one - other);
  const drawdownLimit = ((falls[3] ?? NaN) + (falls[4] ?? NaN)) / 2;
  const { document: limited } = await sweep(order({ grid, drawdownLimit }));
  for (const [index, row] of limited.rows.entries()) {
    const free = swept.rows[index];
    if ((free?.metrics?.maxDrawdown ?? NaN) > drawdownLimit) assert.match(row.stopped ?? '', /its drawdown passed \d/);
    else assert.deepEqual(row, free);
  }
  assert.equal(limited.trials.stopped, 4);
  assert.ok((limited.best?.metrics.maxDrawdown ?? NaN) <= drawdownLimit);
  assert.equal(counted(), 9);
});

test("a user's strategy is swept over its schema; a column that throws is told with its parameters", async () => {
  const own = { strategy: join(home, 'my-dip.ts'), warmup: 'none' } as const;
  const { document: swept } = await sweep(order({ ...own, grid: 'window=12..14,side=long,keen=true|false' }));
  assert.deepEqual(
    swept.rows.map((row) => row.failure === undefined),
    [true, true, false, false, false, true],
  );
  assert.match(swept.rows[2]?.failure ?? '', /thirteen is unlucky/);
  assert.deepEqual(swept.rows[2]?.params, { window: 13, side: 'long', keen: true });
  assert.equal(swept.rows[4]?.failure, 'its thread was ended with 3');
  assert.deepEqual([swept.trials.tried, swept.trials.failed], [6, 3]);

  const search = { ...own, search: 'tpe', trials: 12 } as const;
  const one = await sweep(order(search));
  assert.equal(one.document.rows.length, 12);
  assert.ok(one.document.rows.every(({ params }) => Number(params['window']) <= 60 && ['long', 'none'].includes(String(params['side']))));
  const other = await sweep(order({ ...search, workers: 2 }));
  assert.deepEqual(other.document.rows, one.document.rows);
  await assert.rejects(sweep(order({ ...own, grid: 'window=1|5,side=long,keen=true' })), /window of my-dip: found 1, expected at least 2/);
});

test('stopped at any column it goes on, with the rows of an uninterrupted sweep', async () => {
  const changes = {
    strategy: 'mean-reversion',
    search: 'tpe',
    trials: 24,
    grid: 'window=10..60,trendWindow=20..80,stopAtr=1..6,withTrend=true|false',
  } as const;
  const controller = new AbortController();
  const counted = trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count;
  const part = changes;
  const stopping = (done: number): void => {
    if (done === 9) controller.abort(new Error('enough'));
  };
  await assert.rejects(sweep(order({ ...part, onProgress: stopping, signal: controller.signal })), (error) => {
    assert.ok(error instanceof BallastError);
    assert.equal(error.code, 'RUN_STOPPED');
    return true;
  });
  assert.ok(trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count > counted, 'what was tried before the stop is counted');
  const [interrupted] = listSweeps(home).filter(({ state }) => state === 'interrupted');
  assert.ok(interrupted !== undefined && interrupted.state === 'interrupted');
  const resumed = await sweep(order(part));
  assert.equal(resumed.document.runId, interrupted.runId);
  assert.ok(resumed.document.trials.resumed >= 9);
  assert.equal(existsSync(join(resumed.folder, 'columns.jsonl')), false);
  const fresh = await sweep(order({ ...part, workers: 2 }));
  assert.deepEqual(fresh.document.rows, resumed.document.rows);
  assert.deepEqual(sweepNamed(home, fresh.document.runId), fresh.document);
});

test("a user's objective decides what is best, and what it does wrong is told", async () => {
  const crosses = { strategy: 'sma-cross' } as const;
  const file = join(home, 'fewest.ts');
  writeFileSync(
    file,
    'export default ({ trades }: { trades: number }, { slow }: { slow: number }): number | null => slow === 20 ? null : -trades;\n',
  );
  const { document: swept } = await sweep(order({ ...crosses, grid: 'fast=4..8,slow=20|30', objective: file }));
  const trades = swept.rows.flatMap(({ metrics, params }) => (params['slow'] === 20 ? [] : [metrics?.trades ?? NaN]));
  assert.equal(swept.best?.metrics.trades, Math.min(...trades));
  assert.equal(swept.best?.value, -Math.min(...trades));
  assert.equal(swept.objective, file);
  // Another objective over the same grid is the same sweep.
  const usual = await sweep(order({ ...crosses, grid: 'fast=4..8,slow=20|30', objective: 'calmar' }));
  assert.equal(usual.document.runId, swept.runId);
  assert.deepEqual(usual.document.rows, swept.rows);
  const counted = trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count;
  for (const [text, code] of [
    ['export default () => "much";', 'OBJECTIVE_FAILED'],
    ['export default () => { throw new Error("no"); };', 'OBJECTIVE_FAILED'],
    ['export const x = 1;', 'OBJECTIVE_INVALID'],
    ['export default (;', 'OBJECTIVE_INVALID'],
  ] as const) {
    const bad = join(home, `bad-${text.length}.ts`);
    writeFileSync(bad, text);
    await assert.rejects(sweep(order({ ...crosses, grid: 'fast=4,slow=33', objective: bad })), { code });
  }
  assert.equal(trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count, counted + 1, 'the column was run, whatever it was worth');
  await assert.rejects(sweep(order({ ...crosses, grid: 'fast=4,slow=30', objective: 'happiness' })), { code: 'OBJECTIVE_INVALID' });
});

test('kernels have the same searches, stops and ledger', async () => {
  const counted = (): number => trialsOn(trialsPath(home), [`mine:${SYMBOL}`], DAY_MS).count;
  const before = counted();
  const changes = { strategy: 'sma-cross', search: 'cma-es', trials: 40, objective: 'penalised-return' } as const;
  const one = await sweep(order({ ...changes, workers: 1 }));
  assert.equal(one.document.path, 'kernel');
  assert.equal(one.document.objective, 'penalisedReturn');
  assert.equal(new Set(one.document.rows.map(({ params }) => JSON.stringify(params))).size, 40);
  assert.ok(one.document.rows.every(({ params }) => Number(params['fast']) < Number(params['slow'])));
  const varied = one.document.rows.filter((row) => (row.metrics?.sharpe ?? null) !== null).length;
  assert.equal(counted(), before + varied);
  const two = await sweep(order({ ...changes, workers: 2 }));
  assert.deepEqual(two.document, one.document);
  assert.equal(counted(), before + varied);
  for (const [wrong, expected] of [
    [{ symbols: [SYMBOL, 'ETH/USDT'] }, /--symbols/],
    [{ warmup: 'auto' }, /--warmup/],
    [{ sizing: 'everything' }, /--sizing/],
    [{ points: 'x.json' }, /--points/],
    [{ grid: 'fast=0..5,slow=9' }, /fast=0/],
    [{ grid: 'fast=2..5,slow=9,pace=3..4' }, /pace/],
  ] as const) {
    await assert.rejects(sweep(order({ ...changes, ...wrong })), (error) => {
      assert.ok(error instanceof BallastError);
      assert.match(error.message, expected);
      assert.equal(error.exitCode, 2);
      return true;
    });
  }
});
