// An order as this venue keeps it, and its rows on the wire.
import {
  format,
  isZero,
  priceFrom,
  proportion,
  quantity,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import type { OrderIntent } from '../../domain/order.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { Listing } from './listing.ts';
import type {
  OrderEventRow,
  OrderRow,
  WireCancelType,
  WireCreateType,
  WireMarketUnit,
  WireOrderStatus,
  WireOrderType,
  WirePositionIdx,
  WireRejectReason,
  WireSide,
  WireSmpType,
  WireStopOrderType,
  WireTimeInForce,
  WireTpslMode,
  WireTriggerBy,
} from './wire.ts';

/** What lets an order wait for a price. */
export interface Trigger {
  price: Price;
  /** 1 when the market rises to it, 2 when it falls to it. */
  direction: 1 | 2;
  readonly by: WireTriggerBy;
  readonly kind: WireStopOrderType;
  /** For a trailing stop: the distance, the price that arms it, and the best price since. */
  trail?: { readonly distance: Price; readonly activePrice: Price | undefined; best: number };
}

/** Take-profit and stop-loss that an order brings to its position. */
export interface Brackets {
  readonly takeProfit: Price | undefined;
  readonly stopLoss: Price | undefined;
  readonly tpTriggerBy: WireTriggerBy;
  readonly slTriggerBy: WireTriggerBy;
  readonly tpLimitPrice: Price | undefined;
  readonly slLimitPrice: Price | undefined;
  readonly isPartial: boolean;
}

/** Of a market order: `price` is the worst at which it may fill. */
export interface Tolerance {
  readonly type: 'TickSize' | 'Percent';
  readonly text: string;
  readonly price: Price;
}

export interface ServedOrder {
  /** Rising with every order of the account: pages are cut by it. */
  readonly number: number;
  readonly id: string;
  readonly linkId: string;
  readonly listing: Listing;
  readonly side: WireSide;
  type: WireOrderType;
  price: Price | undefined;
  quantity: Quantity;
  readonly timeInForce: WireTimeInForce;
  readonly reduceOnly: boolean;
  readonly closeOnTrigger: boolean;
  status: WireOrderStatus;
  readonly createType: WireCreateType;
  cancelType: WireCancelType;
  rejectReason: WireRejectReason;
  filled: Quantity;
  value: Amount;
  fee: Amount;
  closedPnl: Amount;
  trigger: Trigger | undefined;
  brackets: Brackets | undefined;
  /** Which position it is of; 0 on spot. */
  readonly positionIdx: WirePositionIdx;
  /** What `qty` counts on the wire; a market order on spot that counts quote currency has a budget. */
  readonly marketUnit: WireMarketUnit;
  readonly budget: Amount | undefined;
  /** How far from the price at its arrival a market order may fill, and the price that this is. */
  readonly tolerance: Tolerance | undefined;
  readonly smpType: WireSmpType;
  /** The order that its own account would have traded it with. */
  smpOrderId: string;
  /** Its coins are put aside before it is triggered. */
  readonly isOccupying: boolean;
  /** Of a take-profit and a stop-loss on spot the other: the one that is triggered ends it, and both put aside the same coins. */
  rival: ServedOrder | undefined;
  /** Another order whose fills are told as this one's: nobody but the venue's own hand makes one. */
  readonly standsFor: ServedOrder | undefined;
  /** It follows the whole position: a stop set for the position, not for a quantity. */
  readonly isForPosition: boolean;
  /** The venue's own doing, of which nobody hears as an order. */
  readonly isHidden: boolean;
  readonly lastPriceOnCreated: number;
  readonly createdAt: TimeMs;
  updatedAt: TimeMs;
}

export type NewOrder = Pick<ServedOrder, 'number' | 'id' | 'linkId' | 'listing' | 'side' | 'type' | 'quantity' | 'createdAt'> &
  Partial<ServedOrder>;

export function newOrder(parts: NewOrder): ServedOrder {
  return {
    price: undefined,
    timeInForce: parts.type === 'Market' ? 'IOC' : 'GTC',
    reduceOnly: false,
    closeOnTrigger: false,
    status: parts.trigger === undefined ? 'New' : 'Untriggered',
    createType: 'CreateByUser',
    cancelType: 'UNKNOWN',
    rejectReason: 'EC_NoError',
    filled: ZERO_QUANTITY,
    value: ZERO_AMOUNT,
    fee: ZERO_AMOUNT,
    closedPnl: ZERO_AMOUNT,
    trigger: undefined,
    brackets: undefined,
    positionIdx: 0,
    marketUnit: 'baseCoin',
    budget: undefined,
    tolerance: undefined,
    smpType: 'None',
    smpOrderId: '',
    isOccupying: false,
    rival: undefined,
    standsFor: undefined,
    isForPosition: false,
    isHidden: false,
    lastPriceOnCreated: parts.listing.last,
    updatedAt: parts.createdAt,
    ...parts,
  };
}

export function isOpen({ status }: ServedOrder): boolean {
  return status === 'New' || status === 'PartiallyFilled' || status === 'Untriggered' || status === 'Triggered';
}

export function leaves(order: ServedOrder): Quantity {
  return isOpen(order) ? subtract(order.quantity, order.filled) : ZERO_QUANTITY;
}

/** What the matching is asked for. Triggers are the server's: what arrives there is a market or a limit order. */
export function intentOf(order: ServedOrder, at: TimeMs): OrderIntent {
  const { id, listing, side, type, quantity: whole, price, reduceOnly, timeInForce, positionIdx, tolerance } = order;
  const isMarket = type === 'Market' && tolerance === undefined;
  const waits = timeInForce === 'IOC' ? ('ioc' as const) : timeInForce === 'FOK' ? ('fok' as const) : undefined;
  return {
    id,
    at,
    instrument: listing.index,
    side: side === 'Buy' ? 'buy' : 'sell',
    type: isMarket ? 'market' : timeInForce === 'PostOnly' ? 'post-only' : 'limit',
    role: 'target',
    quantity: whole,
    limitPrice: isMarket ? undefined : (tolerance?.price ?? price),
    stopPrice: undefined,
    ...(waits === undefined ? {} : { timeInForce: waits }),
    ...(positionIdx === 0 ? {} : { positionSide: positionIdx === 1 ? 'long' : 'short' }),
    reduceOnly,
    wholePosition: false,
    shares: [],
    attached: [],
  };
}

const ONE = quantity('1');
/** `priceLimitRatioX` of the instruments. */
const MARKET_BAND = 0.01;

/** Average price of a quantity worth an amount, cut off at 1e-12; empty for nothing. */
export function averageText(value: Amount, of: Quantity): string {
  return isZero(of) ? '' : format(proportion(value, ONE, of));
}

/** '' where there is none. */
export function textOf(value: Price | undefined): string {
  return value === undefined ? '' : format(value);
}

/** '0' where there is none, as positions say it. */
export function textOrZero(value: Price | undefined): string {
  return value === undefined ? '0' : format(value);
}

/** What its fees are paid in: a buyer on spot pays in what he receives. */
export function feeCoinOf({ listing: { category, instrument }, side }: Pick<ServedOrder, 'listing' | 'side'>): string {
  return category === 'spot' && side === 'Buy' ? instrument.base : instrument.quote;
}

/** Of a perpetual's market order Bybit says the price beyond which it would not have filled; of others what was asked for. */
export function priceOnWire({ listing, price, type, status, side, tolerance, lastPriceOnCreated }: ServedOrder): string {
  if (price !== undefined) return format(price);
  if (tolerance !== undefined) return format(tolerance.price);
  if (type !== 'Market' || status === 'Untriggered' || listing.category === 'spot' || !(lastPriceOnCreated > 0)) return '0';
  const ratio = side === 'Buy' ? 1 + MARKET_BAND : 1 - MARKET_BAND;
  return format(priceFrom(lastPriceOnCreated * ratio, listing.instrument.tick, 'nearest'));
}

export function orderRow(order: ServedOrder): OrderRow {
  const { listing, trigger, brackets, filled, value, fee } = order;
  const open = leaves(order);
  const reference = order.price === undefined ? order.lastPriceOnCreated : toNumber(order.price);
  const tpslMode: WireTpslMode | '' = brackets === undefined || listing.category === 'spot' ? '' : brackets.isPartial ? 'Partial' : 'Full';
  const { budget, tolerance } = order;
  const { takeProfit, stopLoss, tpTriggerBy, slTriggerBy, tpLimitPrice, slLimitPrice } = brackets ?? {};
  return {
    orderId: order.id,
    orderLinkId: order.linkId,
    blockTradeId: '',
    symbol: listing.symbol,
    price: priceOnWire(order),
    qty: budget === undefined ? format(order.quantity) : format(budget),
    side: order.side,
    isLeverage: '0',
    positionIdx: order.positionIdx,
    orderStatus: order.status,
    createType: order.createType,
    cancelType: order.cancelType,
    rejectReason: order.rejectReason,
    avgPrice: averageText(value, filled),
    leavesQty: budget === undefined || !isOpen(order) ? format(open) : format(subtract(budget, value)),
    leavesValue: signOf(open) === 0 ? '0' : (toNumber(open) * reference).toFixed(4),
    cumExecQty: format(filled),
    cumExecValue: format(value),
    cumExecFee: format(fee),
    timeInForce: order.timeInForce,
    orderType: order.type,
    stopOrderType: trigger?.kind ?? '',
    ocoTriggerType: '',
    orderIv: '',
    marketUnit: order.marketUnit,
    slippageToleranceType: tolerance?.type ?? 'UNKNOWN',
    slippageTolerance: tolerance?.text ?? '',
    triggerPrice: textOf(trigger?.price),
    triggerDirection: trigger?.direction ?? 0,
    triggerBy: trigger?.by ?? '',
    takeProfit: textOf(takeProfit),
    stopLoss: textOf(stopLoss),
    tpTriggerBy: takeProfit === undefined ? '' : (tpTriggerBy ?? ''),
    slTriggerBy: stopLoss === undefined ? '' : (slTriggerBy ?? ''),
    ...(listing.category === 'spot' ? {} : { tpslMode }),
    tpLimitPrice: textOrZero(tpLimitPrice),
    slLimitPrice: textOrZero(slLimitPrice),
    lastPriceOnCreated: listing.priceText(order.lastPriceOnCreated),
    basePrice: listing.priceText(order.lastPriceOnCreated),
    reduceOnly: order.reduceOnly,
    closeOnTrigger: order.closeOnTrigger,
    placeType: '',
    smpType: order.smpType,
    smpGroup: 0,
    smpOrderId: order.smpOrderId,
    createdTime: String(order.createdAt),
    updatedTime: String(order.updatedAt),
    extraFees: '',
    cumFeeDetail: { [feeCoinOf(order)]: format(fee) },
  };
}

export function orderEventRow(order: ServedOrder): OrderEventRow {
  return {
    ...orderRow(order),
    category: order.listing.category,
    closedPnl: format(order.closedPnl),
    feeCurrency: feeCoinOf(order),
  };
}
