// `ballast simulate-venue` as its users start it: on the synthetic market and on the tape of a run.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { syntheticToServe, tapeToServe } from '../../src/app/served-market.ts';
import { amount } from '../../src/domain/decimal.ts';
import type { MarketEvent } from '../../src/domain/event.ts';
import { HOUR_MS, MINUTE_MS, NEVER, SECOND_MS } from '../../src/domain/time.ts';
import { Exchange } from '../../src/venues/bybit-server/exchange.ts';
import { levelsOf } from '../../src/venues/bybit-server/market-endpoints.ts';
import { BTC, ETH } from '../support/stepped-market.ts';
import { document, startBallast, temporaryHome, until } from '../support/run-app.ts';

/** Little to warm up, so that the tape is short. */
const CONFIG = `
paper:
  symbols: [${BTC}]
  timeframeMs: 5m
  warmupMs: 1d
  strategies:
    - { strategy: trend, parameters: { fast: 5, slow: 15 } }
`;

interface Started {
  readonly address: string;
  readonly from: string;
  readonly symbols: readonly string[];
  readonly accounts: readonly { readonly key: string; readonly secret: string }[];
}

async function start(home: string, ...words: readonly string[]): Promise<{ started: Started; program: ReturnType<typeof startBallast> }> {
  const program = startBallast(home, 'simulate-venue', '--port', '0', '--json', ...words);
  await until('an address', () => program.said().includes('"address"'));
  const line =
    program
      .said()
      .split('\n')
      .find((each) => each.startsWith('{')) ?? '';
  return { started: JSON.parse(line) as Started, program };
}

async function ask<Result>(address: string, path: string): Promise<Result> {
  const response = await fetch(`${address}${path}`);
  return ((await response.json()) as { readonly result: Result }).result;
}

const HISTORY_MS = 30 * MINUTE_MS;

describe('the command', { timeout: 30_000 }, () => {
  test('serves the synthetic market now, with keys of the seed, and ends cleanly; a port that is taken is a wrong argument', async () => {
    const home = temporaryHome('simulate-venue');
    const { started, program } = await start(home, '--symbols', BTC, '--accounts', '1', '--seed', '5');
    assert.deepEqual(started.symbols, ['BTCUSDT']);
    assert.equal(started.accounts.length, 1);
    const { list } = await ask<{ readonly list: string[][] }>(
      started.address,
      '/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&limit=2',
    );
    assert.ok(Math.abs(Number(list[0]?.[0]) - Date.now()) < 2 * MINUTE_MS, 'its time is ours');
    const taken = startBallast(home, 'simulate-venue', '--symbols', BTC, '--port', new URL(started.address).port);
    const refused = await taken.ended;
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--port: found port \d+ taken/);
    program.kill('SIGINT');
    const ended = await program.ended;
    assert.equal(ended.code, 0);
    assert.deepEqual((JSON.parse(ended.stdout) as Started).accounts, started.accounts);
  });

  test('serves the tape of a run: the prices that were recorded, in their order', async () => {
    const home = temporaryHome('simulate-tape', CONFIG);
    const { runId } = await document<{ readonly runId: string }>(
      home,
      'paper',
      '--seed',
      '3',
      '--speed',
      'max',
      '--until-bars',
      '90',
      '--port',
      '0',
    );
    const { market, from } = tapeToServe(home, runId);
    const seen: MarketEvent[] = [];
    const sources = market.sources.map((source) => ({
      ...source,
      instrument: source.instrument,
      peekAt: () => source.peekAt(),
      nextBar: () => source.nextBar(),
      get ended() {
        return source.ended;
      },
      take() {
        const ahead = source.nextBar();
        const event = source.take() as MarketEvent;
        if (event.kind === 'bar.closed') assert.equal(event.close, ahead?.close, 'the bar that was announced');
        seen.push({ ...event });
        return event;
      },
    }));
    const accounts = [{ name: 'one', uid: 1, key: 'k', secret: 's', capital: amount('1000') }];
    const exchange = new Exchange({ market: { ...market, sources }, accounts, from, seed: 1, slippageRatio: 0, rules: {} });
    exchange.advance(from + 24 * HOUR_MS);
    assert.equal(exchange.ended, true);
    assert.ok(seen.every(({ at }, index) => index === 0 || at >= (seen[index - 1]?.at ?? 0)));
    const bars = seen.filter(({ kind, instrument }) => kind === 'bar.closed' && instrument === 0);
    const listing = exchange.listings[0];
    assert.ok(listing !== undefined && bars.length >= 90);
    const minutes = listing.prices.bars('1', 0, from + HOUR_MS * 24, 90);
    assert.deepEqual(
      minutes.map(({ open, close, volume }) => [open, close, volume]),
      bars.slice(-90).map(({ open, close, volume }) => [open, close, volume]),
    );
    assert.deepEqual(levelsOf(listing, 1, 2).length, 2);
    const { started, program } = await start(home, '--source', runId, '--speed', '600');
    assert.equal(new Date(started.from).getTime(), from);
    assert.ok((await ask<{ readonly list: unknown[] }>(started.address, '/v5/market/tickers?category=linear')).list.length > 0);
    program.kill('SIGTERM');
    assert.equal((await program.ended).code, 0);
  });
});

describe('the synthetic market as it is served', { timeout: 30_000 }, () => {
  test('has a book around its price, a mark beside it, interest and a history', () => {
    const from = Date.UTC(2026, 5, 1, 12, 0, 30, 500);
    const { market } = syntheticToServe({ seed: 2, symbols: [BTC, ETH], from, historyMs: HISTORY_MS });
    const exchange = new Exchange({ market, accounts: [], from, seed: 2, slippageRatio: 0, rules: {} });
    for (let second = 0; second < 120; second++) {
      exchange.advance(from + second * SECOND_MS);
      for (const listing of exchange.listings) {
        const bid = Number(levelsOf(listing, 1, 1)[0]?.[0]);
        const ask_ = Number(levelsOf(listing, -1, 1)[0]?.[0]);
        assert.ok(bid < ask_, `${listing.symbol}: bid ${bid}, ask ${ask_}`);
        assert.ok(Math.abs(bid / listing.last - 1) < 0.002 && Math.abs(ask_ / listing.last - 1) < 0.002);
        assert.ok(Math.abs(listing.mark / listing.last - 1) < 0.02);
        assert.ok(Math.abs(listing.mark / listing.indexPrice - 1) < 0.02);
      }
    }
    const [btc] = exchange.listings;
    assert.equal(btc?.prices.bars('1', 0, from, Infinity).length, 31);
    assert.ok((btc?.interest.length ?? 0) >= 6);
    const beside = syntheticToServe({ seed: 2, symbols: ['BTC/USDT', BTC], from, historyMs: HISTORY_MS });
    const both = new Exchange({ market: beside.market, accounts: [], from, seed: 2, slippageRatio: 0, rules: {} });
    both.advance(from + 5 * SECOND_MS);
    const [spot, perpetual] = [both.listing('BTCUSDT', 'spot'), both.listing('BTCUSDT')];
    assert.equal(spot.last, perpetual.last, 'spot has the perpetual’s price');
    assert.deepEqual([spot.nextFundingAt(from), spot.fundingRate], [NEVER, 0]);
    // The same seed at another time is the same market.
    const later = syntheticToServe({ seed: 2, symbols: [BTC], from: from + 24 * HOUR_MS, historyMs: HISTORY_MS });
    const again = new Exchange({ market: later.market, accounts: [], from: from + 24 * HOUR_MS, seed: 2, slippageRatio: 0, rules: {} });
    const closes = (of: Exchange): number[] =>
      (of.listings[0]?.prices.bars('1', 0, NEVER, Infinity) ?? []).slice(0, 30).map(({ close }) => close);
    assert.deepEqual(closes(again), closes(exchange));
  });
});
