// An order as this venue keeps it, and its rows on the wire.
import {
  format,
  isZero,
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
  WireOrderStatus,
  WireOrderType,
  WireRejectReason,
  WireSide,
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
  const { id, listing, side, type, quantity: whole, price, reduceOnly, timeInForce } = order;
  const isMarket = type === 'Market';
  const waits = timeInForce === 'IOC' ? ('ioc' as const) : timeInForce === 'FOK' ? ('fok' as const) : undefined;
  return {
    id,
    at,
    instrument: listing.index,
    side: side === 'Buy' ? 'buy' : 'sell',
    type: isMarket ? 'market' : timeInForce === 'PostOnly' ? 'post-only' : 'limit',
    role: 'target',
    quantity: whole,
    limitPrice: isMarket ? undefined : price,
    stopPrice: undefined,
    ...(waits === undefined ? {} : { timeInForce: waits }),
    reduceOnly,
    wholePosition: false,
    shares: [],
    attached: [],
  };
}

const ONE = quantity('1');

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

export function orderRow(order: ServedOrder): OrderRow {
  const { listing, trigger, brackets, filled, value, fee } = order;
  const open = leaves(order);
  const reference = order.price === undefined ? order.lastPriceOnCreated : toNumber(order.price);
  const tpslMode: WireTpslMode | '' = brackets === undefined ? '' : brackets.isPartial ? 'Partial' : 'Full';
  const { takeProfit, stopLoss, tpTriggerBy, slTriggerBy, tpLimitPrice, slLimitPrice } = brackets ?? {};
  return {
    orderId: order.id,
    orderLinkId: order.linkId,
    blockTradeId: '',
    symbol: listing.symbol,
    price: order.price === undefined ? '0' : format(order.price),
    qty: format(order.quantity),
    side: order.side,
    isLeverage: '0',
    positionIdx: 0,
    orderStatus: order.status,
    createType: order.createType,
    cancelType: order.cancelType,
    rejectReason: order.rejectReason,
    avgPrice: averageText(value, filled),
    leavesQty: format(open),
    leavesValue: signOf(open) === 0 ? '0' : (toNumber(open) * reference).toFixed(4),
    cumExecQty: format(filled),
    cumExecValue: format(value),
    cumExecFee: format(fee),
    timeInForce: order.timeInForce,
    orderType: order.type,
    stopOrderType: trigger?.kind ?? '',
    ocoTriggerType: '',
    orderIv: '',
    marketUnit: 'baseCoin',
    slippageToleranceType: 'UNKNOWN',
    slippageTolerance: '',
    triggerPrice: textOf(trigger?.price),
    triggerDirection: trigger?.direction ?? 0,
    triggerBy: trigger?.by ?? '',
    takeProfit: textOf(takeProfit),
    stopLoss: textOf(stopLoss),
    tpTriggerBy: takeProfit === undefined ? '' : (tpTriggerBy ?? ''),
    slTriggerBy: stopLoss === undefined ? '' : (slTriggerBy ?? ''),
    tpslMode,
    tpLimitPrice: textOrZero(tpLimitPrice),
    slLimitPrice: textOrZero(slLimitPrice),
    lastPriceOnCreated: listing.priceText(order.lastPriceOnCreated),
    basePrice: listing.priceText(order.lastPriceOnCreated),
    reduceOnly: order.reduceOnly,
    closeOnTrigger: order.closeOnTrigger,
    placeType: '',
    smpType: 'None',
    smpGroup: 0,
    smpOrderId: '',
    createdTime: String(order.createdAt),
    updatedTime: String(order.updatedAt),
    extraFees: '',
    cumFeeDetail: { [listing.instrument.quote]: format(fee) },
  };
}

export function orderEventRow(order: ServedOrder): OrderEventRow {
  return {
    ...orderRow(order),
    category: 'linear',
    closedPnl: format(order.closedPnl),
    feeCurrency: order.listing.instrument.quote,
  };
}
