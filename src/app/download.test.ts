// Rounds and downloads as the commands run them, with ccxt against a server that speaks as the venues do, in time that passes by itself.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { temporaryHome } from '../../test/support/run-app.ts';
import { VenueServer, type ServedMarket } from '../../test/support/venue-server.ts';
import { VirtualTimers } from '../../test/support/virtual-timers.ts';
import { format } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { listFilters, writtenFilters } from '../market/history/filters.ts';
import { openStore } from '../market/history/store.ts';
import { runBacktest } from './backtest.ts';
import { parseConfig } from './config.ts';
import { collect, collectRound, download, type DownloadRequest, type Round } from './download.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 30);
const LISTED = NOW - 30_000 - 3 * DAY_MS;
const market = (base: string, kind: ServedMarket['kind']): ServedMarket => ({ id: `${base}USDT`, base, kind, listedAt: LISTED });
const MARKETS = [market('BTC', 'spot'), market('BTC', 'linear'), market('ETH', 'linear')];

interface Setup {
  readonly server: VenueServer;
  readonly timers: VirtualTimers;
  readonly request: Omit<DownloadRequest, 'venue' | 'symbols' | 'timeframeMs' | 'range'>;
  /** Moves the clock of the venue. */
  readonly pass: (ms: number) => void;
}

async function setUp(context: TestContext, collected = '[]'): Promise<Setup> {
  let now = NOW;
  const timers = new VirtualTimers();
  const server = new VenueServer({ markets: MARKETS, now: () => now, clock: () => timers.now() });
  const address = await server.listen();
  context.after(() => server.close());
  const config = parseConfig(`data: { addresses: { bybit: '${address}', binance: '${address}' }, collect: ${collected} }`);
  return {
    server,
    timers,
    request: { home: temporaryHome('download'), config, signal: new AbortController().signal, onNotice: () => undefined, timers },
    pass: (ms) => (now += ms),
  };
}

const BTC = { venue: 'bybit', symbols: ['BTC/USDT:USDT'], timeframeMs: MINUTE_MS, range: { days: 1 } } as const;

describe('a download', () => {
  test('brings a series up to the minute, and takes over what was corrected since', async (context) => {
    const { server, request, pass } = await setUp(context);
    const first = await download({ ...request, ...BTC });
    assert.deepEqual(
      first.series.map(({ added, from, to, missingBars }) => ({ added, from, to, missingBars })),
      [{ added: 1_440, from: '2026-01-30T12:00:00Z', to: '2026-01-31T12:00:00Z', missingBars: 0 }],
    );
    const corrected = NOW - 30_000 - 5 * MINUTE_MS;
    server.corrections.set(`BTCUSDT ${corrected}`, ['50000.00', '50001.00', '49999.00', '50000.50', '3.000']);
    pass(HOUR_MS);
    server.requests.length = 0;
    const second = await download({ ...request, ...BTC });
    assert.deepEqual(
      second.series.map(({ added, unchanged, corrected: changed }) => ({ added, unchanged, changed })),
      [{ added: 60, unchanged: 99, changed: 1 }],
    );
    assert.equal(server.barRequests, 1);
    const store = await openStore(request.home);
    const bars = await store.load({ venue: 'bybit', symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS });
    await store.close();
    assert.deepEqual(bars.close, server.truth('BTCUSDT', 'linear', LISTED + 2 * DAY_MS, LISTED + 3 * DAY_MS + HOUR_MS).close);
  });

  for (const venue of ['bybit', 'binance'] as const) {
    test(`finds the listing of a symbol at ${venue}, and does not ask again for what was before it`, async (context) => {
      const { server, request } = await setUp(context);
      const range = { fromMs: Date.UTC(2020, 0, 1), toMs: undefined };
      const { series } = await download({ ...request, venue, symbols: ['BTC/USDT'], timeframeMs: MINUTE_MS, range });
      assert.equal(series[0]?.added, 3 * 1_440);
      assert.equal(series[0].voidBars, (LISTED - range.fromMs) / MINUTE_MS);
      // Six years of minutes would be three thousand pages.
      assert.ok(server.barRequests <= 15, `${server.barRequests} requests`);
      server.requests.length = 0;
      await download({ ...request, venue, symbols: ['BTC/USDT'], timeframeMs: MINUTE_MS, range });
      assert.equal(server.barRequests, 0);
    });
  }

  test('goes by the clock of the venue, whatever the one of this machine says', async (context) => {
    const { server, request, pass } = await setUp(context);
    pass(-HOUR_MS);
    const { series } = await download({ ...request, ...BTC });
    assert.equal(series[0]?.to, '2026-01-31T11:00:00Z');
    assert.ok(server.requests.every(({ query }) => Number(query.get('end') ?? 0) < NOW - HOUR_MS));
  });

  test('keeps what the venue demands of orders, a version for each change, and a backtest keeps to it', async (context) => {
    const { request, server } = await setUp(context);
    const { home } = request;
    const notices: string[] = [];
    const days = { ...request, ...BTC, range: { days: 3 }, onNotice: (words: string): void => void notices.push(words) };
    await download(days);
    const [stored] = listFilters(home);
    assert.deepEqual(stored?.versions.map(writtenFilters), [
      { from: formatTime(NOW), tick: '0.1', lot: '0.001', minimumQuantity: '0.001', minimumNotional: '5', contractSize: 1 },
    ]);
    server.requests.length = 0;
    await download(days);
    assert.deepEqual([listFilters(home), notices], [[stored], []]);
    // As if the venue had had a coarser step when it was asked first.
    const path = join(home, 'data/instruments/bybit/BTC-USDT_USDT.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"0.1"', '"50"').replace('2026-01-31', '2026-01-29'));
    await download(days);
    const [changed] = listFilters(home);
    assert.deepEqual(
      changed?.versions.map(({ tick }) => format(tick)),
      ['50', '0.1'],
    );
    assert.equal(notices.length, 1);
    assert.match(notices[0] ?? '', /^bybit demands something else of orders of BTC\/USDT:USDT than on 2026-01-29T/);
    const common = { home, strategy: 'trend', parameters: 'fast=5,slow=20', symbols: ['BTC/USDT:USDT'], timeframeMs: MINUTE_MS };
    const options = { ...common, warmup: 'auto', seed: 1, allowSpotShort: false, sizing: 'fixed', capital: '10000' } as const;
    const withRules = await runBacktest({ ...options, noRisk: false });
    assert.deepEqual([withRules.config['ticks'], withRules.config['lots']], [['50'], ['0.001']]);
    const without = await runBacktest({ ...options, noRisk: true });
    assert.deepEqual([without.config['ticks'], without.config['lots']], [['0'], ['0']]);
    assert.ok(without.fills.length > 0 && without.fills.some(({ quantity }) => Number(quantity) % 0.001 !== 0));
    const lots = withRules.fills.map(({ quantity }) => Number(quantity) / 0.001);
    assert.ok(lots.length > 0 && lots.every((count) => Math.abs(count - Math.round(count)) < 1e-9));
  });

  test('asks for no bar when one of its symbols is not listed', async (context) => {
    const { server, request } = await setUp(context);
    const symbols = ['BTC/USDT:USDT', 'DOGE/USDT:USDT'];
    await assert.rejects(
      download({ ...request, ...BTC, symbols }),
      (error) => error instanceof BallastError && error.code === 'SYMBOL_UNLISTED' && /bybit DOGE\/USDT:USDT/.test(error.message),
    );
    assert.equal(server.barRequests, 0);
  });
});

describe('a round of collecting', () => {
  const COLLECTED = `[
    { venue: bybit, symbols: [BTC/USDT:USDT, DOGE/USDT:USDT, ETH/USDT:USDT], timeframesMs: [1m, 1h], days: 1 },
    { venue: binance, symbols: [BTC/USDT], days: 1 }]`;

  const words = ({ series, failures }: Round): string[] => [
    ...series.map(({ venue, symbol, timeframe, added }) => `${venue} ${symbol} ${timeframe} ${added}`),
    ...failures.map(({ venue, symbol, timeframe, error }) => `${venue} ${symbol} ${timeframe} ${error.code}`),
  ];

  test('has every series that can be had, and tells of the others', async (context) => {
    const { request } = await setUp(context, COLLECTED);
    assert.deepEqual(words(await collectRound(request)), [
      'bybit BTC/USDT:USDT 1m 1440',
      'bybit BTC/USDT:USDT 1h 24',
      'bybit ETH/USDT:USDT 1m 1440',
      'bybit ETH/USDT:USDT 1h 24',
      'binance BTC/USDT 1m 1440',
      'bybit DOGE/USDT:USDT 1m SYMBOL_UNLISTED',
      'bybit DOGE/USDT:USDT 1h SYMBOL_UNLISTED',
    ]);
  });

  test('does not wait for a venue again that is gone, and goes on with the next', async (context) => {
    const { server, timers, request } = await setUp(context, COLLECTED);
    server.fault = ({ path }) => (path.startsWith('/v5/') ? 'reset' : undefined);
    const round = await collectRound(request);
    assert.deepEqual(words(round), [
      'binance BTC/USDT 1m 1440',
      ...['BTC', 'DOGE', 'ETH'].flatMap((base) => ['1m', '1h'].map((span) => `bybit ${base}/USDT:USDT ${span} VENUE_UNREACHABLE`)),
    ]);
    // Six attempts, of the two requests with which it is opened: not once more for each series.
    assert.ok(timers.now() < 100_000, `${timers.now()} ms`);
  });

  test('comes again at its time, with what is new, and a series that failed once comes back', async (context) => {
    const { server, timers, request, pass } = await setUp(context, '[{ venue: bybit, symbols: [BTC/USDT:USDT, ETH/USDT:USDT], days: 1 }]');
    const controller = new AbortController();
    const begun: number[] = [];
    const rounds: Round[] = [];
    server.fault = ({ query, isForBars }) =>
      isForBars && query.get('symbol') === 'ETHUSDT' && rounds.length === 1 ? { retCode: 10001, words: 'not now' } : undefined;
    const count = await collect({
      ...request,
      signal: controller.signal,
      everyMs: HOUR_MS,
      onBegin: () => begun.push(timers.now()),
      onRound(round) {
        rounds.push(round);
        pass(HOUR_MS);
        if (rounds.length === 3) controller.abort();
      },
    });
    assert.equal(count, 3);
    assert.deepEqual(rounds.map(words), [
      ['bybit BTC/USDT:USDT 1m 1440', 'bybit ETH/USDT:USDT 1m 1440'],
      ['bybit BTC/USDT:USDT 1m 60', 'bybit ETH/USDT:USDT 1m VENUE_REFUSED'],
      ['bybit BTC/USDT:USDT 1m 60', 'bybit ETH/USDT:USDT 1m 120'],
    ]);
    assert.deepEqual(
      begun.map((at) => Math.floor(at / HOUR_MS)),
      [0, 1, 2],
    );
  });

  test('is an error when nothing is listed', async (context) => {
    const { request } = await setUp(context);
    await assert.rejects(collectRound(request), (error) => error instanceof BallastError && error.code === 'COLLECT_NOTHING');
  });
});
