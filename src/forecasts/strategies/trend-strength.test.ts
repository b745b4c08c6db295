import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evidenceOf } from './evidence.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';
import { trendStrength } from './trend-strength.ts';

holdsStrategyContract(
  trendStrength,
  fc
    .record({
      fast: fc.integer({ min: 1, max: 10 }),
      more: fc.integer({ min: 1, max: 20 }),
      strengthWindow: fc.integer({ min: 2, max: 20 }),
      leastStrength: fc.double({ min: 50, max: 70, noNaN: true }),
      mostStrength: fc.double({ min: 71, max: 100, noNaN: true }),
      atrWindow: fc.integer({ min: 1, max: 20 }),
      separation: fc.double({ min: 0, max: 3, noNaN: true }),
      stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
      trailR: fc.double({ min: 0.1, max: 20, noNaN: true }),
      short: fc.boolean(),
    })
    .map(({ more, ...rest }) => ({ ...rest, slow: rest.fast + more })),
);

const chosen = trendStrength.parameters.parse({ separation: 1, leastStrength: 55, mostStrength: 75 });

test('a trend is joined where the means stand apart and strength confirms it, on either side', () => {
  assert.equal(stanceAt(1, 55), 1);
  assert.equal(stanceAt(0.99, 60), 0);
  assert.equal(stanceAt(1, 54.9), 0, 'not confirmed');
  assert.equal(stanceAt(-1, 45), -1);
  assert.equal(stanceAt(-1, 45.1), 0);
});

test('what has run hot is not joined', () => {
  assert.equal(stanceAt(3, 74.9), 1);
  assert.equal(stanceAt(3, 75), 0);
  assert.equal(stanceAt(-3, 25), 0);
  assert.equal(stanceAt(-3, 25.1), -1);
});

test('a trend that is held is kept through pauses and heat, and left at the cross', () => {
  assert.equal(stanceAt(0.1, 40, 1), 1);
  assert.equal(stanceAt(2, 90, 1), 1);
  assert.equal(stanceAt(0, 60, 1), 0);
  assert.equal(stanceAt(-0.1, 60, -1), -1);
  assert.equal(stanceAt(-2, 50, 1), 0, 'not turned with before strength confirms the fall');
});

test('falling trends are not followed where that was not wanted', () => {
  const longOnly = { ...chosen, short: false };
  const opinion = trendStrength.opine(at(-2, 40), longOnly);
  assert.equal(opinion.kind === 'forecast' && opinion.stance, 0);
  assert.match(trendStrength.explain(at(-2, 40), longOnly).because, /falling trends are not followed/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    trendStrength.explain(at(1.5, 60), chosen).because,
    'the mean of 21 bars stands 1.50 average true ranges above that of 55, the relative strength is 60.0: the trend is up; ' +
      'the stop is 3 ranges (6.00 %) away',
  );
  assert.match(trendStrength.explain(at(0.5, 60), chosen).because, /no trend, which takes 1$/);
  assert.match(trendStrength.explain(at(1.5, 50), chosen).because, /not confirmed, which takes 55$/);
  assert.match(trendStrength.explain(at(-1.5, 50), chosen).because, /not confirmed, which takes 45$/);
  assert.match(trendStrength.explain(at(-1.5, 20), chosen).because, /too late, from 25 on$/);
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => trendStrength.parameters.parse({ fast: 55 }), /fast[^]*expected fewer bars than slow has/);
  assert.throws(() => trendStrength.parameters.parse({ leastStrength: 80 }), /leastStrength[^]*too late before it is time/);
});

function stanceAt(separation: number, strength: number, side: -1 | 0 | 1 = 0): number {
  const opinion = trendStrength.opine(at(separation, strength, side), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

function at(separation: number, strength: number, side: -1 | 0 | 1 = 0): Parameters<typeof trendStrength.opine>[0] {
  return evidenceOf(trendStrength, chosen, { features: { fast: 100 + 2 * separation, slow: 100, strength, range: 2 }, side });
}
