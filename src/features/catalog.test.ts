import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../domain/bars.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import type { FeatureSpec, Indicator } from '../domain/feature.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import {
  atr,
  bollinger,
  columns,
  donchian,
  ema,
  on,
  realisedVolatility,
  rsi,
  sma,
  standardDeviation,
  volatilityRatio,
  zScore,
  type CatalogSpec,
} from './catalog.ts';
import { anyBars, barAt, firstBars, madeUpBars, withAnotherFuture } from './indicators/bars.fixture.ts';

interface Tested {
  readonly spec: FeatureSpec;
  columns(bars: BarColumns): Readonly<Record<string, Float64Array>>;
  start(): { readonly indicator: Indicator; outputs(): number[] };
}

/** Forgets which indicator it is, so that one table holds them all. */
function tested<I extends Indicator & Readonly<Record<Output, number>>, Output extends string>(spec: CatalogSpec<I, Output>): Tested {
  return {
    spec,
    columns: (bars) => columns(spec, bars),
    start: () => {
      const indicator = spec.create();
      return { indicator, outputs: () => spec.outputs.map((name) => indicator[name]) };
    },
  };
}

const window = fc.integer({ min: 2, max: 40 });
const kinds: Readonly<Record<string, fc.Arbitrary<Tested>>> = {
  sma: window.map((bars) => tested(sma(bars))),
  ema: window.map((bars) => tested(ema(bars))),
  rsi: window.map((bars) => tested(rsi(bars))),
  atr: window.map((bars) => tested(atr(bars))),
  bollinger: fc.tuple(window, fc.double({ min: 0.5, max: 4, noNaN: true })).map(([bars, k]) => tested(bollinger(bars, k))),
  standardDeviation: window.map((bars) => tested(standardDeviation(bars))),
  zScore: window.map((bars) => tested(zScore(bars))),
  realisedVolatility: fc
    .tuple(window, fc.constantFrom(undefined, MINUTE_MS, HOUR_MS))
    .map(([bars, barMs]) => tested(realisedVolatility(bars, barMs))),
  volatilityRatio: fc.tuple(window, window).map(([short, more]) => tested(volatilityRatio(short, short + more))),
  donchian: window.map((bars) => tested(donchian(bars))),
};

for (const [kind, features] of Object.entries(kinds)) {
  test(`${kind} is NaN until its declared warm-up and never after`, () => {
    fc.assert(
      fc.property(features, anyBars(60, 200), ({ spec, start, columns: run }, bars) => {
        assert.equal(start().indicator.warmup, spec.warmup);
        const { value } = run(bars);
        value?.forEach((found, index) => {
          assert.equal(Number.isNaN(found), index + 1 < spec.warmup, `${spec.key} was ${found} after ${index + 1} bars`);
        });
        for (const [name, column] of Object.entries(run(bars))) {
          assert.ok(column.subarray(spec.warmup - 1).every(Number.isFinite), `${name} of ${spec.key} is a number once warm`);
        }
      }),
    );
  });

  test(`${kind} in columns is the living indicator, bit for bit`, () => {
    fc.assert(
      fc.property(features, anyBars(1, 150), ({ columns: run, start }, bars) => {
        const { indicator, outputs } = start();
        const found = Object.values(run(bars));
        for (let index = 0; index < bars.close.length; index++) {
          indicator.update(barAt(bars, index));
          assert.deepEqual(
            outputs(),
            found.map((column) => column[index]),
          );
        }
      }),
    );
  });

  test(`${kind} saved and restored anywhere goes on bit for bit`, () => {
    fc.assert(
      fc.property(features, anyBars(1, 150), fc.nat(), fc.nat(90), ({ start }, bars, place, earlier) => {
        const lived = start();
        const restored = start();
        const cut = place % bars.close.length;
        // What it lived through before must leave no trace.
        const other = madeUpBars(earlier, place);
        for (let index = 0; index < earlier; index++) restored.indicator.update(barAt(other, index));
        for (let index = 0; index < cut; index++) lived.indicator.update(barAt(bars, index));
        const bytes = saved(lived.indicator);
        const reader = new ByteReader(bytes);
        restored.indicator.restore(reader);
        assert.ok(reader.ended, 'it reads all that it wrote');
        assert.deepEqual(restored.outputs(), lived.outputs());
        assert.deepEqual(saved(restored.indicator), bytes);
        for (let index = cut; index < bars.close.length; index++) {
          lived.indicator.update(barAt(bars, index));
          restored.indicator.update(barAt(bars, index));
          assert.deepEqual(restored.outputs(), lived.outputs());
        }
        assert.deepEqual(saved(restored.indicator), saved(lived.indicator));
      }),
    );
  });

  test(`${kind} knows nothing of the future`, () => {
    fc.assert(
      fc.property(features, anyBars(2, 150), fc.nat(), ({ columns: run }, bars, place) => {
        const now = 1 + (place % (bars.close.length - 1));
        const whole = run(bars);
        const cut = run(firstBars(bars, now));
        const changed = run(withAnotherFuture(bars, now));
        for (const [name, column] of Object.entries(whole)) {
          assert.deepEqual(cut[name], column.slice(0, now), `${name} with the future cut`);
          assert.deepEqual(changed[name]?.slice(0, now), column.slice(0, now), `${name} with another future`);
        }
      }),
    );
  });

  test(`${kind} refuses a price that cannot be and stands as it stood`, () => {
    fc.assert(
      fc.property(
        features,
        anyBars(1, 90),
        fc.constantFrom(NaN, 0, -1, Infinity, -Infinity),
        fc.constantFrom<readonly ('high' | 'low' | 'close')[]>(['close'], ['high', 'low', 'close']),
        ({ start, spec }, bars, price, where) => {
          const { indicator, outputs } = start();
          for (let index = 0; index < bars.close.length; index++) indicator.update(barAt(bars, index));
          const bytes = saved(indicator);
          const before = outputs();
          const bad = { ...barAt(bars, 0) };
          for (const field of where) bad[field] = price;
          // The channel does not read the close.
          if (kind === 'donchian' && where.length === 1) return;
          assert.throws(() => indicator.update(bad), /broken invariant: .*positive, finite prices/, spec.key);
          assert.deepEqual(saved(indicator), bytes);
          assert.deepEqual(outputs(), before);
        },
      ),
    );
  });
}

test('every feature and every parameter has a key of its own', () => {
  const specs = [
    ...[2, 3, 20].flatMap((bars) => [sma(bars), ema(bars), rsi(bars), atr(bars), standardDeviation(bars), zScore(bars), donchian(bars)]),
    ...[2, 20].flatMap((bars) => [realisedVolatility(bars), realisedVolatility(bars, MINUTE_MS), realisedVolatility(bars, HOUR_MS)]),
    ...[bollinger(2, 2), bollinger(22, 2), bollinger(2, 2.5), volatilityRatio(2, 20), volatilityRatio(2, 21), volatilityRatio(3, 20)],
  ];
  assert.equal(new Set(specs.map(({ key }) => key)).size, specs.length);
  assert.equal(ema(12).key, ema(12).key);
});

test('a feature on another leg or timeframe is the same feature', () => {
  const elsewhere = on({ leg: 1, timeframeMs: 4 * HOUR_MS }, bollinger(20, 2));
  assert.equal(elsewhere.key, bollinger(20, 2).key);
  assert.equal(elsewhere.leg, 1);
  assert.equal(elsewhere.timeframeMs, 4 * HOUR_MS);
  assert.equal(elsewhere.create().upper, NaN);
  assert.ok(!('leg' in on({ timeframeMs: HOUR_MS }, sma(2))));
  assert.ok(!('timeframeMs' in on({ leg: 0 }, sma(2))));
});

test('a feature that cannot be is refused by name, with what was found and what is expected', () => {
  const refused: readonly [() => unknown, RegExp][] = [
    [() => sma(0), /feature sma: found a window of 0, expected a whole number of bars from 1 to/],
    [() => ema(-3), /feature ema: found a window of -3/],
    [() => rsi(1.5), /feature rsi: found a window of 1.5/],
    [() => atr(NaN), /feature atr: found a window of NaN/],
    [() => donchian(Infinity), /feature donchian: found a window of Infinity/],
    [() => standardDeviation(1), /feature standardDeviation: found a window of 1, expected a whole number of bars from 2 to/],
    [() => zScore(1), /feature zScore: found a window of 1/],
    [() => bollinger(1, 2), /feature bollinger: found a window of 1/],
    [() => bollinger(20, 0), /feature bollinger: found 0, expected a positive, finite multiple/],
    [() => realisedVolatility(1), /feature realisedVolatility: found a window of 1/],
    [() => realisedVolatility(20, 0), /feature realisedVolatility: found a timeframe of 0/],
    [() => volatilityRatio(20, 20), /feature volatilityRatio: found 20 and 20, expected a short window below the long one/],
    [() => on({ leg: -1 }, sma(2)), /feature sma\(2\): found leg -1/],
    [() => on({ timeframeMs: 0.5 }, sma(2)), /feature sma\(2\): found a timeframe of 0.5/],
    [() => sma(2_000_000), /feature sma: found a window of 2000000/],
  ];
  for (const [make, message] of refused) {
    assert.throws(make, (error) => {
      assert.ok(error instanceof BallastError);
      assert.equal(error.code, 'FEATURE_MALFORMED');
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      return true;
    });
  }
});

test('columns tell an indicator when its bars closed, where they were told how long a bar is', () => {
  const seen: number[] = [];
  const clock: CatalogSpec<Indicator> = {
    key: 'clock',
    warmup: 1,
    outputs: ['value'],
    create: () => ({ value: 0, warmup: 1, update: (bar) => void seen.push(bar.at), save() {}, restore() {} }),
  };
  columns(clock, madeUpBars(2), HOUR_MS);
  columns(on({ timeframeMs: MINUTE_MS }, clock), madeUpBars(1));
  columns(clock, madeUpBars(1));
  assert.deepEqual(seen, [HOUR_MS, 2 * HOUR_MS, MINUTE_MS, NaN]);
});

function saved(indicator: Indicator): Uint8Array {
  const out = new ByteWriter();
  indicator.save(out);
  return out.view().slice();
}
