import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { add, compare, format, quantity, subtract, toNumber, ZERO_QUANTITY, type Quantity } from '../domain/decimal.ts';
import { HOUR_MS, MINUTE_MS, NEVER } from '../domain/time.ts';
import { testInstrument } from '../../test/support/scripted-venue.ts';
import { almgrenChrissWeights } from './algorithms/almgren-chriss.ts';
import { VolumeProfile } from './algorithms/vwap.ts';
import { Tickets, type ExecutionSettings } from './tickets.ts';

const X = testInstrument('X');
const SETTINGS: ExecutionSettings = {
  algorithm: 'twap',
  horizonMs: 100,
  postOnly: false,
  slices: 4,
  urgency: 0,
  participationRatio: 0.1,
  displayRatio: 0.25,
};

function opened(settings: Partial<ExecutionSettings>, wanted = '1'): Tickets {
  const tickets = new Tickets({ ...SETTINGS, ...settings }, [X]);
  const { algorithm } = tickets.settings;
  tickets.open({ kind: 'ticket.opened', at: 1_000, instrument: 0, algorithm, side: 'buy', quantity: quantity(wanted), arrivalPrice: 100 });
  return tickets;
}

/** What goes out now of what is left, and is filled at once. */
function sends(tickets: Tickets, left: Quantity, isResting = false): Quantity {
  const ticket = tickets.of(0) ?? assert.fail();
  const child = tickets.child(0, ticket, left, isResting);
  if (child === undefined) return ZERO_QUANTITY;
  tickets.released(ticket, true);
  return child.quantity;
}

/** Every slice of a ticket by its clock, with when it was due. */
function slicesOf(tickets: Tickets, wanted: string): [number, string][] {
  let left = quantity(wanted);
  const slices: [number, string][] = [];
  for (let at = 1_000; ;) {
    const sent = sends(tickets, left);
    slices.push([at, format(sent)]);
    left = subtract(left, sent);
    at = tickets.nextDueAt;
    if (at === NEVER || toNumber(left) === 0) break;
    tickets.ring(0);
  }
  assert.equal(format(left), '0', 'all of it is let go');
  return slices;
}

describe('slices by the clock', () => {
  test('twap lets equal parts go at equal distances', () => {
    assert.deepEqual(slicesOf(opened({}), '1'), [[1_000, '0.25'], [1_025, '0.25'], [1_050, '0.25'], [1_075, '0.25']]); // prettier-ignore
  });

  test('almgren-chriss trades early, vwap like the market so far, where nothing is known like twap', () => {
    const slices = slicesOf(opened({ algorithm: 'almgren-chriss', urgency: 2 }), '1').map(([, sent]) => Number(sent));
    slices.forEach((sent, slice) => assert.ok(Math.abs(sent - (almgrenChrissWeights(4, 2)[slice] ?? NaN)) < 0.001));
    assert.deepEqual(slicesOf(opened({ algorithm: 'vwap' }), '1').map(([, sent]) => sent), ['0.25', '0.25', '0.25', '0.25']); // prettier-ignore
  });

  test('whatever is wanted more or less meanwhile, the rest is let go by the last of them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('twap', 'vwap', 'almgren-chriss'),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 12, maxLength: 12 }),
        (algorithm, slices, changes) => {
          const tickets = opened({ algorithm, slices, urgency: 3 }, '2');
          let left = quantity('2');
          for (let ring = 0; tickets.nextDueAt !== NEVER; ring++) {
            const sent = sends(tickets, left);
            assert.ok(compare(sent, left) <= 0 && compare(sent, ZERO_QUANTITY) >= 0);
            left = subtract(left, sent);
            const changed = add(left, quantity((0.001 * (changes[ring] ?? 0)).toFixed(3)));
            if (compare(changed, ZERO_QUANTITY) > 0) left = changed;
            tickets.ring(0);
          }
          assert.equal(format(sends(tickets, left)), format(left));
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('a limit first is all of it, and after its time all goes out at the market', () => {
  const tickets = opened({ algorithm: 'limit-first' });
  const ticket = tickets.of(0) ?? assert.fail();
  assert.deepEqual(
    [tickets.child(0, ticket, quantity('1'), false), tickets.nextDueAt],
    [{ quantity: quantity('1'), isLimit: true }, 1_100],
  );
  assert.equal(tickets.ring(0), true);
  assert.deepEqual(
    [tickets.child(0, ticket, quantity('0.4'), false), tickets.nextDueAt],
    [{ quantity: quantity('0.4'), isLimit: false }, NEVER],
  );
});

test('a limit that would take is tried again three times, any other failure crosses at once', () => {
  const tickets = opened({ algorithm: 'limit-first', postOnly: true });
  const ticket = tickets.of(0) ?? assert.fail();
  for (let failure = 1; failure <= 4; failure++) {
    assert.equal(ticket.isCrossing, false);
    tickets.failed(ticket, true);
  }
  assert.equal(ticket.isCrossing, true);
  const other = opened({ algorithm: 'limit-first' });
  other.failed(other.of(0) ?? assert.fail(), false);
  assert.equal(other.of(0)?.isCrossing, true);
});

test('an iceberg shows one tip at a time, of the most that was wanted and never less than the venue takes', () => {
  const tickets = opened({ algorithm: 'iceberg' });
  assert.equal(format(sends(tickets, quantity('1'))), '0.25');
  assert.equal(format(sends(tickets, quantity('0.75'), true)), '0', 'while one rests no other is shown');
  assert.equal(format(sends(tickets, quantity('2'))), '0.5', 'more is wanted by now');
  assert.equal(format(sends(tickets, quantity('0.1'))), '0.1');
  assert.equal(format(sends(opened({ algorithm: 'iceberg' }, '0.002'), quantity('0.002'))), '0.001');
});

test('pov follows the volume of closed bars, once', () => {
  const tickets = opened({ algorithm: 'pov' });
  assert.equal(format(sends(tickets, quantity('1'))), '0');
  assert.equal(tickets.barClosed(0, 1_010, 3), true);
  assert.equal(tickets.barClosed(0, 1_020, 1), true);
  assert.equal(format(sends(tickets, quantity('1'))), '0.4');
  assert.equal(format(sends(tickets, quantity('0.6'))), '0', 'what was followed is done with');
  tickets.barClosed(0, 1_030, 100);
  assert.equal(format(sends(tickets, quantity('0.6'))), '0.6');
  assert.equal(opened({}).barClosed(0, 1_010, 3), false, 'nobody else asks for it');
});

describe('the profile of a day', () => {
  test('is the mean volume of each quarter of an hour, over days and bars of any length', () => {
    const profile = new VolumeProfile();
    profile.add(0, 7);
    for (let day = 0; day < 2; day++) {
      for (let hour = 1; hour <= 24; hour++) profile.add((day * 24 + hour) * HOUR_MS, hour === 10 ? 300 : 100);
    }
    // From 08:00 over four hours: the tenth hour of the day trades three times as much.
    assert.deepEqual([...profile.weights(8 * HOUR_MS, 4 * HOUR_MS, 4)], [1 / 6, 3 / 6, 1 / 6, 1 / 6]);
    const quarters = profile.weights(8 * HOUR_MS + 45 * MINUTE_MS, 30 * MINUTE_MS, 2);
    assert.deepEqual([...quarters], [0.25, 0.75]);
    assert.deepEqual([...new VolumeProfile().weights(0, HOUR_MS, 2)], [0.5, 0.5]);
  });

  test('takes what was never seen for the mean of what was, and no day-long gap for trading', () => {
    const profile = new VolumeProfile();
    profile.add(0, 0);
    profile.add(HOUR_MS, 60);
    profile.add(30 * HOUR_MS, 1e9);
    assert.deepEqual([...profile.weights(0, 2 * HOUR_MS, 2)], [0.5, 0.5]);
  });
});

test('tickets that were saved go on as they were', () => {
  for (const algorithm of ['limit-first', 'iceberg', 'twap', 'vwap', 'pov', 'almgren-chriss'] as const) {
    const tickets = opened({ algorithm });
    tickets.barClosed(0, 1_010, 3);
    tickets.barClosed(0, 1_020, 5);
    tickets.ring(0);
    const saved = new ByteWriter();
    tickets.save(saved);
    const again = new Tickets({ ...SETTINGS, algorithm }, [X]);
    again.restore(new ByteReader(saved.view()));
    assert.deepEqual([again.of(0), again.nextDueAt], [tickets.of(0), tickets.nextDueAt]);
    assert.equal(format(sends(again, quantity('1'))), format(sends(tickets, quantity('1'))));
    const twice = new ByteWriter();
    again.save(twice);
    const now = new ByteWriter();
    tickets.save(now);
    assert.deepEqual(twice.view(), now.view());
  }
});
