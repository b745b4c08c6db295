// What is read straight out of a text is what JSON and the schema say of it, or it is left to them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BookMessage } from '../../domain/book.ts';
import { BookFrameReader, bookFrameSchema, bookMessageOf } from './bybit-book-frame.ts';
import { frameSchema } from './bybit-rows.ts';

/** As Bybit writes it: two bids, one ask that is removed. */
const DELTA =
  '{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1687940967466,"data":{"s":"BTCUSDT","b":[["30240.30","2.501"],["30240.2","0.5"]],"a":[["30248.70","0"]],"u":177400507,"seq":66544703342},"cts":1687940967464}';

/** The reference: JSON, then the schemas. Undefined for what they refuse. */
function checked(text: string): { readonly topic: string | undefined; readonly message: BookMessage } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return undefined;
  }
  const frame = frameSchema.safeParse(json).data;
  const read = bookFrameSchema.safeParse(frame).data;
  return read === undefined ? undefined : { topic: frame?.topic, message: bookMessageOf(read, NaN) };
}

/** Its rows in columns of their own, so that they can be compared. */
function whole({ levels, from, to, ...rest }: BookMessage): object {
  const { side, price, quantity } = levels;
  return { ...rest, side: side.slice(from, to), price: price.slice(from, to), quantity: quantity.slice(from, to) };
}

const reader = new BookFrameReader();

/** @returns whether the reader took it; what it takes is what the reference says */
function agrees(text: string): boolean {
  const isTaken = reader.read(text);
  if (!isTaken) return false;
  const expected = checked(text);
  assert.ok(expected !== undefined, `taken, and refused by the schema: ${text}`);
  assert.ok(expected.topic !== undefined && reader.isOf(expected.topic), text);
  assert.deepEqual(whole(reader.message), whole(expected.message), text);
  return true;
}

const digits = (least: number, most: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^\\d{${least},${most}}$`), { maxLength: most });
const decimal = fc.oneof(
  fc.tuple(digits(1, 6), digits(1, 6)).map(([whole, part]) => `${whole}.${part}`),
  digits(1, 7),
  // As long as they may be, where doubles are no longer exact.
  fc.tuple(digits(1, 18), digits(1, 18)).map(([whole, part]) => `${whole}.${part}`),
);
const price = decimal.map((text) => (Number(text) > 0 ? text : '0.1'));
const levels = fc
  .array(fc.tuple(price, fc.oneof(decimal, fc.constant('0'))), { maxLength: 12 })
  .map((rows) => `[${rows.map(([at, total]) => `["${at}","${total}"]`).join(',')}]`);
const time = fc.nat(2e12);
const plainName = fc.stringMatching(/^[a-z]{1,6}$/).filter((name) => !(name in frameSchema.shape) && !['b', 'a', 'u'].includes(name));
const further = fc
  .array(fc.tuple(plainName, fc.oneof(fc.integer().map(String), fc.constant('"BTCUSDT"'), fc.constant('12.5'), fc.constant('-0.25'))), {
    maxLength: 2,
  })
  .map((members) => members.map(([name, value]) => `"${name}":${value}`));

/** As a venue may write it: whatever members it adds, in whatever order. */
const written = fc
  .record({ bids: levels, asks: levels, update: time, at: time, type: fc.constantFrom('snapshot', 'delta'), further, inside: further })
  .chain(({ bids, asks, update, at, type, further, inside }) => {
    const data = [`"b":${bids}`, `"a":${asks}`, `"u":${update}`, ...inside];
    const rows = fc
      .shuffledSubarray(data, { minLength: data.length })
      .map((order) => order.toSorted((left, right) => Number(right.startsWith('"b":')) - Number(left.startsWith('"b":'))));
    return rows.chain((order) => {
      const members = [`"topic":"orderbook.50.BTCUSDT"`, `"type":"${type}"`, `"ts":${at}`, `"data":{${order.join(',')}}`, ...further];
      return fc.shuffledSubarray(members, { minLength: members.length }).map((all) => `{${all.join(',')}}`);
    });
  });

/** Something of it is another text: a character, a piece that is gone, one that comes twice, one that means something elsewhere. */
const pieces = ['"', ',', ':', '{', '}', '[', ']', '0', '00', '-', '.', 'e5', '1e400', ' ', '\\', '\\u0030', 'null', 'true', '\n', '\u0001', '"op":"auth",', '"op":1,', '"__proto__":1,', '"u":3,', '"ts":4,', '"b":[],', '"a":[["1","2","3"]],', '["0","1"],', '["1","-1"],', '["1"],', '"success":"x",', '"retCode":0.5,', '"type":"other",', '9007199254740993', '1234567890123456789']; // prettier-ignore
const mutated = fc
  .tuple(
    written,
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(8), fc.oneof(fc.constantFrom('', ...pieces), fc.string())), {
      minLength: 1,
      maxLength: 3,
    }),
  ) // prettier-ignore
  .map(([text, changes]) => {
    let mutant = text;
    for (const [share, length, piece] of changes) {
      const at = Math.floor(share * mutant.length);
      mutant = mutant.slice(0, at) + piece + mutant.slice(at + length);
    }
    return mutant;
  });
/** Members put before others at places where they can stand. */
const inserted = fc.tuple(written, fc.constantFrom(...pieces), fc.nat(200)).map(([text, piece, which]) => {
  const places = [...text.matchAll(/[{[,]/g)].map(({ index }) => index + 1);
  const at = places[which % places.length] ?? 0;
  return text.slice(0, at) + piece + text.slice(at);
});

describe('the reader of books', () => {
  test('takes a frame as Bybit writes it', () => {
    assert.ok(agrees(DELTA));
    assert.deepEqual(whole(reader.message), {
      kind: 'delta',
      at: NaN,
      happenedAt: 1687940967466,
      firstUpdate: 177400507,
      lastUpdate: 177400507,
      previousUpdate: NaN,
      side: Int8Array.of(1, 1, -1),
      price: Float64Array.of(30240.3, 30240.2, 30248.7),
      quantity: Float64Array.of(2.501, 0.5, 0),
    });
    assert.ok(reader.isOf('orderbook.50.BTCUSDT') && !reader.isOf('orderbook.50.BTCUSD') && !reader.isOf('orderbook.50.BTCUSDT2'));
  });

  test('takes snapshots of more levels than it has room for, and smaller ones after them', () => {
    const rows = Array.from({ length: 500 }, (_, row) => `["${row + 1}.5","${row}"]`).join(',');
    const text = DELTA.replace(/"b":\[.*?\]\]/, `"b":[${rows}]`).replace('delta', 'snapshot');
    assert.ok(agrees(text));
    assert.equal(reader.message.to, 501);
    assert.ok(agrees(DELTA));
  });

  test('takes all that is of its form, with the numbers of the schema', () => {
    fc.assert(fc.property(written, (text) => assert.ok(agrees(text), text)));
  });

  test('takes nothing that the schema refuses, whatever has become of a frame', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, inserted), (text) => void agrees(text)),
      { numRuns: 1_000 },
    );
  });

  test('takes no garbage', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...pieces) })), (text) => !agrees(text)));
  });

  const left: Readonly<Record<string, string>> = {
    'space between members': DELTA.replace(',', ', '),
    'something behind it': `${DELTA} `,
    'its end is missing': DELTA.slice(0, -1),
    'an escape': DELTA.replace('"delta"', '"d\\u0065lta"'),
    'a member twice': DELTA.replace('"u":', '"u":1,"u":'),
    'the topic twice': DELTA.replace('{', '{"topic":"orderbook.50.ETHUSDT",'),
    'a member that means something': DELTA.replace('{', '{"op":"subscribe",'),
    'one that means something, of a wrong kind': DELTA.replace('{', '{"retCode":"1",'),
    'no topic': DELTA.replace('"topic"', '"theme"'),
    'no update': DELTA.replace('"u":', '"v":'),
    'asks before bids': DELTA.replace('"b":', '"x":').replace('"a":', '"b":').replace('"x":', '"a":'),
    'a price of zero': DELTA.replace('30240.30', '0.0'),
    'a negative quantity': DELTA.replace('2.501', '-2.501'),
    'a quantity with an exponent': DELTA.replace('2.501', '2e3'),
    'a quantity that is a number': DELTA.replace('"2.501"', '2.501'),
    'a price of nineteen digits': DELTA.replace('30240.30', '1234567890123456789'),
    'a level of three': DELTA.replace('"2.501"', '"2.501","1"'),
    'a number with a leading zero': DELTA.replace('"u":1', '"u":01'),
    'a number that is not exact': DELTA.replace('"ts":1687940967466', '"ts":9007199254740993'),
    'another type': DELTA.replace('"delta"', '"deltas"'),
    'a list that goes on': DELTA.replace('"0"]]', '"0"],]'),
  };
  for (const [name, text] of Object.entries(left)) {
    test(`leaves to the schema: ${name}`, () => {
      assert.notEqual(text, DELTA);
      assert.ok(!reader.read(text));
    });
  }
});
