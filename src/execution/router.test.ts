import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { delayCostRatio, route, type VenueBook } from './router.ts';

const book = (levels: readonly (readonly [number, number])[], takerFeeRate = 0, latencyMs = 0): VenueBook => ({
  levels: levels.map(([price, quantity]) => ({ price, quantity })),
  takerFeeRate,
  latencyMs,
});

test('the better price, the lower fee and the nearer venue come first, each at the price of the others', () => {
  const better = route('buy', 1, [book([[100.1, 5]]), book([[100, 5]])], 0);
  assert.deepEqual(better, [{ venue: 1, quantity: 1, limitPrice: 100, value: 100 }]);
  // A fee of 10 bp is dearer than a price that is 5 bp worse.
  assert.equal(route('buy', 1, [book([[100, 5]], 0.001), book([[100.05, 5]], 0.0002)], 0)[0]?.venue, 1);
  assert.equal(route('sell', 1, [book([[100, 5]], 0.001), book([[99.95, 5]], 0.0002)], 0)[0]?.venue, 1);
  assert.equal(route('buy', 1, [book([[100, 5]], 0, 300), book([[100, 5]], 0, 3)], 0)[0]?.venue, 1, 'at equal cost the nearer');
  // 0.8 of volatility a year: half a second costs 0.4 bp.
  assert.ok(Math.abs(delayCostRatio(500, 0.8) - 0.8 * 0.3989 * Math.sqrt(500 / 31_536e6)) < 1e-7);
  assert.equal(route('buy', 1, [book([[100, 5]], 0, 500), book([[100.003, 5]], 0, 1)], 0.8)[0]?.venue, 1);
});

test('what one venue has not is taken from the next, to where both cost the same', () => {
  const routes = route('buy', 4, [book([[100, 1], [102, 5]]), book([[101, 2], [103, 5]])], 0); // prettier-ignore
  assert.deepEqual(routes, [
    { venue: 0, quantity: 2, limitPrice: 102, value: 202 },
    { venue: 1, quantity: 2, limitPrice: 101, value: 202 },
  ]);
  assert.deepEqual(
    route('buy', 9, [book([[100, 1]])], 0),
    [{ venue: 0, quantity: 1, limitPrice: 100, value: 100 }],
    'not more than there is',
  );
  assert.deepEqual(route('sell', 9, [book([])], 0), []);
});

// ---- at random -----------------------------------------------------------------------------------------------------------

const anyVenue: fc.Arbitrary<VenueBook> = fc
  .record({
    best: fc.integer({ min: 990, max: 1_010 }),
    steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 })), { maxLength: 5 }),
    takerFeeRate: fc.integer({ min: -2, max: 10 }).map((bps) => bps * 1e-4),
    latencyMs: fc.integer({ min: 0, max: 500 }),
  })
  .map(({ best, steps, takerFeeRate, latencyMs }) => {
    let price = best;
    return { levels: steps.map(([step, quantity]) => ({ price: (price += step), quantity })), takerFeeRate, latencyMs };
  });

/** What taking so much of one book costs: walked level by level. */
function costOf({ levels, takerFeeRate, latencyMs }: VenueBook, quantity: number, volatility: number): number {
  let left = quantity;
  let cost = 0;
  for (const level of levels) {
    const taken = Math.min(left, level.quantity);
    left -= taken;
    cost += taken * level.price * (1 + takerFeeRate + delayCostRatio(latencyMs, volatility));
  }
  return left > 1e-9 ? Infinity : cost;
}

describe('over any books', () => {
  test('no other division into lots costs less', () => {
    fc.assert(
      fc.property(
        fc.array(anyVenue, { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (venues, wanted, volatility) => {
          const depth = venues.reduce((sum, { levels }) => sum + levels.reduce((all, level) => all + level.quantity, 0), 0);
          const quantity = Math.min(wanted, depth);
          const routes = route('buy', quantity, venues, volatility);
          const value = routes.reduce((sum, way) => sum + way.value, 0);
          assert.equal(
            routes.reduce((sum, way) => sum + way.quantity, 0),
            quantity,
          );
          for (const way of routes) {
            const venue = venues[way.venue] ?? assert.fail();
            assert.ok(
              Math.abs(costOf(venue, way.quantity, volatility) - way.value) < 1e-9 * way.value,
              'a route walks its book from the best',
            );
          }
          const [first, second, third] = venues;
          assert.ok(first && second);
          for (let one = 0; one <= quantity; one++) {
            for (let two = 0; one + two <= quantity; two++) {
              const rest = quantity - one - two;
              const others = third === undefined ? (rest === 0 ? 0 : Infinity) : costOf(third, rest, volatility);
              const cost: number = costOf(first, one, volatility) + costOf(second, two, volatility) + others;
              assert.ok(value <= cost * (1 + 1e-12), `${one} and ${two} of ${quantity} cost ${cost}, the routes ${value}`);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a venue that asks for more gets no more', () => {
    fc.assert(
      fc.property(
        fc.array(anyVenue, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(3),
        (venues, quantity, chosen) => {
          const which = chosen % venues.length;
          const part = (books: readonly VenueBook[]): number =>
            route('buy', quantity, books, 0.5).find(({ venue }) => venue === which)?.quantity ?? 0;
          const dearer = venues.map((venue, index) => (index === which ? { ...venue, takerFeeRate: venue.takerFeeRate + 0.001 } : venue));
          assert.ok(part(dearer) <= part(venues));
        },
      ),
      { numRuns: 300 },
    );
  });
});
