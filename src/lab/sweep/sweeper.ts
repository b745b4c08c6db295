// A sweep: many columns of one strategy over the same bars, on a warm pool of threads.
import { Worker } from 'node:worker_threads';
import type { TimeMs } from '../../domain/time.ts';
import type { SweepAccount, SweepBars } from './account.ts';
import { METRIC_NAMES, metricsAt } from './column-metrics.ts';
import { stoppedWords, type ColumnOptions, type ColumnOutcome, type ColumnPool, type SweepRow } from './column-pool.ts';
import { indicatorsOf, type SweepPath } from './column-runner.ts';
import { CONTROL_PLACES, FINISHED, STOPPED, type FinishedBatch, type WorkerJob, type WorkerWord } from './job.ts';
import { planSweep } from './plan.ts';
import { barsPerYear } from './run-column.ts';
import { loadSweepStrategy } from './strategies.ts';
import type { SweepPoint } from './strategy.ts';

export interface SweepRequest extends ColumnOptions {
  readonly bars: SweepBars;
  readonly timeframeMs: TimeMs;
  /** A name, or the URL of a module whose default export is a `SweepStrategy`. */
  readonly strategy: string;
  readonly points: readonly SweepPoint[];
  readonly account: SweepAccount;
  readonly path?: SweepPath;
  /** A column that falls further than this part from its peak is stopped, and has no figures; never unless said. */
  readonly drawdownLimit?: number;
}

/** For indicators; the bars, and a row of flags and of equity for each thread, come on top. */
const INDICATOR_BYTES = 128 * 2 ** 20;
/** A wave of columns is worth the wait at its end, and short enough that indicators are given on soon. */
const WAVE_COLUMNS_A_THREAD = 4;
const WAVE_CELLS = 4_000_000;
/** Bars times columns between two words of a thread: some milliseconds. */
const BATCH_CELLS = 1_000_000;

/** Threads that stay, with their compiled code and the buffers of the last sweep. One sweep at a time. */
export class Sweeper {
  readonly #workers: readonly Worker[];
  /** Reused as long as sweeps are of the same number of bars. */
  #slots: Float64Array[] = [];
  #isRunning = false;

  constructor(workers: number) {
    this.#workers = Array.from({ length: workers }, () => new Worker(new URL('./worker.ts', import.meta.url)));
    // An idle pool does not keep a program alive.
    for (const worker of this.#workers) worker.unref();
  }

  /**
   * Rows in the order of the points, the same for any number of threads. A column that throws is a row with its failure; it stops nothing.
   * Aborted, the columns that were not run are missing from `onColumn` and the sweep throws.
   * @throws BallastError STRATEGY_UNKNOWN; the signal's reason when aborted
   */
  async run(request: SweepRequest): Promise<SweepRow[]> {
    if (this.#isRunning) throw new Error('broken invariant: a pool runs one sweep at a time');
    this.#isRunning = true;
    try {
      return await this.#sweep(request);
    } finally {
      this.#isRunning = false;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  async #sweep(request: SweepRequest): Promise<SweepRow[]> {
    const { points, account, path = 'fused', drawdownLimit = Infinity, known, onColumn, signal } = request;
    const strategy = await loadSweepStrategy(request.strategy);
    const bars = sharedBars(request.bars);
    const count = bars.close.length;
    const outcomes: (ColumnOutcome | undefined)[] = points.map((_, column) => known?.get(column));
    const finish = (column: number, outcome: ColumnOutcome): void => {
      outcomes[column] = outcome;
      onColumn?.(column, outcome);
    };
    const keys = points.map((point, column) => {
      if (outcomes[column] !== undefined) return undefined;
      try {
        return indicatorsOf(strategy.column(point), account, path).map((indicator) => indicator.key);
      } catch (cause) {
        finish(column, { failure: cause instanceof Error ? cause.message : String(cause) });
        return undefined;
      }
    });
    const columnBytes = Math.max(1, count * Float64Array.BYTES_PER_ELEMENT);
    const waveColumns = Math.max(WAVE_COLUMNS_A_THREAD * this.#workers.length, Math.ceil(WAVE_CELLS / Math.max(1, count)));
    const plan = planSweep(keys, Math.floor(INDICATOR_BYTES / columnBytes), waveColumns);
    const figures = sharedNumbers(points.length * METRIC_NAMES.length);
    const job: WorkerJob = {
      bars,
      strategy: request.strategy,
      points,
      account,
      path,
      drawdownLimit,
      perYear: barsPerYear(request.timeframeMs),
      plan,
      slots: this.#slotsFor(plan.slots, count),
      brokenSlots: sharedIntegers(plan.slots),
      figures,
      control: sharedIntegers(CONTROL_PLACES),
      batch: Math.max(1, Math.ceil(BATCH_CELLS / Math.max(1, count))),
    };
    await this.#work(job, signal, ({ columns, stopped, failures }) => {
      for (const column of columns) finish(column, { metrics: metricsAt(figures, column * METRIC_NAMES.length) });
      for (const column of stopped) finish(column, { stopped: stoppedWords(drawdownLimit) });
      for (const { column, words } of failures) finish(column, { failure: words });
    });
    signal?.throwIfAborted();
    return points.map((params, column) => {
      const outcome = outcomes[column];
      if (outcome === undefined) throw new Error('broken invariant: every column of a finished sweep has an outcome');
      return { params, ...outcome };
    });
  }

  async #work(job: WorkerJob, signal: AbortSignal | undefined, onColumns: (batch: FinishedBatch) => void): Promise<void> {
    const stop = (): void => {
      Atomics.store(job.control, STOPPED, 1);
      Atomics.notify(job.control, FINISHED);
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    try {
      const ends = this.#workers.map((worker) => ended(worker, job, onColumns));
      // The first to fail stops the others; what it failed of is told when all have stopped.
      for (const end of ends) end.catch(stop);
      const results = await Promise.allSettled(ends);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #slotsFor(slots: number, count: number): Float64Array[] {
    if (this.#slots[0]?.length !== count) this.#slots = [];
    while (this.#slots.length < slots) this.#slots.push(sharedNumbers(count));
    return this.#slots.slice(0, slots);
  }
}

/** The columns of one strategy over the same bars, with kernels. */
export function kernelPool(workers: number, request: Omit<SweepRequest, 'points' | keyof ColumnOptions>): ColumnPool {
  const sweeper = new Sweeper(workers);
  return {
    run: (points, options) => sweeper.run({ ...request, ...options, points }),
    close: () => sweeper.close(),
  };
}

/** Resolves when the thread has taken all it could. */
async function ended(worker: Worker, job: WorkerJob, onColumns: (batch: FinishedBatch) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const hear = (word: WorkerWord): void => {
    switch (word.kind) {
      case 'columns':
        try {
          onColumns(word);
        } catch (cause) {
          reject(cause);
        }
        return;
      case 'refused':
        reject(new Error(word.words));
        return;
      case 'ended':
        resolve();
    }
  };
  const end = (code: number): void => reject(new Error(`a thread of the sweep ended with ${code}`));
  worker.on('message', hear).on('error', reject).on('exit', end);
  worker.ref();
  worker.postMessage(job);
  try {
    await promise;
  } finally {
    worker.unref();
    worker.off('message', hear).off('error', reject).off('exit', end);
  }
}

/** Copies what is not shared yet. */
function sharedBars(bars: SweepBars): SweepBars {
  const copies = new Map<Float64Array, Float64Array>();
  const share = (column: Float64Array): Float64Array => {
    if (column.buffer instanceof SharedArrayBuffer) return column;
    // Bars that are closes and nothing else may be one column four times.
    const copy = copies.get(column) ?? sharedNumbers(column.length);
    if (!copies.has(column)) copy.set(column);
    copies.set(column, copy);
    return copy;
  };
  return { open: share(bars.open), high: share(bars.high), low: share(bars.low), close: share(bars.close) };
}

/** A column that threads can see without a copy: bars made of these are not copied by a sweep. */
export function sharedNumbers(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

function sharedIntegers(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}
