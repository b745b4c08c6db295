// What numpy, pandas and scipy say of the same numbers: see validation-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { combinatorialChoice } from '../../src/lab/validate/combinatorial-choice.ts';
import { randomEntryTest, type PlacedTrip } from '../../src/lab/validate/random-entry.ts';
import { regimesOf } from '../../src/lab/validate/regimes.ts';
import { wilsonInterval } from '../../src/lab/validate/shocks.ts';
import { Random } from '../../src/quant/random.ts';

const golden = z
  .object({
    intervals: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    regimes: z.array(z.string()),
    choice: z.record(
      z.string(),
      z.object({
        columns: z.number(),
        rows: z.number(),
        groups: z.number(),
        tested: z.number(),
        embargo: z.number(),
        sharpes: z.array(z.number()),
      }),
    ),
    placements: z.object({ mean: z.number(), deviation: z.number() }),
  })
  .parse(JSON.parse(readFileSync(new URL('validation.json', import.meta.url), 'utf8')));

/** The generator of validation-golden.py, to the last bit. */
function column(count: number, seed: number, drift = 0): Float64Array {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  return Float64Array.from({ length: count }, () => drift + (uniform() + uniform() + uniform() + uniform() - 2));
}

function compounded(count: number, seed: number, drift = 0): Float64Array {
  let level = 1;
  return column(count, seed, drift).map((value) => 100 * (level *= 1 + 0.02 * value));
}

function assertNear(found: number, expected: number, what: string, tolerance = 1e-12): void {
  assert.ok(Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${what} was ${found}, expected ${expected}`);
}

test("intervals around a beat rate are scipy's", () => {
  for (const [hits, count, low, high] of golden.intervals) {
    const [from, to] = wilsonInterval(hits, count);
    assertNear(from, low, `${hits} of ${count}, low`);
    assertNear(to, high, `${hits} of ${count}, high`);
  }
});

test('the regime of each day is that of rolling windows in pandas, shifted by a day', () => {
  const close = compounded(700, 31, 0.02);
  assert.deepEqual(regimesOf({ day: close, close }), golden.regimes);
  assert.deepEqual(new Set(golden.regimes).size, 5);
});

test('choosing under combinatorial purged cross-validation is what brute force makes of it', () => {
  for (const [name, { columns, rows, groups, tested, embargo, sharpes }] of Object.entries(golden.choice)) {
    const all = Array.from({ length: columns }, (_, index) => column(rows, 51 + index, 0.02 * index));
    const found = combinatorialChoice(all, groups, tested, embargo);
    assert.equal(found.sharpes.length, sharpes.length, name);
    found.sharpes.forEach((sharpe, path) => assertNear(sharpe, sharpes[path] ?? NaN, `${name}, path ${path}`, 1e-9));
  }
});

test('random entries are spread as an enumeration of all places has them', () => {
  const prices = compounded(12, 61);
  const trip = (bars: number): PlacedTrip => ({
    sleeve: 'one',
    legs: [{ instrument: 0, offset: 0, bars, side: 1, holdingCost: 0 }],
    returnRatio: 0,
  });
  const placements = 20_000;
  const found = randomEntryTest([prices], [trip(3), trip(2)], {
    placements,
    feeRate: 0.001,
    slippageRatio: 0.0005,
    random: new Random(5),
  });
  const { mean, deviation } = golden.placements;
  assert.ok(found !== undefined);
  assert.ok(Math.abs(found.randomMean - mean) < (4 * deviation) / Math.sqrt(placements), `${found.randomMean}, expected ${mean}`);
  assert.ok(found.random95 > mean && found.random95 < mean + 3 * deviation);
});
