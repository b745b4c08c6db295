import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BookMessage } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { BallastError } from '../../domain/errors.ts';
import { decodeBookMessage, emptyBookMessage, encodeBookMessage } from './book-message.ts';
import { bookTapeHeader, BookTapeEncoder, BookTapeReader } from './book-tape.ts';

/** Decimals as venues send them, and whatever else a double can be. */
const value = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 10_000_000 }), fc.integer({ min: 0, max: 8 }))
      .map(([units, places]) => units / 10 ** places),
  },
  { weight: 1, arbitrary: fc.double() },
);
const update = fc.oneof({ weight: 5, arbitrary: fc.maxSafeNat() }, { weight: 1, arbitrary: fc.double() });

const messages: fc.Arbitrary<BookMessage> = fc
  .record({
    kind: fc.constantFrom('snapshot' as const, 'delta' as const),
    at: fc.double(),
    happenedAt: fc.double(),
    firstUpdate: update,
    lastUpdate: update,
    previousUpdate: fc.oneof(fc.constant(NaN), update),
    rows: fc.array(fc.tuple(fc.oneof(fc.constantFrom(1, -1), fc.integer({ min: -128, max: 127 })), value, value), { maxLength: 150 }),
    padding: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ rows, padding, ...message }) => {
    const length = rows.length + 2 * padding;
    const levels = { side: new Int8Array(length), price: new Float64Array(length), quantity: new Float64Array(length) };
    rows.forEach(([side, price, quantity], row) => {
      levels.side[padding + row] = side;
      levels.price[padding + row] = price;
      levels.quantity[padding + row] = quantity;
    });
    return { ...message, levels, from: padding, to: padding + rows.length };
  });

/** Its meaning, without the columns around it. */
function told(message: BookMessage): unknown {
  const { kind, at, happenedAt, firstUpdate, lastUpdate, previousUpdate, levels, from, to } = message;
  const { side, price, quantity } = levels;
  return {
    numbers: [kind, at, happenedAt, firstUpdate, lastUpdate, previousUpdate],
    side: [...side.subarray(from, to)],
    price: [...price.subarray(from, to)],
    quantity: [...quantity.subarray(from, to)],
  };
}

describe('a message as bytes', () => {
  test('returns to the last bit, the sign of a zero included, whatever it is', () => {
    const into = emptyBookMessage();
    fc.assert(
      fc.property(messages, (message) => {
        const out = new ByteWriter();
        encodeBookMessage(out, message);
        const reader = new ByteReader(out.view());
        decodeBookMessage(reader, into);
        assert.ok(reader.ended);
        // deepEqual of node:assert/strict tells -0 from 0, and takes every NaN for the same.
        assert.deepEqual(told(into), told(message));
      }),
      { numRuns: 500 },
    );
  });

  test('takes a few bytes a level for what a venue sends', () => {
    const levels = {
      side: Int8Array.of(1, 1, 1, -1, -1, -1),
      price: Float64Array.of(61_804.7, 61_804.6, 61_804.1, 61_804.8, 61_804.9, 61_805.4),
      quantity: Float64Array.of(35, 8, 0, 1_645, 3, 12),
    };
    const out = new ByteWriter();
    encodeBookMessage(out, {
      ...emptyBookMessage(),
      at: 1,
      happenedAt: 1,
      firstUpdate: 1_007_198_631_260,
      lastUpdate: 1_007_198_631_565,
      levels,
      to: 6,
    });
    // Times 17, numbers 8, sides 5, decimals 2, and for the levels 8 of prices and 7 of quantities.
    assert.equal(out.length, 47);
  });

  test('cut anywhere is an error and no message', () => {
    const levels = { side: Int8Array.of(1), price: Float64Array.of(1.5), quantity: Float64Array.of(Math.PI) };
    const out = new ByteWriter();
    encodeBookMessage(out, {
      ...emptyBookMessage(),
      at: 1,
      happenedAt: 1,
      firstUpdate: 1,
      lastUpdate: 300,
      previousUpdate: 0,
      levels,
      to: 1,
    });
    for (let length = 0; length < out.length; length++) {
      const cut = new ByteReader(out.view().slice(0, length));
      assert.throws(
        () => decodeBookMessage(cut, emptyBookMessage()),
        (error) => error instanceof BallastError && error.code === 'BYTES_TRUNCATED',
      );
    }
  });
});

function tapeOf(recorded: readonly BookMessage[]): Uint8Array {
  const out = new ByteWriter();
  for (const byte of bookTapeHeader()) out.byte(byte);
  const encoder = new BookTapeEncoder();
  for (const message of recorded) encoder.append(out, message);
  return out.view().slice();
}

function read(bytes: Uint8Array): { readonly found: unknown[]; readonly reader: BookTapeReader } {
  const reader = new BookTapeReader(bytes);
  const found: unknown[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) found.push(told(message));
  return { found, reader };
}

describe('a tape', () => {
  const few = fc.array(messages, { minLength: 1, maxLength: 6 });

  test('gives back what was recorded', () => {
    fc.assert(
      fc.property(few, (recorded) => {
        const { found, reader } = read(tapeOf(recorded));
        assert.deepEqual(found, recorded.map(told));
        assert.equal(reader.isTorn, false);
      }),
      { numRuns: 50 },
    );
  });

  test('cut anywhere gives its whole messages, says that it is torn, and can be gone on with', () => {
    fc.assert(
      fc.property(few, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (recorded, where) => {
        const whole = tapeOf(recorded);
        const least = bookTapeHeader().length;
        const cut = whole.slice(0, least + Math.floor(where * (whole.length - least)));
        const { found, reader } = read(cut);
        assert.deepEqual(found, recorded.slice(0, found.length).map(told));
        assert.ok(found.length < recorded.length);
        assert.equal(reader.isTorn, reader.cleanBytes < cut.length);
        const mended = new ByteWriter();
        for (const byte of cut.subarray(0, reader.cleanBytes)) mended.byte(byte);
        const encoder = new BookTapeEncoder();
        for (const message of recorded.slice(found.length)) encoder.append(mended, message);
        assert.deepEqual(mended.view(), new Uint8Array(whole));
      }),
      { numRuns: 100 },
    );
  });

  test('a flipped bit ends it before the message that bears it', () => {
    fc.assert(
      fc.property(few, fc.nat(), fc.integer({ min: 0, max: 7 }), (recorded, place, bit) => {
        const bytes = tapeOf(recorded);
        const least = bookTapeHeader().length;
        const at = least + (place % (bytes.length - least));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const { found, reader } = read(bytes);
        assert.ok(reader.cleanBytes <= at);
        assert.ok(reader.isTorn);
        assert.deepEqual(found, recorded.slice(0, found.length).map(told));
      }),
      { numRuns: 100 },
    );
  });

  test('zeros after it are no messages', () => {
    const recorded = tapeOf([{ ...emptyBookMessage(), at: 1, happenedAt: 1, firstUpdate: 1, lastUpdate: 1 }]);
    const padded = new Uint8Array(recorded.length + 100);
    padded.set(recorded);
    const { found, reader } = read(padded);
    assert.deepEqual([found.length, reader.isTorn, reader.cleanBytes], [1, true, recorded.length]);
  });

  test('another file is refused, and another version', () => {
    const other = bookTapeHeader();
    other[other.length - 1] = 2;
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('time,price,quantity\n'), other]) {
      assert.throws(
        () => new BookTapeReader(bytes),
        (error) => error instanceof BallastError && error.code === 'TAPE_VERSION',
      );
    }
  });
});
