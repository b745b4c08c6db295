// What runs the columns of a sweep, whatever it runs them with: kernels over typed columns (`Sweeper`), or engines, one a thread.
import type { ColumnMetrics } from './column-metrics.ts';
import type { SweepPoint } from './strategy.ts';

/** What became of a column: its figures, or why it has none. */
export type ColumnOutcome =
  | { readonly metrics: ColumnMetrics; readonly failure?: undefined; readonly stopped?: undefined }
  | { readonly metrics?: undefined; readonly failure: string; readonly stopped?: undefined }
  /** Hopeless, and given up before its end. */
  | { readonly metrics?: undefined; readonly failure?: undefined; readonly stopped: string };
export type SweepRow = { readonly params: SweepPoint } & ColumnOutcome;

export interface ColumnOptions {
  /** Columns that an earlier, interrupted sweep has finished: they are not run again. */
  readonly known?: ReadonlyMap<number, ColumnOutcome>;
  /** As columns finish, in whatever order. */
  readonly onColumn?: (column: number, outcome: ColumnOutcome) => void;
  readonly signal?: AbortSignal;
}

export interface ColumnPool {
  /**
   * Rows in the order of the points, the same for any number of threads. A column that throws is a row with its failure; it stops nothing.
   * Aborted, the columns that were not run are missing from `onColumn` and it throws.
   */
  run(points: readonly SweepPoint[], options: ColumnOptions): Promise<readonly SweepRow[]>;
  close(): Promise<void>;
}

/** What is said of a column that fell further than its user would bear. */
export function stoppedWords(drawdownLimit: number): string {
  return `its drawdown passed ${Number((100 * drawdownLimit).toPrecision(4))} %`;
}
