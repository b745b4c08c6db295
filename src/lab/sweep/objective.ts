// What "best" means: a number for each column, the more the better.
import type { ColumnMetrics } from './column-metrics.ts';
import type { SweepRow } from './column-pool.ts';
import type { SweepPoint } from './strategy.ts';

export interface Objective {
  readonly name: string;
  /** The more the better; null is "cannot be said", and such a column is never the best. */
  value(metrics: ColumnMetrics, params: SweepPoint): number | null;
}

/** By name. `penalisedReturn` is the annual growth less the deepest fall: a point of drawdown costs a point of growth. */
export const OBJECTIVES = [
  'sharpe',
  'sortino',
  'calmar',
  'totalReturn',
  'profitFactor',
  'expectancy',
  'winRate',
  'maxDrawdown',
  'penalisedReturn',
] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

/** Those that are a figure of the column itself, whatever its length. */
export const METRIC_OBJECTIVES = OBJECTIVES.filter((name) => name !== 'penalisedReturn');
export type MetricObjective = (typeof METRIC_OBJECTIVES)[number];

/** @param years that the columns are of */
export function objectiveNamed(name: ObjectiveName, years: number): Objective {
  switch (name) {
    case 'maxDrawdown':
      // The least is best.
      return { name, value: ({ maxDrawdown }) => -maxDrawdown };
    case 'penalisedReturn':
      return { name, value: ({ totalReturn, maxDrawdown }) => finite(Math.max(0, 1 + totalReturn) ** (1 / years) - 1 - maxDrawdown) };
    default:
      return { name, value: (metrics) => metrics[name] };
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export interface MeasuredRow {
  readonly params: SweepPoint;
  readonly metrics: ColumnMetrics;
  readonly value: number;
}

/** The columns that have a value, the best first; equal ones in their order. */
export function ranked(rows: readonly SweepRow[], objective: Objective): MeasuredRow[] {
  return rows
    .flatMap(({ params, metrics }): MeasuredRow[] => {
      const value = metrics === undefined ? null : objective.value(metrics, params);
      return metrics === undefined || value === null ? [] : [{ params, metrics, value }];
    })
    .toSorted((one, other) => other.value - one.value);
}
