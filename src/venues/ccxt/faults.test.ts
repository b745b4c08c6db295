// What can go wrong between the adapter and a venue, each case by its number in the project's list of faults. No network, stepped time: minutes
// pass in milliseconds, and a case is the same each time.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { amount, format, isZero, price, quantity } from '../../domain/decimal.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { Engine } from '../../engine/engine.ts';
import { defaultBybitVenueSettings, type BybitVenueSettings } from './bybit-venue.ts';
import { AdapterBench, disaster, RUN, START, stop, type AdapterBenchOptions } from '../../../test/support/adapter-bench.ts';
import { planOf, single } from '../../../test/support/session.ts';

let bench: AdapterBench;
/** Which way orders take. */
let orderEntry: BybitVenueSettings['orderEntry'] = 'rest';
const entered = ({ parts = {}, ...options }: AdapterBenchOptions = {}): AdapterBenchOptions => ({
  ...options,
  parts: { settings: { ...defaultBybitVenueSettings, orderEntry }, ...parts },
});
const opened = async (options: AdapterBenchOptions = {}): Promise<AdapterBench> => {
  bench = await new AdapterBench(entered(options)).start();
  return bench;
};

/** After every case: what is believed to be held is what is held, and no id was used for two orders. */
afterEach(() => {
  const ids = bench.account.orders.map(({ linkId }) => linkId).filter((id) => id !== '');
  assert.equal(new Set(ids).size, ids.length, 'no id is used twice');
  const ends = bench.reports.flatMap((report) =>
    report.kind === 'order.rejected' || report.kind === 'order.cancelled' ? [report.order] : [],
  );
  assert.equal(new Set(ends).size, ends.length, 'no order ends twice');
  const fills = bench.reports.flatMap((report) => (report.kind === 'order.filled' ? [report.fill?.id] : []));
  assert.equal(new Set(fills).size, fills.length, 'no fill is reported twice');
});

const reasons = (): readonly string[] => bench.reports.flatMap((each) => (each.kind === 'account.reported' ? [each.reason] : []));

/** The ledger of a run above the adapter, which is told what it says of the account: what it books, and what cash it has without its trades. */
function runOf(capital = '1000000') {
  const { instruments } = bench;
  const plan = planOf({ sleeves: [single(0, () => 0), single(1, () => 0)], bars: [], instruments, capital });
  const transfers: string[] = [];
  const engine = new Engine({
    plan,
    recorder: {
      market: () => undefined,
      entry: (entry) => entry.kind === 'cash.transferred' && transfers.push(format(entry.amount)),
      commit: () => undefined,
    },
    venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined },
  });
  const heard = new Set<unknown>();
  return {
    hear() {
      for (const report of bench.reports) if (report.kind === 'account.reported' && !heard.has(report)) engine.handle(report);
      for (const report of bench.reports) heard.add(report);
      const { portfolio } = engine;
      const isNoProfit = [...portfolio.realised, ...portfolio.fees, ...portfolio.funding].every((each) => isZero(each));
      return { transfers: [...transfers], cash: format(portfolio.totalCash()), isNoProfit };
    },
  };
}

const limit = (limitPrice: string) => ({ type: 'limit', limitPrice: price(limitPrice) }) as const;
const WINDOW_MS = 6 * SECOND_MS;

for (const way of ['rest', 'socket'] as const) {
  describe(`commands over ${way === 'rest' ? 'REST' : 'the socket'}`, () => {
    beforeEach(() => {
      orderEntry = way;
    });
    afterEach(() => {
      orderEntry = 'rest';
      const taken = bench.wire.socketRequests.length;
      assert.ok(way === 'socket' ? taken > 0 : taken === 0, `${taken} requests took the socket`);
    });

    test('F1: a request that is lost is asked about until it can arrive no more; an entry is then rejected, once, and not sent again', async () => {
      await opened();
      bench.fault({ kind: 'lose', where: '/v5/order/create', times: 1 });
      bench.submit('1-1');
      await bench.advance(WINDOW_MS - SECOND_MS);
      assert.deepEqual(bench.said(), [], '"not found" proves nothing while it could still arrive');
      await bench.until('a rejection', () => bench.said().length > 0);
      assert.deepEqual(bench.said(), ['1-1 rejected']);
      assert.match(bench.reasonOf('1-1'), /never received/);
      await bench.advance(30 * SECOND_MS);
      assert.deepEqual([bench.said().length, bench.atVenue('1-1'), bench.venue.counts.notReceived], [1, 0, 1]);
      const asked = bench.wire.requests.filter(({ parameters }) => parameters['orderLinkId'] === `${RUN}-1-1`);
      assert.ok(asked.filter(({ path }) => path === '/v5/order/history').length >= 2, 'asked in both places, twice');
      assert.equal(asked.filter(({ path }) => path === '/v5/order/create').length, 1);
    });

    test('F1: a stop that is lost is sent again under its own id', async () => {
      await opened();
      bench.submit('1-1');
      await bench.advance(SECOND_MS);
      bench.fault({ kind: 'lose', where: '/v5/order/create', times: 1 });
      bench.venue.submit(stop('1-2', bench.now, '58000'));
      await bench.until('a stop', () => bench.stopsAtVenue().length === 1);
      assert.deepEqual([bench.atVenue('1-2'), bench.venue.counts.resent], [1, 1]);
      await bench.advance(SECOND_MS);
      assert.deepEqual(bench.said('1-2'), ['accepted']);
    });

    test('F1: a request that is lost with everything after it stays in doubt until somebody answers', async () => {
      await opened();
      bench.fault({ kind: 'lose', where: '/v5/order/' });
      bench.submit('1-1');
      await bench.advance(2 * MINUTE_MS);
      assert.deepEqual(bench.said(), [], 'nobody has answered, so nothing is known');
      bench.clearFaults();
      await bench.until('a rejection', () => bench.said().length > 0, MINUTE_MS);
      assert.deepEqual(bench.said(), ['1-1 rejected']);
    });

    test('F1: a venue that lists what it has taken late is asked twice before it is believed', async () => {
      await opened();
      bench.fault({ kind: 'accept-silently', where: '/v5/order/create', times: 1 });
      bench.fault({ kind: 'no-data' });
      const { account } = bench;
      const lateAnswers = (): number =>
        bench.wire.requests.filter(({ path, at }) => path === '/v5/order/history' && at >= bornAt + WINDOW_MS).length;
      const bornAt = bench.timers.now();
      const original = account.recentOrders.bind(account);
      account.recentOrders = () => (lateAnswers() < 1 ? [] : original());
      bench.submit('1-1', limit('50000'));
      await bench.until('an answer', () => bench.said().length > 0);
      assert.deepEqual(bench.said(), ['1-1 accepted']);
      assert.ok(lateAnswers() >= 1, 'and was not found once, asked late enough');
    });

    test('F1: an order that was proven absent and stands after all is cancelled, and what it filled is reported', async () => {
      await opened();
      bench.fault({ kind: 'lose', where: '/v5/order/create', times: 1 });
      bench.submit('1-1', limit('50000'));
      await bench.until('a rejection', () => bench.said().length > 0);
      bench.account.create({
        category: 'linear',
        symbol: 'BTCUSDT',
        side: 'Buy',
        orderType: 'Limit',
        price: '50000',
        qty: '0.01',
        orderLinkId: `${RUN}-1-1`,
      });
      await bench.advance(SECOND_MS);
      assert.deepEqual([bench.said(), bench.account.openOrders()], [['1-1 rejected'], []]);
      assert.ok(bench.notices.some((words) => /reported as ended and stands at the venue/.test(words)));
    });

    test('F2: an order that was taken and not answered is found, and there is one of it', async () => {
      await opened();
      bench.fault({ kind: 'accept-silently', where: '/v5/order/create', times: 1 });
      bench.fault({ kind: 'no-data', where: 'order', times: 1 });
      bench.submit('1-1', limit('50000'));
      await bench.until('an acceptance', () => bench.said().length > 0);
      assert.deepEqual(bench.said(), ['1-1 accepted']);
      assert.equal(bench.atVenue('1-1'), 1);
    });

    test('F3: an order that was taken, filled and not answered is booked once, and its stops are placed', async () => {
      await opened();
      bench.fault({ kind: 'accept-reset', where: '/v5/order/create', times: 1 });
      bench.fault({ kind: 'no-data', times: 6 });
      bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000'), disaster('1-3', bench.now, '50000')] });
      await bench.until('a fill', () => bench.said('1-1').length > 0);
      await bench.advance(3 * SECOND_MS);
      assert.deepEqual(bench.said('1-1'), ['filled 0.01']);
      assert.deepEqual(bench.stopsAtVenue().toSorted(), ['Stop 58000', 'StopLoss 50000']);
      assert.equal(bench.believed(), bench.held());
    });

    test('F4: the stream answers before the query does, and nothing is in doubt', async () => {
      await opened();
      bench.fault({ kind: 'accept-silently', where: '/v5/order/create', times: 1 });
      bench.submit('1-1', limit('50000'));
      await bench.advance(10 * SECOND_MS);
      assert.deepEqual([bench.said(), bench.venue.counts.doubts], [['1-1 accepted'], 0]);
      const queries = bench.wire.requests.filter(({ parameters }) => parameters['orderLinkId'] === `${RUN}-1-1`);
      assert.deepEqual(
        queries.map(({ path }) => path),
        ['/v5/order/create'],
      );
    });

    test('F5: "duplicate id" proves that it was taken before', async () => {
      await opened();
      bench.submit('1-1', limit('50000'));
      await bench.advance(SECOND_MS);
      // A new process that does not remember having sent it.
      bench.venue.stop();
      bench.reports.length = 0;
      bench.venue = bench.open();
      await bench.start();
      bench.submit('1-1', limit('50000'));
      await bench.until('an answer', () => bench.said('1-1').length > 0);
      assert.deepEqual(bench.said('1-1'), ['accepted']);
      assert.equal(bench.atVenue('1-1'), 1);
    });

    for (const [words, fault] of [
      ['HTTP 503', { kind: 'http-status', status: 503 }],
      ['HTTP 504', { kind: 'http-status', status: 504 }],
      ['HTTP 200 with a page', { kind: 'html' }],
      ['HTTP 200 with nothing', { kind: 'empty' }],
      ['code 10000', { kind: 'ret-code', retCode: 10000, retMsg: 'Server Timeout' }],
      ['code 10016', { kind: 'ret-code', retCode: 10016, retMsg: 'Server error' }],
      ['code 170005, which ccxt calls invalid', { kind: 'ret-code', retCode: 170005, retMsg: 'Too many new orders' }],
      ['a code that nobody knows', { kind: 'ret-code', retCode: 987654, retMsg: 'new in this version' }],
    ] as const) {
      // A socket has no status.
      if (way === 'socket' && fault.kind === 'http-status') continue;
      test(`F6: ${words} leaves an order in doubt: no end, and nothing new on the symbol until it is resolved`, async () => {
        await opened();
        bench.fault({ ...fault, where: '/v5/order/create', times: 1 });
        bench.submit('1-1');
        await bench.advance(100);
        assert.deepEqual(bench.said(), []);
        bench.submit('1-2');
        bench.submit('1-3', { instrument: 1, quantity: quantity('0.1') });
        await bench.advance(SECOND_MS);
        assert.match(bench.reasonOf('1-2'), /order 1-1 is in doubt/);
        assert.deepEqual(bench.said('1-3'), ['filled 0.1'], 'another symbol is not concerned');
        await bench.until('an end', () => bench.said('1-1').length > 0);
        bench.submit('1-4');
        await bench.advance(SECOND_MS);
        assert.deepEqual(bench.said('1-4'), ['filled 0.01']);
      });
    }

    test('F9: a fill that overtakes a cancel wins', async () => {
      await opened();
      bench.submit('1-1', limit('59900'));
      await bench.advance(SECOND_MS);
      bench.wire.latencyMs = [200, 200];
      bench.stepped.move(0, 59_800);
      await bench.advance(20);
      bench.cancel('1-1');
      await bench.advance(5 * SECOND_MS);
      assert.deepEqual(bench.said('1-1'), ['accepted', 'filled 0.01']);
      assert.equal(bench.believed(), bench.held());
    });

    test('F10: a cancel that is not answered is no cancel until the venue says so', async () => {
      for (const kind of ['lose', 'accept-silently', 'html']) {
        await opened();
        bench.submit('1-1', limit('50000'));
        await bench.advance(SECOND_MS);
        bench.fault({ kind, where: '/v5/order/cancel', times: 1 });
        bench.fault({ kind: 'no-data', where: 'order', times: 1 });
        bench.cancel('1-1');
        await bench.until('an end', () => bench.said('1-1').includes('cancelled'));
        assert.equal(bench.account.openOrders().length, 0, `after ${kind} it is gone where it was`);
      }
    });

    test('F11: a cancel that finds no order any more leads to its fills', async () => {
      await opened();
      bench.submit('1-1', limit('59900'));
      await bench.advance(SECOND_MS);
      bench.fault({ kind: 'no-data', times: 8 });
      bench.stepped.move(0, 59_800);
      await bench.advance(200);
      assert.deepEqual([bench.held(), bench.said('1-1')], ['0.01', ['accepted']]);
      bench.cancel('1-1');
      await bench.advance(3 * SECOND_MS);
      assert.deepEqual(bench.said('1-1'), ['accepted', 'filled 0.01']);
    });

    test('F12: the half of an amended order that a snapshot shows as cancelled is not the order', async () => {
      await opened();
      bench.submit('1-1', limit('50000'));
      await bench.advance(SECOND_MS);
      const [order] = bench.account.openOrders();
      assert.ok(order !== undefined);
      const half = {
        category: 'linear',
        symbol: 'BTCUSDT',
        orderId: 'the other half',
        orderLinkId: order.linkId,
        side: 'Buy',
        orderStatus: 'Cancelled',
      };
      bench.wire.inject({
        topic: 'order',
        data: [{ ...half, price: '50000', qty: '0.01', cumExecQty: '0', updatedTime: String(bench.now) }],
      });
      await bench.advance(SECOND_MS);
      assert.deepEqual(bench.said('1-1'), ['accepted']);
      bench.venue.amend({ at: bench.now, instrument: 0, order: '1-1', limitPrice: price('50100'), quantity: quantity('0.02') });
      await bench.advance(SECOND_MS);
      assert.deepEqual(bench.said('1-1'), ['accepted', 'repriced']);
      assert.equal(bench.account.openOrders().length, 1);
    });

    test('an amendment that is not answered is asked about: it stands, or what stood before does', async () => {
      for (const [kind, stands] of [
        ['accept-silently', 'Stop 58500'],
        ['lose', 'Stop 58000'],
      ] as const) {
        await opened();
        bench.submit('1-1');
        bench.venue.submit(stop('1-2', bench.now, '58000'));
        await bench.advance(SECOND_MS);
        bench.fault({ kind, where: '/v5/order/amend', times: 1 });
        bench.fault({ kind: 'no-data', where: 'order', times: 1 });
        bench.move('1-2', '58500');
        await bench.until('an answer', () => bench.said('1-2').includes('amended'));
        const report = bench.reports.findLast((each) => each.kind === 'order.amended');
        assert.ok(report?.kind === 'order.amended');
        assert.equal(report.reason === '', kind === 'accept-silently');
        assert.deepEqual(bench.stopsAtVenue(), [stands]);
      }
    });

    test('F50: an order that is called back before it was answered is cancelled as soon as it is there', async () => {
      await opened();
      bench.wire.latencyMs = [300, 300];
      bench.submit('1-1', limit('50000'));
      await bench.advance(20);
      // Overtakes the order on its way.
      bench.wire.latencyMs = [1, 1];
      bench.cancel('1-1');
      await bench.advance(3 * SECOND_MS);
      assert.deepEqual(bench.account.openOrders(), []);
      assert.equal(bench.said('1-1').at(-1), 'cancelled');
    });
  });
}

describe('commands over REST alone', () => {
  test('F7: a refusal is told once; a refused key lets nothing in any more, and keeps what protects', async () => {
    await opened();
    bench.submit('1-1', { quantity: quantity('900') });
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said(), ['1-1 rejected']);
    assert.match(bench.reasonOf('1-1'), /110007/);
    bench.submit('1-2');
    await bench.advance(SECOND_MS);
    bench.fault({
      kind: 'ret-code',
      retCode: 10003,
      retMsg: 'API key key-of-the-test is invalid.',
      where: '/v5/order/create',
      times: 1,
    });
    bench.submit('1-3');
    await bench.advance(SECOND_MS);
    bench.submit('1-4');
    bench.venue.submit(stop('1-5', bench.now, '58000'));
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-3'), bench.said('1-4'), bench.said('1-5')], [['rejected'], ['rejected'], ['accepted']]);
    assert.match(bench.reasonOf('1-4'), /refused the key/);
    for (const words of [...bench.notices, bench.reasonOf('1-3'), bench.reasonOf('1-4')]) assert.doesNotMatch(words, /key-of-the-test/);
  });

  test('F8: 429 freezes everything for as long as it says, and cancels go first', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    bench.submit('1-2', { instrument: 1, quantity: quantity('0.1') });
    await bench.advance(SECOND_MS);
    bench.fault({ kind: 'http-status', status: 429, retryAfterSeconds: 3, where: '/v5/order/amend', times: 1 });
    bench.venue.amend({ at: bench.now, instrument: 0, order: '1-1', limitPrice: price('50100'), quantity: quantity('0.01') });
    await bench.advance(100);
    const frozenAt = bench.timers.now();
    bench.venue.submit(stop('1-3', bench.now, '2800', { instrument: 1, quantity: quantity('0.1') }));
    bench.cancel('1-1');
    bench.submit('1-4');
    await bench.advance(2_500);
    assert.deepEqual(bench.wire.pathsSince(frozenAt), []);
    assert.match(bench.reasonOf('1-4'), /left alone/);
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.wire.pathsSince(frozenAt).slice(0, 2), ['/v5/order/cancel', '/v5/order/create']);
    assert.deepEqual(bench.said('1-1').at(-1), 'cancelled');
    assert.deepEqual(bench.said('1-3'), ['accepted']);
  });

  test('F8: a ban is waited for without a single request, and is told', async () => {
    await opened();
    bench.fault({ kind: 'http-status', status: 403, where: '/v5/order/create', times: 1 });
    bench.submit('1-1');
    await bench.advance(100);
    const bannedAt = bench.timers.now();
    await bench.advance(9 * MINUTE_MS);
    assert.deepEqual(bench.wire.pathsSince(bannedAt), []);
    bench.submit('1-2');
    await bench.advance(20);
    assert.deepEqual(bench.said('1-2'), ['rejected']);
    assert.ok(bench.notices.some((words) => /banned this address for 600 s/.test(words)));
    await bench.until('an end', () => bench.said('1-1').length > 0, 2 * MINUTE_MS);
    assert.deepEqual(bench.said('1-1'), ['rejected']);
    assert.ok(bench.venue.isReconciled);
  });
});

describe('the socket for orders', () => {
  beforeEach(() => {
    orderEntry = 'socket';
  });
  afterEach(() => {
    orderEntry = 'rest';
  });
  const tookSocket = (id: string): number =>
    bench.wire.socketRequests.filter(({ parameters }) => parameters['orderLinkId'] === `${RUN}-${id}`).length;

  test('F8: too many requests freeze that kind for as long as it takes, and cancels go first', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    bench.fault({ kind: 'ret-code', retCode: 10006, retMsg: 'Too many visits!', where: '/v5/order/create', times: 1 });
    bench.submit('1-2', { instrument: 1, quantity: quantity('0.1') });
    await bench.advance(100);
    const frozenAt = bench.timers.now();
    bench.submit('1-3', limit('50100'));
    bench.cancel('1-1');
    await bench.advance(800);
    assert.deepEqual(
      bench.wire.socketRequests.flatMap(({ at, path }) => (at >= frozenAt ? [path] : [])),
      ['/v5/order/cancel'],
    );
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-1').at(-1), bench.said('1-3'), tookSocket('1-3')], ['cancelled', ['accepted'], 1]);
    await bench.until('an end', () => bench.said('1-2').length > 0);
    assert.deepEqual([bench.said('1-2'), bench.atVenue('1-2')], [['rejected'], 0]);
  });

  test('F8: what the acknowledgements say of the allowance is kept to', async () => {
    await opened();
    // Another program of the same user takes nearly all of it.
    for (let number = 0; number < 9; number++) {
      const parameters = { category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Limit', price: '40000', qty: '0.01' };
      void bench.wire.ask({ method: 'POST', path: '/v5/order/create', parameters, isPrivate: true }, new AbortController().signal);
    }
    await bench.advance(100);
    bench.submit('1-1', limit('50000'));
    await bench.advance(100);
    const saidAt = bench.timers.now();
    bench.submit('1-2', limit('50100'));
    await bench.advance(2 * SECOND_MS);
    assert.deepEqual([bench.said('1-1'), bench.said('1-2'), bench.venue.counts.doubts], [['accepted'], ['accepted'], 0]);
    const [second] = bench.wire.socketRequests.filter(({ parameters }) => parameters['orderLinkId'] === `${RUN}-1-2`);
    assert.ok((second?.at ?? 0) - saidAt > 500, 'once the venue has room again');
  });

  test('F8: during a ban nothing is sent over the socket either', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    bench.fault({ kind: 'http-status', status: 403, where: '/v5/position/list', times: 1 });
    await bench.until('a ban', () => bench.notices.some((words) => /banned this address/.test(words)), MINUTE_MS);
    const bannedAt = bench.timers.now();
    bench.cancel('1-1');
    bench.submit('1-2');
    await bench.advance(9 * MINUTE_MS);
    assert.deepEqual([bench.wire.pathsSince(bannedAt), bench.said('1-2')], [[], ['rejected']]);
    await bench.until('a cancel', () => bench.said('1-1').includes('cancelled'), 2 * MINUTE_MS);
  });

  test('F22: while it is away, and until it has logged in, orders go over REST; it is dialled with growing pauses', async () => {
    bench = new AdapterBench(entered());
    bench.fault({ kind: 'refuse-sockets', where: '/v5/trade', times: 5 });
    await bench.start();
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-1'), tookSocket('1-1')], [['accepted'], 0]);
    await bench.until('a socket', () => bench.venue.hasOrderSocket, MINUTE_MS);
    assert.ok(bench.timers.now() > 5 * SECOND_MS, 'after pauses');
    bench.cancel('1-1');
    await bench.advance(SECOND_MS);
    assert.deepEqual(
      [bench.said('1-1'), bench.wire.socketRequests.map(({ path }) => path)],
      [['accepted', 'cancelled'], ['/v5/order/cancel']],
    );
    bench.act({ act: 'drop-sockets' });
    bench.submit('2-1', { type: 'stop', role: 'stop', side: 'sell', reduceOnly: true, stopPrice: price('50000') });
    await bench.advance(100);
    assert.equal(bench.venue.hasOrderSocket, false);
    await bench.until('all to be there again', () => bench.venue.hasOrderSocket && bench.venue.isReconciled, MINUTE_MS);
    bench.submit('2-2');
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('2-2'), tookSocket('2-2')], [['filled 0.01'], 1]);
  });

  test('F22: a socket that dies with an order on it leaves the order in doubt at once, and the venue is asked over REST', async () => {
    await opened();
    bench.fault({ kind: 'accept-reset', where: '/v5/order/create', times: 1 });
    bench.fault({ kind: 'no-data', where: 'order', times: 1 });
    bench.submit('1-1', limit('50000'));
    await bench.advance(100);
    assert.equal(bench.venue.counts.doubts, 1, 'no deadline is waited for');
    await bench.until('an answer', () => bench.said('1-1').length > 0);
    assert.deepEqual([bench.said('1-1'), bench.atVenue('1-1'), tookSocket('1-1')], [['accepted'], 1, 1]);
  });

  test('a socket that swallows an order is dialled again, and the order is sought', async () => {
    await opened();
    bench.fault({ kind: 'silent-orders', times: 1 });
    bench.fault({ kind: 'no-data', where: 'order', times: 1 });
    bench.submit('1-1', limit('50000'));
    await bench.advance(defaultBybitVenueSettings.deadlineMs + 100);
    assert.equal(bench.venue.counts.doubts, 1);
    await bench.until('an answer', () => bench.said('1-1').length > 0);
    assert.deepEqual([bench.said('1-1'), bench.atVenue('1-1')], [['accepted'], 1]);
    assert.ok(bench.notices.some((words) => /socket for orders is lost: order\.create was not answered in time/.test(words)));
    await bench.until('a socket', () => bench.venue.hasOrderSocket);
  });

  test('too many connections is no refusal of the key: the order is sought, and what opens may open', async () => {
    await opened();
    bench.fault({ kind: 'ret-code', retCode: 10003, retMsg: 'Too many sessions under the same UID.', where: 'order.create', times: 1 });
    bench.submit('1-1');
    await bench.until('an end', () => bench.said('1-1').length > 0);
    assert.deepEqual(bench.said('1-1'), ['rejected']);
    bench.submit('1-2');
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said('1-2'), ['filled 0.01']);
  });
});

describe('fills', () => {
  test('F13: what had filled before a cancel stays filled', async () => {
    await opened({ rules: { volumeShareRatio: 0.001 } });
    bench.submit('1-1', { ...limit('60100'), quantity: quantity('0.1') });
    await bench.until('a partial fill', () => bench.said('1-1').some((words) => words.startsWith('filled')));
    bench.cancel('1-1');
    await bench.advance(2 * SECOND_MS);
    assert.equal(bench.said('1-1').at(-1), 'cancelled');
    assert.equal(bench.believed(), bench.held());
    assert.ok(Number(bench.held()) > 0 && Number(bench.held()) < 0.1);
  });

  test('F14: what is too small for the venue never leaves, whether it opens or closes', async () => {
    await opened();
    const at = bench.timers.now();
    bench.submit('1-1', { quantity: quantity('0.0004') });
    bench.submit('1-2', { quantity: quantity('0.0004'), side: 'sell', reduceOnly: true });
    bench.submit('1-3', { instrument: 1, quantity: quantity('0.01'), ...limit('100') });
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said(), ['1-1 rejected', '1-2 rejected', '1-3 rejected']);
    assert.match(bench.reasonOf('1-3'), /notional 1 is below the minimum/);
    assert.deepEqual(
      bench.wire.pathsSince(at).filter((path) => path.includes('create')),
      [],
    );
  });

  test('F15: a fill that comes twice is booked once, and counted', async () => {
    await opened();
    bench.fault({ kind: 'duplicate-private' });
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said(), ['1-1 filled 0.01']);
    assert.equal(bench.venue.counts.duplicates, 1);
    assert.equal(bench.believed(), bench.held());
  });

  test('F16: a fill under another id is the same one where the order has filled no more; two equal fills are two', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    const report = bench.reports.find((each) => each.kind === 'order.filled');
    assert.ok(report?.kind === 'order.filled' && report.fill !== undefined);
    const [row] = bench.account.books.executions.page(() => true, 1, '').rows;
    assert.ok(row !== undefined);
    // The query lists it under an id of its own.
    const original = bench.account.books.executions.page.bind(bench.account.books.executions);
    bench.account.books.executions.page = (isWanted, limitOf, cursor) => {
      const page = original(isWanted, limitOf, cursor);
      return { ...page, rows: page.rows.map((each) => ({ ...each, row: { ...each.row, execId: `rest-${each.row.execId}` } })) };
    };
    await bench.advance(31 * SECOND_MS);
    assert.deepEqual([bench.said(), bench.venue.counts.twins], [['1-1 filled 0.01'], 1]);
    assert.equal(bench.believed(), bench.held());
  });

  test('F16: two real fills of one price, one quantity and one millisecond are both booked', async () => {
    await opened({ rules: { volumeShareRatio: 0.001 } });
    bench.fault({ kind: 'no-data', where: 'execution', chance: 0.5 });
    bench.submit('1-1', { ...limit('60100'), quantity: quantity('0.05') });
    await bench.until('all of it', () => bench.believed() === '0.05');
    assert.deepEqual([bench.held(), bench.venue.counts.twins], ['0.05', 0]);
  });

  test('F17: more than was asked for is booked and told, never silent', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    const [order] = bench.account.orders;
    const execution = {
      category: 'linear',
      symbol: 'BTCUSDT',
      orderId: order?.id,
      orderLinkId: order?.linkId,
      side: 'Buy',
      execType: 'Trade',
    };
    bench.wire.inject({
      topic: 'execution',
      data: [
        { ...execution, execId: 'more', execPrice: '60000', execQty: '0.005', execFee: '0.1', isMaker: false, execTime: String(bench.now) },
      ],
    });
    await bench.advance(100);
    assert.deepEqual(bench.said('1-1'), ['filled 0.01', 'filled 0.005']);
    assert.equal(bench.venue.counts.overfills, 1);
    assert.ok(bench.notices.some((words) => /has filled 0\.015 of 0\.01/.test(words)));
  });

  test('F18: fills that come before the answer, and rows out of order, end in the same place', async () => {
    await opened();
    bench.fault({ kind: 'reorder-private' });
    bench.wire.latencyMs = [1, 400];
    for (let number = 1; number <= 4; number++) bench.submit(`1-${number}`, number % 2 === 0 ? limit('60100') : {});
    await bench.advance(5 * SECOND_MS);
    for (let number = 1; number <= 4; number++) assert.equal(bench.said(`1-${number}`).at(-1), 'filled 0.01', `order ${number}`);
    assert.deepEqual([bench.believed(), bench.held()], ['0.04', '0.04']);
  });

  test('F18: a message that is to come after the next one comes late where there is no next one', async () => {
    await opened({ parts: { settings: { ...defaultBybitVenueSettings, reconcileMs: 10 * MINUTE_MS } } });
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    bench.fault({ kind: 'reorder-private', where: 'order', times: 1 });
    bench.account.cancelAll({ category: 'linear' }, 'CancelByUser');
    await bench.advance(500);
    assert.deepEqual(bench.said('1-1'), ['accepted']);
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said('1-1'), ['accepted', 'cancelled']);
  });

  test('what an order of ours has filled counts, though by the clock of the venue the run had not begun', async () => {
    await opened({ parts: { since: START + 10 * SECOND_MS } });
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said('1-1'), ['filled 0.01']);
    // Of another hand, before it had begun: that is what the run has found.
    bench.account.create({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.02', orderLinkId: 'by-hand' });
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.venue.counts.foreign, bench.believed()], [0, '0.01']);
  });

  test('F19: a fill of an order that was reported dead is reported all the same', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    bench.cancel('1-1');
    await bench.advance(SECOND_MS);
    const [order] = bench.account.orders;
    const execution = {
      category: 'linear',
      symbol: 'BTCUSDT',
      orderId: order?.id,
      orderLinkId: order?.linkId,
      side: 'Buy',
      execType: 'Trade',
    };
    bench.wire.inject({
      topic: 'execution',
      data: [
        { ...execution, execId: 'late', execPrice: '50000', execQty: '0.01', execFee: '0.1', isMaker: true, execTime: String(bench.now) },
      ],
    });
    await bench.advance(100);
    assert.deepEqual(bench.said('1-1'), ['accepted', 'cancelled', 'filled 0.01']);
  });
});

describe('stops of a position', () => {
  test('one that the venue drops from an entry in silence is set a second later', async () => {
    await opened();
    const { account } = bench;
    const original = account.create.bind(account);
    account.create = ({ stopLoss: _dropped, ...request }) => original(request);
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(500);
    assert.deepEqual(bench.stopsAtVenue(), []);
    await bench.advance(2 * SECOND_MS);
    assert.deepEqual([bench.stopsAtVenue(), bench.said('1-2')], [['StopLoss 50000'], ['accepted']]);
  });

  test('a new one takes the place of the old, which ends by name, and a cancel of the old takes nothing away', async () => {
    await opened();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(SECOND_MS);
    bench.venue.submit(disaster('2-1', bench.now, '52000'));
    bench.cancel('1-2');
    await bench.advance(3 * SECOND_MS);
    assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 52000']);
    assert.deepEqual([bench.said('1-2'), bench.said('2-1')], [['accepted', 'cancelled'], ['accepted']]);
    assert.match(bench.reasonOf('1-2'), /replaced by 2-1/);
    bench.stepped.move(0, 51_900);
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('2-1').at(-1), bench.held()], ['filled 0.01', '0']);
  });

  describe('every entry takes it along, so that whatever becomes of another order a position opens under it', () => {
    const guarded = (level: { price: number }): AdapterBenchOptions => ({ parts: { disasterPrice: () => level.price } });

    test('the entry that is to bring it is overtaken', async () => {
      await opened(guarded({ price: 51_000 }));
      bench.wire.latencyMs = [300, 300];
      bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
      await bench.pass(20);
      bench.wire.latencyMs = [2, 2];
      bench.submit('2-1');
      await bench.pass(100);
      bench.venue.stop();
      await bench.pass(SECOND_MS);
      assert.deepEqual([bench.atVenue('1-1'), bench.held(), bench.stopsAtVenue()], [0, '0.01', ['StopLoss 51000']]);
    });

    test('the position is stopped out while an entry is on its way', async () => {
      await opened(guarded({ price: 50_000 }));
      bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
      await bench.advance(SECOND_MS);
      bench.venue.submit(stop('1-3', bench.now, '59000'));
      await bench.advance(SECOND_MS);
      bench.wire.latencyMs = [300, 300];
      bench.submit('2-1', { quantity: quantity('0.02') });
      await bench.pass(100);
      bench.stepped.move(0, 58_900);
      // Nobody hears of it.
      await bench.pass(SECOND_MS);
      assert.deepEqual([bench.held(), bench.stopsAtVenue()], ['0.02', ['StopLoss 50000']]);
    });

    test('what closes takes nothing along, and what has come is not loosened by an entry that left before it was tightened', async () => {
      const level = { price: 50_000 };
      await opened(guarded(level));
      bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
      await bench.advance(SECOND_MS);
      bench.submit('2-1', limit('59000'));
      await bench.advance(SECOND_MS);
      bench.move('1-2', '52000');
      level.price = 52_000;
      await bench.advance(SECOND_MS);
      assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 52000']);
      bench.stepped.move(0, 58_900);
      await bench.advance(2 * SECOND_MS);
      assert.deepEqual([bench.held(), bench.stopsAtVenue()], ['0.02', ['StopLoss 52000']]);
      bench.submit('3-1', { side: 'sell', reduceOnly: true });
      await bench.advance(SECOND_MS);
      const taken = bench.wire.requests.flatMap(({ path, parameters }) => (path === '/v5/order/create' ? [parameters['stopLoss']] : []));
      assert.deepEqual(taken, ['50000', '50000', undefined]);
    });
  });

  test('one that ends with its position is reported by name', async () => {
    await opened();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(SECOND_MS);
    bench.submit('1-3', { side: 'sell', reduceOnly: true });
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-2'), bench.believed()], [['accepted', 'cancelled'], '0']);
  });
});

describe('streams', () => {
  test('F20: a stream that does not answer pings is dialled again', async () => {
    await opened();
    bench.fault({ kind: 'no-pong' });
    await bench.advance(MINUTE_MS);
    assert.ok(bench.venue.dials >= 2);
    assert.ok(bench.notices.some((words) => /nothing heard for/.test(words)));
    bench.clearFaults();
    await bench.until('to be reconciled', () => bench.venue.isReconciled);
  });

  test('F20: a stream that answers pings and says nothing else is found deaf by a reconciliation', async () => {
    await opened();
    bench.fault({ kind: 'no-data' });
    bench.submit('1-1', { ...limit('59900') });
    await bench.advance(SECOND_MS);
    bench.stepped.move(0, 59_800);
    await bench.until('a fill', () => bench.said('1-1').includes('filled 0.01'), 40 * SECOND_MS);
    assert.equal(bench.venue.counts.deafStreams, 1);
    assert.equal(bench.believed(), bench.held());
  });

  test('F20: a subscription that is not answered is asked for anew', async () => {
    bench = new AdapterBench();
    bench.fault({ kind: 'silent-subscribe', times: 1 });
    bench.venue.start();
    await bench.until('to be reconciled', () => bench.venue.isReconciled);
    assert.equal(bench.venue.dials, 2);
  });

  for (const [words, ms, mostDials] of [
    ['a second', SECOND_MS, 5],
    ['a minute', MINUTE_MS, 11],
    ['ten minutes', 10 * MINUTE_MS, 32],
  ] as const) {
    test(`F21: after ${words} without a network everything that was missed is asked for, and nothing opened meanwhile`, async () => {
      await opened();
      bench.submit('1-1', { attached: [stop('1-2', bench.now, '59000'), disaster('1-3', bench.now, '50000')] });
      await bench.advance(2 * SECOND_MS);
      const requests = bench.wire.requests.length;
      const dials = bench.venue.dials;
      bench.wire.cut(true);
      await bench.advance(200);
      bench.stepped.move(0, 58_900);
      bench.submit('2-1');
      await bench.advance(ms);
      assert.equal(bench.said('2-1')[0], 'rejected');
      assert.equal(bench.held(), '0', 'stopped out while nobody was watching');
      assert.equal(bench.believed(), '0.01');
      assert.ok(bench.venue.dials - dials <= mostDials, `${bench.venue.dials - dials} dials`);
      assert.ok(bench.wire.requests.length - requests <= 8 + ms / 5_000, `${bench.wire.requests.length - requests} requests`);
      bench.wire.cut(false);
      await bench.until('to be reconciled', () => bench.venue.isReconciled, 40 * SECOND_MS);
      await bench.advance(2 * SECOND_MS);
      assert.deepEqual([bench.believed(), bench.said('1-2').at(-1), bench.said('1-3').at(-1)], ['0', 'filled 0.01', 'cancelled']);
      bench.submit('3-1');
      await bench.advance(SECOND_MS);
      assert.deepEqual(bench.said('3-1'), ['filled 0.01']);
    });
  }

  test('F22: sockets that are closed at once, and lost while they log in, do not make a storm of dials', async () => {
    bench = new AdapterBench();
    bench.fault({ kind: 'refuse-sockets', times: 8 });
    bench.venue.start();
    await bench.advance(10 * SECOND_MS);
    assert.ok(bench.venue.dials <= 7, `${bench.venue.dials} dials in 10 s`);
    await bench.until('to be reconciled', () => bench.venue.isReconciled, 2 * MINUTE_MS);
    // Lost while it logs in.
    bench.wire.latencyMs = [100, 100];
    bench.act({ act: 'drop-sockets' });
    await bench.advance(600);
    bench.act({ act: 'drop-sockets' });
    await bench.until('to be reconciled', () => bench.venue.isReconciled, MINUTE_MS);
  });

  test('F24: what cannot be is not believed, and the process lives', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    const [order] = bench.account.orders;
    const row = {
      category: 'linear',
      symbol: 'BTCUSDT',
      orderId: order?.id,
      orderLinkId: order?.linkId,
      side: 'Buy',
      orderStatus: 'Filled',
      price: '1',
      qty: '1',
      cumExecQty: '1',
      updatedTime: '9',
    };
    const execution = {
      category: 'linear',
      symbol: 'BTCUSDT',
      orderId: order?.id,
      orderLinkId: order?.linkId,
      side: 'Buy',
      execType: 'Trade',
      execId: 'x',
      execPrice: '1',
      execQty: '1',
      execFee: '1',
      isMaker: true,
      execTime: '1',
    };
    const before = bench.venue.counts.malformed;
    const bad: (object | string)[] = [
      '{"topic":"order","data":[',
      'null',
      { topic: 'order', data: 'rows' },
      { topic: 'order', data: [{ ...row, orderStatus: 'Teleported' }] },
      { topic: 'order', data: [{ ...row, qty: 'NaN' }] },
      { topic: 'order', data: [{ ...row, cumExecQty: '-1' }] },
      { topic: 'order', data: [null, 5, 'x'] },
      { topic: 'execution', data: [{ ...execution, execPrice: '-5' }] },
      { topic: 'execution', data: [{ ...execution, execQty: '1e400' }] },
      { topic: 'execution', data: [{ ...execution, execQty: '9'.repeat(40) }] },
      { topic: 'execution', data: [{ ...execution, execType: 'Gift' }] },
      { topic: 'position', data: [{ symbol: 'BTCUSDT', positionIdx: 'x', side: 'Up', size: '1' }] },
      { topic: 'weather', data: [{}] },
    ];
    for (const frame of bad) bench.wire.inject(frame);
    await bench.advance(3 * SECOND_MS);
    assert.deepEqual(bench.said(), ['1-1 accepted']);
    assert.ok(bench.venue.counts.malformed - before >= 12, `${bench.venue.counts.malformed - before} of them`);
    assert.equal(bench.venue.dials, 1);
  });
});

/** A new process: its state as it was saved, its reports since then recalled, its orders submitted again by the engine that follows. */
function restarted(bytes: Uint8Array, follow: (bench: AdapterBench) => void = () => undefined): void {
  bench.venue.stop();
  bench.reports.length = 0;
  bench.venue = bench.open();
  bench.venue.restore(new ByteReader(bytes));
  follow(bench);
  bench.venue.start();
}

function saved(): Uint8Array {
  const out = new ByteWriter();
  bench.venue.save(out);
  return out.view().slice();
}

describe('a new process', () => {
  test('F28: an order that was recorded and never sent is asked about; an entry is dropped, once, and a stop is sent', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    restarted(saved(), () => {
      bench.submit('2-1');
      bench.venue.submit(stop('2-2', bench.now, '58000'));
    });
    await bench.until('an end', () => bench.said('2-1').length > 0);
    assert.deepEqual([bench.said('2-1'), bench.atVenue('2-1')], [['rejected'], 0]);
    await bench.until('a stop', () => bench.said('2-2').length > 0);
    assert.deepEqual([bench.said('2-2'), bench.atVenue('2-2')], [['accepted'], 1]);
  });

  test('F29: an order that was sent and not answered before the end is found, filled and booked once', async () => {
    await opened();
    const before = saved();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(4);
    restarted(before, () => bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] }));
    await bench.advance(5 * SECOND_MS);
    assert.deepEqual(bench.said('1-1'), ['filled 0.01']);
    assert.deepEqual([bench.believed(), bench.held(), bench.atVenue('1-1')], ['0.01', '0.01', 1]);
    assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 50000']);
  });

  test('F31: a stop is cancelled only when what takes its place has been taken, and a missing one is placed', async () => {
    await opened();
    bench.submit('1-1');
    bench.venue.submit(stop('1-2', bench.now, '58000'));
    await bench.advance(SECOND_MS);
    // In the order of the engine: the new one first.
    bench.fault({ kind: 'accept-silently', where: '/v5/order/create', times: 1 });
    bench.venue.submit(stop('1-3', bench.now, '58500'));
    bench.cancel('1-2');
    let fewest = Infinity;
    for (let step = 0; step < 400; step++) {
      await bench.advance(20);
      fewest = Math.min(fewest, bench.stopsAtVenue().length);
    }
    assert.equal(fewest, 1, 'never naked');
    assert.deepEqual(bench.stopsAtVenue(), ['Stop 58500']);
    // Also where the new one is lost on its way, and is there only once that is proven and it was sent again.
    bench.fault({ kind: 'lose', where: '/v5/order/create', times: 1 });
    bench.venue.submit(stop('1-5', bench.now, '58700'));
    bench.cancel('1-3');
    for (let step = 0; step < 500; step++) {
      await bench.advance(20);
      fewest = Math.min(fewest, bench.stopsAtVenue().length);
    }
    assert.equal(fewest, 1, 'never naked');
    assert.deepEqual(bench.stopsAtVenue(), ['Stop 58700']);
    // Killed between the cancel and whatever was to replace it.
    bench.account.cancelAll({ symbol: 'BTCUSDT' });
    restarted(saved(), () => bench.venue.submit(stop('1-4', bench.now, '58600')));
    await bench.until('a stop', () => bench.stopsAtVenue().length === 1, 10 * SECOND_MS);
    assert.equal(bench.said('1-5').at(-1), 'cancelled');
  });

  test('F35: open orders and positions are taken up again, and nothing is booked twice', async () => {
    await opened();
    bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000'), disaster('1-3', bench.now, '50000')] });
    bench.submit('1-4', limit('50000'));
    await bench.advance(2 * SECOND_MS);
    restarted(saved());
    await bench.advance(40 * SECOND_MS);
    assert.deepEqual(bench.said(), []);
    assert.deepEqual([bench.believed(), bench.held()], ['0.01', '0.01']);
    bench.stepped.move(0, 57_900);
    await bench.advance(2 * SECOND_MS);
    assert.deepEqual(bench.said('1-2'), ['filled 0.01']);
    assert.deepEqual(bench.said('1-3'), ['cancelled']);
  });

  test('F35: what happened after the last snapshot is recalled from the recording', async () => {
    await opened();
    const before = saved();
    bench.submit('1-1', limit('50000'));
    bench.submit('1-2');
    await bench.advance(SECOND_MS);
    const reports = [...bench.reports];
    restarted(before, () => {
      bench.submit('1-1', limit('50000'));
      bench.submit('1-2');
      for (const report of reports) bench.venue.recall(report);
    });
    await bench.advance(40 * SECOND_MS);
    assert.deepEqual(bench.said(), []);
    assert.deepEqual([bench.believed(), bench.held()], ['0.01', '0.01']);
  });

  test('F37: a position that is older than what the venue still lists is held by the state, and a second start adds nothing', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    const bytes = saved();
    bench.account.books.executions.page = () => ({ rows: [], nextPageCursor: '' });
    for (let start = 0; start < 2; start++) {
      restarted(bytes);
      await bench.advance(40 * SECOND_MS);
      assert.deepEqual([bench.said(), bench.believed(), bench.venue.blockOf(0)], [[], '0.01', undefined]);
    }
  });

  test('F39: a position that flipped while nobody was there is two trades', async () => {
    await opened();
    bench.submit('1-1');
    bench.submit('1-2', { side: 'sell', quantity: quantity('0.03'), type: 'stop', role: 'stop', stopPrice: price('59000') });
    await bench.advance(SECOND_MS);
    const bytes = saved();
    bench.venue.stop();
    bench.stepped.move(0, 58_900);
    await bench.advance(SECOND_MS);
    restarted(bytes);
    await bench.advance(5 * SECOND_MS);
    assert.deepEqual([bench.said('1-2'), bench.believed(), bench.held()], [['filled 0.03'], '-0.02', '-0.02']);
  });
});

describe('the account and the venue change by themselves', () => {
  test('F36: a position that somebody changed by hand is found within a reconciliation, and blocks what opens until they agree', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    bench.act({ act: 'change-position', symbol: 'BTCUSDT', qty: '0.005' });
    await bench.advance(31 * SECOND_MS);
    assert.match(bench.venue.blockOf(0) ?? '', /not ours/);
    assert.equal(bench.venue.blockOf(1), undefined);
    assert.equal(bench.notices.filter((words) => /the venue holds 0\.015, this run 0\.01/.test(words)).length, 1);
    bench.submit('1-2');
    bench.submit('1-3', { side: 'sell', reduceOnly: true });
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-2'), bench.said('1-3')], [['rejected'], ['filled 0.01']]);
    bench.act({ act: 'change-position', symbol: 'BTCUSDT', qty: '-0.005' });
    await bench.advance(31 * SECOND_MS);
    assert.equal(bench.venue.blockOf(0), undefined);
  });

  test('F36: an order that is not ours is told under the id of the venue', async () => {
    await opened();
    const order = bench.account.create({ category: 'linear', symbol: 'BTCUSDT', side: 'Buy', orderType: 'Market', qty: '0.02' });
    await bench.advance(31 * SECOND_MS);
    assert.deepEqual(bench.said(), ['account.reported', 'account.reported'], 'the trade, and the position that it made');
    assert.match(bench.notices.join(), new RegExp(`bought 0.02 at 60000 by order ${order.id}, which is not ours`));
    assert.equal(bench.believed(), '0');
    assert.match(bench.venue.blockOf(0) ?? '', /not ours/);
    assert.equal(bench.venue.counts.foreign, 1);
  });

  test('F36: a trade by another hand that closes what we hold is adopted, once, and a second start adds nothing', async () => {
    await opened({ parts: { foreign: 'adopt' } });
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    const order = bench.account.create({ category: 'linear', symbol: 'BTCUSDT', side: 'Sell', orderType: 'Market', qty: '0.004' });
    await bench.advance(31 * SECOND_MS);
    assert.deepEqual([bench.believed(), bench.held(), bench.venue.blockOf(0)], ['0.006', '0.006', undefined]);
    const [adopted, ...more] = bench.reports.filter(({ kind }) => kind === 'account.reported');
    assert.deepEqual(more, []);
    assert.ok(adopted?.kind === 'account.reported' && adopted.fill !== undefined && adopted.reason.includes(order.id));
    assert.deepEqual([adopted.side, format(adopted.fill.quantity)], ['sell', '0.004']);
    // A new process that has read what was recorded.
    const recorded = bench.reports.splice(0);
    bench.venue.stop();
    bench.venue = bench.open();
    bench.submit('1-1');
    for (const report of recorded) bench.venue.recall(report);
    await bench.start();
    await bench.advance(31 * SECOND_MS);
    assert.deepEqual([bench.believed(), bench.said('1-1'), bench.said()], ['0.006', [], []]);
  });

  test('F37, F39: a position from long ago is adopted at its price, and one that was turned by hand is closed and opened: two lives', async () => {
    await opened({ parts: { foreign: 'adopt' } });
    bench.act({ act: 'change-position', symbol: 'ETHUSDT', qty: '0.5' });
    await bench.advance(35 * SECOND_MS);
    const told = () =>
      bench.reports.flatMap((each) =>
        each.kind === 'account.reported' && each.fill !== undefined
          ? [`${each.side} ${format(each.fill.quantity)} at ${format(each.fill.price)}`]
          : [],
      );
    assert.deepEqual([told(), bench.believed(1)], [['buy 0.5 at 3000'], '0.5']);
    bench.act({ act: 'change-position', symbol: 'ETHUSDT', qty: '-0.8' });
    await bench.advance(35 * SECOND_MS);
    assert.deepEqual([told().slice(1), bench.believed(1)], [['sell 0.5 at 3000', 'sell 0.3 at 3000'], '-0.3']);
    const ids = bench.reports.flatMap((each) => (each.kind === 'account.reported' && each.fill !== undefined ? [each.fill.id] : []));
    assert.equal(new Set(ids).size, 3);
    assert.equal(bench.venue.blockOf(1), undefined);
  });

  test('F36: money that goes is booked as a transfer of the run within a reconciliation, once, and is no trade of ours', async () => {
    await opened();
    const run = runOf();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(31 * SECOND_MS);
    bench.stepped.move(0, 61_000);
    bench.act({ act: 'transfer', amount: '-250.5' });
    await bench.advance(35 * SECOND_MS);
    assert.deepEqual(reasons(), [
      `the account: 250.5 have gone that no trade of this run explains: a transfer, interest, or another's trade`,
    ]);
    assert.deepEqual(run.hear(), { transfers: ['-250.5'], cash: '999749.5', isNoProfit: true });
    // Funding is known, a fill is, and neither is told as a transfer.
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '-1.25' });
    bench.submit('1-3', { side: 'sell', reduceOnly: true });
    await bench.advance(2 * MINUTE_MS);
    assert.equal(reasons().length, 1);
    bench.act({ act: 'transfer', amount: '1000' });
    await bench.advance(35 * SECOND_MS);
    assert.equal(reasons().length, 2);
    assert.deepEqual(run.hear(), { transfers: ['-250.5', '250.5'], cash: '1000000', isNoProfit: true });
  });

  test('F36: what is beside the capital takes deposits and gives withdrawals first; what goes beyond it comes back first', async () => {
    await opened({ parts: { capital: amount('900000') } });
    const run = runOf('900000');
    const moved = async (by: string): Promise<readonly string[]> => {
      bench.act({ act: 'transfer', amount: by });
      await bench.advance(35 * SECOND_MS);
      return run.hear().transfers;
    };
    assert.deepEqual(await moved('-60000'), []);
    assert.deepEqual(await moved('-50000'), ['-10000']);
    assert.deepEqual(await moved('4000'), ['-10000', '4000']);
    assert.deepEqual(await moved('500000'), ['-10000', '4000', '6000']);
    assert.deepEqual(await moved('-300000'), ['-10000', '4000', '6000']);
    assert.deepEqual([reasons().length, run.hear().cash], [5, '900000']);
  });

  test('F36: over a restart a transfer is told once where it was recorded, and booked once where it was not', async () => {
    await opened();
    const run = runOf();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(31 * SECOND_MS);
    const before = saved();
    bench.act({ act: 'transfer', amount: '-5000' });
    await bench.advance(35 * SECOND_MS);
    const recorded = bench.reports.filter(({ kind }) => kind === 'account.reported');
    assert.deepEqual(run.hear().transfers, ['-5000']);
    // The state is of before, the recording is not.
    restarted(before, () => recorded.forEach((report) => bench.venue.recall(report)));
    await bench.advance(2 * MINUTE_MS);
    assert.deepEqual(reasons(), []);
    // Nor was it recorded: it is found again, and is what the run has heard already.
    restarted(before);
    await bench.advance(2 * MINUTE_MS);
    assert.equal(reasons().length, 1);
    assert.deepEqual(run.hear().transfers, ['-5000']);
    // It goes while nobody is there.
    const bytes = saved();
    bench.venue.stop();
    bench.act({ act: 'transfer', amount: '-1000' });
    restarted(bytes);
    await bench.advance(35 * SECOND_MS);
    assert.deepEqual(run.hear().transfers, ['-5000', '-1000']);
  });

  test('F36: an account that has less than the run was given when it is first looked at is a withdrawal too', async () => {
    bench = new AdapterBench(entered());
    bench.act({ act: 'transfer', amount: '-400000' });
    await bench.start();
    await bench.advance(10 * SECOND_MS);
    assert.deepEqual(runOf().hear(), { transfers: ['-400000'], cash: '600000', isNoProfit: true });
  });

  test('F36: of a wallet that is not told nothing is booked: unknown is not nothing', async () => {
    await opened();
    for (const fault of [
      { kind: 'http-status', status: 503, where: '/v5/account/wallet-balance' },
      { kind: 'no-data', where: '/v5/account/wallet-balance' },
    ]) {
      bench.fault(fault);
      await bench.advance(2 * MINUTE_MS);
      bench.clearFaults();
      await bench.advance(MINUTE_MS);
    }
    assert.deepEqual(reasons(), []);
  });

  test('an order of another run is told once, and left', async () => {
    await opened();
    const create = (linkId: string) =>
      bench.account.create({
        category: 'linear',
        symbol: 'BTCUSDT',
        side: 'Buy',
        orderType: 'Limit',
        price: '50000',
        qty: '0.02',
        orderLinkId: linkId,
      });
    create('live-20260101-000000-3-1');
    create('mine');
    await bench.advance(2 * MINUTE_MS);
    const told = bench.reports.flatMap((each) => (each.kind === 'account.reported' ? [each.reason.replace(/order \S+/, 'order X')] : []));
    assert.deepEqual(told, [
      'BTCUSDT: order X stands there and is of another run of Ballast, live-20260101-000000-3-1; it is left as it is',
      'BTCUSDT: order X stands there and is of another hand; it is left as it is',
    ]);
    assert.equal(bench.account.openOrders().length, 2);
  });

  test('F38: a report of positions that is empty or fails is unknown, not flat', async () => {
    await opened();
    bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
    await bench.advance(2 * SECOND_MS);
    for (const fault of [{ kind: 'empty-positions' }, { kind: 'http-status', status: 503, where: '/v5/position/list' }]) {
      bench.fault(fault);
      const at = bench.timers.now();
      await bench.advance(2 * MINUTE_MS);
      assert.equal(bench.believed(), '0.01');
      assert.deepEqual(
        bench.wire.pathsSince(at).filter((path) => path.includes('order/c') || path.includes('trading-stop')),
        [],
        'nothing is done about it',
      );
      bench.clearFaults();
      await bench.advance(MINUTE_MS);
      assert.equal(bench.venue.blockOf(0), undefined);
    }
    assert.ok(bench.notices.some((words) => /not the same as flat/.test(words)));
  });

  for (const [act, words] of [
    ['liquidate', 'liquidated'],
    ['deleverage', 'deleveraged'],
  ] as const) {
    test(`F40: a position that was ${words} is booked with its fee, and what rested ends by name`, async () => {
      await opened();
      bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000')] });
      await bench.advance(SECOND_MS);
      bench.act({ act, symbol: 'BTCUSDT' });
      await bench.advance(2 * SECOND_MS);
      const report = bench.reports.find((each) => each.kind === 'position.liquidated');
      assert.ok(report?.kind === 'position.liquidated' && report.side === 'sell');
      assert.deepEqual([bench.believed(), bench.held()], ['0', '0']);
      assert.ok(bench.notices.some((each) => each.includes(words)));
      if (act === 'liquidate') assert.equal(bench.said('1-2').at(-1), 'cancelled');
    });
  }

  for (const driftMs of [5_000, -5_000]) {
    test(`F41: a clock that is wrong by ${driftMs} ms lets nothing in, and orders that protect are signed with the venue's time`, async () => {
      await opened();
      bench.submit('1-1');
      await bench.advance(SECOND_MS);
      bench.wire.driftMs = driftMs;
      await bench.advance(3 * MINUTE_MS);
      assert.match(bench.venue.blockOf(0) ?? '', /clocks differ/);
      bench.venue.submit(stop('1-2', bench.now, '58000'));
      bench.submit('1-3');
      await bench.advance(SECOND_MS);
      assert.deepEqual([bench.said('1-2'), bench.said('1-3')], [['accepted'], ['rejected']]);
      bench.wire.driftMs = 0;
      await bench.advance(3 * MINUTE_MS);
      assert.equal(bench.venue.blockOf(0), undefined);
    });
  }

  test('F42: a timestamp outside of the window is followed by a new measure, and the order by questions', async () => {
    await opened();
    bench.fault({
      kind: 'ret-code',
      retCode: 10002,
      retMsg: 'invalid request, please check your server timestamp',
      where: '/v5/order/create',
      times: 1,
    });
    const at = bench.timers.now();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    assert.ok(bench.wire.pathsSince(at).includes('/v5/market/time'));
    assert.deepEqual(bench.said(), []);
    await bench.until('an end', () => bench.said('1-1').length > 0);
    assert.equal(bench.atVenue('1-1'), 0);
  });

  test('F43: filters that change are taken up, and an instrument that does not trade lets nothing in', async () => {
    await opened();
    bench.act({ act: 'change-filters', symbol: 'BTCUSDT', tickSize: '5', qtyStep: '0.01', minOrderQty: '0.01' });
    await bench.advance(11 * MINUTE_MS);
    assert.ok(bench.notices.some((words) => /BTCUSDT has changed: tick 0\.1 became 5/.test(words)));
    bench.submit('1-1', { ...limit('50003.7'), quantity: quantity('0.029') });
    await bench.advance(SECOND_MS);
    const [order] = bench.account.openOrders();
    assert.deepEqual(order?.price, price('50000'));
    assert.deepEqual(order?.quantity, quantity('0.02'));
    bench.act({ act: 'delist', symbol: 'BTCUSDT' });
    bench.submit('1-2');
    await bench.advance(2 * SECOND_MS);
    assert.match(bench.reasonOf('1-2'), /110074/);
    assert.match(bench.venue.blockOf(0) ?? '', /does not trade/);
    assert.equal(bench.said('1-1').at(-1), 'cancelled');
    bench.act({ act: 'relist', symbol: 'BTCUSDT' });
    await bench.advance(11 * MINUTE_MS);
    assert.equal(bench.venue.blockOf(0), undefined);
  });

  test('F44: a payment of funding is booked once, with its sign', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '-1.25' });
    await bench.advance(31 * SECOND_MS);
    const payments = bench.reports.filter((report) => report.kind === 'funding.paid');
    assert.deepEqual(
      payments.map(({ amount: paid, instrument }) => [paid, instrument]),
      [[quantity('-1.25'), 0]],
    );
  });

  test('F44: payments are booked when the venue makes them, whatever the interval, and not again by a new process', async () => {
    await opened();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    const bytes = saved();
    bench.act({ act: 'change-funding-interval', symbol: 'BTCUSDT', hours: 4 });
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '0.5' });
    await bench.advance(10 * SECOND_MS);
    // While nobody listens.
    bench.wire.cut(true);
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '-0.25' });
    await bench.advance(10 * SECOND_MS);
    bench.wire.cut(false);
    await bench.until('to be reconciled', () => bench.venue.isReconciled, MINUTE_MS);
    const paid = (): unknown[] => bench.reports.flatMap((report) => (report.kind === 'funding.paid' ? [report.amount] : []));
    assert.deepEqual(paid(), [quantity('0.5'), quantity('-0.25')]);
    restarted(bytes);
    await bench.advance(40 * SECOND_MS);
    // A state of before them hears of both, once.
    assert.deepEqual(paid(), [quantity('0.5'), quantity('-0.25')]);
    const after = saved();
    restarted(after);
    await bench.advance(40 * SECOND_MS);
    assert.deepEqual(paid(), []);
  });

  test('F45: half an hour of maintenance ends in an orderly return, without a storm', async () => {
    await opened();
    bench.submit('1-1', limit('50000'));
    await bench.advance(SECOND_MS);
    const [requests, dials] = [bench.wire.requests.length, bench.venue.dials];
    bench.fault({ kind: 'http-status', status: 503 });
    bench.fault({ kind: 'refuse-sockets' });
    bench.act({ act: 'drop-sockets' });
    await bench.advance(30 * MINUTE_MS);
    assert.ok(bench.venue.dials - dials < 90, `${bench.venue.dials - dials} dials`);
    assert.ok(bench.wire.requests.length - requests < 300, `${bench.wire.requests.length - requests} requests`);
    assert.deepEqual(bench.said(), ['1-1 accepted']);
    bench.clearFaults();
    await bench.until('to be reconciled', () => bench.venue.isReconciled, 2 * MINUTE_MS);
    bench.submit('1-2');
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said('1-2'), ['filled 0.01']);
  });

  test('orders that have ended are found in the history after the venue has forgotten them elsewhere', async () => {
    await opened();
    bench.fault({ kind: 'accept-silently', where: '/v5/order/create', times: 1 });
    bench.fault({ kind: 'no-data' });
    bench.submit('1-1');
    await bench.advance(200);
    bench.act({ act: 'restart' });
    await bench.until('a fill', () => bench.said('1-1').includes('filled 0.01'));
  });

  test('nothing of a session before this one is booked', async () => {
    await opened();
    assert.equal(bench.now > START, true);
    bench.account.create({
      category: 'linear',
      symbol: 'BTCUSDT',
      side: 'Buy',
      orderType: 'Market',
      qty: '0.02',
      orderLinkId: 'another-run-1-1',
    });
    await bench.advance(100);
    assert.equal(bench.said().filter((words) => words.startsWith('1-1')).length, 0);
  });
});
