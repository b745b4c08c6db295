// The backtests of another program (the shared goldens) by both paths of a sweep, every row of both cases.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { ALL_IN, type Account, type SweepBars } from '../../src/lab/sweep/account.ts';
import { METRIC_NAMES, metricsAt } from '../../src/lab/sweep/column-metrics.ts';
import { ColumnRunner, indicatorsOf } from '../../src/lab/sweep/column-runner.ts';
import { sweepStrategyNamed } from '../../src/lab/sweep/strategies.ts';
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
    const account: Account = {
      capital: 10_000,
      feeRate: fee,
      slippageRatio: slippage,
      stopSlippageRatio: 0,
      fill: strategy.fill,
      sizing: ALL_IN,
    };
    for (const path of ['general', 'fused'] as const) {
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
      const found = metricsAt(figures, 0);
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
