// Filters that change inside a bar to which an order had looked ahead. What they do to arriving orders is in test/golden/matching-cases.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { amount, format, price, quantity } from '../../domain/decimal.ts';
import type { Event } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { NEVER } from '../../domain/time.ts';
import { BarSource } from '../../market/bar-source.ts';
import type { MatchingRules } from './rules.ts';
import { SimulatedVenue } from './venue.ts';

const HOUR = 3_600_000;
/** In the middle of the third bar. */
const CHANGE = 2.5 * HOUR;
const LOWS = [104, 104, 99.9, 97, 97];

const INSTRUMENT: Instrument = {
  venue: 'test',
  symbol: 'X/USDT',
  kind: 'spot',
  base: 'X',
  quote: 'USDT',
  tick: price('0.01'),
  lot: quantity('0.01'),
  minimumQuantity: quantity('0'),
  minimumNotional: amount('0'),
  takerFeeRate: 0,
  makerFeeRate: 0,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

const BUY: OrderIntent = {
  id: 'o1',
  at: HOUR,
  instrument: 0,
  side: 'buy',
  type: 'limit',
  role: 'target',
  quantity: quantity('1'),
  limitPrice: price('100'),
  stopPrice: undefined,
  reduceOnly: false,
  wholePosition: false,
  shares: [],
  attached: [],
};

class Session {
  at = 0;
  readonly venue: SimulatedVenue;
  readonly source: BarSource;
  readonly market: ReturnType<SimulatedVenue['watching']>;

  constructor(rules: Partial<MatchingRules>, volume: readonly number[]) {
    this.venue = new SimulatedVenue({
      instruments: [INSTRUMENT],
      baseTimeframeMs: HOUR,
      capital: amount('10000'),
      slippageRatio: 0,
      latencyMs: 10,
      maximumLeverage: 1,
      allowSpotShort: false,
      notBefore: () => this.at,
      rules,
    });
    const flat = Float64Array.from(LOWS, () => 105);
    const openAt = flat.map((_, row) => row * HOUR);
    const columns = { openAt, open: flat, high: flat, low: Float64Array.from(LOWS), close: flat, volume: Float64Array.from(volume) };
    this.source = new BarSource({ instrument: 0, timeframeMs: HOUR, from: 0, chunks: [columns] });
    this.market = this.venue.watching(this.source);
  }

  next(): Event | undefined {
    const first = this.market.peekAt() < this.venue.peekAt() ? this.market : this.venue;
    if (first.peekAt() === NEVER) return undefined;
    const event = first.take();
    this.at = event.at;
    return event;
  }
}

/** Fills of the order, saved and restored into another venue after every event where asked. */
function fills(rules: Partial<MatchingRules>, volume: readonly number[], isRestored: boolean): string[] {
  let session = new Session(rules, volume);
  const told: string[] = [];
  let isSent = false;
  for (let event = session.next(); event !== undefined; event = session.next()) {
    const fill = 'fill' in event ? event.fill : undefined;
    if (fill !== undefined) told.push(`${event.at / HOUR}: ${format(fill.quantity)} at ${format(fill.price)}`);
    if (!isSent) session.venue.submit(BUY);
    isSent = true;
    if (!isRestored) continue;
    const saved = new ByteWriter();
    session.venue.save(saved);
    session.source.save(saved);
    const again = new Session(rules, volume);
    const reader = new ByteReader(saved.view());
    again.venue.restore(reader);
    again.source.restore(reader);
    again.at = session.at;
    assert.equal(again.venue.stateHash(), session.venue.stateHash());
    session = again;
  }
  return told;
}

test('what was due by the filters of before is held to those of the moment it falls due', () => {
  const many = LOWS.map(() => 1_000);
  for (const [rules, volume, before, after] of [
    // Two ticks through 100: of a cent 99.9 is enough, of a whole it takes 98.
    [{ tradeThroughTicks: 2, filters: [{ symbol: 'X/USDT', from: CHANGE, tick: 1 }] }, many, '3: 1 at 100', '4: 1 at 100'],
    // A tenth of the third bar is 5: five hundred of the old lots and none of the new.
    [
      { volumeShareRatio: 0.1, filters: [{ symbol: 'X/USDT', from: CHANGE, lot: 10 }] },
      [50, 50, 50, 1_000, 1_000],
      '3: 1 at 100',
      '4: 1 at 100',
    ],
  ] as const) {
    assert.deepEqual(fills({ ...rules, filters: [] }, volume, false), [before]);
    for (const responseLatencyMs of [0, 10]) {
      for (const isRestored of [false, true]) {
        const [fill] = fills({ ...rules, responseLatencyMs }, volume, isRestored);
        assert.match(fill ?? '', responseLatencyMs === 0 ? new RegExp(`^${after}$`) : /^4\.\d+: 1 at 100$/);
      }
    }
  }
});

test('finer filters let fill in the bar in which they come what the coarser ones would not have', () => {
  const rules = {
    tradeThroughTicks: 2,
    filters: [
      { symbol: 'X/USDT', from: 0, tick: 1 },
      { symbol: 'X/USDT', from: CHANGE, tick: 0.01 },
    ],
  };
  assert.deepEqual(
    fills(
      rules,
      LOWS.map(() => 1_000),
      false,
    ),
    ['3: 1 at 100'],
  );
});
