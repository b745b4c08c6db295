// The rows of the journal: what the loop was told (inputs, fed again in a replay) and what it concluded (recomputed and compared).
import type { Amount, Price, Quantity } from './decimal.ts';
import type { AccountReport, FeedReport, LetterArrived, OperatorSpoke, VenueReport } from './event.ts';
import type { AmendIntent, CancelIntent, ExecutionAlgorithm, OrderIntent, Share, Side, TicketAlgorithm } from './order.ts';
import type { TimeMs } from './time.ts';

/** A source of opinion broke its contract at this place. An input: whether a mind ran out of time is not to be recomputed. */
export interface MindFailed {
  readonly kind: 'mind.failed';
  readonly at: TimeMs;
  readonly source: number;
  readonly because: string;
}

/** One source's part in a sleeve's change. */
export interface OpinionNote {
  readonly source: number;
  readonly stance: number;
  readonly confidence: number;
  readonly abstained: boolean;
  /** How stretched its reasons say the subject is: their number `zScore`. NaN where they name none. */
  readonly zScore: number;
  readonly because: string;
}

/** How a sleeve's stance came about. */
export type PoolOutcome =
  /** The sleeve's only source has spoken. */
  | 'single'
  | 'pooled'
  /** Nobody spoke: hold, add nothing. */
  | 'all-abstained'
  /** Too few on one side: neutral. */
  | 'no-consensus'
  /** Nobody stands by a forecast any more: flat. */
  | 'expired'
  /** It would leave a position that is too young: hold, add nothing. */
  | 'held'
  /** It would open too soon after closing: flat. */
  | 'cooldown';

/** How many spoke and agreed, in numbers. The council's minutes are composed of it when somebody reads them. */
export interface PoolNote {
  readonly outcome: PoolOutcome;
  /** How many sources took part. */
  readonly voices: number;
  /** How many of them are on the pooled side. */
  readonly agreeing: number;
  /** In [0, 1]: 1 when nobody contradicts, 0 when the sides are even. */
  readonly agreement: number;
}

export interface SleeveChange {
  readonly sleeve: number;
  readonly stanceBefore: number;
  readonly stance: number;
  /** Targets of the sleeve's legs once every rule has spoken. */
  readonly quantities: readonly Quantity[];
  readonly opinions: readonly OpinionNote[];
  /** Undefined where a rule cut a standing target and nobody was asked. */
  readonly pool: PoolNote | undefined;
}

export interface RulingNote {
  readonly rule: string;
  readonly kind: 'clamp' | 'halt';
  readonly why: string;
  /** By position in the decision's targets; empty for a halt. */
  readonly scales: readonly number[];
}

export interface DecisionTaken {
  readonly kind: 'decision.taken';
  readonly at: TimeMs;
  readonly id: number;
  readonly equity: number;
  readonly changes: readonly SleeveChange[];
  readonly rulings: readonly RulingNote[];
}

export interface OrderIntended {
  readonly kind: 'order.intended';
  readonly at: TimeMs;
  readonly intent: OrderIntent;
  /** What it is expected to cost, fee and slippage, as a ratio of its notional at the mark; NaN for a protective stop, which has no choice. */
  readonly costRatio: number;
  /** What carries it out: `market`, or the algorithm of the instrument's ticket, whose order it is. */
  readonly algorithm: ExecutionAlgorithm;
}

export interface AmendIntended {
  readonly kind: 'amend.intended';
  readonly at: TimeMs;
  readonly intent: AmendIntent;
}

export interface CancelIntended {
  readonly kind: 'cancel.intended';
  readonly at: TimeMs;
  readonly intent: CancelIntent;
}

/** Gate two said no: nothing was sent. */
export interface OrderRefused {
  readonly kind: 'order.refused';
  readonly at: TimeMs;
  readonly order: string;
  readonly instrument: number;
  readonly rule: string;
  readonly why: string;
}

/** Sleeves that offset each other trade among themselves: at mid, fee 0. Parts sum to zero. */
export interface CrossingMade {
  readonly kind: 'crossing.made';
  readonly at: TimeMs;
  readonly instrument: number;
  readonly price: Price;
  readonly parts: readonly Share[];
}

/** The desk begins to work what an instrument needs, in orders of its own making until it is closed. */
export interface TicketOpened {
  readonly kind: 'ticket.opened';
  readonly at: TimeMs;
  readonly instrument: number;
  readonly algorithm: TicketAlgorithm;
  readonly side: Side;
  /** Positive: what is wanted now. */
  readonly quantity: Quantity;
  /** The mark: what all that comes of it is measured against. */
  readonly arrivalPrice: number;
}

/** Money of the run has left the account, or what had left came back: no profit, no fee and no funding. */
export interface CashTransferred {
  readonly kind: 'cash.transferred';
  readonly at: TimeMs;
  /** Positive is received. */
  readonly amount: Amount;
  /** At the marks, before it. */
  readonly equity: number;
}

/** Everything else that changes what the engine may do. Reflexes never write state: they say this, and the fold applies it. */
export type StateChange =
  | { readonly kind: 'halt.latched'; readonly at: TimeMs; readonly cause: string }
  | { readonly kind: 'halt.released'; readonly at: TimeMs; readonly by: string }
  | { readonly kind: 'pause.began'; readonly at: TimeMs; readonly until: TimeMs; readonly cause: string }
  | { readonly kind: 'pause.ended'; readonly at: TimeMs }
  | { readonly kind: 'day.started'; readonly at: TimeMs; readonly equity: number }
  | { readonly kind: 'alert.raised'; readonly at: TimeMs; readonly rule: string; readonly why: string }
  | { readonly kind: 'sleeve.stopped'; readonly at: TimeMs; readonly sleeve: number; readonly because: string }
  | { readonly kind: 'sleeve.rearmed'; readonly at: TimeMs; readonly sleeve: number }
  | { readonly kind: 'sleeve.closed'; readonly at: TimeMs; readonly sleeve: number; readonly because: string }
  | { readonly kind: 'stop.moved'; readonly at: TimeMs; readonly sleeve: number; readonly stopPrice: number }
  /** How equity is divided from now on. By sleeve, ratios of equity. */
  | { readonly kind: 'shares.changed'; readonly at: TimeMs; readonly shares: readonly number[]; readonly because: string }
  | TicketOpened
  | CashTransferred
  | { readonly kind: 'ticket.closed'; readonly at: TimeMs; readonly instrument: number; readonly because: string }
  | { readonly kind: 'mind.suspended'; readonly at: TimeMs; readonly source: number; readonly because: string };

/** Why a run is over: its market ended, it reached what it was asked to reach, or it was stopped. */
export type RunOutcome = 'ended' | 'until' | 'stopped';

export interface RunEnded {
  readonly kind: 'run.ended';
  readonly at: TimeMs;
  readonly cause: RunOutcome;
  readonly stateHash: string;
  readonly equity: number;
  readonly cash: Amount;
}

export type InputEntry = VenueReport | AccountReport | FeedReport | OperatorSpoke | LetterArrived | MindFailed;
export type OutputEntry =
  | DecisionTaken
  | OrderIntended
  | AmendIntended
  | CancelIntended
  | OrderRefused
  | CrossingMade
  | StateChange
  | RunEnded;
export type Entry = InputEntry | OutputEntry;
export type EntryKind = Entry['kind'];

/** A row as it stands in the journal. */
export interface JournalRow {
  /** Place in the loop's order of events: the number of events processed when it was written, the current one included. */
  readonly sequence: number;
  /** How many tape records had been written by then. */
  readonly tapeOffset: number;
  readonly entry: Entry;
}
