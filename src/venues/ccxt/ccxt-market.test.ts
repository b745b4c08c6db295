// Public data through unmodified ccxt at servers that speak Binance's protocol, and two of them merged into one best bid and offer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemTimers } from '../../app/system-timers.ts';
import { amount, price, quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { ConsolidatedBest } from '../../market/consolidated-best.ts';
import { Random } from '../../quant/random.ts';
import type { MarketMessage } from './bybit-market.ts';
import type { PolledQuote } from './ccxt-market.ts';
import { openCcxtMarket } from './open-ccxt-venue.ts';
import { BinanceServer } from '../../../test/conformance/binance-server.ts';

const MINUTE_MS = 60_000;
const SPOT: Instrument = {
  venue: 'binance',
  symbol: 'BTC/USDT',
  kind: 'spot',
  base: 'BTC',
  quote: 'USDT',
  tick: price('0.1'),
  lot: quantity('0.00001'),
  minimumQuantity: quantity('0.00001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.001,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) assert.fail('expected it within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('bars once each, trades once each, whole books; lost after failures and there again', { timeout: 30_000 }, async (context) => {
  const server = new BinanceServer('spot', { key: 'k', secret: 's' });
  const address = await server.listen();
  context.after(() => server.close());
  const [messages, quotes, events]: [MarketMessage[], PolledQuote[], string[]] = [[], [], []];
  const since = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 5 * MINUTE_MS;
  const books: number[] = [];
  const market = await openCcxtMarket({
    exchange: 'binance',
    address,
    deadlineMs: 1_000,
    signal: new AbortController().signal,
    instruments: [SPOT],
    timers: systemTimers,
    random: new Random(1),
    now: () => Date.now(),
    timeframeMs: MINUTE_MS,
    also: ['trades', 'books'],
    pollMs: 50,
    since: [since],
    warmsUp: true,
    onMessage: (message) => messages.push(message),
    onBook: (_instrument, { levels, to }) => books.push(to, levels.price[0] ?? NaN),
    onQuote: (quote) => quotes.push(quote),
    onLost: () => events.push('lost'),
    onRestored: () => events.push('restored'),
    onNotice: () => undefined,
  });
  const running = market.run();
  await until(() => quotes.length >= 2);
  const opens = messages.flatMap((message) => (message.kind === 'bar.closed' ? [message.openAt] : []));
  assert.ok(opens.length >= 4, `${opens.length} closed bars`);
  assert.deepEqual(
    opens,
    opens.map((_, index) => since + index * MINUTE_MS),
    'each once, and none is missing',
  );
  const trades = messages.filter(({ kind }) => kind === 'trade.printed');
  assert.equal(trades.length, 1, 'one trade, told once');
  assert.deepEqual([quotes[0]?.bid, quotes[0]?.ask], [59_999.5, 60_000.5]);
  assert.deepEqual(books.slice(0, 2), [20, 59_999.5]);
  for (let failure = 0; failure < 4; failure++) server.faults.push({ route: 'GET /api/v3/klines', fault: 'lose' });
  await until(() => events.includes('restored'));
  assert.deepEqual(events, ['lost', 'restored']);
  market.stop();
  await running;
});

test('two venues are one best bid and offer, each with its own fee', { timeout: 30_000 }, async (context) => {
  const best = new ConsolidatedBest([
    { name: 'one', takerFeeRate: 0.001, staleAfterMs: 60_000 },
    { name: 'other', takerFeeRate: 0, staleAfterMs: 60_000 },
  ]);
  for (const [venue, at] of [60_010, 60_000].entries()) {
    const server = new BinanceServer('spot', { key: 'k', secret: 's' });
    server.price = at;
    const address = await server.listen();
    context.after(() => server.close());
    const market = await openCcxtMarket({
      exchange: 'binance',
      address,
      deadlineMs: 1_000,
      signal: new AbortController().signal,
      instruments: [SPOT],
      timers: systemTimers,
      random: new Random(1),
      now: () => Date.now(),
      timeframeMs: MINUTE_MS,
      also: ['books'],
      pollMs: 50,
      since: [Date.now()],
      warmsUp: false,
      onMessage: () => undefined,
      onBook: () => undefined,
      onQuote: (quote) => best.quote(venue, quote.at, quote.bid, quote.bidQuantity, quote.ask, quote.askQuantity),
      onLost: () => best.lost(venue),
      onRestored: () => undefined,
      onNotice: () => undefined,
    });
    context.after(() => market.stop());
    void market.run();
  }
  await until(() => best.best(Date.now()).bid.venue === 1);
  const { bid, ask } = best.best(Date.now());
  assert.deepEqual([bid.price, ask.venue, ask.price], [59_999.5, 1, 60_000.5], 'ten dollars are less than the fee');
});
