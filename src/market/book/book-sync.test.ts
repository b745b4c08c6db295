import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ASK, BID, type BookMessage } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { Random } from '../../quant/random.ts';
import { emptyBookMessage } from './book-message.ts';
import { BINANCE_FUTURES_BOOK, BINANCE_SPOT_BOOK, BookSync, BYBIT_BOOK, type BookVerdict } from './book-sync.ts';
import { OrderBook } from './order-book.ts';

type Level = readonly [side: number, price: number, quantity: number];

function message(kind: BookMessage['kind'], rows: readonly Level[], numbers: Partial<BookMessage>): BookMessage {
  return {
    ...emptyBookMessage(),
    kind,
    at: 0,
    happenedAt: 0,
    levels: {
      side: Int8Array.from(rows, ([side]) => side),
      price: Float64Array.from(rows, ([, price]) => price),
      quantity: Float64Array.from(rows, ([, , quantity]) => quantity),
    },
    to: rows.length,
    ...numbers,
  };
}

const snapshot = (lastUpdate: number, rows: readonly Level[] = TOUCH): BookMessage =>
  message('snapshot', rows, { firstUpdate: lastUpdate, lastUpdate });
const delta = (firstUpdate: number, lastUpdate: number, rows: readonly Level[] = [], previousUpdate = NaN): BookMessage =>
  message('delta', rows, { firstUpdate, lastUpdate, previousUpdate });

const TOUCH: readonly Level[] = [
  [BID, 99, 1],
  [ASK, 101, 1],
];

function bytesOf(of: { save(out: ByteWriter): void }): Uint8Array {
  const out = new ByteWriter();
  of.save(out);
  return out.view().slice();
}

function restored(sync: BookSync, rules = BINANCE_SPOT_BOOK): BookSync {
  const other = new BookSync(rules, 1_000);
  other.restore(new ByteReader(bytesOf(sync)));
  return other;
}

describe('joining a snapshot and changes', () => {
  test('changes before the snapshot are kept, those it has are left out, the rest is applied', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    assert.equal(sync.state, 'waiting');
    assert.equal(sync.receive(delta(1, 5, [[BID, 98, 5]])), 'buffered');
    assert.equal(sync.receive(delta(6, 8, [[BID, 98, 6]])), 'buffered');
    assert.equal(sync.receive(delta(9, 12, [[BID, 98, 7]])), 'buffered');
    assert.deepEqual([sync.book, sync.lastUpdate], [undefined, NaN]);
    assert.equal(sync.receive(snapshot(7)), 'applied');
    assert.deepEqual([sync.state, sync.lastUpdate, sync.book?.quantityTo(BID, 98)], ['in-sync', 12, 8]);
    assert.equal(sync.receive(delta(13, 13, [[BID, 98, 0]])), 'applied');
    assert.equal(sync.book?.quantityTo(BID, 98), 1);
    assert.equal(sync.counts.resyncs, 0);
  });

  test('what was kept is let go: the state is that of one that had nothing to keep', () => {
    const [kept, other] = [new BookSync(BINANCE_SPOT_BOOK, 1_000), new BookSync(BINANCE_SPOT_BOOK, 1_000)];
    for (const each of [delta(1, 5), delta(6, 9, [[BID, 98, 6]]), snapshot(7)]) kept.receive(each);
    for (const each of [snapshot(7), delta(6, 9, [[BID, 98, 6]])]) other.receive(each);
    assert.deepEqual(bytesOf(kept), bytesOf(other));
  });

  test('a snapshot older than the oldest change kept is in vain; a newer one joins what was kept', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    sync.receive(delta(10, 12, [[BID, 98, 7]]));
    assert.equal(sync.receive(snapshot(8)), 'resync');
    assert.deepEqual([sync.state, sync.book, sync.counts.snapshotsTooOld], ['waiting', undefined, 1]);
    assert.equal(sync.receive(delta(13, 14, [[ASK, 102, 7]])), 'buffered');
    assert.equal(sync.receive(snapshot(9)), 'applied');
    assert.deepEqual([sync.lastUpdate, sync.book?.levels(BID), sync.book?.levels(ASK)], [14, 2, 2]);
  });

  test('a gap among what is kept throws away what is before it', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    sync.receive(delta(10, 12));
    assert.equal(sync.receive(delta(14, 15)), 'buffered');
    assert.equal(sync.counts.gaps, 1);
    assert.equal(sync.receive(snapshot(11)), 'resync');
    assert.equal(sync.receive(snapshot(13)), 'applied');
    assert.equal(sync.lastUpdate, 15);
  });

  test('a change that came twice while waiting is no gap', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    for (const [first, last] of [
      [10, 12],
      [13, 14],
      [10, 12],
      [15, 16],
    ] as const) {
      assert.equal(sync.receive(delta(first, last)), 'buffered');
    }
    assert.equal(sync.receive(snapshot(11)), 'applied');
    assert.deepEqual([sync.counts.gaps, sync.lastUpdate], [0, 16]);
  });

  test('a snapshot that is not asked for changes nothing when it is older than the book, and replaces it when it is newer', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    sync.receive(snapshot(7));
    sync.receive(delta(8, 20, [[BID, 98, 5]]));
    assert.equal(sync.receive(snapshot(15)), 'ignored');
    assert.deepEqual([sync.lastUpdate, sync.book?.levels(BID)], [20, 2]);
    assert.equal(sync.receive(snapshot(25)), 'applied');
    assert.deepEqual([sync.lastUpdate, sync.book?.levels(BID)], [25, 1]);
    assert.equal(sync.receive(delta(21, 24)), 'ignored');
    assert.equal(sync.receive(delta(21, 26)), 'applied');
  });

  test('what is kept has an end: without a snapshot it is let go, and one is asked for again', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    const rows = Array.from({ length: 100_000 }, (_, index): Level => [BID, (1_000 + index) / 1_000, Math.PI]);
    const verdicts: BookVerdict[] = [];
    for (let update = 1; sync.counts.overflows === 0 && update < 1_000; update++) verdicts.push(sync.receive(delta(update, update, rows)));
    assert.equal(verdicts.at(-1), 'resync');
    assert.ok(verdicts.length > 10 && verdicts.slice(0, -1).every((verdict) => verdict === 'buffered'));
    assert.equal(sync.receive(snapshot(verdicts.length)), 'applied');
  });
});

describe('a book is lost', () => {
  const joined = (rules = BINANCE_SPOT_BOOK): BookSync => {
    const sync = new BookSync(rules, 1_000);
    assert.equal(sync.receive(snapshot(10)), 'applied');
    return sync;
  };

  test('by a gap: it is read no more, also by who has kept it, until the next snapshot', () => {
    const sync = joined();
    const kept = sync.book;
    assert.ok(kept !== undefined);
    assert.equal(sync.receive(delta(12, 12, [[BID, 98, 5]])), 'resync');
    assert.deepEqual([sync.state, sync.book, sync.counts.gaps], ['invalid', undefined, 1]);
    assert.deepEqual([kept.bestBid, kept.levels(ASK)], [NaN, 0]);
    // Asked for once; what comes meanwhile is kept.
    assert.equal(sync.receive(delta(13, 13, [[BID, 97, 5]])), 'buffered');
    assert.equal(sync.receive(snapshot(11)), 'applied');
    assert.deepEqual([sync.state, sync.lastUpdate, sync.book?.levels(BID), sync.counts.resyncs], ['in-sync', 13, 3, 1]);
  });

  test('by a crossing after a whole message, and not within one', () => {
    const sync = joined();
    assert.equal(
      sync.receive(
        delta(11, 11, [
          [BID, 102, 1],
          [ASK, 101, 0],
          [ASK, 103, 1],
        ]),
      ),
      'applied',
    );
    // Bid and ask at one price would have traded.
    assert.equal(sync.receive(delta(12, 12, [[BID, 103, 1]])), 'resync');
    assert.deepEqual([sync.state, sync.counts.crossings], ['invalid', 1]);
    assert.equal(sync.receive(snapshot(12, [...TOUCH, [BID, 101, 1]])), 'resync');
    assert.deepEqual([sync.state, sync.counts.crossings], ['invalid', 2]);
  });

  test('by a crossing in a change that was kept', () => {
    const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
    sync.receive(delta(11, 11, [[BID, 101, 1]]));
    assert.equal(sync.receive(snapshot(10)), 'resync');
    assert.deepEqual([sync.state, sync.book], ['invalid', undefined]);
  });

  test('by numbers and levels that cannot be', () => {
    const broken: readonly BookMessage[] = [
      delta(11, 11, [[BID, NaN, 1]]),
      delta(11, 11, [[BID, -1, 1]]),
      delta(11, 11, [[BID, 98, -1]]),
      delta(11, 11, [[3, 98, 1]]),
      delta(NaN, 11),
      delta(11, NaN),
      delta(12, 11),
      delta(-3, 11),
      delta(10.5, 11),
      delta(11, 2 ** 60),
      snapshot(11, [[BID, 99, Infinity]]),
      snapshot(NaN),
    ];
    for (const each of broken) {
      const sync = joined();
      assert.equal(sync.receive(each), 'resync');
      assert.deepEqual([sync.state, sync.book, sync.counts.malformed], ['invalid', undefined, 1]);
    }
  });

  test('by silence, which only the clock can say', () => {
    const sync = joined();
    assert.equal(sync.check(1_000), 'ignored');
    assert.equal(sync.receive({ ...delta(11, 11), at: 1_500 }), 'applied');
    assert.equal(sync.check(2_500), 'ignored');
    assert.equal(sync.check(2_501), 'resync');
    assert.deepEqual([sync.state, sync.counts.silences], ['invalid', 1]);
    assert.equal(sync.check(9_999), 'ignored');
    // Changes that are old news keep no book alive.
    const other = joined();
    other.receive({ ...delta(9, 10), at: 900 });
    assert.equal(other.check(1_001), 'resync');
  });

  test('with the wire', () => {
    const sync = joined();
    assert.equal(sync.interrupt(), 'resync');
    assert.deepEqual([sync.state, sync.counts.interruptions], ['invalid', 1]);
    assert.equal(sync.receive(snapshot(30)), 'applied');
    assert.equal(sync.counts.resyncs, 1);
  });

  test('and nothing is lost by what comes twice or late', () => {
    const sync = joined();
    assert.equal(sync.receive(delta(11, 12, [[BID, 98, 5]])), 'applied');
    for (const again of [delta(11, 12, [[BID, 98, 5]]), delta(3, 9, [[BID, 50, 5]])]) assert.equal(sync.receive(again), 'ignored');
    assert.deepEqual([sync.lastUpdate, sync.book?.levels(BID), sync.counts.ignored], [12, 2, 2]);
    // Reaches back behind the book and beyond it: totals, so it says nothing that the book does not have or lack.
    assert.equal(sync.receive(delta(12, 14, [[BID, 98, 6]])), 'applied');
    assert.equal(sync.book?.quantityTo(BID, 98), 7);
  });
});

describe('futures of Binance', () => {
  test('numbers leave holes, and what a message follows is said in it', () => {
    const sync = new BookSync(BINANCE_FUTURES_BOOK, 1_000);
    sync.receive(delta(100, 110, [], 90));
    sync.receive(delta(120, 130, [], 110));
    assert.equal(sync.receive(snapshot(125)), 'applied');
    assert.equal(sync.receive(delta(150, 155, [], 130)), 'applied');
    assert.equal(sync.receive(delta(170, 175, [], 160)), 'resync');
    assert.deepEqual([sync.counts.gaps, sync.counts.unproven], [1, 0]);
    assert.equal(sync.receive(snapshot(159)), 'resync');
    assert.equal(sync.receive(snapshot(160)), 'applied');
    assert.equal(sync.lastUpdate, 175);
  });

  test('where a capture does not say it, the message before is believed to be the one before, and each is counted as unproven', () => {
    const sync = new BookSync(BINANCE_FUTURES_BOOK, 1_000);
    sync.receive(delta(100, 110));
    sync.receive(delta(120, 130));
    assert.equal(sync.receive(snapshot(125)), 'applied');
    assert.equal(sync.receive(delta(150, 155)), 'applied');
    assert.deepEqual([sync.counts.gaps, sync.counts.unproven], [0, 3]);
    // A new wire: what came over the old one is not the message before.
    sync.interrupt();
    sync.receive(delta(300, 310));
    assert.equal(sync.receive(snapshot(200)), 'resync');
    assert.equal(sync.receive(snapshot(305)), 'applied');
  });
});

describe('Bybit', () => {
  test('every message is one number on, and a snapshot in the stream replaces the book whatever its number is', () => {
    const sync = new BookSync(BYBIT_BOOK, 1_000);
    assert.equal(sync.receive(delta(99, 99, [[BID, 1, 1]])), 'ignored');
    assert.equal(sync.receive(snapshot(100)), 'applied');
    assert.equal(sync.receive(delta(101, 101, [[BID, 98, 1]])), 'applied');
    // The service has started again.
    assert.equal(sync.receive(snapshot(1)), 'applied');
    assert.deepEqual([sync.lastUpdate, sync.book?.levels(BID)], [1, 1]);
    assert.equal(sync.receive(delta(2, 2)), 'applied');
    assert.equal(sync.receive(delta(4, 4)), 'resync');
    // Nothing is kept: the snapshot that comes holds it all.
    assert.equal(sync.receive(delta(5, 5)), 'ignored');
    assert.equal(sync.receive(snapshot(6)), 'applied');
    assert.deepEqual([sync.counts.gaps, sync.counts.resyncs, sync.lastUpdate], [1, 1, 6]);
  });

  test('a delisted market is an empty book and no error', () => {
    const sync = new BookSync(BYBIT_BOOK, 1_000);
    assert.equal(sync.receive(snapshot(1, [])), 'applied');
    assert.deepEqual([sync.state, sync.book?.bestBid], ['in-sync', NaN]);
  });
});

// A venue with a book of its own. Each change moves one level beside a touch that walks; messages carry one to four changes.
class ScriptedVenue {
  readonly book = new OrderBook();
  readonly messages: BookMessage[] = [];
  /** The venue's book after each number, as bytes. */
  readonly states = new Map<number, Uint8Array>();
  readonly snapshots: BookMessage[] = [];

  constructor(seed: number, count: number, isLinked: boolean) {
    const random = new Random(seed);
    let update = 1_000;
    let touch = 500;
    const rows: Level[] = Array.from({ length: 20 }, (_, index): Level =>
      index % 2 === 0 ? [BID, touch - index, 1] : [ASK, touch + index, 1],
    );
    for (const row of rows) this.book.set(...row);
    this.#remember(update);
    for (let sent = 0; sent < count; sent++) {
      const previous = update;
      // On one symbol of many: numbers that went to others are not seen.
      if (isLinked) update += random.integer(4);
      const first = update + 1;
      const changes: Level[] = [];
      for (let each = random.integer(4); each >= 0; each--) {
        update++;
        const move = random.integer(3) - 1;
        touch += move;
        if (move > 0) changes.push([ASK, touch, 0]);
        if (move < 0) changes.push([BID, touch + 1, 0]);
        const quantity = random.integer(3);
        const away = random.integer(6);
        changes.push(random.bernoulli(0.5) ? [BID, touch - away, quantity] : [ASK, touch + 1 + away, quantity]);
      }
      for (const row of changes) this.book.set(...row);
      this.messages.push({ ...delta(first, update, changes, isLinked ? previous : NaN), at: sent });
      this.#remember(update);
    }
  }

  #remember(update: number): void {
    this.states.set(update, bytesOf(this.book));
    const rows: Level[] = [];
    for (const side of [BID, ASK]) {
      const prices = new Float64Array(this.book.levels(side));
      const quantities = new Float64Array(prices.length);
      this.book.top(side, prices, quantities);
      prices.forEach((price, index) => rows.push([side, price, quantities[index] ?? NaN]));
    }
    this.snapshots.push(snapshot(update, rows));
  }
}

describe('whatever is lost, late or twice on the way', () => {
  for (const [name, rules, isLinked] of [
    ['adjacent numbers', BINANCE_SPOT_BOOK, false],
    ['linked numbers', BINANCE_FUTURES_BOOK, true],
    ['a stream with snapshots', BYBIT_BOOK, false],
  ] as const) {
    test(`a book that may be read is the venue's: ${name}`, () => {
      let gaps = 0;
      let resyncs = 0;
      fc.assert(
        fc.property(fc.nat(), fc.nat(), (seed, fate) => {
          const venue = new ScriptedVenue(seed, 120, isLinked);
          const random = new Random(fate);
          let sync = new BookSync(rules, Infinity);
          let isAsked = true;
          // How many messages a book with this last number has.
          const places = new Map([...venue.states.keys()].map((update, place) => [update, place]));
          for (let sent = 0; sent < venue.messages.length; sent++) {
            // A snapshot of now, or one that is a few messages old.
            if (isAsked && random.bernoulli(0.2)) {
              const age = rules.snapshots === 'asked' ? random.integer(5) : 0;
              const answer = venue.snapshots[Math.max(0, sent - age)];
              assert.ok(answer !== undefined);
              isAsked = sync.receive(answer) === 'resync';
            }
            const each = venue.messages[sent];
            assert.ok(each !== undefined);
            if (random.bernoulli(0.05)) continue;
            const lacks = sync.book !== undefined && (places.get(sync.lastUpdate) ?? NaN) < sent;
            const verdict = sync.receive(each);
            // Whenever the book lacks the message before, and never otherwise.
            assert.equal(verdict === 'resync', lacks, `${verdict} at ${sent}`);
            if (lacks) isAsked = true;
            if (random.bernoulli(0.1)) assert.notEqual(sync.receive(each), 'resync');
            const earlier = venue.messages[sent - 1 - random.integer(3)];
            if (earlier !== undefined && random.bernoulli(0.1)) assert.notEqual(sync.receive(earlier), 'resync');
            if (random.bernoulli(0.05)) sync = restored(sync, rules);
            if (sync.book !== undefined) assert.deepEqual(bytesOf(sync.book), venue.states.get(sync.lastUpdate));
          }
          gaps += sync.counts.gaps;
          resyncs += sync.counts.resyncs;
          assert.equal(sync.counts.crossings + sync.counts.malformed, 0);
        }),
        { numRuns: 60 },
      );
      assert.ok(gaps > 50 && resyncs > 50, `${gaps} gaps and ${resyncs} resyncs are too few to prove anything`);
    });
  }

  test('a state machine is saved and restored in every state', () => {
    for (const steps of [[], [delta(5, 6, [[BID, 98, 1]])], [snapshot(4), delta(5, 6)], [snapshot(4), delta(9, 10, [[BID, 98, 1]])]]) {
      const sync = new BookSync(BINANCE_SPOT_BOOK, 1_000);
      for (const each of steps) sync.receive(each);
      const other = restored(sync);
      assert.deepEqual(bytesOf(other), bytesOf(sync));
      assert.deepEqual([other.state, other.counts], [sync.state, sync.counts]);
      for (const next of [snapshot(8), delta(9, 11), delta(11, 12, [[ASK, 100, 1]])]) assert.equal(other.receive(next), sync.receive(next));
      assert.deepEqual(bytesOf(other), bytesOf(sync));
    }
  });
});
