// For the tests beside this file: a home folder of their own, and bars to fill it with.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { HOUR_MS } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { COLUMN_NAMES } from './parquet.ts';
import { openStore } from './store.ts';
import type { BarStore, StoreOptions } from './store.ts';

export const HOURLY = { venue: 'binance', symbol: 'BTC/USDT', timeframeMs: HOUR_MS };

/** Removed when the test ends. */
export function temporaryFolder(context: TestContext, name = 'ballast-'): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed when the test ends. */
export async function openedStore(context: TestContext, home: string, options?: StoreOptions): Promise<BarStore> {
  const store = await openStore(home, options);
  context.after(() => store.close());
  return store;
}

/** A quiet walk: the same for the same arguments. */
export function walk(from: string, rows: number, timeframeMs: TimeMs = HOUR_MS, lift = 0): BarColumns {
  const startAt = Date.parse(from);
  const price = (row: number): number => Math.round((100 + lift + 10 * Math.sin(row / 7)) * 100) / 100;
  return {
    openAt: Float64Array.from({ length: rows }, (_, row) => startAt + row * timeframeMs),
    open: Float64Array.from({ length: rows }, (_, row) => price(row)),
    high: Float64Array.from({ length: rows }, (_, row) => Math.max(price(row), price(row + 1)) + 1),
    low: Float64Array.from({ length: rows }, (_, row) => Math.min(price(row), price(row + 1)) - 1),
    close: Float64Array.from({ length: rows }, (_, row) => price(row + 1)),
    volume: Float64Array.from({ length: rows }, (_, row) => (row * 37) % 101),
  };
}

export function csvLines(bars: BarColumns): string[] {
  const lines = ['timestamp,open,high,low,close,volume'];
  for (let row = 0; row < bars.openAt.length; row += 1) {
    lines.push(
      COLUMN_NAMES.map((name) => (name === 'openAt' ? new Date(bars.openAt[row] ?? NaN).toISOString() : bars[name][row])).join(','),
    );
  }
  return lines;
}

export function sameBars(found: BarColumns, expected: BarColumns): void {
  for (const name of COLUMN_NAMES) assert.deepEqual(found[name], expected[name], `the column ${name}`);
}

/** The error that a person reads. */
export async function ballastError(work: () => unknown): Promise<BallastError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof BallastError, `found ${String(error)}, expected a BallastError`);
    return error;
  }
  assert.fail('found no error, expected a BallastError');
}
