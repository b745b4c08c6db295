// What every rule of gate one must keep, whoever wrote it, and the random portfolios it is shown on.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AccountView, Decision, MarketView, RiskRule, Target } from '../domain/decision.ts';
import { apply } from './gate.ts';

export const INSTRUMENTS = 4;

export interface Situation {
  readonly decision: Decision;
  readonly market: MarketView;
  readonly account: AccountView;
}

/** Every price known, fresh and calm. */
export function calmMarket(change: Partial<MarketView> = {}, instruments = INSTRUMENTS): MarketView {
  return {
    at: 0,
    mark: new Float64Array(instruments).fill(100),
    barAt: new Float64Array(instruments),
    stale: new Uint8Array(instruments),
    percentB: new Float64Array(instruments).fill(0.5),
    volatilityRatio: new Float64Array(instruments).fill(1),
    atrRatio: new Float64Array(instruments).fill(0.01),
    volatility: new Float64Array(instruments).fill(0.5),
    ...change,
  };
}

/** At its peak, and nothing is latched. */
export function quietAccount(change: Partial<AccountView> = {}): AccountView {
  return {
    equity: 10_000,
    peakEquity: 10_000,
    dayStartEquity: 10_000,
    drawdownRatio: 0,
    dayLossRatio: 0,
    halted: false,
    paused: false,
    ...change,
  };
}

export function decisionOf(targets: readonly Target[]): Decision {
  return { id: 1, at: 0, targets };
}

/** A fresh target that was flat, in as many instruments as it has weights. */
export function freshTarget(weights: readonly number[], change: Partial<Target> = {}): Target {
  return {
    sleeve: 0,
    fresh: true,
    weights,
    heldWeights: weights.map(() => 0),
    instruments: weights.map((_, leg) => leg),
    stopRatio: 0.03,
    expectedReturn: NaN,
    roundTripCostRatio: 0.002,
    ...change,
  };
}

/** A target that stands as it is held. */
export function standingTarget(weights: readonly number[], change: Partial<Target> = {}): Target {
  return freshTarget(weights, { fresh: false, heldWeights: weights, ...change });
}

const side = fc.constantFrom(-1, 1);
const size = fc.oneof(fc.constant(0), fc.double({ min: 0.0001, max: 1, noNaN: true }));
/** How much of what is asked is held: nothing, a part, all, more, the other side. */
const heldShare = fc.oneof(fc.constantFrom(0, 1, -1), fc.double({ min: -2, max: 3, noNaN: true }));
const stop = fc.oneof(
  { weight: 9, arbitrary: fc.double({ min: 0.002, max: 0.3, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, 0) },
);

/** What a forecast expects, and what the round trip costs: nothing said, nothing known, either side of every multiple. */
const edge = fc.record({
  expectedReturn: fc.oneof(fc.constantFrom(NaN, 0), fc.double({ min: -0.05, max: 0.05, noNaN: true })),
  roundTripCostRatio: fc.oneof(fc.constant(NaN), fc.double({ min: 0, max: 0.02, noNaN: true })),
});

const single: fc.Arbitrary<Omit<Target, 'sleeve'>> = fc
  .record({ fresh: fc.boolean(), side, size, share: heldShare, instrument: fc.nat(INSTRUMENTS - 1), stopRatio: stop, edge })
  .map((drawn) => ({
    fresh: drawn.fresh,
    weights: [drawn.side * drawn.size],
    heldWeights: [drawn.side * drawn.size * drawn.share],
    instruments: [drawn.instrument],
    stopRatio: drawn.stopRatio,
    ...drawn.edge,
  }));

const pair: fc.Arbitrary<Omit<Target, 'sleeve'>> = fc
  .record({
    fresh: fc.boolean(),
    side,
    size,
    hedge: fc.double({ min: 0.1, max: 2, noNaN: true }),
    shares: fc.tuple(heldShare, heldShare),
    instrument: fc.nat(INSTRUMENTS - 2),
    stopRatio: stop,
    edge,
  })
  .map((drawn) => {
    const weights = [drawn.side * drawn.size, -drawn.side * drawn.size * drawn.hedge];
    return {
      fresh: drawn.fresh,
      weights,
      heldWeights: weights.map((weight, leg) => weight * (drawn.shares[leg] ?? 0)),
      instruments: [drawn.instrument, drawn.instrument + 1],
      stopRatio: drawn.stopRatio,
      ...drawn.edge,
    };
  });

const column = (value: fc.Arbitrary<number>): fc.Arbitrary<Float64Array> =>
  fc.array(value, { minLength: INSTRUMENTS, maxLength: INSTRUMENTS }).map((values) => Float64Array.from(values));
const often = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

/** Portfolios of single sleeves and pairs, standing and fresh, in every kind of trouble. */
export const situations: fc.Arbitrary<Situation> = fc
  .record({
    targets: fc.array(fc.oneof({ weight: 2, arbitrary: single }, { weight: 1, arbitrary: pair }), { maxLength: 14 }),
    mark: column(often(100, fc.constant(NaN))),
    stale: column(often(0, fc.constant(1))),
    percentB: column(fc.oneof(fc.constant(NaN), fc.double({ min: -0.5, max: 1.5, noNaN: true }))),
    volatilityRatio: column(fc.oneof(fc.constant(NaN), fc.double({ min: 0.5, max: 4, noNaN: true }))),
    drawdownRatio: often(0, fc.double({ min: 0, max: 0.4, noNaN: true })),
    dayLossRatio: often(0, fc.double({ min: 0, max: 0.1, noNaN: true })),
    halted: often(false, fc.boolean()),
    paused: often(false, fc.boolean()),
  })
  .map(({ targets, mark, stale, percentB, volatilityRatio, ...account }) => ({
    decision: decisionOf(targets.map((target, sleeve) => ({ ...target, sleeve }))),
    market: calmMarket({ mark, stale: Uint8Array.from(stale), percentB, volatilityRatio }),
    account: quietAccount(account),
  }));

/** Every leg of every target became the same part of what it was, and no more than it was. */
export function assertOnlyShrunk(before: Decision, after: Decision): void {
  assert.equal(after.targets.length, before.targets.length, 'a decision names every sleeve');
  before.targets.forEach((target, position) => {
    const changed = after.targets[position];
    assert.ok(changed !== undefined);
    assert.deepEqual({ ...changed, weights: [], clampedBy: [] }, { ...target, weights: [], clampedBy: [] }, 'only weights may change');
    const scales = target.weights.flatMap((weight, leg) => {
      const left = changed.weights[leg] ?? NaN;
      assert.ok(Math.abs(left) <= Math.abs(weight), `leg ${leg} of target ${position} grew from ${weight} to ${left}`);
      return weight === 0 ? [] : [left / weight];
    });
    for (const scale of scales) {
      assert.ok(scale >= 0, `a leg of target ${position} changed its side`);
      assert.ok(Math.abs(scale - (scales[0] ?? 0)) <= 1e-12, `legs of target ${position} were scaled by ${scales.join(' and ')}`);
    }
  });
}

/** Registers the tests that every rule must pass. */
export function riskRuleContract(makeRule: () => RiskRule): void {
  const { name } = makeRule();

  void test(`${name} never makes a leg grow and keeps a pair's proportions`, () => {
    const rule = makeRule();
    fc.assert(
      fc.property(situations, ({ decision, market, account }) => {
        assertOnlyShrunk(decision, apply(decision, rule.review(decision, market, account)));
      }),
    );
  });

  void test(`${name} has nothing to say of what it left`, () => {
    const rule = makeRule();
    fc.assert(
      fc.property(situations, ({ decision, market, account }) => {
        const once = apply(decision, rule.review(decision, market, account));
        assertSameWeights(once, apply(once, rule.review(once, market, account)));
      }),
    );
  });

  void test(`${name} says the same of the same, and names itself`, () => {
    const rule = makeRule();
    fc.assert(
      fc.property(situations, ({ decision, market, account }) => {
        const ruling = rule.review(decision, market, account);
        assert.deepEqual(makeRule().review(decision, market, account), ruling);
        if (ruling.kind !== 'pass') assert.equal(ruling.rule, name);
      }),
    );
  });
}

/** To the last digit that a lot could ever show. */
export function assertSameWeights(expected: Decision, actual: Decision): void {
  expected.targets.forEach((target, position) => {
    target.weights.forEach((weight, leg) => {
      const found = actual.targets[position]?.weights[leg] ?? NaN;
      assert.ok(Math.abs(found - weight) <= 1e-12, `leg ${leg} of target ${position} was ${found}, expected ${weight}`);
    });
  });
}
