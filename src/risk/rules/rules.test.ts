import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AccountView, MarketView, RiskRule, Target } from '../../domain/decision.ts';
import { apply, review } from '../gate.ts';
import { defaultRiskPolicy } from '../policy.ts';
import { calmMarket, decisionOf, freshTarget, quietAccount, situations, standingTarget } from '../risk-rule.contract.ts';
import { requestedWeight, stopDistance } from '../sizing.ts';
import { antiKnife } from './anti-knife.ts';
import { dailyPause } from './daily-pause.ts';
import { defaultRules } from './default-rules.ts';
import { drawdownHalt } from './drawdown-halt.ts';
import { drawdownHalve } from './drawdown-halve.ts';
import { finiteNumbers } from './finite-numbers.ts';
import { halted } from './halted.ts';
import { heat } from './heat.ts';
import { leverage } from './leverage.ts';
import { maximumPositions } from './maximum-positions.ts';
import { minimumEdge } from './minimum-edge.ts';
import { positionLimit } from './position-limit.ts';
import { riskPerTrade } from './risk-per-trade.ts';
import { staleData } from './stale-data.ts';

const policy = defaultRiskPolicy;

/** Weights that a rule leaves, rounded where only rounding differs. */
function left(
  rule: RiskRule,
  targets: readonly Target[],
  account: AccountView = quietAccount(),
  market: MarketView = calmMarket(),
): number[][] {
  const decision = decisionOf(targets);
  return apply(decision, rule.review(decision, market, account)).targets.map((target) =>
    target.weights.map((weight) => Math.round(weight * 1e12) / 1e12),
  );
}
function passes(
  rule: RiskRule,
  targets: readonly Target[],
  account: AccountView = quietAccount(),
  market: MarketView = calmMarket(),
): boolean {
  return rule.review(decisionOf(targets), market, account).kind === 'pass';
}
/** As many targets of one weight as asked, each in an instrument of its own. */
function many(count: number, weight: number, change: Partial<Target> = {}): Target[] {
  return Array.from({ length: count }, (_, sleeve) => freshTarget([weight], { sleeve, instruments: [sleeve], ...change }));
}

// How the limits interlock: the arithmetic of CAPABILITIES section 1.

test('2 % risk with a 3 % stop asks for 67 % of equity, the 25 % limit binds, and such a trade really risks 0.75 %', () => {
  const stopRatio = stopDistance(policy, 0.02);
  assert.equal(stopRatio, 0.03);
  const asked = requestedWeight('risk', policy, { stance: 1, shareRatio: 1, stopRatio, targetRatio: NaN, volatility: NaN, confidence: 1 });
  assert.ok(Math.abs(asked - 2 / 3) < 1e-12);
  const { approved, rulings } = review(
    decisionOf([freshTarget([asked], { stopRatio })]),
    calmMarket(),
    quietAccount(),
    defaultRules(policy),
  );
  assert.deepEqual(
    rulings.map((ruling) => ruling.rule),
    ['position-limit'],
  );
  const weight = approved.targets[0]?.weights[0] ?? NaN;
  assert.ok(Math.abs(weight - 0.25) < 1e-12);
  assert.ok(Math.abs(weight * stopRatio - 0.0075) < 1e-12);
});

test('with a stop of exactly 8 % the two limits meet, and with a wider one the 2 % rule binds', () => {
  assert.ok(passes(riskPerTrade(policy), [freshTarget([0.25], { stopRatio: 0.08 })]));
  assert.deepEqual(left(riskPerTrade(policy), [freshTarget([0.25], { stopRatio: 0.1 })]), [[0.2]]);
  const { approved, rulings } = review(
    decisionOf([freshTarget([0.3], { stopRatio: 0.1 })]),
    calmMarket(),
    quietAccount(),
    defaultRules(policy),
  );
  assert.deepEqual(
    rulings.map((ruling) => ruling.rule),
    ['risk-per-trade'],
  );
  assert.ok(Math.abs((approved.targets[0]?.weights[0] ?? NaN) - 0.2) < 1e-12);
});

test('heat of 6 % allows three trades of 2 % each, and no fourth', () => {
  const trade = { stopRatio: 0.1 };
  assert.ok(passes(heat(policy), many(3, 0.2, trade)));
  assert.deepEqual(left(heat(policy), many(4, 0.2, trade)), [[0.15], [0.15], [0.15], [0.15]]);
});

test('heat of 6 % allows eight trades of 0.75 % each, and no ninth', () => {
  assert.ok(passes(heat(policy), many(8, 0.25)));
  assert.ok(!passes(heat(policy), many(9, 0.25)));
});

test('ten positions of 25 % would be 250 % gross, so ten are reachable only with smaller ones', () => {
  assert.deepEqual(left(leverage(policy), many(10, 0.25)), Array(10).fill([0.2]));
  assert.ok(passes(leverage(policy), many(8, 0.25)));
  assert.ok(passes(maximumPositions(policy), many(10, 0.2)));
});

test('a hard halt is asked before any clamp', () => {
  const { rulings } = review(
    decisionOf(many(4, 5)),
    calmMarket(),
    quietAccount({ drawdownRatio: 0.3, paused: true }),
    defaultRules(policy),
  );
  assert.deepEqual(
    rulings.map((ruling) => ruling.rule),
    ['drawdown-halt'],
  );
});

test('the tightest limit wins, whichever it is', () => {
  const weights = (stopRatio: number, count: number): number =>
    review(decisionOf(many(count, 1, { stopRatio })), calmMarket({}, 10), quietAccount(), defaultRules(policy)).approved.targets[0]
      ?.weights[0] ?? NaN;
  assert.ok(Math.abs(weights(0.03, 1) - 0.25) < 1e-12, 'position');
  assert.ok(Math.abs(weights(0.2, 1) - 0.1) < 1e-12, 'risk per trade');
  assert.ok(Math.abs(weights(0.08, 10) - 0.075) < 1e-12, 'heat');
  assert.ok(Math.abs(weights(0.001, 10) - 0.2) < 1e-12, 'leverage');
});

// Halts.

test('under a latched halt every target becomes zero, and once they are, nothing more is said', () => {
  const account = quietAccount({ halted: true });
  assert.deepEqual(left(halted(), [standingTarget([0.2]), standingTarget([0.1, -0.1])], account), [[0], [0, 0]]);
  assert.ok(passes(halted(), [standingTarget([0]), standingTarget([0, 0])], account));
  assert.ok(passes(halted(), [standingTarget([0.2])]));
});

test('a drawdown of 25 % halts, a smaller one does not, and an unknown one does', () => {
  const ruling = drawdownHalt(policy).review(decisionOf([]), calmMarket(), quietAccount({ drawdownRatio: 0.25 }));
  assert.deepEqual(ruling, { kind: 'halt', rule: 'drawdown-halt', why: 'equity is 25.00 % below its peak, the halt is at 25.00 %' });
  assert.ok(passes(drawdownHalt(policy), [], quietAccount({ drawdownRatio: 0.2499 })));
  assert.ok(!passes(drawdownHalt(policy), [], quietAccount({ drawdownRatio: NaN })));
});

test('once the halt is latched the drawdown is not reported again', () => {
  assert.ok(passes(drawdownHalt(policy), [], quietAccount({ drawdownRatio: 0.3, halted: true })));
});

test('a weight that is no number stops the machine and says whose it is', () => {
  assert.throws(() => passes(finiteNumbers(), [freshTarget([0.1, NaN], { sleeve: 7 })]), /leg 1 of sleeve 7 wants NaN and holds 0/);
  assert.throws(() => passes(finiteNumbers(), [freshTarget([0.1], { heldWeights: [Infinity] })]), /holds Infinity/);
  assert.ok(passes(finiteNumbers(), [freshTarget([0.1])]));
});

// What may not increase.

test('after the day has lost 5 % a fresh target keeps what is held when it asks for more on the same side', () => {
  const account = quietAccount({ dayLossRatio: 0.05 });
  assert.deepEqual(left(dailyPause(policy), [freshTarget([0.2], { heldWeights: [0.1] })], account), [[0.1]]);
});

test('while paused a fresh target that reduces is left exactly as it asks', () => {
  const account = quietAccount({ paused: true });
  assert.ok(passes(dailyPause(policy), [freshTarget([0.05], { heldWeights: [0.1] }), freshTarget([0], { heldWeights: [0.1] })], account));
});

test('while paused a flip closes and does not open the other side', () => {
  assert.deepEqual(left(dailyPause(policy), [freshTarget([-0.2], { heldWeights: [0.1] })], quietAccount({ paused: true })), [[0]]);
});

test('while paused a pair follows its leg that is held least', () => {
  const pair = freshTarget([0.2, -0.2], { heldWeights: [0.1, -0.05] });
  assert.deepEqual(left(dailyPause(policy), [pair], quietAccount({ paused: true })), [[0.05, -0.05]]);
});

test('while paused an order that is not filled yet is not pursued', () => {
  const target = standingTarget([0.2], { heldWeights: [0.05] });
  assert.deepEqual(left(dailyPause(policy), [target], quietAccount({ paused: true })), [[0.05]]);
});

test('while paused what stands as it is held is not touched for a rounding error', () => {
  const target = standingTarget([0.2], { heldWeights: [0.2 * (1 - 1e-12)] });
  assert.ok(passes(dailyPause(policy), [target], quietAccount({ paused: true })));
});

test('a loss of less than 5 % does not pause', () => {
  assert.ok(passes(dailyPause(policy), [freshTarget([0.2])], quietAccount({ dayLossRatio: 0.0499 })));
});

test('nothing increases in a stale instrument, and the others go on', () => {
  const market = calmMarket({ stale: Uint8Array.of(0, 1, 0, 0) });
  const targets = [
    freshTarget([0.1]),
    freshTarget([0.1], { instruments: [1] }),
    freshTarget([0.1], { instruments: [1], heldWeights: [0.3] }),
  ];
  assert.deepEqual(left(staleData(), targets, quietAccount(), market), [[0.1], [0], [0.1]]);
});

test('a pair with one stale leg is held back whole', () => {
  const market = calmMarket({ stale: Uint8Array.of(0, 1, 0, 0) });
  assert.deepEqual(left(staleData(), [freshTarget([0.1, -0.1])], quietAccount(), market), [[0, 0]]);
});

test('an instrument without a known price counts as stale', () => {
  for (const mark of [NaN, 0, -5]) {
    assert.deepEqual(left(staleData(), [freshTarget([0.1])], quietAccount(), calmMarket({ mark: Float64Array.of(mark) })), [[0]]);
  }
  assert.deepEqual(left(staleData(), [freshTarget([0.1], { instruments: [9] })]), [[0]]);
});

const waterfall = calmMarket({ percentB: Float64Array.of(-0.1, 0.5), volatilityRatio: Float64Array.of(2.5, 2.5) });

test('nothing is bought into a waterfall', () => {
  assert.deepEqual(left(antiKnife(policy), [freshTarget([0.2])], quietAccount(), waterfall), [[0]]);
  assert.deepEqual(left(antiKnife(policy), [freshTarget([0.2], { heldWeights: [0.1] })], quietAccount(), waterfall), [[0.1]]);
});

test('in a waterfall shorts may open and be covered, longs may be reduced, and others may buy', () => {
  const targets = [
    freshTarget([-0.2]),
    freshTarget([0], { heldWeights: [-0.2] }),
    freshTarget([-0.1], { heldWeights: [-0.2] }),
    freshTarget([0.1], { heldWeights: [0.2] }),
    freshTarget([0.2], { instruments: [1] }),
  ];
  assert.ok(passes(antiKnife(policy), targets, quietAccount(), waterfall));
});

test('in a waterfall a short that turns long only closes', () => {
  assert.deepEqual(left(antiKnife(policy), [freshTarget([0.2], { heldWeights: [-0.1] })], quietAccount(), waterfall), [[0]]);
});

test('a pair that would buy its falling leg waits whole, the opposite pair goes on', () => {
  assert.deepEqual(left(antiKnife(policy), [freshTarget([0.2, -0.2]), freshTarget([-0.2, 0.2])], quietAccount(), waterfall), [
    [0, 0],
    [-0.2, 0.2],
  ]);
});

test('one of the two signs alone is no waterfall, and what is not warm is none', () => {
  for (const [percentB, volatilityRatio] of [
    [-0.1, 1.5],
    [0.2, 3],
    [NaN, 3],
    [-0.1, NaN],
  ] as const) {
    const market = calmMarket({ percentB: Float64Array.of(percentB), volatilityRatio: Float64Array.of(volatilityRatio) });
    assert.ok(passes(antiKnife(policy), [freshTarget([0.2])], quietAccount(), market));
  }
});

// What is not worth its cost.

const edge = { expectedReturn: 0.002, roundTripCostRatio: 0.002 };

test('a trade that its forecast does not expect to pay is not taken, and the ruling says the figures', () => {
  const rule = minimumEdge({ ...policy, edgeMultiple: 1.5 });
  const ruling = rule.review(
    decisionOf([freshTarget([0.1], edge), freshTarget([-0.1], { ...edge, expectedReturn: 0.004 })]),
    calmMarket(),
    quietAccount(),
  );
  assert.deepEqual(ruling, {
    kind: 'clamp',
    rule: 'minimum-edge',
    why: '0.20 % is expected and 0.30 % needed, 1.5 x the 0.20 % of a round trip',
    scales: [0, 1],
  });
});

test('an expected return of exactly the multiple is enough, and a loss is none, however large', () => {
  const rule = minimumEdge({ ...policy, edgeMultiple: 2 });
  for (const weight of [0.1, -0.1]) {
    assert.ok(passes(rule, [freshTarget([weight], { ...edge, expectedReturn: 0.004 })]));
    for (const expectedReturn of [0.003_999, 0, -0.004, -1])
      assert.deepEqual(left(rule, [freshTarget([weight], { ...edge, expectedReturn })]), [[0]]);
  }
  assert.match(minimumEdgeWords(-0.004), /^-0[.]40 % is expected and 0[.]40 % needed/);
});

function minimumEdgeWords(expectedReturn: number): string {
  const decision = decisionOf([freshTarget([0.1], { ...edge, expectedReturn })]);
  const ruling = minimumEdge({ ...policy, edgeMultiple: 2 }).review(decision, calmMarket(), quietAccount());
  return ruling.kind === 'clamp' ? ruling.why : ruling.kind;
}

test('a forecast that names no expected return passes, and so does every one where the multiple is 0', () => {
  assert.ok(passes(minimumEdge(policy), [freshTarget([0.1], { ...edge, expectedReturn: NaN })]));
  assert.ok(passes(minimumEdge({ ...policy, edgeMultiple: 0 }), [freshTarget([0.1], { ...edge, expectedReturn: 0 })]));
});

test('where the cost is not known nothing is expected to be worth it', () => {
  assert.deepEqual(left(minimumEdge(policy), [freshTarget([0.1], { expectedReturn: 1, roundTripCostRatio: NaN })]), [[0]]);
});

test('without edge a target that grows keeps what is held, one that turns closes, and one that reduces is as it asks', () => {
  const targets = [
    freshTarget([0.2], { ...edge, heldWeights: [0.1] }),
    freshTarget([-0.2], { ...edge, heldWeights: [0.1] }),
    freshTarget([0.05], { ...edge, heldWeights: [0.1] }),
    freshTarget([0], { ...edge, heldWeights: [0.1] }),
    freshTarget([0.2, -0.1], { ...edge, heldWeights: [0.1, -0.02] }),
    standingTarget([0.3], edge),
  ];
  assert.deepEqual(left(minimumEdge(policy), targets), [[0.1], [0], [0.05], [0], [0.04, -0.02], [0.3]]);
});

test('a trade without edge takes no place, so that another one may', () => {
  const targets = [freshTarget([0.1], { ...edge, sleeve: 0 }), freshTarget([0.1], { sleeve: 1, instruments: [1] })];
  const { approved } = review(decisionOf(targets), calmMarket(), quietAccount(), defaultRules({ ...policy, maximumPositions: 1 }));
  assert.deepEqual(
    approved.targets.map(({ weights }) => weights),
    [[0], [0.1]],
  );
});

test('the rule of edge never holds anything that reduces, and leaves nothing that grows without enough of it', () => {
  fc.assert(
    fc.property(situations, fc.double({ min: 0, max: 5, noNaN: true }), ({ decision, market, account }, edgeMultiple) => {
      const after = apply(decision, minimumEdge({ ...policy, edgeMultiple }).review(decision, market, account));
      decision.targets.forEach((target, position) => {
        const { weights, heldWeights, expectedReturn, roundTripCostRatio, fresh } = target;
        const given = after.targets[position]?.weights ?? [];
        const reduces = weights.every((weight, leg) => {
          const held = heldWeights[leg] ?? 0;
          return weight === 0 || (Math.sign(weight) === Math.sign(held) && Math.abs(weight) <= Math.abs(held));
        });
        const isBound = fresh && edgeMultiple > 0 && !Number.isNaN(expectedReturn);
        const isEnough = expectedReturn >= edgeMultiple * roundTripCostRatio;
        if (reduces || !isBound || isEnough) return assert.deepEqual(given, weights);
        given.forEach((weight, leg) => {
          const held = heldWeights[leg] ?? 0;
          const isKept = Math.sign(weight) === Math.sign(held) && Math.abs(weight) <= Math.abs(held) * (1 + 1e-8);
          assert.ok(Math.abs(weight) < 1e-12 || isKept, `leg ${leg} grew to ${weight}`);
        });
      });
    }),
    { numRuns: 500 },
  );
});

// Limits.

test('sleeves in one instrument are limited by their gross, whatever their sides', () => {
  assert.deepEqual(left(positionLimit(policy), [freshTarget([0.3]), freshTarget([-0.2])]), [[0.15], [-0.1]]);
});

test('fresh sleeves share the room that standing ones leave', () => {
  const targets = [standingTarget([0.15]), freshTarget([0.1]), freshTarget([-0.3])];
  assert.deepEqual(left(positionLimit(policy), targets), [[0.15], [0.025], [-0.075]]);
});

test('where standing sleeves leave no room a fresh one gets none, and they are not touched', () => {
  assert.deepEqual(left(positionLimit(policy), [standingTarget([0.26]), freshTarget([0.1])]), [[0.26], [0]]);
});

test('standing sleeves are cut only beyond limit x 1.1, and then to the limit', () => {
  assert.ok(passes(positionLimit(policy), [standingTarget([0.275])]));
  assert.deepEqual(left(positionLimit(policy), [standingTarget([0.2]), standingTarget([-0.1])]), [[0.166666666667], [-0.083333333333]]);
});

test('a fresh target that asks for more without room keeps what it holds', () => {
  assert.deepEqual(left(positionLimit(policy), [standingTarget([0.2]), freshTarget([0.2], { heldWeights: [0.06] })]), [[0.2], [0.06]]);
});

test('a fresh target that reduces is left exactly as it asks, also where there is no room', () => {
  assert.ok(passes(positionLimit(policy), [standingTarget([0.2]), freshTarget([0.07], { heldWeights: [0.1] })]));
  assert.ok(passes(positionLimit(policy), [standingTarget([0.27]), freshTarget([0], { heldWeights: [0.1] })]));
});

test('what a fresh target holds on the other side gives it no right to room', () => {
  assert.deepEqual(left(positionLimit(policy), [standingTarget([0.25]), freshTarget([-0.1], { heldWeights: [0.1] })]), [[0.25], [0]]);
});

test('a pair is scaled by the tighter of its instruments and keeps its proportions', () => {
  const targets = [standingTarget([0.2], { instruments: [1] }), freshTarget([0.2, -0.1]), freshTarget([0.1])];
  assert.deepEqual(left(positionLimit(policy), targets), [[0.2], [0.1, -0.05], [0.083333333333]]);
});

test('a leg without weight is not bound by its instrument', () => {
  assert.deepEqual(left(positionLimit(policy), [standingTarget([0.3]), freshTarget([0, 0.1])]), [[0.25], [0, 0.1]]);
});

test('risk per trade binds each sleeve by itself, a pair by its spread', () => {
  const targets = [freshTarget([0.2, -0.2], { stopRatio: 0.2 }), freshTarget([0.1], { stopRatio: 0.2 })];
  assert.deepEqual(left(riskPerTrade(policy), targets), [[0.1, -0.1], [0.1]]);
});

test('a sleeve without a known stop risks all of it', () => {
  for (const stopRatio of [NaN, 0, -1, Infinity]) {
    assert.deepEqual(left(riskPerTrade(policy), [freshTarget([0.1], { stopRatio })]), [[0.02]]);
  }
});

test('a standing sleeve beyond its risk is cut only beyond the tolerance', () => {
  assert.ok(passes(riskPerTrade(policy), [standingTarget([0.21], { stopRatio: 0.1 })]));
  assert.deepEqual(left(riskPerTrade(policy), [standingTarget([0.23], { stopRatio: 0.1 })]), [[0.2]]);
});

test('leverage counts long and short sleeves in full', () => {
  assert.deepEqual(left(leverage(policy), [freshTarget([2]), freshTarget([-2])]), [[1], [-1]]);
});

test('eleven want a position and ten get one, in their order', () => {
  const rule = maximumPositions(policy);
  assert.deepEqual(left(rule, many(11, 0.1)), [...Array<number[]>(10).fill([0.1]), [0]]);
});

test('who has a position keeps its place, also when it flips, and one that closes frees its own', () => {
  const rule = maximumPositions({ ...policy, maximumPositions: 2 });
  const newcomer = freshTarget([0.1]);
  const flipping = freshTarget([-0.1], { heldWeights: [0.1] });
  const closing = freshTarget([0], { heldWeights: [0.1] });
  assert.deepEqual(left(rule, [newcomer, standingTarget([0.1]), flipping]), [[0], [0.1], [-0.1]]);
  assert.ok(passes(rule, [newcomer, standingTarget([0.1]), closing]));
});

test('a standing target whose order is not filled yet has its place', () => {
  const rule = maximumPositions({ ...policy, maximumPositions: 1 });
  assert.deepEqual(left(rule, [freshTarget([0.1]), standingTarget([0.1], { heldWeights: [0] })]), [[0], [0.1]]);
});

test('a pair takes one place', () => {
  const rule = maximumPositions({ ...policy, maximumPositions: 2 });
  assert.ok(passes(rule, [freshTarget([0.1, -0.1]), freshTarget([0.1])]));
});

test('more standing positions than a lowered limit allows are closed only beyond the tolerance', () => {
  const standing = (count: number): Target[] => Array.from({ length: count }, () => standingTarget([0.01]));
  assert.ok(passes(maximumPositions(policy), standing(11)));
  assert.deepEqual(left(maximumPositions(policy), standing(12)), [...Array<number[]>(10).fill([0.01]), [0], [0]]);
});

// Pairs.

test('a pair risks what its spread may lose: its stop is a ratio of the first leg that is traded, not of both', () => {
  const pair = freshTarget([0.2, -0.2], { stopRatio: 0.1 });
  assert.ok(passes(riskPerTrade(policy), [pair]), '2 %, and not 4 %');
  assert.deepEqual(left(riskPerTrade(policy), [freshTarget([0.4, -0.2], { stopRatio: 0.1 })]), [[0.2, -0.1]]);
  assert.deepEqual(left(riskPerTrade(policy), [freshTarget([0, 0.4, -0.1], { stopRatio: 0.1 })]), [[0, 0.2, -0.05]]);
  assert.ok(
    passes(
      heat(policy),
      many(3, 0.2, { stopRatio: 0.1 }).map((target) => ({ ...target, weights: [0.2, -0.2], heldWeights: [0, 0] })),
    ),
  );
  assert.ok(
    !passes(
      heat(policy),
      many(4, 0.2, { stopRatio: 0.1 }).map((target) => ({ ...target, weights: [0.2, -0.2], heldWeights: [0, 0] })),
    ),
  );
  assert.deepEqual(left(heat(policy), [freshTarget([0.2, -0.2], { stopRatio: NaN })]), [[0.03, -0.03]], 'without a stop all of it');
});

test('a pair takes one place, whatever its legs', () => {
  const one = { ...policy, maximumPositions: 1 };
  assert.ok(passes(maximumPositions(one), [freshTarget([0.1, -0.1, 0.1])]));
  assert.deepEqual(left(maximumPositions(one), [freshTarget([0, 0.1, -0.1]), freshTarget([0.1])]), [[0, 0.1, -0.1], [0]]);
});

test('each leg of a pair counts in its own instrument, and a leg that is left out in none', () => {
  assert.deepEqual(left(positionLimit(policy), [freshTarget([0.5, -0.2])]), [[0.25, -0.1]]);
  assert.deepEqual(left(positionLimit(policy), [freshTarget([0, 0.2, -0.2]), freshTarget([0.3])]), [[0, 0.2, -0.2], [0.25]]);
});

// Halving.

test('from 15 % below the peak a fresh target gets half of what the other rules grant, and what stands is left', () => {
  const targets = [freshTarget([2 / 3]), standingTarget([0.2], { instruments: [1] })];
  const weights = (drawdownRatio: number): (readonly number[])[] =>
    review(decisionOf(targets), calmMarket(), quietAccount({ drawdownRatio }), defaultRules(policy)).approved.targets.map(
      (target) => target.weights,
    );
  assert.deepEqual(weights(0.1499), [[0.25], [0.2]]);
  assert.deepEqual(weights(0.15), [[0.125], [0.2]]);
});

test('a target is halved once, however often it is reviewed', () => {
  const account = quietAccount({ drawdownRatio: 0.2 });
  const rules = defaultRules(policy);
  const once = review(decisionOf([freshTarget([0.5])]), calmMarket(), account, rules);
  assert.deepEqual(
    once.rulings.map((ruling) => ruling.rule),
    ['position-limit', 'drawdown-halve'],
  );
  const twice = review(once.approved, calmMarket(), account, rules);
  assert.equal(twice.approved, once.approved);
});

test('a fresh target that closes is not halved', () => {
  assert.ok(passes(drawdownHalve(policy), [freshTarget([0], { heldWeights: [0.1] })], quietAccount({ drawdownRatio: 0.2 })));
});
