// Sweeps of any strategy: one engine a thread, over bars in shared memory. What a column leaves behind is its figures.
import { Worker } from 'node:worker_threads';
import type { ColumnOptions, ColumnOutcome, ColumnPool, SweepRow } from '../../lab/sweep/column-pool.ts';
import type { SweepPoint } from '../../lab/sweep/strategy.ts';
import type { EngineJob, EngineOrder, EngineWord } from './engine-worker.ts';

export class EnginePool implements ColumnPool {
  readonly #job: EngineJob;
  readonly #workers: Worker[];

  constructor(workers: number, job: Omit<EngineJob, 'stop'>) {
    this.#job = { ...job, stop: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) };
    this.#workers = Array.from({ length: workers }, () => started(this.#job));
  }

  async run(points: readonly SweepPoint[], { known, onColumn, signal }: ColumnOptions): Promise<readonly SweepRow[]> {
    signal?.throwIfAborted();
    const { stop: flag } = this.#job;
    Atomics.store(flag, 0, 0);
    const outcomes: (ColumnOutcome | undefined)[] = points.map((_, column) => known?.get(column));
    const waiting = points.flatMap((params, column) => (outcomes[column] === undefined ? [{ column, params }] : [])).values();
    const stop = (): void => void Atomics.store(flag, 0, 1);
    const halted = new AbortController();
    signal?.addEventListener('abort', stop, { once: true });
    /** One column after another on this thread, until there are none. */
    const work = async (thread: number): Promise<void> => {
      for (const { column, params } of waiting) {
        const { outcome, hasEnded } = await answered((this.#workers[thread] ??= started(this.#job)), column, params);
        if (hasEnded) this.#workers[thread] = started(this.#job);
        if (outcome === undefined) return;
        outcomes[column] = outcome;
        onColumn?.(column, outcome);
        if (signal?.aborted === true || halted.signal.aborted) return;
      }
    };
    try {
      const works = this.#workers.map((_, thread) => work(thread));
      // The first to fail stops the others; what it failed of is told when all have stopped.
      for (const each of works) {
        each.catch(() => {
          halted.abort();
          stop();
        });
      }
      const results = await Promise.allSettled(works);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    signal?.throwIfAborted();
    return points.map((params, column) => {
      const outcome = outcomes[column];
      if (outcome === undefined) throw new Error('broken invariant: every column of a finished sweep has an outcome');
      return { params, ...outcome };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function started(job: EngineJob): Worker {
  const worker = new Worker(new URL('./engine-worker.ts', import.meta.url));
  // An idle pool does not keep a program alive.
  worker.unref();
  tell(worker, { kind: 'job', job });
  return worker;
}

interface Answer {
  /** Undefined where the column was stopped. */
  readonly outcome: ColumnOutcome | undefined;
  /** The thread is no more: a strategy ended it, or took all of its memory. */
  readonly hasEnded: boolean;
}

async function answered(worker: Worker, column: number, params: SweepPoint): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const hear = ({ outcome }: EngineWord): void => resolve({ outcome, hasEnded: false });
  const fail = (failure: string): void => resolve({ outcome: { failure }, hasEnded: true });
  const breaks = (cause: Error): void => fail(`its thread broke: ${cause.message}`);
  const end = (code: number): void => fail(`its thread was ended with ${code}`);
  worker.on('message', hear).on('error', breaks).on('exit', end);
  worker.ref();
  tell(worker, { kind: 'column', column, params });
  try {
    return await promise;
  } finally {
    worker.unref();
    worker.off('message', hear).off('error', breaks).off('exit', end);
  }
}

function tell(worker: Worker, order: EngineOrder): void {
  worker.postMessage(order);
}
