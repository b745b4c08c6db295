import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { ALL_IN, type SweepAccount } from '../sweep/account.ts';
import { runColumn } from '../sweep/run-column.ts';
import { smaCross } from '../sweep/sma-cross.ts';
import { Sweeper } from '../sweep/sweeper.ts';
import { columnReturns } from './run-returns.ts';
import { sweepEvaluator } from './sweep-evaluator.ts';
import { foldsOf, walkForward, type WalkForward } from './walk-forward.ts';

const ACCOUNT: SweepAccount = {
  capital: 10_000,
  feeRate: 0.001,
  slippageRatio: 0.0005,
  stopSlippageRatio: 0.0005,
  fill: 'next-open',
  sizing: ALL_IN,
};
const START = Date.UTC(2021, 0, 1);
const POINTS = [4, 8, 16].flatMap((fast) => [24, 48, 96].map((slow) => ({ fast, slow })));

function walk(rows: number, seed: number): BarColumns {
  const random = new Random(seed);
  const columns = ['openAt', 'open', 'high', 'low', 'close', 'volume'].map(() => new Float64Array(rows));
  const [openAt, open, high, low, close, volume] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let price = 100;
  for (let row = 0; row < rows; row++) {
    openAt[row] = START + row * HOUR_MS;
    open[row] = price;
    price *= 1 + 0.01 * random.normal();
    close[row] = price;
    high[row] = Math.max(open[row] ?? NaN, price) * 1.001;
    low[row] = Math.min(open[row] ?? NaN, price) * 0.999;
    volume[row] = 1;
  }
  return { openAt, open, high, low, close, volume };
}

async function walked(bars: BarColumns, folds = 5): Promise<WalkForward> {
  const sweeper = new Sweeper(1);
  try {
    return await walkForward({
      bars,
      timeframeMs: HOUR_MS,
      periodMs: 24 * HOUR_MS,
      points: POINTS,
      objective: 'sharpe',
      folds,
      trainTests: 3,
      isAnchored: false,
      embargoBars: 5,
      evaluator: sweepEvaluator({ strategy: smaCross, bars, account: ACCOUNT, timeframeMs: HOUR_MS, sweeper }),
    });
  } finally {
    await sweeper.close();
  }
}

describe('windows', () => {
  test('no label of a window reaches within the embargo of its test, and the tests join to the last bar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 3_000 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.5, max: 6, noNaN: true }),
        fc.boolean(),
        fc.integer({ min: 0, max: 4 }),
        (rows, folds, trainTests, isAnchored, embargoBars) => {
          const windows = foldsOf(rows, { folds, trainTests, isAnchored, embargoBars });
          assert.equal(windows.length, folds);
          assert.equal(windows.at(-1)?.test.end, rows);
          windows.forEach(({ train, test: tested }, index) => {
            // The decision of the last bar fills on the one after it.
            assert.ok(train.end - 1 + 1 + embargoBars < tested.first);
            assert.equal(train.end - 1 + 2 + embargoBars, tested.first);
            const next = windows[index + 1];
            if (next === undefined) return;
            assert.equal(next.test.first, tested.end);
            assert.equal(next.train.first, isAnchored ? train.first : train.first + (tested.end - tested.first));
          });
        },
      ),
    );
  });

  test('too few bars, and an embargo that eats the window, are errors', () => {
    const settings = { folds: 5, trainTests: 3, isAnchored: false, embargoBars: 0 };
    assert.throws(() => foldsOf(7, settings), /7 bars, expected enough for 5 tests/);
    assert.throws(() => foldsOf(80, { ...settings, embargoBars: 30 }), /an embargo of 30 bars leaves nothing/);
  });
});

describe('a walk over bars', () => {
  const bars = walk(1_600, 3);

  test('what comes after a window changes nothing that was chosen, and what comes after a test nothing in it', async () => {
    const before = await walked(bars);
    const [, , third] = before.folds;
    assert.ok(third !== undefined);
    const first = Math.round((Date.parse(third.test.from) - START) / HOUR_MS);
    const other = walk(1_600, 4);
    const spliced = Object.fromEntries(
      Object.entries(bars).map(([name, column]: [string, Float64Array]) => {
        const changed = column.slice();
        if (name !== 'openAt') changed.set(other[name as keyof BarColumns].subarray(first), first);
        return [name, changed];
      }),
    ) as unknown as BarColumns;
    const after = await walked(spliced);
    assert.deepEqual(after.folds.slice(0, 2), before.folds.slice(0, 2));
    assert.deepEqual(after.folds[2]?.chosen, third.chosen);
    assert.deepEqual(after.folds[2]?.inSample, third.inSample);
    assert.notDeepEqual(after.folds[2]?.outOfSample, third.outOfSample);
  });

  test('a window is fitted as a sweep over its bars alone, and the best of it is chosen', async () => {
    const { folds } = await walked(bars, 2);
    const [fold] = folds;
    assert.ok(fold !== undefined);
    const first = Math.round((Date.parse(fold.train.from) - START) / HOUR_MS);
    const end = first + fold.train.bars;
    const alone = Object.fromEntries(
      Object.entries(bars).map(([name, column]: [string, Float64Array]) => [name, column.slice(first, end)]),
    ) as unknown as BarColumns;
    const runs = POINTS.map((params) => ({ params, metrics: runColumn(smaCross, params, alone, ACCOUNT, HOUR_MS).metrics }));
    const best = runs.toSorted((one, other) => (other.metrics.sharpe ?? -Infinity) - (one.metrics.sharpe ?? -Infinity))[0];
    assert.deepEqual(fold.chosen, best?.params);
    assert.ok(Math.abs((fold.inSample?.sharpe ?? NaN) - (best?.metrics.sharpe ?? NaN)) < 1e-9);
  });

  test('a test begins flat with indicators that are warm, and the whole is what the tests are one after the other', async () => {
    const { folds, outOfSample } = await walked(bars);
    const whole = folds.reduce((product, fold) => product * (1 + (fold.outOfSample?.totalReturn ?? 0)), 1) - 1;
    assert.ok(Math.abs(outOfSample.totalReturn - whole) < 1e-12, `${outOfSample.totalReturn}, expected ${whole}`);
    assert.ok(outOfSample.trades > 0);
    const sweeper = new Sweeper(1);
    const evaluator = sweepEvaluator({ strategy: smaCross, bars, account: ACCOUNT, timeframeMs: HOUR_MS, sweeper });
    const point = { fast: 4, slow: 24 };
    const late = await evaluator.test(point, { first: 800, end: 1_600 });
    await sweeper.close();
    // By another way: all bars, and only the fills whose entry was decided from the first bar on.
    const { fills } = runColumn(smaCross, point, bars, ACCOUNT, HOUR_MS);
    const entered = fills.findIndex(({ bar, reason }) => reason === 'entry' && bar > 800);
    let cash = ACCOUNT.capital;
    let held = 0;
    for (const { bar, quantity, price } of fills.slice(entered)) {
      if (quantity > 0) {
        held = cash / (price * (1 + ACCOUNT.feeRate));
        cash = 0;
      } else {
        cash = held * price * (1 - ACCOUNT.feeRate);
        held = 0;
      }
      assert.ok(bar > 800);
    }
    const expected = (cash + held * (bars.close[1_599] ?? NaN)) / ACCOUNT.capital - 1;
    assert.ok(Math.abs(late.metrics.totalReturn - expected) < 1e-9, `${late.metrics.totalReturn}, expected ${expected}`);
    assert.ok(Math.abs(late.returns.reduce((product, change) => product * (1 + change), 1) - 1 - expected) < 1e-9);
  });

  test('daily returns of a column are those between the last closes of days', () => {
    const equity = Float64Array.from({ length: 60 }, (_, bar) => 10_000 + bar);
    const returns = columnReturns(10_000, bars.openAt.subarray(0, 60), equity, HOUR_MS);
    assert.deepEqual(Array.from(returns), [10_023 / 10_000 - 1, 10_047 / 10_023 - 1, 10_059 / 10_047 - 1]);
  });
});
