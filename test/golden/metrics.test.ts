// What empyrical, quantstats, vectorbt and scipy say of the same returns and trades: independent witnesses for every figure of a report.
// See metrics-golden.py, where the conversions stand.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { absolute, amount, price, quantity, signOf, toNumber } from '../../src/domain/decimal.ts';
import type { MarketEvent } from '../../src/domain/event.ts';
import { DAY_MS, HOUR_MS, type TimeMs } from '../../src/domain/time.ts';
import { monthlyReturns } from '../../src/views/daily.ts';
import { EquityRecorder } from '../../src/views/equity.ts';
import { metrics, type Metrics } from '../../src/views/metrics.ts';
import { TradeLedger } from '../../src/views/trades.ts';

const figuresSchema = z.record(z.string(), z.number().nullable());
const golden = z
  .object({
    versions: z.record(z.string(), z.string()),
    daily: z.record(z.string(), z.object({ finalEquity: z.number(), figures: figuresSchema })),
    hourly: z.object({
      finalEquity: z.number(),
      figures: figuresSchema,
      meanDailyEquity: z.number(),
      months: z.array(z.tuple([z.string(), z.number()])),
    }),
    trading: z.object({
      lastClose: z.number(),
      orders: z.array(z.tuple([z.number(), z.string(), z.string(), z.string()])),
      open: z.number(),
      trades: z.array(z.object({ pnl: z.number(), fees: z.number(), maxAdverseRatio: z.number(), maxFavourableRatio: z.number() })),
      figures: figuresSchema,
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('metrics.json', import.meta.url), 'utf8')));

const CAPITAL = 1_000;
const START = Date.UTC(2021, 0, 1);

/** The generator of metrics-golden.py, to the last bit. */
function uniformFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

function bell(uniform: () => number): number {
  return uniform() + uniform() + uniform() + uniform() - 2;
}

function columnOf(count: number, seed: number, next: (uniform: () => number) => number): number[] {
  const uniform = uniformFrom(seed);
  return Array.from({ length: count }, () => next(uniform));
}

const SERIES: Readonly<Record<string, readonly number[]>> = {
  walk: columnOf(700, 1, (uniform) => 0.001 + 0.03 * bell(uniform)),
  skewed: columnOf(600, 2, (uniform) => {
    const each = bell(uniform);
    return 0.002 + 0.02 * each - 0.01 * each * each;
  }),
  crashes: columnOf(500, 3, (uniform) => (uniform() < 0.01 ? -0.2 * uniform() : 0.002 + 0.005 * bell(uniform))),
  quarter: columnOf(100, 4, (uniform) => 0.02 * bell(uniform)),
  month: columnOf(30, 5, (uniform) => 0.02 * bell(uniform)),
  'too short': columnOf(29, 6, (uniform) => 0.02 * bell(uniform)),
  rising: columnOf(150, 7, (uniform) => 0.01 * uniform() + 0.0001),
  'mostly flat': columnOf(200, 8, (uniform) => (uniform() < 0.3 ? 0.03 * bell(uniform) : 0)),
  flat: columnOf(120, 0, () => 0),
  equal: columnOf(120, 0, () => 0.01),
  one: [0.01],
  empty: [],
};

function assertFigures(actual: Metrics, expected: z.infer<typeof figuresSchema>, where: string): void {
  const figures = new Map<string, unknown>(Object.entries(actual));
  for (const [name, value] of Object.entries(expected)) {
    const found = figures.get(name);
    if (value === null || found === null || typeof found !== 'number') assert.equal(found, value, `${where}: ${name}`);
    else assertNear(found, value, `${where}: ${name}`);
  }
}

function assertNear(found: number, value: number, what: string): void {
  assert.ok(Math.abs(found - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${what} was ${found}, expected ${value}`);
}

function figuresOf(
  recorder: EquityRecorder,
  timeframeMs: TimeMs,
  from: TimeMs,
  to: TimeMs,
  ledger = new TradeLedger({ instruments: [], sleeves: [] }),
) {
  return metrics({ equity: recorder.summary(), ledger, timeframeMs, from, to, marks: [] });
}

test('every series of metrics-golden.py is made here', () => {
  assert.deepEqual(Object.keys(golden.daily), Object.keys(SERIES));
});

for (const [name, returns] of Object.entries(SERIES)) {
  test(`daily returns, ${name}: as the packages have them`, () => {
    const recorder = new EquityRecorder({ capital: CAPITAL, intervalMs: DAY_MS });
    let equity = CAPITAL;
    returns.forEach((change, index) => {
      equity *= 1 + change;
      recorder.record(START + (index + 1) * DAY_MS, equity);
    });
    const expected = golden.daily[name];
    assert.ok(expected !== undefined);
    assert.equal(equity, expected.finalEquity, 'the same series');
    const { maxDrawdownDays, longestUnderwaterDays, ...figures } = expected.figures;
    const found = figuresOf(recorder, DAY_MS, START, START + returns.length * DAY_MS);
    assertFigures(found, figures, name);
    assert.equal(found.maxDrawdownMs, (maxDrawdownDays ?? NaN) * DAY_MS);
    assert.equal(found.longestUnderwaterMs, (longestUnderwaterDays ?? NaN) * DAY_MS);
  });
}

test('hourly marks with holes: days and months as pandas resamples them', () => {
  const uniform = uniformFrom(11);
  const begin = Date.UTC(2021, 0, 29, 5);
  const recorder = new EquityRecorder({ capital: CAPITAL, intervalMs: HOUR_MS });
  let equity = CAPITAL;
  let last = CAPITAL;
  for (let hour = 0; hour < 24 * 150; hour++) {
    equity *= 1 + 0.004 * bell(uniform);
    if (uniform() < 0.05 || (hour >= 1_000 && hour < 1_060)) continue;
    // Known a moment after the close: still of the day that it closed.
    recorder.record(begin + hour * HOUR_MS + (hour % 3) * 100, equity);
    last = equity;
  }
  assert.equal(last, golden.hourly.finalEquity, 'the same series');
  assertFigures(figuresOf(recorder, HOUR_MS, begin, begin + 24 * 150 * HOUR_MS), golden.hourly.figures, 'hourly');
  const { daily } = recorder.summary();
  const months = monthlyReturns(CAPITAL, daily);
  assert.deepEqual(
    months.map(({ month }) => month),
    golden.hourly.months.map(([month]) => month),
  );
  months.forEach(({ returnRatio }, index) => assertNear(returnRatio, golden.hourly.months[index]?.[1] ?? NaN, `month ${index}`));
  assertNear(daily.equity.reduce((sum, value) => sum + value, 0) / daily.equity.length, golden.hourly.meanDailyEquity, 'mean of the days');
});

/** The bars of metrics-golden.py, and its orders: sent at a close, filled at the next open. */
function traded(): { ledger: TradeLedger; recorder: EquityRecorder; lastClose: number } {
  const ledger = new TradeLedger({
    instruments: [{ symbol: 'BTC/USDT', quote: 'USDT' }],
    sleeves: [{ name: 'only', shareRatio: 1, instruments: [0], sources: [0] }],
  });
  const recorder = new EquityRecorder({ capital: CAPITAL, intervalMs: HOUR_MS });
  const orders = new Map(golden.trading.orders.map((order) => [order[0], order]));
  const uniform = uniformFrom(21);
  let sequence = 0;
  let cash = CAPITAL;
  let held = 0;
  let close = 100;
  for (let bar = 0; bar < 600; bar++) {
    const open = close;
    close = open * (1 + 0.01 * bell(uniform));
    const high = Math.max(open, close) * (1 + 0.004 * uniform());
    const low = Math.min(open, close) * (1 - 0.004 * uniform());
    const at = START + bar * HOUR_MS;
    const order = orders.get(bar);
    if (order !== undefined) {
      const [, size, paid, fee] = order;
      const shares = [{ sleeve: 0, leg: 0, quantity: quantity(size) }];
      const whole = absolute(quantity(size));
      const id = `1-${bar}`;
      const side = signOf(quantity(size)) < 0 ? 'sell' : 'buy';
      const common = { at, instrument: 0 } as const;
      const intent = { ...common, id, side, type: 'market', role: 'target', quantity: whole, shares, attached: [] } as const;
      const levels = { limitPrice: undefined, stopPrice: undefined, reduceOnly: false, wholePosition: false };
      ledger.entry({ kind: 'order.intended', at, intent: { ...intent, ...levels }, costRatio: NaN, algorithm: 'market' }, ++sequence);
      const fill = { id: `f${bar}`, price: price(paid), quantity: whole, fee: amount(fee), liquidity: 'taker' } as const;
      ledger.entry({ ...common, kind: 'order.filled', happenedAt: at, order: id, reason: '', fill }, ++sequence);
      cash -= Number(size) * Number(paid) + Number(fee);
      held += Number(size);
    }
    const closedAt = at + HOUR_MS;
    const event: MarketEvent = {
      kind: 'bar.closed',
      at: closedAt,
      happenedAt: closedAt,
      instrument: 0,
      open,
      high,
      low,
      close,
      volume: 1,
      warmup: false,
    };
    ledger.price(event);
    recorder.record(closedAt, cash + held * close);
  }
  return { ledger, recorder, lastClose: close };
}

test('trades: as vectorbt has their profits, their costs and what they went through', () => {
  const { ledger, recorder, lastClose } = traded();
  const { trading } = golden;
  assert.equal(lastClose, trading.lastClose, 'the same bars');
  const trades = [...ledger.trades()];
  assert.equal(trades.length, trading.trades.length);
  assert.equal(ledger.openTrades().length, trading.open);
  trades.forEach((trade, index) => {
    const expected = trading.trades[index];
    assert.ok(expected !== undefined);
    assertNear(toNumber(trade.pnl), expected.pnl, `pnl ${index}`);
    assertNear(toNumber(trade.fees), expected.fees, `fees ${index}`);
    assertNear(trade.maxAdverseRatio, expected.maxAdverseRatio, `MAE ${index}`);
    assertNear(trade.maxFavourableRatio, expected.maxFavourableRatio, `MFE ${index}`);
  });
  assertFigures(figuresOf(recorder, HOUR_MS, START, START + 600 * HOUR_MS, ledger), trading.figures, 'trading');
});
