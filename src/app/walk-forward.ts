// A walk-forward as a run: bars and parameters from a request, windows tried by a sweep's kernels where the strategy has them and by the
// engine otherwise, every combination in the ledger of trials, and a document with a verdict in its folder.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { ALL_IN, type SweepAccount } from '../lab/sweep/account.ts';
import type { ColumnMetrics } from '../lab/sweep/column-metrics.ts';
import { demandSensible, parseGrid, parsePoints, sensible, type Selection } from '../lab/sweep/grid.ts';
import type { SweepPoint, SweepStrategy } from '../lab/sweep/strategy.ts';
import { SWEEP_STRATEGIES } from '../lab/sweep/strategies.ts';
import { objectiveNamed, ranked, type MetricObjective } from '../lab/sweep/objective.ts';
import { Sweeper } from '../lab/sweep/sweeper.ts';
import { combinatorialChoice, type CombinatorialChoice } from '../lab/validate/combinatorial-choice.ts';
import { dataSnooping } from '../lab/validate/data-snooping.ts';
import { probabilityOfOverfitting, type Overfitting } from '../lab/validate/overfitting.ts';
import { parameterSurface, type ParameterSurface } from '../lab/validate/parameter-surface.ts';
import { deflatedSharpe, sharpeSample, type DeflatedSharpe } from '../lab/validate/sharpe-ratio.ts';
import { sweepEvaluator } from '../lab/validate/sweep-evaluator.ts';
import { recordTrials, trialsOn, type TrialsOnRecord } from '../lab/validate/trial-ledger.ts';
import {
  walkForward,
  type TestedColumn,
  type WalkForward,
  type WindowEvaluator,
  type WindowSettings,
} from '../lab/validate/walk-forward.ts';
import { walkForwardVerdict } from '../lab/validate/walk-forward-verdict.ts';
import { openStore } from '../market/history/store.ts';
import { optimalBlockLengths } from '../quant/block-length.ts';
import { Random } from '../quant/random.ts';
import { stationaryBootstrap } from '../quant/resampling.ts';
import { variance } from '../quant/statistics.ts';
import { known } from '../views/daily.ts';
import type { Metrics } from '../views/metrics.ts';
import { backtestRecipe, type BacktestRequest } from './backtest.ts';
import { demandHistory, firstFrom, rerunRange, rowsOf, type HistoryRecipe } from './rerun.ts';
import { loadConfig, withOverrides } from './config.ts';
import { unfilteredInstrument } from './recipe.ts';
import { makeRunFolder, runsFolder, writeFileOfRun } from './runs.ts';
import { trialsPath } from './trials.ts';
import { changedParameters, feeRateOf, withParameters } from './variations.ts';

export interface WalkForwardRequest extends Omit<BacktestRequest, 'symbols' | 'onProgress' | 'onNotice'>, WindowSettings {
  readonly symbol: string;
  /** In the words of a sweep; or the text of a JSON file with points, and then where it is from. */
  readonly grid?: string | undefined;
  readonly points?: { readonly text: string; readonly place: string } | undefined;
  readonly objective: MetricObjective;
  readonly workers: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of all combinations over all bars: what somebody had who chose with hindsight, and what such a choice is worth. */
export interface WholeRange {
  readonly best: { readonly params: SweepPoint; readonly metrics: ColumnMetrics } | null;
  /** Of the best, among all trials on the symbol that are on record, these included. */
  readonly deflatedSharpe: DeflatedSharpe | null;
  readonly trials: TrialsOnRecord;
  /** CSCV of 16 blocks; null where fewer than two combinations differ, or days are too few. */
  readonly overfitting: Pick<Overfitting, 'probability' | 'lossProbability' | 'degradation'> | null;
  /** That the best beats cash by luck: Hansen's test and White's. */
  readonly superiorAbility: number | null;
  readonly realityCheck: number | null;
  /** Combinatorial purged cross-validation of choosing by the Sharpe ratio, 10 parts, 2 of them tests: Sharpe ratios of a year. */
  readonly combinatorial: CombinatorialChoice | null;
  /** By the objective. */
  readonly surface: ParameterSurface;
}

export interface WalkForwardDocument extends WalkForward {
  readonly runId: string;
  readonly strategy: string;
  /** What tried the windows: the kernels of a sweep, or the engine with its rules. */
  readonly triedBy: 'kernel' | 'engine';
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly bars: number;
  readonly feeRate: number;
  readonly slippageRatio: number;
  readonly objective: MetricObjective;
  readonly windows: WindowSettings;
  readonly combinations: { readonly tried: number; readonly leftOut: number };
  readonly whole: WholeRange;
  readonly verdict: readonly string[];
}

const CSCV_BLOCKS = 16;
const GROUPS = 10;
const TEST_GROUPS = 2;
/** Of the days, after each test part: 1 % (López de Prado 2018, chapter 7). */
const EMBARGO_SHARE = 0.01;
const REPLICATIONS = 1_000;
const SEED = 1;

/** What tries the windows, and what determines its figures. */
interface Trier {
  readonly triedBy: WalkForwardDocument['triedBy'];
  readonly strategy: string;
  readonly venue: string;
  readonly bars: BarColumns;
  readonly selection: Selection;
  readonly evaluator: WindowEvaluator;
  readonly feeRate: number;
  readonly slippageRatio: number;
  readonly determinants: unknown;
}

/** Runs it, writes `runs/walkforward-…/walkforward.json`, and gives the document. @throws BallastError */
export async function runWalkForward(request: WalkForwardRequest): Promise<WalkForwardDocument> {
  const kernel = SWEEP_STRATEGIES.find(({ name }) => name === request.strategy);
  if (kernel === undefined) return walk(request, await engineTrier(request));
  const sweeper = new Sweeper(request.workers);
  try {
    return await walk(request, await kernelTrier(request, kernel, sweeper));
  } finally {
    await sweeper.close();
  }
}

async function walk(request: WalkForwardRequest, trier: Trier): Promise<WalkForwardDocument> {
  const { home, symbol, timeframeMs, objective, folds, trainTests, isAnchored, embargoBars, onProgress, signal } = request;
  const { bars, selection, evaluator } = trier;
  const { points } = selection;
  const windows = { folds, trainTests, isAnchored, embargoBars };
  const runId = `walkforward-${trier.strategy}-${digestOf([trier.determinants, points, windows, objective], bars)}`;
  const folder = join(runsFolder(home), runId);
  makeRunFolder(folder);
  const steps = folds + points.length;
  const periodMs = Math.max(DAY_MS, timeframeMs);
  try {
    const walked = await walkForward({
      ...windows,
      bars,
      timeframeMs,
      periodMs,
      points,
      objective,
      evaluator,
      onProgress: (done) => onProgress?.(done, steps),
      signal,
    });
    const columns: TestedColumn[] = [];
    for (const [index, point] of points.entries()) {
      signal?.throwIfAborted();
      onProgress?.(folds + index, steps);
      columns.push(await evaluator.test(point, { first: 0, end: bars.close.length }));
    }
    onProgress?.(steps, steps);
    record(home, trier, points, columns, { symbol, periodMs });
    const facts = {
      runId,
      strategy: trier.strategy,
      triedBy: trier.triedBy,
      venue: trier.venue,
      symbol,
      timeframe: formatSpan(timeframeMs),
      from: formatTime(bars.openAt[0] ?? NaN),
      to: formatTime((bars.openAt.at(-1) ?? NaN) + timeframeMs),
      bars: bars.close.length,
      feeRate: trier.feeRate,
      slippageRatio: trier.slippageRatio,
      objective,
      windows,
      combinations: { tried: points.length, leftOut: selection.leftOut },
      ...walked,
      whole: wholeRange(points, columns, objective, trialsOn(trialsPath(home), [`${trier.venue}:${symbol}`], periodMs), periodMs),
    };
    const document = { ...facts, verdict: walkForwardVerdict(facts) };
    writeFileOfRun(join(folder, 'walkforward.json'), `${JSON.stringify(document)}\n`);
    return document;
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new BallastError({
        code: 'WINDOWS_IMPOSSIBLE',
        place: '--folds, --train and --embargo',
        found: cause.message,
        expected: 'windows that the bars can fill',
        remedy: 'fewer folds, a shorter window, or more bars',
        exitCode: 2,
        cause,
      });
    }
    if (signal?.aborted !== true || cause instanceof BallastError) throw cause;
    throw new BallastError({
      code: 'RUN_STOPPED',
      place: `walk-forward of ${trier.strategy}`,
      found: 'a stop before its end',
      expected: `to walk through ${folds} folds`,
      cause,
    });
  }
}

async function kernelTrier(request: WalkForwardRequest, strategy: SweepStrategy, sweeper: Sweeper): Promise<Trier> {
  const { home, symbol, timeframeMs, fromMs, toMs, signal } = request;
  if (request.parameters !== undefined) {
    throw new BallastError({
      code: 'ARGUMENT_INVALID',
      place: '--params',
      found: `parameters beside the grid of ${strategy.name}`,
      expected: 'all of them in the grid or the points',
      exitCode: 2,
    });
  }
  const config = withOverrides(loadConfig({ home, file: request.configFile }), {
    venue: { feeRate: request.feeRate, slippageRatio: request.slippageRatio },
  });
  const selection = selectionOf(request, (points, place, isGrid) =>
    isGrid ? sensible(points, strategy, place) : demandSensible(points, strategy, place),
  );
  const store = await openStore(home);
  try {
    const venue = store.resolve({ symbol, venue: request.venue, timeframeMs });
    const bars = demandBars(await store.load({ symbol, venue, timeframeMs, fromMs, toMs }), symbol, timeframeMs);
    const account: SweepAccount = {
      capital: request.capital === undefined ? config.paper.capital : Number(request.capital),
      feeRate: config.venue.feeRate ?? unfilteredInstrument(venue, symbol, '--symbols').takerFeeRate,
      slippageRatio: config.venue.slippageRatio,
      stopSlippageRatio: config.venue.stopSlippageRatio ?? config.venue.slippageRatio,
      fill: 'next-open',
      sizing: ALL_IN,
    };
    return {
      triedBy: 'kernel',
      strategy: strategy.name,
      venue,
      bars,
      selection,
      evaluator: sweepEvaluator({ strategy, bars, account, timeframeMs, sweeper, signal }),
      feeRate: account.feeRate,
      slippageRatio: account.slippageRatio,
      determinants: { strategy: strategy.name, venue, symbol, timeframeMs, account },
    };
  } finally {
    await store.close();
  }
}

async function engineTrier(request: WalkForwardRequest): Promise<Trier> {
  const { home, symbol, timeframeMs, signal } = request;
  const store = await openStore(home);
  try {
    const { recipe: written, venues } = await backtestRecipe({ ...request, symbols: [symbol] }, store);
    const recipe = demandHistory(written, '--strategy');
    const venue = venues[0] ?? '';
    // Bars before the range warm its first window up.
    const stored = await store.load({ symbol, venue, timeframeMs, toMs: recipe.market.to });
    const bars = demandBars(rowsOf(stored, firstFrom(stored.openAt, recipe.market.from), stored.openAt.length), symbol, timeframeMs);
    const [use] = recipe.strategies;
    const strategy = nameOf(use?.strategy ?? '');
    const allowed = new Map<string, HistoryRecipe>();
    const given = selectionOf(request, (points) => ({ points, leftOut: 0 }));
    for (const point of given.points) {
      const parameters = await changedParameters(recipe, home, point);
      if (parameters !== undefined) allowed.set(JSON.stringify(point), withParameters(recipe, parameters));
    }
    if (allowed.size === 0) {
      // Said by the strategy itself.
      throw new BallastError({
        code: 'GRID_INVALID',
        place: '--grid, --points',
        found: `no combination that ${strategy} accepts`,
        expected: 'one at least',
        remedy: 'ballast strategies lists the parameters of each',
        exitCode: 2,
      });
    }
    const points = given.points.filter((point) => allowed.has(JSON.stringify(point)));
    return {
      triedBy: 'engine',
      strategy,
      venue,
      bars,
      selection: { points, leftOut: given.points.length - points.length },
      evaluator: engineEvaluator(recipe, allowed, home, stored, bars, signal),
      feeRate: feeRateOf(recipe),
      slippageRatio: recipe.config.venue.slippageRatio,
      determinants: { ...recipe, market: undefined },
    };
  } finally {
    await store.close();
  }
}

/** One run of the engine after another, each from flat, in the range alone but for its warm-up. */
function engineEvaluator(
  recipe: HistoryRecipe,
  recipes: ReadonlyMap<string, HistoryRecipe>,
  home: string,
  stored: BarColumns,
  { openAt }: BarColumns,
  signal: AbortSignal | undefined,
): WindowEvaluator {
  const tried = async (point: SweepPoint, first: number, end: number): Promise<TestedColumn> => {
    const range = { from: openAt[first] ?? NaN, to: (openAt[end - 1] ?? NaN) + recipe.baseTimeframeMs };
    const { metrics, returns } = await rerunRange(recipes.get(JSON.stringify(point)) ?? recipe, home, [stored], range, signal);
    return { metrics: columnMetrics(metrics), returns };
  };
  return {
    async fit(points, { first, end }) {
      const rows = [];
      for (const params of points) rows.push({ params, metrics: (await tried(params, first, end)).metrics });
      return rows;
    },
    test: (point, { first, end }) => tried(point, first, end),
  };
}

function columnMetrics(metrics: Metrics): ColumnMetrics {
  const { totalReturn, finalEquity, sharpe, sortino, maxDrawdown, calmar, orders, trades, winRate, profitFactor, expectancy, feesPaid } =
    metrics;
  return { totalReturn, finalEquity, sharpe, sortino, maxDrawdown, calmar, orders, trades, winRate, profitFactor, expectancy, feesPaid };
}

function selectionOf(
  { grid, points }: Pick<WalkForwardRequest, 'grid' | 'points'>,
  chosen: (points: readonly SweepPoint[], place: string, isGrid: boolean) => Selection,
): Selection {
  if (grid !== undefined && points === undefined) return chosen(parseGrid(grid, '--grid'), '--grid', true);
  if (points !== undefined && grid === undefined) return chosen(parsePoints(points.text, points.place), points.place, false);
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: '--grid, --points',
    found: grid === undefined ? 'neither' : 'both',
    expected: 'one of them',
    exitCode: 2,
  });
}

function demandBars(bars: BarColumns, symbol: string, timeframeMs: TimeMs): BarColumns {
  if (bars.close.length > 0) return bars;
  throw new BallastError({
    code: 'RANGE_EMPTY',
    place: '--from and --to',
    found: `no ${formatSpan(timeframeMs)} bars of ${symbol} there`,
    expected: 'a range within the stored one',
    remedy: 'ballast data ls tells it',
    exitCode: 2,
  });
}

/** Of a path, the file's own name. */
function nameOf(strategy: string): string {
  return strategy.replace(/^.*[\\/]/, '').replace(/\.[jt]s$/, '');
}

/**
 * Every combination is a trial, whatever its windows: other windows over the same bars try the same ones. A sweep of the same combinations
 * counts them again; more trials than there were deflate too much rather than too little.
 */
function record(
  home: string,
  trier: Trier,
  points: readonly SweepPoint[],
  columns: readonly TestedColumn[],
  { symbol, periodMs }: { readonly symbol: string; readonly periodMs: TimeMs },
): void {
  const observations = columns[0]?.returns.length ?? 0;
  if (observations < 1) return;
  const of = digestOf(trier.determinants, trier.bars);
  const trials = points.map((point, index): [string, number | null] => {
    const id = createHash('sha256').update(of).update(JSON.stringify(point)).digest('hex').slice(0, 32);
    return [id, known(sharpeSample(columns[index]?.returns ?? new Float64Array(0)).sharpe)];
  });
  recordTrials(trialsPath(home), { series: [`${trier.venue}:${symbol}`], periodMs, observations, trials });
}

function digestOf(determinants: unknown, bars: BarColumns): string {
  const hash = createHash('sha256').update(JSON.stringify(determinants));
  for (const column of [bars.openAt, bars.open, bars.high, bars.low, bars.close]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}

function wholeRange(
  points: readonly SweepPoint[],
  columns: readonly TestedColumn[],
  objective: MetricObjective,
  trials: TrialsOnRecord,
  periodMs: TimeMs,
): WholeRange {
  const rows = points.flatMap((params, index) => {
    const metrics = columns[index]?.metrics;
    return metrics === undefined ? [] : [{ params, metrics }];
  });
  const [best] = ranked(rows, objectiveNamed(objective, NaN));
  const returns = best === undefined ? undefined : columns[points.indexOf(best.params)]?.returns;
  const sample = returns === undefined ? undefined : sharpeSample(returns);
  // Combinations that never traded, and those that traded the same, choose nothing.
  const different = [...new Map(columns.map((column) => [column.returns.join(), column.returns])).values()].filter(
    (column) => variance(column) > 0,
  );
  const days = different[0]?.length ?? 0;
  const isEnough = different.length > 1 && days >= 2 * CSCV_BLOCKS;
  const overfitting = isEnough ? probabilityOfOverfitting(different, CSCV_BLOCKS) : undefined;
  const snooping = isEnough ? snoopingOf(different, returns ?? new Float64Array(days)) : undefined;
  const embargo = Math.ceil(EMBARGO_SHARE * days);
  const combinatorial = isEnough ? combinatorialChoice(different, GROUPS, TEST_GROUPS, embargo) : undefined;
  const perYear = Math.sqrt((365 * DAY_MS) / periodMs);
  return {
    best: best ?? null,
    deflatedSharpe:
      sample !== undefined && Number.isFinite(sample.sharpe)
        ? deflatedSharpe(sample, { ...trials, count: Math.max(1, trials.count) })
        : null,
    trials,
    overfitting:
      overfitting === undefined
        ? null
        : { probability: overfitting.probability, lossProbability: overfitting.lossProbability, degradation: overfitting.degradation },
    superiorAbility: snooping?.superiorAbility.consistent ?? null,
    realityCheck: snooping?.realityCheck ?? null,
    combinatorial:
      combinatorial === undefined
        ? null
        : { ...combinatorial, sharpes: combinatorial.sharpes.map((each) => each * perYear), median: combinatorial.median * perYear },
    surface: parameterSurface(rows.map(({ params, metrics }) => ({ params, value: metrics[objective] }))),
  };
}

function snoopingOf(columns: readonly Float64Array[], ofBest: Float64Array): ReturnType<typeof dataSnooping> {
  const blockLength = optimalBlockLengths(ofBest).stationary;
  return dataSnooping(columns, {
    blockLength,
    replications: REPLICATIONS,
    resample: stationaryBootstrap(blockLength, new Random(SEED).fork('snooping')),
  });
}
