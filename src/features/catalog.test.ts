import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../domain/bars.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import type { FeatureSpec, Indicator } from '../domain/feature.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import * as catalog from './catalog.ts';
import { columns, ema, on, realisedVolatility, sma, type CatalogSpec } from './catalog.ts';
import { PATTERN_NAMES } from './indicators/bar-pattern.ts';
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
    columns: (bars) => columns(spec, bars, HOUR_MS),
    start: () => {
      const indicator = spec.create();
      return { indicator, outputs: () => spec.outputs.map((name) => indicator[name]) };
    },
  };
}

const window = fc.integer({ min: 2, max: 40 });
const short = fc.integer({ min: 1, max: 12 });
const multiple = fc.double({ min: 0.5, max: 4, noNaN: true });
const barLength = fc.constantFrom(undefined, MINUTE_MS, HOUR_MS);
const fastAndSlow = fc.tuple(short, short).map(([fast, more]) => [fast, fast + more] as const);
const anchor = 30 * HOUR_MS;

/** One for each feature of the catalog, by its name: any of its parameters within what a few hundred bars can warm. */
const kinds: Readonly<Record<Exclude<keyof typeof catalog, 'columns' | 'on'>, fc.Arbitrary<Tested>>> = {
  sma: window.map((bars) => tested(sma(bars))),
  ema: window.map((bars) => tested(ema(bars))),
  wma: window.map((bars) => tested(catalog.wma(bars))),
  dema: short.map((bars) => tested(catalog.dema(bars))),
  tema: short.map((bars) => tested(catalog.tema(bars))),
  kama: window.map((bars) => tested(catalog.kama(bars))),
  hma: window.map((bars) => tested(catalog.hma(bars))),
  rsi: window.map((bars) => tested(catalog.rsi(bars))),
  macd: fc.tuple(fastAndSlow, short).map(([[fast, slow], mean]) => tested(catalog.macd(fast, slow, mean))),
  adx: fc.integer({ min: 2, max: 20 }).map((bars) => tested(catalog.adx(bars))),
  adxr: fc.integer({ min: 2, max: 20 }).map((bars) => tested(catalog.adxr(bars))),
  stochastic: fc.tuple(window, short, short).map((parameters) => tested(catalog.stochastic(...parameters))),
  stochasticFast: fc.tuple(window, short).map((parameters) => tested(catalog.stochasticFast(...parameters))),
  stochasticRsi: fc.tuple(window, short, short).map((parameters) => tested(catalog.stochasticRsi(...parameters))),
  williamsR: window.map((bars) => tested(catalog.williamsR(bars))),
  cci: window.map((bars) => tested(catalog.cci(bars))),
  mfi: window.map((bars) => tested(catalog.mfi(bars))),
  obv: fc.constant(tested(catalog.obv())),
  accumulationDistribution: fc.constant(tested(catalog.accumulationDistribution())),
  chaikinOscillator: fastAndSlow.map((windows) => tested(catalog.chaikinOscillator(...windows))),
  chaikinMoneyFlow: window.map((bars) => tested(catalog.chaikinMoneyFlow(bars))),
  sessionVwap: fc.constant(tested(catalog.sessionVwap(HOUR_MS))),
  rollingVwap: window.map((bars) => tested(catalog.rollingVwap(bars))),
  anchoredVwap: fc.constant(tested(catalog.anchoredVwap(anchor))),
  vwapDeviation: fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 3, max: 20 }))
    .map((parameters) => tested(catalog.vwapDeviation(...parameters))),
  rateOfChange: window.map((bars) => tested(catalog.rateOfChange(bars))),
  momentum: window.map((bars) => tested(catalog.momentum(bars))),
  trix: short.map((bars) => tested(catalog.trix(bars))),
  ultimateOscillator: fc
    .tuple(short, short, short)
    .map(([first, more, most]) => tested(catalog.ultimateOscillator(first, first + more, first + more + most))),
  aroon: window.map((bars) => tested(catalog.aroon(bars))),
  ichimoku: fc
    .tuple(short, short, short, short)
    .map(([conversion, base, more, ahead]) => tested(catalog.ichimoku(conversion, base, Math.max(conversion, base) + more, ahead))),
  superTrend: fc.tuple(window, multiple).map((parameters) => tested(catalog.superTrend(...parameters))),
  parabolicSar: fc
    .constantFrom([0.02, 0.2], [0.05, 0.05], [0.1, 1])
    .map(([step = NaN, most = NaN]) => tested(catalog.parabolicSar(step, most))),
  atr: window.map((bars) => tested(catalog.atr(bars))),
  bollinger: fc.tuple(window, multiple).map((parameters) => tested(catalog.bollinger(...parameters))),
  keltner: fc.tuple(window, window, multiple).map((parameters) => tested(catalog.keltner(...parameters))),
  donchian: window.map((bars) => tested(catalog.donchian(bars))),
  donchianEnsemble: fc.array(window, { minLength: 1, maxLength: 5 }).map((windows) => tested(catalog.donchianEnsemble(windows))),
  standardDeviation: window.map((bars) => tested(catalog.standardDeviation(bars))),
  zScore: window.map((bars) => tested(catalog.zScore(bars))),
  realisedVolatility: fc.tuple(window, barLength).map((parameters) => tested(realisedVolatility(...parameters))),
  volatilityRatio: fc.tuple(window, window).map(([few, more]) => tested(catalog.volatilityRatio(few, few + more))),
  parkinson: fc.tuple(window, barLength).map((parameters) => tested(catalog.parkinson(...parameters))),
  garmanKlass: fc.tuple(window, barLength).map((parameters) => tested(catalog.garmanKlass(...parameters))),
  rogersSatchell: fc.tuple(window, barLength).map((parameters) => tested(catalog.rogersSatchell(...parameters))),
  yangZhang: fc.tuple(window, barLength).map((parameters) => tested(catalog.yangZhang(...parameters))),
  volumeProfile: fc.tuple(window, fc.constantFrom(0.0001, 0.01, 1)).map((parameters) => tested(catalog.volumeProfile(...parameters))),
  pivotPoints: fc.constantFrom('classic', 'fibonacci', 'camarilla').map((method) => tested(catalog.pivotPoints(method, HOUR_MS))),
  swings: short.map((side) => tested(catalog.swings(side))),
  liquiditySweep: short.map((side) => tested(catalog.liquiditySweep(side))),
  barPattern: fc.constantFrom(...PATTERN_NAMES).map((name) => tested(catalog.barPattern(name))),
  barSpan: fc.constant(tested(catalog.barSpan())),
  previous: window.map((bars) => tested(catalog.previous(sma(bars)))),
  pinBar: fc.constantFrom(0.6, 2 / 3, 1).map((shadow) => tested(catalog.pinBar(shadow))),
};

/** What waits for something to happen rather than for bars, and from which bar on it is known then; -1 is never. */
const knownFrom: Readonly<Record<string, (bars: BarColumns) => number>> = {
  'anchoredVwap.value': ({ openAt }) => openAt.findIndex((at) => at + HOUR_MS > anchor),
  // Whether there has been a turn is what the tests of swings say.
  'swings.high': () => -1,
  'swings.low': () => -1,
};

test('every feature of the catalog is put to the tests below', () => {
  assert.deepEqual(
    Object.keys(kinds).toSorted(),
    Object.keys(catalog)
      .filter((name) => name !== 'columns' && name !== 'on')
      .toSorted(),
  );
});

for (const [kind, features] of Object.entries(kinds)) {
  test(`${kind} is NaN until its declared warm-up and never after`, () => {
    fc.assert(
      fc.property(features, anyBars(60, 200), ({ spec, start, columns: run }, bars) => {
        assert.equal(start().indicator.warmup, spec.warmup);
        const waits = knownFrom[`${kind}.value`];
        const first = waits === undefined ? spec.warmup - 1 : Math.max(0, waits(bars));
        for (const [name, column] of Object.entries(run(bars))) {
          if (name === 'value') {
            column.forEach((found, index) => {
              assert.equal(Number.isNaN(found), index < first, `${spec.key} was ${found} after ${index + 1} bars`);
            });
          }
          if (`${kind}.${name}` in knownFrom) continue;
          assert.ok(column.subarray(first).every(Number.isFinite), `${name} of ${spec.key} is a number once warm`);
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

  test(`${kind} refuses what cannot be, where it looks at it, and stands as it stood`, () => {
    fc.assert(
      fc.property(features, anyBars(1, 90), fc.constantFrom(NaN, -1, Infinity, -Infinity), ({ start, spec }, bars, nonsense) => {
        const { indicator, outputs } = start();
        for (let index = 0; index < bars.close.length; index++) indicator.update(barAt(bars, index));
        const bytes = saved(indicator);
        const before = outputs();
        const good = { ...barAt(bars, 0), at: barAt(bars, bars.close.length - 1).at + HOUR_MS };
        const prices = { open: nonsense, high: nonsense, low: nonsense, close: nonsense };
        const all = { ...good, ...prices, volume: nonsense };
        assert.throws(() => indicator.update(all), /broken invariant: a bar that reaches an indicator/, spec.key);
        assert.deepEqual(saved(indicator), bytes);
        for (const field of ['open', 'high', 'low', 'close', 'volume'] as const) {
          const bad = { ...good, [field]: nonsense };
          try {
            indicator.update(bad);
          } catch (error) {
            assert.match(String(error), /broken invariant: a bar that reaches an indicator/);
            assert.deepEqual(saved(indicator), bytes, `${field} of ${spec.key}`);
            assert.deepEqual(outputs(), before);
            continue;
          }
          // It took the bar, so it does not look at this field.
          const other = start();
          other.indicator.restore(new ByteReader(bytes));
          other.indicator.update(good);
          assert.deepEqual(saved(indicator), saved(other.indicator), `${field} of ${spec.key}`);
          indicator.restore(new ByteReader(bytes));
        }
      }),
    );
  });
}

test('what asks for the time refuses a bar without one', () => {
  for (const feature of [
    catalog.sessionVwap(HOUR_MS),
    catalog.anchoredVwap(0),
    catalog.pivotPoints('classic', HOUR_MS),
    catalog.barSpan(),
  ]) {
    const indicator: Indicator = feature.create();
    assert.throws(() => indicator.update({ ...barAt(madeUpBars(1), 0), at: NaN }), /says when it closed/);
    assert.equal(feature.needsTime, true);
  }
  assert.throws(() => columns(catalog.sessionVwap(HOUR_MS), madeUpBars(3)), /sessionVwap\(3600000ms\): found bars of unknown length/);
});

test('every feature and every parameter has a key of its own', () => {
  const specs = [
    ...[2, 3, 20].flatMap((bars) =>
      [
        ...[sma, ema, catalog.wma, catalog.dema, catalog.tema, catalog.kama, catalog.hma, catalog.rsi, catalog.adx, catalog.adxr],
        ...[catalog.williamsR, catalog.cci, catalog.mfi, catalog.chaikinMoneyFlow, catalog.rollingVwap, catalog.rateOfChange],
        ...[catalog.momentum, catalog.trix, catalog.aroon, catalog.atr, catalog.donchian, catalog.standardDeviation, catalog.zScore],
        ...[catalog.swings, catalog.liquiditySweep, catalog.parkinson, catalog.garmanKlass, catalog.rogersSatchell, catalog.yangZhang],
        ...[realisedVolatility, catalog.anchoredVwap],
      ].map((feature) => feature(bars)),
    ),
    ...[2, 20].flatMap((bars) => [
      ...[realisedVolatility, catalog.parkinson, catalog.garmanKlass, catalog.rogersSatchell, catalog.yangZhang].flatMap((feature) => [
        feature(bars, MINUTE_MS),
        feature(bars, HOUR_MS),
      ]),
    ]),
    ...[catalog.bollinger(2, 2), catalog.bollinger(22, 2), catalog.bollinger(2, 2.5), catalog.superTrend(2, 2), catalog.superTrend(22, 2)],
    ...[catalog.superTrend(2, 2.5), catalog.volatilityRatio(2, 20), catalog.volatilityRatio(2, 21), catalog.volatilityRatio(3, 20)],
    ...[catalog.macd(1, 2, 3), catalog.macd(1, 23, 3), catalog.macd(1, 2, 33), catalog.obv(), catalog.accumulationDistribution()],
    ...[catalog.keltner(2, 3, 1), catalog.keltner(2, 3, 1.5), catalog.keltner(3, 2, 1), catalog.chaikinOscillator(3, 10)],
    ...[catalog.stochastic(5, 3, 1), catalog.stochastic(5, 1, 3), catalog.stochasticFast(5, 3), catalog.stochasticRsi(5, 3, 1)],
    ...[catalog.ichimoku(9, 26, 52, 26), catalog.ichimoku(9, 26, 52, 25), catalog.ultimateOscillator(7, 14, 28)],
    ...[catalog.parabolicSar(0.02, 0.2), catalog.parabolicSar(0.02, 0.1), catalog.sessionVwap(HOUR_MS), catalog.sessionVwap(MINUTE_MS)],
    ...[catalog.pivotPoints('classic', HOUR_MS), catalog.pivotPoints('fibonacci', HOUR_MS), catalog.pivotPoints('classic', MINUTE_MS)],
    ...[catalog.volumeProfile(20, 0.01), catalog.volumeProfile(20, 0.02), catalog.pinBar(0.6), catalog.pinBar(0.7)],
    ...[catalog.previous(sma(2)), catalog.previous(sma(3)), catalog.previous(catalog.previous(sma(2)))],
    ...PATTERN_NAMES.map((name) => catalog.barPattern(name)),
    ...[catalog.vwapDeviation(5, 10), catalog.vwapDeviation(10, 5), catalog.donchianEnsemble([5, 10]), catalog.donchianEnsemble([5])],
    catalog.barSpan(),
  ];
  assert.equal(new Set(specs.map(({ key }) => key)).size, specs.length);
  assert.equal(ema(12).key, ema(12).key);
});

test('a feature on another leg or timeframe is the same feature', () => {
  const elsewhere = on({ leg: 1, timeframeMs: 4 * HOUR_MS }, catalog.bollinger(20, 2));
  assert.equal(elsewhere.key, catalog.bollinger(20, 2).key);
  assert.equal(elsewhere.leg, 1);
  assert.equal(elsewhere.timeframeMs, 4 * HOUR_MS);
  assert.equal(elsewhere.create().upper, NaN);
  assert.ok(!('leg' in on({ timeframeMs: HOUR_MS }, sma(2))));
  assert.ok(!('timeframeMs' in on({ leg: 0 }, sma(2))));
});

test('the previous value is of the same leg and timeframe', () => {
  const elsewhere = catalog.previous(on({ leg: 1, timeframeMs: 4 * HOUR_MS }, catalog.sessionVwap(HOUR_MS)));
  assert.deepEqual([elsewhere.leg, elsewhere.timeframeMs, elsewhere.needsTime], [1, 4 * HOUR_MS, true]);
  const bars = madeUpBars(30);
  const [now, before] = [columns(sma(3), bars).value, columns(catalog.previous(sma(3)), bars).value];
  assert.deepEqual(before.subarray(1), now.subarray(0, -1));
  assert.ok(!('leg' in catalog.previous(sma(3))));
});

test('a feature that cannot be is refused by name, with what was found and what is expected', () => {
  const refused: readonly [() => unknown, RegExp][] = [
    [() => sma(0), /feature sma: found a window of 0, expected a whole number of bars from 1 to/],
    [() => ema(-3), /feature ema: found a window of -3/],
    [() => catalog.rsi(1.5), /feature rsi: found a window of 1.5/],
    [() => catalog.atr(NaN), /feature atr: found a window of NaN/],
    [() => catalog.donchian(Infinity), /feature donchian: found a window of Infinity/],
    [() => catalog.standardDeviation(1), /feature standardDeviation: found a window of 1, expected a whole number of bars from 2 to/],
    [() => catalog.zScore(1), /feature zScore: found a window of 1/],
    [() => catalog.bollinger(1, 2), /feature bollinger: found a window of 1/],
    [() => catalog.bollinger(20, 0), /feature bollinger: found 0, expected a positive, finite multiple/],
    [() => realisedVolatility(1), /feature realisedVolatility: found a window of 1/],
    [() => realisedVolatility(20, 0), /feature realisedVolatility: found a timeframe of 0/],
    [() => catalog.volatilityRatio(20, 20), /feature volatilityRatio: found 20 and 20, expected a short window below the long one/],
    [() => on({ leg: -1 }, sma(2)), /feature sma\(2\): found leg -1/],
    [() => on({ timeframeMs: 0.5 }, sma(2)), /feature sma\(2\): found a timeframe of 0.5/],
    [() => catalog.hma(1), /feature hma: found a window of 1, expected a whole number of bars from 2 to/],
    [() => catalog.macd(26, 12, 9), /feature macd: found 26 and 12, expected a fast window below the slow one/],
    [() => catalog.chaikinOscillator(10, 10), /feature chaikinOscillator: found 10 and 10/],
    [() => catalog.keltner(20, 10, -1), /feature keltner: found -1, expected a positive, finite multiple of the range/],
    [() => catalog.ultimateOscillator(7, 7, 28), /feature ultimateOscillator: found 7, 7 and 28, expected three windows, each longer/],
    [() => catalog.ichimoku(9, 60, 52, 26), /feature ichimoku: found 9, 60 and 52/],
    [() => catalog.ichimoku(9, 26, 52, 0), /feature ichimoku: found a window of 0/],
    [() => catalog.parabolicSar(0.3, 0.2), /feature parabolicSar: found 0.3 and 0.2, expected a step up to its most/],
    [() => catalog.sessionVwap(7 * HOUR_MS), /feature sessionVwap: found bars of 25200000, expected a length .* that divides a day/],
    [() => catalog.anchoredVwap(0.5), /feature anchoredVwap: found an anchor at 0.5/],
    [() => catalog.pivotPoints('woodie' as 'classic', HOUR_MS), /feature pivotPoints: found "woodie", expected one of classic, fibonacci/],
    [() => catalog.barPattern('cup' as 'doji'), /feature barPattern: found "cup", expected one of doji, /],
    [() => catalog.pinBar(0.5), /feature pinBar: found a shadow of 0.5/],
    [() => catalog.volumeProfile(20, 0), /feature volumeProfile: found a row of 0/],
    [() => catalog.donchianEnsemble([]), /feature donchianEnsemble: found no window, expected one at least/],
    [() => catalog.donchianEnsemble([5, 1]), /feature donchianEnsemble: found a window of 1, expected a whole number of bars from 2 to/],
    [() => catalog.vwapDeviation(5, 2), /feature vwapDeviation: found a window of 2, expected a whole number of bars from 3 to/],
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
