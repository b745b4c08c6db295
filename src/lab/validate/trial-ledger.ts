// Every trial ever run on a data set, kept: how many there were is then never a guess.
//
// JSON lines. A trial, or all of a sweep, is one write that begins and ends with a line end, and is on the disk before it is reported: several processes may
// add at once, and one that is killed leaves at most a line that cannot be read, which is counted; a sweep writes its line again when it goes on.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Many at once that share all but their result: a sweep is one line of these, however many combinations it has. */
const batchSchema = trialSchema.omit({ id: true, sharpe: true }).extend({
  /** Id and Sharpe ratio of a period; null of one that was given up before its end, which is a trial all the same. */
  trials: z.array(z.tuple([z.string(), z.number().nullable()])),
});

export type TrialBatch = Readonly<z.infer<typeof batchSchema>>;

const lineSchema = z.union([trialSchema, batchSchema]);

export interface TrialsOnRecord extends Trials {
  /** Lines that no trial can be read from. */
  readonly damagedLines: number;
}

/** Adds a trial, and returns once it is on the disk. @throws BallastError TRIALS_UNWRITABLE */
export function recordTrial(path: string, trial: Trial): void {
  append(path, trial);
}

/** Adds a sweep's trials in one write, and returns once they are on the disk. @throws BallastError TRIALS_UNWRITABLE */
export function recordTrials(path: string, batch: TrialBatch): void {
  append(path, batch);
}

function append(path: string, line: Trial | TrialBatch): void {
  try {
    makeFolder(dirname(path));
    const file = openSync(path, 'a');
    try {
      writeFileSync(file, `\n${JSON.stringify(line)}\n`);
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
  /** By id: the Sharpe ratio of `periodMs`, null where it says nothing. */
  const found = new Map<string, number | null>();
  let damagedLines = 0;
  for (const text of lines) {
    if (text === '') continue;
    const line = readLine(text);
    if (line === undefined) damagedLines++;
    else if (line.series.some((each) => series.includes(each))) {
      const scale = line.observations >= MINIMUM_RETURNS ? Math.sqrt(periodMs / line.periodMs) : NaN;
      const trials = 'trials' in line ? line.trials : [[line.id, line.sharpe] as const];
      for (const [id, sharpe] of trials) {
        const known = sharpe === null || Number.isNaN(scale) ? null : sharpe * scale;
        // One that was given up in a later sweep had its ratio in an earlier one.
        if (known !== null || !found.has(id)) found.set(id, known);
      }
    }
  }
  const sharpes = [...found.values()].filter((sharpe) => sharpe !== null);
  const many = sharpes.length;
  return { count: found.size, variance: many < 2 ? 0 : (variance(sharpes) * many) / (many - 1), damagedLines };
}

function readLine(text: string): Trial | TrialBatch | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // The end of a write that was cut off: counted by the caller.
    return undefined;
  }
}
