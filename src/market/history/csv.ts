// Rows out of CSV, byte by byte: a million bars in about half a second, each number exactly what `Number` makes of its text.
// Every row is judged as it is read, so that a fault is named with its line.
import { BallastError } from '../../domain/errors.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { Fault } from '../quality.ts';
import { findColumns, guessDelimiter, looksLikeHeader } from './columns.ts';
import type { ColumnNames, CsvLayout, Field } from './columns.ts';

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/** A line that goes on for longer is no line of a CSV: a binary file would otherwise be collected until memory ends. */
const LONGEST_LINE = 65_536;

/** Each exact as a double, so that whole digits divided by one of them are rounded once, as `Number` rounds. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NUMBER_OR_TIME = /^[\d.:+TZ -]*$/;
const NO_HEADER: Fault = { found: 'no header line', expected: 'a first line that names the columns' };
const NOT_READ = -1;

/** What a side is called: of a book, of a taker, of an option. */
const SIDES: Readonly<Record<string, number>> = {
  '1': 1,
  bid: 1,
  buy: 1,
  b: 1,
  call: 1,
  c: 1,
  '-1': -1,
  ask: -1,
  sell: -1,
  s: -1,
  a: -1,
  put: -1,
  p: -1,
};
/** Whether the buyer had rested in the book, in which case a seller took. */
const BUYER_RESTED: Readonly<Record<string, number>> = { true: -1, '1': -1, false: 1, '0': 1 };

/** Rows as they come out of the files, with the line of each. */
export class RawRows {
  length = 0;
  #columns: Float64Array[];
  #lines = new Uint32Array(4096);

  constructor(width: number) {
    this.#columns = Array.from({ length: width }, () => new Float64Array(4096));
  }

  push(values: Float64Array, line: number): void {
    if (this.length === this.#lines.length) this.#grow();
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index];
      if (column !== undefined) column[this.length] = values[index] ?? NaN;
    }
    this.#lines[this.length] = line;
    this.length += 1;
  }

  line(row: number): number {
    return this.#lines[row] ?? 0;
  }

  /** Sharing memory with the rows: no more may be pushed once it was asked for. */
  columns(): Float64Array[] {
    return this.#columns.map((column) => column.subarray(0, this.length));
  }

  #grow(): void {
    this.#columns = this.#columns.map((column) => {
      const larger = new Float64Array(column.length * 2);
      larger.set(column);
      return larger;
    });
    const lines = new Uint32Array(this.#lines.length * 2);
    lines.set(this.#lines);
    this.#lines = lines;
  }
}

/** Words by number, so that rows hold nothing but numbers. */
export class Words {
  readonly #numbers = new Map<string, number>();
  readonly #words: string[] = [];

  numberOf(word: string): number {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.#words.push(word) - 1;
      this.#numbers.set(word, number);
    }
    return number;
  }

  word(number: number): string {
    return this.#words[number] ?? '';
  }
}

/** Takes the rows of a file. */
export interface RowSink {
  /** The fields that the file has, in the order of the values to come. */
  begin(fields: readonly Field[], headers: readonly string[]): void;
  /**
   * @param values of the fields; absent ones are NaN. Reused for the next row.
   * @param isDay whether the time was a day without an hour
   * @returns what is wrong with the row, with what to do about it where that is not plain
   */
  row(values: Float64Array, line: number, isDay: boolean): (Fault & { readonly remedy?: string }) | undefined;
}

export interface CsvOptions {
  /** For the messages. */
  readonly path: string;
  readonly layout: CsvLayout;
  readonly columns: ColumnNames;
  readonly words: Words;
}

/** Reads one file: `push` its bytes in pieces of any length, then `end`. */
export class CsvReader {
  readonly #options: CsvOptions;
  readonly #sink: RowSink;
  #fields: readonly Field[] = [];
  #values = new Float64Array();
  /** The beginning of a line whose end has not come yet. */
  #rest = new Uint8Array();
  #line = 0;
  /** For each column of the file the place of its field, or NOT_READ. Empty until the header has been read. */
  #places = new Int16Array();
  #isDay = false;
  #delimiter = 0;
  /** The first line, where it was no header: some files have a line of advertising above it. */
  #preamble: readonly string[] | undefined;
  /** Where the last read field ended. */
  #at = 0;
  #day = NaN;
  #dayAt = NaN;

  constructor(sink: RowSink, options: CsvOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** @throws BallastError CSV_ROW_CORRUPT, COLUMNS_UNKNOWN */
  push(piece: Uint8Array): void {
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#readLine(bytes, start, end);
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    if (this.#rest.length > LONGEST_LINE) {
      this.#line += 1;
      throw this.#corrupt({ found: `a line of more than ${LONGEST_LINE} bytes`, expected: 'text in CSV' });
    }
  }

  /** @throws BallastError CSV_ROW_CORRUPT, COLUMNS_UNKNOWN */
  end(): void {
    if (this.#rest.length > 0) this.#readLine(this.#rest, 0, this.#rest.length);
    if (this.#places.length > 0) return;
    const { columns, path, layout } = this.#options;
    findColumns(this.#preamble ?? [], layout, columns, path);
    throw this.#corrupt(NO_HEADER);
  }

  #readLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    this.#line += 1;
    const end = bytes[lineEnd - 1] === RETURN && lineEnd > start ? lineEnd - 1 : lineEnd;
    if (isBlank(bytes, start, end)) return;
    if (this.#places.length > 0) this.#readRow(bytes, start, end);
    else if (!this.#readHeader(textOf(bytes, start, end))) this.#readRow(bytes, start, end);
  }

  /** False when the line is a row already: some files name their columns nowhere. */
  #readHeader(line: string): boolean {
    const { columns, path, layout } = this.#options;
    const text = line.replace(/^\uFEFF/, '');
    const delimiter = guessDelimiter(text);
    const names = text.split(delimiter).map((name) => unquoted(name.trim()));
    const known = layout.namesOf?.(names);
    if (known !== undefined) {
      this.#begin(known, delimiter);
      return false;
    }
    if (looksLikeHeader(names, layout, columns)) {
      this.#begin(names, delimiter);
      return true;
    }
    // The second that is none: the first is what there was to go by.
    if (this.#preamble !== undefined) findColumns(this.#preamble, layout, columns, `${path}:1`);
    if (names.every((name) => NUMBER_OR_TIME.test(name))) throw this.#corrupt(NO_HEADER);
    this.#preamble = names;
    return true;
  }

  #begin(names: readonly string[], delimiter: string): void {
    const { columns, path, layout } = this.#options;
    const found = findColumns(names, layout, columns, `${path}:${this.#line}`);
    this.#delimiter = delimiter.charCodeAt(0);
    this.#fields = found.map(({ field }) => field);
    this.#values = new Float64Array(found.length).fill(NaN);
    this.#places = new Int16Array(names.length).fill(NOT_READ);
    for (const [place, { column }] of found.entries()) if (column >= 0) this.#places[column] = place;
    this.#sink.begin(
      this.#fields,
      found.map(({ column }) => names[column] ?? ''),
    );
  }

  #readRow(bytes: Uint8Array, start: number, end: number): void {
    const places = this.#places;
    const values = this.#values;
    let at = start;
    for (let column = 0; column < places.length; column += 1) {
      const place = places[column] ?? NOT_READ;
      if (place === NOT_READ) this.#at = this.#fieldEnd(bytes, at, end);
      else values[place] = this.#value(this.#fields[place], bytes, at, end);
      at = this.#at + 1;
      if (this.#at >= end && column < places.length - 1) throw this.#wrongWidth(column + 1);
    }
    if (this.#at < end)
      throw this.#wrongWidth(places.length + textOf(bytes, this.#at, end).split(String.fromCharCode(this.#delimiter)).length - 1);
    const fault = this.#sink.row(values, this.#line, this.#isDay);
    if (fault !== undefined) throw this.#corrupt(fault, fault.remedy);
  }

  #value(field: Field | undefined, bytes: Uint8Array, start: number, end: number): number {
    if (field?.type === 'number') return this.#number(bytes, start, end, field);
    if (field?.type === 'time') return this.#time(bytes, start, end, field);
    const text = this.#field(bytes, start, end);
    if (text === '' && field?.isOptional === true) return NaN;
    let value: number | undefined;
    if (field?.type === 'side') value = sideOf(text);
    else if (field?.type === 'buyer-rested') value = BUYER_RESTED[text.toLowerCase()];
    else if (field?.type === 'id') value = numberOfId(text);
    else value = text === '' ? undefined : this.#options.words.numberOf(text);
    if (value !== undefined) return value;
    throw this.#corrupt({ found: `${field?.role ?? ''} ${JSON.stringify(text)}`, expected: field?.expected ?? 'a word' });
  }

  /** Digits and a point, as nearly all are, are read as one integer over a power of ten; all else goes through `Number`. */
  #number(bytes: Uint8Array, start: number, end: number, field: Field): number {
    const isNegative = bytes[start] === MINUS;
    let at = isNegative ? start + 1 : start;
    let whole = 0;
    let digits = 0;
    let decimals = -1;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        whole = whole * 10 + digit;
        digits += 1;
        if (decimals >= 0) decimals += 1;
      } else if (byte === POINT && decimals < 0) decimals = 0;
      else break;
    }
    const isPlain = digits > 0 && whole <= Number.MAX_SAFE_INTEGER && decimals < POWERS_OF_TEN.length;
    if (isPlain && (at >= end || bytes[at] === this.#delimiter)) {
      this.#at = at;
      const value = decimals > 0 ? whole / (POWERS_OF_TEN[decimals] ?? NaN) : whole;
      return isNegative ? -value : value;
    }
    const text = this.#field(bytes, start, end);
    if (text === '' && field.isOptional) return NaN;
    const value = DECIMAL.test(text) ? Number(text) : NaN;
    if (Number.isFinite(value)) return value;
    throw this.#corrupt({ found: `${field.role} ${JSON.stringify(text)}`, expected: field.expected });
  }

  #time(bytes: Uint8Array, start: number, end: number, field: Field): TimeMs {
    const fieldEnd = this.#fieldEnd(bytes, start, end);
    this.#at = fieldEnd;
    if (fieldEnd === start && field.isOptional) return NaN;
    const at = this.#timeOf(bytes, start, fieldEnd, field);
    if (Number.isFinite(at)) return at;
    const text = this.#field(bytes, start, end);
    const plain = new TextEncoder().encode(text);
    const again = this.#timeOf(plain, 0, plain.length, field);
    if (Number.isFinite(again)) return again;
    if (text === '' && field.isOptional) return NaN;
    throw this.#corrupt({ found: `${field.role} ${JSON.stringify(text)}`, expected: field.expected });
  }

  /** ISO-8601, a compact date, or a count since 1970 whose unit its magnitude tells; NaN for anything else. */
  #timeOf(bytes: Uint8Array, start: number, end: number, field: Field): TimeMs {
    if (field.role === 'time') this.#isDay = false;
    if (bytes[start + 4] === MINUS) {
      if (field.role === 'time') this.#isDay = end === start + 10;
      return this.#isoTime(bytes, start, end);
    }
    let count = digitsAt(bytes, start, end - start);
    if (end - start === 8 && field.role === 'time') this.#isDay = true;
    if (end - start === 8) return this.#dayStart(Math.floor(count / 10_000), Math.floor(count / 100) % 100, count % 100);
    if (Number.isNaN(count)) {
      const text = textOf(bytes, start, end);
      if (DECIMAL.test(text)) count = Number(text);
    }
    // Between 1973 and 5138 the units do not overlap. A fraction of a second is kept to the microsecond: in binary it has no end.
    if (count >= 1e8 && count < 1e11) return Math.round(count * 1e6) / 1000;
    if (count >= 1e11 && count < 1e14) return count;
    if (count >= 1e14 && count < 1e17) return count / 1000;
    // Nanoseconds are more digits than a double has, so that their two halves are read apart.
    if (count >= 1e17 && count < 1e20) return digitsAt(bytes, start, end - start - 6) + digitsAt(bytes, end - 6, 6) / 1e6;
    return NaN;
  }

  /** `2021-01-01`, `2021-01-01T00:00`, with seconds, with a fraction, with `Z` or an offset; a space will do for the T. */
  #isoTime(bytes: Uint8Array, start: number, end: number): TimeMs {
    const year = digitsAt(bytes, start, 2) * 100 + digitsAt(bytes, start + 2, 2);
    const day = this.#dayStart(year, digitsAt(bytes, start + 5, 2), digitsAt(bytes, start + 8, 2));
    if (bytes[start + 7] !== MINUS || end < start + 10) return NaN;
    if (end === start + 10) return day;
    const [letterT, lowerT, colon, letterZ, lowerZ, plus] = [84, 116, 58, 90, 122, 43];
    const separator = bytes[start + 10];
    const hours = digitsAt(bytes, start + 11, 2);
    const minutes = digitsAt(bytes, start + 14, 2);
    if ((separator !== letterT && separator !== lowerT && separator !== SPACE) || bytes[start + 13] !== colon || end < start + 16)
      return NaN;
    let at = start + 16;
    let seconds = 0;
    let fractionMs = 0;
    if (bytes[at] === colon && at < end) {
      seconds = digitsAt(bytes, at + 1, 2);
      at += 3;
      if (bytes[at] === POINT && at < end) {
        let placeMicros = 100_000;
        let micros = 0;
        for (at += 1; at < end && digitsAt(bytes, at, 1) >= 0; at += 1, placeMicros /= 10) {
          // What is finer than a microsecond leaves half of one: 23:59:59.9999999 closes a bar, and must not be rounded into an open.
          if (placeMicros >= 1) micros += digitsAt(bytes, at, 1) * placeMicros;
          else if (digitsAt(bytes, at, 1) > 0) micros = Math.floor(micros) + 0.5;
        }
        fractionMs = micros / 1000;
      }
    }
    let offsetMinutes = 0;
    if (at < end && (bytes[at] === letterZ || bytes[at] === lowerZ)) at += 1;
    else if (at < end && (bytes[at] === plus || bytes[at] === MINUS)) {
      const sign = bytes[at] === plus ? 1 : -1;
      const minutesAt = bytes[at + 3] === colon ? at + 4 : at + 3;
      offsetMinutes = sign * (digitsAt(bytes, at + 1, 2) * 60 + (minutesAt < end ? digitsAt(bytes, minutesAt, 2) : 0));
      at = minutesAt < end ? minutesAt + 2 : at + 3;
    }
    if (at !== end || !(hours < 24) || !(minutes < 60) || !(seconds < 60)) return NaN;
    return day + ((hours * 60 + minutes - offsetMinutes) * 60 + seconds) * 1000 + fractionMs;
  }

  /** Bars come many to a day, so the last day is kept. NaN for a day the calendar does not have. */
  #dayStart(year: number, month: number, day: number): TimeMs {
    const key = (year * 100 + month) * 100 + day;
    if (key === this.#day) return this.#dayAt;
    const at = Date.UTC(year, month - 1, day);
    const date = new Date(at);
    const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
    this.#day = key;
    this.#dayAt = isReal ? at : NaN;
    return this.#dayAt;
  }

  /** The field's text without its quotes and the spaces around it; moves past it. */
  #field(bytes: Uint8Array, start: number, end: number): string {
    this.#at = this.#fieldEnd(bytes, start, end);
    return unquoted(textOf(bytes, start, this.#at).trim());
  }

  /** The delimiter after the field, or the end of the line. Between quotes a delimiter is text. */
  #fieldEnd(bytes: Uint8Array, start: number, end: number): number {
    let isQuoted = false;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === this.#delimiter && !isQuoted) return at;
    }
    if (isQuoted) throw this.#corrupt({ found: 'a quote that is not closed', expected: 'every field to end on its line' });
    return end;
  }

  #wrongWidth(columns: number): BallastError {
    return this.#corrupt({ found: `${columns} columns`, expected: `${this.#places.length}, as in the header` });
  }

  #corrupt(fault: Fault, remedy?: string): BallastError {
    return rowFault(`${this.#options.path}:${this.#line}`, fault, remedy);
  }
}

/** 1 for bid, buy and call, -1 for ask, sell and put. */
export function sideOf(text: string): number | undefined {
  return SIDES[text.toLowerCase()];
}

/**
 * An id as a number. Bybit names the trades of its linear markets by UUIDs: their first 52 bits, which among ten million trades of a month
 * are the same for two with a probability of one in a hundred.
 */
export function numberOfId(text: string): number | undefined {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(text) ? Number.parseInt(text.replaceAll('-', '').slice(0, 13), 16) : undefined;
}

/** @param place `FILE:LINE` */
export function rowFault(place: string, fault: Fault, remedy = 'correct or remove the line; nothing was imported'): BallastError {
  return new BallastError({ code: 'CSV_ROW_CORRUPT', place, ...fault, remedy });
}

/** The number that `count` digits make, or NaN. */
function digitsAt(bytes: Uint8Array, start: number, count: number): number {
  let number = 0;
  for (let at = start; at < start + count; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== SPACE) return false;
  return true;
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"').trim() : text;
}
