// Spot and hedge mode on the simulated Bybit venue, as unmodified ccxt and bybit-api and this project's own adapter trade them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { amount, format, price, quantity } from '../../src/domain/decimal.ts';
import type { AdapterReport } from '../../src/venues/ccxt/report-queue.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { OrderIntent } from '../../src/domain/order.ts';
import { NEVER } from '../../src/domain/time.ts';
import type { BybitVenue } from '../../src/venues/ccxt/bybit-venue.ts';
import { orderOf } from '../contracts/venue.contract.ts';
import { BTC, START_PRICES, STEP_MS, steppedInstruments } from '../support/stepped-market.ts';
import { agree, Bench, CAPITAL, gather, until } from './clients.ts';

const SPOT = 'BTC/USDT';
const [perpetual] = steppedInstruments();
if (perpetual === undefined) throw new Error('found no instrument, expected one');
const spot: Instrument = {
  ...perpetual,
  symbol: SPOT,
  kind: 'spot',
  lot: quantity('0.000001'),
  minimumQuantity: quantity('0.00001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.0008,
  fundingRate: 0,
  fundingIntervalMs: 0,
};
const [START = 0] = START_PRICES;
/** The adapter's part of it: spot alone. */
const bench = new Bench(11, {}, { instruments: [spot, perpetual], prices: [START, START] });
before(() => bench.open());
after(() => bench.close());

async function go(to: number): Promise<void> {
  bench.stepped.move(0, to);
  await until(
    `spot at ${to}`,
    () => bench.exchange.listing('BTCUSDT', 'spot').last,
    (last) => last === to,
  );
  await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS + 20));
}

const btcusdt = { category: 'spot', symbol: 'BTCUSDT' } as const;

describe('spot', { timeout: 30_000 }, () => {
  test('is listed, quoted, and traded by cost and by quantity, with fees in what is received', async () => {
    await go(START);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account, ['spot', 'linear']), bench.rest(account)];
    const market = ccxt.market(SPOT);
    assert.deepEqual([market?.spot, market?.precision.amount, market?.limits.cost?.min], [true, 0.000001, 5]);
    assert.equal((await ccxt.fetchTicker(SPOT)).last, START);
    assert.equal((await ccxt.fetchOrderBook(SPOT, 5)).bids[0]?.[0], START);
    assert.equal((await ccxt.fetchTradingFee(SPOT)).taker, 0.001);
    // By what it costs, which is what a purchase at the market counts unless it says otherwise.
    const { result } = await rest.submitOrder({ ...btcusdt, side: 'Buy', orderType: 'Market', qty: '600' });
    const [row] = (await rest.getActiveOrders({ ...btcusdt, orderId: result.orderId })).result.list;
    assert.deepEqual(
      [row?.qty, row?.cumExecQty, row?.cumExecValue, row?.marketUnit, row?.orderStatus],
      ['600', '0.01', '600', 'quoteCoin', 'Filled'],
    );
    assert.deepEqual(row?.cumFeeDetail, { BTC: '0.00001' });
    await ccxt.createOrder(SPOT, 'market', 'buy', 0.02);
    const balance = await agree(async () => {
      const seen = await ccxt.fetchBalance();
      const coins = (await rest.getWalletBalance({ accountType: 'UNIFIED' })).result.list[0]?.coin ?? [];
      for (const coin of ['BTC', 'USDT']) assert.equal(Number(coins.find((each) => each.coin === coin)?.walletBalance), seen[coin]?.total);
      return seen;
    });
    assert.deepEqual([balance['BTC']?.total, balance['USDT']?.total], [0.02997, CAPITAL - 1_800]);
    const trades = await ccxt.fetchMyTrades(SPOT);
    assert.deepEqual(
      trades.map(({ fee, amount: size }) => [size, fee?.cost, fee?.currency]),
      [
        [0.01, 0.00001, 'BTC'],
        [0.02, 0.00002, 'BTC'],
      ],
    );
    await ccxt.createOrder(SPOT, 'market', 'sell', 0.02997);
    const after_ = await ccxt.fetchBalance();
    assert.deepEqual([after_['BTC']?.total, after_['USDT']?.total], [0, CAPITAL - 1_800 + 1_798.2 * 0.999]);
    assert.deepEqual(await ccxt.fetchPositions(), [], 'spot has no positions');
    const { result: log } = await rest.getTransactionLog({ category: 'spot' });
    assert.deepEqual(
      log.list.slice(0, 2).map(({ currency, change }) => [currency, change]),
      [
        ['USDT', '1796.4018'],
        ['BTC', '-0.02997'],
      ],
    );
  });

  test('puts aside what open orders need, and refuses with the codes of spot', async () => {
    await go(START);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account, ['spot', 'linear']), bench.rest(account)];
    const { id = '' } = await ccxt.createOrder(SPOT, 'limit', 'buy', 1, 50_000, { clientOrderId: 'resting' });
    assert.deepEqual([(await ccxt.fetchBalance())['USDT']?.free, (await ccxt.fetchBalance())['USDT']?.used], [50_000, 50_000]);
    const code = async (order: object): Promise<number> =>
      (await rest.submitOrder({ ...btcusdt, side: 'Buy', orderType: 'Limit', qty: '0.001', price: '50000', ...order })).retCode;
    assert.equal(await code({ qty: '1.5' }), 170131);
    assert.equal(await code({ side: 'Sell', qty: '0.001' }), 170131);
    assert.equal(await code({ orderLinkId: 'resting' }), 170141);
    assert.equal(await code({ qty: '0.0000001' }), 170137);
    assert.equal(await code({ qty: '0.000001' }), 170136);
    assert.equal(await code({ price: '50000.01' }), 170134);
    assert.equal(await code({ price: '1000', qty: '0.001' }), 170140);
    assert.equal(await code({ orderType: 'Market', qty: '4' }), 170140);
    assert.equal(await code({ orderType: 'Market', qty: '100', takeProfit: '70000' }), 10001, 'of a limit order only');
    assert.equal(await code({ takeProfit: '40000' }), 10001, 'on the wrong side of its price');
    assert.equal(await code({ stopLoss: '60000' }), 10001, 'on the wrong side of its price');
    assert.equal((await rest.cancelOrder({ ...btcusdt, orderId: 'nobody' })).retCode, 170213);
    assert.equal((await rest.cancelOrder({ category: 'linear', symbol: 'BTCUSDT', orderId: id })).retCode, 110001, 'of the other market');
    await ccxt.editOrder(id, SPOT, 'limit', 'buy', 1.2, 50_000);
    await assert.rejects(ccxt.editOrder(id, SPOT, 'limit', 'buy', 2.2, 50_000), { name: 'InsufficientFunds' });
    assert.equal((await ccxt.fetchBalance())['USDT']?.used, 60_000);
    await ccxt.cancelAllOrders(SPOT);
    assert.equal((await ccxt.fetchBalance())['USDT']?.used, 0);
  });

  test('a limit order brings its take-profit and its stop-loss: one is triggered and ends the other', async () => {
    await go(START);
    for (const [to, kind] of [
      [START + 600, 'CreateByTakeProfit'],
      [START - 600, 'CreateByStopLoss'],
    ] as const) {
      const account = bench.account();
      const [ccxt, rest] = [await bench.ccxt(account, ['spot', 'linear']), bench.rest(account)];
      const levels = { takeProfit: String(START + 500), stopLoss: String(START - 500) };
      const row = { ...btcusdt, side: 'Buy' as const, orderType: 'Limit' as const, qty: '0.1', price: String(START + 100) };
      assert.equal((await rest.submitOrder({ ...row, ...levels })).retCode, 0);
      const stops = await until(
        'two stops',
        async () => (await rest.getActiveOrders(btcusdt)).result.list,
        (list) => list.length === 2,
      );
      // What was received is less than what was bought, by the fee.
      assert.deepEqual(
        stops.map(({ side, qty, stopOrderType, orderStatus }) => [side, qty, stopOrderType, orderStatus]),
        [
          ['Sell', '0.0999', 'BidirectionalTpslOrder', 'Untriggered'],
          ['Sell', '0.0999', 'BidirectionalTpslOrder', 'Untriggered'],
        ],
      );
      const balance = await ccxt.fetchBalance();
      assert.deepEqual([balance['BTC']?.used, balance['BTC']?.free], [0.0999, 0], 'put aside once');
      await go(to);
      await until(
        'nothing open',
        async () => (await rest.getActiveOrders(btcusdt)).result.list.length,
        (open) => open === 0,
      );
      const ended = (await rest.getHistoricOrders(btcusdt)).result.list.filter(({ side }) => side === 'Sell');
      const byStatus = new Map(ended.map(({ orderStatus, createType }) => [orderStatus, createType]));
      assert.deepEqual([byStatus.get('Filled'), byStatus.size, byStatus.has('Deactivated')], [kind, 2, true]);
      assert.equal((await ccxt.fetchBalance())['BTC']?.total, 0);
      await go(START);
    }
  });

  test('a take-profit alone rests as a limit for what a cancelled order has received', async () => {
    await go(START);
    const rest = bench.rest(bench.account());
    const row = { ...btcusdt, side: 'Buy' as const, orderType: 'Limit' as const, price: String(START), timeInForce: 'IOC' as const };
    const { retCode, result } = await rest.submitOrder({ ...row, qty: '1', takeProfit: '61000', tpLimitPrice: '61500' });
    assert.equal(retCode, 0);
    const bought = (await rest.getHistoricOrders({ ...btcusdt, orderId: result.orderId })).result.list[0];
    const [target, ...others] = (await rest.getActiveOrders(btcusdt)).result.list;
    assert.deepEqual(
      [target?.orderType, target?.price, target?.triggerPrice, target?.stopOrderType, others],
      ['Limit', '61500', '61000', 'tpslOrder', []],
    );
    assert.ok(Number(target?.qty) > 0 && Number(target?.qty) <= Number(bought?.cumExecQty));
    assert.equal((await rest.cancelOrder({ ...btcusdt, orderId: target?.orderId ?? '', orderFilter: 'tpslOrder' })).retCode, 0);
  });

  test('fills resting limits as maker, triggers stops, and tells its own streams', async () => {
    await go(START);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account, ['spot', 'linear']), bench.rest(account)];
    const rows: { readonly topic: string; readonly data: readonly Record<string, string>[] }[] = [];
    const socket = bench.socket('/v5/private', account);
    socket.on('update', (frame) => void rows.push(frame as (typeof rows)[number]));
    await Promise.all(socket.subscribeV5(['order.spot', 'execution.spot', 'order.linear', 'wallet'], 'spot'));
    const tickers = gather(async () => [await ccxt.watchTicker(SPOT)]);
    const books = gather(async () => [await ccxt.watchOrderBook(SPOT, 50)]);
    await ccxt.createOrder(SPOT, 'limit', 'buy', 0.1, 59_900);
    await go(59_850);
    await until(
      'a fill',
      async () => (await ccxt.fetchMyTrades(SPOT))[0]?.takerOrMaker,
      (liquidity) => liquidity === 'maker',
    );
    assert.equal((await ccxt.fetchBalance())['BTC']?.total, 0.09992, 'less the fee of a maker');
    const stop = await rest.submitOrder({
      ...btcusdt,
      side: 'Sell',
      orderType: 'Market',
      qty: '0.09992',
      triggerPrice: '59500',
      orderFilter: 'StopOrder',
    });
    assert.equal(stop.retCode, 0, stop.retMsg);
    assert.equal((await ccxt.fetchBalance())['BTC']?.free, 0.09992, 'a stop puts nothing aside');
    await go(59_400);
    await until(
      'nothing left',
      async () => (await ccxt.fetchBalance())['BTC']?.total,
      (left) => left === 0,
    );
    await until(
      'its streams',
      () => rows.filter(({ topic }) => topic === 'execution.spot').length,
      (executions) => executions === 2,
    );
    assert.equal(rows.filter(({ topic }) => topic === 'order.linear').length, 0);
    assert.deepEqual([...new Set(rows.flatMap(({ data }) => data.map(({ category = 'wallet' }) => category)))].toSorted(), [
      'spot',
      'wallet',
    ]);
    assert.equal(tickers.at(-1)?.symbol, SPOT);
    assert.equal(books.at(-1)?.bids[0]?.[0], 59_400);
  });

  test('is traded by the adapter: balances, fees and what is left agree with the other two', async () => {
    await go(START);
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account, ['spot', 'linear']), bench.rest(account)];
    const notices: string[] = [];
    const venue = await bench.adapter(account, notices);
    const reports: AdapterReport[] = [];
    const kindsOf = (id: string): readonly string[] => {
      while (venue.peekAt() !== NEVER) reports.push(venue.take());
      return reports.flatMap((report) => ('order' in report && report.order === id ? [report.kind] : []));
    };
    const submit = async (id: string, parts: Partial<OrderIntent>, end: string): Promise<void> => {
      venue.submit(orderOf(id, Date.now(), parts));
      await until(
        `${end} of ${id}`,
        () => kindsOf(id),
        (kinds) => kinds.includes(end),
      );
    };
    const same = (coin: string): Promise<number> =>
      agree(async () => {
        const own = believed(venue, coin);
        assert.equal((await ccxt.fetchBalance())[coin]?.total ?? 0, own);
        const coins = (await rest.getWalletBalance({ accountType: 'UNIFIED' })).result.list[0]?.coin ?? [];
        assert.equal(Number(coins.find((each) => each.coin === coin)?.walletBalance ?? 0), own);
        return own;
      });
    await submit('1-1', { quantity: quantity('0.01') }, 'order.filled');
    assert.equal(await same('BTC'), 0.00999);
    await submit('1-2', { quantity: quantity('0'), budget: amount('600') }, 'order.filled');
    assert.equal(await same('BTC'), 0.01998);
    await submit('2-1', { type: 'limit', quantity: quantity('0.01'), limitPrice: price('59000') }, 'order.accepted');
    venue.cancel({ at: Date.now(), instrument: 0, order: '2-1' });
    await until(
      'a cancel',
      () => kindsOf('2-1'),
      (kinds) => kinds.includes('order.cancelled'),
    );
    // All that was bought is more than there is, by the fees.
    await submit('3-1', { side: 'sell', quantity: quantity('0.02') }, 'order.cancelled');
    assert.equal(await same('BTC'), 0);
    assert.equal(await same('USDT'), CAPITAL - 1_200 + 1_198.8 * 0.999);
    const filled = reports.flatMap((report) => (report.kind === 'order.filled' && report.fill !== undefined ? [report.fill] : []));
    assert.deepEqual(
      filled.map(({ quantity: size, fee }) => [format(size), format(fee)]),
      [
        ['0.01', '0.6'],
        ['0.01', '0.6'],
        ['0.01998', '1.1988'],
      ],
      'fees are told in quote currency',
    );
    assert.deepEqual(notices, []);
  });
});

function believed(venue: BybitVenue, coin: string): number {
  return Number(format(venue.balance(coin) ?? quantity('0')));
}

describe('hedge mode', { timeout: 15_000 }, () => {
  test('keeps a long and a short position beside each other, each with its own stop', async () => {
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    await ccxt.setPositionMode(true, BTC);
    await assert.rejects(ccxt.setPositionMode(true, BTC), { name: 'NoChange' });
    assert.equal(
      (await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.1' })).retCode,
      10001,
    );
    await ccxt.createOrder(BTC, 'market', 'buy', 0.1, undefined, { positionIdx: 1 });
    await ccxt.createOrder(BTC, 'market', 'sell', 0.04, undefined, { positionIdx: 2 });
    const both = await ccxt.fetchPositions([BTC]);
    assert.deepEqual(
      both.map(({ side, contracts, hedged }) => [side, contracts, hedged]),
      [
        ['long', 0.1, true],
        ['short', 0.04, true],
      ],
    );
    const stop = { category: 'linear', symbol: 'BTCUSDT' } as const;
    assert.equal((await rest.setTradingStop({ ...stop, positionIdx: 1, stopLoss: '59000' })).retCode, 0);
    assert.equal((await rest.setTradingStop({ ...stop, positionIdx: 2, stopLoss: '60500' })).retCode, 0);
    assert.match((await rest.setTradingStop({ ...stop, positionIdx: 0, stopLoss: '59000' })).retMsg, /position idx/);
    await assert.rejects(ccxt.setPositionMode(false, BTC), { message: /110024/ });
    // What is against its side only reduces: more than there is closes what there is.
    await ccxt.createOrder(BTC, 'market', 'sell', 0.5, undefined, { positionIdx: 1 });
    await until(
      'the long position closed',
      async () => (await rest.getPositionInfo(stop)).result.list.map(({ positionIdx, side, size }) => [positionIdx, side, size]),
      ([long]) => long?.[2] === '0',
    );
    bench.stepped.move(1, 60_600);
    await until(
      'the short one stopped out',
      async () => (await rest.getPositionInfo(stop)).result.list.map(({ size }) => size),
      (sizes) => sizes.every((size) => size === '0'),
    );
    assert.deepEqual(await ccxt.fetchOpenOrders(BTC), []);
    const { result } = await rest.getClosedPnL(stop);
    assert.deepEqual(
      result.list.map(({ side, closedSize }) => [side, closedSize]),
      [
        ['Buy', '0.04'],
        ['Sell', '0.1'],
      ],
    );
    await ccxt.setPositionMode(false, BTC);
    bench.stepped.move(1, START);
  });

  test('orders of one account are kept from trading with each other, as each says', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const order = { category: 'linear', symbol: 'BTCUSDT', orderType: 'Limit', qty: '0.01' } as const;
    const status = async (orderLinkId: string): Promise<readonly (string | undefined)[]> => {
      const [row] = (await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderLinkId })).result.list;
      return [row?.orderStatus, row?.cancelType];
    };
    await rest.submitOrder({ ...order, side: 'Sell', price: '61000', orderLinkId: 'resting' });
    await rest.submitOrder({ ...order, side: 'Buy', price: '61500', orderLinkId: 'taker', smpType: 'CancelTaker', timeInForce: 'IOC' });
    assert.deepEqual(await status('taker'), ['Cancelled', 'CancelBySmp']);
    assert.deepEqual(await status('resting'), ['New', 'UNKNOWN']);
    await rest.submitOrder({ ...order, side: 'Buy', price: '61500', orderLinkId: 'maker', smpType: 'CancelMaker', timeInForce: 'IOC' });
    assert.deepEqual(await status('resting'), ['Cancelled', 'CancelBySmp']);
    assert.equal((await status('maker'))[0], 'Filled');
    // A market order that may not slip, while the market stands where it is.
    const tolerant = { category: 'linear', symbol: 'BTCUSDT', side: 'Sell', orderType: 'Market', qty: '0.01' } as const;
    const sent = await rest.submitOrder({
      ...tolerant,
      slippageToleranceType: 'TickSize',
      slippageTolerance: '5',
      orderLinkId: 'tolerant',
    });
    assert.equal(sent.retCode, 0, sent.retMsg);
    assert.equal((await status('tolerant'))[0], 'Filled');
    assert.equal((await rest.submitOrder({ ...tolerant, slippageToleranceType: 'Percent', slippageTolerance: '50' })).retCode, 10001);
  });

  test('there is room for so many orders of a symbol', async () => {
    const rest = bench.rest(bench.account());
    const stop = { symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.01', triggerPrice: '70000', triggerDirection: 1 } as const;
    const { retExtInfo } = await rest.batchSubmitOrders(
      'linear',
      Array.from({ length: 10 }, () => stop),
    );
    assert.ok(retExtInfo.list.every(({ code }) => code === 0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await rest.submitOrder({ category: 'linear', ...stop })).retCode, 110009);
    const high = await rest.submitOrder({
      category: 'linear',
      symbol: 'BTCUSDT',
      side: 'Sell',
      orderType: 'Limit',
      qty: '0.01',
      price: '9000000',
    });
    assert.equal(high.retCode, 110003);
  });
});
