// Bars of history as a source: columns in memory, or chunks that arrive while earlier ones are used.
import type { BarColumns } from '../domain/bars.ts';
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import type { MarketEvent } from '../domain/event.ts';
import type { MarketSource } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

export interface BarSourceParts {
  readonly instrument: number;
  readonly timeframeMs: TimeMs;
  /** In order of time; each chunk may be empty. */
  readonly chunks: AsyncIterable<BarColumns> | Iterable<BarColumns>;
  /** Bars that open before this are flagged as warm-up. */
  readonly from: TimeMs;
}

const NONE: BarColumns = {
  openAt: new Float64Array(0),
  open: new Float64Array(0),
  high: new Float64Array(0),
  low: new Float64Array(0),
  close: new Float64Array(0),
  volume: new Float64Array(0),
};

function blank(instrument: number): MarketEvent {
  return {
    kind: 'bar.closed',
    at: 0.5,
    happenedAt: 0.5,
    instrument,
    open: NaN,
    high: NaN,
    low: NaN,
    close: NaN,
    volume: NaN,
    warmup: false,
  };
}

/** A bar is known at its close: `at` = `happenedAt` = open time + timeframe. */
export class BarSource implements MarketSource, Stateful {
  readonly instrument: number;
  readonly #timeframeMs: TimeMs;
  readonly #from: TimeMs;
  readonly #iterator: AsyncIterator<BarColumns> | Iterator<BarColumns>;
  #chunk: BarColumns = NONE;
  #row = 0;
  #next: BarColumns | undefined;
  #exhausted = false;
  #fetching = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  /** Bars taken since the beginning: the cursor that a snapshot keeps. */
  #taken = 0;
  #skip = 0;
  /** Two, by turns: the loop still reads the one that was taken last while the venue looks ahead in the other, which is taken next. */
  #event: MarketEvent;
  #ahead: MarketEvent;
  #aheadRow = -1;
  /** Close time of the next bar; NEVER when its chunk is not there. */
  #nextAt: TimeMs = NEVER;

  constructor(parts: BarSourceParts) {
    this.instrument = parts.instrument;
    this.#timeframeMs = parts.timeframeMs;
    this.#from = parts.from;
    this.#event = blank(parts.instrument);
    this.#ahead = blank(parts.instrument);
    const { chunks } = parts;
    this.#iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
    this.#fetch();
  }

  get ended(): boolean {
    return this.#exhausted && this.#next === undefined && this.#row >= this.#chunk.openAt.length;
  }

  get isLoading(): boolean {
    return !this.ended && this.#row >= this.#chunk.openAt.length;
  }

  peekAt(): TimeMs {
    if (this.#nextAt === NEVER) this.#turnOver();
    return this.#nextAt;
  }

  take(): MarketEvent {
    if (this.#aheadRow !== this.#row) this.#read(this.#ahead, this.#row);
    const event = this.#ahead;
    this.#ahead = this.#event;
    this.#event = event;
    this.#row++;
    this.#taken++;
    this.#stand();
    return event;
  }

  nextBar(): Readonly<MarketEvent> | undefined {
    if (this.#nextAt === NEVER && !this.#turnOver()) return undefined;
    if (this.#aheadRow !== this.#row) {
      this.#read(this.#ahead, this.#row);
      this.#aheadRow = this.#row;
    }
    return this.#ahead;
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }

  #stand(): void {
    const { openAt } = this.#chunk;
    this.#nextAt = this.#row < openAt.length ? (openAt[this.#row] ?? NaN) + this.#timeframeMs : NEVER;
  }

  #read(into: MarketEvent, row: number): void {
    const { openAt, open, high, low, close, volume } = this.#chunk;
    const opened = openAt[row] ?? NaN;
    into.at = into.happenedAt = opened + this.#timeframeMs;
    into.open = open[row] ?? NaN;
    into.high = high[row] ?? NaN;
    into.low = low[row] ?? NaN;
    into.close = close[row] ?? NaN;
    into.volume = volume[row] ?? NaN;
    into.warmup = opened < this.#from;
  }

  /** Goes on to the chunk that was fetched meanwhile. False when there is none yet, or none any more. */
  #turnOver(): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    while (this.#next !== undefined && this.#row >= this.#chunk.openAt.length) {
      this.#chunk = this.#next;
      this.#next = undefined;
      this.#row = Math.min(this.#skip, this.#chunk.openAt.length);
      this.#taken += this.#row;
      this.#skip -= this.#row;
      this.#aheadRow = -1;
      this.#fetch();
    }
    this.#stand();
    return this.#nextAt !== NEVER;
  }

  #fetch(): void {
    if (this.#fetching || this.#exhausted) return;
    const result = this.#iterator.next();
    if (!(result instanceof Promise)) {
      this.#fetched(result);
      return;
    }
    this.#fetching = true;
    result.then(
      (fetched) => {
        this.#fetching = false;
        this.#fetched(fetched);
        this.#wake?.();
      },
      (failure: unknown) => {
        // Said at the next look, inside the loop, where it stops the run by name.
        this.#fetching = false;
        this.#failure = failure instanceof Error ? failure : new Error(String(failure));
        this.#wake?.();
      },
    );
  }

  #fetched(result: IteratorResult<BarColumns>): void {
    if (result.done === true) this.#exhausted = true;
    else this.#next = result.value;
  }

  save(out: ByteWriter): void {
    // Restored and not looked at since: what is still to be skipped was taken before.
    out.count(this.#taken + this.#skip);
  }

  /** On a fresh source over the same history. */
  restore(from: ByteReader): void {
    this.#skip = from.count();
  }
}
