// The plugs with more than one implementation. Held by contract tests.
import type { Stateful } from './bytes.ts';
import type { Event, MarketEvent } from './event.ts';
import type { AmendIntent, CancelIntent, LimitAmendIntent, OrderIntent } from './order.ts';
import type { TimeMs } from './time.ts';

/** Where events come from: a tape, a feed, a venue's reports, the operator. */
export interface Source {
  /** `at` of the earliest event known now; NEVER when none is. */
  peekAt(): TimeMs;
  /** Takes that event. Only after a finite `peekAt`. The object may be reused: copy what you keep. */
  take(): Event;
  /** Nothing will ever come again. */
  readonly ended: boolean;
  /** What comes next is on its way and has a place in the order: nobody may go ahead of it. */
  readonly isLoading?: boolean;
  /** Called by a waiting clock; the source calls back when something has arrived. */
  onArrival?(wake: () => void): void;
}

/** The market events of one instrument, in order of `at`. */
export interface MarketSource extends Source {
  /** Index in the run's instruments. */
  readonly instrument: number;
  /**
   * The next bar that `take` will deliver, where it is known already (a tape, a generator); undefined where it is not.
   * For the simulated venue only, which may look one bar ahead to fill. Reused: copy what you keep.
   */
  nextBar(): Readonly<MarketEvent> | undefined;
}

/** What decides what happens next. */
export interface Clock {
  /** Market time now. */
  now(): TimeMs;
  /**
   * The index of the source whose event is next, `timer` when a timer comes first, `wait` when nothing is due yet, `ended` when nothing
   * ever will be. At equal times sources come before timers, and the lower index before the higher.
   */
  next(sources: readonly Source[], timerAt: TimeMs): number | 'timer' | 'wait' | 'ended';
  /** Time of what `next` last found, whether it is due or not; NEVER when nothing is known. */
  readonly nextAt: TimeMs;
  /** Resolves when something may be due. */
  wait(sources: readonly Source[], timerAt: TimeMs): Promise<void>;
  /** The loop runs in slices of at most 20 ms of wall time, with a macrotask between them. */
  beginSlice(): void;
  sliceIsOver(): boolean;
  /** That macrotask. */
  pause(): Promise<void>;
}

/** Where orders go. Copies what it is given; answers only through its reports. */
export interface Venue {
  submit(intent: OrderIntent): void;
  /** Answered by `order.amended` or `order.repriced`, or by `order.cancelled` where the order had ended. */
  amend(intent: AmendIntent | LimitAmendIntent): void;
  cancel(intent: CancelIntent): void;
}

/** A venue inside this process: its state survives with the session's. */
export interface EmbeddedVenue extends Venue, Stateful {}

/** Waiting, for what must wait: backoff, rate limits, rounds. In a test it takes no wall time. */
export interface Timers {
  /** Milliseconds since some instant; never goes back. */
  now(): number;
  /** Throws the reason of the abort when the signal aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A bar as a venue says it: open time, open, high, low, close, volume in base currency. */
export type BarRow = readonly [openAt: TimeMs, open: number, high: number, low: number, close: number, volume: number];

/** Bars that open at or after `fromMs` and before `toMs`, both multiples of the timeframe, at most `pageBars` of them. */
export interface BarPage {
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  readonly fromMs: TimeMs;
  readonly toMs: TimeMs;
}

/** A venue's public history of bars. What is not answered is asked again in there, and every failure that comes out is a final one. */
export interface VenueHistory {
  readonly venue: string;
  /** Most bars of one page. */
  readonly pageBars: number;
  /** @throws BallastError SYMBOL_UNLISTED, TIMEFRAME_UNSERVED: days are served always */
  check(symbol: string, timeframeMs: TimeMs): void;
  /** What time it is there. @throws BallastError VENUE_UNREACHABLE, VENUE_BUSY, VENUE_REFUSED */
  now(): Promise<TimeMs>;
  /**
   * In any order; perhaps fewer than were asked for, none, some twice, and some of outside the page.
   * @throws BallastError VENUE_UNREACHABLE, VENUE_BUSY, VENUE_REFUSED, VENUE_ANSWER_MALFORMED
   */
  page(page: BarPage): Promise<readonly BarRow[]>;
}
