// What the benchmarks compare their speed with computes the same: fills, fees, slippage and funding, to 1e-9 of the final equity.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BacktestCase } from '../bench/backtest-session.ts';
import { compare } from '../bench/equality.ts';
import { plainLoop } from '../bench/plain-loop.ts';
import { Walk } from '../bench/walk.ts';
import { HOUR_MS } from '../src/domain/time.ts';

const cases: readonly (readonly [name: string, subject: BacktestCase, bars: number, leastFills: number])[] = [
  ['one instrument that trades little', { fast: 200, slow: 1_000, instruments: 1 }, 40_000, 10],
  ['one instrument that trades all the time', { fast: 2, slow: 8, instruments: 1 }, 20_000, 1_000],
  ['four instruments merged by time', { fast: 20, slow: 100, instruments: 4 }, 10_000, 200],
  ['hours over minutes', { fast: 4, slow: 16, instruments: 1, timeframeMs: HOUR_MS }, 60_000, 20],
];

for (const [name, subject, bars, leastFills] of cases) {
  test(`engine and plain loop end with the same money: ${name}`, async () => {
    const columns = Array.from({ length: subject.instruments }, (_, index) => new Walk(7 + index).next(bars));
    const { isEqual, engine, plain } = await compare(subject, columns);
    assert.ok(engine.fills >= leastFills, `${engine.fills} fills, expected at least ${leastFills}`);
    assert.ok(isEqual, `engine ${JSON.stringify(engine)}, plain loop ${JSON.stringify(plain)}`);
  });
}

test('the plain loop pays fees, slippage and funding', () => {
  const columns = [new Walk(7).next(20_000)];
  const free = { fast: 20, slow: 100, weight: 0.5, capital: 1_000, feeRate: 0, slippageRatio: 0, fundingRate: 0 } as const;
  const times = { fundingIntervalMs: 8 * HOUR_MS, barMs: 60_000, decisionMs: 60_000 };
  const { equity, fills } = plainLoop(columns, { ...free, ...times });
  assert.ok(fills > 100);
  assert.ok(plainLoop(columns, { ...free, ...times, feeRate: 0.001 }).equity < equity);
  assert.ok(plainLoop(columns, { ...free, ...times, slippageRatio: 0.001 }).equity < equity);
  assert.notEqual(plainLoop(columns, { ...free, ...times, fundingRate: 0.0001 }).equity, equity);
});
