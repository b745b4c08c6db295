// A made book as the messages and trades of a wire: bar after bar, for as long as somebody asks and the instrument lives.
import type { BookDeltaColumns, BookMessage, BookSnapshotColumns, TradeColumns } from '../../domain/book.ts';
import type { BookRules } from '../book/book-sync.ts';
import { BookMessages } from '../book/book-messages.ts';
import type { BookTradeColumns, SyntheticBook } from './book.ts';

/** How the messages follow each other: every number once, and a snapshot that says nothing new to whoever has the book. */
export const SYNTHETIC_BOOK_RULES: BookRules = { sequence: 'adjacent', snapshots: 'asked' };

const NO_SNAPSHOT: BookSnapshotColumns = {
  at: new Float64Array(),
  happenedAt: new Float64Array(),
  lastUpdate: new Float64Array(),
  side: new Int8Array(),
  price: new Float64Array(),
  quantity: new Float64Array(),
};

/** What is said of the book, for whoever needs no trades. */
export class SyntheticBookMessages {
  readonly #book: SyntheticBook;
  #bar: BookMessages | undefined;

  /** @param book nobody else may step it */
  constructor(book: SyntheticBook) {
    this.#book = book;
  }

  /** In order; reused. Undefined once the instrument is delisted. */
  next(): BookMessage | undefined {
    for (;;) {
      const message = this.#bar?.next();
      if (message !== undefined) return message;
      if (this.#book.ended) return undefined;
      const { deltas, snapshot } = this.#book.step();
      this.#bar = new BookMessages(deltas, snapshot ?? NO_SNAPSHOT);
    }
  }
}

export interface SyntheticBookTape {
  readonly messages: { next(): BookMessage | undefined };
  /** A piece for each bar, in copies. */
  readonly trades: Iterator<TradeColumns, void>;
}

/**
 * Messages and trades side by side, each read as far as its reader likes: of what the other has not read yet copies are kept. A venue reads
 * both by time, and so never more than two bars apart.
 * @param book nobody else may step it
 */
export function syntheticBookTape(book: SyntheticBook): SyntheticBookTape {
  const bars: BookMessages[] = [];
  const printed: TradeColumns[] = [];
  function step(): boolean {
    if (book.ended) return false;
    const { deltas, snapshot, trades } = book.step();
    bars.push(new BookMessages(copyOf(deltas), snapshot ?? NO_SNAPSHOT));
    printed.push(tradesOf(trades));
    return true;
  }
  function next(): BookMessage | undefined {
    for (;;) {
      const message = bars[0]?.next();
      if (message !== undefined) return message;
      if (bars.shift() === undefined && !step()) return undefined;
    }
  }
  function* trades(): Generator<TradeColumns, void> {
    for (;;) {
      const piece = printed.shift();
      // A market without trades has none in any bar.
      if (piece?.at.length === 0) return;
      if (piece !== undefined) yield piece;
      else if (!step()) return;
    }
  }
  return { messages: { next }, trades: trades() };
}

function copyOf({ at, firstUpdate, lastUpdate, side, price, quantity }: BookDeltaColumns): BookDeltaColumns {
  const times = at.slice();
  return {
    at: times,
    happenedAt: times,
    firstUpdate: firstUpdate.slice(),
    lastUpdate: lastUpdate.slice(),
    side: side.slice(),
    price: price.slice(),
    quantity: quantity.slice(),
  };
}

/** Known as they happen. A trade's number is that of the update after which it took. */
function tradesOf({ at, side, price, quantity, lastUpdate }: BookTradeColumns): TradeColumns {
  const times = at.slice();
  return {
    at: times,
    happenedAt: times,
    id: lastUpdate.slice(),
    price: price.slice(),
    quantity: quantity.slice(),
    takerSide: side.slice(),
  };
}
