// A sweep as a run: a folder named after all that determines its rows, what it has finished, and the documents at its end. The same sweep
// started again finds its folder, so an interrupted one goes on.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import type { FillRule } from '../../venues/simulated/rules.ts';
import type { SweepAccount } from './account.ts';
import type { ColumnOutcome, ColumnPool, SweepRow } from './column-pool.ts';
import { FinishedColumns } from './finished-columns.ts';
import { ranked, type MeasuredRow, type Objective } from './objective.ts';
import type { Search, SearchName } from './search.ts';
import type { SweepPoint } from './strategy.ts';

/** What an engine trades with in a sweep: as `ballast backtest` says it. */
export interface EngineAccount {
  readonly capital: number;
  readonly feeRates: readonly number[];
  readonly slippageRatio: number;
  /** Of price, where a stop fills; null for as much as an order at the market. */
  readonly stopSlippageRatio: number | null;
  readonly fill: FillRule;
  readonly sizing: string;
  readonly noRisk: boolean;
  readonly warmup: 'auto' | 'none';
  readonly seed: number;
  readonly allowSpotShort: boolean;
}

/** What was swept, as its document says it. */
export interface SweepSubject {
  readonly strategy: string;
  /** Kernels over typed columns, or an engine for each column. */
  readonly path: 'kernel' | 'engine';
  readonly venue: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  /** Open times of the first bar and after the last, ISO-8601. */
  readonly from: string;
  readonly to: string;
  readonly bars: number;
  readonly account: SweepAccount | EngineAccount;
  /** How its points were found; `grid` and `points` are lists. */
  readonly search: { readonly name: 'grid' | 'points' } | { readonly name: SearchName; readonly trials: number; readonly seed: number };
  /** Part of the peak that a column may lose before it is stopped; null where none is. */
  readonly drawdownLimit: number | null;
}

export interface SweepJob {
  /** By `sweepRunId`. */
  readonly runId: string;
  readonly subject: SweepSubject;
  readonly search: Search;
  readonly objective: Objective;
  readonly pool: ColumnPool;
  /** Of the best, once it is known. */
  fillsOf(params: SweepPoint): Promise<readonly unknown[]>;
  /** Keeps what was tried, whether the sweep has come to its end or not. */
  record(rows: readonly SweepRow[]): Promise<void>;
}

export interface SweepDocument extends SweepSubject {
  readonly runId: string;
  /** A name, or the path of a user's own. */
  readonly objective: string;
  /** Every combination that was tried is here, in the order of the grid, the file or the search. */
  readonly rows: readonly SweepRow[];
  readonly best: MeasuredRow | null;
  readonly trials: {
    readonly tried: number;
    readonly failed: number;
    /** Given up before their end, because they were hopeless. */
    readonly stopped: number;
    /** Combinations of the grid that the strategy's constraint rules out. */
    readonly leftOut: number;
    /** Of those tried, what an interrupted start of the same sweep had finished. */
    readonly resumed: number;
  };
}

/** `sweep-`, the strategy and a digest of everything that determines the rows: another version of Ballast may compute otherwise. */
export function sweepRunId(strategy: string, identity: unknown, columns: readonly Float64Array[]): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ version, strategy, identity }));
  for (const column of columns) hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return `sweep-${strategy}-${hash.digest('hex').slice(0, 16)}`;
}

export interface SweepRunOptions {
  /** Of this run alone. */
  readonly folder: string;
  /** Of what this start had to do. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Runs it, writes `sweep.json` and `best.json`, and gives the document. @throws BallastError RUN_STOPPED, RUN_UNWRITABLE */
export async function runSweep(job: SweepJob, { folder, onProgress, signal }: SweepRunOptions): Promise<SweepDocument> {
  const { runId, subject, search, objective, pool } = job;
  const finished = new FinishedColumns(join(folder, 'columns.jsonl'));
  const rows: SweepRow[] = [];
  /** Of the batch that is being run. */
  const underWay: SweepRow[] = [];
  let done = 0;
  try {
    for (let points = search.ask(); points.length > 0; points = search.ask()) {
      const first = rows.length;
      const known = new Map<number, ColumnOutcome>();
      for (const [column, params] of points.entries()) {
        const outcome = finished.known.get(first + column);
        if (outcome === undefined) continue;
        known.set(column, outcome);
        underWay.push({ params, ...outcome });
      }
      const ran = await pool.run(points, {
        known,
        onColumn(column, outcome) {
          finished.add(first + column, outcome);
          underWay.push({ params: points[column] ?? {}, ...outcome });
          onProgress(++done, search.total - finished.known.size);
        },
        signal,
      });
      rows.push(...ran);
      underWay.length = 0;
      search.tell(ran.map(({ params, metrics }) => (metrics === undefined ? null : objective.value(metrics, params))));
    }
    await job.record(rows);
    const [best] = ranked(rows, objective);
    const document: SweepDocument = {
      runId,
      ...subject,
      objective: objective.name,
      rows,
      best: best ?? null,
      trials: {
        tried: rows.length,
        failed: rows.filter((row) => row.failure !== undefined).length,
        stopped: rows.filter((row) => row.stopped !== undefined).length,
        leftOut: search.leftOut,
        resumed: finished.known.size,
      },
    };
    write(join(folder, 'sweep.json'), document);
    const { strategy } = subject;
    write(join(folder, 'best.json'), best === undefined ? null : { runId, strategy, ...best, fills: await job.fillsOf(best.params) });
    finished.remove();
    return document;
  } catch (cause) {
    // What was tried counts, whatever ended it.
    await job.record([...rows, ...underWay]);
    if (!signal.aborted) throw cause;
    throw new BallastError({
      code: 'RUN_STOPPED',
      place: `sweep in ${folder}`,
      found: 'a stop before its end',
      expected: `to try ${search.total} combinations`,
      remedy: 'the same command goes on where it stopped',
      cause,
    });
  } finally {
    finished.close();
    await pool.close();
  }
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
