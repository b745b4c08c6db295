// A sweep as a run: a folder named after all that determines its rows, what it has finished, and the documents at its end. The same sweep
// started again finds its folder, so an interrupted one goes on.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import type { TimeMs } from '../../domain/time.ts';
import { formatSpan } from '../../domain/time.ts';
import type { SweepAccount, SweepBars } from './account.ts';
import type { ColumnMetrics, MetricName } from './column-metrics.ts';
import { FinishedColumns } from './finished-columns.ts';
import type { Selection } from './grid.ts';
import { runColumn } from './run-column.ts';
import type { SweepPoint, SweepStrategy } from './strategy.ts';
import { Sweeper, type SweepRow } from './sweeper.ts';

/** What one may ask the best of. Of a drawdown, less is better. */
export const OBJECTIVES = [
  'sharpe',
  'sortino',
  'calmar',
  'totalReturn',
  'profitFactor',
  'expectancy',
  'winRate',
  'maxDrawdown',
] as const satisfies readonly MetricName[];
export type Objective = (typeof OBJECTIVES)[number];

export interface SweepPlanOfRun {
  readonly strategy: SweepStrategy;
  readonly selection: Selection;
  readonly venue: string;
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  readonly bars: SweepBars;
  readonly account: SweepAccount;
}

export interface SweepDocument {
  readonly runId: string;
  readonly strategy: string;
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly bars: number;
  readonly account: SweepAccount;
  readonly objective: Objective;
  /** Every combination that was tried is here, in the order of the grid or the file. */
  readonly rows: readonly SweepRow[];
  readonly best: MeasuredRow | null;
  readonly trials: {
    readonly tried: number;
    readonly failed: number;
    /** Combinations of the grid that the strategy's constraint rules out. */
    readonly leftOut: number;
    /** Of those tried, what an interrupted start of the same sweep had finished. */
    readonly resumed: number;
  };
}

/** `sweep-`, the strategy and a digest of everything that determines the rows: another version of Ballast may compute otherwise. */
export function sweepRunId(plan: SweepPlanOfRun): string {
  const { strategy, selection, venue, symbol, timeframeMs, bars, account } = plan;
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ version, strategy: strategy.name, points: selection.points, venue, symbol, timeframeMs, account }));
  for (const column of [bars.open, bars.high, bars.low, bars.close]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return `sweep-${strategy.name}-${hash.digest('hex').slice(0, 16)}`;
}

export interface SweepRunOptions {
  /** Of this run alone, by `sweepRunId`. */
  readonly folder: string;
  readonly objective: Objective;
  readonly workers: number;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Runs it, writes `sweep.json` and `best.json`, and gives the document. @throws BallastError RUN_STOPPED, RUN_UNWRITABLE */
export async function runSweep(
  plan: SweepPlanOfRun,
  { folder, objective, workers, onProgress, signal }: SweepRunOptions,
): Promise<SweepDocument> {
  const { strategy, selection, bars, timeframeMs, account } = plan;
  const { points } = selection;
  const finished = new FinishedColumns(join(folder, 'columns.jsonl'));
  const sweeper = new Sweeper(workers);
  try {
    let done = finished.known.size;
    const rows = await sweeper.run({
      bars,
      timeframeMs,
      strategy: strategy.name,
      points,
      account,
      known: finished.known,
      onColumn(column, outcome) {
        finished.add(column, outcome);
        onProgress(++done, points.length);
      },
      signal,
    });
    const [best] = ranked(rows, objective);
    const document: SweepDocument = {
      runId: sweepRunId(plan),
      strategy: strategy.name,
      venue: plan.venue,
      symbol: plan.symbol,
      timeframe: formatSpan(timeframeMs),
      bars: bars.close.length,
      account,
      objective,
      rows,
      best: best ?? null,
      trials: {
        tried: rows.length,
        failed: rows.filter((row) => row.failure !== undefined).length,
        leftOut: selection.leftOut,
        resumed: finished.known.size,
      },
    };
    write(join(folder, 'sweep.json'), document);
    write(
      join(folder, 'best.json'),
      best === undefined ? null : { ...best, fills: runColumn(strategy, best.params, bars, account, timeframeMs).fills },
    );
    finished.remove();
    return document;
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new BallastError({
      code: 'RUN_STOPPED',
      place: `sweep in ${folder}`,
      found: 'a stop before its end',
      expected: `to try ${points.length} combinations`,
      remedy: 'the same command goes on where it stopped',
      cause,
    });
  } finally {
    finished.close();
    await sweeper.close();
  }
}

export interface MeasuredRow {
  readonly params: SweepPoint;
  readonly metrics: ColumnMetrics;
}

/** The rows that have the figure, the best first; equal ones in their order. */
export function ranked(rows: readonly SweepRow[], objective: Objective): MeasuredRow[] {
  const direction = objective === 'maxDrawdown' ? 1 : -1;
  return rows
    .flatMap(({ params, metrics }) => (metrics === undefined || metrics[objective] === null ? [] : [{ params, metrics }]))
    .toSorted((one, other) => direction * ((one.metrics[objective] ?? NaN) - (other.metrics[objective] ?? NaN)));
}

function write(path: string, document: unknown): void {
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(document)}\n`);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new BallastError({
      code: 'RUN_UNWRITABLE',
      place: path,
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a file that can be written',
      remedy: 'free space or choose another --home',
      cause,
    });
  }
}
