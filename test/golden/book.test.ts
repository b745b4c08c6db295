// The captured books, replayed: no gap, no crossing, and what independent dictionaries make of them. See book-golden.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ASK, BID, type BookMessage } from '../../src/domain/book.ts';
import { ByteWriter } from '../../src/domain/bytes.ts';
import { BookMessages } from '../../src/market/book/book-messages.ts';
import { BINANCE_FUTURES_BOOK, BINANCE_SPOT_BOOK, BookSync, BYBIT_BOOK } from '../../src/market/book/book-sync.ts';
import { bookTapeHeader, BookTapeEncoder, BookTapeReader } from '../../src/market/book/book-tape.ts';
import {
  readBybit,
  readCapture,
  readTicker,
  readTrades,
  type Capture,
  type TickerColumns,
} from '../../src/market/book/captures.fixture.ts';
import type { OrderBook } from '../../src/market/book/order-book.ts';
import { needs, sharedPath } from '../support/needs.ts';

const sample = z.array(z.number());
const golden = z
  .object({
    captures: z.record(
      z.string(),
      z.object({
        applied: z.number(),
        levels: z.tuple([z.number(), z.number()]),
        final: z.string(),
        samples: z.object({
          message: sample,
          lastUpdate: sample,
          bestBid: sample,
          bestBidQuantity: sample,
          bestAsk: sample,
          bestAskQuantity: sample,
          imbalance5: sample,
          microprice: sample,
          quantity: sample,
          priceOfBuying: sample,
          priceOfSelling: sample,
          bidQuantityToTwentieth: sample,
          askQuantityToTwentieth: sample,
          top10: z.array(z.string()),
        }),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('book.json', import.meta.url), 'utf8')));

const BYBIT = 'bybit_spot_or_linear_XRPUSDT_ob500_2024-12-01';

/** Of the best levels of both sides, all of them without `depth`: as book-golden.py makes it. */
function digest(book: OrderBook, depth = Infinity): string {
  const sha = createHash('sha256');
  for (const side of [BID, ASK]) {
    const count = Math.min(book.levels(side), depth);
    const prices = new Float64Array(count);
    const quantities = new Float64Array(count);
    assert.equal(book.top(side, prices, quantities), count);
    const both = new Float64Array(count * 2);
    for (let index = 0; index < count; index++) {
      both[2 * index] = prices[index] ?? NaN;
      both[2 * index + 1] = quantities[index] ?? NaN;
    }
    sha.update(new Uint8Array(both.buffer));
  }
  return sha.digest('hex');
}

/** To the last digits: sums are made in another order there. */
function near(found: number, expected: number | undefined, what: string): void {
  assert.ok(
    expected !== undefined && Math.abs(found - expected) <= 1e-12 * Math.max(1, Math.abs(expected)),
    `${what}: ${found}, ${expected}`,
  );
}

function twentieth(book: OrderBook, side: number): number {
  const prices = new Float64Array(20);
  book.top(side, prices, new Float64Array(20));
  return prices[19] ?? NaN;
}

/** The venue's own stream of best prices, up to the book's last number: an independent word on every state of the touch. */
class TickerWitness {
  readonly agreed = { yes: 0, no: 0 };
  readonly #ticker: TickerColumns;
  #row = -1;

  constructor(ticker: TickerColumns) {
    this.#ticker = ticker;
  }

  compare(book: OrderBook, lastUpdate: number): void {
    const { update, bid, bidQuantity, ask, askQuantity } = this.#ticker;
    while ((update[this.#row + 1] ?? Infinity) <= lastUpdate) this.#row++;
    const row = this.#row;
    if (row < 0) return;
    const isSame =
      book.bestBid === bid[row] &&
      book.bestBidQuantity === bidQuantity[row] &&
      book.bestAsk === ask[row] &&
      book.bestAskQuantity === askQuantity[row];
    this.agreed[isSame ? 'yes' : 'no']++;
  }
}

/** Feeds a capture to the book, and compares what it says at the samples and at the end with the golden file. */
function replay(name: string, sync: BookSync, messages: { next(): BookMessage | undefined }, witness?: TickerWitness): void {
  const expected = golden.captures[name];
  assert.ok(expected !== undefined);
  const { samples } = expected;
  let sampled = 0;
  for (let message = messages.next(); message !== undefined; message = messages.next()) {
    assert.notEqual(sync.receive(message), 'resync');
    const { book } = sync;
    if (book === undefined) continue;
    witness?.compare(book, sync.lastUpdate);
    if (sync.lastUpdate !== samples.lastUpdate[sampled]) continue;
    const at = sampled++;
    assert.equal(book.bestBid, samples.bestBid[at]);
    assert.equal(book.bestBidQuantity, samples.bestBidQuantity[at]);
    assert.equal(book.bestAsk, samples.bestAsk[at]);
    assert.equal(book.bestAskQuantity, samples.bestAskQuantity[at]);
    assert.equal(digest(book, 10).slice(0, 16), samples.top10[at]);
    near(book.imbalance(5), samples.imbalance5[at], 'imbalance');
    near(book.microprice, samples.microprice[at], 'microprice');
    const quantity = samples.quantity[at] ?? NaN;
    near(book.priceOfTaking(1, quantity), samples.priceOfBuying[at], 'price of buying');
    near(book.priceOfTaking(-1, quantity), samples.priceOfSelling[at], 'price of selling');
    near(book.quantityTo(BID, twentieth(book, BID)), samples.bidQuantityToTwentieth[at], 'bids to the twentieth');
    near(book.quantityTo(ASK, twentieth(book, ASK)), samples.askQuantityToTwentieth[at], 'asks to the twentieth');
  }
  const { book } = sync;
  assert.ok(book !== undefined);
  assert.equal(sampled, samples.message.length);
  assert.deepEqual([book.levels(BID), book.levels(ASK)], expected.levels);
  assert.equal(digest(book), expected.final);
  const { applied, gaps, crossings, malformed, resyncs } = sync.counts;
  // The snapshot is one more.
  assert.deepEqual([applied, gaps, crossings, malformed, resyncs], [expected.applied + 1, 0, 0, 0, 0]);
}

/** With what Binance's futures say on the wire and the captures leave out: the last number of the message before. */
class Linked {
  readonly #messages: BookMessages;
  readonly #missing: number;
  #last = NaN;
  #count = 0;

  /** @param missing the place of a change that is lost */
  constructor({ deltas, snapshots }: Capture, missing = Infinity) {
    this.#messages = new BookMessages(deltas, snapshots);
    this.#missing = missing;
  }

  next(): BookMessage | undefined {
    const message = this.#messages.next();
    if (message?.kind !== 'delta') return message;
    message.previousUpdate = this.#last;
    this.#last = message.lastUpdate;
    return this.#count++ === this.#missing ? this.next() : message;
  }
}

const CAPTURES = [
  // The spot ticker leaves out states that last for a few changes: twice a message of the book ended in one.
  { name: 'binance_coinm_BTCUSD_PERP_2024-08-08_09', rules: BINANCE_FUTURES_BOOK, offsetMs: 1275, agreed: { yes: 44_771, no: 0 } },
  { name: 'binance_spot_BTCUSDT_2024-08-08_09', rules: BINANCE_SPOT_BOOK, offsetMs: 1277, agreed: { yes: 6_491, no: 2 } },
  { name: 'binance_usdm_BTCUSDT_2024-08-08', rules: BINANCE_FUTURES_BOOK, offsetMs: 1273, agreed: { yes: 6_546, no: 0 } },
] as const;

test('every golden capture is replayed', () => {
  assert.deepEqual(Object.keys(golden.captures).toSorted(), [...CAPTURES.map(({ name }) => name), BYBIT].toSorted());
});

describe('captures of Binance', { skip: needs('shared data') }, () => {
  for (const { name, rules, offsetMs, agreed } of CAPTURES) {
    test(name, async (t) => {
      const path = sharedPath(`data/3_tick/${name}`);
      const capture = await readCapture(path);
      const ticker = await readTicker(path);
      const trades = await readTrades(path, capture.offsetMs);

      await t.test('the clock is put right: nothing is known before it happened', () => {
        assert.equal(capture.offsetMs, offsetMs);
        for (const { at, happenedAt } of [capture.deltas, trades]) {
          assert.ok(at.every((time, row) => time >= (happenedAt[row] ?? NaN)));
        }
      });

      await t.test('replays without a gap or a crossing to the book that dictionaries make, and agrees with the ticker', () => {
        const witness = new TickerWitness(ticker);
        const sync = new BookSync(rules, 5_000);
        replay(name, sync, new BookMessages(capture.deltas, capture.snapshots), witness);
        assert.deepEqual(witness.agreed, agreed);
        assert.equal(sync.counts.unproven > 0, rules === BINANCE_FUTURES_BOOK);
      });

      await t.test('a lost message is a gap at the next one', () => {
        for (const missing of [200, 1_000, 6_000]) {
          const sync = new BookSync(rules, 5_000);
          const messages = new Linked(capture, missing);
          let received = 0;
          for (let message = messages.next(); message !== undefined; message = messages.next()) {
            if (sync.receive(message) === 'resync') break;
            received++;
          }
          // The changes before the lost one and the snapshot among them.
          assert.equal(received, missing + 1);
          assert.deepEqual([sync.state, sync.counts.gaps, sync.book], ['invalid', 1, undefined]);
        }
      });

      await t.test('the same from a tape, which is smaller than the gzipped text', () => {
        const out = new ByteWriter();
        const encoder = new BookTapeEncoder();
        for (const byte of bookTapeHeader()) out.byte(byte);
        const messages = new Linked(capture);
        for (let message = messages.next(); message !== undefined; message = messages.next()) encoder.append(out, message);
        const reader = new BookTapeReader(out.view());
        const sync = new BookSync(rules, 5_000);
        replay(name, sync, reader);
        assert.equal(reader.isTorn, false);
        assert.ok(sync.counts.unproven <= 1, 'only the first change of a wire does not say what it follows');
        assert.ok(out.length < statSync(`${path}_book_deltas.csv.gz`).size);
      });
    });
  }
});

test('the archive of Bybit replays to the book that dictionaries make', { skip: needs('shared data') }, () => {
  const { deltas, snapshots } = readBybit(sharedPath(`data/3_tick/${BYBIT}.jsonl`));
  const sync = new BookSync(BYBIT_BOOK, 5_000);
  replay(BYBIT, sync, new BookMessages(deltas, snapshots));
  assert.equal(sync.counts.unproven, 0);
});
