// What a sweep's workers are given and what they say. All that is large lies in shared memory.
import type { SweepAccount, SweepBars } from './account.ts';
import type { SweepPath } from './column-runner.ts';
import type { SweepPlan } from './plan.ts';
import type { SweepPoint } from './strategy.ts';

export interface WorkerJob {
  readonly bars: SweepBars;
  /** A name, or the URL of a module whose default export is a `SweepStrategy`. */
  readonly strategy: string;
  readonly points: readonly SweepPoint[];
  readonly account: SweepAccount;
  readonly path: SweepPath;
  readonly drawdownLimit: number;
  /** Bars a year. */
  readonly perYear: number;
  readonly plan: SweepPlan;
  readonly slots: readonly Float64Array[];
  /** Per slot: 1 where its indicator could not be computed. */
  readonly brokenSlots: Int32Array;
  /** Figures by column, in the order of METRIC_NAMES. */
  readonly figures: Float64Array;
  /** By the places below. */
  readonly control: Int32Array;
  /** Columns between two words to the main thread. */
  readonly batch: number;
}

/** The next task that nobody has taken. */
export const NEXT_TASK = 0;
/** Tasks that have finished. */
export const FINISHED = 1;
/** Not 0: take no more. */
export const STOPPED = 2;
export const CONTROL_PLACES = 3;

export interface ColumnFailure {
  readonly column: number;
  readonly words: string;
}

export interface FinishedBatch {
  /** Those that have figures. */
  readonly columns: readonly number[];
  /** Those that fell beyond the limit. */
  readonly stopped: readonly number[];
  readonly failures: readonly ColumnFailure[];
}

export type WorkerWord =
  | ({ readonly kind: 'columns' } & FinishedBatch)
  /** It has no more to take. */
  | { readonly kind: 'ended' }
  /** The job itself cannot be done, such as a strategy that does not load. */
  | { readonly kind: 'refused'; readonly words: string };
