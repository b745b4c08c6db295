// Other histories of a finished run: its report, resampled.
import { DAY_MS, formatSpan, parseTime } from '../domain/time.ts';
import { monteCarlo, pathOf, type MonteCarlo, type PathFigures, type Percentiles } from '../lab/validate/monte-carlo.ts';
import { tripReturns } from '../lab/validate/run-returns.ts';
import { optimalBlockLengths } from '../quant/block-length.ts';
import { Random } from '../quant/random.ts';
import { circularBlockBootstrap, permutation, stationaryBootstrap } from '../quant/resampling.ts';
import { MINIMUM_TRADES } from '../views/metrics.ts';
import { readRunReport } from './run-report.ts';

export interface MonteCarloRequest {
  readonly home: string;
  readonly runId: string;
  readonly paths: number;
  readonly seed: number;
  /** Of the gate, 0..1. */
  readonly drawdownLimit: number;
}

/** Money is in `currency`, drawdowns are ratios, Sharpe ratios are of a year of 365 days. */
export interface MonteCarloDocument {
  readonly runId: string;
  readonly currency: string;
  readonly capital: number;
  readonly seed: number;
  readonly paths: number;
  /** `1d`, or the run's timeframe where that is longer. */
  readonly period: string;
  /** How many periods, those of each path as well. */
  readonly returns: number;
  /** In periods: by Politis and White, of the returns or of their sizes, whichever is longer. */
  readonly blockLengths: { readonly stationary: number; readonly circular: number };
  /** The run itself, at the same periods. */
  readonly observed: PathFigures;
  readonly stationaryBootstrap: MonteCarlo;
  readonly circularBlockBootstrap: MonteCarlo;
  /** Round trips in another order, with the drawdown of what was closed and a Sharpe ratio a trip; null below 30 of them. */
  readonly tradeShuffle: (MonteCarlo & { readonly trips: number }) | null;
  /** Of the stationary bootstrap. */
  readonly gate: { readonly drawdown95: number; readonly limit: number; readonly passes: boolean };
}

/** @throws BallastError RUN_UNKNOWN, REPORT_MISSING, REPORT_DAMAGED, REPORT_SHORT */
export function monteCarloOfRun({ home, runId: name, paths, seed, drawdownLimit }: MonteCarloRequest): MonteCarloDocument {
  const { runId, path, capital, currency, trades, periodMs, returns } = readRunReport(home, name);
  const blockLengths = keptTogether(returns);
  const root = new Random(seed);
  const perYear = Math.sqrt((365 * DAY_MS) / periodMs);
  const inUnits = (found: MonteCarlo): MonteCarlo => ({
    ...found,
    finalEquity: scaled(found.finalEquity, capital),
    sharpe: scaled(found.sharpe, perYear),
  });
  const stationary = inUnits(monteCarlo(returns, paths, stationaryBootstrap(blockLengths.stationary, root.fork('stationary'))));
  const trips = tripReturns(
    capital,
    trades.map((trade) => ({ ...trade, closedAt: parseTime(trade.closedAt, path) })),
  );
  const shuffled = trips.length < MINIMUM_TRADES ? undefined : monteCarlo(trips, paths, permutation(root.fork('permutation')));
  const observed = pathOf(returns);
  const drawdown95 = stationary.maxDrawdown.p95;
  return {
    runId,
    currency,
    capital,
    seed,
    paths,
    period: formatSpan(periodMs),
    returns: returns.length,
    blockLengths,
    observed: { ...observed, finalEquity: observed.finalEquity * capital, sharpe: observed.sharpe * perYear },
    stationaryBootstrap: stationary,
    circularBlockBootstrap: inUnits(monteCarlo(returns, paths, circularBlockBootstrap(blockLengths.circular, root.fork('circular')))),
    tradeShuffle: shuffled === undefined ? null : { ...shuffled, finalEquity: scaled(shuffled.finalEquity, capital), trips: trips.length },
    gate: { drawdown95, limit: drawdownLimit, passes: drawdown95 <= drawdownLimit },
  };
}

/** Returns hardly remember each other; their sizes do, and drawdowns are made of both. */
export function keptTogether(returns: Float64Array): MonteCarloDocument['blockLengths'] {
  const [ofReturns, ofSizes] = [optimalBlockLengths(returns), optimalBlockLengths(returns.map(Math.abs))];
  return {
    stationary: Math.max(ofReturns.stationary, ofSizes.stationary),
    circular: Math.max(ofReturns.circular, ofSizes.circular),
  };
}

function scaled({ p5, p25, p50, p75, p95 }: Percentiles, by: number): Percentiles {
  return { p5: p5 * by, p25: p25 * by, p50: p50 * by, p75: p75 * by, p95: p95 * by };
}
