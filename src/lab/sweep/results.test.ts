// What is made of rows: the best of them, some of them, and those of several sweeps side by side.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnMetrics } from './column-metrics.ts';
import type { SweepRow } from './column-pool.ts';
import { compareSweeps } from './compare.ts';
import { rowFilter } from './filter.ts';
import { OBJECTIVES, objectiveNamed, ranked, type ObjectiveName } from './objective.ts';
import type { SweepPoint } from './strategy.ts';
import type { SweepDocument } from './sweep-run.ts';

const METRICS: ColumnMetrics = {
  totalReturn: 0.44,
  finalEquity: 1_440,
  sharpe: 1,
  sortino: 2,
  maxDrawdown: 0.15,
  calmar: 3,
  orders: 20,
  trades: 10,
  winRate: 0.5,
  profitFactor: 1.5,
  expectancy: 44,
  feesPaid: 5,
};

function row(params: SweepPoint, metrics: Partial<ColumnMetrics>): SweepRow {
  return { params, metrics: { ...METRICS, ...metrics } };
}

test('each objective is its figure, of drawdowns the least is best, and growth is penalised by the deepest fall', () => {
  const expected: Readonly<Record<ObjectiveName, number>> = {
    sharpe: 1,
    sortino: 2,
    calmar: 3,
    totalReturn: 0.44,
    profitFactor: 1.5,
    expectancy: 44,
    winRate: 0.5,
    maxDrawdown: -0.15,
    // 44 % in two years are 20 % a year.
    penalisedReturn: 0.05,
  };
  for (const name of OBJECTIVES) assert.ok(Math.abs((objectiveNamed(name, 2).value(METRICS, {}) ?? NaN) - expected[name]) < 1e-12, name);
});

test('ranked rows have a value, the best first, equal ones in their order', () => {
  const rows = [
    row({ a: 1 }, { sharpe: 1 }),
    row({ a: 2 }, { sharpe: null }),
    row({ a: 3 }, { sharpe: 2 }),
    { params: { a: 4 }, failure: 'no' },
    { params: { a: 5 }, stopped: 'deep' },
    row({ a: 6 }, { sharpe: 1 }),
  ];
  assert.deepEqual(
    ranked(rows, objectiveNamed('sharpe', 1)).map(({ params, value }) => [params['a'], value]),
    [
      [3, 2],
      [1, 1],
      [6, 1],
    ],
  );
});

test('conditions are on figures and parameters, and all of them must hold', () => {
  const rows = [
    row({ fast: 5, kind: 'x', short: true }, { trades: 40, maxDrawdown: 0.2 }),
    row({ fast: 9, kind: 'y', short: false }, { trades: 50, maxDrawdown: 0.4 }),
    row({ fast: 9, kind: 'x', short: true }, { trades: 10, sharpe: null }),
    { params: { fast: 9, kind: 'x', short: true }, failure: 'no' } as const,
  ];
  const kept = (text: string): number[] => rows.flatMap((each, index) => (rowFilter(text, '--where')(each) ? [index] : []));
  assert.deepEqual(kept('trades>=40'), [0, 1]);
  assert.deepEqual(kept('trades>40'), [1]);
  assert.deepEqual(kept('trades>=40,maxDrawdown<0.3'), [0]);
  assert.deepEqual(kept('fast=9.0'), [1, 2, 3]);
  assert.deepEqual(kept('kind=x, short=true ,trades<=10'), [2]);
  assert.deepEqual(kept('kind!=x'), [1]);
  assert.deepEqual(kept('sharpe<99'), [0, 1]);
  assert.deepEqual(kept('nothing=1'), []);
  for (const wrong of ['', 'trades', 'trades>', 'trades>many', 'trades>1,,', '>3'])
    assert.throws(() => rowFilter(wrong, '--where'), { code: 'FILTER_INVALID' }, wrong);
});

test('sweeps are compared on what all of them tried, and by ranks', () => {
  const sweepOf = (sharpes: Readonly<Record<string, number>>): SweepDocument =>
    // Nothing but rows is looked at.
    ({ rows: Object.entries(sharpes).map(([a, sharpe]) => row({ a: Number(a), b: 1 }, { sharpe })) }) as unknown as SweepDocument;
  const objective = objectiveNamed('sharpe', 1);
  const first = sweepOf({ 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4, 9: 9 });
  const reversed = { ...first, rows: first.rows.map((each) => ({ ...each, params: { b: 1, a: each.params['a'] ?? 0 } })).toReversed() };
  const same = compareSweeps([first, reversed], [objective, objective]);
  assert.deepEqual(
    same.rankCorrelations.map((value) => value?.toFixed(12)),
    ['1.000000000000'],
  );
  assert.deepEqual(same.rows[0], { params: { a: 9, b: 1 }, values: [9, 9], ranks: [1, 1] });
  // Spearman by hand: ranks 4 3 2 1 against 1 2 3 4, and against 2.5 2.5 4 1.
  const other = compareSweeps(
    [first, sweepOf({ 1: 4, 2: 3, 3: 2, 4: 1 }), sweepOf({ 1: 2, 2: 2, 3: 1, 4: 3 })],
    [objective, objective, objective],
  );
  assert.equal(other.rows.length, 4);
  assert.ok(Math.abs((other.rankCorrelations[0] ?? NaN) + 1) < 1e-12);
  assert.ok(Math.abs((other.rankCorrelations[1] ?? NaN) - 1.5 / Math.sqrt(5 * 4.5)) < 1e-12);
  assert.deepEqual(other.rows.find(({ params }) => params['a'] === 1)?.ranks, [4, 1, 2.5]);
  assert.deepEqual(compareSweeps([first, sweepOf({ 1: 1, 7: 2 })], [objective, objective]).rankCorrelations, [null]);
});
