// What a simulated day leaves on the disk.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesBelow } from '../backtest-session.ts';
import type { Figure } from '../figure.ts';
import { PROGRAM, runNode } from '../programs.ts';
import type { Section } from '../section.ts';
import { backtestBytes, BUSY, LITTLE } from './engine.ts';

const DAY_BARS = 1_440;

export const bytes: Section = {
  name: 'bytes',
  title: 'Bytes of journal and tape for a day of the market',
  rows: [
    { name: 'little', measure: () => backtestBytes('backtest, little trades', LITTLE) },
    { name: 'busy', measure: () => backtestBytes('backtest, an order every 10 bars', BUSY) },
    { name: 'paper', measure: measurePaper },
  ],
};

/** Two runs of one seed, one a day longer: the warm-up and the snapshot are in both. */
async function measurePaper(): Promise<readonly Figure[]> {
  const [short, long] = [await paperBytes(DAY_BARS), await paperBytes(2 * DAY_BARS)];
  const figure = (name: string, value: number): Figure => ({
    name: `paper, three instruments: ${name}`,
    value,
    unit: 'bytes/day',
    better: 'less',
  });
  return [figure('journal', long.journal - short.journal), figure('tape', long.tape - short.tape)];
}

async function paperBytes(bars: number): Promise<{ readonly journal: number; readonly tape: number }> {
  const home = mkdtempSync(join(tmpdir(), 'ballast-paper-'));
  try {
    const words = [
      'paper',
      '--seed',
      '1',
      '--speed',
      'max',
      '--until-bars',
      String(bars),
      '--port',
      '0',
      '--fresh',
      '--json',
      '--home',
      home,
    ];
    const { stdout } = await runNode([PROGRAM, ...words]);
    const { folder } = JSON.parse(stdout) as { folder: string };
    return { journal: statSync(join(folder, 'journal.sqlite')).size, tape: bytesBelow(join(folder, 'tape')) };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
