import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, ZERO_AMOUNT } from '../domain/decimal.ts';
import { defaultConfig } from './config.ts';
import { unfilteredInstrument, writeInstrument } from './recipe.ts';
import { assumptionWarnings, fillWarnings, parameterWarning, refusalWarning } from './run-warnings.ts';

const money = { capital: 10_000, currency: 'USDT' };

test('ten closed trades for each parameter are asked for', () => {
  assert.deepEqual(parameterWarning(8, 80), []);
  assert.deepEqual(parameterWarning(8, 79), [
    'too many parameters for the data: 8 parameters and 79 closed trades, where it takes 10 trades for each',
  ]);
  assert.deepEqual(parameterWarning(1, 1), [
    'too many parameters for the data: 1 parameter and 1 closed trade, where it takes 10 trades for each',
  ]);
  // That nothing was traded is said by another warning.
  assert.deepEqual(parameterWarning(8, 0), []);
  assert.deepEqual(parameterWarning(0, 1), []);
});

test('all of the cash that was cut, and funding that nobody said, are told', () => {
  const config = { ...defaultConfig(), sizing: 'all-in' } as const;
  const instruments = [writeInstrument(unfilteredInstrument('v', 'BTC/USDT:USDT', 'test'))];
  const market = { source: 'history', from: 0, to: 1, warmupFrom: 0 } as const;
  const cut = new Map([['position-limit', { clamps: 3, halts: 0, refusals: 0 }]]);
  const quiet = { rulingCounts: () => new Map(), funding: ZERO_AMOUNT };
  assert.deepEqual(assumptionWarnings({ config, noRisk: false, instruments, market }, quiet), []);
  const told = assumptionWarnings({ config, noRisk: false, instruments, market }, { rulingCounts: () => cut, funding: amount('1') });
  assert.match(told[0] ?? '', /^all-in was not all in: .*\(position-limit\); --no-risk/);
  assert.match(told[1] ?? '', /assumed 0\.01 % at every boundary/);
  assert.equal(told.length, 2);
  const stored = { ...market, funding: [{ first: 0, stepMs: 28_800_000, rates: [0.0001, null] }] };
  assert.deepEqual(
    assumptionWarnings({ config, noRisk: false, instruments, market: stored }, { rulingCounts: () => new Map(), funding: amount('1') }),
    [],
  );
});

test('refusals of the venue are told from one order in twenty on', () => {
  assert.deepEqual([refusalWarning(0, 0), refusalWarning(4, 100)], [[], []]);
  assert.match(refusalWarning(5, 100).join(), /^refused orders: the venue refused 5 orders of 100, /);
  assert.match(refusalWarning(1, 1).join(), /refused 1 order of 1, /);
});

test('stale fills are counted, and volume that a fill would have been too much of says how much capital fits', () => {
  assert.deepEqual(fillWarnings({ fills: 9, stale: 0, largestVolumeShare: 0.01, volumeShare95: 0.001 }, money), []);
  assert.match(
    fillWarnings({ fills: 9, stale: 2, largestVolumeShare: null, volumeShare95: null }, money).join(),
    /^stale fills: 2 of 9 were in bars without volume or after a hole in the bars/,
  );
  const [words = ''] = fillWarnings({ fills: 9, stale: 0, largestVolumeShare: 0.3, volumeShare95: 0.05 }, money);
  assert.match(words, /the largest fill was 30\.00 % of its bar's volume, one in twenty 5\.00 % or more.*2,000\.00 USDT would keep 95 %/);
  const [rare = ''] = fillWarnings({ fills: 9, stale: 0, largestVolumeShare: 0.3, volumeShare95: 0.005 }, money);
  assert.ok(!rare.includes('would keep'));
});
