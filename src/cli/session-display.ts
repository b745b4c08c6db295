// What `ballast paper` shows while it runs: a frame that is redrawn in place on a terminal, plain lines anywhere else.
import type { RunHandle, RunStatus } from '../app/run-handle.ts';
import { alertWords, frame, statusLine } from './session-frame.ts';
import { ansi, paintFor, type Output, type Terminal } from './terminal.ts';

export interface SessionDisplay {
  /** From now on the session is shown until `stop`. */
  start(handle: RunHandle, footer: string): void;
  /** A line for the record, wherever the display is. */
  say(line: string): void;
  /** Leaves what was shown last, and the terminal as it was. May be called twice. */
  stop(): void;
}

const FRAME_EVERY_MS = 500;
const LOOK_EVERY_MS = 1_000;
const LINE_EVERY_MS = 10_000;
/** Frames over which the pace of the market is measured. */
const PACE_SAMPLES = 20;

/** With `--json` stdout is for the document, so the lines go to stderr. */
export function displayFor(terminal: Terminal, isJson: boolean): SessionDisplay {
  if (isJson) return new PlainDisplay(terminal.stderr);
  return terminal.stdout.isTerminal ? new LiveDisplay(terminal) : new PlainDisplay(terminal.stdout);
}

class PlainDisplay implements SessionDisplay {
  readonly #output: Output;
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #saidAt = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  start(handle: RunHandle, footer: string): void {
    this.say(footer);
    this.#saidAt = performance.now();
    this.#timer = setInterval(() => this.#look(handle.status()), LOOK_EVERY_MS);
  }

  say(line: string): void {
    this.#output.write(`${line}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(status: RunStatus): void {
    for (const alert of status.alerts) {
      const words = alertWords(alert);
      if (this.#told.has(words)) continue;
      this.#told.add(words);
      this.say(`alert ${words}`);
    }
    const now = performance.now();
    if (now - this.#saidAt < LINE_EVERY_MS) return;
    this.#saidAt = now;
    this.say(statusLine(status));
  }
}

class LiveDisplay implements SessionDisplay {
  readonly #terminal: Terminal;
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;
  #handle: RunHandle | undefined;
  #footer = '';
  readonly #samples: { readonly wallMs: number; readonly marketMs: number }[] = [];
  #speed = NaN;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  start(handle: RunHandle, footer: string): void {
    this.#handle = handle;
    this.#footer = footer;
    this.#terminal.stdout.write(ansi.hideCursor);
    // Whatever ends the process, the cursor comes back.
    process.on('exit', this.#showCursor);
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), FRAME_EVERY_MS);
  }

  say(line: string): void {
    this.#erase();
    this.#terminal.stdout.write(`${line}\n`);
    if (this.#timer !== undefined) this.#draw();
  }

  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
    this.#showCursor();
    process.off('exit', this.#showCursor);
    this.#terminal.stdout.write('\n');
    this.#drawnLines = 0;
  }

  #draw(): void {
    const { stdout, environment } = this.#terminal;
    const status = this.#handle?.status();
    if (status === undefined) return;
    this.#measure(status);
    const { columns, rows } = stdout;
    const lines = frame(status, { columns, rows, paint: paintFor(stdout, environment), speed: this.#speed, footer: this.#footer });
    // One write, so that no half of a frame is ever seen.
    stdout.write(`${this.#backToTop()}${lines.map((line) => `${ansi.clearLine}${line}\n`).join('')}`);
    this.#drawnLines = lines.length;
  }

  readonly #showCursor = (): void => this.#terminal.stdout.write(ansi.showCursor);

  #erase(): void {
    this.#terminal.stdout.write(this.#backToTop());
    this.#drawnLines = 0;
  }

  #backToTop(): string {
    return this.#drawnLines === 0 ? '' : `${ansi.up(this.#drawnLines)}\r${ansi.clearBelow}`;
  }

  #measure({ state, atMs: marketMs }: RunStatus): void {
    // The warm-up passes at once and says nothing about the pace.
    if (state === 'warming-up') this.#samples.length = 0;
    else this.#samples.push({ wallMs: performance.now(), marketMs });
    if (this.#samples.length > PACE_SAMPLES) this.#samples.shift();
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    this.#speed = first === undefined || last === undefined ? NaN : (last.marketMs - first.marketMs) / (last.wallMs - first.wallMs);
  }
}
