import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { absolute, add, amount, compare, format, isZero, quantity, signOf, subtract, toNumber, ZERO_QUANTITY } from '../domain/decimal.ts';
import type { StateChange } from '../domain/entry.ts';
import type { OrderIntent } from '../domain/order.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { NEVER } from '../domain/time.ts';
import { Random } from '../quant/random.ts';
import { DESK_SETTINGS, livingStops, ScriptedVenue, signedQuantity, testInstrument } from '../../test/support/scripted-venue.ts';
import { Desk, type DeskSettings } from './desk.ts';
import type { ExecutionSettings } from './tickets.ts';

const single = (name: string, instrument = 0): Sleeve => ({ name, shareRatio: 0.25, instruments: [instrument], sources: [] });
const ONE: readonly Sleeve[] = [single('a')];
const TWO: readonly Sleeve[] = [single('a'), single('b')];
const PAIR: readonly Sleeve[] = [{ name: 'pair', shareRatio: 0.5, instruments: [0, 1], sources: [] }];
const ALL: readonly Sleeve[] = [single('a'), single('b'), ...PAIR, single('d', 1)];

const held = (venue: ScriptedVenue, holding = 0): string => format(venue.portfolio.quantity[holding] ?? ZERO_QUANTITY);
const target = (venue: ScriptedVenue, holding = 0): string => format(venue.desk.wants.target[holding] ?? ZERO_QUANTITY);
const stopsAt = (orders: readonly OrderIntent[]): string[] =>
  orders.map((order) => `${order.side} ${format(order.quantity)} at ${order.stopPrice === undefined ? '?' : format(order.stopPrice)}`);
const kinds = (venue: ScriptedVenue): string[] => venue.said.map((change) => change.kind);

/** One sleeve, long one, all settled. */
function long(sleeves: readonly Sleeve[] = ONE, changes: Parameters<ScriptedVenue['want']>[2] = {}): ScriptedVenue {
  const venue = new ScriptedVenue({ sleeves });
  venue.want(0, ['1'], changes);
  venue.order();
  venue.settle();
  return venue;
}

/** Everything on its way arrives and is answered, and nothing more is filled. */
function answerAll(venue: ScriptedVenue): void {
  for (let round = 0; venue.inbox.length + venue.outbox.length > 0; round++) {
    assert.ok(round < 1_000, 'the desk and the venue chase each other');
    if (venue.outbox.length > 0) venue.deliver();
    else venue.arrive();
  }
}

describe('buying by budget', () => {
  const buys = (quantityWanted: string): ScriptedVenue => {
    const venue = new ScriptedVenue({ sleeves: ONE, settings: { buysByBudget: true } });
    venue.want(0, [quantityWanted]);
    venue.order();
    return venue;
  };
  const ended = (venue: ScriptedVenue): void =>
    venue.tell({
      kind: 'order.cancelled',
      at: venue.at,
      happenedAt: venue.at,
      instrument: 0,
      order: '1-1',
      reason: 'its budget is spent',
      fill: undefined,
    });

  test('an order that buys names what it may cost at the mark, one that sells does not', () => {
    const venue = buys('2');
    assert.equal(format(venue.sent[0]?.budget ?? amount('0')), '200');
    venue.settle();
    venue.want(0, ['0']);
    venue.order();
    assert.deepEqual([venue.sent.at(-1)?.side, venue.sent.at(-1)?.budget], ['sell', undefined]);
  });

  test('what it has paid for is what is wanted: nothing is bought after it, and the stops follow', () => {
    const venue = buys('2');
    venue.arrive();
    venue.fill('1-1', quantity('1.5'));
    venue.deliver();
    venue.deliver();
    assert.equal(target(venue), '2', 'the rest may still come');
    ended(venue);
    assert.deepEqual([target(venue), held(venue)], ['1.5', '1.5']);
    venue.orders.delete('1-1');
    venue.settle();
    assert.deepEqual([held(venue), stopsAt(venue.resting('stop'))], ['1.5', ['sell 1.5 at 95']]);
    assert.equal(venue.sent.filter(({ role }) => role === 'target').length, 1);
  });

  test('a sleeve that was made flat meanwhile stays unwanted', () => {
    const venue = buys('2');
    venue.arrive();
    venue.fill('1-1', quantity('1.5'));
    venue.deliver();
    venue.deliver();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    ended(venue);
    venue.orders.delete('1-1');
    venue.settle();
    assert.deepEqual([target(venue), held(venue)], ['0', '0']);
  });
});

describe('planning', () => {
  test('a want is ordered once, however often it is planned', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    venue.want(0, ['1']);
    venue.order();
    assert.deepEqual(
      venue.sent.map((intent) => format(intent.quantity)),
      ['1'],
    );
    venue.settle();
    venue.want(0, ['1']);
    venue.order();
    assert.equal(venue.sent.length, 1);
    assert.equal(held(venue), '1');
  });

  test('drift inside the band places no order, beyond it the difference', () => {
    const venue = long();
    const before = venue.sent.length;
    venue.want(0, ['1.049']);
    venue.order();
    venue.want(0, ['0.96']);
    venue.order();
    assert.equal(venue.sent.length, before);
    venue.want(0, ['1.2']);
    venue.order();
    assert.equal(format(venue.sent.at(-1)?.quantity ?? ZERO_QUANTITY), '0.2');
  });

  test('what the venue would not take is dust and is not sent', () => {
    const venue = new ScriptedVenue({
      sleeves: ONE,
      instruments: [testInstrument('X', { minimumNotional: amount('50'), minimumQuantity: quantity('0.01') })],
    });
    venue.want(0, ['0.4']);
    venue.order();
    venue.want(0, ['0.009']);
    venue.order();
    assert.equal(venue.sent.length, 0);
    // A close may be of any worth.
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.want(0, ['0.6']);
    venue.order();
    venue.settle();
    assert.equal(held(venue), '0.6');
  });

  test('sleeves that offset each other cross at the mark without an order', () => {
    const venue = long(TWO);
    const before = venue.sent.filter((intent) => intent.role === 'target').length;
    venue.want(0, ['0'], { stance: 0 });
    venue.want(1, ['1']);
    venue.order();
    assert.deepEqual(
      venue.crossings.map(({ parts, price }) => [parts.map((part) => format(part.quantity)), format(price)]),
      [[['1', '-1'], '100']],
    );
    assert.equal(venue.sent.filter((intent) => intent.role === 'target').length, before);
    venue.settle();
    // The stop followed its new owner.
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    assert.equal(venue.resting('stop')[0]?.shares[0]?.sleeve, 1);
  });

  test('a crossing whose rest is refused leaves every sleeve with whole lots and its own stop', () => {
    const sleeves = [single('a'), single('b'), single('c')];
    const venue = new ScriptedVenue({ sleeves });
    venue.want(2, ['0.005']);
    venue.order();
    venue.settle();
    venue.refuses = (intent) => intent.role === 'target';
    venue.want(2, ['0'], { stance: 0 });
    venue.want(0, ['0.003']);
    venue.want(1, ['0.004']);
    venue.order();
    venue.check();
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1), held(venue, 2)], ['0.002', '0.003', '0']);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 0.002 at 95', 'sell 0.003 at 95']);
  });

  test('a clamp shrinks the target and the order follows', () => {
    const venue = long();
    venue.desk.shrink(0, [quantity('0.5')]);
    assert.ok(venue.desk.isDirty);
    venue.order();
    venue.settle();
    assert.equal(held(venue), '0.5');
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 0.5 at 95']);
  });

  test('orders are named after the decision they follow', () => {
    const venue = long();
    assert.equal(venue.desk.decision, 1);
    assert.ok(venue.sent.every((intent) => intent.id.startsWith('1-')));
    venue.want(0, ['2']);
    venue.order();
    assert.equal(venue.sent.at(-1)?.id, '2-1');
  });
});

/** The venue ends the entry with what it has filled. */
function endEntry(venue: ScriptedVenue): void {
  venue.cancel({ at: venue.at, instrument: 0, order: '1-1' });
  venue.arrive();
  venue.deliver();
}

describe('refusals', () => {
  test('a rejected entry is withdrawn', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    venue.arrive(0, 'reject');
    venue.settle();
    assert.deepEqual([venue.sent.length, target(venue), held(venue)], [1, '0', '0']);
    assert.deepEqual(venue.desk.tracker.open, []);
  });

  test('an entry that gate two refuses is withdrawn', () => {
    const venue = long();
    venue.refuses = () => true;
    venue.want(0, ['2']);
    venue.order();
    assert.equal(target(venue), '1');
    venue.refuses = () => false;
    venue.settle();
    assert.equal(held(venue), '1');
  });

  test('a rejected close is asked for again with the next bar, and not before', () => {
    const venue = long();
    venue.want(0, ['0'], { stance: 0 });
    venue.order();
    const { length } = venue.sent;
    venue.arrive(0, 'reject');
    venue.deliver();
    assert.equal(venue.sent.length, length);
    venue.bar(0, 100);
    assert.equal(venue.sent.length, length + 1);
    venue.settle();
    assert.equal(held(venue), '0');
  });

  test('of a rejected flip the close is asked for again and the entry is withdrawn', () => {
    const venue = long();
    venue.want(0, ['-1']);
    venue.order();
    assert.equal(venue.sent.at(-1)?.reduceOnly, false);
    venue.arrive(0, 'reject');
    venue.deliver();
    assert.equal(target(venue), '0');
    // The stop of what is still held stays until it is closed.
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.settle();
    assert.deepEqual([held(venue), venue.resting('stop').length, venue.resting('disaster').length], ['0', 0, 0]);
  });

  test('a sleeve whose close would raise the net gets it with the next bar after a rejection', () => {
    const venue = long(TWO);
    venue.want(1, ['-3']);
    venue.order();
    venue.settle();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    assert.equal(venue.sent.at(-1)?.reduceOnly, false);
    venue.arrive(0, 'reject');
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['0', '-3']);
  });

  test('a rejected stop closes the sleeve, and no other stop is asked for meanwhile', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    venue.arrive();
    venue.deliver();
    venue.fill('1-1', quantity('0.4'));
    venue.deliver();
    endEntry(venue);
    // A stop of the right quantity replaces the attached one.
    assert.deepEqual(
      venue.sent.slice(1).map(({ role }) => role),
      ['stop', 'target'],
    );
    venue.arrive(
      venue.inbox.findIndex((intent) => 'role' in intent && intent.role === 'stop'),
      'reject',
    );
    venue.deliver();
    assert.deepEqual(kinds(venue), ['sleeve.closed']);
    venue.settle();
    assert.equal(held(venue), '0');
    assert.equal(venue.orders.size, 0);
  });

  test('a rejected disaster stop closes every sleeve of the instrument', () => {
    const venue = long(TWO);
    venue.want(1, ['1']);
    venue.order();
    venue.settle();
    const disaster = venue.resting('disaster')[0];
    assert.ok(disaster !== undefined);
    const order = venue.desk.tracker.find(disaster.id);
    assert.ok(order !== undefined);
    venue.desk.afterReport(
      { kind: 'order.rejected', at: venue.at, happenedAt: venue.at, instrument: 0, order: disaster.id, reason: 'no', fill: undefined },
      order,
      venue.at,
    );
    assert.deepEqual(kinds(venue), ['sleeve.closed', 'sleeve.closed']);
  });

  test('a stop that gate two refuses is held by the engine and asked for again with the next bar', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    venue.arrive();
    venue.deliver();
    venue.refuses = (intent) => intent.role !== 'target';
    const attached = [...venue.orders.keys()].filter((id) => id !== '1-1');
    venue.fill('1-1');
    // The venue lost the stops that came with the entry.
    for (const id of attached) {
      venue.orders.delete(id);
      venue.outbox.push({
        kind: 'order.cancelled',
        at: venue.at,
        happenedAt: venue.at,
        instrument: 0,
        order: id,
        reason: 'lost',
        fill: undefined,
      });
    }
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.desk.restsAtVenue(0), false);
    venue.refuses = () => false;
    venue.bar(0, 99);
    venue.pump();
    assert.ok(venue.desk.restsAtVenue(0));
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 80']);
  });

  test('what the venue lets expire is asked for again with the next bar, so that the end of a tape is an end', () => {
    const venue = long();
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    const { length } = venue.sent;
    venue.orders.delete(stop.id);
    venue.tell({
      kind: 'order.expired',
      at: venue.at,
      happenedAt: venue.at,
      instrument: 0,
      order: stop.id,
      reason: 'the tape ended',
      fill: undefined,
    });
    assert.equal(venue.sent.length, length);
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
  });
});

describe('protection', () => {
  test('an entry carries the stop of its sleeve and the disaster stop, which rest with its first fill', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    assert.deepEqual(stopsAt(venue.sent[0]?.attached ?? []), ['sell 1 at 95', 'sell 1 at 80']);
    assert.deepEqual(
      venue.sent[0]?.attached.map((stop) => [stop.role, stop.reduceOnly, stop.wholePosition]),
      [
        ['stop', true, false],
        ['disaster', true, true],
      ],
    );
    venue.settle();
    assert.equal(venue.sent.length, 1);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    assert.ok(venue.desk.restsAtVenue(0));
  });

  test('while an entry fills part by part its stop stands; once it has ended the stop is of what is held, the new one sent before the old one goes', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1']);
    venue.order();
    venue.arrive();
    for (const part of ['0.1', '0.1', '0.1']) venue.fill('1-1', quantity(part));
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.inbox.length, 0);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    endEntry(venue);
    assert.deepEqual(
      venue.inbox.map((intent) => ('order' in intent ? 'cancel' : `${intent.role} ${format(intent.quantity)}`)),
      ['stop 0.3', 'cancel', 'target 0.7'],
    );
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    assert.equal(venue.resting('disaster').length, 1);
  });

  test('of a short everything is mirrored', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['-1']);
    venue.order();
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['buy 1 at 105']);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['buy 1 at 120']);
  });

  test('the disaster stop lies beyond every sleeve stop', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1'], { stopRatio: 0.3 });
    venue.order();
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 66.5']);
  });

  test('sleeves on opposite sides: one order for the net, stops held by the engine, the disaster stop at the venue', () => {
    const venue = new ScriptedVenue({ sleeves: TWO });
    venue.want(0, ['3']);
    venue.want(1, ['-1']);
    venue.order();
    assert.equal(venue.crossings.length, 1);
    assert.deepEqual(
      venue.sent.map((intent) => `${intent.side} ${format(intent.quantity)}`),
      ['buy 2'],
    );
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['3', '-1']);
    assert.deepEqual(venue.resting('stop'), []);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 2 at 80']);
    // A sleeve's stop may raise the net: that is lawful, and then not reduce-only.
    venue.bar(0, 106, 100, 106);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
    assert.equal(venue.sent.at(-1)?.reduceOnly, false);
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['3', '0']);
    // All on one side again: the stop goes to the venue.
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 3 at 95']);
  });

  test('a stop held by the engine fires for a long too', () => {
    const venue = new ScriptedVenue({ sleeves: TWO });
    venue.want(0, ['3']);
    venue.want(1, ['-1']);
    venue.order();
    venue.settle();
    venue.bar(0, 96, 94.9, 97);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
    venue.bar(0, 96, 94.9, 97);
    assert.equal(venue.said.length, 1);
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['0', '-1']);
  });

  test('the second sleeve of an instrument on the other side takes the first stop from the venue to the engine', () => {
    const venue = long(TWO);
    venue.want(1, ['-0.4']);
    venue.order();
    assert.ok(venue.desk.restsAtVenue(0));
    venue.settle();
    assert.equal(venue.desk.restsAtVenue(0), false);
    assert.deepEqual(venue.resting('stop'), []);
  });

  test('a stop too small to rest is held by the engine', () => {
    const venue = new ScriptedVenue({ sleeves: TWO, instruments: [testInstrument('X', { minimumQuantity: quantity('0.01') })] });
    venue.want(0, ['0.004']);
    venue.want(1, ['1']);
    venue.order();
    venue.settle();
    assert.deepEqual([venue.desk.restsAtVenue(0), venue.desk.restsAtVenue(1)], [false, true]);
    venue.bar(0, 94, 94, 94);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
  });

  test('a stop that fills at the venue latches the sleeve until it re-arms', () => {
    const venue = long();
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    venue.fill(stop.id, quantity('0.4'), 95);
    venue.deliver();
    // What has begun to fill is at work: nothing is ordered beside it.
    venue.check();
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
    assert.equal(venue.sent.length, 1);
    venue.fill(stop.id, undefined, 95);
    venue.settle();
    assert.deepEqual([held(venue), venue.desk.wants.latchedSide[0], kinds(venue).length], ['0', 1, 1]);
    assert.equal(venue.orders.size, 0);
    venue.say({ kind: 'sleeve.rearmed', at: venue.at, sleeve: 0 });
    assert.equal(venue.desk.wants.latchedSide[0], 0);
  });

  test('a latch is released by a decision and by nothing else', () => {
    const venue = long();
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    venue.fill(stop.id, undefined, 95);
    venue.settle();
    venue.halt();
    venue.say({ kind: 'halt.released', at: venue.at, by: 'test' });
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    assert.equal(venue.desk.wants.latchedSide[0], 1);
  });

  test('the rest of a stop that is cancelled while it fills is closed by an order', () => {
    const venue = long();
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    venue.fill(stop.id, quantity('0.4'), 95);
    venue.deliver();
    venue.orders.delete(stop.id);
    venue.tell({
      kind: 'order.cancelled',
      at: venue.at,
      happenedAt: venue.at,
      instrument: 0,
      order: stop.id,
      reason: 'no liquidity',
      fill: undefined,
    });
    assert.equal(format(venue.sent.at(-1)?.quantity ?? ZERO_QUANTITY), '0.6');
    venue.settle();
    assert.equal(held(venue), '0');
  });

  test('a disaster stop closes the sleeves and ends, also when the position had shrunk since it was set', () => {
    const venue = long();
    venue.want(0, ['0.5']);
    venue.order();
    venue.settle();
    const [disaster] = venue.resting('disaster');
    assert.ok(disaster !== undefined);
    assert.equal(format(disaster.quantity), '1');
    venue.fill(disaster.id, undefined, 80);
    venue.settle();
    assert.deepEqual(
      [held(venue), venue.desk.tracker.open.map(({ intent }) => intent.id), venue.desk.wants.disasterPrice[0]],
      ['0', [], NaN],
    );
    // The next position gets its own, at its own level.
    venue.say({ kind: 'sleeve.rearmed', at: venue.at, sleeve: 0 });
    venue.bar(0, 200);
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 160']);
  });

  test('a partial disaster fill scales every sleeve, opposite ones too, and stops them all', () => {
    const venue = new ScriptedVenue({ sleeves: TWO });
    venue.want(0, ['3']);
    venue.want(1, ['-1']);
    venue.order();
    venue.settle();
    const [disaster] = venue.resting('disaster');
    assert.ok(disaster !== undefined);
    venue.fill(disaster.id, quantity('1'), 80);
    venue.deliver();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['1', '0']);
    // Half of each went with the fill, and what was left of the short crossed.
    assert.deepEqual(
      venue.crossings.at(-1)?.parts.map((part) => format(part.quantity)),
      ['0.5', '-0.5'],
    );
    assert.deepEqual(kinds(venue), ['sleeve.stopped', 'sleeve.stopped']);
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1), venue.orders.size], ['0', '0', 0]);
  });

  test('the trailing stop follows with each whole R, the disaster stop behind it, both only tighter', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    venue.bar(0, 104.9);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.bar(0, 111, 108, 112);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 105']);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 88.8']);
    venue.bar(0, 106, 106, 106);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 105']);
    assert.deepEqual(kinds(venue), ['stop.moved']);
  });

  test('by ratio the stop follows every new best price at once, from the price that was decided on', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1'], { stopRatio: 0.05, trailR: 1, trailRatio: 0.05 });
    venue.order();
    venue.arrive();
    // It fills worse than it was decided.
    venue.fill('1-1', undefined, 101);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.bar(0, 100, 99, 100.4);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95.38']);
    venue.bar(0, 120, 100, 120);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 114']);
    venue.bar(0, 116, 115, 119);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 114'], 'only tighter');
    assert.deepEqual(kinds(venue), ['stop.moved', 'stop.moved']);
  });

  test('a trail by ratio without a stop of its own protects from the entry on', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['1'], { stopRatio: NaN, trailRatio: 0.05 });
    venue.order();
    venue.arrive();
    venue.fill('1-1', undefined, 100);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.bar(0, 110, 99, 110);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 104.5']);
  });

  test('a stop that rests is moved in place: nothing new is sent, nothing is cancelled', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    const [sent, cancels] = [venue.sent.length, venue.cancels.length];
    venue.bar(0, 111, 108, 112);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95'], 'the old trigger protects until the venue has answered');
    venue.pump();
    assert.deepEqual(
      venue.amends.map(({ order, stopPrice }) => [order, format(stopPrice)]),
      [
        ['1-2', '105'],
        ['1-3', '88.8'],
      ],
    );
    assert.deepEqual([venue.sent.length, venue.cancels.length], [sent, cancels]);
  });

  test('a move that the venue or gate two refuses is asked for again with the next bar, and the old stop goes on to protect', () => {
    for (const refusal of ['venue', 'gate two']) {
      const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
      venue.refuses = () => refusal === 'gate two';
      venue.bar(0, 111, 108, 112);
      if (refusal === 'venue') while (venue.inbox.length > 0) venue.arrive(0, 'reject');
      venue.pump();
      assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95'], refusal);
      assert.deepEqual(kinds(venue), ['stop.moved'], 'it is no reason to close');
      venue.refuses = () => false;
      venue.bar(0, 111);
      venue.pump();
      assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 105'], refusal);
    }
  });

  test('an opposite entry that does not come gives the stop back to the venue', () => {
    // The feed is lost, the entry is called back, and gate two refuses to ask for it again: nobody but the venue can watch the stop.
    const venue = long(TWO);
    venue.want(1, ['-3']);
    venue.order();
    venue.desk.cancelEntries(venue.at, 0);
    venue.refuses = (intent) => !intent.reduceOnly;
    answerAll(venue);
    assert.deepEqual([target(venue, 1), held(venue, 0), held(venue, 1)], ['0', '1', '0']);
    assert.ok(venue.desk.restsAtVenue(0));
  });

  test('the same when the venue rejects it', () => {
    const venue = long(TWO);
    venue.want(1, ['-0.4']);
    venue.order();
    // A report brings the stops in line while the other sleeve wants the other side.
    venue.want(0, ['0.5']);
    venue.order();
    const index = venue.inbox.findIndex((sent) => 'shares' in sent && sent.shares[0]?.sleeve === 1);
    assert.ok(index >= 0);
    venue.arrive(index, 'reject');
    venue.settle();
    assert.deepEqual([held(venue, 1), venue.desk.restsAtVenue(0)], ['0', true]);
  });

  test('a stop that cannot be moved beyond the price closes the sleeve when the price is beyond it', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    // Two R were won at the high, and lost again by the close: the stop belongs at 105, and a venue refuses that.
    venue.bar(0, 104, 103, 112);
    while (venue.inbox.length > 0) venue.arrive(0, 'reject');
    answerAll(venue);
    venue.settle();
    assert.equal(held(venue), '0');
    assert.deepEqual(kinds(venue), ['stop.moved', 'sleeve.stopped']);
  });

  test('the engine holds the stop where the venue has not moved it', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    venue.refuses = (intent) => intent.role === 'stop';
    venue.bar(0, 111, 108, 112);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.bar(0, 104, 103, 106);
    venue.settle();
    assert.deepEqual([held(venue), kinds(venue)], ['0', ['stop.moved', 'sleeve.stopped']]);
  });

  test('a stop that ended while it was to be moved is set anew', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    // The venue has ended it by itself, and its word of that is lost.
    venue.orders.delete(stop.id);
    venue.bar(0, 111, 108, 112);
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 105']);
  });

  test('a short trails downward', () => {
    const venue = new ScriptedVenue({ sleeves: ONE });
    venue.want(0, ['-1'], { trailR: 1 });
    venue.order();
    venue.settle();
    venue.bar(0, 90, 89.9, 91);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['buy 1 at 95']);
  });

  test('while a flip is on its way the old stop stays and the new levels touch nothing', () => {
    const venue = long();
    venue.want(0, ['-1']);
    venue.order();
    // A bar that would be beyond the coming short's stop, while the long is still held.
    venue.bar(0, 110, 99, 110);
    assert.deepEqual(kinds(venue), []);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95']);
    venue.pump();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['buy 1 at 105']);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['buy 1 at 120']);
    assert.equal(held(venue), '-1');
  });

  test('a stop that fills while its sleeve is on the way to the other side does not stop the new side', () => {
    const venue = long();
    const [stop] = venue.resting('stop');
    assert.ok(stop !== undefined);
    venue.want(0, ['-1']);
    venue.order();
    venue.fill(stop.id, undefined, 95);
    venue.settle();
    assert.deepEqual([kinds(venue), held(venue)], [[], '-1']);
  });

  test('a re-entry while the exit is on its way gets levels of its own', () => {
    const venue = long();
    venue.want(0, ['0'], { stance: 0 });
    venue.order();
    venue.portfolio.markAt(0, 120);
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 114']);
  });

  test('a disaster stop that the venue drops comes back where it was, not further away', () => {
    const venue = long(ONE, { trailR: 1 });
    venue.bar(0, 112, 110, 112);
    venue.pump();
    const [disaster] = venue.resting('disaster');
    assert.ok(disaster !== undefined);
    venue.bar(0, 106);
    venue.orders.delete(disaster.id);
    venue.tell({
      kind: 'order.cancelled',
      at: venue.at,
      happenedAt: venue.at,
      instrument: 0,
      order: disaster.id,
      reason: 'dropped',
      fill: undefined,
    });
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('disaster')), stopsAt([disaster]));
  });

  test('two entries on their way: whichever fills first is protected, and one disaster stop is left', () => {
    const venue = new ScriptedVenue({ sleeves: TWO });
    venue.want(0, ['1']);
    venue.order();
    venue.want(1, ['1']);
    venue.order();
    assert.deepEqual(
      venue.sent.map((intent) => intent.attached.map((stop) => stop.role)),
      [['stop', 'disaster'], ['stop']],
    );
    venue.arrive();
    venue.arrive();
    venue.fill('2-1');
    while (venue.outbox.length > 0) venue.deliver();
    venue.arrive();
    assert.equal(venue.resting('disaster').length, 1);
    venue.settle();
    assert.equal(venue.resting('disaster').length, 1);
    assert.deepEqual(stopsAt(venue.resting('stop')), ['sell 1 at 95', 'sell 1 at 95']);
  });

  test('what an entry takes along to a venue that can hold it: where the stop of the net stands on its side, or else where it would', () => {
    const venue = long(ONE, { stopRatio: 0.05, trailR: 1 });
    const levels = (): string[] => ([1, -1] as const).map((side) => venue.desk.disasterPrice(0, side).toFixed(2));
    assert.deepEqual(levels(), ['80.00', '120.00']);
    venue.bar(0, 111, 108, 112);
    venue.bar(0, 106, 106, 106);
    venue.pump();
    assert.deepEqual(levels(), ['88.80', '127.20']);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 88.8']);
    const none = new ScriptedVenue({ sleeves: ONE, settings: { disasterRatio: NaN } });
    assert.equal(none.desk.disasterPrice(0, 1), NaN);
  });

  test('an entry without a stop of its own has the disaster stop alone', () => {
    const venue = long(ONE, { stopRatio: NaN });
    assert.deepEqual(venue.resting('stop'), []);
    assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 1 at 80']);
    venue.bar(0, 50, 50, 120);
    assert.deepEqual(kinds(venue), []);
  });
});

/** Of the disaster stops that rest for the first instrument. */
function levels(venue: ScriptedVenue): number[] {
  return venue.resting('disaster').map(({ stopPrice }) => toNumber(stopPrice ?? ZERO_QUANTITY));
}

describe('a pair', () => {
  const pair = (): ScriptedVenue => {
    const venue = new ScriptedVenue({ sleeves: PAIR });
    venue.want(0, ['1', '-2'], { stance: 1 });
    venue.order();
    return venue;
  };

  test('its stop acts on the spread and closes both legs at once', () => {
    const venue = pair();
    venue.settle();
    assert.deepEqual([venue.desk.sideHeld(0), venue.resting('stop', 0), venue.resting('disaster', 1).length], [1, [], 1]);
    venue.bar(0, 97);
    assert.deepEqual(kinds(venue), []);
    venue.bar(1, 51.5);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
    assert.deepEqual(
      venue.inbox.map((intent) => ('side' in intent ? `${intent.instrument} ${intent.side} ${format(intent.quantity)}` : '')),
      ['0 sell 1', '1 buy 2'],
    );
    venue.bar(1, 52);
    assert.equal(venue.said.length, 1);
    venue.settle();
    assert.ok(venue.desk.isFlat(0));
    assert.equal(venue.desk.wants.latchedSide[0], 1);
  });

  test('the disaster stop of what only legs of pairs stand in has a first distance of its own', () => {
    const venue = pair();
    assert.deepEqual(
      venue.sent.flatMap(({ attached }) => stopsAt(attached)),
      ['sell 1 at 60', 'buy 2 at 70'],
    );
    venue.settle();
    assert.deepEqual(
      [0, 1].flatMap((instrument) => stopsAt(venue.resting('disaster', instrument))),
      ['sell 1 at 60', 'buy 2 at 70'],
    );
  });

  test('a leg that no other stands against is hedged by none: its disaster stop is as near as that of one instrument', () => {
    const venue = new ScriptedVenue({ sleeves: PAIR });
    venue.want(0, ['0', '2'], { stance: 1 });
    venue.order();
    venue.settle();
    assert.deepEqual(stopsAt(venue.resting('disaster', 1)), ['sell 2 at 40']);
  });

  test('what stands alone joins a pair, on either side: the disaster stop comes as near as for it, and stays there when it has gone', () => {
    for (const alone of ['1', '-1']) {
      const venue = new ScriptedVenue({ sleeves: [...PAIR, { name: 'alone', shareRatio: 0.5, instruments: [0], sources: [] }] });
      venue.want(0, ['3', '-6'], { stance: 1 });
      venue.order();
      venue.settle();
      assert.deepEqual(stopsAt(venue.resting('disaster')), ['sell 3 at 60']);
      venue.bar(0, 110);
      venue.want(1, [alone]);
      venue.order();
      venue.settle();
      assert.deepEqual(levels(venue), [88], 'a fifth below the price at which it joined');
      assert.equal(held(venue, 2), alone);
      venue.bar(0, 115);
      venue.want(1, ['0']);
      venue.order();
      venue.settle();
      assert.deepEqual([held(venue, 2), levels(venue)], ['0', [88]]);
    }
  });

  test('beside what stands alone a pair has the disaster stop that is there', () => {
    const venue = new ScriptedVenue({ sleeves: [...PAIR, { name: 'alone', shareRatio: 0.5, instruments: [0], sources: [] }] });
    venue.want(1, ['1']);
    venue.order();
    venue.settle();
    assert.deepEqual(levels(venue), [80]);
    venue.want(0, ['3', '-6'], { stance: 1 });
    venue.order();
    venue.settle();
    assert.deepEqual(levels(venue), [80]);
    assert.deepEqual(stopsAt(venue.resting('disaster', 1)), ['buy 6 at 70']);
  });

  test('one leg filled and the other not is noticed, and over when both are there', () => {
    const venue = pair();
    venue.arrive();
    venue.arrive();
    venue.fill('1-1', quantity('0.6'));
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.desk.leggedSince[0], venue.at);
    assert.equal(venue.desk.leggedDue(0), venue.at + 1_000);
    venue.fill('1-3', quantity('1.2'));
    venue.deliver();
    assert.deepEqual([venue.desk.leggedSince[0], venue.desk.leggedDue(0)], [NaN, Infinity]);
  });

  test('a pair of which one leg has flipped is on one leg', () => {
    const venue = pair();
    venue.settle();
    venue.want(0, ['-1', '2'], { stance: -1 });
    venue.order();
    venue.arrive();
    venue.fill(venue.sent.at(-2)?.id ?? '');
    while (venue.outbox.length > 0) venue.deliver();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['-1', '-2']);
    assert.ok(!Number.isNaN(venue.desk.leggedSince[0] ?? NaN));
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1), venue.desk.leggedSince[0]], ['-1', '2', NaN]);
  });

  test('the money bound of one leg closes it, and says so once', () => {
    const venue = pair();
    venue.arrive();
    venue.fill('1-1');
    while (venue.outbox.length > 0) venue.deliver();
    venue.portfolio.markAt(0, 90);
    venue.desk.checkLeggedLoss(0, 1_001, venue.at);
    assert.deepEqual(kinds(venue), []);
    venue.desk.checkLeggedLoss(0, 999, venue.at);
    venue.desk.checkLeggedLoss(0, 999, venue.at);
    assert.deepEqual(kinds(venue), ['sleeve.closed']);
    venue.order();
    venue.settle();
    assert.ok(venue.desk.isFlat(0));
    assert.ok(Number.isNaN(venue.desk.leggedSince[0] ?? NaN));
  });

  test('three legs are one trade: its stop acts on what they lose together, and closes all', () => {
    const basket = { name: 'basket', shareRatio: 0.5, instruments: [0, 1, 2], sources: [] };
    const venue = new ScriptedVenue({
      sleeves: [basket],
      instruments: ['X', 'Y', 'Z'].map((each) => testInstrument(each)),
      marks: [100, 50, 10],
    });
    venue.want(0, ['1', '-1', '-5'], { stance: 1 });
    venue.order();
    venue.arrive();
    venue.arrive();
    venue.arrive();
    venue.fill('1-1');
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.desk.leggedSince[0], venue.at, 'one of three');
    venue.fill('1-3');
    while (venue.outbox.length > 0) venue.deliver();
    assert.ok(!Number.isNaN(venue.desk.leggedSince[0] ?? NaN), 'two of three');
    venue.settle();
    assert.ok(Number.isNaN(venue.desk.leggedSince[0] ?? NaN));
    // Down 2, won 1 of the second, down 4 of the third: 5 of 100.
    venue.bar(0, 98);
    venue.bar(1, 49);
    assert.deepEqual(kinds(venue), []);
    venue.bar(2, 10.8);
    assert.match(venue.said[0]?.kind === 'sleeve.stopped' ? venue.said[0].because : '', /^the spread lost 5\.00 % of its first leg$/);
    venue.settle();
    assert.deepEqual(
      [0, 1, 2].map((leg) => held(venue, leg)),
      ['0', '0', '0'],
    );
  });

  test('a leg that is left out takes no part: nothing waits for it, and the stop is of the first that is traded', () => {
    const basket = { name: 'basket', shareRatio: 0.5, instruments: [0, 1, 2], sources: [] };
    const venue = new ScriptedVenue({
      sleeves: [basket],
      instruments: ['X', 'Y', 'Z'].map((each) => testInstrument(each)),
      marks: [100, 50, 10],
    });
    venue.want(0, ['0', '1', '-5'], { stance: 1 });
    venue.order();
    venue.settle();
    assert.deepEqual([venue.sent.filter(({ role }) => role === 'target').length, venue.desk.leggedSince[0]], [2, NaN]);
    assert.equal(venue.desk.sideHeld(0), 1);
    venue.bar(2, 10.49);
    assert.deepEqual(kinds(venue), [], '2.45 of 50');
    venue.bar(2, 10.51);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
    venue.settle();
    assert.ok(venue.desk.isFlat(0));
  });

  test('a leg that is not wanted any more and still held stands alone', () => {
    const venue = pair();
    venue.settle();
    venue.want(0, ['1', '0'], { stance: 1 });
    venue.order();
    venue.arrive();
    venue.fill(venue.sent.at(-1)?.id ?? '', quantity('1'));
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.desk.leggedSince[0], venue.at);
    venue.settle();
    assert.deepEqual([held(venue, 1), venue.desk.leggedSince[0]], ['0', NaN]);
  });

  test('half of a leg is as much of a bet as all of one: it is noticed by how far the legs are apart', () => {
    const venue = pair();
    venue.arrive();
    venue.arrive();
    venue.fill('1-1', quantity('0.25'));
    while (venue.outbox.length > 0) venue.deliver();
    assert.ok(Number.isNaN(venue.desk.leggedSince[0] ?? NaN));
    venue.fill('1-1', quantity('0.15'));
    while (venue.outbox.length > 0) venue.deliver();
    assert.equal(venue.desk.leggedSince[0], venue.at, '0.4 of one and nothing of the other');
    venue.fill('1-3', quantity('0.5'));
    while (venue.outbox.length > 0) venue.deliver();
    assert.ok(Number.isNaN(venue.desk.leggedSince[0] ?? NaN));
  });

  test('a pair that came in part has its stop on the part that came', () => {
    const venue = pair();
    venue.arrive();
    venue.arrive();
    venue.fill('1-1', quantity('0.5'));
    venue.fill('1-3', quantity('1'));
    while (venue.outbox.length > 0) venue.deliver();
    venue.bar(0, 95.1);
    assert.deepEqual(kinds(venue), []);
    venue.bar(0, 94.9);
    assert.deepEqual(kinds(venue), ['sleeve.stopped']);
  });

  test('a refused leg closes the other', () => {
    const venue = new ScriptedVenue({ sleeves: PAIR });
    venue.refuses = (intent) => intent.instrument === 1 && !intent.reduceOnly;
    venue.want(0, ['1', '-2'], { stance: 1 });
    venue.order();
    assert.deepEqual(kinds(venue), ['sleeve.closed']);
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['0', '0']);
  });
});

describe('halt', () => {
  test('calls back entries, closes what is held, and closes what still comes', () => {
    const venue = long();
    venue.want(0, ['3']);
    venue.order();
    venue.arrive();
    venue.halt();
    assert.deepEqual(
      venue.inbox.map((intent) => ('side' in intent ? `${intent.side} ${format(intent.quantity)} ${intent.reduceOnly}` : 'cancel')),
      ['cancel', 'sell 1 true'],
    );
    // The entry fills before its cancel arrives.
    venue.fill('2-1');
    venue.settle();
    assert.deepEqual([held(venue), venue.orders.size], ['0', 0]);
    venue.say({ kind: 'halt.released', at: venue.at, by: 'test' });
    assert.equal(venue.desk.wants.stance[0], 0);
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    assert.equal(held(venue), '1');
  });

  test('a lost feed calls entries back and leaves closes at work', () => {
    const venue = new ScriptedVenue({ sleeves: TWO });
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.want(0, ['0'], { stance: 0 });
    venue.order();
    venue.want(1, ['1'], { stance: 1 });
    // An order of the other instrument is not concerned.
    venue.desk.cancelEntries(venue.at, 1);
    venue.desk.cancelEntries(venue.at, 0);
    assert.equal(venue.cancels.length, 0);
    venue.order();
    venue.desk.cancelEntries(venue.at, 0);
    venue.desk.cancelEntries(venue.at, 0);
    assert.deepEqual(
      venue.cancels.map((cancel) => cancel.order),
      ['3-1'],
    );
  });
});

// ---- at random -----------------------------------------------------------------------------------------------------------

interface Tally {
  halts: number;
  fills: number;
}

/** Does one random thing to a desk and its venue. */
function step(venue: ScriptedVenue, random: Random, isHaltAllowed: boolean, tally: Tally): void {
  // Time passes for tickets, where there are any.
  if (venue.desk.nextTicketAt !== NEVER && random.uniform() < 0.15) {
    venue.ring();
    return;
  }
  const below = (count: number): number => Math.floor(random.uniform() * count);
  const open = [...venue.orders.values()].filter((order) => order.isResting);
  const kind = below(100);
  if (kind < 30) {
    // Any report may come first, and any may come twice.
    if (venue.outbox.length > 0) venue.deliver(below(Math.min(3, venue.outbox.length)), below(6) === 0);
  } else if (kind < 50) {
    if (venue.inbox.length > 0) venue.arrive(below(Math.min(2, venue.inbox.length)), below(8) === 0 ? 'reject' : 'accept');
  } else if (kind < 68) {
    const order = open[below(open.length)];
    if (order === undefined || (order.intent.role !== 'target' && below(4) > 0)) return;
    tally.fills++;
    venue.fill(order.intent.id, below(2) === 0 ? undefined : quantity((0.001 * (1 + below(900))).toFixed(3)));
  } else if (kind < 84) {
    if (venue.isHalted) return;
    const sleeve = below(ALL.length);
    if (venue.desk.wants.latchedSide[sleeve] !== 0) {
      if (below(2) === 0) venue.say({ kind: 'sleeve.rearmed', at: venue.at, sleeve });
      return;
    }
    const size = below(4) === 0 ? 0 : (below(2001) - 1000) / 1000;
    const stance = Math.sign(size);
    venue.want(sleeve, sleeve === 2 ? [size.toFixed(3), (-2 * size).toFixed(3)] : [size.toFixed(3)], {
      stance,
      trailR: 1,
      stopRatio: 0.01 + 0.1 * random.uniform(),
    });
    venue.order();
  } else if (kind < 96) {
    const instrument = below(2);
    const mark = (venue.portfolio.mark[instrument] ?? NaN) * (0.97 + 0.06 * random.uniform());
    venue.bar(instrument, mark, mark * 0.99, mark * 1.01);
  } else if (isHaltAllowed && !venue.isHalted) {
    tally.halts++;
    venue.halt();
  } else if (below(3) === 0) venue.desk.cancelEntries(venue.at, below(2));
}

/** Watches what is sent: every order is judged by what was known when it went out. */
function watch(venue: ScriptedVenue): void {
  const levels = new Map<number, { side: number; price: number }>();
  const send = venue.send.bind(venue);
  venue.send = (intent: OrderIntent): boolean => {
    const net = venue.portfolio.net[intent.instrument] ?? ZERO_QUANTITY;
    if (intent.type !== 'market') {
      assert.ok(intent.role !== 'target' || !venue.isHalted, 'under halt nothing waits');
      const waits = intent.role === 'target' ? intent.shares : [];
      assert.ok(
        waits.every(({ sleeve }) => venue.desk.wants.latchedSide[sleeve] === 0),
        'what a reflex closes waits for no better price',
      );
    }
    if (venue.isHalted) {
      assert.ok(intent.reduceOnly, 'under halt every order is reduce-only');
      assert.equal(signOf(signedQuantity(intent)), -signOf(net), 'and closes what is held');
    }
    if (intent.role === 'disaster') {
      const side = signOf(net);
      const level = toNumber(intent.stopPrice ?? assert.fail('a stop has a price'));
      const before = levels.get(intent.instrument);
      if (before !== undefined && before.side === side) assert.ok(side * (level - before.price) >= 0, 'a disaster stop is only tightened');
      levels.set(intent.instrument, { side, price: level });
    }
    return send(intent);
  };
  const order = venue.order.bind(venue);
  venue.order = (): void => {
    order();
    // Of a pair one leg waits, and the others follow it.
    const waiting = venue.desk.tracker.open.flatMap(({ intent, state }) =>
      intent.role === 'target' && intent.type !== 'market' && state !== 'cancelling' ? intent.shares : [],
    );
    ALL.forEach(({ instruments, name }, index) => {
      const legs = new Set(waiting.filter(({ sleeve }) => sleeve === index).map(({ leg }) => leg));
      assert.ok(legs.size < 2, `${legs.size} of ${instruments.length} legs of ${name} wait`);
    });
  };
  const cancel = venue.cancel.bind(venue);
  venue.cancel = (intent): void => {
    const order = venue.desk.tracker.find(intent.order)?.intent;
    if (order?.role === 'disaster' && signOf(venue.portfolio.net[intent.instrument] ?? ZERO_QUANTITY) === -signOf(signedQuantity(order))) {
      const others = livingStops(venue, 'disaster', intent.instrument).filter(
        (other) => other.id !== order.id && other.side === order.side,
      );
      assert.ok(others.length > 0, 'a disaster stop is cancelled only when another was sent');
    }
    cancel(intent);
  };
  const deliver = venue.tell.bind(venue);
  venue.tell = (report): void => {
    deliver(report);
    venue.instruments.forEach((_, instrument) => {
      const side = signOf(venue.portfolio.net[instrument] ?? ZERO_QUANTITY);
      if (levels.get(instrument)?.side !== side) levels.delete(instrument);
    });
  };
}

/** When all is said: the books agree, everyone has what is wanted, everything held is protected, nothing else is open. */
function checkSettled(venue: ScriptedVenue): void {
  const { portfolio, desk } = venue;
  venue.instruments.forEach((_, instrument) => {
    const net = portfolio.net[instrument] ?? ZERO_QUANTITY;
    assert.equal(format(net), format(venue.position[instrument] ?? ZERO_QUANTITY), 'the sum of the fills is the position');
    const disasters = venue.resting('disaster', instrument);
    assert.equal(disasters.length, isZero(net) ? 0 : 1, `one disaster stop for a net of ${format(net)}`);
    assert.equal(livingStops(venue, 'disaster', instrument).length, disasters.length);
    const owners = (venue.holdings.ofInstrument[instrument] ?? []).filter(
      (holding) => !isZero(portfolio.quantity[holding] ?? ZERO_QUANTITY),
    );
    const isOneSided = new Set(owners.map((holding) => signOf(portfolio.quantity[holding] ?? ZERO_QUANTITY))).size <= 1;
    const singles = owners.filter((holding) => ALL[venue.holdings.sleeve[holding] ?? 0]?.instruments.length === 1);
    const expected = isOneSided ? singles.map((holding) => format(absolute(portfolio.quantity[holding] ?? ZERO_QUANTITY))) : [];
    assert.deepEqual(
      venue
        .resting('stop', instrument)
        .map((stop) => format(stop.quantity))
        .toSorted(),
      expected.toSorted(),
      'a stop of its own for every sleeve on one side',
    );
  });
  portfolio.quantity.forEach((quantityHeld, holding) => {
    const wanted = desk.wants.target[holding] ?? ZERO_QUANTITY;
    const drift = Math.abs(toNumber(subtract(wanted, quantityHeld)));
    // A leg follows the other's drift, in whole lots.
    const lot = ALL[venue.holdings.sleeve[holding] ?? 0]?.instruments.length === 1 ? 0 : 0.001;
    assert.ok(
      drift <= 0.05 * Math.abs(toNumber(wanted)) + lot + 1e-9,
      `holding ${holding} has ${format(quantityHeld)} of ${format(wanted)}`,
    );
  });
  assert.ok(
    desk.tracker.pending.every((each) => isZero(each)),
    'nothing is pending',
  );
  const ticketsOf = (kind: StateChange['kind']): number => venue.said.filter((change) => change.kind === kind).length;
  assert.equal(ticketsOf('ticket.closed'), ticketsOf('ticket.opened'), 'every ticket is closed');
  assert.deepEqual(
    desk.tracker.open.map(({ intent }) => intent.id).toSorted(),
    [...venue.orders.keys()].toSorted(),
    'the desk and the venue know the same orders',
  );
}

/** Looks at every sleeve again, although nothing has changed. */
function planAgain(venue: ScriptedVenue): void {
  ALL.forEach((sleeve, index) => {
    const first = venue.holdings.first[index] ?? 0;
    venue.desk.shrink(
      index,
      sleeve.instruments.map((_, leg) => venue.desk.wants.target[first + leg] ?? ZERO_QUANTITY),
    );
  });
  venue.order();
}

const WORKED: readonly Partial<ExecutionSettings>[] = [
  { algorithm: 'limit-first' },
  { algorithm: 'limit-first', postOnly: true },
  { algorithm: 'iceberg', displayRatio: 0.3 },
  { algorithm: 'twap', slices: 4 },
  { algorithm: 'vwap', slices: 4 },
  { algorithm: 'pov', participationRatio: 0.1 },
  { algorithm: 'almgren-chriss', slices: 5, urgency: 2 },
];
const EXECUTION: ExecutionSettings = {
  algorithm: 'limit-first',
  horizonMs: 50,
  postOnly: false,
  slices: 4,
  urgency: 1,
  participationRatio: 0.1,
  displayRatio: 0.3,
};
const SETTINGS: readonly Partial<DeskSettings>[] = [{}, ...WORKED.map((changes) => worked(changes))];
function worked(changes: Partial<ExecutionSettings> = {}): { execution: ExecutionSettings } {
  return { execution: { ...EXECUTION, ...changes } };
}

for (const [name, settings] of [
  ['at the market', {}] as const,
  ...WORKED.map((changes) => [`by ${Object.values(changes).join(' ')}`, worked(changes)] as const),
]) {
  test(`${name}, whatever the venue does, in whatever order: nothing is ordered twice, nothing stays naked, the books agree in the end`, () =>
    agreesInTheEnd(settings));
}

function agreesInTheEnd(settings: Partial<DeskSettings>): void {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 20, max: 250 }), (seed, steps) => {
      const random = new Random(seed);
      const venue = new ScriptedVenue({ sleeves: ALL, settings });
      watch(venue);
      const tally = { halts: 0, fills: 0 };
      for (let count = 0; count < steps; count++) {
        step(venue, random, false, tally);
        venue.check();
      }
      // What had been refused may go out now; with that, everything wanted is on its way, and nothing twice.
      planAgain(venue);
      const { length } = venue.sent;
      planAgain(venue);
      assert.equal(venue.sent.length, length, 'planning again orders nothing');
      venue.settle();
      venue.check();
      checkSettled(venue);
    }),
    // What a reader found after 150 had passed showed twice in 20,000.
    { numRuns: Number(process.env['BALLAST_DESK_RUNS'] ?? (settings.execution === undefined ? 2_000 : 500)) },
  );
}

for (const settings of SETTINGS) {
  const name = settings.execution?.algorithm ?? 'market';
  test(`halts at random, with orders in flight, never flip nor open a position, and end flat: ${name}`, () => haltsFlat(settings));
}

function haltsFlat(settings: Partial<DeskSettings>): void {
  const tally = { halts: 0, fills: 0 };
  for (let seed = 1; tally.halts < 200; seed++) {
    const random = new Random(seed);
    const venue = new ScriptedVenue({ sleeves: ALL, settings });
    watch(venue);
    for (let count = 0; count < 60; count++) step(venue, random, false, tally);
    while (!venue.isHalted) step(venue, random, true, tally);
    const before = new Set(venue.sent.map((intent) => intent.id));
    for (let count = 0; count < 60; count++) {
      step(venue, random, true, tally);
      venue.check();
    }
    venue.settle();
    assert.ok(
      venue.sent.filter((intent) => !before.has(intent.id)).every((intent) => intent.reduceOnly),
      'only closers since the halt',
    );
    assert.deepEqual(venue.position.map(format), ['0', '0'], `seed ${seed} ends flat`);
    checkSettled(venue);
  }
}

test('a desk saved at any moment and restored goes on as if nothing had been', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 5, max: 120 }), fc.constantFrom(...SETTINGS), (seed, steps, settings) => {
      const venue = new ScriptedVenue({ sleeves: ALL, settings });
      const random = new Random(seed);
      for (let count = 0; count < steps; count++) step(venue, random, true, { halts: 0, fills: 0 });
      const saved = new ByteWriter();
      venue.desk.save(saved);
      const again = new Desk(
        venue.instruments,
        ALL,
        venue.holdings,
        venue.portfolio,
        venue.portfolio.mark,
        { ...DESK_SETTINGS, ...settings },
        venue,
      );
      again.restore(new ByteReader(saved.view().slice()));
      const twice = new ByteWriter();
      again.save(twice);
      assert.deepEqual(twice.view(), saved.view());
      for (const order of venue.desk.tracker.open) {
        const { id } = order.intent;
        const copy = again.tracker.find(id);
        assert.equal(
          copy?.parent?.intent.id,
          order.parent !== undefined && venue.desk.tracker.find(order.parent.intent.id) !== undefined ? order.parent.intent.id : undefined,
        );
      }
      // What it says next is the same too.
      const report = venue.outbox[0];
      if (report === undefined) return;
      const [left, right] = [venue.desk.tracker, again.tracker].map((orders) =>
        report.kind === 'order.amended' ? orders.amended(report) : orders.report(report),
      );
      assert.deepEqual(right?.parts, left?.parts);
      assert.deepEqual(again.tracker.pending, venue.desk.tracker.pending);
    }),
    { numRuns: 100 },
  );
});

test('changes of state that do not concern the desk leave it alone', () => {
  const venue = long();
  const before = new ByteWriter();
  venue.desk.save(before);
  venue.desk.apply({ kind: 'pause.ended', at: venue.at });
  const after = new ByteWriter();
  venue.desk.save(after);
  assert.deepEqual(after.view(), before.view());
  assert.equal(format(add(quantity('1'), quantity('1'))), '2');
  assert.ok(compare(quantity('1'), quantity('2')) < 0);
});
