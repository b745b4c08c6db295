import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { clean, leaking } from '../../../test/leaks/columns.ts';
import type { BarColumns } from '../../domain/bars.ts';
import { isOnBars } from '../../domain/feature.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { strategies } from '../../forecasts/strategies/index.ts';
import { forecaster } from '../../domain/strategy.ts';
import { boundLegs } from '../../features/pairs/legs.fixture.ts';
import { madeUpBars, relatedBars } from '../../features/indicators/bars.fixture.ts';
import { abstain } from '../../domain/opinion.ts';
import { ema, on, sma } from '../../features/catalog.ts';
import { lagTest } from './lag.ts';
import { warmupTest } from './recursion.ts';
import { searchForLeaks, type Leak, type SearchRequest } from './search.ts';
import { observeColumns, observeFeatures, observeForecaster, type ColumnFunction, type Instance, type Subject } from './subject.ts';
import type { World } from './world.ts';

const world: World = { legs: [madeUpBars(200)], timeframeMs: HOUR_MS };

function columnSubject(make: ColumnFunction, decidesAt: Subject['decidesAt'] = 'close'): Subject {
  const instance: Instance = { observe: (shown) => observeColumns('columns', make, {}, shown) };
  return { kind: 'columns', name: 'columns', decidesAt, open: () => Promise.resolve(instance) };
}

async function leaksOf(subject: Subject, more: Partial<SearchRequest> = {}): Promise<readonly Leak[]> {
  return (await searchForLeaks({ subject, world, maximumCuts: 1_000, outsideTimes: () => new Map(), ...more })).leaks;
}

describe('columns that know the future', () => {
  /** By planted leak: its kind, the first row that can leak, how far ahead that row looks, and what it reads. */
  const planted: Readonly<
    Record<keyof typeof leaking, readonly [kind: string, row: number, barsAhead: number | undefined, input: string]>
  > = {
    'next-bar': ['next bar', 0, 1, 'close'],
    'negative-shift': ['negative shift', 0, 3, 'close'],
    label: ['label', 0, 5, 'close'],
    'centred-window': ['centred window', 4, 4, 'close'],
    'whole-sample': ['whole sample', 0, 199, 'close'],
    'higher-timeframe': ['higher timeframe', 0, 23, 'close'],
    'back-fill': ['back-fill', 0, 19, 'close'],
    'back-fill-gaps': ['back-fill', 0, 3, 'volume'],
    // Only some bars are a highest high: what a few of them look at is no pattern.
    fractal: ['later bars', 2, 2, 'high'],
    length: ['length', 0, undefined, ''],
  };
  for (const [name, [kind, row, barsAhead, input]] of Object.entries(planted)) {
    test(`${name}: a leak by ${kind}, from bar ${row} on`, async () => {
      const make = leaking[name];
      assert.ok(make !== undefined);
      const [leak, ...others] = await leaksOf(columnSubject(make));
      assert.ok(leak !== undefined, 'it is found');
      assert.deepEqual(others, []);
      assert.deepEqual(
        { kind: leak.kind, row: leak.row, barsAhead: leak.barsAhead, reads: leak.reads, at: leak.at },
        { kind, row, barsAhead, reads: input === '' ? [] : [`${input} of leg 0`], at: (row + 1) * HOUR_MS },
      );
    });
  }

  test('a range of the whole sample is found, though only its largest and smallest row matter', async () => {
    const [leak] = await leaksOf(columnSubject(leaking['whole-sample-range'] ?? (() => new Float64Array(0))), {
      world: { legs: [shuffledVolume(madeUpBars(200))], timeframeMs: HOUR_MS },
    });
    assert.equal(leak?.kind, 'whole sample');
    assert.equal(leak.row, 0);
  });

  for (const [name, make] of Object.entries(clean)) {
    test(`${name}: no leak`, async () => assert.deepEqual(await leaksOf(columnSubject(make)), []));
  }

  test('with fewer cuts than bars the first bars are looked at one by one, so that a leak of one bar is found at its first', async () => {
    const [leak] = await leaksOf(columnSubject(leaking['next-bar'] ?? (() => new Float64Array(0))), { maximumCuts: 20 });
    assert.deepEqual([leak?.kind, leak?.row], ['next bar', 0]);
  });

  test('one bar late in the history is found when every bar is looked at', async () => {
    const rare: ColumnFunction = ({ close }) => close.map((value, row) => (row === 150 ? (close[151] ?? NaN) : value));
    const [leak] = await leaksOf(columnSubject(rare));
    assert.deepEqual([leak?.kind, leak?.row, leak?.barsAhead], ['next bar', 150, 1]);
  });

  test('any shift into the future is found at its first bar and by its length, and none into the past', async () => {
    const short: World = { legs: [madeUpBars(70)], timeframeMs: HOUR_MS };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -20, max: 20 }), fc.constantFrom('high', 'low', 'close', 'volume'), async (ahead, input) => {
        const shifted: ColumnFunction = (bars) => bars[input].map((_, row) => bars[input][row + ahead] ?? NaN);
        const leaks = await leaksOf(columnSubject(shifted), { world: short });
        const found = leaks.map(({ row, barsAhead, reads }) => ({ row, barsAhead, reads }));
        assert.deepEqual(found, ahead > 0 ? [{ row: 0, barsAhead: ahead, reads: [`${input} of leg 0`] }] : []);
      }),
      { numRuns: 25 },
    );
  });

  test('rounding is no leak', async () => {
    // The same sum from the other end: its last digits depend on where it begins.
    const summed: ColumnFunction = ({ close }) => {
      let after = close.reduce((sum, value) => sum + value, 0);
      const total = after;
      return close.map((value) => {
        after -= value;
        return total - after - value + value;
      });
    };
    const {
      legs: [bars],
    } = world;
    assert.ok(bars !== undefined);
    const [whole, part] = [summed(bars, {}), summed(firstRowsOf(bars, 120), {})] as [Float64Array, Float64Array];
    assert.ok(
      part.some((value, row) => value !== whole[row]),
      'the digits do differ',
    );
    const other: ColumnFunction = (shown) => Float64Array.from(summed(shown, {}) as Float64Array);
    const { leaks } = await searchForLeaks({ subject: columnSubject(other), world, maximumCuts: 1_000, outsideTimes: () => new Map() });
    assert.deepEqual(leaks, []);
  });
});

describe('columns that are used at the open', () => {
  const range: ColumnFunction = ({ open, high }) => high.map((value, row) => value / (open[row] ?? NaN));

  test('know nothing of their own bar but its open', async () => {
    const [leak] = await leaksOf(columnSubject(range, 'open'));
    assert.deepEqual([leak?.kind, leak?.row, leak?.at, leak?.reads], ['own bar', 0, 0, ['high of leg 0']]);
    assert.deepEqual(await leaksOf(columnSubject(({ open }) => open, 'open')), []);
    assert.deepEqual(await leaksOf(columnSubject(range)), [], 'used at the close it is no leak');
  });
});

describe('models', () => {
  const labels = (shown: World) =>
    observeColumns('labels', ({ close }) => close.map((value, row) => ((close[row + 4] ?? NaN) > value ? 1 : 0)), {}, shown);

  test('a label among the features is called by its name', async () => {
    const feature: ColumnFunction = ({ close }) => close.map((value, row) => ((close[row + 4] ?? NaN) > value ? 2 : -2));
    const [leak] = await leaksOf(columnSubject(feature), { labels });
    assert.equal(leak?.kind, 'label');
    assert.match(leak.words, /label value/);
  });

  test('predictions of bars that were learned from are a leak, later ones are none', async () => {
    const predictions: ColumnFunction = ({ close }) => close.map((value, row) => (row < 30 ? NaN : value));
    const [leak] = await leaksOf(columnSubject(predictions), { trainedUntil: 40 * HOUR_MS });
    assert.deepEqual([leak?.kind, leak?.row], ['in-sample', 30]);
    assert.deepEqual(await leaksOf(columnSubject(predictions), { trainedUntil: 30 * HOUR_MS }), []);
  });
});

/** They speak only where there is a spread to speak of. */
const LIVE_ON_SPREADS = ['pairs', 'basket', 'dynamic-pairs', 'copula-pairs', 'distance-pairs'];

/** Parameters of those whose fits take longer than all the rest of this file. */
const LIGHTER: Readonly<Record<string, object>> = { 'copula-pairs': { formation: 120, trading: 120, pValue: 0.5 } };

describe('strategies and features', () => {
  for (const strategy of strategies) {
    test(`${strategy.name} is clean, and its warm-up forgets how it began`, async () => {
      const bound = forecaster(strategy, strategy.parameters.parse(LIGHTER[strategy.name] ?? {}));
      // What lives on books and rates is held by the contract of strategies: there is neither in these worlds.
      if (!Object.values(bound.features).every(isOnBars)) return;
      const warmup = Math.max(...Object.values(bound.features).map((spec) => spec.warmup));
      const legs = LIVE_ON_SPREADS.includes(strategy.name)
        ? boundLegs({ bars: warmup + 600, legs: bound.legs })
        : relatedBars(Math.max(1_500, warmup + 600), bound.legs, 3);
      const instance: Instance = { observe: (shown) => observeForecaster(bound, shown) };
      const subject: Subject = { kind: 'strategy', name: strategy.name, decidesAt: 'close', open: () => Promise.resolve(instance) };
      const { leaks, trace, cuts } = await searchForLeaks({
        subject,
        world: { legs, timeframeMs: HOUR_MS },
        maximumCuts: 12,
        outsideTimes: () => new Map(),
      });
      assert.deepEqual(leaks, []);
      assert.equal(cuts, 12);
      assert.ok(
        trace.columns.get('stance')?.some((stance) => stance !== 0 && !Number.isNaN(stance)),
        'it takes a side at some time',
      );
    });
  }

  test('the leg that leaks is named: an indicator of the second leg that hears of the future by another way', async () => {
    // What a module would have loaded: all of the second leg, whichever world it is.
    let all: BarColumns | undefined;
    const peeking = { ...sma(1), key: 'peek', create: () => new Peeking(() => all) };
    const pair: World = { legs: [madeUpBars(150, 1), madeUpBars(150, 2)], timeframeMs: HOUR_MS };
    const instance: Instance = {
      observe: (shown) => {
        all = shown.legs[1];
        return observeFeatures('features', { mean: sma(5), peek: { ...peeking, leg: 1 } }, shown);
      },
    };
    const subject: Subject = { kind: 'features', name: 'pair', decidesAt: 'close', open: () => Promise.resolve(instance) };
    const { leaks } = await searchForLeaks({ subject, world: pair, maximumCuts: 1_000, outsideTimes: () => new Map() });
    assert.deepEqual(
      leaks.map(({ kind, column, row, reads }) => ({ kind, column, row, reads })),
      [{ kind: 'negative shift', column: 'peek', row: 0, reads: ['close of leg 1'] }],
    );
  });

  test('a feature of a higher timeframe is fed by the board, and knows its bar only once it is closed', () => {
    const { columns } = observeFeatures('features', { day: on({ timeframeMs: 24 * HOUR_MS }, sma(1)) }, world);
    const day = columns.get('day') ?? new Float64Array(0);
    const close = world.legs[0]?.close ?? new Float64Array(0);
    assert.ok(Number.isNaN(day[22]), 'nothing before the first day is over');
    assert.equal(day[23], close[23]);
    assert.equal(day[46], close[23]);
    assert.equal(day[47], close[47]);
  });

  test('what throws on the true bars is told with its row', async () => {
    const broken = {
      name: 'broken',
      legs: 1,
      features: {},
      opine: ({ at }: { readonly at: number }) => {
        if (at > 50 * HOUR_MS) throw new Error('out of words');
        return abstain('nothing');
      },
      explain: () => ({ because: 'none at all', numbers: {} }),
    };
    const { failure } = observeForecaster(broken, world);
    assert.equal(failure?.row, 50);
    assert.match(failure.words, /out of words/);
  });
});

describe('the warm-up test', () => {
  test('a window forgets, an exponential mean forgets by its rate, a sum never', () => {
    const long: World = { legs: [madeUpBars(600)], timeframeMs: HOUR_MS };
    const features = { mean: sma(20), slow: ema(20) };
    const instance: Instance = { observe: (shown) => observeFeatures('features', features, shown) };
    const { bars, rows } = warmupTest(instance, long, instance.observe(long), 20);
    assert.deepEqual(bars, [20, 40, 80, 160]);
    const [mean, slow] = rows;
    assert.ok(
      mean?.differences.every((difference) => (difference ?? 1) < 1e-12),
      'but for rounding',
    );
    const [first = NaN, second = NaN, third = NaN] = (slow?.differences ?? []).map(Number);
    // Each bar leaves 19/21 of what was before it: 20 more leave a seventh, another 40 a fiftieth.
    assert.ok(first > 1e-6 && second < first / 4 && third < second / 30, `${first} ${second} ${third}`);
    assert.equal(mean?.settledAfterBars, 20);
    const sum: Instance = { observe: (shown) => observeColumns('columns', ({ close }) => running(close), {}, shown) };
    assert.equal(warmupTest(sum, long, sum.observe(long), 50).rows[0]?.settledAfterBars, null);
  });
});

describe('the time-shift test', () => {
  test('what peeks at one bar is worth everything at once and nothing later; what is true of many bars stays', () => {
    const long: World = { legs: [madeUpBars(600)], timeframeMs: HOUR_MS };
    const open = long.legs[0]?.open ?? new Float64Array(0);
    const trace = {
      failure: undefined,
      columns: new Map([['stance', open.map((_, row) => ((open[row + 2] ?? 0) > (open[row + 1] ?? 0) ? 1 : -1))]]),
    };
    const peeking = lagTest(trace, long, 'stance', 'close');
    assert.ok((peeking.scores[0]?.score ?? 0) > 20);
    assert.equal(peeking.isSuspicious, true);
    const held = { failure: undefined, columns: new Map([['stance', new Float64Array(600).fill(1)]]) };
    assert.equal(lagTest(held, long, 'stance', 'close').isSuspicious, false);
  });
});

function running(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => (sum += value));
}

function firstRowsOf(bars: BarColumns, rows: number): BarColumns {
  const { openAt, open, high, low, close, volume } = bars;
  const first = (column: Float64Array): Float64Array => column.slice(0, rows);
  return { openAt: first(openAt), open: first(open), high: first(high), low: first(low), close: first(close), volume: first(volume) };
}

/** The made-up volumes only rise: their extremes would be the ends. */
function shuffledVolume(bars: BarColumns): BarColumns {
  return { ...bars, volume: bars.volume.map((_, row) => 1 + ((row * 7_919) % 211)) };
}

class Peeking {
  readonly warmup = 1;
  value = NaN;
  readonly #all: () => BarColumns | undefined;
  #seen = 0;
  constructor(all: () => BarColumns | undefined) {
    this.#all = all;
  }
  update(): void {
    this.#seen++;
    this.value = this.#all()?.close[this.#seen + 1] ?? NaN;
  }
  save(): void {
    this.#seen += 0;
  }
  restore(): void {
    this.#seen += 0;
  }
}
