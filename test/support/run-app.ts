// Ballast as its users have it: a process of its own, started, spoken to, watched and killed from outside, without a line of src/.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './source-tree.ts';

/** The engine's own process, without the launcher: a kill of it is a kill of the engine. */
const MAIN = join(ROOT, 'src', 'cli', 'main.ts');

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said on stderr so far. */
  said(): string;
  kill(signal?: NodeJS.Signals): void;
}

/** As the launcher has it, so that modules are not compiled anew for every process. */
const COMPILED = join(tmpdir(), 'node-compile-cache');

const living = new Set<ChildProcess>();
const folders: string[] = [];
// A test that fails must not leave sessions or files behind.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts a Node program. */
export function startNode(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILED, ...environment };
  // Otherwise a child under test would report to the test runner of its parent.
  delete env['NODE_TEST_CONTEXT'];
  delete env['BALLAST_HOME'];
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  living.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      living.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${process.execPath} did not start`);
  return { pid, ended, said: () => stderr, kill: (signal = 'SIGKILL') => void child.kill(signal) };
}

/** Starts `ballast …` with this home. */
export function startBallast(home: string, ...words: readonly string[]): Program {
  return startNode([MAIN, ...words, '--home', home]);
}

/** Runs `ballast …` to its end. */
export async function ballast(home: string, ...words: readonly string[]): Promise<Ended> {
  return startBallast(home, ...words).ended;
}

/** Runs `ballast … --json`, which must succeed, and gives its document. */
export async function document<Document>(home: string, ...words: readonly string[]): Promise<Document> {
  const { code, signal, stdout, stderr } = await ballast(home, ...words, '--json');
  if (code !== 0) throw new Error(`ballast ${words.join(' ')} ended with ${code ?? signal}: ${stderr}${stdout.slice(0, 500)}`);
  return JSON.parse(stdout) as Document;
}

/** A new folder, gone when the process ends. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ballast-${name}-`));
  folders.push(folder);
  return folder;
}

/** A home folder, with this `ballast.yaml`. */
export function temporaryHome(name: string, config?: string): string {
  const home = temporaryFolder(name);
  if (config !== undefined) writeFileSync(join(home, 'ballast.yaml'), config);
  return home;
}

/** The only run folder of this home, or undefined. @throws when there are several: a resumed run must not have begun another */
export function onlyRun(home: string): string | undefined {
  const root = join(home, 'runs');
  // One that was killed before it had said what it is has left a folder, and is no run.
  const names = existsSync(root) ? readdirSync(root).filter((name) => existsSync(join(root, name, 'run.json'))) : [];
  if (names.length > 1) throw new Error(`${names.length} runs in ${root}, expected one: ${names.join(', ')}`);
  return names[0] === undefined ? undefined : join(root, names[0]);
}

/** Bytes of all segments of a run's tape: how far a session has come, seen from outside. */
export function tapeBytes(folder: string): number {
  const tape = join(folder, 'tape');
  if (!existsSync(tape)) return 0;
  return readdirSync(tape).reduce((sum, name) => sum + statSync(join(tape, name)).size, 0);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until it holds. @throws after `withinMs` */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs} ms`);
    await pause(2);
  }
}

/** Seeded numbers in [0, 1): a failure is repeated with its seed. mulberry32, written again here: the checks share nothing with src/. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
