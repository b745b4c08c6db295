// What an order is expected to cost before it is sent: an estimate, written down with it so that it can be held against what was paid.
import type { Instrument } from '../domain/instrument.ts';
import type { OrderIntent } from '../domain/order.ts';

/**
 * Fee and slippage as a ratio of notional at the mark. A limit order that comes to rest pays the maker's fee and its own price; what the price
 * does while it waits is nobody's to expect. NaN for a protective stop.
 * @param slippageRatio how much worse than the mark an order at the market is expected to fill
 */
export function expectedCostRatio({ type, role }: OrderIntent, instrument: Instrument, slippageRatio: number): number {
  if (role !== 'target') return NaN;
  return type === 'limit' || type === 'post-only' ? instrument.makerFeeRate : instrument.takerFeeRate + slippageRatio;
}

/**
 * What opening a position in all legs and closing it again is expected to cost at the market, as a ratio of the notional that the leg ratios
 * multiply: fee, half the spread where a book is known, and slippage, twice. Without a book slippage is reckoned from the mark, so half the
 * spread is in it.
 * @param legs signed ratio of each leg
 * @param subject index of each leg's instrument
 * @param halfSpreads by instrument, as ratios of price; 0 where it is not known
 */
export function roundTripCostRatio(
  legs: readonly number[],
  subject: readonly number[],
  instruments: readonly Pick<Instrument, 'takerFeeRate'>[],
  slippageRatio: number,
  halfSpreads: ArrayLike<number>,
): number {
  let cost = 0;
  for (let leg = 0; leg < subject.length; leg++) {
    const instrument = subject[leg] ?? -1;
    const oneWay = (instruments[instrument]?.takerFeeRate ?? NaN) + (halfSpreads[instrument] ?? NaN) + slippageRatio;
    cost += 2 * Math.abs(legs[leg] ?? NaN) * oneWay;
  }
  return cost;
}
