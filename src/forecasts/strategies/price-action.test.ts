import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evidenceOf, type Shown } from './evidence.fixture.ts';
import { priceAction } from './price-action.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  priceAction,
  fc.record({
    swingBars: fc.integer({ min: 1, max: 6 }),
    shadowRatio: fc.double({ min: 0.51, max: 1, noNaN: true }),
    leastPoints: fc.integer({ min: 1, max: 6 }),
    atrWindow: fc.integer({ min: 1, max: 20 }),
    stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
    short: fc.boolean(),
  }),
);

const chosen = priceAction.parameters.parse({ leastPoints: 2 });

test('the side that leads by enough points is taken', () => {
  assert.equal(stanceAt({ hammer: 100, structure: 1 }), 1);
  assert.equal(stanceAt({ hammer: 100 }), 0, 'one point is not enough');
  assert.equal(stanceAt({ hammer: 100, pin: 1 }), 0, 'a price is refused once, whatever the bar is called');
  assert.equal(stanceAt({ pin: -1, sweep: -1 }), -1);
  assert.equal(stanceAt({ engulfing: -80, structure: -1 }), -1);
  assert.equal(stanceAt({ marubozu: 100, sweep: 1, structure: -1 }), 0, 'a point for the other side takes one away');
});

test('indecision that ends is a point for the side of the bar that ends it', () => {
  assert.equal(stanceAt({ engulfing: 100, dojiBefore: 100 }), 1);
  assert.equal(stanceAt({ marubozu: -100, dojiBefore: 100 }), -1);
  assert.equal(stanceAt({ dojiBefore: 100, structure: 1 }), 0, 'a doji alone speaks for nobody');
});

test('the structure alone is no reason to enter: something of this bar has to speak', () => {
  const one = { ...chosen, leastPoints: 1 };
  assert.equal(stanceAt({ structure: 1 }, {}, one), 0);
  assert.equal(stanceAt({ engulfing: 100 }, {}, one), 1);
});

test('what is held is held until its level breaks, its structure turns or the other side is taken', () => {
  assert.equal(stanceAt({}, { side: 1 }), 1, 'no swing level yet');
  assert.equal(stanceAt({ structure: { value: 0, low: 99, high: 110 } }, { side: 1 }), 1);
  assert.equal(stanceAt({ structure: { value: 0, low: 101, high: 110 } }, { side: 1 }), 0);
  assert.equal(stanceAt({ structure: { value: -1, low: 99, high: 110 } }, { side: 1 }), 0);
  assert.equal(stanceAt({ structure: { value: 0, low: 90, high: 101 } }, { side: -1 }), -1);
  assert.equal(stanceAt({ structure: { value: 0, low: 90, high: 99 } }, { side: -1 }), 0);
  assert.equal(stanceAt({ pin: -1, sweep: -1 }, { side: 1 }), -1);
  assert.equal(stanceAt({ pin: -1, sweep: -1 }, { side: 1 }, { ...chosen, short: false }), 0);
});

test('the stop lies so many average true ranges from the close', () => {
  const opinion = priceAction.opine(at({ hammer: 100, structure: 1 }), chosen);
  assert.deepEqual(opinion.kind === 'forecast' && opinion.protection, { stopRatio: 0.05 });
});

test('the words say which readings speak for which side', () => {
  assert.equal(
    priceAction.explain(at({ hammer: 100, sweep: 1, structure: -1, engulfing: 100 }), chosen).because,
    'for a rise speak a price refused, the last body engulfed, a swing level swept; for a fall speak the structure of the swings: ' +
      'enough, a lead of 2 points; the stop is 2.5 average true ranges (5.00 %) away',
  );
  assert.match(priceAction.explain(at({}), chosen).because, /^the bar and the swings say nothing: not enough, which takes a lead of 2/);
  assert.match(priceAction.explain(at({}, { side: 1 }), chosen).because, /held until its level breaks/);
  assert.match(priceAction.explain(at({ structure: -1 }, { side: 1 }), chosen).because, /behind what was held is broken$/);
  const longOnly = { ...chosen, short: false };
  assert.match(priceAction.explain(at({ pin: -1, sweep: -1 }), longOnly).because, /falls are not followed$/);
});

type Said = Shown['features'];
const silent: Said = { hammer: 0, pin: 0, engulfing: 0, marubozu: 0, dojiBefore: 0, sweep: 0, structure: 0, range: 2 };

function stanceAt(said: Said, more: Omit<Shown, 'features'> = {}, parameters = chosen): number {
  const opinion = priceAction.opine(at(said, more), parameters);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

function at(said: Said, more: Omit<Shown, 'features'> = {}): Parameters<typeof priceAction.opine>[0] {
  return evidenceOf(priceAction, chosen, { ...more, features: { ...silent, ...said } });
}
