// What no venue would take of an order by itself: its steps, its size, its prices.
import { compare, format, roundToStep, signOf, type Price } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isConditional, type OrderIntent } from '../../domain/order.ts';

/** What is wrong with an order by itself, in the venue's words; undefined when nothing is. */
export function malformation(intent: OrderIntent, instrument: Instrument): string | undefined {
  const { quantity, limitPrice, stopPrice, budget } = intent;
  if (signOf(quantity) <= 0) return `quantity ${format(quantity)} is not positive`;
  if (budget !== undefined && !(isMarketEntry(intent) && signOf(budget) > 0)) {
    return `a budget of ${format(budget)} is for an order that buys at the market, neither to reduce nor in a pair`;
  }
  // A stop on the whole position is as large as the position by then, however small that is.
  if (!intent.wholePosition) {
    if (compare(roundToStep(quantity, instrument.lot), quantity) !== 0)
      return `quantity ${format(quantity)} is off the lot ${format(instrument.lot)}`;
    if (compare(quantity, instrument.minimumQuantity) < 0)
      return `quantity ${format(quantity)} is below the minimum ${format(instrument.minimumQuantity)}`;
  }
  for (const price of [limitPrice, stopPrice, intent.trailBy]) {
    const why = price === undefined ? '' : priceMalformation(price, instrument.tick);
    if (why !== '') return why;
  }
  if ((intent.type === 'limit' || intent.type === 'post-only') && limitPrice === undefined) return 'a limit order without a price';
  if (isConditional(intent.type) && stopPrice === undefined) return `a ${intent.type} without a price`;
  if ((intent.type === 'trailing') !== (intent.trailBy !== undefined))
    return 'a trailing stop, and nothing else, has a distance to trail by';
  if (intent.timeInForce !== undefined && intent.type !== 'limit' && intent.type !== 'market') {
    return `a ${intent.type} order cannot be ${intent.timeInForce}`;
  }
  return undefined;
}

function isMarketEntry({ type, side, reduceOnly, pairedWith }: OrderIntent): boolean {
  return type === 'market' && side === 'buy' && !reduceOnly && pairedWith === undefined;
}

/** What is wrong with a price, or nothing. */
export function priceMalformation(price: Price, tick: Price): string {
  if (signOf(price) <= 0) return `price ${format(price)} is not positive`;
  return compare(roundToStep(price, tick), price) === 0 ? '' : `price ${format(price)} is off the tick ${format(tick)}`;
}
