// Progress on stderr for what takes longer than a second: a bar that is redrawn on a terminal, a line for every tenth otherwise.
import { ansi, type Output } from './terminal.ts';

const QUIET_MS = 1_000;
const REDRAW_MS = 100;
/** Between two lines of a count, where nothing can be redrawn. */
const COUNT_EVERY_MS = 10_000;
const BAR_WIDTH = 30;

export class Progress {
  readonly #output: Output;
  readonly #label: string;
  readonly #now: () => number;
  readonly #startedAt: number;
  #drawnAt = -Infinity;
  #tenths = 0;
  #isDrawn = false;

  constructor(output: Output, label: string, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#label = label;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Cheap enough for every chunk of work. */
  update(done: number, total: number): void {
    const now = this.#now();
    if (now - this.#startedAt < QUIET_MS || !(total > 0)) return;
    const ratio = Math.min(1, Math.max(0, done / total));
    if (this.#output.isTerminal) this.#draw(ratio, now);
    else this.#say(ratio);
  }

  /** For work whose end is not known: how much was done. */
  count(done: number, noun: string): void {
    const now = this.#now();
    const silence = this.#output.isTerminal ? REDRAW_MS : COUNT_EVERY_MS;
    if (now - this.#startedAt < QUIET_MS || now - this.#drawnAt < silence) return;
    this.#drawnAt = now;
    const words = `${this.#label} ${done.toLocaleString('en')} ${noun}`;
    if (this.#output.isTerminal) this.#redraw(words);
    else this.#output.write(`${words}\n`);
  }

  /** Takes the bar away, so that what follows begins on a clean line. */
  end(): void {
    if (this.#isDrawn) this.#output.write(`\r${ansi.clearLine}`);
    this.#isDrawn = false;
  }

  #draw(ratio: number, now: number): void {
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const full = Math.round(ratio * BAR_WIDTH);
    const elapsedMs = now - this.#startedAt;
    const left = ratio > 0.02 ? ` ${duration((elapsedMs * (1 - ratio)) / ratio)} left` : '';
    const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
    this.#redraw(`${this.#label} ${bar} ${Math.floor(ratio * 100)} %${left}`);
  }

  #redraw(line: string): void {
    this.#isDrawn = true;
    this.#output.write(`\r${ansi.clearLine}${line.slice(0, this.#output.columns - 1)}`);
  }

  #say(ratio: number): void {
    const tenths = Math.floor(ratio * 10);
    if (tenths <= this.#tenths) return;
    this.#tenths = tenths;
    this.#output.write(`${this.#label} ${tenths * 10} %\n`);
  }
}

/** `8 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(spanMs: number): string {
  const seconds = Math.max(0, Math.round(spanMs / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
