// What a user waits for: a year of minutes from the cold start of the command to the printed report, and the help.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { median } from '../measure.ts';
import { LAUNCHER, otherNode, PROGRAM, runNode, type Ended } from '../programs.ts';
import type { Section } from '../section.ts';
import { makeYear, YEAR_BARS, YEAR_SERIES } from '../year.ts';

const STARTS = 9;
const YEARS = 3;

export const command: Section = {
  name: 'command',
  title: 'Commands in a process of their own, cold; wall milliseconds',
  rows: [
    { name: 'year', measure: measureYear },
    { name: 'help', measure: measureHelp },
  ],
};

async function medianEnded(count: number, start: () => Promise<Ended>): Promise<Ended> {
  // The first one brings the files into memory.
  await start();
  const all: Ended[] = [];
  for (let index = 0; index < count; index++) all.push(await start());
  const timing = { wallMs: median(all.map((each) => each.timing.wallMs)), cpuMs: median(all.map((each) => each.timing.cpuMs)) };
  return { timing, stdout: all[0]?.stdout ?? '', stderr: all[0]?.stderr ?? '' };
}

async function measureYear(): Promise<readonly Figure[]> {
  const home = await makeYear();
  try {
    const figures: Figure[] = [];
    const own = ['--strategy', join(import.meta.dirname, '../strategies/two-means.ts'), '--params', 'fast=2000,slow=10000'];
    const trend = ['--strategy', 'trend', '--params', 'fast=1000,slow=4000'];
    for (const [name, words] of [['two means', own] as const, ['trend 1000/4000', trend] as const]) {
      const line = [PROGRAM, 'backtest', ...words, '--symbols', YEAR_SERIES.symbol, '--timeframe', '1m', '--home', home];
      const { timing } = await medianEnded(YEARS, () => runNode(line));
      const { stdout } = await runNode([...line, '--json']);
      const { metrics, halts } = JSON.parse(stdout) as { metrics: { orders: number }; halts: readonly string[] };
      if (halts.length > 0) throw new Error(`the run of ${name} halted (${halts.join(', ')}): what follows a halt is no measure`);
      figures.push({
        name: `a year of minutes, ${name}`,
        value: timing.wallMs,
        unit: 'ms',
        better: 'less',
        cpu: timing.cpuMs,
        floor: 2_000,
        note: `${YEAR_BARS.toLocaleString('en')} bars, ${metrics.orders.toLocaleString('en')} fills`,
      });
    }
    return figures;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function measureHelp(): Promise<readonly Figure[]> {
  const direct = await medianEnded(STARTS, () => runNode([PROGRAM, '--help']));
  const node = otherNode();
  const launched = await medianEnded(STARTS, () =>
    runNode([LAUNCHER, '--help'], { isMetered: false, ...(node === undefined ? {} : { node }) }),
  );
  return [
    { name: '--help', value: direct.timing.wallMs, unit: 'ms', better: 'less', cpu: direct.timing.cpuMs, floor: 150 },
    {
      name: '--help through the launcher',
      value: launched.timing.wallMs,
      unit: 'ms',
      better: 'less',
      floor: 300,
      note: node === undefined ? 'under the pinned Node: this machine has no other' : `started by ${node}`,
    },
  ];
}
