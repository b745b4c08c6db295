// What cannot be closed or protected: the venue refuses it, or ends it at once, again and again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { format, quantity, ZERO_QUANTITY } from '../domain/decimal.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { DESK_SETTINGS, ScriptedVenue } from '../../test/support/scripted-venue.ts';
import { Desk } from './desk.ts';

const SLEEVES: readonly Sleeve[] = [{ name: 'a', shareRatio: 0.25, instruments: [0], sources: [] }];
const MOST = 3;

/** One sleeve, long one, with its stops at rest. */
function long(mostFailedCloses: number | undefined = MOST): ScriptedVenue {
  const settings = mostFailedCloses === undefined ? {} : { mostFailedCloses };
  const venue = new ScriptedVenue({ sleeves: SLEEVES, settings });
  venue.want(0, ['1']);
  venue.order();
  venue.settle();
  return venue;
}

const held = (venue: ScriptedVenue): string => format(venue.portfolio.quantity[0] ?? ZERO_QUANTITY);
const closes = (venue: ScriptedVenue): number => venue.sent.filter(({ role, reduceOnly }) => role === 'target' && reduceOnly).length;
const said = (venue: ScriptedVenue, kind: string) => venue.said.filter((change) => change.kind === kind);

/** Whatever is on its way is answered: closes are refused, everything else is taken. */
function refuseCloses(venue: ScriptedVenue): void {
  for (let round = 0; venue.inbox.length + venue.outbox.length > 0; round++) {
    assert.ok(round < 1_000, 'the desk and the venue chase each other');
    const next = venue.inbox[0];
    if (venue.outbox.length > 0) venue.deliver();
    else venue.arrive(0, next !== undefined && 'role' in next && next.role === 'target' && next.reduceOnly ? 'reject' : 'accept');
  }
}

/** So many bars, in each of which the venue refuses to close; how many closes each of them tried. */
function barsOfRefusal(venue: ScriptedVenue, count: number): number[] {
  return Array.from({ length: count }, () => {
    const before = closes(venue);
    venue.bar(0, 100);
    refuseCloses(venue);
    return closes(venue) - before;
  });
}

describe('a close that the venue refuses', () => {
  const closing = (mostFailedCloses?: number): ScriptedVenue => {
    const venue = long(mostFailedCloses);
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    refuseCloses(venue);
    return venue;
  };

  test('is tried once a bar, and after so many in a row the run is halted and says why, once', () => {
    const venue = closing();
    assert.deepEqual(barsOfRefusal(venue, 1), [1]);
    assert.deepEqual([said(venue, 'halt.latched'), said(venue, 'alert.raised')], [[], []]);
    barsOfRefusal(venue, 1);
    const [halt, ...more] = said(venue, 'halt.latched');
    const [alert, ...others] = said(venue, 'alert.raised');
    assert.deepEqual([more, others], [[], []]);
    assert.ok(alert?.kind === 'alert.raised' && alert.rule === 'failed-closes');
    assert.match(alert.why, /^3 orders in a row that close or protect X\S* failed; the last, close \S+: scripted$/);
    assert.ok(halt?.kind === 'halt.latched' && halt.cause === alert.why);
    barsOfRefusal(venue, 200);
    assert.deepEqual([said(venue, 'halt.latched').length, said(venue, 'alert.raised').length], [1, 1]);
  });

  test('is tried less and less often after that, and never not at all', () => {
    const venue = closing();
    // The halt itself tries once more.
    assert.deepEqual(barsOfRefusal(venue, 2), [1, 2]);
    const tries = barsOfRefusal(venue, 300);
    const at = tries.flatMap((count, bar) => (count > 0 ? [bar] : []));
    assert.deepEqual(
      at.slice(1).map((bar, index) => bar - (at[index] ?? 0)),
      [5, 9, 17, 33, 65, 65, 65],
    );
    assert.equal(Math.max(...tries), 1);
    assert.equal(venue.resting('disaster').length, 1, 'its disaster stop rests all the time');
  });

  test('goes out as soon as the venue takes it, and the row begins anew', () => {
    const venue = closing();
    barsOfRefusal(venue, 1);
    venue.settle();
    assert.deepEqual([held(venue), said(venue, 'halt.latched')], ['0', []]);
    // A later one has its own row.
    venue.say({ kind: 'sleeve.rearmed', at: venue.at, sleeve: 0 });
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    refuseCloses(venue);
    barsOfRefusal(venue, 1);
    assert.deepEqual(said(venue, 'halt.latched'), []);
  });

  test('is tried at once when the operator resumes and closes again', () => {
    const venue = closing();
    barsOfRefusal(venue, 30);
    venue.say({ kind: 'halt.released', at: venue.at, by: 'test' });
    const before = closes(venue);
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    venue.settle();
    assert.deepEqual([closes(venue) - before, held(venue)], [1, '0']);
  });

  test('halts nothing where there is no bound, and is tried once a bar', () => {
    const venue = new ScriptedVenue({ sleeves: SLEEVES });
    venue.want(0, ['1']);
    venue.order();
    venue.settle();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    refuseCloses(venue);
    assert.deepEqual(new Set(barsOfRefusal(venue, 50)), new Set([1]));
    assert.deepEqual(said(venue, 'halt.latched'), []);
  });

  test('counts on after a restart', () => {
    const venue = closing();
    barsOfRefusal(venue, 6);
    const out = new ByteWriter();
    venue.desk.save(out);
    const again = new ScriptedVenue({ sleeves: SLEEVES, settings: { mostFailedCloses: MOST } });
    const desk = new Desk(again.instruments, SLEEVES, again.holdings, again.portfolio, again.portfolio.mark, DESK_SETTINGS, again);
    const from = new ByteReader(out.view());
    desk.restore(from);
    assert.ok(from.ended);
    const copy = new ByteWriter();
    desk.save(copy);
    assert.deepEqual(copy.view(), out.view());
  });
});

describe('what the venue ends by itself', () => {
  /** The venue takes away everything of one kind that rests, by itself. */
  function takesAway(venue: ScriptedVenue, role: 'stop' | 'disaster' | 'target'): void {
    for (const [id, { intent }] of venue.orders) {
      if (intent.role !== role) continue;
      venue.orders.delete(id);
      venue.tell({
        kind: 'order.cancelled',
        at: venue.at,
        happenedAt: venue.at,
        instrument: 0,
        order: id,
        reason: 'by the venue',
        fill: undefined,
      });
    }
  }

  for (const role of ['stop', 'disaster'] as const) {
    test(`a ${role} that was resting is set again at once, and when it never stays the run is halted and closes`, () => {
      const venue = long();
      takesAway(venue, role);
      refuseCloses(venue);
      assert.equal(venue.resting(role).length, 1, 'at once');
      takesAway(venue, role);
      refuseCloses(venue);
      assert.equal(venue.resting(role).length, 0, 'from the second time on with the next bar');
      venue.bar(0, 100);
      refuseCloses(venue);
      assert.deepEqual([venue.resting(role).length, said(venue, 'halt.latched')], [1, []]);
      takesAway(venue, role);
      assert.equal(said(venue, 'halt.latched').length, 1);
      venue.settle();
      assert.equal(held(venue), '0');
    });
  }

  test('a close that ends unfilled is tried again at once, then once a bar, then the run is halted', () => {
    const venue = long();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    const endAtOnce = (): void => {
      for (let round = 0; venue.inbox.length + venue.outbox.length > 0; round++) {
        assert.ok(round < 100, 'the desk and the venue chase each other');
        if (venue.outbox.length > 0) venue.deliver();
        else venue.arrive();
        if (venue.inbox.length + venue.outbox.length === 0) takesAway(venue, 'target');
      }
    };
    endAtOnce();
    assert.equal(closes(venue), 2);
    venue.bar(0, 100);
    endAtOnce();
    assert.equal(said(venue, 'halt.latched').length, 1);
    for (let bar = 0; bar < 100; bar++) {
      venue.bar(0, 100);
      endAtOnce();
    }
    assert.ok(closes(venue) < 12, `${closes(venue)} closes in 100 bars`);
  });

  test('a stop that the venue takes away long after the last time begins a new row', () => {
    const venue = long();
    for (let time = 0; time < 10; time++) {
      takesAway(venue, 'stop');
      refuseCloses(venue);
      for (let bar = 0; bar < 3; bar++) {
        venue.bar(0, 100);
        refuseCloses(venue);
      }
    }
    assert.deepEqual(said(venue, 'halt.latched'), []);
    assert.equal(venue.resting('stop').length, 1);
  });

  test('a close that has filled a part is no failure', () => {
    const venue = long();
    venue.say({ kind: 'sleeve.closed', at: venue.at, sleeve: 0, because: 'test' });
    venue.order();
    for (let time = 0; time < 5; time++) {
      while (venue.inbox.length + venue.outbox.length > 0) {
        if (venue.outbox.length > 0) venue.deliver();
        else venue.arrive();
      }
      const open = [...venue.orders.values()].find(({ intent }) => intent.role === 'target');
      if (open === undefined) break;
      venue.fill(open.intent.id, quantity('0.1'));
      venue.deliver();
      takesAway(venue, 'target');
    }
    assert.deepEqual([held(venue), said(venue, 'halt.latched')], ['0.5', []]);
  });
});

test('where no stop can rest, none is sent, with the entry or after it, and the engine closes at the level all the same', () => {
  const venue = new ScriptedVenue({ sleeves: SLEEVES, settings: { holdsStops: true } });
  venue.want(0, ['1']);
  venue.order();
  venue.settle();
  assert.equal(held(venue), '1');
  venue.bar(0, 100);
  venue.settle();
  assert.deepEqual(
    venue.sent.map(({ role, attached }) => [role, attached.length]),
    [['target', 0]],
  );
  venue.bar(0, 50);
  venue.settle();
  assert.equal(said(venue, 'sleeve.stopped').length, 1);
  assert.equal(held(venue), '0');
});
