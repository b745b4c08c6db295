// Data from outside of the bars: rows with two times, when it was so and when it could be known. A subject declares them as series, or
// reads them out of a text file, whose times are found here. Either way its rows of after a moment can be made other rows, or none.
import { parseTime, type TimeMs } from '../../domain/time.ts';

/** A series that a file declares: `knownAt` is `happenedAt` where nothing came later. Every other column has one value a row. */
export interface OutsideSeries {
  readonly happenedAt: Float64Array;
  readonly knownAt: Float64Array;
  readonly [column: string]: Float64Array;
}

/** What is other than it is: everything that was known, or that happened, after a moment. */
export interface OutsideView {
  readonly after: TimeMs;
  readonly by: 'known' | 'happened';
  /** Numbers that are larger, numbers that are smaller, or no rows. */
  readonly manner: 'rising' | 'falling' | 'cut';
  /** One source alone, by its name. */
  readonly only?: string;
}

/** When the rows of a source happened and were known, in the order of its rows. */
export interface OutsideTimes {
  readonly happenedAt: Float64Array;
  readonly knownAt: Float64Array;
}

/** Whether a view leaves a row as it is. */
function isKept({ after, by }: OutsideView, happenedAt: TimeMs, knownAt: TimeMs): boolean {
  return (by === 'known' ? knownAt : happenedAt) <= after;
}

function another(value: number, manner: OutsideView['manner'], row: number): number {
  // By row, so that no statistic over several of them stays what it was.
  const by = 1.3 + 0.1 * (row % 7);
  const up = value === 0 ? by - 1 : value > 0 ? value * by : value / by;
  const down = value === 0 ? 1 - by : value > 0 ? value / by : value * by;
  return manner === 'rising' ? up : down;
}

/** A declared series as a view shows it. */
export function seriesThrough(series: OutsideSeries, view: OutsideView | undefined): OutsideSeries {
  const rows = series.happenedAt.map((_, row) => row);
  if (view === undefined) return fromColumns(series, (column) => column.slice());
  const isTrue = (row: number): boolean => isKept(view, series.happenedAt[row] ?? NaN, series.knownAt[row] ?? NaN);
  if (view.manner === 'cut') {
    const kept = rows.filter(isTrue);
    return fromColumns(series, (column) => kept.map((row) => column[row] ?? NaN));
  }
  return fromColumns(series, (column, name) =>
    name === 'happenedAt' || name === 'knownAt'
      ? column.slice()
      : column.map((value, row) => (isTrue(row) ? value : another(value, view.manner, row))),
  );
}

function fromColumns(series: OutsideSeries, make: (column: Float64Array, name: string) => Float64Array): OutsideSeries {
  // fromEntries forgets that both times are among them.
  return Object.fromEntries(Object.entries(series).map(([name, column]) => [name, make(column, name)])) as unknown as OutsideSeries;
}

/** A text that is a table with times: what they are, and the same text as a view shows it. */
export interface OutsideText extends OutsideTimes {
  through(view: OutsideView): string;
}

type Cell = string | number | boolean | null | object;
interface Row {
  readonly cells: readonly Cell[];
  /** The same row with other cells, or none. */
  readonly write: (cells: readonly Cell[] | undefined) => void;
}

/**
 * Finds the times in a text: CSV (comma, semicolon or tab, with a header or without), JSON that is or has an array of rows, or one JSON row a
 * line. A row is known once the latest of its times has come, and happened at the earliest. Where bars have an open time alone, they are known
 * one bar later; a column `close` says that they are bars, or four prices after the time of which one is the highest and one the lowest. Undefined when there are no such rows: such a text cannot be examined.
 */
export function outsideText(text: string): OutsideText | undefined {
  return tableOf(() => csvRows(text)) ?? tableOf(() => jsonLineRows(text)) ?? tableOf(() => jsonRows(text));
}

interface Table {
  readonly header: readonly string[];
  readonly rows: readonly Row[];
  render(): string;
}

function tableOf(read: () => Table | undefined): OutsideText | undefined {
  const table = read();
  if (table === undefined || table.rows.length < 2) return undefined;
  const columns = timeColumns(table.rows);
  if (columns.length === 0) return undefined;
  const times = table.rows.map(({ cells }) => columns.map((column) => timeOf(cells[column]) ?? NaN).filter((at) => !Number.isNaN(at)));
  const happenedAt = Float64Array.from(times, (all) => Math.min(...all));
  const isBars = columns.length === 1 && (table.header.some((name) => /^(close|c)$/i.test(name)) || areBars(table.rows, columns[0] ?? 0));
  const barMs = isBars ? median(happenedAt.subarray(1).map((at, index) => at - (happenedAt[index] ?? NaN))) : 0;
  const knownAt = Float64Array.from(times, (all) => Math.max(...all) + barMs);
  return {
    happenedAt,
    knownAt,
    through(view) {
      // Rows are written into what was read, so that every view begins with a table of its own.
      const own = read();
      own?.rows.forEach(({ cells, write }, row) => {
        if (isKept(view, happenedAt[row] ?? NaN, knownAt[row] ?? NaN)) return;
        write(
          view.manner === 'cut' ? undefined : cells.map((cell, column) => (columns.includes(column) ? cell : anotherCell(cell, view, row))),
        );
      });
      return own?.render() ?? '';
    },
  };
}

/** Open, high, low and close follow the time. */
function areBars(rows: readonly Row[], time: number): boolean {
  return rows.every(({ cells }) => {
    const prices = cells.slice(time + 1, time + 5).map((cell) => Number(typeof cell === 'string' ? unquoted(cell) : cell));
    const [open = NaN, high = NaN, low = NaN, close = NaN] = prices;
    return low <= Math.min(open, close) && Math.max(open, close) <= high && low < Infinity && prices.length === 4;
  });
}

function median(values: Float64Array): number {
  return values.toSorted()[Math.floor(values.length / 2)] ?? NaN;
}

function anotherCell(cell: Cell, { manner }: OutsideView, row: number): Cell {
  if (typeof cell === 'number') return another(cell, manner, row);
  if (typeof cell !== 'string') return cell;
  const text = unquoted(cell);
  return IS_NUMBER.test(text) ? cell.replace(text, String(another(Number(text), manner, row))) : cell;
}

const IS_NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/** Columns in which every row has a time, and numbers that are times only where they hardly ever fall. */
function timeColumns(rows: readonly Row[]): number[] {
  const width = Math.max(...rows.map(({ cells }) => cells.length));
  return Array.from({ length: width }, (_, column) => column).filter((column) => {
    const cells = rows.map((row) => row.cells[column]).filter((cell) => cell !== '' && cell !== null && cell !== undefined);
    const times = cells.map(timeOf);
    if (times.length < 2 || times.includes(undefined)) return false;
    const falls = times.filter((at, index) => index > 0 && (at ?? 0) < (times[index - 1] ?? 0)).length;
    return (
      falls <= times.length / 20 ||
      !cells.every((cell) => typeof cell === 'number' || (typeof cell === 'string' && IS_NUMBER.test(unquoted(cell))))
    );
  });
}

/** 1990 to 2100, in seconds; a number is taken for one in the unit in which it falls into that. */
const [EARLIEST_S, LATEST_S] = [631_152_000, 4_102_444_800];

function timeOf(written: Cell | undefined): TimeMs | undefined {
  const cell = typeof written === 'string' ? unquoted(written) : written;
  if (cell === undefined || cell === null || typeof cell === 'boolean' || typeof cell === 'object' || cell === '') return undefined;
  const value = typeof cell === 'number' ? cell : IS_NUMBER.test(cell) && !/^\d{8}$/.test(cell.trim()) ? Number(cell) : NaN;
  if (!Number.isNaN(value)) {
    for (const perSecond of [1, 1e3, 1e6, 1e9]) {
      if (value >= EARLIEST_S * perSecond && value <= LATEST_S * perSecond) return (value / perSecond) * 1_000;
    }
    return undefined;
  }
  if (typeof cell !== 'string' || !/^\d{4}-?\d{2}-?\d{2}/.test(cell.trim())) return undefined;
  try {
    return parseTime(cell.trim().replace(/(\d)\s*UTC$/, '$1Z'));
  } catch {
    // A text that begins like a date and is none: no time.
    return undefined;
  }
}

function csvRows(text: string): Table | undefined {
  if (/^\s*[[{]/.test(text)) return undefined;
  const lines: (string | undefined)[] = text.split('\n');
  const first = lines[0] ?? '';
  const delimiter = [',', ';', '\t'].toSorted((left, right) => first.split(right).length - first.split(left).length)[0] ?? ',';
  if (!first.includes(delimiter)) return undefined;
  const headed = splitCells(first, delimiter).every((cell) => !IS_NUMBER.test(cell) && timeOf(cell) === undefined);
  const rows = lines.flatMap((line, index): Row[] => {
    if (line === undefined || line.trim() === '' || (headed && index === 0)) return [];
    const ending = line.endsWith('\r') ? '\r' : '';
    const write = (cells: readonly Cell[] | undefined): void => {
      lines[index] = cells === undefined ? undefined : cells.map(String).join(delimiter) + ending;
    };
    return [{ cells: splitCells(ending === '' ? line : line.slice(0, -1), delimiter), write }];
  });
  const header = headed ? splitCells(first.trim(), delimiter).map(unquoted) : [];
  return { header, rows, render: () => lines.filter((line) => line !== undefined).join('\n') };
}

/** Cells as they are written, with their quotes. */
function splitCells(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === delimiter && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}

function unquoted(cell: string): string {
  return /^".*"$/.test(cell) ? cell.slice(1, -1) : cell;
}

function jsonLineRows(text: string): Table | undefined {
  const lines: (string | undefined)[] = text.split('\n');
  if (lines.filter((line) => line?.trim() !== '').length < 2) return undefined;
  const parsed = lines.map((line) => (line === undefined || line.trim() === '' ? undefined : parsedJson(line)));
  if (lines.some((line, index) => line?.trim() !== '' && !isRow(parsed[index]))) return undefined;
  const header = headerOf(parsed.filter(isRow));
  const rows = parsed.flatMap((row, index): Row[] => {
    if (!isRow(row)) return [];
    const write = (cells: readonly Cell[] | undefined): void => {
      lines[index] = cells === undefined ? undefined : JSON.stringify(rebuilt(row, header, cells));
    };
    return [{ cells: cellsOf(row, header), write }];
  });
  return { header, rows, render: () => lines.filter((line) => line !== undefined).join('\n') };
}

function jsonRows(text: string): Table | undefined {
  const root = parsedJson(text);
  const list = arrayOfRows(root, 3);
  if (list === undefined) return undefined;
  const header = headerOf(list);
  const dropped = new Set<number>();
  const rows = list.map((row, index): Row => ({
    cells: cellsOf(row, header),
    write: (cells) => {
      if (cells === undefined) dropped.add(index);
      else list[index] = rebuilt(row, header, cells);
    },
  }));
  const render = (): string => {
    list.splice(0, list.length, ...list.filter((_, index) => !dropped.has(index)));
    return JSON.stringify(root);
  };
  return { header, rows, render };
}

type JsonRow = Record<string, Cell> | Cell[];

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // No JSON: then it has no rows of that kind.
    return undefined;
  }
}

function isRow(value: unknown): value is JsonRow {
  return value !== null && typeof value === 'object';
}

/** The first array of rows, at the root or below it. */
function arrayOfRows(value: unknown, depth: number): JsonRow[] | undefined {
  if (Array.isArray(value) && value.length >= 2 && value.every(isRow)) return value;
  if (depth === 0 || !isRow(value)) return undefined;
  for (const below of Object.values(value)) {
    const found = arrayOfRows(below, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function headerOf(rows: readonly JsonRow[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function cellsOf(row: JsonRow, header: readonly string[]): Cell[] {
  return header.map((name) => (Reflect.get(row, name) ?? '') as Cell);
}

function rebuilt(row: JsonRow, header: readonly string[], cells: readonly Cell[]): JsonRow {
  const copy = structuredClone(row);
  for (const [column, name] of header.entries()) if (Object.hasOwn(row, name)) Reflect.set(copy, name, cells[column]);
  return copy;
}
