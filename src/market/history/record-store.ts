// The history of everything besides bars on disk, beside the bars and under the same publication: an import is there whole or not at all.
// The work on rows is SQL: what is new, what is corrected and what is known already are joins on the key of the kind.
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { BallastError } from '../../domain/errors.ts';
import type { TimeMs } from '../../domain/time.ts';
import { createTable, doublesOf, Duck, firstLine, pathList, quoted } from './duck.ts';
import type { Column } from './duck.ts';
import { KINDS, quotedName, RECORD_KINDS, recordFolder, storedName, subjectOfFolder } from './kinds.ts';
import type { ColumnsByKind, ColumnType, KindSpec, RecordKind, RecordSeries } from './kinds.ts';
import { countRows } from './parquet.ts';
import type { MonthFile } from './parquet.ts';
import { publishing, REAL_DISK, settled } from './publication.ts';
import type { Disk, Publication } from './publication.ts';
import { CORRECTIONS_FILE, fileOfMonth, isVenueFolder, monthEnd, monthOfFile, namesIn } from './series.ts';
import type { StoreOptions } from './store.ts';

export interface StoredRecords extends RecordSeries {
  /** `happenedAt` of the first and the last row. */
  readonly firstMs: TimeMs;
  readonly lastMs: TimeMs;
  readonly rows: number;
  /** Rows that a later import replaced; what they were is kept beside the months. */
  readonly corrections: number;
  readonly notes: SeriesNotes;
}

/** What is known of a whole series, in `series.json` beside its months. */
export interface SeriesNotes {
  /** Captures whose local clock ran early, and by how much: their `at` has been shifted by it already. */
  readonly captures: readonly CaptureNote[];
  /** Trades one by one, or those that one order made at one price as one: the two are numbered differently and never mixed. */
  readonly grain?: TradeGrain;
}

export interface CaptureNote {
  readonly fromMs: TimeMs;
  readonly toMs: TimeMs;
  readonly clockOffsetMs: number;
}

export type TradeGrain = 'trade' | 'aggregate';

/** Rows that were known at or after `fromMs` and before `toMs`; left out, a bound is the series' own. */
export interface RecordRange<Kind extends RecordKind = RecordKind> extends RecordSeries {
  readonly kind: Kind;
  readonly fromMs?: TimeMs | undefined;
  readonly toMs?: TimeMs | undefined;
}

/** The columns of a kind, by name, in any order. */
export interface RecordBatch extends RecordSeries {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** Where a row was read, for messages: `FILE:LINE`. */
  readonly placeOf: (row: number) => string;
  readonly capture?: CaptureNote | undefined;
  readonly grain?: TradeGrain | undefined;
}

export interface RecordMergeReport extends RecordSeries {
  readonly rowsRead: number;
  /** Rows that said again what another row had said. */
  readonly duplicates: number;
  readonly added: number;
  readonly unchanged: number;
  /** Rows whose values the new ones replaced. */
  readonly corrected: number;
  /** Of those added: new versions of values that their source has restated. */
  readonly restated: number;
  /** `happenedAt` of the first and the last row read. */
  readonly firstMs: TimeMs;
  readonly lastMs: TimeMs;
}

export interface RecordMergeOptions {
  /** Wall time of the import, kept with the rows that it replaces. */
  readonly importedAt: TimeMs;
  /** When what is imported was published: a value that differs from the one in force then is known from then on. */
  readonly vintageMs?: TimeMs | undefined;
  readonly onProgress?: ((doneSeries: number, series: number) => void) | undefined;
}

/** Opens the history under a home folder as `openStore` does. @throws BallastError STORE_JOURNAL_CORRUPT, STORE_WRITE_FAILED */
export async function openRecords(home: string, options: StoreOptions = {}): Promise<RecordStore> {
  const data = resolve(home, 'data');
  const disk = options.disk?.(REAL_DISK) ?? REAL_DISK;
  await settled(data, disk);
  return new RecordStore(data, disk);
}

const ARRIVAL = 'arrival';
/** Rows of an import stand after those that were stored before it and are known at the same time. */
const AFTER_STORED = 2 ** 40;
const NOTES_FILE = 'series.json';
const LOAD_CHUNK_ROWS = 65_536;

export class RecordStore {
  readonly root: string;
  readonly #duck = new Duck();
  readonly #disk: Disk;

  constructor(data: string, disk: Disk) {
    this.root = data;
    this.#disk = disk;
  }

  /** Every series with its range, or those of one kind. @throws BallastError STORE_FILE_CORRUPT */
  async list(kind?: RecordKind): Promise<StoredRecords[]> {
    const all = this.#series().filter((series) => (kind ?? series.kind) === series.kind);
    if (all.length === 0) return [];
    return this.#duck.withConnection(async (connection) => {
      const spans = await this.#spans(
        connection,
        all.flatMap((series) => this.#files(series)),
      );
      const paths = all.map((series) => join(this.#folder(series), CORRECTIONS_FILE)).filter((path) => existsSync(path));
      const corrections = paths.length === 0 ? new Map<string, number>() : await countRows(connection, paths);
      return all.map((series) => {
        const months = this.#files(series)
          .map((file) => spans.get(file.path))
          .filter((span) => span !== undefined);
        return {
          ...series,
          firstMs: Math.min(...months.map((month) => month.happenedFromMs)),
          lastMs: Math.max(...months.map((month) => month.happenedToMs)),
          rows: months.reduce((rows, month) => rows + month.rows, 0),
          corrections: corrections.get(join(this.#folder(series), CORRECTIONS_FILE)) ?? 0,
          notes: this.#notes(series),
        };
      });
    });
  }

  /** The one venue that has this. @throws BallastError SERIES_UNKNOWN, VENUE_AMBIGUOUS */
  resolve({ kind, symbol, venue }: { readonly kind: RecordKind; readonly symbol: string; readonly venue?: string | undefined }): string {
    const all = this.#series();
    const found = all.filter((each) => each.kind === kind && each.symbol === symbol && (venue ?? each.venue) === each.venue);
    const [only, ...others] = found;
    if (only !== undefined && others.length === 0) return only.venue;
    if (only === undefined) throw unknown(this.root, { kind, symbol, venue }, all);
    throw new BallastError({
      code: 'VENUE_AMBIGUOUS',
      place: `${kind} ${symbol}`,
      found: `${found.length} venues: ${found.map((each) => each.venue).join(', ')}`,
      expected: 'exactly one, or the venue named',
      remedy: `add --venue ${only.venue}`,
      exitCode: 2,
    });
  }

  /** The rows of a range in the order in which they were known. @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT */
  async load<Kind extends RecordKind>(range: RecordRange<Kind>): Promise<ColumnsByKind[Kind]> {
    const parts: ColumnsByKind[Kind][] = [];
    for await (const part of this.stream(range, LOAD_CHUNK_ROWS)) parts.push(part);
    return joined<Kind>(KINDS[range.kind], parts);
  }

  /**
   * The same in pieces of at most `chunkRows`. A month's file is in this order already and is read bit by bit; only months in which rows
   * of a later one were known before the earlier was over (a restated metric) are sorted together in memory.
   * @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT
   */
  async *stream<Kind extends RecordKind>(range: RecordRange<Kind>, chunkRows: number): AsyncGenerator<ColumnsByKind[Kind]> {
    const { fromMs = -Infinity, toMs = Infinity } = range;
    const spec = KINDS[range.kind];
    const files = this.#files(range);
    if (files.length === 0) throw unknown(this.root, range, this.#series());
    const connection = await this.#duck.connect();
    try {
      const spans = [...(await this.#spans(connection, files)).values()].filter(
        (span) => span.knownToMs >= fromMs && span.knownFromMs < toMs,
      );
      const buffer = new ChunkBuffer(spec, chunkRows);
      for (const cluster of clustersOf(spans)) {
        const bounds = [...(fromMs > -Infinity ? [`"at" >= ${fromMs}`] : []), ...(toMs < Infinity ? [`"at" < ${toMs}`] : [])];
        const where = bounds.length === 0 ? '' : `WHERE ${bounds.join(' AND ')}`;
        const order = cluster.length === 1 ? '' : `ORDER BY ${orderOf(spec).join(', ')}`;
        const result = await connection.stream(`SELECT ${readList(spec)} FROM read_parquet(${pathList(cluster)}) ${where} ${order}`);
        for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          const types = Object.values(spec.columns);
          const columns = types.map((type, index) => {
            const vector = chunk.getColumnVector(index);
            return type === 'text' ? Array.from({ length: chunk.rowCount }, (_, row) => String(vector.getItem(row))) : doublesOf(vector);
          });
          for (let row = 0; row < chunk.rowCount;) {
            row = buffer.take(columns, row, chunk.rowCount);
            // The buffer holds the columns of this kind: its names come from the kind's own table.
            if (buffer.isFull) yield buffer.flush() as unknown as ColumnsByKind[Kind];
          }
        }
      }
      if (!buffer.isEmpty) yield buffer.flush() as unknown as ColumnsByKind[Kind];
    } catch (error) {
      throw error instanceof BallastError ? error : await this.#blame(connection, files, spec, error);
    } finally {
      connection.disconnectSync();
    }
  }

  /**
   * Adds rows to one series or several, all of them or, after any failure, none. Rows with the key of a stored row replace it; of a kind
   * with versions they stand beside it.
   * @throws BallastError STORE_BUSY, STORE_FILE_CORRUPT, STORE_WRITE_FAILED, STORE_JOURNAL_CORRUPT, VENUE_MALFORMED, SYMBOL_MALFORMED,
   * ROWS_CONTRADICT, GRAIN_MIXED
   */
  async merge(batches: readonly RecordBatch[], options: RecordMergeOptions): Promise<RecordMergeReport[]> {
    const folders = batches.map((batch) => recordFolder(batch));
    return publishing(this.root, this.#disk, join(this.root, folders[0] ?? ''), async (publication) => {
      const reports: RecordMergeReport[] = [];
      for (const [index, batch] of batches.entries()) {
        reports.push(await this.#duck.withConnection((connection) => this.#stage(connection, publication, batch, options)));
        options.onProgress?.(index + 1, batches.length);
      }
      return reports;
    });
  }

  /** Rows that have the key of another row: none that we wrote, but a month may come from another tool. @throws BallastError STORE_FILE_CORRUPT */
  async duplicates(series: RecordSeries): Promise<number> {
    const { key, hasVersions } = KINDS[series.kind];
    const identity = [...key, ...(hasVersions ? ['at'] : [])].map(quotedName).join(', ');
    const files = this.#files(series);
    return this.#duck.withConnection(async (connection) => {
      const rows = `read_parquet(${pathList(files)})`;
      const [all = 0, distinct = 0] = await numbers(
        connection,
        `SELECT (SELECT count(*) FROM ${rows}), (SELECT count(*) FROM (SELECT 1 FROM ${rows} GROUP BY ${identity}))`,
      );
      return all - distinct;
    });
  }

  /**
   * Removes the months that ended before `beforeMs`. What was corrected in them is kept.
   * @returns the months that went, or with `isRehearsal` would go
   * @throws BallastError STORE_BUSY, STORE_WRITE_FAILED
   */
  async prune(series: RecordSeries, beforeMs: TimeMs, isRehearsal: boolean): Promise<string[]> {
    const old = this.#files(series).filter(({ month }) => monthEnd(month) <= beforeMs);
    if (isRehearsal || old.length === 0) return old.map(({ month }) => month);
    return publishing(this.root, this.#disk, this.#folder(series), (publication) => {
      for (const { path } of old) publication.stageRemoval(relative(this.root, path));
      return Promise.resolve(old.map(({ month }) => month));
    });
  }

  /** Lets go of DuckDB; the store opens it again when it is used again. */
  async close(): Promise<void> {
    await this.#duck.close();
  }

  async #stage(
    connection: DuckDBConnection,
    publication: Publication,
    batch: RecordBatch,
    { importedAt, vintageMs = importedAt }: RecordMergeOptions,
  ): Promise<RecordMergeReport> {
    const spec = KINDS[batch.kind];
    const folder = recordFolder(batch);
    const names = Object.keys(spec.columns).map(quotedName);
    const key = spec.key.map(quotedName);
    const values = names.filter((name) => !key.includes(name) && (name !== AT || !spec.hasVersions));
    const arrivals = Float64Array.from({ length: batch.rows }, (_, row) => row + AFTER_STORED);
    const incoming = new Map(Object.keys(spec.columns).map((name) => [storedName(name), columnOf(batch, name)]));
    await createTable(connection, 'raw', incoming.set(ARRIVAL, arrivals), batch.rows);
    const absent = Object.entries(spec.columns).map(([name, type]) => {
      return type === 'optional' ? `nullif(${quotedName(name)}, 'nan'::DOUBLE) AS ${quotedName(name)}` : quotedName(name);
    });
    await connection.run(`CREATE OR REPLACE TEMP TABLE incoming AS SELECT ${absent.join(', ')}, ${ARRIVAL}, ${MONTH} AS month FROM raw`);
    const [unique = 0] = await numbers(connection, `SELECT count(*) FROM (SELECT 1 FROM incoming GROUP BY ${key.join(', ')})`);
    // Nearly always every row is said once, and a window over all of them takes longer than all the rest.
    const once = unique < batch.rows ? ` QUALIFY row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY ${ARRIVAL}) = 1` : '';
    await connection.run(`CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM incoming${once}`);
    const [firstMs = NaN, lastMs = NaN] = await numbers(connection, 'SELECT min(happened_at), max(happened_at) FROM fresh');
    if (unique < batch.rows) await refuseContradiction(connection, batch, key, values);

    const [months] = await texts(connection, 'SELECT DISTINCT month FROM fresh ORDER BY month');
    const files = this.#files(batch).filter(({ month }) => months?.includes(month));
    await this.#readStored(connection, files, spec, names);
    const restated = spec.hasVersions ? await asVersions(connection, vintageMs) : 0;
    const identity = spec.hasVersions ? [...key, AT] : key;
    const differs = values.map((name) => `fresh.${name} IS DISTINCT FROM stored.${name}`).join(' OR ');
    const changes = `SELECT fresh.*, stored.${ARRIVAL} IS NOT NULL AS corrects FROM fresh
       LEFT JOIN stored USING (${identity.join(', ')}) WHERE stored.${ARRIVAL} IS NULL OR ${differs}`;
    // In months that nothing is stored of yet, everything is new.
    const all = 'SELECT *, false AS corrects FROM fresh';
    await connection.run(`CREATE OR REPLACE TEMP TABLE changes AS ${files.length === 0 ? all : changes}`);
    const [changed = 0, corrected = 0] = await numbers(connection, 'SELECT count(*), count(*) FILTER (corrects) FROM changes');
    if (changed > 0) await this.#stageMonths(connection, publication, { folder, spec, names, identity, corrected, importedAt });
    const notes = notesAfter(this.#notes(batch), batch);
    if (notes !== undefined) await publication.stage(join(folder, NOTES_FILE), (path) => writeFile(path, notes));
    return {
      kind: batch.kind,
      venue: batch.venue,
      symbol: batch.symbol,
      rowsRead: batch.rows,
      duplicates: batch.rows - unique,
      added: changed - corrected,
      unchanged: unique - changed,
      corrected,
      restated,
      firstMs,
      lastMs,
    };
  }

  async #readStored(connection: DuckDBConnection, files: readonly MonthFile[], spec: KindSpec, names: readonly string[]): Promise<void> {
    const none = `SELECT ${names.join(', ')}, ${ARRIVAL}, month FROM fresh LIMIT 0`;
    const some = `SELECT ${names.join(', ')}, file_row_number AS ${ARRIVAL}, ${MONTH} AS month FROM read_parquet(${pathList(files)}, file_row_number = true)`;
    try {
      await connection.run(`CREATE OR REPLACE TEMP TABLE stored AS ${files.length === 0 ? none : some}`);
    } catch (error) {
      throw await this.#blame(connection, files, spec, error);
    }
  }

  /** Writes each month that changes anew, and what is replaced in it after what was replaced before. */
  async #stageMonths(connection: DuckDBConnection, publication: Publication, change: Change): Promise<void> {
    const { folder, spec, names, identity, corrected, importedAt } = change;
    const using = identity.join(', ');
    const list = names.join(', ');
    const copied = Object.entries(spec.columns).map(
      ([name, type]) => `CAST(${quotedName(name)} AS ${STORED_TYPES[type]}) AS ${quotedName(name)}`,
    );
    // Sorted once and cut by row numbers: a filter and a sort for each month take several times as long.
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE merged AS SELECT * FROM (
         SELECT ${list}, ${ARRIVAL}, month FROM stored ANTI JOIN changes USING (${using}) WHERE month IN (SELECT month FROM changes)
         UNION ALL SELECT ${list}, ${ARRIVAL}, month FROM changes
       ) ORDER BY month, ${[...orderOf(spec), ARRIVAL].join(', ')}`,
    );
    const [months = [], counts = []] = await texts(connection, 'SELECT month, count(*) FROM merged GROUP BY month ORDER BY month');
    let from = 0;
    for (const [index, month] of months.entries()) {
      const to = from + Number(counts[index]);
      const rows = `SELECT ${copied.join(', ')} FROM merged WHERE rowid >= ${from} AND rowid < ${to}`;
      from = to;
      await publication.stage(join(folder, fileOfMonth(month)), async (path) => {
        await connection.run(`COPY (${rows}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`);
      });
    }
    if (corrected === 0) return;
    const before = join(this.root, folder, CORRECTIONS_FILE);
    const earlier = existsSync(before) ? `SELECT * FROM read_parquet(${pathList([{ path: before }])}) UNION ALL ` : '';
    const replaced = `SELECT ${importedAt}::BIGINT AS corrected_at, ${copied.join(', ')} FROM stored SEMI JOIN changes USING (${using})`;
    await publication.stage(join(folder, CORRECTIONS_FILE), async (path) => {
      await connection.run(`COPY (${earlier}${replaced}) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`);
    });
  }

  async #spans(connection: DuckDBConnection, files: readonly MonthFile[]): Promise<ReadonlyMap<string, MonthSpan>> {
    if (files.length === 0) return new Map();
    const lowest = (column: string): string => `min(stats_min_value::DOUBLE) FILTER (path_in_schema = '${column}')`;
    const highest = (column: string): string => `max(stats_max_value::DOUBLE) FILTER (path_in_schema = '${column}')`;
    const columns = `${lowest('at')}, ${highest('at')}, ${lowest('happened_at')}, ${highest('happened_at')}`;
    try {
      const result = await connection.runAndReadAll(
        `SELECT file_name, sum(row_group_num_rows) FILTER (path_in_schema = 'at')::DOUBLE, ${columns} FROM parquet_metadata(${pathList(files)}) WHERE path_in_schema IN ('at', 'happened_at') GROUP BY file_name`,
      );
      return new Map(
        result.getRows().map(([file, ...values]) => {
          const [rows = NaN, knownFromMs = NaN, knownToMs = NaN, happenedFromMs = NaN, happenedToMs = NaN] = values.map(Number);
          const path = String(file);
          return [path, { path, rows, knownFromMs, knownToMs, happenedFromMs, happenedToMs }];
        }),
      );
    } catch (error) {
      throw await this.#blame(connection, files, undefined, error);
    }
  }

  /** DuckDB does not always say which of many files it could not read: asks for each alone. */
  async #blame(connection: DuckDBConnection, files: readonly MonthFile[], spec: KindSpec | undefined, cause: unknown): Promise<unknown> {
    for (const { path } of files) {
      try {
        const columns = spec === undefined ? '*' : Object.keys(spec.columns).map(quotedName).join(', ');
        await connection.run(`CREATE OR REPLACE TEMP TABLE looked_at AS SELECT ${columns} FROM read_parquet(${pathList([{ path }])})`);
      } catch (error) {
        return new BallastError({
          code: 'STORE_FILE_CORRUPT',
          place: path,
          found: `a file that does not read (${firstLine(error)})`,
          expected: 'a month of rows in Parquet',
          remedy: 'move the file away and import the data of its month again with `ballast data import`',
          cause: error,
        });
      }
    }
    return cause;
  }

  #folder(series: RecordSeries): string {
    return join(this.root, recordFolder(series));
  }

  /** A series' files, oldest first. */
  #files(series: RecordSeries): MonthFile[] {
    const folder = this.#folder(series);
    return namesIn(folder).flatMap((name) => {
      const month = monthOfFile(name);
      return month === undefined ? [] : [{ month, path: join(folder, name) }];
    });
  }

  /** Every series that has a file, in the order of kind, venue and symbol. */
  #series(): RecordSeries[] {
    return RECORD_KINDS.flatMap((kind) =>
      namesIn(join(this.root, kind))
        .filter(isVenueFolder)
        .flatMap((venue) =>
          namesIn(join(this.root, kind, venue)).flatMap((name) => {
            const symbol = subjectOfFolder(name);
            const series = { kind, venue, symbol: symbol ?? '' };
            return symbol !== undefined && this.#files(series).length > 0 ? [series] : [];
          }),
        ),
    );
  }

  #notes(series: RecordSeries): SeriesNotes {
    const path = join(this.#folder(series), NOTES_FILE);
    if (!existsSync(path)) return { captures: [] };
    const text = readFileSync(path, 'utf8');
    let notes: unknown;
    let cause: unknown;
    try {
      notes = JSON.parse(text);
    } catch (error) {
      cause = error;
    }
    if (areNotes(notes)) return notes;
    throw new BallastError({
      code: 'STORE_FILE_CORRUPT',
      place: path,
      found: JSON.stringify(text.slice(0, 80)),
      expected: 'the notes of a series',
      remedy: 'move the file away; the rows do not need it, but how far the clock of a capture was off will not be known any more',
      cause,
    });
  }
}

/** A word of SQL, too. */
const AT = quotedName('at');
/** The month that a row belongs to, in SQL. */
const MONTH = `strftime(make_timestamp(CAST(floor(happened_at * 1000) AS BIGINT)), '%Y-%m')`;
const STORED_TYPES: Readonly<Record<ColumnType, string>> = {
  time: 'DOUBLE',
  count: 'BIGINT',
  number: 'DOUBLE',
  optional: 'DOUBLE',
  side: 'TINYINT',
  text: 'VARCHAR',
};

interface Change {
  readonly folder: string;
  readonly spec: KindSpec;
  readonly names: readonly string[];
  readonly identity: readonly string[];
  readonly corrected: number;
  readonly importedAt: TimeMs;
}

/** A file and the times of its rows, from its footer. */
interface MonthSpan {
  readonly path: string;
  readonly rows: number;
  readonly knownFromMs: TimeMs;
  readonly knownToMs: TimeMs;
  readonly happenedFromMs: TimeMs;
  readonly happenedToMs: TimeMs;
}

/** Files whose rows are known in turn stand alone; those that overlap stand together. */
function clustersOf(spans: readonly MonthSpan[]): MonthSpan[][] {
  const clusters: MonthSpan[][] = [];
  let knownToMs = -Infinity;
  for (const span of spans.toSorted((one, other) => one.knownFromMs - other.knownFromMs)) {
    if (span.knownFromMs < knownToMs) clusters.at(-1)?.push(span);
    else clusters.push([span]);
    knownToMs = Math.max(knownToMs, span.knownToMs);
  }
  return clusters;
}

function orderOf(spec: KindSpec): string[] {
  return [AT, ...spec.order.map(quotedName)];
}

/** The columns as memory has them: numbers as doubles, absent ones as NaN. */
function readList(spec: KindSpec): string {
  const expressions = Object.entries(spec.columns).map(([name, type]) => {
    if (type === 'text') return quotedName(name);
    return `coalesce(CAST(${quotedName(name)} AS DOUBLE), 'nan'::DOUBLE)`;
  });
  return expressions.join(', ');
}

function columnOf(batch: RecordBatch, name: string): Column {
  const column = batch.columns.get(name);
  if (column === undefined) throw new Error(`broken invariant: a batch of ${batch.kind} has a column ${name}`);
  return column;
}

/**
 * Turns the rows of an import into versions: what the version in force at the vintage says already is dropped, what it says differently
 * gets the vintage as its time, and what nobody said before keeps the time at which its source usually publishes.
 * @returns how many are restatements
 */
async function asVersions(connection: DuckDBConnection, vintageMs: TimeMs): Promise<number> {
  // The version in force is the last one known by then; of a value first known later, the first.
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE in_force AS SELECT DISTINCT ON (name, happened_at) name, happened_at, "at", value FROM stored
     ORDER BY name, happened_at, "at" <= ${vintageMs} DESC, CASE WHEN "at" <= ${vintageMs} THEN -"at" ELSE "at" END`,
  );
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE versions AS
     SELECT fresh.* REPLACE (CASE WHEN in_force."at" IS NULL THEN fresh."at" ELSE greatest(fresh."at", ${vintageMs}) END AS "at"),
       in_force."at" IS NOT NULL AS restates
     FROM fresh LEFT JOIN in_force USING (name, happened_at) WHERE in_force."at" IS NULL OR in_force.value IS DISTINCT FROM fresh.value`,
  );
  await connection.run('CREATE OR REPLACE TEMP TABLE fresh AS SELECT * EXCLUDE (restates) FROM versions');
  const [restated = 0] = await numbers(connection, 'SELECT count(*) FILTER (restates) FROM versions');
  return restated;
}

/** Rows said twice are one; rows that contradict each other are a fault of the file. */
async function refuseContradiction(
  connection: DuckDBConnection,
  batch: RecordBatch,
  key: readonly string[],
  values: readonly string[],
): Promise<void> {
  // When it was known may differ: a capture that listened twice heard everything twice.
  const compared = values.filter((name) => name !== AT);
  const differs = compared.map((name) => `incoming.${name} IS DISTINCT FROM fresh.${name}`).join(' OR ');
  const [first, second] = await numbers(
    connection,
    `SELECT fresh.${ARRIVAL}, incoming.${ARRIVAL} FROM incoming JOIN fresh USING (${key.join(', ')}) WHERE ${differs} ORDER BY 2 LIMIT 1`,
  );
  if (first === undefined || second === undefined) return;
  const place = batch.placeOf(second - AFTER_STORED);
  throw new BallastError({
    code: 'ROWS_CONTRADICT',
    place,
    found: `other values for the ${key.join(', ')} of ${batch.placeOf(first - AFTER_STORED)}`,
    expected: 'the same values, or one of them alone',
    remedy: 'correct or remove one of the lines; nothing was imported',
  });
}

/** What is known of the series once the batch is in it; undefined when there is nothing new. @throws BallastError GRAIN_MIXED */
function notesAfter(notes: SeriesNotes, { capture, grain, kind, venue, symbol }: RecordBatch): string | undefined {
  if (grain !== undefined && notes.grain !== undefined && grain !== notes.grain) {
    throw new BallastError({
      code: 'GRAIN_MIXED',
      place: `${kind} ${venue} ${symbol}`,
      found: grain === 'aggregate' ? 'aggregate trades for a series of single ones' : 'single trades for a series of aggregates',
      expected: 'one of the two: together they would count the same volume twice',
      remedy: 'give the other ones a --venue of their own, such as binance-aggregate',
      exitCode: 2,
    });
  }
  const isNew = capture !== undefined && !notes.captures.some((each) => each.fromMs === capture.fromMs && each.toMs === capture.toMs);
  const captures = isNew ? [...notes.captures, capture] : notes.captures;
  if (!isNew && (grain ?? notes.grain) === notes.grain) return undefined;
  return `${JSON.stringify({ captures, ...((grain ?? notes.grain) && { grain: grain ?? notes.grain }) }, undefined, 2)}\n`;
}

function areNotes(value: unknown): value is SeriesNotes {
  if (typeof value !== 'object' || value === null || !('captures' in value) || !Array.isArray(value.captures)) return false;
  const grain = 'grain' in value ? value.grain : undefined;
  const areCaptures = value.captures.every((each: unknown) => {
    return typeof each === 'object' && each !== null && 'fromMs' in each && 'toMs' in each && 'clockOffsetMs' in each;
  });
  return areCaptures && (grain === undefined || grain === 'trade' || grain === 'aggregate');
}

async function numbers(connection: DuckDBConnection, sql: string): Promise<number[]> {
  const [row = []] = (await connection.runAndReadAll(sql)).getRows();
  return row.map(Number);
}

/** Each column of the answer as texts. */
async function texts(connection: DuckDBConnection, sql: string): Promise<string[][]> {
  return (await connection.runAndReadAll(sql)).getColumns().map((column) => column.map(String));
}

/** Collects rows until there are enough for a piece. */
class ChunkBuffer {
  readonly #names: readonly string[];
  readonly #types: readonly ColumnType[];
  readonly #capacity: number;
  #columns: (Float64Array | Int8Array | string[])[] = [];
  #rows = 0;

  constructor(spec: KindSpec, capacity: number) {
    this.#names = Object.keys(spec.columns);
    this.#types = Object.values(spec.columns);
    this.#capacity = capacity;
    this.#renew();
  }

  get isFull(): boolean {
    return this.#rows === this.#capacity;
  }

  get isEmpty(): boolean {
    return this.#rows === 0;
  }

  /** Copies rows from `row` on, as many as there is room for; returns the first that was not copied. */
  take(columns: readonly Column[], row: number, end: number): number {
    const to = Math.min(end, row + this.#capacity - this.#rows);
    for (const [index, column] of columns.entries()) {
      const into = this.#columns[index];
      if (column instanceof Float64Array) {
        if (into instanceof Float64Array || into instanceof Int8Array) into.set(column.subarray(row, to), this.#rows);
      } else if (Array.isArray(into)) into.push(...column.slice(row, to));
    }
    this.#rows += to - row;
    return to;
  }

  flush(): Record<string, Float64Array | Int8Array | readonly string[]> {
    const rows = this.#rows;
    const piece = Object.fromEntries(
      this.#columns.map((column, index) => [this.#names[index] ?? '', Array.isArray(column) ? column : column.subarray(0, rows)]),
    );
    this.#renew();
    return piece;
  }

  #renew(): void {
    this.#rows = 0;
    this.#columns = this.#types.map((type) => {
      if (type === 'text') return [];
      return type === 'side' ? new Int8Array(this.#capacity) : new Float64Array(this.#capacity);
    });
  }
}

function joined<Kind extends RecordKind>(spec: KindSpec, parts: readonly ColumnsByKind[Kind][]): ColumnsByKind[Kind] {
  const rows = parts.reduce((sum, part) => sum + part.at.length, 0);
  const whole: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(spec.columns)) {
    const columns = parts.map((part): unknown => Reflect.get(part, name));
    if (type === 'text') {
      whole[name] = columns.flat();
      continue;
    }
    const column = type === 'side' ? new Int8Array(new SharedArrayBuffer(rows)) : new Float64Array(new SharedArrayBuffer(rows * 8));
    let row = 0;
    for (const part of columns) {
      if (!(part instanceof Float64Array) && !(part instanceof Int8Array)) continue;
      column.set(part, row);
      row += part.length;
    }
    whole[name] = column;
  }
  // Its names are those of the kind's own table.
  return whole as unknown as ColumnsByKind[Kind];
}

/** Says the nearest thing there is. */
function unknown(
  root: string,
  { kind, symbol, venue }: { readonly kind: RecordKind; readonly symbol: string; readonly venue?: string | undefined },
  all: readonly RecordSeries[],
): BallastError {
  const ofKind = all.filter((series) => series.kind === kind);
  const stored = ofKind.length === 0 ? all.map((series) => series.kind) : ofKind.map((series) => `${series.venue} ${series.symbol}`);
  return new BallastError({
    code: 'SERIES_UNKNOWN',
    place: `${kind} ${venue === undefined ? '' : `${venue} `}${symbol}`,
    found: ofKind.length === 0 ? `no ${kind} at all under ${root}` : `no such ${kind}`,
    expected: stored.length === 0 ? 'an imported history' : `one of ${[...new Set(stored)].join(', ')}`,
    remedy: `import it: ballast data import FILE --kind ${kind} --symbol ${symbol} --venue ${venue ?? 'NAME'}`,
    exitCode: 2,
  });
}
