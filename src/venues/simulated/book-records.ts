// A tape of books and trades as the venue itself went through it: in its own time, every message proved to follow the one before.
import type { BookLevels, BookMessage, TradeColumns } from '../../domain/book.ts';
import { ASK, BID } from '../../domain/book.ts';
import type { TimeMs } from '../../domain/time.ts';
import { BookSync, type BookRules } from '../../market/book/book-sync.ts';

/** The market of one instrument, message by message. */
export interface BookTape {
  /** In the order in which they became known; undefined at the end. May reuse its message. */
  readonly messages: { next(): BookMessage | undefined };
  /** In order, in pieces of any length. */
  readonly trades: Iterator<TradeColumns, void>;
  /** How its messages follow each other. */
  readonly rules: BookRules;
  /**
   * A recording that says nothing of the book for longer than this, and does not prove by the next message's number that there was nothing to
   * say, was interrupted: so long after its last message the book is lost. Silence proves nothing unless said.
   */
  readonly silentAfterMs?: TimeMs;
  /**
   * Its messages come after the trades that they tell of, by tens of milliseconds where a venue gathers changes: what is better than the price
   * of a trade is gone with the trade, until a message tells of its level. Unless said, trades tell of no level, as in hftbacktest.
   */
  readonly isGathered?: boolean;
}

export type RecordKind = 0 | 1 | 2 | 3;
/** Levels that have another total. */
export const CHANGE = 0;
/** All levels there are. */
export const WHOLE = 1;
/** A message is missing: nobody knows the book until the next whole one. */
export const LOST = 2;
/** One row: the taker's side, price and quantity. */
export const TRADE = 3;

const FIRST_ROWS = 1 << 14;
/** Records that are done with, from which on their room is used again. */
const DONE_RECORDS = 1 << 15;

interface Rows extends BookLevels {
  readonly side: Int8Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
}

/**
 * Records by number, from 0 on. Read as far ahead as somebody asks; what everybody is done with is let go. By the venue's time (`happenedAt`),
 * which never goes back; at one time trades come before changes, because a venue prints a trade before the book without it.
 */
export class BookRecords {
  readonly #tape: BookTape;
  readonly #sync: BookSync;
  /** The message that comes next, read already; undefined when there is none. */
  #message: BookMessage | undefined;
  /** When the last message was said. */
  #saidAt: TimeMs = NaN;
  /** The piece of the trades that is gone through, and its next row; undefined at their end. */
  #trades: TradeColumns | undefined;
  #trade = 0;
  /** Time of the last record. */
  #reached: TimeMs = -Infinity;
  /** Number of the first record that is kept. */
  #first = 0;
  #count = 0;
  #kind = new Uint8Array(1 << 10);
  #at = new Float64Array(1 << 10);
  /** Where each record's rows end; they begin where those of the one before end. */
  #end = new Float64Array(1 << 10);
  #rowCount = 0;
  /** Replaced as it grows: do not keep. */
  levels: Rows = rowsOf(FIRST_ROWS);

  constructor(tape: BookTape) {
    this.#tape = tape;
    // By the venue's time, and with a look ahead: silence is ours to judge.
    this.#sync = new BookSync(tape.rules, Infinity);
    this.#message = tape.messages.next();
    this.#nextTrades();
  }

  /** Whether there is a record of this number. */
  has(number: number): boolean {
    while (number >= this.#first + this.#count) if (!this.#read()) return false;
    return true;
  }

  kind(number: number): RecordKind {
    return (this.#kind[number - this.#first] ?? LOST) as RecordKind;
  }

  at(number: number): TimeMs {
    return this.#at[number - this.#first] ?? NaN;
  }

  /** Its first row in `levels`, and the row after its last. */
  from(number: number): number {
    return number === this.#first ? 0 : (this.#end[number - this.#first - 1] ?? NaN);
  }

  to(number: number): number {
    return this.#end[number - this.#first] ?? NaN;
  }

  /** Nobody asks for records before this one any more. */
  letGo(before: number): void {
    const done = before - this.#first;
    if (done < DONE_RECORDS) return;
    const rows = this.from(before);
    this.#kind.copyWithin(0, done, this.#count);
    this.#at.copyWithin(0, done, this.#count);
    for (let index = done; index < this.#count; index++) this.#end[index - done] = (this.#end[index] ?? NaN) - rows;
    const { side, price, quantity } = this.levels;
    side.copyWithin(0, rows, this.#rowCount);
    price.copyWithin(0, rows, this.#rowCount);
    quantity.copyWithin(0, rows, this.#rowCount);
    this.#rowCount -= rows;
    this.#count -= done;
    this.#first = before;
  }

  /** Reads on by one trade, message or silence, which may be no record. @returns false at the end of the tape */
  #read(): boolean {
    const message = this.#message;
    const trades = this.#trades;
    const tradeAt = trades?.happenedAt[this.#trade] ?? Infinity;
    const lostAt = this.#lostAt(message);
    const nextAt = Math.min(message?.happenedAt ?? Infinity, lostAt);
    if (nextAt === Infinity && tradeAt === Infinity) return false;
    if (trades !== undefined && Math.max(tradeAt, this.#reached) <= Math.max(nextAt, this.#reached)) {
      const row = this.#trade++;
      this.#row(trades.takerSide[row] ?? 0, trades.price[row] ?? NaN, trades.quantity[row] ?? NaN);
      this.#record(TRADE, tradeAt);
      if (this.#trade === trades.happenedAt.length) this.#nextTrades();
      return true;
    }
    if (message === undefined || lostAt < message.happenedAt) {
      this.#sync.interrupt();
      this.#record(LOST, lostAt);
      return true;
    }
    this.#saidAt = message.happenedAt;
    const verdict = this.#sync.receive(message);
    if (verdict === 'applied' && message.kind === 'delta') {
      const { side, price, quantity } = message.levels;
      for (let row = message.from; row < message.to; row++) this.#row(side[row] ?? 0, price[row] ?? NaN, quantity[row] ?? NaN);
      this.#record(CHANGE, message.happenedAt);
    } else if (verdict === 'applied') {
      this.#whole();
      this.#record(WHOLE, message.happenedAt);
    } else if (verdict === 'resync') this.#record(LOST, message.happenedAt);
    this.#message = this.#tape.messages.next();
    return true;
  }

  /** When the book is lost by silence before the message that comes next; Infinity where it is not. */
  #lostAt(message: BookMessage | undefined): TimeMs {
    const { silentAfterMs = Infinity, rules } = this.#tape;
    if (silentAfterMs === Infinity || this.#sync.state !== 'in-sync') return Infinity;
    const lostAt = this.#saidAt + silentAfterMs;
    if (message === undefined) return lostAt;
    if (message.happenedAt <= lostAt) return Infinity;
    const last = this.#sync.lastUpdate;
    const { kind, firstUpdate, lastUpdate, previousUpdate } = message;
    if (kind === 'snapshot') return rules.snapshots === 'asked' && lastUpdate === last ? Infinity : lostAt;
    return (rules.sequence === 'adjacent' ? firstUpdate - 1 <= last : previousUpdate <= last) ? Infinity : lostAt;
  }

  #nextTrades(): void {
    this.#trade = 0;
    do {
      const { done, value } = this.#tape.trades.next();
      this.#trades = done === true ? undefined : value;
    } while (this.#trades?.happenedAt.length === 0);
  }

  /** A snapshot, and the changes that were kept for it. */
  #whole(): void {
    const { book } = this.#sync;
    if (book === undefined) throw new Error('broken invariant: a snapshot that was applied has made a book');
    for (const side of [BID, ASK]) {
      const count = book.levels(side);
      const prices = new Float64Array(count);
      const quantities = new Float64Array(count);
      book.top(side, prices, quantities);
      for (let index = 0; index < count; index++) this.#row(side, prices[index] ?? NaN, quantities[index] ?? NaN);
    }
  }

  #row(side: number, price: number, quantity: number): void {
    if (this.#rowCount === this.levels.side.length) {
      const grown = rowsOf(2 * this.#rowCount);
      grown.side.set(this.levels.side);
      grown.price.set(this.levels.price);
      grown.quantity.set(this.levels.quantity);
      this.levels = grown;
    }
    this.levels.side[this.#rowCount] = side;
    this.levels.price[this.#rowCount] = price;
    this.levels.quantity[this.#rowCount++] = quantity;
  }

  #record(kind: RecordKind, happenedAt: TimeMs): void {
    if (this.#count === this.#kind.length) {
      this.#kind = grownTo(new Uint8Array(2 * this.#count), this.#kind);
      this.#at = grownTo(new Float64Array(2 * this.#count), this.#at);
      this.#end = grownTo(new Float64Array(2 * this.#count), this.#end);
    }
    this.#reached = Math.max(this.#reached, happenedAt);
    this.#kind[this.#count] = kind;
    this.#at[this.#count] = this.#reached;
    this.#end[this.#count++] = this.#rowCount;
  }
}

/** For how much of a range there is a book, in milliseconds of the venue's time. Goes through the tape. */
export function timeWithBook(tape: BookTape, from: TimeMs, to: TimeMs): TimeMs {
  const records = new BookRecords(tape);
  let withBookMs = 0;
  let hasBook = false;
  let reached = from;
  for (let number = 0; records.has(number) && reached < to; number++) {
    const at = Math.min(Math.max(records.at(number), reached), to);
    if (hasBook) withBookMs += at - reached;
    reached = at;
    const kind = records.kind(number);
    if (kind === WHOLE) hasBook = true;
    else if (kind === LOST) hasBook = false;
    records.letGo(number);
  }
  return hasBook ? withBookMs + to - reached : withBookMs;
}

function rowsOf(length: number): Rows {
  return { side: new Int8Array(length), price: new Float64Array(length), quantity: new Float64Array(length) };
}

function grownTo<A extends Uint8Array | Float64Array>(into: A, from: A): A {
  into.set(from);
  return into;
}
