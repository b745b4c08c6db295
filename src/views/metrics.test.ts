import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EquityRecorder } from './equity.ts';
import { HOUR, START, Story } from './journal.fixture.ts';
import { buyAndHoldReturn, metrics, MINIMUM_RETURNS, roundTrips, type Metrics } from './metrics.ts';

const YEAR_HOURS = 365 * 24;

function figuresOf(story: Story, values: readonly number[], marks = [{ first: 100, last: 150 }]): Metrics {
  const recorder = new EquityRecorder({ capital: 1_000, intervalMs: HOUR });
  values.forEach((value, index) => recorder.record(START + (index + 1) * HOUR, value));
  const to = START + values.length * HOUR;
  return metrics({ equity: recorder.summary(), ledger: story.ledger, timeframeMs: HOUR, from: START, to, marks });
}

function near(actual: number | null, expected: number, what: string): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= 1e-11 * Math.max(1, Math.abs(expected)),
    `${what} was ${actual}, expected ${expected}`,
  );
}

test('ratios are those of the formulas, on the whole column', () => {
  const values = Array.from({ length: 500 }, (_, index) => 1_000 + 100 * Math.sin(index / 7) + index / 3);
  const figures = figuresOf(new Story(), values);
  const returns = values.map((value, index) => value / (index === 0 ? 1_000 : (values[index - 1] ?? NaN)) - 1);
  const mean = returns.reduce((sum, each) => sum + each, 0) / 500;
  const deviation = Math.sqrt(returns.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 499);
  const downside = Math.sqrt(returns.reduce((sum, each) => sum + Math.min(each, 0) ** 2, 0) / 500);
  const annual = (1 + figures.totalReturn) ** (YEAR_HOURS / 500) - 1;
  near(figures.totalReturn, (values.at(-1) ?? NaN) / 1_000 - 1, 'totalReturn');
  near(figures.sharpe, (mean / deviation) * Math.sqrt(YEAR_HOURS), 'sharpe');
  near(figures.sortino, (mean / downside) * Math.sqrt(YEAR_HOURS), 'sortino');
  near(figures.annualVolatility, deviation * Math.sqrt(YEAR_HOURS), 'annualVolatility');
  near(figures.annualReturn, annual, 'annualReturn');
  near(figures.calmar, annual / figures.maxDrawdown, 'calmar');
  near(figures.returnTStatistic, (mean / deviation) * Math.sqrt(500), 'returnTStatistic');
});

test('figures of trades are net of both fees', () => {
  const story = new Story();
  const trip = (exit: string): void => {
    story.trade([[0, 0, '1']], '100', '1');
    story.pass().trade([[0, 0, '-1']], exit, '1');
    story.pass();
  };
  for (const exit of ['112', '101', '97', '102']) trip(exit);
  const figures = figuresOf(
    story,
    Array.from({ length: 16 }, () => 1_000),
  );
  // Net: 10, -1, -5, 0.
  assert.equal(figures.orders, 8);
  assert.equal(figures.trades, 4);
  assert.equal(figures.winRate, 0.25);
  near(figures.profitFactor, 10 / 6, 'profitFactor');
  near(figures.expectancy, 1, 'expectancy');
  assert.equal(figures.feesPaid, 8);
  near(figures.grossPnl, 12, 'grossPnl');
  assert.deepEqual([figures.bestTrade, figures.worstTrade, figures.longestLosingStreak], [10, -5, 3]);
  assert.equal(figures.averageHeldMs, HOUR);
  near(figures.exposureRatio, 4 / 16, 'exposureRatio');
  near(figures.turnover, 812, 'turnover');
  assert.deepEqual([figures.longTrades, figures.shortTrades], [4, 0]);
});

test('both legs of a pair are one trade, which is closed when both are', () => {
  const story = new Story();
  story.trade([[2, 0, '1']], '100', '1');
  story.trade([[2, 1, '-10']], '10', '1', { instrument: 1 });
  story.pass().trade([[2, 0, '-1']], '110', '1');
  assert.deepEqual(roundTrips(story.ledger), []);
  story.pass().trade([[2, 1, '10']], '10.5', '1', { instrument: 1 });
  const [trip] = roundTrips(story.ledger);
  assert.deepEqual([trip?.pnl, trip?.fees, trip?.funding, trip?.side, trip?.closedAt], [1, 4, 0, 'long', START + 2 * HOUR]);
  assert.equal(story.ledger.tradeCount, 2);
  assert.equal(figuresOf(story, [1_001]).trades, 1);
});

test('what cannot be said is null', () => {
  const short = figuresOf(
    new Story(),
    Array.from({ length: MINIMUM_RETURNS - 1 }, (_, index) => 1_000 + index),
    [],
  );
  for (const name of ['sharpe', 'sortino', 'calmar', 'annualReturn', 'annualVolatility', 'returnTStatistic'] as const)
    assert.equal(short[name], null, name);
  for (const name of ['winRate', 'profitFactor', 'expectancy', 'bestTrade', 'worstTrade', 'averageHeldMs', 'buyAndHoldReturn'] as const) {
    assert.equal(short[name], null, name);
  }
  const rising = figuresOf(
    new Story(),
    Array.from({ length: 100 }, (_, index) => 1_000 + index + (index % 3)),
  );
  assert.equal(typeof rising.sharpe, 'number');
  const flat = figuresOf(
    new Story(),
    Array.from({ length: 100 }, () => 1_000),
  );
  assert.deepEqual([flat.sharpe, flat.sortino, flat.calmar, flat.maxDrawdown, flat.maxDrawdownMs], [null, null, null, 0, 0]);
});

test('holding is the mean over the instruments that have prices', () => {
  assert.equal(
    buyAndHoldReturn([
      { first: 100, last: 150 },
      { first: 10, last: 5 },
      { first: NaN, last: 3 },
    ]),
    0,
  );
  assert.equal(buyAndHoldReturn([]), null);
});

test('funding that was received is negative when counted as paid', () => {
  const story = new Story();
  story.trade([[2, 1, '-10']], '10', '0', { instrument: 1 });
  const amount = story.ledger.fees;
  story.tell({ kind: 'funding.paid', at: START, happenedAt: START, instrument: 1, amount, rate: 0 });
  assert.equal(Object.is(figuresOf(story, [1_000]).fundingPaid, 0), true);
});
