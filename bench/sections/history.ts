// The history on disk: a million bars out of Parquet for the first time, and out of the column cache that the first time leaves behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BarColumns } from '../../src/domain/bars.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { openStore } from '../../src/market/history/store.ts';
import type { Figure } from '../figure.ts';
import { medianOf, timed, type Timing } from '../measure.ts';
import type { Section } from '../section.ts';
import { Walk } from '../walk.ts';

const BARS = 1_000_000;
const SERIES = { venue: 'bench', symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS } as const;
const REPEATS = 5;

export const history: Section = { name: 'history', title: 'History', rows: [{ name: 'load', measure: measureLoad }] };

async function measureLoad(): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), 'ballast-history-'));
  try {
    const written = new Walk(7).next(BARS);
    const writer = await openStore(home);
    const { timing: merging } = await timed(() => writer.merge(SERIES, written));
    await writer.close();
    const first: Timing[] = [];
    const cached: Timing[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      rmSync(join(home, 'data/bars/bench/BTC-USDT_USDT/1m/.cache'), { recursive: true, force: true });
      first.push(await load(home, written));
      cached.push(await load(home, written));
    }
    const { wallMs: firstMs, cpuMs: firstCpuMs } = medianOf(first);
    const { wallMs: cachedMs, cpuMs: cachedCpuMs } = medianOf(cached);
    const equal = 'equal to what was written, to the bit';
    return [
      { name: 'merge 1,000,000 bars into an empty store', value: merging.wallMs, unit: 'ms', better: 'less', cpu: merging.cpuMs },
      {
        name: 'load them from Parquet, leaving the cache',
        value: firstMs,
        unit: 'ms',
        better: 'less',
        cpu: firstCpuMs,
        floor: 1000,
        note: equal,
      },
      { name: 'load them from the cache', value: cachedMs, unit: 'ms', better: 'less', cpu: cachedCpuMs, floor: 100, note: equal },
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** One load by a store of its own, from opening it on. @throws when the bars are not those that were written, or not in shared memory */
async function load(home: string, written: BarColumns): Promise<Timing> {
  const { timing, result } = await timed(async () => {
    const store = await openStore(home);
    const bars = await store.load(SERIES);
    return { store, bars };
  });
  await result.store.close();
  for (const name of ['openAt', 'open', 'high', 'low', 'close', 'volume'] as const) {
    const [found, expected] = [result.bars[name], written[name]];
    if (!(found.buffer instanceof SharedArrayBuffer)) throw new Error(`${name} is not in shared memory`);
    if (found.length !== expected.length || found.some((value, row) => value !== expected[row])) throw new Error(`${name} differs`);
  }
  return timing;
}
