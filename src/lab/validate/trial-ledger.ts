// Every trial ever run on a data set, kept: how many there were is then never a guess.
//
// JSON lines. A trial is one write that begins and ends with a line end, and is on the disk before it is reported: several processes may
// add at once, and one that is killed leaves at most a line that cannot be read, which is counted.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../../domain/errors.ts';
import type { TimeMs } from '../../domain/time.ts';
import { makeFolder } from '../../market/history/make-folder.ts';
import { variance } from '../../quant/statistics.ts';
import { MINIMUM_RETURNS } from '../../views/metrics.ts';
import type { Trials } from './sharpe-ratio.ts';

const trialSchema = z.object({
  /** Of everything that determines the result: the same trial, run again, is one. */
  id: z.string(),
  /** What it was run on, such as `binance:BTC/USDT`, whatever the timeframe and the range. */
  series: z.array(z.string()),
  periodMs: z.number().positive(),
  /** How many periods. */
  observations: z.number().int().positive(),
  /** Of a period. */
  sharpe: z.number(),
});

export type Trial = Readonly<z.infer<typeof trialSchema>>;

export interface TrialsOnRecord extends Trials {
  /** Lines that no trial can be read from. */
  readonly damagedLines: number;
}

/** Adds a trial, and returns once it is on the disk. @throws BallastError TRIALS_UNWRITABLE */
export function recordTrial(path: string, trial: Trial): void {
  try {
    makeFolder(dirname(path));
    const file = openSync(path, 'a');
    try {
      writeSync(file, `\n${JSON.stringify(trial)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new BallastError({
      code: 'TRIALS_UNWRITABLE',
      place: path,
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a file that can be added to: a trial that is not kept would not be counted',
      remedy: 'free space or choose another --home',
      cause,
    });
  }
}

/**
 * All trials on one of the series, each once, with the variance of their Sharpe ratios (n - 1) brought to one period by the root of time;
 * of those of MINIMUM_RETURNS on, because the ratio of a few days is noise that would drown the others. Nothing says which of them were
 * near copies: as many independent ones are assumed, which deflates too much rather than too little. None where there is no file.
 */
export function trialsOn(path: string, series: readonly string[], periodMs: TimeMs): TrialsOnRecord {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const found = new Map<string, Trial>();
  let damagedLines = 0;
  for (const line of lines) {
    if (line === '') continue;
    const trial = readTrial(line);
    if (trial === undefined) damagedLines++;
    else if (trial.series.some((each) => series.includes(each))) found.set(trial.id, trial);
  }
  const sharpes = [...found.values()]
    .filter((trial) => trial.observations >= MINIMUM_RETURNS)
    .map((trial) => trial.sharpe * Math.sqrt(periodMs / trial.periodMs));
  const many = sharpes.length;
  return { count: found.size, variance: many < 2 ? 0 : (variance(sharpes) * many) / (many - 1), damagedLines };
}

function readTrial(line: string): Trial | undefined {
  try {
    return trialSchema.safeParse(JSON.parse(line)).data;
  } catch {
    // The end of a write that was cut off: counted by the caller.
    return undefined;
  }
}
