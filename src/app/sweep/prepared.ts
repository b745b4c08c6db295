// What a sweep is made of once its bars are loaded, whether kernels or engines run its columns.
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { ColumnPool } from '../../lab/sweep/column-pool.ts';
import type { Constraint } from '../../lab/sweep/grid.ts';
import type { SearchName } from '../../lab/sweep/search.ts';
import type { ParameterField } from '../../lab/sweep/space.ts';
import type { SweepPoint } from '../../lab/sweep/strategy.ts';
import type { SweepSubject } from '../../lab/sweep/sweep-run.ts';
import type { BarRange } from '../../market/history/store.ts';
import type { FillRule } from '../../venues/simulated/rules.ts';
import type { BacktestRequest } from '../backtest.ts';

export interface SweepOrder extends Omit<BacktestRequest, 'parameters' | 'warmup' | 'onProgress' | 'signal' | 'onNotice'> {
  /** In words, `fast=5..50:5,slow=20|50`; with a search its ranges. */
  readonly grid: string | undefined;
  /** Path of a JSON array of parameter objects. */
  readonly points: string | undefined;
  /** Undefined for all of a grid or a list. */
  readonly search: SearchName | undefined;
  /** Of a search. */
  readonly trials: number;
  /** Undefined for what is usual: `next-open`, but for kernels that say otherwise. */
  readonly fill: FillRule | undefined;
  /** Undefined for what is usual: `none` for kernels, `auto` for engines. */
  readonly warmup: 'auto' | 'none' | undefined;
  /** A name, or the path of a file. */
  readonly objective: string;
  /** Part of its peak that a column may lose before it is stopped; undefined for all of it. */
  readonly drawdownLimit: number | undefined;
  readonly workers: number;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface PreparedSweep {
  readonly subject: Omit<SweepSubject, 'search' | 'drawdownLimit'>;
  /** As the ledger of trials names them. */
  readonly series: readonly string[];
  /** What determines the rows beside the parameters, as plain data, and the bars themselves. */
  readonly identity: unknown;
  readonly columns: readonly Float64Array[];
  readonly constraint: Constraint;
  /** The parameter schema. */
  readonly fields: Readonly<Record<string, ParameterField>>;
  pool(): ColumnPool;
  fillsOf(params: SweepPoint): Promise<readonly unknown[]>;
  /** Of everything that determines the result of a column: what the ledger knows it by. */
  trialId(params: SweepPoint): Promise<string>;
}

/** No bars in the range. */
export function rangeEmpty({
  symbol,
  timeframeMs,
  fromMs,
  toMs,
}: Pick<BarRange, 'symbol' | 'timeframeMs' | 'fromMs' | 'toMs'>): BallastError {
  const bound = (at: number | undefined, end: string): string => (at === undefined ? end : formatTime(at));
  return new BallastError({
    code: 'RANGE_EMPTY',
    place: '--from and --to',
    found: `no ${formatSpan(timeframeMs)} bars of ${symbol} from ${bound(fromMs, 'the first')} to ${bound(toMs, 'the last')}`,
    expected: 'a range within the stored one',
    remedy: 'ballast data ls tells it',
    exitCode: 2,
  });
}
