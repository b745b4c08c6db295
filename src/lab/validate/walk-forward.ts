// Walk-forward: choose parameters on one window of bars, trade them on the next, go on (Pardo 1992). What is chosen never saw what it is
// judged by: fitting sees its window alone, and the window ends before the test by the span of a label and an embargo.
import { formatTime, type TimeMs } from '../../domain/time.ts';
import { walkForwardSplits } from '../../quant/splits.ts';
import { MINIMUM_RETURNS } from '../../views/metrics.ts';
import { known } from '../../views/daily.ts';
import type { ColumnMetrics } from '../sweep/column-metrics.ts';
import type { SweepPoint } from '../sweep/strategy.ts';
import { objectiveNamed, ranked, type MetricObjective } from '../sweep/objective.ts';
import type { SweepRow } from '../sweep/column-pool.ts';
import { pathOf } from './monte-carlo.ts';
import { minimumTrackRecord, probabilisticSharpe, sharpeSample } from './sharpe-ratio.ts';

/** Rows of the bars, the end exclusive. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** One point over a range, flat at its first bar. */
export interface TestedColumn {
  readonly metrics: ColumnMetrics;
  /** By day, or by bar where that is longer, the first against the capital; after `end` nothing is known, so what is held is marked there. */
  readonly returns: Float64Array;
}

/** Whatever can be tried over bars: the kernels of a sweep, or the engine itself. */
export interface WindowEvaluator {
  /** Rows in the order of the points. Nothing from `end` on may reach them. */
  fit(points: readonly SweepPoint[], range: RowRange): Promise<readonly SweepRow[]>;
  /** Indicators may be formed by the bars before `first`; positions may not. */
  test(point: SweepPoint, range: RowRange): Promise<TestedColumn>;
}

export interface WindowSettings {
  readonly folds: number;
  /** Length of the first training window, in tests. */
  readonly trainTests: number;
  /** Every window begins with the first bar, instead of moving. */
  readonly isAnchored: boolean;
  /** Bars between the last label of a window and its test. */
  readonly embargoBars: number;
}

export interface FoldRows {
  readonly train: RowRange;
  readonly test: RowRange;
}

/**
 * `folds` neighbouring tests that end with the last bar, each after its training window. The label of a bar ends with the bar after it, at
 * whose open its decision fills, so the last bar before a test is purged, and `embargoBars` more. What does not divide is the oldest bars.
 * @throws RangeError where the bars are too few
 */
export function foldsOf(rows: number, { folds, trainTests, isAnchored, embargoBars }: WindowSettings): FoldRows[] {
  const testRows = Math.floor(rows / (folds + trainTests));
  const trainRows = Math.floor(testRows * trainTests);
  if (testRows < 1 || trainRows < 1) throw new RangeError(`${rows} bars, expected enough for ${folds} tests and a window before them`);
  const skipped = rows - trainRows - folds * testRows;
  const start = Float64Array.from({ length: rows - skipped }, (_, row) => row);
  const spans = { start, end: start.map((row) => row + 1) };
  return walkForwardSplits(spans, { trainRows, testRows, isAnchored, embargo: embargoBars }).map(({ train, test }) => {
    const first = train[0];
    const last = train.at(-1);
    if (first === undefined || last === undefined) throw new RangeError(`an embargo of ${embargoBars} bars leaves nothing to train on`);
    return {
      train: { first: first + skipped, end: last + 1 + skipped },
      test: { first: (test[0] ?? NaN) + skipped, end: (test.at(-1) ?? NaN) + 1 + skipped },
    };
  });
}

export interface SpanDocument {
  readonly from: string;
  readonly to: string;
  readonly bars: number;
}

export interface FoldDocument {
  readonly train: SpanDocument;
  readonly test: SpanDocument;
  /** Null where no point has the objective's figure in the window: then nothing is traded in the test. */
  readonly chosen: SweepPoint | null;
  readonly inSample: ColumnMetrics | null;
  readonly outOfSample: ColumnMetrics | null;
  /** Open of the test's first bar to the close of its last, without costs. */
  readonly holdReturn: number;
}

/** What the tests come to, one after the other, each with what the one before left. */
export interface OutOfSample {
  readonly totalReturn: number;
  readonly holdReturn: number;
  /** Of a year; null below 30 returns or without a spread. */
  readonly sharpe: number | null;
  /** Between the closes of days, or of bars where those are longer. */
  readonly maxDrawdown: number;
  readonly trades: number;
  readonly returns: number;
  readonly foldsWon: number;
  readonly foldsAheadOfHolding: number;
  /** That the true Sharpe ratio is above 0. */
  readonly probabilisticSharpe: number | null;
  /** Returns from which on it would be above 0 with 95 %. */
  readonly minimumTrackRecord: number | null;
  /** Means of the objective over the windows that traded: in sample, and in their tests. Null where nothing was traded. */
  readonly promised: number | null;
  readonly kept: number | null;
  /** Mean of the objective out of sample over its mean in sample: 1 keeps all of what was promised. Null unless that was above 0, and of a drawdown. */
  readonly efficiency: number | null;
  /** Of the changes from a fold to the next, how many chose other parameters. */
  readonly changes: number;
}

export interface WalkForward {
  readonly folds: readonly FoldDocument[];
  readonly outOfSample: OutOfSample;
}

export interface WalkForwardRequest extends WindowSettings {
  readonly bars: { readonly openAt: Float64Array; readonly open: Float64Array; readonly close: Float64Array };
  readonly timeframeMs: TimeMs;
  /** Between two returns of a tested column. */
  readonly periodMs: TimeMs;
  readonly points: readonly SweepPoint[];
  readonly objective: MetricObjective;
  readonly evaluator: WindowEvaluator;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const YEAR_MS = 365 * 86_400_000;

/** @throws RangeError as `foldsOf` does; the signal's reason when aborted */
export async function walkForward(request: WalkForwardRequest): Promise<WalkForward> {
  const { bars, timeframeMs, points, objective, evaluator, onProgress, signal } = request;
  const rows = foldsOf(bars.close.length, request);
  const folds: FoldDocument[] = [];
  const returns: number[] = [];
  for (const [index, { train, test }] of rows.entries()) {
    signal?.throwIfAborted();
    onProgress?.(index, rows.length);
    const [best] = ranked(await evaluator.fit(points, train), objectiveNamed(objective, NaN));
    const tested = best === undefined ? undefined : await evaluator.test(best.params, test);
    if (tested !== undefined) returns.push(...tested.returns);
    folds.push({
      train: spanOf(bars.openAt, train, timeframeMs),
      test: spanOf(bars.openAt, test, timeframeMs),
      chosen: best?.params ?? null,
      inSample: best?.metrics ?? null,
      outOfSample: tested?.metrics ?? null,
      holdReturn: (bars.close[test.end - 1] ?? NaN) / (bars.open[test.first] ?? NaN) - 1,
    });
  }
  onProgress?.(rows.length, rows.length);
  return { folds, outOfSample: outOfSampleOf(folds, Float64Array.from(returns), objective, request.periodMs) };
}

function outOfSampleOf(folds: readonly FoldDocument[], returns: Float64Array, objective: MetricObjective, periodMs: TimeMs): OutOfSample {
  const sample = sharpeSample(returns);
  const isMany = returns.length >= MINIMUM_RETURNS && Number.isFinite(sample.sharpe);
  const path = returns.length < 2 ? { finalEquity: 1, maxDrawdown: 0 } : pathOf(returns);
  const traded = folds.filter((fold) => fold.outOfSample !== null);
  const promised = traded.reduce((sum, fold) => sum + (fold.inSample?.[objective] ?? 0), 0);
  const kept = traded.reduce((sum, fold) => sum + (fold.outOfSample?.[objective] ?? 0), 0);
  const chosen = folds.map((fold) => JSON.stringify(fold.chosen));
  return {
    totalReturn: path.finalEquity - 1,
    holdReturn: folds.reduce((product, fold) => product * (1 + fold.holdReturn), 1) - 1,
    sharpe: isMany ? sample.sharpe * Math.sqrt(YEAR_MS / periodMs) : null,
    maxDrawdown: path.maxDrawdown,
    trades: traded.reduce((sum, fold) => sum + (fold.outOfSample?.trades ?? 0), 0),
    returns: returns.length,
    foldsWon: traded.filter((fold) => (fold.outOfSample?.totalReturn ?? 0) > 0).length,
    foldsAheadOfHolding: folds.filter((fold) => (fold.outOfSample?.totalReturn ?? 0) > fold.holdReturn).length,
    probabilisticSharpe: isMany ? known(probabilisticSharpe(sample)) : null,
    minimumTrackRecord: isMany ? known(minimumTrackRecord(sample)) : null,
    promised: traded.length === 0 ? null : promised / traded.length,
    kept: traded.length === 0 ? null : kept / traded.length,
    efficiency: promised > 0 && objective !== 'maxDrawdown' ? kept / promised : null,
    changes: chosen.filter((each, index) => index > 0 && each !== chosen[index - 1]).length,
  };
}

function spanOf(openAt: Float64Array, { first, end }: RowRange, timeframeMs: TimeMs): SpanDocument {
  return { from: formatTime(openAt[first] ?? NaN), to: formatTime((openAt[end - 1] ?? NaN) + timeframeMs), bars: end - first };
}
