// What the market did and when timers rang: fixed records of eight little-endian doubles in numbered segment files.
// A segment begins with a header as long as a record, so record n of a segment stands at byte 64 x (n + 1); a full one is sealed
// with the SHA-256 of its whole file. Hashed as it is written: handing four megabytes to another thread was measured to stall longer.
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { assert, BallastError } from '../domain/errors.ts';
import type { BookEvent, FundingAnnounced, MarketEvent, TapeEvent, TimerRang } from '../domain/event.ts';
import { reasonOf } from '../domain/words.ts';
import type { Durability, TapeSegment, TapeTail } from './journal-file.ts';
import { syncFolder } from './sync-folder.ts';

/** What the journal knows of the tape. */
export interface TapeWitness {
  /** The digests of sealed segments. */
  segments(): readonly TapeSegment[];
  /** The end of the tape as it was at the last commit, where its file may not have had it on the disk. */
  tapeTail(): TapeTail | undefined;
}

/** Where that is kept. */
export interface SegmentRegister extends TapeWitness {
  saveSegment(segment: TapeSegment): void;
  dropSegments(from: number, to: number): void;
  dropTapeTail(): void;
}

/** Writes bytes at a place in a file and says how many. A test's disk fills up here. */
export type WriteAt = (file: number, bytes: Uint8Array, position: number) => number;

export interface TapeOptions {
  /** A tape is read with what it was written with. */
  readonly segmentRecords?: number;
  readonly writeAt?: WriteAt;
  /** Without it `every-commit`. `at-end`: nobody waits for the disk before `close`. */
  readonly durability?: Durability;
}

export const TAPE_VERSION = 1;
/** 4 MiB: sealed in milliseconds, pruned in useful steps. */
export const SEGMENT_RECORDS = 65_536;
export const RECORD_BYTES = 64;
const RECORD_FIELDS = 8;
/** Buffered before they are written: 256 KiB stay in the processor's cache. */
const CHUNK_RECORDS = 4_096;
const MAGIC = 'BALLTAPE';

// Kind 0 is none, so that a file filled with zeros after a power cut is not a market at a price of zero.
const BAR = 1;
const TRADE = 2;
const MARK = 3;
const TIMER = 4;
const BOOK = 5;
const FUNDING = 6;
const KIND_BITS = 7;
const WARMUP_BIT = 8;
const INDEX_SHIFT = 4;
/** Kind, flag and index are one positive 32-bit integer. */
const INDEX_LIMIT = 1 << (31 - INDEX_SHIFT);

assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, 'this machine is little-endian, as the tape is');

export class TapeWriter {
  readonly directory: string;
  /** What the last writer left unfinished and was cut off when the tape was opened. */
  readonly torn: BallastError | undefined;
  readonly #register: SegmentRegister;
  readonly #segmentRecords: number;
  readonly #writeAt: WriteAt;
  readonly #buffer: Float64Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #isDurable: boolean;
  /** Fields in the buffer, and how many it may hold before room must be made: what is left of the segment, or 0 once writing has failed. */
  #length = 0;
  #limit = 0;
  /** Fields in the buffer with which the segment is full. */
  #segmentEnd = 0;
  /** Of them, the first that are in the file already: they stay until they are known to be on the disk. */
  #flushed = 0;
  /** Records in files, and of those the ones that are known to be on the disk. */
  #written: number;
  #safe = 0;
  #isSyncing = false;
  /** Files that were let go of: the system gives their number to others. */
  #closed = 0;
  /** The segment being written, from 1. */
  #number: number;
  /** -1 while the segment has no record yet, and no file. */
  #file = -1;
  #hash: Hash = createHash('sha256');
  #failure: BallastError | undefined;

  /** Goes on after the last whole record of what the folder holds. @throws BallastError TAPE_DAMAGED, TAPE_VERSION, TAPE_WRITE_FAILED */
  static open(directory: string, register: SegmentRegister, options: TapeOptions = {}): TapeWriter {
    try {
      mkdirSync(directory, { recursive: true });
      return new TapeWriter(directory, register, options);
    } catch (error) {
      throw writeFailed(directory, error);
    }
  }

  private constructor(
    directory: string,
    register: SegmentRegister,
    { segmentRecords = SEGMENT_RECORDS, writeAt = writeToFile, durability = 'every-commit' }: TapeOptions,
  ) {
    this.directory = directory;
    this.#register = register;
    this.#segmentRecords = segmentRecords;
    this.#writeAt = writeAt;
    this.#isDurable = durability === 'every-commit';
    this.#buffer = new Float64Array(Math.min(CHUNK_RECORDS, segmentRecords) * RECORD_FIELDS);
    this.#bytes = new Uint8Array(this.#buffer.buffer);
    let index = new SegmentIndex(directory, register, segmentRecords);
    if (index.lost !== undefined) {
      this.#restore(index.lost);
      index = new SegmentIndex(directory, register, segmentRecords);
    }
    index.mustEndWithAFile();
    this.torn = index.torn;
    this.#number = Math.max(1, index.lastNumber);
    this.#written = (this.#number - 1) * segmentRecords;
    // Full ones whose seal was lost with their writer get it now.
    for (const number of index.unsealed()) {
      this.#syncSegment(number);
      register.saveSegment(index.sealOf(number));
    }
    if (index.lastNumber > 0) this.#resume(this.#number, index.end - this.#written);
    else this.#setLimit();
  }

  /** Records appended so far, those not yet written included. */
  get offset(): number {
    return this.#written + (this.#length - this.#flushed) / RECORD_FIELDS;
  }

  /** What was appended last is the last record of its segment, and is not in its file yet. */
  get isSegmentFull(): boolean {
    return this.#length === this.#segmentEnd;
  }

  /** Keeps a copy in memory. @throws BallastError TAPE_WRITE_FAILED, now and ever after, once a write has failed */
  append(event: TapeEvent): void {
    if (this.#length >= this.#limit) this.#makeRoom();
    const { kind } = event;
    // First what comes most: each question about a kind takes as long as a number in its place.
    if (kind === 'bar.closed') this.#appendPrice(event, BAR);
    else if (kind === 'timer.rang') this.#appendTimer(event);
    else if (kind === 'book.changed' || kind === 'funding.announced') this.#appendSaid(event);
    else this.#appendPrice(event, kind === 'trade.printed' ? TRADE : MARK);
    this.#length += RECORD_FIELDS;
  }

  #appendPrice(event: MarketEvent, kind: number): void {
    if (event.instrument >= INDEX_LIMIT) throw indexOverflow(event.instrument);
    const buffer = this.#buffer;
    const start = this.#length;
    buffer[start] = kind | (event.warmup ? WARMUP_BIT : 0) | (event.instrument << INDEX_SHIFT);
    buffer[start + 1] = event.at;
    buffer[start + 2] = event.happenedAt;
    buffer[start + 3] = event.open;
    buffer[start + 4] = event.high;
    buffer[start + 5] = event.low;
    buffer[start + 6] = event.close;
    buffer[start + 7] = event.volume;
  }

  #appendTimer(event: TimerRang): void {
    if (event.timer >= INDEX_LIMIT) throw indexOverflow(event.timer);
    const buffer = this.#buffer;
    const start = this.#length;
    buffer[start] = TIMER | (event.timer << INDEX_SHIFT);
    buffer[start + 1] = event.at;
    buffer[start + 2] = event.happenedAt;
    // What an earlier record left in the buffer must not show in the file.
    buffer.fill(0, start + 3, start + RECORD_FIELDS);
  }

  #appendSaid(event: BookEvent | FundingAnnounced): void {
    if (event.instrument >= INDEX_LIMIT) throw indexOverflow(event.instrument);
    const buffer = this.#buffer;
    const start = this.#length;
    const isBook = event.kind === 'book.changed';
    buffer[start] = (isBook ? BOOK : FUNDING) | (event.warmup ? WARMUP_BIT : 0) | (event.instrument << INDEX_SHIFT);
    buffer[start + 1] = event.at;
    buffer[start + 2] = event.happenedAt;
    buffer[start + 3] = isBook ? event.bidPrice : event.rate;
    buffer[start + 4] = isBook ? event.bidQuantity : event.settlesAt;
    buffer[start + 5] = isBook ? event.askPrice : 0;
    buffer[start + 6] = isBook ? event.askQuantity : 0;
    buffer[start + 7] = isBook ? event.imbalance : 0;
  }

  /** Everything appended is in its file when this returns; a kill of this process no longer loses it. @throws BallastError TAPE_WRITE_FAILED */
  flush(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#length > this.#flushed) this.#guard(() => this.#writeBuffer());
  }

  /** Flushed, and on the disk: a power cut no longer loses it. @throws BallastError TAPE_WRITE_FAILED */
  sync(): void {
    this.flush();
    if (this.#file >= 0) this.#guard(() => fdatasyncSync(this.#file));
    this.#becameSafe(this.#written);
  }

  /** Flushed, and on its way to the disk, for which nobody waits: what has arrived is no longer part of the tail. @throws BallastError TAPE_WRITE_FAILED */
  startSync(): void {
    this.flush();
    if (this.#isSyncing || this.#file < 0) return;
    const closed = this.#closed;
    const written = this.#written;
    this.#isSyncing = true;
    fdatasync(this.#file, (cause) => {
      this.#isSyncing = false;
      // Of a segment that was finished meanwhile, which was waited for then.
      if (this.#closed !== closed || this.#failure !== undefined) return;
      if (cause === null) this.#becameSafe(written);
      else this.#fail(cause);
    });
  }

  /**
   * Flushed; and those records that are not known to be on the disk. Where the journal keeps them with what it owes, one wait for the disk is
   * enough for both. A view: valid until something is appended.
   * @throws BallastError TAPE_WRITE_FAILED
   */
  tail(): TapeTail {
    this.flush();
    // More came than is kept.
    if (this.#safe < this.#written - this.#flushed / RECORD_FIELDS) this.sync();
    return { from: this.#safe, bytes: this.#bytes.subarray(0, this.#length * 8) };
  }

  /** Forgets every record from this offset on. @throws BallastError TAPE_WRITE_FAILED, TAPE_PRUNED */
  truncateTo(offset: number): void {
    this.flush();
    assert(Number.isInteger(offset) && offset >= 0 && offset <= this.#written, 'a tape is cut at one of its records');
    if (offset === this.#written) return;
    const number = Math.floor(offset / this.#segmentRecords) + 1;
    const records = offset - (number - 1) * this.#segmentRecords;
    if (!existsSync(this.#path(number))) throw pruned(this.directory, offset, `records from ${this.#firstOffset()} on`);
    // The seals first: a file without one is whole as far as it goes, a seal without its file is damage. And what is forgotten must not come back.
    this.#register.dropTapeTail();
    this.#register.dropSegments(number, Infinity);
    this.#guard(() => {
      this.#closeFile();
      for (let last = this.#number; last > number; last--) rmSync(this.#path(last), { force: true });
      this.#resume(number, records);
    });
  }

  /** Deletes the segments that end before this offset. The newest file stays: it says where the tape has got to. */
  prune(keepFromOffset: number): void {
    this.flush();
    const newest = this.#file >= 0 ? this.#number : this.#number - 1;
    const last = Math.min(Math.floor(keepFromOffset / this.#segmentRecords), newest - 1);
    if (last < 1) return;
    this.#register.dropSegments(1, last);
    this.#guard(() => {
      for (const number of segmentNumbers(this.directory)) if (number <= last) rmSync(this.#path(number));
    });
  }

  /** Writes what is buffered, seals the last segment and lets go of its file. @throws BallastError TAPE_WRITE_FAILED */
  close(): void {
    try {
      if (this.#failure === undefined) {
        this.sync();
        if (this.#file >= 0 && this.#written > (this.#number - 1) * this.#segmentRecords) this.#seal();
      }
    } finally {
      this.#closeFile();
      this.#failure ??= new BallastError({ code: 'TAPE_CLOSED', place: this.directory, found: 'a closed tape', expected: 'an open one' });
      this.#limit = 0;
    }
  }

  #path(number: number): string {
    return segmentPath(this.directory, number);
  }

  #firstOffset(): number {
    return ((segmentNumbers(this.directory)[0] ?? 1) - 1) * this.#segmentRecords;
  }

  /** Makes this the segment being written, with so many records of it. */
  #resume(number: number, records: number): void {
    this.#number = number;
    this.#written = (number - 1) * this.#segmentRecords + records;
    this.#safe = this.#written;
    this.#length = 0;
    this.#flushed = 0;
    this.#hash = createHash('sha256');
    if (records === this.#segmentRecords) {
      this.#number = number + 1;
    } else {
      // A seal says that the file is finished, and it is not.
      this.#register.dropSegments(number, Infinity);
      // Without a record the header still says where the tape has got to, and it may be what was torn.
      if (records === 0) this.#startFile();
      else {
        this.#file = openSync(this.#path(number), 'r+');
        const bytes = new Uint8Array((records + 1) * RECORD_BYTES);
        readWhole(this.#file, bytes);
        this.#hash.update(bytes);
        ftruncateSync(this.#file, bytes.length);
        // A kill has left it to the system, which may not have written it yet.
        if (this.#isDurable) fdatasyncSync(this.#file);
      }
    }
    this.#setLimit();
  }

  /** Puts back into its file what only the journal has of it. */
  #restore({ from, bytes }: TapeTail): void {
    this.#number = Math.floor(from / this.#segmentRecords) + 1;
    const before = from - (this.#number - 1) * this.#segmentRecords;
    if (before === 0) this.#startFile();
    else this.#file = openSync(this.#path(this.#number), 'r+');
    this.#writeAll(bytes, (before + 1) * RECORD_BYTES);
    fdatasyncSync(this.#file);
    this.#closeFile();
    this.#hash = createHash('sha256');
  }

  #syncSegment(number: number): void {
    if (!this.#isDurable) return;
    const file = openSync(this.#path(number), 'r+');
    try {
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  #startFile(): void {
    const header = headerOf(this.#number, this.#segmentRecords);
    const path = this.#path(this.#number);
    this.#file = openSync(path, 'w');
    // What is waited for later is the file; its name is not part of it everywhere.
    if (this.#isDurable) syncFolder(path);
    this.#writeAll(header, 0);
    this.#hash.update(header);
  }

  #setLimit(): void {
    const left = this.#number * this.#segmentRecords - this.#written;
    this.#segmentEnd = this.#flushed + left * RECORD_FIELDS;
    this.#limit = Math.min(this.#buffer.length, this.#segmentEnd);
  }

  #makeRoom(): void {
    this.flush();
    // What has waited for the disk for so long is not kept: whoever wants the tail must wait instead.
    if (this.#length === this.#buffer.length) this.#empty();
    assert(this.#limit > this.#length, 'a flushed tape has room');
  }

  #empty(): void {
    this.#length = 0;
    this.#flushed = 0;
    this.#setLimit();
  }

  /** So many records are on the disk. */
  #becameSafe(records: number): void {
    if (records <= this.#safe) return;
    this.#safe = records;
    const kept = (this.#written - records) * RECORD_FIELDS;
    const gone = Math.max(0, this.#flushed - kept);
    this.#buffer.copyWithin(0, gone, this.#length);
    this.#length -= gone;
    this.#flushed -= gone;
    this.#setLimit();
  }

  #writeBuffer(): void {
    const bytes = this.#bytes.subarray(this.#flushed * 8, this.#length * 8);
    const before = this.#written - (this.#number - 1) * this.#segmentRecords;
    if (this.#file < 0) this.#startFile();
    this.#writeAll(bytes, (before + 1) * RECORD_BYTES);
    this.#hash.update(bytes);
    this.#written += bytes.length / RECORD_BYTES;
    this.#flushed = this.#length;
    if (this.#written === this.#number * this.#segmentRecords) {
      // A seal is durable, and so is what it is of; and the tail is of one segment.
      if (this.#isDurable) fdatasyncSync(this.#file);
      this.#seal();
      this.#closeFile();
      this.#number++;
      this.#safe = this.#written;
      this.#hash = createHash('sha256');
      this.#empty();
    }
    this.#setLimit();
  }

  #writeAll(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      const count = this.#writeAt(this.#file, bytes.subarray(done), position + done);
      if (count <= 0) throw new Error(`${done} of ${bytes.length} bytes could be written`);
      done += count;
    }
  }

  #seal(): void {
    const firstRecord = (this.#number - 1) * this.#segmentRecords;
    const sha256 = this.#hash.copy().digest('hex');
    this.#register.saveSegment({ number: this.#number, firstRecord, records: this.#written - firstRecord, sha256 });
  }

  #closeFile(): void {
    if (this.#file < 0) return;
    closeSync(this.#file);
    this.#file = -1;
    this.#closed++;
  }

  /** Nothing buffered is dropped after a failed write: nothing more is taken, until a restart has found where the file ends. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(cause: unknown): BallastError {
    this.#failure = writeFailed(this.#path(this.#number), cause);
    this.#limit = 0;
    return this.#failure;
  }
}

/** Reads records in order into an object that it uses again and again: copy what you keep. */
export class TapeReader {
  /** Offset of the first record that is still kept. */
  readonly first: number;
  /** Offset after the last whole record. */
  readonly end: number;
  /** What stands after the last whole record; undefined where nothing does. */
  readonly torn: BallastError | undefined;
  readonly #index: SegmentIndex;
  readonly #segmentRecords: number;
  readonly #market: MarketEvent = {
    kind: 'bar.closed',
    at: NaN,
    happenedAt: NaN,
    instrument: 0,
    open: NaN,
    high: NaN,
    low: NaN,
    close: NaN,
    volume: NaN,
    warmup: false,
  };
  readonly #timer: TimerRang = { kind: 'timer.rang', at: NaN, happenedAt: NaN, timer: 0 };
  readonly #book: BookEvent = {
    kind: 'book.changed',
    at: NaN,
    happenedAt: NaN,
    instrument: 0,
    bidPrice: NaN,
    bidQuantity: NaN,
    askPrice: NaN,
    askQuantity: NaN,
    imbalance: NaN,
    warmup: false,
  };
  readonly #funding: FundingAnnounced = {
    kind: 'funding.announced',
    at: NaN,
    happenedAt: NaN,
    instrument: 0,
    rate: NaN,
    settlesAt: NaN,
    warmup: false,
  };
  /** The segment in memory: its fields, the header included, and where in them reading stands and ends. */
  #fields: Float64Array = new Float64Array(0);
  #number = 0;
  #at = 0;
  #until = 0;
  #offset: number;

  /** Each segment is checked against its seal when reading reaches it. @param witness the journal @throws BallastError TAPE_DAMAGED, TAPE_VERSION */
  static open(directory: string, witness: TapeWitness, options: TapeOptions = {}): TapeReader {
    return new TapeReader(directory, witness, options);
  }

  private constructor(directory: string, witness: TapeWitness, { segmentRecords = SEGMENT_RECORDS }: TapeOptions) {
    this.#index = new SegmentIndex(directory, witness, segmentRecords);
    this.#segmentRecords = segmentRecords;
    this.first = this.#index.first;
    this.end = this.#index.end;
    this.torn = this.#index.torn;
    this.#offset = this.first;
  }

  /** Records before the next one. */
  get offset(): number {
    return this.#offset;
  }

  /** The next record read is the one with this many before it. @throws BallastError TAPE_PRUNED, TAPE_SHORT */
  seek(offset: number): void {
    if (offset < this.first) throw pruned(this.#index.directory, offset, `records from ${this.first} on`);
    if (offset > this.end) throw short(this.#index.directory, this.end, offset);
    this.#offset = offset;
    this.#at = 0;
    this.#until = 0;
  }

  /** @throws BallastError TAPE_DAMAGED, naming the segment's file */
  next(): TapeEvent | undefined {
    if (this.#at === this.#until) {
      if (this.#offset >= this.end) return undefined;
      this.#load();
    }
    const fields = this.#fields;
    const at = this.#at;
    const packed = (fields[at] ?? 0) | 0;
    this.#at = at + RECORD_FIELDS;
    this.#offset++;
    const kind = packed & KIND_BITS;
    if (kind === TIMER) {
      const timer = this.#timer;
      timer.at = fields[at + 1] ?? NaN;
      timer.happenedAt = fields[at + 2] ?? NaN;
      timer.timer = packed >> INDEX_SHIFT;
      return timer;
    }
    if (kind === BOOK) {
      const book = this.#book;
      book.at = fields[at + 1] ?? NaN;
      book.happenedAt = fields[at + 2] ?? NaN;
      book.instrument = packed >> INDEX_SHIFT;
      book.bidPrice = fields[at + 3] ?? NaN;
      book.bidQuantity = fields[at + 4] ?? NaN;
      book.askPrice = fields[at + 5] ?? NaN;
      book.askQuantity = fields[at + 6] ?? NaN;
      book.imbalance = fields[at + 7] ?? NaN;
      book.warmup = (packed & WARMUP_BIT) !== 0;
      return book;
    }
    if (kind === FUNDING) {
      const funding = this.#funding;
      funding.at = fields[at + 1] ?? NaN;
      funding.happenedAt = fields[at + 2] ?? NaN;
      funding.instrument = packed >> INDEX_SHIFT;
      funding.rate = fields[at + 3] ?? NaN;
      funding.settlesAt = fields[at + 4] ?? NaN;
      funding.warmup = (packed & WARMUP_BIT) !== 0;
      return funding;
    }
    const market = this.#market;
    market.kind = kind === BAR ? 'bar.closed' : kind === TRADE ? 'trade.printed' : 'mark.changed';
    market.at = fields[at + 1] ?? NaN;
    market.happenedAt = fields[at + 2] ?? NaN;
    market.instrument = packed >> INDEX_SHIFT;
    market.open = fields[at + 3] ?? NaN;
    market.high = fields[at + 4] ?? NaN;
    market.low = fields[at + 5] ?? NaN;
    market.close = fields[at + 6] ?? NaN;
    market.volume = fields[at + 7] ?? NaN;
    market.warmup = (packed & WARMUP_BIT) !== 0;
    return market;
  }

  #load(): void {
    const number = Math.floor(this.#offset / this.#segmentRecords) + 1;
    const start = (number - 1) * this.#segmentRecords;
    if (number !== this.#number) {
      this.#fields = this.#index.load(number);
      this.#number = number;
    }
    this.#at = (this.#offset - start + 1) * RECORD_FIELDS;
    this.#until = (Math.min(this.end, start + this.#segmentRecords) - start + 1) * RECORD_FIELDS;
  }
}

/** Which segments a folder holds, which of them are sealed, and how far the last one can be read. */
class SegmentIndex {
  readonly directory: string;
  readonly first: number;
  readonly end: number;
  readonly lastNumber: number;
  readonly torn: BallastError | undefined;
  /** The last records, where a power cut has taken some of them from their file and the journal has them. */
  readonly lost: TapeTail | undefined;
  readonly #files: readonly number[];
  readonly #seals: ReadonlyMap<number, TapeSegment>;
  readonly #segmentRecords: number;
  /** One segment at a time, in the same memory, as large as the largest that was read. */
  #scratch = new Float64Array(0);

  constructor(directory: string, witness: TapeWitness, segmentRecords: number) {
    this.directory = directory;
    this.#segmentRecords = segmentRecords;
    this.#files = segmentNumbers(directory);
    this.#seals = new Map(witness.segments().map((seal) => [seal.number, seal]));
    const numbers = [...this.#files, ...this.#seals.keys()];
    const lowest = numbers.length === 0 ? 1 : Math.min(...numbers);
    const lastNumber = Math.max(0, ...numbers);
    this.first = (lowest - 1) * segmentRecords;
    const start = Math.max(0, lastNumber - 1) * segmentRecords;
    const lastSeal = this.#seals.get(lastNumber);
    const inFile =
      lastNumber === 0
        ? { records: 0, torn: undefined }
        : lastSeal === undefined
          ? this.#measureTail(lastNumber)
          : { records: lastSeal.records, torn: undefined };
    const end = start + inFile.records;
    const tail = witness.tapeTail();
    const isLost = tail !== undefined && tail.from <= end && tail.from + recordsOf(tail) > end && !this.#isSealed(tail.from);
    this.lost = isLost ? tail : undefined;
    this.torn = isLost ? undefined : inFile.torn;
    this.end = isLost ? tail.from + recordsOf(tail) : end;
    this.lastNumber = isLost ? Math.floor(tail.from / segmentRecords) + 1 : lastNumber;
  }

  #isSealed(offset: number): boolean {
    return this.#seals.has(Math.floor(offset / this.#segmentRecords) + 1);
  }

  /** Sealed segments are proven when they are read; but a writer goes on at the end, which must be there. */
  mustEndWithAFile(): void {
    if (this.lastNumber === 0) return;
    if (this.#seals.has(this.lastNumber)) this.load(this.lastNumber);
  }

  /** Segments that are full and have no seal. One before the last that is not full is damage, which is the reader's to tell. */
  unsealed(): number[] {
    const fullBytes = (this.#segmentRecords + 1) * RECORD_BYTES;
    return this.#files.filter((number) => !this.#seals.has(number) && statSync(segmentPath(this.directory, number)).size === fullBytes);
  }

  sealOf(number: number): TapeSegment {
    return { number, firstRecord: (number - 1) * this.#segmentRecords, records: this.#segmentRecords, sha256: sha256Of(this.load(number)) };
  }

  /**
   * The header and the records of a segment, proven against its seal where it has one. Valid until the next load.
   * @throws BallastError TAPE_DAMAGED, TAPE_VERSION
   */
  load(number: number): Float64Array {
    const path = segmentPath(this.directory, number);
    if (this.lost !== undefined && number === this.lastNumber) return this.#joined(path, number, this.lost);
    if (!existsSync(path)) throw this.#damaged(path, 'no file', 'a segment of the tape');
    const seal = this.#seals.get(number);
    const isOpen = seal === undefined && number === this.lastNumber;
    const records = seal?.records ?? (isOpen ? this.end - (number - 1) * this.#segmentRecords : this.#segmentRecords);
    const bytes = statSync(path).size;
    const expected = (records + 1) * RECORD_BYTES;
    const isLength = bytes === expected || (isOpen && bytes > expected);
    if (!isLength && bytes < RECORD_BYTES) throw this.#damaged(path, `${bytes} bytes`, `${expected}: a header and ${records} records`);
    const fields = this.#read(path, Math.min(records, Math.floor(bytes / RECORD_BYTES) - 1));
    // Before the length, which another version may count otherwise.
    this.#checkHeader(path, number, fields);
    if (!isLength) throw this.#damaged(path, `${bytes} bytes`, `${expected}: a header and ${records} records`);
    if (seal !== undefined) {
      const sha256 = sha256Of(fields);
      if (sha256 !== seal.sha256)
        throw this.#damaged(path, `bytes with SHA-256 ${sha256}`, `SHA-256 ${seal.sha256}, as the journal has it`);
    }
    this.#mustBeSound(path, fields, records);
    return fields;
  }

  /** What the file has, and what only the journal has. */
  #joined(path: string, number: number, { from, bytes }: TapeTail): Float64Array {
    const start = (number - 1) * this.#segmentRecords;
    const before = from - start;
    const fields = this.#room(this.end - start);
    bytesOf(fields).set(headerOf(number, this.#segmentRecords));
    if (before > 0) {
      this.#readInto(path, fields.subarray(0, (before + 1) * RECORD_FIELDS));
      this.#checkHeader(path, number, fields);
    }
    bytesOf(fields).set(bytes, (before + 1) * RECORD_BYTES);
    this.#mustBeSound(path, fields, this.end - start);
    return fields;
  }

  #mustBeSound(path: string, fields: Float64Array, records: number): void {
    const sound = countSound(fields, records);
    if (sound < records)
      throw this.#damaged(path, `record ${sound + 1} of no known kind`, 'a bar, a trade, a mark, a timer, a book or a funding rate');
  }

  /** The last segment has no seal while it is written, and whoever wrote it may have been killed: what is whole counts. */
  #measureTail(number: number): { readonly records: number; readonly torn: BallastError | undefined } {
    const path = segmentPath(this.directory, number);
    const bytes = statSync(path).size;
    if (bytes < RECORD_BYTES) return { records: 0, torn: torn(path, `${bytes} bytes of a header at the end`, 0) };
    const whole = Math.floor(bytes / RECORD_BYTES) - 1;
    if (whole > this.#segmentRecords) throw this.#damaged(path, `${whole} records`, `at most ${this.#segmentRecords}`);
    const fields = this.#read(path, whole);
    // A power cut can leave a file longer than what had reached the disk of it.
    if (fields.subarray(0, RECORD_FIELDS).every((field) => field === 0)) return { records: 0, torn: torn(path, 'a header of zeros', 0) };
    this.#checkHeader(path, number, fields);
    const records = countSound(fields, whole);
    if (records < whole) return { records, torn: torn(path, `record ${records + 1} of no known kind at the end`, records) };
    const rest = bytes % RECORD_BYTES;
    return { records, torn: rest === 0 ? undefined : torn(path, `${rest} bytes of record ${records + 1} at the end`, records) };
  }

  #checkHeader(path: string, number: number, fields: Float64Array): void {
    const found = Buffer.from(fields.buffer, fields.byteOffset, Math.min(fields.byteLength, RECORD_BYTES));
    const expected = headerOf(number, this.#segmentRecords);
    if (found.equals(expected)) return;
    if (found.length === RECORD_BYTES && found.toString('latin1', 0, 8) === MAGIC) {
      const version = found.readUInt32LE(8);
      if (version !== TAPE_VERSION) {
        throw new BallastError({
          code: 'TAPE_VERSION',
          place: path,
          found: `format version ${version}`,
          expected: `format version ${TAPE_VERSION}`,
          remedy: 'read it with the version of Ballast that wrote it, or restore the file if it was damaged; nothing of it was read',
        });
      }
    }
    throw this.#damaged(path, 'a header that does not verify', `the header of segment ${number} of a tape`);
  }

  /** The header and so many records. */
  #read(path: string, records: number): Float64Array {
    const fields = this.#room(records);
    this.#readInto(path, fields);
    return fields;
  }

  #room(records: number): Float64Array {
    const length = (records + 1) * RECORD_FIELDS;
    if (this.#scratch.length < length) this.#scratch = new Float64Array(length);
    return this.#scratch.subarray(0, length);
  }

  #readInto(path: string, fields: Float64Array): void {
    const file = openSync(path, 'r');
    try {
      readWhole(file, bytesOf(fields));
    } finally {
      closeSync(file);
    }
  }

  #damaged(path: string, found: string, expected: string): BallastError {
    return new BallastError({
      code: 'TAPE_DAMAGED',
      place: path,
      found,
      expected,
      remedy: 'restore this file from a copy; without it the run can be replayed only from a snapshot taken after it',
    });
  }
}

function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(6, '0')}.tape`);
}

/** In order. */
function segmentNumbers(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const numbers: number[] = [];
  for (const name of readdirSync(directory)) {
    const match = /^(\d{6,})\.tape$/.exec(name);
    if (match !== null) numbers.push(Number(match[1]));
  }
  return numbers.sort((left, right) => left - right);
}

function headerOf(number: number, segmentRecords: number): Buffer {
  const header = Buffer.alloc(RECORD_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(TAPE_VERSION, 8);
  header.writeUInt32LE(segmentRecords, 12);
  header.writeUInt32LE(number, 16);
  return header;
}

function recordsOf({ bytes }: TapeTail): number {
  return bytes.length / RECORD_BYTES;
}

function bytesOf(fields: Float64Array): Uint8Array {
  return new Uint8Array(fields.buffer, fields.byteOffset, fields.byteLength);
}

function sha256Of(fields: Float64Array): string {
  return createHash('sha256').update(bytesOf(fields)).digest('hex');
}

function readWhole(file: number, into: Uint8Array): void {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, done);
    assert(count > 0, 'a file does not shrink while it is read');
    done += count;
  }
}

/** Records before the first one that no writer has written. */
function countSound(fields: Float64Array, records: number): number {
  for (let record = 0; record < records; record++) {
    const packed = fields[(record + 1) * RECORD_FIELDS] ?? 0;
    const kind = packed & KIND_BITS;
    if ((packed | 0) !== packed || packed < 0 || kind < BAR || kind > FUNDING) return record;
  }
  return records;
}

function writeToFile(file: number, bytes: Uint8Array, position: number): number {
  return writeSync(file, bytes, 0, bytes.length, position);
}

function indexOverflow(index: number): BallastError {
  return new BallastError({
    code: 'TAPE_INDEX',
    place: 'tape',
    found: `index ${index}`,
    expected: `an instrument or a timer below ${INDEX_LIMIT}`,
  });
}

function torn(path: string, found: string, records: number): BallastError {
  return new BallastError({
    code: 'TAPE_TORN',
    place: path,
    found,
    expected: `whole records of ${RECORD_BYTES} bytes`,
    remedy: `the ${records} records before it are kept; the rest was never finished`,
  });
}

function pruned(directory: string, offset: number, expected: string): BallastError {
  return new BallastError({
    code: 'TAPE_PRUNED',
    place: directory,
    found: `a request for record ${offset}, which was pruned`,
    expected,
    remedy: 'begin at a snapshot taken after that, or restore the older segments',
  });
}

function short(directory: string, end: number, offset: number): BallastError {
  return new BallastError({
    code: 'TAPE_SHORT',
    place: directory,
    found: `${end} records`,
    expected: `at least ${offset}`,
    remedy: 'the end of the tape is missing: restore its newest segment from a copy, or begin at an older snapshot',
  });
}

function writeFailed(path: string, error: unknown): BallastError {
  if (error instanceof BallastError) return error;
  return new BallastError({
    code: 'TAPE_WRITE_FAILED',
    place: path,
    found: reasonOf(error),
    expected: 'room to write the tape',
    remedy: 'nothing more is done unrecorded: remove the cause and start the run again, it goes on from what was recorded',
    cause: error,
  });
}
