// Months of bars as Parquet files.
import { crc32 } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { BallastError } from '../../domain/errors.ts';
import { formatTime } from '../../domain/time.ts';
import type { BarColumns } from '../../domain/bars.ts';
import type { TimeMs } from '../../domain/time.ts';
import { createTable, doublesOf, firstLine, pathList, quoted } from './duck.ts';
import type { Duck } from './duck.ts';
import { monthEnd, monthStart } from './series.ts';

export interface MonthFile {
  /** `2021-01`. */
  readonly month: string;
  readonly path: string;
}

export interface MonthBars extends MonthFile {
  readonly bars: BarColumns;
}

export interface MonthSummary {
  readonly path: string;
  readonly rows: number;
  readonly firstMs: TimeMs;
  readonly lastMs: TimeMs;
}

/** The columns in the order of the file. */
export const COLUMN_NAMES = ['openAt', 'open', 'high', 'low', 'close', 'volume'] as const satisfies readonly (keyof BarColumns)[];

/** A double carries milliseconds exactly, so no bigint is made per row. */
const SELECT = 'SELECT CAST(open_at AS DOUBLE), "open", high, low, "close", volume';
/** And as the files keep it. */
const STORED = 'CAST(open_at AS BIGINT) AS open_at, "open", high, low, "close", volume';

/** In each file's metadata, so that a bit flipped on the disk is found even where the file still decodes. */
const CHECKSUM_KEY = 'ballast_checksum';

export class ParquetMonths {
  readonly #duck: Duck;

  constructor(duck: Duck) {
    this.#duck = duck;
  }

  /**
   * Gives `work` a function that writes some of the bars as a file. They are handed to DuckDB once: a table for each month takes as long
   * as writing it.
   */
  async writing(
    bars: BarColumns,
    work: (write: (path: string, from: number, to: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await this.#duck.withConnection(async (connection) => {
      await createTable(connection, 'bars', tableOf(bars), bars.openAt.length);
      await work(async (path, from, to) => {
        const metadata = `KV_METADATA {${CHECKSUM_KEY}: ${quoted(checksumOf(bars, from, to))}}`;
        const rows = `SELECT ${STORED} FROM bars WHERE rowid >= ${from} AND rowid < ${to}`;
        await connection.run(`COPY (${rows}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, ${metadata})`);
      });
    });
  }

  /**
   * Writes the bars that a merge replaced, after those of the file of the same kind that is there already.
   * @param correctedAt when they were replaced; undefined where nobody said
   */
  async writeCorrections(path: string, before: string | undefined, replaced: BarColumns, correctedAt: TimeMs | undefined): Promise<void> {
    await this.#duck.withConnection(async (connection) => {
      await createTable(connection, 'replaced', tableOf(replaced), replaced.openAt.length);
      const earlier = before === undefined ? '' : `SELECT * FROM read_parquet(${pathList([{ path: before }])}) UNION ALL `;
      const rows = `${earlier}SELECT ${correctedAt ?? 'NULL'}::BIGINT AS corrected_at, ${STORED} FROM replaced`;
      await connection.run(`COPY (${rows}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`);
    });
  }

  /**
   * The files' bars, month by month: each whole, and checked before it is handed over.
   * @param files oldest first
   * @throws BallastError STORE_FILE_CORRUPT
   */
  async *read(files: readonly MonthFile[], timeframeMs: TimeMs): AsyncGenerator<MonthBars> {
    const [first, ...others] = files;
    if (first === undefined) return;
    const connection = await this.#duck.connect();
    try {
      const checksums = await readChecksums(connection, files);
      let reader = new MonthReader(first, timeframeMs, checksums);
      const result = await connection.stream(`${SELECT} FROM ${source(files)}`);
      for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        const columns: Float64Array[] = [];
        for (let index = 0; index < COLUMN_NAMES.length; index += 1) columns.push(doublesOf(chunk.getColumnVector(index)));
        for (let row = reader.take(columns, 0); row < chunk.rowCount; row = reader.take(columns, row)) {
          yield reader.finish();
          const next = others.shift();
          if (next === undefined) throw corrupt(reader.file.path, 'bars after the end of its month');
          reader = new MonthReader(next, timeframeMs, checksums);
        }
      }
      yield reader.finish();
      for (const file of others) yield new MonthReader(file, timeframeMs, checksums).finish();
    } catch (error) {
      if (error instanceof BallastError) throw error;
      throw await blame(connection, files, error);
    } finally {
      connection.disconnectSync();
    }
  }

  /** Rows and range of each file, from its footer alone. @throws BallastError STORE_FILE_CORRUPT */
  async summarise(files: readonly MonthFile[]): Promise<MonthSummary[]> {
    if (files.length === 0) return [];
    return this.#duck.withConnection(async (connection) => {
      try {
        const result = await connection.runAndReadAll(
          `SELECT file_name, sum(row_group_num_rows)::DOUBLE, min(stats_min_value::BIGINT)::DOUBLE, max(stats_max_value::BIGINT)::DOUBLE
           FROM parquet_metadata(${pathList(files)}) WHERE path_in_schema = 'open_at' GROUP BY file_name`,
        );
        return result.getRows().map(([path, rows, firstMs, lastMs]) => {
          return { path: String(path), rows: Number(rows), firstMs: Number(firstMs), lastMs: Number(lastMs) };
        });
      } catch (error) {
        throw await blame(connection, files, error);
      }
    });
  }

  /** Rows of each file of corrections. */
  async countRows(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (paths.length === 0) return new Map();
    return this.#duck.withConnection((connection) => countRows(connection, paths));
  }
}

/** From the footers alone. */
export async function countRows(connection: DuckDBConnection, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const files = pathList(paths.map((path) => ({ path })));
  const result = await connection.runAndReadAll(`SELECT file_name, num_rows::DOUBLE FROM parquet_file_metadata(${files})`);
  return new Map(result.getRows().map(([path, rows]) => [String(path), Number(rows)]));
}

/** Collects one file's rows out of a stream in which the files follow each other, and holds them to what a month of bars must be. */
class MonthReader {
  readonly file: MonthFile;
  readonly #columns: readonly Float64Array[];
  readonly #endAt: TimeMs;
  readonly #checksum: string | undefined;
  #rows = 0;
  #lastAt: TimeMs;

  constructor(file: MonthFile, timeframeMs: TimeMs, checksums: ReadonlyMap<string, string>) {
    const startAt = monthStart(file.month);
    this.file = file;
    this.#endAt = monthEnd(file.month);
    this.#lastAt = startAt - 1;
    this.#checksum = checksums.get(file.path);
    const capacity = Math.ceil((this.#endAt - startAt) / timeframeMs);
    this.#columns = COLUMN_NAMES.map(() => new Float64Array(capacity));
  }

  /** Copies this month's rows from `row` on; returns the first row that is not this month's. */
  take(chunk: readonly Float64Array[], row: number): number {
    const times = chunk[0] ?? new Float64Array();
    let end = row;
    let lastAt = this.#lastAt;
    for (; end < times.length; end += 1) {
      const at = times[end] ?? NaN;
      if (at >= this.#endAt) break;
      if (!(at > lastAt)) throw corrupt(this.file.path, `a bar of ${formatTime(at)} after ${formatTime(lastAt)}`);
      lastAt = at;
    }
    const room = (this.#columns[0]?.length ?? 0) - this.#rows;
    if (end - row > room) throw corrupt(this.file.path, 'more bars than its month has room for');
    for (const [index, column] of this.#columns.entries()) column.set((chunk[index] ?? times).subarray(row, end), this.#rows);
    this.#rows += end - row;
    this.#lastAt = lastAt;
    return end;
  }

  finish(): MonthBars {
    const [openAt, open_, high, low, close, volume] = this.#columns.map((column) => column.subarray(0, this.#rows));
    if (!openAt || !open_ || !high || !low || !close || !volume) throw corrupt(this.file.path, 'missing columns');
    const bars = { openAt, open: open_, high, low, close, volume };
    if (this.#checksum !== undefined && this.#checksum !== checksumOf(bars)) {
      throw corrupt(this.file.path, `bars with the checksum ${checksumOf(bars)}`, `${this.#checksum}, as they were written`);
    }
    return { ...this.file, bars };
  }
}

/** Rows and a CRC-32 over all columns. */
function checksumOf(bars: BarColumns, from = 0, to = bars.openAt.length): string {
  let crc = 0;
  for (const name of COLUMN_NAMES) {
    const column = bars[name].subarray(from, to);
    crc = crc32(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), crc);
  }
  return `${to - from}-${crc.toString(16).padStart(8, '0')}`;
}

/** Files without one were written by another tool; they are read, and not vouched for. */
async function readChecksums(connection: DuckDBConnection, files: readonly MonthFile[]): Promise<Map<string, string>> {
  const result = await connection.runAndReadAll(
    `SELECT file_name, decode(value) FROM parquet_kv_metadata(${pathList(files)}) WHERE decode(key) = ${quoted(CHECKSUM_KEY)}`,
  );
  return new Map(result.getRows().map(([path, checksum]) => [String(path), String(checksum)]));
}

function tableOf(bars: BarColumns): ReadonlyMap<string, Float64Array> {
  return new Map(COLUMN_NAMES.map((name) => [name === 'openAt' ? 'open_at' : name, bars[name]]));
}

function source(files: readonly MonthFile[]): string {
  return `read_parquet(${pathList(files)}, hive_partitioning = false)`;
}

/** DuckDB does not always say which of many files it could not read: asks for each alone. */
async function blame(connection: DuckDBConnection, files: readonly MonthFile[], cause: unknown): Promise<BallastError> {
  for (const file of files) {
    try {
      // A sum has to read every value, where a count or a maximum may be answered from the footer.
      await connection.run(`SELECT sum(open_at), sum("open"), sum(high), sum(low), sum("close"), sum(volume) FROM ${source([file])}`);
    } catch (error) {
      return corrupt(file.path, `a file that does not read (${firstLine(error)})`, 'a month of bars in Parquet', error);
    }
  }
  return new BallastError({
    code: 'STORE_READ_FAILED',
    place: files[0]?.path ?? 'store',
    found: firstLine(cause),
    expected: 'bars to be read',
    cause,
  });
}

function corrupt(
  path: string,
  found: string,
  expected = 'bars in the order of time, each once, of the month in its name',
  cause?: unknown,
): BallastError {
  return new BallastError({
    code: 'STORE_FILE_CORRUPT',
    place: path,
    found,
    expected,
    remedy: 'move the file away and import the data of its month again with `ballast data import`',
    cause,
  });
}
