// A home folder whose store holds a year of minutes.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MINUTE_MS } from '../src/domain/time.ts';
import { openStore } from '../src/market/history/store.ts';
import { Walk } from './walk.ts';

export const YEAR_BARS = 525_600;
export const YEAR_SERIES = { venue: 'bench', symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS } as const;

export async function makeYear(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'ballast-year-'));
  const store = await openStore(home);
  await store.merge(YEAR_SERIES, new Walk(7).next(YEAR_BARS));
  await store.close();
  return home;
}
