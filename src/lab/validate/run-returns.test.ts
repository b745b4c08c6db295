import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { periodReturns, tripReturns } from './run-returns.ts';

const START = Date.UTC(2021, 0, 1);

test('a day ends with its last mark, and a mark at midnight is the day before', () => {
  const points = [
    { at: START + 6 * HOUR_MS, equity: 90 },
    { at: START + DAY_MS + 20, equity: 110 },
    { at: START + DAY_MS + HOUR_MS, equity: 500 },
    { at: START + 2 * DAY_MS - HOUR_MS, equity: 55 },
    // A day without a mark has no return.
    { at: START + 4 * DAY_MS, equity: 66 },
  ];
  const { periodMs, returns } = periodReturns(100, points, HOUR_MS);
  assert.equal(periodMs, DAY_MS);
  assert.deepEqual(
    [...returns].map((value) => Number(value.toFixed(12))),
    [0.1, -0.5, 0.2],
  );
});

test('bars of a week have a return each', () => {
  const points = [3, 10, 17].map((day, index) => ({ at: START + day * DAY_MS, equity: 100 * 2 ** index }));
  const { periodMs, returns } = periodReturns(50, points, 7 * DAY_MS);
  assert.deepEqual([periodMs, ...returns], [7 * DAY_MS, 1, 1, 1]);
});

test('after ruin there is no return', () => {
  const points = [100, 0, -5, 20].map((equity, index) => ({ at: START + (index + 1) * DAY_MS, equity }));
  assert.deepEqual([...periodReturns(100, points, DAY_MS).returns], [0, -1, 0, 0]);
});

test('the legs of a pair are one trip, and trips multiply to what was closed', () => {
  const legs = [
    { sleeve: 'pair', round: 1, closedAt: START + 3, pnl: 30 },
    { sleeve: 'trend', round: 1, closedAt: START + 2, pnl: 50 },
    { sleeve: 'pair', round: 1, closedAt: START + 4, pnl: -60 },
    { sleeve: 'pair', round: 2, closedAt: START + 9, pnl: 24 },
  ];
  const found = tripReturns(100, legs);
  assert.deepEqual(
    [...found].map((value) => Number(value.toFixed(12))),
    [0.5, -0.2, 0.2],
  );
  assert.ok(Math.abs(100 * found.reduce((product, value) => product * (1 + value), 1) - 144) < 1e-9);
});
