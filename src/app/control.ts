// The run's control socket: one JSON line asks, one JSON line answers. Local to the machine and to the user.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../domain/errors.ts';
import type { OperatorCommand } from '../domain/event.ts';
import { reasonOf } from '../domain/words.ts';
import type { RunHandle } from './run-handle.ts';
import { listRuns, runNamed, writeFileOfRun, type RunFolder } from './runs.ts';

const questionSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.enum(['halt', 'resume', 'flatten', 'close']), argument: z.string().optional(), by: z.string().optional() }),
]);

export type Question =
  | { readonly command: 'status' }
  | { readonly command: OperatorCommand; readonly argument?: string; readonly by?: string };

/** Longer paths cannot be bound on Linux (108 bytes) and macOS (104). */
const LONGEST_SOCKET_PATH = 100;
const LONGEST_QUESTION = 64 * 1024;
const ANSWER_WITHIN_MS = 10_000;

/** Where the socket is: beside the journal, or in the temporary folder when that path is too long, with a note beside the journal. */
function socketPath(folder: string): string {
  const beside = join(folder, 'control.sock');
  return Buffer.byteLength(beside) <= LONGEST_SOCKET_PATH ? beside : join(tmpdir(), `ballast-${process.pid}.sock`);
}

const notePath = (folder: string): string => join(folder, 'control.path');

export interface ControlServer {
  close(): Promise<void>;
}

export async function openControl(folder: string, handle: RunHandle): Promise<ControlServer> {
  const path = socketPath(folder);
  // A killed process leaves its socket behind.
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    // The asker may hang up before the answer: nothing is owed to it then.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > LONGEST_QUESTION) socket.destroy();
      const end = text.indexOf('\n');
      if (end < 0) return;
      const line = text.slice(0, end);
      text = '';
      void answer(line, handle).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    });
  });
  const previousMask = process.umask(0o177);
  try {
    await listen(server, path);
  } finally {
    process.umask(previousMask);
  }
  writeFileOfRun(notePath(folder), path);
  return {
    close: () =>
      new Promise((resolve) => {
        rmSync(notePath(folder), { force: true });
        server.close(() => resolve());
        rmSync(path, { force: true });
      }),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

async function answer(line: string, handle: RunHandle): Promise<unknown> {
  try {
    const question = questionSchema.parse(JSON.parse(line));
    if (question.command === 'status') return { ok: true, answer: handle.status() };
    await handle.command(question.command, question.argument ?? '', question.by ?? 'command line');
    return { ok: true, answer: handle.status() };
  } catch (cause) {
    return { ok: false, error: reasonOf(cause) };
  }
}

/** The named session, or every one of this home that has a living process, oldest first. @throws BallastError RUN_NOT_RUNNING, RUN_UNKNOWN */
function sessionsMeant(home: string, runId: string | undefined): readonly [RunFolder, ...RunFolder[]] {
  const runs = runId === undefined ? listRuns(home) : [runNamed(home, runId)];
  const [first, ...further] = runs.filter((run) => run.isAlive && run.recipe.kind !== 'backtest');
  if (first !== undefined) return [first, ...further];
  throw new BallastError({
    code: 'RUN_NOT_RUNNING',
    place: runId === undefined ? home : `run ${runId}`,
    found: 'no running session',
    expected: 'one',
    remedy: 'start one with `ballast paper` or `ballast live`, or name its folder with --home',
  });
}

/**
 * Asks the session that is running under this home, or the named one. Which of several is meant is never guessed.
 * @throws BallastError RUN_NOT_RUNNING, RUN_SEVERAL, RUN_SILENT, RUN_REFUSED
 */
export async function askRun(home: string, question: Question, runId?: string): Promise<unknown> {
  const running = sessionsMeant(home, runId);
  const [run] = running;
  if (running.length > 1) {
    throw new BallastError({
      code: 'RUN_SEVERAL',
      place: home,
      found: `${running.length} running sessions, ${running.map((each) => each.runId).join(', ')}`,
      expected: 'to be told which one is meant',
      remedy: `say it with --run, such as --run ${run.runId}`,
      exitCode: 2,
    });
  }
  return askSession(run, question);
}

export type SessionAnswer =
  | { readonly runId: string; readonly answer: unknown }
  /** It did not hear, or refused: the others heard all the same. */
  | { readonly runId: string; readonly failure: BallastError };

/**
 * Asks every running session, or the named one, at once; answers oldest first. One that fails keeps the word from none of the others.
 * @throws BallastError RUN_NOT_RUNNING
 */
export async function askEveryRun(home: string, question: Question, runId?: string): Promise<readonly SessionAnswer[]> {
  const running = sessionsMeant(home, runId);
  return Promise.all(
    running.map(async (run): Promise<SessionAnswer> => {
      try {
        return { runId: run.runId, answer: await askSession(run, question) };
      } catch (failure) {
        if (!(failure instanceof BallastError)) throw failure;
        return { runId: run.runId, failure };
      }
    }),
  );
}

async function askSession(run: RunFolder, question: Question): Promise<unknown> {
  if (!existsSync(notePath(run.folder))) {
    throw new BallastError({
      code: 'RUN_NOT_RUNNING',
      place: `run ${run.runId}`,
      found: `no control socket yet: process ${run.pid} is starting or ending`,
      expected: 'a running session',
      remedy: 'ask again in a moment',
    });
  }
  const reply = await exchange(readFileSync(notePath(run.folder), 'utf8'), question, run.runId);
  if (typeof reply === 'object' && reply !== null && 'ok' in reply && reply.ok === true && 'answer' in reply) return reply.answer;
  const why = typeof reply === 'object' && reply !== null && 'error' in reply ? String(reply.error) : JSON.stringify(reply);
  throw new BallastError({ code: 'RUN_REFUSED', place: `run ${run.runId}`, found: why, expected: 'an answer' });
}

function exchange(path: string, question: Question, runId: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (found: string): void => {
      reject(
        new BallastError({
          code: 'RUN_SILENT',
          place: `control socket of run ${runId}`,
          found,
          expected: `an answer within ${ANSWER_WITHIN_MS / 1000} s`,
          remedy: 'its process may be stopped or busy: look at it with `ps`, stops at the venue stand whatever it does',
        }),
      );
    };
    const socket = connect(path);
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      fail('no answer');
      socket.destroy();
    });
    socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error) => fail(reasonOf(error)));
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text));
      } catch (cause) {
        fail(reasonOf(cause));
      }
    });
  });
}
