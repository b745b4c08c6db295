import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Forecast } from '../../domain/opinion.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { correlationDivergence } from './correlation-divergence.ts';
import { evidenceOf, type Shown } from './evidence.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  correlationDivergence,
  fc.record({
    correlationWindow: fc.integer({ min: 10, max: 20 }),
    leastCorrelation: fc.double({ min: 0, max: 0.5, noNaN: true }),
    strengthWindow: fc.integer({ min: 2, max: 10 }),
    entryGap: fc.double({ min: 5, max: 40, noNaN: true }),
    exitGap: fc.double({ min: -5, max: 4, noNaN: true }),
    confirmGap: fc.double({ min: 0, max: 10, noNaN: true }),
    longer: fc.constantFrom('1h', '4h', '12h'),
    atrWindow: fc.integer({ min: 1, max: 20 }),
    stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
  }),
);

const chosen = correlationDivergence.parameters.parse({ entryGap: 20, exitGap: 5, confirmGap: 4, leastCorrelation: 0.7 });
const open = { first: 35, second: 60, firstLonger: 45, secondLonger: 50 };

test('the weaker is bought and the stronger sold, where the longer timeframe shows the gap too', () => {
  assert.equal(forecastAt(open).stance, 1);
  assert.equal(forecastAt({ first: 60, second: 35, firstLonger: 50, secondLonger: 45 }).stance, -1);
  assert.equal(forecastAt({ ...open, first: 41 }).stance, 0, 'no gap of 20 points');
  assert.equal(forecastAt({ ...open, firstLonger: 47 }).stance, 0, 'not confirmed');
  assert.equal(forecastAt({ ...open, firstLonger: 55 }).stance, 0, 'the longer timeframe says the opposite');
});

test('a gap that is bet on is held until it is closed, whatever the longer timeframe says by then', () => {
  assert.equal(forecastAt({ ...open, first: 54, firstLonger: 60 }, 1).stance, 1);
  assert.equal(forecastAt({ ...open, first: 55 }, 1).stance, 0);
});

test('markets that do not move together are left, and none is entered', () => {
  assert.equal(forecastAt({ ...open, together: { value: 0.69, beta: 1 } }).stance, 0);
  assert.equal(forecastAt({ ...open, together: { value: 0.69, beta: 1 } }, 1).stance, 0);
});

test('the second leg is the first times the slope between them, within limits', () => {
  assert.deepEqual(forecastAt({ ...open, together: { value: 0.9, beta: 1.5 } }).legs, [1, -1.5]);
  assert.deepEqual(forecastAt({ ...open, together: { value: 0.9, beta: 40 } }).legs, [1, -4]);
  assert.deepEqual(forecastAt({ ...open, together: { value: -0.9, beta: -2 } }).legs, [1, -0.25]);
});

test('a leg that lacks its bar, and one that stands still, are abstained from in words', () => {
  const apart = correlationDivergence.opine(at(open, 0, [HOUR_MS, 2 * HOUR_MS]), chosen);
  assert.match(apart.kind === 'abstention' ? apart.because : '', /strengths of two times are not compared/);
  for (const range of ['firstRange', 'secondRange']) {
    const still = correlationDivergence.opine(at({ ...open, [range]: 0 }), chosen);
    assert.match(still.kind === 'abstention' ? still.because : '', /one of the two has not moved/);
  }
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    correlationDivergence.explain(at(open), chosen).because,
    'the strength of the first is 35.0, of the second 60.0 (on the longer timeframe 45.0 and 50.0), their correlation 0.90: ' +
      'the first is bought, the second sold',
  );
  const because = (shown: Shown['features']): string => correlationDivergence.explain(at(shown), chosen).because;
  assert.match(because({ ...open, first: 50 }), /no gap, which takes 20 points$/);
  assert.match(because({ ...open, firstLonger: 49 }), /does not confirm it: 1.0 points, where it takes 4 to the same side$/);
  assert.match(because({ ...open, together: { value: 0.5, beta: 1 } }), /do not move together, which takes 0.7$/);
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => correlationDivergence.parameters.parse({ exitGap: 12 }), /exitGap[^]*closed before it is open/);
});

function forecastAt(features: Shown['features'], side: -1 | 0 | 1 = 0): Forecast {
  const opinion = correlationDivergence.opine(at(features, side), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion;
}

function at(
  features: Shown['features'],
  side: -1 | 0 | 1 = 0,
  closedAt: readonly number[] = [HOUR_MS, HOUR_MS],
): Parameters<typeof correlationDivergence.opine>[0] {
  return evidenceOf(correlationDivergence, chosen, {
    features: { together: { value: 0.9, beta: 1 }, firstRange: 2, secondRange: 2, ...features },
    side,
    closedAt,
  });
}
