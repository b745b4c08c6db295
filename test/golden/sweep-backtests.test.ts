// The backtests of another program (the shared goldens) by both paths of a sweep, every row of both cases.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { ALL_IN, type SweepAccount, type SweepBars } from '../../src/lab/sweep/account.ts';
import { METRIC_NAMES, metricsAt } from '../../src/lab/sweep/column-metrics.ts';
import { ColumnRunner, indicatorsOf, type SweepPath } from '../../src/lab/sweep/column-runner.ts';
import { sweepStrategyNamed } from '../../src/lab/sweep/strategies.ts';
import type { SweepPoint, SweepStrategy } from '../../src/lab/sweep/strategy.ts';
import { Random } from '../../src/quant/random.ts';
import { needs, sharedPath } from '../support/needs.ts';

const HOURS_A_YEAR = 8_760;
const TOLERANCE = 1e-9;

const rowSchema = z.looseObject({
  case: z.string(),
  symbol: z.string(),
  from: z.string(),
  to: z.string(),
  bars: z.number(),
  fee: z.number(),
  slippage: z.number(),
});

function barsOf(symbol: string, from: number, to: number): SweepBars {
  const file = sharedPath(`data/2_intraday/1h_spot/${symbol.replace('/', '')}_1h.csv.gz`);
  const columns: number[][] = [[], [], [], []];
  for (const line of gunzipSync(readFileSync(file)).toString().trim().split('\n').slice(1)) {
    const [at = '', ...prices] = line.split(',');
    const openAt = Date.parse(at);
    if (openAt >= from && openAt < to) columns.forEach((column, index) => column.push(Number(prices[index])));
  }
  const [open = [], high = [], low = [], close = []] = columns;
  return { open: Float64Array.from(open), high: Float64Array.from(high), low: Float64Array.from(low), close: Float64Array.from(close) };
}

function figuresOf(strategy: SweepStrategy, point: SweepPoint, bars: SweepBars, account: SweepAccount, path: SweepPath): Float64Array {
  const rules = strategy.column(point);
  const columns = indicatorsOf(rules, account, path).map((indicator) => {
    const into = new Float64Array(bars.close.length).fill(7);
    indicator.compute(bars, into);
    return into;
  });
  const runner = new ColumnRunner(bars, account, path);
  runner.run(rules, columns);
  const figures = new Float64Array(METRIC_NAMES.length);
  runner.sums.write(account.capital, bars.close.length, HOURS_A_YEAR, figures, 0);
  return figures;
}

test('every row of the golden backtests, on both paths', { skip: needs('shared data') }, () => {
  const rows = z.array(rowSchema).parse(JSON.parse(readFileSync(sharedPath('golden/backtest-goldens.json'), 'utf8')));
  assert.ok(rows.length > 0);
  const loaded = new Map<string, SweepBars>();
  const checked = new Map<string, number>();
  for (const row of rows) {
    const { case: name, symbol, fee, slippage, from, to } = row;
    const key = `${symbol} ${from} ${to}`;
    const bars = loaded.get(key) ?? barsOf(symbol, Date.parse(from), Date.parse(to));
    loaded.set(key, bars);
    assert.equal(bars.close.length, row.bars);
    const strategy = sweepStrategyNamed(name);
    const point = Object.fromEntries(Object.keys(strategy.parameters.shape).map((parameter) => [parameter, z.any().parse(row[parameter])]));
    const account: SweepAccount = {
      capital: 10_000,
      feeRate: fee,
      slippageRatio: slippage,
      stopSlippageRatio: 0,
      fill: strategy.fill,
      sizing: ALL_IN,
    };
    for (const path of ['general', 'fused'] as const) {
      const found = metricsAt(figuresOf(strategy, point, bars, account, path), 0);
      for (const metric of METRIC_NAMES) {
        const expected = z.number().parse(row[metric]);
        const actual = found[metric] ?? NaN;
        const place = `${path} ${name} ${symbol} ${JSON.stringify(point)} ${metric}`;
        if (metric === 'orders' || metric === 'trades') assert.equal(actual, expected, place);
        else assert.ok(Math.abs(actual - expected) <= TOLERANCE * Math.abs(expected), `${place}: found ${actual}, expected ${expected}`);
      }
      checked.set(`${path} ${name}`, (checked.get(`${path} ${name}`) ?? 0) + 1);
    }
  }
  assert.deepEqual([...checked.keys()].toSorted(), ['fused rsi-stop', 'fused sma-cross', 'general rsi-stop', 'general sma-cross']);
});

test('on real bars the fused kernels are the general path, for parameters at random', { skip: needs('shared data') }, () => {
  const bars = barsOf('BTC/USDT', Date.parse('2021-07-01'), Date.parse('2022-07-01'));
  const account: SweepAccount = {
    capital: 10_000,
    feeRate: 0.001,
    slippageRatio: 0.0005,
    stopSlippageRatio: 0.0002,
    fill: 'close',
    sizing: ALL_IN,
  };
  const random = new Random(3);
  for (let round = 0; round < 200; round++) {
    const isCross = round % 2 === 0;
    const strategy = sweepStrategyNamed(isCross ? 'sma-cross' : 'rsi-stop');
    const point: SweepPoint = isCross
      ? { fast: 1 + random.integer(60), slow: 1 + random.integer(300) }
      : {
          window: 2 + random.integer(40),
          entryBelow: 15 + random.integer(30),
          exitAbove: 50 + random.integer(30),
          stop: 0.002 + 0.1 * random.uniform(),
          trailing: random.bernoulli(0.5),
        };
    const filled: SweepAccount = { ...account, fill: isCross && random.bernoulli(0.5) ? 'next-open' : 'close' };
    const fused = figuresOf(strategy, point, bars, filled, 'fused');
    for (const [place, expected] of figuresOf(strategy, point, bars, filled, 'general').entries()) {
      const found = fused[place] ?? NaN;
      const isNear = Object.is(found, expected) || Math.abs(found - expected) <= TOLERANCE * Math.max(Math.abs(expected), 1e-3);
      assert.ok(isNear, `${JSON.stringify(point)} ${METRIC_NAMES[place]}: found ${found}, expected ${expected}`);
    }
  }
});
