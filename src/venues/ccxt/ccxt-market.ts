// Public market data of any venue that ccxt knows, by asking again and again: closed bars, trades and whole books, as a feed takes them. No key
// is needed. Where a venue has Bybit's streams `bybit-market.ts` is faster; here a price is as old as the last poll.
//
// Simplified: of a span without a trade many venues say no bar. Once a later one is there, a flat one of volume 0 stands for it.
import type { Exchange } from 'ccxt';
import { z } from 'zod';
import { ASK, BID, type BookMessage } from '../../domain/book.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { formatSpan, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import type { MarketMessage } from './bybit-market.ts';
import { wrongWith } from './bybit-rows.ts';
import { judgeFailure } from './ccxt-judge.ts';

/** The best prices of one poll; NaN and 0 on a side that is empty. */
export interface PolledQuote {
  readonly instrument: number;
  readonly at: TimeMs;
  readonly bid: number;
  readonly bidQuantity: number;
  readonly ask: number;
  readonly askQuantity: number;
}

export interface CcxtMarketParts {
  readonly client: Exchange;
  readonly instruments: readonly Instrument[];
  readonly timers: Timers;
  /** Of pauses. */
  readonly random: Random;
  /** Wall time, UTC. */
  readonly now: () => TimeMs;
  /** One that the venue serves. */
  readonly timeframeMs: TimeMs;
  /** Beside bars. */
  readonly also: readonly ('trades' | 'books')[];
  /** Between two polls of the same thing. */
  readonly pollMs: number;
  /** By instrument: bars that open before this are not asked for. */
  readonly since: readonly TimeMs[];
  /** What has closed before it is joined is history. */
  readonly warmsUp: boolean;
  readonly onMessage: (message: MarketMessage) => void;
  /** A snapshot, each time. */
  readonly onBook: (instrument: number, message: BookMessage) => void;
  readonly onQuote: (quote: PolledQuote) => void;
  readonly onLost: (why: string) => void;
  readonly onRestored: () => void;
  readonly onNotice: (words: string) => void;
}

/** A bar may be corrected in the moments after its close. */
const SETTLED_MS = 2 * SECOND_MS;
const DEPTH = 20;
/** Of what a venue says at once; Coinbase says no more bars. */
const PAGE = 300;
/** Failures in a row after which there is no market any more. */
const LOST_AFTER = 3;

const number = z.union([z.number(), z.string()]).transform(Number).refine(Number.isFinite, 'expected a number');
const barSchema = z.tuple([z.int(), number, number, number, number, number]);
const tradeSchema = z.object({ id: z.string().nullish(), timestamp: z.int(), price: number, amount: number });
const levelSchema = z.tuple([number, number]).rest(z.unknown());
const bookSchema = z.object({
  bids: z.array(levelSchema),
  asks: z.array(levelSchema),
  timestamp: z.int().nullish(),
  nonce: z.int().nullish(),
});

export class CcxtMarket {
  readonly #parts: CcxtMarketParts;
  readonly #end = new AbortController();
  /** By instrument: where the next bar opens, the last close, and what of the last instant of trades was said. */
  readonly #nextOpenAt: number[];
  readonly #lastClose: number[];
  readonly #tradedUntil: number[];
  readonly #saidTrades: Set<string>[];
  readonly #isJoined: boolean[];
  readonly #joined = Promise.withResolvers<void>();
  #snapshots = 0;
  #failures = 0;

  constructor(parts: CcxtMarketParts) {
    this.#parts = parts;
    const { instruments, since, timeframeMs } = parts;
    this.#nextOpenAt = instruments.map((_, index) => Math.ceil((since[index] ?? 0) / timeframeMs) * timeframeMs);
    this.#lastClose = instruments.map(() => NaN);
    this.#tradedUntil = instruments.map((_, index) => since[index] ?? 0);
    this.#saidTrades = instruments.map(() => new Set<string>());
    this.#isJoined = instruments.map(() => false);
  }

  /** Everything that had closed before was said, for every instrument; or it was stopped before. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Polls until it is stopped. Rejects for nothing that a venue or a network does. */
  async run(): Promise<void> {
    const { timers, pollMs, random } = this.#parts;
    while (!this.#end.signal.aborted) {
      const isDone = await this.#poll();
      const pauseMs = isDone ? pollMs : pauseAfter(this.#failures, random);
      await timers.sleep(pauseMs, this.#end.signal).catch((cause: unknown) => {
        // Stopped: that is what the signal is for.
        if (!this.#end.signal.aborted) throw cause;
      });
    }
  }

  stop(): void {
    this.#joined.resolve();
    this.#end.abort();
  }

  async #poll(): Promise<boolean> {
    const { instruments, also, onLost, onRestored } = this.#parts;
    for (let index = 0; index < instruments.length; index++) {
      try {
        await this.#bars(index);
        if (also.includes('trades')) await this.#trades(index);
        if (also.includes('books')) await this.#book(index);
      } catch (error) {
        if (this.#end.signal.aborted) return true;
        const words = error instanceof z.ZodError ? wrongWith(error) : wordsOf(error);
        if (++this.#failures === LOST_AFTER) onLost(words);
        this.#parts.onNotice(`${this.#parts.client.id} ${instruments[index]?.symbol ?? ''}: ${words}`);
        return false;
      }
    }
    if (this.#failures >= LOST_AFTER) onRestored();
    this.#failures = 0;
    return true;
  }

  async #bars(index: number): Promise<void> {
    const { timeframeMs, now } = this.#parts;
    for (;;) {
      const from = this.#nextOpenAt[index] ?? NaN;
      await this.#page(index, from);
      const until = this.#nextOpenAt[index] ?? NaN;
      // Until there is nothing more, or what comes next has not closed yet.
      if (until === from || until + timeframeMs > now() || this.#end.signal.aborted) break;
    }
    this.#isJoined[index] = true;
    if (this.#isJoined.every((isJoined) => isJoined)) this.#joined.resolve();
  }

  async #page(index: number, from: TimeMs): Promise<void> {
    const { client, instruments, timeframeMs, now, onMessage, warmsUp } = this.#parts;
    const symbol = instruments[index]?.symbol ?? '';
    const rows = await client.fetchOHLCV(symbol, formatSpan(timeframeMs), from, PAGE);
    const bars = z.array(barSchema).parse(rows);
    const history = warmsUp && this.#isJoined[index] !== true ? ({ warmup: true } as const) : {};
    // Nothing was traded in all of it.
    if (bars.length === 0 && from + (PAGE + 1) * timeframeMs < now()) this.#nextOpenAt[index] = from + PAGE * timeframeMs;
    for (const [openAt, open, high, low, close, volume] of bars) {
      const nextOpenAt = this.#nextOpenAt[index] ?? NaN;
      const isClosed = now() >= openAt + timeframeMs + SETTLED_MS || openAt < (bars.at(-1)?.[0] ?? 0);
      if (!isClosed || openAt < nextOpenAt || openAt % timeframeMs !== 0) continue;
      const flat = this.#lastClose[index] ?? NaN;
      for (let missing = nextOpenAt; missing < openAt && flat > 0; missing += timeframeMs)
        onMessage({ kind: 'bar.closed', symbol, openAt: missing, open: flat, high: flat, low: flat, close: flat, volume: 0, ...history });
      onMessage({ kind: 'bar.closed', symbol, openAt, open, high, low, close, volume, ...history });
      this.#nextOpenAt[index] = openAt + timeframeMs;
      this.#lastClose[index] = close;
    }
  }

  async #trades(index: number): Promise<void> {
    const { client, instruments, onMessage } = this.#parts;
    const symbol = instruments[index]?.symbol ?? '';
    const said = this.#saidTrades[index] ?? new Set<string>();
    const rows = await client.fetchTrades(symbol, this.#tradedUntil[index], PAGE);
    const trades = z.array(tradeSchema).parse(rows);
    for (const { id, timestamp, price, amount } of trades.toSorted((one, other) => one.timestamp - other.timestamp)) {
      const until = this.#tradedUntil[index] ?? 0;
      const name = id ?? `${timestamp} ${price} ${amount}`;
      if (timestamp < until || said.has(name)) continue;
      // Only what was said of the last instant can come again.
      if (timestamp > until) said.clear();
      said.add(name);
      this.#tradedUntil[index] = timestamp;
      onMessage({ kind: 'trade.printed', symbol, happenedAt: timestamp, price, quantity: amount });
    }
  }

  async #book(index: number): Promise<void> {
    const { client, instruments, now, onBook, onQuote } = this.#parts;
    const raw = await client.fetchOrderBook(instruments[index]?.symbol ?? '', DEPTH);
    const { bids, asks, timestamp, nonce } = bookSchema.parse(raw);
    const at = now();
    const rows = [...bids.map((level) => ({ side: BID, level })), ...asks.map((level) => ({ side: ASK, level }))];
    const levels = {
      side: Int8Array.from(rows, ({ side }) => side),
      price: Float64Array.from(rows, ({ level }) => level[0]),
      quantity: Float64Array.from(rows, ({ level }) => level[1]),
    };
    const update = nonce ?? ++this.#snapshots;
    const numbers = { firstUpdate: update, lastUpdate: update, previousUpdate: NaN };
    onBook(index, { kind: 'snapshot', at, happenedAt: timestamp ?? at, ...numbers, levels, from: 0, to: rows.length });
    const [bid = NaN, bidQuantity = 0] = bids[0] ?? [];
    const [ask = NaN, askQuantity = 0] = asks[0] ?? [];
    onQuote({ instrument: index, at, bid, bidQuantity, ask, askQuantity });
  }
}

function wordsOf(error: unknown): string {
  const judged = judgeFailure(error, (words) => words);
  return 'words' in judged ? judged.words : judged.kind;
}
