// Everything that can be asked of a finished backtest before it is believed, in one document with a verdict.
import { join } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { notional, toNumber } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import { breakEvenFee, type CostPoint } from '../lab/validate/cost-sensitivity.ts';
import { dataSnooping } from '../lab/validate/data-snooping.ts';
import type { FillFacts } from '../lab/validate/fill-facts.ts';
import { probabilityOfOverfitting, type Overfitting } from '../lab/validate/overfitting.ts';
import { parameterSurface, type ParameterSurface, type SurfacePoint } from '../lab/validate/parameter-surface.ts';
import { randomEntryTest, type PlacedTrip, type RandomEntry } from '../lab/validate/random-entry.ts';
import { marketDays, marketIndex, regimeBreakdown, type Regime } from '../lab/validate/regimes.ts';
import { verdictOf, type ValidationVerdict } from '../lab/validate/validation-verdict.ts';
import type { SweepPoint } from '../lab/sweep/strategy.ts';
import { Random } from '../quant/random.ts';
import { stationaryBootstrap } from '../quant/resampling.ts';
import { variance } from '../quant/statistics.ts';
import type { Metrics } from '../views/metrics.ts';
import { returnRatio } from '../views/trades.ts';
import { monteCarloOfRun, type MonteCarloDocument } from './monte-carlo.ts';
import { planOf } from './recipe.ts';
import { readRunReport } from './run-report.ts';
import { factsOf, fillWarnings, parametersOf, parameterWarning } from './run-warnings.ts';
import { listRuns, runNamed, writeFileOfRun } from './runs.ts';
import { barsWithin, demandHistory, firstFrom, rerun, storedBars, type HistoryRecipe, type Rerun } from './rerun.ts';
import { luckOf, type LuckDocument } from './trials.ts';
import {
  changedParameters,
  feeRateOf,
  numericParameters,
  withFee,
  withFeesTimes,
  withLag,
  withParameters,
  withVenue,
} from './variations.ts';

export interface ValidationRequest {
  readonly home: string;
  readonly runId: string;
  readonly seed: number;
  /** Of the Monte Carlo gate, 0..1. */
  readonly drawdownLimit: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface LagPoint {
  readonly lagBars: number;
  readonly totalReturn: number;
  readonly sharpe: number | null;
  readonly trades: number;
}

export interface ParameterStability {
  /** Runs of neighbouring parameters, the run itself among them. */
  readonly runs: number;
  /** Annual Sharpe ratios, of bars. */
  readonly surface: ParameterSurface;
  /** The two parameters, by influence, of which every combination was tried. */
  readonly surfaceOf: readonly string[];
  /** Of choosing among these runs, by CSCV of 16 blocks; null where too few of them differ. */
  readonly overfitting: Pick<Overfitting, 'probability' | 'lossProbability' | 'degradation'> | null;
  /** That the best of them is above 0 by luck: Hansen's test and White's, against cash. */
  readonly superiorAbility: number | null;
  readonly realityCheck: number | null;
}

/** What only the bars can tell, by running again. */
export interface RerunFindings {
  readonly metrics: Metrics;
  readonly randomEntry: RandomEntry | null;
  readonly costs: {
    readonly feeRate: number;
    readonly points: readonly CostPoint[];
    /** Null where the account grows at every fee that was tried. */
    readonly breakEvenFeeRate: number | null;
    /** Without fees and slippage. */
    readonly freeReturn: number;
  };
  /** 0 bars late is the run itself. */
  readonly lag: readonly LagPoint[];
  readonly parameters: ParameterStability | null;
  readonly regimes: readonly Regime[];
  readonly fills: FillFacts;
  readonly warnings: readonly string[];
}

/** The fields of the luck come first: they need no bars. */
export interface ValidationDocument extends LuckDocument {
  readonly strategy: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly monteCarlo: MonteCarloDocument;
  /** Null where the run cannot be run again, and then `notRerun` says why. */
  readonly rerun: RerunFindings | null;
  readonly notRerun: string | null;
  readonly verdict: ValidationVerdict;
}

const PATHS = 1_000;
const PLACEMENTS = 1_000;
const FEE_TIMES = [0, 0.5, 1, 1.5, 2, 3, 5] as const;
/** Where the run paid none: the fees of venues, from the cheapest to the dearest. */
const FEE_LADDER = [0, 0.0002, 0.0005, 0.001, 0.002, 0.004] as const;
const LAGS = [1, 2, 3] as const;
const SURFACE_STEPS = [-2, -1, 0, 1, 2] as const;
const SNOOPING_REPLICATIONS = 1_000;
const CSCV_BLOCKS = 16;

/**
 * Writes `validation.json` beside the report. The reruns of neighbouring parameters are read as one picture; they are no trials of the
 * ledger, and a backtest of one of them is.
 * @throws BallastError RUN_UNKNOWN, REPORT_MISSING, REPORT_DAMAGED, REPORT_SHORT, RUN_STOPPED
 */
export async function validateRun(request: ValidationRequest): Promise<ValidationDocument> {
  const { home, runId: name, seed, drawdownLimit } = request;
  const run = runNamed(home, name);
  const luck = luckOf(home, name);
  const report = readRunReport(home, name);
  const monteCarlo = monteCarloOfRun({ home, runId: name, paths: PATHS, seed, drawdownLimit });
  const { found, why } = await rerunOrWhy(() =>
    rerunFindings(demandHistory(run.recipe, `run ${luck.runId}`), report.metrics.finalEquity, request),
  );
  const facts = {
    ...luck,
    strategy: run.recipe.strategies.map(({ strategy }) => strategy).join(', '),
    symbols: run.recipe.instruments.map(({ symbol }) => symbol),
    timeframe: report.timeframe,
    from: report.from,
    to: report.to,
    monteCarlo,
    rerun: found ?? null,
    notRerun: why ?? null,
  };
  const document: ValidationDocument = { ...facts, verdict: verdictOf({ ...facts, metrics: report.metrics }) };
  writeFileOfRun(join(run.folder, 'validation.json'), `${JSON.stringify(document)}\n`);
  return document;
}

/** Ids of the backtests that came to their end, oldest first. */
export function finishedBacktests(home: string): string[] {
  return listRuns(home)
    .filter(({ status, recipe }) => status === 'finished' && recipe.kind === 'backtest')
    .map(({ runId }) => runId);
}

/** Bars that are gone, and a strategy that was changed, take the tests that need them with them; the others still hold. */
const NOT_AGAIN: readonly string[] = [
  'RUN_NOT_HISTORY',
  'RUN_ON_BOOKS',
  'SERIES_UNKNOWN',
  'STRATEGY_CHANGED',
  'STRATEGY_MISSING',
  'STRATEGY_UNKNOWN',
  'RERUN_DIFFERS',
];

async function rerunOrWhy(findings: () => Promise<RerunFindings>): Promise<{ readonly found?: RerunFindings; readonly why?: string }> {
  try {
    return { found: await findings() };
  } catch (refusal) {
    if (refusal instanceof BallastError && NOT_AGAIN.includes(refusal.code)) return { why: refusal.message };
    throw refusal;
  }
}

async function rerunFindings(
  recipe: HistoryRecipe,
  finalEquity: number,
  { home, seed, onProgress, signal }: ValidationRequest,
): Promise<RerunFindings> {
  const { market } = recipe;
  const stored = await storedBars(recipe, home);
  const bars = barsWithin(stored, market.warmupFrom, market.to);
  const numbers = await numericParameters(recipe, home);
  const expected = FEE_TIMES.length + 1 + LAGS.length + 2 * numbers.length + (numbers.length > 1 ? SURFACE_STEPS.length ** 2 : 0);
  let done = 0;
  const again = async (changed: HistoryRecipe, lagBars = 0): Promise<Rerun> => {
    onProgress?.(done++, expected);
    const plan = await planOf(changed, home);
    return rerun({ recipe: changed, plan: lagBars === 0 ? plan : withLag(plan, lagBars), bars, from: market.from, to: market.to, signal });
  };
  const base = await again(recipe);
  if (base.metrics.finalEquity !== finalEquity) {
    throw new BallastError({
      code: 'RERUN_DIFFERS',
      place: 'the run, run again',
      found: `a final equity of ${base.metrics.finalEquity}`,
      expected: `${finalEquity}, as its report says`,
      remedy: 'its bars were corrected or completed since, or another version made it: run the backtest again',
    });
  }
  const feeRate = paidRateOf(recipe, base);
  const parameters = await parameterStability(recipe, home, base, numbers, again, seed);
  const fills = await factsOf({ ledger: base.ledger, bars: bars.map((each) => [each]), timeframeMs: recipe.baseTimeframeMs });
  const capital = Number(recipe.capital);
  const costs = await costSensitivity(recipe, feeRate, base, again);
  const lag = await lagDecay(recipe, base, again);
  onProgress?.(expected, expected);
  return {
    metrics: base.metrics,
    randomEntry:
      randomEntryTest(gridOf(bars, recipe), tripsOf(base, recipe), {
        placements: PLACEMENTS,
        feeRate,
        slippageRatio: recipe.config.venue.slippageRatio,
        random: new Random(seed).fork('random entry'),
      }) ?? null,
    costs,
    lag,
    parameters,
    regimes: regimesOfRun(base, stored, recipe),
    fills,
    warnings: [
      ...parameterWarning(parametersOf(recipe), base.metrics.trades),
      ...fillWarnings(fills, { capital, currency: recipe.instruments[0]?.quote ?? '' }),
    ],
  };
}

/** What its fills paid, where tiers and a coin make that another rate than the instrument's: in the mean, and so for what it is compared with. */
function paidRateOf(recipe: HistoryRecipe, { metrics, ledger }: Rerun): number {
  const { feeTiers, feeCoin } = recipe.config.venue;
  if ((feeTiers.length === 0 && feeCoin === null) || ledger.turnover === 0) return feeRateOf(recipe);
  return metrics.feesPaid / ledger.turnover;
}

type Again = (recipe: HistoryRecipe, lagBars?: number) => Promise<Rerun>;

async function costSensitivity(recipe: HistoryRecipe, feeRate: number, base: Rerun, again: Again): Promise<RerunFindings['costs']> {
  const ladder =
    feeRate > 0
      ? FEE_TIMES.map((times) => ({ rate: feeRate * times, of: withFeesTimes(recipe, times) }))
      : FEE_LADDER.map((rate) => ({ rate, of: withFee(recipe, rate) }));
  const points: CostPoint[] = [];
  for (const { rate, of } of ladder) {
    const { metrics } = rate === feeRate ? base : await again(of);
    points.push({ feeRate: rate, totalReturn: metrics.totalReturn, sharpe: metrics.sharpe, trades: metrics.trades });
  }
  const free = await again(withVenue(withFeesTimes(recipe, 0), { slippageRatio: 0, stopSlippageRatio: null, slippageModel: 'fixed' }));
  return { feeRate, points, breakEvenFeeRate: breakEvenFee(points) ?? null, freeReturn: free.metrics.totalReturn };
}

async function lagDecay(recipe: HistoryRecipe, base: Rerun, again: Again): Promise<LagPoint[]> {
  const points: LagPoint[] = [];
  for (const lagBars of [0, ...LAGS]) {
    const { totalReturn, sharpe, trades } = (lagBars === 0 ? base : await again(recipe, lagBars)).metrics;
    points.push({ lagBars, totalReturn, sharpe, trades });
  }
  return points;
}

/** One step to each side of every number; of the two that move the Sharpe ratio most, every combination of two steps. */
async function parameterStability(
  recipe: HistoryRecipe,
  home: string,
  base: Rerun,
  numbers: Awaited<ReturnType<typeof numericParameters>>,
  again: Again,
  seed: number,
): Promise<ParameterStability | null> {
  if (numbers.length === 0) return null;
  const own = Object.fromEntries(numbers.map(({ name, value }) => [name, value]));
  const tried = new Map<string, { readonly params: SweepPoint; readonly run: Rerun }>([[JSON.stringify(own), { params: own, run: base }]]);
  const at = async (changes: SweepPoint): Promise<Rerun | undefined> => {
    const params = { ...own, ...changes };
    const key = JSON.stringify(params);
    const known = tried.get(key);
    if (known !== undefined) return known.run;
    const parameters = await changedParameters(recipe, home, changes);
    if (parameters === undefined) return undefined;
    const run = await again(withParameters(recipe, parameters));
    tried.set(key, { params, run });
    return run;
  };
  const influence: { readonly index: number; readonly spread: number }[] = [];
  for (const [index, number] of numbers.entries()) {
    const sides = [await at({ [number.name]: number.at(-1) }), await at({ [number.name]: number.at(1) })];
    const sharpes = [base, ...sides].map((each) => each?.metrics.sharpe ?? 0);
    influence.push({ index, spread: Math.max(...sharpes) - Math.min(...sharpes) });
  }
  const [first, second] = influence.toSorted((one, other) => other.spread - one.spread).map(({ index }) => numbers[index]);
  if (first !== undefined && second !== undefined) {
    for (const one of SURFACE_STEPS)
      for (const other of SURFACE_STEPS) await at({ [first.name]: first.at(one), [second.name]: second.at(other) });
  }
  const runs = [...tried.values()];
  const points = runs.map(({ params, run }): SurfacePoint => ({ params, value: run.metrics.sharpe }));
  return {
    runs: runs.length,
    surface: parameterSurface(points),
    surfaceOf: [first, second].flatMap((each) => (each === undefined ? [] : [each.name])),
    ...snoopingOf(
      runs.map(({ run }) => run.returns),
      seed,
    ),
  };
}

type Snooping = Pick<ParameterStability, 'overfitting' | 'superiorAbility' | 'realityCheck'>;

/** Of the columns that differ: parameters that change nothing are one column. */
function snoopingOf(all: readonly Float64Array[], seed: number): Snooping {
  const columns = [...new Map(all.map((column) => [column.join(), column])).values()].filter((column) => variance(column) > 0);
  const rows = columns[0]?.length ?? 0;
  if (columns.length < 2 || rows < 2 * CSCV_BLOCKS) return { overfitting: null, superiorAbility: null, realityCheck: null };
  const blockLength = Math.max(1, Math.cbrt(rows));
  const { superiorAbility, realityCheck } = dataSnooping(columns, {
    blockLength,
    replications: SNOOPING_REPLICATIONS,
    resample: stationaryBootstrap(blockLength, new Random(seed).fork('snooping')),
  });
  const { probability, lossProbability, degradation } = probabilityOfOverfitting(columns, CSCV_BLOCKS);
  return {
    overfitting: { probability, lossProbability, degradation },
    superiorAbility: superiorAbility.consistent,
    realityCheck,
  };
}

/** Opens on a regular grid from the run's start on; a bar that is missing has the close before it. */
function gridOf(bars: readonly BarColumns[], { market, baseTimeframeMs }: HistoryRecipe): Float64Array[] {
  const slots = Math.max(0, Math.ceil((market.to - market.from) / baseTimeframeMs));
  return bars.map(({ openAt, open, close }) => {
    const grid = new Float64Array(slots);
    let row = firstFrom(openAt, market.from);
    for (let slot = 0; slot < slots; slot++) {
      const isThere = (openAt[row] ?? Infinity) < market.from + (slot + 1) * baseTimeframeMs;
      grid[slot] = isThere ? (open[row] ?? NaN) : (close[row - 1] ?? NaN);
      if (isThere) row++;
    }
    return grid;
  });
}

/** Closed round trips with their legs, in bars. A trip that ends within its bar counts as one bar. */
function tripsOf({ ledger }: Rerun, { baseTimeframeMs }: HistoryRecipe): PlacedTrip[] {
  const slotOf = (at: TimeMs): number => Math.floor(at / baseTimeframeMs);
  const rounds = Map.groupBy(ledger.trades(), ({ sleeve, round }) => JSON.stringify([sleeve, round]));
  return [...rounds.values()].map((legs) => {
    const first = Math.min(...legs.map((leg) => slotOf(leg.openedAt)));
    const notionals = legs.map((leg) => toNumber(notional(leg.entryPrice, leg.quantity)));
    return {
      sleeve: legs[0]?.sleeve ?? '',
      legs: legs.map((leg, index) => ({
        instrument: leg.instrument,
        offset: slotOf(leg.openedAt) - first,
        bars: Math.max(1, slotOf(leg.closedAt) - slotOf(leg.openedAt)),
        side: leg.side === 'long' ? 1 : -1,
        holdingCost: -toNumber(leg.funding) / (notionals[index] ?? NaN),
      })),
      returnRatio: legs.reduce((sum, leg) => sum + returnRatio(leg), 0),
    };
  });
}

/** Of days: bars longer than one have no weather of their own. */
function regimesOfRun({ returns, periodMs, day }: Rerun, stored: readonly BarColumns[], { baseTimeframeMs }: HistoryRecipe): Regime[] {
  if (periodMs !== DAY_MS) return [];
  return regimeBreakdown({ day, returns }, marketIndex(stored.map(({ openAt, close }) => marketDays(openAt, close, baseTimeframeMs))));
}
