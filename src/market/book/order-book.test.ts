import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ASK, BID, type BookLevels } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { OrderBook } from './order-book.ts';

type Level = readonly [side: number, price: number, quantity: number];

function levelsOf(rows: readonly Level[]): BookLevels {
  return {
    side: Int8Array.from(rows, ([side]) => side),
    price: Float64Array.from(rows, ([, price]) => price),
    quantity: Float64Array.from(rows, ([, , quantity]) => quantity),
  };
}

function bookOf(rows: readonly Level[]): OrderBook {
  const book = new OrderBook();
  assert.ok(book.apply(levelsOf(rows), 0, rows.length));
  return book;
}

/** All levels of a side, best first. */
function ladder(book: OrderBook, side: number): [number, number][] {
  const prices = new Float64Array(book.levels(side));
  const quantities = new Float64Array(book.levels(side));
  assert.equal(book.top(side, prices, quantities), prices.length);
  return Array.from(prices, (price, index) => [price, quantities[index] ?? NaN]);
}

/** The same book with no order kept: a map of prices, sorted whenever somebody asks. */
class MappedBook {
  readonly #sides = { bid: new Map<number, number>(), ask: new Map<number, number>() };

  set(side: number, price: number, quantity: number): void {
    const levels = side === BID ? this.#sides.bid : this.#sides.ask;
    if (quantity === 0) levels.delete(price);
    else levels.set(price, quantity);
  }

  clear(): void {
    this.#sides.bid.clear();
    this.#sides.ask.clear();
  }

  ladder(side: number): [number, number][] {
    return [...(side === BID ? this.#sides.bid : this.#sides.ask)].toSorted(([left], [right]) => side * (right - left));
  }
}

const side = fc.constantFrom(BID, ASK);
const quantity = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 5_000 }).map((lots) => lots / 1_000),
);
const near = fc.integer({ min: 1, max: 40 });
const far = fc.integer({ min: 1, max: 3_000 });
const level = fc.tuple(
  side,
  fc.oneof(near, far).map((tick) => tick / 10),
  quantity,
);
const snapshot = fc.uniqueArray(level, { maxLength: 200, selector: ([of, price]) => `${of} ${price}` });
const step = fc.oneof(
  { weight: 20, arbitrary: fc.array(level, { minLength: 1, maxLength: 60 }).map((rows) => ({ kind: 'delta' as const, rows })) },
  { weight: 1, arbitrary: snapshot.map((rows) => ({ kind: 'snapshot' as const, rows })) },
);

describe('the book', () => {
  test('equals a sorted map under any changes and snapshots, and so does everything that is read off it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 12 }), (steps, depth) => {
        const book = new OrderBook();
        const naive = new MappedBook();
        for (const { kind, rows } of steps) {
          if (kind === 'snapshot') naive.clear();
          assert.ok(book[kind === 'snapshot' ? 'replace' : 'apply'](levelsOf(rows), 0, rows.length));
          for (const row of rows) naive.set(...row);
          const bids = naive.ladder(BID);
          const asks = naive.ladder(ASK);
          assert.deepEqual([ladder(book, BID), ladder(book, ASK)], [bids, asks]);
          assert.deepEqual([book.bestBid, book.bestBidQuantity], bids[0] ?? [NaN, NaN]);
          assert.deepEqual([book.bestAsk, book.bestAskQuantity], asks[0] ?? [NaN, NaN]);
          assert.equal(book.isCrossed, bids[0] !== undefined && asks[0] !== undefined && bids[0][0] >= asks[0][0]);
          const sum = (levels: readonly [number, number][]): number => levels.slice(0, depth).reduce((total, [, each]) => total + each, 0);
          assert.equal(book.imbalance(depth), (sum(bids) - sum(asks)) / (sum(bids) + sum(asks)));
          const limit = bids[depth]?.[0] ?? 0.05;
          const atOrAbove = bids.filter(([price]) => price >= limit).reduce((total, [, each]) => total + each, 0);
          assert.equal(book.quantityTo(BID, limit), atOrAbove);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('grows beyond its first columns, and thousands of levels stay in order', () => {
    const book = new OrderBook();
    const naive = new MappedBook();
    // A walk over all places: 2,503 is prime, 997 visits every one of its rests.
    for (let index = 0, tick = 1; index < 2_503; index++, tick = (tick + 997) % 2_503) {
      for (const each of [BID, ASK]) {
        book.set(each, (tick + 1) / 100, index + 1);
        naive.set(each, (tick + 1) / 100, index + 1);
      }
    }
    for (let tick = 0; tick < 2_503; tick += 3) {
      book.set(BID, (tick + 1) / 100, 0);
      naive.set(BID, (tick + 1) / 100, 0);
    }
    assert.deepEqual(ladder(book, BID), naive.ladder(BID));
    assert.deepEqual(ladder(book, ASK), naive.ladder(ASK));
    assert.equal(book.levels(ASK), 2_503);
  });

  test('saves and restores to the same bytes, and goes on as the other does', () => {
    fc.assert(
      fc.property(fc.array(level, { maxLength: 300 }), fc.array(level, { maxLength: 50 }), (before, after) => {
        const book = bookOf(before);
        const out = new ByteWriter();
        book.save(out);
        // Restored over whatever it held.
        const restored = bookOf([[BID, 7, 7]]);
        restored.restore(new ByteReader(out.view().slice()));
        for (const each of [book, restored]) assert.ok(each.apply(levelsOf(after), 0, after.length));
        assert.deepEqual([ladder(restored, BID), ladder(restored, ASK)], [ladder(book, BID), ladder(book, ASK)]);
        const [left, right] = [new ByteWriter(), new ByteWriter()];
        book.save(left);
        restored.save(right);
        assert.deepEqual(left.view(), right.view());
      }),
      { numRuns: 100 },
    );
  });

  test('a large one is restored into a fresh one', () => {
    const rows = Array.from({ length: 3_000 }, (_, index): Level => [BID, index + 1, 1]);
    const out = new ByteWriter();
    bookOf(rows).save(out);
    const restored = new OrderBook();
    restored.restore(new ByteReader(out.view()));
    assert.deepEqual([restored.levels(BID), restored.levels(ASK), restored.bestBid], [3_000, 0, 3_000]);
  });
});

describe('what is read off a book', () => {
  const book = bookOf([
    [BID, 99, 1],
    [BID, 98, 3],
    [BID, 97, 10],
    [ASK, 101, 2],
    [ASK, 103, 4],
  ]);

  test('mid, microprice, imbalance', () => {
    assert.equal(book.mid, 100);
    // Fewer bids than asks: nearer to the bid.
    assert.equal(book.microprice, (99 * 2 + 101 * 1) / 3);
    assert.equal(book.imbalance(1), (1 - 2) / 3);
    assert.equal(book.imbalance(2), (4 - 6) / 10);
    assert.equal(book.imbalance(10), (14 - 6) / 20);
  });

  test('the average price of taking a quantity, and none where there is not so much', () => {
    assert.equal(book.priceOfTaking(1, 2), 101);
    assert.equal(book.priceOfTaking(1, 4), (2 * 101 + 2 * 103) / 4);
    assert.equal(book.priceOfTaking(-1, 2), (99 + 98) / 2);
    assert.equal(book.priceOfTaking(1, 6.001), NaN);
    assert.equal(book.priceOfTaking(1, 0), NaN);
  });

  test('all there is can be taken, whatever the sum of its parts rounds to', () => {
    const tenths = bookOf([
      [ASK, 10, 0.1],
      [ASK, 11, 0.2],
    ]);
    // 0.1 + 0.2 is more than 0.3 as doubles, and less 0.1 it is more than 0.2.
    assert.ok(Math.abs(tenths.priceOfTaking(1, 0.1 + 0.2) - 3.2 / 0.3) < 1e-12);
  });

  test('quantity down to a price, on both sides', () => {
    assert.deepEqual([book.quantityTo(BID, 98), book.quantityTo(BID, 97.5), book.quantityTo(BID, 99.5)], [4, 4, 0]);
    assert.deepEqual([book.quantityTo(ASK, 102), book.quantityTo(ASK, 103)], [2, 6]);
  });

  test('the best levels go into given columns, and NaN where there are none', () => {
    const prices = new Float64Array(3);
    const quantities = new Float64Array(3);
    assert.equal(book.top(ASK, prices, quantities), 2);
    assert.deepEqual([...prices, ...quantities], [101, 103, NaN, 2, 4, NaN]);
    assert.equal(book.top(BID, prices, quantities), 3);
    assert.deepEqual([...prices, ...quantities], [99, 98, 97, 1, 3, 10]);
  });

  test('an empty book is NaN, and not crossed', () => {
    const empty = new OrderBook();
    assert.deepEqual([empty.bestBid, empty.bestAskQuantity, empty.mid, empty.microprice, empty.imbalance(5)], [NaN, NaN, NaN, NaN, NaN]);
    assert.equal(empty.isCrossed, false);
    assert.equal(empty.priceOfTaking(1, 1), NaN);
  });
});

test('what is no level is refused', () => {
  for (const [of, price, total] of [
    [0, 1, 1],
    [2, 1, 1],
    [BID, 0, 1],
    [BID, -1, 1],
    [BID, NaN, 1],
    [ASK, Infinity, 1],
    [ASK, 1, -1],
    [ASK, 1, NaN],
    [ASK, 1, Infinity],
  ] as const) {
    const rows = levelsOf([[of, price, total]]);
    assert.equal(new OrderBook().apply(rows, 0, 1), false, `${of} ${price} ${total}`);
    assert.equal(new OrderBook().replace(rows, 0, 1), false, `${of} ${price} ${total}`);
  }
});

test('a level is asked for by its price, and a copy goes its own way', () => {
  const rows: readonly Level[] = [
    [BID, 99, 5],
    [BID, 98.5, 2],
    [BID, 97, 7],
    [ASK, 101, 4],
    [ASK, 103.25, 6],
  ];
  const book = bookOf(rows);
  for (const [side, price, quantity] of rows) assert.equal(book.quantityAt(side, price), quantity);
  for (const [side, price] of [
    [BID, 98],
    [BID, 101],
    [BID, 96],
    [ASK, 99],
    [ASK, 104],
  ] as const)
    assert.equal(book.quantityAt(side, price), 0);
  assert.deepEqual([book.worst(BID), book.worst(ASK)], [97, 103.25]);
  assert.ok(Number.isNaN(new OrderBook().worst(BID)));
  const copy = bookOf([[BID, 1, 1]]);
  copy.copyFrom(book);
  book.set(BID, 99, 0);
  assert.deepEqual(ladder(copy, BID), [
    [99, 5],
    [98.5, 2],
    [97, 7],
  ]);
  assert.deepEqual(ladder(copy, ASK), ladder(book, ASK));
});
