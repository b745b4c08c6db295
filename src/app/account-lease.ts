// One session for an account, wherever it was started from: a lease that the system releases when its holder dies, and a token that rises with
// every holder. Who was suspended for so long that another has come finds a higher token, and opens nothing any more.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../domain/errors.ts';
import { lockFile, type RunLock } from './run-lock.ts';
import { makeRunFolder } from './runs.ts';

const holderSchema = z.strictObject({ token: z.int(), pid: z.int(), home: z.string(), since: z.string() });
type Holder = z.infer<typeof holderSchema>;

export interface AccountLease {
  readonly token: number;
  /** Why the account is not ours any more; undefined while it is. */
  lost(): string | undefined;
  release(): void;
}

export interface LeaseRequest {
  /** Undefined is the state folder of the user. */
  readonly folder: string | undefined;
  /** Of a site and a user of it: `bybit-testnet-1234`. */
  readonly account: string;
  /** Of whoever takes it, for words. */
  readonly home: string;
}

/** Where programs keep what is theirs and not the user's. */
function stateFolder(): string {
  const { XDG_STATE_HOME: state } = process.env;
  return join(state === undefined || state === '' ? join(homedir(), '.local', 'state') : state, 'ballast', 'accounts');
}

/** @throws BallastError ACCOUNT_TAKEN, RUN_UNWRITABLE */
export function takeLease({ folder = stateFolder(), account, home }: LeaseRequest): AccountLease {
  makeRunFolder(folder);
  const path = join(folder, `${account.replaceAll(/[^\w.-]/g, '-')}.json`);
  const lock = lockFile(`${path}.lock`);
  const before = holderIn(path);
  if (lock === undefined) throw taken(account, path, before);
  const token = (before?.token ?? 0) + 1;
  try {
    write(path, { token, pid: process.pid, home, since: new Date().toISOString() });
  } catch (cause) {
    lock.release();
    throw cause;
  }
  return leaseOf(path, token, lock);
}

function leaseOf(path: string, token: number, lock: RunLock): AccountLease {
  return {
    token,
    lost() {
      const holder = holderIn(path);
      if (holder?.token === token) return undefined;
      const who = holder === undefined ? 'nobody says whose it is' : `process ${holder.pid} has it since ${holder.since}`;
      return `the lease of the account is lost: ${who}`;
    },
    release: () => lock.release(),
  };
}

function write(path: string, holder: Holder): void {
  // Whole or not at all: whoever looks finds one holder.
  writeFileSync(`${path}.new`, JSON.stringify(holder));
  renameSync(`${path}.new`, path);
}

/** Undefined where nobody has held it, or the file says nothing that can be read. */
function holderIn(path: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function taken(account: string, path: string, holder: Holder | undefined): BallastError {
  const who = holder === undefined ? 'another session' : `process ${holder.pid}, of ${holder.home}, since ${holder.since}`;
  return new BallastError({
    code: 'ACCOUNT_TAKEN',
    place: `account ${account}`,
    found: `${who}, that trades on it (${path})`,
    expected: 'one session for an account',
    remedy: 'end that session first; two would trade against each other',
  });
}
