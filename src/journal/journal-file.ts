// The journal's file: its tables, how it is read through and found sound or damaged, and how a damaged one is set aside.
import { createHash, type Hash } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { ByteReader } from '../domain/bytes.ts';
import type { JournalRow } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { aheadPath, readAhead, verifyAhead, type Ahead } from './ahead.ts';
import { decodeRow, FORMAT_VERSION, OLDEST_READABLE_VERSION } from './codec.ts';
import type { Columns, Connect, Database, Value } from './database.ts';
import { syncFolder } from './sync-folder.ts';
import { inspectLog } from './wal.ts';

/** When rows reach the disk: at every commit, before it returns; or in large blocks, for a run that can simply be run again. */
export type Durability = 'every-commit' | 'at-end';

/** Rows that were stored in one go. */
export interface Block {
  /** Rows before it. */
  readonly first: number;
  readonly rows: number;
  /** Of its first row. */
  readonly sequence: number;
  /** SHA-256 of all row bytes from the beginning of the journal to the end of this block. */
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface Snapshot {
  readonly sequence: number;
  /** Rows that were in the journal by then: `rowsFrom(rows)` is what came after. */
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** A sealed segment of the tape. */
export interface TapeSegment {
  readonly number: number;
  readonly firstRecord: number;
  readonly records: number;
  /** Of the segment's file, in hex. */
  readonly sha256: string;
}

/** The last records of the tape, kept with the rows that were committed after them: their own file may not have them on the disk. */
export interface TapeTail {
  /** Records before them. */
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** What is known of a file once it was read through. */
export interface Verified {
  /** Clean rows: all before the first damaged block. */
  readonly rows: number;
  /** Over their bytes. */
  readonly hash: Hash;
  /** Of those, and of the rows ahead. */
  readonly last: JournalRow | undefined;
  /** Clean rows that follow those, and wait beside the file. */
  readonly ahead: Omit<Ahead, 'damage'>;
  readonly damage: readonly BallastError[];
}

/** `BALL` in the header of the SQLite file: this is no other program's. */
const APPLICATION_ID = 0x42414c4c;
/** Small pages for small commits, large ones for megabyte blocks: each measured the faster for its own. */
const PAGE_BYTES = { 'every-commit': 4_096, 'at-end': 16_384 } as const;
/** The log is folded into the file at this size, so that a fold takes milliseconds. */
const LOG_BYTES = 4 << 20;

// A seal is a digest of the other columns of its row: what is not row bytes must not change unnoticed either.
const SCHEMA = [
  'CREATE TABLE block(first INTEGER PRIMARY KEY, rows INTEGER, sequence INTEGER, digest BLOB, seal BLOB, bytes BLOB)',
  'CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT, seal BLOB) WITHOUT ROWID',
  'CREATE TABLE snapshot(sequence INTEGER PRIMARY KEY, rows INTEGER, digest BLOB, seal BLOB, bytes BLOB)',
  'CREATE TABLE segment(number INTEGER PRIMARY KEY, first_record INTEGER, records INTEGER, sha256 TEXT, seal BLOB)',
];

/** How long to wait for whoever holds the file: where an order waits for its record, and where nothing does. */
export const PATIENCE_MS = { order: 20, behind: 0, nobody: 10_000 } as const;

export function waitFor(database: Database, patienceMs: number): void {
  exhaust(database.rows(`PRAGMA busy_timeout = ${patienceMs}`));
}

/** Lays out an empty journal. */
export function layOut(database: Database, durability: Durability): void {
  database.execute(`PRAGMA page_size = ${PAGE_BYTES[durability]}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
  transact(database, () => {
    for (const table of SCHEMA) database.execute(table);
    database.execute(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION}`);
  });
}

/** @throws BallastError JOURNAL_UNREADABLE */
export function connectForReading(path: string, connect: Connect): Database {
  try {
    return connect(path, true);
  } catch (error) {
    throw unreadable(path, reasonOf(error), error);
  }
}

/** @throws BallastError JOURNAL_WRITE_FAILED */
export function connectForWriting(path: string, durability: Durability, connect: Connect): Database {
  try {
    const database = connect(path, false);
    const pageBytes = Number(firstOf(database.rows('PRAGMA page_size'))?.['page_size']);
    database.execute(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'every-commit' ? 'FULL' : 'OFF'}`);
    database.execute(`PRAGMA wal_autocheckpoint = ${Math.ceil(LOG_BYTES / pageBytes)}`);
    // What goes on with an older one writes rows that its own version would take for damage.
    if (firstOf(database.rows('PRAGMA user_version'))?.['user_version'] !== FORMAT_VERSION)
      database.execute(`PRAGMA user_version = ${FORMAT_VERSION}`);
    if (durability === 'every-commit') waitFor(database, PATIENCE_MS.order);
    return database;
  } catch (error) {
    throw writeFailed(path, error, 'a journal that can be written');
  }
}

export function insertBlock(database: Database, { first, rows, sequence, digest, bytes }: Block): void {
  const seal = digestOf(first, rows, sequence, digest);
  database.run(
    'INSERT INTO block(first, rows, sequence, digest, seal, bytes) VALUES (?, ?, ?, ?, ?, ?)',
    first,
    rows,
    sequence,
    digest,
    seal,
    bytes,
  );
}

export function readBlocks(database: Database, onDamage: (found: string) => void): Generator<Block, void, undefined> {
  return readTable(database, 'SELECT first, rows, sequence, digest, seal, bytes FROM block ORDER BY first', blockOf, onDamage);
}

export function insertMeta(database: Database, key: string, value: string): void {
  database.run('INSERT OR REPLACE INTO meta(key, value, seal) VALUES (?, ?, ?)', key, value, digestOf(key, value));
}

export function readMeta(database: Database, onDamage: (found: string) => void): Generator<readonly [string, string], void, undefined> {
  return readTable(database, 'SELECT key, value, seal FROM meta', metaOf, onDamage);
}

/** Undefined where it was never set, or does not verify. */
export function readMetaOf(database: Database, key: string): string | undefined {
  return firstOf(readTable(database, 'SELECT key, value, seal FROM meta WHERE key = ?', metaOf, () => undefined, key))?.[1];
}

const TAPE_TAIL = 'tapeTail';

export function insertTapeTail(database: Database, { from, bytes }: TapeTail): void {
  insertMeta(database, TAPE_TAIL, `${from} ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`);
}

export function deleteTapeTail(database: Database): void {
  database.run('DELETE FROM meta WHERE key = ?', TAPE_TAIL);
}

export function readTapeTail(database: Database): TapeTail | undefined {
  const [from, bytes] = readMetaOf(database, TAPE_TAIL)?.split(' ') ?? [];
  return from === undefined || bytes === undefined ? undefined : { from: Number(from), bytes: Buffer.from(bytes, 'base64') };
}

export function insertSnapshot(database: Database, { sequence, rows, bytes }: Snapshot): void {
  const digest = digestOf(bytes);
  const seal = digestOf(sequence, rows, digest);
  database.run(
    'INSERT OR REPLACE INTO snapshot(sequence, rows, digest, seal, bytes) VALUES (?, ?, ?, ?, ?)',
    sequence,
    rows,
    digest,
    seal,
    bytes,
  );
}

/** The newest first. */
export function readSnapshots(database: Database, onDamage: (found: string) => void): Generator<Snapshot, void, undefined> {
  return readTable(database, 'SELECT sequence, rows, digest, seal, bytes FROM snapshot ORDER BY sequence DESC', snapshotOf, onDamage);
}

export function insertSegment(database: Database, { number, firstRecord, records, sha256 }: TapeSegment): void {
  const seal = digestOf(number, firstRecord, records, sha256);
  database.run(
    'INSERT OR REPLACE INTO segment(number, first_record, records, sha256, seal) VALUES (?, ?, ?, ?, ?)',
    number,
    firstRecord,
    records,
    sha256,
    seal,
  );
}

export function readSegments(database: Database, onDamage: (found: string) => void): Generator<TapeSegment, void, undefined> {
  return readTable(database, 'SELECT number, first_record, records, sha256, seal FROM segment ORDER BY number', segmentOf, onDamage);
}

/** All or nothing. */
export function transact(database: Database, act: () => void): void {
  database.execute('BEGIN IMMEDIATE');
  try {
    act();
    database.execute('COMMIT');
  } catch (error) {
    try {
      database.execute('ROLLBACK');
    } catch (rollbackError) {
      // SQLite has rolled back by itself, as it does when a disk is full. The first error is the one that says why.
      throw new AggregateError([error, rollbackError], reasonOf(error));
    }
    throw error;
  }
}

/**
 * Reads the file through once. What does not verify is damage.
 * @throws BallastError JOURNAL_UNREADABLE, JOURNAL_VERSION where not even the tables can be trusted
 */
export function verify(path: string, database: Database): Verified {
  checkHeader(path, database);
  const damage: BallastError[] = [];
  const beside = readAhead(aheadPath(path));
  const log = inspectLog(path);
  if (log !== undefined) damage.push(damaged(log.place, log.found, log.expected));
  const clean = verifyBlocks(path, database, damage);
  // Behind rows that are damaged it cannot be told from which they go on.
  const ahead = verifyAhead(aheadPath(path), damage.length === 0 ? beside : Buffer.alloc(0), clean.rows, clean.hash);
  if (ahead.damage !== undefined) damage.push(damaged(ahead.damage.place, ahead.damage.found, ahead.damage.expected));
  let { last } = clean;
  for (const { bytes } of ahead.frames.slice(-1)) for (const row of decodeRows(bytes)) last = row;
  const inTable = (table: string) => (found: string) => damage.push(damaged(`${path}, table ${table}`, found, 'rows as they were written'));
  exhaust(readMeta(database, inTable('meta')));
  exhaust(readSegments(database, inTable('segment')));
  // The last word is SQLite's own: a page may be damaged where no row of ours lies, and break a later write.
  const found = firstOf(
    readTable(database, 'PRAGMA quick_check(1)', ({ quick_check: report }) => String(report), inTable('sqlite_schema')),
  );
  if (found !== undefined && found !== 'ok') damage.push(damaged(path, found, 'pages that hold together'));
  return { ...clean, last, ahead, damage };
}

function checkHeader(path: string, database: Database): void {
  let id: unknown;
  let version: unknown;
  const tables: string[] = [];
  try {
    id = firstOf(database.rows('PRAGMA application_id'))?.['application_id'];
    version = firstOf(database.rows('PRAGMA user_version'))?.['user_version'];
    for (const { sql } of database.rows('SELECT sql FROM sqlite_schema ORDER BY rowid')) tables.push(String(sql));
  } catch (error) {
    throw unreadable(path, reasonOf(error), error);
  }
  if (id !== APPLICATION_ID)
    throw unreadable(path, statSync(path).size === 0 ? 'an empty file' : 'a database that is no journal of Ballast');
  if (typeof version !== 'number' || version < OLDEST_READABLE_VERSION || version > FORMAT_VERSION) {
    throw new BallastError({
      code: 'JOURNAL_VERSION',
      place: path,
      found: `format version ${String(version)}`,
      expected: `format version ${OLDEST_READABLE_VERSION} to ${FORMAT_VERSION}`,
      remedy: 'open it with the version of Ballast that wrote it; nothing of it was read',
    });
  }
  if (tables.join() !== SCHEMA.join()) throw unreadable(path, 'other tables than a journal has');
}

function verifyBlocks(path: string, database: Database, damage: BallastError[]): Omit<Verified, 'ahead' | 'damage'> {
  let rows = 0;
  let number = 1;
  let hash = createHash('sha256');
  let lastBytes: Uint8Array | undefined;
  let isBroken = false;
  const breaks = (found: string, expected: string, until?: number): void => {
    isBroken = true;
    const which = until === undefined ? `from row ${rows + 1} on` : rows + 1 === until ? `row ${until}` : `rows ${rows + 1} to ${until}`;
    const remedy = `the ${rows} rows before it are clean; putting the file into quarantine goes on with them`;
    damage.push(damaged(`${path}, block ${number} (${which})`, found, expected, remedy));
  };
  for (const block of readBlocks(database, (found) => isBroken || breaks(found, 'a block as it was written'))) {
    if (isBroken) break;
    if (block.first !== rows) {
      breaks(`a block that begins at row ${block.first + 1}`, `one that begins at row ${rows + 1}`);
      break;
    }
    const next = hash.copy().update(block.bytes);
    const found = next.copy().digest();
    if (!found.equals(block.digest)) {
      breaks(
        `bytes with digest ${found.toString('hex')}${unreadableRow(block)}`,
        `digest ${Buffer.from(block.digest).toString('hex')}`,
        rows + block.rows,
      );
      break;
    }
    hash = next;
    rows += block.rows;
    number++;
    lastBytes = block.bytes;
  }
  let last: JournalRow | undefined;
  if (lastBytes !== undefined) for (const row of decodeRows(lastBytes)) last = row;
  return { rows, hash, last };
}

/** Names the row, where the damage shows in its form; a changed digit does not. */
function unreadableRow({ first, bytes }: Block): string {
  let row = first;
  try {
    for (const _ of decodeRows(bytes)) row++;
  } catch (error) {
    return `, row ${row + 1} of them not even readable: ${reasonOf(error)}`;
  }
  return '';
}

export function* decodeRows(bytes: Uint8Array): Generator<JournalRow, void, undefined> {
  const reader = new ByteReader(bytes);
  while (!reader.ended) yield decodeRow(reader);
}

/** What of a table can be read: a row that does not verify is told and passed over, where SQLite gives up the rest is. */
function* readTable<T>(
  database: Database,
  sql: string,
  parse: (columns: Columns) => T | undefined,
  onDamage: (found: string) => void,
  ...values: Value[]
): Generator<T, void, undefined> {
  let rows: Iterator<Columns> | undefined;
  try {
    for (;;) {
      let next: IteratorResult<Columns>;
      try {
        rows ??= database.rows(sql, ...values)[Symbol.iterator]();
        next = rows.next();
      } catch (error) {
        onDamage(reasonOf(error));
        return;
      }
      if (next.done === true) return;
      const row = parse(next.value);
      if (row === undefined) onDamage(`a row (${describe(next.value)}) that does not match its seal`);
      else yield row;
    }
  } finally {
    // Whoever stops early must not leave a cursor open.
    rows?.return?.();
  }
}

function blockOf({ first, rows, sequence, digest, seal, bytes }: Columns): Block | undefined {
  if (typeof first !== 'number' || typeof rows !== 'number' || typeof sequence !== 'number') return undefined;
  if (!(digest instanceof Uint8Array && bytes instanceof Uint8Array && isSealed(seal, first, rows, sequence, digest))) return undefined;
  return { first, rows, sequence, digest, bytes };
}

function metaOf({ key, value, seal }: Columns): readonly [string, string] | undefined {
  return typeof key === 'string' && typeof value === 'string' && isSealed(seal, key, value) ? [key, value] : undefined;
}

function snapshotOf({ sequence, rows, digest, seal, bytes }: Columns): Snapshot | undefined {
  if (typeof sequence !== 'number' || typeof rows !== 'number' || !(digest instanceof Uint8Array && bytes instanceof Uint8Array))
    return undefined;
  return isSealed(seal, sequence, rows, digest) && isSealed(digest, bytes) ? { sequence, rows, bytes } : undefined;
}

function segmentOf({ number, first_record: firstRecord, records, sha256, seal }: Columns): TapeSegment | undefined {
  if (typeof number !== 'number' || typeof firstRecord !== 'number' || typeof records !== 'number' || typeof sha256 !== 'string')
    return undefined;
  return isSealed(seal, number, firstRecord, records, sha256) ? { number, firstRecord, records, sha256 } : undefined;
}

function isSealed(seal: Columns[string] | undefined, ...values: Value[]): boolean {
  return seal instanceof Uint8Array && digestOf(...values).equals(seal);
}

function digestOf(...values: Value[]): Buffer {
  const hash = createHash('sha256');
  for (const value of values) {
    if (value instanceof Uint8Array) hash.update(value);
    else hash.update(`${String(value)}\0`);
  }
  return hash.digest();
}

function describe(columns: Columns): string {
  const names: string[] = [];
  for (const [name, value] of Object.entries(columns)) {
    if (typeof value === 'number') names.push(`${name} ${value}`);
    else if (typeof value === 'string') names.push(`${name} ${JSON.stringify(value.slice(0, 40))}`);
  }
  return names.join(', ');
}

export function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}

function exhaust(values: Iterable<unknown>): void {
  for (const _ of values) continue;
}

/** Where a copy of the clean rows waits, whole, until the damaged file has moved out of its way. */
export function recoveringPath(path: string): string {
  return `${path}.recovering`;
}

/**
 * Moves the damaged file and its log aside and puts the clean copy in their place. Each step can be the last before a kill: the copy
 * is removed from its waiting place only by the step that ends it all, so the next open goes on from wherever this one stopped.
 * @returns where the damaged file is now; undefined when there was nothing to finish.
 */
export function finishQuarantine(path: string): string | undefined {
  if (!existsSync(recoveringPath(path))) return undefined;
  let number = 1;
  while (existsSync(`${path}.damaged-${number}`)) number++;
  const aside = `${path}.damaged-${number}`;
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  if (existsSync(aheadPath(path))) renameSync(aheadPath(path), aheadPath(aside));
  rmSync(`${path}-shm`, { force: true });
  if (existsSync(path)) renameSync(path, aside);
  renameSync(recoveringPath(path), path);
  syncFolder(path);
  return aside;
}

export function removeDatabase(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
}

export function damaged(place: string, found: string, expected: string, remedy?: string): BallastError {
  return new BallastError({
    code: 'JOURNAL_DAMAGED',
    place,
    found,
    expected,
    remedy: remedy ?? 'putting the file into quarantine goes on with what is clean',
  });
}

export function unreadable(path: string, found: string, cause?: unknown): BallastError {
  return new BallastError({
    code: 'JOURNAL_UNREADABLE',
    place: path,
    found,
    expected: 'a journal',
    remedy: 'keep the file, and put a copy of it from before the damage in its place or start a new run',
    cause,
  });
}

export function writeFailed(path: string, error: unknown, expected: string): BallastError {
  if (error instanceof BallastError) return error;
  const message = reasonOf(error);
  return new BallastError({
    code: 'JOURNAL_WRITE_FAILED',
    place: path,
    found: message.includes('constraint failed') ? `rows that another process has written (${message})` : message,
    expected,
    remedy: 'nothing more is done unrecorded: remove the cause and start the run again, it goes on from what was recorded',
    cause: error,
  });
}
