// What the run owes: every row durable before anything leaves the process, in blocks under one running digest.
// Where somebody else holds the file, rows become durable beside it and orders go on: the file takes them over once it is free.
// How rows were grouped into blocks does not show in the digest: a backtest that writes megabytes and a live run that commits
// every decision have the same one.
import type { Hash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { ByteWriter } from '../domain/bytes.ts';
import type { Entry, JournalRow } from '../domain/entry.ts';
import { assert, BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { AheadFile, aheadPath } from './ahead.ts';
import { encodeRow } from './codec.ts';
import { connectSqlite, isBusy, type Columns, type Connect, type Database, type Value } from './database.ts';
import {
  connectForReading,
  connectForWriting,
  damaged,
  decodeRows,
  deleteTapeTail,
  finishQuarantine,
  firstOf,
  insertBlock,
  insertMeta,
  insertSegment,
  insertSnapshot,
  insertTapeTail,
  layOut,
  PATIENCE_MS,
  readBlocks,
  readMeta,
  readMetaOf,
  readSegments,
  readSnapshots,
  readTapeTail,
  recoveringPath,
  removeDatabase,
  transact,
  unreadable,
  verify,
  waitFor,
  writeFailed,
  type Block,
  type Durability,
  type Snapshot,
  type TapeSegment,
  type TapeTail,
  type Verified,
} from './journal-file.ts';
import { syncFolder } from './sync-folder.ts';

export type { Durability, Snapshot, TapeSegment, TapeTail } from './journal-file.ts';

export interface CreateOptions {
  readonly durability: Durability;
  readonly meta?: Readonly<Record<string, string>>;
  readonly connect?: Connect;
}

export interface OpenOptions {
  /** Without it `every-commit`. */
  readonly durability?: Durability;
  /** Leaves every file as it is; nothing can be appended. */
  readonly readOnly?: boolean;
  readonly connect?: Connect;
}

/** Rows wait in memory up to here when nobody waits for them to be durable. */
const BLOCK_BYTES = 1 << 20;
/** More than nearly every row has. */
const ROW_BYTES = 1 << 12;
/** The most that waits even if nobody commits. */
const BUFFER_BYTES = 4 * BLOCK_BYTES;
/** The most that waits beside a file that somebody else holds. */
const AHEAD_BYTES = 64 << 20;
/** A third of what the log may hold, with the end of a busy tape in each. */
const FOLD_COMMITS = 64;

export class Journal {
  readonly path: string;
  readonly #durability: Durability;
  readonly #connect: Connect;
  readonly #buffer: ByteWriter;
  readonly #observers: ((entry: Entry, sequence: number) => void)[] = [];
  #database: Database;
  #damage: readonly BallastError[];
  /** Over the rows that are on the disk, in the file or beside it. */
  #hash: Hash;
  #storedRows: number;
  #bufferedRows = 0;
  /** Bytes of whole rows: an entry that could not be encoded leaves its stump behind them. */
  #bufferedBytes = 0;
  #bufferedSequence = 0;
  /** Where rows are durable while somebody else holds the file. */
  readonly #ahead: AheadFile;
  /** Of the buffered rows, those that are durable there. */
  #aheadRows = 0;
  #aheadBytes = 0;
  /** Somebody else holds the file, or did when it was last asked for. */
  #isBehind = false;
  #beforeAhead: () => void = () => undefined;
  /** What else waits for the file, in order. */
  readonly #waiting: (() => void)[] = [];
  #lastSequence: number;
  #lastTapeOffset: number;
  /** Transactions in the log that are not in the file yet, unless SQLite has folded them by itself. */
  #unfolded = 0;
  /** Sequence of the newest sound snapshot, once somebody has asked. */
  #newestSnapshot: number | undefined;
  /** Why nothing more may be written. */
  #refusal: BallastError | undefined;
  #isClosed = false;

  private constructor(
    path: string,
    database: Database,
    durability: Durability,
    connect: Connect,
    verified: Verified,
    refusal?: BallastError,
  ) {
    this.path = path;
    this.#database = database;
    this.#durability = durability;
    // Of blocks, room for one and the row with which it is full: a buffer that grows leaves garbage behind.
    this.#buffer = new ByteWriter(durability === 'at-end' ? BLOCK_BYTES + ROW_BYTES : ROW_BYTES);
    this.#connect = connect;
    this.#damage = verified.damage;
    this.#hash = verified.hash;
    this.#storedRows = verified.rows;
    this.#lastSequence = verified.last?.sequence ?? 0;
    this.#lastTapeOffset = verified.last?.tapeOffset ?? 0;
    this.#refusal = refusal;
    this.#ahead = new AheadFile(aheadPath(path), verified.ahead.soundBytes);
    for (const { rows, bytes } of verified.ahead.frames) {
      if (this.#bufferedRows === 0) this.#bufferedSequence = firstOf(decodeRows(bytes))?.sequence ?? 0;
      this.#buffer.append(bytes);
      this.#bufferedRows += rows;
      this.#hash = this.#hash.copy().update(bytes);
    }
    this.#bufferedBytes = this.#aheadBytes = this.#buffer.length;
    this.#aheadRows = this.#bufferedRows;
    this.#isBehind = verified.ahead.soundBytes > 0;
  }

  /** Makes a new journal, whole or not at all. @throws BallastError JOURNAL_EXISTS, JOURNAL_WRITE_FAILED */
  static create(path: string, { durability, meta = {}, connect = connectSqlite }: CreateOptions): Journal {
    if (existsSync(path)) {
      throw new BallastError({
        code: 'JOURNAL_EXISTS',
        place: path,
        found: 'a journal',
        expected: 'none yet',
        remedy: 'open it, or choose another run folder',
      });
    }
    try {
      writeWhole(`${path}.creating`, path, durability, connect, (database) => {
        for (const [key, value] of Object.entries(meta)) insertMeta(database, key, value);
      });
    } catch (error) {
      throw writeFailed(path, error, 'a folder where a new journal can be written');
    }
    return Journal.open(path, { durability, connect });
  }

  /**
   * Reads the journal through. A damaged one opens too, for reading its clean rows: look at `damage`, then `quarantine`.
   * @throws BallastError JOURNAL_MISSING, JOURNAL_UNREADABLE, JOURNAL_VERSION, JOURNAL_WRITE_FAILED
   */
  static open(path: string, { durability = 'every-commit', readOnly = false, connect = connectSqlite }: OpenOptions = {}): Journal {
    if (!readOnly) finishQuarantine(path);
    if (!existsSync(path)) {
      throw new BallastError({
        code: 'JOURNAL_MISSING',
        place: path,
        found: 'no file',
        expected: 'a journal',
        remedy: 'check the name of the run',
      });
    }
    // Read-only until it has verified: a connection that may write folds the log into the file, and with it the evidence.
    const reading = connectForReading(path, connect);
    let verified: Verified;
    try {
      verified = verify(path, reading);
    } catch (error) {
      reading.close();
      throw error;
    }
    const refusal = verified.damage[0] ?? (readOnly ? refused(path, 'a journal opened for reading only') : undefined);
    if (refusal !== undefined) return new Journal(path, reading, durability, connect, verified, refusal);
    reading.close();
    const journal = new Journal(path, connectForWriting(path, durability, connect), durability, connect, verified);
    if (verified.ahead.soundBytes > 0) journal.#takeOver();
    return journal;
  }

  /** What of the file does not verify; empty for a sound one. Nothing can be written before `quarantine`. */
  get damage(): readonly BallastError[] {
    return this.#damage;
  }

  /** All rows appended so far, durable or not yet. */
  get rowCount(): number {
    return this.#storedRows + this.#bufferedRows;
  }

  /** Rows that are on the disk, in the file or beside it. */
  get storedRowCount(): number {
    return this.#storedRows + this.#aheadRows;
  }

  /** Another process holds the file: rows are durable beside it, and what else was to be written waits. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Of the last row; 0 before the first. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Of the last row; 0 before the first. */
  get lastTapeOffset(): number {
    return this.#lastTapeOffset;
  }

  /** SHA-256 of the bytes of all rows appended so far, in hex. */
  head(): string {
    return this.#bufferedHash().digest('hex');
  }

  /** Called before rows become durable beside a file that another process holds: what they name is to be on the disk by then. */
  beforeAhead(act: () => void): void {
    this.#beforeAhead = act;
  }

  /** Called with every entry as it is appended. */
  onEntry(observe: (entry: Entry, sequence: number) => void): void {
    this.#observers.push(observe);
  }

  /** Takes a row; `commit` makes it durable. @throws BallastError JOURNAL_WRITE_FAILED, now and ever after, once a write has failed: nothing may happen unrecorded */
  append(entry: Entry, sequence: number, tapeOffset: number): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    assert(sequence >= this.#lastSequence && tapeOffset >= this.#lastTapeOffset, 'rows are appended in the order of events');
    try {
      encodeRow(this.#buffer, entry, sequence, tapeOffset);
    } catch (error) {
      // A bug. Rows before it can still be stored; nothing may follow the stump.
      this.#refusal = refused(this.path, `an entry ${entry.kind} that could not be encoded: ${reasonOf(error)}`);
      throw error;
    }
    if (this.#bufferedRows === 0) this.#bufferedSequence = sequence;
    this.#bufferedRows++;
    this.#bufferedBytes = this.#buffer.length;
    this.#lastSequence = sequence;
    this.#lastTapeOffset = tapeOffset;
    for (let index = 0; index < this.#observers.length; index++) this.#observers[index]?.(entry, sequence);
    if (this.#bufferedBytes - this.#aheadBytes > BUFFER_BYTES) this.#store();
  }

  /**
   * All rows so far are durable when this returns, unless the journal is durable `at-end` only; and the end of the tape with them, where it is
   * given, with one wait for the disk for both.
   * @throws BallastError JOURNAL_WRITE_FAILED
   */
  commit(tail?: TapeTail): void {
    if (this.#durability === 'every-commit' || this.#bufferedBytes > BLOCK_BYTES) this.#store(undefined, tail);
  }

  /** The same with a word of the journal's own. @throws BallastError JOURNAL_WRITE_FAILED */
  commitWith(key: string, value: string, tail?: TapeTail): void {
    const meta = (): void => insertMeta(this.#database, key, value);
    if (this.#durability === 'every-commit') this.#store(meta, tail);
    else this.#write(meta);
  }

  /**
   * Folds the log into the file once there is much in it: to be called where nobody waits. Otherwise SQLite does it in the commit that makes the
   * log too long, which may be an order's.
   * @throws BallastError JOURNAL_WRITE_FAILED
   */
  foldLog(): void {
    if (this.#unfolded < FOLD_COMMITS) return;
    this.#unfolded = 0;
    this.#guard(() => this.#database.execute('PRAGMA wal_checkpoint(PASSIVE)'));
  }

  /** Rows whose sequence is at least this, those not committed yet included. @throws BallastError JOURNAL_UNREADABLE */
  *rows(fromSequence = 0): Generator<JournalRow, void, undefined> {
    // A sequence can have rows in several blocks, so the last block that begins before it is where to begin.
    for (const row of this.#rowsFromBlock(this.#blockWhere('sequence < ?', fromSequence))) if (row.sequence >= fromSequence) yield row;
  }

  /** All rows but the first `count`, those not committed yet included. @throws BallastError JOURNAL_UNREADABLE */
  *rowsFrom(count: number): Generator<JournalRow, void, undefined> {
    let number = this.#blockWhere('first <= ?', count);
    for (const row of this.#rowsFromBlock(number)) if (number++ >= count) yield row;
  }

  /** Keeps this snapshot and the one before it, and stores the rows before it first. @throws BallastError JOURNAL_WRITE_FAILED */
  saveSnapshot(sequence: number, bytes: Uint8Array): void {
    this.#store();
    const before = (this.#newestSnapshot ??= this.lastSnapshot()?.sequence ?? sequence);
    const snapshot = { sequence, rows: this.rowCount, bytes: bytes.slice() };
    this.#write(() => {
      insertSnapshot(this.#database, snapshot);
      this.#database.run('DELETE FROM snapshot WHERE sequence NOT IN (?, ?)', sequence, before);
    });
    this.#newestSnapshot = sequence;
  }

  /** The newest snapshot that verifies and whose rows are all here. Those passed over are told to `onDamaged`. */
  lastSnapshot(onDamaged: (damage: BallastError) => void = () => undefined): Snapshot | undefined {
    const place = `${this.path}, table snapshot`;
    const remedy = 'the snapshot before it is used, or none';
    for (const snapshot of readSnapshots(this.#database, (found) =>
      onDamaged(damaged(place, found, 'a snapshot as it was saved', remedy)),
    )) {
      if (snapshot.rows <= this.#storedRows) return snapshot;
      onDamaged(
        damaged(place, `a snapshot taken after row ${snapshot.rows}`, `one from within the ${this.#storedRows} clean rows`, remedy),
      );
    }
    return undefined;
  }

  /** @throws BallastError JOURNAL_WRITE_FAILED */
  setMeta(key: string, value: string): void {
    this.#write(() => insertMeta(this.#database, key, value));
  }

  /** Undefined where it was never set, or does not verify. */
  getMeta(key: string): string | undefined {
    return readMetaOf(this.#database, key);
  }

  /** The tape's sealed segments. */
  segments(): TapeSegment[] {
    // What does not verify was named when the file was opened.
    return [...readSegments(this.#database, () => undefined)];
  }

  /** @throws BallastError JOURNAL_WRITE_FAILED */
  saveSegment(segment: TapeSegment): void {
    this.#write(() => insertSegment(this.#database, segment));
  }

  /** Forgets segments `from` to `to`, both included: they are pruned, or about to be written anew. @throws BallastError JOURNAL_WRITE_FAILED */
  dropSegments(from: number, to: number): void {
    this.#write(() => this.#database.run('DELETE FROM segment WHERE number BETWEEN ? AND ?', from, Math.min(to, Number.MAX_SAFE_INTEGER)));
  }

  /** As it was given to the last commit that had one. */
  tapeTail(): TapeTail | undefined {
    return readTapeTail(this.#database);
  }

  /** The tape is about to be cut: what it forgets is not to be known here either. @throws BallastError JOURNAL_WRITE_FAILED */
  dropTapeTail(): void {
    this.#write(() => deleteTapeTail(this.#database));
  }

  /**
   * Keeps the damaged file aside as `*.damaged-N` and goes on with what of it is clean. A kill in the middle of it loses nothing.
   * @returns where the damaged file is now.
   * @throws BallastError JOURNAL_WRITE_FAILED
   */
  quarantine(): string {
    assert(this.#damage.length > 0 && !this.#isClosed, 'only a damaged journal is put into quarantine');
    const { path } = this;
    let aside: string | undefined;
    try {
      writeWhole(`${path}.recovering.unfinished`, recoveringPath(path), this.#durability, this.#connect, (copy) => this.#copyCleanTo(copy));
      this.#database.close();
      aside = finishQuarantine(path);
    } catch (error) {
      throw writeFailed(path, error, 'room for a copy of the clean rows');
    }
    this.#database = connectForWriting(path, this.#durability, this.#connect);
    const { damage, rows, hash } = verify(path, this.#database);
    assert(damage.length === 0 && rows === this.rowCount && aside !== undefined, 'the clean rows of a damaged journal make a sound one');
    this.#damage = [];
    this.#refusal = undefined;
    this.#stored(rows - this.#storedRows, hash);
    return aside;
  }

  /** Stores what is buffered, unless a write has failed, and closes the file. @throws BallastError JOURNAL_WRITE_FAILED */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      // What is durable beside the file is safe there; an end waits for it all the same.
      if (this.#refusal === undefined) waitFor(this.#database, PATIENCE_MS.nobody);
      // Whoever may not write has nothing to store, but for rows before one that could not be encoded.
      const isOwed = this.#refusal === undefined || this.#bufferedRows > this.#aheadRows;
      if (isOwed && this.#refusal?.code !== 'JOURNAL_WRITE_FAILED') this.#store();
      // What was left to the system's own time reaches the disk now.
      if (this.#refusal === undefined)
        this.#guard(() => this.#database.execute('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)'));
    } finally {
      this.#refusal ??= refused(this.path, 'a closed journal');
      this.#ahead.close();
      this.#database.close();
    }
  }

  #bufferedView(): Uint8Array {
    return this.#buffer.view().subarray(0, this.#bufferedBytes);
  }

  /** With all that is buffered. */
  #bufferedHash(): Hash {
    return this.#hash.copy().update(this.#bufferedView().subarray(this.#aheadBytes));
  }

  /** @param also and `tail` are written with them, or not at all */
  #store(also?: () => void, tail?: TapeTail): void {
    if (this.#bufferedRows === 0 && also === undefined && tail === undefined && this.#waiting.length === 0) return;
    if (this.#refusal?.code === 'JOURNAL_WRITE_FAILED' || (this.#refusal !== undefined && this.#bufferedRows === 0)) throw this.#refusal;
    if (also !== undefined) this.#waiting.push(also);
    const wasBehind = this.#isBehind;
    this.#guard(() => {
      if (wasBehind) this.#beforeAhead();
      try {
        this.#storeInFile(wasBehind ? undefined : tail);
      } catch (error) {
        if (!this.#mayWait(error)) throw error;
        if (!wasBehind) this.#beforeAhead();
        this.#storeAhead(error);
        // Nobody comes after the end who would take them over: whoever starts the run again does.
        if (this.#isClosed) throw error;
      }
    });
  }

  /** Of what failed: somebody else holds the file, and what was to be written can wait for it. */
  #mayWait(error: unknown): boolean {
    if (!isBusy(error) || this.#durability !== 'every-commit') return false;
    // From here on each try fails at once.
    if (!this.#isBehind) waitFor(this.#database, PATIENCE_MS.behind);
    this.#isBehind = true;
    return true;
  }

  /** What a process before this one has left beside the file, perhaps after the file had taken it over. */
  #takeOver(): void {
    if (this.#bufferedRows > 0) this.#store();
    else this.#caughtUp();
  }

  #caughtUp(): void {
    this.#isBehind = false;
    this.#ahead.clear();
    waitFor(this.#database, PATIENCE_MS.order);
  }

  #storeInFile(tail: TapeTail | undefined): void {
    const hash = this.#bufferedHash();
    const block = this.#bufferedBlock(hash);
    if (this.#waiting.length === 0 && tail === undefined) insertBlock(this.#database, block);
    else {
      transact(this.#database, () => {
        if (block.rows > 0) insertBlock(this.#database, block);
        for (const write of this.#waiting) write();
        if (tail !== undefined) insertTapeTail(this.#database, tail);
      });
    }
    this.#waiting.length = 0;
    this.#stored(block.rows, hash);
    if (this.#isBehind) this.#caughtUp();
  }

  /** What nobody has made durable yet. @throws `busy` where too much waits for the file */
  #storeAhead(busy: unknown): void {
    const bytes = this.#bufferedView().subarray(this.#aheadBytes);
    if (this.#ahead.bytes + bytes.length > AHEAD_BYTES) throw busy;
    if (bytes.length === 0) return;
    const hash = this.#bufferedHash();
    const first = this.#storedRows + this.#aheadRows;
    this.#ahead.append({ first, rows: this.#bufferedRows - this.#aheadRows, digest: hash.copy().digest(), bytes });
    this.#hash = hash;
    this.#aheadRows = this.#bufferedRows;
    this.#aheadBytes = this.#bufferedBytes;
  }

  #bufferedBlock(hash: Hash): Block {
    const digest = hash.copy().digest();
    return {
      first: this.#storedRows,
      rows: this.#bufferedRows,
      sequence: this.#bufferedSequence,
      digest,
      bytes: this.#bufferedView(),
    };
  }

  /** The file has all that was buffered. */
  #stored(rows: number, hash: Hash): void {
    this.#storedRows += rows;
    this.#hash = hash;
    this.#bufferedRows = 0;
    this.#bufferedBytes = 0;
    this.#aheadRows = 0;
    this.#aheadBytes = 0;
    this.#buffer.clear();
  }

  #write(act: () => void): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#isBehind) {
      this.#waiting.push(act);
      return;
    }
    this.#guard(() => {
      try {
        transact(this.#database, act);
      } catch (error) {
        if (!this.#mayWait(error)) throw error;
        this.#waiting.push(act);
      }
    });
  }

  /** After a write has failed it is not known what is on the disk: everything is refused until a restart has read the file again. */
  #guard(act: () => void): void {
    try {
      act();
      this.#unfolded++;
    } catch (error) {
      this.#refusal = writeFailed(this.path, error, `room to write row ${this.#storedRows + 1} and what follows`);
      throw this.#refusal;
    }
  }

  /** Rows before the last block for which this holds. */
  #blockWhere(condition: string, value: number): number {
    if (this.#damage.length > 0) return 0;
    return Number(firstOf(this.#query(`SELECT first FROM block WHERE ${condition} ORDER BY first DESC LIMIT 1`, value))?.['first'] ?? 0);
  }

  *#rowsFromBlock(first: number): Generator<JournalRow, void, undefined> {
    let next = first;
    while (next < this.#storedRows) {
      for (const { rows, bytes } of this.#blocksFrom(next)) {
        assert(bytes instanceof Uint8Array, 'a verified block has bytes');
        yield* decodeRows(bytes);
        next += Number(rows);
        // Not a step further: what follows the clean rows may not even be readable.
        if (next >= this.#storedRows) break;
      }
    }
    // A copy: while the reader dawdles the buffer goes on.
    yield* decodeRows(this.#bufferedView().slice());
  }

  #blocksFrom(first: number): Generator<Columns, void, undefined> {
    // A damaged file is read as it was verified, block after block from the first: a search in it can lead anywhere.
    if (this.#damage.length > 0) return this.#query('SELECT rows, bytes FROM block ORDER BY first');
    return this.#query('SELECT rows, bytes FROM block WHERE first >= ? ORDER BY first', first);
  }

  *#query(sql: string, ...values: Value[]): Generator<Columns, void, undefined> {
    try {
      yield* this.#database.rows(sql, ...values);
    } catch (error) {
      throw unreadable(this.path, reasonOf(error), error);
    }
  }

  #copyCleanTo(copy: Database): void {
    // What is not clean was named when the file was opened; here it is left behind.
    const leave = (): void => undefined;
    for (const block of readBlocks(this.#database, leave)) {
      if (block.first >= this.#storedRows) break;
      insertBlock(copy, block);
    }
    if (this.#bufferedRows > 0) insertBlock(copy, this.#bufferedBlock(this.#bufferedHash()));
    for (const [key, value] of readMeta(this.#database, leave)) insertMeta(copy, key, value);
    for (const segment of readSegments(this.#database, leave)) insertSegment(copy, segment);
    for (const snapshot of readSnapshots(this.#database, leave)) if (snapshot.rows <= this.#storedRows) insertSnapshot(copy, snapshot);
  }
}

/** A database appears at `path` with all of its content or not at all. */
function writeWhole(unfinished: string, path: string, durability: Durability, connect: Connect, fill: (database: Database) => void): void {
  removeDatabase(unfinished);
  const database = connect(unfinished, false);
  try {
    layOut(database, durability);
    transact(database, () => fill(database));
  } finally {
    database.close();
  }
  renameSync(unfinished, path);
  syncFolder(path);
}

function refused(path: string, found: string): BallastError {
  return new BallastError({ code: 'JOURNAL_REFUSES', place: path, found, expected: 'a journal that may be written' });
}
