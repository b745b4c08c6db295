// A live feed as sources: one JSON event a message (docs/reference/feed.md), judged before it is believed, queued until the loop takes it.
import { z } from 'zod';
import type { Event, FeedReport, MarketEvent } from '../../domain/event.ts';
import type { MarketSource, Source } from '../../domain/ports.ts';
import { formatTime, NEVER, type TimeMs } from '../../domain/time.ts';
import { barFault, type BarValues } from '../quality.ts';

/** What a text of ISO-8601 can say at most; more cannot be written down as a date. */
const LATEST_TIME = Date.UTC(9999, 11, 31);

const time = z.union([
  z.number().int().nonnegative().max(LATEST_TIME),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

/** What a message may say. */
export const feedMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bar.closed'),
    symbol: z.string(),
    /** When the bar opened; it closed one base timeframe later. */
    openAt: time,
    open: z.number(),
    high: z.number(),
    low: z.number(),
    close: z.number(),
    volume: z.number(),
    /** History that joins the stream without a seam: forms features, never decisions. */
    warmup: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('trade.printed'), symbol: z.string(), happenedAt: time, price: z.number(), quantity: z.number() }),
  z.strictObject({ kind: z.literal('mark.changed'), symbol: z.string(), happenedAt: time, price: z.number() }),
  z.strictObject({ kind: z.literal('feed.ended') }),
]);

export interface FeedParts {
  readonly symbols: readonly string[];
  readonly baseTimeframeMs: TimeMs;
  /** Market time now. */
  readonly now: () => TimeMs;
  /** The loop may be past the time at which something arrives: an event never comes before this. */
  readonly notBefore: () => TimeMs;
  /** Nothing that says it happened after this is believed: a slip of unit would hold the session up for centuries. */
  readonly latest: () => TimeMs;
  /** Told of the first event's own time and of every one that is ahead of `now`, so that the clock can learn what time it is out there. */
  readonly onTime: (happenedAt: TimeMs) => void;
  /** A message that is not believed: named, counted, never acted on. */
  readonly onRefused: (why: string) => void;
}

type PreviousBar = BarValues & Pick<MarketEvent, 'happenedAt'>;

/** Messages in, events out: one source for each instrument, and one for what is said of the feed itself. */
export class Feed {
  readonly sources: readonly FeedSource[];
  readonly control: ControlSource;
  readonly #parts: FeedParts;
  readonly #indexOf: ReadonlyMap<string, number>;
  /** By instrument: the last bar that was believed. */
  readonly #previous: (PreviousBar | undefined)[];
  #lastAt: TimeMs = 0;
  #isFirst = true;
  #wake: (() => void) | undefined;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#indexOf = new Map(parts.symbols.map((symbol, index) => [symbol, index]));
    // One clock waits, and says so anew each time: the last wake is the one that counts.
    const waiting = (wake: () => void): void => {
      this.#wake = wake;
    };
    this.sources = parts.symbols.map((_, instrument) => new FeedSource(instrument, parts.notBefore, waiting));
    this.control = new ControlSource(parts.notBefore, waiting);
    this.#previous = parts.symbols.map(() => undefined);
  }

  /** After a recovery: nothing comes before `at`, and of each instrument no bar that had come already. NaN where none had. */
  goOn(at: TimeMs, barAt: Readonly<Float64Array>, lastPrice: Readonly<Float64Array>): void {
    this.#lastAt = at;
    for (let instrument = 0; instrument < this.#previous.length; instrument++) {
      const happenedAt = barAt[instrument] ?? NaN;
      const price = lastPrice[instrument] ?? NaN;
      if (Number.isNaN(happenedAt)) continue;
      this.#previous[instrument] = { happenedAt, open: price, high: price, low: price, close: price, volume: 0 };
    }
  }

  /** Takes one message of the wire. */
  receive(text: string): void {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      this.#refuse(`${excerpt(text)} is no JSON (${cause instanceof Error ? cause.message : String(cause)})`);
      return;
    }
    const parsed = feedMessageSchema.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      this.#refuse(`${excerpt(text)}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'malformed'}`);
      return;
    }
    const message = parsed.data;
    if (message.kind === 'feed.ended') {
      for (const source of this.sources) source.end();
      this.control.end();
      this.#wakeUp();
      return;
    }
    const instrument = this.#indexOf.get(message.symbol);
    if (instrument === undefined) {
      this.#refuse(`${excerpt(text)}: symbol ${JSON.stringify(message.symbol)} is not one of ${this.#parts.symbols.join(', ')}`);
      return;
    }
    const event = this.#eventOf(message, instrument);
    const previous = this.#previous[instrument];
    // A server that is dialled again tells its history from the beginning: what is known of it is no fault.
    if (event.warmup && previous !== undefined && event.happenedAt <= previous.happenedAt) return;
    const fault = barFault(event, previous);
    if (fault !== undefined) {
      this.#refuse(`${excerpt(text)}: ${fault}`);
      return;
    }
    const latest = this.#parts.latest();
    if (event.happenedAt > latest) {
      this.#refuse(
        `${excerpt(text)}: found a time of ${formatTime(event.happenedAt)}, expected one that is not after ${formatTime(latest)}`,
      );
      return;
    }
    if (event.kind === 'bar.closed') {
      if (previous !== undefined && event.happenedAt <= previous.happenedAt) {
        this.#refuse(`${excerpt(text)}: a bar that closed at ${event.happenedAt}, after one that closed at ${previous.happenedAt}`);
        return;
      }
      if (event.happenedAt % this.#parts.baseTimeframeMs !== 0) {
        this.#refuse(`${excerpt(text)}: open time is not a multiple of ${this.#parts.baseTimeframeMs} ms`);
        return;
      }
      this.#previous[instrument] = event;
    }
    this.#stamp(event);
    this.sources[instrument]?.push(event);
    this.#wakeUp();
  }

  /** The wire is down, or up again. */
  report(kind: FeedReport['kind'], reason: string): void {
    // Before the first event nobody knows what time it is out there, and a report must not come after it.
    const at = this.#isFirst ? this.#lastAt : Math.max(this.#parts.now(), this.#lastAt);
    this.control.push({ kind, at, happenedAt: at, instrument: -1, reason });
    this.#wakeUp();
  }

  #eventOf(message: Exclude<z.infer<typeof feedMessageSchema>, { kind: 'feed.ended' }>, instrument: number): MarketEvent {
    if (message.kind === 'bar.closed') {
      const { open, high, low, close, volume } = message;
      const happenedAt = message.openAt + this.#parts.baseTimeframeMs;
      return {
        kind: 'bar.closed',
        at: happenedAt,
        happenedAt,
        instrument,
        open,
        high,
        low,
        close,
        volume,
        warmup: message.warmup === true,
      };
    }
    const { price, happenedAt } = message;
    const volume = message.kind === 'trade.printed' ? message.quantity : 0;
    return {
      kind: message.kind,
      at: happenedAt,
      happenedAt,
      instrument,
      open: price,
      high: price,
      low: price,
      close: price,
      volume,
      warmup: false,
    };
  }

  /** `at` is when we could know it: its arrival, never before it happened, never before what arrived earlier. */
  #stamp(event: MarketEvent): void {
    if (!event.warmup && (this.#isFirst || event.happenedAt > this.#parts.now())) {
      this.#isFirst = false;
      this.#parts.onTime(event.happenedAt);
    }
    const arrivedAt = event.warmup || this.#isFirst ? event.happenedAt : this.#parts.now();
    event.at = Math.max(arrivedAt, event.happenedAt, this.#lastAt);
    this.#lastAt = event.at;
  }

  /** Something came over the wire that is no text. */
  receiveOther(what: string): void {
    this.#refuse(`found ${what}, expected a text of JSON`);
  }

  #refuse(why: string): void {
    this.#parts.onRefused(why);
  }

  #wakeUp(): void {
    this.#wake?.();
  }
}

/** First in, first out; the bar that waits is known to the venue too. */
class Queue<E extends Event & { at: TimeMs }> {
  #events: E[] = [];
  #head = 0;

  get length(): number {
    return this.#events.length - this.#head;
  }

  /** What waits becomes what is left of it. */
  reduce(left: (waiting: readonly E[]) => E[]): void {
    this.#events = left(this.#events.slice(this.#head));
    this.#head = 0;
  }

  get first(): E | undefined {
    return this.#events[this.#head];
  }

  push(event: E): void {
    this.#events.push(event);
  }

  shift(): E {
    const event = this.#events[this.#head++];
    if (event === undefined) throw new Error('broken invariant: taken from an empty queue');
    if (this.#head > 1024) {
      this.#events.splice(0, this.#head);
      this.#head = 0;
    }
    return event;
  }

  find(which: (event: E) => boolean): E | undefined {
    for (let index = this.#head; index < this.#events.length; index++) {
      const event = this.#events[index];
      if (event !== undefined && which(event)) return event;
    }
    return undefined;
  }
}

/** A loop that is so far behind a feed does not catch up with every price: what waits is made less. */
const MOST_WAITING = 1_024;

/**
 * What a loop that is behind has to see of prices that wait: every bar; between two bars the lowest and the highest trade and the last one, in
 * their order, with the volume of those that are gone; and the last mark. No stop that was reached is missed.
 */
export function conflated(waiting: readonly MarketEvent[]): MarketEvent[] {
  const kept: MarketEvent[] = [];
  let since = 0;
  for (let index = 0; index <= waiting.length; index++) {
    const event = waiting[index];
    if (event !== undefined && event.kind !== 'bar.closed') continue;
    keepOf(waiting.slice(since, index), kept);
    if (event !== undefined) kept.push(event);
    since = index + 1;
  }
  return kept;
}

function keepOf(prices: readonly MarketEvent[], kept: MarketEvent[]): void {
  const trades = prices.filter(({ kind }) => kind === 'trade.printed');
  const lowest = trades.reduce<MarketEvent | undefined>(
    (least, each) => (least === undefined || each.low < least.low ? each : least),
    undefined,
  );
  const highest = trades.reduce<MarketEvent | undefined>(
    (most, each) => (most === undefined || each.high > most.high ? each : most),
    undefined,
  );
  const lastMark = prices.findLast(({ kind }) => kind === 'mark.changed');
  const lastTrade = trades.at(-1);
  let volume = 0;
  for (const each of prices) {
    if (each.kind === 'trade.printed') volume += each.volume;
    if (each === lastMark) kept.push(each);
    else if (each === lowest || each === highest || each === lastTrade) {
      each.volume = volume;
      volume = 0;
      kept.push(each);
    }
  }
}

export class FeedSource implements MarketSource {
  readonly instrument: number;
  readonly #queue = new Queue<MarketEvent>();
  #most = MOST_WAITING;
  readonly #notBefore: () => TimeMs;
  readonly #waiting: (wake: () => void) => void;
  #isOver = false;
  /** Marks that the loop has taken. */
  marksTaken = 0;

  constructor(instrument: number, notBefore: () => TimeMs, waiting: (wake: () => void) => void) {
    this.instrument = instrument;
    this.#notBefore = notBefore;
    this.#waiting = waiting;
  }

  get ended(): boolean {
    return this.#isOver && this.#queue.first === undefined;
  }

  peekAt(): TimeMs {
    const first = this.#queue.first;
    if (first === undefined) return NEVER;
    const earliest = this.#notBefore();
    if (first.at < earliest) first.at = earliest;
    return first.at;
  }

  take(): MarketEvent {
    this.peekAt();
    if (this.#queue.length === 1) this.#most = MOST_WAITING;
    const event = this.#queue.shift();
    if (event.kind === 'mark.changed') this.marksTaken++;
    return event;
  }

  nextBar(): MarketEvent | undefined {
    return this.#queue.find((event) => event.kind === 'bar.closed');
  }

  onArrival(wake: () => void): void {
    this.#waiting(wake);
  }

  push(event: MarketEvent): void {
    this.#queue.push(event);
    if (this.#queue.length <= this.#most) return;
    this.#queue.reduce(conflated);
    // Bars are all kept: where they alone are many, they are not looked through for every one that comes.
    this.#most = Math.max(MOST_WAITING, 2 * this.#queue.length);
  }

  /** How many the loop has not taken yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  end(): void {
    this.#isOver = true;
  }
}

type MutableFeedReport = { -readonly [Key in keyof FeedReport]: FeedReport[Key] };

/** Lost and restored. */
export class ControlSource implements Source {
  readonly #queue = new Queue<MutableFeedReport>();
  readonly #notBefore: () => TimeMs;
  readonly #waiting: (wake: () => void) => void;
  #isOver = false;

  constructor(notBefore: () => TimeMs, waiting: (wake: () => void) => void) {
    this.#notBefore = notBefore;
    this.#waiting = waiting;
  }

  get ended(): boolean {
    return this.#isOver && this.#queue.first === undefined;
  }

  peekAt(): TimeMs {
    const first = this.#queue.first;
    if (first === undefined) return NEVER;
    first.at = Math.max(first.at, this.#notBefore());
    return first.at;
  }

  take(): FeedReport {
    this.peekAt();
    return this.#queue.shift();
  }

  onArrival(wake: () => void): void {
    this.#waiting(wake);
  }

  push(report: FeedReport): void {
    this.#queue.push({ ...report });
  }

  end(): void {
    this.#isOver = true;
  }
}

function excerpt(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}
