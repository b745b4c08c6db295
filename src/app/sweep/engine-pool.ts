// Sweeps of any strategy: one engine a thread, over bars in shared memory. What a column leaves behind is its figures.
import { Worker } from 'node:worker_threads';
import type { ColumnOptions, ColumnOutcome, ColumnPool, SweepRow } from '../../lab/sweep/column-pool.ts';
import { pointText, type SweepPoint } from '../../lab/sweep/strategy.ts';
import type { EngineJob, EngineOrder, EngineWord } from './engine-worker.ts';

export class EnginePool implements ColumnPool {
  readonly #workers: readonly Worker[];
  readonly #stop: Int32Array;

  constructor(workers: number, job: Omit<EngineJob, 'stop'>) {
    this.#stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    this.#workers = Array.from({ length: workers }, () => new Worker(new URL('./engine-worker.ts', import.meta.url)));
    for (const worker of this.#workers) {
      worker.unref();
      tell(worker, { kind: 'job', job: { ...job, stop: this.#stop } });
    }
  }

  async run(points: readonly SweepPoint[], { known, onColumn, signal }: ColumnOptions): Promise<readonly SweepRow[]> {
    signal?.throwIfAborted();
    Atomics.store(this.#stop, 0, 0);
    const outcomes: (ColumnOutcome | undefined)[] = points.map((_, column) => known?.get(column));
    const waiting = points.flatMap((params, column) => (outcomes[column] === undefined ? [{ column, params }] : [])).values();
    const stop = (): void => void Atomics.store(this.#stop, 0, 1);
    const halted = new AbortController();
    signal?.addEventListener('abort', stop, { once: true });
    /** One column after another on this thread, until there are none. */
    const work = async (worker: Worker): Promise<void> => {
      for (const { column, params } of waiting) {
        const outcome = await answered(worker, column, params);
        if (outcome === undefined) return;
        outcomes[column] = outcome;
        onColumn?.(column, outcome);
        if (signal?.aborted === true || halted.signal.aborted) return;
      }
    };
    try {
      const works = this.#workers.map(work);
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

/** Undefined where the column was stopped. */
async function answered(worker: Worker, column: number, params: SweepPoint): Promise<ColumnOutcome | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ColumnOutcome | undefined>();
  const hear = (word: EngineWord): void => resolve(word.outcome);
  const end = (code: number): void => reject(new Error(`the thread of ${pointText(params)} ended with ${code}`));
  worker.on('message', hear).on('error', reject).on('exit', end);
  worker.ref();
  tell(worker, { kind: 'column', column, params });
  try {
    return await promise;
  } finally {
    worker.unref();
    worker.off('message', hear).off('error', reject).off('exit', end);
  }
}

function tell(worker: Worker, order: EngineOrder): void {
  worker.postMessage(order);
}
