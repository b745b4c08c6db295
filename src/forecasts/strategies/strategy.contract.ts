// What every strategy must hold, a user's own as well: call `holdsStrategyContract` from its test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import type { BarColumns } from '../../domain/bars.ts';
import {
  isOnBooks,
  isOnFunding,
  isJoint,
  type AnyIndicator,
  type BarView,
  type BookIndicator,
  type FeatureSpecs,
  type FundingIndicator,
  type Indicator,
  type JointIndicator,
} from '../../domain/feature.ts';
import type { BookEvent, FundingAnnounced } from '../../domain/event.ts';
import type { Opinion, Reasons } from '../../domain/opinion.ts';
import { forecaster, legRange, type Evidence, type Forecaster, type OwnSleeve, type Strategy } from '../../domain/strategy.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { outputsOf } from '../../lab/lookahead/subject.ts';
import type { Side } from './level.ts';
import { survivesBrokenMarkets } from './broken-markets.contract.ts';
import { anyBars, barAt, firstBars, relatedBars, withAnotherFuture } from '../../features/indicators/bars.fixture.ts';

/** Nothing that a feature could ever show, and what it mostly shows. */
const wildNumber = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -3, max: 3, noNaN: true }) },
  { weight: 3, arbitrary: fc.double({ min: 1e-6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, Number.MIN_VALUE, Number.MAX_VALUE) },
);
const anySleeve: fc.Arbitrary<OwnSleeve> = fc
  .constantFrom<-1 | 0 | 1>(-1, 0, 1)
  .map((side) => ({ side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: side === 0 ? 0 : HOUR_MS }));

/**
 * @param strategy what is held to the contract
 * @param parameters what the schema accepts, to try many of them
 * @param legsOf so many bars of so many legs on which it speaks with its defaults; loosely related ones unless said
 */
export function holdsStrategyContract(
  strategy: Strategy<unknown>,
  parameters: fc.Arbitrary<unknown>,
  legsOf: (bars: number, legs: number) => readonly BarColumns[] = (bars, legs) => relatedBars(bars, legs, 7),
): void {
  const { name } = strategy;
  const bind = (chosen: unknown): Forecaster => forecaster(strategy, strategy.parameters.parse(chosen));
  const standard = bind({});
  /** Long enough for the longest default warm-up and some trades after it. */
  const history = legsOf(warmupOf(standard.features) + 2_000, standard.legs);

  test(`${name}: every parameter has a default, says what it is, and no other is accepted`, () => {
    assert.ok(strategy.parameters instanceof z.ZodType, 'the schema is one of zod');
    const { properties } = z.toJSONSchema(strategy.parameters, { io: 'input' });
    for (const [parameter, schema] of Object.entries(properties ?? {})) {
      assert.ok(typeof schema === 'object' && schema.description !== undefined, `${parameter} says what it is`);
      assert.ok(schema.default !== undefined, `${parameter} has a default`);
    }
    assert.throws(() => strategy.parameters.parse({ noSuchParameter: 1 }), /noSuchParameter/);
    assert.notEqual(strategy.about, '');
    assert.match(name, /^[a-z][a-z0-9-]*$/);
  });

  test(`${name}: it is silent until every declared feature is warm, and then speaks`, () => {
    const opinions = live(standard, history);
    const warmup = warmupOf(standard.features);
    opinions.slice(0, warmup - 1).forEach(({ opinion }, index) => assert.equal(opinion.kind, 'abstention', `after ${index + 1} bars`));
    assert.equal(opinions[warmup - 1]?.opinion.kind, 'forecast');
    assert.ok(
      opinions.slice(warmup).some(({ opinion }) => opinion.kind === 'forecast' && opinion.stance !== 0),
      'it takes a side at some time',
    );
  });

  test(`${name}: it expects no loss of a side that it takes anew, by the sign of the subject`, () => {
    for (const { opinion, sideBefore } of live(standard, history)) {
      if (opinion.kind === 'abstention' || opinion.stance === 0 || Math.sign(opinion.stance) === sideBefore) continue;
      const { stance, expectedReturn = 0 } = opinion;
      assert.ok(Math.sign(stance) * expectedReturn >= 0, `a stance of ${stance} that expects ${expectedReturn} of the subject`);
    }
  });

  test(`${name}: the same evidence gives the same opinion, whatever was asked before, and is left as it was`, () => {
    fc.assert(
      fc.property(parameters, wildEvidence(strategy, bind), wildEvidence(strategy, bind), (chosen, one, other) => {
        const asked = bind(chosen);
        const first = one(chosen);
        const before = numbersOf(first);
        const opinion = asked.opine(first);
        asked.opine(other(chosen));
        assert.deepEqual(asked.opine(first), opinion);
        assert.deepEqual(bind(chosen).opine(first), opinion);
        assert.deepEqual(asked.explain(first), bind(chosen).explain(first));
        assert.deepEqual(numbersOf(first), before);
      }),
    );
  });

  test(`${name}: whatever the features show, a forecast is within its bounds and always of one shape`, () => {
    // By parameters, which do not change within a run.
    const shapes = new Map<string, string>();
    fc.assert(
      fc.property(parameters, fc.array(wildEvidence(strategy, bind), { minLength: 2, maxLength: 6 }), (chosen, evidences) => {
        for (const evidence of evidences) {
          const opinion = bind(chosen).opine(evidence(chosen));
          holdsBounds(opinion);
          if (opinion.kind === 'abstention') continue;
          const [shape, known] = [shapeOf(opinion), shapes.get(JSON.stringify(chosen))];
          assert.equal(shape, known ?? shape, 'one shape is fast, two are slow');
          shapes.set(JSON.stringify(chosen), shape);
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(shapes.size > 0, 'some evidence was enough for a forecast');
  });

  test(`${name}: a feature or a price that is not known makes it abstain`, () => {
    const { evidence, indicators } = worldOf(standard);
    for (let index = 0; index < warmupOf(standard.features); index++) advance(indicators, evidence, standard, history, index);
    assert.equal(standard.opine(evidence).kind, 'forecast');
    for (const [feature, indicator] of Object.entries(indicators)) {
      const { value } = indicator;
      pretend(indicator, 'value', NaN);
      assert.equal(standard.opine(evidence).kind, 'abstention', feature);
      pretend(indicator, 'value', value);
    }
    assert.equal(standard.opine({ ...evidence, bars: [] }).kind, 'abstention');
    assert.equal(standard.opine({ ...evidence, bars: evidence.bars.map((bar) => ({ ...bar, close: NaN })) }).kind, 'abstention');
  });

  test(`${name}: every opinion can be explained in words, with numbers that are numbers`, () => {
    fc.assert(
      fc.property(parameters, wildEvidence(strategy, bind), (chosen, evidence) => {
        holdsReasons(bind(chosen).explain(evidence(chosen)));
      }),
    );
    for (const { opinion, reasons } of live(standard, history)) {
      holdsReasons(reasons);
      assert.equal(opinion.kind === 'forecast', Object.keys(reasons.numbers).length > 0);
    }
  });

  test(`${name}: it knows nothing of the future`, () => {
    fc.assert(
      fc.property(
        fc.array(anyBars(60, 200), { minLength: standard.legs, maxLength: standard.legs }),
        fc.nat(),
        parameters,
        (legs, place, chosen) => {
          const asked = bind(chosen);
          const length = Math.min(...legs.map(({ close }) => close.length));
          const now = 1 + (place % (length - 1));
          const known = live(asked, legs).slice(0, now);
          assert.deepEqual(
            live(
              asked,
              legs.map((bars) => firstBars(bars, now)),
            ),
            known,
          );
          assert.deepEqual(
            live(
              asked,
              legs.map((bars) => withAnotherFuture(bars, now)),
            ).slice(0, now),
            known,
          );
        },
      ),
    );
  });

  survivesBrokenMarkets(standard, history, () => {
    const world = worldOf(standard);
    for (let index = 0; index < warmupOf(standard.features); index++) advance(world.indicators, world.evidence, standard, history, index);
    return world;
  });
}

interface Lived {
  readonly opinion: Opinion;
  readonly reasons: Reasons;
  /** What was held when it was asked. */
  readonly sideBefore: Side;
}

interface World {
  readonly indicators: Readonly<Record<string, AnyIndicator>>;
  readonly evidence: Evidence & { at: number; bars: BarView[]; sleeve: OwnSleeve };
}

function warmupOf(features: FeatureSpecs): number {
  return Math.max(1, ...Object.values(features).map(({ warmup }) => warmup));
}

function worldOf(asked: Forecaster): World {
  const indicators = Object.fromEntries(Object.entries(asked.features).map(([feature, spec]) => [feature, spec.create()]));
  const sleeve: OwnSleeve = { side: 0, stance: 0, entryPrice: NaN, heldSince: 0 };
  return { indicators, evidence: { at: 0, bars: [], features: indicators, sleeve } };
}

/** Feeds every feature the bars of its leg. Higher timeframes get the same bars: what a strategy does with a feature is tested, not the board. */
function advance(
  indicators: World['indicators'],
  evidence: World['evidence'],
  asked: Forecaster,
  legs: readonly BarColumns[],
  index: number,
): void {
  const bars = legs.map((columns) => barAt(columns, index));
  for (const [feature, indicator] of Object.entries(indicators)) {
    const spec = asked.features[feature];
    if (spec === undefined || isJoint(spec)) {
      (indicator as JointIndicator).update(bars);
      continue;
    }
    const bar = bars[spec.leg ?? 0];
    assert.ok(bar !== undefined, `${feature} is on a leg of the subject`);
    if (isOnBooks(spec)) (indicator as BookIndicator).update(bookOf(bar));
    else if (isOnFunding(spec)) (indicator as FundingIndicator).update(fundingOf(bar));
    else (indicator as Indicator).update(bar);
  }
  evidence.bars = bars;
  evidence.at = bars[0]?.at ?? NaN;
}

/** A book and a rate of each bar, so that what lives on them is fed, and has a future that can be varied. */
function bookOf({ at, open, high, low, close, volume }: BarView): BookEvent {
  const imbalance = high > low ? (close - open) / (high - low) : 0;
  const touch = { bidPrice: close * 0.9999, bidQuantity: volume * (1.1 + imbalance), askPrice: close * 1.0001 };
  return {
    kind: 'book.changed',
    at,
    happenedAt: at,
    instrument: 0,
    ...touch,
    askQuantity: volume * (1.1 - imbalance),
    imbalance,
    warmup: false,
  };
}

function fundingOf({ at, open, close }: BarView): FundingAnnounced {
  return {
    kind: 'funding.announced',
    at,
    happenedAt: at,
    instrument: 0,
    rate: (close / open - 1) / 10,
    settlesAt: at + 8 * HOUR_MS,
    warmup: false,
  };
}

/** The strategy alone in the world: what it wants it holds at the next bar. */
function live(asked: Forecaster, legs: readonly BarColumns[]): Lived[] {
  const { indicators, evidence } = worldOf(asked);
  const length = Math.min(...legs.map(({ close }) => close.length));
  return Array.from({ length }, (_, index) => {
    advance(indicators, evidence, asked, legs, index);
    const lived = { opinion: asked.opine(evidence), reasons: asked.explain(evidence), sideBefore: evidence.sleeve.side };
    if (lived.opinion.kind === 'forecast') evidence.sleeve = held(lived.opinion.stance, evidence);
    return lived;
  });
}

function held(stance: number, { at, bars, sleeve }: World['evidence']): OwnSleeve {
  const side = stance > 0 ? 1 : stance < 0 ? -1 : 0;
  if (side === sleeve.side) return sleeve;
  return { side, stance, entryPrice: side === 0 ? NaN : (bars[0]?.close ?? NaN), heldSince: at };
}

/** Evidence whose features show anything at all. The shape depends on the parameters, so these come later. */
function wildEvidence(strategy: Strategy<unknown>, bind: (chosen: unknown) => Forecaster): fc.Arbitrary<(chosen: unknown) => Evidence> {
  return fc
    .record({
      shown: fc.array(wildNumber, { minLength: 40, maxLength: 40 }),
      prices: fc.array(wildNumber, { minLength: 12, maxLength: 12 }),
      sleeve: anySleeve,
    })
    .map(({ shown, prices, sleeve }) => (chosen) => {
      const { indicators, evidence } = worldOf(bind(chosen));
      let next = 0;
      for (const indicator of Object.values(indicators)) {
        for (const output of outputsOf(indicator)) pretend(indicator, output, shown[next++ % shown.length] ?? NaN);
      }
      const price = (place: number): number => prices[place % prices.length] ?? NaN;
      const bars = Array.from({ length: legRange(strategy).least }, (_, leg) => ({
        at: HOUR_MS,
        open: price(5 * leg),
        high: price(5 * leg + 1),
        low: price(5 * leg + 2),
        close: price(5 * leg + 3),
        volume: price(5 * leg + 4),
      }));
      return { ...evidence, at: HOUR_MS, bars, sleeve };
    });
}

function numbersOf({ at, bars, features, sleeve }: Evidence): unknown {
  const shown = Object.values(features).map((indicator) =>
    outputsOf(indicator).map((field) => [field, Reflect.get(indicator, field) as number]),
  );
  return structuredClone({ at, bars, sleeve, features: shown });
}

function holdsBounds(opinion: Opinion): void {
  if (opinion.kind === 'abstention') {
    assert.notEqual(opinion.because, '');
    return;
  }
  const { stance, confidence, protection = {}, expectedReturn = 0, horizonMs = 1 } = opinion;
  const { stopRatio = 0.5, targetRatio = 1, trailR = 1, trailRatio = 0.5 } = protection;
  assert.ok(stance >= -1 && stance <= 1, `stance ${stance}`);
  assert.ok(confidence >= 0 && confidence <= 1, `confidence ${confidence}`);
  assert.ok(stopRatio > 0 && stopRatio < 1, `stopRatio ${stopRatio}`);
  assert.ok(targetRatio > 0 && Number.isFinite(targetRatio), `targetRatio ${targetRatio}`);
  assert.ok(trailR > 0 && Number.isFinite(trailR), `trailR ${trailR}`);
  assert.ok(trailRatio > 0 && trailRatio < 1, `trailRatio ${trailRatio}`);
  assert.ok(Number.isFinite(expectedReturn), `expectedReturn ${expectedReturn}`);
  assert.ok(horizonMs > 0 && Number.isFinite(horizonMs), `horizonMs ${horizonMs}`);
}

function holdsReasons({ because, numbers }: Reasons): void {
  assert.ok(because.length > 10, 'the words say something');
  assert.doesNotMatch(because, /NaN|undefined|Infinity|\[object/);
  for (const [number, value] of Object.entries(numbers)) assert.ok(Number.isFinite(value), `${number} is ${value}`);
}

function shapeOf(opinion: Opinion): string {
  return JSON.stringify(opinion, (_, value: unknown) => (typeof value === 'number' ? 0 : value));
}

/** Makes an indicator show a number that it has not computed, whether it keeps its numbers or derives them. */
function pretend(indicator: object, name: string, value: number): void {
  Object.defineProperty(indicator, name, { value, configurable: true, enumerable: true, writable: true });
}
