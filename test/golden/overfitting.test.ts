// What mpmath, scipy, arch, skfolio, scikit-learn and plain numpy say of the same returns and the same draws. See overfitting-golden.py,
// where the conversions stand; and the published figures.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { dataSnooping, longRunVariance, onNormalScale } from '../../src/lab/validate/data-snooping.ts';
import { monteCarlo } from '../../src/lab/validate/monte-carlo.ts';
import { probabilityOfOverfitting } from '../../src/lab/validate/overfitting.ts';
import {
  deflatedSharpe,
  expectedMaximum,
  minimumBacktestYears,
  minimumTrackRecord,
  probabilisticSharpe,
  sharpeSample,
} from '../../src/lab/validate/sharpe-ratio.ts';
import { optimalBlockLengths } from '../../src/quant/block-length.ts';
import { normalDistribution } from '../../src/quant/normal-distribution.ts';
import type { Resample } from '../../src/quant/resampling.ts';
import { combinatorialPaths, combinatorialPurgedSplits, walkForwardSplits, type LabelSpans, type Split } from '../../src/quant/splits.ts';

const figures = z.record(z.string(), z.number());
const split = z.object({ train: z.array(z.number()), test: z.array(z.number()) });
const golden = z
  .object({
    versions: z.record(z.string(), z.string()),
    normal: z.array(z.tuple([z.number(), z.number()])),
    sharpe: z.record(z.string(), z.record(z.string(), z.number().nullable())),
    blockLengths: z.record(z.string(), z.object({ stationary: z.number(), circular: z.number() })),
    overfitting: z.record(
      z.string(),
      z.object({
        combinations: z.number(),
        probability: z.number(),
        logits: z.array(z.number()),
        logitSum: z.number(),
        slope: z.number(),
        intercept: z.number(),
        lossProbability: z.number(),
      }),
    ),
    snooping: z.record(
      z.string(),
      z.object({
        best: z.number(),
        realityCheck: z.number(),
        statistic: z.number(),
        variances: z.array(z.number()),
        lower: z.number(),
        consistent: z.number(),
        upper: z.number(),
      }),
    ),
    normalScale: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    monteCarlo: z.record(
      z.string(),
      z.object({ finalEquity: figures, maxDrawdown: figures, sharpe: figures, lossProbability: z.number() }),
    ),
    splits: z.object({
      combinatorial: z.record(z.string(), z.object({ splits: z.array(split), paths: z.number() })),
      walkForward: z.record(z.string(), z.array(split)),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('overfitting.json', import.meta.url), 'utf8')));

/** The generator of overfitting-golden.py, to the last bit. */
function uniformFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

function column(count: number, seed: number, drift = 0, memory = 0): Float64Array {
  const uniform = uniformFrom(seed);
  let last = 0;
  return Float64Array.from({ length: count }, () => {
    last = memory * last + (uniform() + uniform() + uniform() + uniform() - 2);
    return drift + last;
  });
}

function columnsOf(count: number, rows: number, seed: number, drift: (index: number) => number = () => 0): Float64Array[] {
  return Array.from({ length: count }, (_, index) => column(rows, seed + index, drift(index)));
}

/** `drawn` of overfitting-golden.py: replications must be asked for in order. */
function drawnBlocks(block: number, seed: number): Resample {
  const uniform = uniformFrom(seed);
  return (_, into) => {
    const count = into.length;
    for (let place = 0; place < count;) {
      const start = Math.floor(uniform() * count);
      for (let step = 0; step < block && place < count; step++) into[place++] = (start + step) % count;
    }
  };
}

function assertNear(found: number, expected: number, what: string, tolerance = 1e-9): void {
  assert.ok(Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${what} was ${found}, expected ${expected}`);
}

test('the normal distribution is that of fifty digits, to the last ones of a double in either tail', () => {
  for (const [x, probability] of golden.normal) {
    const found = normalDistribution(x);
    assert.ok(Math.abs(found - probability) <= 4e-15 * probability, `at ${x} it was ${found}, expected ${probability}`);
  }
});

describe('Sharpe ratios', () => {
  const cases: Readonly<Record<string, Float64Array>> = {
    walk: column(250, 11, 0.05),
    skewed: column(90, 12, 0.1).map((value) => value ** 3),
    short: column(24, 13, 0.3),
    losing: column(60, 14, -0.2),
  };
  for (const [name, expected] of Object.entries(golden.sharpe)) {
    test(`${name}: moments by scipy, and what is made of them`, () => {
      const sample = sharpeSample(cases[name] ?? new Float64Array());
      const deflated = deflatedSharpe(sample, { count: 20, variance: 0.01 });
      const minimum = minimumTrackRecord(sample, 0.01);
      const found: Readonly<Record<string, number | null>> = {
        sharpe: sample.sharpe,
        skewness: sample.skewness,
        kurtosis: sample.kurtosis,
        probabilistic: probabilisticSharpe(sample),
        above: probabilisticSharpe(sample, 0.05),
        benchmark: deflated.benchmark,
        deflated: deflated.probability,
        minimum: Number.isFinite(minimum) ? minimum : null,
      };
      assert.deepEqual(Object.keys(found), Object.keys(expected));
      for (const [figure, value] of Object.entries(expected)) {
        if (value === null) assert.equal(found[figure], null);
        else assertNear(found[figure] ?? NaN, value, figure, 1e-11);
      }
    });
  }

  test('the papers: Bailey and López de Prado (2012, 2014), Bailey and others (2014)', () => {
    const digits = (value: number, count: number): string => value.toFixed(count);
    const monthly = { sharpe: 1.585 / Math.sqrt(12), skewness: -2.448, kurtosis: 10.164, observations: 24 };
    assert.equal(digits(probabilisticSharpe(monthly), 5), '0.91323');
    assert.equal(digits(probabilisticSharpe({ ...monthly, sharpe: 0.458 }), 5), '0.91336');

    const daily = { sharpe: 2.5 / Math.sqrt(250), skewness: -3, kurtosis: 10, observations: 1250 };
    const variance = 0.5 / 250;
    const deflated = (count: number, sample = daily): string[] => {
      const { benchmark, probability } = deflatedSharpe(sample, { count, variance });
      return [digits(benchmark, 6), digits(probability, 6)];
    };
    assert.deepEqual(deflated(100), ['0.113172', '0.900397']);
    assert.deepEqual(deflated(46), ['0.100362', '0.950502']);
    assert.deepEqual(deflated(88, { ...daily, skewness: 0, kurtosis: 3 }), ['0.111146', '0.950491']);

    const years = (perYear: number, skewness = 0, kurtosis = 3): string =>
      digits(minimumTrackRecord({ sharpe: 2 / Math.sqrt(perYear), skewness, kurtosis }, 1 / Math.sqrt(perYear)) / perYear, 4);
    assert.deepEqual([years(250), years(52), years(12), years(12, -0.72, 5.78)], ['2.7312', '2.8288', '3.2398', '4.9913']);

    const trials = [10, 45, 46, 100, 1000];
    assert.deepEqual(
      trials.map((count) => digits(expectedMaximum(count), 4)),
      ['1.5746', '2.2356', '2.2442', '2.5306', '3.2551'],
    );
    assert.deepEqual(
      trials.map((count) => digits(minimumBacktestYears(count), 3)),
      ['2.479', '4.998', '5.036', '6.404', '10.596'],
    );
  });
});

describe('block lengths are those of arch', () => {
  const walk = column(200, 25);
  walk.forEach((value, index) => (walk[index] = value + (walk[index - 1] ?? 0)));
  const cases: Readonly<Record<string, Float64Array>> = {
    'memory 0.8': column(600, 21, 0, 0.8),
    'memory 0.3': column(400, 22, 0, 0.3),
    none: column(500, 23),
    alternating: column(300, 24, 0, -0.6),
    walk,
    short: column(20, 26),
  };
  for (const [name, expected] of Object.entries(golden.blockLengths)) {
    test(name, () => {
      const found = optimalBlockLengths(cases[name] ?? new Float64Array());
      assertNear(found.stationary, expected.stationary, 'stationary');
      assertNear(found.circular, expected.circular, 'circular');
    });
  }

  test('of the residuals of a cointegrated pair', () => {
    // x is a random walk, y - 0.5 - 1.2 x an autoregression; the residuals are those of the fitted line.
    let state = 12345;
    const bell = (): number => {
      let sum = -6;
      for (let draw = 0; draw < 12; draw++) {
        state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
        sum += (state + 0.5) / 4_294_967_296;
      }
      return sum;
    };
    const residuals = new Float64Array(500);
    for (let row = 0, level = 9, rest = 0; row < residuals.length; row++) {
      level += 0.02 * bell();
      rest = 0.9 * rest + 0.01 * bell();
      residuals[row] = 0.5 + 1.2 * level + rest - (0.44628202181216725 + 1.205339155814109 * level);
    }
    const found = optimalBlockLengths(residuals);
    assertNear(found.stationary, 20.971399723792135, 'stationary', 1e-6);
    assertNear(found.circular, 24.006259950103868, 'circular', 1e-6);
  });
});

describe('the probability of overfitting is that of a brute-force recomputation', () => {
  const copied = columnsOf(6, 160, 50);
  copied[4] = copied[1] ?? new Float64Array();
  copied[5] = new Float64Array(160);
  copied[3]?.fill(0, 0, 80);
  const cases: Readonly<Record<string, readonly [readonly Float64Array[], number]>> = {
    noise: [columnsOf(8, 163, 30), 8],
    planted: [columnsOf(7, 240, 40, (index) => (index === 3 ? 0.25 : 0)), 6],
    'copies and idle ones': [copied, 4],
    two: [columnsOf(2, 40, 60), 10],
    'sixteen blocks': [columnsOf(5, 161, 70, (index) => 0.02 * index), 16],
  };
  for (const [name, expected] of Object.entries(golden.overfitting)) {
    test(name, () => {
      const [columns, blocks] = cases[name] ?? [[], 0];
      const found = probabilityOfOverfitting(columns, blocks);
      assert.equal(found.logits.length, expected.combinations);
      assert.equal(found.probability, expected.probability);
      assert.equal(found.lossProbability, expected.lossProbability);
      const stride = Math.max(1, Math.floor(expected.combinations / 20));
      expected.logits.forEach((logit, index) => assertNear(found.logits[index * stride] ?? NaN, logit, `logit ${index * stride}`, 1e-12));
      assertNear(
        found.logits.reduce((sum, logit) => sum + logit, 0),
        expected.logitSum,
        'sum of the logits',
      );
      assertNear(found.degradation.slope, expected.slope, 'slope');
      assertNear(found.degradation.intercept, expected.intercept, 'intercept');
      assert.equal(found.rows, Math.floor((columns[0]?.length ?? 0) / blocks) * blocks);
    });
  }
});

describe('p-values are those of arch for the same draws', () => {
  const wild = columnsOf(8, 150, 100, (index) => (index === 2 ? 0.15 : 0));
  wild[7]?.forEach((value, row) => ((wild[7] ?? [])[row] = value * 12));
  const cases: Readonly<Record<string, readonly Float64Array[]>> = {
    noise: columnsOf(10, 150, 80),
    planted: columnsOf(10, 150, 90, (index) => (index === 4 ? 0.3 : 0)),
    'one wild': wild,
    'mostly bad': columnsOf(9, 150, 110, (index) => (index === 0 ? 0.1 : -0.3)),
    'all bad': columnsOf(5, 150, 120, () => -0.2),
  };
  for (const [name, { variances, best, realityCheck, ...ability }] of Object.entries(golden.snooping)) {
    test(name, () => {
      const columns = cases[name] ?? [];
      const found = dataSnooping(columns, { blockLength: 4, replications: 500, resample: drawnBlocks(4, 7) });
      columns.forEach((values, index) => assertNear(longRunVariance(values, 4), variances[index] ?? NaN, `variance ${index}`));
      assert.equal(found.best, best);
      assert.equal(found.realityCheck, realityCheck);
      const { statistic, ...probabilities } = found.superiorAbility;
      assertNear(statistic, ability.statistic, 'statistic', 2e-3);
      assert.deepEqual(probabilities, { lower: ability.lower, consistent: ability.consistent, upper: ability.upper });
    });
  }
});

test('a studentised mean is brought to the normal scale as exact traces and scipy would', () => {
  for (const [value, count, blockLength, expected] of golden.normalScale) {
    assertNear(onNormalScale(value, count, blockLength), expected, `${value} of ${count} rows in blocks of ${blockLength}`, 2e-3);
  }
});

describe('percentiles of paths are those of numpy for the same draws', () => {
  const falls = column(120, 132);
  const cases: Readonly<Record<string, Float64Array>> = {
    rising: column(250, 131).map((value) => 0.002 + 0.02 * value),
    ruin: column(120, 133).map((value, row) => ((falls[row] ?? NaN) < -1.4 ? -1.2 : 0.05 * value)),
  };
  for (const [name, expected] of Object.entries(golden.monteCarlo)) {
    test(name, () => {
      const found = monteCarlo(cases[name] ?? new Float64Array(), 300, drawnBlocks(10, 9));
      assert.equal(found.lossProbability, expected.lossProbability);
      for (const figure of ['finalEquity', 'maxDrawdown', 'sharpe'] as const) {
        for (const [percentile, value] of Object.entries(found[figure])) {
          assertNear(Number(value), expected[figure][percentile] ?? NaN, `${figure} ${percentile}`);
        }
      }
    });
  }
});

describe('splits', () => {
  /** Labels of 60 rows that end so many rows later. */
  const spansOf = (ahead: number): LabelSpans => ({
    start: Int32Array.from({ length: 60 }, (_, row) => row),
    end: Int32Array.from({ length: 60 }, (_, row) => row + ahead),
  });
  const asRows = (splits: Iterable<Split>): unknown =>
    [...splits].map(({ train, test: tested }) => ({ train: [...train], test: [...tested] }));

  for (const [name, expected] of Object.entries(golden.splits.combinatorial)) {
    const [groups = 0, chosen = 0, purged = 0, embargo = 0] = name.split(' ').map(Number);
    test(`combinatorial, ${chosen} of ${groups}, ${purged} rows ahead and ${embargo} embargoed: those of skfolio`, () => {
      // A label that ends in its own row touches no other.
      assert.deepEqual(asRows(combinatorialPurgedSplits(spansOf(purged), groups, chosen, embargo)), expected.splits);
      assert.equal(combinatorialPaths(groups, chosen).length, expected.paths);
    });
  }

  test('walk-forward: those of scikit-learn and skfolio', () => {
    // Their window lies before the purged rows, ours is purged: 17 + 3 and 20 + 2 rows.
    const found = {
      'sklearn rolling': walkForwardSplits(spansOf(3), { trainRows: 20, testRows: 10 }),
      'sklearn anchored': walkForwardSplits(spansOf(3), { trainRows: 20, testRows: 10, isAnchored: true }),
      'skfolio rolling': walkForwardSplits(spansOf(2), { trainRows: 22, testRows: 7 }),
      'skfolio anchored': walkForwardSplits(spansOf(2), { trainRows: 22, testRows: 7, isAnchored: true }),
    };
    assert.deepEqual(Object.fromEntries(Object.entries(found).map(([name, splits]) => [name, asRows(splits)])), golden.splits.walkForward);
  });
});
