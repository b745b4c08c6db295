// What of a book is said to strategies, and kept on the tape: its touch, and to which side its depth leans.
import { ASK, BID } from '../../domain/book.ts';
import type { BookEvent } from '../../domain/event.ts';
import type { OrderBook } from './order-book.ts';

/** Levels of each side that are weighed. */
const LEVELS = 10;
/** Each level weighs so much of the one before it: the fifth less than half of the best. */
const DECAY_RATIO = 0.8;

/** NaN first, so that V8 keeps the fields as doubles. */
export function emptyTouch(instrument: number): BookEvent {
  return {
    kind: 'book.changed',
    at: NaN,
    happenedAt: NaN,
    instrument,
    bidPrice: NaN,
    bidQuantity: NaN,
    askPrice: NaN,
    askQuantity: NaN,
    imbalance: NaN,
    warmup: false,
  };
}

/** Reads a book into an event. Its columns are used again and again. */
export class TouchReader {
  readonly #prices = new Float64Array(LEVELS);
  readonly #quantities = new Float64Array(LEVELS);

  /**
   * Fills in the touch and the imbalance: sum of w_k (bid_k - ask_k) over sum of w_k (bid_k + ask_k), w_k = 0.8^k, k from 0 at the best of ten
   * levels. After Cont, Kukanov and Stoikov, "The price impact of order book events" (2014), for whom depth near the touch says most.
   * NaN where there is no book, or one side of it is empty.
   */
  read(book: OrderBook | undefined, into: BookEvent): void {
    into.bidPrice = book === undefined ? NaN : book.bestBid;
    into.bidQuantity = book === undefined ? NaN : book.bestBidQuantity;
    into.askPrice = book === undefined ? NaN : book.bestAsk;
    into.askQuantity = book === undefined ? NaN : book.bestAskQuantity;
    const bids = book === undefined ? NaN : this.#weigh(book, BID);
    const asks = book === undefined ? NaN : this.#weigh(book, ASK);
    into.imbalance = bids > 0 && asks > 0 ? (bids - asks) / (bids + asks) : NaN;
  }

  #weigh(book: OrderBook, side: number): number {
    const levels = book.top(side, this.#prices, this.#quantities);
    let sum = 0;
    let weight = 1;
    for (let level = 0; level < levels; level++) {
      sum += weight * (this.#quantities[level] ?? 0);
      weight *= DECAY_RATIO;
    }
    return sum;
  }
}
