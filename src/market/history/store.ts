// The history of bars on disk: `<home>/data/bars/<venue>/<symbol>/<timeframe>/<YYYY-MM>.parquet`, rows sorted by open time, each once.
// The files are the only truth. Names other than these are left alone, so that a derived cache may stand beside them.
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { BarColumns } from '../../domain/bars.ts';
import { assert, BallastError } from '../../domain/errors.ts';
import { formatSpan } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { cachePath, freshHeader, readCached, sourceState, writeCached } from './column-cache.ts';
import type { CacheHeader, SourceState } from './column-cache.ts';
import { Duck } from './duck.ts';
import { COLUMN_NAMES, ParquetMonths } from './parquet.ts';
import type { MonthFile } from './parquet.ts';
import { publishing, REAL_DISK, settled } from './publication.ts';
import type { Disk, Publication } from './publication.ts';
import {
  BARS_FOLDER,
  CORRECTIONS_FILE,
  fileOfMonth,
  isVenueFolder,
  monthEnd,
  monthOf,
  monthOfFile,
  monthStart,
  namesIn,
  seriesFolder,
  symbolOfFolder,
  timeframeOfFolder,
} from './series.ts';
import type { SeriesId } from './series.ts';

export interface StoredSeries extends SeriesId {
  /** Open time of the first bar. */
  readonly fromMs: TimeMs;
  /** Close time of the last bar, so that the range from `fromMs` to `toMs` holds every bar. */
  readonly toMs: TimeMs;
  readonly rows: number;
  /** Bars that a later import replaced; what they were is kept beside the months. */
  readonly corrections: number;
}

/** Bars that open at or after `fromMs` and before `toMs`; left out, a bound is the series' own. */
export interface BarRange extends SeriesId {
  readonly fromMs?: TimeMs | undefined;
  readonly toMs?: TimeMs | undefined;
}

export interface SeriesQuery {
  readonly symbol: string;
  readonly venue?: string | undefined;
  readonly timeframeMs: TimeMs;
}

export interface MergeReport {
  /** Bars the store did not have. */
  readonly added: number;
  /** Bars the store had with the same values. */
  readonly unchanged: number;
  /** Bars the store had with other values, which the new ones replaced. */
  readonly corrected: number;
}

export interface MergeOptions {
  /** Wall time of the merge, kept with the bars that it replaces. */
  readonly correctedAt?: TimeMs | undefined;
  readonly onProgress?: ((doneMonths: number, months: number) => void) | undefined;
}

export interface StoreOptions {
  /** For the tests: wraps the real disk in one that fails. */
  readonly disk?: (real: Disk) => Disk;
}

/**
 * Opens the history under a home folder; what a killed import left behind is finished or undone first. Nothing is created before the first
 * import, and DuckDB is not loaded before the first bar is read or written.
 * @throws BallastError STORE_JOURNAL_CORRUPT, STORE_WRITE_FAILED
 */
export async function openStore(home: string, options: StoreOptions = {}): Promise<BarStore> {
  const data = resolve(home, 'data');
  const disk = options.disk?.(REAL_DISK) ?? REAL_DISK;
  await settled(data, disk);
  return new BarStore(data, disk);
}

export class BarStore {
  readonly root: string;
  readonly #data: string;
  readonly #duck = new Duck();
  readonly #months = new ParquetMonths(this.#duck);
  readonly #disk: Disk;

  constructor(data: string, disk: Disk) {
    this.root = join(data, BARS_FOLDER);
    this.#data = data;
    this.#disk = disk;
  }

  /** Every series with its range. @throws BallastError STORE_FILE_CORRUPT */
  async list(): Promise<StoredSeries[]> {
    const all = this.#series().map((series) => ({ series, files: this.#files(series) }));
    const summaries = await this.#months.summarise(all.flatMap(({ files }) => files));
    const summaryOf = new Map(summaries.map((summary) => [summary.path, summary]));
    const corrections = await this.#months.countRows(all.map(({ series }) => this.#corrections(series)).filter((path) => existsSync(path)));
    return all.map(({ series, files }) => {
      const months = files.map((file) => summaryOf.get(file.path)).filter((summary) => summary !== undefined);
      return {
        ...series,
        fromMs: Math.min(...months.map((month) => month.firstMs)),
        toMs: Math.max(...months.map((month) => month.lastMs)) + series.timeframeMs,
        rows: months.reduce((rows, month) => rows + month.rows, 0),
        corrections: corrections.get(this.#corrections(series)) ?? 0,
      };
    });
  }

  /** The one venue that has these bars. @throws BallastError SERIES_UNKNOWN, VENUE_AMBIGUOUS */
  resolve(query: SeriesQuery): string {
    const found = this.#series().filter((series) => {
      const venueFits = query.venue === undefined || series.venue === query.venue;
      return venueFits && series.symbol === query.symbol && series.timeframeMs === query.timeframeMs;
    });
    const [only, ...others] = found;
    if (only === undefined) throw this.#unknown(query);
    if (others.length === 0) return only.venue;
    throw new BallastError({
      code: 'VENUE_AMBIGUOUS',
      place: `${query.symbol} ${formatSpan(query.timeframeMs)}`,
      found: `bars of ${found.length} venues: ${found.map(({ venue }) => venue).join(', ')}`,
      expected: 'exactly one, or the venue named',
      remedy: `add --venue ${only.venue}`,
      exitCode: 2,
    });
  }

  /**
   * The bars of a range in fresh arrays over shared memory, which workers can read without a copy; no bars where the series has a hole.
   * Months come from the column cache beside their files, which is made where it is missing, stale or damaged.
   * @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT
   */
  async load(range: BarRange): Promise<BarColumns> {
    const distrusted = new Set<string>();
    for (;;) {
      const parts: LoadPart[] = [];
      for await (const part of this.#parts(range, distrusted, true)) parts.push(part);
      const bars = sharedColumns(parts.reduce((rows, part) => rows + part.rows, 0));
      const damaged = await fill(bars, parts);
      if (damaged === undefined) return bars;
      // Its number of rows cannot be trusted either, so everything is laid out again, this month out of its Parquet file.
      distrusted.add(damaged.path);
    }
  }

  /**
   * The bars of a range in pieces of `chunkRows` (the last may be shorter). Never more than a month is in memory.
   * @throws BallastError SERIES_UNKNOWN, STORE_FILE_CORRUPT
   */
  async *stream(range: BarRange, chunkRows: number): AsyncGenerator<BarColumns> {
    let chunk = emptyColumns(chunkRows);
    let filled = 0;
    for await (const part of this.#read(range)) {
      for (let row = 0; row < part.openAt.length;) {
        const rows = Math.min(chunkRows - filled, part.openAt.length - row);
        for (const name of COLUMN_NAMES) chunk[name].set(part[name].subarray(row, row + rows), filled);
        row += rows;
        filled += rows;
        if (filled < chunkRows) continue;
        yield chunk;
        chunk = emptyColumns(chunkRows);
        filled = 0;
      }
    }
    if (filled > 0) yield sliceColumns(chunk, 0, filled);
  }

  /**
   * Adds bars to a series, all of them or, after any failure, none; where the store has a bar of the same time, the new one wins.
   * @param bars sorted by open time, each once
   * @throws BallastError STORE_BUSY, STORE_FILE_CORRUPT, STORE_WRITE_FAILED, STORE_JOURNAL_CORRUPT, VENUE_MALFORMED
   */
  async merge(series: SeriesId, bars: BarColumns, options: MergeOptions = {}): Promise<MergeReport> {
    const folder = join(this.root, seriesFolder(series));
    return publishing(this.#data, this.#disk, folder, (publication) => this.#stage(publication, series, byMonth(bars), options));
  }

  /**
   * Removes the months whose bars are all older than `beforeMs`. What was corrected in them is kept.
   * @returns the months that went, or with `isRehearsal` would go
   * @throws BallastError STORE_BUSY, STORE_WRITE_FAILED
   */
  async prune(series: SeriesId, beforeMs: TimeMs, isRehearsal: boolean): Promise<string[]> {
    const old = this.#files(series).filter(({ month }) => monthEnd(month) <= beforeMs);
    if (isRehearsal || old.length === 0) return old.map(({ month }) => month);
    return publishing(this.#data, this.#disk, join(this.root, seriesFolder(series)), (publication) => {
      for (const file of old) {
        publication.stageRemoval(relative(this.#data, file.path));
        publication.stageRemoval(relative(this.#data, cachePath(file)));
      }
      return Promise.resolve(old.map(({ month }) => month));
    });
  }

  /** Lets go of DuckDB; the store opens it again when it is used again. */
  async close(): Promise<void> {
    await this.#duck.close();
  }

  async #stage(
    publication: Publication,
    series: SeriesId,
    slices: readonly MonthSlice[],
    { correctedAt, onProgress }: MergeOptions,
  ): Promise<MergeReport> {
    const report = { added: 0, unchanged: 0, corrected: 0 };
    const folder = join(BARS_FOLDER, seriesFolder(series));
    const touched = new Set(slices.map(({ month }) => month));
    const files = this.#files(series).filter(({ month }) => touched.has(month));
    // All in one query: one for each file takes three times as long.
    const stored = this.#months.read(files, series.timeframeMs);
    const replaced: BarColumns[] = [];
    const changed: MonthSlice[] = [];
    let next = await stored.next();
    for (const { month, rows } of slices) {
      let old = emptyColumns(0);
      if (next.done !== true && next.value.month === month) {
        old = next.value.bars;
        next = await stored.next();
      }
      const merged = mergeColumns(old, rows);
      report.added += merged.added;
      report.unchanged += merged.unchanged;
      report.corrected += merged.replaced.openAt.length;
      if (merged.replaced.openAt.length > 0) replaced.push(merged.replaced);
      if (merged.added + merged.replaced.openAt.length > 0) changed.push({ month, rows: merged.bars });
    }
    if (changed.length > 0) {
      await this.#months.writing(joined(changed.map(({ rows }) => rows)), async (write) => {
        let from = 0;
        for (const [index, { month, rows }] of changed.entries()) {
          const to = from + rows.openAt.length;
          await publication.stage(join(folder, fileOfMonth(month)), (path) => write(path, from, to));
          from = to;
          onProgress?.(slices.length - changed.length + index + 1, slices.length);
        }
      });
    }
    if (replaced.length > 0) {
      const before = join(this.#data, folder, CORRECTIONS_FILE);
      await publication.stage(join(folder, CORRECTIONS_FILE), (path) =>
        this.#months.writeCorrections(path, existsSync(before) ? before : undefined, joined(replaced), correctedAt),
      );
    }
    return report;
  }

  /** Months of a range as they come, out of their copies where there are good ones. Leaves no copies behind: what is read once needs none. */
  async *#read(range: BarRange): AsyncGenerator<BarColumns> {
    for await (const { file, bars, header } of this.#parts(range, new Set(), false)) {
      if (bars !== undefined) {
        if (bars.openAt.length > 0) yield bars;
        continue;
      }
      const whole = emptyColumns(header.rows);
      if (await readCached(file, header, whole, 0)) yield whole;
      else for await (const month of this.#months.read([file], range.timeframeMs)) yield sliceBetween(month.bars, range);
    }
  }

  /**
   * Where the rows of each month of a range are: in a fresh copy that may be read straight to where they belong, or in memory already.
   * Months without a copy are read in one query, because one for each takes three times as long.
   * @param distrusted paths of files whose copies are not to be looked at
   */
  async *#parts(range: BarRange, distrusted: ReadonlySet<string>, leavesCopies: boolean): AsyncGenerator<LoadPart> {
    const { fromMs = -Infinity, toMs = Infinity, timeframeMs } = range;
    const stored = this.#files(range);
    if (stored.length === 0) throw this.#unknown(range);
    const planned: PlannedMonth[] = [];
    for (const file of stored) {
      if (monthEnd(file.month) <= fromMs || monthStart(file.month) >= toMs) continue;
      const source = sourceState(file);
      const header = source === undefined || distrusted.has(file.path) ? undefined : freshHeader(file, source);
      planned.push({ file, source, header });
    }
    const decoded = this.#months.read(
      planned.filter(({ header }) => header === undefined).map(({ file }) => file),
      timeframeMs,
    );
    try {
      for (const { file, source, header } of planned) {
        if (header === undefined) {
          const next = await decoded.next();
          assert(next.done !== true && next.value.path === file.path, 'months are decoded in the order of their files');
          if (leavesCopies && source !== undefined) await leaveCopy(file, source, next.value.bars);
          const bars = sliceBetween(next.value.bars, range);
          yield { file, rows: bars.openAt.length, bars };
        } else if (fromMs <= monthStart(file.month) && toMs >= monthEnd(file.month)) yield { file, rows: header.rows, header };
        else yield await this.#cut(file, header, range);
      }
    } finally {
      await decoded.return(undefined);
    }
  }

  /** A month that the range does not want all of. */
  async #cut(file: MonthFile, header: CacheHeader, range: BarRange): Promise<LoadPart> {
    let whole = emptyColumns(header.rows);
    if (!(await readCached(file, header, whole, 0))) {
      const [month] = await Array.fromAsync(this.#months.read([file], range.timeframeMs));
      if (month !== undefined) whole = month.bars;
    }
    const bars = sliceBetween(whole, range);
    return { file, rows: bars.openAt.length, bars };
  }

  #corrections(series: SeriesId): string {
    return join(this.root, seriesFolder(series), CORRECTIONS_FILE);
  }

  /** A series' files, oldest first. */
  #files(series: SeriesId): MonthFile[] {
    const folder = join(this.root, seriesFolder(series));
    const files: MonthFile[] = [];
    for (const name of namesIn(folder)) {
      const month = monthOfFile(name);
      if (month !== undefined) files.push({ month, path: join(folder, name) });
    }
    return files;
  }

  /** Every series that has a file. */
  #series(): SeriesId[] {
    const all: SeriesId[] = [];
    for (const venue of namesIn(this.root).filter(isVenueFolder)) {
      for (const symbolFolder of namesIn(join(this.root, venue))) {
        const symbol = symbolOfFolder(symbolFolder);
        if (symbol === undefined) continue;
        for (const timeframe of namesIn(join(this.root, venue, symbolFolder))) {
          const timeframeMs = timeframeOfFolder(timeframe);
          if (timeframeMs === undefined) continue;
          const series = { venue, symbol, timeframeMs };
          if (this.#files(series).length > 0) all.push(series);
        }
      }
    }
    return all.toSorted((a, b) => compare(a.venue, b.venue) || compare(a.symbol, b.symbol) || a.timeframeMs - b.timeframeMs);
  }

  /** Says the nearest thing there is: the symbol's other venues and timeframes, or else the symbols. */
  #unknown(query: SeriesQuery): BallastError {
    const all = this.#series();
    const ofSymbol = all.filter((series) => series.symbol === query.symbol);
    const symbols = [...new Set(all.map((series) => series.symbol))];
    const timeframe = formatSpan(query.timeframeMs);
    const venue = query.venue === undefined ? '' : `${query.venue} `;
    const importing = `ballast data import FILE --symbol ${query.symbol} --timeframe ${timeframe} --venue ${query.venue ?? 'NAME'}`;
    const downloading = `ballast data download --symbols ${query.symbol} --timeframe ${timeframe} --venue ${query.venue ?? 'NAME'}`;
    let found = 'no such bars';
    let expected = `one of ${ofSymbol.map((series) => `${series.venue} ${series.symbol} ${formatSpan(series.timeframeMs)}`).join(', ')}`;
    if (ofSymbol.length === 0) [found, expected] = ['no bars of this symbol', `a stored symbol: ${symbols.join(', ')}`];
    if (all.length === 0) [found, expected] = [`no bars at all under ${this.root}`, 'an imported history'];
    return new BallastError({
      code: 'SERIES_UNKNOWN',
      place: `${venue}${query.symbol} ${timeframe}`,
      found,
      expected,
      remedy: `import it: ${importing}, or download it: ${downloading}`,
      exitCode: 2,
    });
  }
}

/** What one month gives: rows in memory, or the header of the copy they can be read from. */
type LoadPart = { readonly file: MonthFile; readonly rows: number } & (
  | { readonly bars: BarColumns; readonly header?: never }
  | { readonly header: CacheHeader; readonly bars?: never }
);

interface PlannedMonth {
  readonly file: MonthFile;
  readonly source: SourceState | undefined;
  /** Of its fresh copy. */
  readonly header: CacheHeader | undefined;
}

async function leaveCopy(file: MonthFile, source: SourceState, bars: BarColumns): Promise<void> {
  const after = sourceState(file);
  // A file that was replaced while it was read would give its name to the bars of the one before it.
  if (after?.footerCrc !== source.footerCrc || after.changedMs !== source.changedMs || after.bytes !== source.bytes) return;
  await writeCached(file, source, bars);
}

/** As many as Node has threads for files. */
const COPIES_AT_ONCE = 4;

/** Returns a month whose copy turned out damaged; undefined when all is there. */
async function fill(bars: BarColumns, parts: readonly LoadPart[]): Promise<MonthFile | undefined> {
  let row = 0;
  const copies: { readonly file: MonthFile; readonly header: CacheHeader; readonly row: number }[] = [];
  for (const { file, rows, bars: part, header } of parts) {
    if (part === undefined) copies.push({ file, header, row });
    else for (const name of COLUMN_NAMES) bars[name].set(part[name], row);
    row += rows;
  }
  let damaged: MonthFile | undefined;
  const waiting = copies.values();
  // Each month is checked while others are read: most of the time is the system giving memory and filling it.
  const reader = async (): Promise<void> => {
    for (const copy of waiting) {
      if (!(await readCached(copy.file, copy.header, bars, copy.row))) damaged = copy.file;
      if (damaged !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: COPIES_AT_ONCE }, reader));
  return damaged;
}

/** Columns that workers can be given without a copy. */
function sharedColumns(rows: number): BarColumns {
  const column = (): Float64Array => new Float64Array(new SharedArrayBuffer(rows * 8));
  return { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
}

export function emptyColumns(rows: number): BarColumns {
  return {
    openAt: new Float64Array(rows),
    open: new Float64Array(rows),
    high: new Float64Array(rows),
    low: new Float64Array(rows),
    close: new Float64Array(rows),
    volume: new Float64Array(rows),
  };
}

/** The rows from `from` up to `to`, sharing memory with the whole. */
function sliceColumns(bars: BarColumns, from: number, to: number): BarColumns {
  return {
    openAt: bars.openAt.subarray(from, to),
    open: bars.open.subarray(from, to),
    high: bars.high.subarray(from, to),
    low: bars.low.subarray(from, to),
    close: bars.close.subarray(from, to),
    volume: bars.volume.subarray(from, to),
  };
}

function sliceBetween(bars: BarColumns, { fromMs = -Infinity, toMs = Infinity }: Pick<BarRange, 'fromMs' | 'toMs'>): BarColumns {
  return sliceColumns(bars, firstRowAtOrAfter(bars.openAt, fromMs), firstRowAtOrAfter(bars.openAt, toMs));
}

function firstRowAtOrAfter(openAt: Float64Array, at: TimeMs): number {
  let low = 0;
  let high = openAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((openAt[middle] ?? NaN) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface MonthSlice {
  readonly month: string;
  readonly rows: BarColumns;
}

function byMonth(bars: BarColumns): MonthSlice[] {
  const slices: MonthSlice[] = [];
  for (let row = 0; row < bars.openAt.length;) {
    const month = monthOf(bars.openAt[row] ?? NaN);
    const end = firstRowAtOrAfter(bars.openAt, monthEnd(month));
    slices.push({ month, rows: sliceColumns(bars, row, end) });
    row = end;
  }
  return slices;
}

/** Both sorted by time; where both have a bar, the incoming one is taken. */
function mergeColumns(stored: BarColumns, incoming: BarColumns): MergedMonth {
  const incomingRows = incoming.openAt.length;
  if (stored.openAt.length === 0) return { bars: incoming, added: incomingRows, unchanged: 0, replaced: emptyColumns(0) };
  // Where each merged row comes from: a row of the incoming bars, or, below zero, the complement of a stored row.
  const origins = new Int32Array(stored.openAt.length + incomingRows);
  const twins = new Int32Array(incomingRows).fill(NO_TWIN);
  let rows = 0;
  let old = 0;
  for (let row = 0; row < incomingRows; row += 1) {
    const at = incoming.openAt[row] ?? NaN;
    for (; (stored.openAt[old] ?? Infinity) < at; old += 1) origins[rows++] = ~old;
    if (stored.openAt[old] === at) twins[row] = old++;
    origins[rows++] = row;
  }
  for (; old < stored.openAt.length; old += 1) origins[rows++] = ~old;

  const bars = emptyColumns(rows);
  const differs = new Uint8Array(incomingRows);
  for (const name of COLUMN_NAMES) {
    gather(bars[name], origins, stored[name], incoming[name]);
    markDifferences(differs, twins, stored[name], incoming[name]);
  }
  const added = twins.filter((twin) => twin === NO_TWIN).length;
  const corrected = twins.filter((_, row) => differs[row] === 1);
  const replaced = emptyColumns(corrected.length);
  for (const name of COLUMN_NAMES) for (const [row, twin] of corrected.entries()) replaced[name][row] = stored[name][twin] ?? NaN;
  return { bars, added, replaced, unchanged: incomingRows - added - corrected.length };
}

interface MergedMonth {
  readonly bars: BarColumns;
  readonly added: number;
  readonly unchanged: number;
  /** As they were stored. */
  readonly replaced: BarColumns;
}

function joined(parts: readonly BarColumns[]): BarColumns {
  const whole = emptyColumns(parts.reduce((rows, part) => rows + part.openAt.length, 0));
  let row = 0;
  for (const part of parts) {
    for (const name of COLUMN_NAMES) whole[name].set(part[name], row);
    row += part.openAt.length;
  }
  return whole;
}

const NO_TWIN = -1;

function gather(into: Float64Array, origins: Int32Array, stored: Float64Array, incoming: Float64Array): void {
  for (let row = 0; row < into.length; row += 1) {
    const origin = origins[row] ?? 0;
    into[row] = (origin < 0 ? stored[~origin] : incoming[origin]) ?? NaN;
  }
}

function markDifferences(differs: Uint8Array, twins: Int32Array, stored: Float64Array, incoming: Float64Array): void {
  for (let row = 0; row < twins.length; row += 1) {
    const twin = twins[row] ?? NO_TWIN;
    if (twin !== NO_TWIN && stored[twin] !== incoming[row]) differs[row] = 1;
  }
}

/** By code unit, the same in every locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
