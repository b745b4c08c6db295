// What a venue's rows say of one order, put together. Rows come over two ways, late, twice and out of order; what is known only grows: an
// order that has ended stays ended, what has filled stays filled, and an older row says nothing. Pure.
import { compare, type Price, type Quantity } from '../../domain/decimal.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { OrderRow, OrderStatus } from './bybit-rows.ts';

export interface OrderProgress {
  readonly venueId: string;
  readonly status: OrderStatus;
  /** What has filled, as the order's own rows say. */
  readonly filled: Quantity;
  /** As it stands at the venue, which may have shrunk it. */
  readonly quantity: Quantity;
  readonly limitPrice: Price | undefined;
  readonly triggerPrice: Price | undefined;
  /** The venue's words for an end that is no fill. */
  readonly reason: string;
  readonly updatedAt: TimeMs;
}

export function isEnded(status: OrderStatus): boolean {
  switch (status) {
    case 'Filled':
    case 'Cancelled':
    case 'PartiallyFilledCanceled':
    case 'Deactivated':
    case 'Rejected':
      return true;
    case 'Created':
    case 'New':
    case 'Active':
    case 'PartiallyFilled':
    case 'Untriggered':
    case 'Triggered':
      return false;
  }
}

/** A row as what is known of an order. */
export function progressOf(row: OrderRow): OrderProgress {
  const { cancelType, rejectReason } = row;
  const words = [cancelType === 'UNKNOWN' ? '' : cancelType, rejectReason === 'EC_NoError' ? '' : rejectReason];
  return {
    venueId: row.orderId,
    status: row.orderStatus,
    filled: row.cumExecQty,
    quantity: row.qty,
    limitPrice: row.price,
    triggerPrice: row.triggerPrice,
    reason: words.filter((word) => word !== '').join(' '),
    updatedAt: row.updatedTime,
  };
}

/** What is known once the row is heard; the same object where it says nothing new. */
export function merged(before: OrderProgress | undefined, row: OrderRow): OrderProgress {
  const said = progressOf(row);
  if (before === undefined) return said;
  const fills = compare(said.filled, before.filled);
  // What an order has filled and that it has ended outlives every later word; a time proves the order of the rest.
  const isNewer = fills !== 0 ? fills > 0 : said.updatedAt >= before.updatedAt;
  const [older, newer] = isNewer ? [before, said] : [said, before];
  const ended = isEnded(newer.status) ? newer : isEnded(older.status) ? older : undefined;
  const whole: OrderProgress =
    ended === undefined || ended === newer
      ? newer
      : { ...newer, status: ended.status, reason: ended.reason, updatedAt: Math.max(older.updatedAt, newer.updatedAt) };
  return isSame(before, whole) ? before : whole;
}

function isSame(one: OrderProgress, other: OrderProgress): boolean {
  return (
    one === other ||
    (one.status === other.status &&
      one.updatedAt === other.updatedAt &&
      one.reason === other.reason &&
      compare(one.filled, other.filled) === 0 &&
      compare(one.quantity, other.quantity) === 0 &&
      isSameLevel(one.limitPrice, other.limitPrice) &&
      isSameLevel(one.triggerPrice, other.triggerPrice))
  );
}

function isSameLevel(one: Price | undefined, other: Price | undefined): boolean {
  return one === undefined || other === undefined ? one === other : compare(one, other) === 0;
}
