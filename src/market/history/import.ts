// Files of bars into the store: read whole, judged whole, then merged whole or not at all.
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { breakFault, SPIKE_RATIO, spikeFault } from '../quality.ts';
import type { ColumnNames } from './columns.ts';
import { CsvBars, RawBars, rowFault } from './csv.ts';
import { firstLine } from './duck.ts';
import { COLUMN_NAMES } from './parquet.ts';
import { seriesFolder } from './series.ts';
import { emptyColumns } from './store.ts';
import type { BarStore, MergeReport } from './store.ts';

export interface ImportProgress {
  readonly stage: 'reading' | 'writing';
  /** Bytes of the files while reading, months while writing. */
  readonly done: number;
  readonly total: number;
}

export interface ImportRequest {
  readonly store: BarStore;
  /** CSV with a header, plain or gzipped. Together they are one import. */
  readonly files: readonly string[];
  readonly venue: string;
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  readonly columns?: ColumnNames | undefined;
  /** Wall time, kept with the bars that the import replaces. */
  readonly importedAt?: TimeMs | undefined;
  /** A price this many times away from its neighbours is refused; the default is SPIKE_RATIO. */
  readonly spikeRatio?: number | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

export interface ImportReport extends MergeReport {
  readonly rowsRead: number;
  /** Rows that said again what another row had said. */
  readonly duplicates: number;
  /** Open time of the first bar of the files. */
  readonly fromMs: TimeMs;
  /** Close time of the last. */
  readonly toMs: TimeMs;
  /** Places where bars are missing between the files' first and last, and how many are. */
  readonly holes: number;
  readonly missingBars: number;
}

/** @throws BallastError FILE_UNREADABLE, CSV_ROW_CORRUPT, COLUMNS_UNKNOWN, TIMEFRAME_MISMATCH, and what `merge` throws */
export async function importBars(request: ImportRequest): Promise<ImportReport> {
  // Named before anything is read: a symbol or a venue that is none need not wait for a million rows.
  seriesFolder(request);
  const raw = await readFiles(request);
  const { bars, duplicates, rawRow } = inOrder(raw);
  checkSpikes(bars, request.timeframeMs, request.spikeRatio ?? SPIKE_RATIO, (row) => raw.place(rawRow(row)));
  const { holes, missingBars } = findHoles(bars.openAt, request);
  const merged = await request.store.merge(request, bars, {
    correctedAt: request.importedAt,
    onProgress: (done, total) => request.onProgress?.({ stage: 'writing', done, total }),
  });
  const fromMs = bars.openAt[0] ?? NaN;
  const toMs = (bars.openAt.at(-1) ?? NaN) + request.timeframeMs;
  return { ...merged, rowsRead: raw.bars.length, duplicates, fromMs, toMs, holes, missingBars };
}

interface ReadRows {
  readonly bars: RawBars;
  /** `FILE:LINE` of a row. */
  readonly place: (row: number) => string;
}

async function readFiles(request: ImportRequest): Promise<ReadRows> {
  const bars = new RawBars();
  const firstRows: number[] = [];
  const sizes = await Promise.all(request.files.map(sizeOf));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  for (const [index, path] of request.files.entries()) {
    firstRows.push(bars.length);
    const csv = new CsvBars(bars, { path, timeframeMs: request.timeframeMs, columns: request.columns ?? {} });
    await readFile(path, csv, (bytes) => request.onProgress?.({ stage: 'reading', done: before + bytes, total }));
    before += sizes[index] ?? 0;
    if (bars.length > (firstRows[index] ?? 0)) continue;
    throw unreadable(path, 'a header and no bars', 'at least one bar');
  }
  if (bars.length === 0) throw unreadable('data import', 'no file', 'at least one file of bars');
  return {
    bars,
    place(row) {
      const index = firstRows.findLastIndex((first) => first <= row);
      return `${request.files[index] ?? ''}:${bars.line(row)}`;
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw unreadable(path, firstLine(error), 'a CSV or CSV.gz file', error);
  }
}

async function readFile(path: string, csv: CsvBars, onBytes: (bytes: number) => void): Promise<void> {
  const pieceBytes = 1 << 20;
  try {
    const packing = await packingOf(path);
    if (packing === 'zip') throw unreadable(path, 'a zip archive', 'a CSV or CSV.gz file', undefined, 'unpack it first');
    const file = createReadStream(path, { highWaterMark: pieceBytes });
    const read = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const piece of pieces) {
        csv.push(piece);
        onBytes(file.bytesRead);
      }
      csv.end();
    };
    if (packing === 'gzip') await pipeline(file, createGunzip({ chunkSize: pieceBytes }), read);
    else await pipeline(file, read);
  } catch (error) {
    if (error instanceof BallastError) throw error;
    throw unreadable(path, firstLine(error), 'a whole CSV or CSV.gz file', error);
  }
}

/** By the first bytes: the name may say anything. */
async function packingOf(path: string): Promise<'gzip' | 'zip' | 'none'> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(2), 0, 2);
    const [first, second] = buffer;
    if (first === 0x1f && second === 0x8b) return 'gzip';
    return first === 0x50 && second === 0x4b ? 'zip' : 'none';
  } finally {
    await file.close();
  }
}

interface OrderedRows {
  readonly bars: BarColumns;
  readonly duplicates: number;
  /** The row of the files that a bar came from. */
  readonly rawRow: (row: number) => number;
}

/** Sorted by time, each time once. Files are usually in order already, and then nothing is copied. */
function inOrder(raw: ReadRows): OrderedRows {
  const rows = raw.bars.columns();
  const { openAt } = rows;
  if (openAt.every((at, row) => row === 0 || at > (openAt[row - 1] ?? NaN))) return { bars: rows, duplicates: 0, rawRow: (row) => row };
  const order = Uint32Array.from(openAt, (_, row) => row).sort((a, b) => (openAt[a] ?? NaN) - (openAt[b] ?? NaN) || a - b);
  const kept: number[] = [];
  for (const row of order) {
    const last = kept.at(-1);
    if (last === undefined || openAt[last] !== openAt[row]) kept.push(row);
    else if (!COLUMN_NAMES.every((name) => rows[name][last] === rows[name][row])) throw contradiction(raw, rows, last, row);
  }
  const bars = emptyColumns(kept.length);
  for (const name of COLUMN_NAMES) for (const [to, from] of kept.entries()) bars[name][to] = rows[name][from] ?? NaN;
  return { bars, duplicates: openAt.length - kept.length, rawRow: (row) => kept[row] ?? 0 };
}

function contradiction(raw: ReadRows, rows: BarColumns, first: number, second: number): BallastError {
  const name = COLUMN_NAMES.find((column) => rows[column][first] !== rows[column][second]) ?? 'close';
  const at = formatTime(rows.openAt[second] ?? NaN);
  return rowFault(raw.place(second), {
    found: `the bar of ${at} again, with ${name} ${rows[name][second]}`,
    expected: `${name} ${rows[name][first]}, as ${raw.place(first)} says`,
  });
}

/** @throws BallastError CSV_ROW_CORRUPT for a price that neither side of it supports */
function checkSpikes(bars: BarColumns, timeframeMs: TimeMs, spikeRatio: number, placeOf: (row: number) => string): void {
  const { openAt, open, high, low, close, volume } = bars;
  const bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };
  for (let row = 0; row < openAt.length; row += 1) {
    bar.open = open[row] ?? NaN;
    bar.high = high[row] ?? NaN;
    bar.low = low[row] ?? NaN;
    bar.close = close[row] ?? NaN;
    bar.volume = volume[row] ?? NaN;
    const before = close[row - 1];
    const followsAtOnce = before !== undefined && (openAt[row] ?? NaN) - (openAt[row - 1] ?? NaN) === timeframeMs;
    const fault =
      spikeFault(bar, before, open[row + 1], spikeRatio) ?? (followsAtOnce ? breakFault(bar.open, before, spikeRatio) : undefined);
    if (fault !== undefined) throw rowFault(placeOf(row), fault);
  }
}

function findHoles(openAt: Float64Array, { timeframeMs, files }: ImportRequest): { holes: number; missingBars: number } {
  let holes = 0;
  let missingBars = 0;
  let shortestMs = Infinity;
  for (let row = 1; row < openAt.length; row += 1) {
    const stepMs = (openAt[row] ?? NaN) - (openAt[row - 1] ?? NaN);
    shortestMs = Math.min(shortestMs, stepMs);
    if (stepMs === timeframeMs) continue;
    holes += 1;
    missingBars += stepMs / timeframeMs - 1;
  }
  // Hourly bars are all aligned to minutes, too; nobody wants them stored as minutes with 59 missing after each.
  const enoughToTell = 10;
  if (openAt.length < enoughToTell || shortestMs === timeframeMs) return { holes, missingBars };
  throw new BallastError({
    code: 'TIMEFRAME_MISMATCH',
    place: files.join(', '),
    found: `bars at least ${formatSpan(shortestMs)} apart`,
    expected: `bars of ${formatSpan(timeframeMs)}`,
    remedy: `give their timeframe: --timeframe ${formatSpan(shortestMs)}`,
    exitCode: 2,
  });
}

function unreadable(path: string, found: string, expected: string, cause?: unknown, remedy?: string): BallastError {
  return new BallastError({
    code: 'FILE_UNREADABLE',
    place: path,
    found,
    expected,
    cause,
    exitCode: 2,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
