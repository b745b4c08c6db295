import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BookMessage, TradeColumns } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { BookSync } from '../book/book-sync.ts';
import { syntheticBook, type SyntheticBook } from './book.ts';
import { SYNTHETIC_BOOK_RULES, SyntheticBookMessages, syntheticBookTape } from './book-tape.ts';

const START = Date.UTC(2026, 0, 1);

function bookFrom(bar: number, seed = 3, symbol = 'BTC/USDT:USDT'): SyntheticBook {
  const book = syntheticBook({ seed, startAt: START, book: { updateMs: 2 * SECOND_MS, levels: 12 } }, symbol);
  book.beginAt(bar);
  return book;
}

/** All that a message says, in copies. */
function told({ kind, at, happenedAt, firstUpdate, lastUpdate, levels, from, to }: BookMessage): unknown[] {
  const columns = [levels.side, levels.price, levels.quantity].map((column) => [...column.subarray(from, to)]);
  return [kind, at, happenedAt, firstUpdate, lastUpdate, columns];
}

function taken(next: () => BookMessage | undefined, until: number): unknown[][] {
  const all: unknown[][] = [];
  for (let message = next(); message !== undefined && message.at <= until; message = next()) all.push(told(message));
  return all;
}

test('messages and trades are the same however far one is read ahead of the other', () => {
  const bars = 130;
  const until = START + bars * MINUTE_MS;
  const alone = new SyntheticBookMessages(bookFrom(7));
  const expected = taken(() => alone.next(), until);
  const steps = bookFrom(7);
  const trades = Array.from({ length: bars - 7 }, () => {
    const { at, price, quantity, side } = steps.step().trades;
    return [[...at], [...price], [...quantity], [...side]];
  });
  const columns = (piece: TradeColumns): unknown => [[...piece.at], [...piece.price], [...piece.quantity], [...piece.takerSide]];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 }), (turns) => {
      const tape = syntheticBookTape(bookFrom(7));
      const messages: unknown[][] = [];
      const pieces: unknown[] = [];
      for (let turn = 0; messages.length < expected.length || pieces.length < trades.length; turn++) {
        const count = turns[turn % turns.length] ?? 1;
        if (turn % 2 === 0) {
          for (let left = count; left > 0 && messages.length < expected.length; left--) {
            const message = tape.messages.next();
            assert.ok(message !== undefined);
            messages.push(told(message));
          }
        } else {
          for (let left = count % 50; left >= 0 && pieces.length < trades.length; left--) {
            const { value } = tape.trades.next();
            assert.ok(value !== undefined);
            pieces.push(columns(value));
          }
        }
      }
      assert.deepEqual(messages, expected);
      assert.deepEqual(pieces, trades);
    }),
    { numRuns: 8 },
  );
});

test('every message follows the one before, from a book that begins late to a delisting', () => {
  const last = 30 * 24 * 60;
  const messages = new SyntheticBookMessages(bookFrom(last - 90, 3, 'LUNA/USDT:USDT'));
  const sync = new BookSync(SYNTHETIC_BOOK_RULES, Infinity);
  let count = 0;
  for (let message = messages.next(); message !== undefined; message = messages.next(), count++) {
    const verdict = sync.receive(message);
    assert.equal(verdict, count > 0 && message.kind === 'snapshot' ? 'ignored' : 'applied');
    assert.ok(sync.book !== undefined && sync.book.bestBid < sync.book.bestAsk);
  }
  assert.equal(sync.counts.applied + sync.counts.ignored, count);
  assert.ok(count > 90 * 30, `${count} messages`);
  assert.equal(messages.next(), undefined);
  assert.equal(syntheticBookTape(bookFrom(last + 5, 3, 'LUNA/USDT:USDT')).messages.next(), undefined);
});

test('a book that begins late has the trades of one that began at once, and its depth within an hour or two', () => {
  const bar = 2_000;
  const [late, whole] = [bookFrom(bar), bookFrom(0)];
  for (let skipped = 0; skipped < bar; skipped++) whole.step();
  for (let step = 0; step < 240; step++) {
    const [one, other] = [late.step(), whole.step()];
    assert.equal(one.openAt, other.openAt);
    assert.equal(one.snapshot !== undefined, step === 0 || (bar + step) % 60 === 0);
    assert.deepEqual(one.trades.price, other.trades.price);
    assert.deepEqual(one.trades.quantity, other.trades.quantity);
  }
  assert.ok(Math.abs(late.depthRatio / whole.depthRatio - 1) < 0.02, `${late.depthRatio} for ${whole.depthRatio}`);
  assert.throws(() => late.beginAt(bar + 3 * (HOUR_MS / MINUTE_MS) * 24), /a book that has begun/);
  // Saved before its first bar, and in the middle.
  for (const steps of [0, 5]) {
    const saved = bookFrom(bar);
    for (let step = 0; step < steps; step++) saved.step();
    const bytes = new ByteWriter();
    saved.save(bytes);
    const restored = bookFrom(0);
    restored.restore(new ByteReader(bytes.view()));
    assert.deepEqual(restored.step(), saved.step());
  }
});
