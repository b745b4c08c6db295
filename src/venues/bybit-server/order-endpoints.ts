// Orders over REST and over the trade socket: create, amend, cancel, all of them in batches; what is open, and what was.
import { closed, closedList, served, type Answer, type Endpoint, type PrivateCall } from './calls.ts';
import { parameterError, Refusal } from './refusal.ts';
import { pageOf } from './records.ts';
import {
  amendSchema,
  batchSchema,
  cancelAllSchema,
  cancelSchema,
  createSchema,
  disconnectSchema,
  ordersQuery,
  read,
  type OrdersQuery,
} from './requests.ts';
import { isOpen, orderRow, type ServedOrder } from './served-order.ts';
import { SECOND_MS } from '../../domain/time.ts';

/** One order's answer. */
export type Act = (call: PrivateCall) => { readonly orderId: string; readonly orderLinkId: string };

const ids = ({ id, linkId }: ServedOrder): ReturnType<Act> => ({ orderId: id, orderLinkId: linkId });

export const create: Act = ({ account, given }) => ids(account.create(served(createSchema, given)));
export const amend: Act = ({ account, given }) => ids(account.amend(served(amendSchema, given)));
export const cancel: Act = ({ account, given }) => ids(account.cancel(served(cancelSchema, given)));

/** Each order of a batch is answered by itself: the batch is taken even where all of them are refused. */
export function batched(act: Act, isCreate: boolean): (call: PrivateCall) => Answer {
  return (call) => {
    const { category, request } = served(batchSchema, call.given);
    const list: object[] = [];
    const codes: object[] = [];
    for (const each of request) {
      const symbol = typeof each['symbol'] === 'string' ? each['symbol'] : '';
      const created = isCreate ? { createAt: '' } : {};
      try {
        const answered = act({ ...call, given: { ...each, category } });
        list.push({ category, symbol, ...answered, ...(isCreate ? { createAt: String(call.exchange.now) } : {}) });
        codes.push({ code: 0, msg: 'OK' });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const orderLinkId = typeof each['orderLinkId'] === 'string' ? each['orderLinkId'] : '';
        list.push({ category, symbol, orderId: '', orderLinkId, ...created });
        codes.push({ code: error.retCode, msg: error.message });
      }
    }
    return { result: { list }, retExtInfo: { list: codes } };
  };
}

export const orderEndpoints: Readonly<Record<string, Endpoint>> = {
  'POST /v5/order/create': closed('create', create),
  'POST /v5/order/amend': closed('amend', amend),
  'POST /v5/order/cancel': closed('cancel', cancel),
  'POST /v5/order/create-batch': { isPrivate: true, rate: 'create-batch', answer: batched(create, true) },
  'POST /v5/order/amend-batch': { isPrivate: true, rate: 'amend-batch', answer: batched(amend, false) },
  'POST /v5/order/cancel-batch': { isPrivate: true, rate: 'cancel-batch', answer: batched(cancel, false) },
  'POST /v5/order/cancel-all': closed('cancel-all', ({ account, given }) => {
    const filter = served(cancelAllSchema, given);
    if (
      filter.category === 'linear' &&
      [filter.symbol, filter.baseCoin, filter.settleCoin].every((each) => each === undefined || each === '')
    ) {
      throw parameterError('params error: symbol, baseCoin or settleCoin is required');
    }
    return { list: account.cancelAll(filter).map(ids), success: '1' };
  }),
  'POST /v5/order/disconnected-cancel-all': closed('account', ({ account, given }) => {
    const { timeWindow, product } = read(disconnectSchema, given);
    account.disconnectWindowsMs.set(product === 'SPOT' ? 'spot' : 'linear', timeWindow * SECOND_MS);
    return {};
  }),
  'GET /v5/account/query-dcp-info': closed('account', ({ account: { disconnectWindowsMs } }) => ({
    dcpInfos: [...disconnectWindowsMs].map(([category, windowMs]) => ({
      product: category === 'spot' ? 'SPOT' : 'DERIVATIVES',
      dcpStatus: 'ON',
      timeWindow: String(windowMs / SECOND_MS),
    })),
  })),
  'GET /v5/order/realtime': closedList('query', ordersQuery, realtime),
  'GET /v5/order/history': closedList('query', ordersQuery, history),
};

function realtime({ account }: PrivateCall, query: OrdersQuery): object {
  const { category, symbol = '', baseCoin = '', settleCoin = '', orderId = '', orderLinkId = '', openOnly = 0 } = query;
  const isNamed = orderId !== '' || orderLinkId !== '';
  if (!isNamed && category === 'linear' && symbol === '' && baseCoin === '' && settleCoin === '') {
    throw parameterError('params error: symbol, baseCoin or settleCoin is required');
  }
  const isWanted = (order: ServedOrder): boolean => isMeant(order, query) && (isNamed || openOnly === 1 || isOpen(order));
  return paged(account.recentOrders(), isWanted, query, 20);
}

/** What has ended, and what has filled in part, by its time of creation. */
function history({ account }: PrivateCall, query: OrdersQuery): object {
  const { startTime = 0, endTime = Infinity, orderStatus = '' } = query;
  const isWanted = (order: ServedOrder): boolean =>
    isMeant(order, query) &&
    !isOpen(order) &&
    order.createdAt >= startTime &&
    order.createdAt <= endTime &&
    (orderStatus === '' || order.status === orderStatus);
  return paged(account.orders, isWanted, query, 20);
}

function paged(orders: readonly ServedOrder[], isWanted: (order: ServedOrder) => boolean, query: OrdersQuery, fallback: number): object {
  const { limit = fallback, cursor = '' } = query;
  const page = pageOf(orders, isWanted, Math.min(50, Math.max(1, limit)), cursor);
  return { list: page.rows.map(orderRow), nextPageCursor: page.nextPageCursor };
}

/** By id before client's id before symbol before coins, as Bybit looks. */
function isMeant({ id, linkId, listing, trigger }: ServedOrder, query: OrdersQuery): boolean {
  const { category, symbol = '', baseCoin = '', settleCoin = '', orderId = '', orderLinkId = '', orderFilter } = query;
  if (listing.category !== category) return false;
  if (orderId !== '') return id === orderId;
  if (orderLinkId !== '') return linkId === orderLinkId;
  if (symbol !== '' && listing.symbol !== symbol) return false;
  if (baseCoin !== '' && listing.instrument.base !== baseCoin) return false;
  if (settleCoin !== '' && listing.instrument.quote !== settleCoin) return false;
  return orderFilter === undefined || (orderFilter === 'Order') === (trigger === undefined);
}
