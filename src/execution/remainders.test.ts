// What is left after a venue has done a part of what it was asked: the rest of an entry, dust, a balance that is smaller than was thought, a fill
// that is larger than was asked for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { format, quantity, ZERO_QUANTITY } from '../domain/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { ScriptedVenue, testInstrument } from '../../test/support/scripted-venue.ts';

const SLEEVES: readonly Sleeve[] = [{ name: 'a', shareRatio: 0.25, instruments: [0], sources: [] }];
/** Takes no less than a hundredth, in thousandths. */
const COARSE: Partial<Instrument> = { lot: quantity('0.001'), minimumQuantity: quantity('0.01') };

const opened = (changes: Partial<Instrument> = COARSE): ScriptedVenue =>
  new ScriptedVenue({ instruments: [testInstrument('X', changes)], sleeves: SLEEVES, marks: [100], settings: { mostFailedCloses: 5 } });
const held = (venue: ScriptedVenue): string => format(venue.portfolio.quantity[0] ?? ZERO_QUANTITY);
const targets = (venue: ScriptedVenue): string[] =>
  venue.sent.flatMap(({ role, side, quantity: size }) => (role === 'target' ? [`${side} ${format(size)}`] : []));
const alerts = (venue: ScriptedVenue): string[] =>
  venue.said.flatMap((change) => (change.kind === 'alert.raised' ? [`${change.rule}: ${change.why}`] : []));

/** The open order of a target fills so much, and the venue ends the rest by itself. */
function fillAndEnd(venue: ScriptedVenue, part: string): void {
  while (venue.inbox.length > 0) venue.arrive();
  const order = [...venue.orders.values()].find(({ intent }) => intent.role === 'target') ?? assert.fail('a target is open');
  venue.fill(order.intent.id, quantity(part));
  venue.orders.delete(order.intent.id);
  while (venue.outbox.length > 0) venue.deliver();
  const { id, instrument } = order.intent;
  venue.tell({
    kind: 'order.cancelled',
    at: venue.at,
    happenedAt: venue.at,
    instrument,
    order: id,
    reason: 'by the venue',
    fill: undefined,
  });
}

/** Answers and bars, and nothing fills. */
function bars(venue: ScriptedVenue, count: number): void {
  for (let bar = 0; bar < count; bar++) {
    venue.bar(0, 100);
    while (venue.inbox.length + venue.outbox.length > 0) {
      if (venue.outbox.length > 0) venue.deliver();
      else venue.arrive();
    }
  }
}

describe('what is left', () => {
  test('F13: of an entry that filled in part and ended is ordered as the rest of the target, and the stop has the size of what is held', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    fillAndEnd(venue, '0.4');
    assert.equal(held(venue), '0.4');
    assert.deepEqual(targets(venue), ['buy 1', 'buy 0.6']);
    while (venue.inbox.length + venue.outbox.length > 0) {
      if (venue.outbox.length > 0) venue.deliver();
      else venue.arrive();
    }
    assert.deepEqual(
      venue.resting('stop').map((stop) => `${stop.side} ${format(stop.quantity)}`),
      ['sell 0.4'],
      'the stop protects what there is',
    );
    venue.settle();
    assert.deepEqual([held(venue), venue.resting('stop').map((stop) => format(stop.quantity))], ['1', ['1']]);
    venue.check();
  });

  test('F14: of a position that is closed and is too little for the venue stays, is said once, and is not asked for again', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.want(0, ['0']);
    venue.order();
    fillAndEnd(venue, '0.996');
    bars(venue, 100);
    assert.deepEqual(targets(venue), ['buy 1', 'sell 1']);
    assert.equal(held(venue), '0.004');
    assert.deepEqual(alerts(venue), ['dust: 0.004 X is left of a position that was closed, less than the 0.01 that the venue takes']);
    assert.deepEqual(
      venue.said.filter(({ kind }) => kind === 'halt.latched'),
      [],
    );
  });

  test('F14: goes with the next position that is closed, and may be said again after that', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    for (let time = 0; time < 2; time++) {
      venue.want(0, ['0']);
      venue.order();
      fillAndEnd(venue, time === 0 ? '0.996' : '0.999');
      bars(venue, 3);
      if (time > 0) break;
      venue.want(0, ['1']);
      venue.order();
      venue.settle();
      assert.equal(held(venue), '1');
    }
    assert.deepEqual(targets(venue), ['buy 1', 'sell 1', 'buy 0.996', 'sell 1']);
    assert.equal(held(venue), '0.001');
    assert.equal(alerts(venue).length, 2);
  });

  test('F14: of an entry and too little to be ordered is not, and no stop is asked for that the venue would not hold', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    fillAndEnd(venue, '0.994');
    bars(venue, 50);
    assert.deepEqual(targets(venue), ['buy 1']);
    assert.equal(held(venue), '0.994');
    const small = opened();
    small.want(0, ['1']);
    small.order();
    fillAndEnd(small, '0.004');
    while (small.inbox.length + small.outbox.length > 0) {
      if (small.outbox.length > 0) small.deliver();
      else small.arrive();
    }
    assert.deepEqual(
      small.resting('stop').filter(({ quantity: size }) => format(size) === '0.004'),
      [],
    );
  });

  test('F46: where less is there than was thought, what the venue sold is booked, and the difference is dust and no loop', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.want(0, ['0']);
    venue.order();
    // The adapter has cut the sale to the free balance: the fee of the purchase was taken in the coin.
    fillAndEnd(venue, '0.999');
    bars(venue, 100);
    assert.deepEqual([targets(venue).length, held(venue), alerts(venue).length], [2, '0.001', 1]);
  });

  test('F46: a venue that says "insufficient balance" for ever is asked less and less often, under a halt', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.want(0, ['0']);
    venue.order();
    for (let bar = 0; bar < 1_000; bar++) {
      while (venue.inbox.length + venue.outbox.length > 0) {
        const next = venue.inbox[0];
        if (venue.outbox.length > 0) venue.deliver();
        else venue.arrive(0, next !== undefined && 'role' in next && next.role === 'target' ? 'reject' : 'accept');
      }
      venue.bar(0, 100);
    }
    assert.equal(venue.said.filter(({ kind }) => kind === 'halt.latched').length, 1);
    assert.ok(targets(venue).length < 30, `${targets(venue).length} orders in 1,000 bars`);
  });

  test('F17: over what was asked is booked, and given back by the next order', () => {
    const venue = opened();
    venue.want(0, ['1']);
    venue.order();
    while (venue.inbox.length > 0) venue.arrive();
    const [order] = [...venue.orders.values()].filter(({ intent }) => intent.role === 'target');
    assert.ok(order !== undefined);
    venue.fill(order.intent.id);
    const report = venue.outbox.find((each) => each.kind === 'order.filled');
    assert.ok(report?.kind === 'order.filled' && report.fill !== undefined);
    const { fill } = report;
    while (venue.outbox.length > 0) venue.deliver();
    venue.position[0] = quantity('1.5');
    venue.tell({ ...report, at: venue.at, fill: { ...fill, id: 'one more', quantity: quantity('0.5') } });
    assert.equal(held(venue), '1.5');
    venue.settle();
    assert.deepEqual([held(venue), targets(venue)], ['1', ['buy 1', 'sell 0.5']]);
    venue.check();
  });
});
