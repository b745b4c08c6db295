// Where a command line reads and writes: the process's own streams, or a test's.
import type { Writable } from 'node:stream';

export interface Output {
  write(text: string): void;
  /** Somebody is looking: cursor movements and colours make sense. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
  /** The reader has closed its end. */
  readonly isGone: boolean;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The stream behind stdout, for what is too long for one string. */
  readonly stdoutStream: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

export function processTerminal(): Terminal {
  return {
    stdout: outputTo(process.stdout),
    stderr: outputTo(process.stderr),
    stdoutStream: process.stdout,
    environment: process.env,
    folder: process.cwd(),
  };
}

function outputTo(stream: NodeJS.WriteStream): Output {
  let isGone = false;
  // The reader has seen enough (`| head`): what is left is written to nobody, and the command goes on to its own end.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isGone = true;
  });
  return {
    write(text) {
      if (!isGone) stream.write(text);
    },
    get isGone() {
      return isGone;
    },
    get isTerminal() {
      return stream.isTTY && process.env['TERM'] !== 'dumb';
    },
    get columns() {
      return stream.columns ?? 80;
    },
    get rows() {
      return stream.rows ?? 24;
    },
  };
}

const ESCAPE = '\u001b[';

/** Text from elsewhere (a strategy's words, a venue's reasons) must not move the cursor or end a line. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

export const ansi = {
  hideCursor: `${ESCAPE}?25l`,
  showCursor: `${ESCAPE}?25h`,
  clearLine: `${ESCAPE}2K`,
  clearBelow: `${ESCAPE}0J`,
  up: (lines: number): string => (lines > 0 ? `${ESCAPE}${lines}A` : ''),
} as const;

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** Colours on a terminal, unless NO_COLOR asks for none. */
export function paintFor(output: Output, environment: Terminal['environment']): Paint {
  const isPlain = !output.isTerminal || (environment['NO_COLOR'] ?? '') !== '';
  return (colour, text) => (isPlain || text === '' ? text : `${ESCAPE}${CODES[colour]}m${text}${ESCAPE}0m`);
}

/** Columns as wide as their widest cell, two spaces apart; the last is not padded. `right` lists the columns of numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const cells = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
