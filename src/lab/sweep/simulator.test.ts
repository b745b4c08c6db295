import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rsi } from '../../features/indicators/wilder.ts';
import { Sma } from '../../features/indicators/moving-average.ts';
import {
  ALL_IN,
  entryQuantity,
  UNPROTECTED,
  type SweepAccount,
  type ColumnProtection,
  type ColumnSizing,
  type SweepBars,
} from './account.ts';
import { walkBars } from './bars.fixture.ts';
import { ColumnSums, METRIC_NAMES, metricsAt, sumUp } from './column-metrics.ts';
import { ColumnRunner, indicatorsOf } from './column-runner.ts';
import { rsiColumn, smaColumn, type IndicatorColumn } from './indicator-columns.ts';
import { OrderLog } from './order-log.ts';
import { ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, simulate } from './simulator.ts';
import { sweepStrategyNamed } from './strategies.ts';
import type { SweepPoint } from './strategy.ts';

const BASE: SweepAccount = { capital: 1_000, feeRate: 0.001, slippageRatio: 0.0005, stopSlippageRatio: 0, fill: 'close', sizing: ALL_IN };

function barsOf(...rows: readonly (readonly [number, number, number, number])[]): SweepBars {
  const column = (place: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(rows, (row) => row[place]);
  return { open: column(0), high: column(1), low: column(2), close: column(3) };
}

function run(bars: SweepBars, flags: readonly number[], protection: ColumnProtection, account: SweepAccount) {
  const orders = new OrderLog();
  const equity = new Float64Array(bars.close.length).fill(NaN);
  simulate(bars, Uint8Array.from(flags), protection, account, { equity, orders });
  return { equity, fills: orders.toArray(), orders };
}

/** The rules of `simulate`, once more and slowly: one bar after another, with everything asked of each. */
function slowly(
  bars: SweepBars,
  flags: readonly number[],
  { stopRatio, isTrailing, targetRatio }: ColumnProtection,
  account: SweepAccount,
) {
  const at = (column: Float64Array, bar: number): number => column[bar] ?? NaN;
  let cash = account.capital;
  let quantity = 0;
  let entered = { price: NaN, best: NaN, bar: NaN };
  let waiting: 'long' | 'short' | 'exit' | undefined;
  const fills: { bar: number; quantity: number; price: number; reason: string }[] = [];
  const equity: number[] = [];
  const fill = (bar: number, change: number, price: number, reason: string): void => {
    cash -= change * price + Math.abs(change * price) * account.feeRate;
    quantity = reason === 'entry' ? change : 0;
    fills.push({ bar, quantity: change, price, reason });
  };
  const close = (bar: number, price: number, slippage: number, reason: string): void =>
    fill(bar, -quantity, price * (1 - Math.sign(quantity) * slippage), reason);
  const act = (bar: number, price: number): void => {
    if (waiting === undefined) return;
    if (quantity !== 0) close(bar, price, account.slippageRatio, 'exit');
    if (waiting !== 'exit') {
      const side = waiting === 'long' ? 1 : -1;
      const fillPrice = price * (1 + side * account.slippageRatio);
      const size = entryQuantity(account, cash, fillPrice, stopRatio);
      if (size > 0) {
        fill(bar, side * size, fillPrice, 'entry');
        entered = { price, best: price, bar };
      }
    }
    waiting = undefined;
  };
  for (let bar = 0; bar < flags.length; bar++) {
    if (account.fill === 'next-open') act(bar, at(bars.open, bar));
    let isOver = false;
    const side = Math.sign(quantity);
    if (side !== 0 && (account.fill === 'next-open' || bar > entered.bar)) {
      const [worst, best] = side > 0 ? [at(bars.low, bar), at(bars.high, bar)] : [at(bars.high, bar), at(bars.low, bar)];
      const stop = entered.best * (1 - side * stopRatio);
      const target = entered.price * (1 + side * targetRatio);
      const further = (one: number, other: number): number => (side > 0 ? Math.min(one, other) : Math.max(one, other));
      const nearer = (one: number, other: number): number => (side > 0 ? Math.max(one, other) : Math.min(one, other));
      if (stopRatio > 0 && side * (worst - stop) <= 0) {
        close(bar, further(at(bars.open, bar), stop), account.stopSlippageRatio, 'stop');
        isOver = true;
      } else if (targetRatio > 0 && side * (best - target) >= 0) {
        close(bar, nearer(at(bars.open, bar), target), 0, 'target');
        isOver = true;
      } else if (isTrailing && side * (best - entered.best) > 0) {
        entered.best = best;
      }
      if (quantity < 0 && cash + quantity * at(bars.close, bar) <= 0) {
        close(bar, at(bars.close, bar), account.slippageRatio, 'ruin');
        isOver = true;
      }
    }
    if (!isOver) {
      const flag = flags[bar] ?? 0;
      const wants = (enter: number, exit: number): boolean => (flag & enter) !== 0 && (flag & exit) === 0;
      const toLong = wants(ENTER_LONG, EXIT_LONG);
      const toShort = wants(ENTER_SHORT, EXIT_SHORT);
      if (quantity === 0 && toLong !== toShort) waiting = toLong ? 'long' : 'short';
      else if (quantity > 0 && toShort) waiting = 'short';
      else if (quantity < 0 && toLong) waiting = 'long';
      else if (quantity > 0 && wants(EXIT_LONG, ENTER_LONG)) waiting = 'exit';
      else if (quantity < 0 && wants(EXIT_SHORT, ENTER_SHORT)) waiting = 'exit';
      if (account.fill === 'close') act(bar, at(bars.close, bar));
    }
    equity.push(cash + quantity * at(bars.close, bar));
  }
  return { fills, equity };
}

const sizings: readonly ColumnSizing[] = [
  ALL_IN,
  { kind: 'fraction', ratio: 0.5, compounding: true },
  { kind: 'fraction', ratio: 0.8, compounding: false },
  { kind: 'risk', ratio: 0.02, compounding: true },
  { kind: 'money', amount: 300 },
  { kind: 'quantity', quantity: 2.5 },
];

const accounts = fc.record({
  capital: fc.constant(1_000),
  feeRate: fc.constantFrom(0, 0.001),
  slippageRatio: fc.constantFrom(0, 0.0005),
  stopSlippageRatio: fc.constantFrom(0, 0.0005),
  fill: fc.constantFrom('close' as const, 'next-open' as const),
  sizing: fc.constantFrom(...sizings),
});

test('every fill and mark is that of the rules applied bar by bar', () => {
  const reasons = new Set<string>();
  const protections = fc.record({
    stopRatio: fc.constantFrom(0, 0.01, 0.04),
    isTrailing: fc.boolean(),
    targetRatio: fc.constantFrom(0, 0.02, 0.05),
  });
  // Sparse flags, so that positions live for some bars, and now and then all at once.
  const flag = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 15 }) });
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.array(flag, { minLength: 1, maxLength: 120 }),
      protections,
      accounts,
      fc.constantFrom(0.01, 0.05, 0.8),
      (seed, flags, protection, account, moveRatio) => {
        const bars = walkBars(seed, flags.length, moveRatio);
        const fast = run(bars, flags, protection, account);
        const slow = slowly(bars, flags, protection, account);
        assert.equal(fast.fills.length, slow.fills.length);
        for (const [row, expected] of slow.fills.entries()) {
          const found = fast.fills[row];
          assert.ok(found !== undefined && found.bar === expected.bar && found.reason === expected.reason);
          assert.ok(near(found.quantity, expected.quantity) && near(found.price, expected.price));
          reasons.add(found.reason);
        }
        for (const [bar, expected] of slow.equity.entries()) assert.ok(near(fast.equity[bar] ?? NaN, expected, account.capital));
      },
    ),
    { numRuns: 2_000, seed: 5 },
  );
  assert.deepEqual([...reasons].toSorted(), ['entry', 'exit', 'ruin', 'stop', 'target']);
});

function near(found: number, expected: number, scale = Math.abs(expected)): boolean {
  return Math.abs(found - expected) <= 1e-10 * scale;
}

test('a trail uses the highs before the bar, and a gap fills at the open', () => {
  const bars = barsOf([100, 100, 100, 100], [100, 120, 99, 118], [112, 112, 90, 95]);
  const protection = { stopRatio: 0.1, isTrailing: true, targetRatio: 0 };
  const free = { ...BASE, feeRate: 0, slippageRatio: 0 };
  const { fills, equity } = run(bars, [ENTER_LONG, 0, 0], protection, free);
  assert.deepEqual(fills[1], { bar: 2, quantity: -10, price: 108, fee: 0, reason: 'stop' });
  assert.deepEqual([...equity], [1_000, 1_180, 1_080]);
  const gap = run(barsOf([100, 100, 100, 100], [80, 85, 75, 82]), [ENTER_LONG, 0], protection, free);
  assert.equal(gap.fills[1]?.price, 80);
});

test('what is decided on the last close does not fill at an open, and a position may stay open', () => {
  const bars = barsOf([10, 10, 10, 10], [10, 10, 10, 10], [11, 11, 11, 11]);
  const account = { ...BASE, fill: 'next-open' as const };
  assert.equal(run(bars, [0, 0, ENTER_LONG], UNPROTECTED, account).fills.length, 0);
  const open = run(bars, [0, ENTER_LONG, EXIT_LONG], UNPROTECTED, account);
  assert.deepEqual(
    open.fills.map(({ bar, reason }) => [bar, reason]),
    [[2, 'entry']],
  );
  const sums = new ColumnSums();
  sumUp(1_000, open.equity, open.orders, sums);
  const figures = new Float64Array(METRIC_NAMES.length);
  sums.write(1_000, 3, 365, figures, 0);
  const { orders, trades, winRate, sharpe } = metricsAt(figures, 0);
  // Three returns are too few for a ratio of their mean to their spread, and no trade has closed.
  assert.deepEqual({ orders, trades, winRate, sharpe }, { orders: 1, trades: 0, winRate: null, sharpe: null });
});

test('a log keeps every fill when it grows', () => {
  const log = new OrderLog();
  for (let row = 0; row < 3_000; row++) log.push(row, row / 2, row * 3, row / 7, row % 2 === 0 ? 'entry' : 'exit');
  assert.deepEqual(log.at(2_999), { bar: 2_999, quantity: 1_499.5, price: 8_997, fee: 2_999 / 7, reason: 'exit' });
  assert.equal(log.at(10).quantity, 5);
  assert.throws(() => log.at(3_000), /none at 3000/);
});

test('indicator columns are the indicators of the engine, to the last bit', () => {
  const check = (bars: SweepBars, column: IndicatorColumn, live: Sma | Rsi): void => {
    const count = bars.close.length;
    const into = new Float64Array(count).fill(7);
    column.compute(bars, into);
    const view = { at: 0, open: 1, high: 1, low: 1, close: 1, volume: 1 };
    for (let bar = 0; bar < count; bar++) {
      view.close = bars.close[bar] ?? NaN;
      live.update(view);
      assert.ok(Object.is(into[bar], live.value), `${column.key} at ${bar}: found ${into[bar]}, expected ${live.value}`);
    }
  };
  for (const window of [1, 2, 3, 7, 20, 99, 100, 101, 500]) {
    for (const count of [1, 2, 99, 100, 101, 450]) {
      check(walkBars(window, count), smaColumn(window), new Sma(window));
      check(walkBars(window, count), rsiColumn(window), new Rsi(window));
    }
  }
  const still = Float64Array.from({ length: 30 }, () => 5);
  check({ open: still, high: still, low: still, close: still }, rsiColumn(14), new Rsi(14));
  assert.throws(() => smaColumn(2.5), /whole number/);
});

function figuresOf(name: string, point: SweepPoint, bars: SweepBars, account: SweepAccount, path: 'fused' | 'general'): Float64Array {
  const rules = sweepStrategyNamed(name).column(point);
  if (path === 'fused') assert.equal(rules.fused?.follows(account), true, 'a kernel is what is tested');
  const columns = indicatorsOf(rules, account, path).map((indicator) => {
    const into = new Float64Array(bars.close.length).fill(7);
    indicator.compute(bars, into);
    return into;
  });
  const runner = new ColumnRunner(bars, account, path);
  runner.run(rules, columns);
  const figures = new Float64Array(METRIC_NAMES.length);
  runner.sums.write(account.capital, bars.close.length, 8_760, figures, 0);
  return figures;
}

test('a fused kernel is the general path, column for column', () => {
  const crosses = fc.record({ fast: fc.integer({ min: 1, max: 60 }), slow: fc.integer({ min: 1, max: 200 }) });
  const stops = fc.record({
    window: fc.integer({ min: 2, max: 40 }),
    entryBelow: fc.integer({ min: 15, max: 45 }),
    exitAbove: fc.integer({ min: 50, max: 80 }),
    stop: fc.constantFrom(0.002, 0.01, 0.03, 0.1),
    trailing: fc.boolean(),
  });
  let fills = 0;
  for (const [name, points] of [['sma-cross', crosses] as const, ['rsi-stop', stops] as const]) {
    const fill = name === 'rsi-stop' ? fc.constant('close' as const) : fc.constantFrom('close' as const, 'next-open' as const);
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.integer({ min: 1, max: 1_500 }),
        points,
        fill,
        fc.constantFrom(0, 0.001),
        (seed, count, point, rule, cost) => {
          const bars = walkBars(seed, count);
          const account: SweepAccount = { ...BASE, fill: rule, feeRate: cost, slippageRatio: cost / 2, stopSlippageRatio: cost / 4 };
          const fused = figuresOf(name, point, bars, account, 'fused');
          const general = figuresOf(name, point, bars, account, 'general');
          for (const [place, metric] of METRIC_NAMES.entries()) {
            const [found = NaN, expected = NaN] = [fused[place], general[place]];
            const isCount = metric === 'orders' || metric === 'trades' || metric === 'winRate';
            const isSame = isCount
              ? Object.is(found, expected)
              : sameFigure(found, expected, metric === 'expectancy' ? account.capital : 1);
            assert.ok(isSame, `${metric}: found ${found}, expected ${expected}`);
          }
          fills += general[6] ?? 0;
        },
      ),
      { numRuns: 200, seed: 9 },
    );
  }
  assert.ok(fills > 5_000, `${fills} fills`);
});

/** A ratio that hovers at 0 has no digits of its own: what rounding leaves is measured against `scale`. */
function sameFigure(found: number, expected: number, scale: number): boolean {
  if (!Number.isFinite(expected)) return Object.is(found, expected);
  return Math.abs(found - expected) <= 1e-9 * Math.max(Math.abs(expected), scale * 1e-3);
}
