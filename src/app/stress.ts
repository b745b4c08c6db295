// What a backtest's strategy would have gone through: crises that were, and shocks made out of its own bars, against buying and holding.
import { join } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { DAY_MS, formatSpan, formatTime, NEVER, type TimeMs } from '../domain/time.ts';
import { marketDays, marketIndex } from '../lab/validate/regimes.ts';
import { medianOf } from '../lab/validate/parameter-surface.ts';
import {
  barsHeldThrough,
  CRISES,
  deepestFall,
  DRY_LEAST_SLIPPAGE,
  DRY_SLIPPAGE_TIMES,
  DRY_VOLUME_RATIO,
  DRY_VOLUME_SHARE,
  evenly,
  GAP_RATIO,
  gapAt,
  holdingCurve,
  OUTAGE_MS,
  outages,
  thinned,
  wilsonInterval,
  type HeldBar,
} from '../lab/validate/shocks.ts';
import { percent } from '../domain/words.ts';
import { barsWithin, demandHistory, rerunRange, storedBars, type HistoryRecipe, type Rerun } from './rerun.ts';
import { runNamed, writeFileOfRun } from './runs.ts';
import { withFeesTimes, withVenue } from './variations.ts';

export interface StressRequest {
  readonly home: string;
  readonly runId: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One thing that it went through, from the capital of the start. */
export interface StressRow {
  readonly name: string;
  readonly kind: 'crisis' | 'shock';
  readonly about: string;
  readonly from: string;
  readonly to: string;
  readonly totalReturn: number;
  readonly maxDrawdown: number;
  readonly trades: number;
  /** Part of the time in which anything was held. */
  readonly exposureRatio: number | null;
  readonly holdReturn: number;
  readonly holdDrawdown: number;
  /** Share of the days whose return was above holding's; null without days. */
  readonly daysAhead: number | null;
}

export interface StressDocument {
  readonly runId: string;
  readonly strategy: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  /** The run itself, for comparison. */
  readonly base: StressRow;
  readonly rows: readonly StressRow[];
  /** What could not be tried, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  /** Return of the day of the gap at each place it was put, the worst first. */
  readonly gaps: readonly { readonly at: string; readonly dayReturn: number; readonly totalReturn: number }[];
  readonly beatRate: { readonly crises: BeatRate; readonly all: BeatRate };
  readonly verdict: readonly string[];
}

/** Rows in which it returned more, and in which it fell less, than holding; with Wilson's interval of 95 % around their shares. */
export interface BeatRate {
  readonly rows: number;
  readonly returned: number;
  readonly fell: number;
  readonly returnedInterval: readonly [number, number];
  readonly fellInterval: readonly [number, number];
}

const GAPS = 8;
const OUTAGES = 10;

/** Writes `stress.json` beside the report. @throws BallastError RUN_UNKNOWN, RUN_NOT_HISTORY, SERIES_UNKNOWN, STRATEGY_CHANGED, RUN_STOPPED */
export async function stressRun({ home, runId: name, onProgress, signal }: StressRequest): Promise<StressDocument> {
  const run = runNamed(home, name);
  const recipe = demandHistory(run.recipe, `run ${run.runId}`);
  const stored = await storedBars(recipe, home);
  const total = 1 + CRISES.length + GAPS + 3;
  let done = 0;
  const put = async (of: HistoryRecipe, bars: readonly BarColumns[], range: { from: TimeMs; to: TimeMs }): Promise<Rerun> => {
    onProgress?.(done++, total);
    return rerunRange(of, home, bars, range, signal);
  };
  const range = { from: recipe.market.from, to: recipe.market.to };
  const whole = await put(recipe, stored, range);
  const shock = (named: { name: string; about: string }, result: Rerun, bars: readonly BarColumns[]): StressRow =>
    rowOf({ ...named, kind: 'shock', ...range }, result, bars, recipe);

  const rows: StressRow[] = [];
  const leftOut: { name: string; why: string }[] = [];
  for (const crisis of CRISES) {
    const why = missing(stored, crisis.from, crisis.to, recipe);
    if (why !== undefined) leftOut.push({ name: crisis.name, why });
    else rows.push(rowOf({ ...crisis, kind: 'crisis' }, await put(recipe, stored, crisis), stored, recipe));
  }

  const held = heldBars(whole, barsWithin(stored, range.from, range.to), recipe.baseTimeframeMs);
  const gaps = await gapsOf(held, stored, whole, (bars) => put(recipe, bars, range));
  const [worst] = gaps;
  if (worst === undefined) leftOut.push({ name: 'gap', why: 'nothing was held long through any bar' });
  else {
    const about = `every price ${percent(-GAP_RATIO)} lower from one open on, while it was long: the worst of ${gaps.length} places`;
    rows.push(shock({ name: `gap ${percent(GAP_RATIO)}`, about }, worst.result, worst.bars));
  }

  const { slippageRatio, stopSlippageRatio } = recipe.config.venue;
  const dry = withVenue(recipe, {
    slippageRatio: Math.max(slippageRatio, stopSlippageRatio ?? 0, DRY_LEAST_SLIPPAGE) * DRY_SLIPPAGE_TIMES,
    stopSlippageRatio: null,
    volumeShareRatio: DRY_VOLUME_SHARE,
  });
  const thin = stored.map((bars) => thinned(bars, DRY_VOLUME_RATIO));
  rows.push(
    shock(
      {
        name: 'liquidity gone',
        about: `every fill slips by ${percent(dry.config.venue.slippageRatio)} and takes at most ${percent(DRY_VOLUME_SHARE)} of ${percent(DRY_VOLUME_RATIO)} of its bar's volume`,
      },
      await put(dry, thin, range),
      thin,
    ),
    shock({ name: 'fees doubled', about: 'every rate twice as high' }, await put(withFeesTimes(recipe, 2), stored, range), stored),
  );

  const times = held
    .toSorted((one, other) => other.adverseRatio - one.adverseRatio)
    .slice(0, OUTAGES)
    .map((bar) => bar.openAt);
  if (times.length === 0) leftOut.push({ name: 'exchange down', why: 'nothing was held through any bar' });
  else {
    const spanMs = Math.max(OUTAGE_MS, recipe.baseTimeframeMs);
    const dark = stored.map((bars) => outages(bars, times, spanMs));
    const about = `nothing known and nothing filled for ${recipe.baseTimeframeMs > OUTAGE_MS ? 'a bar, which is longer than an hour,' : 'an hour'} in the ${times.length} worst moments that it held through`;
    rows.push(shock({ name: 'exchange down', about }, await put(recipe, dark, range), dark));
  }
  onProgress?.(total, total);

  const document = {
    runId: run.runId,
    strategy: recipe.strategies.map(({ strategy }) => strategy).join(', '),
    symbols: recipe.instruments.map(({ symbol }) => symbol),
    timeframe: formatSpan(recipe.baseTimeframeMs),
    base: shock({ name: 'as it was', about: 'the run itself' }, whole, stored),
    rows,
    leftOut,
    gaps: gaps.map(({ at, dayReturn, result }) => ({ at: formatTime(at), dayReturn, totalReturn: result.metrics.totalReturn })),
    beatRate: { crises: beatRateOf(rows.filter((row) => row.kind === 'crisis')), all: beatRateOf(rows) },
  };
  const complete: StressDocument = { ...document, verdict: verdictOf(document) };
  writeFileOfRun(join(run.folder, 'stress.json'), `${JSON.stringify(complete)}\n`);
  return complete;
}

/** Undefined where every instrument has bars from the beginning to the end. */
function missing(
  stored: readonly BarColumns[],
  from: TimeMs,
  to: TimeMs,
  { instruments, baseTimeframeMs }: HistoryRecipe,
): string | undefined {
  for (const [index, { openAt }] of stored.entries()) {
    const first = openAt[0] ?? NEVER;
    const last = (openAt.at(-1) ?? -Infinity) + baseTimeframeMs;
    if (first <= from && last >= to) continue;
    return `${instruments[index]?.symbol ?? ''} is stored from ${formatTime(first)} to ${formatTime(last)}`;
  }
  return undefined;
}

function heldBars({ ledger }: Rerun, bars: readonly BarColumns[], timeframeMs: TimeMs): HeldBar[] {
  const closed = Array.from(ledger.trades(), ({ instrument, openedAt, closedAt, side }) => ({
    instrument,
    from: openedAt,
    to: closedAt,
    side,
  }));
  const open = ledger.openTrades().map(({ instrument, openedAt, side }) => ({ instrument, from: openedAt, to: NEVER, side }));
  const spans = [...closed, ...open].map((span) => ({ ...span, side: span.side === 'long' ? (1 as const) : (-1 as const) }));
  return bars.flatMap((columns, index) =>
    barsHeldThrough(
      columns,
      spans.filter(({ instrument }) => instrument === index),
      timeframeMs,
    ),
  );
}

interface Gap {
  readonly at: TimeMs;
  readonly dayReturn: number;
  readonly result: Rerun;
  readonly bars: readonly BarColumns[];
}

/** In all instruments at once, as crashes come. The worst day first. */
async function gapsOf(
  held: readonly HeldBar[],
  stored: readonly BarColumns[],
  whole: Rerun,
  put: (bars: readonly BarColumns[]) => Promise<Rerun>,
): Promise<Gap[]> {
  const long = held.filter((bar) => bar.side > 0).toSorted((one, other) => one.openAt - other.openAt);
  const gaps: Gap[] = [];
  for (const { openAt: at } of evenly(long, GAPS)) {
    const bars = stored.map((columns) => gapAt(columns, at, GAP_RATIO));
    const result = await put(bars);
    const row = whole.day.indexOf(Math.floor(at / DAY_MS) * DAY_MS);
    gaps.push({ at, dayReturn: result.returns[row] ?? result.metrics.totalReturn, result, bars });
  }
  return gaps.toSorted((one, other) => one.dayReturn - other.dayReturn);
}

interface RowParts {
  readonly name: string;
  readonly kind: StressRow['kind'];
  readonly about: string;
  readonly from: TimeMs;
  readonly to: TimeMs;
}

function rowOf({ name, kind, about, from, to }: RowParts, result: Rerun, bars: readonly BarColumns[], recipe: HistoryRecipe): StressRow {
  const { totalReturn, maxDrawdown, trades, exposureRatio } = result.metrics;
  const curve = holdingCurve(barsWithin(bars, from, to));
  return {
    name,
    kind,
    about,
    from: formatTime(from),
    to: formatTime(to),
    totalReturn,
    maxDrawdown,
    trades,
    exposureRatio,
    holdReturn: (curve.at(-1) ?? 1) - 1,
    holdDrawdown: deepestFall(curve),
    daysAhead: daysAhead(result, bars, recipe),
  };
}

function daysAhead({ day, returns, periodMs }: Rerun, bars: readonly BarColumns[], { baseTimeframeMs }: HistoryRecipe): number | null {
  if (periodMs !== DAY_MS) return null;
  const market = marketIndex(bars.map(({ openAt, close }) => marketDays(openAt, close, baseTimeframeMs)));
  const rowOf = new Map(Array.from(market.day, (start, row) => [start, row]));
  let ahead = 0;
  let count = 0;
  day.forEach((start, index) => {
    const row = rowOf.get(start);
    if (row === undefined || row === 0) return;
    count++;
    if ((returns[index] ?? NaN) > (market.close[row] ?? NaN) / (market.close[row - 1] ?? NaN) - 1) ahead++;
  });
  return count === 0 ? null : ahead / count;
}

function verdictOf({ rows, gaps, beatRate, base }: Omit<StressDocument, 'verdict'>): string[] {
  const crises = rows.filter((row) => row.kind === 'crisis');
  const shocks = rows.filter((row) => row.kind === 'shock');
  const words: string[] = [];
  const [worst] = crises.toSorted((one, other) => other.maxDrawdown - one.maxDrawdown);
  if (worst !== undefined) {
    const lost = crises.filter((row) => row.totalReturn < 0).length;
    words.push(
      `it lost in ${lost} of ${crises.length} crises, at worst with a drawdown of ${percent(worst.maxDrawdown)} in ${worst.name}, where holding fell ${percent(worst.holdDrawdown)}`,
    );
    const idle = crises.filter((row) => row.trades === 0 && (row.exposureRatio ?? 0) === 0).map((row) => row.name);
    if (idle.length > 0) words.push(`it held nothing in ${idle.join(', ')}: to have been away is no proof of having been safe`);
  }
  const [gap] = gaps;
  if (gap !== undefined) {
    const middle = medianOf(gaps.map(({ dayReturn }) => dayReturn)) ?? NaN;
    words.push(
      `a gap of ${percent(GAP_RATIO)} while it is long costs ${percent(-gap.dayReturn)} of the account on that day at worst, ${percent(-middle)} in the middle: stops fill at the open beyond it`,
    );
  }
  const dead = base.totalReturn > 0 ? shocks.filter((row) => row.totalReturn <= 0).map((row) => row.name) : [];
  if (dead.length > 0) words.push(`what it made is gone with: ${dead.join(', ')}`);
  else if (base.totalReturn <= 0) words.push('it lost to begin with: there is nothing that a shock could take');
  const { crises: beaten } = beatRate;
  const [low, high] = beaten.returnedInterval;
  if (beaten.rows > 0) {
    words.push(
      `in the crises it returned more than holding ${beaten.returned} times of ${beaten.rows} and fell less ${beaten.fell} times; of so few, the true rate of returning more may be anything from ${percent(low)} to ${percent(high)}`,
    );
  }
  return words;
}

function beatRateOf(rows: readonly StressRow[]): BeatRate {
  const returned = rows.filter((row) => row.totalReturn > row.holdReturn).length;
  const fell = rows.filter((row) => row.maxDrawdown < row.holdDrawdown).length;
  return {
    rows: rows.length,
    returned,
    fell,
    returnedInterval: wilsonInterval(returned, rows.length),
    fellInterval: wilsonInterval(fell, rows.length),
  };
}
