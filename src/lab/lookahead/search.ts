// The differential tests: the same subject on worlds that agree up to a bar must say the same up to that bar. The future is cut off, made a
// rising and made a falling market, after one bar after the other; outside data is cut and changed in the same way by when it was known.
//
// Known tools cut off at bars that fired and keep one bar more, and leave what a strategy joins from outside as it is: a leak of one bar
// and an as-of join by the wrong time pass them. Here the first bar is held back already, and outside rows have both of their times.
import type { TimeMs } from '../../domain/time.ts';
import { diagnose, type Influence, type LeakKind } from './diagnosis.ts';
import type { OutsideTimes, OutsideView } from './outside.ts';
import type { Instance, Subject } from './subject.ts';
import { differs, firstDifference, tolerancesOf, type Difference, type Tolerances, type Trace } from './trace.ts';
import { anotherMarket, closeOf, INPUTS, rowsBetween, rowsOf, spliced, type Manner, type World } from './world.ts';

export interface Leak {
  readonly kind: LeakKind;
  /** What it does, in words. */
  readonly words: string;
  /** Feature, column or part of the opinion. */
  readonly column: string;
  /** First row that leaks. */
  readonly row: number;
  /** When that row's value is used: the bar's close, or its open where the subject decides there. */
  readonly at: TimeMs;
  /** How many bars later than it may what it reads lies, at the furthest that was seen; undefined where bars do not say. */
  readonly barsAhead: number | undefined;
  /** What of which leg or outside source it reads: `close of leg 0`, `outside funding`. */
  readonly reads: readonly string[];
  /** What it was, and what it was with another future: null where it was not a number. */
  readonly value: number | null;
  readonly otherwise: number | null;
}

export interface SearchResult {
  readonly leaks: readonly Leak[];
  /** What it said of the true world. */
  readonly trace: Trace;
  /** At how many bars the future was changed, and the outside data. */
  readonly cuts: number;
  readonly outsideCuts: number;
  /** Cuts at which it threw, so that nothing was compared. */
  readonly inconclusive: number;
}

export interface SearchRequest {
  readonly subject: Subject;
  readonly world: World;
  /** The most bars at which the future is changed. Where there are more: half of them the first, the others evenly. */
  readonly maximumCuts: number;
  /** What the subject reads from outside, once it has been opened: by source. */
  readonly outsideTimes: () => ReadonlyMap<string, OutsideTimes>;
  /** What models are trained to predict, which looks ahead by its nature: by name. */
  readonly labels?: (world: World) => Trace;
  /** For predictions: bars up to here were learned from. */
  readonly trainedUntil?: TimeMs | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Cuts of outside data: each loads the subject anew. */
const MOST_OUTSIDE_CUTS = 100;
/** Cuts of a subject that keeps state, which is loaded anew for each. */
const MOST_RELOADED_CUTS = 40;
/** On fewer bars a function of columns may throw for want of them, which says nothing. */
const FEW_BARS = 50;
/** Bars on each side of a row that are changed by themselves to see which of them it looks at. */
const NEIGHBOURS = 64;

/** @throws Error when the subject cannot be observed on the true world; the caller knows how to say that */
export async function searchForLeaks(request: SearchRequest): Promise<SearchResult> {
  const { subject, world, trainedUntil } = request;
  const instance = await subject.open({});
  const trace = instance.observe(world);
  const result = { trace, cuts: 0, outsideCuts: 0, inconclusive: 0 };
  if (trace.failure !== undefined) return { ...result, leaks: [] };
  const tolerances = tolerancesOf(trace);
  const rows = rowsOf(world);
  const other = await subject.open({ otherClock: true });
  const unrepeatable = firstDifference(trace, other.observe(world), tolerances, rows);
  // Nothing that is compared with it would say anything.
  if (unrepeatable !== undefined) return { ...result, leaks: [simpleLeak('not repeatable', request, unrepeatable)] };
  const leaks: Leak[] = [];
  const remembered = firstDifference(trace, instance.observe(world), tolerances, rows);
  if (remembered !== undefined) leaks.push(simpleLeak('module state', request, remembered));
  const early = trainedUntil === undefined ? undefined : firstLearned(request, trace, trainedUntil);
  if (early !== undefined) leaks.push(simpleLeak('in-sample', request, early));
  const again = remembered === undefined ? (): Promise<Instance> => Promise.resolve(instance) : (): Promise<Instance> => subject.open({});
  const maximumCuts = remembered === undefined ? request.maximumCuts : Math.min(request.maximumCuts, MOST_RELOADED_CUTS);
  const ofBars = await searchBars({ ...request, maximumCuts }, trace, tolerances, again);
  const ofOutside = await searchOutside(request, trace, tolerances);
  return {
    trace,
    leaks: [...leaks, ...ofBars.leaks, ...ofOutside.leaks].toSorted((left, right) => left.row - right.row),
    cuts: ofBars.cuts,
    outsideCuts: ofOutside.cuts,
    inconclusive: ofBars.inconclusive + ofOutside.inconclusive,
  };
}

function usedAt({ subject, world }: Pick<SearchRequest, 'subject' | 'world'>, row: number): TimeMs {
  return closeOf(world, row) - (subject.decidesAt === 'open' ? world.timeframeMs : 0);
}

const SIMPLE_WORDS = {
  'not repeatable':
    'says something else on the same bars when it is loaded again: a seed of the wall clock, unseeded randomness, or what it reads has changed',
  'module state':
    'says something else on the same bars the second time: it keeps state outside of its features, and so knows what came later',
  'in-sample': 'predicts bars that it was trained on: `trainedUntil` is later',
} as const;

function simpleLeak(kind: keyof typeof SIMPLE_WORDS, request: SearchRequest, { column, row, expected, found }: Difference): Leak {
  const at = usedAt(request, row);
  return {
    kind,
    words: SIMPLE_WORDS[kind],
    column,
    row,
    at,
    barsAhead: undefined,
    reads: [],
    value: orNull(expected),
    otherwise: orNull(found),
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function firstLearned(request: SearchRequest, trace: Trace, trainedUntil: TimeMs): Difference | undefined {
  for (let row = 0; row < rowsOf(request.world) && usedAt(request, row) <= trainedUntil; row++) {
    for (const [column, values] of trace.columns) {
      const value = values[row] ?? NaN;
      if (!Number.isNaN(value)) return { column, row, expected: value, found: NaN };
    }
  }
  return undefined;
}

// ---- the bars ------------------------------------------------------------------------------------------------------

/** What is known of a column that leaks. */
interface Seen {
  /** By row: the furthest row that it was seen to depend on; -1 for none. */
  readonly furthest: Int32Array;
  row: number;
  otherwise: number;
  /** How the first leaking row was seen to leak. */
  cut: number;
  manner: Manner | 'cut';
}

interface Found {
  readonly leaks: readonly Leak[];
  readonly cuts: number;
  readonly inconclusive: number;
}

async function searchBars(request: SearchRequest, trace: Trace, tolerances: Tolerances, open: () => Promise<Instance>): Promise<Found> {
  const { subject, world, maximumCuts, onProgress } = request;
  const rows = rowsOf(world);
  // Who decides at a bar's open has said the next row's value when this bar closes.
  const ahead = subject.decidesAt === 'open' ? 1 : 0;
  const others = { rising: anotherMarket(world, 'rising'), falling: anotherMarket(world, 'falling') };
  const dense = maximumCuts >= rows ? rows - 1 : Math.ceil(maximumCuts / 2);
  const cuts = [...spread(-ahead, dense - 1, dense + ahead), ...spread(dense, rows - 2, maximumCuts - dense)];
  const seen = new Map<string, Seen>();
  let inconclusive = 0;
  for (const [index, cut] of cuts.entries()) {
    for (const manner of ['rising', 'falling', 'cut'] as const) {
      if (manner === 'cut' && cut < 0) continue;
      const shown =
        manner === 'cut'
          ? rowsBetween(world, 0, cut + 1)
          : spliced(world, others[manner], { from: cut + 1, keepsFirstOpen: subject.decidesAt === 'open' });
      const found = (await open()).observe(shown);
      if (found.failure !== undefined) inconclusive += manner === 'cut' && cut < FEW_BARS ? 0 : 1;
      else note(seen, trace, found, tolerances, { cut, manner, last: Math.min(cut + (manner === 'cut' ? 0 : ahead), rows - 1) });
    }
    onProgress?.(index + 1, cuts.length);
  }
  const leaks: Leak[] = [];
  for (const [column, leak] of seen) leaks.push(await leakOf(request, trace, tolerances, others, open, column, leak, dense));
  return { leaks, cuts: cuts.length, inconclusive };
}

/** Whole numbers from `first` to `last`, all of them or so many, evenly. */
function spread(first: number, last: number, most: number): number[] {
  const count = last - first + 1;
  if (count <= most) return Array.from({ length: Math.max(0, count) }, (_, index) => first + index);
  return Array.from({ length: most }, (_, index) => first + Math.round((index * (count - 1)) / Math.max(1, most - 1)));
}

function note(
  seen: Map<string, Seen>,
  trace: Trace,
  found: Trace,
  tolerances: Tolerances,
  { cut, manner, last }: { readonly cut: number; readonly manner: Seen['manner']; readonly last: number },
): void {
  for (const [column, values] of trace.columns) {
    const others = found.columns.get(column);
    const tolerance = tolerances.get(column) ?? 0;
    for (let row = 0; row <= last; row++) {
      const otherwise = others?.[row] ?? NaN;
      if (!differs(values[row] ?? NaN, otherwise, tolerance)) continue;
      let leak = seen.get(column);
      if (leak === undefined) {
        leak = { furthest: new Int32Array(values.length).fill(-1), row: Infinity, otherwise, cut, manner };
        seen.set(column, leak);
      }
      if (row < leak.row || (row === leak.row && leak.manner === 'cut' && manner !== 'cut'))
        Object.assign(leak, { row, otherwise, cut, manner });
      // Without the rows nobody knows which of them it was.
      if (manner !== 'cut' && (leak.furthest[row] ?? 0) < cut + 1) leak.furthest[row] = cut + 1;
    }
  }
}

async function leakOf(
  request: SearchRequest,
  trace: Trace,
  tolerances: Tolerances,
  others: Readonly<Record<Manner, World>>,
  open: () => Promise<Instance>,
  column: string,
  seen: Seen,
  exactUntil: number,
): Promise<Leak> {
  const { subject, world, labels } = request;
  const values = trace.columns.get(column) ?? new Float64Array(0);
  const tolerance = tolerances.get(column) ?? 0;
  const changes = async (row: number, splice: Parameters<typeof spliced>[2]): Promise<boolean> => {
    for (const manner of ['rising', 'falling'] as const) {
      const found = (await open()).observe(spliced(world, others[manner], splice)).columns.get(column);
      if (differs(values[row] ?? NaN, found?.[row] ?? NaN, tolerance)) return true;
    }
    return false;
  };
  const { row, furthest } = seen;
  const from = row + (subject.decidesAt === 'open' ? 0 : 1);
  const reads: string[] = [];
  for (const leg of world.legs.keys()) {
    for (const input of INPUTS) {
      const keepsFirstOpen = subject.decidesAt === 'open';
      if (await changes(row, { from, leg, input, keepsFirstOpen })) reads.push(`${input} of leg ${leg}`);
    }
  }
  const influence = await influencesOf(furthest, world, changes);
  const { kind, words } = diagnose({
    world,
    values,
    furthest,
    influence,
    decidesAt: subject.decidesAt,
    exactUntil,
    labels: labels === undefined ? new Map() : labels(world).columns,
  });
  const last = furthest[row] ?? -1;
  return {
    kind,
    words,
    column,
    row,
    at: usedAt(request, row),
    barsAhead: last < 0 ? undefined : last - row + (subject.decidesAt === 'open' ? 1 : 0),
    reads,
    value: orNull(values[row] ?? NaN),
    otherwise: orNull(seen.otherwise),
  };
}

/** Which bars around a row in the middle of those that leak it looks at, changed one by one. */
async function influencesOf(
  furthest: Int32Array,
  world: World,
  changes: (row: number, splice: Parameters<typeof spliced>[2]) => Promise<boolean>,
): Promise<Influence | undefined> {
  const rows = rowsOf(world);
  const leaking = [...furthest.keys()].filter((row) => (furthest[row] ?? -1) >= 0);
  const inside = leaking.filter((row) => row >= NEIGHBOURS && row + NEIGHBOURS < rows);
  const row = inside[Math.floor(inside.length / 2)] ?? leaking[Math.floor(leaking.length / 2)];
  if (row === undefined) return undefined;
  const offsets: number[] = [];
  for (let offset = -NEIGHBOURS; offset <= NEIGHBOURS; offset++) {
    const bar = row + offset;
    if (bar >= 0 && bar < rows && (await changes(row, { from: bar, to: bar + 1 }))) offsets.push(offset);
  }
  return { row, offsets };
}

// ---- outside data --------------------------------------------------------------------------------------------------

async function searchOutside(request: SearchRequest, trace: Trace, tolerances: Tolerances): Promise<Found> {
  const { subject, world, outsideTimes, maximumCuts } = request;
  const sources = outsideTimes();
  if (sources.size === 0) return { leaks: [], cuts: 0, inconclusive: 0 };
  const used = Float64Array.from({ length: rowsOf(world) }, (_, row) => usedAt(request, row));
  const leaks = new Map<string, Leak>();
  let inconclusive = 0;
  let count = 0;
  for (const [only, times] of sources) {
    const seen = new Map<string, { row: number; otherwise: number; view: OutsideView }>();
    const cuts = outsideCuts(times, used, Math.min(maximumCuts, MOST_OUTSIDE_CUTS));
    for (const cut of cuts) {
      count++;
      for (const manner of ['rising', 'falling', 'cut'] as const) {
        const view: OutsideView = { after: used[cut] ?? NaN, by: 'known', manner, only };
        const found = (await subject.open({ outside: view })).observe(world);
        if (found.failure !== undefined && found.failure.row === undefined) inconclusive++;
        else {
          // It may throw on bars that came later than what was changed.
          const last = found.failure?.row === undefined ? cut + 1 : Math.min(cut + 1, found.failure.row);
          for (const column of trace.columns.keys()) {
            const difference = firstDifference(oneColumn(trace, column), found, tolerances, last);
            if (difference === undefined || difference.row >= (seen.get(column)?.row ?? Infinity)) continue;
            seen.set(column, { row: difference.row, otherwise: difference.found, view });
          }
        }
      }
    }
    for (const [column, { row, otherwise, view }] of seen) {
      const value = trace.columns.get(column)?.[row] ?? NaN;
      const found = (await subject.open({ outside: { ...view, by: 'happened' } })).observe(world).columns.get(column)?.[row] ?? NaN;
      const kind: LeakKind = differs(value, found, tolerances.get(column) ?? 0) ? 'outside future' : 'as-of join';
      const words =
        kind === 'as-of join'
          ? `joins ${only} by when it happened, not by when it was known: rows that were published later are used already`
          : `reads rows of ${only} that had not happened yet`;
      // A series that is declared was read from a file, mostly: it leaks once.
      const key = `${kind} ${column} ${row}`;
      const at = used[row] ?? NaN;
      if (!leaks.has(key))
        leaks.set(key, {
          kind,
          words,
          column,
          row,
          at,
          barsAhead: undefined,
          reads: [only],
          value: orNull(value),
          otherwise: orNull(otherwise),
        });
    }
  }
  return { leaks: [...leaks.values()], cuts: count, inconclusive };
}

function oneColumn({ columns, failure }: Trace, column: string): Trace {
  return { failure, columns: new Map([[column, columns.get(column) ?? new Float64Array(0)]]) };
}

/** Bars in between a row's happening and its being known, the last before that; and some evenly. */
function outsideCuts({ knownAt }: OutsideTimes, used: Float64Array, most: number): number[] {
  const first = used[0] ?? NaN;
  const last = used.at(-1) ?? NaN;
  const before = [...knownAt].filter((at) => at > first && at <= last).map((at) => used.findLastIndex((bar) => bar < at));
  const all = [...new Set([...before, ...spread(0, used.length - 1, Math.ceil(most / 5))])].toSorted((left, right) => left - right);
  return spread(0, all.length - 1, most).map((index) => all[index] ?? 0);
}
