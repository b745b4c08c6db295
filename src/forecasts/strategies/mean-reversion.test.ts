import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarView, Features } from '../../domain/feature.ts';
import type { Evidence } from '../../domain/strategy.ts';
import { meanReversion } from './mean-reversion.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

type Specs = ReturnType<typeof meanReversion.features>;

holdsStrategyContract(
  meanReversion,
  fc
    .record({
      window: fc.integer({ min: 2, max: 20 }),
      entryZ: fc.double({ min: 0.5, max: 4, noNaN: true }),
      part: fc.double({ min: -1, max: 0.7, noNaN: true }),
      adaptation: fc.double({ min: 0, max: 2, noNaN: true }),
      shortWindow: fc.integer({ min: 2, max: 10 }),
      more: fc.integer({ min: 1, max: 20 }),
      trendWindow: fc.integer({ min: 1, max: 40 }),
      withTrend: fc.boolean(),
      atrWindow: fc.integer({ min: 1, max: 20 }),
      stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
      short: fc.boolean(),
    })
    .map(({ part, more, ...rest }) => ({ ...rest, exitZ: part * rest.entryZ, longWindow: rest.shortWindow + more })),
);

const chosen = meanReversion.parameters.parse({ entryZ: 2, exitZ: 0.5, adaptation: 1, stopAtr: 3, withTrend: false });

test('a stretch beyond the threshold is bet against, on either side, and none before', () => {
  assert.equal(stanceAt({ stretch: -2 }), 1);
  assert.equal(stanceAt({ stretch: -1.99 }), 0);
  assert.equal(stanceAt({ stretch: 2 }), -1);
  assert.equal(stanceAt({ stretch: 1.99 }), 0);
});

test('a bet that is on is kept until the close is near its mean', () => {
  assert.equal(stanceAt({ stretch: -0.51, side: 1 }), 1);
  assert.equal(stanceAt({ stretch: -0.5, side: 1 }), 0);
  assert.equal(stanceAt({ stretch: 0.51, side: -1 }), -1);
  assert.equal(stanceAt({ stretch: 0.5, side: -1 }), 0);
  assert.equal(stanceAt({ stretch: 1, side: 1 }), 0);
});

test('the threshold rises when the market wakes up, falls when it sleeps, and stays within its limits', () => {
  assert.equal(stanceAt({ stretch: -2.9, ratio: 1.5 }), 0);
  assert.equal(stanceAt({ stretch: -3, ratio: 1.5 }), 1);
  assert.equal(stanceAt({ stretch: -1.6, ratio: 0.8 }), 1);
  assert.equal(stanceAt({ stretch: -1.5, ratio: 0.1 }), 1, 'no lower than 0.75 x');
  assert.equal(stanceAt({ stretch: -1.49, ratio: 0.1 }), 0);
  assert.equal(stanceAt({ stretch: -4, ratio: 9 }), 1, 'no higher than 2 x');
  const fixed = { ...chosen, adaptation: 0 };
  assert.equal(stanceAt({ stretch: -2, ratio: 9 }, fixed), 1);
});

test('with the trend, dips are bought only above it and rallies sold only below it', () => {
  const withTrend = { ...chosen, withTrend: true };
  assert.equal(stanceAt({ stretch: -3, trend: 90 }, withTrend), 1);
  assert.equal(stanceAt({ stretch: -3, trend: 110 }, withTrend), 0);
  assert.equal(stanceAt({ stretch: 3, trend: 110 }, withTrend), -1);
  assert.equal(stanceAt({ stretch: 3, trend: 90 }, withTrend), 0);
  assert.equal(stanceAt({ stretch: -3, trend: 110, side: 1 }, withTrend), 1, 'a bet that is on is not closed by the trend');
  assert.equal(stanceAt({ stretch: 3, trend: 90, side: 1 }, withTrend), 0, 'nor turned against it');
});

test('after a stop it is neutral once the stretch is within the threshold, so that its sleeve re-arms', () => {
  assert.equal(stanceAt({ stretch: -1.5, side: 1 }), 1);
  assert.equal(stanceAt({ stretch: -1.5, side: 0 }), 0);
});

test('stretches upward are not bet against where that was not wanted', () => {
  assert.equal(stanceAt({ stretch: 3 }, { ...chosen, short: false }), 0);
  assert.match(meanReversion.explain(at({ stretch: 3 }), { ...chosen, short: false }).because, /those are not bet against/);
});

test('the stop lies so many average true ranges from the close', () => {
  const opinion = meanReversion.opine(at({ stretch: -3 }), chosen);
  assert.deepEqual(opinion.kind === 'forecast' && opinion.protection, { stopRatio: 0.06 });
});

test('a market without range is abstained from: what is held is held', () => {
  const opinion = meanReversion.opine(at({ stretch: 0, range: 0, side: 1 }), chosen);
  assert.ok(opinion.kind === 'abstention');
  assert.match(opinion.because, /nothing has moved/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    meanReversion.explain(at({ stretch: -3, ratio: 1.25 }), chosen).because,
    'the close is 3.00 deviations below its mean of 96 bars: a stretch beyond 2.50: the way back is bet on; ' +
      'the stop is 3 average true ranges (6.00 %) away',
  );
  assert.match(meanReversion.explain(at({ stretch: 1 }), chosen).because, /1.00 deviations above .* no stretch, which takes 2.00/);
  assert.match(
    meanReversion.explain(at({ stretch: -1, side: 1 }), chosen).because,
    /the return that was bet on is not complete before 0.5/,
  );
  const withTrend = { ...chosen, withTrend: true };
  assert.match(meanReversion.explain(at({ stretch: -3, trend: 110 }), withTrend).because, /but the longer trend goes the same way/);
  assert.deepEqual(meanReversion.explain(at({ stretch: -3, ratio: 1.25 }), chosen).numbers, {
    zScore: -3,
    threshold: 2.5,
    volatilityRatio: 1.25,
    trend: 100,
    atr: 2,
    stopRatio: 0.06,
    stance: 1,
  });
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => meanReversion.parameters.parse({ shortWindow: 96 }), /shortWindow[^]*expected fewer returns than longWindow has/);
  assert.throws(() => meanReversion.parameters.parse({ entryZ: 2, exitZ: 1.5 }), /exitZ[^]*expected less than 0.75 x entryZ/);
});

interface Shown {
  readonly stretch: number;
  readonly ratio?: number;
  readonly trend?: number;
  readonly range?: number;
  readonly side?: -1 | 0 | 1;
}

function stanceAt(shown: Shown, parameters = chosen): number {
  const opinion = meanReversion.opine(at(shown), parameters);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

/** Evidence with a close of 100. */
function at({ stretch, ratio = 1, trend = 100, range = 2, side = 0 }: Shown): Evidence<Specs> {
  const shows = <Value extends { readonly value: number }>(value: number, indicator: Value): Value => ({ ...indicator, value });
  const living = meanReversion.features(chosen, 1);
  const features: Features<Specs> = {
    stretch: shows(stretch, living.stretch.create()),
    volatility: shows(ratio, living.volatility.create()),
    trend: shows(trend, living.trend.create()),
    range: shows(range, living.range.create()),
  };
  const bar: BarView = { at: 0, open: 100, high: 100, low: 100, close: 100, volume: 1 };
  return { at: 0, bars: [bar], features, sleeve: { side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: 0 } };
}
