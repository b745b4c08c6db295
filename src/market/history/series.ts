// Where a series of bars lives: the names of its folders and files, both ways.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import { parseSymbol } from '../../domain/instrument.ts';
import { formatSpan, parseSpan } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';

export interface SeriesId {
  readonly venue: string;
  /** ccxt's spelling: `BTC/USDT`, `BTC/USDT:USDT`. */
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
}

/** Below the folder of the data. */
export const BARS_FOLDER = 'bars';
/** Beside the months of a series: what later imports replaced. */
export const CORRECTIONS_FILE = 'corrections.parquet';

const VENUE = /^[a-z0-9][a-z0-9_-]*$/;
const SYMBOL_FOLDER = /^([A-Z0-9]+)-([A-Z0-9]+)(?:_([A-Z0-9]+))?$/;
const TIMEFRAME_FOLDER = /^\d+[smhdw]$/;
const MONTH_FILE = /^(\d{4}-\d{2})\.parquet$/;

/** `binance/BTC-USDT/1h`, or `bybit/BTC-USDT_USDT/1m` for a perpetual: safe in a path, and readable back. */
export function seriesFolder(series: SeriesId): string {
  parseSymbol(series.symbol);
  return join(checkVenue(series.venue), series.symbol.replace('/', '-').replace(':', '_'), formatSpan(series.timeframeMs));
}

/** @throws BallastError VENUE_MALFORMED */
export function checkVenue(venue: string): string {
  if (isVenueFolder(venue)) return venue;
  throw new BallastError({
    code: 'VENUE_MALFORMED',
    place: 'venue',
    found: JSON.stringify(venue),
    expected: 'small letters, digits, - and _, such as binance',
    exitCode: 2,
  });
}

/** The symbol of a folder's name, or undefined where the folder is not ours. */
export function symbolOfFolder(name: string): string | undefined {
  const [, base, quote, settle] = SYMBOL_FOLDER.exec(name) ?? [];
  if (base === undefined || quote === undefined) return undefined;
  return settle === undefined ? `${base}/${quote}` : `${base}/${quote}:${settle}`;
}

export function isVenueFolder(name: string): boolean {
  return VENUE.test(name);
}

export function timeframeOfFolder(name: string): TimeMs | undefined {
  return TIMEFRAME_FOLDER.test(name) ? parseSpan(name) : undefined;
}

/** The month of a file's name (`2021-01`), or undefined where the file is no month of bars: a cache beside them, somebody's notes. */
export function monthOfFile(name: string): string | undefined {
  return MONTH_FILE.exec(name)?.[1];
}

export function fileOfMonth(month: string): string {
  return `${month}.parquet`;
}

/** The UTC month that holds `at`: `2021-01`. */
export function monthOf(at: TimeMs): string {
  return new Date(at).toISOString().slice(0, 7);
}

export function monthStart(month: string): TimeMs {
  return Date.parse(`${month}-01T00:00:00Z`);
}

/** The first instant after the month. */
export function monthEnd(month: string): TimeMs {
  const start = new Date(monthStart(month));
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1);
}

/** Names in the order of the alphabet; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}
