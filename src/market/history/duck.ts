// DuckDB, in memory, for reading and writing Parquet. Loaded with the first file and not before: it costs 60 ms.
import type { DuckDBConnection, DuckDBInstance, DuckDBVector } from '@duckdb/node-api';
import { reasonOf } from '../../domain/words.ts';

const APPEND_ROWS = 2048;

/** One instance, opened when it is first needed. */
export class Duck {
  #instance: Promise<DuckDBInstance> | undefined;

  /** The caller disconnects it. */
  async connect(): Promise<DuckDBConnection> {
    this.#instance ??= import('@duckdb/node-api').then(async ({ DuckDBInstance: duckdb }) =>
      duckdb.create(':memory:', {
        // Nothing is fetched from the network, nothing is spilled into the user's folder, and files are left to the system's cache,
        // so that memory stays flat however long the history is.
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        enable_external_file_cache: 'false',
        temp_directory: '',
      }),
    );
    return (await this.#instance).connect();
  }

  async withConnection<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      return await work(connection);
    } finally {
      connection.disconnectSync();
    }
  }

  async close(): Promise<void> {
    const instance = this.#instance;
    this.#instance = undefined;
    (await instance)?.closeSync();
  }
}

/** Numbers as they are, or words. */
export type Column = Float64Array | readonly string[];

/** Makes a temporary table of DOUBLE and VARCHAR columns and fills it. */
export async function createTable(
  connection: DuckDBConnection,
  table: string,
  columns: ReadonlyMap<string, Column>,
  rows: number,
): Promise<void> {
  const { DOUBLE, DuckDBDataChunk, VARCHAR } = await import('@duckdb/node-api');
  const types = [...columns.values()].map((column) => (column instanceof Float64Array ? DOUBLE : VARCHAR));
  const definitions = [...columns.keys()].map((name, index) => `"${name}" ${types[index] === DOUBLE ? 'DOUBLE' : 'VARCHAR'}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (${definitions.join(', ')})`);
  const appender = await connection.createAppender(table);
  for (let from = 0; from < rows; from += APPEND_ROWS) {
    const to = Math.min(from + APPEND_ROWS, rows);
    const chunk = DuckDBDataChunk.create(types, to - from);
    for (const [index, column] of [...columns.values()].entries()) {
      const vector = chunk.getColumnVector(index);
      const items: unknown = Reflect.get(vector, 'items');
      // See doublesOf: whole columns at once where this version keeps them so, one by one where it does not.
      if (column instanceof Float64Array && items instanceof Float64Array) items.set(column.subarray(from, to));
      else for (let row = from; row < to; row += 1) vector.setItem(row - from, column[row] ?? null);
      vector.flush();
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/**
 * A column's numbers. DuckDB's vectors keep them as a typed array, which is no documented part of its API but three times faster than asking
 * for each; where a later version has none, each is asked for. Valid until the next chunk is fetched.
 */
export function doublesOf(vector: DuckDBVector): Float64Array {
  const items: unknown = Reflect.get(vector, 'items');
  if (items instanceof Float64Array && items.length === vector.itemCount) return items;
  return Float64Array.from({ length: vector.itemCount }, (_, row) => Number(vector.getItem(row) ?? NaN));
}

/** DuckDB reads `[`, `*` and `?` in a path as a pattern, and a home folder may be named anything. */
export function pathList(files: readonly { readonly path: string }[]): string {
  return `[${files.map((file) => quoted(file.path.replace(/[[*?]/g, '[$&]'))).join(', ')}]`;
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function firstLine(error: unknown, place = ''): string {
  const text = reasonOf(error, place);
  return text.split('\n', 1)[0] ?? text;
}
