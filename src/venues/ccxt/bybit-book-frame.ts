// Reads the frames of Bybit's books straight out of their text, a thousand and more a second. A reader of any JSON and a schema leave 20 KB behind of
// each, objects and texts for every level, and the collector that takes them up stops an order on its way.
//
// It knows one form: members in any order with nothing between them, texts without escapes, decimals without signs and exponents. What is of another
// form it does not judge: that is read as JSON and by the schema here, which says what is wrong with it. What it takes, the schema takes too, with
// the same numbers.
import { z } from 'zod';
import { ASK, BID, type BookMessage } from '../../domain/book.ts';
import { counted, frameSchema, positive } from './bybit-rows.ts';

const level = z.tuple([positive, counted]);
export const bookFrameSchema = z.object({
  type: z.enum(['snapshot', 'delta']),
  ts: z.int(),
  data: z.object({ b: z.array(level), a: z.array(level), u: z.int() }),
});
export type BookFrame = z.output<typeof bookFrameSchema>;

/** A frame that the schema has read, as a message that came `at`. */
export function bookMessageOf({ type, ts, data }: BookFrame, at: number): BookMessage {
  const { a: asks, b: bids, u: update } = data;
  const rows = [...bids, ...asks];
  return {
    kind: type,
    at,
    happenedAt: ts,
    firstUpdate: update,
    lastUpdate: update,
    previousUpdate: NaN,
    levels: {
      side: Int8Array.from(rows, (_, index) => (index < bids.length ? BID : ASK)),
      price: Float64Array.from(rows, ([price]) => price),
      quantity: Float64Array.from(rows, ([, quantity]) => quantity),
    },
    from: 0,
    to: rows.length,
  };
}

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LIST = 91;
const BACKSLASH = 92;
const LIST_END = 93;
const OBJECT = 123;
const OBJECT_END = 125;
const FIRST_PRINTED = 32;

/** Of either part of a decimal. */
const MOST_DIGITS = 18;
/** A whole number of so many digits is exact as a double. */
const EXACT_DIGITS = 15;
/** Exact as doubles too, and what an exact number is divided by: the quotient is the double nearest to what the text says. */
const POWERS = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => Number(`1e${exponent}`));
const FIRST_LEVELS = 128;

/** Members that were seen, each a bit: which of two counts is for JSON to say. */
const SEEN = { topic: 1, type: 2, ts: 4, data: 8, b: 16, a: 32, u: 64 };
const ALL_SEEN = 127;
/** They mean something, or must be of a kind that is not looked at here. */
const OTHER_MEMBERS = Object.keys(frameSchema.shape).filter((name) => !(name in SEEN));

interface Columns {
  readonly side: Int8Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
}

/** One frame after another, into columns that are used again. */
export class BookFrameReader {
  /** What was read last: it stands until the next. `at` is for whoever knows the time. */
  readonly message: BookMessage = {
    kind: 'delta',
    at: NaN,
    happenedAt: NaN,
    firstUpdate: NaN,
    lastUpdate: NaN,
    previousUpdate: NaN,
    levels: columnsOf(0),
    from: 0,
    to: 0,
  };
  #columns: Columns = columnsOf(FIRST_LEVELS);
  #rows = 0;
  #text = '';
  /** The next character. */
  #at = 0;
  #seen = 0;
  /** Where the words that were read last begin and end, and those of the topic. */
  #from = 0;
  #to = 0;
  #topicFrom = 0;
  #topicTo = 0;
  #number = NaN;

  /** @returns false for what is of another form, and nothing of `message` is to be used */
  read(text: string): boolean {
    this.#text = text;
    this.#at = 0;
    this.#seen = 0;
    this.#rows = 0;
    if (!this.#object(false) || this.#at !== text.length || this.#seen !== ALL_SEEN) return false;
    this.message.levels = this.#columns;
    this.message.to = this.#rows;
    return true;
  }

  /** Whether this is the topic of what was read. */
  isOf(topic: string): boolean {
    return this.#topicTo - this.#topicFrom === topic.length && this.#text.startsWith(topic, this.#topicFrom);
  }

  #object(isData: boolean): boolean {
    if (!this.#take(OBJECT)) return false;
    do {
      if (!(this.#words() && this.#take(COLON) && (isData ? this.#dataMember() : this.#member()))) return false;
    } while (this.#take(COMMA));
    return this.#take(OBJECT_END);
  }

  #member(): boolean {
    if (this.#is('topic')) {
      if (!this.#isFirst(SEEN.topic) || !this.#words()) return false;
      this.#topicFrom = this.#from;
      this.#topicTo = this.#to;
      return true;
    }
    if (this.#is('type')) {
      if (!this.#isFirst(SEEN.type) || !this.#words()) return false;
      this.message.kind = this.#is('snapshot') ? 'snapshot' : 'delta';
      return this.#is(this.message.kind);
    }
    if (this.#is('ts')) {
      if (!this.#isFirst(SEEN.ts) || !this.#whole()) return false;
      this.message.happenedAt = this.#number;
      return true;
    }
    if (this.#is('data')) return this.#isFirst(SEEN.data) && this.#object(true);
    for (let index = 0; index < OTHER_MEMBERS.length; index++) if (this.#is(OTHER_MEMBERS[index] ?? '')) return false;
    return this.#scalar();
  }

  #dataMember(): boolean {
    if (this.#is('b')) return this.#isFirst(SEEN.b) && this.#levels(BID);
    // Bids are the first rows.
    if (this.#is('a')) return (this.#seen & SEEN.b) !== 0 && this.#isFirst(SEEN.a) && this.#levels(ASK);
    if (!this.#is('u')) return this.#scalar();
    if (!this.#isFirst(SEEN.u) || !this.#whole()) return false;
    this.message.firstUpdate = this.#number;
    this.message.lastUpdate = this.#number;
    return true;
  }

  #levels(side: number): boolean {
    if (!this.#take(LIST)) return false;
    if (this.#take(LIST_END)) return true;
    do {
      if (this.#rows === this.#columns.side.length) this.#columns = grown(this.#columns);
      const { price, quantity } = this.#columns;
      const row = this.#rows++;
      this.#columns.side[row] = side;
      if (!(this.#take(LIST) && this.#decimal(price, row) && this.#take(COMMA) && this.#decimal(quantity, row))) return false;
      if (!this.#take(LIST_END) || price[row] === 0) return false;
    } while (this.#take(COMMA));
    return this.#take(LIST_END);
  }

  /** A text that is a decimal. It goes into a column from here: a double that is handed on may cost an object. */
  #decimal(column: Float64Array, row: number): boolean {
    if (!this.#take(QUOTE)) return false;
    const from = this.#at;
    const whole = this.#digits();
    if (whole === 0 || whole > MOST_DIGITS) return false;
    let number = this.#number;
    let parts = 0;
    if (this.#take(DOT)) {
      parts = this.#digits();
      if (parts === 0 || parts > MOST_DIGITS) return false;
      number = number * (POWERS[parts] ?? NaN) + this.#number;
    }
    column[row] = whole + parts <= EXACT_DIGITS ? number / (POWERS[parts] ?? NaN) : Number(this.#text.slice(from, this.#at));
    return this.#take(QUOTE);
  }

  /** A whole number from 0 on, so short that it is exact. */
  #whole(): boolean {
    const isZero = this.#text.charCodeAt(this.#at) === ZERO;
    const digits = this.#digits();
    return digits > 0 && digits <= EXACT_DIGITS && !(isZero && digits > 1);
  }

  /** @returns how many there were; `#number` is what they say where they are no more than `EXACT_DIGITS` */
  #digits(): number {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    let number = 0;
    for (;;) {
      const code = text.charCodeAt(at);
      // NaN at the end.
      if (!(code >= ZERO && code <= NINE)) break;
      number = number * 10 + (code - ZERO);
      at++;
    }
    this.#number = number;
    this.#at = at;
    return at - from;
  }

  /** A text or a number that says nothing of the book. */
  #scalar(): boolean {
    if (this.#text.charCodeAt(this.#at) === QUOTE) return this.#words();
    this.#take(MINUS);
    const isZero = this.#text.charCodeAt(this.#at) === ZERO;
    const digits = this.#digits();
    if (digits === 0 || (isZero && digits > 1)) return false;
    return !this.#take(DOT) || this.#digits() > 0;
  }

  /** A text without escapes, which stands as it is written. */
  #words(): boolean {
    if (!this.#take(QUOTE)) return false;
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (!(code >= FIRST_PRINTED) || code === BACKSLASH) return false;
      at++;
    }
    this.#from = this.#at;
    this.#to = at;
    this.#at = at + 1;
    return true;
  }

  #is(words: string): boolean {
    return this.#to - this.#from === words.length && this.#text.startsWith(words, this.#from);
  }

  #isFirst(bit: number): boolean {
    const isFirst = (this.#seen & bit) === 0;
    this.#seen |= bit;
    return isFirst;
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }
}

function columnsOf(rows: number): Columns {
  return { side: new Int8Array(rows), price: new Float64Array(rows), quantity: new Float64Array(rows) };
}

function grown({ side, price, quantity }: Columns): Columns {
  const larger = columnsOf(2 * side.length);
  larger.side.set(side);
  larger.price.set(price);
  larger.quantity.set(quantity);
  return larger;
}
