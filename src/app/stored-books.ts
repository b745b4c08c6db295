// Stored books and trades as the tapes that a simulated venue matches against. The store is read piece by piece and only while somebody can
// wait; a venue cannot. So the range goes once into a file of its own beside the store, in the order in which it was known, from which the
// venue then reads block by block: of any range no more is in memory than two pieces of the store, or two blocks.
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BookMessage, TradeColumns } from '../domain/book.ts';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import { instrumentId, type Instrument } from '../domain/instrument.ts';
import { formatTime, MINUTE_MS, type TimeMs } from '../domain/time.ts';
import { decodeBookMessage, emptyBookMessage, encodeBookMessage } from '../market/book/book-message.ts';
import { BINANCE_FUTURES_BOOK, BINANCE_SPOT_BOOK, BYBIT_BOOK, type BookRules } from '../market/book/book-sync.ts';
import { LATEST_ARRIVAL_MS } from '../market/history/build.ts';
import type { ColumnsByKind } from '../market/history/kinds.ts';
import { openRecords, type RecordStore, type StoredRecords } from '../market/history/record-store.ts';
import { timeWithBook, type BookTape } from '../venues/simulated/book-records.ts';

export interface StoredBooks {
  /** By instrument: a tape from its beginning, as often as it is asked for. */
  tapes(): readonly BookTape[];
  /** By instrument: how much of the range has no book, in whole milliseconds. */
  readonly withoutBookMs: readonly TimeMs[];
  /** Removes what was laid out. */
  close(): void;
}

export interface StoredBooksRequest {
  readonly home: string;
  readonly instruments: readonly Pick<Instrument, 'venue' | 'symbol' | 'kind'>[];
  readonly from: TimeMs;
  readonly to: TimeMs;
  /** Market time that is laid out, of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of this process, so that no two have one name. */
let opened = 0;

const CHUNK_ROWS = 65_536;
const BLOCK_BYTES = 1 << 18;
/** Messages between two looks at whether it was asked to end. */
const CHECK_EVERY = 10_000;
/** So long before its snapshot begins what is joined with it: changes may have arrived that the snapshot does not have yet. */
const BEFORE_SNAPSHOT_MS = MINUTE_MS;
/**
 * A recorder that was started again leaves a silence, and where numbers do not follow each other (futures of Binance, whose messages are
 * stored without the number that they follow) nothing else tells of it. The books of venues say something every second.
 */
const SILENT_AFTER_MS = MINUTE_MS;

/**
 * Lays the books and trades of a range out. They begin with the last snapshot before it, or with the first that is stored.
 * @throws BallastError BOOK_RULES_UNKNOWN, BOOKS_MISSING, TRADES_MISSING, RUN_STOPPED, STORE_FILE_CORRUPT
 */
export async function openStoredBooks(request: StoredBooksRequest): Promise<StoredBooks> {
  const { home, instruments, from, to } = request;
  const rules = instruments.map((instrument) => bookRulesOf(instrument));
  const records = await openRecords(home);
  const laid: LaidBook[] = [];
  const close = (): void => {
    for (const { messages, trades } of laid) for (const spool of [messages, trades]) spool.close();
  };
  try {
    const stored = await records.list();
    for (const [index, instrument] of instruments.entries()) {
      demandStored(stored, instrument, request);
      const folder = resolve(home, 'data', '.books');
      mkdirSync(folder, { recursive: true });
      const name = join(folder, `${process.pid}-${opened++}`);
      const book: LaidBook = { messages: new Spool(`${name}.messages`), trades: new Spool(`${name}.trades`) };
      laid.push(book);
      await layOut(records, instrument, book, request, (done) => request.onProgress?.(index + done, instruments.length));
    }
    const tapes = (): BookTape[] =>
      laid.map(({ messages, trades }, index) => ({
        messages: new SpooledMessages(messages),
        trades: spooledTrades(trades),
        rules: rules[index] ?? BINANCE_SPOT_BOOK,
        silentAfterMs: SILENT_AFTER_MS,
        isGathered: true,
      }));
    const withoutBookMs = tapes().map((tape) => Math.round(to - from - timeWithBook(tape, from, to)));
    for (const [index, instrument] of instruments.entries()) {
      if ((withoutBookMs[index] ?? 0) < to - from) continue;
      throw missing('BOOKS_MISSING', instrument, request, 'changes of which no book could be put together', 'a snapshot that joins them');
    }
    return { tapes, withoutBookMs, close };
  } catch (error) {
    close();
    throw error;
  } finally {
    await records.close();
  }
}

/**
 * How a venue numbers its changes, by the first word of its name in the store: `binance-mine` is Binance too.
 * @throws BallastError BOOK_RULES_UNKNOWN
 */
export function bookRulesOf({ venue, symbol, kind }: Pick<Instrument, 'venue' | 'symbol' | 'kind'>): BookRules {
  const [name] = venue.split(/[-_]/, 1);
  if (name === 'binance') return kind === 'spot' ? BINANCE_SPOT_BOOK : BINANCE_FUTURES_BOOK;
  if (name === 'binanceusdm') return BINANCE_FUTURES_BOOK;
  if (name === 'bybit') return BYBIT_BOOK;
  throw new BallastError({
    code: 'BOOK_RULES_UNKNOWN',
    place: instrumentId({ venue, symbol }),
    found: `books of ${venue}`,
    expected:
      'binance, binanceusdm or bybit, or one of these with - and more: the numbers of other books would not say whether a change is missing',
    remedy: 'import them under such a name, if the venue numbers its changes so',
    exitCode: 2,
  });
}

interface LaidBook {
  readonly messages: Spool;
  readonly trades: Spool;
}

function demandStored(
  stored: readonly StoredRecords[],
  instrument: Pick<Instrument, 'venue' | 'symbol'>,
  range: { readonly from: TimeMs; readonly to: TimeMs },
): void {
  for (const kind of ['book-delta', 'book-snapshot', 'trades'] as const) {
    const series = stored.find((each) => each.kind === kind && each.venue === instrument.venue && each.symbol === instrument.symbol);
    const code = kind === 'trades' ? 'TRADES_MISSING' : 'BOOKS_MISSING';
    if (series === undefined) throw missing(code, instrument, range, `no ${kind} stored`, `${kind} in the range`);
    // A snapshot may be long before what it begins.
    const isBefore = kind !== 'book-snapshot' && series.lastMs < range.from;
    if (series.firstMs < range.to && !isBefore) continue;
    throw missing(
      code,
      instrument,
      range,
      `${kind} from ${formatTime(series.firstMs)} to ${formatTime(series.lastMs)}`,
      'some within the range',
    );
  }
}

function missing(
  code: 'BOOKS_MISSING' | 'TRADES_MISSING',
  { venue, symbol }: Pick<Instrument, 'venue' | 'symbol'>,
  { from, to }: { readonly from: TimeMs; readonly to: TimeMs },
  found: string,
  expected: string,
): BallastError {
  return new BallastError({
    code,
    place: `--books ${venue} ${symbol} from ${formatTime(from)} to ${formatTime(to)}`,
    found,
    expected,
    remedy: 'ballast data ls tells what there is, ballast data import brings more; without --books orders match against bars',
    exitCode: 2,
  });
}

// ---- into the file -------------------------------------------------------------------------------------------------------

async function layOut(
  records: RecordStore,
  { venue, symbol }: Pick<Instrument, 'venue' | 'symbol'>,
  into: LaidBook,
  { from, to, signal }: StoredBooksRequest,
  onProgress: (done: number) => void,
): Promise<void> {
  const snapshotAt = await lastSnapshot(records, { venue, symbol }, from);
  const range = { venue, symbol, fromMs: snapshotAt - BEFORE_SNAPSHOT_MS, toMs: to + LATEST_ARRIVAL_MS };
  const deltas = new WholeMessages(records.stream({ ...range, kind: 'book-delta' }, CHUNK_ROWS));
  const snapshots = new WholeMessages(records.stream({ ...range, kind: 'book-snapshot' }, CHUNK_ROWS));
  const message = emptyBookMessage();
  let firstAt = NaN;
  let written = 0;
  try {
    await deltas.advance();
    await snapshots.advance();
    for (;;) {
      const isDelta = comesFirst(deltas, snapshots);
      const next = isDelta ? deltas : snapshots;
      if (next.columns === undefined) break;
      next.fill(message, isDelta ? 'delta' : 'snapshot');
      into.messages.append((out) => encodeBookMessage(out, message));
      if (Number.isNaN(firstAt)) firstAt = message.at;
      if (written++ % CHECK_EVERY === 0) {
        if (signal?.aborted === true) throw stopped(message.at, to);
        onProgress(Math.max(0, (message.at - firstAt) / (range.toMs - firstAt)));
      }
      // A wait for each message would take longer than all the rest.
      if (!next.stepWithin()) await next.advance();
    }
  } finally {
    await deltas.end();
    await snapshots.end();
  }
  into.messages.flush();
  for await (const trades of records.stream({ ...range, kind: 'trades' }, CHUNK_ROWS)) {
    if (signal?.aborted === true) throw stopped(trades.at[0] ?? NaN, to);
    into.trades.append((out) => encodeTrades(out, trades));
    into.trades.flush();
  }
}

function stopped(at: TimeMs, to: TimeMs): BallastError {
  return new BallastError({
    code: 'RUN_STOPPED',
    place: 'the books of the range',
    found: `a stop while they were laid out, at ${formatTime(at)}`,
    expected: `to reach ${formatTime(to)}`,
    remedy: 'no run was begun; the same command begins again',
  });
}

/** When the last snapshot before the range was known; that of the first where there is none, which is before everything. */
async function lastSnapshot(
  records: RecordStore,
  series: { readonly venue: string; readonly symbol: string },
  from: TimeMs,
): Promise<TimeMs> {
  let lastAt = -Infinity;
  for await (const { at } of records.stream({ ...series, kind: 'book-snapshot', toMs: from }, CHUNK_ROWS)) lastAt = at.at(-1) ?? lastAt;
  return lastAt;
}

type MessageColumns = ColumnsByKind['book-delta'] | ColumnsByKind['book-snapshot'];

/** By when it was known, and by number where that is equal. */
function comesFirst(deltas: WholeMessages, snapshots: WholeMessages): boolean {
  if (deltas.columns === undefined || snapshots.columns === undefined) return deltas.columns !== undefined;
  return deltas.at < snapshots.at || (deltas.at === snapshots.at && deltas.lastUpdate < snapshots.lastUpdate);
}

/** Message after message out of pieces whose ends may lie within one. */
class WholeMessages {
  readonly #pieces: AsyncIterator<MessageColumns>;
  /** Undefined after the last. */
  columns: MessageColumns | undefined;
  /** Its rows are from here to before `to`. */
  from = 0;
  to = 0;

  constructor(pieces: AsyncIterable<MessageColumns>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  get at(): TimeMs {
    return this.columns?.at[this.from] ?? NaN;
  }

  get lastUpdate(): number {
    return this.columns?.lastUpdate[this.from] ?? NaN;
  }

  /** Goes on to the next message where it is in this piece, and more after it. @returns whether it is */
  stepWithin(): boolean {
    const rows = this.columns?.at.length ?? 0;
    const [from, to] = [this.from, this.to];
    if (to >= rows) return false;
    this.from = to;
    this.to = this.#end();
    if (this.to < rows) return true;
    this.from = from;
    this.to = to;
    return false;
  }

  /** Goes on to the next message, wherever it is. */
  async advance(): Promise<void> {
    this.from = this.to;
    if (this.from === (this.columns?.at.length ?? 0)) {
      this.columns = await this.#piece();
      this.from = 0;
    }
    this.to = this.#end();
    while (this.columns !== undefined && this.to === this.columns.at.length) {
      const more = await this.#piece();
      if (more === undefined) return;
      this.columns = joined(this.columns, this.from, more);
      this.from = 0;
      this.to = this.#end();
    }
  }

  fill(message: BookMessage, kind: BookMessage['kind']): void {
    const { columns, from, lastUpdate } = this;
    if (columns === undefined) throw new Error('broken invariant: a message is there');
    message.kind = kind;
    message.at = columns.at[from] ?? NaN;
    message.happenedAt = columns.happenedAt[from] ?? NaN;
    message.firstUpdate = 'firstUpdate' in columns ? (columns.firstUpdate[from] ?? NaN) : lastUpdate;
    message.lastUpdate = lastUpdate;
    message.levels = columns;
    message.from = from;
    message.to = this.to;
  }

  /** The row after the last of the message that begins at `from`. */
  #end(): number {
    const numbers = this.columns?.lastUpdate ?? new Float64Array();
    let to = this.from;
    while (to < numbers.length && numbers[to] === numbers[this.from]) to++;
    return to;
  }

  /** Nobody asks for more. */
  async end(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #piece(): Promise<MessageColumns | undefined> {
    const next = await this.#pieces.next();
    return next.done === true ? undefined : next.value;
  }
}

/** The rows of one from `from` on, and after them those of the other. */
function joined(one: MessageColumns, from: number, other: MessageColumns): MessageColumns {
  const numbers = (left: Float64Array, right: Float64Array): Float64Array => {
    const all = new Float64Array(left.length - from + right.length);
    all.set(left.subarray(from));
    all.set(right, left.length - from);
    return all;
  };
  const side = new Int8Array(one.side.length - from + other.side.length);
  side.set(one.side.subarray(from));
  side.set(other.side, one.side.length - from);
  return {
    at: numbers(one.at, other.at),
    happenedAt: numbers(one.happenedAt, other.happenedAt),
    lastUpdate: numbers(one.lastUpdate, other.lastUpdate),
    ...('firstUpdate' in one && 'firstUpdate' in other ? { firstUpdate: numbers(one.firstUpdate, other.firstUpdate) } : {}),
    side,
    price: numbers(one.price, other.price),
    quantity: numbers(one.quantity, other.quantity),
  };
}

function encodeTrades(out: ByteWriter, { happenedAt, price, quantity, takerSide }: TradeColumns): void {
  out.count(happenedAt.length);
  for (let row = 0; row < happenedAt.length; row++) {
    out.number(happenedAt[row] ?? NaN);
    out.number(price[row] ?? NaN);
    out.number(quantity[row] ?? NaN);
    out.flag((takerSide[row] ?? 0) > 0);
  }
}

// ---- out of the file -----------------------------------------------------------------------------------------------------

/** A file of blocks that any number of readers go through. Nobody needs it after this process, and where the system allows it has no name. */
class Spool {
  readonly #path: string;
  readonly #file: number;
  readonly #out = new ByteWriter(2 * BLOCK_BYTES);
  /** Where each block ends. */
  readonly #ends: number[] = [];
  #isOpen = true;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w+');
    // What is open stays readable, and a process that is killed leaves nothing behind; Windows removes it when it is closed.
    if (process.platform !== 'win32') rmSync(path);
  }

  append(write: (out: ByteWriter) => void): void {
    write(this.#out);
    if (this.#out.length >= BLOCK_BYTES) this.flush();
  }

  flush(): void {
    const bytes = this.#out.view();
    if (bytes.length === 0) return;
    let position = this.#ends.at(-1) ?? 0;
    for (let from = 0; from < bytes.length;) {
      const written = writeSync(this.#file, bytes, from, bytes.length - from, position);
      from += written;
      position += written;
    }
    this.#ends.push(position);
    this.#out.clear();
  }

  /** Undefined after the last. */
  block(number: number): ByteReader | undefined {
    const start = number === 0 ? 0 : this.#ends[number - 1];
    const end = this.#ends[number];
    if (start === undefined || end === undefined) return undefined;
    const bytes = new Uint8Array(end - start);
    for (let read = 0; read < bytes.length;) {
      const more = readSync(this.#file, bytes, read, bytes.length - read, start + read);
      if (more === 0) throw new Error(`broken invariant: ${this.#path} is as long as it was written`);
      read += more;
    }
    return new ByteReader(bytes);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}

class SpooledMessages {
  readonly #spool: Spool;
  readonly #message = emptyBookMessage();
  #block: ByteReader | undefined;
  #next = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  /** Reused; undefined at the end. */
  next(): BookMessage | undefined {
    if (this.#block === undefined || this.#block.ended) this.#block = this.#spool.block(this.#next++);
    if (this.#block === undefined) return undefined;
    decodeBookMessage(this.#block, this.#message);
    return this.#message;
  }
}

function* spooledTrades(spool: Spool): Generator<TradeColumns, void> {
  for (let number = 0; ; number++) {
    const block = spool.block(number);
    if (block === undefined) return;
    const rows = block.count();
    const happenedAt = new Float64Array(rows);
    const price = new Float64Array(rows);
    const quantity = new Float64Array(rows);
    const takerSide = new Int8Array(rows);
    for (let row = 0; row < rows; row++) {
      happenedAt[row] = block.number();
      price[row] = block.number();
      quantity[row] = block.number();
      takerSide[row] = block.flag() ? 1 : -1;
    }
    // The venue goes by its own time, and by no ids.
    yield { at: happenedAt, happenedAt, id: happenedAt, price, quantity, takerSide };
  }
}
