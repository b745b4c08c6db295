// A market whose price a test sets: bars of a twentieth of a second (or what is said) that stand still until they are told to move.
import { toNumber } from '../../src/domain/decimal.ts';
import { syntheticMarket } from '../../src/market/synthetic/market.ts';
import type { MarketEvent } from '../../src/domain/event.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { MarketSource } from '../../src/domain/ports.ts';
import type { InstrumentSurroundings, ServedMarket } from '../../src/venues/bybit-server/served-market.ts';

export const STEP_MS = 50;
export const BTC = 'BTC/USDT:USDT';
export const ETH = 'ETH/USDT:USDT';
export const START_PRICES = [60_000, 3_000];
const LEVELS = 30;
/** Traded in every bar. */
const VOLUME = 5;

/** Filters, fees and funding of the synthetic market's. */
export function steppedInstruments(): readonly Instrument[] {
  return syntheticMarket({ seed: 1, startAt: 0, assets: [BTC, ETH] }).instruments;
}

class SteppedSource implements MarketSource {
  readonly instrument: number;
  readonly #event: MarketEvent;
  readonly #stepMs: number;
  /** The bar that is next, once somebody has looked at it. */
  #bar: MarketEvent | undefined;
  #openAt: number;
  #hasTraded = false;
  #price: number;
  /** Where the next bar goes. */
  target: number;

  constructor(instrument: number, startAt: number, price: number, stepMs: number) {
    this.instrument = instrument;
    this.#stepMs = stepMs;
    this.#openAt = startAt;
    this.#price = price;
    this.target = price;
    this.#event = this.#made();
  }

  readonly ended = false;

  peekAt(): number {
    return this.#openAt + (this.#hasTraded ? this.#stepMs : this.#stepMs / 2);
  }

  take(): MarketEvent {
    const bar = this.nextBar();
    const at = this.peekAt();
    if (this.#hasTraded) {
      Object.assign(this.#event, bar);
      this.#openAt += this.#stepMs;
      this.#price = bar.close;
      this.#bar = undefined;
    } else {
      const { close, volume } = bar;
      Object.assign(this.#event, bar, { kind: 'trade.printed', at, happenedAt: at, open: close, high: close, low: close, volume });
    }
    this.#hasTraded = !this.#hasTraded;
    return this.#event;
  }

  nextBar(): MarketEvent {
    this.#bar ??= this.#made();
    return this.#bar;
  }

  #made(): MarketEvent {
    const at = this.#openAt + this.#stepMs;
    const [open, close] = [this.#price, this.target];
    return {
      kind: 'bar.closed',
      at,
      happenedAt: at,
      instrument: this.instrument,
      open,
      high: Math.max(open, close),
      low: Math.min(open, close),
      close,
      volume: VOLUME,
      warmup: false,
    };
  }
}

/** One tick of spread around the last price; mark and index are the last price unless a test sets them. */
class SteppedSurroundings implements InstrumentSurroundings {
  readonly #tick: number;
  #last = NaN;
  setMark: number | undefined;
  readonly openInterest = 1_234;
  fundingRate: number | undefined;

  constructor({ tick }: Instrument) {
    this.#tick = toNumber(tick);
  }

  get markPrice(): number {
    return this.setMark ?? this.#last;
  }

  get indexPrice(): number {
    return this.#last;
  }

  advance(_at: number, last: number): void {
    this.#last = last;
  }

  top(side: number, prices: Float64Array, quantities: Float64Array): number {
    const count = Math.min(LEVELS, prices.length);
    const best = side > 0 ? this.#last : this.#last + this.#tick;
    for (let level = 0; level < count; level++) {
      prices[level] = best - side * level * this.#tick;
      quantities[level] = 1 + level;
    }
    return count;
  }
}

export class SteppedMarket {
  readonly market: ServedMarket;
  readonly #sources: readonly SteppedSource[];
  readonly #surroundings: readonly SteppedSurroundings[];

  constructor(instruments: readonly Instrument[], startAt: number, prices: readonly number[], stepMs = STEP_MS) {
    const from = Math.floor(startAt / stepMs) * stepMs;
    this.#sources = instruments.map((_, index) => new SteppedSource(index, from, prices[index] ?? 100, stepMs));
    this.#surroundings = instruments.map((instrument) => new SteppedSurroundings(instrument));
    this.market = { instruments, sources: this.#sources, surroundings: this.#surroundings, baseTimeframeMs: stepMs };
  }

  /** The price goes there in the bar after the one that is known. */
  move(instrument: number, price: number): void {
    const source = this.#sources[instrument];
    if (source !== undefined) source.target = price;
  }

  /** What holds from the next boundary on. */
  setFunding(instrument: number, rate: number): void {
    const surroundings = this.#surroundings[instrument];
    if (surroundings !== undefined) surroundings.fundingRate = rate;
  }

  setMark(instrument: number, price: number | undefined): void {
    const surroundings = this.#surroundings[instrument];
    if (surroundings !== undefined) surroundings.setMark = price;
  }
}
