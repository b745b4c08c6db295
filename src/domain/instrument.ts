// What can be traded, where, and in which steps.
import { BallastError } from './errors.ts';
import { compare, type Amount, type Price, type Quantity } from './decimal.ts';
import type { TimeMs } from './time.ts';

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

/** What a venue demands of every order; zero is no filter. */
export type OrderFilters = Pick<Instrument, 'tick' | 'lot' | 'minimumQuantity' | 'minimumNotional'>;

/** The filters of an instrument as its venue told them at `fromMs`: they are taken to hold until the next version. */
export interface FilterVersion extends OrderFilters {
  readonly fromMs: TimeMs;
  /** Units of base in one of the venue's contracts; 1 for spot. Lot and smallest quantity are in base already. */
  readonly contractSize: number;
}

/**
 * The version in force at a time: the last that was told by then; before the first, the first, because nobody has told of an earlier one.
 * @param versions oldest first
 */
export function filtersAt(versions: readonly FilterVersion[], at: TimeMs): FilterVersion | undefined {
  return versions.findLast(({ fromMs }) => fromMs <= at) ?? versions[0];
}

/** Whether both demand the same, whenever they were told. */
export function areSameFilters(one: Omit<FilterVersion, 'fromMs'>, other: Omit<FilterVersion, 'fromMs'>): boolean {
  return (
    compare(one.tick, other.tick) === 0 &&
    compare(one.lot, other.lot) === 0 &&
    compare(one.minimumQuantity, other.minimumQuantity) === 0 &&
    compare(one.minimumNotional, other.minimumNotional) === 0 &&
    one.contractSize === other.contractSize
  );
}
