import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  negate,
  price,
  quantity,
  signOf,
  subtract,
  ZERO_QUANTITY,
  type Quantity,
} from '../domain/decimal.ts';
import type { OrderAmended, OrderReport } from '../domain/event.ts';
import { isOpen, sumOfShares, type OrderIntent, type Share } from '../domain/order.ts';
import { HOUR_MS } from '../domain/time.ts';
import { layOut, type Sleeve } from '../domain/sleeve.ts';
import { awaitsParent, OrderTracker } from './tracker.ts';

const SLEEVES: readonly Sleeve[] = [
  { name: 'a', shareRatio: 0.3, instruments: [0], sources: [] },
  { name: 'b', shareRatio: 0.3, instruments: [0], sources: [] },
  { name: 'pair', shareRatio: 0.3, instruments: [1, 0], sources: [] },
];
const HOLDINGS = layOut(SLEEVES, 2);
const LOT = quantity('0.001');

const tracker = (): OrderTracker => new OrderTracker(HOLDINGS, [LOT, LOT]);

function intent(
  id: string,
  shares: readonly (readonly [sleeve: number, leg: number, quantity: string])[],
  changes: Partial<OrderIntent> = {},
): OrderIntent {
  const divided: Share[] = shares.map(([sleeve, leg, text]) => ({ sleeve, leg, quantity: quantity(text) }));
  const total = sumOfShares(divided);
  return {
    id,
    at: 1,
    instrument: 0,
    side: signOf(total) < 0 ? 'sell' : 'buy',
    type: 'market',
    role: 'target',
    quantity: absolute(total),
    limitPrice: undefined,
    stopPrice: undefined,
    reduceOnly: false,
    wholePosition: false,
    shares: divided,
    attached: [],
    ...changes,
  };
}

function stop(id: string, text: string): OrderIntent {
  return intent(id, [[0, 0, text]], { type: 'stop', role: 'stop', reduceOnly: true, stopPrice: price('90') });
}

function say(kind: OrderReport['kind'], order: string): OrderReport {
  return { kind, at: 2, happenedAt: 2, instrument: 0, order, reason: '', fill: undefined };
}

let fills = 0;
function fill(order: string, text: string, id = `f${++fills}`): OrderReport {
  return {
    ...say('order.filled', order),
    fill: { id, price: price('100'), quantity: quantity(text), fee: amount('0'), liquidity: 'taker' },
  };
}

const pending = (orders: OrderTracker): string[] => orders.pending.map(format);
const parts = (orders: OrderTracker, report: OrderReport): [number, string][] =>
  (orders.report(report)?.parts ?? []).map((part) => [part.holding, format(part.quantity)]);

describe('states', () => {
  test('an order is submitted, works, fills and is remembered', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    assert.equal(orders.find('1-1')?.state, 'submitted');
    assert.deepEqual(pending(orders), ['2', '0', '0', '0']);
    orders.report(say('order.accepted', '1-1'));
    assert.equal(orders.find('1-1')?.state, 'working');
    assert.deepEqual(parts(orders, fill('1-1', '0.5')), [[0, '0.5']]);
    const order = orders.find('1-1');
    assert.ok(order !== undefined);
    assert.deepEqual(parts(orders, fill('1-1', '1.5')), [[0, '1.5']]);
    assert.deepEqual([orders.open.length, orders.find('1-1')?.state, pending(orders)], [0, 'filled', ['0', '0', '0', '0']]);
  });

  test('a report on a stranger is nobody’s', () => assert.equal(tracker().report(say('order.accepted', '9-9')), undefined));

  test('an id is used once', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    assert.throws(() => orders.submitted(intent('1-1', [[0, 0, '2']])), /order id 1-1 is used once/);
  });

  test('fills that come before the answer count, and the answer changes nothing', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    orders.report(fill('1-1', '1'));
    assert.equal(orders.find('1-1')?.state, 'working');
    orders.report(fill('1-1', '1'));
    orders.report(say('order.accepted', '1-1'));
    assert.equal(orders.find('1-1')?.state, 'filled');
  });

  test('no answer is a doubt, which still counts, until the venue speaks', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    const order = orders.find('1-1');
    assert.ok(order !== undefined);
    orders.inDoubt(order);
    assert.deepEqual([order.state, pending(orders)[0]], ['in-doubt', '2']);
    orders.report(say('order.accepted', '1-1'));
    orders.inDoubt(order);
    assert.equal(order.state, 'working');
  });

  test('what is being cancelled still counts, except under halt', () => {
    for (const [uncount, left] of [
      [false, '1.5'],
      [true, '0'],
    ] as const) {
      const orders = tracker();
      orders.submitted(intent('1-1', [[0, 0, '2']]));
      orders.report(fill('1-1', '0.5'));
      const order = orders.find('1-1');
      assert.ok(order !== undefined);
      orders.cancelling(order, uncount);
      assert.deepEqual([order.state, pending(orders)[0]], ['cancelling', left]);
      // A fill that races the cancel is real, and does not count twice.
      assert.deepEqual(parts(orders, fill('1-1', '0.25')), [[0, '0.25']]);
      assert.equal(order.state, 'cancelling');
      orders.report(say('order.cancelled', '1-1'));
      assert.deepEqual([order.state, pending(orders)[0]], ['cancelled', '0']);
      orders.cancelling(order, true);
      assert.equal(order.state, 'cancelled');
    }
  });

  test('F19: a late fill after a cancel still counts, and completes the order when it is all of it', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    orders.report(say('order.cancelled', '1-1'));
    assert.deepEqual(parts(orders, fill('1-1', '0.5')), [[0, '0.5']]);
    assert.deepEqual([orders.find('1-1')?.state, pending(orders)[0]], ['cancelled', '0']);
    orders.report(fill('1-1', '1.5'));
    assert.deepEqual([orders.find('1-1')?.state, orders.open.length], ['filled', 0]);
  });

  test('rejected and expired orders no longer count', () => {
    for (const kind of ['order.rejected', 'order.expired'] as const) {
      const orders = tracker();
      orders.submitted(intent('1-1', [[0, 0, '2']]));
      orders.report(say(kind, '1-1'));
      assert.deepEqual([orders.find('1-1')?.state, pending(orders)[0]], [kind.slice(6), '0']);
      orders.report(say('order.accepted', '1-1'));
      assert.equal(orders.find('1-1')?.state, kind.slice(6));
    }
  });

  test('what a report says that was expected is told apart: an order comes to rest, a stop ends that was cancelled', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    assert.equal(orders.report(say('order.accepted', '1-1'))?.news, 'expected');
    const working = orders.find('1-1');
    assert.ok(working !== undefined);
    orders.cancelling(working, false);
    assert.equal(orders.report(say('order.cancelled', '1-1'))?.news, 'news', 'what a target would have brought is missing now');
    assert.equal(orders.report(say('order.accepted', '1-1'))?.news, 'news', 'it came back to life');
    orders.submitted({ ...intent('1-2', [[0, 0, '2']]), role: 'stop' });
    assert.equal(orders.report(say('order.cancelled', '1-2'))?.news, 'news', 'nobody asked for that');
    orders.submitted({ ...intent('1-3', [[0, 0, '2']]), role: 'stop' });
    const stop = orders.find('1-3');
    assert.ok(stop !== undefined);
    orders.cancelling(stop, false);
    assert.equal(orders.report(say('order.cancelled', '1-3'))?.news, 'expected');
  });

  test('a stop on the whole position that fills in parts is remembered, however far it has grown beyond what it was set for', () => {
    let orders = tracker();
    orders.submitted(
      intent('d', [], {
        type: 'stop',
        role: 'disaster',
        side: 'sell',
        quantity: quantity('0.3'),
        wholePosition: true,
        stopPrice: price('90'),
      }),
    );
    orders.report(say('order.accepted', 'd'));
    for (let part = 1; part <= 3; part++) {
      assert.equal(orders.report({ ...fill('d', '1'), at: part * 24 * HOUR_MS })?.news, 'news', `part ${part}`);
      for (let other = 0; other < 50; other++) {
        orders.submitted(intent(`${part}-${other}`, [[0, 0, '1']]));
        orders.report({ ...say('order.rejected', `${part}-${other}`), at: (part * 24 + 12) * HOUR_MS });
      }
      // As a resumed session has it.
      const saved = new ByteWriter();
      orders.save(saved);
      orders = tracker();
      orders.restore(new ByteReader(saved.view()));
    }
    assert.equal(format(orders.find('d')?.filled ?? ZERO_QUANTITY), '3');
    assert.equal(orders.find('1-0'), undefined);
  });

  test('ended orders are remembered for an hour of market time, and the last 32 however long', () => {
    const orders = tracker();
    for (let index = 1; index <= 100; index++) {
      orders.submitted(intent(`1-${index}`, [[0, 0, '1']]));
      orders.report({ ...say('order.rejected', `1-${index}`), at: index < 50 ? 1_000 : 1_000 + HOUR_MS });
    }
    assert.equal(orders.find('1-49'), undefined, 'an hour ago, and 51 have ended since');
    assert.equal(orders.find('1-50')?.state, 'rejected', 'within the hour');
    for (let index = 101; index <= 132; index++) {
      orders.submitted(intent(`1-${index}`, [[0, 0, '1']]));
      orders.report({ ...say('order.rejected', `1-${index}`), at: 1_000 + index * HOUR_MS });
    }
    assert.equal(orders.find('1-100'), undefined);
    assert.equal(orders.find('1-101')?.state, 'rejected', 'hours ago, but one of the last 32');
  });
});

test('a restored tracker forgets what the saved one forgets, whatever came back to life', () => {
  const saved = tracker();
  let numbers = 0;
  const end = (orders: OrderTracker, at: number, id = `9-${++numbers}`): void => {
    orders.submitted(intent(id, [[0, 0, '1']]));
    orders.report({ ...say('order.cancelled', id), at });
  };
  end(saved, 1);
  saved.submitted(intent('1-1', [[0, 0, '2']], { attached: [stop('1-2', '-2')] }));
  saved.report({ ...say('order.cancelled', '1-1'), at: 10 });
  // The fill was late: its stop is alive again.
  saved.report({ ...fill('1-1', '2'), at: 11 });
  assert.equal(saved.find('1-2')?.state, 'working');
  const later = 2 * HOUR_MS;
  for (let index = 0; index < 29; index++) end(saved, later);
  const bytes = new ByteWriter();
  saved.save(bytes);
  const restored = tracker();
  restored.restore(new ByteReader(bytes.view().slice()));
  const states = [saved, restored].map((orders) => {
    for (let index = 0; index < 5; index++) end(orders, later, `8-${index}`);
    const state = new ByteWriter();
    orders.save(state);
    return Buffer.from(state.view()).toString('hex');
  });
  assert.equal(states[1], states[0]);
});

describe('fills', () => {
  test('a fill id counts once, however long after, and other orders may use it', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']]));
    orders.submitted(intent('1-2', [[1, 0, '2']]));
    const report = fill('1-1', '0.5', 'twin');
    assert.equal(orders.report(report)?.news, 'news');
    for (let index = 0; index < 600; index++) {
      orders.submitted(intent(`2-${index}`, [[2, 1, '1']]));
      orders.report(fill(`2-${index}`, '1'));
    }
    const again = orders.report(report);
    assert.deepEqual([again?.news, again?.parts, format(orders.find('1-1')?.filled ?? ZERO_QUANTITY)], ['none', [], '0.5']);
    assert.deepEqual(parts(orders, fill('1-2', '0.5', 'twin')), [[1, '0.5']]);
  });

  test('shares are divided by the cumulative fill in whole lots, and the last fill completes every share', () => {
    const orders = tracker();
    orders.submitted(
      intent('1-1', [
        [0, 0, '-0.002'],
        [1, 0, '-0.003'],
        [2, 1, '-0.002'],
      ]),
    );
    assert.deepEqual(parts(orders, fill('1-1', '0.003')), [
      [1, '-0.001'],
      [3, '-0.002'],
    ]);
    assert.deepEqual(parts(orders, fill('1-1', '0.002')), [
      [0, '-0.001'],
      [1, '-0.001'],
    ]);
    assert.deepEqual(parts(orders, fill('1-1', '0.002')), [
      [0, '-0.001'],
      [1, '-0.001'],
    ]);
    assert.deepEqual([orders.find('1-1')?.state, pending(orders)], ['filled', ['0', '0', '0', '0']]);
  });

  test('an overfill goes to the last share and is never lost', () => {
    const orders = tracker();
    orders.submitted(
      intent('1-1', [
        [0, 0, '1'],
        [1, 0, '1'],
      ]),
    );
    assert.deepEqual(parts(orders, fill('1-1', '2.5')), [
      [0, '1'],
      [1, '1.5'],
    ]);
    assert.deepEqual(parts(orders, fill('1-1', '0.5')), [[1, '0.5']]);
    assert.deepEqual(pending(orders), ['0', '0', '0', '0']);
  });

  test('a whole-position stop has no shares: who shrinks is decided elsewhere', () => {
    const orders = tracker();
    orders.submitted(intent('1-1', [], { role: 'disaster', type: 'stop', wholePosition: true, quantity: quantity('3'), side: 'sell' }));
    assert.deepEqual(parts(orders, fill('1-1', '3')), []);
    assert.equal(orders.find('1-1')?.state, 'filled');
  });
});

describe('amendments', () => {
  const moved = (orders: OrderTracker, to: string): void => {
    const order = orders.find('1-1');
    assert.ok(order !== undefined);
    orders.amending(order, { ...order.intent, stopPrice: price(to) });
  };
  const answer = (asked: string, stands = asked): OrderAmended => ({
    kind: 'order.amended',
    at: 1,
    happenedAt: 1,
    instrument: 0,
    order: '1-1',
    asked: price(asked),
    stopPrice: price(stands),
    reason: asked === stands ? '' : 'refused',
  });
  const begin = (): OrderTracker => {
    const orders = tracker();
    orders.submitted(stop('1-1', '-2'));
    orders.report(say('order.accepted', '1-1'));
    return orders;
  };
  const at = (orders: OrderTracker): string => format(orders.find('1-1')?.intent.stopPrice ?? price('0'));

  test('stand as they were asked for, unless the answer to the last one says otherwise', () => {
    const orders = begin();
    moved(orders, '95');
    moved(orders, '96');
    moved(orders, '97');
    assert.equal(orders.amended(answer('95', '90'))?.news, 'expected', 'later ones are on their way, and the answer to 96 is lost');
    assert.equal(at(orders), '97');
    assert.equal(orders.amended(answer('97', '90'))?.news, 'news');
    assert.equal(at(orders), '90');
    assert.equal(orders.amended(answer('80'))?.news, 'expected', 'nobody asked');
    assert.equal(at(orders), '90');
    assert.equal(orders.amended({ ...answer('80'), order: '9-9' }), undefined);
  });

  test('are part of the saved state', () => {
    const orders = begin();
    moved(orders, '95');
    const bytes = new ByteWriter();
    orders.save(bytes);
    const again = tracker();
    again.restore(new ByteReader(bytes.view()));
    assert.equal(at(again), '95');
    assert.equal(again.amended(answer('95', '90'))?.news, 'news');
    assert.equal(at(again), '90');
  });
});

describe('stops', () => {
  const entry = (): OrderTracker => {
    const orders = tracker();
    orders.submitted(intent('1-1', [[0, 0, '2']], { attached: [stop('1-2', '-2')] }));
    return orders;
  };
  const state = (orders: OrderTracker): string | undefined => orders.find('1-2')?.state;

  test('an attached stop waits for the first fill of its entry and then works', () => {
    const orders = entry();
    const attached = orders.find('1-2');
    assert.ok(attached !== undefined);
    assert.deepEqual([state(orders), awaitsParent(attached)], ['submitted', true]);
    assert.equal(pending(orders)[0], '2', 'a protective stop never counts as working');
    orders.report(fill('1-1', '0.5'));
    assert.deepEqual([state(orders), awaitsParent(attached)], ['working', false]);
  });

  test('it ends with an entry that never filled', () => {
    for (const [kind, ended] of [
      ['order.rejected', 'rejected'],
      ['order.cancelled', 'cancelled'],
      ['order.expired', 'cancelled'],
    ] as const) {
      const orders = entry();
      orders.report(say(kind, '1-1'));
      assert.deepEqual([state(orders), orders.open.length], [ended, 0]);
    }
  });

  test('it lives on when its entry turns out to have filled before it was cancelled', () => {
    const orders = entry();
    orders.report(say('order.cancelled', '1-1'));
    orders.report(fill('1-1', '0.5'));
    assert.deepEqual([state(orders), orders.open.map(({ intent }) => intent.id)], ['working', ['1-2']]);
  });

  test('it lives on when the venue speaks of it before its entry’s fill is known', () => {
    const orders = entry();
    orders.report(say('order.cancelled', '1-1'));
    orders.report(fill('1-2', '0.5'));
    assert.deepEqual([state(orders), pending(orders)[0]], ['working', '-1.5']);
    orders.report(fill('1-1', '0.5'));
    orders.report(say('order.cancelled', '1-2'));
    assert.deepEqual([state(orders), pending(orders)[0]], ['cancelled', '0']);
  });

  test('what the venue has ended stays ended, whatever is heard of the entry later', () => {
    const orders = entry();
    orders.report(say('order.cancelled', '1-2'));
    orders.report(fill('1-1', '2'));
    assert.equal(state(orders), 'cancelled');
  });

  test('one that is being cancelled is not brought back by the fill of its entry', () => {
    const orders = entry();
    const attached = orders.find('1-2');
    assert.ok(attached !== undefined);
    orders.cancelling(attached, false);
    orders.report(fill('1-1', '2'));
    assert.equal(state(orders), 'cancelling');
  });

  test('a stop that has begun to fill is an order at work: its rest will come too', () => {
    const orders = entry();
    orders.report(fill('1-1', '2'));
    assert.deepEqual(parts(orders, fill('1-2', '0.5')), [[0, '-0.5']]);
    assert.deepEqual(pending(orders), ['-1.5', '0', '0', '0']);
    orders.report(fill('1-2', '1.5'));
    assert.deepEqual(pending(orders), ['0', '0', '0', '0']);
  });
});

// ---- against a model ---------------------------------------------------------------------------------------------------------

/** The venue's own book-keeping of one order: what was asked, what it filled, what it has said. */
interface Known {
  readonly intent: OrderIntent;
  filled: Quantity;
  readonly byHolding: Map<number, Quantity>;
  uncounted: boolean;
  hasEnded: boolean;
}

const operation = fc.record({
  kind: fc.constantFrom('submit', 'submit', 'accept', 'fill', 'fill', 'fill', 'repeat', 'cancel', 'halt', 'end', 'doubt', 'restore'),
  pick: fc.nat(50),
  lots: fc.integer({ min: 1, max: 40 }),
  shares: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
  isSale: fc.boolean(),
});

test('whatever is reported, in whatever order: pending is the sum of the open counted rests, shares sum to the fills, no order is in two states', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      let orders = tracker();
      const known: Known[] = [];
      const said: OrderReport[] = [];
      let held = HOLDINGS.sleeve.map(() => ZERO_QUANTITY);
      const tell = (report: OrderReport): void => {
        const found = orders.report(report);
        const order = known.find((each) => each.intent.id === report.order);
        assert.ok(found !== undefined && order !== undefined);
        if (report.fill === undefined || found.news === 'none') return assert.deepEqual(found.parts, []);
        order.filled = add(order.filled, report.fill.quantity);
        for (const part of found.parts) {
          order.byHolding.set(part.holding, add(order.byHolding.get(part.holding) ?? ZERO_QUANTITY, part.quantity));
          held = held.map((quantityHeld, holding) => (holding === part.holding ? add(quantityHeld, part.quantity) : quantityHeld));
          if (compare(order.filled, order.intent.quantity) <= 0) {
            assert.equal(signOf(part.quantity), order.intent.side === 'sell' ? -1 : 1, 'no share gives back');
          }
        }
      };
      operations.forEach(({ kind, pick, lots, shares, isSale }, index) => {
        const order = known[pick % Math.max(1, known.length)];
        const tracked = order === undefined ? undefined : orders.find(order.intent.id);
        if (kind === 'submit') {
          const sent = intent(
            `1-${index}`,
            shares.map((size, position) => [position, position === 2 ? 1 : 0, ((isSale ? -1 : 1) * size * 0.001).toFixed(3)]),
          );
          orders.submitted(sent);
          known.push({ intent: sent, filled: ZERO_QUANTITY, byHolding: new Map(), uncounted: false, hasEnded: false });
        } else if (order === undefined || tracked === undefined) return;
        else if (kind === 'accept') tell(say('order.accepted', order.intent.id));
        else if (kind === 'fill') {
          const report = fill(order.intent.id, (lots * 0.001).toFixed(3));
          said.push(report);
          tell(report);
        } else if (kind === 'repeat') {
          const report = said[pick % Math.max(1, said.length)];
          if (report !== undefined) tell(report);
        } else if (kind === 'cancel' || kind === 'halt') {
          orders.cancelling(tracked, kind === 'halt');
          if (kind === 'halt') order.uncounted = true;
        } else if (kind === 'end') {
          order.hasEnded = true;
          tell(say((['order.cancelled', 'order.rejected', 'order.expired'] as const)[pick % 3] ?? 'order.cancelled', order.intent.id));
        } else if (kind === 'doubt') orders.inDoubt(tracked);
        else {
          const out = new ByteWriter();
          orders.save(out);
          orders = tracker();
          orders.restore(new ByteReader(out.view()));
        }
        const expected = HOLDINGS.sleeve.map(() => ZERO_QUANTITY);
        for (const each of known) {
          const now = orders.find(each.intent.id);
          assert.ok(now !== undefined);
          assert.equal(
            orders.open.some((order) => order.intent.id === each.intent.id),
            isOpen(now.state),
            'an order is open or ended',
          );
          const isComplete = compare(each.filled, each.intent.quantity) >= 0;
          assert.equal(isOpen(now.state), !each.hasEnded && !isComplete);
          if (isComplete) assert.ok(now.state === 'filled' || each.hasEnded);
          let sum = ZERO_QUANTITY;
          for (const share of each.intent.shares) {
            const holding = (HOLDINGS.first[share.sleeve] ?? 0) + share.leg;
            const got = each.byHolding.get(holding) ?? ZERO_QUANTITY;
            sum = add(sum, got);
            if (compare(each.filled, each.intent.quantity) === 0)
              assert.equal(format(got), format(share.quantity), 'the last fill completes every share');
            if (!isOpen(now.state) || each.uncounted) continue;
            expected[holding] = add(expected[holding] ?? ZERO_QUANTITY, subtract(share.quantity, got));
          }
          assert.equal(format(sum), format(each.intent.side === 'sell' ? negate(each.filled) : each.filled), 'the parts sum to the fills');
        }
        assert.deepEqual(pending(orders), expected.map(format));
      });
      // And the fills are all there.
      let total = ZERO_QUANTITY;
      for (const quantityHeld of held) total = add(total, quantityHeld);
      let filled = ZERO_QUANTITY;
      for (const each of known) filled = each.intent.side === 'sell' ? subtract(filled, each.filled) : add(filled, each.filled);
      assert.ok(isZero(subtract(total, filled)));
    }),
    { numRuns: 300 },
  );
});
