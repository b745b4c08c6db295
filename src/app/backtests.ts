// Several backtests in one go: each strategy on each series that is meant, one run after the other, each with its own folder and report.
import { BallastError } from '../domain/errors.ts';
import { formatSpan, type TimeMs } from '../domain/time.ts';
import { openStore } from '../market/history/store.ts';
import type { TrialRow } from '../views/trials.ts';
import { runBacktest, type BacktestRequest } from './backtest.ts';
import { writeStrategy } from './recipe.ts';
import { strategyNamed } from './registry.ts';

export interface BacktestsRequest extends Omit<BacktestRequest, 'strategy' | 'symbols' | 'timeframeMs' | 'onProgress'> {
  readonly strategies: readonly string[];
  /** One portfolio of them, for every timeframe; undefined for every stored series by itself. */
  readonly symbols: readonly string[] | undefined;
  /** Undefined for all that are stored. */
  readonly timeframesMs: readonly TimeMs[] | undefined;
  /** Of all runs together. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Backtests {
  readonly rows: readonly TrialRow[];
  /** How many were meant. */
  readonly total: number;
  /** It was asked to end before all of them were done. The run that was under way has no row: it has no report. */
  readonly isStopped: boolean;
}

interface Subject {
  readonly venue: string | undefined;
  readonly symbols: readonly string[];
  readonly timeframeMs: TimeMs;
}

/**
 * Runs them in order: by strategy, then venue, symbol and timeframe. What one run cannot do is said in its row, and the next begins. Only the
 * figures of a run are kept, so that a thousand runs need no more memory than the largest of them.
 * @throws BallastError BACKTESTS_EMPTY when nothing stored is meant, STRATEGY_UNKNOWN and their like: what holds for every run
 */
export async function runBacktests(request: BacktestsRequest): Promise<Backtests> {
  const { strategies, onProgress, signal } = request;
  // All that is wrong with any of them is said before the first run.
  const names = new Map<string, string>();
  for (const strategy of strategies) {
    await writeStrategy({ strategy, parameters: request.parameters ?? {} }, request.home);
    const { name } = (await strategyNamed(strategy, request.home)).strategy;
    // Two files may call themselves the same.
    names.set(strategy, [...names.values()].includes(name) ? `${name} (${strategy})` : name);
  }
  const subjects = await subjectsOf(request);
  const total = strategies.length * subjects.length;
  const rows: TrialRow[] = [];
  for (const strategy of strategies) {
    for (const { venue, symbols: together, timeframeMs } of subjects) {
      if (signal?.aborted === true) return { rows, total, isStopped: true };
      const done = rows.length;
      const name = { strategy: names.get(strategy) ?? strategy, venue: venue ?? '', symbols: together, timeframe: formatSpan(timeframeMs) };
      const onRun = (part: number, whole: number): void => onProgress?.(done + part / Math.max(1, whole), total);
      try {
        const document = await runBacktest({ ...request, strategy, venue, symbols: together, timeframeMs, onProgress: onRun });
        rows.push({
          ...name,
          runId: document.runId,
          metrics: document.metrics,
          haltedAt: document.haltedAt[0],
          failure: undefined,
          dataFlaws: document.dataFlaws,
        });
      } catch (error) {
        if (!(error instanceof BallastError)) throw error;
        if (error.code === 'RUN_STOPPED') return { rows, total, isStopped: true };
        if (!OF_ONE_SERIES.includes(error.code)) throw error;
        rows.push({ ...name, runId: undefined, metrics: undefined, haltedAt: undefined, failure: error.message, dataFlaws: [] });
      }
    }
  }
  return { rows, total, isStopped: false };
}

/** A strategy that is not there, a wrong parameter, or a full disk would be said again by every run. */
const OF_ONE_SERIES: readonly string[] = [
  'SERIES_UNKNOWN',
  'VENUE_AMBIGUOUS',
  'RANGE_EMPTY',
  'RANGE_REVERSED',
  'MIND_FAILED',
  'MIND_ENDLESS',
  'FEATURE_IMPOSSIBLE',
  'SUBJECT_MISMATCH',
  'PLAN_IMPOSSIBLE',
  'STORE_FILE_CORRUPT',
  'STORE_READ_FAILED',
  'BOOKS_MISSING',
  'TRADES_MISSING',
  'BOOK_RULES_UNKNOWN',
];

async function subjectsOf({ home, symbols, timeframesMs, venue }: BacktestsRequest): Promise<readonly Subject[]> {
  const store = await openStore(home);
  try {
    const stored = (await store.list()).filter(
      (series) => (venue === undefined || series.venue === venue) && (timeframesMs?.includes(series.timeframeMs) ?? true),
    );
    if (symbols === undefined && stored.length > 0) {
      return stored.map((series) => ({ venue: series.venue, symbols: [series.symbol], timeframeMs: series.timeframeMs }));
    }
    const timeframes = timeframesMs ?? [
      ...new Set(stored.filter((series) => symbols?.includes(series.symbol)).map((series) => series.timeframeMs)),
    ];
    if (symbols !== undefined && timeframes.length > 0) {
      return timeframes.toSorted((a, b) => a - b).map((timeframeMs) => ({ venue, symbols, timeframeMs }));
    }
    throw new BallastError({
      code: 'BACKTESTS_EMPTY',
      place: store.root,
      found: 'no stored bars of what is meant',
      expected: 'at least one series',
      remedy: 'ballast data ls tells what there is, ballast data import brings more',
      exitCode: 2,
    });
  } finally {
    await store.close();
  }
}
