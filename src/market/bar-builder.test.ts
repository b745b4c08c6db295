import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BarBuilder, type BarRule, type TradeBar } from './bar-builder.ts';

interface Trade {
  readonly at: number;
  readonly price: number;
  readonly quantity: number;
  readonly takerSide: number;
}

const trade = (at: number, price: number, quantity = 1, takerSide = 1): Trade => ({ at, price, quantity, takerSide });

function collector(rule: BarRule): { readonly builder: BarBuilder; readonly bars: TradeBar[] } {
  const bars: TradeBar[] = [];
  return { builder: new BarBuilder(rule, (bar) => bars.push({ ...bar })), bars };
}

function push(builder: BarBuilder, trades: readonly Trade[]): void {
  for (const { at, price, quantity, takerSide } of trades) builder.push(at, at, price, quantity, takerSide);
}

const ohlc = ({ open, high, low, close }: TradeBar): number[] => [open, high, low, close];

describe('bars by time', () => {
  const rule: BarRule = { by: 'time', spanMs: 1_000 };

  test('a trade at exactly the boundary opens the next bar', () => {
    const { builder, bars } = collector(rule);
    push(builder, [trade(5_000, 10), trade(5_400, 12, 2, -1), trade(5_999, 9)]);
    assert.equal(bars.length, 0);
    push(builder, [trade(6_000, 11)]);
    assert.deepEqual(bars, [
      { openAt: 5_000, closeAt: 6_000, at: 6_000, open: 10, high: 12, low: 9, close: 9, volume: 4, turnover: 43, buyVolume: 2, trades: 3 },
    ]);
  });

  test('nothing but a later trade or the clock closes a bar, and it is known when that was', () => {
    const { builder, bars } = collector(rule);
    push(builder, [trade(5_000, 10)]);
    builder.advance(5_999.9);
    assert.equal(bars.length, 0);
    builder.advance(6_250);
    assert.deepEqual([bars.length, bars[0]?.closeAt, bars[0]?.at], [1, 6_000, 6_250]);
    builder.advance(9_000);
    assert.equal(bars.length, 1);
    builder.push(12_345, 10_000, 10, 1, 1);
    builder.push(13_000, 12_000, 10, 1, 1);
    assert.deepEqual([bars.length, bars[1]?.closeAt, bars[1]?.at], [2, 11_000, 13_000]);
  });

  test('a bar is not known before its close, whatever the clock of its trades says', () => {
    const { builder, bars } = collector(rule);
    builder.push(100, 5_000, 10, 1, 1);
    builder.push(200, 6_000, 10, 1, 1);
    assert.equal(bars[0]?.at, 6_000);
  });

  test('a span without a trade gives no bar', () => {
    const { builder, bars } = collector(rule);
    push(builder, [trade(5_000, 10), trade(9_500, 11), trade(10_000, 12)]);
    assert.deepEqual(
      bars.map(({ openAt }) => openAt),
      [5_000, 9_000],
    );
  });

  test('asked for, it gives flat bars at the last close, and none before the first trade', () => {
    const { builder, bars } = collector({ ...rule, empty: 'flat' });
    builder.advance(4_000);
    push(builder, [trade(5_000, 10), trade(5_500, 11, 3), trade(8_500, 12)]);
    builder.advance(10_100);
    assert.deepEqual(
      bars.map((bar) => [bar.openAt, bar.at, ...ohlc(bar), bar.volume, bar.trades]),
      [
        [5_000, 8_500, 10, 11, 10, 11, 4, 2],
        [6_000, 8_500, 11, 11, 11, 11, 0, 0],
        [7_000, 8_500, 11, 11, 11, 11, 0, 0],
        [8_000, 10_100, 12, 12, 12, 12, 1, 1],
        [9_000, 10_100, 12, 12, 12, 12, 0, 0],
      ],
    );
    push(builder, [trade(10_500, 13), trade(11_000, 14)]);
    assert.deepEqual([bars.length, bars.at(-1)?.openAt, bars.at(-1)?.trades], [6, 10_000, 1]);
  });

  test('a late trade changes no closed bar, and is counted; one that is late in the forming bar is part of it', () => {
    const { builder, bars } = collector(rule);
    push(builder, [trade(5_500, 10), trade(6_500, 11), trade(5_900, 99, 7), trade(6_200, 12, 2), trade(6_400, 8), trade(7_000, 1)]);
    assert.deepEqual([builder.lateTrades, builder.lateVolume], [1, 7]);
    assert.deepEqual(
      bars.map((bar) => [...ohlc(bar), bar.volume]),
      [
        [10, 10, 10, 10, 1],
        [12, 12, 8, 11, 4],
      ],
    );
    // The clock closes as well: it has been said that nothing before comes any more.
    builder.advance(9_000);
    push(builder, [trade(8_999, 5)]);
    assert.equal(builder.lateTrades, 2);
  });
});

describe('bars by what was traded', () => {
  test('of trades: each has its number of them, and times of its own', () => {
    const { builder, bars } = collector({ by: 'trades', count: 2 });
    push(builder, [trade(1, 10), trade(5, 11), trade(9, 12), trade(9, 13), trade(10, 14)]);
    assert.deepEqual(
      bars.map((bar) => [bar.openAt, bar.closeAt, bar.at, ...ohlc(bar)]),
      [
        [1, 5, 5, 10, 11, 10, 11],
        [9, 9, 9, 12, 13, 12, 13],
      ],
    );
    builder.advance(1_000_000);
    assert.equal(bars.length, 2);
  });

  test('of volume and turnover: the trade that fills a bar is not divided, and what it has too much is not carried over', () => {
    const volume = collector({ by: 'volume', quantity: 5 });
    push(volume.builder, [trade(1, 10, 3), trade(2, 11, 9), trade(3, 12, 4), trade(4, 13, 1)]);
    assert.deepEqual(
      volume.bars.map((bar) => [bar.volume, bar.trades]),
      [
        [12, 2],
        [5, 2],
      ],
    );
    const tenths = collector({ by: 'volume', quantity: 1 });
    push(
      tenths.builder,
      Array.from({ length: 30 }, (_, at) => trade(at, 10, 0.1)),
    );
    assert.deepEqual(
      tenths.bars.map((bar) => bar.trades),
      [10, 10, 10],
    );
    const turnover = collector({ by: 'turnover', turnover: 100 });
    push(turnover.builder, [trade(1, 10, 3), trade(2, 7, 10), trade(3, 250, 1)]);
    assert.deepEqual(
      turnover.bars.map((bar) => bar.turnover),
      [100, 250],
    );
  });
});

test('a size that is none, and a trade that is none, are bugs of whoever gives them', () => {
  for (const count of [0, -1, NaN, Infinity]) assert.throws(() => collector({ by: 'trades', count }), /size above 0/);
  for (const [price, quantity, happenedAt] of [
    [0, 1, 1],
    [NaN, 1, 1],
    [1, 0, 1],
    [1, -1, 1],
    [1, 1, NaN],
  ] as const) {
    assert.throws(() => collector({ by: 'trades', count: 2 }).builder.push(1, happenedAt, price, quantity, 1), /a trade has a time/);
  }
});

const rules: fc.Arbitrary<BarRule> = fc.oneof(
  fc.record({
    by: fc.constant('time' as const),
    spanMs: fc.constantFrom(100, 1_000),
    empty: fc.constantFrom('none' as const, 'flat' as const),
  }),
  fc.record({ by: fc.constant('trades' as const), count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ by: fc.constant('volume' as const), quantity: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ by: fc.constant('turnover' as const), turnover: fc.integer({ min: 1, max: 5_000 }) }),
);
/** Mostly in order; some come late, by less or more than a bar. Whole quantities: their sums are exact. */
const trades = fc
  .array(
    fc.record({
      wait: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 300 }) },
        { weight: 1, arbitrary: fc.integer({ min: -1_500, max: 4_000 }) },
      ),
      price: fc.integer({ min: 1, max: 200 }),
      quantity: fc.integer({ min: 1, max: 20 }),
      takerSide: fc.constantFrom(1, -1),
    }),
    { maxLength: 120 },
  )
  .map((steps) => {
    let at = 10_000;
    return steps.map(({ wait, ...rest }) => {
      at = Math.max(0, at + wait);
      return { at, ...rest };
    });
  });

describe('whatever the trades and the rule', () => {
  test('nothing is lost and nothing invented: volume, turnover, bought volume and number of trades, bars and late ones together', () => {
    fc.assert(
      fc.property(rules, trades, (rule, given) => {
        const { builder, bars } = collector(rule);
        push(builder, given);
        const closed = bars.length;
        const sum = (of: (bar: TradeBar) => number): number => bars.reduce((total, bar) => total + of(bar), 0);
        const late = new Set<Trade>();
        if (rule.by === 'time') {
          // Closes what is forming: far beyond all of them.
          builder.advance(1_000_000);
          let boundary = -Infinity;
          for (const each of given) {
            if (each.at < boundary) late.add(each);
            else boundary = Math.floor(each.at / rule.spanMs) * rule.spanMs;
          }
          assert.deepEqual(
            [builder.lateTrades, builder.lateVolume],
            [late.size, [...late].reduce((total, { quantity }) => total + quantity, 0)],
          );
          const [first] = bars;
          if (rule.empty === 'flat' && first !== undefined) {
            assert.deepEqual(
              bars.map(({ openAt }) => openAt),
              bars.map((_, index) => first.openAt + index * rule.spanMs),
            );
          } else assert.ok(bars.every((bar) => bar.trades > 0));
        } else {
          assert.equal(builder.lateTrades, 0);
          const measure = rule.by;
          const limit = rule.by === 'trades' ? rule.count : rule.by === 'volume' ? rule.quantity : rule.turnover;
          assert.ok(bars.every((bar) => bar[measure] >= limit));
        }
        const whole = given
          .filter((each) => !late.has(each))
          .slice(
            0,
            sum((bar) => bar.trades),
          );
        if (rule.by === 'time') assert.equal(whole.length, given.length - late.size);
        assert.equal(
          sum((bar) => bar.volume),
          whole.reduce((total, { quantity }) => total + quantity, 0),
        );
        assert.equal(
          sum((bar) => bar.turnover),
          whole.reduce((total, { price, quantity }) => total + price * quantity, 0),
        );
        const bought = whole.filter(({ takerSide }) => takerSide === 1);
        assert.equal(
          sum((bar) => bar.buyVolume),
          bought.reduce((total, { quantity }) => total + quantity, 0),
        );
        assert.ok(bars.length >= closed);
        for (const bar of bars) {
          assert.ok(bar.low <= Math.min(bar.open, bar.close) && bar.high >= Math.max(bar.open, bar.close));
          assert.ok(bar.closeAt >= bar.openAt && bar.at >= bar.closeAt);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('bars by time are what sorting the trades into spans makes of them', () => {
    fc.assert(
      fc.property(trades, (given) => {
        const inOrder = given.toSorted((left, right) => left.at - right.at);
        const { builder, bars } = collector({ by: 'time', spanMs: 1_000 });
        push(builder, inOrder);
        builder.advance(1_000_000);
        const spans = Map.groupBy(inOrder, ({ at }) => Math.floor(at / 1_000));
        assert.deepEqual(
          bars.map((bar) => [bar.openAt, ...ohlc(bar), bar.volume]),
          [...spans].map(([span, within]) => {
            const prices = within.map(({ price }) => price);
            const volume = within.reduce((total, { quantity }) => total + quantity, 0);
            return [span * 1_000, prices[0], Math.max(...prices), Math.min(...prices), prices.at(-1), volume];
          }),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('one that was saved and restored goes on as the other does', () => {
    fc.assert(
      fc.property(rules, trades, trades, (rule, before, after) => {
        const one = collector(rule);
        push(one.builder, before);
        const out = new ByteWriter();
        one.builder.save(out);
        const other = collector(rule);
        other.builder.restore(new ByteReader(out.view().slice()));
        one.bars.length = 0;
        for (const { builder } of [one, other]) {
          push(builder, after);
          builder.advance(60_000);
        }
        assert.deepEqual(other.bars, one.bars);
        assert.deepEqual([other.builder.lateTrades, other.builder.lateVolume], [one.builder.lateTrades, one.builder.lateVolume]);
      }),
      { numRuns: 100 },
    );
  });
});
