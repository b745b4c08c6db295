// Ballast as a user starts it: the program in a process of its own, with its wall time, its CPU time and what it printed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Figure } from './figure.ts';
import type { Timing } from './measure.ts';

export const ROOT = join(import.meta.dirname, '..');
export const PROGRAM = join(ROOT, 'src/cli/main.ts');
export const LAUNCHER = join(ROOT, 'bin/ballast.js');

/** Said by the benchmarks to themselves: measure one row and print its figures; of no name, load everything and end. */
export const ROW_FLAG = '--row=';

export interface Ended {
  readonly timing: Timing;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the process adds to itself in order to say its CPU time: through a pipe of its own, as it ends. */
const METER = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>{const{user,system}=process.cpuUsage();writeSync(3,String((user+system)/1000))})`;

/** @throws when it does not end with 0 */
export async function runNode(
  words: readonly string[],
  { node = process.execPath, isMetered = true, env = process.env } = {},
): Promise<Ended> {
  const start = performance.now();
  const child = spawn(node, [...(isMetered ? ['--import', METER] : []), ...words], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const texts = ['', '', ''];
  [child.stdout, child.stderr, child.stdio[3]].forEach((stream, index) => {
    stream?.on('data', (chunk: Buffer) => (texts[index] += chunk.toString()));
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const wallMs = performance.now() - start;
  const [stdout = '', stderr = '', cpu = ''] = texts;
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
  return { timing: { wallMs, cpuMs: isMetered ? Number(cpu) : NaN }, stdout, stderr };
}

let filled: Promise<Ended> | undefined;

/**
 * One row of the benchmarks, such as engine/busy, in a process of its own: what one row has compiled is not another's. With Node's cache of
 * compiled modules, as the launcher has it: without it the WebAssembly that takes the types out is in the process, and once that has grown its
 * memory V8 asks at every access of a typed array whether its buffer is still there.
 */
export async function measuredElsewhere(row: string): Promise<readonly Figure[]> {
  await (filled ??= rowProcess(''));
  const { stdout } = await rowProcess(row);
  return JSON.parse(stdout) as readonly Figure[];
}

function rowProcess(row: string): Promise<Ended> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') };
  return runNode(['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), `${ROW_FLAG}${row}`], { env });
}

/** The Node of this machine, which is not the pinned one; undefined where there is none. */
export function otherNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((path) => existsSync(path) && path !== process.execPath);
}
