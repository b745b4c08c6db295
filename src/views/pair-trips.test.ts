import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, format } from '../domain/decimal.ts';
import { HOUR, START, Story } from './journal.fixture.ts';
import { pairHistories, type PairTrip } from './pair-trips.ts';
import { roundTrips } from './metrics.ts';

const ETHER = { instrument: 1 };

function tripsOf(story: Story): readonly PairTrip[] {
  const [pair, ...others] = pairHistories(story.ledger);
  assert.equal(others.length, 0, 'sleeves of one leg are none');
  assert.deepEqual([pair?.sleeve, pair?.symbols], ['pair', ['BTC/USDT', 'ETH/USDT:USDT']]);
  return pair?.trips ?? [];
}

/** Long the first leg and short the second, an hour apart. */
function opened(zScore: number): Story {
  const story = new Story();
  story.decide(2, 1, ['1', '-10'], {}, zScore);
  story.trade([[2, 0, '1']], '100', '0.1');
  story.pass().trade([[2, 1, '-10']], '10', '0.2', ETHER);
  return story;
}

test('both legs are one trade: profit, fees, funding and time of both, with the z-scores of the decisions at its ends', () => {
  const story = opened(-2.25);
  story.tell({ kind: 'funding.paid', at: story.at, happenedAt: story.at, instrument: 1, amount: amount('0.05'), rate: 0.0001 });
  story.pass(3).decide(2, 0, ['0', '0'], {}, -0.4);
  story.trade([[2, 1, '10']], '9', '0.3', ETHER);
  story.pass().trade([[2, 0, '-1']], '102', '0.4');
  const [trip, ...others] = tripsOf(story);
  assert.ok(trip !== undefined && others.length === 0);
  // 2 on the first leg, 10 on the second, less 1 in fees, 0.05 of funding.
  assert.deepEqual([format(trip.pnl), format(trip.fees), format(trip.funding)], ['11.05', '1', '0.05']);
  assert.deepEqual([trip.openedAt, trip.closedAt, trip.side, trip.round, trip.exit], [START, START + 5 * HOUR, 'long', 1, 'opinion']);
  assert.deepEqual([trip.entryZScore, trip.exitZScore], [-2.25, -0.4]);
  assert.deepEqual(
    trip.legs.map(({ symbol, side }) => [symbol, side]),
    [
      ['BTC/USDT', 'long'],
      ['ETH/USDT:USDT', 'short'],
    ],
  );
  assert.equal(roundTrips(story.ledger)[0]?.pnl.toFixed(9), '11.050000000');
});

test('a stop on the spread ends it, and no decision says how stretched it was then', () => {
  const story = opened(2);
  story.pass().say({ kind: 'sleeve.stopped', at: story.at, sleeve: 2, because: 'the spread' });
  story.trade([[2, 0, '-1']], '90');
  story.trade([[2, 1, '10']], '10', '0', ETHER);
  const [trip] = tripsOf(story);
  assert.deepEqual([trip?.exit, trip?.entryZScore, trip?.exitZScore], ['spread stop', 2, NaN]);
});

test('a trade with a leg still open is none yet, and a turn ends one and begins the next with the same score', () => {
  const story = opened(-2);
  story.pass().decide(2, -1, ['-1', '10'], {}, 2.5);
  story.trade([[2, 0, '-2']], '101');
  assert.deepEqual(tripsOf(story), []);
  story.trade([[2, 1, '20']], '10', '0', ETHER);
  assert.equal(tripsOf(story).length, 1);
  story.pass().decide(2, 0, ['0', '0']);
  story.trade([[2, 0, '1']], '101');
  story.trade([[2, 1, '-10']], '10', '0', ETHER);
  assert.deepEqual(
    tripsOf(story).map(({ side, round, entryZScore, exitZScore }) => [side, round, entryZScore, exitZScore]),
    [
      ['long', 1, -2, 2.5],
      ['short', 2, 2.5, NaN],
    ],
  );
});

test('a leg that came alone and was given up is a trade of one leg', () => {
  const story = new Story();
  story.decide(2, 1, ['1', '-10'], {}, -3);
  story.trade([[2, 0, '1']], '100', '0.1');
  story.pass().say({ kind: 'sleeve.closed', at: story.at, sleeve: 2, because: 'only one leg' });
  story.trade([[2, 0, '-1']], '99', '0.1');
  const [trip] = tripsOf(story);
  assert.deepEqual([trip?.exit, trip?.legs.length, format(trip?.pnl ?? assert.fail())], ['one leg', 1, '-1.2']);
});
