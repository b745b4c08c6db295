// What can be traded, where, and in which steps.
import { BallastError } from './errors.ts';
import type { Amount, Price, Quantity } from './decimal.ts';

export type InstrumentKind = 'spot' | 'linear';

/** A venue's symbol and its filters. Within a run an instrument is known by its index in the run's list. */
export interface Instrument {
  readonly venue: string;
  /** ccxt's spelling: `BTC/USDT` is spot, `BTC/USDT:USDT` the linear perpetual. */
  readonly symbol: string;
  readonly kind: InstrumentKind;
  readonly base: string;
  readonly quote: string;
  /** Price step; zero is no filter. */
  readonly tick: Price;
  /** Quantity step; zero is no filter. */
  readonly lot: Quantity;
  readonly minimumQuantity: Quantity;
  readonly minimumNotional: Amount;
  readonly takerFeeRate: number;
  readonly makerFeeRate: number;
  /** Paid by longs to shorts at every boundary; 0 for spot. */
  readonly fundingRate: number;
  /** Boundaries are multiples of this since the epoch: 8 h is 00:00, 08:00, 16:00 UTC. 0 for none. */
  readonly fundingIntervalMs: number;
}

/** `binance:BTC/USDT`: unique over venues. */
export function instrumentId(instrument: Pick<Instrument, 'venue' | 'symbol'>): string {
  return `${instrument.venue}:${instrument.symbol}`;
}

const SYMBOL = /^([A-Z0-9]+)\/([A-Z0-9]+)(?::([A-Z0-9]+))?$/;

/** Splits a ccxt symbol. @throws BallastError SYMBOL_MALFORMED */
export function parseSymbol(symbol: string, place = 'symbol'): { base: string; quote: string; kind: InstrumentKind } {
  const match = SYMBOL.exec(symbol);
  const [, base, quote, settle] = match ?? [];
  if (base === undefined || quote === undefined || (settle !== undefined && settle !== quote)) {
    throw new BallastError({
      code: 'SYMBOL_MALFORMED',
      place,
      found: JSON.stringify(symbol),
      expected: 'BASE/QUOTE for spot or BASE/QUOTE:QUOTE for a linear perpetual, such as BTC/USDT or BTC/USDT:USDT',
      exitCode: 2,
    });
  }
  return { base, quote, kind: settle === undefined ? 'spot' : 'linear' };
}
