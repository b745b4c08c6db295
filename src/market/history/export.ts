// Bars out of the store as CSV: times in ISO-8601 UTC, numbers in the shortest text that reads back as the same number.
import { lstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { firstLine } from './duck.ts';
import type { BarRange, BarStore } from './store.ts';

export const EXPORT_HEADER = 'open_time,open,high,low,close,volume';
const CHUNK_ROWS = 8192;

export interface ExportRequest extends BarRange {
  readonly store: BarStore;
  /** A file's path, or a stream such as stdout, which is left open. */
  readonly to: string | Writable;
  readonly onProgress?: ((rows: number) => void) | undefined;
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
  const { to } = request;
  return typeof to === 'string' ? toFile(request, to) : toStream(request, to);
}

async function toFile(request: ExportRequest, path: string): Promise<ExportReport> {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  // A device or a pipe is written to, never replaced.
  const target = existing === undefined || existing.isFile() ? `${path}.${process.pid}.partial` : path;
  try {
    const file = await open(target, 'w');
    let report: ExportReport;
    try {
      report = await writeRows(request, (text) => file.appendFile(text));
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

async function toStream(request: ExportRequest, out: Writable): Promise<ExportReport> {
  let failure: Error | undefined;
  // A write that fails is reported to its callback and again as an event, which would end the process if nobody listened.
  const listen = (error: Error): void => {
    failure = error;
  };
  out.on('error', listen);
  try {
    const report = await writeRows(request, async (text) => {
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

async function writeRows(request: ExportRequest, write: Write): Promise<ExportReport> {
  let rows = 0;
  let fromMs: TimeMs | undefined;
  let toMs: TimeMs | undefined;
  try {
    let text = `${EXPORT_HEADER}\n`;
    for await (const bars of request.store.stream(request, CHUNK_ROWS)) {
      await write(text + csvOf(bars));
      text = '';
      rows += bars.openAt.length;
      fromMs ??= bars.openAt[0];
      toMs = (bars.openAt.at(-1) ?? NaN) + request.timeframeMs;
      request.onProgress?.(rows);
    }
    if (text !== '') await write(text);
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
    found: firstLine(error),
    expected: 'somewhere that can be written to',
    cause: error,
  });
}
