// A venue's public streams as a feed takes them (docs/reference/feed.md): closed bars without a hole, trades, marks, and book messages in the
// order in which they came. What was missed while a stream was away is asked for before what comes after it is said.
import { z } from 'zod';
import type { BookMessage } from '../../domain/book.ts';
import type { Instrument, InstrumentKind } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { BookFrameReader, bookFrameSchema, bookMessageOf } from './bybit-book-frame.ts';
import { wireSymbol } from './bybit-orders.ts';
import { counted, listSchema, positive, wrongWith } from './bybit-rows.ts';
import { Calls } from './calls.ts';
import { Stream, type Frame, type HotTexts } from './stream.ts';
import { PRIORITY } from './turns.ts';
import type { PublicWire } from './venue-wire.ts';

/** As a feed takes it. */
export type MarketMessage =
  | {
      readonly kind: 'bar.closed';
      readonly symbol: string;
      readonly openAt: TimeMs;
      readonly open: number;
      readonly high: number;
      readonly low: number;
      readonly close: number;
      readonly volume: number;
      /** History that joins the stream without a seam. */
      readonly warmup?: true;
    }
  | {
      readonly kind: 'trade.printed';
      readonly symbol: string;
      readonly happenedAt: TimeMs;
      readonly price: number;
      readonly quantity: number;
    }
  | { readonly kind: 'mark.changed'; readonly symbol: string; readonly happenedAt: TimeMs; readonly price: number };

export interface BybitMarketParts {
  readonly instruments: readonly Instrument[];
  readonly wire: PublicWire;
  readonly timers: Timers;
  readonly random: Random;
  /** One that Bybit serves. */
  readonly timeframeMs: TimeMs;
  /** Beside bars. Books have 50 levels. */
  readonly also: readonly ('trades' | 'marks' | 'books')[];
  readonly deadlineMs: number;
  readonly pingMs: number;
  /** By instrument: bars that open before this are not asked for. */
  readonly since: readonly TimeMs[];
  /** What is asked for before the streams begin is history. */
  readonly warmsUp: boolean;
  readonly onMessage: (message: MarketMessage) => void;
  /**
   * A message of a book, which the next one overwrites, and when its frame came, by the timers; true where there is no book any more, and a
   * snapshot is wanted.
   */
  readonly onBook: (instrument: number, message: BookMessage, heardAt: number) => boolean;
  /** What comes next of this book does not follow what came: its stream is lost, or it has said what cannot be believed. */
  readonly onBookLost: (instrument: number) => void;
  readonly onLost: (why: string) => void;
  readonly onRestored: () => void;
  readonly onNotice: (words: string) => void;
}

const INTERVALS: Readonly<Record<number, string>> = {
  [MINUTE_MS]: '1',
  [3 * MINUTE_MS]: '3',
  [5 * MINUTE_MS]: '5',
  [15 * MINUTE_MS]: '15',
  [30 * MINUTE_MS]: '30',
  [HOUR_MS]: '60',
  [2 * HOUR_MS]: '120',
  [4 * HOUR_MS]: '240',
  [6 * HOUR_MS]: '360',
  [12 * HOUR_MS]: '720',
  [DAY_MS]: 'D',
};
const DEPTH = 50;
/** Bars of one page. */
/** What a venue corrects, it corrects soon. */
const KEPT_BARS = 16;
const PAGE_BARS = 1_000;
/** How long each kind of topic may be silent. Trades may be rare; what is updated all the time may not. */
const STALE_MS: Readonly<Record<string, number>> = { kline: MINUTE_MS, tickers: 10 * SECOND_MS, orderbook: 10 * SECOND_MS };

const klineRow = z.object({
  start: z.int(),
  open: positive,
  high: positive,
  low: positive,
  close: positive,
  volume: counted,
  confirm: z.boolean(),
});
const listedBar = z
  .tuple([
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
    positive,
    positive,
    positive,
    positive,
    counted,
  ])
  .rest(z.unknown());
const tradeRow = z.object({ T: z.int(), p: positive, v: positive });
const tickerRow = z.object({ markPrice: positive.optional() });

interface Bar {
  readonly openAt: TimeMs;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

interface BarPage {
  /** Closed ones, oldest first. */
  readonly bars: readonly Bar[];
  /** Of the last bar that was asked for. */
  readonly lastOpenAt: TimeMs;
}

interface Line {
  readonly instrument: number;
  readonly symbol: string;
  readonly wireSymbol: string;
  readonly category: InstrumentKind;
  readonly bookTopic: string;
  /** Of the last bar that was said. */
  openAt: TimeMs;
  /** The last that were said, with whatever the venue has made of them since. */
  readonly said: Bar[];
  /** Closed bars that wait until what came before them has been asked for. */
  waiting: Bar[] | undefined;
  /** Everything of before the stream was said. */
  isJoined: boolean;
}

export class BybitMarket {
  readonly #parts: BybitMarketParts;
  readonly #interval: string;
  readonly #lines: readonly Line[];
  readonly #streams: ReadonlyMap<InstrumentKind, Stream>;
  readonly #calls: Calls;
  readonly #lost = new Set<InstrumentKind>();
  readonly #end = new AbortController();
  readonly #joined = Promise.withResolvers<void>();
  malformed = 0;
  /** Versions of bars that were told before. */
  corrected = 0;

  constructor(parts: BybitMarketParts) {
    const { instruments, wire, timers, random, timeframeMs, also, since, deadlineMs, pingMs } = parts;
    const interval = INTERVALS[timeframeMs];
    if (interval === undefined) throw new Error(`broken invariant: a timeframe of ${timeframeMs} ms is checked before it is streamed`);
    this.#parts = parts;
    this.#interval = interval;
    this.#lines = instruments.map((each, instrument) => ({
      instrument,
      symbol: each.symbol,
      wireSymbol: wireSymbol(each),
      category: each.kind,
      bookTopic: `orderbook.${DEPTH}.${wireSymbol(each)}`,
      openAt: Math.ceil((since[instrument] ?? 0) / timeframeMs) * timeframeMs - timeframeMs,
      said: [],
      waiting: undefined,
      isJoined: false,
    }));
    // What is public is asked for without a key, so there is nothing to be taken out of words.
    this.#calls = new Calls({ wire, timers, deadlineMs, redact: (words) => words, onTime: () => undefined, onJudged: () => undefined });
    this.#streams = new Map(
      [...new Set(instruments.map(({ kind }) => kind))].map((category) => [
        category,
        new Stream({
          name: `the public stream of bybit ${category}`,
          dial: wire.dialPublic(category),
          timers,
          random,
          topics: this.#topicsOf(category),
          login: undefined,
          pingMs,
          staleMs: (topic) => STALE_MS[topic.split('.')[0] ?? ''] ?? Infinity,
          ...(also.includes('books') && { hot: this.#hotBooks(category) }),
          onFrame: (frame) => this.#onFrame(frame, category),
          onActive: () => this.#active(category),
          onLost: (why) => this.#streamLost(category, why),
          onRefused: (words) => this.#refused(words),
        }),
      ]),
    );
  }

  start(): void {
    for (const stream of this.#streams.values()) stream.start();
  }

  /** Everything of before the streams was said, for every instrument; or it was stopped before. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  stop(): void {
    this.#joined.resolve();
    this.#end.abort();
    for (const stream of this.#streams.values()) stream.stop();
    this.#calls.close();
  }

  #topicsOf(category: InstrumentKind): string[] {
    const { also } = this.#parts;
    return this.#lines
      .filter((line) => line.category === category)
      .flatMap(({ wireSymbol: symbol, bookTopic }) => [
        `kline.${this.#interval}.${symbol}`,
        ...(also.includes('trades') ? [`publicTrade.${symbol}`] : []),
        // Spot has no mark.
        ...(also.includes('marks') && category === 'linear' ? [`tickers.${symbol}`] : []),
        ...(also.includes('books') ? [bookTopic] : []),
      ]);
  }

  #active(category: InstrumentKind): void {
    for (const line of this.#lines) if (line.category === category) void this.#catchUp(line);
  }

  #streamLost(category: InstrumentKind, why: string): void {
    this.#parts.onNotice(`the public stream of bybit ${category} is lost: ${why}`);
    for (const line of this.#lines) if (line.category === category) this.#parts.onBookLost(line.instrument);
    if (this.#lost.has(category)) return;
    this.#lost.add(category);
    if (this.#lost.size === 1) this.#parts.onLost(why);
  }

  /** The bars that closed since the last one, then those that closed meanwhile. */
  async #catchUp(line: Line): Promise<void> {
    const { timers, random, timeframeMs, wire } = this.#parts;
    line.waiting ??= [];
    const stream = this.#streams.get(line.category);
    const since = stream?.activeSince;
    for (let attempt = 0; ; attempt++) {
      const page = await this.#missing(line);
      // Gone again: the next connection begins anew.
      if (this.#end.signal.aborted || stream?.activeSince !== since) return;
      if (page === undefined) {
        // Woken early where it is over.
        await timers.sleep(pauseAfter(attempt, random), this.#end.signal).catch(() => undefined);
        continue;
      }
      for (const bar of page.bars) this.#say(line, bar, this.#parts.warmsUp && !line.isJoined);
      const until = Math.max(wire.venueNow(), line.waiting[0]?.openAt ?? 0);
      if (page.bars.length >= PAGE_BARS - 1) continue;
      if (page.lastOpenAt + timeframeMs >= until) break;
      // Nothing was traded there, or not yet: what comes after may be.
      line.openAt = Math.max(line.openAt, page.lastOpenAt);
    }
    for (const bar of line.waiting) this.#say(line, bar);
    line.waiting = undefined;
    line.isJoined = true;
    if (this.#lines.every(({ isJoined }) => isJoined)) this.#joined.resolve();
    if (this.#lines.some((each) => each.category === line.category && each.waiting !== undefined) || !this.#lost.delete(line.category))
      return;
    if (this.#lost.size === 0) this.#parts.onRestored();
  }

  async #missing({ category, wireSymbol: symbol, openAt }: Line): Promise<BarPage | undefined> {
    const { timeframeMs, wire } = this.#parts;
    const askedAt = wire.venueNow();
    const start = openAt + timeframeMs;
    const lastOpenAt = start + (PAGE_BARS - 1) * timeframeMs;
    const parameters = { category, symbol, interval: this.#interval, start, end: lastOpenAt, limit: PAGE_BARS };
    const outcome = await this.#calls.ask({
      method: 'GET',
      path: '/v5/market/kline',
      parameters,
      isPrivate: false,
      budget: 'market',
      priority: PRIORITY.look,
    });
    if (outcome.kind !== 'answered') return undefined;
    const read = z.array(listedBar).safeParse(listSchema.safeParse(outcome.result).data?.list);
    if (!read.success) {
      this.#refused(`bars of ${symbol}: ${wrongWith(read.error)}`);
      return undefined;
    }
    const bars = read.data.map(([at, open, high, low, close, volume]): Bar => ({ openAt: at, open, high, low, close, volume }));
    // The one that was forming when this was answered is said when it closes, though it may have closed while the answer was on its way. One
    // had closed when the venue's clock says so, or when there is one after it.
    const ordered = bars.toSorted((left, right) => left.openAt - right.openAt);
    const closedBy = Math.max(outcome.venueAt ?? askedAt, ordered.at(-1)?.openAt ?? 0);
    return { bars: ordered.filter((bar) => bar.openAt >= start && bar.openAt + timeframeMs <= closedBy), lastOpenAt };
  }

  #say(line: Line, bar: Bar, isHistory = false): void {
    if (bar.openAt <= line.openAt) {
      this.#compare(line, bar);
      return;
    }
    line.openAt = bar.openAt;
    if (line.said.push(bar) > KEPT_BARS) line.said.shift();
    this.#parts.onMessage({ kind: 'bar.closed', symbol: line.symbol, ...bar, ...(isHistory && { warmup: true }) });
  }

  /** What was decided on stays as it was: another version of it is told, with what it was, and the history has both once it is downloaded. */
  #compare({ symbol, said }: Line, bar: Bar): void {
    const index = said.findIndex(({ openAt }) => openAt === bar.openAt);
    const before = said[index];
    if (before === undefined) return;
    const changes = (['open', 'high', 'low', 'close', 'volume'] as const).flatMap((name) =>
      before[name] === bar[name] ? [] : [`${name} ${before[name]} became ${bar[name]}`],
    );
    if (changes.length === 0) return;
    said[index] = bar;
    this.corrected++;
    const openedAt = new Date(bar.openAt).toISOString();
    this.#parts.onNotice(
      `${symbol}: the venue has corrected the bar of ${openedAt} after it was told: ${changes.join(', ')}; what was decided stays`,
    );
  }

  #onFrame(frame: Frame, category: InstrumentKind): void {
    const [name = '', ...rest] = (frame.topic ?? '').split('.');
    const line = this.#lines.find((each) => each.category === category && each.wireSymbol === rest.at(-1));
    if (line === undefined) return;
    if (name === 'orderbook') {
      this.#onBookFrame(frame, line);
      return;
    }
    for (const row of Array.isArray(frame.data) ? (frame.data as readonly unknown[]) : [frame.data]) {
      if (name === 'kline') this.#onKline(row, line);
      else if (name === 'publicTrade') this.#onTrade(row, line);
      else if (name === 'tickers') this.#onTicker(row, line, frame.ts);
    }
  }

  #onKline(raw: unknown, line: Line): void {
    const read = klineRow.safeParse(raw);
    if (!read.success) {
      this.#refused(`a bar of ${line.symbol}: ${wrongWith(read.error)}`);
      return;
    }
    const { start, confirm, open, high, low, close, volume } = read.data;
    if (!confirm) return;
    const bar = { openAt: start, open, high, low, close, volume };
    if (line.waiting !== undefined) line.waiting.push(bar);
    // One was skipped: what is missing is asked for, and this one waits.
    else if (start > line.openAt + this.#parts.timeframeMs) {
      line.waiting = [bar];
      void this.#catchUp(line);
    } else this.#say(line, bar);
  }

  #onTrade(raw: unknown, { symbol }: Line): void {
    const read = tradeRow.safeParse(raw);
    if (!read.success) this.#refused(`a trade of ${symbol}: ${wrongWith(read.error)}`);
    else this.#parts.onMessage({ kind: 'trade.printed', symbol, happenedAt: read.data.T, price: read.data.p, quantity: read.data.v });
  }

  /** A ticker says what has changed of it: the mark is not always among that. */
  #onTicker(raw: unknown, { symbol }: Line, happenedAt: number | undefined): void {
    const read = tickerRow.safeParse(raw);
    if (!read.success) this.#refused(`a ticker of ${symbol}: ${wrongWith(read.error)}`);
    else if (read.data.markPrice !== undefined && happenedAt !== undefined) {
      this.#parts.onMessage({ kind: 'mark.changed', symbol, happenedAt, price: read.data.markPrice });
    }
  }

  /** Nearly every frame is a book's: those whose form is known are read here, all others as frames. */
  #hotBooks(category: InstrumentKind): HotTexts {
    const lines = this.#lines.filter((line) => line.category === category);
    const reader = new BookFrameReader();
    let line: Line | undefined;
    return {
      read(text) {
        line = reader.read(text) ? lines.find(({ bookTopic }) => reader.isOf(bookTopic)) : undefined;
        return line?.bookTopic;
      },
      take: () => {
        if (line === undefined) return;
        reader.message.at = this.#parts.wire.venueNow();
        this.#onBook(reader.message, line, line.bookTopic);
      },
    };
  }

  #onBookFrame(frame: Frame, line: Line): void {
    const read = bookFrameSchema.safeParse(frame);
    const topic = frame.topic ?? '';
    if (read.success) this.#onBook(bookMessageOf(read.data, this.#parts.wire.venueNow()), line, topic);
    else {
      this.#refused(`a book of ${line.symbol}: ${wrongWith(read.error)}`);
      this.#parts.onBookLost(line.instrument);
      this.#streams.get(line.category)?.renew(topic);
    }
  }

  #onBook(message: BookMessage, { instrument, category }: Line, topic: string): void {
    const stream = this.#streams.get(category);
    if (this.#parts.onBook(instrument, message, stream?.heardAt ?? NaN)) stream?.renew(topic);
  }

  #refused(words: string): void {
    this.malformed++;
    this.#parts.onNotice(`not believed: ${words}`);
  }
}
