// Rows out of what is a table already: freqtrade's JSON and feather files. Each value is judged as the text of a CSV file would be.
import { rowFault, sideOf, numberOfId } from './csv.ts';
import type { RowSink } from './csv.ts';
import { findColumns } from './columns.ts';
import type { ColumnNames, CsvLayout, Field } from './columns.ts';

export interface TableSource {
  readonly path: string;
  readonly names: readonly string[];
  readonly rows: number;
  value(column: number, row: number): unknown;
}

/** Hands over every row. A fault is named with the number of its row, the first being 1. @throws BallastError CSV_ROW_CORRUPT, COLUMNS_UNKNOWN */
export function takeRows(table: TableSource, sink: RowSink, layout: CsvLayout, columns: ColumnNames): void {
  const found = findColumns(table.names, layout, columns, table.path);
  sink.begin(
    found.map(({ field }) => field),
    found.map(({ column }) => table.names[column] ?? ''),
  );
  const values = new Float64Array(found.length);
  for (let row = 0; row < table.rows; row += 1) {
    for (const [place, { field, column }] of found.entries()) {
      const value = column < 0 ? null : table.value(column, row);
      const number = numberOf(value, field);
      if (number === undefined) {
        throw rowFault(`${table.path}:${row + 1}`, {
          found: `${field.role} ${JSON.stringify(value) ?? 'nothing'}`,
          expected: field.expected,
        });
      }
      values[place] = number;
    }
    const fault = sink.row(values, row + 1, false);
    if (fault !== undefined) throw rowFault(`${table.path}:${row + 1}`, fault, fault.remedy);
  }
}

function numberOf(value: unknown, { type, isOptional }: Field): number | undefined {
  if (value === null || value === undefined || value === '') return isOptional ? NaN : undefined;
  if (type === 'side') return typeof value === 'string' ? sideOf(value) : undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') return undefined;
  if (type === 'id') return numberOfId(String(value));
  const number = Number(value);
  if (Number.isNaN(number) && isOptional) return NaN;
  return Number.isFinite(number) ? number : undefined;
}
