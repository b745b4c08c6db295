// ccxt as it is, against a server that speaks as the venues do.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { VenueServer, type Fault, type ServedMarket } from '../../../test/support/venue-server.ts';
import { VirtualTimers } from '../../../test/support/virtual-timers.ts';
import { format } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { BarPage } from '../../domain/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { loadClient, type ClientId } from './client.ts';
import { openHistory, type ListedHistory } from './history.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 30);
const CLOSED = NOW - 30_000;
const MARKETS: readonly ServedMarket[] = (['spot', 'linear'] as const).flatMap((kind) =>
  ['BTC', 'ETH'].map((base) => ({ id: `${base}USDT`, base, kind, listedAt: NOW - 400 * DAY_MS })),
);
const PAGE: BarPage = { symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS, fromMs: CLOSED - 100 * MINUTE_MS, toMs: CLOSED };

interface Setup {
  readonly server: VenueServer;
  readonly timers: VirtualTimers;
  readonly notices: string[];
  readonly controller: AbortController;
  readonly history: ListedHistory;
}

async function setUp(
  context: TestContext,
  venue: ClientId,
  symbols: readonly string[] = ['BTC/USDT', 'BTC/USDT:USDT'],
  deadlineMs?: number,
): Promise<Setup> {
  const timers = new VirtualTimers();
  const server = new VenueServer({ markets: MARKETS, now: () => NOW, clock: () => timers.now() });
  const address = await server.listen();
  context.after(() => server.close());
  const notices: string[] = [];
  const controller = new AbortController();
  const history = await openHistory({
    venue,
    symbols,
    address,
    timers,
    signal: controller.signal,
    onNotice: (words) => notices.push(words),
    deadlineMs,
  });
  return { server, timers, notices, controller, history };
}

async function failure(work: Promise<unknown>): Promise<BallastError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof BallastError, `found ${String(error)}, expected a BallastError`);
  return error;
}

for (const venue of ['bybit', 'binance'] as const) {
  describe(`the history of ${venue}`, () => {
    test('has its bars in pages of a thousand, with exact times and prices', async (context) => {
      const { history, server } = await setUp(context, venue);
      for (const symbol of ['BTC/USDT', 'BTC/USDT:USDT']) {
        const page = { symbol, timeframeMs: MINUTE_MS, fromMs: CLOSED - 1_000 * MINUTE_MS, toMs: CLOSED };
        const rows = await history.page(page);
        const truth = server.truth('BTCUSDT', symbol === 'BTC/USDT' ? 'spot' : 'linear', page.fromMs, page.toMs);
        assert.equal(rows.length, 1_000);
        for (const [index, row] of rows.entries()) {
          const { openAt, open, high, low, close, volume } = truth;
          assert.deepEqual([...row], [openAt[index], open[index], high[index], low[index], close[index], volume[index]]);
        }
      }
      const hours = { symbol: 'BTC/USDT', timeframeMs: HOUR_MS, fromMs: CLOSED - 48 * HOUR_MS, toMs: CLOSED };
      assert.equal((await history.page(hours)).length, 48);
      assert.equal(await history.now(), NOW);
    });

    test('knows what is listed and served, and says what is near', async (context) => {
      const { history } = await setUp(context, venue);
      history.check('BTC/USDT', MINUTE_MS);
      const unlisted = await failure((async () => history.check('BTC/EUR', MINUTE_MS))());
      assert.deepEqual([unlisted.code, unlisted.exitCode], ['SYMBOL_UNLISTED', 2]);
      assert.match(unlisted.message, new RegExp(`${venue} BTC/EUR: found no such market, expected .* BTC/USDT, BTC/USDT:USDT`));
      const unserved = await failure((async () => history.check('BTC/USDT', 7 * MINUTE_MS))());
      assert.deepEqual([unserved.code, unserved.exitCode], ['TIMEFRAME_UNSERVED', 2]);
      assert.match(unserved.message, /found 7m, expected one of .*1m.*1h/);
    });

    test('tells what it demands of orders, in base and to the last digit', async (context) => {
      const { history } = await setUp(context, venue);
      const told = (symbol: string): unknown => {
        const { tick, lot, minimumQuantity, minimumNotional, contractSize } = history.filters(symbol);
        return [format(tick), format(lot), format(minimumQuantity), format(minimumNotional), contractSize];
      };
      const isBybit = venue === 'bybit';
      assert.deepEqual(told('BTC/USDT'), isBybit ? ['0.01', '0.000001', '0.000011', '5', 1] : ['0.01', '0.00001', '0.00001', '5', 1]);
      assert.deepEqual(told('BTC/USDT:USDT'), isBybit ? ['0.1', '0.001', '0.001', '5', 1] : ['0.01', '0.00001', '0.00001', '5', 1]);
      assert.equal((await failure((async () => history.filters('BTC/EUR'))())).code, 'SYMBOL_UNLISTED');
    });

    test('asks for the markets of the kinds that are wanted, and for nothing else', async (context) => {
      const { server } = await setUp(context, venue, ['BTC/USDT']);
      const paths = server.requests.map(({ path, query }) => `${path} ${query.get('category') ?? ''}`.trim());
      assert.deepEqual(paths, [venue === 'bybit' ? '/v5/market/instruments-info spot' : '/api/v3/exchangeInfo']);
    });

    test('stays within the limits of the venue, however fast it is asked', async (context) => {
      const { history, server, timers } = await setUp(context, venue);
      // More than either allows in the time that this takes, were it not for the waiting: 600 in 5 s, and weight 2400 a minute at 2 a page.
      const asked = venue === 'bybit' ? 700 : 1_250;
      // Bars would take time here, and weigh nothing there.
      server.fault = () => 'empty';
      for (let batch = 0; batch < asked / 50; batch++) await Promise.all(Array.from({ length: 50 }, () => history.page(PAGE)));
      assert.equal(server.barRequests, asked);
      assert.equal(server.overLimit, 0);
      assert.ok(timers.now() > 10_000, `${asked} requests took ${timers.now()} ms`);
    });

    for (const [words, fault] of [
      ['a cut connection', 'reset'],
      ['an answer that is cut', 'truncated'],
      ['HTTP 502', { status: 502, body: '<html>bad gateway</html>' }],
      ['HTTP 503', { status: 503 }],
      ['HTTP 200 with a page', { status: 200, body: '<html>maintenance</html>' }],
      ['HTTP 200 with nothing', { status: 200, body: '' }],
    ] as const satisfies readonly (readonly [string, Fault])[]) {
      test(`asks again after ${words}, and gives up in the end`, async (context) => {
        const { history, server, timers, notices } = await setUp(context, venue);
        let left = 2;
        server.fault = () => (left-- > 0 ? fault : undefined);
        assert.equal((await history.page(PAGE)).length, 100);
        assert.deepEqual(timers.slept, [1_000, 2_000]);
        assert.equal(notices.length, 2);
        left = Infinity;
        const error = await failure(history.page(PAGE));
        assert.deepEqual([error.code, error.exitCode], ['VENUE_UNREACHABLE', 1]);
        assert.match(
          error.message,
          new RegExp(`^${venue} BTC/USDT:USDT 1m: found .*, 6 times, expected an answer \\(.*goes on where it was`),
        );
        assert.deepEqual(timers.slept.slice(2), [1_000, 2_000, 4_000, 8_000, 16_000]);
      });
    }

    test('ends at once when it is told to, in the middle of a pause or of an answer', async (context) => {
      for (const fault of [{ status: 403 }, 'stalled'] as const) {
        const { history, server, controller } = await setUp(context, venue);
        server.fault = () => {
          setImmediate(() => controller.abort(new Error('enough')));
          return fault;
        };
        await assert.rejects(history.page(PAGE));
        assert.equal(server.barRequests, 1);
      }
    });
  });
}

describe('a venue that asks for patience', () => {
  const cases: readonly (readonly [ClientId, string, Fault, pauseMs: number])[] = [
    ['bybit', 'retCode 10006', { retCode: 10006, words: 'Too many visits!' }, 5_000],
    ['bybit', 'retCode 10018', { retCode: 10018, words: 'Exceeded the IP Rate Limit.' }, 5_000],
    ['bybit', 'HTTP 403', { status: 403, body: '403, access too frequent' }, 600_000],
    ['binance', 'HTTP 429', { status: 429, headers: { 'retry-after': '21' }, body: '{"code":-1003,"msg":"Too many requests."}' }, 21_000],
    ['binance', 'HTTP 418', { status: 418, headers: { 'retry-after': '130' }, body: '{"code":-1003,"msg":"banned"}' }, 130_000],
  ];
  for (const [venue, words, fault, pauseMs] of cases) {
    test(`gets it: ${venue} with ${words}`, async (context) => {
      const { history, server, timers, notices } = await setUp(context, venue);
      let left = 1;
      server.fault = () => (left-- > 0 ? fault : undefined);
      const begun = timers.now();
      // The others wait too.
      const pages = await Promise.all([history.page(PAGE), history.page(PAGE)]);
      assert.deepEqual(
        pages.map((rows) => rows.length),
        [100, 100],
      );
      assert.ok(timers.now() - begun >= pauseMs, `waited ${timers.now() - begun} ms`);
      assert.match(notices[0] ?? '', new RegExp(`${words}.*asking again in ${pauseMs / 1_000} s`));
    });
  }

  test('gets it once for a ban of ten minutes, and is an error the second time', async (context) => {
    const { history, server, timers } = await setUp(context, 'bybit');
    server.fault = () => ({ status: 403, body: '403, access too frequent' });
    const error = await failure(history.page(PAGE));
    assert.equal(error.code, 'VENUE_BUSY');
    assert.match(error.message, /^bybit BTC\/USDT:USDT 1m: found HTTP 403 .*2 times, and 600 s to wait/);
    assert.equal(timers.now(), 600_000);
  });

  test('does not get it for a ban of days', async (context) => {
    const { history, server, timers } = await setUp(context, 'binance');
    server.fault = () => ({ status: 418, headers: { 'retry-after': '259200' } });
    assert.equal((await failure(history.page(PAGE))).code, 'VENUE_BUSY');
    assert.equal(timers.now(), 0);
  });

  test('with the words of a refusal is not asked again', async (context) => {
    const { history, server } = await setUp(context, 'bybit');
    server.fault = () => ({ retCode: 10001, words: 'Not supported symbols' });
    const error = await failure(history.page(PAGE));
    assert.equal(error.code, 'VENUE_REFUSED');
    assert.match(error.message, /bybit BTC\/USDT:USDT 1m: found retCode 10001 "Not supported symbols"/);
    assert.equal(server.barRequests, 1);
  });
});

test('an answer that stalls is not waited for, and asked for again', async (context) => {
  const { history, server, timers, notices } = await setUp(context, 'bybit', ['BTC/USDT:USDT'], 1_000);
  let left = 1;
  server.fault = () => (left-- > 0 ? 'stalled' : undefined);
  assert.equal((await history.page(PAGE)).length, 100);
  assert.deepEqual(timers.slept, [1_000]);
  assert.match(notices[0] ?? '', /no whole answer within 1 s; asking again in 1 s/);
});

describe('the server of these tests', () => {
  test('does count: who is too fast is told so, as the venues do', async (context) => {
    const { server } = await setUp(context, 'bybit');
    const answers = new Map<string, number>();
    for (let batch = 0; batch < 13; batch++) {
      const texts = await Promise.all(
        Array.from({ length: 50 }, async () => (await (await fetch(`${server.address}/v5/market/time`)).text()).slice(0, 16)),
      );
      for (const text of texts) answers.set(text, (answers.get(text) ?? 0) + 1);
    }
    assert.ok((answers.get('{"retCode":10018') ?? 0) > 40, JSON.stringify([...answers]));
    assert.ok(server.overLimit > 40);
  });
});

test('a machine that is not online is told so, once for each pause, and of proxies', async (context) => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    const cause = Object.assign(new Error(`getaddrinfo ${code} api.bybit.com`), { code });
    const asked = context.mock.method(globalThis, 'fetch', () => Promise.reject(new TypeError('fetch failed', { cause })));
    const notices: string[] = [];
    const { signal } = new AbortController();
    const error = await failure(
      openHistory({
        venue: 'bybit',
        symbols: ['BTC/USDT:USDT'],
        address: undefined,
        timers: new VirtualTimers(),
        signal,
        onNotice: (words) => notices.push(words),
      }),
    );
    // Side by side, six times each, and the first to give up is not waited for by the other.
    assert.ok(asked.mock.callCount() >= 11, `${asked.mock.callCount()} requests`);
    assert.deepEqual(
      notices,
      [1, 2, 4, 8, 16].map(
        (seconds) => `bybit /v5/market/instruments-info: cannot find api.bybit.com: is this machine online?; asking again in ${seconds} s`,
      ),
    );
    assert.equal(error.code, 'VENUE_UNREACHABLE');
    assert.match(error.message, /cannot find api\.bybit\.com: is this machine online\?.*NODE_USE_ENV_PROXY=1 and HTTPS_PROXY=/);
    asked.mock.restore();
  }
});

test('no address of ccxt is left that leads to the internet', async () => {
  for (const id of ['bybit', 'binance'] as const) {
    const client = await loadClient(id, {
      fetch: () => assert.fail('nothing is asked'),
      marketTypes: ['spot'],
      address: 'http://127.0.0.1:1/',
    });
    const found = JSON.stringify(client.urls['api']).match(/"(https?|wss?):[^"]*"/g) ?? [];
    assert.ok(found.length > 3);
    assert.deepEqual(
      found.filter((url) => !url.startsWith('"http://127.0.0.1:1')),
      [],
    );
  }
});
