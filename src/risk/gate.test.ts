import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Decision, RiskRule } from '../domain/decision.ts';
import { emptyReview, review } from './gate.ts';
import { defaultRiskPolicy, type RiskPolicy } from './policy.ts';
import { defaultRules } from './rules/default-rules.ts';
import {
  assertOnlyShrunk,
  assertSameWeights,
  calmMarket,
  decisionOf,
  freshTarget,
  INSTRUMENTS,
  quietAccount,
  riskRuleContract,
  situations,
  standingTarget,
} from './risk-rule.contract.ts';

const policy = defaultRiskPolicy;
const rules = defaultRules(policy);

/** Names of the rules are compared here once, so that one that is dropped or moved is noticed. */
test('halts come first, then what may not increase, then limits from sleeve to portfolio, then halving', () => {
  assert.deepEqual(
    rules.map((rule) => rule.name),
    [
      'halted',
      'drawdown-halt',
      'finite-numbers',
      'daily-pause',
      'stale-data',
      'anti-knife',
      'minimum-edge',
      'maximum-positions',
      'risk-per-trade',
      'position-limit',
      'heat',
      'leverage',
      'drawdown-halve',
    ],
  );
});

rules.forEach((_, index) => riskRuleContract(() => defaultRules(policy)[index] as RiskRule));

test('all rules together never make a leg grow and keep proportions', () => {
  fc.assert(
    fc.property(situations, ({ decision, market, account }) => {
      assertOnlyShrunk(decision, review(decision, market, account, rules).approved);
    }),
    { numRuns: 1000 },
  );
});

test('what was approved is approved again as it is', () => {
  fc.assert(
    fc.property(situations, ({ decision, market, account }) => {
      const { approved } = review(decision, market, account, rules);
      assertSameWeights(approved, review(approved, market, account, rules).approved);
    }),
    { numRuns: 1000 },
  );
});

test('the scales of a review are what it left of each target', () => {
  fc.assert(
    fc.property(situations, ({ decision, market, account }) => {
      const { approved, scales } = review(decision, market, account, rules);
      decision.targets.forEach((target, position) => {
        target.weights.forEach((weight, leg) => {
          const left = approved.targets[position]?.weights[leg] ?? NaN;
          assert.ok(Math.abs(left - weight * (scales[position] ?? 1)) <= 1e-12);
        });
      });
    }),
  );
});

/** Recomputed from the weights alone: a limit holds, or nothing in it has grown beyond what is held and it is within the tolerance. */
function assertWithin(limit: number, approved: Decision, measure: (position: number) => number, name: string): void {
  let sum = 0;
  let grown = false;
  approved.targets.forEach((target, position) => {
    sum += measure(position);
    if (!target.fresh || measure(position) === 0) return;
    grown ||= target.weights.some((weight, leg) => {
      const held = target.heldWeights[leg] ?? 0;
      return weight !== 0 && (weight * held < 0 || Math.abs(weight) > Math.abs(held) * (1 + 1e-8));
    });
  });
  const bound = grown ? limit : limit * policy.standingToleranceRatio;
  assert.ok(sum <= bound * (1 + 1e-12) + 1e-12, `${name} was ${sum}, expected at most ${bound}`);
}

test('after a review no limit is exceeded, and what only stands not by more than the tolerance', () => {
  fc.assert(
    fc.property(situations, ({ decision, market, account }) => {
      const { approved } = review(decision, market, account, rules);
      const gross = approved.targets.map((target) => target.weights.reduce((sum, weight) => sum + Math.abs(weight), 0));
      // A stop on the spread is a ratio of the first leg.
      const risk = approved.targets.map(({ stopRatio, weights }, position) =>
        stopRatio > 0 ? Math.abs(weights[0] ?? 0) * stopRatio : (gross[position] ?? 0),
      );
      assertWithin(policy.leverageRatio, approved, (position) => gross[position] ?? 0, 'leverage');
      assertWithin(policy.heatRatio, approved, (position) => risk[position] ?? 0, 'heat');
      approved.targets.forEach((target, position) => {
        assertWithin(policy.riskPerTradeRatio, decisionOf([target]), () => risk[position] ?? 0, 'risk per trade');
      });
      for (let instrument = 0; instrument < INSTRUMENTS; instrument++) {
        const inInstrument = (position: number): number => {
          const target = approved.targets[position];
          return (
            target?.weights.reduce((sum, weight, leg) => sum + (target.instruments[leg] === instrument ? Math.abs(weight) : 0), 0) ?? 0
          );
        };
        assertWithin(policy.positionRatio, approved, inInstrument, `position in ${instrument}`);
      }
      const positions = approved.targets.filter((_, position) => (gross[position] ?? 0) > 0).length;
      assert.ok(positions <= policy.maximumPositions * policy.standingToleranceRatio, `${positions} positions`);
      if (account.halted || account.drawdownRatio >= policy.drawdownHaltRatio) assert.equal(positions, 0);
    }),
    { numRuns: 2000 },
  );
});

test('while paused no leg is larger than it is held, nor on another side', () => {
  fc.assert(
    fc.property(situations, ({ decision, market, account }) => {
      const { approved } = review(decision, market, { ...account, paused: true }, rules);
      for (const target of approved.targets) {
        target.weights.forEach((weight, leg) => {
          const held = target.heldWeights[leg] ?? 0;
          assert.ok(weight * held >= 0 && Math.abs(weight) <= Math.abs(held) * (1 + 1e-8) + 1e-15, `${weight} of ${held}`);
        });
      }
    }),
  );
});

test('a decision that passes is approved as the same object and leaves the empty rulings in place', () => {
  const decision = decisionOf([freshTarget([0.1]), standingTarget([-0.2], { instruments: [1] })]);
  const into = emptyReview();
  const { rulings, scales } = into;
  assert.equal(review(decision, calmMarket(), quietAccount(), rules, into), into);
  assert.equal(into.approved, decision);
  assert.equal(into.rulings, rulings);
  assert.equal(into.scales, scales);
});

test('a review that is reused forgets the one before', () => {
  const into = emptyReview();
  review(decisionOf([freshTarget([1])]), calmMarket(), quietAccount(), rules, into);
  assert.deepEqual(into.scales, [0.25]);
  review(decisionOf([freshTarget([0.1])]), calmMarket(), quietAccount(), rules, into);
  assert.deepEqual([into.rulings, into.scales], [[], []]);
});

test('a clamp is recorded with its rule, its words and its scales', () => {
  const { approved, rulings } = review(
    decisionOf([freshTarget([0.5]), freshTarget([0.1], { instruments: [1] })]),
    calmMarket(),
    quietAccount(),
    defaultRules(policy, ['BTC/USDT', 'ETH/USDT']),
  );
  assert.deepEqual(rulings, [
    {
      rule: 'position-limit',
      kind: 'clamp',
      why: 'the sleeves in BTC/USDT would be 50.00 % of equity, the limit is 25.00 %',
      scales: [0.5, 1],
    },
  ]);
  assert.deepEqual(approved.targets[0]?.weights, [0.25]);
});

test('a target carries the names of all rules that have scaled it', () => {
  const rule = (name: string): RiskRule => ({ name, review: () => ({ kind: 'clamp', rule: name, why: '', scales: [0.5, 1] }) });
  const targets = [freshTarget([0.4]), freshTarget([0.1])];
  const { approved } = review(decisionOf(targets), calmMarket(), quietAccount(), [rule('first'), rule('second')]);
  assert.deepEqual(approved.targets, [{ ...targets[0], weights: [0.1], clampedBy: ['first', 'second'] }, targets[1]]);
});

test('a halt is reported and nothing after it is asked', () => {
  const never: RiskRule = { name: 'never', review: () => assert.fail('asked after a halt') };
  const account = quietAccount({ drawdownRatio: 0.25 });
  const decision = decisionOf([standingTarget([0.2]), freshTarget([-0.1, 0.1])]);
  const { approved, rulings, scales } = review(decision, calmMarket(), account, [...rules.slice(0, 2), never]);
  assert.deepEqual(
    rulings.map(({ rule, kind, scales: noted }) => ({ rule, kind, noted })),
    [{ rule: 'drawdown-halt', kind: 'halt', noted: [] }],
  );
  assert.deepEqual(scales, [0, 0]);
  assert.deepEqual(
    approved.targets.map((target) => target.weights),
    [[0], [0, 0]],
  );
});

test('a rule that would make a target grow stops the machine', () => {
  const greedy: RiskRule = { name: 'greedy', review: () => ({ kind: 'clamp', rule: 'greedy', why: '', scales: [1.5] }) };
  const short: RiskRule = { name: 'short', review: () => ({ kind: 'clamp', rule: 'short', why: '', scales: [] }) };
  const decision = decisionOf([freshTarget([0.1])]);
  assert.throws(() => review(decision, calmMarket(), quietAccount(), [greedy]), /rule greedy gave scale 1.5, expected 0 to 1/);
  assert.throws(
    () => review(decision, calmMarket(), quietAccount(), [short]),
    /rule short gave 0 scales, expected one for each of 1 targets/,
  );
});

test('a policy without limits passes everything', () => {
  const unlimited: RiskPolicy = {
    ...policy,
    riskPerTradeRatio: Infinity,
    positionRatio: Infinity,
    heatRatio: Infinity,
    leverageRatio: Infinity,
    maximumPositions: Infinity,
  };
  const decision = decisionOf(Array.from({ length: 30 }, () => freshTarget([3])));
  assert.equal(review(decision, calmMarket(), quietAccount(), defaultRules(unlimited)).approved, decision);
});
