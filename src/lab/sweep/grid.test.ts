import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FinishedColumns } from './finished-columns.ts';
import { demandSensible, parseGrid, parsePoints, sensible } from './grid.ts';
import { rsiStop } from './rsi-stop.ts';
import { smaCross } from './sma-cross.ts';

const grid = (text: string): unknown => parseGrid(text, '--grid');

test('a grid is ranges with both ends and alternatives, the first parameter slowest', () => {
  assert.deepEqual(grid('fast=5..15:5,slow=20|50'), [
    { fast: 5, slow: 20 },
    { fast: 5, slow: 50 },
    { fast: 10, slow: 20 },
    { fast: 10, slow: 50 },
    { fast: 15, slow: 20 },
    { fast: 15, slow: 50 },
  ]);
  assert.deepEqual(grid('window=3..5'), [{ window: 3 }, { window: 4 }, { window: 5 }]);
  assert.deepEqual(grid('fast=5..14:5'), [{ fast: 5 }, { fast: 10 }]);
  assert.deepEqual(
    parseGrid('stop=0.1..0.7:0.1', '--grid').map((point) => point['stop']),
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
  );
  assert.deepEqual(grid('trailing=true|false, window = 14 , rule=next-open'), [
    { trailing: true, window: 14, rule: 'next-open' },
    { trailing: false, window: 14, rule: 'next-open' },
  ]);
});

test('what is no grid is told', () => {
  for (const [text, words] of [
    ['fast', /"fast", expected name=from/],
    ['fast=', /expected name=from/],
    ['fast=9..5', /a beginning not after its end/],
    ['fast=5..9:0', /a step above 0/],
    ['fast=5..9:-1', /a step above 0/],
    ['fast=5,fast=6', /fast twice/],
    ['fast=5|5', /each value once/],
    ['fast=5||6', /between \|/],
    ['fast=1..2000,slow=1..2000', /4,000,000 combinations/],
    ['fast=0..1:0.0000001', /at most 1,000,000 values/],
  ] as const) {
    assert.throws(() => grid(text), { code: 'GRID_INVALID', exitCode: 2, message: words }, text);
  }
});

test('a list of points is a JSON array of flat objects', () => {
  assert.deepEqual(parsePoints('[{"fast": 5, "slow": 20}]', 'x'), [{ fast: 5, slow: 20 }]);
  for (const text of ['', '{}', '[]', '[1]', '[[1]]', '[null]', '[{"fast": [5]}]', '[{"fast": null}]']) {
    assert.throws(() => parsePoints(text, 'x'), { code: 'POINT_INVALID', exitCode: 2 }, text);
  }
});

test('a grid leaves out what breaks the constraint; a list may not hold it', () => {
  const { points, leftOut } = sensible(parseGrid('fast=5..30:5,slow=10|20', '--grid'), smaCross, '--grid');
  assert.deepEqual([points.length, leftOut], [4, 8]);
  assert.ok(points.every((point) => Number(point['fast']) < Number(point['slow'])));
  assert.throws(() => sensible([{ fast: 5, slow: 5 }], smaCross, '--grid'), /no combination with fast < slow/);
  assert.throws(() => demandSensible([{ fast: 9, slow: 5 }], smaCross, 'x'), {
    code: 'POINT_INVALID',
    message: /fast=9 slow=5, expected fast < slow/,
  });
  assert.throws(() => demandSensible([{ fast: 5 }], smaCross, 'x'), { code: 'POINT_INVALID', message: /slow missing/ });
  assert.throws(() => demandSensible([{ fast: 5, slow: 20, slower: 1 }], smaCross, 'x'), { code: 'POINT_INVALID' });
  assert.throws(() => demandSensible([{ fast: 0, slow: 20 }], smaCross, 'x'), /fast 0/);
  // What is left out of a point has the schema's own default.
  assert.equal(demandSensible([{ window: 14, entryBelow: 30, exitAbove: 70 }], rsiStop, 'x').points.length, 1);
});

test('finished columns are found again, and a torn line is a column that is run again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-columns-'));
  try {
    const path = join(folder, 'columns.jsonl');
    const metrics = {
      totalReturn: 0.1 + 0.2,
      finalEquity: 1 / 3,
      sharpe: null,
      sortino: null,
      maxDrawdown: 0,
      calmar: null,
      orders: 3,
      trades: 1,
      winRate: 1,
      profitFactor: null,
      expectancy: 1e-300,
      feesPaid: 0,
    };
    const first = new FinishedColumns(path);
    first.add(4, { metrics });
    first.add(7, { failure: 'thrown' });
    first.add(2, { metrics });
    first.close();
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, '{"column":9,"metrics":{"totalRet');
    const second = new FinishedColumns(path);
    assert.deepEqual(
      [...second.known],
      [
        [4, { metrics }],
        [2, { metrics }],
      ],
    );
    assert.equal(readFileSync(path, 'utf8'), whole);
    second.add(9, { metrics });
    second.close();
    appendFileSync(path, 'nonsense\n');
    const third = new FinishedColumns(path);
    assert.deepEqual([...third.known.keys()], [4, 2, 9]);
    third.remove();
    const fourth = new FinishedColumns(path);
    assert.equal(fourth.known.size, 0);
    fourth.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
