// The books of a live stream: what waits is bounded, a gap is said before anything that comes after it, and otherwise it says what a recording does.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ASK, BID, type BookMessage } from '../../domain/book.ts';
import type { BookEvent } from '../../domain/event.ts';
import { NEVER } from '../../domain/time.ts';
import { BookFeed, type BookFeedParts } from './book-feed.ts';
import { BookSource } from './book-source.ts';
import { BYBIT_BOOK } from './book-sync.ts';

const START = 1_700_000_000_000;

function message(kind: BookMessage['kind'], at: number, update: number, bidQuantity: number): BookMessage {
  const isWhole = kind === 'snapshot';
  return {
    kind,
    at,
    happenedAt: at - 3,
    firstUpdate: update,
    lastUpdate: update,
    previousUpdate: NaN,
    levels: {
      side: Int8Array.from(isWhole ? [BID, ASK] : [BID]),
      price: Float64Array.from(isWhole ? [99, 101] : [99]),
      quantity: Float64Array.from(isWhole ? [bidQuantity, 2] : [bidQuantity]),
    },
    from: 0,
    to: isWhole ? 2 : 1,
  };
}

const whole = (at: number, update: number, quantity = 4): BookMessage => message('snapshot', at, update, quantity);
const change = (at: number, update: number, quantity: number): BookMessage => message('delta', at, update, quantity);

class Bench {
  now = START;
  notBefore = 0;
  readonly taken: (readonly [at: number, heardAt: number])[] = [];
  readonly feed: BookFeed;

  constructor(change: Partial<BookFeedParts> = {}) {
    this.feed = new BookFeed({
      instrument: 3,
      rules: BYBIT_BOOK,
      now: () => this.now,
      notBefore: () => this.notBefore,
      warmsUp: () => false,
      intervalMs: 100,
      onTaken: (at, heardAt) => this.taken.push([at, heardAt]),
      ...change,
    });
  }

  hear(...messages: readonly BookMessage[]): boolean {
    let isLost = false;
    for (const each of messages) {
      this.now = Math.ceil(each.at);
      isLost = this.feed.receive(each, each.at - START);
    }
    return isLost;
  }

  take(): BookEvent[] {
    const events: BookEvent[] = [];
    for (let at = this.feed.peekAt(); at !== NEVER; at = this.feed.peekAt()) {
      const event = this.feed.take();
      assert.equal(event.at, at);
      events.push({ ...event });
    }
    return events;
  }
}

const quantities = (events: readonly BookEvent[]): number[] => events.map(({ bidQuantity }) => bidQuantity);

describe('the books of a live stream', () => {
  test('a newer look replaces one that nobody has taken, and a look is never before what the loop can take', () => {
    const bench = new Bench();
    bench.hear(whole(START, 1), change(START + 50, 2, 5), change(START + 100, 3, 6), change(START + 200, 4, 7));
    assert.deepEqual([bench.feed.waiting, bench.feed.replaced, bench.feed.received], [1, 2, 4]);
    bench.notBefore = START + 230;
    const [event, ...more] = bench.take();
    assert.deepEqual([event?.at, event?.happenedAt, event?.bidQuantity, event?.instrument], [START + 230, START + 197, 7, 3]);
    assert.equal(more.length, 0);
    assert.deepEqual(bench.taken, [[START + 230, 200]]);
    // Within the interval of what was said last.
    bench.hear(change(START + 299, 5, 8));
    assert.equal(bench.feed.peekAt(), NEVER);
    bench.hear(change(START + 300, 6, 9));
    assert.deepEqual(quantities(bench.take()), [9]);
  });

  test('F23: a gap is said at once and before the book that is found again, wherever the loop is', () => {
    const bench = new Bench();
    bench.hear(whole(START, 1));
    assert.equal(bench.hear(change(START + 1, 3, 9)), true, 'a snapshot is wanted');
    // The look before the gap was not taken: it is one at a book that is gone.
    assert.deepEqual(quantities(bench.take()), [NaN]);
    assert.equal(bench.hear(change(START + 2, 4, 9)), false, 'it is asked for once');
    bench.hear(whole(START + 3, 9, 5), change(START + 4, 11, 6), whole(START + 5, 20, 7), change(START + 150, 21, 8));
    assert.equal(bench.feed.waiting, 2);
    assert.deepEqual(quantities(bench.take()), [NaN, 8]);
  });

  test('a lost wire is no book until a snapshot, and a session that goes on says so first', () => {
    const bench = new Bench();
    bench.feed.interrupt(0);
    assert.equal(bench.feed.peekAt(), NEVER, 'there was none');
    bench.hear(whole(START, 1));
    bench.take();
    bench.now = START + 20;
    bench.feed.interrupt(20);
    assert.equal(bench.hear(change(START + 30, 2, 9)), false);
    assert.deepEqual(quantities(bench.take()), [NaN]);
    const again = new Bench({ warmsUp: () => true });
    again.feed.goOn(0);
    again.hear(whole(START, 1));
    const events = again.take();
    assert.deepEqual(quantities(events), [NaN, 4]);
    assert.deepEqual(
      events.map(({ warmup }) => warmup),
      [true, true],
    );
  });

  test('at most two events wait whatever comes, and none is taken across a gap that was not said', () => {
    const step = fc.record({
      kind: fc.constantFrom('next', 'next', 'next', 'skip', 'whole', 'lost', 'take'),
      ms: fc.integer({ min: 0, max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const bench = new Bench();
        let at = START;
        let update = 0;
        /** Gaps so far, by the count that each quantity carries. */
        let era = 0;
        let hasBook = false;
        let seen: number | undefined;
        for (const { kind, ms } of steps) {
          at += ms;
          if (kind === 'take') {
            for (const { bidQuantity } of bench.take()) {
              if (Number.isNaN(bidQuantity)) seen = undefined;
              else {
                const of = Math.floor(bidQuantity / 1_000_000);
                assert.ok(seen === undefined || seen === of, `a look of ${of} after one of ${seen}`);
                seen = of;
              }
            }
          } else if (kind === 'lost') {
            bench.feed.interrupt(at - START);
            if (hasBook) era++;
            hasBook = false;
          } else {
            update += kind === 'skip' ? 2 : 1;
            if (kind === 'skip' && hasBook) era++;
            if (kind === 'skip') hasBook = false;
            if (kind === 'whole') hasBook = true;
            const quantity = 1_000_000 * era + (update % 1_000_000) + 1;
            bench.hear(kind === 'whole' ? whole(at, update, quantity) : change(at, update, quantity));
          }
          assert.ok(bench.feed.waiting <= 2);
        }
      }),
    );
  });

  test('taken as it comes it says what the recording of the same messages says', () => {
    const messages = Array.from({ length: 400 }, (_, index): BookMessage => {
      const at = START + index * 37 + (index % 3) / 4;
      if (index === 0 || index === 210) return whole(at, index + 1);
      // One that is missing.
      return change(at, index >= 200 && index < 210 ? index + 2 : index + 1, 1 + (index % 50));
    });
    const left = messages.values();
    const recorded = new BookSource({
      instrument: 3,
      messages: { next: () => left.next().value },
      rules: BYBIT_BOOK,
      silentAfterMs: Infinity,
      from: START - 1,
      until: START + 1e9,
    });
    const expected: BookEvent[] = [];
    while (recorded.peekAt() !== NEVER) expected.push({ ...recorded.take() });
    const bench = new Bench();
    const live = messages.flatMap((each) => {
      bench.hear(each);
      return bench.take();
    });
    // When a book that was lost was last seen is nobody's to say.
    const comparable = (events: readonly BookEvent[]) =>
      events.map((event) => (Number.isNaN(event.bidPrice) ? { ...event, happenedAt: NaN } : event));
    assert.deepEqual(comparable(live), comparable(expected));
    assert.ok(expected.length > 100 && expected.some(({ bidPrice }) => Number.isNaN(bidPrice)));
  });
});
