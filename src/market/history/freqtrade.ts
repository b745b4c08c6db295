// freqtrade's data files: JSON (lists of lists, https://www.freqtrade.io/en/stable/data-download) and feather, which is Arrow's IPC format.
import { zstdDecompressSync } from 'node:zlib';
import type { RowSink } from './csv.ts';
import { BAR_LAYOUT } from './columns.ts';
import type { ColumnNames, CsvLayout } from './columns.ts';
import { firstLine } from './duck.ts';
import { unreadable, WholeFile } from './files.ts';
import type { Parser } from './files.ts';
import type { RecordKind } from './kinds.ts';
import { RECORD_LAYOUTS } from './layouts.ts';
import { unpackLz4 } from './lz4.ts';
import { takeRows } from './table-rows.ts';
import type { TableSource } from './table-rows.ts';

const BAR_NAMES = ['date', 'open', 'high', 'low', 'close', 'volume'];
const TRADE_NAMES = ['timestamp', 'id', 'type', 'side', 'price', 'amount', 'cost'];

/** Of bars, trades, funding rates (which stand in the column of the open), mark and index prices (the close of their bars). */
export function freqtradeParser(path: string, kind: RecordKind | 'bars', sink: RowSink): Parser {
  const layout: CsvLayout = kind === 'bars' ? BAR_LAYOUT : RECORD_LAYOUTS[kind];
  const columns: ColumnNames = kind === 'funding' ? { rate: 'open' } : {};
  return new WholeFile(async (bytes) => {
    const isFeather = bytes.subarray(0, 6).toString('latin1') === 'ARROW1';
    const table = isFeather ? await featherTable(path, bytes) : jsonTable(path, bytes, kind === 'trades' ? TRADE_NAMES : BAR_NAMES);
    takeRows(table, sink, layout, columns);
  });
}

function jsonTable(path: string, bytes: Buffer, names: readonly string[]): TableSource {
  let rows: unknown;
  let cause: unknown;
  try {
    rows = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    cause = error;
  }
  const isTable = (value: unknown): value is readonly (readonly unknown[])[] =>
    Array.isArray(value) && value.every((row) => Array.isArray(row));
  if (!isTable(rows)) {
    throw unreadable(
      path,
      cause === undefined ? 'JSON that is no list of lists' : firstLine(cause),
      'JSON or feather as freqtrade writes it',
      cause,
    );
  }
  return { path, names, rows: rows.length, value: (column, row) => rows[row]?.[column] };
}

async function featherTable(path: string, bytes: Buffer): Promise<TableSource> {
  const { compressionRegistry, CompressionType, tableFromIPC } = await import('apache-arrow');
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: unpackLz4 });
  compressionRegistry.set(CompressionType.ZSTD, { decode: (packed) => zstdDecompressSync(packed) });
  try {
    const table = tableFromIPC(bytes);
    const names = table.schema.fields.map((field) => field.name);
    const columns = names.map((name) => table.getChild(name));
    return { path, names, rows: table.numRows, value: (column, row): unknown => columns[column]?.get(row) };
  } catch (error) {
    throw unreadable(path, firstLine(error), 'a whole feather file', error);
  }
}
