// A derived, deletable copy of a month of bars beside its Parquet file: raw float64 columns that are read straight into shared memory,
// fifteen times faster than Parquet decodes. It holds what its Parquet file held when it was made and says which file that was, by size,
// time of change and a checksum of the footer (where our own files keep a checksum of all their bars). Anything that does not fit, a torn
// or damaged copy included, is no copy: the Parquet file is read and the copy made again.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { BarColumns } from '../../domain/bars.ts';
import { COLUMN_NAMES } from './parquet.ts';
import type { MonthFile } from './parquet.ts';

/** Which state of a Parquet file a copy was made of. */
export interface SourceState {
  readonly bytes: number;
  readonly changedMs: number;
  readonly footerCrc: number;
}

/** The first numbers of a copy, in the machine's own order of bytes: on a machine of another order the first one already differs. */
export interface CacheHeader extends SourceState {
  readonly rows: number;
  readonly columnsCrc: number;
}

const FOLDER = '.cache';
/** Another layout, another number. */
const LAYOUT = 20_261_121.5;
const HEADER_BYTES = 48;
const PARTIAL = '.partial';

export function cachePath(file: MonthFile): string {
  return join(dirname(file.path), FOLDER, `${file.month}.columns`);
}

/** Undefined when there is no whole Parquet file. */
export function sourceState(file: MonthFile): SourceState | undefined {
  return withFile(file.path, (descriptor) => {
    const { size, mtimeMs } = fstatSync(descriptor);
    // The last eight bytes are the length of the footer and the format's mark.
    const tail = Buffer.alloc(8);
    if (size < 12 || readSync(descriptor, tail, 0, 8, size - 8) < 8) return undefined;
    const footerBytes = tail.readUInt32LE(0);
    if (footerBytes > size - 12) return undefined;
    const footer = Buffer.alloc(footerBytes);
    readSync(descriptor, footer, 0, footerBytes, size - 8 - footerBytes);
    return { bytes: size, changedMs: mtimeMs, footerCrc: crc32(footer) };
  });
}

/** The copy's header, where it is of just this state and as long as it says; its columns are not looked at yet. */
export function freshHeader(file: MonthFile, source: SourceState): CacheHeader | undefined {
  return withFile(cachePath(file), (descriptor) => {
    const numbers = new Float64Array(HEADER_BYTES / 8);
    if (readSync(descriptor, bytesOf(numbers), 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    const header = headerOf(numbers);
    const { size } = fstatSync(descriptor);
    if (header === undefined || size !== HEADER_BYTES + header.rows * COLUMN_NAMES.length * 8) return undefined;
    const isOfSource = header.bytes === source.bytes && header.changedMs === source.changedMs && header.footerCrc === source.footerCrc;
    return isOfSource ? header : undefined;
  });
}

/**
 * Reads the copy's rows into columns from `row` on. False when it is not the copy of this header any more or its columns are damaged; what
 * stands in the columns then is nothing.
 */
export async function readCached(file: MonthFile, header: CacheHeader, into: BarColumns, row: number): Promise<boolean> {
  let handle;
  try {
    handle = await open(cachePath(file));
  } catch (error) {
    if (isRefusedByDisk(error)) return false;
    throw error;
  }
  try {
    const numbers = new Float64Array(HEADER_BYTES / 8);
    const columns = COLUMN_NAMES.map((name) => bytesOf(into[name].subarray(row, row + header.rows)));
    // The whole file at once, each part to where it belongs: six calls for each of many months take longer than their bytes.
    const { bytesRead } = await handle.readv([bytesOf(numbers), ...columns], 0);
    const found = headerOf(numbers);
    if (bytesRead < HEADER_BYTES + columns.length * header.rows * 8 || found === undefined || !isSame(found, header)) return false;
    return columns.reduce((crc, bytes) => crc32(bytes, crc), 0) === header.columnsCrc;
  } finally {
    await handle.close();
  }
}

/**
 * Writes the copy; it appears whole or not at all. Without room or permission there is simply none: reading goes on from Parquet, slower.
 * @param source the state the bars were read from
 */
export async function writeCached(file: MonthFile, source: SourceState, bars: BarColumns): Promise<void> {
  const path = cachePath(file);
  const partial = `${path}.${process.pid}${PARTIAL}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await dropAbandoned(path);
    const handle = await open(partial, 'w');
    try {
      let columnsCrc = 0;
      for (const name of COLUMN_NAMES) columnsCrc = crc32(bytesOf(bars[name]), columnsCrc);
      const { bytes, changedMs, footerCrc } = source;
      const header = Float64Array.of(LAYOUT, bars.openAt.length, bytes, changedMs, footerCrc, columnsCrc);
      await handle.writev([header, ...COLUMN_NAMES.map((name) => bytesOf(bars[name]))]);
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } catch (error) {
    if (!isRefusedByDisk(error)) throw error;
    await rm(partial, { force: true }).catch(() => undefined);
  }
}

/** What a killed process left of this month. A living one that loses its half-written copy does without. */
async function dropAbandoned(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`) && name.endsWith(PARTIAL)) await rm(join(dirname(path), name), { force: true });
  }
}

function headerOf(numbers: Float64Array): CacheHeader | undefined {
  const [layout, rows = NaN, bytes = NaN, changedMs = NaN, footerCrc = NaN, columnsCrc = NaN] = numbers;
  if (layout !== LAYOUT || !Number.isSafeInteger(rows) || rows < 0) return undefined;
  return { rows, bytes, changedMs, footerCrc, columnsCrc };
}

function isSame(one: CacheHeader, other: CacheHeader): boolean {
  return (
    one.rows === other.rows &&
    one.bytes === other.bytes &&
    one.changedMs === other.changedMs &&
    one.footerCrc === other.footerCrc &&
    one.columnsCrc === other.columnsCrc
  );
}

function bytesOf(column: Float64Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

/**
 * Undefined when there is no such file, or none that may be read. At once and not in turn: what is read so is a few hundred bytes, and the
 * way to another thread and back takes longer.
 */
function withFile<T>(path: string, work: (descriptor: number) => T): T | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (isRefusedByDisk(error)) return undefined;
    throw error;
  }
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The file is not there, or the disk is full, read-only or another user's: any refusal of the system, and no bug of ours. */
function isRefusedByDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
