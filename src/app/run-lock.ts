// One process for a run: a lock that the system itself releases when its holder dies, however it dies. A process id would outlive a zombie.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from '../journal/database.ts';

export interface RunLock {
  release(): void;
}

const lockPath = (folder: string): string => join(folder, 'lock.sqlite');

/** Somebody who only looks holds the lock for a moment; a starting session waits that long. */
const LOOK_MS = 250;

/** Takes the run's lock; undefined when another process has it. */
export function lockRun(folder: string, waitMs = LOOK_MS): RunLock | undefined {
  return lockFile(lockPath(folder), waitMs);
}

/** The same of any file, which is there for the lock alone. */
export function lockFile(path: string, waitMs = LOOK_MS): RunLock | undefined {
  const database = new DatabaseSync(path, { timeout: waitMs });
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (isBusy(cause)) return undefined;
    throw cause;
  }
  return { release: () => database.close() };
}

/** Whether some process has the run's lock. */
export function isLocked(folder: string): boolean {
  if (!existsSync(lockPath(folder))) return false;
  const lock = lockRun(folder, 0);
  lock?.release();
  return lock === undefined;
}
