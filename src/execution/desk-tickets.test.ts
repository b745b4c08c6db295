// How the desk works a ticket with a venue that answers: what rests, what is called back, and what never waits.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { format, quantity, ZERO_QUANTITY } from '../domain/decimal.ts';
import type { OrderIntent } from '../domain/order.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { ScriptedVenue, testInstrument } from '../../test/support/scripted-venue.ts';
import type { ExecutionSettings } from './tickets.ts';

const single = (name: string): Sleeve => ({ name, shareRatio: 0.25, instruments: [0], sources: [] });
const ONE = [single('a')];
const PAIR: readonly Sleeve[] = [{ name: 'pair', shareRatio: 0.5, instruments: [0, 1], sources: [] }];
const TWO = [single('a'), single('b')];
const EXECUTION: ExecutionSettings = {
  algorithm: 'limit-first',
  horizonMs: 1_000,
  postOnly: false,
  slices: 4,
  urgency: 0,
  participationRatio: 0.1,
  displayRatio: 0.25,
};

const scripted = (sleeves: readonly Sleeve[], changes: Partial<ExecutionSettings> = {}): ScriptedVenue =>
  new ScriptedVenue({ sleeves, settings: { execution: { ...EXECUTION, ...changes } } });
const held = (venue: ScriptedVenue, holding = 0): string => format(venue.portfolio.quantity[holding] ?? ZERO_QUANTITY);
const told = (venue: ScriptedVenue): string[] =>
  venue.said.flatMap((change) =>
    change.kind === 'ticket.opened'
      ? [`${change.algorithm} ${change.side} ${format(change.quantity)} from ${change.arrivalPrice}`]
      : change.kind === 'ticket.closed'
        ? [change.because]
        : [],
  );

/** Orders that are to bring something, as text. */
function targets(venue: ScriptedVenue): string[] {
  return venue.sent
    .filter(({ role }) => role === 'target')
    .map(({ type, side, quantity: size, limitPrice, reduceOnly }: OrderIntent) =>
      [
        type,
        side,
        format(size),
        ...(limitPrice === undefined ? [] : [`at ${format(limitPrice)}`]),
        ...(reduceOnly ? ['reduce-only'] : []),
      ].join(' '),
    );
}

/** Ids of the orders that were called back, protective stops apart. */
const calledBack = (venue: ScriptedVenue): string[] =>
  venue.cancels.flatMap(({ order }) => (venue.sent.some(({ id, role }) => id === order && role === 'target') ? [order] : []));

/** Everything on its way arrives and is heard of; nothing is filled. */
function answer(venue: ScriptedVenue): void {
  while (venue.inbox.length + venue.outbox.length > 0) {
    if (venue.outbox.length > 0) venue.deliver();
    else venue.arrive();
  }
}

function want(venue: ScriptedVenue, sleeve: number, target: string, stance?: number): void {
  venue.want(sleeve, [target], stance === undefined ? {} : { stance });
  venue.order();
  answer(venue);
}

describe('limit first', () => {
  test('rests at the last price with its stops attached, and when it has filled its ticket is closed', () => {
    const venue = scripted(ONE);
    want(venue, 0, '1');
    assert.deepEqual(targets(venue), ['limit buy 1 at 100']);
    assert.deepEqual(
      venue.sent[0]?.attached.map(({ role }) => role),
      ['stop', 'disaster'],
    );
    venue.bar(0, 101);
    assert.equal(venue.sent.length, 1, 'nothing is ordered twice');
    venue.fill('1-1');
    answer(venue);
    assert.deepEqual([held(venue), told(venue)], ['1', ['limit-first buy 1 from 100', 'nothing is left of it']]);
    assert.equal(venue.desk.nextTicketAt, Infinity);
  });

  test('what is left at the end is called back, and only once it has ended goes out at the market', () => {
    const venue = scripted(ONE);
    want(venue, 0, '1');
    venue.fill('1-1', quantity('0.3'));
    answer(venue);
    venue.ring();
    assert.deepEqual([calledBack(venue), targets(venue).length], [['1-1'], 1], 'it may still fill');
    // And it does, a little.
    venue.fill('1-1', quantity('0.2'));
    answer(venue);
    assert.deepEqual(targets(venue), ['limit buy 1 at 100', 'market buy 0.5']);
    venue.settle();
    assert.deepEqual([held(venue), told(venue).at(-1)], ['1', 'nothing is left of it']);
  });

  test('is called back when something else is wanted, and the other thing waits until it has ended', () => {
    const venue = scripted(ONE);
    want(venue, 0, '1');
    venue.want(0, ['-1']);
    venue.order();
    assert.deepEqual([calledBack(venue).length, targets(venue)], [1, ['limit buy 1 at 100']]);
    answer(venue);
    assert.deepEqual(targets(venue), ['limit buy 1 at 100', 'limit sell 1 at 100']);
    assert.deepEqual(told(venue), ['limit-first buy 1 from 100', 'the opposite is wanted', 'limit-first sell 1 from 100']);
  });

  test('of a smaller want rests with less, of a larger one the old order stays and another joins it', () => {
    const venue = scripted(ONE);
    want(venue, 0, '1');
    want(venue, 0, '0.4');
    assert.deepEqual(targets(venue), ['limit buy 1 at 100', 'limit buy 0.4 at 100']);
    want(venue, 0, '0.9');
    assert.deepEqual([targets(venue).at(-1), calledBack(venue).length], ['limit buy 0.5 at 100', 1]);
    venue.settle();
    assert.equal(held(venue), '0.9');
  });

  test('rejected, or ended by the venue, is no refusal: it goes out at the market', () => {
    const venue = scripted(ONE);
    venue.want(0, ['1']);
    venue.order();
    venue.arrive(0, 'reject');
    answer(venue);
    assert.deepEqual(targets(venue), ['limit buy 1 at 100', 'market buy 1']);
    venue.settle();
    assert.equal(held(venue), '1');
  });

  test('post-only, rejected, lies a step further behind each time, and crosses after the third', () => {
    const venue = scripted(ONE, { postOnly: true });
    venue.want(0, ['-1']);
    venue.order();
    for (let times = 0; times < 4; times++) {
      venue.arrive(0, 'reject');
      while (venue.outbox.length > 0) venue.deliver();
    }
    assert.deepEqual(targets(venue), [
      'post-only sell 1 at 100',
      'post-only sell 1 at 100.01',
      'post-only sell 1 at 100.02',
      'post-only sell 1 at 100.03',
      'market sell 1',
    ]);
  });

  test('what gate two refuses is withdrawn, and its ticket closed', () => {
    const venue = scripted(ONE);
    venue.refuses = () => true;
    want(venue, 0, '1');
    assert.deepEqual([targets(venue), told(venue)], [[], ['limit-first buy 1 from 100', 'nothing is left of it']]);
  });
});

describe('what never waits', () => {
  /** Long one, and a limit to sell it resting. */
  function leaving(sleeves: readonly Sleeve[] = ONE): ScriptedVenue {
    const venue = scripted(sleeves);
    want(venue, 0, '1');
    venue.fill('1-1');
    answer(venue);
    want(venue, 0, '0', 0);
    assert.equal(targets(venue).at(-1), 'limit sell 1 at 100 reduce-only');
    return venue;
  }

  test('a stop that the engine holds: the resting exit does not count any more, and the position is closed at the market at once', () => {
    const venue = leaving();
    venue.say({ kind: 'sleeve.stopped', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    assert.deepEqual([calledBack(venue).length, targets(venue).at(-1)], [1, 'market sell 1 reduce-only']);
    venue.settle();
    assert.deepEqual([held(venue), venue.orders.size], ['0', 0]);
  });

  test('a stop that fills at the venue leaves nothing that would open the other side', () => {
    const venue = leaving();
    venue.fill(venue.resting('stop')[0]?.id ?? '');
    venue.settle();
    assert.deepEqual([held(venue), format(venue.position[0] ?? ZERO_QUANTITY)], ['0', '0']);
    assert.equal(targets(venue).length, 2);
  });

  test('a sleeve that was stopped closes at the market while another goes on resting', () => {
    const venue = scripted(TWO);
    want(venue, 0, '1');
    venue.fill('1-1');
    answer(venue);
    want(venue, 1, '-3');
    assert.equal(targets(venue).at(-1), 'limit sell 3 at 100');
    venue.say({ kind: 'sleeve.stopped', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    assert.equal(targets(venue).at(-1), 'market sell 1 reduce-only');
    assert.equal(calledBack(venue).length, 0, 'the other one stands');
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['0', '-3']);
  });

  test('a stopped sleeve crosses with what another wants, and its limit is called back', () => {
    const venue = scripted(TWO);
    want(venue, 0, '1');
    venue.fill('1-1');
    answer(venue);
    want(venue, 1, '1');
    assert.equal(targets(venue).at(-1), 'limit buy 1 at 100');
    venue.say({ kind: 'sleeve.stopped', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    assert.deepEqual([venue.crossings.length, calledBack(venue).length], [1, 1]);
    venue.settle();
    assert.deepEqual([held(venue, 0), held(venue, 1)], ['0', '1']);
  });

  test('a halt: the entry is called back, what is held is closed at the market, and what still fills too', () => {
    const venue = scripted(ONE);
    want(venue, 0, '1');
    venue.fill('1-1', quantity('0.4'));
    answer(venue);
    venue.halt();
    assert.deepEqual([calledBack(venue).length, targets(venue).at(-1)], [1, 'market sell 0.4 reduce-only']);
    venue.fill('1-1', quantity('0.1'));
    venue.settle();
    assert.deepEqual([held(venue), venue.orders.size, told(venue).length], ['0', 0, 2]);
  });

  test('a pause: what is left of entries is not wanted any more, what is held stays', () => {
    const venue = scripted(ONE, { algorithm: 'twap' });
    want(venue, 0, '1');
    venue.fill('1-1');
    answer(venue);
    venue.say({ kind: 'pause.began', at: venue.at, until: venue.at + 1, cause: 'test' });
    venue.order();
    venue.settle();
    assert.deepEqual([held(venue), told(venue).at(-1)], ['0.25', 'nothing is left of it']);
  });

  test('the legs of a pair, where what waits would be slices: half of one is a bet that nobody made', () => {
    for (const algorithm of ['twap', 'vwap', 'pov', 'almgren-chriss'] as const) {
      const venue = scripted(PAIR, { algorithm });
      venue.want(0, ['1', '-2'], { stance: 1 });
      venue.order();
      assert.deepEqual([targets(venue), told(venue)], [['market buy 1', 'market sell 2'], []]);
    }
  });
});

describe('a pair where orders rest', () => {
  /** Both have traded: the first instrument 5,000 a bar, the second 500. The pair is wanted, and what was sent has arrived. */
  const pair = (changes: Partial<ExecutionSettings> = {}): ScriptedVenue => {
    const venue = scripted(PAIR, changes);
    venue.bar(0, 100, 100, 100, 50);
    venue.bar(1, 50, 50, 50, 10);
    wantPair(venue, '1', '-2');
    return venue;
  };
  const wantPair = (venue: ScriptedVenue, first: string, second: string): void => {
    venue.want(0, [first, second], { stance: 1 });
    venue.order();
    answer(venue);
  };
  const both = (venue: ScriptedVenue): string[] => [held(venue, 0), held(venue, 1)];
  const fillThin = (venue: ScriptedVenue, size: string): void => {
    const resting = [...venue.orders.values()].find(({ intent, isResting }) => isResting && intent.type === 'limit');
    venue.fill(resting?.intent.id ?? assert.fail('a leg rests'), quantity(size));
    answer(venue);
  };

  test('its thinner leg rests first, and the other follows at the market in proportion of what was filled', () => {
    const venue = pair();
    assert.deepEqual(targets(venue), ['limit sell 2 at 50']);
    fillThin(venue, '0.5');
    assert.deepEqual(targets(venue).slice(1), ['market buy 0.25']);
    venue.fill('1-3');
    answer(venue);
    assert.deepEqual([both(venue), venue.desk.leggedSince[0]], [['0.25', '-0.5'], NaN]);
    fillThin(venue, '1.5');
    assert.deepEqual(targets(venue).slice(2), ['market buy 0.75']);
    venue.settle();
    assert.deepEqual(
      [both(venue), targets(venue).length, told(venue)],
      [['1', '-2'], 3, ['limit-first sell 2 from 50', 'nothing is left of it']],
    );
  });

  test('which leg is the thinner one is what the bars have traded, of late', () => {
    const venue = pair();
    venue.settle();
    for (let bar = 0; bar < 60; bar++) {
      venue.bar(0, 100, 100, 100, 1);
      venue.bar(1, 50, 50, 50, 100);
    }
    wantPair(venue, '2', '-4');
    assert.deepEqual(targets(venue).at(-1), 'limit buy 1 at 100');
  });

  test('even the last fill, smaller than the band of drift, is followed', () => {
    const venue = pair();
    fillThin(venue, '1.96');
    venue.fill('1-3');
    answer(venue);
    assert.deepEqual(both(venue), ['0.98', '-1.96']);
    fillThin(venue, '0.04');
    venue.settle();
    assert.deepEqual(both(venue), ['1', '-2']);
  });

  test('it goes out as it came in: the thinner leg rests, the other shrinks with it', () => {
    const venue = pair();
    venue.settle();
    const before = targets(venue).length;
    wantPair(venue, '0', '0');
    assert.deepEqual(targets(venue).slice(before), ['limit buy 2 at 50 reduce-only']);
    fillThin(venue, '0.5');
    assert.deepEqual(targets(venue).slice(before + 1), ['market sell 0.25 reduce-only']);
    venue.settle();
    assert.deepEqual(both(venue), ['0', '0']);
  });

  test('once patience is over the rest of it goes at the market, and the other follows', () => {
    const venue = pair();
    fillThin(venue, '1');
    venue.fill('1-3');
    answer(venue);
    venue.ring();
    answer(venue);
    assert.deepEqual(targets(venue).slice(2), ['market sell 1']);
    venue.settle();
    assert.deepEqual(both(venue), ['1', '-2']);
  });

  test('an iceberg shows a part of the thinner leg at a time, and the other follows each', () => {
    const venue = pair({ algorithm: 'iceberg' });
    assert.deepEqual(targets(venue), ['limit sell 0.5 at 50']);
    fillThin(venue, '0.5');
    assert.deepEqual(targets(venue).slice(1), ['market buy 0.25', 'limit sell 0.5 at 50']);
    venue.settle();
    assert.deepEqual(both(venue), ['1', '-2']);
  });

  test('a stop on its spread calls back what rests and closes all legs at the market, at once', () => {
    const venue = pair();
    fillThin(venue, '1');
    venue.fill('1-3');
    answer(venue);
    const before = targets(venue).length;
    venue.bar(0, 89);
    assert.ok(venue.said.some(({ kind }) => kind === 'sleeve.stopped'));
    assert.deepEqual(calledBack(venue), ['1-1']);
    assert.deepEqual(targets(venue).slice(before), ['market sell 0.5 reduce-only', 'market buy 1 reduce-only']);
    venue.settle();
    assert.deepEqual([both(venue), venue.orders.size], [['0', '0'], 0]);
  });

  test('where the other leg does not follow, the pair is on one leg, within its time and money', () => {
    const venue = pair();
    fillThin(venue, '1');
    assert.deepEqual(both(venue), ['0', '-1']);
    assert.equal(venue.desk.leggedDue(0), (venue.desk.leggedSince[0] ?? NaN) + 1_000);
    venue.portfolio.markAt(1, 61);
    venue.desk.checkLeggedLoss(0, 1_000, venue.at);
    assert.ok(venue.said.some(({ kind }) => kind === 'sleeve.closed'));
    venue.order();
    venue.settle();
    assert.deepEqual(both(venue), ['0', '0']);
  });

  test('a pause: what has come of both legs stays, the rest of neither is wanted any more', () => {
    const venue = pair();
    fillThin(venue, '0.5');
    venue.say({ kind: 'pause.began', at: venue.at, until: venue.at + 1, cause: 'test' });
    venue.order();
    venue.settle();
    assert.deepEqual([both(venue), calledBack(venue), venue.desk.leggedSince[0]], [['0.25', '-0.5'], ['1-1'], NaN]);
  });

  test('the other leg is refused: the pair is given up', () => {
    const venue = pair();
    venue.refuses = (intent) => intent.instrument === 0 && !intent.reduceOnly;
    fillThin(venue, '0.5');
    assert.ok(venue.said.some((change) => change.kind === 'sleeve.closed' && /a leg of the pair was refused/.test(change.because)));
    venue.settle();
    assert.deepEqual(both(venue), ['0', '0']);
  });

  test('of three legs the thinnest rests, and a leg that is left out is none of them', () => {
    const basket = { name: 'basket', shareRatio: 0.5, instruments: [0, 1, 2], sources: [] };
    const make = (): ScriptedVenue => {
      const venue = new ScriptedVenue({
        sleeves: [basket],
        instruments: ['X', 'Y', 'Z'].map((each) => testInstrument(each)),
        marks: [100, 50, 10],
        settings: { execution: EXECUTION },
      });
      [100, 50, 10].forEach((mark, instrument) => venue.bar(instrument, mark, mark, mark, [10, 5, 1][instrument]));
      return venue;
    };
    const venue = make();
    venue.want(0, ['1', '-1', '-4'], { stance: 1 });
    venue.order();
    answer(venue);
    assert.deepEqual(targets(venue), ['limit sell 4 at 10']);
    fillThin(venue, '1');
    assert.deepEqual(targets(venue).slice(1), ['market buy 0.25', 'market sell 0.25']);
    venue.settle();
    assert.deepEqual(
      [0, 1, 2].map((leg) => held(venue, leg)),
      ['1', '-1', '-4'],
    );

    const without = make();
    without.want(0, ['1', '-1', '0'], { stance: 1 });
    without.order();
    answer(without);
    assert.deepEqual(targets(without), ['limit sell 1 at 50']);
    without.settle();
    assert.deepEqual([[0, 1, 2].map((leg) => held(without, leg)), without.desk.leggedSince[0]], [['1', '-1', '0'], NaN]);
  });

  test('what goes first is part of the state', () => {
    const venue = pair();
    fillThin(venue, '0.5');
    const out = new ByteWriter();
    venue.desk.save(out);
    const again = scripted(PAIR);
    const from = new ByteReader(out.view());
    again.desk.restore(from);
    assert.ok(from.ended);
    const twice = new ByteWriter();
    again.desk.save(twice);
    assert.deepEqual(twice.view(), out.view());
  });
});

describe('slices', () => {
  test('go out by the clock, each with the stop of what is held by then', () => {
    const venue = scripted(ONE, { algorithm: 'twap' });
    want(venue, 0, '1');
    assert.deepEqual(
      venue.sent[0]?.attached.map(({ quantity: size }) => format(size)),
      ['0.25', '0.25'],
    );
    for (let slice = 1; slice < 4; slice++) {
      venue.pump();
      assert.equal(held(venue), String(0.25 * slice));
      assert.deepEqual(
        venue.resting('stop').map(({ quantity: size }) => format(size)),
        [String(0.25 * slice)],
      );
      venue.bar(0, 100);
      assert.equal(targets(venue).length, slice, 'nothing before its time');
      venue.ring();
    }
    venue.settle();
    assert.deepEqual([held(venue), targets(venue)], ['1', Array.from({ length: 4 }, () => 'market buy 0.25')]);
    assert.deepEqual(told(venue), ['twap buy 1 from 100', 'nothing is left of it']);
  });

  test('too small for the venue wait for the next, and the last takes the dust along', () => {
    const venue = scripted(ONE, { algorithm: 'twap' });
    want(venue, 0, '0.003');
    venue.settle();
    assert.deepEqual([held(venue), targets(venue)], ['0.003', ['market buy 0.001', 'market buy 0.001', 'market buy 0.001']]);
  });

  test('follow the volume of bars, and what is left at the end goes out at once', () => {
    const venue = scripted(ONE, { algorithm: 'pov' });
    want(venue, 0, '1');
    venue.bar(0, 100);
    venue.pump();
    venue.bar(0, 100);
    venue.pump();
    assert.deepEqual([held(venue), targets(venue)], ['0.2', ['market buy 0.1', 'market buy 0.1']]);
    venue.ring();
    assert.equal(targets(venue).at(-1), 'market buy 0.8');
  });

  test('an iceberg shows the next tip when one has filled', () => {
    const venue = scripted(ONE, { algorithm: 'iceberg' });
    want(venue, 0, '1');
    venue.fill('1-1');
    answer(venue);
    assert.deepEqual(targets(venue), ['limit buy 0.25 at 100', 'limit buy 0.25 at 100']);
    venue.settle();
    assert.equal(held(venue), '1');
  });
});
