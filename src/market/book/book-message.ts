// A book message as bytes, and back. Exact: every double returns as it was. Each message stands alone, so any part of a tape can be read.
//
// Prices and quantities of a venue are decimals of few digits: they are written as whole numbers of the last digit, prices as the
// difference from the level before, which is a byte or two. What is no such decimal is written as the double it is.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BookMessage } from '../../domain/book.ts';

const IS_SNAPSHOT = 1;
const HAS_PREVIOUS = 2;
/** Numbers of updates that are no whole numbers from 0 on, first before last: kept as they came. */
const HAS_RAW_UPDATES = 4;
/** Said instead of a number of decimals: doubles follow. */
const RAW = 255;
const MAX_DECIMALS = 15;
/** A difference of two, with its sign in a bit, is still exact. */
const MAX_UNITS = 2 ** 51;
const POWERS = Float64Array.from({ length: MAX_DECIMALS + 1 }, (_, decimals) => 10 ** decimals);

/** A message to decode into. */
export function emptyBookMessage(): BookMessage {
  return {
    kind: 'delta',
    at: NaN,
    happenedAt: NaN,
    firstUpdate: NaN,
    lastUpdate: NaN,
    previousUpdate: NaN,
    levels: columns(64),
    from: 0,
    to: 0,
  };
}

export function encodeBookMessage(out: ByteWriter, message: BookMessage): void {
  const { firstUpdate, lastUpdate, previousUpdate, levels, from, to } = message;
  const hasRawUpdates = !(isCount(firstUpdate) && isCount(lastUpdate) && firstUpdate <= lastUpdate);
  const hasPrevious = !Number.isNaN(previousUpdate);
  out.byte((message.kind === 'snapshot' ? IS_SNAPSHOT : 0) | (hasPrevious ? HAS_PREVIOUS : 0) | (hasRawUpdates ? HAS_RAW_UPDATES : 0));
  out.number(message.at);
  out.number(message.happenedAt);
  if (hasRawUpdates) {
    out.number(firstUpdate);
    out.number(lastUpdate);
  } else {
    out.count(firstUpdate);
    out.count(lastUpdate - firstUpdate);
  }
  if (hasPrevious) out.number(previousUpdate);
  out.count(to - from);
  encodeSides(out, levels.side, from, to);
  encodePrices(out, levels.price, from, to);
  encodeQuantities(out, levels.quantity, from, to);
}

/** @param into is overwritten; its columns are replaced when they are too short. @throws BallastError BYTES_TRUNCATED */
export function decodeBookMessage(from: ByteReader, into: BookMessage): void {
  const flags = from.byte();
  into.kind = (flags & IS_SNAPSHOT) === 0 ? 'delta' : 'snapshot';
  into.at = from.number();
  into.happenedAt = from.number();
  if ((flags & HAS_RAW_UPDATES) === 0) {
    into.firstUpdate = from.count();
    into.lastUpdate = into.firstUpdate + from.count();
  } else {
    into.firstUpdate = from.number();
    into.lastUpdate = from.number();
  }
  into.previousUpdate = (flags & HAS_PREVIOUS) === 0 ? NaN : from.number();
  const count = from.count();
  if (into.levels.side.length < count) into.levels = columns(count * 2);
  into.from = 0;
  into.to = count;
  decodeSides(from, into.levels.side, count);
  decodePrices(from, into.levels.price, count);
  decodeQuantities(from, into.levels.quantity, count);
}

function columns(length: number): BookMessage['levels'] {
  return { side: new Int8Array(length), price: new Float64Array(length), quantity: new Float64Array(length) };
}

/** Runs of one side: a message has two of them, mostly. */
function encodeSides(out: ByteWriter, side: Int8Array, from: number, to: number): void {
  let start = from;
  while (start < to) {
    const of = side[start] ?? 0;
    let end = start + 1;
    while (end < to && side[end] === of) end++;
    out.byte(of & 255);
    out.count(end - start);
    start = end;
  }
}

function decodeSides(from: ByteReader, into: Int8Array, count: number): void {
  let start = 0;
  while (start < count) {
    const of = from.byte();
    const end = start + from.count();
    // An Int8Array takes the low eight bits as a signed number: what they were.
    into.fill(of, start, end);
    start = end;
  }
}

function encodePrices(out: ByteWriter, price: Float64Array, from: number, to: number): void {
  const decimals = decimalsOf(price, from, to);
  out.byte(decimals);
  if (decimals === RAW) return encodeDoubles(out, price, from, to);
  const scale = POWERS[decimals] ?? NaN;
  let last = 0;
  for (let row = from; row < to; row++) {
    const units = Math.round((price[row] ?? NaN) * scale);
    const step = units - last;
    out.count(step < 0 ? -2 * step - 1 : 2 * step);
    last = units;
  }
}

function decodePrices(from: ByteReader, into: Float64Array, count: number): void {
  const decimals = from.byte();
  if (decimals === RAW) return decodeDoubles(from, into, count);
  const scale = POWERS[decimals] ?? NaN;
  let units = 0;
  for (let row = 0; row < count; row++) {
    const folded = from.count();
    units += folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
    into[row] = units / scale;
  }
}

function encodeQuantities(out: ByteWriter, quantity: Float64Array, from: number, to: number): void {
  const decimals = decimalsOf(quantity, from, to);
  out.byte(decimals);
  if (decimals === RAW) return encodeDoubles(out, quantity, from, to);
  const scale = POWERS[decimals] ?? NaN;
  for (let row = from; row < to; row++) out.count(Math.round((quantity[row] ?? NaN) * scale));
}

function decodeQuantities(from: ByteReader, into: Float64Array, count: number): void {
  const decimals = from.byte();
  if (decimals === RAW) return decodeDoubles(from, into, count);
  const scale = POWERS[decimals] ?? NaN;
  for (let row = 0; row < count; row++) into[row] = from.count() / scale;
}

function encodeDoubles(out: ByteWriter, values: Float64Array, from: number, to: number): void {
  for (let row = from; row < to; row++) out.number(values[row] ?? NaN);
}

function decodeDoubles(from: ByteReader, into: Float64Array, count: number): void {
  for (let row = 0; row < count; row++) into[row] = from.number();
}

/** The fewest decimals with which every value returns as the double it is: a quotient of two exact doubles is correctly rounded. */
function decimalsOf(values: Float64Array, from: number, to: number): number {
  let decimals = 0;
  for (let row = from; row < to; row++) {
    const value = values[row] ?? NaN;
    // A zero keeps its sign only as a double.
    if (!(value >= 0) || Object.is(value, -0)) return RAW;
    while (!returns(value, decimals)) if (++decimals > MAX_DECIMALS) return RAW;
  }
  // More decimals make greater numbers: an earlier value may not bear those that a later one needs.
  for (let row = from; row < to; row++) if (!returns(values[row] ?? NaN, decimals)) return RAW;
  return decimals;
}

function returns(value: number, decimals: number): boolean {
  const scale = POWERS[decimals] ?? NaN;
  const units = Math.round(value * scale);
  return units < MAX_UNITS && units / scale === value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}
