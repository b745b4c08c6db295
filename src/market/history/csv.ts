// Bars out of CSV, byte by byte: a million rows in about half a second, each number exactly what `Number` makes of its text.
// Every row is judged as it is read, so that a fault is named with its line.
import { assert, BallastError } from '../../domain/errors.ts';
import type { BarColumns } from '../../domain/bars.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { isAligned, shapeFault } from '../quality.ts';
import type { Fault } from '../quality.ts';
import { COLUMN_ROLES, findColumns, guessDelimiter, looksLikeHeader } from './columns.ts';
import type { ColumnNames } from './columns.ts';

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
const TIME = COLUMN_ROLES.indexOf('time');

/** Rows as they come out of the files, with the line of each. */
export class RawBars {
  length = 0;
  #columns: Float64Array[] = COLUMN_ROLES.map(() => new Float64Array(4096));
  #lines = new Uint32Array(4096);

  push(values: Float64Array, line: number): void {
    if (this.length === this.#lines.length) this.#grow();
    for (let index = 0; index < COLUMN_ROLES.length; index += 1) {
      const column = this.#columns[index];
      if (column !== undefined) column[this.length] = values[index] ?? NaN;
    }
    this.#lines[this.length] = line;
    this.length += 1;
  }

  line(row: number): number {
    return this.#lines[row] ?? 0;
  }

  columns(): BarColumns {
    const [openAt, open, high, low, close, volume] = this.#columns.map((column) => column.subarray(0, this.length));
    assert(openAt !== undefined && open !== undefined && high !== undefined, 'raw bars have six columns');
    assert(low !== undefined && close !== undefined && volume !== undefined, 'raw bars have six columns');
    return { openAt, open, high, low, close, volume };
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

export interface CsvOptions {
  /** For the messages. */
  readonly path: string;
  readonly timeframeMs: TimeMs;
  readonly columns: ColumnNames;
}

/** Reads one file: `push` its bytes in pieces of any length, then `end`. */
export class CsvBars {
  readonly #options: CsvOptions;
  readonly #rows: RawBars;
  readonly #values = new Float64Array(COLUMN_ROLES.length);
  /** Reused for every row, so that judging a row makes no object. */
  readonly #bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };
  /** The beginning of a line whose end has not come yet. */
  #rest = new Uint8Array();
  #line = 0;
  /** For each column of the file its role, or NOT_READ. Empty until the header has been read. */
  #roles = new Int8Array();
  #delimiter = 0;
  /** The first line, where it was no header: some files have a line of advertising above it. */
  #preamble: readonly string[] | undefined;
  /** Where the last read field ended. */
  #at = 0;
  #day = NaN;
  #dayAt = NaN;

  constructor(rows: RawBars, options: CsvOptions) {
    this.#rows = rows;
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
      throw this.#corrupt({ found: `a line of more than ${LONGEST_LINE} bytes`, expected: 'text in CSV, a bar a line' });
    }
  }

  /** @throws BallastError CSV_ROW_CORRUPT, COLUMNS_UNKNOWN */
  end(): void {
    if (this.#rest.length > 0) this.#readLine(this.#rest, 0, this.#rest.length);
    if (this.#roles.length > 0) return;
    const { columns, path } = this.#options;
    findColumns(this.#preamble ?? [], columns, path);
    throw this.#corrupt(NO_HEADER);
  }

  #readLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    this.#line += 1;
    const end = bytes[lineEnd - 1] === RETURN && lineEnd > start ? lineEnd - 1 : lineEnd;
    if (isBlank(bytes, start, end)) return;
    if (this.#roles.length === 0) this.#readHeader(textOf(bytes, start, end));
    else this.#readRow(bytes, start, end);
  }

  #readHeader(line: string): void {
    const { columns, path } = this.#options;
    const text = line.replace(/^\uFEFF/, '');
    const delimiter = guessDelimiter(text);
    const names = text.split(delimiter).map((name) => unquoted(name.trim()));
    if (!looksLikeHeader(names, columns)) {
      // The second that is none: the first is what there was to go by.
      if (this.#preamble !== undefined) findColumns(this.#preamble, columns, `${path}:1`);
      if (names.every((name) => NUMBER_OR_TIME.test(name))) throw this.#corrupt(NO_HEADER);
      this.#preamble = names;
      return;
    }
    const places = findColumns(names, columns, `${path}:${this.#line}`);
    this.#delimiter = delimiter.charCodeAt(0);
    this.#roles = new Int8Array(names.length).fill(NOT_READ);
    for (const [role, name] of COLUMN_ROLES.entries()) this.#roles[places[name]] = role;
  }

  #readRow(bytes: Uint8Array, start: number, end: number): void {
    const roles = this.#roles;
    const values = this.#values;
    let at = start;
    for (let column = 0; column < roles.length; column += 1) {
      const role = roles[column] ?? NOT_READ;
      if (role === NOT_READ) this.#at = this.#fieldEnd(bytes, at, end);
      else if (role === TIME) values[role] = this.#time(bytes, at, end);
      else values[role] = this.#number(bytes, at, end, role);
      at = this.#at + 1;
      if (this.#at >= end && column < roles.length - 1) throw this.#wrongWidth(column + 1);
    }
    if (this.#at < end)
      throw this.#wrongWidth(roles.length + textOf(bytes, this.#at, end).split(String.fromCharCode(this.#delimiter)).length - 1);
    this.#judge(values);
    this.#rows.push(values, this.#line);
  }

  #judge(values: Float64Array): void {
    const openAt = values[0] ?? NaN;
    if (!isAligned(openAt, this.#options.timeframeMs)) {
      const timeframe = formatSpan(this.#options.timeframeMs);
      throw this.#corrupt(
        { found: `a bar that opens at ${formatTime(openAt)}`, expected: `an open time that is a multiple of ${timeframe}` },
        'give the timeframe of the file with --timeframe, or correct the line; nothing was imported',
      );
    }
    const bar = this.#bar;
    bar.open = values[1] ?? NaN;
    bar.high = values[2] ?? NaN;
    bar.low = values[3] ?? NaN;
    bar.close = values[4] ?? NaN;
    // Adding 0 makes 0 of -0, which would else differ from 0 in a hash of the bytes.
    bar.volume = (values[5] ?? NaN) + 0;
    values[5] = bar.volume;
    const fault = shapeFault(bar);
    if (fault !== undefined) throw this.#corrupt(fault);
  }

  /** Digits and a point, as nearly all are, are read as one integer over a power of ten; all else goes through `Number`. */
  #number(bytes: Uint8Array, start: number, end: number, role: number): number {
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
    const value = DECIMAL.test(text) ? Number(text) : NaN;
    if (Number.isFinite(value)) return value;
    const name = COLUMN_ROLES[role] ?? '';
    throw this.#corrupt({
      found: `${name} ${JSON.stringify(text)}`,
      expected: name === 'volume' ? 'a finite volume of 0 or more' : 'a finite price above 0',
    });
  }

  #time(bytes: Uint8Array, start: number, end: number): TimeMs {
    const fieldEnd = this.#fieldEnd(bytes, start, end);
    this.#at = fieldEnd;
    const at = this.#timeOf(bytes, start, fieldEnd);
    if (Number.isFinite(at)) return at;
    const text = this.#field(bytes, start, end);
    const plain = new TextEncoder().encode(text);
    const again = this.#timeOf(plain, 0, plain.length);
    if (Number.isFinite(again)) return again;
    throw this.#corrupt({
      found: `time ${JSON.stringify(text)}`,
      expected: 'the time the bar opened: ISO-8601 (UTC unless it names an offset), or seconds, milliseconds or microseconds since 1970',
    });
  }

  /** ISO-8601, a compact date, or a count since 1970 whose unit its magnitude tells; NaN for anything else. */
  #timeOf(bytes: Uint8Array, start: number, end: number): TimeMs {
    if (bytes[start + 4] === MINUS) return this.#isoTime(bytes, start, end);
    let count = digitsAt(bytes, start, end - start);
    if (end - start === 8) return this.#dayStart(Math.floor(count / 10_000), Math.floor(count / 100) % 100, count % 100);
    if (Number.isNaN(count)) {
      const text = textOf(bytes, start, end);
      if (DECIMAL.test(text)) count = Number(text);
    }
    // Between 1973 and 5138 the three units do not overlap.
    if (count >= 1e8 && count < 1e11) return count * 1000;
    if (count >= 1e11 && count < 1e14) return count;
    if (count >= 1e14 && count < 1e17) return count / 1000;
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
        let placeMs = 100;
        for (at += 1; at < end && digitsAt(bytes, at, 1) >= 0; at += 1, placeMs /= 10) {
          // What is finer than a millisecond leaves half of one: 23:59:59.9999999 closes a bar, and must not be rounded into an open.
          if (placeMs >= 1) fractionMs += digitsAt(bytes, at, 1) * placeMs;
          else if (digitsAt(bytes, at, 1) > 0) fractionMs = Math.floor(fractionMs) + 0.5;
        }
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
    return this.#corrupt({ found: `${columns} columns`, expected: `${this.#roles.length}, as in the header` });
  }

  #corrupt(fault: Fault, remedy?: string): BallastError {
    return rowFault(`${this.#options.path}:${this.#line}`, fault, remedy);
  }
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
