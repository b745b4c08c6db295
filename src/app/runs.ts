// Run folders: `<home>/runs/<id>/` with run.json, journal.sqlite, tape/, report.json and, while it runs, control.sock.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { makeFolder } from '../market/history/make-folder.ts';
import { recipeSchema, type Recipe } from './recipe.ts';
import { isLocked } from './run-lock.ts';

const runFileSchema = z.strictObject({
  runId: z.string(),
  /** `running` with a process that is gone is a run that was killed. */
  status: z.enum(['running', 'interrupted', 'finished', 'failed']),
  pid: z.int(),
  startedAt: z.string(),
  /** Of everything that determines results. */
  configHash: z.string(),
  recipe: recipeSchema,
});

export type RunFile = Readonly<Omit<z.infer<typeof runFileSchema>, 'recipe'>> & { readonly recipe: Recipe };
export type RunStatusWord = RunFile['status'];

export interface RunFolder extends RunFile {
  readonly folder: string;
  /** A process has its lock. */
  readonly isAlive: boolean;
}

export function runsFolder(home: string): string {
  return join(home, 'runs');
}

export function journalPath(folder: string): string {
  return join(folder, 'journal.sqlite');
}
export function tapePath(folder: string): string {
  return join(folder, 'tape');
}

/**
 * A name that sorts by time, and its folder: whoever makes the folder has the name, so that two processes that begin in one second never
 * share one. @throws BallastError RUN_UNWRITABLE
 */
export function newRunId(home: string, kind: Recipe['kind']): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  makeRunFolder(runsFolder(home));
  for (let number = 0; ; number++) {
    const runId = `${kind}-${stamp}${number === 0 ? '' : `-${number}`}`;
    const folder = join(runsFolder(home), runId);
    try {
      mkdirSync(folder);
      return runId;
    } catch (cause) {
      if (!existsSync(folder)) throw unwritable(folder, cause);
    }
  }
}

/** Writes what a new run is into its folder. @throws BallastError RUN_UNWRITABLE */
export function createRun(home: string, runId: string, configHash: string, recipe: Recipe): string {
  const folder = join(runsFolder(home), runId);
  makeRunFolder(folder);
  writeRunFile(folder, { runId, status: 'running', pid: process.pid, startedAt: new Date().toISOString(), configHash, recipe });
  return folder;
}

/** With the home above it, where that is new. @throws BallastError RUN_UNWRITABLE */
export function makeRunFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** Writes a file of a run folder. @throws BallastError RUN_UNWRITABLE */
export function writeFileOfRun(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(place: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'RUN_UNWRITABLE',
    place,
    found: reasonOf(cause, place),
    expected: 'a folder that can be written',
    remedy: 'free space or choose another --home',
    cause,
  });
}

/** Lets go of everything, whatever fails on the way: what failed before says why, so a failure here is only told. */
export function letGo(closers: readonly (() => void)[], onNotice: (words: string) => void): void {
  for (const close of closers) {
    try {
      close();
    } catch (cause) {
      onNotice(`while closing: ${reasonOf(cause)}`);
    }
  }
}

export function setRunStatus(folder: string, status: RunStatusWord): void {
  const run = readRun(folder);
  if (run === undefined) return;
  const { folder: _folder, isAlive: _isAlive, ...file } = run;
  writeRunFile(folder, { ...file, status, pid: process.pid });
}

function writeRunFile(folder: string, file: RunFile): void {
  const path = join(folder, 'run.json');
  writeFileOfRun(`${path}.new`, `${JSON.stringify(file, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

function readRun(folder: string): RunFolder | undefined {
  const path = join(folder, 'run.json');
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw damaged(path, reasonOf(cause), cause);
  }
  const parsed = runFileSchema.safeParse(json);
  if (!parsed.success)
    throw damaged(path, parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '), parsed.error);
  return { ...parsed.data, folder, isAlive: parsed.data.status === 'running' && isLocked(folder) };
}

function damaged(path: string, found: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'RUN_FILE_DAMAGED',
    place: path,
    found,
    expected: 'the run.json of this version',
    remedy: 'move the folder aside; its journal is still readable',
    cause,
  });
}

/** Every run that can be read, oldest first; what cannot is told to `onDamaged`. */
export function listRuns(home: string, onDamaged: (damage: BallastError) => void = () => undefined): readonly RunFolder[] {
  const root = runsFolder(home);
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      try {
        const run = readRun(join(root, entry.name));
        return run === undefined ? [] : [run];
      } catch (damage) {
        if (!(damage instanceof BallastError)) throw damage;
        onDamaged(damage);
        return [];
      }
    })
    .toSorted((left, right) => (left.startedAt < right.startedAt ? -1 : 1));
}

export function latestRun(home: string): RunFolder | undefined {
  return listRuns(home).at(-1);
}

/** By its id, or by the path of its folder. @throws BallastError RUN_UNKNOWN */
export function runNamed(home: string, name: string): RunFolder {
  for (const folder of [join(runsFolder(home), name), name]) {
    const run = existsSync(folder) ? readRun(folder) : undefined;
    if (run !== undefined) return run;
  }
  const known = listRuns(home)
    .slice(-5)
    .map((run) => run.runId)
    .join(', ');
  throw new BallastError({
    code: 'RUN_UNKNOWN',
    place: `run ${JSON.stringify(name)}`,
    found: `no such folder under ${runsFolder(home)}`,
    expected: known === '' ? 'a run (there is none yet)' : `a run, such as ${known}`,
  });
}
