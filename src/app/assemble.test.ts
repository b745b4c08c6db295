import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { amount, toNumber } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import type { MarketEvent } from '../domain/event.ts';
import { abstain } from '../domain/opinion.ts';
import { defineStrategy, type Strategy } from '../domain/strategy.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { Engine } from '../engine/engine.ts';
import type { RunPlan } from '../engine/plan.ts';
import { ema, on, sma } from '../features/catalog.ts';
import { meanReversion } from '../forecasts/strategies/mean-reversion.ts';
import { trend } from '../forecasts/strategies/trend.ts';
import { SYNTHETIC_ASSETS } from '../market/synthetic/assets.ts';
import { assemblePlan, plannedStrategies, warmupBars, type PlannedStrategy, type PlanRequest } from './assemble.ts';
import { parseConfig } from './config.ts';
import { defaultConfig } from './config-schema.ts';
import { unfilteredInstrument } from './recipe.ts';
import { parseParameters } from './registry.ts';

const instruments = SYNTHETIC_ASSETS.slice(0, 3).map(({ instrument }) => instrument);
const [BTC, ETH, SOL] = ['BTC/USDT:USDT', 'ETH/USDT:USDT', 'SOL/USDT:USDT'] as const;

const quiet = { opine: () => abstain('never'), explain: () => ({ because: 'never', numbers: {} }) };
const spread: Strategy<unknown> = defineStrategy({
  name: 'spread',
  about: 'has two legs',
  legs: 2,
  parameters: z.strictObject({}),
  features: () => ({ left: ema(10), right: on({ leg: 1 }, ema(10)), slow: on({ timeframeMs: 4 * HOUR_MS }, sma(50)) }),
  ...quiet,
});

const basket: Strategy<unknown> = { ...spread, name: 'basket', legs: { least: 1, most: 2 } };

function use(strategy: Strategy<unknown>, where: Partial<PlannedStrategy> = {}): PlannedStrategy {
  return { strategy, parameters: parseParameters(strategy), ...where };
}

function planOf(strategies: readonly PlannedStrategy[], change: Partial<PlanRequest> = {}): RunPlan {
  return assemblePlan({ config: defaultConfig(), instruments, baseTimeframeMs: HOUR_MS, strategies, capital: amount('10000'), ...change });
}

function refusal(strategies: readonly PlannedStrategy[], change: Partial<PlanRequest> = {}): string {
  try {
    planOf(strategies, change);
  } catch (error) {
    assert.ok(error instanceof BallastError, String(error));
    assert.equal(error.code, 'PLAN_IMPOSSIBLE');
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail('found no refusal');
}

function shares({ sleeves }: RunPlan): number[] {
  return sleeves.map(({ shareRatio }) => shareRatio);
}

describe('the way in which orders are carried out', () => {
  const by = (text: string): Pick<PlanRequest, 'config'> => ({ config: parseConfig(`execution:\n  ${text.replaceAll(', ', '\n  ')}`) });

  test('is the market unless the config says otherwise, and then all that it says', () => {
    assert.equal(planOf([use(trend)]).desk.execution, undefined);
    const { execution } = planOf([use(trend)], by('algorithm: twap, slices: 7')).desk;
    assert.deepEqual([execution?.algorithm, execution?.slices, execution?.horizonMs], ['twap', 7, 15 * MINUTE_MS]);
    assert.equal(planOf([use(trend)]).expectedSlippageRatio, 0.0005);
  });

  test('lets limits rest for a bar at least, and spends no budget in parts', () => {
    const found = refusal([use(trend)], by('algorithm: limit-first, horizonMs: 59m'));
    assert.match(found, /^execution.horizonMs: found 59m, expected at least 1h, a bar/);
    assert.equal(planOf([use(trend)], by('algorithm: limit-first, horizonMs: 1h')).desk.execution?.algorithm, 'limit-first');
    assert.equal(planOf([use(trend)], by('algorithm: twap, horizonMs: 59m')).desk.execution?.algorithm, 'twap');
    const spot = [unfilteredInstrument('venue', 'BTC/USDT', 'test')];
    assert.match(
      refusal([use(trend)], { ...by('algorithm: twap'), instruments: spot, sizing: 'all-in' }),
      /^execution.algorithm: found twap, expected market with sizing all-in/,
    );
  });
});

describe('sleeves', () => {
  test('by default every strategy has one of its own on every instrument, with equal shares', () => {
    const { sleeves, minds } = planOf([use(trend), use(meanReversion)]);
    assert.deepEqual(
      sleeves.map(({ name }) => name),
      [`trend ${BTC}`, `trend ${ETH}`, `trend ${SOL}`, `mean-reversion ${BTC}`, `mean-reversion ${ETH}`, `mean-reversion ${SOL}`],
    );
    sleeves.forEach((sleeve, index) => {
      assert.deepEqual(sleeve.sources, [index]);
      assert.equal(minds[index]?.sleeve, index);
      assert.deepEqual(sleeve.instruments, [index % 3]);
      assert.equal(sleeve.shareRatio, 1 / 6);
    });
    assert.deepEqual(
      minds.map(({ name }) => name),
      sleeves.map(({ name }) => name),
    );
  });

  test('a strategy with several legs has all symbols in one sleeve where no pairs are named, and is told how many', () => {
    const counts: number[] = [];
    const counting: Strategy<unknown> = {
      ...spread,
      legs: { least: 2, most: 5 },
      features: (_, legs) => {
        counts.push(legs);
        return {};
      },
    };
    const all = planOf([use(counting)]);
    assert.deepEqual(
      all.sleeves.map(({ instruments: traded }) => traded),
      [[0, 1, 2]],
    );
    const some = planOf([use(counting, { symbols: [SOL, ETH] })]);
    assert.deepEqual(
      some.sleeves.map(({ instruments: traded }) => traded),
      [[2, 1]],
    );
    assert.deepEqual(counts, [3, 2]);
    assert.deepEqual(
      [...all.minds, ...some.minds].map(({ forecaster }) => forecaster.legs),
      [3, 2],
    );
  });

  test('a pair has one sleeve with both legs', () => {
    const { sleeves } = planOf([
      use(spread, {
        pairs: [
          [BTC, ETH],
          [SOL, BTC],
        ],
      }),
    ]);
    assert.deepEqual(sleeves, [
      { name: `spread ${BTC} ${ETH}`, shareRatio: 0.5, instruments: [0, 1], sources: [0] },
      { name: `spread ${SOL} ${BTC}`, shareRatio: 0.5, instruments: [2, 0], sources: [1] },
    ]);
  });

  test('strategies that name one council speak in one sleeve for each symbol, with their weights', () => {
    const { sleeves, minds } = planOf([
      use(trend, { council: 'majors', symbols: [BTC, ETH], weight: 2 }),
      use(meanReversion, { council: 'majors', symbols: [ETH], shareRatio: 0.5 }),
      use(trend, { symbols: [ETH] }),
    ]);
    assert.deepEqual(sleeves, [
      { name: `majors ${BTC}`, shareRatio: 0.25, instruments: [0], sources: [0] },
      { name: `majors ${ETH}`, shareRatio: 0.5, instruments: [1], sources: [1, 2] },
      { name: `trend ${ETH}`, shareRatio: 0.25, instruments: [1], sources: [3] },
    ]);
    assert.deepEqual(
      minds.map(({ name, weight, sleeve }) => [name, weight, sleeve]),
      [
        [`trend ${BTC}`, 2, 0],
        [`trend ${ETH}`, 2, 1],
        [`mean-reversion ${ETH}`, 1, 1],
        [`trend ${ETH} #2`, 1, 2],
      ],
    );
  });

  test('shares that are named are kept, and the rest is divided; all of it may be named', () => {
    assert.deepEqual(
      shares(planOf([use(trend, { symbols: [BTC], shareRatio: 0.5 }), use(meanReversion, { symbols: [BTC, ETH] })])),
      [0.5, 0.25, 0.25],
    );
    const named = [0.3, 0.3, 0.4].map((shareRatio, index) => use(trend, { symbols: [instruments[index]?.symbol ?? ''], shareRatio }));
    assert.deepEqual(shares(planOf(named)), [0.3, 0.3, 0.4]);
    assert.deepEqual(shares(planOf([use(trend, { symbols: [BTC], shareRatio: 0.1 })])), [0.1]);
  });

  test('equal shares never add up to more than the capital, however many there are', () => {
    for (let count = 1; count <= 60; count++) {
      const plan = planOf(Array.from({ length: count }, () => use(trend, { symbols: [BTC] })));
      const engine = new Engine({
        plan,
        venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined },
        recorder: NO_RECORDER,
      });
      const reserve = engine.portfolio.cash.at(-1);
      assert.ok(reserve !== undefined && Math.abs(toNumber(reserve)) < 1e-6, `${count} sleeves leave ${reserve && toNumber(reserve)}`);
    }
  });

  test('a symbol of two venues is named with its venue', () => {
    const twice = instruments.flatMap((instrument) => [instrument, { ...instrument, venue: 'other' }]).slice(0, 3);
    const { sleeves } = planOf([use(trend)], { instruments: twice });
    assert.deepEqual(
      sleeves.map(({ name }) => name),
      [`trend simulated:${BTC}`, `trend other:${BTC}`, `trend ${ETH}`],
    );
    assert.match(
      refusal([use(trend, { symbols: [BTC] })], { instruments: twice }),
      /symbol BTC\/USDT:USDT of 2 venues, expected one of simulated:/,
    );
  });
});

describe('what does not fit together is refused by name', () => {
  for (const [what, strategies, change, message] of [
    ['no strategy', [], {}, /^strategies: found none, expected at least one$/],
    [
      'an unknown symbol',
      [use(trend, { symbols: ['BTC/USDT'] })],
      {},
      /^strategy trend: found symbol BTC\/USDT, expected one of BTC\/USDT:USDT, ETH/,
    ],
    ['a symbol twice', [use(trend, { symbols: [BTC, BTC] })], {}, /found BTC\/USDT:USDT twice, expected each once/],
    ['pairs for one leg', [use(trend, { pairs: [[BTC, ETH]] })], {}, /found pairs of symbols, expected symbols/],
    ['three symbols for two legs', [use(spread)], {}, /^strategy spread: found 3 symbols, expected 2, its legs, or pairs that name them$/],
    ['too many for a basket', [use(basket, { pairs: [[BTC, ETH, SOL]] })], {}, /found 3 symbols, expected 1 to 2, its legs/],
    ['a pair with itself', [use(spread, { pairs: [[BTC, BTC]] })], {}, /BTC\/USDT:USDT twice/],
    [
      'more than all equity',
      [use(trend, { symbols: [BTC, ETH], shareRatio: 0.6 })],
      {},
      /^shares of the sleeves: found 1\.2 in all, expected at most 1$/,
    ],
    ['nothing left', [use(trend, { symbols: [BTC], shareRatio: 1 }), use(meanReversion)], {}, /found nothing left for 3 of 4/],
    ['a share that is none', [use(trend, { shareRatio: 0 })], {}, /^share of strategy trend: found 0, expected above 0 and at most 1$/],
    [
      'two shares for one sleeve',
      [
        use(trend, { council: 'c', symbols: [BTC], shareRatio: 0.1 }),
        use(meanReversion, { council: 'c', symbols: [BTC], shareRatio: 0.2 }),
      ],
      {},
      /^share of sleeve c BTC\/USDT:USDT: found 0\.1 and 0\.2, expected one share/,
    ],
    ['a timeframe that the base does not fill', [use(trend, { timeframeMs: 90 * MINUTE_MS })], {}, /found 90m, expected a multiple of 1h/],
    [
      'a feature that cannot be made',
      [{ strategy: trend, parameters: { fast: -1, slow: 5, atrWindow: 2 } }],
      {},
      /^strategy trend: .*a window of -1/,
    ],
  ] as const) {
    test(what, () => assert.match(refusal(strategies, change), message));
  }

  test('features that throw', () => {
    const broken: Strategy<unknown> = defineStrategy({
      ...quiet,
      name: 'broken',
      about: 'throws',
      legs: 1,
      parameters: z.strictObject({}),
      features: () => {
        throw new TypeError('no such window');
      },
    });
    assert.match(refusal([use(broken)]), /^strategy broken: found an exception from features: no such window, expected features/);
  });
});

describe('the plan', () => {
  test('has what the config says', () => {
    const config = parseConfig(
      'sizing: kelly\ncouncil: { cooldownMs: 1h }\ndecision: { stanceStep: 0.5 }\nminds: { strikes: 7 }\nrisk: { trailR: 3 }\n',
    );
    const plan = planOf([use(trend)], { config, timeframeMs: 4 * HOUR_MS });
    assert.equal(plan.sizing, 'kelly');
    assert.equal(plan.council.cooldownMs, HOUR_MS);
    assert.equal(plan.stanceStep, 0.5);
    assert.equal(plan.policy.trailR, 3);
    assert.deepEqual(plan.mindFailure, { action: 'suspend', strikes: 7 });
    assert.deepEqual(plan.desk, config.desk);
    assert.equal(plan.minds[0]?.timeframeMs, 4 * HOUR_MS);
    assert.equal(plan.allowSpotShort, false);
    assert.equal(plan.rules.length, 13);
  });

  test('has what is asked for this run alone', () => {
    const plan = planOf([use(trend)], { noRisk: true, sizing: 'fixed', allowSpotShort: true, mindFailure: 'stop' });
    assert.deepEqual(plan.rules, []);
    assert.equal(plan.sizing, 'fixed');
    assert.equal(plan.allowSpotShort, true);
    assert.equal(plan.mindFailure.action, 'stop');
  });

  test('without rules nothing acts by itself', () => {
    const config = defaultConfig();
    const plan = planOf([use(trend)], { noRisk: true });
    const { mostFailedCloses: _bound, ...desk } = config.desk;
    assert.deepEqual(plan.desk, { ...desk, disasterRatio: NaN, pairDisasterRatio: NaN });
    assert.deepEqual(plan.policy, { ...config.risk, staleIntervals: Infinity });
    assert.equal(plan.opinionLifeBars, Infinity);
    const ruled = planOf([use(trend)]);
    assert.deepEqual([ruled.desk, ruled.policy, ruled.opinionLifeBars], [config.desk, config.risk, 3]);
  });

  test('spends all of the cash for one strategy on one spot symbol, long or flat, and for nothing else', () => {
    const sizing = 'all-in';
    const spot = [unfilteredInstrument('any', 'BTC/USDT', 'test')];
    assert.equal(planOf([use(trend)], { sizing, instruments: spot }).desk.buysByBudget, true);
    assert.equal(planOf([use(trend)], { instruments: spot }).desk.buysByBudget, undefined);
    assert.match(refusal([use(trend)], { sizing }), /^sizing all-in: found 3 sleeves, expected one strategy on one spot symbol/);
    assert.match(refusal([use(trend), use(meanReversion)], { sizing, instruments: spot }), /found 2 sleeves/);
    assert.match(refusal([use(trend, { symbols: [BTC] })], { sizing }), /found a perpetual/);
    assert.match(refusal([use(trend)], { sizing, instruments: spot, allowSpotShort: true }), /found --allow-spot-short/);
    const two = [...spot, unfilteredInstrument('any', 'ETH/USDT', 'test')];
    assert.match(refusal([use(spread, { pairs: [['BTC/USDT', 'ETH/USDT']] })], { sizing, instruments: two }), /found a pair/);
  });

  test('has the fee rate of the config where there is one', () => {
    const rates = (text: string): unknown =>
      planOf([use(trend)], { config: parseConfig(text) }).instruments.map(({ takerFeeRate, makerFeeRate }) => [
        takerFeeRate,
        makerFeeRate,
      ])[0];
    assert.deepEqual(rates(''), [0.0006, 0.0002]);
    assert.deepEqual(rates('venue: { feeRate: 0.001 }'), [0.001, 0.001]);
    assert.deepEqual(rates('venue: { feeRate: 0 }'), [0, 0]);
  });

  test('trusts our own strategies and nobody of the same name', () => {
    const { minds } = planOf([use(trend), use({ ...trend })]);
    assert.deepEqual(
      minds.map(({ isTrusted }) => isTrusted),
      [true, true, true, false, false, false],
    );
  });

  test('comes from the entries of the config', async () => {
    const { paper } = parseConfig(`paper:
  strategies:
    - { strategy: trend, parameters: { fast: 5 }, symbols: [${BTC}], weight: 2, shareRatio: 0.5, timeframeMs: 4h }
    - { strategy: mean-reversion, symbols: [${ETH}] }
`);
    const plan = planOf(await plannedStrategies(paper.strategies, '.'));
    assert.deepEqual(shares(plan), [0.5, 0.5]);
    assert.equal(plan.minds[0]?.timeframeMs, 4 * HOUR_MS);
    assert.ok('fast' in (plan.minds[0]?.forecaster.features ?? {}));
    assert.equal(plan.minds[0]?.forecaster.features['fast']?.key, 'ema(5)');
    const entries = parseConfig('paper: { strategies: [{ strategy: trend, parameters: { fst: 5 } }] }').paper.strategies;
    await assert.rejects(plannedStrategies(entries, '.'), /parameter fst of trend/);
  });
});

const NO_RECORDER = { market: () => undefined, entry: () => undefined, commit: () => undefined };

/** Whether an engine knows everything after so many warm-up bars. */
function isWarmAfter(plan: RunPlan, bars: number): boolean {
  const engine = new Engine({
    plan,
    venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined },
    recorder: NO_RECORDER,
  });
  // A run may begin anywhere within a higher bar.
  const startAt = 1_000 * 24 * HOUR_MS + 5 * plan.baseTimeframeMs;
  for (let bar = 1; bar <= bars; bar++) {
    for (let instrument = 0; instrument < plan.instruments.length; instrument++) {
      const at = startAt + bar * plan.baseTimeframeMs;
      const close = 100 + Math.sin(bar / 3) + Math.cos(bar / 7);
      const event: MarketEvent = {
        kind: 'bar.closed',
        at,
        happenedAt: at,
        instrument,
        open: close,
        high: close + 1,
        low: close - 1,
        close,
        volume: 1,
        warmup: true,
      };
      engine.handle(event);
    }
  }
  const { percentB, volatilityRatio, atrRatio, volatility } = engine.marketNow();
  const rules = [percentB, volatilityRatio, atrRatio, volatility].every((column) => column.every(Number.isFinite));
  return engine.minds.every((mind) => mind.isWarm) && (plan.rules.length === 0 || rules);
}

describe('warm-up', () => {
  const short = { strategy: trend, parameters: parseParameters(trend, 'fast=3,slow=8,atrWindow=4') };

  for (const [what, plan, isExact] of [
    ['the longest feature of a strategy', planOf([use(meanReversion)]), true],
    ['the features of the rules', planOf([short]), true],
    ['a strategy alone, without rules', planOf([short], { noRisk: true }), true],
    ['a decision timeframe of many bars', planOf([short], { baseTimeframeMs: 15 * MINUTE_MS, timeframeMs: 4 * HOUR_MS }), false],
    ['a feature on a higher timeframe', planOf([use(spread, { pairs: [[BTC, ETH]] })], { instruments: instruments.slice(0, 2) }), false],
  ] as const) {
    test(`covers ${what}`, () => {
      const bars = warmupBars(plan);
      assert.ok(isWarmAfter(plan, bars), `${bars} bars are enough`);
      if (isExact) assert.ok(!isWarmAfter(plan, bars - 1), `${bars - 1} bars are not`);
    });
  }
});
