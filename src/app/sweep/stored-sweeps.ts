// Sweeps that were run before, read again from their folders.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../../domain/errors.ts';
import { parseSpan } from '../../domain/time.ts';
import { metricsSchema } from '../../lab/sweep/finished-columns.ts';
import { barsPerYear } from '../../lab/sweep/run-column.ts';
import { SEARCHES } from '../../lab/sweep/search.ts';
import type { SweepDocument } from '../../lab/sweep/sweep-run.ts';
import { isLocked } from '../run-lock.ts';
import { runsFolder } from '../runs.ts';

const PREFIX = 'sweep-';
const params = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));
const rowSchema = z.union([
  z.strictObject({ params, metrics: metricsSchema }),
  z.strictObject({ params, failure: z.string() }),
  z.strictObject({ params, stopped: z.string() }),
]);
/** `account` differs between kernels and engines, and nobody here looks into it. */
const documentSchema = z.object({
  runId: z.string(),
  strategy: z.string(),
  path: z.enum(['kernel', 'engine']),
  venue: z.string(),
  symbols: z.array(z.string()),
  timeframe: z.string(),
  from: z.string(),
  to: z.string(),
  bars: z.number(),
  account: z.looseObject({}),
  search: z.union([
    z.strictObject({ name: z.enum(['grid', 'points']) }),
    z.strictObject({ name: z.enum(SEARCHES), trials: z.number(), seed: z.number() }),
  ]),
  drawdownLimit: z.number().nullable(),
  objective: z.string(),
  rows: z.array(rowSchema),
  best: z.object({ params, metrics: metricsSchema, value: z.number() }).nullable(),
  trials: z.object({ tried: z.number(), failed: z.number(), stopped: z.number(), leftOut: z.number(), resumed: z.number() }),
});

/** A sweep's folder. */
export type StoredSweep =
  | { readonly state: 'finished'; readonly document: SweepDocument }
  /** `running` has a process; `interrupted` goes on with the command that began it. */
  | { readonly state: 'running' | 'interrupted'; readonly runId: string }
  | { readonly state: 'damaged'; readonly runId: string; readonly failure: BallastError };

/** All of them, by name. */
export function listSweeps(home: string): readonly StoredSweep[] {
  const root = runsFolder(home);
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(PREFIX))
    .map(({ name }): StoredSweep => {
      const folder = join(root, name);
      if (isLocked(folder)) return { state: 'running', runId: name };
      if (!existsSync(join(folder, 'sweep.json'))) return { state: 'interrupted', runId: name };
      try {
        return { state: 'finished', document: readSweep(folder) };
      } catch (failure) {
        if (failure instanceof BallastError) return { state: 'damaged', runId: name, failure };
        throw failure;
      }
    })
    .toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

function nameOf(sweep: StoredSweep): string {
  return sweep.state === 'finished' ? sweep.document.runId : sweep.runId;
}

/** By its id, a beginning of it that no other has, or the path of its folder. @throws BallastError SWEEP_UNKNOWN, SWEEP_DAMAGED */
export function sweepNamed(home: string, name: string): SweepDocument {
  const root = runsFolder(home);
  const known = existsSync(root) ? readdirSync(root).filter((each) => existsSync(join(root, each, 'sweep.json'))) : [];
  const exact = [join(root, name), name].find((folder) => existsSync(join(folder, 'sweep.json')));
  if (exact !== undefined) return readSweep(exact);
  const found = known.filter((each) => each.startsWith(name) || each.startsWith(`${PREFIX}${name}`));
  const [only] = found;
  if (only !== undefined && found.length === 1 && name !== '') return readSweep(join(root, only));
  throw new BallastError({
    code: 'SWEEP_UNKNOWN',
    place: `sweep ${JSON.stringify(name)}`,
    found: found.length > 1 ? `${found.length} of them: ${found.slice(0, 5).join(', ')}` : `no finished one under ${root}`,
    expected: known.length === 0 ? 'a sweep (there is none yet)' : `a sweep, such as ${known.slice(0, 5).join(', ')}`,
    remedy: 'ballast sweeps ls lists them',
    exitCode: 2,
  });
}

/** How many years its columns are of. */
export function yearsOf({ bars, timeframe }: SweepDocument): number {
  return bars / barsPerYear(parseSpan(timeframe, 'sweep.json'));
}

function readSweep(folder: string): SweepDocument {
  const path = join(folder, 'sweep.json');
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw damaged(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  const parsed = documentSchema.safeParse(found);
  // Its account is as it was written; all else was looked at.
  if (parsed.success) return parsed.data as unknown as SweepDocument;
  throw damaged(
    path,
    parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .slice(0, 3)
      .join('; '),
    parsed.error,
  );
}

function damaged(place: string, found: string, cause: unknown): BallastError {
  const remedy = 'run the sweep again';
  return new BallastError({ code: 'SWEEP_DAMAGED', place, found, expected: 'the sweep.json of this version', remedy, cause });
}
