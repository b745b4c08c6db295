import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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

/** Trips of one bitcoin times `scale`, sent at the close of a bar and filled worse by 0.1. */
function tripsOf(moves: readonly number[], scale: number): Story {
  const story = new Story();
  for (const move of moves) {
    story.bar(0, 99, 101, 100).trade([[0, 0, String(scale)]], '100.1', String(0.05 * scale));
    story.pass().bar(0, 95, 105, 100 + move);
    story.trade([[0, 0, String(-scale)]], String(99.9 + move), String(0.05 * scale));
    story.pass();
  }
  return story;
}

const MONEY = [
  'finalEquity',
  'expectancy',
  'feesPaid',
  'grossPnl',
  'turnover',
  'bestTrade',
  'worstTrade',
  'slippagePaid',
  'pnlBeforeCosts',
];

test('ratios do not depend on how much money there is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 30, maxLength: 60 }),
      fc.array(fc.double({ min: -0.05, max: 0.06, noNaN: true }), { minLength: 110 * 24, maxLength: 110 * 24 }),
      fc.constantFrom(0.25, 4, 1024),
      (moves, changes, scale) => {
        const figures = [1, scale].map((each) => {
          const recorder = new EquityRecorder({ capital: 1_000 * each, intervalMs: HOUR });
          let value = 1_000 * each;
          changes.forEach((change, index) => recorder.record(START + (index + 1) * HOUR, (value *= 1 + change / 10)));
          const to = START + changes.length * HOUR;
          const { ledger } = tripsOf(moves, each);
          return metrics({ equity: recorder.summary(), ledger, timeframeMs: HOUR, from: START, to, marks: [] });
        });
        const [small, large] = figures.map((each) => new Map<string, unknown>(Object.entries(each)));
        for (const [name, value] of small ?? []) {
          const other = large?.get(name);
          if (value === null || other === null) assert.equal(other, value, name);
          else near(Number(other), Number(value) * (MONEY.includes(name) ? scale : 1), name);
        }
      },
    ),
    { numRuns: 10 },
  );
});

test('what is estimated from the spread of trades waits for enough of them', () => {
  const moves = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? -2 : 3));
  const few = figuresOf(tripsOf(moves.slice(1), 1), [1_000]);
  assert.deepEqual([few.kellyFraction, few.systemQualityNumber], [null, null]);
  // Net of 0.3 of costs a trip: 20 won 2.7, 10 lost 2.3.
  const many = figuresOf(tripsOf(moves, 1), [1_000]);
  near(many.payoffRatio, 2.7 / 2.3, 'payoffRatio');
  near(many.kellyFraction, 2 / 3 - (1 / 3) * (2.3 / 2.7), 'kellyFraction');
  const average = (20 * 2.7 - 10 * 2.3) / 30;
  const deviation = Math.sqrt((20 * (2.7 - average) ** 2 + 10 * (2.3 + average) ** 2) / 29);
  near(many.systemQualityNumber, (average / deviation) * Math.sqrt(30), 'systemQualityNumber');
  near(many.pnlBeforeCosts, 40, 'pnlBeforeCosts');
  near(many.feeShare, 3 / 40, 'feeShare');
  near(many.slippageShare, 6 / 40, 'slippageShare');
  assert.equal(many.fundingShare, 0);
  near(many.averageMaxAdverseRatio, (100.1 - 95) / 100.1, 'averageMaxAdverseRatio');
  near(many.averageMaxFavourableRatio, (105 - 100.1) / 100.1, 'averageMaxFavourableRatio');
  const won = figuresOf(
    tripsOf(
      Array.from({ length: 30 }, () => 3),
      1,
    ),
    [1_000],
  );
  assert.deepEqual([won.payoffRatio, won.kellyFraction, won.systemQualityNumber], [null, null, null]);
});

test('days are no days where a bar is longer than one', () => {
  const recorder = new EquityRecorder({ capital: 1_000, intervalMs: 7 * 24 * HOUR });
  for (let week = 1; week <= 200; week++) recorder.record(START + week * 7 * 24 * HOUR, 1_000 + (week % 7));
  const to = START + 200 * 7 * 24 * HOUR;
  const figures = metrics({
    equity: recorder.summary(),
    ledger: new Story().ledger,
    timeframeMs: 7 * 24 * HOUR,
    from: START,
    to,
    marks: [],
  });
  assert.deepEqual([figures.dailyReturns, figures.skewness, figures.valueAtRisk95], [0, null, null]);
  assert.ok(figures.sharpe !== null);
});

test('returns that are equal but for rounding have no ratio to their spread', () => {
  const figures = figuresOf(
    new Story(),
    Array.from({ length: 100 }, (_, index) => 1_000 * 1.01 ** (index + 1)),
  );
  assert.deepEqual([figures.sharpe, figures.returnTStatistic, figures.sortino], [null, null, null]);
  assert.ok((figures.annualVolatility ?? NaN) < 1e-9);
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
