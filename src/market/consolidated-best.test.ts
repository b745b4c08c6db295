import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConsolidatedBest, type QuotingVenue } from './consolidated-best.ts';

const VENUES: readonly QuotingVenue[] = [
  { name: 'bybit', takerFeeRate: 0.001, staleAfterMs: 1_000 },
  { name: 'binance', takerFeeRate: 0.0005, staleAfterMs: 1_000 },
  { name: 'coinbase', takerFeeRate: 0.006, staleAfterMs: 5_000 },
];

describe('the consolidated best bid and offer', () => {
  test('is where a taker comes out best once the fee is paid, which need not be the best price', () => {
    const book = new ConsolidatedBest(VENUES);
    book.quote(0, 0, 100, 1, 100.1, 2);
    book.quote(1, 0, 99.99, 3, 100.12, 4);
    book.quote(2, 0, 100.3, 5, 100.31, 6);
    const { bid, ask } = book.best(500);
    assert.deepEqual([bid.venue, bid.price, bid.quantity], [1, 99.99, 3]);
    assert.equal(bid.net, 99.99 * (1 - 0.0005));
    assert.deepEqual([ask.venue, ask.price, ask.quantity], [1, 100.12, 4]);
    assert.equal(ask.net, 100.12 * (1 + 0.0005));
  });

  test('loses a venue that is silent, lost or crossed, and one side where only that is empty', () => {
    const book = new ConsolidatedBest(VENUES);
    book.quote(0, 0, 100, 1, 101, 1);
    book.quote(2, 0, 98, 1, 103, 1);
    assert.equal(book.best(1_000).bid.venue, 0, 'to the last moment');
    assert.equal(book.best(1_001).bid.venue, 2);
    assert.equal(book.best(5_001).bid.venue, -1);
    assert.ok(Number.isNaN(book.best(5_001).ask.net));
    book.quote(1, 6_000, 101, 1, 100, 1);
    assert.equal(book.best(6_000).ask.venue, -1, 'crossed');
    book.quote(1, 6_100, NaN, 0, 100, 1);
    assert.deepEqual([book.best(6_100).bid.venue, book.best(6_100).ask.venue], [-1, 1]);
    book.quote(1, 6_050, 99, 1, 99.5, 1);
    assert.equal(book.best(6_100).ask.price, 100, 'an older word says nothing');
    book.lost(1);
    assert.equal(book.best(6_100).ask.venue, -1);
    assert.throws(() => new ConsolidatedBest([{ name: 'x', takerFeeRate: 1, staleAfterMs: 1 }]), { code: 'QUOTING_VENUE_INVALID' });
  });

  test('is what looking at every fresh quote of every venue finds', () => {
    const quote = fc.record({
      venue: fc.integer({ min: 0, max: 2 }),
      at: fc.integer({ min: 0, max: 10_000 }),
      bid: fc.integer({ min: 1, max: 50 }),
      width: fc.integer({ min: -2, max: 10 }),
      bidQuantity: fc.integer({ min: 0, max: 3 }),
      askQuantity: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(quote, { maxLength: 30 }), fc.integer({ min: 0, max: 16_000 }), (quotes, at) => {
        const book = new ConsolidatedBest(VENUES);
        for (const { venue, at: when, bid, width, bidQuantity, askQuantity } of quotes)
          book.quote(venue, when, bid, bidQuantity, bid + width, askQuantity);
        // The last word of each venue by time, the later one where two have one time.
        const words = VENUES.map((_, venue) =>
          quotes
            .filter((each) => each.venue === venue)
            .reduce<(typeof quotes)[number] | undefined>(
              (last, each) => (last === undefined || each.at >= last.at ? each : last),
              undefined,
            ),
        );
        const fresh = words.flatMap((word, venue) => {
          const { takerFeeRate = 0, staleAfterMs = 0 } = VENUES[venue] ?? {};
          return word === undefined || word.width <= 0 || at - word.at > staleAfterMs ? [] : [{ ...word, takerFeeRate }];
        });
        const bids = fresh.filter(({ bidQuantity }) => bidQuantity > 0).map(({ bid, takerFeeRate }) => bid * (1 - takerFeeRate));
        const asks = fresh
          .filter(({ askQuantity }) => askQuantity > 0)
          .map(({ bid, width, takerFeeRate }) => (bid + width) * (1 + takerFeeRate));
        const best = book.best(at);
        assert.equal(best.bid.net, bids.length === 0 ? NaN : Math.max(...bids));
        assert.equal(best.ask.net, asks.length === 0 ? NaN : Math.min(...asks));
        for (const [side, sign] of [
          [best.bid, 1],
          [best.ask, -1],
        ] as const) {
          if (side.venue < 0) continue;
          assert.equal(side.net, side.price * (1 - sign * (VENUES[side.venue]?.takerFeeRate ?? NaN)));
          assert.ok(side.quantity > 0);
        }
      }),
    );
  });
});
