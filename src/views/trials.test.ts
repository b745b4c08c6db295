import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metrics } from './metrics.ts';
import { trialsText, type TrialRow } from './trials.ts';

function row(strategy: string, figures: Partial<Metrics> | undefined, failure?: string, haltedAt?: string): TrialRow {
  const metrics =
    figures &&
    ({
      trades: 40,
      totalReturn: 0.1,
      maxDrawdown: 0.05,
      sharpe: 1,
      feesPaid: 3,
      returnTStatistic: 1,
      buyAndHoldReturn: null,
      ...figures,
    } as Metrics);
  return {
    strategy,
    venue: 'binance',
    symbols: ['BTC/USDT'],
    timeframe: '1h',
    runId: metrics && `run-${strategy}`,
    metrics,
    haltedAt,
    failure,
    dataFlaws: [],
  };
}

test('every run has its line, what cannot be said is said, and the trials are counted', () => {
  const text = trialsText([
    row('a', { returnTStatistic: 2.5 }),
    row('b', { totalReturn: -0.2, sharpe: null, returnTStatistic: 1.9996 }),
    row('idle', { trades: 0, totalReturn: 0 }),
  ]);
  const [, first, second] = text.split('\n');
  assert.match(first ?? '', /a +binance +BTC\/USDT +1h +40 +10\.00 % +N\/A +5\.00 % +1\.00 +2\.50 +3\.00 +run-a/);
  assert.match(second ?? '', /-20\.00 % .* N\/A +1\.9996 /);
  assert.match(text, /3 runs, 2 of them traded: 1 gained after costs, 1 has a t of 2 or more \(chance alone gives 0\.0 of 2\)/);
  assert.doesNotMatch(text, /failed/);
});

test('a run that failed is named with its reason and not counted', () => {
  const text = trialsText([row('a', {}), row('b', undefined, 'BTC/USDT 1h: found no such bars')]);
  assert.match(text, /^1 run, 1 of them traded: 1 gained after costs, 0 have a t/m);
  assert.match(text, /1 failed\n {2}b BTC\/USDT 1h: BTC\/USDT 1h: found no such bars/);
});

test('a run that halted is marked with its day, and a table without one has no such column', () => {
  const text = trialsText([row('a', {}), row('b', {}, undefined, '2022-10-22T04:00:00Z')]);
  assert.match(text, /^ {2}strategy .* halted +run$/m);
  assert.match(text, /^ {2}a .* 3\.00 +run-a$/m);
  assert.match(text, /^ {2}b .* 3\.00 +2022-10-22 +run-b$/m);
  assert.match(text, /^1 run halted on the day shown/m);
  assert.doesNotMatch(trialsText([row('a', {})]), /halted/);
});

test('flawed bars are told of: one series in its own words, several by their number', () => {
  const flawed = (strategy: string, words: string): TrialRow => ({ ...row(strategy, {}), dataFlaws: [words] });
  const luna = 'the bars of binance LUNA/USDT 1h have 2 coins under one symbol: ballast data check --symbol LUNA/USDT';
  assert.match(trialsText([flawed('a', luna), flawed('b', luna), row('c', {})]), new RegExp(`^! ${luna}$`, 'm'));
  assert.match(
    trialsText([flawed('a', luna), flawed('b', 'the bars of x have 1 hole: ballast data check')]),
    /^! the bars of 2 runs have flaws, the first of them: the bars of binance LUNA\/USDT 1h have 2 coins under one symbol; ballast data check tells of all$/m,
  );
  assert.doesNotMatch(trialsText([row('a', {})]), /!/);
});
