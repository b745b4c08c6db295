import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../domain/time.ts';
import { dailyFigures, dailyReturns, monthlyReturns, type DailyFigures } from './daily.ts';
import type { DailyEquity } from './equity.ts';

const START = Date.UTC(2021, 0, 1);

function daily(...equity: readonly number[]): DailyEquity {
  return { day: Float64Array.from(equity, (_, index) => START + index * DAY_MS), equity: Float64Array.from(equity) };
}

/** Returns with a spread and losses. */
function spreadOf(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => 0.01 * Math.sin(index * index));
}

function unknown(figures: DailyFigures): string[] {
  return Object.entries(figures).flatMap(([name, value]) => (value === null ? [name] : []));
}

test('the first return is against the capital, and after ruin there is none', () => {
  assert.deepEqual([...dailyReturns(100, daily(110, 55, 0, 0, 10))], [110 / 100 - 1, -0.5, -1, 0, 0]);
});

test('each figure begins with as many days as it needs', () => {
  const far = ['valueAtRisk99', 'expectedShortfall99'];
  const tails = [
    'tailRatio',
    'valueAtRisk95',
    'expectedShortfall95',
    ...far,
    'cornishFisherValueAtRisk95',
    'cornishFisherExpectedShortfall95',
    'cornishFisherValueAtRisk99',
    'cornishFisherExpectedShortfall99',
  ];
  assert.deepEqual(unknown(dailyFigures(spreadOf(29))), ['skewness', 'kurtosis', 'omega', ...tails]);
  assert.deepEqual(unknown(dailyFigures(spreadOf(30))), tails);
  assert.deepEqual(unknown(dailyFigures(spreadOf(99))), tails);
  const hundred = unknown(dailyFigures(spreadOf(100))).filter((name) => !name.startsWith('cornishFisher'));
  assert.deepEqual(hundred, far);
  assert.ok(unknown(dailyFigures(spreadOf(499))).includes('valueAtRisk99'));
  assert.ok(!unknown(dailyFigures(spreadOf(500))).includes('valueAtRisk99'));
  assert.equal(dailyFigures(new Float64Array()).dailyReturns, 0);
});

test('returns that differ by rounding only have no shape', () => {
  const figures = dailyFigures(Float64Array.from({ length: 200 }, (_, index) => 0.01 + (index % 3) * 1e-16));
  assert.deepEqual([figures.skewness, figures.kurtosis, figures.cornishFisherValueAtRisk95], [null, null, null]);
  assert.equal(figures.valueAtRisk95, -0.01);
});

test('a quantile of nothing lost is no negative zero', () => {
  assert.ok(Object.is(dailyFigures(new Float64Array(200)).valueAtRisk95, 0));
});

test('months are from last mark to last mark, and multiply to the whole', () => {
  const days = daily(...Array.from({ length: 70 }, (_, index) => 100 + index));
  const months = monthlyReturns(100, days);
  assert.deepEqual(
    months.map(({ month }) => month),
    ['2021-01', '2021-02', '2021-03'],
  );
  assert.equal(months[0]?.returnRatio, 130 / 100 - 1);
  assert.equal(months[1]?.returnRatio, 158 / 130 - 1);
  const whole = months.reduce((product, { returnRatio }) => product * (1 + returnRatio), 1);
  assert.ok(Math.abs(whole - 1.69) < 1e-12);
  assert.deepEqual(monthlyReturns(100, daily()), []);
  assert.deepEqual(
    monthlyReturns(100, { day: Float64Array.of(START, START + 40 * DAY_MS), equity: Float64Array.of(0, 5) }).map(
      (each) => each.returnRatio,
    ),
    [-1, 0],
  );
});
