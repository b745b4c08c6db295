// What a subject said of a world, as columns: one value a row, NaN where it said nothing.

export interface Trace {
  /** By name: `trend`, `bands.upper`, `stance`. As many values as the world has rows. */
  readonly columns: ReadonlyMap<string, Float64Array>;
  /** It threw: the row where that is known, and its words. Later rows are NaN. */
  readonly failure: { readonly row: number | undefined; readonly words: string } | undefined;
}

/** Two ways to the same number differ in their last digits: what is below this part of a column's largest value is rounding. */
const ROUNDING = 1e-9;

/** By column, what a difference has to exceed. */
export type Tolerances = ReadonlyMap<string, number>;

export function tolerancesOf({ columns }: Trace): Tolerances {
  return new Map(
    [...columns].map(([name, column]) => {
      let largest = 0;
      for (const value of column) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
      return [name, largest * ROUNDING];
    }),
  );
}

/** Whether two values are two: one is no number and the other is, or they are further apart than rounding. */
export function differs(left: number, right: number, tolerance: number): boolean {
  if (Object.is(left, right) || (Number.isNaN(left) && Number.isNaN(right))) return false;
  return !(Math.abs(left - right) <= tolerance);
}

export interface Difference {
  readonly column: string;
  readonly row: number;
  readonly expected: number;
  readonly found: number;
}

/** The first row at which two traces differ, and of several columns there the first; undefined when the first `rows` are the same. */
export function firstDifference(expected: Trace, found: Trace, tolerances: Tolerances, rows: number): Difference | undefined {
  let first: Difference | undefined;
  for (const [column, values] of expected.columns) {
    const others = found.columns.get(column);
    const end = first?.row ?? rows;
    for (let row = 0; row < end; row++) {
      const [one, other] = [values[row] ?? NaN, others?.[row] ?? NaN];
      if (!differs(one, other, tolerances.get(column) ?? 0)) continue;
      first = { column, row, expected: one, found: other };
      break;
    }
  }
  return first;
}
