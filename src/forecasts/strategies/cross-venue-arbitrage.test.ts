import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Forecast } from '../../domain/opinion.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { crossVenueArbitrage } from './cross-venue-arbitrage.ts';
import { evidenceOf, type Shown } from './evidence.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  crossVenueArbitrage,
  fc.record({
    window: fc.integer({ min: 1, max: 20 }),
    feeRate: fc.double({ min: 0, max: 0.01, noNaN: true }),
    slippageRatio: fc.double({ min: 0, max: 0.01, noNaN: true }),
    entryMultiple: fc.double({ min: 1, max: 5, noNaN: true }),
    exitMultiple: fc.double({ min: -1, max: 0.9, noNaN: true }),
    stopRatio: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
  }),
);

// Four fills at 0.1 %: 0.4 % for both round trips, so 0.8 % to enter and 0.1 % to leave.
const chosen = crossVenueArbitrage.parameters.parse({ feeRate: 0.0006, slippageRatio: 0.0004, entryMultiple: 2, exitMultiple: 0.25 });

test('the dearer is sold and the cheaper bought for as much, once the premium exceeds the costs of both round trips by the multiple', () => {
  assert.equal(forecastAt(0.0081).stance, -1);
  assert.equal(forecastAt(0.0079).stance, 0);
  assert.equal(forecastAt(-0.0081).stance, 1);
  assert.deepEqual(forecastAt(0.0081).legs, [1, -1]);
});

test('what counts is what the premium exceeds the usual one by', () => {
  assert.equal(forecastAt(0.0101, 0.002).stance, -1);
  assert.equal(forecastAt(0.0099, 0.002).stance, 0);
  assert.ok(Math.abs((forecastAt(0.0101, 0.002).expectedReturn ?? NaN) + 0.0081) < 1e-15);
});

test('both legs are closed when it is gone, and not before', () => {
  assert.equal(forecastAt(0.0011, 0, { side: -1 }).stance, -1);
  assert.equal(forecastAt(0.0009, 0, { side: -1 }).stance, 0);
  assert.equal(forecastAt(-0.0011, 0, { side: 1 }).stance, 1);
  assert.equal(forecastAt(-0.0081, 0, { side: -1 }).stance, 1, 'turned where it has turned');
});

test('without costs no premium is still none', () => {
  const free = crossVenueArbitrage.parameters.parse({ feeRate: 0, slippageRatio: 0 });
  const opinion = crossVenueArbitrage.opine(at(0.002, 0.002), free);
  assert.equal(opinion.kind === 'forecast' && opinion.stance, 0);
});

test('a venue that lacks its bar is abstained from in words', () => {
  const opinion = crossVenueArbitrage.opine(at(0.02, 0, { closedAt: [0, HOUR_MS] }), chosen);
  assert.match(opinion.kind === 'abstention' ? opinion.because : '', /a premium between two times is none/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    crossVenueArbitrage.explain(at(0.01, 0.001), chosen).because,
    'the first venue is 1.000 % dearer where 0.100 % is usual, and both round trips cost 0.400 %: the first is sold, the second bought',
  );
  assert.match(crossVenueArbitrage.explain(at(-0.001), chosen).because, /cheaper .* not worth it, which takes 2 times the costs$/);
  assert.match(crossVenueArbitrage.explain(at(-0.002, 0, { side: 1 }), chosen).because, /until less than 0.25 times the costs is left$/);
});

test('parameters that contradict each other are refused by name', () => {
  assert.throws(() => crossVenueArbitrage.parameters.parse({ exitMultiple: 2 }), /exitMultiple[^]*gone before it is there/);
});

function forecastAt(value: number, usual = 0, more: Omit<Shown, 'features'> = {}): Forecast {
  const opinion = crossVenueArbitrage.opine(at(value, usual, more), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion;
}

function at(value: number, usual = 0, more: Omit<Shown, 'features'> = {}): Parameters<typeof crossVenueArbitrage.opine>[0] {
  return evidenceOf(crossVenueArbitrage, chosen, { ...more, features: { dearer: { value, usual }, span: HOUR_MS } });
}
