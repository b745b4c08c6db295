// Whether a strategy, a feature or a column knows what it cannot know yet: loads the file, chooses the bars, runs the tests.
import { closeSync, openSync, readSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { BarColumns } from '../domain/bars.ts';
import { BallastError } from '../domain/errors.ts';
import { isJoint, isOnBars, timeframeOf, type FeatureSpec, type FeatureSpecs, type JointFeatureSpec } from '../domain/feature.ts';
import { forecaster, legRange, type Forecaster, type Strategy } from '../domain/strategy.ts';
import { DAY_MS, formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { warmupBars } from '../features/board.ts';
import { lagTest, type LagTest } from '../lab/lookahead/lag.ts';
import { seriesThrough, type OutsideSeries, type OutsideTimes, type OutsideView } from '../lab/lookahead/outside.ts';
import { warmupTest, WARMUP_MULTIPLES, type WarmupTest } from '../lab/lookahead/recursion.ts';
import { searchForLeaks, type Leak } from '../lab/lookahead/search.ts';
import {
  observeColumns,
  observeFeatures,
  observeForecaster,
  type ColumnFunction,
  type Instance,
  type Subject,
} from '../lab/lookahead/subject.ts';
import { rowsOf, type World } from '../lab/lookahead/world.ts';
import { emptyColumns, openStore } from '../market/history/store.ts';
import { SYNTHETIC_ASSETS } from '../market/synthetic/assets.ts';
import { syntheticMarket } from '../market/synthetic/market.ts';
import { strategyIn } from './load-strategy.ts';
import { parseParameters, strategyNamed, strategyReference } from './registry.ts';
import { shown } from './schema-findings.ts';
import { watchedModule, type Readings } from './watched-modules.ts';

export interface LookaheadRequest {
  readonly home: string;
  /** Path of a file, or the name of a strategy. */
  readonly file: string;
  readonly parameters?: string | undefined;
  /** Of stored bars: one, or two for a pair. The synthetic market unless said. */
  readonly symbols?: readonly string[] | undefined;
  readonly venue?: string | undefined;
  readonly timeframeMs: TimeMs;
  readonly fromMs?: TimeMs | undefined;
  readonly toMs?: TimeMs | undefined;
  /** Bars of the synthetic market beyond the warm-up. */
  readonly bars: number;
  readonly seed: number;
  /** The most bars at which the future is changed; 1,000 for columns and 100 for strategies and features unless said. */
  readonly cuts?: number | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A leak, with its times and what it reads by name. */
export interface FoundLeak extends Omit<Leak, 'at' | 'row'> {
  /** Of the bar, counted from 0 at the first that was looked at. */
  readonly bar: number;
  readonly at: string;
}

export interface SubjectFindings {
  readonly kind: Subject['kind'];
  readonly name: string;
  readonly symbols: readonly string[];
  readonly from: string;
  /** End of the last bar. */
  readonly to: string;
  readonly bars: number;
  readonly cuts: number;
  readonly outsideCuts: number;
  readonly leaks: readonly FoundLeak[];
  /** Ways to data that could not be watched: what comes by them may leak, and nobody would see it. */
  readonly unwatched: readonly string[];
  /** What was not or could not be examined, and what looks odd without being proof. */
  readonly notes: readonly string[];
  readonly lag: readonly LagTest[];
  readonly warmup: WarmupTest | null;
}

export interface LookaheadDocument {
  readonly file: string;
  /** `synthetic, seed 1`, or `stored`. */
  readonly market: string;
  readonly timeframe: string;
  readonly subjects: readonly SubjectFindings[];
  /** No leak, and no way to data that could not be watched. */
  readonly isClean: boolean;
}

/** Cuts of what is fed bar by bar: what it leaks it leaks by other ways, and each cut feeds all bars again. */
const CUTS_OF_FED = 100;
const CUTS_OF_COLUMNS = 1_000;
/** Of functions of columns, which declare no warm-up. */
const UNDECLARED_WARMUP = 50;
const SYNTHETIC_START = Date.UTC(2026, 0, 1);

/** @throws BallastError LOOKAHEAD_NOTHING, LOOKAHEAD_MALFORMED, LOOKAHEAD_FAILED, LOOKAHEAD_SHORT, and what loading a strategy and bars throws */
export async function lookForLookahead(request: LookaheadRequest): Promise<LookaheadDocument> {
  const { home, timeframeMs, symbols, seed } = request;
  const file = strategyReference(request.file, home);
  const examined: Examined[] = isAbsolute(file) ? await inFile(file, request) : [await builtIn(file, request)];
  const findings: SubjectFindings[] = [];
  for (const each of examined) findings.push(await examine(request, each));
  return {
    file,
    market: symbols === undefined ? `synthetic, seed ${seed}` : 'stored',
    timeframe: formatSpan(timeframeMs),
    subjects: findings,
    isClean: findings.every(({ leaks, unwatched }) => leaks.length === 0 && unwatched.length === 0),
  };
}

/** A subject with what has to be known of it to choose its bars. */
interface Examined {
  readonly subject: Subject;
  readonly legs: number;
  readonly warmupBars: number;
  readonly readings: Readings;
  /** Of declared outside series and of files that were read, by source. */
  readonly outsideTimes: () => ReadonlyMap<string, OutsideTimes>;
  readonly labels?: (world: World) => ReturnType<Instance['observe']>;
  readonly trainedUntil?: TimeMs;
}

async function builtIn(name: string, request: LookaheadRequest): Promise<Examined> {
  const { strategy } = await strategyNamed(name, request.home);
  const bound = forecaster(strategy, parseParameters(strategy, request.parameters), legsOf(strategy, request));
  return {
    subject: {
      kind: 'strategy',
      name,
      decidesAt: 'close',
      open: () => Promise.resolve({ observe: (world) => observeForecaster(bound, world) }),
    },
    legs: bound.legs,
    warmupBars: warmupOf(bound.features, request.timeframeMs),
    readings: { files: new Map(), unwatched: new Set() },
    outsideTimes: () => new Map(),
  };
}

type Exports = Readonly<Record<string, unknown>>;

/** Everything in a file that can be examined: its strategy, its features and its columns. */
async function inFile(path: string, request: LookaheadRequest): Promise<Examined[]> {
  const { exports } = await watchedModule(path, { files: new Map(), unwatched: new Set() }, {});
  const strategy = strategyIn(path, exports);
  const found: Examined[] = [];
  if (strategy !== undefined) {
    const bound = boundIn(path, exports, request);
    const make = (module: Exports, world: World): ReturnType<Instance['observe']> =>
      observeForecaster(boundIn(path, module, request), world);
    found.push(ofModule(path, exports, 'strategy', strategy.name, bound.legs, warmupOf(bound.features, request.timeframeMs), make));
  }
  const features = featuresIn(path, exports);
  if (features !== undefined) {
    // What lives on all legs is shown a pair.
    const legs = 1 + Math.max(...Object.values(features).map((spec) => (isJoint(spec) ? 1 : (spec.leg ?? 0))));
    const make = (module: Exports, world: World): ReturnType<Instance['observe']> =>
      observeFeatures('features', featuresIn(path, module) ?? {}, world);
    found.push(ofModule(path, exports, 'features', 'features', legs, warmupOf(features, request.timeframeMs), make));
  }
  if (exports['columns'] !== undefined) {
    columnsIn(path, exports, 'columns');
    const make = (module: Exports, world: World, view: OutsideView | undefined): ReturnType<Instance['observe']> => {
      const outside = Object.entries(outsideIn(path, module)).map(([name, series]) => {
        const isMeant = view?.only === undefined || view.only === name;
        return [name, seriesThrough(series, isMeant ? view : undefined)] as const;
      });
      return observeColumns('columns', columnsIn(path, module, 'columns'), Object.fromEntries(outside), world);
    };
    found.push(ofModule(path, exports, 'columns', 'columns', 1, UNDECLARED_WARMUP, make));
  }
  if (found.length > 0) return found;
  throw new BallastError({
    code: 'LOOKAHEAD_NOTHING',
    place: path,
    found: `the exports ${Object.keys(exports).join(', ') || 'none'}`,
    expected: 'a strategy as default or `strategy`, specs as `features`, or a function of bars as `columns`',
    exitCode: 2,
  });
}

function ofModule(
  path: string,
  exports: Exports,
  kind: Subject['kind'],
  name: string,
  legs: number,
  warmup: number,
  make: (module: Exports, world: World, view: OutsideView | undefined) => ReturnType<Instance['observe']>,
): Examined {
  const readings: Readings = { files: new Map(), unwatched: new Set() };
  const decidesAt = exports['decidesAt'] ?? 'close';
  if (decidesAt !== 'close' && decidesAt !== 'open') throw malformed(path, 'decidesAt', decidesAt, "'open' or 'close'");
  const trainedUntil = exports['trainedUntil'];
  if (trainedUntil !== undefined && !Number.isFinite(trainedUntil)) throw malformed(path, 'trainedUntil', trainedUntil, 'UTC milliseconds');
  const declared = outsideIn(path, exports);
  return {
    legs,
    warmupBars: warmup,
    readings,
    subject: {
      kind,
      name,
      decidesAt: kind === 'columns' ? decidesAt : 'close',
      async open(circumstances) {
        const module = await watchedModule(path, readings, circumstances);
        return { observe: (world) => module.within(() => make(module.exports, world, circumstances.outside)) };
      },
    },
    outsideTimes: () =>
      new Map([
        ...(kind === 'columns' ? Object.entries(declared) : []),
        ...[...readings.files].flatMap(([file, times]) => (times === undefined ? [] : [[file, times] as const])),
      ]),
    ...(kind === 'columns' && exports['labels'] !== undefined
      ? { labels: (world: World) => observeColumns('labels', columnsIn(path, exports, 'labels'), declared, world) }
      : {}),
    ...(kind === 'columns' && typeof trainedUntil === 'number' ? { trainedUntil } : {}),
  };
}

/** As many as there are symbols, where the strategy takes a range of them. */
function legsOf(strategy: Strategy<unknown>, { symbols = [] }: LookaheadRequest): number {
  const { least, most } = legRange(strategy);
  return Math.min(most, Math.max(least, symbols.length));
}

function boundIn(path: string, module: Exports, request: LookaheadRequest): Forecaster {
  const strategy = strategyIn(path, module);
  if (strategy === undefined) throw malformed(path, 'default', undefined, 'the same strategy whenever it is loaded');
  return forecaster(strategy, parseParameters(strategy, request.parameters), legsOf(strategy, request));
}

function featuresIn(path: string, module: Exports): FeatureSpecs | undefined {
  const exported = module['features'];
  if (exported === undefined) return undefined;
  const isSpec = (each: unknown): each is FeatureSpec | JointFeatureSpec =>
    typeof each === 'object' && each !== null && 'key' in each && 'warmup' in each && 'create' in each && typeof each.create === 'function';
  const specs: readonly unknown[] = typeof exported === 'object' && exported !== null ? Object.values(exported) : [];
  if (specs.length > 0 && specs.every(isSpec)) return exported as FeatureSpecs;
  throw malformed(path, 'features', exported, 'specs by name, such as { trend: ema(20) }');
}

function columnsIn(path: string, module: Exports, name: string): ColumnFunction {
  const exported = module[name];
  if (typeof exported === 'function') return exported as ColumnFunction;
  throw malformed(path, name, exported, 'a function from bars to a Float64Array, or to several by name');
}

function outsideIn(path: string, module: Exports): Readonly<Record<string, OutsideSeries>> {
  const exported = module['outside'] ?? {};
  const all = typeof exported === 'object' && exported !== null ? Object.entries(exported as Record<string, unknown>) : undefined;
  const isSeries = (each: unknown): boolean => {
    const columns = typeof each === 'object' && each !== null ? Object.values(each as Record<string, unknown>) : [];
    const times = each as Partial<OutsideSeries>;
    const rows = times?.knownAt?.length;
    return (
      rows !== undefined &&
      times?.happenedAt !== undefined &&
      columns.every((column) => column instanceof Float64Array && column.length === rows)
    );
  };
  const wrong = all?.find(([, series]) => !isSeries(series));
  if (all !== undefined && wrong === undefined) return exported as Readonly<Record<string, OutsideSeries>>;
  throw malformed(
    path,
    'outside',
    wrong?.[0] ?? exported,
    'series by name, each of equally long Float64Arrays `happenedAt`, `knownAt` and others',
  );
}

function malformed(path: string, name: string, found: unknown, expected: string): BallastError {
  return new BallastError({ code: 'LOOKAHEAD_MALFORMED', place: `${name} of ${path}`, found: shown(found), expected, exitCode: 2 });
}

/** @throws BallastError LOOKAHEAD_NOTHING where something lives on what the worlds here do not have */
function warmupOf(features: FeatureSpecs, timeframeMs: TimeMs): number {
  const unfed = Object.entries(features).find(([, spec]) => !isOnBars(spec));
  if (unfed !== undefined) {
    throw new BallastError({
      code: 'LOOKAHEAD_NOTHING',
      place: `feature ${unfed[0]}`,
      found: 'one that lives on books or funding rates',
      expected: 'features of bars: there is nothing else in the market that is shown here',
      remedy: 'such features are fed event by event with what was known; the contract test of strategies varies their future',
      exitCode: 2,
    });
  }
  return Math.max(
    1,
    warmupBars(
      Object.values(features).map((spec) => [spec, timeframeOf(spec, timeframeMs)] as const),
      timeframeMs,
    ),
  );
}

// ---- one subject ---------------------------------------------------------------------------------------------------

async function examine(request: LookaheadRequest, examined: Examined): Promise<SubjectFindings> {
  const { timeframeMs, onProgress } = request;
  const { subject, readings, legs, warmupBars: declared } = examined;
  const rows = Math.max(request.bars + declared, (1 + (WARMUP_MULTIPLES.at(-1) ?? 1)) * declared);
  // Loaded once to see what it reads: outside data says which time the bars must have for it to matter.
  await subject.open({});
  const { world, symbols } = await worldOf(request, legs, rows, examined.outsideTimes());
  if (rowsOf(world) < FEWEST_BARS) {
    throw new BallastError({
      code: 'LOOKAHEAD_SHORT',
      place: `${subject.kind} ${subject.name}`,
      found: `${rowsOf(world)} bars that all of ${symbols.join(' and ')} have`,
      expected: `at least ${FEWEST_BARS}`,
      exitCode: 2,
    });
  }
  const result = await searchForLeaks({
    subject,
    world,
    maximumCuts: request.cuts ?? (subject.kind === 'columns' ? CUTS_OF_COLUMNS : CUTS_OF_FED),
    outsideTimes: examined.outsideTimes,
    ...(examined.labels === undefined ? {} : { labels: examined.labels }),
    trainedUntil: examined.trainedUntil,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const { trace } = result;
  if (trace.failure !== undefined) {
    const { row, words } = trace.failure;
    throw new BallastError({
      code: 'LOOKAHEAD_FAILED',
      place: `${subject.kind} ${subject.name}${row === undefined ? '' : ` at ${formatTime((world.legs[0]?.openAt[row] ?? NaN) + timeframeMs)}`}`,
      found: words,
      expected: 'an answer at every bar',
      remedy: 'mend it first: what throws cannot be compared',
    });
  }
  const lag = [...trace.columns.keys()]
    .filter((column) => subject.kind === 'columns' || column === 'stance')
    .map((column) => lagTest(trace, world, column, subject.decidesAt));
  const isRepeatable = result.leaks.every(({ kind }) => kind !== 'not repeatable' && kind !== 'module state');
  return {
    kind: subject.kind,
    name: subject.name,
    symbols,
    from: formatTime(world.legs[0]?.openAt[0] ?? NaN),
    to: formatTime((world.legs[0]?.openAt.at(-1) ?? NaN) + timeframeMs),
    bars: rowsOf(world),
    cuts: result.cuts,
    outsideCuts: result.outsideCuts,
    leaks: result.leaks.map(({ row, at, reads, ...leak }) => ({
      ...leak,
      bar: row,
      at: formatTime(at),
      reads: reads.map((each) => named(each, symbols)),
    })),
    unwatched: [...readings.unwatched, ...packedFiles(readings)].toSorted(),
    notes: notesOf(examined, world, result.inconclusive, lag),
    lag,
    warmup: isRepeatable ? warmupTest(await subject.open({}), world, trace, declared) : null,
  };
}

/** `close of leg 0` as `close of BTC/USDT`. */
function named(reads: string, symbols: readonly string[]): string {
  return reads.replace(/leg (\d+)$/, (leg, index: string) => symbols[Number(index)] ?? leg);
}

/** How files of packed data begin: gzip, zip, Zstandard, xz, bzip2, Parquet, Feather, SQLite. Rows of any time may be in them. */
const PACKED = ['\x1f\x8b', 'PK\x03\x04', '\x28\xb5\x2f\xfd', '\xfd7zXZ', 'BZh', 'PAR1', 'ARROW1', 'SQLite format 3'];
const LONGEST_BEGINNING = 16;

function isPacked(file: string): boolean {
  const beginning = Buffer.alloc(LONGEST_BEGINNING);
  try {
    const descriptor = openSync(file, 'r');
    try {
      readSync(descriptor, beginning);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It was read and is gone: nobody can say what it was.
    return true;
  }
  const text = beginning.toString('latin1');
  return PACKED.some((magic) => text.startsWith(magic));
}

/** Files that were read and cannot be changed row by row. */
function packedFiles({ files }: Readings): string[] {
  return [...files].flatMap(([file, times]) => (times === undefined && isPacked(file) ? [`${file} (packed data)`] : []));
}

function notesOf({ readings }: Examined, world: World, inconclusive: number, lag: readonly LagTest[]): string[] {
  const first = world.legs[0]?.openAt[0] ?? NaN;
  const last = (world.legs[0]?.openAt.at(-1) ?? NaN) + world.timeframeMs;
  const files = [...readings.files].flatMap(([file, times]): string[] => {
    if (times === undefined && isPacked(file)) return [];
    if (times === undefined) return [`reads ${file}, in which no rows with times were found: it was left as it is`];
    const isWithin = times.knownAt.some((at) => at > first && at <= last);
    return isWithin
      ? []
      : [`reads ${file}, none of whose rows became known within the bars: choose --symbols, --from and --to around them`];
  });
  const thrown = inconclusive === 0 ? [] : [`threw ${inconclusive} times when the future was another, and was not compared there`];
  const hints = lag
    .filter(({ isSuspicious }) => isSuspicious)
    .map(({ column, scores: [now, later] }) => {
      const scores = `t ${now?.score.toFixed(1)} at once, ${later?.score.toFixed(1)} one bar later`;
      return `${column} is worth far more than luck, and nothing a bar later (${scores}): no proof, but what peeks looks like this`;
    });
  const isSilent = lag.some(({ column, scores }) => column === 'stance' && scores.every(({ score }) => score === 0));
  const silent = isSilent ? ['took no side on these bars: what only its positions could show was not seen'] : [];
  return [...files, ...thrown, ...hints, ...silent];
}

// ---- the bars ------------------------------------------------------------------------------------------------------

const FEWEST_BARS = 100;

async function worldOf(
  request: LookaheadRequest,
  legs: number,
  rows: number,
  outside: ReadonlyMap<string, OutsideTimes>,
): Promise<{ readonly world: World; readonly symbols: readonly string[] }> {
  const { symbols, timeframeMs, seed } = request;
  if (symbols === undefined) {
    const assets = SYNTHETIC_ASSETS.slice(0, legs).map(({ instrument }) => instrument.symbol);
    const world = { timeframeMs, legs: syntheticBars(seed, assets, timeframeMs, startFor(outside, timeframeMs, rows), rows) };
    return { world, symbols: assets };
  }
  if (symbols.length !== legs) {
    throw new BallastError({
      code: 'ARGUMENT_INVALID',
      place: '--symbols',
      found: symbols.join(', '),
      expected: legs === 1 ? 'one symbol' : `${legs} symbols, one for each leg`,
      exitCode: 2,
    });
  }
  return { world: { timeframeMs, legs: await storedBars(request, symbols) }, symbols };
}

/** Where the rows of outside data are, so that the synthetic market is lived through them; the usual start where there are none. */
function startFor(outside: ReadonlyMap<string, OutsideTimes>, timeframeMs: TimeMs, rows: number): TimeMs {
  const firsts = [...outside.values()].map(({ knownAt }) => knownAt.reduce((least, at) => Math.min(least, at), Infinity));
  const lasts = [...outside.values()].map(({ knownAt }) => knownAt.reduce((most, at) => Math.max(most, at), -Infinity));
  const [first, last] = [Math.max(...firsts), Math.min(...lasts)];
  if (outside.size === 0 || first >= last) return SYNTHETIC_START;
  // The last rows of what is longer than the bars: by then whatever had to be warm is.
  const start = Math.max(first, last - rows * timeframeMs);
  const stepMs = Math.max(DAY_MS, timeframeMs);
  return Math.max(0, Math.floor(start / stepMs) * stepMs);
}

function syntheticBars(seed: number, assets: readonly string[], timeframeMs: TimeMs, startAt: TimeMs, rows: number): BarColumns[] {
  const { sources } = syntheticMarket({ seed, startAt, timeframeMs, assets, tradesPerBar: 0 });
  const all = sources.map(() => emptyColumns(rows));
  for (let row = 0; row < rows; row++) {
    for (const [leg, source] of sources.entries()) {
      const bar = source.take();
      const columns = all[leg];
      if (columns === undefined) continue;
      columns.openAt[row] = bar.happenedAt - timeframeMs;
      columns.open[row] = bar.open;
      columns.high[row] = bar.high;
      columns.low[row] = bar.low;
      columns.close[row] = bar.close;
      columns.volume[row] = bar.volume;
    }
  }
  return all;
}

/** Bars that all legs have: where one has a hole, none has a row. */
async function storedBars({ home, venue, timeframeMs, fromMs, toMs }: LookaheadRequest, symbols: readonly string[]): Promise<BarColumns[]> {
  const store = await openStore(home);
  try {
    const all: BarColumns[] = [];
    for (const symbol of symbols) {
      const range = {
        symbol,
        venue: store.resolve({ symbol, venue, timeframeMs }),
        timeframeMs,
        fromMs: fromMs ?? 0,
        toMs: toMs ?? LAST_MS,
      };
      all.push(await store.load(range));
    }
    const shared = all.map(({ openAt }) => new Set(openAt)).reduce((left, right) => left.intersection(right));
    return all.map((bars) => {
      const rows = [...bars.openAt.keys()].filter((row) => shared.has(bars.openAt[row] ?? NaN));
      const kept = (column: Float64Array): Float64Array => Float64Array.from(rows, (row) => column[row] ?? NaN);
      const { openAt, open, high, low, close, volume } = bars;
      return { openAt: kept(openAt), open: kept(open), high: kept(high), low: kept(low), close: kept(close), volume: kept(volume) };
    });
  } finally {
    await store.close();
  }
}

/** The last instant that a date can name. */
const LAST_MS = 8_640_000_000_000_000;
