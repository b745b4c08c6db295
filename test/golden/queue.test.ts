// Resting limits in the queues of a captured market: hftbacktest itself says when each of them fills, and a second count in plain dictionaries
// how much. See queue-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { amount, format, price, quantity, type Quantity } from '../../src/domain/decimal.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import { isMarketEvent } from '../../src/domain/event.ts';
import { NEVER } from '../../src/domain/time.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { BookMessages } from '../../src/market/book/book-messages.ts';
import { BINANCE_FUTURES_BOOK } from '../../src/market/book/book-sync.ts';
import { readCapture, readTrades } from '../../src/market/book/captures.fixture.ts';
import type { BookTape } from '../../src/venues/simulated/book-records.ts';
import type { MatchingRules } from '../../src/venues/simulated/rules.ts';
import type { QueueModel } from '../../src/venues/simulated/queue.ts';
import { SimulatedVenue } from '../../src/venues/simulated/venue.ts';
import { needs, sharedPath } from '../support/needs.ts';

const golden = z
  .object({
    made: z.object({ capture: z.string(), windowMs: z.number() }),
    orders: z.array(z.tuple([z.number(), z.enum(['buy', 'sell']), z.string()])),
    hftbacktest: z.record(z.string(), z.array(z.number())),
    swept: z.number(),
    sweeps: z.array(z.tuple([z.number(), z.enum(['buy', 'sell']), z.array(z.tuple([z.number(), z.number()]))])),
    lots: z.number(),
    fills: z.record(z.string(), z.array(z.array(z.tuple([z.number(), z.number()])))),
  })
  .parse(JSON.parse(readFileSync(new URL('queue.json', import.meta.url), 'utf8')));
const { capture: name, windowMs } = golden.made;
const SECOND = 1_000;

const BTC: Instrument = {
  venue: 'binance',
  symbol: 'BTC/USDT:USDT',
  kind: 'linear',
  base: 'BTC',
  quote: 'USDT',
  tick: price('0.1'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.0005,
  makerFeeRate: 0.0002,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

interface Fill {
  readonly at: number;
  readonly quantity: Quantity;
}

/** Seconds of nothing: they only tell the time. */
function seconds(first: number, last: number): BarSource {
  const count = Math.ceil((last - first) / SECOND) + 1;
  const flat = new Float64Array(count).fill(60_000);
  const columns = { openAt: flat.map((_, row) => first + row * SECOND), open: flat, high: flat, low: flat, close: flat, volume: flat };
  return new BarSource({ instrument: 0, timeframeMs: SECOND, chunks: [columns], from: 0 });
}

const FIRST = golden.orders[0]?.[0] ?? 0;
const LAST = (golden.orders.at(-1)?.[0] ?? 0) + windowMs;

function sessionOn(tape: BookTape, rules: Partial<MatchingRules>) {
  const clock = { closed: 0 };
  const venue = new SimulatedVenue({
    instruments: [BTC],
    baseTimeframeMs: SECOND,
    capital: amount('1000000000'),
    slippageRatio: 0,
    latencyMs: 1,
    maximumLeverage: 10,
    allowSpotShort: false,
    notBefore: () => clock.closed + 1,
    rules,
    books: [tape],
  });
  return { venue, market: venue.watching(seconds(FIRST - SECOND, LAST)), clock };
}

/** Fills of every golden order, each sent alone on its side and cancelled at the end of its window. */
function fillsOf(tape: BookTape, queueModel: QueueModel, queuePower: number, size: Quantity): Fill[][] {
  const { venue, market, clock } = sessionOn(tape, { queueModel, queuePower });
  const found: Fill[][] = golden.orders.map(() => []);
  const until = (time: number): void => {
    for (;;) {
      const source = market.peekAt() < venue.peekAt() ? market : venue;
      if (source.peekAt() === NEVER || source.peekAt() > time) break;
      const event = source.take();
      if (isMarketEvent(event) || event.kind !== 'order.filled') continue;
      const { fill, order } = event;
      if (fill === undefined) continue;
      assert.equal(fill.liquidity, 'maker');
      assert.equal(format(fill.price), format(price(golden.orders[Number(order)]?.[2] ?? '')));
      found[Number(order)]?.push({ at: event.at, quantity: fill.quantity });
    }
    clock.closed = time;
  };
  golden.orders.forEach(([at, side, level], number) => {
    // Two at a time: the first of them waits for the moment, and cancels the two before.
    if (number % 2 === 0) until(at);
    const common = { at, instrument: 0, side, role: 'target', reduceOnly: false, wholePosition: false, shares: [], attached: [] } as const;
    venue.submit({ ...common, id: String(number), type: 'post-only', quantity: size, limitPrice: price(level), stopPrice: undefined });
    if (number % 2 === 0) return;
    const end = at + windowMs - 2;
    until(end);
    for (const order of [number - 1, number]) venue.cancel({ at: end, instrument: 0, order: String(order) });
  });
  until(LAST);
  return found;
}

const modelOf = (key: string): readonly [QueueModel, number] => {
  const [model = '', power = ''] = key.split(' ');
  return [model as QueueModel, Math.max(1, Number(power))];
};

describe('a captured market', { skip: needs('shared data') }, async () => {
  const path = sharedPath(`data/3_tick/${name}`);
  const capture = await readCapture(path);
  const trades = await readTrades(path, capture.offsetMs);
  const tape = (): BookTape => ({
    messages: new BookMessages(capture.deltas, capture.snapshots),
    trades: [trades].values(),
    rules: BINANCE_FUTURES_BOOK,
  });

  for (const [key, times] of Object.entries(golden.hftbacktest)) {
    test(`limits of one lot fill when hftbacktest fills them: ${key}`, () => {
      const found = fillsOf(tape(), ...modelOf(key), quantity('0.001')).map(([fill]) => fill?.at ?? 0);
      assert.deepEqual(found, times);
      assert.ok(times.filter((at) => at > 0).length > 90);
    });
  }

  for (const [key, fills] of Object.entries(golden.fills)) {
    test(`larger ones fill in the same parts as by a second count: ${key}`, () => {
      const found = fillsOf(tape(), ...modelOf(key), quantity(`${golden.lots}e-3`)).map((each) =>
        each.map(({ at, quantity: part }) => [at, Math.round(Number(format(part)) * 1_000)]),
      );
      assert.deepEqual(found, fills);
    });
  }

  test('what takes the book takes the same levels, and finds gone what was taken before', () => {
    const { venue, market, clock } = sessionOn(tape(), {});
    let again = 0;
    for (const [at, side, wanted] of golden.sweeps) {
      const common = { at, instrument: 0, side, type: 'market', role: 'target', reduceOnly: false, wholePosition: false } as const;
      const parts: [number, number][] = [];
      for (const until of [at, at + 1]) {
        for (;;) {
          const source = market.peekAt() < venue.peekAt() ? market : venue;
          if (source.peekAt() > until) break;
          const event = source.take();
          if (isMarketEvent(event) || event.kind !== 'order.filled' || event.fill === undefined) continue;
          parts.push([Math.round(Number(format(event.fill.price)) * 10), Math.round(Number(format(event.fill.quantity)) * 1_000)]);
        }
        clock.closed = until;
        if (until > at) break;
        const size = quantity(`${golden.swept}e-3`);
        venue.submit({ ...common, id: `${at}`, quantity: size, limitPrice: undefined, stopPrice: undefined, shares: [], attached: [] });
      }
      assert.deepEqual(parts, wanted, `at ${at}`);
      if (wanted.length > 1) again++;
    }
    assert.ok(again > 50, `${again} took more than one level`);
  });
});
