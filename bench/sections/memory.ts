// Memory over ten million bars that arrive in chunks: flat in their number.
import { prepareBacktest, removeHome, runBacktest, type BacktestCase } from '../backtest-session.ts';
import type { Figure } from '../figure.ts';
import type { Section } from '../section.ts';
import type { BarColumns } from '../../src/domain/bars.ts';
import { Walk } from '../walk.ts';
import { LITTLE } from './engine.ts';

const BARS = 10_000_000;
const CHUNK_ROWS = 65_536;
const LOOK_AT: readonly number[] = [1_000_000, 5_000_000];
const MOST_MEGABYTES = 400;
/** Nineteen years at full fees would halt the run. */
const SUBJECT: BacktestCase = { ...LITTLE, feeRate: 0.00002, slippageRatio: 0.00001 };

export const memory: Section = {
  name: 'memory',
  title: `Memory: ${BARS.toLocaleString('en')} bars in chunks of ${CHUNK_ROWS.toLocaleString('en')}`,
  rows: [{ name: 'stream', measure }],
};

async function measure(): Promise<readonly Figure[]> {
  const prepared = await prepareBacktest(SUBJECT, BARS);
  const figures: Figure[] = [];
  const look = (name: string, bytes: number, floor?: number): void => {
    figures.push({ name, value: bytes / 1e6, unit: 'MB', better: 'less', floor });
  };
  try {
    const { haltCause } = await runBacktest(prepared, [
      chunks((bars) => look(`resident after ${bars.toLocaleString('en')} bars`, process.memoryUsage.rss())),
    ]);
    look(`resident after ${BARS.toLocaleString('en')} bars`, process.memoryUsage.rss());
    if (haltCause !== '') throw new Error(`the run halted (${haltCause}): what follows a halt is no measure`);
    look('most that was ever resident', process.resourceUsage().maxRSS * 1024, MOST_MEGABYTES);
    return figures;
  } finally {
    removeHome(prepared);
  }
}

/** Each arrives in a task of its own, as from a disk. */
async function* chunks(onBars: (bars: number) => void): AsyncGenerator<BarColumns, void, undefined> {
  const walk = new Walk(7);
  for (let done = 0; done < BARS; done += CHUNK_ROWS) {
    await new Promise((resolve) => setImmediate(resolve));
    yield walk.next(Math.min(CHUNK_ROWS, BARS - done));
    for (const bars of LOOK_AT) if (done < bars && done + CHUNK_ROWS >= bars) onBars(bars);
  }
}
