import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Forecast } from '../../domain/opinion.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { evidenceOf, type Shown } from './evidence.fixture.ts';
import { leadLag } from './lead-lag.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  leadLag,
  fc.record({
    moveBars: fc.integer({ min: 1, max: 5 }),
    horizonBars: fc.integer({ min: 1, max: 5 }),
    window: fc.integer({ min: 10, max: 30 }),
    leastT: fc.double({ min: 0, max: 3, noNaN: true }),
    leastReturn: fc.constantFrom(0, 0.001),
    atrWindow: fc.integer({ min: 1, max: 20 }),
    stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
    short: fc.boolean(),
  }),
);

const chosen = leadLag.parameters.parse({ leastT: 2, leastReturn: 0.01, horizonBars: 6 });
const strong = { value: 0.04, slope: 0.5, tStatistic: 3 };

test('what is expected of the follower is the share of the lead that it used to make up', () => {
  const opinion = forecastAt({ lead: strong });
  assert.ok(Math.abs((opinion.expectedReturn ?? NaN) - Math.expm1(0.02)) < 1e-15);
  assert.equal(opinion.horizonMs, 6 * HOUR_MS);
  assert.deepEqual(opinion.legs, [0, 1], 'the leader is looked at and not traded');
});

test('a lead is followed on either side, if it is believed and worth it', () => {
  assert.equal(forecastAt({ lead: strong }).stance, 1);
  assert.equal(forecastAt({ lead: { ...strong, value: -0.04 } }).stance, -1);
  assert.equal(forecastAt({ lead: { ...strong, tStatistic: 1.9 } }).stance, 0);
  assert.equal(forecastAt({ lead: { ...strong, value: 0.019 } }).stance, 0, 'less than what it takes');
  assert.equal(
    forecastAt({ lead: { value: 0.04, slope: -0.5, tStatistic: -3 } }).stance,
    0,
    'a follower that goes the other way follows not',
  );
});

test('what is held is held for the time that it was given, unless a new lead turns it', () => {
  const nothing = { ...strong, value: 0 };
  assert.equal(forecastAt({ lead: nothing }, { side: 1, heldSince: HOUR_MS - 5 * HOUR_MS }).stance, 1);
  assert.equal(forecastAt({ lead: nothing }, { side: 1, heldSince: HOUR_MS - 6 * HOUR_MS }).stance, 0);
  assert.equal(forecastAt({ lead: { ...strong, value: -0.04 } }, { side: 1 }).stance, -1);
});

test('falls are not followed where that was not wanted', () => {
  const opinion = leadLag.opine(at({ lead: { ...strong, value: -0.04 } }), { ...chosen, short: false });
  assert.equal(opinion.kind === 'forecast' && opinion.stance, 0);
});

test('a leg that lacks its bar, and a follower that stands still, are abstained from in words', () => {
  const apart = leadLag.opine(at({ lead: strong }, { closedAt: [HOUR_MS, 0] }), chosen);
  assert.match(apart.kind === 'abstention' ? apart.because : '', /no bar of one close/);
  const still = leadLag.opine(at({ lead: strong, range: 0 }), chosen);
  assert.match(still.kind === 'abstention' ? still.because : '', /has not moved/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    leadLag.explain(at({ lead: strong }), chosen).because,
    'the leader is 4.00 % ahead of the follower over 3 bars, of which 0.50 (t 3.0) used to follow within 6: ' +
      'the follower is expected to catch up; the stop is 3 average true ranges (6.00 %) away',
  );
  assert.match(
    leadLag.explain(at({ lead: { ...strong, value: -0.01 } }), chosen).because,
    /below .* nothing that is traded, which takes 1.00 %/,
  );
  assert.match(leadLag.explain(at({ lead: { ...strong, tStatistic: 1 } }), chosen).because, /not to be believed, which takes a t of 2$/);
  assert.match(leadLag.explain(at({ lead: { ...strong, value: 0 } }, { side: 1, heldSince: 0 }), chosen).because, /given is not over/);
});

function forecastAt(features: Shown['features'], more: Omit<Shown, 'features'> = {}): Forecast {
  const opinion = leadLag.opine(at(features, more), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion;
}

function at(features: Shown['features'], more: Omit<Shown, 'features'> = {}): Parameters<typeof leadLag.opine>[0] {
  return evidenceOf(leadLag, chosen, { ...more, features: { range: 2, span: HOUR_MS, ...features } });
}
