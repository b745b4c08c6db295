import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarView, Features } from '../../domain/feature.ts';
import type { Evidence } from '../../domain/strategy.ts';
import { holdsStrategyContract } from './strategy.contract.ts';
import { trend } from './trend.ts';

type Specs = ReturnType<typeof trend.features>;

holdsStrategyContract(
  trend,
  fc
    .record({
      fast: fc.integer({ min: 1, max: 10 }),
      more: fc.integer({ min: 1, max: 20 }),
      atrWindow: fc.integer({ min: 1, max: 20 }),
      entrySeparation: fc.double({ min: 0, max: 3, noNaN: true }),
      less: fc.double({ min: 0, max: 3, noNaN: true }),
      stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
      trailR: fc.double({ min: 0.1, max: 20, noNaN: true }),
      short: fc.boolean(),
    })
    .map(({ more, less, ...rest }) => ({ ...rest, slow: rest.fast + more, exitSeparation: rest.entrySeparation - less })),
);

const chosen = trend.parameters.parse({ entrySeparation: 1, exitSeparation: 0.25, stopAtr: 2, trailR: 10 });

test('a trend is joined where the means stand apart, on either side, and not before', () => {
  assert.equal(stanceAt(1, 0), 1);
  assert.equal(stanceAt(0.99, 0), 0);
  assert.equal(stanceAt(-1, 0), -1);
  assert.equal(stanceAt(-0.99, 0), 0);
});

test('a trend that is held is kept until the means have closed in', () => {
  assert.equal(stanceAt(0.26, 1), 1);
  assert.equal(stanceAt(0.25, 1), 0);
  assert.equal(stanceAt(-0.26, -1), -1);
  assert.equal(stanceAt(-0.25, -1), 0);
});

test('a trend that turns is turned with', () => {
  assert.equal(stanceAt(-1, 1), -1);
  assert.equal(stanceAt(1, -1), 1);
});

test('after a stop it is neutral until the means stand apart once more, so that its sleeve re-arms', () => {
  assert.equal(stanceAt(0.9, 1), 1);
  assert.equal(stanceAt(0.9, 0), 0);
});

test('falling trends are not followed where that was not wanted', () => {
  const longOnly = { ...chosen, short: false };
  assert.equal(stanceAt(-2, 0, longOnly), 0);
  assert.equal(stanceAt(-2, 1, longOnly), 0);
  assert.match(trend.explain(at(-2, 0), longOnly).because, /falling trends are not followed/);
});

test('the stop lies so many average true ranges from the close, and never at zero or beyond', () => {
  const opinion = trend.opine(at(2, 0), chosen);
  assert.ok(opinion.kind === 'forecast');
  assert.deepEqual(opinion.protection, { stopRatio: 0.04, trailR: 10 });
  const wild = trend.opine(at(2, 0), { ...chosen, stopAtr: 50 });
  assert.deepEqual(wild.kind === 'forecast' && wild.protection?.stopRatio, 0.95);
});

test('a market without range is abstained from: what is held is held', () => {
  const opinion = trend.opine(at(0, 1, 0), chosen);
  assert.ok(opinion.kind === 'abstention');
  assert.match(opinion.because, /nothing has moved/);
  assert.equal(trend.opine(at(0, 0, 0), chosen), opinion, 'the same object each time');
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    trend.explain(at(1.5, 0), chosen).because,
    'the mean of 12 bars stands 1.50 average true ranges above that of 48: the trend is up; the stop is 2 ranges (4.00 %) away',
  );
  assert.match(trend.explain(at(-1.5, 0), chosen).because, /1.50 average true ranges below .* the trend is down/);
  assert.match(trend.explain(at(0.5, 1), chosen).because, /less than the 1 that it takes to join a trend, more than the 0.25/);
  assert.match(trend.explain(at(0.5, 0), chosen).because, /no trend, which takes 1$/);
  assert.deepEqual(trend.explain(at(1.5, 0), chosen).numbers, {
    separation: 1.5,
    fast: 103,
    slow: 100,
    atr: 2,
    stopRatio: 0.04,
    stance: 1,
  });
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => trend.parameters.parse({ fast: 48, slow: 48 }), /fast[^]*expected fewer bars than slow has/);
  assert.throws(
    () => trend.parameters.parse({ entrySeparation: 1, exitSeparation: 1.5 }),
    /exitSeparation[^]*expected at most entrySeparation/,
  );
  assert.throws(() => trend.parameters.parse({ fast: 1.5 }), /fast/);
});

function stanceAt(separation: number, side: -1 | 0 | 1, parameters = chosen): number {
  const opinion = trend.opine(at(separation, side), parameters);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

/** Evidence with the means so many ranges apart, at a close of 100. */
function at(separation: number, side: -1 | 0 | 1, range = 2): Evidence<Specs> {
  const shows = <Value extends { readonly value: number }>(value: number, indicator: Value): Value => ({ ...indicator, value });
  const living = trend.features(chosen, 1);
  const features: Features<Specs> = {
    fast: shows(100 + separation * range, living.fast.create()),
    slow: shows(100, living.slow.create()),
    range: shows(range, living.range.create()),
  };
  const bar: BarView = { at: 0, open: 100, high: 100, low: 100, close: 100, volume: 1 };
  return { at: 0, bars: [bar], features, sleeve: { side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: 0 } };
}
