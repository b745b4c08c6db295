// As much of a database as the journal needs. SQLite is the one; a test wraps it, so that its disk fills up.
import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

export type Value = string | number | Uint8Array | null;
export type Columns = Readonly<Record<string, Value | bigint>>;

/** Everything throws as SQLite does; what that means is the journal's to say. */
export interface Database {
  /** Any SQL without parameters. */
  execute(sql: string): void;
  /** One statement that writes. */
  run(sql: string, ...values: Value[]): void;
  /** One statement that reads, row by row. */
  rows(sql: string, ...values: Value[]): Iterable<Columns>;
  close(): void;
}

export type Connect = (path: string, readOnly: boolean) => Database;

/** How long to wait for another process that holds the file, before that is an error; the journal waits less where an order waits for it. */
const BUSY_MS = 10_000;
const SQLITE_BUSY = 5;

/** Somebody else holds the file; nothing was written. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;
}

export function connectSqlite(path: string, readOnly: boolean): Database {
  // A file without a log has no writer: read as it lies there, it needs no locks and gets no companion files.
  const location = readOnly && !existsSync(`${path}-wal`) ? immutable(path) : path;
  const database = new DatabaseSync(location, { readOnly, timeout: BUSY_MS });
  const prepared = new Map<string, StatementSync>();
  return {
    execute: (sql) => database.exec(sql),
    run(sql, ...values) {
      let statement = prepared.get(sql);
      if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
      statement.run(...values);
    },
    // Prepared anew each time: two readers of the same rows must not share a cursor.
    rows: (sql, ...values) => database.prepare(sql).iterate(...values),
    close: () => database.close(),
  };
}

function immutable(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}
