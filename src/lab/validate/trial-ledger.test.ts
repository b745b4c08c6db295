import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { recordTrial, recordTrials, trialsOn, type Trial } from './trial-ledger.ts';

function emptyLedger(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-trials-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'data', 'trials.jsonl');
}

function trial(id: string, sharpe: number, series = ['a:BTC/USDT'], periodMs = DAY_MS): Trial {
  return { id, series, periodMs, observations: 300, sharpe };
}

test('every trial on a series counts once, whatever else was run', (t) => {
  const path = emptyLedger(t);
  assert.deepEqual(trialsOn(path, ['a:BTC/USDT'], DAY_MS), { count: 0, variance: 0, damagedLines: 0 });
  recordTrial(path, trial('one', 0.1));
  assert.deepEqual(trialsOn(path, ['a:BTC/USDT'], DAY_MS), { count: 1, variance: 0, damagedLines: 0 });
  recordTrial(path, trial('two', 0.3, ['a:ETH/USDT', 'a:BTC/USDT']));
  recordTrial(path, trial('one', 0.1));
  recordTrial(path, trial('other', 9, ['b:BTC/USDT']));
  const { count, variance } = trialsOn(path, ['a:BTC/USDT'], DAY_MS);
  assert.equal(count, 2);
  assert.ok(Math.abs(variance - 0.02) < 1e-15);
  assert.equal(trialsOn(path, ['a:ETH/USDT', 'b:BTC/USDT'], DAY_MS).count, 2);
});

test('Sharpe ratios of other periods are brought to one', (t) => {
  const path = emptyLedger(t);
  recordTrial(path, trial('hourly', 0.1, ['a:X/Y'], HOUR_MS));
  recordTrial(path, trial('daily', 0, ['a:X/Y']));
  assert.ok(Math.abs(trialsOn(path, ['a:X/Y'], DAY_MS).variance - (0.1 * Math.sqrt(24)) ** 2 / 2) < 1e-12);
});

test('a trial of a few days counts, and its Sharpe ratio does not', (t) => {
  const path = emptyLedger(t);
  for (const [id, sharpe] of Object.entries({ one: 0.1, two: 0.3 })) recordTrial(path, trial(id, sharpe));
  const { variance } = trialsOn(path, ['a:BTC/USDT'], DAY_MS);
  recordTrial(path, { ...trial('short', 5), observations: 29 });
  assert.deepEqual(trialsOn(path, ['a:BTC/USDT'], DAY_MS), { count: 3, variance, damagedLines: 0 });
});

test('a write that was cut off costs itself alone, and is told', (t) => {
  const path = emptyLedger(t);
  recordTrial(path, trial('one', 0.1));
  const whole = readFileSync(path, 'utf8');
  appendFileSync(path, whole.replace('one', 'cut').slice(0, 40));
  recordTrial(path, trial('two', 0.3));
  appendFileSync(path, '{"id": 7}\n');
  const { count, damagedLines } = trialsOn(path, ['a:BTC/USDT'], DAY_MS);
  assert.deepEqual([count, damagedLines], [2, 2]);
});

test('a trial that cannot be kept is an error', (t) => {
  const path = emptyLedger(t);
  recordTrial(path, trial('one', 0.1));
  assert.throws(() => recordTrial(join(path, 'below-a-file'), trial('two', 0.1)), { code: 'TRIALS_UNWRITABLE' });
  writeFileSync(path, '');
  assert.equal(trialsOn(path, ['a:BTC/USDT'], DAY_MS).count, 0);
});

test('a sweep of ten thousand is one line, and each of its trials counts once', (t) => {
  const path = emptyLedger(t);
  const trials = Array.from({ length: 10_000 }, (_, index): [string, number | null] => [`t${index}`, index % 2 === 0 ? 0.1 : 0.3]);
  const batch = { series: ['a:BTC/USDT'], periodMs: DAY_MS, observations: 300, trials };
  recordTrials(path, batch);
  assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 1);
  recordTrials(path, batch);
  recordTrial(path, trial('t3', 0.3));
  const { count, variance, damagedLines } = trialsOn(path, ['a:BTC/USDT'], DAY_MS);
  assert.deepEqual([count, damagedLines], [10_000, 0]);
  assert.ok(Math.abs(variance - (0.01 * 10_000) / 9_999) < 1e-12);
  // Given up before its end: a trial without a ratio.
  recordTrials(path, {
    ...batch,
    trials: [
      ['given up', null],
      ['t5', null],
    ],
  });
  assert.deepEqual(trialsOn(path, ['a:BTC/USDT'], DAY_MS), { count: 10_001, variance, damagedLines: 0 });
});
