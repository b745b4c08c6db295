// A terminal that remembers, for the tests of the command line.
import { PassThrough } from 'node:stream';
import type { Output, Terminal } from './terminal.ts';

export interface Remembered extends Output {
  readonly text: () => string;
}

export function fakeOutput({ isTerminal = false, columns = 80, rows = 24 } = {}): Remembered {
  const texts: string[] = [];
  return { write: (text) => texts.push(text), isTerminal, columns, rows, isGone: false, text: () => texts.join('') };
}

export interface FakeTerminal extends Terminal {
  readonly stdout: Remembered;
  readonly stderr: Remembered;
}

export function fakeTerminal(environment: Terminal['environment'] = {}, options: Parameters<typeof fakeOutput>[0] = {}): FakeTerminal {
  return { stdout: fakeOutput(options), stderr: fakeOutput(options), stdoutStream: new PassThrough(), environment, folder: process.cwd() };
}
