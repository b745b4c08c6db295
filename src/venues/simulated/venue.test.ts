import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  notional,
  price,
  quantity,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Quantity,
} from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import { isMarketEvent, type Event, type MarketEvent, type OrderReport, type VenueReport } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isConditional, type OrderIntent } from '../../domain/order.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { MINUTE_MS, NEVER } from '../../domain/time.ts';
import { BarSource } from '../../market/bar-source.ts';
import { Random } from '../../quant/random.ts';
import { SimulatedVenue, type SimulatedVenueSettings } from './venue.ts';

type Bar = readonly [open: number, high: number, low: number, close: number];

const PERPETUAL: Instrument = {
  venue: 'test',
  symbol: 'X/USDT:USDT',
  kind: 'linear',
  base: 'X',
  quote: 'USDT',
  tick: price('0.01'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.0005,
  fundingRate: 0,
  fundingIntervalMs: 0,
};
const SPOT: Instrument = { ...PERPETUAL, symbol: 'X/USDT', kind: 'spot' };

/** Bars one minute apart from minute `first`; undefined is a gap. */
function columns(bars: readonly (Bar | undefined)[], first = 0): MarketSourceColumns {
  const rows = bars.flatMap((bar, index) => (bar === undefined ? [] : [[(first + index) * MINUTE_MS, ...bar, 1] as const]));
  const column = (position: number): Float64Array => Float64Array.from(rows, (row) => row[position] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}
type MarketSourceColumns = Readonly<Record<'openAt' | 'open' | 'high' | 'low' | 'close' | 'volume', Float64Array>>;

/** Prices that arrive one by one, as a feed's do: what comes next is not known. */
class Feed implements MarketSource {
  readonly instrument = 0;
  readonly #queue: MarketEvent[] = [];
  ended = false;
  push(kind: MarketEvent['kind'], at: number, [open, high, low, close]: Bar, happenedAt = at): void {
    this.#queue.push({ kind, at, happenedAt, instrument: 0, open, high, low, close, volume: 1, warmup: false });
  }
  peekAt(): number {
    return this.#queue[0]?.at ?? NEVER;
  }
  take(): MarketEvent {
    return this.#queue.shift() ?? assert.fail('nothing to take');
  }
  nextBar(): MarketEvent | undefined {
    return this.#queue[0]?.kind === 'bar.closed' ? this.#queue[0] : undefined;
  }
}

/** The clock and the loop, as far as a venue knows them. */
class Session {
  readonly venue: SimulatedVenue;
  readonly sources: MarketSource[];
  readonly reports: VenueReport[] = [];
  at = -1;
  #closed = -1;
  #orders = 0;

  constructor(sources: readonly MarketSource[], settings: Partial<SimulatedVenueSettings> = {}) {
    this.venue = new SimulatedVenue({
      instruments: [PERPETUAL],
      baseTimeframeMs: MINUTE_MS,
      capital: amount('10000'),
      slippageRatio: 0,
      latencyMs: 1,
      maximumLeverage: 10,
      allowSpotShort: false,
      notBefore: () => this.#closed + 1,
      ...settings,
    });
    this.sources = sources.map((source) => this.venue.watching(source));
  }

  /** The next event, the venue's before the market's at equal times; undefined when nothing will come. */
  next(until = NEVER): Event | undefined {
    const all = [this.venue, ...this.sources];
    let first = all[0];
    for (const source of all) if (source.peekAt() < (first?.peekAt() ?? NEVER)) first = source;
    if (first === undefined || first.peekAt() === NEVER || first.peekAt() > until) return undefined;
    const event = first.take();
    assert.ok(event.at >= this.at, `events come in order of time: ${event.kind} at ${event.at} after ${this.at}`);
    this.at = event.at;
    if (!isMarketEvent(event)) this.reports.push(event as VenueReport);
    return event;
  }

  /** Up to and including a time, or to the end. */
  run(until = NEVER): this {
    while (this.next(until) !== undefined);
    return this;
  }

  intent(changes: Partial<OrderIntent> = {}): OrderIntent {
    return {
      id: `o${++this.#orders}`,
      at: this.at,
      instrument: 0,
      side: 'buy',
      type: 'market',
      role: 'target',
      quantity: quantity('1'),
      limitPrice: undefined,
      stopPrice: undefined,
      reduceOnly: false,
      wholePosition: false,
      shares: [],
      attached: [],
      ...changes,
    };
  }

  /** A decision at the instant that is open: it is closed, and what is sent arrives later. */
  submit(changes: Partial<OrderIntent> = {}): OrderIntent {
    const intent = this.intent(changes);
    this.#closed = this.at;
    this.venue.submit(intent);
    return intent;
  }

  cancel(order: string, instrument = 0): void {
    this.#closed = this.at;
    this.venue.cancel({ at: this.at, instrument, order });
  }

  /** A stop on the same side of everything as an entry that buys. */
  stop(at: string, changes: Partial<OrderIntent> = {}): OrderIntent {
    return this.intent({ side: 'sell', type: 'stop', role: 'stop', stopPrice: price(at), reduceOnly: true, ...changes });
  }

  /** What was reported, in words: kind, order, and for a fill price and quantity. */
  get words(): string[] {
    return this.reports.map((report) => {
      if (report.kind === 'funding.paid') return `funding ${format(report.amount)}`;
      if (report.kind === 'position.liquidated') {
        const { side, fill } = report;
        return `liquidated ${side} ${format(fill.quantity)} at ${format(fill.price)} fee ${format(fill.fee)}`;
      }
      if (report.kind === 'order.amended')
        return `amended ${report.order} to ${format(report.stopPrice)}${report.reason === '' ? '' : `: ${report.reason}`}`;
      if (report.kind === 'order.repriced') {
        const terms = `${format(report.quantity)} at ${format(report.limitPrice)}`;
        return `repriced ${report.order} to ${terms}${report.reason === '' ? '' : `: ${report.reason}`}`;
      }
      const fill = report.fill === undefined ? '' : ` ${format(report.fill.quantity)} at ${format(report.fill.price)}`;
      return `${report.kind.slice(6)} ${report.order}${fill}${report.reason === '' ? '' : `: ${report.reason}`}`;
    });
  }
}

const FLAT: Bar = [100, 101, 99, 100];
/** A session of bars on one instrument, the first bar already closed. */
function bars(rest: readonly (Bar | undefined)[], settings: Partial<SimulatedVenueSettings> = {}): Session {
  return new Session([new BarSource({ instrument: 0, timeframeMs: MINUTE_MS, chunks: [columns([FLAT, ...rest])], from: 0 })], settings).run(
    MINUTE_MS,
  );
}

describe('a budget', () => {
  const PAID: Partial<SimulatedVenueSettings> = { instruments: [SPOT], slippageRatio: 0.001, rules: { margin: 'cash' } };

  test('buys what it pays for where it fills, slippage and fee included, and the rest of the estimate is cancelled', () => {
    const session = bars([[101, 102, 100, 101]], PAID);
    session.submit({ quantity: quantity('100'), budget: amount('10000') });
    session.run(MINUTE_MS + 1);
    // 10,000 / (101.11 x 1.001), down to the lot.
    assert.deepEqual(session.words, ['filled o1 98.803 at 101.11', 'cancelled o1: its budget is spent']);
    assert.ok(compare(session.venue.cash, ZERO_AMOUNT) >= 0 && toNumber(session.venue.cash) < 0.11, format(session.venue.cash));
  });

  test('buys more than was estimated where the price has fallen, and that is all of the order', () => {
    const session = bars([[90, 91, 89, 90]], PAID);
    session.submit({ quantity: quantity('100'), budget: amount('10000') });
    session.run(2 * MINUTE_MS);
    assert.deepEqual(session.words, ['filled o1 110.889 at 90.09']);
  });

  test('is cut to the cash there is, and an account without any has none', () => {
    const session = bars([FLAT, FLAT], { ...PAID, slippageRatio: 0, instruments: [{ ...SPOT, takerFeeRate: 0, lot: quantity('0') }] });
    session.submit({ quantity: quantity('99'), budget: amount('9900') });
    session.submit({ quantity: quantity('50'), budget: amount('5000') });
    session.run(2 * MINUTE_MS);
    // One unit of money is kept back for rounding.
    assert.deepEqual(
      session.words.filter((words) => words.startsWith('filled')),
      ['filled o1 98.999999999999 at 100', 'filled o2 1 at 100'],
    );
    const rest = toNumber(session.venue.cash);
    assert.ok(rest >= 0 && rest < 1e-9, `${rest}`);
  });

  test('takes what a bar gives and goes on with the next until its estimate is filled', () => {
    const session = bars([FLAT, FLAT, FLAT], { ...PAID, slippageRatio: 0, rules: { margin: 'cash', volumeShareRatio: 0.5 } });
    session.submit({ quantity: quantity('1.2'), budget: amount('120') });
    session.run(4 * MINUTE_MS);
    assert.deepEqual(session.words, [
      'filled o1 0.5 at 100',
      'filled o1 0.5 at 100',
      'filled o1 0.198 at 100',
      'cancelled o1: its budget is spent',
    ]);
  });

  test('ends where it pays for a lot that slips little and for none that slips as all of it would', () => {
    const rules = { margin: 'cash', volumeShareRatio: 0.5, slippageModel: 'volume-share' } as const;
    const session = bars([FLAT, FLAT, FLAT, FLAT], { ...PAID, slippageRatio: 0, rules });
    session.submit({ quantity: quantity('1.2'), budget: amount('63.33') });
    for (let event = 0; event < 40 && session.next() !== undefined; event++);
    assert.deepEqual(session.words, [
      'filled o1 0.5 at 102.5',
      'filled o1 0.109 at 100.12',
      'filled o1 0.01 at 100.01',
      'cancelled o1: its budget is spent',
    ]);
  });

  test('is for buying at the market only', () => {
    const session = bars([FLAT], PAID);
    session.submit({ type: 'limit', limitPrice: price('100'), budget: amount('100') });
    session.submit({ side: 'sell', budget: amount('100') });
    session.submit({ budget: amount('0') });
    session.submit({ reduceOnly: true, budget: amount('100') });
    session.submit({ pairedWith: 'o1', budget: amount('100') });
    session.run(MINUTE_MS + 1);
    assert.deepEqual(
      session.words,
      ['100', '100', '0', '100', '100'].map(
        (text, index) =>
          `rejected o${index + 1}: a budget of ${text} is for an order that buys at the market, neither to reduce nor in a pair`,
      ),
    );
  });
});

describe('the bar-fill rule', () => {
  test('a market order decided on a close fills at the next open, worse by the slippage', () => {
    const session = bars([[100, 110, 90, 105]], { slippageRatio: 0.001 });
    session.submit();
    session.run(MINUTE_MS + 1);
    assert.deepEqual(session.words, ['filled o1 1 at 100.1']);
    assert.equal(session.at, MINUTE_MS + 1, 'a fill is one latency after its submission');
    session.submit({ side: 'sell' });
    session.run(MINUTE_MS + 2);
    assert.equal(session.words[1], 'filled o2 1 at 99.9');
  });

  test('where orders fill at the close, that is the last one, worse by the slippage', () => {
    const session = bars(
      [
        [100, 110, 90, 105],
        [50, 51, 49, 50],
      ],
      { slippageRatio: 0.001, rules: { fill: 'close' } },
    );
    session.submit();
    session.run(2 * MINUTE_MS);
    session.submit({ side: 'sell', attached: [] });
    session.run(2 * MINUTE_MS + 1);
    assert.deepEqual(session.words, ['filled o1 1 at 100.1', 'filled o2 1 at 104.89']);
  });

  test('a stop slips by a ratio of its own where it has one, an order at the market does not', () => {
    const at = (stopSlippageRatio: number | null): readonly string[] => {
      const session = bars([FLAT, [98, 99, 95, 97]], { slippageRatio: 0.001, rules: { stopSlippageRatio } });
      session.submit({ attached: [session.stop('95')] });
      return session.run(3 * MINUTE_MS).words;
    };
    assert.deepEqual(at(0), ['filled o2 1 at 100.1', 'filled o1 1 at 95']);
    assert.deepEqual(at(0.01), ['filled o2 1 at 100.1', 'filled o1 1 at 94.05']);
    assert.deepEqual(at(null), ['filled o2 1 at 100.1', 'filled o1 1 at 94.9']);
  });

  test('slippage is rounded onto the tick against us', () => {
    const session = bars([FLAT], { slippageRatio: 0.00015 });
    session.submit();
    session.submit({ side: 'sell', quantity: quantity('2') });
    session.run(MINUTE_MS + 1);
    assert.deepEqual(session.words, ['filled o1 1 at 100.02', 'filled o2 2 at 99.98']);
  });

  test('a sell stop fills at the stop when the low reaches it, worse by the slippage', () => {
    const session = bars([FLAT, [98, 99, 95, 97]], { slippageRatio: 0.001 });
    session.submit({ attached: [session.stop('95')] });
    session.run(3 * MINUTE_MS);
    assert.equal(session.words[1], 'filled o1 1 at 94.9');
    assert.equal(session.at, 3 * MINUTE_MS);
  });

  test('a gap through the stop fills at the open', () => {
    const session = bars([FLAT, [90, 92, 89, 91]]);
    session.submit({ attached: [session.stop('95')] });
    assert.equal(session.run(3 * MINUTE_MS).words[1], 'filled o1 1 at 90');
  });

  test('a buy stop is the mirror image', () => {
    const at = (bar: Bar): string | undefined => {
      const session = bars([FLAT, bar], { slippageRatio: 0.001 });
      session.submit({ side: 'sell', attached: [session.stop('105', { side: 'buy' })] });
      return session.run(3 * MINUTE_MS).words[1];
    };
    assert.equal(at([102, 105, 101, 104]), 'filled o1 1 at 105.11');
    assert.equal(at([110, 111, 109, 110]), 'filled o1 1 at 110.11');
  });

  test('a stop that is not reached stays', () => {
    const session = bars([FLAT, [98, 99, 95.01, 97]]);
    session.submit({ attached: [session.stop('95')] });
    assert.deepEqual(session.run(3 * MINUTE_MS).words, ['filled o2 1 at 100']);
  });

  test('a buy limit fills at the limit without slippage, and only when the low is below it', () => {
    const session = bars(
      [
        [100, 101, 95, 100],
        [100, 101, 94.99, 100],
      ],
      { slippageRatio: 0.001 },
    );
    session.submit({ type: 'limit', limitPrice: price('95') });
    assert.deepEqual(session.run(2 * MINUTE_MS).words, ['accepted o1']);
    session.run(3 * MINUTE_MS);
    assert.equal(session.words[1], 'filled o1 1 at 95');
    const [, report] = session.reports;
    assert.ok(report !== undefined && 'fill' in report);
    assert.deepEqual([report.fill?.liquidity, format(report.fill?.fee ?? ZERO_AMOUNT)], ['maker', '0.0475']);
  });

  test('a buy limit above the open fills at the open', () => {
    const session = bars([[90, 91, 89, 90]], { slippageRatio: 0.001 });
    session.submit({ type: 'limit', limitPrice: price('95') });
    assert.equal(session.run(2 * MINUTE_MS).words[1], 'filled o1 1 at 90');
  });

  test('a sell limit is the mirror image', () => {
    const at = (bar: Bar): string | undefined => {
      const session = bars([bar]);
      session.submit({ side: 'sell', type: 'limit', limitPrice: price('105') });
      return session.run(2 * MINUTE_MS).words[1];
    };
    assert.equal(at([100, 105, 99, 100]), undefined);
    assert.equal(at([100, 105.01, 99, 100]), 'filled o1 1 at 105');
    assert.equal(at([107, 108, 106, 107]), 'filled o1 1 at 107');
  });

  test("an entry's stop is tested against the bar in which the entry fills at the open", () => {
    const session = bars([[100, 101, 94, 96]]);
    session.submit({ attached: [session.stop('95')] });
    assert.deepEqual(session.run(2 * MINUTE_MS).words, ['filled o2 1 at 100', 'filled o1 1 at 95']);
  });

  test("an entry's stop is tested against the bar inside which its limit fills", () => {
    const session = bars([[100, 101, 94, 96]]);
    session.submit({ type: 'limit', limitPrice: price('98'), attached: [session.stop('95')] });
    assert.deepEqual(session.run(2 * MINUTE_MS).words, ['accepted o2', 'filled o2 1 at 98', 'filled o1 1 at 95']);
  });

  test('stop before target when both are inside one bar', () => {
    const session = bars([FLAT, [100, 120, 90, 110]]);
    session.submit({ attached: [session.stop('95')] });
    session.submit({ side: 'sell', type: 'limit', limitPrice: price('110'), reduceOnly: true });
    session.run(3 * MINUTE_MS);
    assert.deepEqual(session.words, [
      'filled o2 1 at 100',
      'accepted o3',
      'filled o1 1 at 95',
      'cancelled o3: reduce-only: there is no position to reduce',
    ]);
  });

  test('of several stops the one nearest to the open fills first', () => {
    const session = bars([FLAT, [100, 101, 80, 90]]);
    const far = session.stop('85', { quantity: quantity('0.4') });
    const near = session.stop('95', { quantity: quantity('0.6') });
    session.submit({ attached: [far, near] });
    assert.deepEqual(session.run(3 * MINUTE_MS).words.slice(1), [`filled ${near.id} 0.6 at 95`, `filled ${far.id} 0.4 at 85`]);
  });

  test('an order that arrives in a gap of the data waits for the next open', () => {
    const session = bars([undefined, undefined, [120, 121, 119, 120]]);
    session.submit();
    session.run(3 * MINUTE_MS);
    assert.deepEqual(session.words, ['accepted o1', 'filled o1 1 at 120']);
    assert.equal(session.at, 3 * MINUTE_MS, 'when that bar opens');
  });

  test('latency longer than a bar fills in the bar that contains the arrival', () => {
    const session = bars(
      [
        [101, 102, 100, 101],
        [102, 103, 101, 102],
        [103, 104, 102, 103],
      ],
      { latencyMs: 90_000 },
    );
    session.submit();
    session.run(MINUTE_MS + 90_000);
    assert.deepEqual(session.words, ['filled o1 1 at 102']);
  });

  test('latency of exactly a bar fills in the bar that begins then, not in the one that is over', () => {
    const session = bars(
      [
        [101, 102, 100, 101],
        [102, 103, 101, 102],
      ],
      { latencyMs: MINUTE_MS },
    );
    session.submit();
    session.run();
    assert.deepEqual(session.words, ['accepted o1', 'filled o1 1 at 102']);
  });

  test('an order that arrives inside a bar takes the last trade seen in it, else the open', () => {
    const feed = new Feed();
    const session = new Session([feed]);
    feed.push('bar.closed', MINUTE_MS, FLAT);
    session.run();
    session.submit();
    feed.push('trade.printed', MINUTE_MS + 500, [103, 103, 103, 103]);
    session.run();
    // No trade was known when it arrived: it waits until the bar that contains it is known.
    assert.deepEqual(session.words, ['accepted o1']);
    session.submit();
    session.run();
    assert.deepEqual(session.words, ['accepted o1', 'filled o2 1 at 103']);
    feed.push('mark.changed', MINUTE_MS + 600, [150, 150, 150, 150]);
    feed.push('bar.closed', 2 * MINUTE_MS + 40, [102, 104, 101, 103], 2 * MINUTE_MS);
    session.run();
    assert.equal(session.words[2], 'filled o1 1 at 102');
  });

  test('of a feed, a bar that ended before an order arrived does not fill it', () => {
    const feed = new Feed();
    const session = new Session([feed]);
    feed.push('bar.closed', MINUTE_MS, FLAT);
    session.run();
    session.at = 2 * MINUTE_MS + 10;
    session.submit();
    session.run();
    feed.push('bar.closed', 2 * MINUTE_MS + 50, [90, 91, 89, 90], 2 * MINUTE_MS);
    session.run();
    assert.deepEqual(session.words, ['accepted o1']);
    feed.push('bar.closed', 3 * MINUTE_MS + 50, [91, 92, 90, 91], 3 * MINUTE_MS);
    assert.equal(session.run().words[1], 'filled o1 1 at 91');
  });

  test('an event is never before the instant that is already decided', () => {
    const feed = new Feed();
    const session = new Session([feed]);
    feed.push('bar.closed', MINUTE_MS, FLAT);
    session.run();
    session.submit({ at: MINUTE_MS - 5_000 });
    session.run();
    assert.equal(session.reports[0]?.at, MINUTE_MS + 1);
  });
});

describe('stops', () => {
  test('attached stops come to rest with the first fill, and go with an entry that never filled', () => {
    const session = bars([FLAT, FLAT]);
    const stop = session.stop('95');
    const entry = session.submit({ type: 'limit', limitPrice: price('90'), attached: [stop] });
    session.run(2 * MINUTE_MS);
    session.cancel(entry.id);
    session.run(2 * MINUTE_MS + 1);
    assert.deepEqual(session.words, ['accepted o2', 'cancelled o2: asked for']);
    assert.deepEqual(session.venue.openOrders(), []);
  });

  test('attached stops go with an entry that ends for want of something to reduce', () => {
    const session = bars([FLAT, FLAT]);
    session.submit();
    const entry = session.submit({
      side: 'sell',
      reduceOnly: true,
      type: 'limit',
      limitPrice: price('100.5'),
      attached: [session.stop('95')],
    });
    session.submit({ side: 'sell' });
    session.run(2 * MINUTE_MS);
    assert.equal(session.words.at(-1), `cancelled ${entry.id}: reduce-only: there is no position to reduce`);
    assert.deepEqual(session.venue.openOrders(), []);
  });

  test('an attached stop may be cancelled before its entry fills', () => {
    const session = bars([FLAT, [100, 101, 80, 90]]);
    const stop = session.stop('95');
    session.submit({ type: 'limit', limitPrice: price('98'), attached: [stop] });
    session.cancel(stop.id);
    assert.deepEqual(session.run(3 * MINUTE_MS).words, ['accepted o2', 'cancelled o1: asked for', 'filled o2 1 at 98']);
  });

  const whole = (session: Session, at: string): OrderIntent => session.stop(at, { role: 'disaster', wholePosition: true });

  test('a whole-position stop follows the position and ends with it', () => {
    const session = bars([FLAT, FLAT, [100, 101, 80, 90]]);
    session.submit({ attached: [whole(session, '85')] });
    session.run(2 * MINUTE_MS);
    session.submit({ quantity: quantity('2') });
    session.run(4 * MINUTE_MS);
    assert.deepEqual(session.words, ['filled o2 1 at 100', 'filled o3 2 at 100', 'filled o1 3 at 85']);
    assert.ok(isZero(session.venue.position[0] ?? ZERO_QUANTITY));
  });

  test('of a position that has shrunk a whole-position stop closes what is left, and says that it is over', () => {
    const session = bars([FLAT, FLAT, [100, 101, 80, 90]]);
    session.submit({ attached: [whole(session, '85')] });
    session.run(2 * MINUTE_MS);
    session.submit({ side: 'sell', quantity: quantity('0.4'), reduceOnly: true });
    session.run(4 * MINUTE_MS);
    assert.deepEqual(session.words.slice(2), ['filled o1 0.6 at 85', 'cancelled o1: reduce-only: the position is closed']);
  });

  test('a whole-position stop ends when its position is closed, and when it flips', () => {
    for (const size of ['1', '3']) {
      const session = bars([FLAT, FLAT]);
      session.submit({ attached: [whole(session, '85')] });
      session.run(2 * MINUTE_MS);
      session.submit({ side: 'sell', quantity: quantity(size) });
      session.run(3 * MINUTE_MS);
      assert.equal(session.words[2], 'cancelled o1: its position is closed');
      assert.deepEqual(session.venue.openOrders(), []);
    }
  });

  test('a whole-position stop that comes too late for its position ends at once', () => {
    const session = bars([FLAT]);
    const stop = whole(session, '85');
    session.venue.submit(stop);
    session.run(2 * MINUTE_MS);
    assert.deepEqual(session.words, ['accepted o1', 'cancelled o1: its position is closed']);
  });

  test('reduce-only orders shrink to the position, and are refused where there is none', () => {
    const session = bars([FLAT, FLAT]);
    session.submit({ side: 'sell', reduceOnly: true });
    session.submit();
    session.submit({ side: 'sell', quantity: quantity('3'), reduceOnly: true });
    session.submit({ side: 'buy', reduceOnly: true });
    assert.deepEqual(session.run(2 * MINUTE_MS).words, [
      'rejected o1: reduce-only: there is no position to reduce',
      'filled o2 1 at 100',
      'filled o3 1 at 100',
      'cancelled o3: reduce-only: the position is closed',
      'rejected o4: reduce-only: there is no position to reduce',
    ]);
  });

  test('a post-only order that would take is refused, and one that would not rests', () => {
    const session = bars([FLAT, FLAT]);
    const stop = session.stop('95');
    session.submit({ type: 'post-only', limitPrice: price('100'), attached: [stop] });
    session.submit({ type: 'post-only', limitPrice: price('99.5') });
    session.submit({ type: 'post-only', side: 'sell', limitPrice: price('100') });
    session.submit({ type: 'post-only', side: 'sell', limitPrice: price('100.01') });
    session.run(MINUTE_MS + 1);
    const why = 'post-only: it would have taken liquidity';
    assert.deepEqual(session.words, [`rejected o2: ${why}`, 'accepted o3', `rejected o4: ${why}`, 'accepted o5']);
    assert.deepEqual(
      session.venue.openOrders().map((order) => order.id),
      ['o3', 'o5'],
      'nothing of the refused is left',
    );
  });
});

describe('refusals', () => {
  const refusal = (
    changes: (session: Session) => Partial<OrderIntent>,
    settings: Partial<SimulatedVenueSettings> = {},
  ): string | undefined => {
    const session = bars([FLAT], settings);
    session.submit(changes(session));
    return session
      .run(MINUTE_MS + 1)
      .words.at(-1)
      ?.replace(/^rejected o\d+: /, '');
  };

  test('each filter says what was found and what is asked', () => {
    assert.equal(
      refusal(() => ({ quantity: quantity('0') })),
      'quantity 0 is not positive',
    );
    assert.equal(
      refusal(() => ({ quantity: quantity('1.0005') })),
      'quantity 1.0005 is off the lot 0.001',
    );
    assert.equal(
      refusal(() => ({ quantity: quantity('0.001') }), { instruments: [{ ...PERPETUAL, minimumQuantity: quantity('0.01') }] }),
      'quantity 0.001 is below the minimum 0.01',
    );
    assert.equal(
      refusal(() => ({ quantity: quantity('0.049') })),
      'notional 4.9 is below the minimum 5',
    );
    assert.equal(
      refusal(() => ({ type: 'limit', limitPrice: price('100.005') })),
      'price 100.005 is off the tick 0.01',
    );
    assert.equal(
      refusal(() => ({ type: 'limit', limitPrice: price('-1') })),
      'price -1 is not positive',
    );
    assert.equal(
      refusal(() => ({ type: 'limit' })),
      'a limit order without a price',
    );
    assert.equal(
      refusal(() => ({ type: 'post-only' })),
      'a limit order without a price',
    );
    assert.equal(
      refusal(() => ({ type: 'stop' })),
      'a stop without a price',
    );
    assert.equal(
      refusal(() => ({ instrument: 7 })),
      'unknown instrument',
    );
  });

  test('an entry is refused for a stop that could not rest', () => {
    assert.equal(
      refusal((session) => ({ attached: [session.stop('95.001')] })),
      'attached o1: price 95.001 is off the tick 0.01',
    );
  });

  test('a client order id is used once while its order is open', () => {
    const session = bars([FLAT]);
    const { id } = session.submit({ type: 'limit', limitPrice: price('90') });
    session.submit({ id, type: 'limit', limitPrice: price('91') });
    assert.equal(session.run(MINUTE_MS + 1).words[1], `rejected ${id}: duplicate client order id ${id}`);
  });

  test('reduce-only orders need not be worth anything', () => {
    const session = bars([FLAT]);
    session.submit();
    session.submit({ side: 'sell', quantity: quantity('0.001'), reduceOnly: true });
    assert.equal(session.run(MINUTE_MS + 1).words[1], 'filled o2 0.001 at 100');
  });

  test('margin bounds what increases, never what decreases', () => {
    const session = bars([FLAT], { maximumLeverage: 2 });
    session.submit({ quantity: quantity('200') });
    session.submit({ quantity: quantity('1') });
    session.submit({ side: 'sell', quantity: quantity('250') });
    session.run(MINUTE_MS + 1);
    assert.equal(session.words[0], 'filled o1 200 at 100');
    assert.match(session.words[1] ?? '', /^rejected o2: insufficient margin: exposure 20100\.00 over equity 9980\.00 exceeds leverage 2$/);
    assert.equal(session.words[2], 'filled o3 250 at 100');
  });

  test('spot is bought with cash and sold from what is held', () => {
    const session = bars([FLAT], { instruments: [SPOT] });
    session.submit({ quantity: quantity('101') });
    session.submit({ side: 'sell' });
    session.submit({ quantity: quantity('50') });
    session.submit({ side: 'sell', quantity: quantity('50') });
    assert.deepEqual(session.run(MINUTE_MS + 1).words, [
      'rejected o1: insufficient balance: 10000 USDT free, 10100 needed',
      'rejected o2: insufficient balance: 0 X held, 1 to sell',
      'filled o3 50 at 100',
      'filled o4 50 at 100',
    ]);
  });

  test('a resting sale on spot shrinks to what is still held, and ends without it', () => {
    const session = bars([FLAT, [100, 120, 99, 100]], { instruments: [SPOT] });
    session.submit({ quantity: quantity('3') });
    session.submit({ side: 'sell', type: 'limit', limitPrice: price('110'), quantity: quantity('3') });
    session.submit({ side: 'sell', type: 'limit', limitPrice: price('115'), quantity: quantity('3') });
    session.submit({ side: 'sell', quantity: quantity('1') });
    assert.deepEqual(session.run(3 * MINUTE_MS).words.slice(4), [
      'filled o2 2 at 110',
      'cancelled o2: insufficient balance',
      'cancelled o3: insufficient balance',
    ]);
  });

  test('where research allows it spot may be short, within the margin', () => {
    const session = bars([FLAT], { instruments: [SPOT], allowSpotShort: true, maximumLeverage: 1 });
    session.submit({ side: 'sell', quantity: quantity('50') });
    session.submit({ quantity: quantity('200') });
    session.run(MINUTE_MS + 1);
    assert.equal(session.words[0], 'filled o1 50 at 100');
    assert.match(session.words[1] ?? '', /insufficient margin/);
  });

  test('before any price is known worth cannot be judged, and the order waits', () => {
    const session = new Session([new BarSource({ instrument: 0, timeframeMs: MINUTE_MS, chunks: [columns([FLAT], 5)], from: 0 })]);
    session.at = 0;
    session.submit({ quantity: quantity('0.001') });
    assert.deepEqual(session.run(5 * MINUTE_MS).words, ['accepted o1', 'filled o1 0.001 at 100']);
  });
});

describe('money', () => {
  test('fees are exact: of the notional, by liquidity', () => {
    const session = bars([[100.37, 101, 99, 100]]);
    session.submit({ quantity: quantity('1.234') });
    session.run(MINUTE_MS + 1);
    const [report] = session.reports;
    assert.ok(report !== undefined && 'fill' in report);
    assert.equal(format(report.fill?.fee ?? ZERO_AMOUNT), '0.12385658');
    assert.equal(format(session.venue.cash), '9876.01956342');
    assert.equal(session.venue.equity(), toNumber(session.venue.cash) + 1.234 * 100);
  });

  const FUNDED: Instrument = { ...PERPETUAL, fundingRate: 0.0001, fundingIntervalMs: 5 * MINUTE_MS, takerFeeRate: 0 };
  const rising: Bar[] = Array.from({ length: 12 }, (_, index) => [101 + index, 102 + index, 100 + index, 101 + index]);

  test('longs pay a positive rate at each boundary, on the price at the boundary; shorts receive it', () => {
    for (const [side, sign] of [
      ['buy', '-'],
      ['sell', ''],
    ] as const) {
      const session = bars(rising, { instruments: [FUNDED] });
      session.submit({ side, quantity: quantity('2') });
      session.run();
      const payments = session.reports.filter((report) => report.kind === 'funding.paid');
      // The bars that close at 5 and 10 minutes close at 104 and 109.
      assert.deepEqual(
        payments.map((report) => [report.at / MINUTE_MS, format(report.amount), report.rate]),
        [
          [5, `${sign}0.0208`, 0.0001],
          [10, `${sign}0.0218`, 0.0001],
        ],
      );
    }
  });

  test('who holds nothing at a boundary neither pays nor owes it later', () => {
    const session = bars(rising, { instruments: [FUNDED] });
    session.submit();
    session.run(3 * MINUTE_MS);
    session.submit({ side: 'sell' });
    session.run(7 * MINUTE_MS);
    session.submit();
    session.run();
    const payments = session.reports.filter((report) => report.kind === 'funding.paid');
    assert.deepEqual(
      payments.map((report) => report.at / MINUTE_MS),
      [10],
    );
  });

  test('a flip in between is one position at the boundary', () => {
    const session = bars(rising, { instruments: [FUNDED] });
    session.submit();
    session.run(3 * MINUTE_MS);
    session.submit({ side: 'sell', quantity: quantity('2') });
    session.run(6 * MINUTE_MS);
    assert.deepEqual(
      session.words.filter((word) => word.startsWith('funding')),
      ['funding 0.0104'],
    );
  });

  test('where the boundary falls into a gap the last price known is paid on', () => {
    const session = bars([...rising.slice(0, 2), undefined, undefined, undefined, undefined, ...rising.slice(6)], {
      instruments: [FUNDED],
    });
    session.submit();
    session.run(6 * MINUTE_MS);
    assert.deepEqual(session.words.slice(1), ['funding -0.0102']);
  });
});

describe('ends', () => {
  test('a cancel of an order that has ended is answered', () => {
    const session = bars([FLAT]);
    const { id } = session.submit();
    session.run(MINUTE_MS + 1);
    session.cancel(id);
    assert.equal(session.run(MINUTE_MS + 2).words[1], `cancelled ${id}: it had already ended`);
  });

  test('orders still open when the tape ends are named, and then nothing is to come', () => {
    const session = bars([FLAT, [100, 101, 99.5, 100]], {
      instruments: [{ ...PERPETUAL, fundingRate: 0.01, fundingIntervalMs: MINUTE_MS }],
    });
    session.submit({ type: 'limit', limitPrice: price('50'), attached: [session.stop('40')] });
    session.submit({ attached: [session.stop('90')] });
    session.run(3 * MINUTE_MS);
    assert.equal(session.venue.ended, false);
    session.submit();
    session.run();
    assert.deepEqual(session.words.slice(-4), [
      'accepted o5',
      'expired o2: the tape ended',
      'expired o3: the tape ended',
      'expired o5: the tape ended',
    ]);
    assert.deepEqual([session.venue.ended, session.venue.peekAt(), session.venue.openOrders().length], [true, NEVER, 0]);
    assert.throws(() => session.venue.take(), /had none/);
  });

  test('a feed that ends without another price ends its orders too', () => {
    const feed = new Feed();
    const session = new Session([feed]);
    feed.push('bar.closed', MINUTE_MS, FLAT);
    session.run();
    session.submit({ type: 'limit', limitPrice: price('50') });
    session.run();
    assert.deepEqual(session.words, ['accepted o1']);
    feed.ended = true;
    assert.deepEqual(session.run().words, ['accepted o1', 'expired o1: the tape ended']);
  });
});

test('a bar costs no look ahead while nothing rests, waits or is held', () => {
  let looks = 0;
  const source = new BarSource({
    instrument: 0,
    timeframeMs: MINUTE_MS,
    chunks: [columns(Array.from({ length: 50 }, () => FLAT))],
    from: 0,
  });
  const counted: MarketSource = {
    instrument: 0,
    peekAt: () => source.peekAt(),
    take: () => source.take(),
    nextBar: () => {
      looks++;
      return source.nextBar();
    },
    get ended() {
      return source.ended;
    },
    get isLoading() {
      return source.isLoading;
    },
    onArrival: (wake) => source.onArrival(wake),
  };
  const session = new Session([counted]);
  session.run(20 * MINUTE_MS);
  assert.equal(looks, 0);
  session.submit();
  session.run(40 * MINUTE_MS);
  assert.equal(looks, 1, 'the order looked once; a position without orders owes nothing');
  const [watched] = session.sources;
  assert.ok(watched !== undefined);
  assert.equal(watched.isLoading, false);
  assert.equal(watched.nextBar()?.happenedAt, 41 * MINUTE_MS);
  watched.onArrival?.(() => assert.fail('nobody is waited for'));
});

test('a report that was not to be said is a divergence', () => {
  const session = bars([FLAT]);
  const { id } = session.submit();
  const report: OrderReport = {
    kind: 'order.accepted',
    at: 5,
    happenedAt: 5,
    instrument: 0,
    order: 'unheard-of',
    reason: '',
    fill: undefined,
  };
  assert.throws(
    () => session.venue.recall(report),
    (error: unknown) => error instanceof BallastError && error.code === 'VENUE_DIVERGED',
  );
  const fill = { id: 'f1', price: price('100'), quantity: quantity('1'), fee: amount('0.1'), liquidity: 'taker' } as const;
  session.venue.recall({ ...report, kind: 'order.filled', order: id, fill });
  const { id: close } = session.submit({ side: 'sell', quantity: quantity('2'), reduceOnly: true });
  session.venue.recall({ ...report, kind: 'order.filled', order: close, fill: { ...fill, id: 'f2' } });
  assert.throws(
    () => session.venue.recall({ ...report, order: close }),
    /found order\.accepted in the recording, expected order\.cancelled/,
  );
});

// ---- at random -------------------------------------------------------------------------------------------------------------

const INSTRUMENTS: readonly Instrument[] = [
  { ...PERPETUAL, fundingRate: 0.0003, fundingIntervalMs: 3 * MINUTE_MS },
  { ...SPOT, symbol: 'Y/USDT', base: 'Y', tick: price('0.001'), lot: quantity('0.01') },
];

type Deed =
  | { readonly submit: OrderIntent }
  | { readonly amend: string; readonly to: string; readonly at: number; readonly instrument: number }
  | { readonly reprice: string; readonly to: string; readonly size: string; readonly at: number; readonly instrument: number }
  | { readonly cancel: string; readonly at: number; readonly instrument: number };

test('a stop is moved in place a round trip later, or told why not; the old trigger holds until then', () => {
  const session = bars([[100, 100, 98, 99], FLAT, [100, 100, 96, 97]]);
  session.submit({ attached: [session.stop('95')] });
  session.run(MINUTE_MS + 10);
  const move = (to: string, order = 'o1'): void => session.venue.amend({ at: session.at, instrument: 0, order, stopPrice: price(to) });
  move('94.999999');
  move('97');
  move('97', 'o2');
  move('97', 'o9');
  session.run();
  assert.deepEqual(session.words, [
    'filled o2 1 at 100',
    'amended o1 to 95: price 94.999999 is off the tick 0.01',
    'amended o1 to 97',
    'cancelled o2: it had already ended',
    'cancelled o9: it had already ended',
    'filled o1 1 at 97',
  ]);
});

test('only a stop has a trigger to be moved', () => {
  const session = bars([FLAT, FLAT]);
  session.submit({ type: 'limit', limitPrice: price('50') });
  session.run(MINUTE_MS + 10);
  session.venue.amend({ at: session.at, instrument: 0, order: 'o1', stopPrice: price('97') });
  session.run(2 * MINUTE_MS);
  assert.deepEqual(session.words, ['accepted o1', 'amended o1 to 97: a limit order has no trigger']);
});

/** What was done after each event, so that it can be done again. */
interface Story {
  readonly events: Event[];
  readonly deeds: Deed[][];
  readonly hashes: string[];
}

function randomBars(random: Random, count: number): (Bar | undefined)[] {
  let last = 100;
  return Array.from({ length: count }, () => {
    const open = last * (1 + 0.01 * (random.uniform() - 0.5));
    const close = open * (1 + 0.04 * (random.uniform() - 0.5));
    last = close;
    if (random.uniform() < 0.1) return undefined;
    return [open, Math.max(open, close) * (1 + 0.01 * random.uniform()), Math.min(open, close) * (1 - 0.01 * random.uniform()), close];
  });
}

function sourcesOf(seed: number): BarSource[] {
  const random = new Random(seed).fork('bars');
  return INSTRUMENTS.map(
    (_, instrument) =>
      new BarSource({
        instrument,
        timeframeMs: MINUTE_MS,
        chunks: [columns(randomBars(random, 60)), columns(randomBars(random, 60), 60)],
        from: 0,
      }),
  );
}

const SETTINGS: Partial<SimulatedVenueSettings> = { instruments: INSTRUMENTS, slippageRatio: 0.0005, maximumLeverage: 3 };

/** Sends whatever comes to mind: all kinds of orders, some of them nonsense, and cancels of orders living and dead. */
class Mischief {
  readonly #random: Random;
  readonly #budgets: Random;
  readonly #ids: string[] = [];
  constructor(seed: number) {
    this.#random = new Random(seed).fork('mischief');
    this.#budgets = new Random(seed).fork('budgets');
  }

  #below(count: number): number {
    return Math.floor(this.#random.uniform() * count);
  }

  deeds(session: Session, event: Event): Deed[] {
    if (this.#below(4) > 0) return [];
    const around = (spread: number): string => (100 * (1 + spread * (this.#random.uniform() - 0.5))).toFixed(2);
    const instrument = this.#below(2);
    if (this.#below(4) === 0) {
      const id = this.#ids[Math.max(0, this.#ids.length - 1 - this.#below(8))];
      if (id === undefined) return [];
      if (this.#below(2) === 0) return [{ cancel: id, at: event.at, instrument: 0 }];
      if (this.#below(3) === 0) return [{ reprice: id, to: around(0.1), size: String(1 + this.#below(40)), at: event.at, instrument: 0 }];
      // Now and then off the tick.
      return [{ amend: id, to: this.#below(8) === 0 ? '99.999' : around(0.2), at: event.at, instrument: 0 }];
    }
    const side = this.#below(2) === 0 ? 'buy' : 'sell';
    const types = ['market', 'market', 'limit', 'limit', 'post-only', 'stop', 'take-profit', 'trailing'] as const;
    const type = types[this.#below(types.length)] ?? 'market';
    const takes = type === 'market' || type === 'limit';
    const force = takes ? [{}, {}, { timeInForce: 'ioc' } as const, { timeInForce: 'fok' } as const][this.#below(4)] : {};
    const size = quantity((0.01 * (1 + this.#below(4_000))).toFixed(2));
    const against = side === 'buy' ? 'sell' : 'buy';
    const protective = session.stop(around(0.2), { side: against, quantity: size, instrument });
    const attached =
      this.#below(2) === 0 || isConditional(type)
        ? []
        : [
            protective,
            session.stop(around(0.2), { side: against, quantity: size, instrument, type: 'take-profit', pairedWith: protective.id }),
            session.stop(around(0.1), { side: against, quantity: size, instrument, type: 'trailing', trailBy: price('1') }),
            session.stop(around(0.4), { side: against, quantity: size, instrument, wholePosition: true, role: 'disaster' }),
          ];
    const submit = session.intent({
      at: event.at,
      instrument,
      side,
      type,
      quantity: this.#below(20) === 0 ? quantity('0.0001') : size,
      limitPrice: type === 'limit' || type === 'post-only' ? price(around(0.1)) : undefined,
      stopPrice: isConditional(type) ? price(around(0.1)) : undefined,
      ...(type === 'trailing' ? { trailBy: price('0.7') } : {}),
      ...force,
      reduceOnly: isConditional(type) || this.#below(5) === 0,
      attached,
    });
    this.#ids.push(submit.id, ...attached.map((stop) => stop.id));
    // Now and then for an order that may have none.
    const hasBudget = this.#budgets.bernoulli(side === 'buy' && type === 'market' && !submit.reduceOnly ? 0.5 : 0.02);
    if (!hasBudget) return [{ submit }];
    return [{ submit: { ...submit, budget: amount((this.#budgets.uniform() * 6_000).toFixed(2)) } }];
  }
}

function carryOut(venue: SimulatedVenue, deeds: readonly Deed[]): void {
  for (const deed of deeds) {
    if ('submit' in deed) venue.submit(deed.submit);
    else if ('reprice' in deed) {
      const { at, instrument, reprice: order } = deed;
      venue.amend({ at, instrument, order, limitPrice: price(deed.to), quantity: quantity(deed.size) });
    } else if ('amend' in deed) venue.amend({ at: deed.at, instrument: deed.instrument, order: deed.amend, stopPrice: price(deed.to) });
    else venue.cancel({ at: deed.at, instrument: deed.instrument, order: deed.cancel });
  }
}

function tell(seed: number, how: Partial<SimulatedVenueSettings>, check?: (session: Session, deeds: readonly Deed[]) => void): Story {
  const session = new Session(sourcesOf(seed), { ...SETTINGS, ...how });
  const mischief = new Mischief(seed);
  const story: Story = { events: [], deeds: [], hashes: [] };
  for (let event = session.next(); event !== undefined; event = session.next()) {
    const deeds = mischief.deeds(session, event);
    story.events.push({ ...event });
    story.deeds.push(deeds);
    carryOut(session.venue, deeds);
    story.hashes.push(session.venue.stateHash());
    check?.(session, deeds);
    if (story.events.length > 1_000) break;
  }
  return story;
}

const TIERS = [
  { upTo: 2_000, maintenanceRate: 0.01 },
  { upTo: Infinity, maintenanceRate: 0.2 },
];
/** How the venue is set up: its latency, and rules of every kind. */
const SETUPS = fc.record({
  latencyMs: fc.constantFrom(1, 250, MINUTE_MS, 90_000),
  rules: fc.oneof(
    fc.constant({}),
    fc.record({
      margin: fc.constantFrom('leverage', 'cash', 'isolated', 'isolated', 'cross', 'cross'),
      maintenanceBasis: fc.constantFrom('mark', 'entry'),
      marginTiers: fc.constant({ 'X/USDT:USDT': TIERS }),
      insuranceFund: fc.constantFrom(0, 20, Infinity),
      volumeShareRatio: fc.constantFrom(0, 0.3),
      slippageModel: fc.constantFrom('fixed', 'square-root', 'volume-share'),
      fill: fc.constantFrom('next-open', 'next-open', 'close'),
      stopSlippageRatio: fc.constantFrom(null, 0, 0.002),
      tradeThroughTicks: fc.constantFrom(0, 1, 3),
      latencyJitterMs: fc.constantFrom(0, 700),
      recordedLatenciesMs: fc.constantFrom([], [5, 70_000]),
      selfTrade: fc.constantFrom('allow', 'cancel-resting', 'cancel-incoming', 'cancel-both'),
      feeTiers: fc.constantFrom([], [{ turnover: 0, takerFeeRate: 0.0004, makerFeeRate: -0.0001 }]),
      feeCoin: fc.constantFrom(undefined, { currency: 'COIN', discountRatio: 0.25, prices: [{ from: 9 * MINUTE_MS, price: 317 }] }),
      filters: fc.constantFrom([], [{ symbol: 'X/USDT:USDT', from: 11 * MINUTE_MS, lot: 0.01, tick: 0.001 }]),
    }),
  ),
});

/** The same, and answers that are heard late. */
const LATE_SETUPS = fc.tuple(SETUPS, fc.constantFrom([], [0, 900, 70_000])).map(([{ latencyMs, rules }, recordedResponsesMs]) => ({
  latencyMs,
  rules: { ...rules, recordedResponsesMs },
}));

test('cash is what fills, fees and funding left of the capital, and the position is the sum of the fills', () => {
  fc.assert(
    fc.property(fc.nat(), SETUPS, (seed, how) => {
      const sides = new Map<string, OrderIntent>();
      let seen = 0;
      let cash = amount('10000');
      const position = INSTRUMENTS.map(() => ZERO_QUANTITY);
      const ended = new Set<string>();
      const filled = new Map<string, Quantity>();
      const budgets = new Map<string, Amount>();
      tell(seed, how, (session, deeds) => {
        for (const report of session.reports.slice(seen)) {
          if (report.kind === 'funding.paid') {
            cash = add(cash, report.amount);
            continue;
          }
          if (report.kind === 'position.liquidated') {
            const { instrument, side, fill } = report;
            const paid = notional(fill.price, fill.quantity);
            cash = subtract(side === 'buy' ? subtract(cash, paid) : add(cash, paid), fill.fee);
            position[instrument] = ZERO_QUANTITY;
            continue;
          }
          assert.ok(
            !ended.has(report.order) ||
              report.reason === 'it had already ended' ||
              report.kind === 'order.rejected' ||
              report.reason.startsWith('reduce-only') ||
              report.reason === 'insufficient balance',
            `${report.kind} of ${report.order}, which had ended`,
          );
          if (report.kind === 'order.repriced') {
            const repriced = sides.get(report.order);
            if (repriced !== undefined) sides.set(report.order, { ...repriced, quantity: report.quantity });
            continue;
          }
          if (report.kind === 'order.amended') continue;
          if (report.kind !== 'order.accepted' && report.kind !== 'order.filled') ended.add(report.order);
          const { fill } = report;
          const intent = sides.get(report.order);
          if (fill === undefined) continue;
          assert.ok(intent !== undefined, 'a fill is of an order that was sent');
          const sum = add(filled.get(report.order) ?? ZERO_QUANTITY, fill.quantity);
          filled.set(report.order, sum);
          const paid = notional(fill.price, fill.quantity);
          if (intent.budget === undefined) assert.ok(intent.wholePosition || compare(sum, intent.quantity) <= 0);
          else {
            const left = subtract(budgets.get(report.order) ?? intent.budget, add(paid, fill.fee));
            assert.ok(compare(left, ZERO_AMOUNT) >= 0, 'a budget is not overdrawn');
            budgets.set(report.order, left);
          }
          // A stop on the whole position fills as much as that is by then.
          if (!intent.wholePosition && compare(sum, intent.quantity) >= 0) ended.add(report.order);
          cash = subtract(intent.side === 'buy' ? subtract(cash, paid) : add(cash, paid), fill.fee);
          const held = position[intent.instrument] ?? ZERO_QUANTITY;
          const after = intent.side === 'buy' ? add(held, fill.quantity) : subtract(held, fill.quantity);
          if (intent.reduceOnly) assert.ok(compare(absolute(after), absolute(held)) < 0, 'reduce-only reduces');
          position[intent.instrument] = after;
        }
        seen = session.reports.length;
        for (const deed of deeds)
          if ('submit' in deed) for (const order of [deed.submit, ...deed.submit.attached]) sides.set(order.id, order);
        assert.equal(format(session.venue.cash), format(cash));
        assert.deepEqual(session.venue.position.map(format), position.map(format));
        assert.ok(compare(session.venue.position[1] ?? ZERO_QUANTITY, ZERO_QUANTITY) >= 0, 'spot is never short');
      });
    }),
    { numRuns: 60 },
  );
});

test('what was said and not yet heard is saved too', () => {
  const settings = { instruments: [{ ...PERPETUAL, fundingRate: 0.01, fundingIntervalMs: MINUTE_MS }] };
  const session = bars([FLAT, FLAT], settings);
  session.submit({ attached: [session.stop('90', { role: 'disaster', wholePosition: true })] });
  session.submit({ side: 'sell', quantity: quantity('2'), reduceOnly: true });
  session.run(MINUTE_MS);
  session.next();
  // One act, three reports: the fill, the end of what was too much, and the end of the stop.
  session.next();
  const saved = new ByteWriter();
  session.venue.save(saved);
  const again = new Session([], settings);
  again.venue.restore(new ByteReader(saved.view()));
  assert.equal(again.venue.stateHash(), session.venue.stateHash());
  for (const _ of [1, 2]) assert.deepEqual(again.venue.take(), session.venue.take());
  assert.equal(again.venue.stateHash(), session.venue.stateHash());
});

test('saved at any moment and restored, a venue goes on as if nothing had been', () => {
  fc.assert(
    fc.property(fc.nat(), LATE_SETUPS, fc.nat(300), (seed, how, cut) => {
      const whole = tell(seed, how);
      const sources = sourcesOf(seed);
      const session = new Session(sources, { ...SETTINGS, ...how });
      const at = Math.min(cut, whole.events.length - 1);
      for (let count = 0; count < at; count++) {
        session.next();
        carryOut(session.venue, whole.deeds[count] ?? []);
      }
      const saved = new ByteWriter();
      session.venue.save(saved);
      for (const source of sources) source.save(saved);
      const fresh = sourcesOf(seed);
      const again = new Session(fresh, { ...SETTINGS, ...how });
      const reader = new ByteReader(saved.view());
      again.venue.restore(reader);
      for (const source of fresh) source.restore(reader);
      assert.ok(reader.ended);
      for (let count = at; count < whole.events.length; count++) {
        assert.deepEqual({ ...again.next() }, whole.events[count]);
        carryOut(again.venue, whole.deeds[count] ?? []);
        assert.equal(again.venue.stateHash(), whole.hashes[count]);
      }
    }),
    { numRuns: 40 },
  );
});

test('recalled over the tape that it watched, a venue that answers late is the same venue too', () => {
  fc.assert(
    fc.property(fc.nat(), LATE_SETUPS, (seed, how) => {
      const story = tell(seed, how);
      const { venue, sources } = new Session(sourcesOf(seed), { ...SETTINGS, ...how });
      story.events.forEach((event, count) => {
        if (isMarketEvent(event)) {
          assert.equal(sources[event.instrument]?.peekAt(), event.at);
          sources[event.instrument]?.take();
        } else venue.recall(event as VenueReport);
        carryOut(venue, story.deeds[count] ?? []);
        assert.equal(venue.stateHash(), story.hashes[count], `after event ${count}, ${event.kind}`);
      });
    }),
    { numRuns: 40 },
  );
});

test('recalled report by report from a recording, a fresh venue is the same venue at every step', () => {
  fc.assert(
    fc.property(fc.nat(), SETUPS, (seed, how) => {
      const story = tell(seed, how);
      const { venue } = new Session([], { ...SETTINGS, ...how });
      story.events.forEach((event, count) => {
        if (isMarketEvent(event)) venue.see(event);
        else venue.recall(event as VenueReport);
        carryOut(venue, story.deeds[count] ?? []);
        assert.equal(venue.stateHash(), story.hashes[count], `after event ${count}, ${event.kind}`);
      });
    }),
    { numRuns: 60 },
  );
});
