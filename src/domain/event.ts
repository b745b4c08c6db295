// Everything that reaches the loop. Two times on each: `at`, when we could know it, the only sort key;
// `happenedAt`, when it was so out there.
import type { Amount, Price, Quantity } from './decimal.ts';
import type { Opinion } from './opinion.ts';
import type { TimeMs } from './time.ts';

/**
 * A price out there. Reused by its source: copy what you keep.
 * A bar is known at or after its close, so `at` >= `happenedAt` = its close time; it opened one base timeframe earlier.
 * For `trade.printed` and `mark.changed` the price stands in `close`, a trade's quantity in `volume`, open, high and low equal close.
 */
export interface MarketEvent {
  kind: 'bar.closed' | 'trade.printed' | 'mark.changed';
  at: TimeMs;
  happenedAt: TimeMs;
  /** Index in the run's instruments. */
  instrument: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  /** Before the run's `from`: forms features, never decisions. */
  warmup: boolean;
}

/**
 * The touch of a book and to which side its depth leans. NaN where there is no book any more: what follows a gap is not said before it is one
 * again. Reused by its source: copy what you keep.
 */
export interface BookEvent {
  kind: 'book.changed';
  at: TimeMs;
  happenedAt: TimeMs;
  /** Index in the run's instruments. */
  instrument: number;
  bidPrice: number;
  bidQuantity: number;
  askPrice: number;
  askQuantity: number;
  /** Of the best levels, each weighted less than the one before it: -1 (asks alone) to 1 (bids alone). */
  imbalance: number;
  /** Before the run's `from`: forms features, never decisions. */
  warmup: boolean;
}

/**
 * What longs pay to shorts at a settlement: the next one where the venue foretells it, the one that has just been where only that is known.
 * Reused by its source: copy what you keep.
 */
export interface FundingAnnounced {
  kind: 'funding.announced';
  at: TimeMs;
  happenedAt: TimeMs;
  /** Index in the run's instruments. */
  instrument: number;
  /** Of the position's value, for one interval. */
  rate: number;
  settlesAt: TimeMs;
  /** Before the run's `from`: forms features, never decisions. */
  warmup: boolean;
}

export interface Fill {
  /** The venue's own id: the key by which a fill counts once. */
  readonly id: string;
  readonly price: Price;
  /** Always positive; the order knows the side. */
  readonly quantity: Quantity;
  /** Positive is paid. */
  readonly fee: Amount;
  readonly liquidity: 'maker' | 'taker';
  /** Where the fee was charged in a coin of its own; `fee` is then what that much of it cost. */
  readonly feeCoin?: CoinQuantity;
}

/** So much of a coin that is neither base nor quote of what was traded. */
export interface CoinQuantity {
  readonly currency: string;
  readonly quantity: Quantity;
}

/** What a venue says of an order. */
export interface OrderReport {
  readonly kind: 'order.accepted' | 'order.rejected' | 'order.cancelled' | 'order.expired' | 'order.filled';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly instrument: number;
  /** Our own id for the order. */
  readonly order: string;
  /** The venue's words for a rejection, a cancel or an expiry; empty otherwise. */
  readonly reason: string;
  readonly fill: Fill | undefined;
}

/** What a venue says to an amendment. */
export interface OrderAmended {
  readonly kind: 'order.amended';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly instrument: number;
  readonly order: string;
  /** The trigger that was asked for: which of several amendments this answers. */
  readonly asked: Price;
  /** The trigger that stands now: the one asked for, or where the venue refused the one before. */
  readonly stopPrice: Price;
  /** The venue's words for a refusal; empty otherwise. */
  readonly reason: string;
}

/** What a venue says to another price and quantity for a limit order. */
export interface OrderRepriced {
  readonly kind: 'order.repriced';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly instrument: number;
  readonly order: string;
  /** What stands now: what was asked for, or where the venue refused what there was before. */
  readonly limitPrice: Price;
  readonly quantity: Quantity;
  /** The venue's words for a refusal; empty otherwise. */
  readonly reason: string;
}

/** A payment that is no fill. Negative is paid by us. */
export interface FundingReport {
  readonly kind: 'funding.paid';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly instrument: number;
  readonly amount: Amount;
  readonly rate: number;
}

/**
 * A position that the venue has closed itself, because its margin was used up. No order of ours: it is booked to whoever holds the
 * position, and what rested in the instrument is cancelled after it, by name.
 */
export interface LiquidationReport {
  readonly kind: 'position.liquidated';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly instrument: number;
  /** Of the closing trade: `sell` ends a long position. */
  readonly side: 'buy' | 'sell';
  /** The whole position at the price that was there. Its fee is the venue's for liquidating, less what others bore of the loss. */
  readonly fill: Fill;
  /** What the insurance fund bore: loss beyond the margin. */
  readonly insurance: Amount;
  /** What not even the fund could bear: taken from the winning side by auto-deleveraging. */
  readonly deleveraged: Amount;
}

/**
 * What a venue says of an account beside the orders of this run: a trade by another hand, a position that was there before, money that came
 * or went. Told as an alert. With a fill it is adopted as well: it shrinks whoever holds the other side, or the instrument's first holding
 * has it from now on. With `money` the run's cash follows what is there. Never both.
 */
export interface AccountReport {
  readonly kind: 'account.reported';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  /** -1 is the account as a whole. */
  readonly instrument: number;
  /** Of the trade that made the difference; of what was there before, of the one that would have made it. */
  readonly side: 'buy' | 'sell';
  /** What is booked: its id is the same whenever the same is found again. Undefined where nothing is. */
  readonly fill: Fill | undefined;
  /**
   * What the account holds in the run's currency beside what the trades of this run have made of it: its own money can be no more than that.
   * A level and no step, so that hearing it twice is hearing it once. Absent where nobody has counted it.
   */
  readonly money?: Amount;
  readonly reason: string;
}

export interface FeedReport {
  readonly kind: 'feed.lost' | 'feed.restored';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  /** -1 is every instrument of the feed. */
  readonly instrument: number;
  readonly reason: string;
}

export type OperatorCommand = 'halt' | 'resume' | 'flatten' | 'close';

export interface OperatorSpoke {
  readonly kind: 'operator.spoke';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  readonly command: OperatorCommand;
  /** For `close`: the sleeve's name. */
  readonly argument: string;
  readonly by: string;
}

/** A letter: the opinion of a mind that answers later, at the place where it arrived. */
export interface LetterArrived {
  readonly kind: 'opinion.formed';
  readonly at: TimeMs;
  readonly happenedAt: TimeMs;
  /** Index in the run's sources of opinion. */
  readonly source: number;
  readonly opinion: Opinion;
}

export interface TimerRang {
  kind: 'timer.rang';
  at: TimeMs;
  happenedAt: TimeMs;
  /** Index of the timer in the session's table of timers. */
  timer: number;
}

export type VenueReport = OrderReport | OrderAmended | OrderRepriced | FundingReport | LiquidationReport;
/** What is kept on the tape; everything else is in the journal. */
export type TapeEvent = MarketEvent | BookEvent | FundingAnnounced | TimerRang;
export type Event = TapeEvent | VenueReport | AccountReport | FeedReport | OperatorSpoke | LetterArrived;

/** A price: what moves the account and fills orders. */
export function isMarketEvent(event: Event): event is MarketEvent {
  return event.kind === 'bar.closed' || event.kind === 'trade.printed' || event.kind === 'mark.changed';
}

export function isTapeEvent(event: Event): event is TapeEvent {
  return isMarketEvent(event) || event.kind === 'book.changed' || event.kind === 'funding.announced' || event.kind === 'timer.rang';
}
