// What the server is given to serve: prices as sources, and what surrounds them. Chosen in app/.
import type { Instrument } from '../../domain/instrument.ts';
import type { MarketSource } from '../../domain/ports.ts';
import type { TimeMs } from '../../domain/time.ts';

/** Book, mark, index and open interest of one instrument. */
export interface InstrumentSurroundings {
  /** Brings all of it to a time; never back. `last` is the price of the last trade. */
  advance(at: TimeMs, last: number): void;
  /** Copies the best levels of a side (1 bid, -1 ask), best first, as many as fit. @returns how many there were */
  top(side: number, prices: Float64Array, quantities: Float64Array): number;
  readonly markPrice: number;
  readonly indexPrice: number;
  /** Base currency. */
  readonly openInterest: number;
  /** What longs pay to shorts at the next boundary; undefined where the instrument's own rate holds. */
  readonly fundingRate: number | undefined;
}

export interface ServedMarket {
  /** Linear perpetuals and spot, all of one quote currency, which is what accounts are reckoned in. */
  readonly instruments: readonly Instrument[];
  /** By instrument, in order of time. Bars of `baseTimeframeMs`, at most a minute, and perhaps the trades in them. */
  readonly sources: readonly MarketSource[];
  readonly surroundings: readonly InstrumentSurroundings[];
  readonly baseTimeframeMs: TimeMs;
}
