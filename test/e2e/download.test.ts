// Ballast as its users have it, against a server that speaks as the venues do: a whole download, a kill, Ctrl-C, collecting.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Downloaded, Round } from '../../src/app/download.ts';
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { openStore } from '../../src/market/history/store.ts';
import { ballast, startBallast, temporaryHome, until } from '../support/run-app.ts';
import { VenueServer, type ServedMarket } from '../support/venue-server.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 30);
const CLOSED = NOW - 30_000;
const DAYS = 90;
const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT'];
const MARKETS: readonly ServedMarket[] = ['BTC', 'ETH'].map((base) => ({
  id: `${base}USDT`,
  base,
  kind: 'linear',
  listedAt: NOW - 400 * DAY_MS,
  outages: [[CLOSED - 40 * DAY_MS, CLOSED - 40 * DAY_MS + 25 * MINUTE_MS]],
}));

async function setUp(context: TestContext, collected = '[]'): Promise<{ server: VenueServer; home: string }> {
  const server = new VenueServer({ markets: MARKETS, now: () => NOW, clock: () => performance.now() });
  const address = await server.listen();
  context.after(() => server.close());
  const home = temporaryHome('download', `data: { addresses: { bybit: '${address}' }, collect: ${collected} }\n`);
  return { server, home };
}

const DOWNLOAD = ['data', 'download', '--venue', 'bybit', '--symbols', SYMBOLS.join(','), '--timeframe', '1m', '--days', String(DAYS)];

/** Open times that are stored; the store is settled first, as by whoever opens it. */
async function stored(home: string, symbol: string): Promise<ReadonlySet<number>> {
  const store = await openStore(home);
  try {
    const isThere = (await store.list()).some((series) => series.symbol === symbol);
    return new Set(isThere ? (await store.load({ venue: 'bybit', symbol, timeframeMs: MINUTE_MS })).openAt : []);
  } finally {
    await store.close();
  }
}

/** The pages that must be asked for, counted from what is not stored. */
function pagesFor(openAt: ReadonlySet<number>): number {
  const fromMs = CLOSED - DAYS * DAY_MS;
  const spans: { bars: number; isTail: boolean }[] = [];
  let bars = 0;
  for (let at = fromMs; at <= CLOSED; at += MINUTE_MS) {
    if (at < CLOSED && !openAt.has(at)) bars++;
    else {
      if (bars > 0) spans.push({ bars, isTail: at === CLOSED });
      bars = 0;
    }
  }
  // A long span is looked at in days first, and a hundred bars come again with the tail.
  return spans.reduce((pages, span) => pages + (span.bars > 2_000 ? 1 : 0) + Math.ceil((span.bars + (span.isTail ? 100 : 0)) / 1_000), 0);
}

describe('ballast data download', () => {
  test('has ninety days of minutes of two symbols, killed on the way and gone on with, as the venue has them', async (context) => {
    const { server, home } = await setUp(context);
    const killed = startBallast(home, ...DOWNLOAD);
    const second = join(home, 'data', 'bars', 'bybit', 'ETH-USDT_USDT', '1m');
    await until(
      'a part of the second symbol is stored',
      () => existsSync(second) && readdirSync(second).some((name) => name.endsWith('.parquet')),
    );
    killed.kill('SIGKILL');
    assert.equal((await killed.ended).signal, 'SIGKILL');
    const left = await Promise.all(SYMBOLS.map(async (symbol) => stored(home, symbol)));
    assert.equal(left[0]?.size, DAYS * 1_440 - 25, 'the first symbol is whole');
    assert.ok((left[1]?.size ?? 0) >= 50_000, `found ${left[1]?.size} bars of the second, expected what was stored on the way`);
    server.requests.length = 0;

    const { code, stdout, stderr } = await ballast(home, ...DOWNLOAD, '--json');
    assert.equal(code, 0, stderr);
    const { series, isInterrupted } = JSON.parse(stdout) as Downloaded;
    assert.equal(isInterrupted, false);
    assert.deepEqual(
      series.map(({ symbol, added, voidBars, missingBars }) => ({ symbol, added, voidBars, missingBars })),
      SYMBOLS.map((symbol, index) => ({ symbol, added: DAYS * 1_440 - 25 - (left[index]?.size ?? 0), voidBars: 25, missingBars: 0 })),
    );
    assert.equal(server.overLimit, 0);
    assert.equal(server.barRequests, left[1] === undefined ? NaN : pagesFor(left[1]));
    const store = await openStore(home);
    for (const [index, symbol] of SYMBOLS.entries()) {
      const bars = await store.load({ venue: 'bybit', symbol, timeframeMs: MINUTE_MS });
      const truth = server.truth(MARKETS[index]?.id ?? '', 'linear', CLOSED - DAYS * DAY_MS, CLOSED);
      for (const name of ['openAt', 'open', 'high', 'low', 'close', 'volume'] as const) {
        // Compared as a whole only when it differs: a comparison of a hundred thousand values in words takes seconds.
        if (!bars[name].every((value, row) => value === truth[name][row])) assert.deepEqual(bars[name], truth[name], `${symbol} ${name}`);
        assert.equal(bars[name].length, truth[name].length);
      }
    }
    await store.close();
  });

  test('stores what is complete when it is interrupted, says so, and fails', async (context) => {
    const { server, home } = await setUp(context);
    const program = startBallast(home, ...DOWNLOAD, '--json');
    await until('it is under way', () => server.barRequests > 40);
    program.kill('SIGINT');
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 1);
    assert.match(stderr, /SIGINT: storing what is complete/);
    assert.equal((JSON.parse(stdout) as Downloaded).isInterrupted, true);
    assert.ok((await stored(home, 'BTC/USDT:USDT')).size >= 30_000);
  });
});

describe('ballast data collect', () => {
  test('has one round with --once, and fails when a series failed', async (context) => {
    const { home } = await setUp(context, '[{ venue: bybit, symbols: [BTC/USDT:USDT, XX/USDT:USDT], days: 1 }]');
    const { code, stdout, stderr } = await ballast(home, 'data', 'collect', '--once', '--json');
    assert.equal(code, 1);
    const { series, failures } = JSON.parse(stdout) as Round;
    assert.deepEqual([series[0]?.added, failures[0]?.symbol, failures[0]?.error.code], [1_440, 'XX/USDT:USDT', 'SYMBOL_UNLISTED']);
    assert.match(
      stderr,
      /^failed: bybit XX\/USDT:USDT: found no such market.*\n\S+Z {2}2 series: new 1440, corrected 0, missing 0, failed 1, in \d+ s\n$/,
    );
  });

  test('goes on until it is told to end, and has ended cleanly then', async (context) => {
    const { home } = await setUp(context, '[{ venue: bybit, symbols: [BTC/USDT:USDT], timeframesMs: [1h], days: 2 }]');
    const program = startBallast(home, 'data', 'collect', '--every', '10s', '--json');
    await until('the first round is over', () => program.said().includes('1 series: new 48'));
    program.kill('SIGTERM');
    const { code, stdout } = await program.ended;
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { rounds: 1 });
  });
});
