// Files of bars into the store: read whole, judged whole, then merged whole or not at all.
import type { BarColumns } from '../../domain/bars.ts';
import { assert, BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { breakFault, isAligned, shapeFault, SPIKE_RATIO, spikeFault } from '../quality.ts';
import type { Fault } from '../quality.ts';
import { BAR_LAYOUT } from './columns.ts';
import type { ColumnNames } from './columns.ts';
import { CsvReader, RawRows, rowFault, Words } from './csv.ts';
import type { RowSink } from './csv.ts';
import { readFiles, unreadable } from './files.ts';
import type { Parser } from './files.ts';
import { freqtradeParser } from './freqtrade.ts';
import { binanceLayout } from './layouts.ts';
import { COLUMN_NAMES } from './parquet.ts';
import { seriesFolder } from './series.ts';
import { emptyColumns } from './store.ts';
import type { BarStore, MergeReport } from './store.ts';

/** CSV with a header; Binance's archive, with a header or none; freqtrade's JSON and feather. Plain, gzipped or zipped. */
export type BarFormat = 'csv' | 'binance' | 'freqtrade';

export interface ImportProgress {
  readonly stage: 'reading' | 'writing';
  /** Bytes of the files while reading, months while writing. */
  readonly done: number;
  readonly total: number;
}

export interface ImportRequest {
  readonly store: BarStore;
  /** Together they are one import. */
  readonly files: readonly string[];
  /** The default is csv. */
  readonly format?: BarFormat | undefined;
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
  const raw = await readBars(request);
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
  readonly bars: RawRows;
  readonly columns: BarColumns;
  /** `FILE:LINE` of a row. */
  readonly place: (row: number) => string;
}

/** Judges each bar alone, and keeps it. */
export class BarSink implements RowSink {
  readonly rows = new RawRows(COLUMN_NAMES.length);
  readonly #timeframeMs: TimeMs;
  /** Reused for every row, so that judging a row makes no object. */
  readonly #bar = { open: 0, high: 0, low: 0, close: 0, volume: 0 };

  constructor(timeframeMs: TimeMs) {
    this.#timeframeMs = timeframeMs;
  }

  begin(): void {
    // The fields of a bar are all there, in the order of the layout, or the file was refused.
  }

  row(values: Float64Array, line: number): (Fault & { readonly remedy?: string }) | undefined {
    const openAt = values[0] ?? NaN;
    if (!isAligned(openAt, this.#timeframeMs)) {
      return {
        found: `a bar that opens at ${formatTime(openAt)}`,
        expected: `an open time that is a multiple of ${formatSpan(this.#timeframeMs)}`,
        remedy: 'give the timeframe of the file with --timeframe, or correct the line; nothing was imported',
      };
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
    if (fault === undefined) this.rows.push(values, line);
    return fault;
  }

  columns(): BarColumns {
    const [openAt, open, high, low, close, volume] = this.rows.columns();
    assert(openAt !== undefined && open !== undefined && high !== undefined, 'bars have six columns');
    assert(low !== undefined && close !== undefined && volume !== undefined, 'bars have six columns');
    return { openAt, open, high, low, close, volume };
  }
}

async function readBars(request: ImportRequest): Promise<ReadRows> {
  const sink = new BarSink(request.timeframeMs);
  const beginnings: { readonly path: string; readonly firstRow: number }[] = [];
  await readFiles({
    files: request.files,
    onProgress: (done, total) => request.onProgress?.({ stage: 'reading', done, total }),
    parserFor(path) {
      beginnings.push({ path, firstRow: sink.rows.length });
      return barParser(path, sink, request);
    },
  });
  for (const [index, { path, firstRow }] of beginnings.entries()) {
    if ((beginnings[index + 1]?.firstRow ?? sink.rows.length) === firstRow)
      throw unreadable(path, 'a header and no bars', 'at least one bar');
  }
  return {
    bars: sink.rows,
    columns: sink.columns(),
    place(row) {
      const beginning = beginnings.findLast(({ firstRow }) => firstRow <= row);
      return `${beginning?.path ?? ''}:${sink.rows.line(row)}`;
    },
  };
}

function barParser(path: string, sink: BarSink, { format = 'csv', columns = {} }: ImportRequest): Parser {
  if (format === 'freqtrade') return freqtradeParser(path, 'bars', sink);
  const layout = format === 'csv' ? BAR_LAYOUT : binanceLayout('bars');
  return new CsvReader(sink, { path, layout, columns, words: new Words() });
}

interface OrderedRows {
  readonly bars: BarColumns;
  readonly duplicates: number;
  /** The row of the files that a bar came from. */
  readonly rawRow: (row: number) => number;
}

/** Sorted by time, each time once. Files are usually in order already, and then nothing is copied. */
function inOrder(raw: ReadRows): OrderedRows {
  const rows = raw.columns;
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
  const spike = firstSpike(bars, timeframeMs, spikeRatio);
  if (spike !== undefined) throw rowFault(placeOf(spike.row), spike.fault);
}

/** The first bar with a price that neither side of it supports. */
export function firstSpike(
  bars: BarColumns,
  timeframeMs: TimeMs,
  spikeRatio: number,
): { readonly row: number; readonly fault: Fault } | undefined {
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
    if (fault !== undefined) return { row, fault };
  }
  return undefined;
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
