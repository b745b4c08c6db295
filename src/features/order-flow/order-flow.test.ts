// Order flow against closed forms, against simulations whose truth is known, and against the whole past computed anew.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter, type Stateful } from '../../domain/bytes.ts';
import { Random } from '../../quant/random.ts';
import { bookImbalance, imbalanceByLevel, microprice } from './book.ts';
import { KyleLambda } from './kyle-lambda.ts';
import { TradeImbalance } from './trade-imbalance.ts';
import type { TakerSide } from './trade.ts';
import { Vpin } from './vpin.ts';

interface Trade {
  readonly price: number;
  readonly quantity: number;
  readonly side: TakerSide;
}

const quantity = fc.double({ min: 1e-6, max: 1e4, noNaN: true });
const quantities = fc.array(fc.oneof(quantity, fc.constant(0)), { maxLength: 12 }).map((values) => Float64Array.from(values));
const trades = fc.array(
  fc.record({ price: fc.double({ min: 1, max: 1e5, noNaN: true }), quantity, side: fc.constantFrom<TakerSide>(1, -1) }),
  { minLength: 1, maxLength: 200, size: 'max' },
);

describe('the book', () => {
  test('is balanced between equal sides, and one-sided where one side is empty', () => {
    const side = Float64Array.of(3, 2, 1);
    const none = new Float64Array(0);
    assert.equal(bookImbalance(side, side, 3), 0);
    assert.equal(bookImbalance(side, none, 3), 1);
    assert.equal(bookImbalance(none, side, 3), -1);
    assert.equal(bookImbalance(none, none, 3), 0);
    assert.equal(bookImbalance(Float64Array.of(3, 9), Float64Array.of(1, 0), 1), 0.5);
  });

  test('by level is the imbalance of each depth, and mirrors when the sides change places', () => {
    fc.assert(
      fc.property(quantities, quantities, (bids, asks) => {
        const depth = 10;
        const found = imbalanceByLevel(bids, asks, new Float64Array(depth));
        const mirrored = imbalanceByLevel(asks, bids, new Float64Array(depth));
        for (let level = 0; level < depth; level++) {
          assert.equal(found[level], bookImbalance(bids, asks, level + 1));
          assert.equal(Math.abs((found[level] ?? NaN) + (mirrored[level] ?? NaN)), 0);
          assert.ok(Math.abs(found[level] ?? NaN) <= 1);
        }
      }),
    );
  });

  test('has its microprice within the touch, nearer to the thinner side', () => {
    assert.equal(microprice(100, 1, 102, 1), 101);
    assert.equal(microprice(100, 3, 102, 1), 101.5);
    assert.equal(microprice(100, 0, 102, 5), 100);
    assert.equal(microprice(100, 0, 102, 0), 101);
    fc.assert(
      fc.property(quantity, quantity, (bid, ask) => {
        const price = microprice(100, bid, 101, ask);
        assert.ok(price >= 100 && price <= 101);
        assert.ok(Math.abs(price - (101 * bid + 100 * ask) / (bid + ask)) < 1e-9);
      }),
    );
  });
});

describe('trade imbalance', () => {
  test('is that of the last trades, computed anew', () => {
    fc.assert(
      fc.property(trades, fc.integer({ min: 1, max: 30 }), (all, window) => {
        const found = new TradeImbalance(window);
        all.forEach((trade, index) => {
          found.update(trade.quantity, trade.side);
          if (index + 1 < window) return assert.equal(found.value, NaN);
          const last = all.slice(index + 1 - window, index + 1);
          const signed = last.reduce((sum, each) => sum + each.side * each.quantity, 0);
          const traded = last.reduce((sum, each) => sum + each.quantity, 0);
          assert.ok(Math.abs(found.value - signed / traded) < 1e-9);
        });
      }),
    );
  });
});

describe('Kyle’s lambda', () => {
  test('is the slope exactly where the price is linear in the flow', () => {
    const random = new Random(5);
    const lambda = new KyleLambda(30, 4);
    let price = 100;
    for (let trade = 0; trade < 500; trade++) {
      const side = random.uniform() < 0.5 ? 1 : -1;
      const traded = 1 + random.uniform();
      if (trade > 0) price += 0.003 * side * traded + 0.0001;
      lambda.update(price, traded, side);
    }
    assert.ok(Math.abs(lambda.value - 0.003) < 1e-10, `found ${lambda.value}`);
  });

  test('is found again through noise, within four standard errors', () => {
    const random = new Random(11);
    const intervals = 20_000;
    const lambda = new KyleLambda(intervals, 1);
    let price = 10_000;
    lambda.update(price, 1, 1);
    for (let interval = 0; interval < intervals; interval++) {
      const side = random.uniform() < 0.5 ? 1 : -1;
      price += 0.05 * side * 2 + 0.5 * (random.uniform() - 0.5);
      lambda.update(price, 2, side);
    }
    // The flow's variance is 4, the noise's 0.25 / 12.
    const standardError = Math.sqrt(0.25 / 12 / (4 * intervals));
    assert.ok(Math.abs(lambda.value - 0.05) < 4 * standardError, `found ${lambda.value}, standard error ${standardError}`);
  });

  test('is unknown before there are enough intervals, and where the flow did not vary', () => {
    const lambda = new KyleLambda(3, 2);
    for (let trade = 0; trade < 6; trade++) lambda.update(100 + trade, 1 + (trade % 3), 1);
    assert.equal(lambda.value, NaN, 'six trades after the first make three intervals, and five are not six');
    const steady = new KyleLambda(3, 1);
    for (let trade = 0; trade < 20; trade++) steady.update(100 + trade, 0.1, 1);
    assert.equal(steady.value, NaN);
  });

  test('is the regression over the last intervals, computed anew', () => {
    fc.assert(
      fc.property(trades, fc.integer({ min: 3, max: 20 }), fc.integer({ min: 1, max: 4 }), (all, intervals, each) => {
        const lambda = new KyleLambda(intervals, each);
        for (const trade of all) lambda.update(trade.price, trade.quantity, trade.side);
        const points = regressed(all, each).slice(-intervals);
        if (points.length < intervals) return assert.equal(lambda.value, NaN);
        const meanFlow = points.reduce((sum, [flow]) => sum + flow, 0) / intervals;
        const meanChange = points.reduce((sum, [, change]) => sum + change, 0) / intervals;
        const covariance = points.reduce((sum, [flow, change]) => sum + (flow - meanFlow) * (change - meanChange), 0);
        const variance = points.reduce((sum, [flow]) => sum + (flow - meanFlow) ** 2, 0);
        // Digits are lost where the mean is large beside the deviation.
        const scale = points.reduce((sum, [flow]) => sum + flow * flow, 0);
        if (variance < 1e-3 * scale) return;
        const size = Math.sqrt(points.reduce((sum, [, change]) => sum + change * change, 0) / variance);
        assert.ok(
          Math.abs(lambda.value - covariance / variance) <= 1e-9 * size,
          `found ${lambda.value}, expected ${covariance / variance}`,
        );
      }),
    );
  });
});

describe('VPIN', () => {
  test('is 1 where all trade on one side, and 0 where each bucket holds as much of both', () => {
    const toxic = new Vpin(10, 5);
    for (let trade = 0; trade < 60; trade++) toxic.update(1, -1);
    assert.equal(toxic.value, 1);
    const balanced = new Vpin(10, 5);
    for (let trade = 0; trade < 60; trade++) balanced.update(1, trade % 2 === 0 ? 1 : -1);
    assert.equal(balanced.value, 0);
  });

  test('of coin flips is the mean deviation of a binomial, within four standard errors', () => {
    // E|B - S| of n flips is n C(n - 1, n / 2) / 2^(n - 1) for even n: 2.4609375 for 10.
    const expected = 2.4609375 / 10;
    const deviation = Math.sqrt(10 - 2.4609375 ** 2) / 10;
    const buckets = 10_000;
    const vpin = new Vpin(10, buckets);
    const random = new Random(3);
    for (let trade = 0; trade < 10 * buckets; trade++) vpin.update(1, random.uniform() < 0.5 ? 1 : -1);
    assert.ok(Math.abs(vpin.value - expected) < (4 * deviation) / Math.sqrt(buckets), `found ${vpin.value}`);
  });

  test('says nothing before there are enough buckets, and then of a trade that fills many of them at once', () => {
    const vpin = new Vpin(10, 3);
    vpin.update(29.5, 1);
    assert.equal(vpin.value, NaN);
    vpin.update(1, -1);
    assert.equal(vpin.value, (10 + 10 + 9) / 30);
    vpin.update(1e12, 1);
    assert.equal(vpin.value, 1);
  });

  test('is what buckets filled one after the other come to', () => {
    fc.assert(
      fc.property(trades, fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 100, 2_500), (all, buckets, bucketVolume) => {
        const vpin = new Vpin(bucketVolume, buckets);
        for (const trade of all) vpin.update(trade.quantity, trade.side);
        const expected = filled(all, bucketVolume).slice(-buckets);
        if (expected.length < buckets) return assert.equal(vpin.value, NaN);
        const mean = expected.reduce((sum, each) => sum + Math.abs(each), 0) / buckets / bucketVolume;
        assert.ok(Math.abs(vpin.value - mean) < 1e-7, `found ${vpin.value}, expected ${mean}`);
      }),
    );
  });
});

interface Flow extends Stateful {
  readonly value: number;
}

const kinds: Readonly<Record<string, () => { readonly flow: Flow; feed(trade: Trade): void }>> = {
  'trade imbalance': () => {
    const flow = new TradeImbalance(7);
    return { flow, feed: (trade) => flow.update(trade.quantity, trade.side) };
  },
  'Kyle’s lambda': () => {
    const flow = new KyleLambda(5, 3);
    return { flow, feed: (trade) => flow.update(trade.price, trade.quantity, trade.side) };
  },
  VPIN: () => {
    const flow = new Vpin(2_000, 6);
    return { flow, feed: (trade) => flow.update(trade.quantity, trade.side) };
  },
};

for (const [kind, start] of Object.entries(kinds)) {
  test(`${kind} saved and restored anywhere goes on bit for bit, and refuses what is no quantity`, () => {
    fc.assert(
      fc.property(trades, fc.nat(), (all, place) => {
        const lived = start();
        const restored = start();
        const cut = place % all.length;
        for (const trade of all.slice(0, cut)) lived.feed(trade);
        for (const trade of all.slice(cut)) restored.feed(trade);
        restored.flow.restore(new ByteReader(saved(lived.flow)));
        for (const trade of all.slice(cut)) {
          assert.equal(restored.flow.value, lived.flow.value);
          lived.feed(trade);
          restored.feed(trade);
        }
        assert.deepEqual(saved(restored.flow), saved(lived.flow));
        for (const nonsense of [NaN, 0, -1, Infinity]) {
          const before = saved(lived.flow);
          assert.throws(() => lived.feed({ price: 1, quantity: nonsense, side: 1 }), /a trade has a positive, finite quantity/);
          assert.deepEqual(saved(lived.flow), before);
        }
      }),
    );
  });
}

/** Flow and change of every whole interval. */
function regressed(all: readonly Trade[], each: number): [flow: number, change: number][] {
  const points: [number, number][] = [];
  for (let first = 1; first + each <= all.length; first += each) {
    const inside = all.slice(first, first + each);
    const flow = inside.reduce((sum, trade) => sum + trade.side * trade.quantity, 0);
    points.push([flow, (inside.at(-1)?.price ?? NaN) - (all[first - 1]?.price ?? NaN)]);
  }
  return points;
}

/** Signed volume of every whole bucket, from the running totals of volume at which trades begin and end. */
function filled(all: readonly Trade[], bucketVolume: number): number[] {
  const buckets: number[] = [];
  let begun = 0;
  for (const trade of all) {
    const ended = begun + trade.quantity;
    for (let bucket = Math.floor(begun / bucketVolume); bucket * bucketVolume < ended; bucket++) {
      const inside = Math.min(ended, (bucket + 1) * bucketVolume) - Math.max(begun, bucket * bucketVolume);
      buckets[bucket] = (buckets[bucket] ?? 0) + trade.side * inside;
    }
    begun = ended;
  }
  return buckets.slice(0, Math.floor(begun / bucketVolume));
}

function saved(flow: Stateful): Uint8Array {
  const out = new ByteWriter();
  flow.save(out);
  return out.view().slice();
}
