// The book and the trades of one instrument as columns: how captures are handed over, stored and replayed.
//
// In all of them `at` is when we could know it, in UTC milliseconds with a fraction where the capture has one, and `happenedAt` the
// venue's own time. Rows are in the order in which they arrived.
import type { TimeMs } from './time.ts';

/** Sides of a book as numbers: columns hold no words. */
export const BID = 1;
export const ASK = -1;

/** Levels of a book: equal-length columns. */
export interface BookLevels {
  /** 1 bid, -1 ask. */
  readonly side: Int8Array;
  /** Read from the venue's decimal text: equal prices are equal doubles. */
  readonly price: Float64Array;
  readonly quantity: Float64Array;
}

/** Changes of a book, a row for each level. `quantity` is the new total at the price, 0 removes it. Rows of one `lastUpdate` are one message. */
export interface BookDeltaColumns extends BookLevels {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** The venue's numbers of the first and the last change that the message covers. */
  readonly firstUpdate: Float64Array;
  readonly lastUpdate: Float64Array;
}

/** Whole books, a row for each level. Rows of one `lastUpdate` are one snapshot. */
export interface BookSnapshotColumns extends BookLevels {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** The number of the last change that the snapshot holds. */
  readonly lastUpdate: Float64Array;
}

export interface TradeColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** The venue's own, where it is a number. */
  readonly id: Float64Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
  /** 1: a buyer took the ask. -1: a seller took the bid. */
  readonly takerSide: Int8Array;
}

/** One message of a venue about one book. Reused by its source: copy what you keep. */
export interface BookMessage {
  kind: 'snapshot' | 'delta';
  at: TimeMs;
  happenedAt: TimeMs;
  /** Of a delta; in a snapshot the same as `lastUpdate`. */
  firstUpdate: number;
  lastUpdate: number;
  /** What the venue says was the last number of the message before (`pu` of Binance's futures); NaN where it says nothing. */
  previousUpdate: number;
  /** Its levels are the rows from `from` to before `to` of these columns. */
  levels: BookLevels;
  from: number;
  to: number;
}
