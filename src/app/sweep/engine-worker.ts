// A thread of a sweep by the engine: one column at a time, as it is told. Its bars lie in memory that all threads share.
import { parentPort } from 'node:worker_threads';
import type { BarColumns } from '../../domain/bars.ts';
import type { ColumnOutcome } from '../../lab/sweep/column-pool.ts';
import type { SweepPoint } from '../../lab/sweep/strategy.ts';
import { withParameters, type Recipe } from '../recipe.ts';
import { runEngineColumn } from './engine-column.ts';

export interface EngineJob {
  readonly home: string;
  /** Of all columns; their parameters replace those of its only strategy. */
  readonly recipe: Recipe;
  readonly warmup: 'auto' | 'none';
  readonly bars: readonly BarColumns[];
  readonly drawdownLimit: number;
  /** One number in shared memory: not 0 ends the column that is being run. */
  readonly stop: Int32Array;
}

export type EngineOrder =
  | { readonly kind: 'job'; readonly job: EngineJob }
  | { readonly kind: 'column'; readonly column: number; readonly params: SweepPoint };

/** Without an outcome where it was stopped. */
export interface EngineWord {
  readonly column: number;
  readonly outcome: ColumnOutcome | undefined;
}

const port = parentPort;
if (port === null) throw new Error('broken invariant: a worker of a sweep has a parent');

let job: EngineJob | undefined;

port.on('message', (order: EngineOrder) => {
  if (order.kind === 'job') {
    job = order.job;
    return;
  }
  const { column } = order;
  columnOf(order.params).then(
    (outcome) => say({ column, outcome }),
    // Whatever it was, it is this column's: the others go on, and it is told with its parameters.
    (cause: unknown) => say({ column, outcome: { failure: cause instanceof Error ? cause.message : String(cause) } }),
  );
});

function say(word: EngineWord): void {
  port?.postMessage(word);
}

async function columnOf(params: SweepPoint): Promise<ColumnOutcome | undefined> {
  if (job === undefined) throw new Error('broken invariant: a job comes before its columns');
  const { home, recipe: template, warmup, bars, drawdownLimit, stop } = job;
  const { recipe, plan } = await withParameters(template, params, warmup, home);
  const ran = await runEngineColumn({ recipe, plan, bars, drawdownLimit, isStopping: () => Atomics.load(stop, 0) !== 0 });
  return ran?.outcome;
}
