// The state of a venue on tapes of books: saved at any moment, restored, recalled. What it says is in test/golden/book-cases.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tapeFrom } from '../../../test/golden/matching-case.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { add, amount, compare, format, notional, price, quantity, subtract, ZERO_QUANTITY } from '../../domain/decimal.ts';
import { isMarketEvent, type Event, type VenueReport } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { NEVER } from '../../domain/time.ts';
import { ASK, BID } from '../../domain/book.ts';
import { BarSource } from '../../market/bar-source.ts';
import { Random } from '../../quant/random.ts';
import { BookMarket } from './book-market.ts';
import type { MatchingRules } from './rules.ts';
import { SimulatedVenue } from './venue.ts';

const SECOND = 1_000;
const SECONDS = 60;

const PERPETUAL: Instrument = {
  venue: 'test',
  symbol: 'X/USDT:USDT',
  kind: 'linear',
  base: 'X',
  quote: 'USDT',
  tick: price('1'),
  lot: quantity('0.5'),
  minimumQuantity: quantity('0.5'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: -0.0002,
  fundingRate: 0.001,
  fundingIntervalMs: 7 * SECOND,
};

/** Records around 100 in which bids stay below 100 and asks above, but for a few seconds in which one side has left. */
function tapeLines(seed: number): string[] {
  const random = new Random(seed).fork('tape');
  const below = (count: number): number => Math.floor(random.uniform() * count);
  const lines = ['0 whole bid 99 5 98 10 97 20 ask 101 5 102 10 103 20'];
  for (let at = 1; at < SECONDS * SECOND; at += 1 + below(180)) {
    const isBid = below(2) === 0;
    const level = isBid ? 95 + below(5) : 101 + below(5);
    const kind = below(40);
    if (kind === 0) lines.push(`${at} lost`, `${at + 500} whole bid 99 4 97 3 ask 101 6 104 5`);
    else if (kind < 12) lines.push(`${at} ${isBid ? 'sell' : 'buy'} ${1 + below(6)} at ${level}`);
    else lines.push(`${at} ${isBid ? 'bid' : 'ask'} ${level} ${below(4) === 0 ? 0 : below(30) / 2}`);
  }
  return lines;
}

function bars(): BarSource {
  const flat = new Float64Array(SECONDS).fill(100);
  const columns = { openAt: flat.map((_, row) => row * SECOND), open: flat, high: flat, low: flat, close: flat, volume: flat };
  return new BarSource({ instrument: 0, timeframeMs: SECOND, chunks: [columns], from: 0 });
}

class Session {
  readonly source = bars();
  readonly venue: SimulatedVenue;
  readonly market: ReturnType<SimulatedVenue['watching']>;
  at = 0;

  constructor(seed: number, rules: Partial<MatchingRules>) {
    this.venue = new SimulatedVenue({
      instruments: [PERPETUAL],
      baseTimeframeMs: SECOND,
      capital: amount('100000'),
      slippageRatio: 0,
      latencyMs: 30,
      maximumLeverage: 10,
      allowSpotShort: false,
      notBefore: () => this.at,
      rules,
      books: [tapeFrom(tapeLines(seed))],
    });
    this.market = this.venue.watching(this.source);
  }

  next(): Event | undefined {
    const first = this.market.peekAt() < this.venue.peekAt() ? this.market : this.venue;
    if (first.peekAt() === NEVER) return undefined;
    const event = first.take();
    assert.ok(event.at >= this.at, `${event.kind} at ${event.at} after ${this.at}`);
    this.at = event.at;
    return event;
  }
}

/** What is sent in answer to the event of this number. */
function sent(seed: number, number: number, at: number): readonly ((venue: SimulatedVenue) => void)[] {
  const random = new Random(seed).fork(`deed ${number}`);
  const below = (count: number): number => Math.floor(random.uniform() * count);
  if (below(3) > 0) return [];
  const order = `o${below(number + 1)}`;
  if (below(6) === 0) return [(venue) => venue.cancel({ at, instrument: 0, order })];
  const level = (): ReturnType<typeof price> => price(String(94 + below(13)));
  if (below(6) === 0) {
    const change = { at, instrument: 0, order, limitPrice: level(), quantity: quantity(String(1 + below(9))) };
    return [(venue) => venue.amend(change)];
  }
  const type = (['market', 'limit', 'limit', 'limit', 'post-only', 'stop', 'trailing'] as const)[below(7)] ?? 'market';
  const isLimit = type === 'limit' || type === 'post-only';
  const isMarket = type === 'market';
  const intent: OrderIntent = {
    id: `o${number}`,
    at,
    instrument: 0,
    side: below(2) === 0 ? 'buy' : 'sell',
    type,
    role: 'target',
    quantity: quantity(String(1 + below(12))),
    limitPrice: isLimit ? level() : undefined,
    stopPrice: isLimit || isMarket ? undefined : level(),
    ...(type === 'trailing' ? { trailBy: price('2') } : {}),
    ...(isMarket || type === 'limit' ? [{}, {}, { timeInForce: 'ioc' } as const, { timeInForce: 'fok' } as const][below(4)] : {}),
    reduceOnly: !isLimit && !isMarket,
    wholePosition: false,
    shares: [],
    attached: [],
  };
  return [(venue) => venue.submit(intent)];
}

interface Story {
  readonly events: Event[];
  readonly hashes: string[];
}

function tell(seed: number, rules: Partial<MatchingRules>, check?: (session: Session, event: Event) => void): Story {
  const session = new Session(seed, rules);
  const story: Story = { events: [], hashes: [] };
  for (let event = session.next(); event !== undefined; event = session.next()) {
    for (const deed of sent(seed, story.events.length, event.at)) deed(session.venue);
    story.events.push({ ...event });
    story.hashes.push(session.venue.stateHash());
    check?.(session, event);
  }
  return story;
}

const RULES = fc.record({
  queueModel: fc.constantFrom('none', 'risk-averse', 'power', 'log'),
  queuePower: fc.constantFrom(1, 3),
  margin: fc.constantFrom('leverage', 'isolated', 'cross'),
  selfTrade: fc.constantFrom('allow', 'cancel-resting'),
  recordedResponsesMs: fc.constantFrom([], [], [40, 0, 1_500]),
});

test('cash is what fills, fees and funding left, and nothing fills beyond its quantity or its limit', () => {
  const counts = { fills: 0, makers: 0 };
  fc.assert(
    fc.property(fc.nat(), RULES, (seed, rules) => {
      let cash = amount('100000');
      const intents = new Map<string, OrderIntent>();
      const filled = new Map<string, ReturnType<typeof quantity>>();
      const session = new Session(seed, { ...rules, recordedResponsesMs: [] });
      for (let event = session.next(), number = 0; event !== undefined; event = session.next(), number++) {
        for (const deed of sent(seed, number, event.at)) {
          deed(session.venue);
          // What is sent is copied, and may be listened to.
          deed({
            submit: (intent: OrderIntent) => intents.set(intent.id, intent),
            cancel: () => 0,
            amend: () => 0,
          } as unknown as SimulatedVenue);
        }
        if (event.kind === 'funding.paid') cash = add(cash, event.amount);
        if (event.kind === 'order.repriced' && event.reason === '') {
          const intent = intents.get(event.order);
          if (intent !== undefined) intents.set(event.order, { ...intent, limitPrice: event.limitPrice, quantity: event.quantity });
        }
        const fill = 'fill' in event ? event.fill : undefined;
        if (fill === undefined || !('fill' in event) || event.kind === 'account.reported') continue;
        const side = event.kind === 'position.liquidated' ? event.side : intents.get(event.order)?.side;
        const paid = notional(fill.price, fill.quantity);
        cash = subtract(side === 'buy' ? subtract(cash, paid) : add(cash, paid), fill.fee);
        if (event.kind === 'position.liquidated') continue;
        const { limitPrice, quantity: wanted } = intents.get(event.order) ?? assert.fail('a fill is of an order that was sent');
        const sum = add(filled.get(event.order) ?? ZERO_QUANTITY, fill.quantity);
        filled.set(event.order, sum);
        assert.ok(compare(sum, wanted) <= 0);
        if (limitPrice !== undefined)
          assert.ok(side === 'buy' ? compare(fill.price, limitPrice) <= 0 : compare(fill.price, limitPrice) >= 0);
        counts.fills++;
        if (fill.liquidity === 'maker') counts.makers++;
      }
      assert.equal(format(session.venue.cash), format(cash));
    }),
    { numRuns: 40 },
  );
  assert.ok(counts.fills > 200 && counts.makers > 50, JSON.stringify(counts));
});

test('saved at any moment and restored over the same tape, it goes on as if nothing had been', () => {
  fc.assert(
    fc.property(fc.nat(), RULES, fc.nat(120), (seed, rules, cut) => {
      const whole = tell(seed, rules);
      const session = new Session(seed, rules);
      const at = Math.min(cut, whole.events.length - 1);
      for (let number = 0; number < at; number++) {
        const event = session.next();
        for (const deed of sent(seed, number, event?.at ?? NaN)) deed(session.venue);
      }
      const saved = new ByteWriter();
      session.venue.save(saved);
      session.source.save(saved);
      const again = new Session(seed, rules);
      const reader = new ByteReader(saved.view());
      again.venue.restore(reader);
      again.source.restore(reader);
      assert.ok(reader.ended);
      again.at = session.at;
      for (let number = at; number < whole.events.length; number++) {
        const event = again.next();
        assert.deepEqual({ ...event }, whole.events[number]);
        for (const deed of sent(seed, number, event?.at ?? NaN)) deed(again.venue);
        assert.equal(again.venue.stateHash(), whole.hashes[number]);
      }
    }),
    { numRuns: 40 },
  );
});

test('recalled report by report over the same tape it is the same venue at every step', () => {
  fc.assert(
    fc.property(fc.nat(), RULES, (seed, rules) => {
      const story = tell(seed, rules);
      const session = new Session(seed, rules);
      story.events.forEach((event, number) => {
        if (isMarketEvent(event)) {
          assert.equal(session.market.peekAt(), event.at);
          session.market.take();
        } else session.venue.recall(event as VenueReport);
        session.at = event.at;
        for (const deed of sent(seed, number, event.at)) deed(session.venue);
        assert.equal(session.venue.stateHash(), story.hashes[number], `after event ${number}, ${event.kind}`);
      });
    }),
    { numRuns: 40 },
  );
});

test('on a tape whose messages are gathered a trade takes what is better than its price, until a message tells of it', () => {
  const lines = ['0 whole bid 99 5 98 10 97 20 ask 101 5 102 10', '10 sell 1 at 98', '20 buy 1 at 102', '30 bid 99 4', '40 ask 101 0'];
  const bestAt = (isGathered: boolean): number[][] => {
    const rules = { queueModel: 'none', queuePower: 1, tradeThroughTicks: 1 } as const;
    const tape = { ...tapeFrom(lines), isGathered };
    const market = new BookMarket({ tape, resting: [], waiting: [], instrument: () => PERPETUAL, rules });
    return [5, 15, 25, 35, 45].map((at) => {
      market.reach(at);
      return [market.bestOf(BID), market.bestOf(ASK)];
    });
  };
  assert.deepEqual(bestAt(true), [
    [99, 101],
    [98, 101],
    [98, 102],
    [99, 102],
    [99, 102],
  ]);
  assert.deepEqual(bestAt(false), [
    [99, 101],
    [99, 101],
    [99, 101],
    [99, 101],
    [99, 102],
  ]);
});
