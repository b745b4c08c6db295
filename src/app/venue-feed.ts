// A real venue's public streams as a session's feed: bars without a hole, marks no more often than a second, history first where there is none yet,
// and the books on which somebody lives.
import type { Instrument } from '../domain/instrument.ts';
import { SECOND_MS, type TimeMs } from '../domain/time.ts';
import type { SystemClock } from '../engine/system-clock.ts';
import type { Engine } from '../engine/engine.ts';
import { BookFeed } from '../market/book/book-feed.ts';
import { BYBIT_BOOK } from '../market/book/book-sync.ts';
import { Feed } from '../market/feed/feed.ts';
import type { MarketMessage } from '../venues/ccxt/bybit-market.ts';
import { FrameLateness } from './frame-lateness.ts';
import type { LiveMarket, LiveVenue } from './live-venue.ts';
import type { StatusNotes } from './status.ts';
import { systemTimers } from './system-timers.ts';

export interface VenueFeedParts {
  readonly openMarket: LiveVenue['openMarket'];
  /** A server on this machine may play another time than the wall's. */
  readonly isElsewhere: boolean;
  readonly instruments: readonly Instrument[];
  readonly baseTimeframeMs: TimeMs;
  /** How old a bar may be and still be decided on. */
  readonly staleMs: TimeMs;
  readonly clock: SystemClock;
  readonly engine: Engine;
  readonly notes: StatusNotes;
  readonly onTime: (happenedAt: TimeMs) => void;
  readonly onNotice: (words: string) => void;
  /** Instruments on whose books a strategy lives. */
  readonly onBooks: ReadonlySet<number>;
  /** Between two looks at one of them. */
  readonly bookIntervalMs: TimeMs;
  /** The loop takes a look at a book: the time of its event, and when its frame came, by the system's timers, and how much later than the quickest. */
  readonly onBookTaken: (at: TimeMs, heardAt: number, lateMs: number) => void;
}

export interface VenueFeed {
  readonly feed: Feed;
  /** One for each instrument on whose book a strategy lives. */
  readonly books: readonly BookFeed[];
  /** @param from by instrument: bars that open before this are known or not wanted; `warmsUp` where they are history */
  start(from: readonly TimeMs[], warmsUp: boolean): Promise<LiveMarket>;
}

/** Marks move all the time, and nobody needs each of them. */
const MARK_MS = SECOND_MS;
/** How far a venue's clock may be ahead of this machine's. */
const TOLERATED_MS = 60 * SECOND_MS;

export function venueFeed(parts: VenueFeedParts): VenueFeed {
  const { instruments, baseTimeframeMs, clock, engine, notes, onNotice } = parts;
  const feed = new Feed({
    symbols: instruments.map(({ symbol }) => symbol),
    baseTimeframeMs,
    now: () => clock.now(),
    notBefore: () => engine.earliestNext,
    latest: () => (parts.isElsewhere ? Infinity : Date.now() + TOLERATED_MS),
    onTime: parts.onTime,
    onRefused: (why) => {
      notes.refuse(why);
      onNotice(`feed: refused ${why}`);
    },
  });
  const books = [...parts.onBooks]
    .toSorted((left, right) => left - right)
    .map(
      (instrument) =>
        new BookFeed({
          instrument,
          rules: BYBIT_BOOK,
          now: () => clock.now(),
          notBefore: () => engine.earliestNext,
          intervalMs: parts.bookIntervalMs,
          warmsUp: () => !engine.hasBegun,
          onTaken: (at, heardAt) => parts.onBookTaken(at, heardAt, lateMs[instrument] ?? 0),
        }),
    );
  const lateness = new FrameLateness();
  /** By instrument: of its latest frame. */
  const lateMs = new Float64Array(instruments.length);
  const bookOf = instruments.map((_, instrument) => books.find((book) => book.instrument === instrument));
  const markedAt = new Map<string, number>();
  const isDue = ({ kind, symbol }: MarketMessage): boolean => {
    if (kind !== 'mark.changed') return true;
    const now = performance.now();
    if (now - (markedAt.get(symbol) ?? -Infinity) < MARK_MS) return false;
    markedAt.set(symbol, now);
    return true;
  };
  /** A bar of long ago forms features; to decide on it now would be to trade on old prices. */
  const flagged = (message: MarketMessage): MarketMessage =>
    message.kind === 'bar.closed' && message.openAt + baseTimeframeMs < clock.now() - parts.staleMs
      ? { ...message, warmup: true }
      : message;
  return {
    feed,
    books,
    start(from, warmsUp) {
      return parts.openMarket({
        instruments,
        timeframeMs: baseTimeframeMs,
        also: books.length > 0 ? ['marks', 'books'] : ['marks'],
        since: from,
        warmsUp,
        onMessage: (message) => {
          if (isDue(message)) feed.receive(JSON.stringify(flagged(message)));
        },
        onBook: (instrument, message, heardAt) => {
          lateMs[instrument] = lateness.of(heardAt, message.happenedAt);
          return bookOf[instrument]?.receive(message, heardAt) ?? false;
        },
        onBookLost: (instrument) => bookOf[instrument]?.interrupt(systemTimers.now()),
        onLost: (why) => feed.report('feed.lost', why),
        onRestored: () => feed.report('feed.restored', 'the streams of the venue speak again'),
        onNotice,
      });
    },
  };
}
