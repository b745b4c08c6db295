// A recipe of history run once more, in memory: other costs, other parameters, another range, altered bars, later evidence. The same engine,
// venue and rules as a backtest; what it says is folded at once and kept by nobody.
import type { BarColumns } from '../domain/bars.ts';
import { toNumber } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, formatTime, type TimeMs } from '../domain/time.ts';
import { Engine } from '../engine/engine.ts';
import type { RunPlan } from '../engine/plan.ts';
import type { Recorder } from '../engine/recorder.ts';
import { run } from '../engine/run.ts';
import { SimulatedClock } from '../engine/simulated-clock.ts';
import { periodReturns, type PeriodReturns } from '../lab/validate/run-returns.ts';
import { BarSource } from '../market/bar-source.ts';
import { openStore } from '../market/history/store.ts';
import { dailyReturns } from '../views/daily.ts';
import { EquityRecorder } from '../views/equity.ts';
import { metrics, type Metrics } from '../views/metrics.ts';
import { TradeLedger } from '../views/trades.ts';
import { warmupBars } from './assemble.ts';
import { guarded } from './guard.ts';
import { planOf, type Recipe } from './recipe.ts';
import { equityTold, venueOf } from './session-parts.ts';
import { fundingSeen } from './stored-funding.ts';

export interface Rerun extends PeriodReturns {
  readonly metrics: Metrics;
  /** Start of the day of each return; none where a period is longer. */
  readonly day: Float64Array;
  readonly ledger: TradeLedger;
}

export interface RerunRequest {
  readonly recipe: Recipe;
  /** `planOf` the recipe, or a variation of it. */
  readonly plan: RunPlan;
  /** By instrument. What opens before `from` warms up, what opens from `to` on is not shown. */
  readonly bars: readonly BarColumns[];
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly signal?: AbortSignal | undefined;
}

/** As long as a backtest lets a slice of the loop take. */
const SLICE_TIMEOUT_MS = 10_000;

/** @throws BallastError RUN_STOPPED where the signal aborts, and whatever a strategy has to say of itself */
export async function rerun({ recipe, plan, bars, from, to, signal }: RerunRequest): Promise<Rerun> {
  const { baseTimeframeMs: timeframeMs } = plan;
  const capital = toNumber(plan.capital);
  const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
  const equity = new EquityRecorder({ capital, intervalMs: timeframeMs });
  const recorder: Recorder = {
    market: () => undefined,
    entry: (entry, sequence) => ledger.entry(entry, sequence),
    commit: () => undefined,
  };
  const place = { notBefore: (): number => 0 };
  const venue = venueOf(recipe, plan, () => place.notBefore());
  const engine = new Engine({
    plan,
    recorder,
    venue,
    ...equityTold(recipe, equity),
    onPrice: (event) => ledger.price(event),
    knownFailures: new Map(),
  });
  place.notBefore = () => engine.earliestNext;
  const shown = bars.map((columns) => before(columns, to));
  const sources = shown.map((columns, instrument) => new BarSource({ instrument, timeframeMs, from, chunks: [columns] }));
  const outcome = await run({
    engine,
    clock: new SimulatedClock(),
    sources: [venue, ...sources.map((source) => venue.watching(source)), ...fundingSeen(recipe, plan, to)],
    isStopping: () => signal?.aborted === true,
    ...(plan.minds.every((mind) => mind.isTrusted) ? {} : { guard: (slice: () => void) => guarded(slice, SLICE_TIMEOUT_MS) }),
  });
  if (outcome === 'stopped') {
    throw new BallastError({
      code: 'RUN_STOPPED',
      place: 'a variation of the run',
      found: `a stop at ${formatTime(engine.at)}`,
      expected: `to reach ${formatTime(to)}`,
    });
  }
  const summary = equity.summary();
  const marks = shown.map(({ openAt, open, close }) => ({
    first: open[firstFrom(openAt, from)] ?? NaN,
    last: (openAt.at(-1) ?? NaN) >= from ? (close.at(-1) ?? NaN) : NaN,
  }));
  const returns =
    timeframeMs <= DAY_MS
      ? { periodMs: DAY_MS, returns: dailyReturns(summary.basis, summary.daily) }
      : periodReturns(capital, equity.curve(), timeframeMs);
  return { ...returns, day: summary.daily.day, metrics: metrics({ equity: summary, ledger, timeframeMs, from, to, marks }), ledger };
}

/** The rows that open before `to`, without a copy. */
function before(columns: BarColumns, to: TimeMs): BarColumns {
  return rowsOf(columns, 0, firstFrom(columns.openAt, to));
}

/** Rows from `first` on up to but not with `end`, without a copy. */
export function rowsOf(columns: BarColumns, first: number, end: number): BarColumns {
  return {
    openAt: columns.openAt.subarray(first, end),
    open: columns.open.subarray(first, end),
    high: columns.high.subarray(first, end),
    low: columns.low.subarray(first, end),
    close: columns.close.subarray(first, end),
    volume: columns.volume.subarray(first, end),
  };
}

/** The first row that opens at or after `at`; their number where none does. */
export function firstFrom(openAt: Float64Array, at: TimeMs): number {
  let low = 0;
  let high = openAt.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((openAt[middle] ?? NaN) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A recipe whose market is stored history: the only one that can be run on other bars. */
export type HistoryRecipe = Recipe & { readonly market: Extract<Recipe['market'], { readonly source: 'history' }> };

/** @throws BallastError RUN_NOT_HISTORY, RUN_ON_BOOKS */
export function demandHistory(recipe: Recipe, place: string): HistoryRecipe {
  const { market } = recipe;
  if (market.source === 'history' && market.books === true) {
    throw new BallastError({
      code: 'RUN_ON_BOOKS',
      place,
      found: 'orders that were matched against books',
      expected: 'a backtest on bars: what runs it again, with other costs, bars or parameters, has no books to match them against',
      remedy: 'run ballast backtest without --books; ballast replay proves a run on books without them',
    });
  }
  if (market.source === 'history') return { ...recipe, market };
  throw new BallastError({
    code: 'RUN_NOT_HISTORY',
    place,
    found: `a run of the ${market.source} market`,
    expected: 'a backtest: only stored bars can be run again',
    remedy: 'run ballast backtest with the same strategy',
  });
}

/** All that is stored of the recipe's instruments, by instrument. @throws BallastError SERIES_UNKNOWN */
export async function storedBars(recipe: HistoryRecipe, home: string): Promise<BarColumns[]> {
  const store = await openStore(home);
  try {
    const all: BarColumns[] = [];
    for (const { venue, symbol } of recipe.instruments) {
      const timeframeMs = recipe.baseTimeframeMs;
      all.push(await store.load({ venue: store.resolve({ symbol, venue, timeframeMs }), symbol, timeframeMs }));
    }
    return all;
  } finally {
    await store.close();
  }
}

/** From bars that warm the recipe's strategies up to bars that open before `to`. */
export function barsWithin(bars: readonly BarColumns[], warmupFrom: TimeMs, to: TimeMs): BarColumns[] {
  return bars.map((columns) => rowsOf(columns, firstFrom(columns.openAt, warmupFrom), firstFrom(columns.openAt, to)));
}

/**
 * Runs a recipe in a range, warmed up before it as a backtest is, over the bars that are given. Strategies that were changed since are refused.
 * @throws BallastError STRATEGY_CHANGED and whatever `rerun` throws
 */
export async function rerunRange(
  recipe: HistoryRecipe,
  home: string,
  bars: readonly BarColumns[],
  range: { readonly from: TimeMs; readonly to: TimeMs },
  signal?: AbortSignal,
): Promise<Rerun> {
  const plan = await planOf(recipe, home);
  const isWarmed = recipe.market.warmupFrom < recipe.market.from;
  const warmupFrom = range.from - (isWarmed ? warmupBars(plan) * recipe.baseTimeframeMs : 0);
  return rerun({ recipe, plan, bars: barsWithin(bars, warmupFrom, range.to), ...range, signal });
}
