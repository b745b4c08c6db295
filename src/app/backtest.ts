// A backtest: a tape of stored bars, a clock that jumps, the simulated venue. A run like any other, with a report at its end.
import { join } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { amount, format } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { isOnFunding } from '../domain/feature.ts';
import { filtersAt, type Instrument } from '../domain/instrument.ts';
import { formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { run } from '../engine/run.ts';
import { SimulatedClock } from '../engine/simulated-clock.ts';
import type { RunPlan } from '../engine/plan.ts';
import { BarSource } from '../market/bar-source.ts';
import { BookSource } from '../market/book/book-source.ts';
import { readFilters } from '../market/history/filters.ts';
import { flawsInWords, Inspector } from '../market/history/inspection.ts';
import type { SeriesId } from '../market/history/series.ts';
import { openStore, type BarStore } from '../market/history/store.ts';
import type { FillRule } from '../venues/simulated/rules.ts';
import type { Marks } from '../views/metrics.ts';
import { report, type ReportDocument } from '../views/report.ts';
import { instrumentsOnBooks, mustNeedNoBooks } from './books-demanded.ts';
import { loadConfig, withOverrides, type Config } from './config.ts';
import { guarded, isTimeout, SLICE_TIMEOUT_MS } from './guard.ts';
import {
  planOf,
  recipeHash,
  unfilteredInstrument,
  withWarmup,
  writeInstrument,
  writeStrategy,
  type Recipe,
  type RecipeStrategy,
} from './recipe.ts';
import { strategyNamed } from './registry.ts';
import { createRun, letGo, newRunId, setRunStatus, writeFileOfRun } from './runs.ts';
import { runWarnings } from './run-warnings.ts';
import { openParts } from './session-parts.ts';
import { fundingOf, fundingSeen, storedFunding } from './stored-funding.ts';
import { openStoredBooks, type StoredBooks } from './stored-books.ts';
import { recordTrialOf } from './trials.ts';

export interface BacktestRequest {
  readonly home: string;
  readonly configFile?: string | undefined;
  /** A name, or the path of a file. */
  readonly strategy: string;
  /** `k=v,…` or the path of a JSON file. */
  readonly parameters?: string | undefined;
  readonly symbols: readonly string[];
  /** Subjects of a strategy with several legs; all symbols in one unless said. */
  readonly pairs?: readonly (readonly string[])[] | undefined;
  readonly venue?: string | undefined;
  readonly timeframeMs: TimeMs;
  /** Inclusive, on the bar's open; the first stored bar unless said. */
  readonly fromMs?: TimeMs | undefined;
  /** Exclusive, on the bar's open; after the last stored bar unless said. */
  readonly toMs?: TimeMs | undefined;
  readonly capital?: string | undefined;
  readonly feeRate?: number | undefined;
  readonly slippageRatio?: number | undefined;
  readonly stopSlippageRatio?: number | undefined;
  readonly fill?: FillRule | undefined;
  readonly sizing?: string | undefined;
  readonly noRisk: boolean;
  readonly warmup: 'auto' | 'none';
  readonly seed: number;
  readonly allowSpotShort: boolean;
  /** Orders match against the stored books and trades of the symbols, and not against their bars. */
  readonly books?: boolean | undefined;
  /** Of what is done before the first bar: the books that are laid out. */
  readonly onBooks?: (done: number, total: number) => void;
  /** Market time done, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly onNotice?: (words: string) => void;
}

/** More rows than this are streamed: a million bars in memory are 48 MB. */
const MOST_ROWS_IN_MEMORY = 2_000_000;
const CHUNK_ROWS = 65_536;
const FILLED_AT_CLOSE =
  'orders filled at the close on which they were decided, where nobody can trade any more (--fill close): research only';

/** Runs it, writes `runs/<id>/`, and gives the document. @throws BallastError */
export async function runBacktest(request: BacktestRequest): Promise<ReportDocument> {
  const store = await openStore(request.home);
  try {
    const { recipe, venues } = await backtestRecipe(request, store);
    const books = request.books === true ? await booksOf(recipe, request) : undefined;
    try {
      return await runRecipe(request, recipe, store, venues, books);
    } finally {
      books?.close();
    }
  } finally {
    await store.close();
  }
}

/** All that determines the results of what is asked for, with the venues of its symbols. @throws BallastError with exit code 2 */
export async function backtestRecipe(
  request: Omit<BacktestRequest, 'onProgress' | 'signal' | 'onNotice'>,
  store: BarStore,
): Promise<{ readonly recipe: Recipe; readonly venues: readonly string[] }> {
  const { home, timeframeMs, symbols } = request;
  const config = withOverrides(loadConfig({ home, file: request.configFile }), {
    venue: {
      feeRate: request.feeRate,
      slippageRatio: request.slippageRatio,
      stopSlippageRatio: request.stopSlippageRatio,
      fill: request.fill,
    },
  });
  const venues = symbols.map((symbol) => store.resolve({ symbol, venue: request.venue, timeframeMs }));
  const use = {
    strategy: request.strategy,
    parameters: request.parameters ?? {},
    ...(request.pairs !== undefined && { pairs: request.pairs }),
  };
  const strategy = await writeStrategy(use, home);
  const draft = await draftRecipe(request, config, store, venues, strategy);
  return { recipe: (await withWarmup(draft, request.warmup, home)).recipe, venues };
}

/** What the request asks for, cold: `withWarmup` says from when on bars are needed. @throws BallastError exitCode 2 */
export async function draftRecipe(
  request: Omit<BacktestRequest, 'warmup' | 'parameters' | 'onProgress' | 'signal' | 'onNotice'>,
  config: Config,
  store: BarStore,
  venues: readonly string[],
  strategy: RecipeStrategy,
): Promise<Recipe> {
  const { symbols, timeframeMs } = request;
  const range = await rangeOf(store, request, venues);
  const instruments = symbols.map((symbol, index) => {
    const instrument = unfilteredInstrument(venues[index] ?? '', symbol, '--symbols');
    return writeInstrument(request.noRisk ? instrument : withFilters(instrument, request.home, range.fromMs));
  });
  const funding = await storedFunding(request.home, instruments, range.fromMs, range.toMs);
  return {
    kind: 'backtest',
    config: request.sizing === undefined ? config : { ...config, sizing: sizingNamed(request.sizing) },
    instruments,
    baseTimeframeMs: timeframeMs,
    timeframeMs,
    strategies: [strategy],
    capital: request.capital ?? String(config.paper.capital),
    noRisk: request.noRisk,
    allowSpotShort: request.allowSpotShort,
    seed: request.seed,
    market: {
      source: 'history',
      from: range.fromMs,
      to: range.toMs,
      warmupFrom: range.fromMs,
      ...(funding.some((rates) => rates !== null) && { funding }),
      ...(request.books === true && { books: true as const }),
    },
    mindFailure: 'stop',
  };
}

/** Before a run is begun: a range without books has no run. @throws BallastError */
function booksOf(recipe: Recipe, { home, onBooks, signal }: BacktestRequest): Promise<StoredBooks> {
  if (recipe.market.source !== 'history') throw new Error('broken invariant: a backtest runs on history');
  if (recipe.config.venue.fill === 'close') {
    throw new BallastError({
      code: 'ARGUMENT_INVALID',
      place: '--books',
      found: '--fill close',
      expected: 'next-open: a book fills an order when it arrives',
      exitCode: 2,
    });
  }
  const { from, to } = recipe.market;
  return openStoredBooks({ home, instruments: recipe.instruments, from, to, onProgress: onBooks, signal });
}

/** @throws BallastError FUNDING_MISSING where a strategy lives on funding rates and none are stored */
function demandFunding(plan: RunPlan, recipe: Recipe): void {
  const rates = fundingOf(recipe);
  for (const {
    name,
    sleeve,
    forecaster: { features },
  } of plan.minds) {
    for (const spec of Object.values(features)) {
      const instrument = isOnFunding(spec) ? (plan.sleeves[sleeve]?.instruments[spec.leg ?? 0] ?? 0) : undefined;
      if (instrument === undefined || rates[instrument] !== undefined) continue;
      throw new BallastError({
        code: 'FUNDING_MISSING',
        place: `strategy ${name}`,
        found: `no stored funding rates of ${plan.instruments[instrument]?.symbol ?? ''}`,
        expected: 'settled rates in the range: it lives on them',
        remedy: 'ballast data download or data import with --kind funding brings them',
        exitCode: 2,
      });
    }
  }
}

/** What strategies see of the books: those of instruments on which one of them lives. */
function booksSeen(plan: RunPlan, books: StoredBooks | undefined, from: TimeMs, to: TimeMs, intervalMs: TimeMs): readonly BookSource[] {
  if (books === undefined) return [];
  const seen = instrumentsOnBooks(plan);
  return books
    .tapes()
    .flatMap(({ messages, rules, silentAfterMs = Infinity }, instrument) =>
      seen.has(instrument) ? [new BookSource({ instrument, messages, rules, silentAfterMs, intervalMs, from, until: to })] : [],
    );
}

/** What its venue demanded at the beginning of the range, where a download has stored that. */
function withFilters(instrument: Instrument, home: string, at: TimeMs): Instrument {
  const known = filtersAt(readFilters(home, instrument), at);
  if (known === undefined) return instrument;
  const { tick, lot, minimumQuantity, minimumNotional } = known;
  return { ...instrument, tick, lot, minimumQuantity, minimumNotional };
}

function sizingNamed(name: string): Recipe['config']['sizing'] {
  switch (name) {
    case 'risk':
    case 'fixed':
    case 'volatility':
    case 'kelly':
    case 'all-in':
      return name;
    default:
      throw new BallastError({
        code: 'ARGUMENT_INVALID',
        place: '--sizing',
        found: JSON.stringify(name),
        expected: 'risk, fixed, volatility, kelly or all-in',
        exitCode: 2,
      });
  }
}

/** Bounds that were left out are the stored ones. @throws BallastError RANGE_REVERSED, RANGE_EMPTY */
async function rangeOf(
  store: BarStore,
  request: Pick<BacktestRequest, 'symbols' | 'timeframeMs' | 'fromMs' | 'toMs'>,
  venues: readonly string[],
): Promise<{ fromMs: TimeMs; toMs: TimeMs }> {
  const { symbols, timeframeMs } = request;
  const stored = (await store.list()).filter(
    (series) =>
      series.timeframeMs === timeframeMs && symbols.some((symbol, index) => series.symbol === symbol && series.venue === venues[index]),
  );
  const first = Math.min(...stored.map((series) => series.fromMs));
  const last = Math.max(...stored.map((series) => series.toMs));
  const fromMs = request.fromMs ?? first;
  const toMs = request.toMs ?? last;
  if (fromMs >= toMs) {
    throw new BallastError({
      code: 'RANGE_REVERSED',
      place: '--from and --to',
      found: `${formatTime(fromMs)} to ${formatTime(toMs)}`,
      expected: 'a start before its end',
      exitCode: 2,
    });
  }
  if (toMs <= first || fromMs >= last) {
    throw new BallastError({
      code: 'RANGE_EMPTY',
      place: '--from and --to',
      found: `no ${formatSpan(timeframeMs)} bars of ${symbols.join(', ')} from ${formatTime(fromMs)} to ${formatTime(toMs)}`,
      expected: `a range within ${formatTime(first)} to ${formatTime(last)}`,
      exitCode: 2,
    });
  }
  return { fromMs, toMs };
}

async function runRecipe(
  request: BacktestRequest,
  recipe: Recipe,
  store: BarStore,
  venues: readonly string[],
  books: StoredBooks | undefined,
): Promise<ReportDocument> {
  const { home, symbols, timeframeMs } = request;
  if (recipe.market.source !== 'history') throw new Error('broken invariant: a backtest runs on history');
  const { from, to, warmupFrom } = recipe.market;
  const plan = await planOf(recipe, home);
  if (books === undefined) mustNeedNoBooks(plan, 'a backtest on bars', 'run it with --books, on symbols whose books and trades are stored');
  demandFunding(plan, recipe);
  const configHash = recipeHash(recipe);
  const {
    strategy: { name },
    path,
  } = await strategyNamed(recipe.strategies[0]?.strategy ?? '', home);
  const runId = newRunId(home, 'backtest');
  const folder = createRun(home, runId, configHash, recipe);
  const parts = openParts({ folder, plan, recipe, configHash, durability: 'at-end', askTimeoutMs: 0, books: books?.tapes() });
  const { engine, venue, journal, tape, ledger, equity } = parts;
  const marks: { first: number; last: number }[] = symbols.map(() => ({ first: NaN, last: NaN }));
  const inspectors = symbols.map(() => new Inspector(timeframeMs));
  const isLarge = ((to - warmupFrom) / timeframeMs) * symbols.length > MOST_ROWS_IN_MEMORY;
  const sources: BarSource[] = [];
  // Once more for the warnings at the end: from memory, or from the store again.
  const barsAgain: (() => Iterable<BarColumns> | AsyncIterable<BarColumns>)[] = [];
  for (const [instrument, symbol] of symbols.entries()) {
    const range = { venue: venues[instrument] ?? '', symbol, timeframeMs, fromMs: warmupFrom, toMs: to };
    const loaded = isLarge ? undefined : [await store.load(range)];
    const chunks = loaded ?? store.stream(range, CHUNK_ROWS);
    barsAgain.push(() => loaded ?? store.stream(range, CHUNK_ROWS));
    sources.push(
      new BarSource({ instrument, timeframeMs, from, chunks: marking(chunks, from, marks[instrument], inspectors[instrument]) }),
    );
  }
  let status: 'finished' | 'failed' = 'failed';
  try {
    const outcome = await run({
      engine,
      clock: new SimulatedClock(),
      sources: [
        venue,
        ...sources.map((source) => venue.watching(source)),
        ...booksSeen(plan, books, from, to, recipe.config.market.bookIntervalMs),
        ...fundingSeen(recipe, plan, to),
      ],
      isStopping: () => request.signal?.aborted === true,
      onSlice: () => request.onProgress?.(Math.max(0, engine.at - from), to - from),
      ...(plan.minds.every((mind) => mind.isTrusted) ? {} : { guard: (slice: () => void) => guarded(slice, SLICE_TIMEOUT_MS) }),
    });
    if (outcome === 'stopped') {
      throw new BallastError({
        code: 'RUN_STOPPED',
        place: `run ${runId}`,
        found: engine.at < from ? 'a stop before its first bar' : `a stop at ${formatTime(engine.at)}`,
        expected: `to reach ${formatTime(to)}`,
        remedy: `what was recorded is in ${folder}`,
      });
    }
    const stateHash = engine.stateHash(configHash);
    const end = {
      kind: 'run.ended',
      at: engine.at,
      cause: outcome,
      stateHash,
      equity: engine.portfolio.equity,
      cash: engine.portfolio.totalCash(),
    } as const;
    parts.recorder.entry(end, engine.sequence);
    const currency = plan.instruments[0]?.quote ?? '';
    const warnings = await runWarnings({
      recipe,
      ledger,
      equity,
      bars: barsAgain.map((again) => again()),
      timeframeMs,
      currency,
    });
    const document = report({
      runId,
      stateHash,
      config: {
        strategy: name,
        ...(path !== undefined && { file: path }),
        parameters: recipe.strategies[0]?.parameters,
        venue: [...new Set(venues)].join(', '),
        ticks: plan.instruments.map((instrument) => format(instrument.tick)),
        lots: plan.instruments.map((instrument) => format(instrument.lot)),
        minimumNotionals: plan.instruments.map((instrument) => format(instrument.minimumNotional)),
        feeRates: plan.instruments.map((instrument) => instrument.takerFeeRate),
        slippageRatio: recipe.config.venue.slippageRatio,
        stopSlippageRatio: recipe.config.venue.stopSlippageRatio ?? recipe.config.venue.slippageRatio,
        fill: recipe.config.venue.fill,
        sizing: plan.sizing,
        noRisk: recipe.noRisk,
        warmup: request.warmup,
        seed: request.seed,
        ...(books !== undefined && { queueModel: recipe.config.venue.queueModel }),
      },
      ...(books !== undefined && { withoutBookMs: books.withoutBookMs }),
      symbols,
      timeframeMs,
      from,
      to,
      capital: amount(recipe.capital),
      currency,
      allowSpotShort: recipe.allowSpotShort,
      noRisk: recipe.noRisk,
      equity,
      ledger,
      marks,
      warnings: [...(recipe.config.venue.fill === 'close' ? [FILLED_AT_CLOSE] : []), ...warnings],
      dataFlaws: inspectors.flatMap((inspector, index) => {
        const words = flawsInWords(inspector.result());
        const [venue = '', symbol = ''] = [venues[index], symbols[index]];
        return words === '' ? [] : [flawed({ venue, symbol, timeframeMs }, words)];
      }),
    });
    recordTrialOf(home, recipe, configHash, document);
    writeFileOfRun(join(folder, 'report.json'), `${JSON.stringify(document)}\n`);
    // Most of the journal is written now: a run whose journal did not fit has not finished.
    tape.close();
    journal.close();
    status = 'finished';
    return document;
  } catch (cause) {
    if (!isTimeout(cause)) throw cause;
    const suspects = plan.minds.filter((mind) => !mind.isTrusted).map((mind) => mind.name);
    throw new BallastError({
      code: 'MIND_ENDLESS',
      place: `strategy ${suspects.join(' or ')} near ${formatTime(engine.at)}`,
      found: `no answer within ${SLICE_TIMEOUT_MS / 1000} s`,
      expected: 'an answer within microseconds',
      remedy: 'look for a loop in it that does not end',
      cause,
    });
  } finally {
    letGo([() => tape.close(), () => journal.close(), () => setRunStatus(folder, status)], request.onNotice ?? ((): void => undefined));
  }
}

function flawed({ venue, symbol, timeframeMs }: SeriesId, words: string): string {
  const timeframe = formatSpan(timeframeMs);
  return `the bars of ${venue} ${symbol} ${timeframe} have ${words}: ballast data check --symbol ${symbol} --venue ${venue} --timeframe ${timeframe}`;
}

/** Notes the first open and the last close of the range while the bars pass, and looks through them, those of the warm-up too. */
async function* marking(
  chunks: AsyncIterable<BarColumns> | Iterable<BarColumns>,
  from: TimeMs,
  marks: { first: number; last: number } | undefined,
  inspector: Inspector | undefined,
): AsyncGenerator<BarColumns> {
  for await (const chunk of chunks) {
    inspector?.add(chunk);
    const rows = chunk.openAt.length;
    if (marks !== undefined && rows > 0) {
      if (Number.isNaN(marks.first)) {
        const row = chunk.openAt.findIndex((openAt) => openAt >= from);
        if (row >= 0) marks.first = chunk.open[row] ?? NaN;
      }
      if ((chunk.openAt[rows - 1] ?? NaN) >= from) marks.last = chunk.close[rows - 1] ?? NaN;
    }
    yield chunk;
  }
}

export type { Marks, ReportDocument as BacktestDocument };
