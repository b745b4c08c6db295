import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ASK, BID, type BookMessage } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BookEvent } from '../../domain/event.ts';
import { NEVER } from '../../domain/time.ts';
import { BookSource, type BookSourceParts } from './book-source.ts';
import { BYBIT_BOOK } from './book-sync.ts';
import { emptyTouch, TouchReader } from './book-touch.ts';
import { OrderBook } from './order-book.ts';

const START = 1_700_000_000_000;

type Level = readonly [side: number, price: number, quantity: number];

function message(kind: BookMessage['kind'], at: number, update: number, levels: readonly Level[]): BookMessage {
  return {
    kind,
    at,
    happenedAt: at - 3,
    firstUpdate: update,
    lastUpdate: update,
    previousUpdate: NaN,
    levels: {
      side: Int8Array.from(levels, ([side]) => side),
      price: Float64Array.from(levels, ([, price]) => price),
      quantity: Float64Array.from(levels, ([, , quantity]) => quantity),
    },
    from: 0,
    to: levels.length,
  };
}

function sourceOf(messages: readonly BookMessage[], change: Partial<BookSourceParts>): BookSource {
  const left = messages.values();
  return new BookSource({
    instrument: 2,
    messages: { next: () => left.next().value },
    rules: BYBIT_BOOK,
    silentAfterMs: Infinity,
    intervalMs: 100,
    from: START,
    until: START + 1e9,
    ...change,
  });
}

/** What one says that was saved after so many events, and restored over the same messages. Looking ahead is no part of its state. */
function goneOn(messages: readonly BookMessage[], change: Partial<BookSourceParts>, taken: number): BookEvent[] {
  const before = sourceOf(messages, change);
  for (let event = 0; event < taken; event++) before.take();
  before.peekAt();
  const bytes = new ByteWriter();
  before.save(bytes);
  const after = sourceOf(messages, change);
  after.restore(new ByteReader(bytes.view()));
  return drained(after);
}

function heard(messages: readonly BookMessage[], change: Partial<BookSourceParts> = {}): BookEvent[] {
  return drained(sourceOf(messages, change));
}

function drained(source: BookSource): BookEvent[] {
  const events: BookEvent[] = [];
  for (let at = source.peekAt(); at !== NEVER; at = source.peekAt()) {
    assert.equal(source.ended, false);
    const event = source.take();
    assert.equal(event.at, at);
    events.push({ ...event });
  }
  assert.equal(source.ended, true);
  return events;
}

const whole = (at: number, update: number): BookMessage =>
  message('snapshot', at, update, [
    [BID, 99, 4],
    [ASK, 101, 2],
    [ASK, 102, 5],
  ]);
const change = (at: number, update: number, quantity: number): BookMessage => message('delta', at, update, [[BID, 99, quantity]]);

describe('the events of a book', () => {
  test('are its touch and its lean, at most one an interval, not before they were known', () => {
    const events = heard([whole(START + 0.2, 1), change(START + 50, 2, 6), change(START + 99.9, 3, 8), change(START + 101.5, 4, 1)]);
    assert.deepEqual(
      events.map(({ at, bidQuantity }) => [at, bidQuantity]),
      [
        [START + 1, 4],
        [START + 102, 1],
      ],
    );
    const [first] = events;
    assert.deepEqual([first?.bidPrice, first?.askPrice, first?.askQuantity, first?.instrument], [99, 101, 2, 2]);
    assert.ok(Math.abs((first?.imbalance ?? NaN) - (4 - 2 - 0.8 * 5) / (4 + 2 + 0.8 * 5)) < 1e-15);
    assert.equal(first?.warmup, false);
  });

  test('say at once that a message is missing, and nothing until the book is one again', () => {
    const events = heard([
      whole(START, 1),
      change(START + 10, 3, 9),
      change(START + 500, 4, 9),
      whole(START + 520, 9),
      change(START + 530, 10, 7),
    ]);
    assert.deepEqual(
      events.map(({ at, bidQuantity }) => [at, bidQuantity]),
      [
        [START, 4],
        [START + 10, NaN],
        [START + 520, 4],
      ],
    );
    assert.ok(Number.isNaN(events[1]?.imbalance));
    assert.deepEqual([events[0]?.warmup, events[1]?.warmup], [true, false]);
  });

  test('say that a silent book is none, and no later than the silence is long', () => {
    const events = heard([whole(START + 1, 1), change(START + 5_000, 2, 9), change(START + 5_100, 3, 8)], { silentAfterMs: 1_000 });
    assert.deepEqual(
      events.map(({ at, bidQuantity }) => [at, bidQuantity]),
      [
        [START + 1, 4],
        [START + 1_001, NaN],
      ],
    );
  });

  test('end where they are asked to, and go on after what a session had already', () => {
    const messages = [
      whole(START + 1, 1),
      ...Array.from({ length: 9 }, (_, index) => change(START + 200 * (index + 1), index + 2, index + 1)),
    ];
    const all = heard(messages);
    assert.equal(all.length, 10);
    assert.deepEqual(
      heard(messages, { until: START + 1_000 }),
      all.filter(({ at }) => at <= START + 1_000),
    );
    // Every look, so that two of one moment are two.
    const every = { intervalMs: 0, silentAfterMs: 150 };
    const twice = messages.flatMap((each, index) => [each, change(Math.ceil(each.at), 100 * (index + 1), 50)]);
    for (const [said, options] of [
      [messages, {}],
      [twice, every],
    ] as const) {
      const whole = heard(said, options);
      for (let taken = 0; taken <= whole.length; taken++) assert.deepEqual(goneOn(said, options, taken), whole.slice(taken));
    }
  });
});

test('the imbalance is that of a plain recomputation, within -1 and 1', () => {
  const anyLevels = fc.array(
    fc.record({ ticks: fc.integer({ min: 1, max: 60 }), quantity: fc.double({ min: 0.001, max: 1e6, noNaN: true }) }),
    {
      minLength: 1,
      maxLength: 30,
    },
  );
  const reader = new TouchReader();
  fc.assert(
    fc.property(anyLevels, anyLevels, (below, above) => {
      const levels: Level[] = [
        ...below.map(({ ticks, quantity }): Level => [BID, 1_000 - ticks, quantity]),
        ...above.map(({ ticks, quantity }): Level => [ASK, 1_000 + ticks, quantity]),
      ];
      const book = new OrderBook();
      const { levels: columns, to } = message('snapshot', START, 1, levels);
      book.apply(columns, 0, to);
      const event = emptyTouch(0);
      reader.read(book, event);
      const sideOf = (side: number): number => {
        // The last word on a price counts.
        const totals = new Map(levels.filter(([each]) => each === side).map(([, price, quantity]) => [price, quantity]));
        const best = [...totals].toSorted(([left], [right]) => side * (right - left)).slice(0, 10);
        return best.reduce((sum, [, quantity], level) => sum + 0.8 ** level * quantity, 0);
      };
      const [bids, asks] = [sideOf(BID), sideOf(ASK)];
      assert.ok(Math.abs(event.imbalance - (bids - asks) / (bids + asks)) < 1e-9);
      assert.ok(Math.abs(event.imbalance) <= 1);
      assert.equal(event.bidPrice, Math.max(...levels.filter(([side]) => side === BID).map(([, price]) => price)));
    }),
  );
  const event = emptyTouch(0);
  reader.read(undefined, event);
  assert.ok([event.bidPrice, event.askPrice, event.imbalance].every(Number.isNaN));
});
