import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tapeFrom } from '../../../test/golden/matching-case.ts';
import type { TradeColumns } from '../../domain/book.ts';
import { BINANCE_FUTURES_BOOK } from '../../market/book/book-sync.ts';
import { BookRecords, timeWithBook, type BookTape } from './book-records.ts';

const WHOLE_BOOK = 'whole bid 99 5 ask 101 5';

/** Number, time and kind of every record. */
function recordsOf(tape: BookTape): number[][] {
  const records = new BookRecords(tape);
  const all: number[][] = [];
  for (let number = 0; records.has(number); number++) all.push([number, records.at(number), records.kind(number)]);
  return all;
}

test('a silence after which a number is missing began with an interruption, one after which none is missing did not', () => {
  const followed = ['0 whole bid 99 5 ask 101 5', '1000 bid 99 4', '90000 bid 99 3', '100000 bid 99 2'];
  const tape = (lines: readonly string[]): BookTape => ({ ...tapeFrom(lines), silentAfterMs: 10_000 });
  assert.equal(timeWithBook(tape(followed), 0, 100_000), 100_000);
  const broken = [`0 ${WHOLE_BOOK}`, '1000 bid 99 4', '50000 lost', '90000 bid 99 3', `95000 ${WHOLE_BOOK}`, '100000 bid 99 2'];
  assert.equal(timeWithBook(tape(broken), 0, 100_000), 11_000 + 5_000);
  // Without the rule the book would have stood until the first message after the silence.
  assert.equal(timeWithBook(tapeFrom(broken), 0, 100_000), 50_000 + 5_000);
});

test('where no number tells what a message follows, a silence ends the book until a snapshot comes', () => {
  const lines = [`0 ${WHOLE_BOOK}`, '1000 bid 99 4', '90000 bid 99 3', `95000 ${WHOLE_BOOK}`];
  const tape = { ...tapeFrom(lines), rules: BINANCE_FUTURES_BOOK, silentAfterMs: 10_000 };
  assert.equal(timeWithBook(tape, 0, 100_000), 11_000 + 5_000);
});

test('so long after the last message there is no book any more, and trades go on', () => {
  const lines = [`0 ${WHOLE_BOOK}`, '1000 bid 99 4', '8000 buy 1 at 101', '11000 buy 1 at 101', '30000 buy 1 at 101'];
  const tape = (): BookTape => ({ ...tapeFrom(lines), silentAfterMs: 10_000 });
  assert.equal(timeWithBook(tape(), 0, 100_000), 11_000);
  assert.equal(timeWithBook(tape(), 5_000, 10_000), 5_000);
  assert.deepEqual(
    recordsOf(tape()).map(([, at, kind]) => [at, kind]),
    [
      [0, 1],
      [1_000, 0],
      [8_000, 3],
      // At one time trades come before what becomes of the book.
      [11_000, 3],
      [11_000, 2],
      [30_000, 3],
    ],
  );
});

test('trades in pieces of any length are the trades', () => {
  const lines = Array.from({ length: 60 }, (_, at) => (at % 3 === 0 ? `${at} bid 99 ${at + 1}` : `${at} buy 1 at ${101 + (at % 5)}`));
  const whole = (): BookTape => tapeFrom([`0 ${WHOLE_BOOK}`, ...lines]);
  const expected = recordsOf(whole());
  const [trades = assert.fail('no trades')] = [...({ [Symbol.iterator]: () => whole().trades } satisfies Iterable<TradeColumns>)];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 60, maxLength: 60 }), (lengths) => {
      const pieces: TradeColumns[] = [];
      let from = 0;
      for (const length of [...lengths, trades.at.length]) {
        const to = Math.min(trades.at.length, from + length);
        pieces.push({
          at: trades.at.subarray(from, to),
          happenedAt: trades.happenedAt.subarray(from, to),
          id: trades.id.subarray(from, to),
          price: trades.price.subarray(from, to),
          quantity: trades.quantity.subarray(from, to),
          takerSide: trades.takerSide.subarray(from, to),
        });
        from = to;
      }
      assert.deepEqual(recordsOf({ ...whole(), trades: pieces.values() }), expected);
    }),
    { seed: 7 },
  );
});
