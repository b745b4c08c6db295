// What vectorbt makes of the same flags: every fill, and the figures of every column. See sweep-golden.py, where the differences stand.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import type { SweepAccount, ColumnSizing } from '../../src/lab/sweep/account.ts';
import { ColumnSums, METRIC_NAMES, metricsAt, sumUp } from '../../src/lab/sweep/column-metrics.ts';
import { OrderLog } from '../../src/lab/sweep/order-log.ts';
import { ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, simulate } from '../../src/lab/sweep/simulator.ts';

const column = z.array(z.number());
const golden = z
  .object({
    capital: z.number(),
    feeRate: z.number(),
    slippageRatio: z.number(),
    bars: z.object({ open: column, high: column, low: column, close: column }),
    entries: column,
    exits: column,
    cases: z.array(
      z.object({
        direction: z.enum(['long', 'short']),
        fill: z.enum(['close', 'next-open']),
        stop: z.number(),
        trailing: z.boolean(),
        target: z.number(),
        sizing: z.enum(['all-in', 'half', 'quantity']),
        orders: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
        totalReturn: z.number(),
        maxDrawdown: z.number(),
        sharpe: z.number(),
        trades: z.number(),
        winRate: z.number(),
        profitFactor: z.number(),
        expectancy: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('sweep.json', import.meta.url), 'utf8')));

const SIZINGS: Readonly<Record<'all-in' | 'half' | 'quantity', ColumnSizing>> = {
  'all-in': { kind: 'fraction', ratio: 1, compounding: true },
  half: { kind: 'fraction', ratio: 0.5, compounding: true },
  quantity: { kind: 'quantity', quantity: 2 },
};

function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.max(1e-3, Math.abs(expected));
}

test('fills and figures are those of vectorbt', () => {
  const bars = {
    open: Float64Array.from(golden.bars.open),
    high: Float64Array.from(golden.bars.high),
    low: Float64Array.from(golden.bars.low),
    close: Float64Array.from(golden.bars.close),
  };
  const count = bars.close.length;
  const orders = new OrderLog();
  const equity = new Float64Array(count);
  for (const each of golden.cases) {
    const isLong = each.direction === 'long';
    const flags = new Uint8Array(count);
    for (const bar of golden.entries) flags[bar] = isLong ? ENTER_LONG : ENTER_SHORT;
    for (const bar of golden.exits) flags[bar] = (flags[bar] ?? 0) | (isLong ? EXIT_LONG : EXIT_SHORT);
    const account: SweepAccount = {
      capital: golden.capital,
      feeRate: golden.feeRate,
      slippageRatio: golden.slippageRatio,
      stopSlippageRatio: 0,
      fill: each.fill,
      sizing: SIZINGS[each.sizing],
    };
    simulate(bars, flags, { stopRatio: each.stop, isTrailing: each.trailing, targetRatio: each.target }, account, { equity, orders });
    const place = `${each.direction} ${each.fill} stop ${each.stop} ${each.trailing} target ${each.target} ${each.sizing}`;
    const fills = orders.toArray();
    assert.equal(fills.length, each.orders.length, place);
    for (const [row, [bar, quantity, price, fee]] of each.orders.entries()) {
      const fill = fills[row];
      assert.ok(fill !== undefined && fill.bar === bar, `${place}: fill ${row} at bar ${fill?.bar}, expected ${bar}`);
      for (const [found, expected] of [
        [fill.quantity, quantity],
        [fill.price, price],
        [fill.fee, fee],
      ] as const) {
        assert.ok(isNear(found, expected), `${place}: fill ${row} found ${found}, expected ${expected}`);
      }
    }
    const sums = new ColumnSums();
    sumUp(golden.capital, equity, orders, sums);
    const figures = new Float64Array(METRIC_NAMES.length);
    sums.write(golden.capital, count, 8_760, figures, 0);
    const found = metricsAt(figures, 0);
    for (const name of ['totalReturn', 'maxDrawdown', 'sharpe', 'trades', 'winRate', 'profitFactor', 'expectancy'] as const) {
      assert.ok(isNear(found[name] ?? NaN, each[name]), `${place}: ${name} found ${found[name]}, expected ${each[name]}`);
    }
  }
  assert.equal(golden.cases.length, 40);
});
