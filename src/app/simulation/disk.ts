// The disk under a journal and a tape: real files, SQLite's own log among them, written without waiting for a real disk. A process can die in
// the middle of a commit, whose last bytes are then torn; a write can fail, with or without having been done; and the disk can be full.
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connectSqlite, type Connect } from '../../journal/database.ts';
import type { WriteAt } from '../../journal/tape.ts';
import type { Death } from './world.ts';

export interface DiskParts {
  /** Each life of the process has a folder below it: the copy of what the last one left. */
  readonly folder: string;
  readonly isFull: () => boolean;
  /** Nothing dies any more. */
  readonly isSafe: () => boolean;
  /** The process is dead from here on. */
  readonly onDeath: (why: string) => void;
}

const JOURNAL = 'journal.sqlite';
const TAPE = 'tape';

export class SimulatedDisk {
  readonly #parts: DiskParts;
  #life = 0;
  #commits = 0;
  #death: Death | undefined;
  /** Its process is: nothing is written any more. */
  isDead = false;
  #sends = 0;

  constructor(parts: DiskParts) {
    this.#parts = parts;
    mkdirSync(join(this.#folder, TAPE), { recursive: true });
  }

  get #folder(): string {
    return join(this.#parts.folder, String(this.#life));
  }

  get journalPath(): string {
    return join(this.#folder, JOURNAL);
  }

  get tapePath(): string {
    return join(this.#folder, TAPE);
  }

  get hasJournal(): boolean {
    return existsSync(this.journalPath);
  }

  /** A life of the process begins, and how it is to end. */
  begin(death: Death | undefined): void {
    this.#death = death;
    this.#commits = 0;
    this.#sends = 0;
    this.isDead = false;
  }

  /** What a dead process leaves: the files as they are, without what was only in its memory. Its own handles may then be closed. */
  leave(tearTo?: number): void {
    this.isDead = true;
    const [from, fromTape] = [this.#folder, this.tapePath];
    this.#life++;
    mkdirSync(this.tapePath, { recursive: true });
    for (const name of readdirSync(from)) {
      // The shared memory of SQLite dies with its processes.
      if (name === TAPE || name.endsWith('-shm')) continue;
      copyFileSync(join(from, name), join(this.#folder, name));
    }
    for (const name of readdirSync(fromTape)) copyFileSync(join(fromTape, name), join(this.tapePath, name));
    if (tearTo !== undefined) truncateSync(`${this.journalPath}-wal`, tearTo);
  }

  /** Before something leaves the process. @throws where the process dies with it in its hand */
  beforeSend(): void {
    this.#sends++;
    if (this.#death?.kind !== 'before-send' || this.#death.number !== this.#sends || this.#parts.isSafe()) return;
    this.#die('with a command in its hand');
  }

  /** @throws always */
  #die(where: string, tearTo?: number): never {
    this.leave(tearTo);
    this.#parts.onDeath(`killed ${where}`);
    throw new Error(`killed ${where}`);
  }

  readonly connect: Connect = (path, readOnly) => {
    const database = connectSqlite(path, readOnly);
    const transaction = { isOpen: false, hasBlock: false };
    return {
      ...database,
      execute: (sql) => {
        const endsWithBlock = transaction.hasBlock;
        transaction.isOpen = sql.startsWith('BEGIN');
        transaction.hasBlock = false;
        if (sql === 'COMMIT' && endsWithBlock) this.#commit(path, () => database.execute(sql));
        // What an fsync would wait for: here nobody pulls a plug but us.
        else database.execute(sql.replaceAll('synchronous = FULL', 'synchronous = OFF'));
      },
      run: (sql, ...values) => {
        this.#mustHaveRoom();
        const isBlock = sql.startsWith('INSERT INTO block');
        if (isBlock && !transaction.isOpen) this.#commit(path, () => database.run(sql, ...values));
        else {
          database.run(sql, ...values);
          transaction.hasBlock ||= isBlock;
        }
      },
    };
  };

  #mustHaveRoom(): void {
    if (this.isDead) throw new Error('the process is dead');
    if (this.#parts.isFull()) throw new Error('database or disk is full');
  }

  /** One commit of the journal. */
  #commit(path: string, write: () => void): void {
    this.#commits++;
    const death = this.#dueIn(this.#commits);
    if (death?.kind === 'disk-error') {
      if (death.isWritten) write();
      throw new Error('disk I/O error');
    }
    if (death?.kind !== 'in-commit') {
      write();
      return;
    }
    const log = `${path}-wal`;
    const before = existsSync(log) ? statSync(log).size : 0;
    switch (death.phase) {
      case 'journal-torn': {
        write();
        const after = statSync(log).size;
        return this.#die('in the middle of a commit', Math.min(after - 1, before + Math.floor((after - before) * death.tear)));
      }
      case 'after':
        write();
        return this.#die('after a commit that it did not hear of');
      case 'before':
      case 'tape-only':
      case 'tape-torn':
        return this.#die('before a commit');
    }
  }

  #dueIn(commit: number): Extract<Death, { kind: 'in-commit' | 'disk-error' }> | undefined {
    const death = this.#death;
    if ((death?.kind !== 'in-commit' && death?.kind !== 'disk-error') || death.number !== commit || this.#parts.isSafe()) return undefined;
    return death;
  }

  readonly writeAt: WriteAt = (file, bytes, position) => {
    this.#mustHaveRoom();
    const death = this.#dueIn(this.#commits + 1);
    if (death?.kind === 'in-commit' && (death.phase === 'before' || death.phase === 'tape-torn')) {
      if (death.phase === 'tape-torn') writeSync(file, bytes, 0, Math.floor(bytes.length * death.tear), position);
      return this.#die('while it wrote its tape');
    }
    return writeSync(file, bytes, 0, bytes.length, position);
  };
}
