import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { defaultRiskPolicy } from './policy.ts';
import { kellyRatio, requestedWeight, stopDistance, type SizingCase, type SizingMethod } from './sizing.ts';

const policy = defaultRiskPolicy;
const base: SizingCase = { stance: 1, shareRatio: 1, stopRatio: 0.04, targetRatio: NaN, volatility: 0.8, confidence: 0.6 };

function weight(method: SizingMethod, change: Partial<SizingCase> = {}): number {
  return requestedWeight(method, policy, { ...base, ...change });
}
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `was ${actual}, expected ${expected}`);
}

test('by risk, the weight is what loses 2 % of equity at the stop', () => near(weight('risk'), 0.5));

test('a fixed fraction asks the same whatever the market', () => near(weight('fixed', { volatility: NaN }), 0.1));

test('by volatility, the weight is the target over what the market moves in a year', () => near(weight('volatility'), 0.25));

test('all-in asks for all of equity', () => near(weight('all-in'), 1));

test('by Kelly, a quarter of the fraction that odds allow is lost at the stop', () => {
  // p = 0.6 and b = 1.5: 0.6 - 0.4 / 1.5 = 1/3; a quarter of it is 1/12 of equity, lost at a 4 % stop.
  near(weight('kelly'), 1 / 12 / 0.04);
});

test('an opinion that names its target sets the payoff of Kelly', () => {
  near(weight('kelly', { targetRatio: 0.08 }), (0.25 * (0.6 - 0.4 / 2)) / 0.04);
});

test('bad odds are no bet, and neither is a probability that is none', () => {
  for (const confidence of [0, 0.3, 0.399, NaN, -1, 1.5]) assert.equal(weight('kelly', { confidence }), 0);
  assert.equal(kellyRatio(0.6, 0), 0);
  assert.equal(kellyRatio(0.6, NaN), 0);
  assert.equal(kellyRatio(1, 2), 1);
});

test('full Kelly over the stop is the weight that maximises the expected logarithm of equity', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      fc.double({ min: 0.3, max: 4, noNaN: true }),
      fc.double({ min: 0.005, max: 0.2, noNaN: true }),
      (winProbability, payoffRatio, stopRatio) => {
        const growth = (size: number): number =>
          winProbability * Math.log1p(size * payoffRatio * stopRatio) + (1 - winProbability) * Math.log1p(-size * stopRatio);
        const best = kellyRatio(winProbability, payoffRatio) / stopRatio;
        for (const other of [best * 0.9, best * 1.1, best + 0.01, Math.max(0, best - 0.01)]) {
          if (other * stopRatio < 1) assert.ok(growth(best) >= growth(other) - 1e-12, `${other} is better than ${best}`);
        }
      },
    ),
  );
});

test('a quarter of Kelly halves equity once in 128 lives, full Kelly in every second', () => {
  // P(ever fall to x) = x^(2 / fraction - 1), the closed form of QUANT B16.
  near(0.5 ** (2 / policy.kellyFraction - 1), 0.0078125);
});

test('every method follows the sign and the size of the stance and the share of the sleeve', () => {
  for (const method of ['risk', 'fixed', 'volatility', 'kelly', 'all-in'] as const) {
    const full = weight(method);
    assert.ok(full > 0, method);
    near(weight(method, { stance: -0.5 }), -0.5 * full);
    near(weight(method, { shareRatio: 0.2 }), 0.2 * full);
    assert.equal(weight(method, { stance: 0 }), 0);
    near(weight(method, { stance: 7 }), full);
  }
});

test('what is unknown is sized at nothing', () => {
  assert.equal(weight('volatility', { volatility: NaN }), 0);
  assert.equal(weight('volatility', { volatility: 0 }), 0);
  assert.equal(weight('risk', { stopRatio: 0 }), 0);
  assert.equal(weight('risk', { stopRatio: NaN }), 0);
  assert.equal(weight('kelly', { stopRatio: 0 }), 0);
  assert.equal(weight('all-in', { stance: NaN }), 0);
});

test('in a quiet market the stop is twice ATR, with ATR above 1.5 % it is 3 %', () => {
  assert.equal(stopDistance(policy, 0.01), 0.02);
  assert.equal(stopDistance(policy, 0.015), 0.03);
  assert.equal(stopDistance(policy, 0.04), 0.03);
});

test('before ATR is warm the stop is 3 %', () => {
  assert.equal(stopDistance(policy, NaN), 0.03);
  assert.equal(stopDistance(policy, 0), 0.03);
});

test("a strategy's own stop wins, also when it is wider", () => {
  assert.equal(stopDistance(policy, 0.01, 0.08), 0.08);
  assert.equal(stopDistance(policy, 0.01, 0.001), 0.001);
});

test('an own stop that is none is ignored', () => {
  for (const own of [undefined, 0, -0.1, NaN]) assert.equal(stopDistance(policy, 0.01, own), 0.02);
});

test('a stop is always above zero and below the whole price', () => {
  assert.equal(stopDistance(policy, 1e-9), 0.0001);
  assert.equal(stopDistance(policy, 0.01, 5), 0.99);
});
