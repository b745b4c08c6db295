// The market that `simulate-venue` serves: the synthetic one with its book, mark, index and funding, or the tape of a run with what can be
// said around its prices.
import { quantityFrom, toNumber, ZERO_QUANTITY } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { isMarketEvent, type MarketEvent } from '../domain/event.ts';
import { parseSymbol, type Instrument, type InstrumentKind } from '../domain/instrument.ts';
import type { MarketSource } from '../domain/ports.ts';
import { HOUR_MS, MINUTE_MS, NEVER, SECOND_MS, type TimeMs } from '../domain/time.ts';
import { Journal } from '../journal/journal.ts';
import { TapeReader } from '../journal/tape.ts';
import { OrderBook } from '../market/book/order-book.ts';
import { syntheticBook, type BookStep, type SyntheticBook } from '../market/synthetic/book.ts';
import { syntheticDerivatives, type SyntheticDerivatives } from '../market/synthetic/derivatives.ts';
import { syntheticMarket } from '../market/synthetic/market.ts';
import type { SyntheticMarketOptions } from '../market/synthetic/options.ts';
import type { InstrumentSurroundings, ServedMarket } from '../venues/bybit-server/served-market.ts';
import { readInstrument } from './recipe.ts';
import { journalPath, runNamed, tapePath } from './runs.ts';

export interface MarketToServe {
  readonly market: ServedMarket;
  /** Where serving begins: what is before is history. */
  readonly from: TimeMs;
}

/** The matching fills a limit at the end of the bar that reached it: a second, so that nobody waits longer than the wire takes anyway. */
const SYNTHETIC_TIMEFRAME_MS = SECOND_MS;
/** Levels of a side, and between two updates. */
const SYNTHETIC_BOOK = { levels: 50, updateMs: 200, snapshotBars: 60 };
/** Nobody sees the book of the history: it is read from a snapshot that is at most so much before serving begins. */
const BOOK_BEFORE_MS = 2 * MINUTE_MS;

export interface SyntheticRequest {
  readonly seed: number;
  /** Linear perpetuals of the synthetic market, and spot beside them: `BTC/USDT` trades at the prices of `BTC/USDT:USDT`, without a basis. */
  readonly symbols: readonly string[];
  /** When serving begins; the market begins `historyMs` before. */
  readonly from: TimeMs;
  readonly historyMs: TimeMs;
}

/** @throws BallastError SYNTHETIC_ASSET_UNKNOWN, SYNTHETIC_OPTION_INVALID */
export function syntheticToServe({ seed, symbols, from, historyMs }: SyntheticRequest): MarketToServe {
  const startAt = Math.floor((from - historyMs) / MINUTE_MS) * MINUTE_MS;
  const options: SyntheticMarketOptions = { seed, startAt, timeframeMs: SYNTHETIC_TIMEFRAME_MS, book: SYNTHETIC_BOOK };
  const kindOf = (symbol: string): InstrumentKind => parseSymbol(symbol, '--symbols').kind;
  const served = (['linear', 'spot'] as const).flatMap((kind) => {
    const assets = symbols.filter((symbol) => kindOf(symbol) === kind).map(perpetualOf);
    if (assets.length === 0) return [];
    const { instruments, sources } = syntheticMarket({ ...options, assets });
    return instruments.flatMap((instrument, index) => {
      const source = sources[index];
      return source === undefined
        ? []
        : [{ instrument: kind === 'spot' ? spotOf(instrument) : instrument, source, perpetual: instrument.symbol }];
    });
  });
  const market = {
    instruments: served.map(({ instrument }) => instrument),
    sources: served.map(({ source }, index) => renumbered(source, index)),
    surroundings: served.map(
      ({ instrument, perpetual }) =>
        new SyntheticSurroundings({ ...options, assets: [perpetual] }, perpetual, startAt, from - BOOK_BEFORE_MS, instrument.kind),
    ),
    baseTimeframeMs: SYNTHETIC_TIMEFRAME_MS,
  };
  return { market, from };
}

function perpetualOf(symbol: string): string {
  const { quote, kind } = parseSymbol(symbol);
  return kind === 'spot' ? `${symbol}:${quote}` : symbol;
}

/** Bybit's fees of spot without a level, and lots a hundred times as fine as the contract's. */
function spotOf(perpetual: Instrument): Instrument {
  const { base, quote, lot } = perpetual;
  const fine = quantityFrom(toNumber(lot) / 100, ZERO_QUANTITY, 'nearest');
  return {
    ...perpetual,
    symbol: `${base}/${quote}`,
    kind: 'spot',
    lot: fine,
    minimumQuantity: fine,
    takerFeeRate: 0.001,
    makerFeeRate: 0.001,
    fundingRate: 0,
    fundingIntervalMs: 0,
  };
}

/** The same prices under another index. */
function renumbered(source: MarketSource, index: number): MarketSource {
  if (source.instrument === index) return source;
  return {
    instrument: index,
    peekAt: () => source.peekAt(),
    take: () => ({ ...source.take(), instrument: index }) as MarketEvent,
    nextBar: () => {
      const bar = source.nextBar();
      return bar === undefined ? undefined : { ...bar, instrument: index };
    },
    get ended() {
      return source.ended;
    },
  };
}

/** Book and derivatives of the synthetic market, a bar at a time, the rows of a bar as their time comes. */
class SyntheticSurroundings implements InstrumentSurroundings {
  readonly #source: SyntheticBook;
  readonly #derivatives: SyntheticDerivatives;
  readonly #book = new OrderBook();
  /** The bar that is being walked through, and the first of its rows that has not happened. */
  #step: BookStep | undefined;
  #row = 0;
  #nextOpenAt: TimeMs;
  readonly #bookFrom: TimeMs;
  #nextCloseAt: TimeMs;
  markPrice = NaN;
  indexPrice = NaN;
  openInterest = NaN;
  fundingRate: number | undefined;

  readonly #isFunded: boolean;

  constructor(options: SyntheticMarketOptions, symbol: string, startAt: TimeMs, bookFrom: TimeMs, kind: InstrumentKind) {
    this.#isFunded = kind === 'linear';
    this.#bookFrom = bookFrom;
    this.#source = syntheticBook(options, symbol);
    this.#derivatives = syntheticDerivatives(options, symbol);
    this.#nextOpenAt = startAt;
    this.#nextCloseAt = startAt + SYNTHETIC_TIMEFRAME_MS;
  }

  advance(at: TimeMs): void {
    this.#walk(at);
    while (this.#nextOpenAt <= at && !this.#source.ended) {
      const step = this.#source.step();
      this.#nextOpenAt = step.openAt + SYNTHETIC_TIMEFRAME_MS;
      if (step.openAt < this.#bookFrom) continue;
      this.#step = step;
      this.#row = 0;
      if (step.snapshot !== undefined) this.#book.replace(step.snapshot, 0, step.snapshot.price.length);
      this.#walk(at);
    }
    while (this.#nextCloseAt <= at && !this.#derivatives.ended) this.#close();
  }

  #close(): void {
    const made = this.#derivatives.step();
    this.#nextCloseAt = made.at + SYNTHETIC_TIMEFRAME_MS;
    this.markPrice = made.markPrice;
    this.indexPrice = made.indexPrice;
    this.openInterest = made.openInterest;
    // What one boundary has settled is what the next one charges, so that it is known beforehand.
    if (made.fundings > 0 && this.#isFunded) this.fundingRate = made.fundingRate[made.fundings - 1];
  }

  #walk(at: TimeMs): void {
    const deltas = this.#step?.deltas;
    if (deltas === undefined) return;
    const first = this.#row;
    let row = first;
    while (row < deltas.at.length && (deltas.at[row] ?? NEVER) <= at) row++;
    this.#book.apply(deltas, first, row);
    this.#row = row;
  }

  top(side: number, prices: Float64Array, quantities: Float64Array): number {
    return this.#book.top(side, prices, quantities);
  }
}

// ---- the tape of a run -----------------------------------------------------------------------------------------------

/** By its id, or by the path of its folder. @throws BallastError RUN_UNKNOWN, TAPE_UNSERVED, TAPE_DAMAGED */
export function tapeToServe(home: string, name: string): MarketToServe {
  const run = runNamed(home, name);
  const { recipe } = run;
  const journal = Journal.open(journalPath(run.folder), { readOnly: true });
  let tape: TapeReader;
  try {
    tape = TapeReader.open(tapePath(run.folder), journal);
  } finally {
    journal.close();
  }
  const all = recipe.instruments.map(readInstrument);
  // Accounts are kept in one currency.
  const instruments = all.filter(({ quote }) => quote === all[0]?.quote);
  if (instruments.length === 0 || recipe.baseTimeframeMs > MINUTE_MS) {
    throw unserved(run.runId, instruments.length === 0 ? 'no instrument' : `bars of ${recipe.baseTimeframeMs / MINUTE_MS} minutes`);
  }
  const splitter = new TapeSplitter(
    tape,
    all.map((instrument) => instruments.indexOf(instrument)),
    instruments.length,
  );
  const sources = instruments.map((_, index) => new TapeSource(index, splitter));
  const from = splitter.firstAt();
  if (from === NEVER) throw unserved(run.runId, 'no price');
  const surroundings = instruments.map((instrument) => new PlainSurroundings(instrument));
  return { market: { instruments, sources, surroundings, baseTimeframeMs: recipe.baseTimeframeMs }, from };
}

function unserved(runId: string, found: string): BallastError {
  return new BallastError({
    code: 'TAPE_UNSERVED',
    place: `tape of run ${runId}`,
    found,
    expected: 'prices of an instrument, in bars of at most a minute',
    remedy: 'record one with `ballast paper`, or serve the synthetic market',
    exitCode: 2,
  });
}

/** Taken events at the front of a queue before their places are given back. */
const COMPACTED = 4_096;

/** The prices of a tape by instrument: read as far as somebody asks, what others have not taken yet is kept. */
class TapeSplitter {
  readonly #tape: TapeReader;
  /** By the tape's instrument: the served one, or -1. */
  readonly #servedAs: readonly number[];
  readonly #queues: readonly { events: MarketEvent[]; first: number }[];
  #isRead = false;

  constructor(tape: TapeReader, servedAs: readonly number[], served: number) {
    this.#tape = tape;
    this.#servedAs = servedAs;
    this.#queues = Array.from({ length: served }, () => ({ events: [], first: 0 }));
  }

  /** The first price that is not of a warm-up; of a tape that has only those, the last. */
  firstAt(): TimeMs {
    let at = NEVER;
    while (this.#read()) {
      const newest = this.#newest;
      if (newest === undefined) continue;
      at = newest.at;
      if (!newest.warmup) break;
    }
    return at;
  }

  #newest: MarketEvent | undefined;

  /** Reads one more. @returns false at the end of the tape */
  #read(): boolean {
    if (this.#isRead) return false;
    const event = this.#tape.next();
    if (event === undefined) {
      this.#isRead = true;
      return false;
    }
    if (!isMarketEvent(event)) return true;
    const instrument = this.#servedAs[event.instrument] ?? -1;
    if (instrument < 0) return true;
    this.#newest = { ...event, instrument };
    this.#queues[instrument]?.events.push(this.#newest);
    return true;
  }

  peek(instrument: number): MarketEvent | undefined {
    return this.#ahead(instrument, 0);
  }

  take(instrument: number): MarketEvent | undefined {
    const event = this.peek(instrument);
    const queue = this.#queues[instrument];
    if (event === undefined || queue === undefined) return undefined;
    queue.first++;
    if (queue.first >= COMPACTED) {
      queue.events = queue.events.slice(queue.first);
      queue.first = 0;
    }
    return event;
  }

  nextBar(instrument: number): MarketEvent | undefined {
    for (let ahead = 0; ; ahead++) {
      const event = this.#ahead(instrument, ahead);
      if (event === undefined || event.kind === 'bar.closed') return event;
    }
  }

  /** The event after so many; undefined behind the end. */
  #ahead(instrument: number, count: number): MarketEvent | undefined {
    const queue = this.#queues[instrument];
    if (queue === undefined) return undefined;
    while (queue.first + count >= queue.events.length) if (!this.#read()) return undefined;
    return queue.events[queue.first + count];
  }
}

class TapeSource implements MarketSource {
  readonly instrument: number;
  readonly #splitter: TapeSplitter;

  constructor(instrument: number, splitter: TapeSplitter) {
    this.instrument = instrument;
    this.#splitter = splitter;
  }

  peekAt(): TimeMs {
    return this.#splitter.peek(this.instrument)?.at ?? NEVER;
  }

  take(): MarketEvent {
    const event = this.#splitter.take(this.instrument);
    if (event === undefined) throw new Error('broken invariant: a source is asked for its time first');
    return event;
  }

  nextBar(): Readonly<MarketEvent> | undefined {
    return this.#splitter.nextBar(this.instrument);
  }

  get ended(): boolean {
    return this.#splitter.peek(this.instrument) === undefined;
  }
}

/** Levels that a tape without a book is given. */
const PLAIN_LEVELS = 25;
/** Of the instrument's smallest quantity at each level. */
const PLAIN_LOTS = 1_000;

/**
 * A tape has prices and no book: one tick of spread around the last of them, the same quantity at every tick, the last price as mark and
 * index, and no open interest.
 */
class PlainSurroundings implements InstrumentSurroundings {
  readonly #tick: number;
  readonly #quantity: number;
  #last = NaN;
  readonly openInterest = 0;
  readonly fundingRate = undefined;

  constructor({ tick, minimumQuantity }: Instrument) {
    this.#tick = toNumber(tick);
    this.#quantity = PLAIN_LOTS * toNumber(minimumQuantity);
  }

  get markPrice(): number {
    return this.#last;
  }

  get indexPrice(): number {
    return this.#last;
  }

  advance(_at: TimeMs, last: number): void {
    this.#last = last;
  }

  top(side: number, prices: Float64Array, quantities: Float64Array): number {
    const count = this.#last > 0 && this.#tick > 0 ? Math.min(PLAIN_LEVELS, prices.length) : 0;
    const best = side > 0 ? this.#last : this.#last + this.#tick;
    for (let level = 0; level < count; level++) {
      prices[level] = best - side * level * this.#tick;
      quantities[level] = this.#quantity;
    }
    return count;
  }
}

/** What a session of an hour or a day looks back on. */
export const HISTORY_MS: TimeMs = 6 * HOUR_MS;
