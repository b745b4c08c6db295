import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../quant/random.ts';
import { randomEntryTest, type PlacedTrip, type RandomEntrySettings } from './random-entry.ts';

const BARS = 1_500;
const COSTS = { feeRate: 0.001, slippageRatio: 0.0005 };

function walk(random: Random, drift = 0): Float64Array {
  let price = 100;
  return Float64Array.from({ length: BARS }, () => (price *= 1 + drift + 0.01 * random.normal()));
}

/** Trips entered at these bars, as they would have come out. */
function tripsAt(prices: Float64Array, entries: readonly number[], held: number): PlacedTrip[] {
  return entries.map((entry) => {
    const from = (prices[entry] ?? NaN) * (1 + COSTS.slippageRatio);
    const to = (prices[entry + held] ?? NaN) * (1 - COSTS.slippageRatio);
    return {
      sleeve: 'one',
      legs: [{ instrument: 0, offset: 0, bars: held, side: 1, holdingCost: 0 }],
      returnRatio: to / from - 1 - COSTS.feeRate * (1 + to / from),
    };
  });
}

function everyFifty(random: Random): number[] {
  return Array.from({ length: 28 }, (_, index) => 50 * index + random.integer(30));
}

function settings(seed: number): RandomEntrySettings {
  return { placements: 99, ...COSTS, random: new Random(seed).fork('placements') };
}

test('entries that know nothing are accepted at the nominal rate, drift or not, over 120 walks', () => {
  for (const drift of [0, 0.002]) {
    let accepted = 0;
    let sum = 0;
    for (let seed = 0; seed < 120; seed++) {
      const random = new Random(seed);
      const prices = walk(random, drift);
      const found = randomEntryTest([prices], tripsAt(prices, everyFifty(random), 20), settings(seed));
      assert.ok(found !== undefined);
      if (found.pValue <= 0.05) accepted++;
      sum += found.pValue;
    }
    // Three standard errors of a rate of 5 %, and of a mean of uniform numbers.
    assert.ok(accepted / 120 <= 0.05 + 3 * Math.sqrt((0.05 * 0.95) / 120), `${accepted} of 120 at a drift of ${drift}`);
    assert.ok(Math.abs(sum / 120 - 0.5) < (3 * Math.sqrt(1 / 12)) / Math.sqrt(120), `mean p ${sum / 120} at a drift of ${drift}`);
  }
});

test('entries that look ahead are found', () => {
  let found = 0;
  for (let seed = 0; seed < 30; seed++) {
    const random = new Random(seed);
    const prices = walk(random);
    // Of two moments the one after which the price rises more, every time.
    const entries = everyFifty(random).map((entry) => {
      const gain = (at: number): number => (prices[at + 20] ?? NaN) / (prices[at] ?? NaN);
      return gain(entry) > gain(entry + 20) ? entry : entry + 20;
    });
    const result = randomEntryTest(
      [prices],
      tripsAt(
        prices,
        entries.filter((entry) => entry + 20 < BARS),
        20,
      ),
      settings(seed),
    );
    if ((result?.pValue ?? 1) <= 0.05) found++;
  }
  assert.ok(found >= 27, `found in ${found} of 30`);
});

test('trips of a sleeve never overlap: where they fill all the bars there is nowhere else to enter', () => {
  const prices = walk(new Random(1));
  assert.equal(randomEntryTest([prices], tripsAt(prices, [0], BARS - 1), settings(1)), undefined);
  assert.equal(randomEntryTest([prices], [], settings(1)), undefined);
  const almost = randomEntryTest([prices], tripsAt(prices, [0], BARS - 3), settings(1));
  assert.ok(almost !== undefined && almost.exposureRatio > 0.99);
});

test('the legs of a pair stay together: what both follow cancels', () => {
  const prices = walk(new Random(2));
  const pair: PlacedTrip = {
    sleeve: 'pair',
    legs: [
      { instrument: 0, offset: 0, bars: 10, side: 1, holdingCost: 0 },
      { instrument: 1, offset: 0, bars: 10, side: -1, holdingCost: 0 },
    ],
    returnRatio: 0,
  };
  const found = randomEntryTest([prices, prices.slice()], [pair], { ...settings(2), feeRate: 0, slippageRatio: 0 });
  assert.ok(found !== undefined && Math.abs(found.randomMean) < 1e-15 && Math.abs(found.random95) < 1e-15);
});
