// Rows out of the store as CSV, numbers in the shortest text that reads back as the same number. Times of bars in ISO-8601 UTC; those of all
// else, which have fractions, in UTC milliseconds.
import { lstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { firstLine } from './duck.ts';
import { KINDS, storedName } from './kinds.ts';
import type { RecordKind } from './kinds.ts';
import type { RecordRange, RecordStore } from './record-store.ts';
import type { BarRange, BarStore } from './store.ts';

export const EXPORT_HEADER = 'open_time,open,high,low,close,volume';
const CHUNK_ROWS = 8192;

export interface ExportRequest extends BarRange {
  readonly store: BarStore;
  /** A file's path, or a stream such as stdout, which is left open. */
  readonly to: string | Writable;
}

export interface ExportReport {
  readonly rows: number;
  /** Open time of the first bar written; undefined when there was none. */
  readonly fromMs: TimeMs | undefined;
  /** Close time of the last. */
  readonly toMs: TimeMs | undefined;
}

type Write = (text: string) => Promise<void>;

/**
 * Writes the bars of a range. A file appears whole or not at all; a reader of the stream who has seen enough (`| head`) ends the export.
 * @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT, EXPORT_FAILED
 */
export async function exportBars(request: ExportRequest): Promise<ExportReport> {
  return exportTo(request.to, EXPORT_HEADER, barPieces(request));
}

export interface RecordExportRequest extends RecordRange {
  readonly store: RecordStore;
  /** A file's path, or a stream such as stdout, which is left open. */
  readonly to: string | Writable;
}

/** The same for everything besides bars: from inclusive, to exclusive, on the time at which a row was known. */
export async function exportRecords(request: RecordExportRequest): Promise<ExportReport> {
  return exportTo(request.to, Object.keys(KINDS[request.kind].columns).map(storedName).join(','), recordPieces(request));
}

/** Some rows as text, and their times. */
interface Piece {
  readonly text: string;
  readonly rows: number;
  readonly fromMs: TimeMs | undefined;
  readonly toMs: TimeMs | undefined;
}

async function* barPieces(request: ExportRequest): AsyncGenerator<Piece> {
  for await (const bars of request.store.stream(request, CHUNK_ROWS)) {
    const toMs = (bars.openAt.at(-1) ?? NaN) + request.timeframeMs;
    yield { text: csvOf(bars), rows: bars.openAt.length, fromMs: bars.openAt[0], toMs };
  }
}

async function* recordPieces(request: RecordExportRequest): AsyncGenerator<Piece> {
  const names = Object.keys(KINDS[request.kind].columns);
  for await (const chunk of request.store.stream<RecordKind>(request, CHUNK_ROWS)) {
    const columns = names.map((name): unknown => Reflect.get(chunk, name)).filter((column) => isColumn(column));
    let text = '';
    for (let row = 0; row < chunk.at.length; row += 1) text += `${columns.map((column) => cellOf(column[row])).join(',')}\n`;
    yield { text, rows: chunk.at.length, fromMs: chunk.at[0], toMs: chunk.at.at(-1) };
  }
}

function isColumn(value: unknown): value is Float64Array | Int8Array | readonly string[] {
  return value instanceof Float64Array || value instanceof Int8Array || Array.isArray(value);
}

/** Nothing for what is not known; a name with a comma in it stands in quotes. */
function cellOf(value: number | string | undefined): string {
  if (typeof value === 'string') return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  return value === undefined || Number.isNaN(value) ? '' : String(value);
}

async function exportTo(to: string | Writable, header: string, pieces: AsyncGenerator<Piece>): Promise<ExportReport> {
  return typeof to === 'string' ? toFile(to, header, pieces) : toStream(to, header, pieces);
}

async function toFile(path: string, header: string, pieces: AsyncGenerator<Piece>): Promise<ExportReport> {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  // A device or a pipe is written to, never replaced.
  const target = existing === undefined || existing.isFile() ? `${path}.${process.pid}.partial` : path;
  try {
    const file = await open(target, 'w');
    let report: ExportReport;
    try {
      report = await writeRows(header, pieces, (text) => file.appendFile(text));
    } finally {
      await file.close();
    }
    if (target !== path) await rename(target, path);
    return report;
  } catch (error) {
    if (target !== path) await rm(target, { force: true });
    throw failed(path, error);
  }
}

async function toStream(out: Writable, header: string, pieces: AsyncGenerator<Piece>): Promise<ExportReport> {
  let failure: Error | undefined;
  // A write that fails is reported to its callback and again as an event, which would end the process if nobody listened.
  const listen = (error: Error): void => {
    failure = error;
  };
  out.on('error', listen);
  try {
    const report = await writeRows(header, pieces, async (text) => {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve, reject) => {
        out.write(text, (error) => (error ? reject(error) : resolve()));
      });
    });
    out.off('error', listen);
    return report;
  } catch (error) {
    throw failed('the output stream', error);
  }
}

async function writeRows(header: string, pieces: AsyncGenerator<Piece>, write: Write): Promise<ExportReport> {
  let rows = 0;
  let fromMs: TimeMs | undefined;
  let toMs: TimeMs | undefined;
  try {
    let beginning = `${header}\n`;
    for await (const piece of pieces) {
      await write(beginning + piece.text);
      beginning = '';
      rows += piece.rows;
      fromMs ??= piece.fromMs;
      toMs = piece.toMs;
    }
    if (beginning !== '') await write(beginning);
  } catch (error) {
    const isClosedByReader = error instanceof Error && 'code' in error && error.code === 'EPIPE';
    if (!isClosedByReader) throw error;
  }
  return { rows, fromMs, toMs };
}

function csvOf(bars: BarColumns): string {
  let text = '';
  for (let row = 0; row < bars.openAt.length; row += 1) {
    const values = `${bars.open[row]},${bars.high[row]},${bars.low[row]},${bars.close[row]},${bars.volume[row]}`;
    text += `${formatTime(bars.openAt[row] ?? NaN)},${values}\n`;
  }
  return text;
}

function failed(place: string, error: unknown): BallastError {
  if (error instanceof BallastError) return error;
  return new BallastError({
    code: 'EXPORT_FAILED',
    place,
    found: firstLine(error, place),
    expected: 'somewhere that can be written to',
    cause: error,
  });
}
