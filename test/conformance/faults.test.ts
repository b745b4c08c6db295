// What the simulated Bybit venue can be told to do wrong, as unmodified clients live through it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { add, amount, format } from '../../src/domain/decimal.ts';
import { signed } from '../../src/venues/bybit-server/signature.ts';
import { BTC, STEP_MS } from '../support/stepped-market.ts';
import { Bench, CAPITAL, until } from './clients.ts';

const bench = new Bench(24);
before(() => bench.open());
after(() => bench.close());
afterEach(() => bench.server.faults.clear());

async function admin(path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${bench.address}/admin/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

/** A socket and the JSON it hears; authenticated where keys are given. */
async function listen(path: string, topics: readonly string[], account?: { readonly key: string; readonly secret: string }) {
  const heard: Record<string, unknown>[] = [];
  const socket = new WebSocket(`${bench.address.replace('http', 'ws')}${path}`);
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  socket.addEventListener('message', ({ data }) => void heard.push(JSON.parse(String(data)) as Record<string, unknown>));
  await new Promise<void>((resolve) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => resolve());
  });
  const say = (message: object): void => socket.send(JSON.stringify(message));
  if (account !== undefined) {
    const expires = String(Date.now() + 5_000);
    say({ op: 'auth', args: [account.key, expires, signed(account.secret, `GET/realtime${expires}`)] });
    await until(
      'an answer to auth',
      () => heard.length,
      (length) => length > 0,
    );
  }
  if (topics.length > 0) say({ op: 'subscribe', args: topics, req_id: 'topics' });
  return { heard, say, closed, close: () => socket.close() };
}

const rows = (heard: readonly Record<string, unknown>[], topic: string): Record<string, unknown>[] =>
  heard.filter((message) => message['topic'] === topic).flatMap(({ data }) => data as Record<string, unknown>[]);

describe('of HTTP', { timeout: 15_000 }, () => {
  test('the order is taken and the reply never comes, is cut off, or stands still', async () => {
    const account = bench.account();
    const [ccxt, rest] = [await bench.ccxt(account), bench.rest(account)];
    ccxt.timeout = 300;
    const order = { category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.01', price: '50000' } as const;
    const isThere = async (orderLinkId: string): Promise<boolean> =>
      (await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderLinkId })).result.list.length === 1;
    await admin('faults', { kind: 'accept-silently', where: '/v5/order/create', times: 1 });
    await assert.rejects(ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000, { clientOrderId: 'silent' }), { name: 'RequestTimeout' });
    assert.equal(await isThere('silent'), true);
    await admin('faults', { kind: 'accept-reset', where: '/v5/order/create', times: 1 });
    await assert.rejects(rest.submitOrder({ ...order, orderLinkId: 'reset' }));
    assert.equal(await isThere('reset'), true);
    await admin('faults', { kind: 'lose', where: '/v5/order/create', times: 1 });
    await assert.rejects(rest.submitOrder({ ...order, orderLinkId: 'lost' }));
    assert.equal(await isThere('lost'), false);
    await admin('faults', { kind: 'stall', where: '/v5/market/time', times: 1 });
    const response = await fetch(`${bench.address}/v5/market/time`, { signal: AbortSignal.timeout(250) });
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), { name: 'TimeoutError' });
    assert.deepEqual(bench.server.faults.standing, [], 'each acted as often as it was told');
  });

  test('success without content, statuses, codes, and a clock that is off', async () => {
    const account = bench.account();
    const ccxt = await bench.ccxt(account);
    const create = () => ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 50_000);
    await admin('faults', { kind: 'html', where: '/v5/order/create', times: 1 });
    assert.equal((await create()).id, undefined, 'ccxt takes it for an order');
    await admin('faults', { kind: 'empty', where: '/v5/order/create', times: 1 });
    assert.equal((await create()).id, undefined);
    for (const [status, name] of [
      [403, 'RateLimitExceeded'],
      [429, 'RateLimitExceeded'],
      [502, 'ExchangeNotAvailable'],
      [503, 'ExchangeNotAvailable'],
      [504, 'RequestTimeout'],
    ] as const) {
      await admin('faults', { kind: 'http-status', status, retryAfterSeconds: 2, times: 1 });
      await assert.rejects(create(), { name });
    }
    assert.equal(ccxt.last_response_headers?.['Retry-After'], '2');
    await admin('faults', { kind: 'ret-code', retCode: 10009, retMsg: 'banned', where: '/v5/order', times: 1 });
    await assert.rejects(create(), { name: 'AuthenticationError' });
    await admin('clock', { skewMs: -20_000 });
    await assert.rejects(create(), { name: 'InvalidNonce', message: /10002/ });
    await ccxt.loadTimeDifference();
    await create();
    await admin('clock', { skewMs: 0 });
    await ccxt.loadTimeDifference();
    await create();
    assert.equal((await ccxt.fetchOpenOrders(BTC)).length, 2);
  });

  test('limits: ten orders a second of one account, and a path that is not served', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.01', price: '50000' }),
      ),
    );
    assert.deepEqual(
      answers.map(({ retCode }) => retCode).toSorted((left, right) => left - right),
      [...Array.from({ length: 10 }, () => 0), 10006, 10006],
    );
    const limits = answers.map(({ rateLimitApi }) => rateLimitApi?.remainingRequests);
    assert.deepEqual(
      limits.toSorted((left = 0, right = 0) => right - left),
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0],
    );
    const response = await fetch(`${bench.address}/v5/spot-lever-token/info`);
    assert.equal(response.status, 404);
  });

  test('a report of positions that is empty although there is one', async () => {
    const account = bench.account();
    const ccxt = await bench.ccxt(account);
    await ccxt.createOrder(BTC, 'market', 'buy', 0.01);
    await admin('faults', { kind: 'empty-positions', times: 1 });
    assert.deepEqual(await ccxt.fetchPositions(), []);
    assert.equal((await ccxt.fetchPositions()).length, 1);
  });
});

describe('of sockets', { timeout: 15_000 }, () => {
  test('closed at once, dropped, no pong, no data, no answer to a subscription', async () => {
    await admin('faults', { kind: 'refuse-sockets', where: '/v5/public', times: 1 });
    assert.equal(await (await listen('/v5/public/linear', [])).closed, 1001);
    await admin('faults', { kind: 'silent-subscribe', where: 'tickers', times: 1 });
    const socket = await listen('/v5/public/linear', ['tickers.BTCUSDT']);
    socket.say({ op: 'ping', req_id: 'p1' });
    await until(
      'a pong',
      () => socket.heard.map(({ ret_msg: words }) => words),
      (words) => words.includes('pong'),
    );
    assert.equal(socket.heard.length, 1, 'and nothing of the subscription');
    await admin('faults', { kind: 'no-pong', where: 'public', times: 1 });
    socket.say({ op: 'ping', req_id: 'p2' });
    socket.say({ op: 'subscribe', args: ['publicTrade.BTCUSDT'], req_id: 's' });
    await until(
      'trades',
      () => rows(socket.heard, 'publicTrade.BTCUSDT').length,
      (length) => length > 0,
    );
    assert.equal(
      socket.heard.some(({ req_id: request }) => request === 'p2'),
      false,
    );
    await admin('faults', { kind: 'no-data' });
    const before = socket.heard.length;
    await new Promise((resolve) => setTimeout(resolve, 4 * STEP_MS));
    socket.say({ op: 'ping', req_id: 'p3' });
    await until('a pong', () => socket.heard.some(({ req_id: request }) => request === 'p3'), Boolean);
    assert.ok(socket.heard.length <= before + 2, 'it answers, and says nothing else');
    await admin('acts', { act: 'drop-sockets' });
    assert.equal(await socket.closed, 1006);
  });

  test('an order that is taken without a word, and one that is doubled and overtaken', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const trade = await listen('/v5/trade', [], account);
    await admin('faults', { kind: 'silent-orders', times: 1 });
    const args = [
      { category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.01', price: '50000', orderLinkId: 'unanswered' },
    ];
    trade.say({ op: 'order.create', reqId: '1', header: { 'X-BAPI-TIMESTAMP': String(Date.now()) }, args });
    await until(
      'the order',
      async () => (await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'unanswered' })).result.list.length,
      (orders) => orders === 1,
    );
    assert.equal(trade.heard.length, 1, 'only auth was answered');
    const stream = await listen('/v5/private', ['order', 'execution'], account);
    await until(
      'an answer',
      () => stream.heard.length,
      (length) => length === 2,
    );
    await admin('faults', { kind: 'duplicate-private', where: 'execution' });
    await admin('faults', { kind: 'reorder-private', where: 'order', times: 1 });
    const { result } = await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.01' });
    await rest.amendOrder({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'unanswered', price: '51000' });
    await until(
      'all of it',
      () => [rows(stream.heard, 'execution').length, rows(stream.heard, 'order').length],
      ([fills, orders]) => fills === 2 && orders === 2,
    );
    const fills = rows(stream.heard, 'execution');
    assert.equal(fills[0]?.['execId'], fills[1]?.['execId']);
    assert.equal(fills[0]?.['orderId'], result.orderId);
    const topics = stream.heard.slice(2).map(({ topic }) => topic);
    assert.ok(topics.indexOf('order') > topics.indexOf('execution'), 'the order comes after its execution');
  });

  test('a book with a gap, one that begins anew, and one of an instrument that is gone', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const { heard } = await listen('/v5/public/linear', ['orderbook.50.ETHUSDT']);
    const books = (): { readonly type: unknown; readonly u: number; readonly bids: number }[] =>
      heard
        .filter(({ topic }) => topic === 'orderbook.50.ETHUSDT')
        .map(({ type, data }) => {
          const { u, b } = data as { readonly u: number; readonly b: unknown[] };
          return { type, u, bids: b.length };
        });
    await until('a snapshot', books, (all) => all.length > 0);
    bench.server.faults.add({
      kind: 'drop-deltas',
      where: 'orderbook',
      chance: 1,
      times: 1,
      status: 503,
      retCode: 0,
      retMsg: '',
      delayMs: 1,
    });
    for (const price of [3_001, 3_002, 3_003]) {
      bench.stepped.move(1, price);
      await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS + 30));
    }
    await until('a gap', books, (all) => all.some(({ u }, index) => index > 0 && u !== (all[index - 1]?.u ?? NaN) + 1));
    await admin('acts', { act: 'restart' });
    await until('a snapshot with u 1', books, (all) => all.at(-1)?.type === 'snapshot' && all.at(-1)?.u === 1);
    await rest.submitOrder({ category: 'linear', symbol: 'ETHUSDT', side: 'Buy', orderType: 'Limit', qty: '1', price: '2000' });
    await admin('acts', { act: 'delist', symbol: 'ETHUSDT' });
    await until('an empty snapshot', books, (all) => all.at(-1)?.u === 1 && all.at(-1)?.bids === 0);
    assert.deepEqual((await rest.getInstrumentsInfo({ category: 'linear', symbol: 'ETHUSDT' })).result.list[0]?.status, 'Closed');
    const refused = await rest.submitOrder({
      category: 'linear',
      symbol: 'ETHUSDT',
      side: 'Buy',
      orderType: 'Limit',
      qty: '1',
      price: '2000',
    });
    assert.equal(refused.retCode, 110074);
    const [ended] = (await rest.getHistoricOrders({ category: 'linear', symbol: 'ETHUSDT' })).result.list;
    assert.deepEqual([ended?.orderStatus, ended?.cancelType], ['Cancelled', 'CancelByAdmin']);
    await admin('acts', { act: 'relist', symbol: 'ETHUSDT' });
  });
});

describe('of instruments and accounts', { timeout: 15_000 }, () => {
  test('filters change while it is listed', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    await admin('acts', {
      act: 'change-filters',
      symbol: 'ETHUSDT',
      tickSize: '0.5',
      qtyStep: '0.1',
      minOrderQty: '0.1',
      minNotionalValue: '50',
    });
    const [info] = (await rest.getInstrumentsInfo({ category: 'linear', symbol: 'ETHUSDT' })).result.list;
    assert.deepEqual([info?.priceFilter.tickSize, info?.lotSizeFilter.qtyStep], ['0.5', '0.1']);
    const send = async (qty: string, price: string): Promise<number> =>
      (await rest.submitOrder({ category: 'linear', symbol: 'ETHUSDT', side: 'Buy', orderType: 'Limit', qty, price })).retCode;
    assert.deepEqual(
      [await send('0.15', '2500'), await send('0.2', '2500.2'), await send('0.1', '100'), await send('0.2', '2500.5')],
      [10001, 10001, 110094, 0],
    );
  });

  test('a position changed by hand, funding now, a deleveraging, a liquidation, a transfer: each with its rows', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const stream = await listen('/v5/private', ['order', 'execution', 'position', 'wallet'], account);
    await until(
      'an answer',
      () => stream.heard.length,
      (length) => length === 2,
    );
    const acts = (act: string, fields: object = {}): Promise<unknown> =>
      admin('acts', { act, account: account.name, symbol: 'BTCUSDT', ...fields });
    await acts('change-position', { qty: '0.5' });
    await until(
      'a position',
      () => rows(stream.heard, 'position').length,
      (length) => length > 0,
    );
    assert.deepEqual(rows(stream.heard, 'order'), [], 'no order of ours');
    assert.equal(rows(stream.heard, 'position')[0]?.['size'], '0.5');
    await acts('fund');
    await until(
      'an execution',
      () => rows(stream.heard, 'execution').length,
      (length) => length === 1,
    );
    const [funding] = rows(stream.heard, 'execution');
    assert.equal(funding?.['execType'], 'Funding');
    // 0.5 of 60,000 at a rate of 0.0001, paid by the long.
    assert.equal(funding?.['execFee'], '3');
    await acts('deleverage');
    await until(
      'an execution',
      () => rows(stream.heard, 'execution').length,
      (length) => length === 2,
    );
    assert.equal(rows(stream.heard, 'execution')[1]?.['execType'], 'AdlTrade');
    await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Sell', orderType: 'Market', qty: '0.1' });
    await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', qty: '0.1', price: '40000' });
    const market = await listen('/v5/public/linear', ['allLiquidation.BTCUSDT']);
    await until(
      'an answer',
      () => market.heard.length,
      (length) => length === 1,
    );
    await acts('liquidate');
    await until(
      'an execution',
      () => rows(stream.heard, 'execution').length,
      (length) => length === 4,
    );
    assert.equal(rows(stream.heard, 'execution')[3]?.['execType'], 'BustTrade');
    assert.deepEqual(
      rows(stream.heard, 'order')
        .slice(-2)
        .map(({ orderStatus, createType, cancelType }) => [orderStatus, createType, cancelType]),
      [
        ['Cancelled', 'CreateByUser', 'CancelAllBeforeLiq'],
        ['Filled', 'CreateByLiq', 'UNKNOWN'],
      ],
    );
    assert.equal(rows(stream.heard, 'position').at(-1)?.['size'], '0');
    assert.equal(rows(stream.heard, 'position').at(-1)?.['side'], '');
    await until(
      'a public liquidation',
      () => rows(market.heard, 'allLiquidation.BTCUSDT')[0]?.['v'],
      (size) => size === '0.1',
    );
    const balance = async (): Promise<number> =>
      Number((await rest.getWalletBalance({ accountType: 'UNIFIED' })).result.list[0]?.totalWalletBalance);
    const before = await balance();
    await admin('acts', { act: 'transfer', account: account.name, amount: '-1000' });
    assert.equal(await balance(), before - 1_000);
    const { result: log } = await rest.getTransactionLog({ accountType: 'UNIFIED' });
    assert.deepEqual(
      log.list.map(({ type }) => type),
      ['TRANSFER_OUT', 'LIQUIDATION', 'TRADE', 'ADL', 'SETTLEMENT', 'TRADE'],
    );
  });

  test('an order fills once more after its end; answers and messages come late, cut, and under other numbers', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    const order = { category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.01' } as const;
    const stream = await listen('/v5/private', ['order', 'execution'], account);
    await until(
      'an answer',
      () => stream.heard.length,
      (answers) => answers === 2,
    );
    await rest.submitOrder({ ...order, orderLinkId: 'once-more' });
    await admin('acts', { act: 'fill-again', account: account.name, order: 'once-more', qty: '0.002' });
    const [row] = (await rest.getActiveOrders({ category: 'linear', symbol: 'BTCUSDT', orderLinkId: 'once-more' })).result.list;
    assert.deepEqual([row?.orderStatus, row?.qty, row?.cumExecQty], ['Filled', '0.01', '0.012'], 'overfilled');
    const executions = async (): Promise<readonly string[]> =>
      (await rest.getExecutionList({ category: 'linear', symbol: 'BTCUSDT' })).result.list.map(({ execId }) => execId);
    const ids = await executions();
    assert.equal(ids.length, 2);
    await admin('faults', { kind: 'other-execution-ids', times: 1 });
    assert.deepEqual(
      await executions(),
      ids.map((id) => `other-${id}`),
    );
    await admin('faults', { kind: 'truncate', where: '/v5/order/create', times: 1 });
    const half: object = await rest.submitOrder({ ...order, orderLinkId: 'half' });
    assert.equal('retCode' in half, false, 'no JSON');
    assert.equal((await executions()).length, 3, 'and done');
    await admin('faults', { kind: 'delay', where: '/v5/order/create', delayMs: 300, times: 1 });
    const slow = rest.submitOrder({ ...order, orderLinkId: 'slow' });
    await until(
      'its fill before its answer',
      () => rows(stream.heard, 'execution').length,
      (fills) => fills === 4,
    );
    await slow;
    await admin('faults', { kind: 'delay-private', where: 'execution', delayMs: 300, times: 1 });
    await rest.submitOrder({ ...order, orderLinkId: 'late' });
    await until(
      'the order',
      () => rows(stream.heard, 'order').at(-1)?.['orderLinkId'],
      (named) => named === 'late',
    );
    assert.equal(rows(stream.heard, 'execution').length, 4, 'and not its fill');
    await until(
      'the fill',
      () => rows(stream.heard, 'execution').at(-1)?.['orderLinkId'],
      (named) => named === 'late',
    );
    await admin('acts', { act: 'delist', symbol: 'BTCUSDT', status: 'PreLaunch' });
    assert.equal((await rest.submitOrder(order)).retCode, 110066);
    await admin('acts', { act: 'relist', symbol: 'BTCUSDT' });
    assert.equal((await rest.submitOrder({ ...order, side: 'Sell', qty: '0.042', reduceOnly: true })).retCode, 0);
  });

  test('a market that goes against a position liquidates it by the matching itself', async () => {
    const account = bench.account();
    const rest = bench.rest(account);
    await rest.setLeverage({ category: 'linear', symbol: 'BTCUSDT', buyLeverage: '50', sellLeverage: '50' });
    await rest.submitOrder({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '30' });
    const [held] = (await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list;
    const at = Number(held?.liqPrice);
    assert.ok(at > 50_000 && at < 60_000, `liquidated at ${at}`);
    bench.stepped.move(0, Math.floor(at) + 10);
    await new Promise((resolve) => setTimeout(resolve, 3 * STEP_MS));
    assert.equal((await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list[0]?.size, '30');
    bench.stepped.move(0, Math.floor(at) - 10);
    await until(
      'no position',
      async () => (await rest.getPositionInfo({ category: 'linear', symbol: 'BTCUSDT' })).result.list[0]?.size,
      (size) => size === '0',
    );
    const [bust] = (await rest.getExecutionList({ category: 'linear', execType: 'BustTrade' })).result.list;
    assert.ok(Math.abs(Number(bust?.execPrice) - at) < 10, `at ${bust?.execPrice}, expected ${at}`);
    bench.stepped.move(0, 60_000);
  });

  test('after all of it every account’s matching holds what its rows say, and its log is its money, to the last digit', () => {
    for (const { positions, matched, books } of bench.exchange.accounts) {
      positions.forEach(({ quantity }, index) => assert.equal(quantity, matched[index]));
      const { rows: entries, nextPageCursor } = books.log.page(() => true, 1_000, '');
      assert.equal(nextPageCursor, '');
      const changes = entries.reduce((sum, { row }) => add(sum, amount(row.change)), amount(String(CAPITAL)));
      assert.equal(format(books.walletBalance), format(changes));
    }
  });
});

describe('the pace of the market', { timeout: 60_000 }, () => {
  test('is another when it is told so, and the clock of the venue stays', async () => {
    const marketPassed = async (speed: number, wallMs: number): Promise<number> => {
      assert.partialDeepStrictEqual(await admin('clock', { speed }), { result: { skewMs: 0, speed } });
      const from = bench.exchange.now;
      await new Promise((resolve) => setTimeout(resolve, wallMs));
      // Whatever is asked lets it come to what it is.
      await fetch(`${bench.address}/v5/market/time`);
      return bench.exchange.now - from;
    };
    const beganAt = performance.now();
    assert.ok((await marketPassed(20, 100)) >= 2_000);
    const slow = await marketPassed(1, 100);
    assert.ok(slow >= 100 && slow <= performance.now() - beganAt, `${slow}`);
    const refused = await fetch(`${bench.address}/admin/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ speed: 0 }),
    });
    assert.equal(refused.status, 400);
  });
});

describe('by seed', { timeout: 15_000 }, () => {
  test('the same seed strikes the same requests', async () => {
    const { Faults } = await import('../../src/venues/bybit-server/faults.ts');
    const struck = (seed: number): string => {
      const faults = new Faults(seed);
      faults.sow();
      return Array.from(
        { length: 2_000 },
        () => faults.strikes(['lose', 'html', 'http-status', 'ret-code'], '/v5/order/create')?.kind ?? '',
      ).join(' ');
    };
    assert.equal(struck(7), struck(7));
    assert.notEqual(struck(7), struck(8));
    assert.ok(struck(7).trim() !== '');
  });
});
