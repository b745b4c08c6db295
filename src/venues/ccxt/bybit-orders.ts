// An intent as Bybit V5 takes it. What is checked here is what is sent: every price and quantity is on the venue's step, rounded in a named
// direction, and what the venue would refuse for its size is refused before it leaves. Pure.
import {
  add,
  amount,
  compare,
  format,
  isZero,
  notional,
  priceFrom,
  quantity,
  roundToStep,
  signOf,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import type { Instrument, InstrumentKind } from '../../domain/instrument.ts';
import { isConditional, type OrderIntent } from '../../domain/order.ts';
import type { InstrumentRow } from './bybit-rows.ts';

/** An instrument as the venue lists it now. */
export interface Listed {
  /** Index in the run's instruments. */
  readonly instrument: number;
  readonly category: InstrumentKind;
  /** Bybit's spelling: BTCUSDT. */
  readonly symbol: string;
  readonly isTrading: boolean;
  readonly tick: Price;
  readonly lot: Quantity;
  /** Step of what a spot order that buys by a budget may cost; zero where it is no filter. */
  readonly budgetStep: Amount;
  readonly minimumQuantity: Quantity;
  readonly minimumNotional: Amount;
  /** Zero is no bound. */
  readonly mostQuantity: Quantity;
  readonly mostMarketQuantity: Quantity;
}

export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** Bybit's spelling of `BTC/USDT` and of `BTC/USDT:USDT`. */
export function wireSymbol({ base, quote }: Pick<Instrument, 'base' | 'quote'>): string {
  return `${base}${quote}`;
}

/** The venue's filters of an instrument. */
export function listedFrom(row: InstrumentRow, instrument: number, category: InstrumentKind): Listed {
  const { lotSizeFilter: filter } = row;
  return {
    instrument,
    category,
    symbol: row.symbol,
    isTrading: row.status === 'Trading',
    tick: row.priceFilter.tickSize,
    lot: quantity(filter.qtyStep ?? filter.basePrecision ?? '0'),
    budgetStep: amount(filter.quotePrecision ?? '0'),
    minimumQuantity: quantity(filter.minOrderQty),
    // Spot calls it the least amount of an order.
    minimumNotional: amount(Number(filter.minNotionalValue) > 0 ? filter.minNotionalValue : filter.minOrderAmt),
    mostQuantity: quantity(filter.maxOrderQty),
    mostMarketQuantity: quantity(filter.maxMktOrderQty),
  };
}

/** Which filters differ, in words; empty where none does. */
export function changesOf(before: Listed, after: Listed): string {
  const changes: string[] = [];
  if (before.isTrading !== after.isTrading) changes.push(after.isTrading ? 'it trades again' : 'it does not trade');
  for (const name of ['tick', 'lot', 'minimumQuantity', 'minimumNotional', 'mostQuantity', 'mostMarketQuantity'] as const) {
    if (compare(before[name], after[name]) !== 0) changes.push(`${name} ${format(before[name])} became ${format(after[name])}`);
  }
  return changes.join(', ');
}

export type Composed =
  | { readonly kind: 'order'; readonly parameters: Parameters; readonly quantity: Quantity }
  | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): Composed => ({ kind: 'refused', reason });

/**
 * The request that creates an order.
 * @param linkId the run's own id of the order
 * @param lastPrice of the market, for the check of a market order's worth; NaN where nobody knows
 * @param available of the base coin on spot; undefined where nobody knows
 * @param disasterPrice where the position that it may open is to be stopped, unless a stop of that position is attached; NaN for nowhere
 */
export function createRequest(
  intent: OrderIntent,
  listed: Listed,
  {
    linkId,
    lastPrice,
    available,
    disasterPrice = NaN,
  }: {
    readonly linkId: string;
    readonly lastPrice: number;
    readonly available?: Quantity | undefined;
    readonly disasterPrice?: number;
  },
): Composed {
  const { category, symbol } = listed;
  const { side, type, timeInForce } = intent;
  if (type === 'trailing' || intent.pairedWith !== undefined)
    return refused('trailing stops and paired orders are held by the engine, not by this venue');
  if (type === 'market' && timeInForce === 'fok') return refused('a market order of Bybit takes what is there: fill or kill is for limits');
  const isLimit = type === 'limit' || type === 'post-only';
  const limitPrice = isLimit && intent.limitPrice !== undefined ? limitOnTick(intent.limitPrice, listed.tick, side) : undefined;
  if (isLimit && (limitPrice === undefined || signOf(limitPrice) <= 0)) return refused('a limit order needs a positive price');
  const common = { category, symbol, side: side === 'buy' ? 'Buy' : 'Sell', orderLinkId: linkId };
  if (intent.budget !== undefined) return byBudget(intent.budget, listed, side, common);
  const asked =
    category === 'spot' && side === 'sell' && available !== undefined && compare(available, intent.quantity) < 0
      ? available
      : intent.quantity;
  const size = roundToStep(asked, listed.lot);
  const reference = limitPrice ?? intent.stopPrice ?? (lastPrice > 0 ? priceFrom(lastPrice, listed.tick, 'nearest') : undefined);
  const fault = sizeFault(size, reference, listed, { isMarket: !isLimit, closes: intent.reduceOnly });
  if (fault !== undefined) return refused(fault);
  const trigger = isConditional(type) ? triggerOf(intent, listed) : {};
  if (trigger === undefined) return refused('a stop needs a positive trigger');
  const parameters: Parameters = {
    ...common,
    orderType: isLimit ? 'Limit' : 'Market',
    qty: format(size),
    ...(limitPrice === undefined ? {} : { price: format(limitPrice), timeInForce: inForce(type, timeInForce) }),
    ...(category === 'spot' ? { marketUnit: 'baseCoin' } : { positionIdx: 0, reduceOnly: intent.reduceOnly }),
    ...trigger,
    ...attachedStop(intent, listed, disasterPrice),
  };
  return { kind: 'order', parameters, quantity: size };
}

/** On spot only: Bybit computes the quantity where it fills. */
function byBudget(budget: Amount, listed: Listed, side: string, common: Parameters): Composed {
  if (listed.category !== 'spot' || side !== 'buy') return refused('only buying on spot names a budget');
  const cost = roundToStep(budget, listed.budgetStep);
  if (compare(cost, listed.minimumNotional) < 0) {
    return refused(`a budget of ${format(cost)} is below the minimum of ${format(listed.minimumNotional)}`);
  }
  return {
    kind: 'order',
    parameters: { ...common, orderType: 'Market', qty: format(cost), marketUnit: 'quoteCoin' },
    quantity: ZERO_QUANTITY,
  };
}

/** What the venue would refuse it for. An order that closes may be worth less than the minimum, but not be less than the least quantity. */
function sizeFault(
  size: Quantity,
  reference: Price | undefined,
  { minimumQuantity, minimumNotional, mostQuantity, mostMarketQuantity }: Listed,
  { isMarket, closes }: { readonly isMarket: boolean; readonly closes: boolean },
): string | undefined {
  if (signOf(size) <= 0 || compare(size, minimumQuantity) < 0)
    return `quantity ${format(size)} is below the minimum of ${format(minimumQuantity)}`;
  const most = isMarket && !isZero(mostMarketQuantity) ? mostMarketQuantity : mostQuantity;
  if (!isZero(most) && compare(size, most) > 0) return `quantity ${format(size)} is above the most of one order, ${format(most)}`;
  if (closes || reference === undefined) return undefined;
  const worth = notional(reference, size);
  return compare(worth, minimumNotional) < 0 ? `notional ${format(worth)} is below the minimum of ${format(minimumNotional)}` : undefined;
}

function inForce(type: OrderIntent['type'], timeInForce: OrderIntent['timeInForce']): string {
  if (type === 'post-only') return 'PostOnly';
  return timeInForce === undefined ? 'GTC' : timeInForce.toUpperCase();
}

/** Never worse than what was asked for: a buyer's limit goes down, a seller's up. */
export function limitOnTick(asked: Price, tick: Price, side: 'buy' | 'sell'): Price {
  return side === 'buy' ? roundToStep(asked, tick) : upTo(asked, tick);
}

/** Never later than what was asked for. A seller's stop is reached from above and goes up; a buyer's goes down. */
export function triggerOnTick(asked: Price, tick: Price, { side, type }: Pick<OrderIntent, 'side' | 'type'>): Price {
  const falls = (side === 'sell') === (type === 'stop');
  return falls ? upTo(asked, tick) : roundToStep(asked, tick);
}

function upTo(asked: Price, tick: Price): Price {
  const down = roundToStep(asked, tick);
  return compare(down, asked) === 0 ? asked : add(down, tick);
}

/** A stop that sells waits for the market to fall, a target that sells for it to rise. All of them look at trades, as the engine's own do. */
function triggerOf(intent: OrderIntent, listed: Listed): Parameters | undefined {
  const { stopPrice, side, type } = intent;
  if (stopPrice === undefined || signOf(stopPrice) <= 0) return undefined;
  const falls = (side === 'sell') === (type === 'stop');
  const triggerPrice = format(triggerOnTick(stopPrice, listed.tick, intent));
  if (listed.category === 'spot') return { orderFilter: 'StopOrder', triggerPrice };
  return { triggerPrice, triggerDirection: falls ? 2 : 1, triggerBy: 'LastPrice' };
}

/** The stop of the whole position comes with the entry: the venue sets it with the first fill, whether we live to see it or not. */
function attachedStop(intent: OrderIntent, listed: Listed, disasterPrice: number): Parameters {
  const stop = intent.attached.find((each) => isPositionStop(each, listed));
  const level =
    stop?.stopPrice ?? (listed.category === 'linear' && disasterPrice > 0 ? priceFrom(disasterPrice, listed.tick, 'nearest') : undefined);
  if (level === undefined) return {};
  const closing = { side: intent.side === 'buy' ? 'sell' : 'buy', type: 'stop' } as const;
  return { ...stopOfPosition(triggerOnTick(level, listed.tick, closing)), slOrderType: 'Market' };
}

/** Bybit's stop-loss of a position, which follows it and ends with it. There is one for each position, and none on spot. */
export function isPositionStop({ wholePosition, type }: OrderIntent, { category }: Pick<Listed, 'category'>): boolean {
  return wholePosition && type === 'stop' && category === 'linear';
}

function stopOfPosition(level: Price): Parameters {
  return { tpslMode: 'Full', stopLoss: format(level), slTriggerBy: 'LastPrice' };
}

/** Sets or moves the stop of a position. */
export function positionStopRequest({ category, symbol }: Listed, level: Price): Parameters {
  return { category, symbol, positionIdx: 0, ...stopOfPosition(level) };
}

/** What a payment of fees is worth in quote currency: on spot a buyer pays in what he buys. */
export function feeInQuote(fee: Amount, feeCurrency: string, { base }: Pick<Instrument, 'base'>, fillPrice: Price): Amount {
  if (isZero(fee)) return ZERO_AMOUNT;
  return feeCurrency === base ? notional(fillPrice, quantity(format(fee))) : fee;
}

/** As the venue says a trigger or a limit, so that the two can be compared. */
export function isSamePrice(left: Price | undefined, right: Price | undefined): boolean {
  return left !== undefined && right !== undefined && compare(left, right) === 0;
}
