// Gates and stages against records, and against paper sessions that were recorded for it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { temporaryHome } from '../../test/support/run-app.ts';
import { defaultConfig, loadConfig } from './config.ts';
import { gateWords, judgePaper, judgeRecord, mustMeetGates, overridePhrase } from './live-gates.ts';
import { stageAfter } from './live-stages.ts';
import { runPaper } from './paper.ts';
import { readRunRecord, type RunRecord } from './run-record.ts';
import { runNamed } from './runs.ts';

const { gates, stages } = defaultConfig().live;
const daily = (count: number, up: number, down: number): Float64Array =>
  Float64Array.from({ length: count }, (_, day) => (day % 2 === 0 ? up : down));
const GOOD: RunRecord = {
  runId: 'paper-1',
  days: 14.5,
  daily: daily(15, 0.01, -0.004),
  returnRatio: 0.05,
  drawdownRatio: 0.04,
  trades: 40,
  winRatio: 0.6,
  roiError: 0.01,
  predicted: 40,
};

describe('the gates', () => {
  test('are met by a record that meets each of them', () => {
    const report = judgeRecord(GOOD, gates);
    assert.deepEqual(
      report.findings.filter(({ isMet }) => !isMet),
      [],
    );
    assert.equal(report.isMet, true);
  });

  for (const [gate, part] of [
    ['length', { days: 13.9 }],
    ['Sharpe ratio', { daily: daily(15, 0.01, -0.011) }],
    ['Sharpe ratio', { daily: new Float64Array(2) }],
    ['drawdown', { drawdownRatio: 0.15 }],
    ['win rate', { winRatio: 0.5 }],
    ['win rate', { winRatio: NaN, trades: 0 }],
    ['predicted against actual return', { roiError: 0.02 }],
    ['predicted against actual return', { roiError: NaN, predicted: 0 }],
  ] as const) {
    test(`are not met where ${gate} is ${JSON.stringify(part)}`, () => {
      const report = judgeRecord({ ...GOOD, ...part }, gates);
      assert.deepEqual(
        report.findings.flatMap(({ gate: name, isMet }) => (isMet ? [] : [name])),
        [gate],
      );
      assert.equal(report.isMet, false);
    });
  }

  test('what opinions expected is not asked for where the config does not ask', () => {
    assert.equal(judgeRecord({ ...GOOD, roiError: NaN, predicted: 0 }, { ...gates, roiErrorRatio: null }).isMet, true);
  });

  test('say how weak two weeks are: how probable it is that there is anything, and how long a record would show it', () => {
    // Computed apart, by the formulas of Bailey and López de Prado: 3.28859 a year, 0.737852, 94.42 days.
    const words = gateWords(judgeRecord({ ...GOOD, daily: daily(15, 0.01, -0.008) }, gates)).join('\n');
    assert.match(words, /15 daily returns with a Sharpe ratio of 3\.29 a year/);
    assert.match(words, /the true one is above zero is 73\.79 %/);
    assert.match(words, /A record of 95 days like these would be needed to say so with 95 %: 7 times as long/);
    const poor = gateWords(judgeRecord({ ...GOOD, daily: daily(15, 0.01, -0.012) }, gates)).join('\n');
    assert.match(poor, /no length of record would show that it is/);
  });

  test('are overridden by the phrase alone, which names what is risked', () => {
    const report = judgeRecord({ ...GOOD, days: 3 }, gates);
    const phrase = overridePhrase('bybit main', '1000', 'USDT');
    assert.equal(phrase, 'trade 1000 USDT on bybit main without evidence');
    for (const typed of [undefined, '', 'yes', phrase.replace('1000', '10000'), phrase.toUpperCase()])
      assert.throws(() => mustMeetGates(report, phrase, typed), { code: 'GATES_NOT_MET', remedy: /would be needed|longer than/ });
    mustMeetGates(report, phrase, phrase);
    mustMeetGates(judgeRecord(GOOD, gates), phrase, undefined);
  });
});

describe('the stages', () => {
  const after = (before: number | undefined, part: Partial<RunRecord> = {}): number =>
    stageAfter(stages, before, before === undefined ? undefined : { ...GOOD, ...part }).number;

  test('begin with the first, go on one by one with their gates, and stay at the last', () => {
    assert.deepEqual([after(undefined), after(0), after(1), after(2)], [0, 1, 2, 2]);
  });

  test('stay where a gate is not met, and fall back to the first after a deep fall', () => {
    assert.deepEqual(
      [after(0, { days: 13 }), after(1, { trades: 19 }), after(1, { returnRatio: -0.01 }), after(1, { drawdownRatio: 0.1 })],
      [0, 1, 1, 0],
    );
    assert.match(stageAfter(stages, 1, { ...GOOD, trades: 3 }).because, /3 of 20 trades/);
  });
});

/** A strategy that says what it expects: one day's worth in a direction that a walk does not have. */
const CONFIG = `
paper:
  symbols: [BTC/USDT:USDT]
  timeframeMs: 15m
  warmupMs: 1d
  strategies: [{ strategy: trend, parameters: { fast: 5, slow: 20, entrySeparation: 0.5 } }]
`;

describe('a paper session that was recorded', () => {
  const home = temporaryHome('gates', CONFIG);
  const signal = new AbortController().signal;
  before(async () => {
    await runPaper({ home, seed: 3, speed: Infinity, untilBars: 3 * 1_440, fresh: false, signal });
  });
  const runId = (): string => readdirSync(join(home, 'runs'))[0] ?? assert.fail('a run');

  test('is gone through again for its figures', async () => {
    const record = await readRunRecord(runNamed(home, runId()), home);
    assert.ok(Math.abs(record.days - 3) < 0.01, `three days, found ${record.days}`);
    assert.equal(record.daily.length, 3);
    const product = record.daily.reduce((value, each) => value * (1 + each), 1);
    assert.ok(Math.abs(product - (1 + record.returnRatio)) < 1e-9);
    assert.ok(record.trades > 0 && record.winRatio >= 0 && record.winRatio <= 1 && record.drawdownRatio > 0);
    assert.deepEqual([record.predicted, record.roiError], [0, NaN], 'trend does not say what it expects');
  });

  test('counts for a venue on this machine and not for real money, because its market was made up', async () => {
    const { recipe } = runNamed(home, runId());
    const asked = { home, recipe: { ...recipe, config: loadConfig({ home }) } };
    const local = await judgePaper({ ...asked, site: 'main', isLocal: true });
    assert.equal(local.runId, runId());
    assert.ok(local.findings.some(({ gate, isMet }) => gate === 'length' && !isMet));
    const main = await judgePaper({ ...asked, site: 'main', isLocal: false });
    assert.deepEqual([main.runId, main.findings[0]?.found], [null, '1 run on a market that was made up']);
    const [only] = recipe.strategies;
    const other = {
      ...asked.recipe,
      strategies: [{ ...(only ?? assert.fail('one')), parameters: { ...(only?.parameters as object), fast: 6 } }],
    };
    assert.equal(
      (await judgePaper({ ...asked, recipe: other, site: 'testnet', isLocal: true })).runId,
      null,
      'other parameters are another set',
    );
  });
});
