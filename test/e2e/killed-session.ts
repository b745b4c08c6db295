// A paper session that is killed at random moments and resumed, from outside: what kill.test.ts and the soak share.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, onlyRun, pause, startBallast, tapeBytes } from '../support/run-app.ts';

export interface SessionResult {
  readonly runId: string;
  readonly folder: string;
  readonly outcome: string;
  readonly stateHash: string;
  readonly venueHash: string;
  readonly status: {
    readonly events: number;
    readonly closedTrades: number;
    readonly stopOuts: number;
    readonly equity: number;
    readonly cash: string;
  };
}

/** The moment of a kill. */
export interface Moment {
  /** Which of them: right after the start, while it recovers, or when its tape has grown. */
  readonly when: 'start' | 'recovery' | 'progress';
  /** After the start, or after the run was seen to be taken up. */
  readonly delayMs: number;
  /** How many bytes its tape has to grow before that. */
  readonly growBytes: number;
}

/** Spread over the life of a session, so that every kind of moment is met. */
export function moments(count: number, bytesInAll: number, random: () => number): Moment[] {
  const progress = Math.ceil(count * 0.6);
  return Array.from({ length: count }, (_, index): Moment => {
    const share = index / count;
    if (share < 0.2) return { when: 'start', delayMs: random() * 600, growBytes: 0 };
    // Interleaved, so that a recovery that was killed is followed by a session that comes on, and is killed there.
    if (index % 3 === 0) return { when: 'recovery', delayMs: random() * 120, growBytes: 0 };
    return { when: 'progress', delayMs: random() * 20, growBytes: Math.floor(random() * 2 * 0.7 * (bytesInAll / progress)) };
  });
}

export function sessionWords(seed: number, untilBars: number, more: readonly string[] = []): string[] {
  return ['paper', '--seed', String(seed), '--until-bars', String(untilBars), '--speed', 'max', '--port', '0', '--json', ...more];
}

export interface KilledSession {
  readonly kills: number;
  readonly result: SessionResult;
  /** What was said at each start after the first. */
  readonly words: readonly string[];
}

/** Starts it, kills it at each moment, and lets the last one come to its end. @throws when one of them fails by itself */
export async function killedSession(home: string, words: readonly string[], at: readonly Moment[]): Promise<KilledSession> {
  let kills = 0;
  const said: string[] = [];
  for (const moment of at) {
    const program = startBallast(home, ...words);
    const before = progressOf(home);
    if (moment.when !== 'start') {
      const over = new AbortController();
      void program.ended.then(() => over.abort());
      await seen(home, moment, before, over.signal);
    }
    await Promise.race([program.ended, pause(moment.delayMs)]);
    program.kill('SIGKILL');
    const ended = await program.ended;
    said.push(ended.stderr);
    if (ended.signal === 'SIGKILL') kills++;
    // It came to its end first: the next start would be another run.
    else return { kills, result: resultOf(ended, words), words: said };
  }
  const ended = await startBallast(home, ...words).ended;
  said.push(ended.stderr);
  return { kills, result: resultOf(ended, words), words: said };
}

export function resultOf({ code, signal, stdout, stderr }: Ended, words: readonly string[]): SessionResult {
  if (code !== 0) throw new Error(`ballast ${words.join(' ')} ended with ${code ?? signal}: ${stderr}`);
  return JSON.parse(stdout) as SessionResult;
}

interface Progress {
  readonly startedAt: number;
  readonly bytes: number;
}

function progressOf(home: string): Progress {
  const folder = onlyRun(home);
  if (folder === undefined) return { startedAt: 0, bytes: 0 };
  const file = join(folder, 'run.json');
  return { startedAt: existsSync(file) ? statSync(file).mtimeMs : 0, bytes: tapeBytes(folder) };
}

/** A start writes run.json before it recovers; a run that comes on makes its tape longer. */
async function seen(home: string, moment: Moment, before: Progress, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const now = progressOf(home);
    if (moment.when === 'recovery' ? now.startedAt > before.startedAt : now.bytes > before.bytes + moment.growBytes) return;
    await pause(1);
  }
}

/** One digest of all records of the tape, in order. */
export function tapeDigest(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(folder, 'tape')).sort()) hash.update(readFileSync(join(folder, 'tape', name)));
  return hash.digest('hex');
}
