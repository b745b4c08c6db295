import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../domain/bars.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import type { BarView, JointFeatureSpec, JointIndicator } from '../domain/feature.ts';
import { anyBars, barAt, madeUpBars } from './indicators/bars.fixture.ts';
import * as catalog from './joint-catalog.ts';

const window = fc.integer({ min: 3, max: 30 });
const few = fc.integer({ min: 1, max: 5 });

const kinds: Readonly<Record<keyof typeof catalog, fc.Arbitrary<Tested>>> = {
  returnCorrelation: window.map((bars) => tested(catalog.returnCorrelation(bars), ['value', 'beta'])),
  catchUp: fc.tuple(few, few, window).map((parameters) => tested(catalog.catchUp(...parameters), ['value', 'slope', 'tStatistic'])),
  premium: window.map((bars) => tested(catalog.premium(bars), ['value', 'usual'])),
};

interface Tested {
  readonly spec: JointFeatureSpec;
  start(): { readonly indicator: JointIndicator; outputs(): number[] };
}

function tested<I extends JointIndicator & Readonly<Record<Output, number>>, Output extends string>(
  spec: JointFeatureSpec<I>,
  names: readonly Output[],
): Tested {
  return {
    spec,
    start: () => {
      const indicator = spec.create();
      return { indicator, outputs: () => names.map((name) => indicator[name]) };
    },
  };
}

for (const [kind, features] of Object.entries(kinds)) {
  test(`${kind} is NaN until its declared warm-up and a number after it, whatever the legs do`, () => {
    fc.assert(
      fc.property(features, anyBars(60, 160), anyBars(60, 160), ({ spec, start }, one, other) => {
        const { indicator, outputs } = start();
        for (let index = 0; index < 60; index++) {
          indicator.update(closeOf(index, one, other));
          assert.equal(Number.isNaN(indicator.value), index + 1 < spec.warmup, `${spec.key} after ${index + 1} bars`);
          if (index + 1 >= spec.warmup) assert.ok(outputs().every(Number.isFinite), `${spec.key}: ${outputs().join(', ')}`);
        }
      }),
    );
  });

  test(`${kind} saved and restored anywhere goes on bit for bit`, () => {
    fc.assert(
      fc.property(features, anyBars(60, 120), anyBars(60, 120), fc.nat(59), fc.nat(40), ({ start }, one, other, cut, earlier) => {
        const lived = start();
        const restored = start();
        const past = madeUpBars(earlier, 5);
        for (let index = 0; index < earlier; index++) restored.indicator.update(closeOf(index, past, past));
        for (let index = 0; index < cut; index++) lived.indicator.update(closeOf(index, one, other));
        const bytes = saved(lived.indicator);
        const reader = new ByteReader(bytes);
        restored.indicator.restore(reader);
        assert.ok(reader.ended, 'it reads all that it wrote');
        assert.deepEqual(saved(restored.indicator), bytes);
        for (let index = cut; index < 60; index++) {
          for (const { indicator } of [lived, restored]) indicator.update(closeOf(index, one, other));
          assert.deepEqual(restored.outputs(), lived.outputs());
        }
      }),
    );
  });

  test(`${kind} refuses a bar without a price and stands as it stood`, () => {
    fc.assert(
      fc.property(features, fc.constantFrom(NaN, 0, -1, Infinity), fc.constantFrom(0, 1), ({ start }, nonsense, leg) => {
        const { indicator } = start();
        const bars = madeUpBars(50, 3);
        for (let index = 0; index < 50; index++) indicator.update(closeOf(index, bars, madeUpBars(50, 4)));
        const bytes = saved(indicator);
        const broken = closeOf(0, bars, bars).map((bar, place) => (place === leg ? { ...bar, close: nonsense } : bar));
        assert.throws(() => indicator.update(broken), /broken invariant: a bar that reaches an indicator has positive, finite prices/);
        assert.deepEqual(saved(indicator), bytes);
      }),
    );
  });
}

test('the correlation and the slope are those of the logarithmic returns of the window', () => {
  fc.assert(
    fc.property(window, fc.nat(1_000), (bars, seed) => {
      const [one, other] = [madeUpBars(80, seed), madeUpBars(80, seed + 7)];
      const indicator = catalog.returnCorrelation(bars).create();
      for (let index = 0; index < 80; index++) indicator.update(closeOf(index, one, other));
      const [first, second] = [lastReturns(one, bars), lastReturns(other, bars)];
      const { correlation, slope } = lineThrough(second, first);
      near(indicator.value, correlation);
      near(indicator.beta, slope);
    }),
  );
});

test('what is caught up is the slope of what came after on the leads before, and the lead is that of now', () => {
  fc.assert(
    fc.property(few, few, window, fc.nat(1_000), (move, ahead, pairs, seed) => {
      const [one, other] = [madeUpBars(80, seed), madeUpBars(80, seed + 7)];
      const indicator = catalog.catchUp(move, ahead, pairs).create();
      for (let index = 0; index < 80; index++) indicator.update(closeOf(index, one, other));
      const log = ({ close }: BarColumns, index: number): number => Math.log(close[index] ?? NaN);
      const lead = (index: number): number => log(one, index) - log(one, index - move) - (log(other, index) - log(other, index - move));
      const leads = Array.from({ length: pairs }, (_, place) => lead(79 - ahead - place));
      const after = leads.map((_, place) => log(other, 79 - place) - log(other, 79 - ahead - place));
      const { slope, slopeError } = lineThrough(leads, after);
      near(indicator.value, lead(79));
      near(indicator.slope, slope);
      near(indicator.tStatistic, slope / slopeError / Math.sqrt(ahead));
    }),
  );
});

test('a follower that makes up half of every lead a bar later is found out', () => {
  const indicator = catalog.catchUp(1, 1, 50).create();
  const steps = madeUpBars(80, 11);
  let [leader, follower, lead] = [100, 100, 0];
  for (let index = 0; index < 80; index++) {
    const step = Math.log((steps.close[index] ?? NaN) / (steps.open[index] ?? NaN));
    const caughtUp = 0.5 * lead;
    leader *= Math.exp(step);
    follower *= Math.exp(caughtUp);
    lead = step - caughtUp;
    indicator.update([bar(leader), bar(follower)]);
  }
  assert.ok(Math.abs(indicator.slope - 0.5) < 1e-9, `found ${indicator.slope}`);
});

test('where one leg stands still there is nothing between the two', () => {
  const correlation = catalog.returnCorrelation(5).create();
  const lead = catalog.catchUp(1, 1, 5).create();
  const both = catalog.premium(5).create();
  const moving = madeUpBars(20, 3);
  for (let index = 0; index < 20; index++) {
    for (const indicator of [correlation, lead, both]) indicator.update([barAt(moving, index), bar(100)]);
  }
  assert.deepEqual([correlation.value, correlation.beta], [0, 0]);
  assert.deepEqual([lead.slope, lead.tStatistic], [0, 0]);
  near(both.value, (moving.close[19] ?? NaN) / 100 - 1);
  near(both.usual, [15, 16, 17, 18, 19].reduce((sum, index) => sum + (moving.close[index] ?? NaN) / 100 - 1, 0) / 5);
});

test('a feature that cannot be is refused by name', () => {
  for (const [make, message] of [
    [() => catalog.returnCorrelation(2), /feature returnCorrelation: found a window of 2, expected a whole number of bars from 3 to/],
    [() => catalog.catchUp(0, 1, 5), /feature catchUp: found a window of 0/],
    [() => catalog.catchUp(1, 1.5, 5), /feature catchUp: found a window of 1.5/],
    [() => catalog.premium(NaN), /feature premium: found a window of NaN/],
  ] as const) {
    assert.throws(make, (error) => error instanceof BallastError && error.code === 'FEATURE_MALFORMED' && message.test(error.message));
  }
});

function closeOf(index: number, ...legs: readonly BarColumns[]): BarView[] {
  return legs.map((columns) => barAt(columns, index));
}

function bar(close: number): BarView {
  return { at: 0, open: close, high: close, low: close, close, volume: 1 };
}

function lastReturns({ close }: BarColumns, count: number): number[] {
  return Array.from({ length: count }, (_, place) => Math.log((close[79 - place] ?? NaN) / (close[78 - place] ?? NaN)));
}

/** Least squares by the textbook, of y on x. */
function lineThrough(x: readonly number[], y: readonly number[]): { correlation: number; slope: number; slopeError: number } {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const product = (left: readonly number[], leftMean: number, right: readonly number[], rightMean: number): number =>
    left.reduce((sum, value, index) => sum + (value - leftMean) * ((right[index] ?? NaN) - rightMean), 0);
  const [xx, xy, yy] = [product(x, meanX, x, meanX), product(x, meanX, y, meanY), product(y, meanY, y, meanY)];
  const slope = xy / xx;
  const residuals = y.reduce((sum, value, index) => sum + (value - meanY - slope * ((x[index] ?? NaN) - meanX)) ** 2, 0);
  return { correlation: xy / Math.sqrt(xx * yy), slope, slopeError: Math.sqrt(residuals / (x.length - 2) / xx) };
}

function near(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `found ${found}, expected ${expected}`);
}

function saved(indicator: JointIndicator): Uint8Array {
  const out = new ByteWriter();
  indicator.save(out);
  return out.view().slice();
}
