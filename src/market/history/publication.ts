// How many files change at once. An import is staged whole in `<root>/.import`, sealed with a list of its moves, and only then moved into
// place. Killed before the seal it never happened; killed after it, whoever opens the store next finishes the moves.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { BallastError } from '../../domain/errors.ts';
import { firstLine } from './duck.ts';
import { makeFolder } from './make-folder.ts';

/** What a publication does to the disk: the real one below, and in the tests one that fills up or dies at any step. */
export interface Disk {
  /** Lets `write` make the file. */
  writeFile(path: string, write: (path: string) => Promise<void>): Promise<void>;
  /** Returns when all of them are on the disk. */
  sync(paths: readonly string[]): Promise<void>;
  /** Returns when the text is on the disk. */
  writeText(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder and all that is in it. */
  remove(path: string): Promise<void>;
}

/** Files that are brought to the disk at once: one by one each waits for the disk alone. */
const SYNCED_AT_ONCE = 32;

export const REAL_DISK: Disk = {
  writeFile: (path, write) => write(path),
  async sync(paths) {
    for (let first = 0; first < paths.length; first += SYNCED_AT_ONCE) {
      await Promise.all(paths.slice(first, first + SYNCED_AT_ONCE).map((path) => syncPath(path, 'r+')));
    }
  },
  async writeText(path, text) {
    const file = await open(path, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
};

interface Move {
  /** In the staging folder; empty when the file is removed. */
  readonly from: string;
  /** Relative to the root. */
  readonly to: string;
}

const STAGING = '.import';
const SEAL = 'moves.json';
const LOCK = '.lock';

export class Publication {
  readonly #root: string;
  readonly #disk: Disk;
  readonly #lock: DatabaseSync;
  readonly #moves: Move[] = [];
  #isSealed = false;

  private constructor(root: string, disk: Disk, lock: DatabaseSync) {
    this.#root = root;
    this.#disk = disk;
    this.#lock = lock;
  }

  /** One at a time, over all processes. @throws BallastError STORE_BUSY */
  static async begin(root: string, disk: Disk): Promise<Publication> {
    makeFolder(root);
    const lock = await takeLock(root);
    if (lock === undefined) {
      throw new BallastError({
        code: 'STORE_BUSY',
        place: root,
        found: 'another import that is still running',
        expected: 'one import at a time',
        remedy: 'wait until it has ended',
      });
    }
    try {
      await settle(root, disk);
      await mkdir(join(root, STAGING));
      await syncFolder(root);
    } catch (error) {
      lock.close();
      throw error;
    }
    return new Publication(root, disk, lock);
  }

  /** Whether it has happened, even if not all is in its place yet. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /**
   * @param to the file's place relative to the root
   * @param write makes the file at the path it is given
   */
  async stage(to: string, write: (path: string) => Promise<void>): Promise<void> {
    const from = `${this.#moves.length}.staged`;
    await this.#disk.writeFile(join(this.#root, STAGING, from), write);
    this.#moves.push({ from, to });
  }

  /** The file goes when the rest comes. */
  stageRemoval(to: string): void {
    this.#moves.push({ from: '', to });
  }

  get hasChanges(): boolean {
    return this.#moves.length > 0;
  }

  /** From the seal on the import has happened. */
  async publish(): Promise<void> {
    const staged = this.#moves.filter(({ from }) => from !== '').map(({ from }) => join(this.#root, STAGING, from));
    if (staged.length > 0) await this.#disk.sync(staged);
    const seal = join(this.#root, STAGING, SEAL);
    await this.#disk.writeText(`${seal}.partial`, JSON.stringify(this.#moves));
    await this.#disk.rename(`${seal}.partial`, seal);
    this.#isSealed = true;
    await syncFolder(dirname(seal));
    await finish(this.#root, this.#moves, this.#disk);
  }

  /** Last of all, published or not. What is not sealed is undone; what is sealed and could not be moved, the next opening finishes. */
  async end(): Promise<void> {
    try {
      if (!this.#isSealed) await this.#disk.remove(join(this.#root, STAGING));
    } finally {
      this.#lock.close();
    }
  }
}

/**
 * Stages what `work` stages and, unless it throws, publishes it.
 * @param place of a failure, for its message
 * @throws BallastError STORE_BUSY, STORE_WRITE_FAILED, STORE_JOURNAL_CORRUPT, and what `work` throws
 */
export async function publishing<T>(root: string, disk: Disk, place: string, work: (publication: Publication) => Promise<T>): Promise<T> {
  let publication: Publication | undefined;
  try {
    publication = await Publication.begin(root, disk);
    try {
      const result = await work(publication);
      if (publication.hasChanges) await publication.publish();
      return result;
    } finally {
      await publication.end();
    }
  } catch (error) {
    throw error instanceof BallastError ? error : writeFailed(place, error, publication?.isSealed ?? false);
  }
}

/** After whatever a killed import left behind was finished or undone. @throws BallastError STORE_JOURNAL_CORRUPT, STORE_WRITE_FAILED */
export async function settled(root: string, disk: Disk): Promise<void> {
  try {
    await recover(root, disk);
  } catch (error) {
    throw error instanceof BallastError ? error : writeFailed(root, error, true);
  }
}

function writeFailed(place: string, cause: unknown, isSealed: boolean): BallastError {
  return new BallastError({
    code: 'STORE_WRITE_FAILED',
    place,
    found: firstLine(cause, place),
    expected: 'room and permission to write',
    remedy: isSealed
      ? 'the import is complete beside the store: free some space or fix the permission, and the next command that opens the store puts it in place'
      : 'the store is as it was: free some space or fix the permission, then import again',
    cause,
  });
}

/** Finishes or undoes what a killed import left behind; a running one is left alone. */
async function recover(root: string, disk: Disk): Promise<void> {
  if (!existsSync(join(root, STAGING))) return;
  const lock = await takeLock(root);
  if (lock === undefined) return;
  try {
    await settle(root, disk);
  } finally {
    lock.close();
  }
}

/**
 * SQLite's lock on a file is the system's own: it ends with the process that holds it, however that dies, so that no lock is ever stale.
 * Undefined while another holds it.
 */
async function takeLock(root: string): Promise<DatabaseSync | undefined> {
  const { DatabaseSync: Database } = await import('node:sqlite');
  const place = join(root, LOCK);
  let lock: DatabaseSync | undefined;
  try {
    lock = new Database(place);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const sqliteBusy = 5;
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw new BallastError({
      code: 'STORE_WRITE_FAILED',
      place,
      found: firstLine(error),
      expected: 'a folder that can be written to',
      cause: error,
    });
  }
}

/** The lock is held, so whatever is staged has no owner any more. */
async function settle(root: string, disk: Disk): Promise<void> {
  const staging = join(root, STAGING);
  const seal = join(staging, SEAL);
  if (existsSync(seal)) await finish(root, readMoves(seal), disk);
  else if (existsSync(staging)) await disk.remove(staging);
}

/** Repeats safely: what has been moved already is no longer in the staging folder. */
async function finish(root: string, moves: readonly Move[], disk: Disk): Promise<void> {
  const folders = new Set<string>();
  for (const { from, to } of moves) {
    const staged = join(root, STAGING, from);
    const target = join(root, to);
    for (let folder = dirname(target); folder.length >= root.length; folder = dirname(folder)) folders.add(folder);
    if (from === '') await disk.remove(target);
    else {
      await mkdir(dirname(target), { recursive: true });
      if (existsSync(staged)) await disk.rename(staged, target);
    }
  }
  // The moves must have reached the disk before the only other record of them goes.
  for (const folder of folders) if (existsSync(folder)) await syncFolder(folder);
  await disk.remove(join(root, STAGING));
}

function readMoves(path: string): Move[] {
  const text = readFileSync(path, 'utf8');
  let moves: unknown;
  let cause: unknown;
  try {
    moves = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (Array.isArray(moves) && moves.every(isMove)) return moves;
  throw new BallastError({
    code: 'STORE_JOURNAL_CORRUPT',
    place: path,
    found: JSON.stringify(text.slice(0, 80)),
    expected: 'the moves of an unfinished import',
    remedy: `remove the folder ${dirname(path)} and import the data again`,
    cause,
  });
}

function isMove(value: unknown): value is Move {
  if (typeof value !== 'object' || value === null || !('from' in value) || !('to' in value)) return false;
  return typeof value.from === 'string' && typeof value.to === 'string' && !`${value.from}/${value.to}`.split('/').includes('..');
}

/** A rename outlives a power cut once its folder is on the disk. */
async function syncFolder(path: string): Promise<void> {
  await syncPath(path, 'r');
}

async function syncPath(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
