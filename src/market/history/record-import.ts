// Files of everything besides bars into the store: read whole, judged row by row, then merged whole or not at all. Two times are given to
// every row here: `happenedAt`, which the file says, and `at`, when it could be known.
import type { TimeMs } from '../../domain/time.ts';
import { DAY_MS, formatTime, HOUR_MS } from '../../domain/time.ts';
import { BallastError } from '../../domain/errors.ts';
import type { Fault } from '../quality.ts';
import { bybitBookParser } from './bybit-lines.ts';
import { guessDelimiter } from './columns.ts';
import type { ColumnNames, CsvLayout, Field } from './columns.ts';
import { CsvReader, RawRows, Words } from './csv.ts';
import type { RowSink } from './csv.ts';
import type { Column } from './duck.ts';
import { readFiles, unreadable } from './files.ts';
import type { Parser } from './files.ts';
import { freqtradeParser } from './freqtrade.ts';
import { KINDS, recordFolder } from './kinds.ts';
import type { RecordKind } from './kinds.ts';
import { binanceLayout, captureKind, RECORD_LAYOUTS } from './layouts.ts';
import type { CaptureNote, RecordBatch, RecordMergeReport, RecordStore, TradeGrain } from './record-store.ts';

export type RecordFormat = 'csv' | 'binance' | 'freqtrade' | 'coinmetrics' | 'deribit' | 'bybit-archive' | 'capture';

/**
 * What is said of a day is known this long after the day has ended, unless the import says otherwise. Publishers of on-chain data take from
 * minutes to several hours; to know it too late costs little, to know it too early is look-ahead.
 */
export const DAY_LAG_MS = 12 * HOUR_MS;

export interface RecordImportRequest {
  readonly store: RecordStore;
  /** Together they are one import; the files of a capture share a clock. */
  readonly files: readonly string[];
  readonly format: RecordFormat;
  /** Each file of a capture says by its header what it is of, and Bybit's books are snapshots and deltas, whichever of them is named. */
  readonly kind: RecordKind;
  /** The venue, or the source of a metric. */
  readonly venue: string;
  readonly symbol: string;
  /** Of mark and index prices that stand in bars: their close counts, when it closes. */
  readonly timeframeMs?: TimeMs | undefined;
  readonly columns?: ColumnNames | undefined;
  /** How long after it happened a row was known; the default is none, and DAY_LAG_MS after the end of a day for what is said of days. */
  readonly lagMs?: TimeMs | undefined;
  /** See `RecordMergeOptions`. */
  readonly vintageMs?: TimeMs | undefined;
  readonly importedAt: TimeMs;
  readonly onProgress?: ((stage: 'reading' | 'writing', done: number, total: number) => void) | undefined;
}

/**
 * @throws BallastError FILE_UNREADABLE, CSV_ROW_CORRUPT, COLUMNS_UNKNOWN, KIND_UNKNOWN, GRAIN_MIXED, ROWS_CONTRADICT, and what `merge` of
 * the store throws
 */
export async function importRecords(request: RecordImportRequest): Promise<RecordMergeReport[]> {
  const { store, files, venue, symbol, importedAt, vintageMs } = request;
  // Named before anything is read: a symbol or a venue that is none need not wait for a million rows.
  recordFolder({ kind: request.kind, venue, symbol });
  const gathered = new Gathered(request);
  await readFiles({
    files,
    onProgress: (done, total) => request.onProgress?.('reading', done, total),
    parserFor: (path) => parserFor(path, gathered, request),
  });
  const batches = gathered.batches();
  if (batches.length === 0) throw unreadable(files.join(', '), 'a header and no rows', 'at least one row');
  return store.merge(batches, {
    importedAt,
    vintageMs,
    onProgress: (done, total) => request.onProgress?.('writing', done, total),
  });
}

function parserFor(path: string, gathered: Gathered, request: RecordImportRequest): Parser {
  const { format, kind, columns = {} } = request;
  const csv = (layout: CsvLayout, of: RecordKind): Parser => {
    return new CsvReader(gathered.sink(of, path), { path, layout, columns, words: gathered.words });
  };
  if (format === 'capture') return new CaptureFile(path, (of) => csv(RECORD_LAYOUTS[of], of));
  if (format === 'freqtrade') return freqtradeParser(path, kind, gathered.sink(kind, path));
  if (format === 'bybit-archive' && kind !== 'trades') return gathered.books(path);
  return csv(format === 'binance' ? binanceLayout(kind) : RECORD_LAYOUTS[kind], kind);
}

/** A file of a capture is of the kind that its header names. */
class CaptureFile implements Parser {
  readonly #path: string;
  readonly #csvOf: (kind: RecordKind) => Parser;
  #csv: Parser | undefined;
  #head = Buffer.alloc(0);

  constructor(path: string, csvOf: (kind: RecordKind) => Parser) {
    this.#path = path;
    this.#csvOf = csvOf;
  }

  push(piece: Uint8Array): void {
    if (this.#csv !== undefined) {
      this.#csv.push(piece);
      return;
    }
    this.#head = Buffer.concat([this.#head, piece]);
    if (this.#head.includes('\n')) this.#begin();
  }

  end(): void | Promise<void> {
    if (this.#csv === undefined) this.#begin();
    return this.#csv?.end();
  }

  #begin(): void {
    const [line = ''] = this.#head.toString('utf8').split('\n', 1);
    const names = line.trim().split(guessDelimiter(line));
    const kind = captureKind(names);
    if (kind === undefined) {
      throw new BallastError({
        code: 'KIND_UNKNOWN',
        place: `${this.#path}:1`,
        found: `the columns ${names.map((name) => JSON.stringify(name)).join(', ')}`,
        expected: 'those of trades (trade_id), book deltas (first_update_id), a book snapshot (last_update_id) or a ticker (bid, ask)',
        exitCode: 2,
      });
    }
    this.#csv = this.#csvOf(kind);
    this.#csv.push(this.#head);
  }
}

/** Rows of several files by kind, as numbers: words are numbers of `words`. */
class Gathered {
  readonly words = new Words();
  readonly #request: RecordImportRequest;
  readonly #kinds = new Map<RecordKind, KindRows>();
  /** Of a capture: the furthest that its local clock was seen behind the venue's. */
  #behindMs = -Infinity;

  constructor(request: RecordImportRequest) {
    this.#request = request;
  }

  sink(kind: RecordKind, path: string): RowSink {
    const rows = this.#rowsOf(kind, path);
    const onClocks = (localAt: TimeMs, happenedAt: TimeMs): void => {
      if (happenedAt - localAt > this.#behindMs) this.#behindMs = happenedAt - localAt;
    };
    if (kind === 'metric') return new MetricSink(rows, this.words, this.#request);
    return new RecordSink(kind, rows, this.words, this.#request, onClocks);
  }

  /** Both kinds of a file of Bybit's books, or the one that was asked for. */
  books(path: string): Parser {
    const kinds = { 'book-snapshot': this.#rowsOf('book-snapshot', path), 'book-delta': this.#rowsOf('book-delta', path) };
    const lagMs = this.#request.lagMs ?? 0;
    return bybitBookParser(path, ({ kind, at, happenedAt, update, side, price, quantity }, line) => {
      const updates = kind === 'book-snapshot' ? [update] : [update, update];
      kinds[kind].push(Float64Array.of(at + lagMs, happenedAt, ...updates, side, price, quantity), line);
    });
  }

  batches(): RecordBatch[] {
    // A clock that runs early would let us know things before they happened; one that runs late only makes the way look longer.
    const clockOffsetMs = Math.max(0, this.#behindMs);
    const { venue, symbol } = this.#request;
    return [...this.#kinds].flatMap(([kind, rows]) => {
      const batch = rows.batch(kind, this.words, clockOffsetMs);
      return batch.rows === 0 ? [] : [{ venue, symbol, ...batch }];
    });
  }

  #rowsOf(kind: RecordKind, path: string): KindRows {
    let rows = this.#kinds.get(kind);
    if (rows === undefined) {
      rows = new KindRows(Object.keys(KINDS[kind].columns).length);
      this.#kinds.set(kind, rows);
    }
    rows.begin(path);
    return rows;
  }
}

/** The rows of one kind, in the order of its columns. */
class KindRows {
  readonly #rows: RawRows;
  readonly #beginnings: { readonly path: string; readonly firstRow: number }[] = [];
  grain: TradeGrain | undefined;
  hasLocalTimes = false;
  /** Whether a row's own time was only when it was received. */
  readonly #unsaid: number[] = [];

  constructor(width: number) {
    this.#rows = new RawRows(width);
  }

  begin(path: string): void {
    this.#beginnings.push({ path, firstRow: this.#rows.length });
  }

  push(values: Float64Array, line: number, isUnsaid = false): void {
    if (isUnsaid) this.#unsaid.push(this.#rows.length);
    this.#rows.push(values, line);
  }

  batch(kind: RecordKind, words: Words, clockOffsetMs: number): Omit<RecordBatch, 'venue' | 'symbol'> {
    const numbers = this.#rows.columns();
    const [at = new Float64Array(), happenedAt = new Float64Array()] = numbers;
    const isShifted = this.hasLocalTimes && clockOffsetMs > 0;
    if (isShifted) {
      for (let row = 0; row < at.length; row += 1) at[row] = (at[row] ?? NaN) + clockOffsetMs;
      for (const row of this.#unsaid) happenedAt[row] = at[row] ?? NaN;
    }
    const columns = new Map<string, Column>(
      Object.entries(KINDS[kind].columns).map(([name, type], index) => {
        const column = numbers[index] ?? new Float64Array();
        return [name, type === 'text' ? Array.from(column, (number) => words.word(number)) : column];
      }),
    );
    const capture: CaptureNote | undefined = isShifted ? { fromMs: least(at), toMs: most(at), clockOffsetMs } : undefined;
    return { kind, rows: at.length, columns, placeOf: (row) => this.#placeOf(row), capture, grain: this.grain };
  }

  #placeOf(row: number): string {
    const beginning = this.#beginnings.findLast(({ firstRow }) => firstRow <= row);
    return `${beginning?.path ?? ''}:${this.#rows.line(row)}`;
  }
}

function least(values: Float64Array): number {
  return values.reduce((lowest, value) => Math.min(lowest, value), Infinity);
}

function most(values: Float64Array): number {
  return values.reduce((highest, value) => Math.max(highest, value), -Infinity);
}

/** When what a row says could be known. */
function knownAt(happenedAt: TimeMs, isDay: boolean, lagMs: TimeMs | undefined): TimeMs {
  return isDay ? happenedAt + DAY_MS + (lagMs ?? DAY_LAG_MS) : happenedAt + (lagMs ?? 0);
}

/** Any kind but metrics: a row of the file is a row of the kind. */
class RecordSink implements RowSink {
  readonly #kind: RecordKind;
  readonly #rows: KindRows;
  readonly #words: Words;
  readonly #request: RecordImportRequest;
  readonly #onClocks: (localAt: TimeMs, happenedAt: TimeMs) => void;
  readonly #columns: readonly string[];
  readonly #types: readonly string[];
  readonly #out: Float64Array;
  /** For each column the place of its field among the values; -1 where the file has none. */
  #places: readonly number[] = [];
  #place: Readonly<Record<string, number>> = {};
  #hasLocal = false;

  constructor(
    kind: RecordKind,
    rows: KindRows,
    words: Words,
    request: RecordImportRequest,
    onClocks: (localAt: TimeMs, happenedAt: TimeMs) => void,
  ) {
    this.#kind = kind;
    this.#rows = rows;
    this.#words = words;
    this.#request = request;
    this.#onClocks = onClocks;
    this.#columns = Object.keys(KINDS[kind].columns);
    this.#types = Object.values(KINDS[kind].columns);
    this.#out = new Float64Array(this.#columns.length);
  }

  begin(fields: readonly Field[], headers: readonly string[]): void {
    const places = new Map(fields.map((field, place) => [field.role, headers[place] === '' ? -1 : place]));
    this.#place = Object.fromEntries(places);
    this.#places = this.#columns.map((column) => places.get(column) ?? -1);
    this.#hasLocal = (this.#place['local'] ?? -1) >= 0;
    this.#rows.hasLocalTimes ||= this.#hasLocal;
    if (this.#kind === 'trades') this.#rows.grain = headers[this.#place['id'] ?? -1] === 'agg_trade_id' ? 'aggregate' : 'trade';
  }

  row(values: Float64Array, line: number, isDay: boolean): Fault | undefined {
    const out = this.#out;
    for (let column = 2; column < out.length; column += 1) {
      const place = this.#places[column] ?? -1;
      out[column] = place < 0 ? NaN : (values[place] ?? NaN);
    }
    const { lagMs, timeframeMs = 0 } = this.#request;
    const isOfBars = this.#kind === 'mark' || this.#kind === 'index';
    const said = this.#value(values, 'time') + (isOfBars ? timeframeMs : 0);
    const localAt = this.#hasLocal ? this.#value(values, 'local') : NaN;
    const isUnsaid = Number.isNaN(said);
    out[1] = isUnsaid ? localAt : said;
    out[0] = this.#hasLocal ? localAt : knownAt(out[1], isDay, lagMs);
    if (!(out[0] > 0)) return { found: 'no time', expected: 'the time of the venue, or the local one' };
    if (this.#hasLocal && !isUnsaid) this.#onClocks(localAt, said);
    if (this.#kind === 'trades' && Number.isNaN(out[5] ?? NaN)) out[5] = this.#value(values, 'buyerRested');
    if (this.#kind === 'option-chain') this.#toQuotes(values, out);
    if (this.#kind === 'option-trades') this.#toTrade(values, out);
    // A bar without a mark price, as before a venue began to publish one.
    if (isOfBars && Number.isNaN(out[2] ?? NaN)) return undefined;
    const fault = recordFault(this.#kind, out, this.#columns, this.#types);
    if (fault === undefined) this.#rows.push(out, line, isUnsaid);
    return fault;
  }

  #value(values: Float64Array, role: string): number {
    const place = this.#place[role] ?? -1;
    return place < 0 ? NaN : (values[place] ?? NaN);
  }

  /** Zeros that stand for no quote become nothing. */
  #toQuotes(values: Float64Array, out: Float64Array): void {
    const index = out[this.#columns.indexOf('index')] ?? NaN;
    for (const name of ['mark', 'bid', 'ask', 'last']) {
      const column = this.#columns.indexOf(name);
      const price = this.#inDollars(values, name, out[column] ?? NaN, index);
      out[column] = price > 0 || name === 'mark' ? price : NaN;
    }
    this.#toRatios(values, out, 'markVolatility', 'bidVolatility', 'askVolatility');
    this.#nameOption(out);
  }

  #toTrade(values: Float64Array, out: Float64Array): void {
    const underlying = out[this.#columns.indexOf('underlying')] ?? NaN;
    for (const name of ['price', 'mark']) {
      const column = this.#columns.indexOf(name);
      out[column] = this.#inDollars(values, name, out[column] ?? NaN, underlying);
    }
    this.#toRatios(values, out, 'volatility');
    for (const name of ['block', 'combo']) {
      const column = this.#columns.indexOf(name);
      if (Number.isNaN(out[column] ?? NaN)) out[column] = this.#words.numberOf('');
    }
    this.#nameOption(out);
  }

  /** What the file says in dollars, or else in coins. */
  #inDollars(values: Float64Array, name: string, inDollars: number, coinPrice: number): number {
    return Number.isNaN(inDollars) ? this.#value(values, `${name}Coin`) * coinPrice : inDollars;
  }

  /** Percents become ratios; 0 stands for none. */
  #toRatios(values: Float64Array, out: Float64Array, ...names: readonly string[]): void {
    for (const name of names) {
      const column = this.#columns.indexOf(name);
      const said = out[column] ?? NaN;
      const ratio = Number.isNaN(said) ? this.#value(values, `${name}Percent`) / 100 : said;
      out[column] = ratio > 0 ? ratio : NaN;
    }
  }

  /** Makes a name where the file has none. */
  #nameOption(out: Float64Array): void {
    const at = (name: string): number => this.#columns.indexOf(name);
    if (!Number.isNaN(out[at('instrument')] ?? NaN)) return;
    const expiry = formatTime(out[at('expiry')] ?? NaN);
    const right = (out[at('right')] ?? 0) > 0 ? 'C' : 'P';
    out[at('instrument')] = this.#words.numberOf(`${this.#request.symbol}-${expiry.slice(0, 10)}-${out[at('strike')]}-${right}`);
  }
}

/** A row of the file is as many rows as it has metrics; where it says nothing there is none. */
class MetricSink implements RowSink {
  readonly #rows: KindRows;
  readonly #words: Words;
  readonly #lagMs: TimeMs | undefined;
  #names: readonly number[] = [];

  constructor(rows: KindRows, words: Words, { lagMs }: RecordImportRequest) {
    this.#rows = rows;
    this.#words = words;
    this.#lagMs = lagMs;
  }

  begin(fields: readonly Field[]): void {
    this.#names = fields.map(({ role }) => this.#words.numberOf(role));
  }

  row(values: Float64Array, line: number, isDay: boolean): Fault | undefined {
    const happenedAt = values[0] ?? NaN;
    const at = knownAt(happenedAt, isDay, this.#lagMs);
    for (let place = 1; place < values.length; place += 1) {
      const value = values[place] ?? NaN;
      if (!Number.isNaN(value)) this.#rows.push(Float64Array.of(at, happenedAt, this.#names[place] ?? NaN, value), line);
    }
    return undefined;
  }
}

/** What cannot be right in a row looked at alone. */
function recordFault(kind: RecordKind, row: Float64Array, columns: readonly string[], types: readonly string[]): Fault | undefined {
  for (let column = 2; column < row.length; column += 1) {
    const value = row[column] ?? NaN;
    const type = types[column];
    if (type === 'optional' ? value > -Infinity || Number.isNaN(value) : value > -Infinity && value < Infinity) continue;
    return { found: `no ${columns[column] ?? ''}`, expected: 'a value in every row' };
  }
  const value = (name: string): number => row[columns.indexOf(name)] ?? NaN;
  for (const name of PRICES) {
    if (columns.includes(name) && !(value(name) > 0)) return { found: `${name} ${value(name)}`, expected: 'a finite price above 0' };
  }
  for (const name of QUANTITIES) {
    if (columns.includes(name) && value(name) < 0) return { found: `${name} ${value(name)}`, expected: 'a quantity of 0 or more' };
  }
  if (kind === 'funding' && Math.abs(value('rate')) >= 1) {
    return { found: `rate ${value('rate')}`, expected: 'a funding rate as a fraction between -1 and 1' };
  }
  if (kind === 'book-delta' && value('firstUpdate') > value('lastUpdate')) {
    return { found: `updates ${value('firstUpdate')} to ${value('lastUpdate')}`, expected: 'the first not after the last' };
  }
  return undefined;
}

const PRICES = ['price', 'strike'];
const QUANTITIES = ['quantity', 'bidQuantity', 'askQuantity', 'openInterest'];
