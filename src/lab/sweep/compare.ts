// Sweeps side by side: what the same parameters were worth in each, and whether what was good in one is good in another.
import { correlation } from '../../quant/statistics.ts';
import { ranked, type Objective } from './objective.ts';
import type { SweepPoint } from './strategy.ts';
import type { SweepDocument } from './sweep-run.ts';

export interface ComparedRow {
  readonly params: SweepPoint;
  /** Of the objective, by sweep. */
  readonly values: readonly number[];
  /** From 1 on, among the common ones, by sweep. */
  readonly ranks: readonly number[];
}

export interface Comparison {
  /** Parameters that all sweeps have tried and can say the objective of, by their mean rank. */
  readonly rows: readonly ComparedRow[];
  /**
   * Of the first sweep's ranks with each other's (Spearman 1904): near 1, what was good there is good here; near 0, the first one's best was
   * luck. Null with fewer than three common rows.
   */
  readonly rankCorrelations: readonly (number | null)[];
}

/** @param objectives of each sweep, by the same name: those that need years differ by their length */
export function compareSweeps(sweeps: readonly SweepDocument[], objectives: readonly Objective[]): Comparison {
  const valuesOf = sweeps.map(({ rows }, index) => {
    const objective = objectives[index];
    const measured = objective === undefined ? [] : ranked(rows, objective);
    return new Map(measured.map(({ params, value }) => [keyOf(params), { params, value }]));
  });
  const [first, ...others] = valuesOf;
  const common = [...(first?.entries() ?? [])].filter(([key]) => others.every((each) => each.has(key)));
  const values = valuesOf.map((each) => common.map(([key]) => each.get(key)?.value ?? NaN));
  const ranks = values.map(ranksOf);
  const rows = common.map(([, { params }], row): ComparedRow => {
    const at = (columns: readonly (readonly number[])[]): number[] => columns.map((column) => column[row] ?? NaN);
    return { params, values: at(values), ranks: at(ranks) };
  });
  const [leading = []] = ranks;
  return {
    rows: rows.toSorted((one, other) => sum(one.ranks) - sum(other.ranks)),
    rankCorrelations: ranks.slice(1).map((each) => (common.length < 3 ? null : finite(correlation(leading, each)))),
  };
}

/** The same parameters in another order are the same. */
function keyOf(params: SweepPoint): string {
  return JSON.stringify(Object.entries(params).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** From 1 for the greatest; equal ones share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((one, other) => (values[other] ?? NaN) - (values[one] ?? NaN));
  const ranks = values.map(() => NaN);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end] ?? -1] === values[order[start] ?? -1]) end++;
    for (const index of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
