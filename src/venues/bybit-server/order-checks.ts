// What the venue looks at before it takes an order: steps, sizes, sides of triggers. Pure; every refusal is Bybit's.
import {
  absolute,
  compare,
  format,
  price as readPrice,
  quantity as readQuantity,
  roundToStep,
  signOf,
  smaller,
  toNumber,
  ZERO_QUANTITY,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { Listing } from './listing.ts';
import { CODES, parameterError, Refusal } from './refusal.ts';
import type { CreateRequest } from './requests.ts';
import type { Brackets, Trigger } from './served-order.ts';
import type { WireCreateType, WireSide, WireStopOrderType, WireTriggerBy } from './wire.ts';

/** What can be set for a position. */
export type StopKind = Exclude<WireStopOrderType, 'Stop' | 'tpslOrder' | 'BidirectionalTpslOrder'>;

/** A target is reached by a market that goes the position's way, a stop by one that goes against it. */
export const stopKinds: Readonly<Record<StopKind, { readonly isTarget: boolean; readonly createType: WireCreateType }>> = {
  TakeProfit: { isTarget: true, createType: 'CreateByTakeProfit' },
  StopLoss: { isTarget: false, createType: 'CreateByStopLoss' },
  TrailingStop: { isTarget: false, createType: 'CreateByTrailingStop' },
  PartialTakeProfit: { isTarget: true, createType: 'CreateByPartialTakeProfit' },
  PartialStopLoss: { isTarget: false, createType: 'CreateByPartialStopLoss' },
};

/** An empty text is one that was left out. */
export function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** On the tick, and positive; 0 is none, as Bybit reads it. @throws Refusal 10001 */
export function checkPrice(text: string | undefined, listing: Listing, field: string): Price | undefined {
  if (text === undefined || Number(text) === 0) return undefined;
  const price = exactly(text, readPrice, field);
  const { tick } = listing.instrument;
  if (signOf(price) < 0 || compare(roundToStep(price, tick), price) !== 0) {
    const words = `params error: ${field} ${text} is no multiple of the tick size ${format(tick)}`;
    throw listing.category === 'spot' ? new Refusal(CODES.spotPrice, words) : parameterError(words);
  }
  if (toNumber(price) > listing.mostPrice) throw new Refusal(CODES.priceOutOfRange, 'The order price exceeds the allowable range.');
  return price;
}

/** On the step, and between the least and the most of one order. @throws Refusal 10001 */
export function checkQuantity(text: string, listing: Listing): Quantity {
  if (text === '') throw parameterError('params error: qty is required');
  const quantity = exactly(text, readQuantity, 'qty');
  const { lot, minimumQuantity } = listing.instrument;
  const isOnStep = compare(roundToStep(quantity, lot), quantity) === 0;
  if (listing.category === 'spot') {
    if (!isOnStep || signOf(quantity) <= 0) throw new Refusal(CODES.spotQuantity, 'Order quantity has too many decimals.');
    if (compare(quantity, minimumQuantity) < 0) throw new Refusal(CODES.spotLeastQuantity, 'Order quantity exceeded lower limit.');
    if (toNumber(quantity) > listing.mostQuantity) throw new Refusal(CODES.spotMostQuantity, 'Order quantity exceeded upper limit.');
    return quantity;
  }
  if (!isOnStep || compare(quantity, minimumQuantity) < 0 || signOf(quantity) <= 0) throw parameterError('Qty invalid');
  if (toNumber(quantity) > listing.mostQuantity) {
    throw parameterError('The number of contracts exceeds maximum limit allowed: too large');
  }
  return quantity;
}

function exactly<Value>(text: string, reader: (text: string, place: string) => Value, field: string): Value {
  try {
    return reader(text, field);
  } catch (error) {
    if (error instanceof BallastError) throw parameterError(`params error: ${field} ${text} is invalid`);
    throw error;
  }
}

/** @throws Refusal 110092, 110093 where the price would have to come from the other side */
export function checkTrigger(
  { triggerPrice, triggerDirection: asked, triggerBy, orderFilter }: CreateRequest,
  listing: Listing,
): Trigger | undefined {
  const price = checkPrice(given(triggerPrice), listing, 'triggerPrice');
  if (price === undefined) return undefined;
  const by = triggerBy ?? 'LastPrice';
  const now = priceOf(listing, by);
  const level = toNumber(price);
  // On spot nobody says from which side: it is where the market is not yet.
  const direction = listing.category === 'spot' ? (level > now ? 1 : 2) : asked;
  const kind = listing.category === 'spot' && orderFilter === 'tpslOrder' ? ('tpslOrder' as const) : ('Stop' as const);
  switch (direction) {
    case 1:
      if (level <= now) throw wrongSide(CODES.triggerNotRising, 'Rising', level, '<=', now);
      return { price, direction: 1, by, kind };
    case 2:
      if (level >= now) throw wrongSide(CODES.triggerNotFalling, 'Falling', level, '>=', now);
      return { price, direction: 2, by, kind };
    default:
      throw parameterError('params error: triggerDirection is required');
  }
}

function wrongSide(code: number, expected: string, level: number, relation: string, now: number): Refusal {
  return new Refusal(code, `expect ${expected}, but trigger_price[${level}] ${relation} current[${now}]`);
}

export function priceOf(listing: Listing, by: WireTriggerBy): number {
  return by === 'MarkPrice' ? listing.mark : by === 'IndexPrice' ? listing.indexPrice : listing.last;
}

type BracketFields = Pick<
  CreateRequest,
  'takeProfit' | 'stopLoss' | 'tpTriggerBy' | 'slTriggerBy' | 'tpslMode' | 'tpLimitPrice' | 'slLimitPrice' | 'tpOrderType' | 'slOrderType'
>;

/**
 * Take-profit and stop-loss of a position on `side`, each on its side of the base price.
 * @returns undefined where there is neither
 * @throws Refusal 10001
 */
export function checkBrackets(fields: BracketFields, listing: Listing, side: WireSide, base: Price): Brackets | undefined {
  const takeProfit = checkPrice(given(fields.takeProfit), listing, 'takeProfit');
  const stopLoss = checkPrice(given(fields.stopLoss), listing, 'stopLoss');
  if (takeProfit === undefined && stopLoss === undefined) return undefined;
  const isLong = side === 'Buy';
  for (const [name, level, isAbove] of [
    ['TakeProfit', takeProfit, isLong],
    ['StopLoss', stopLoss, !isLong],
  ] as const) {
    if (level === undefined || (isAbove ? compare(level, base) > 0 : compare(level, base) < 0)) continue;
    const expected = isAbove ? 'higher' : 'lower';
    throw parameterError(`${name}:${format(level)} set for ${side} position should be ${expected} than base_price:${format(base)}`);
  }
  // On spot the price alone makes a limit of it.
  const isSpot = listing.category === 'spot';
  const tpLimitPrice =
    isSpot || fields.tpOrderType === 'Limit' ? checkPrice(given(fields.tpLimitPrice), listing, 'tpLimitPrice') : undefined;
  const slLimitPrice =
    isSpot || fields.slOrderType === 'Limit' ? checkPrice(given(fields.slLimitPrice), listing, 'slLimitPrice') : undefined;
  return {
    takeProfit,
    stopLoss,
    tpTriggerBy: fields.tpTriggerBy ?? 'LastPrice',
    slTriggerBy: fields.slTriggerBy ?? 'LastPrice',
    tpLimitPrice,
    slLimitPrice,
    isPartial: isPartial(fields.tpslMode),
  };
}

function isPartial(named: BracketFields['tpslMode']): boolean {
  return named === 'Partial';
}

/** How much of `most` an order of this side would close of what is held (signed). */
export function reducible(held: Quantity, side: WireSide, most: Quantity): Quantity {
  return signOf(held) === (side === 'Sell' ? 1 : -1) ? smaller(most, absolute(held)) : ZERO_QUANTITY;
}
