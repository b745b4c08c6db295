// Figures of a run. Null is "cannot be said": too few returns, no trades, no losses to divide by.
import { toNumber } from '../domain/decimal.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import { mean, variance } from '../quant/statistics.ts';
import { dailyFigures, dailyReturns, known, ROUNDING, type DailyFigures } from './daily.ts';
import type { EquitySummary } from './equity.ts';
import { returnRatio, type ClosedTrade, type TradeLedger } from './trades.ts';

const YEAR_MS = 365 * DAY_MS;

/** Below this many returns a ratio of their mean to their spread is noise, and annualising it is worse. */
export const MINIMUM_RETURNS = 30;

/** Fewer closed trades than this say nothing about the next one: what is estimated from their spread waits for as many. */
export const MINIMUM_TRADES = 30;

/**
 * Ratios are 0..1, money is in the quote currency. Which returns a figure is of:
 * those between marked instants (`sharpe`, `sortino`, `calmar`, `annualReturn`, `annualVolatility`, `returnTStatistic`), from
 * MINIMUM_RETURNS of them on, and where it divides by a spread only if there is one beyond ROUNDING; those between days (the rest of
 * DailyFigures), which say of themselves how many they need, and which a timeframe longer than a day does not have; closed round trips,
 * where one is enough unless MINIMUM_TRADES is named.
 */
export interface Metrics extends DailyFigures {
  readonly totalReturn: number;
  readonly finalEquity: number;
  /** Annualised, of the returns at the marked instants; no risk-free rate. */
  readonly sharpe: number | null;
  readonly sortino: number | null;
  /** Positive ratio, the start included. */
  readonly maxDrawdown: number;
  /** Annual growth over maxDrawdown. */
  readonly calmar: number | null;
  /** Fills. */
  readonly orders: number;
  /** Closed round trips: both legs of a pair are one. */
  readonly trades: number;
  readonly winRate: number | null;
  /** Sum of the wins over the sum of the losses, both net. */
  readonly profitFactor: number | null;
  /** Money a trade. */
  readonly expectancy: number | null;
  /** Over all fills. */
  readonly feesPaid: number;
  /** Negative is received. */
  readonly fundingPaid: number;
  readonly annualReturn: number | null;
  readonly annualVolatility: number | null;
  /** Part of the time in which anything was held. */
  readonly exposureRatio: number | null;
  readonly stopOuts: number;
  /** Of equal parts bought at the start and held. */
  readonly buyAndHoldReturn: number | null;
  /** From the peak before the deepest fall until it was reached again, or the end. */
  readonly maxDrawdownMs: number;
  readonly longestUnderwaterMs: number;
  /** P&L of closed trades before fees and funding. */
  readonly grossPnl: number;
  /** Notional of all fills. */
  readonly turnover: number;
  readonly longTrades: number;
  readonly shortTrades: number;
  readonly bestTrade: number | null;
  readonly worstTrade: number | null;
  readonly averageHeldMs: number | null;
  readonly longestLosingStreak: number;
  /** Marked instants, N. */
  readonly instants: number;
  /** Mean return over its standard error: below 2, the result cannot be told from luck. */
  readonly returnTStatistic: number | null;
  /** Mean win over mean loss, both net. Needs one of each. */
  readonly payoffRatio: number | null;
  /**
   * Part of equity that would have grown it fastest, had each trip been a bet on the won share p at the payoff b: p - (1 - p) / b
   * (Kelly 1956). MINIMUM_TRADES. Of the past, and without its error: a fraction of it is what people bet.
   */
  readonly kellyFraction: number | null;
  /** System quality number: mean P&L of a trip over its standard deviation (n - 1), times the root of n. MINIMUM_TRADES. */
  readonly systemQualityNumber: number | null;
  /** Notional of all fills over the mean of the daily closes of equity, a year. */
  readonly annualTurnover: number | null;
  /** What all fills cost beyond the prices at which their orders were sent; within the P&L. */
  readonly slippagePaid: number | null;
  /** P&L of closed trades before fees, funding and slippage. */
  readonly pnlBeforeCosts: number | null;
  /** Of closed trades, parts of `pnlBeforeCosts`, which is above zero. Negative is received. */
  readonly feeShare: number | null;
  readonly slippageShare: number | null;
  readonly fundingShare: number | null;
  /** Mean over closed legs of the furthest that the price went against the entry, and in its favour. */
  readonly averageMaxAdverseRatio: number | null;
  readonly averageMaxFavourableRatio: number | null;
}

/** An instrument's first and last price in the range; NaN where none was seen. */
export interface Marks {
  readonly first: number;
  readonly last: number;
}

export interface MetricsInput {
  readonly equity: EquitySummary;
  readonly ledger: TradeLedger;
  /** Between two marked instants: the bars' timeframe. */
  readonly timeframeMs: TimeMs;
  readonly from: TimeMs;
  readonly to: TimeMs;
  /** By instrument. */
  readonly marks: readonly Marks[];
}

export function metrics(input: MetricsInput): Metrics {
  const { equity, ledger, timeframeMs, from, to } = input;
  const perYear = YEAR_MS / timeframeMs;
  const totalReturn = equity.finalEquity / equity.basis - 1;
  const hasReturns = equity.instants >= MINIMUM_RETURNS;
  const deviation = spread(Math.sqrt(equity.variance));
  const annualReturn = hasReturns ? (1 + totalReturn) ** (perYear / equity.instants) - 1 : NaN;
  const trips = roundTrips(ledger);
  const { wins, losses } = winsAndLosses(trips);
  const recovered = Number.isNaN(equity.maxDrawdownRecovered) ? equity.lastAt : equity.maxDrawdownRecovered;
  const fees = toNumber(ledger.fees);
  const pnls = trips.map((trip) => trip.pnl);
  const winRate = wins.length / trips.length;
  const payoffRatio = sum(wins) / wins.length / (-sum(losses) / losses.length);
  const isMany = trips.length >= MINIMUM_TRADES;
  const legs = excursions(ledger);
  return {
    totalReturn,
    finalEquity: equity.finalEquity,
    sharpe: hasReturns ? known((equity.meanReturn / deviation) * Math.sqrt(perYear)) : null,
    sortino: hasReturns ? known((equity.meanReturn / spread(Math.sqrt(equity.downsideVariance))) * Math.sqrt(perYear)) : null,
    maxDrawdown: equity.maxDrawdownRatio,
    calmar: known(annualReturn / equity.maxDrawdownRatio),
    orders: ledger.fillCount,
    trades: trips.length,
    winRate: known(winRate),
    profitFactor: known(sum(wins) / -sum(losses)),
    expectancy: known(sum(pnls) / trips.length),
    feesPaid: fees,
    fundingPaid: 0 - toNumber(ledger.funding),
    annualReturn: known(annualReturn),
    annualVolatility: hasReturns ? known(Math.sqrt(equity.variance) * Math.sqrt(perYear)) : null,
    exposureRatio: known(ledger.exposedMs(to) / (to - from)),
    stopOuts: ledger.stopOuts,
    buyAndHoldReturn: buyAndHoldReturn(input.marks),
    maxDrawdownMs: Number.isNaN(equity.maxDrawdownFrom) ? 0 : recovered - equity.maxDrawdownFrom,
    longestUnderwaterMs: equity.longestUnderwaterMs,
    grossPnl: sum(trips.map((trip) => trip.pnl + (trip.fees - trip.funding))),
    turnover: ledger.turnover,
    longTrades: trips.filter((trip) => trip.side === 'long').length,
    shortTrades: trips.filter((trip) => trip.side === 'short').length,
    bestTrade: largest(pnls, 1),
    worstTrade: largest(pnls, -1),
    averageHeldMs: known(sum(trips.map((trip) => trip.closedAt - trip.openedAt)) / trips.length),
    longestLosingStreak: longestLosingStreak(pnls),
    instants: equity.instants,
    returnTStatistic: hasReturns ? known((equity.meanReturn / deviation) * Math.sqrt(equity.instants)) : null,
    payoffRatio: known(payoffRatio),
    kellyFraction: isMany ? known(winRate - (1 - winRate) / payoffRatio) : null,
    systemQualityNumber: isMany ? known(systemQualityNumber(pnls)) : null,
    annualTurnover: hasReturns ? known(((ledger.turnover / mean(equity.daily.equity)) * perYear) / equity.instants) : null,
    slippagePaid: known(ledger.slippage),
    ...costShares(trips),
    averageMaxAdverseRatio: known(legs.adverse / ledger.tradeCount),
    averageMaxFavourableRatio: known(legs.favourable / ledger.tradeCount),
    ...dailyFigures(timeframeMs > DAY_MS ? new Float64Array() : dailyReturns(equity.basis, equity.daily)),
  };
}

/** Of equal returns the spread is what rounding left. */
function spread(deviation: number): number {
  return deviation > ROUNDING ? deviation : NaN;
}

function systemQualityNumber(pnls: readonly number[]): number {
  const count = pnls.length;
  const average = mean(pnls);
  const deviation = Math.sqrt((variance(pnls) * count) / (count - 1));
  return (Math.sign(average) * Math.sqrt(count)) / spread(deviation / Math.abs(average));
}

type CostShares = Pick<Metrics, 'pnlBeforeCosts' | 'feeShare' | 'slippageShare' | 'fundingShare'>;

function costShares(trips: readonly RoundTrip[]): CostShares {
  const fees = sum(trips.map((trip) => trip.fees));
  const funding = sum(trips.map((trip) => trip.funding));
  const slippage = sum(trips.map((trip) => trip.slippage));
  const before = sum(trips.map((trip) => trip.pnl)) + fees - funding + slippage;
  // Of a loss nothing is a part.
  const whole = before > 0 ? before : NaN;
  return {
    pnlBeforeCosts: known(before),
    feeShare: known(fees / whole),
    slippageShare: known(slippage / whole),
    fundingShare: known((0 - funding) / whole),
  };
}

/** Sums over closed legs. */
function excursions(ledger: TradeLedger): { adverse: number; favourable: number } {
  const sums = { adverse: 0, favourable: 0 };
  for (const { maxAdverseRatio, maxFavourableRatio } of ledger.trades()) {
    sums.adverse += maxAdverseRatio;
    sums.favourable += maxFavourableRatio;
  }
  return sums;
}

/** What a person means by a trade: a sleeve's way from flat to flat with all its legs. Money as estimates. */
export interface RoundTrip {
  readonly sleeve: string;
  readonly side: 'long' | 'short';
  readonly openedAt: TimeMs;
  readonly closedAt: TimeMs;
  readonly pnl: number;
  readonly fees: number;
  /** Received less paid. */
  readonly funding: number;
  /** NaN where the ledger was not told prices. */
  readonly slippage: number;
  readonly returnRatio: number;
}

/** Closed round trips in the order in which they closed. The legs that share a round are one; a round with a leg still open is none. */
export function roundTrips(ledger: TradeLedger): RoundTrip[] {
  const open = new Set(ledger.openTrades().map(({ sleeve, round }) => `${sleeve}\n${round}`));
  const trips = new Map<string, RoundTrip>();
  for (const trade of ledger.trades()) {
    const key = `${trade.sleeve}\n${trade.round}`;
    if (open.has(key)) continue;
    const earlier = trips.get(key);
    // Deleted first, so that it stands where its last leg closed.
    trips.delete(key);
    trips.set(key, earlier === undefined ? tripOf(trade) : joined(earlier, trade));
  }
  return [...trips.values()];
}

function tripOf(trade: ClosedTrade): RoundTrip {
  const { sleeve, side, openedAt, closedAt } = trade;
  return {
    sleeve,
    side,
    openedAt,
    closedAt,
    pnl: toNumber(trade.pnl),
    fees: toNumber(trade.fees),
    funding: toNumber(trade.funding),
    slippage: trade.slippage,
    returnRatio: returnRatio(trade),
  };
}

/** The side of a pair is that of its first leg to close: its round says no more. */
function joined(earlier: RoundTrip, trade: ClosedTrade): RoundTrip {
  const later = tripOf(trade);
  return {
    ...earlier,
    openedAt: Math.min(earlier.openedAt, later.openedAt),
    closedAt: later.closedAt,
    pnl: earlier.pnl + later.pnl,
    fees: earlier.fees + later.fees,
    funding: earlier.funding + later.funding,
    slippage: earlier.slippage + later.slippage,
    returnRatio: earlier.returnRatio + later.returnRatio,
  };
}

/** Null when no instrument has both prices. */
export function buyAndHoldReturn(marks: readonly Marks[]): number | null {
  const returns = marks.map(({ first, last }) => last / first - 1).filter(Number.isFinite);
  return known(sum(returns) / returns.length);
}

function winsAndLosses(trips: readonly RoundTrip[]): { wins: number[]; losses: number[] } {
  const pnls = trips.map((trip) => trip.pnl);
  return { wins: pnls.filter((pnl) => pnl > 0), losses: pnls.filter((pnl) => pnl <= 0) };
}

function longestLosingStreak(pnls: readonly number[]): number {
  let longest = 0;
  let streak = 0;
  for (const pnl of pnls) {
    streak = pnl > 0 ? 0 : streak + 1;
    if (streak > longest) longest = streak;
  }
  return longest;
}

/** Not by spreading: a run may have more trades than a call takes arguments. */
function largest(values: readonly number[], sign: 1 | -1): number | null {
  let found: number | null = null;
  for (const value of values) if (found === null || sign * value > sign * found) found = value;
  return found;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
