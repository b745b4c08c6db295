// One instrument of the synthetic market as a source of events: the trades of a minute, then its bar, for ever or until it is delisted.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import type { Minutes } from './minutes.ts';
import type { TradePath } from './trades.ts';

export class SyntheticSource implements MarketSource, Stateful {
  readonly instrument: number;
  readonly #minutes: Minutes;
  readonly #trades: TradePath | undefined;
  readonly #tradesPerBar: number;
  readonly #timeframeMs: TimeMs;
  readonly #startAt: TimeMs;
  readonly #from: TimeMs;
  /** Bars of its whole life: Infinity unless it is delisted. */
  readonly #life: number;
  readonly #event: MarketEvent;
  readonly #bar: MarketEvent;
  /** The bar it works towards, and how many of that bar's trades it has delivered. */
  #minute = 0;
  #delivered = 0;
  #nextAt = NaN;
  #isBarRead = false;

  constructor(
    instrument: number,
    minutes: Minutes,
    trades: TradePath | undefined,
    timing: { startAt: TimeMs; timeframeMs: TimeMs; from: TimeMs },
    life: number,
  ) {
    this.instrument = instrument;
    this.#minutes = minutes;
    this.#trades = trades;
    this.#tradesPerBar = trades?.prices.length ?? 0;
    this.#timeframeMs = timing.timeframeMs;
    this.#startAt = timing.startAt;
    this.#from = timing.from;
    this.#life = life;
    this.#event = emptyBar(instrument);
    this.#bar = emptyBar(instrument);
    this.#begin();
  }

  get ended(): boolean {
    return this.#minute >= this.#life;
  }

  peekAt(): TimeMs {
    return this.#nextAt;
  }

  take(): MarketEvent {
    const event = this.#event;
    const at = this.#nextAt;
    event.at = at;
    event.happenedAt = at;
    event.warmup = at <= this.#from;
    if (this.#delivered < this.#tradesPerBar) {
      this.#fillTrade(event);
      this.#delivered++;
      this.#nextAt = this.#atOf(this.#delivered);
    } else {
      event.kind = 'bar.closed';
      this.#fillBar(event);
      this.#minute++;
      this.#delivered = 0;
      this.#begin();
    }
    return event;
  }

  nextBar(): Readonly<MarketEvent> | undefined {
    if (this.ended) return undefined;
    const bar = this.#bar;
    if (!this.#isBarRead) {
      this.#isBarRead = true;
      bar.at = this.#atOf(this.#tradesPerBar);
      bar.happenedAt = bar.at;
      bar.warmup = bar.at <= this.#from;
      this.#fillBar(bar);
    }
    return bar;
  }

  save(out: ByteWriter): void {
    out.count(this.#minute);
    out.count(this.#delivered);
  }

  /** After the market's minutes. */
  restore(from: ByteReader): void {
    this.#minute = from.count();
    const delivered = from.count();
    this.#begin();
    this.#delivered = delivered;
    if (!this.ended) this.#nextAt = this.#atOf(delivered);
  }

  /** Stands at the start of a bar, which is made now rather than when asked: a saved state then depends on what was taken, not on who peeked. */
  #begin(): void {
    this.#isBarRead = false;
    if (this.ended) {
      this.#delivered = 0;
      this.#nextAt = NEVER;
      this.#minutes.retire(this.instrument);
      return;
    }
    this.#minutes.stand(this.instrument, this.#minute);
    this.#trades?.draw(this.#minute, this.#minutes.rows, this.#minutes.offset(this.instrument, this.#minute));
    this.#delivered = 0;
    this.#nextAt = this.#atOf(0);
  }

  #atOf(delivered: number): TimeMs {
    const openAt = this.#startAt + this.#minute * this.#timeframeMs;
    return delivered < this.#tradesPerBar ? openAt + (this.#trades?.times[delivered] ?? NaN) : openAt + this.#timeframeMs;
  }

  #fillTrade(event: MarketEvent): void {
    const price = this.#trades?.prices[this.#delivered] ?? NaN;
    event.kind = 'trade.printed';
    event.open = price;
    event.high = price;
    event.low = price;
    event.close = price;
    event.volume = this.#trades?.quantities[this.#delivered] ?? NaN;
  }

  #fillBar(bar: MarketEvent): void {
    const { rows } = this.#minutes;
    const offset = this.#minutes.offset(this.instrument, this.#minute);
    bar.open = rows[offset] ?? NaN;
    bar.high = rows[offset + 1] ?? NaN;
    bar.low = rows[offset + 2] ?? NaN;
    bar.close = rows[offset + 3] ?? NaN;
    bar.volume = rows[offset + 4] ?? NaN;
  }
}

/** NaN first, so that V8 keeps the fields as doubles. */
export function emptyBar(instrument: number): MarketEvent {
  return {
    kind: 'bar.closed',
    at: NaN,
    happenedAt: NaN,
    instrument,
    open: NaN,
    high: NaN,
    low: NaN,
    close: NaN,
    volume: NaN,
    warmup: false,
  };
}
