import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Opinion } from '../../domain/opinion.ts';
import { donchianEnsemble } from './donchian-ensemble.ts';
import { evidenceOf } from './evidence.fixture.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  donchianEnsemble,
  fc
    .record({
      longestDays: fc.constantFrom(5, 9, 20),
      targetVolatility: fc.double({ min: 0.01, max: 5, noNaN: true }),
      volatilityDays: fc.integer({ min: 2, max: 20 }),
      atrWindow: fc.integer({ min: 1, max: 20 }),
      stopAtr: fc.double({ min: 0.1, max: 10, noNaN: true }),
      barsPerDay: fc.constantFrom(1, 2),
    })
    .map((chosen) => ({ ...chosen, shortestDays: 5 })),
);

const chosen = donchianEnsemble.parameters.parse({});
/** Of a bar, so that it comes to this a year of 365 daily bars. */
const daily = (volatility: number): number => volatility / Math.sqrt(365);

test('the stance is the part of the channels that is joined, scaled to the target volatility and never above 1', () => {
  assert.equal(stanceAt(0, 0.5), 0);
  assert.ok(Math.abs(stanceAt(1, 0.5) - 0.5) < 1e-12);
  assert.ok(Math.abs(stanceAt(5 / 9, 0.5) - 5 / 18) < 1e-12);
  assert.equal(stanceAt(1, 0.1), 1, 'the paper would hold twice the capital');
});

test('hours are told that a day has twenty-four of them', () => {
  const hourly = donchianEnsemble.parameters.parse({ barsPerDay: 24 });
  assert.equal(donchianEnsemble.features(hourly, 1).joined.warmup, 360 * 24);
  const opinion = donchianEnsemble.opine(at(1, 0.5 / Math.sqrt(365 * 24)), hourly);
  assert.ok(opinion.kind === 'forecast' && Math.abs(opinion.stance - 0.5) < 1e-12);
});

test('only the channels of the paper that are neither too short nor too long are asked', () => {
  const some = donchianEnsemble.parameters.parse({ shortestDays: 11, longestDays: 90 });
  assert.equal(donchianEnsemble.features(some, 1).joined.key, 'donchianEnsemble(20,30,60,90)');
  assert.throws(
    () => donchianEnsemble.parameters.parse({ shortestDays: 6, longestDays: 9 }),
    /shortestDays[^]*leave one of the channels of 5, 10/,
  );
});

test('a market without range is abstained from, and the words say so', () => {
  const opinion = donchianEnsemble.opine(
    evidenceOf(donchianEnsemble, chosen, { features: { joined: 0, volatility: 0, range: 0 } }),
    chosen,
  );
  assert.match(opinion.kind === 'abstention' ? opinion.because : '', /nothing has moved/);
});

test('the words say what was measured and what follows', () => {
  assert.equal(
    donchianEnsemble.explain(at(5 / 9, daily(0.5)), chosen).because,
    'the close has broken out of 5 of 9 channels; at a volatility of 50 % a year a whole stance is 0.50; ' +
      'the stop is 8 average true ranges (16.00 %) away',
  );
  assert.equal(donchianEnsemble.explain(at(0, daily(0.5)), chosen).because, 'the close has broken out of none of 9 channels');
});

function stanceAt(joined: number, volatility: number): number {
  const opinion: Opinion = donchianEnsemble.opine(at(joined, daily(volatility)), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

function at(joined: number, volatility: number): Parameters<typeof donchianEnsemble.opine>[0] {
  return evidenceOf(donchianEnsemble, chosen, { features: { joined, volatility, range: 2 } });
}
