import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Forecast } from '../../domain/opinion.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { evidenceOf, type Shown } from './evidence.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';
import { vwapDeviation } from './vwap-deviation.ts';

holdsStrategyContract(
  vwapDeviation,
  fc.record({
    window: fc.integer({ min: 2, max: 10 }),
    history: fc.integer({ min: 10, max: 20 }),
    entryDeviations: fc.double({ min: 0.5, max: 3, noNaN: true }),
    exitDeviations: fc.double({ min: -1, max: 0.4, noNaN: true }),
    horizonBars: fc.integer({ min: 1, max: 20 }),
    leastReturn: fc.constantFrom(0, 0.001),
    atrWindow: fc.integer({ min: 1, max: 20 }),
    stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
    short: fc.boolean(),
  }),
);

const chosen = vwapDeviation.parameters.parse({ entryDeviations: 2, exitDeviations: 0.5, horizonBars: 2, leastReturn: 0.01 });

test('what is expected is the way back to the price that the past has gone within the horizon', () => {
  // A quarter of the deviation is left after two bars of one half.
  assert.ok(Math.abs(expectedAt({ value: -3, ratio: -0.04, persistence: 0.5 }) - (0.75 * 0.04) / 0.96) < 1e-15);
  assert.equal(expectedAt({ value: -3, ratio: -0.04, persistence: 1 }), 0);
  assert.equal(expectedAt({ value: -3, ratio: -0.04, persistence: 1.3 }), 0, 'nor is more expected to be lost');
  assert.ok(Math.abs(expectedAt({ value: 3, ratio: 0.04, persistence: -0.2 }) + 0.04 / 1.04) < 1e-15, 'all of it');
  assert.equal(forecastAt({ value: -3, ratio: -0.04, persistence: 0.5 }).horizonMs, 2 * HOUR_MS);
});

test('a deviation is bet against from its threshold on, on either side, if enough of it comes back', () => {
  assert.equal(forecastAt({ value: -2, ratio: -0.04, persistence: 0.5 }).stance, 1);
  assert.equal(forecastAt({ value: -1.99, ratio: -0.04, persistence: 0.5 }).stance, 0);
  assert.equal(forecastAt({ value: 2, ratio: 0.04, persistence: 0.5 }).stance, -1);
  assert.equal(forecastAt({ value: -2, ratio: -0.013, persistence: 0.5 }).stance, 0, 'less than what it takes');
  assert.equal(forecastAt({ value: -9, ratio: -0.2, persistence: 1 }).stance, 0, 'nothing brings it back');
});

test('a bet that is on is kept until the close is near the price, whatever is expected by then', () => {
  assert.equal(forecastAt({ value: -0.51, ratio: -0.001, persistence: 1 }, 1).stance, 1);
  assert.equal(forecastAt({ value: -0.5, ratio: -0.001, persistence: 0.5 }, 1).stance, 0);
  assert.equal(forecastAt({ value: 0.51, ratio: 0.001, persistence: 1 }, -1).stance, -1);
});

test('closes above the price are not bet against where that was not wanted', () => {
  const longOnly = { ...chosen, short: false };
  const opinion = vwapDeviation.opine(at({ value: 3, ratio: 0.04, persistence: 0.5 }), longOnly);
  assert.equal(opinion.kind === 'forecast' && opinion.stance, 0);
  assert.match(vwapDeviation.explain(at({ value: 3, ratio: 0.04, persistence: 0.5 }), longOnly).because, /are not bet against/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    vwapDeviation.explain(at({ value: -3, ratio: -0.04, persistence: 0.5 }), chosen).because,
    'the close is 3.00 deviations below the volume-weighted price of 24 bars, of which the next 2 should bring back 3.13 %: ' +
      'the way back is bet on; the stop is 6 average true ranges (12.00 %) away',
  );
  assert.match(vwapDeviation.explain(at({ value: 1, ratio: 0.01, persistence: 0.5 }), chosen).because, /above .* no bet, which takes 2$/);
  assert.match(vwapDeviation.explain(at({ value: -3, ratio: -0.001, persistence: 0.5 }), chosen).because, /too little, less than 1.00 %/);
  assert.match(vwapDeviation.explain(at({ value: -1, ratio: -0.01, persistence: 0.5 }, 1), chosen).because, /not complete before 0.5/);
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => vwapDeviation.parameters.parse({ entryDeviations: 1, exitDeviations: 1 }), /exitDeviations[^]*cannot end before/);
});

function forecastAt(stray: Readonly<Record<'value' | 'ratio' | 'persistence', number>>, side: Shown['side'] = 0): Forecast {
  const opinion = vwapDeviation.opine(at(stray, side), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion;
}

function expectedAt(stray: Readonly<Record<'value' | 'ratio' | 'persistence', number>>): number {
  return forecastAt(stray).expectedReturn ?? NaN;
}

function at(stray: Readonly<Record<string, number>>, side: -1 | 0 | 1 = 0): Parameters<typeof vwapDeviation.opine>[0] {
  return evidenceOf(vwapDeviation, chosen, { features: { stray, range: 2, span: HOUR_MS }, side });
}
