// Unmodified clients trade side by side on the simulated Bybit venue, and see the same orders, fills, positions and balances: ccxt over REST
// and its streams, bybit-api over REST, its streams and its socket for orders.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RestClientV5 } from 'bybit-api';
import type { Exchange as Ccxt, Order } from 'ccxt';
import { agree, Bench, CAPITAL, gather, until } from './clients.ts';
import { BTC, ETH, STEP_MS } from '../support/stepped-market.ts';

const bench = new Bench(20);
before(() => bench.open());
after(() => bench.close());

/** The market as it is at the beginning of each test that says so. */
async function settle(price: number): Promise<void> {
  bench.stepped.move(0, price);
  await until(
    `BTC at ${price}`,
    () => bench.exchange.listings[0]?.last,
    (last) => last === price,
  );
  // The bar that is known already ends there too.
  await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS + 20));
}

/** As ccxt says an order that bybit-api has as a row. */
const STATUS: Readonly<Record<string, string>> = {
  New: 'open',
  PartiallyFilled: 'open',
  Untriggered: 'open',
  Filled: 'closed',
  Cancelled: 'canceled',
  Deactivated: 'canceled',
  Rejected: 'rejected',
};

/** Until both say that it is so. */
async function bothSeeTheOrder(ccxt: Ccxt, rest: RestClientV5, id: string | undefined, status: string): Promise<Order> {
  return agree(async () => {
    const orders = [...(await ccxt.fetchOpenOrders(BTC)), ...(await ccxt.fetchCanceledAndClosedOrders(BTC))];
    const one = orders.find((each) => each.id === id);
    const { result } = await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderId: id ?? '' });
    const [row] = result.list;
    assert.ok(one !== undefined && row !== undefined, `order ${id} is there for both`);
    assert.equal(one.status, status);
    assert.equal(STATUS[row.orderStatus], status);
    assert.equal(row.orderLinkId, one.clientOrderId ?? '');
    assert.equal(Number(row.qty), one.amount);
    assert.equal(Number(row.cumExecQty), one.filled);
    assert.equal(Number(row.avgPrice), one.average ?? 0);
    assert.equal(row.side.toLowerCase(), one.side);
    return one;
  });
}

/** Signed, where both say the same; and `held` where it is given. */
async function bothSeeThePosition(ccxt: Ccxt, rest: RestClientV5, held?: number): Promise<number> {
  return agree(async () => {
    const [one] = await ccxt.fetchPositions([BTC]);
    const { result } = await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' });
    const [row] = result.list;
    assert.ok(row !== undefined);
    assert.equal(Number(row.size), one?.contracts ?? 0);
    if (row.side !== '') assert.equal(row.side === 'Buy' ? 'long' : 'short', one?.side);
    if (Number(row.size) > 0) assert.equal(Number(row.avgPrice), one?.entryPrice);
    const signed = row.side === 'Sell' ? -Number(row.size) : Number(row.size);
    if (held !== undefined) assert.equal(signed, held);
    return signed;
  });
}

async function bothSeeTheBalance(ccxt: Ccxt, rest: RestClientV5): Promise<number> {
  return agree(async () => {
    const balance = await ccxt.fetchBalance();
    const { result } = await rest.getWalletBalance({ accountType: 'UNIFIED', coin: 'USDT' });
    const coin = result.list[0]?.coin[0];
    assert.ok(coin !== undefined);
    assert.equal(Number(coin.walletBalance), balance['USDT']?.total);
    assert.equal(Number(coin.availableToWithdraw) > 0, (balance['USDT']?.free ?? 0) > 0);
    return Number(coin.walletBalance);
  });
}

describe('market data', { timeout: 15_000 }, () => {
  test('is the same for both: instruments, bars, book, ticker, trades, funding, interest, risk limits', async () => {
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const market = ccxt.market(BTC);
    assert.deepEqual([market?.precision.price, market?.precision.amount, market?.limits.cost?.min], [0.1, 0.001, 5]);
    const { result: info } = await rest.getInstrumentsInfo({ category: 'linear', symbol: 'BTCUSDT' });
    assert.equal(info.list[0]?.priceFilter.tickSize, '0.1');
    assert.ok(Math.abs(((await ccxt.fetchTime()) ?? 0) - Date.now()) < 1_000);
    await settle(60_000);
    const bars = await ccxt.fetchOHLCV(BTC, '1m', undefined, 5);
    const { result: klines } = await rest.getKline({ category: 'linear', symbol: 'BTCUSDT', interval: '1', limit: 5 });
    assert.equal(bars.at(-1)?.[0], Number(klines.list[0]?.[0]), 'both see the newest bar');
    const [book, { result: rows }] = [
      await ccxt.fetchOrderBook(BTC, 5),
      await rest.getOrderbook({ category: 'linear', symbol: 'BTCUSDT', limit: 5 }),
    ];
    assert.deepEqual(
      book.bids,
      rows.b.map((level) => level.map(Number)),
    );
    assert.deepEqual(
      book.asks,
      rows.a.map((level) => level.map(Number)),
    );
    assert.deepEqual(book.bids[0], [60_000, 1]);
    const ticker = await ccxt.fetchTicker(BTC);
    const { result: tickers } = await rest.getTickers({ category: 'linear', symbol: 'BTCUSDT' });
    assert.deepEqual([ticker.last, ticker.bid, ticker.ask], [60_000, 60_000, 60_000.1]);
    assert.equal(tickers.list[0]?.lastPrice, '60000.0');
    const trades = await ccxt.fetchTrades(BTC, undefined, 3);
    assert.equal(trades.length, 3);
    const { result: recent } = await rest.getPublicTradingHistory({ category: 'linear', symbol: 'BTCUSDT', limit: 1 });
    assert.equal(recent.list[0]?.size, '5.000');
    assert.equal((await ccxt.fetchFundingRate(BTC)).fundingRate, 0.0001);
    assert.deepEqual(await ccxt.fetchFundingRateHistory(BTC), []);
    assert.deepEqual((await ccxt.fetchOpenInterest(BTC)).symbol, BTC);
    const [tier] = await ccxt.fetchMarketLeverageTiers(BTC);
    assert.equal(tier?.maxLeverage, 125);
  });

  test('is streamed: a book that stays whole, trades, tickers, bars', async () => {
    const account = bench.account();
    const ccxt = await bench.ccxt(account);
    const frames: { readonly topic: string; readonly type: string; readonly data: { readonly u: number } }[] = [];
    const socket = bench.socket('/v5/public/linear');
    socket.on('update', (frame) => void frames.push(frame as (typeof frames)[number]));
    await Promise.all(socket.subscribeV5(['orderbook.50.BTCUSDT', 'publicTrade.BTCUSDT', 'tickers.BTCUSDT', 'kline.1.BTCUSDT'], 'linear'));
    await until(
      'every topic',
      () => new Set(frames.map(({ topic }) => topic)).size,
      (topics) => topics === 4,
    );
    const books = gather(async () => [await ccxt.watchOrderBook(BTC, 50)]);
    await until(
      'a book',
      () => books[0]?.bids.length,
      (levels) => levels === 30,
    );
    for (const price of [60_010, 60_020, 60_005, 60_015]) {
      bench.stepped.move(0, price);
      await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS + 20));
    }
    await until(
      'the new touch',
      () => books.at(-1)?.bids[0]?.[0],
      (best) => best === 60_015,
    );
    const [trade] = await ccxt.watchTrades(BTC);
    assert.equal(trade?.symbol, BTC);
    assert.equal((await ccxt.watchTicker(BTC)).symbol, BTC);
    assert.ok((await ccxt.watchOHLCV(BTC, '1m')).length > 0);
    const messages = frames.filter(({ topic }) => topic === 'orderbook.50.BTCUSDT');
    assert.equal(messages[0]?.type, 'snapshot');
    assert.ok(messages.length > 3);
    messages.slice(1).forEach(({ type, data }, index) => {
      assert.equal(type, 'delta');
      assert.equal(data.u, (messages[index]?.data.u ?? NaN) + 1, 'every message has the next number');
    });
  });
});

describe('orders', { timeout: 30_000 }, () => {
  test('market and limit: two clients of one account see the same orders, fills, positions and balances', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const market = await ccxt.createOrder(BTC, 'market', 'buy', 0.1);
    const filled = await bothSeeTheOrder(ccxt, rest, market.id, 'closed');
    assert.equal(filled.average, 60_000);
    const { result: placed } = await rest.submitOrder({
      category: 'linear',
      symbol: 'BTCUSDT',
      side: 'Sell',
      orderType: 'Limit',
      qty: '0.04',
      price: '60100',
      orderLinkId: 'limit-1',
    });
    await bothSeeTheOrder(ccxt, rest, placed.orderId, 'open');
    bench.stepped.move(0, 60_150);
    const sold = await bothSeeTheOrder(ccxt, rest, placed.orderId, 'closed');
    assert.equal(sold.average, 60_100);
    assert.equal(await bothSeeThePosition(ccxt, rest), 0.06);
    const paid = 0.0006 * 6_000 + 0.0002 * 2_404;
    assert.equal((await bothSeeTheBalance(ccxt, rest)).toFixed(8), (CAPITAL + 0.04 * 100 - paid).toFixed(8));
    const trades = await ccxt.fetchMyTrades(BTC);
    const { result: executions } = await rest.getExecutionList({ category: 'linear', symbol: 'BTCUSDT' });
    assert.deepEqual(
      trades.map(({ id }) => id),
      executions.list.map(({ execId }) => execId).toReversed(),
    );
    assert.deepEqual(
      trades.map(({ takerOrMaker }) => takerOrMaker),
      ['taker', 'maker'],
    );
    const { result: closings } = await rest.getClosedPnL({ category: 'linear', symbol: 'BTCUSDT' });
    assert.equal(closings.list.length, 1);
    assert.equal(Number(closings.list[0]?.closedPnl).toFixed(6), (0.04 * 100 - 0.04 * 60_000 * 0.0006 - 0.0002 * 2_404).toFixed(6));
    const { result: log } = await rest.getTransactionLog({ accountType: 'UNIFIED' });
    assert.deepEqual(
      log.list.map(({ type }) => type),
      ['TRADE', 'TRADE'],
    );
    assert.equal((await ccxt.fetchLedger('USDT')).length, 2);
  });

  test('the private streams of both say what REST says', async () => {
    await settle(60_000);
    const account = bench.account();
    const ccxt = await bench.ccxt(account);
    const rows: { readonly topic: string; readonly data: readonly Record<string, string>[] }[] = [];
    const socket = bench.socket('/v5/private', account);
    socket.on('update', (frame) => void rows.push(frame as (typeof rows)[number]));
    await Promise.all(socket.subscribeV5(['order', 'execution', 'position', 'wallet', 'execution.fast'], 'linear'));
    const orders = gather(() => ccxt.watchOrders());
    const trades = gather(() => ccxt.watchMyTrades());
    const positions = gather(() => ccxt.watchPositions());
    const balances = gather(async () => [await ccxt.watchBalance()]);
    // Subscriptions of both have arrived once both have seen an order.
    await until(
      'an order on both streams',
      async () => {
        const probe = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000);
        await ccxt.cancelOrder(probe.id ?? '', BTC);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return [orders.length, rows.length];
      },
      ([one = 0, other = 0]) => one > 0 && other > 0,
    );
    const first = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 51_000);
    await ccxt.cancelOrder(first.id ?? '', BTC);
    const { id = '' } = await ccxt.createOrder(BTC, 'market', 'sell', 0.02, undefined, { clientOrderId: 'streamed' });
    await until(
      'the fill',
      () => [trades.length, positions.length, balances.length],
      (lengths) => lengths.every((length) => length > 0),
    );
    await until(
      'a closed order',
      () => orders.filter((order) => order.id === id).at(-1)?.status,
      (status) => status === 'closed',
    );
    await until(
      'a wallet',
      () => rows.map(({ topic }) => topic),
      (topics) => topics.includes('wallet'),
    );
    const ofTopic = (topic: string): readonly Record<string, string>[] =>
      rows.filter((row) => row.topic === topic).flatMap(({ data }) => data);
    assert.deepEqual(
      ofTopic('order')
        .filter(({ orderId }) => orderId === first.id || orderId === id)
        .map(({ orderStatus }) => orderStatus),
      ['New', 'Cancelled', 'Filled'],
    );
    assert.deepEqual(
      ofTopic('execution').map(({ orderLinkId, execType }) => [orderLinkId, execType]),
      [['streamed', 'Trade']],
    );
    assert.equal(ofTopic('execution.fast')[0]?.['execId'], trades[0]?.id);
    assert.deepEqual(
      ofTopic('position').map(({ side, size, entryPrice }) => [side, size, entryPrice]),
      [['Sell', '0.02', '60000']],
    );
    assert.equal(ofTopic('wallet')[0]?.['accountType'], 'UNIFIED');
    assert.equal(positions.at(-1)?.contracts, 0.02);
    assert.equal(trades[0]?.amount, 0.02);
  });

  test('post-only, immediate-or-cancel, fill-or-kill and reduce-only end as on Bybit', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const crossing = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 60_500, { postOnly: true });
    await bothSeeTheOrder(ccxt, rest, crossing.id, 'canceled');
    const reason = async (id: string): Promise<string | undefined> =>
      (await rest.getHistoricOrders({ category: 'linear', symbol: 'BTCUSDT', orderId: id })).result.list[0]?.rejectReason;
    assert.equal(await reason(crossing.id ?? ''), 'EC_PostOnlyWillTakeLiquidity');
    for (const [timeInForce, expected] of [
      ['IOC', 'EC_NoImmediateQtyToFill'],
      ['FOK', 'EC_NoEnoughQtyToFill'],
    ] as const) {
      const { id = '' } = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 59_000, { timeInForce });
      await bothSeeTheOrder(ccxt, rest, id, 'canceled');
      assert.equal(await reason(id), expected);
    }
    const taken = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 60_500, { timeInForce: 'FOK' });
    await bothSeeTheOrder(ccxt, rest, taken.id, 'closed');
    // More than is held closes what is held.
    const closing = await ccxt.createOrder(BTC, 'market', 'sell', 5, undefined, { reduceOnly: true });
    assert.equal((await bothSeeTheOrder(ccxt, rest, closing.id, 'closed')).filled, 0.01);
    await assert.rejects(ccxt.createOrder(BTC, 'market', 'sell', 1, undefined, { reduceOnly: true }), {
      name: 'InvalidOrder',
      message: /110017/,
    });
  });

  test('amended and cancelled by either client, by id and by the client’s own id; and all at once', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const { id = '' } = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000, { clientOrderId: 'to-amend' });
    await ccxt.editOrder(id, BTC, 'limit', 'buy', 0.02, 51_000);
    const amended = await bothSeeTheOrder(ccxt, rest, id, 'open');
    assert.deepEqual([amended.price, amended.amount], [51_000, 0.02]);
    await rest.amendOrder({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'to-amend', price: '52000' });
    assert.equal((await bothSeeTheOrder(ccxt, rest, id, 'open')).price, 52_000);
    await rest.cancelOrder({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'to-amend' });
    await bothSeeTheOrder(ccxt, rest, id, 'canceled');
    await assert.rejects(ccxt.cancelOrder(id, BTC), { name: 'OrderNotFound', message: /110001/ });
    await assert.rejects(ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000, { clientOrderId: 'to-amend' }), { message: /110072/ });
    await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000);
    await ccxt.createOrder(ETH, 'limit', 'sell', 1, 3_500);
    const { result } = await rest.cancelAllOrders({ category: 'linear', settleCoin: 'USDT' });
    assert.equal('list' in result ? result.list.length : 0, 2);
    assert.deepEqual(await ccxt.fetchOpenOrders(), []);
  });

  test('in batches, each order with an answer of its own', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const made = await ccxt.createOrders([
      { symbol: BTC, type: 'limit', side: 'buy', amount: 0.01, price: 50_000 },
      { symbol: BTC, type: 'limit', side: 'buy', amount: 0.01, price: 51_000 },
    ]);
    assert.equal(made.length, 2);
    const order = { symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', price: '52000' } as const;
    const batch = await rest.batchSubmitOrders('linear', [
      { ...order, qty: '0.01', orderLinkId: 'in-batch' },
      { ...order, qty: '0.00005' },
    ]);
    assert.deepEqual(
      batch.retExtInfo.list.map(({ code }) => code),
      [0, 10001],
    );
    const amended = await rest.batchAmendOrders('linear', [{ symbol: 'BTCUSDT', orderLinkId: 'in-batch', price: '53000' }]);
    assert.equal(amended.retExtInfo.list[0]?.code, 0);
    assert.deepEqual(
      (await ccxt.fetchOpenOrders(BTC)).map(({ price }) => price).toSorted((left = 0, right = 0) => left - right),
      [50_000, 51_000, 53_000],
    );
    await ccxt.cancelOrders(
      made.map(({ id = '' }) => id),
      BTC,
    );
    await rest.batchCancelOrders('linear', [{ symbol: 'BTCUSDT', orderLinkId: 'in-batch' }]);
    assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
  });

  test('over the socket for orders, by both clients', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest, socket] = [await bench.ccxt(account), bench.rest(account), bench.tradeSocket(account)];
    const { id = '' } = await ccxt.createOrderWs(BTC, 'limit', 'buy', 0.01, 50_000, { clientOrderId: 'by-ccxt' });
    await bothSeeTheOrder(ccxt, rest, id, 'open');
    await ccxt.editOrderWs(id, BTC, 'limit', 'buy', 0.01, 50_500);
    assert.equal((await bothSeeTheOrder(ccxt, rest, id, 'open')).price, 50_500);
    await ccxt.cancelOrderWs(id, BTC);
    await bothSeeTheOrder(ccxt, rest, id, 'canceled');
    const order = { category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.01', price: '50000' } as const;
    const sent = await socket.submitNewOrder({ ...order, orderLinkId: 'by-api' });
    assert.equal(sent.retCode, 0);
    assert.equal(sent.header?.['X-Bapi-Limit'], '10');
    await bothSeeTheOrder(ccxt, rest, sent.data.orderId, 'open');
    await socket.amendOrder({ category: 'linear', symbol: 'BTCUSDT', orderId: sent.data.orderId, price: '50100' });
    await socket.cancelOrder({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'by-api' });
    await bothSeeTheOrder(ccxt, rest, sent.data.orderId, 'canceled');
    const { category: _category, ...inBatch } = order;
    const batch = await socket.batchSubmitOrders('linear', [inBatch, { ...inBatch, qty: '0.0001' }]);
    assert.deepEqual(
      batch.retExtInfo.list.map(({ code }) => code),
      [0, 10001],
    );
    await assert.rejects(socket.submitNewOrder({ ...order, orderLinkId: 'by-api' }), { retCode: 110072 });
  });
});

describe('conditional orders and stops of a position', { timeout: 30_000 }, () => {
  test('a conditional order waits, is amended, triggers on its side and fills', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const { id = '' } = await ccxt.createOrder(BTC, 'market', 'buy', 0.01, undefined, { triggerPrice: 60_300, triggerDirection: 'above' });
    const waiting = await bothSeeTheOrder(ccxt, rest, id, 'open');
    assert.equal(waiting.triggerPrice, 60_300);
    await rest.amendOrder({ category: 'linear', symbol: 'BTCUSDT', orderId: id, triggerPrice: '60200' });
    await assert.rejects(ccxt.createOrder(BTC, 'market', 'buy', 0.01, undefined, { triggerPrice: 59_000, triggerDirection: 'above' }), {
      name: 'InvalidOrder',
      message: /110092/,
    });
    const limit = await ccxt.createOrder(BTC, 'limit', 'sell', 0.01, 60_400, { triggerPrice: 60_250, triggerDirection: 'above' });
    bench.stepped.move(0, 60_210);
    assert.equal((await bothSeeTheOrder(ccxt, rest, id, 'closed')).average, 60_210);
    await bothSeeTheOrder(ccxt, rest, limit.id, 'open');
    bench.stepped.move(0, 60_300);
    await until(
      'a limit order that rests',
      async () =>
        (await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderId: limit.id ?? '' })).result.list[0]?.orderStatus,
      (status) => status === 'New',
    );
    bench.stepped.move(0, 60_450);
    assert.equal((await bothSeeTheOrder(ccxt, rest, limit.id, 'closed')).average, 60_400);
    assert.equal(await bothSeeThePosition(ccxt, rest), 0);
    const gone = await ccxt.createOrder(BTC, 'market', 'sell', 0.01, undefined, { triggerPrice: 50_000, triggerDirection: 'below' });
    await ccxt.cancelOrder(gone.id ?? '', BTC);
    await bothSeeTheOrder(ccxt, rest, gone.id, 'canceled');
  });

  test('one that waits for the mark does not look at trades', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    bench.stepped.setMark(0, 60_000);
    const { id = '' } = await ccxt.createOrder(BTC, 'market', 'buy', 0.01, undefined, {
      triggerPrice: 60_100,
      triggerDirection: 'above',
      triggerBy: 'MarkPrice',
    });
    await settle(60_200);
    await bothSeeTheOrder(ccxt, rest, id, 'open');
    bench.stepped.setMark(0, 60_150);
    await bothSeeTheOrder(ccxt, rest, id, 'closed');
    bench.stepped.setMark(0, undefined);
  });

  test('take-profit and stop-loss come with the entry; one fills, the other goes', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    await ccxt.createOrder(BTC, 'market', 'buy', 0.01, undefined, {
      takeProfit: { triggerPrice: 60_500 },
      stopLoss: { triggerPrice: 59_500 },
    });
    const [row] = (await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list;
    assert.deepEqual([row?.takeProfit, row?.stopLoss], ['60500', '59500']);
    const waiting = await ccxt.fetchOpenOrders(BTC);
    assert.deepEqual(
      waiting.map(({ triggerPrice, reduceOnly }) => [triggerPrice, reduceOnly]),
      [
        [59_500, true],
        [60_500, true],
      ],
    );
    await assert.rejects(ccxt.createOrder(BTC, 'market', 'buy', 0.01, undefined, { stopLoss: { triggerPrice: 61_000 } }), {
      name: 'BadRequest',
      message: /StopLoss/,
    });
    bench.stepped.move(0, 60_600);
    await bothSeeThePosition(ccxt, rest, 0);
    const ended = (await rest.getHistoricOrders({ category: 'linear', symbol: 'BTCUSDT' })).result.list;
    assert.deepEqual(
      ended
        .filter(({ stopOrderType }) => stopOrderType !== ('' as string))
        .map(({ stopOrderType, orderStatus, createType, cancelType }) => [stopOrderType, orderStatus, createType, cancelType]),
      [
        ['StopLoss', 'Deactivated', 'CreateByStopLoss', 'CancelByTpSlTsClear'],
        ['TakeProfit', 'Filled', 'CreateByTakeProfit', 'UNKNOWN'],
      ],
    );
  });

  test('a trailing stop follows from its activation on, and closes the position', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    await ccxt.createOrder(BTC, 'market', 'buy', 0.01);
    await ccxt.createOrder(BTC, 'market', 'sell', 0.01, undefined, { trailingAmount: '100', trailingTriggerPrice: '60200' });
    const trailed = async (): Promise<string | undefined> =>
      (await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list[0]?.trailingStop;
    assert.equal(await trailed(), '100');
    await settle(60_150);
    await settle(60_040);
    assert.equal(await bothSeeThePosition(ccxt, rest), 0.01, 'it is not armed yet');
    await settle(60_400);
    await settle(60_320);
    assert.equal(await bothSeeThePosition(ccxt, rest), 0.01, 'it is 80 behind');
    bench.stepped.move(0, 60_290);
    await bothSeeThePosition(ccxt, rest, 0);
    assert.equal(await trailed(), '0');
  });

  test('set, moved, refused where nothing changes, partial, and taken away by trading-stop', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    const stop = { category: 'linear', symbol: 'BTCUSDT', positionIdx: 0 } as const;
    assert.match((await rest.setTradingStop({ ...stop, stopLoss: '59000' })).retMsg, /zero position/);
    await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Sell', orderType: 'Market', qty: '0.1' });
    assert.equal((await rest.setTradingStop({ ...stop, stopLoss: '61000', slTriggerBy: 'MarkPrice' })).retCode, 0);
    assert.equal((await rest.setTradingStop({ ...stop, stopLoss: '61000', slTriggerBy: 'MarkPrice' })).retCode, 34040);
    assert.equal((await rest.setTradingStop({ ...stop, stopLoss: '60900', slTriggerBy: 'MarkPrice' })).retCode, 0);
    assert.equal((await ccxt.fetchOpenOrders(BTC))[0]?.triggerPrice, 60_900);
    const partial = { tpslMode: 'Partial', takeProfit: '59500', tpSize: '0.04', tpOrderType: 'Limit', tpLimitPrice: '59600' } as const;
    assert.equal((await rest.setTradingStop({ ...stop, ...partial })).retCode, 0);
    bench.stepped.move(0, 59_450);
    await bothSeeThePosition(ccxt, rest, -0.06);
    assert.equal((await rest.setTradingStop({ ...stop, stopLoss: '0' })).retCode, 0);
    assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
  });
});

describe('the account', { timeout: 30_000 }, () => {
  test('leverage, margin and position mode, fees, key and what is not changed', async () => {
    await settle(60_000);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    await ccxt.setLeverage(5, BTC);
    assert.equal((await ccxt.fetchLeverage(BTC)).longLeverage, 5);
    await assert.rejects(ccxt.setLeverage(5, BTC), { message: /110043/ });
    await assert.rejects(ccxt.setLeverage(200, BTC), { message: /110013/ });
    await assert.rejects(ccxt.setPositionMode(false, BTC), { name: 'NoChange' });
    // A position of 6,000 at five times needs 1,200, and forty times as much is not there.
    await assert.rejects(ccxt.createOrder(BTC, 'market', 'buy', 10), { name: 'InsufficientFunds', message: /110007/ });
    await ccxt.createOrder(BTC, 'market', 'buy', 0.1);
    const [position] = await ccxt.fetchPositions([BTC]);
    assert.equal(position?.initialMargin, 1_200);
    await assert.rejects(ccxt.setMarginMode('isolated', BTC, { leverage: 5 }), { message: /110024/ });
    await ccxt.createOrder(BTC, 'market', 'sell', 0.1, undefined, { reduceOnly: true });
    await ccxt.setMarginMode('isolated', BTC, { leverage: 5 });
    assert.equal((await rest.getAccountInfo()).result.marginMode, 'ISOLATED_MARGIN');
    await ccxt.createOrder(BTC, 'market', 'buy', 0.1);
    assert.equal((await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list[0]?.tradeMode, 1);
    assert.deepEqual([(await ccxt.fetchTradingFee(BTC)).taker, (await ccxt.fetchTradingFee(BTC)).maker], [0.0006, 0.0002]);
    assert.equal((await rest.getQueryApiKey()).result.uta, 1);
  });

  test('orders are cancelled when the guarded stream is gone for longer than was asked', async () => {
    const account = bench.account();
    const ccxt = await bench.ccxt(account);
    await ccxt.cancelAllOrdersAfter(3_000);
    assert.equal(bench.exchange.account(account.key)?.disconnectWindowsMs.get('linear'), 3_000);
    const { id = '' } = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 40_000);
    const socket = new WebSocket(`${bench.address.replace('http', 'ws')}/v5/private`);
    const said: string[] = [];
    socket.addEventListener('message', ({ data }) => void said.push(String(data)));
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    const { signed } = await import('../../src/venues/bybit-server/signature.ts');
    const expires = String(Date.now() + 5_000);
    socket.send(JSON.stringify({ op: 'auth', args: [account.key, expires, signed(account.secret, `GET/realtime${expires}`)] }));
    socket.send(JSON.stringify({ op: 'subscribe', args: ['dcp.future'] }));
    await until(
      'two answers',
      () => said.length,
      (answers) => answers === 2,
    );
    // The window itself is three seconds at least: the server is told that they have passed.
    socket.close();
    await until(
      'the stream to be gone',
      () => socket.readyState,
      (state) => state === WebSocket.CLOSED,
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal((await ccxt.fetchOpenOrders(BTC)).length, 1);
    bench.server.tick(Date.now() + 3_100);
    assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
    assert.equal((await ccxt.fetchCanceledAndClosedOrders(BTC))[0]?.id, id);
  });

  test('ccxt without a single option but the addresses finds its markets and its unified account', async () => {
    await settle(60_000);
    const ccxt = await bench.ccxtAsItComes(bench.account());
    assert.deepEqual(Object.keys(await ccxt.loadMarkets()), [BTC, ETH]);
    assert.equal((await ccxt.fetchBalance())['USDT']?.total, CAPITAL);
    await ccxt.createOrder(BTC, 'market', 'buy', 0.01);
    assert.equal((await ccxt.fetchPositions([BTC]))[0]?.contracts, 0.01);
  });

  test('another account sees nothing of it, and a wrong secret nothing at all', async () => {
    await settle(60_000);
    const [one, other] = [bench.account(), bench.account()];
    await bench
      .rest(one)
      .submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.01', price: '40000' });
    const watching = await bench.ccxt(other);
    assert.deepEqual(await watching.fetchOpenOrders(), []);
    assert.equal((await watching.fetchBalance())['USDT']?.total, CAPITAL);
    const thief = await bench.ccxt({ key: one.key, secret: 'wrong' });
    await assert.rejects(thief.fetchBalance(), { name: 'AuthenticationError', message: /10004/ });
    const stranger = await bench.ccxt({ key: 'nobody', secret: 'wrong' });
    await assert.rejects(stranger.fetchBalance(), { name: 'AuthenticationError', message: /10003/ });
  });
});
