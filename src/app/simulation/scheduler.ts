// The one time of a simulated world: what is due next happens next, in one order for one seed, and everything that follows from it has happened
// before the clock moves on. Market, venue, network, machines and processes all wait here.
import type { Clock, Source, Timers } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';

interface Due {
  readonly at: number;
  /** Rises with every entry: at equal times whoever asked first comes first. */
  readonly number: number;
  readonly act: () => void;
  /** Nobody waits for it any more. */
  isOff: boolean;
}

export class Scheduler {
  /** Milliseconds since the world began. */
  now = 0;
  #numbers = 0;
  /** A binary heap. */
  readonly #heap: Due[] = [];
  /** What has happened so far. */
  steps = 0;

  /** @returns what takes it back */
  at(at: number, act: () => void): { isOff: boolean } {
    const heap = this.#heap;
    const due: Due = { at: Math.max(this.now, at), number: this.#numbers++, act, isOff: false };
    let place = heap.length;
    heap.push(due);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(due, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = due;
    return due;
  }

  after(ms: number, act: () => void): { isOff: boolean } {
    return this.at(this.now + ms, act);
  }

  /** Lets everything happen up to and with this moment, unless something fails. */
  async runUntil(end: number, isOver: () => boolean): Promise<void> {
    await settled();
    while (!isOver()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#takeFirst();
      if (next.isOff) continue;
      this.now = next.at;
      this.steps++;
      next.act();
      await settled();
    }
    this.now = Math.max(this.now, end);
  }

  #takeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let least = left;
      if (right !== undefined && isBefore(right, left)) {
        least = right;
        child++;
      }
      if (!isBefore(least, last)) break;
      heap[place] = least;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}

/** Every promise that can be kept has been: a macrotask comes after all of them. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The monotonic time of one process. Once it is dead nobody who sleeps in it wakes. */
export class ProcessTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #startedAt: number;
  isDead = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#startedAt = scheduler.now;
  }

  now(): number {
    return this.#scheduler.now - this.#startedAt;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        due.isOff = true;
        if (!this.isDead) reject(signal?.reason as Error);
      };
      const due = this.#scheduler.after(Math.max(0, ms), () => {
        if (this.isDead) return;
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

/** Events of one slice of the loop. */
const EVENTS_A_SLICE = 64;

/** The clock of a process that waits for the world outside: UTC as its machine said when it started, and from then on the monotonic time. */
export class ProcessClock implements Clock {
  readonly #timers: ProcessTimers;
  #anchor: TimeMs;
  #seen: TimeMs;
  #leftOfSlice = 0;
  /** Wakes whoever waits now. */
  #wake: (() => void) | undefined;
  nextAt: TimeMs = NEVER;
  /** Told whenever the loop looks for its next event. */
  onLook: () => void = () => undefined;

  constructor(timers: ProcessTimers, wallAt: TimeMs) {
    this.#timers = timers;
    this.#anchor = wallAt;
    this.#seen = wallAt;
  }

  /** Market time goes on from here, as after a recovery. */
  goOnFrom(at: TimeMs): void {
    this.#anchor = at - this.#timers.now();
    this.#seen = at;
  }

  now(): TimeMs {
    return Math.max(this.#seen, Math.floor(this.#anchor + this.#timers.now()));
  }

  next(sources: readonly Source[], timerAt: TimeMs): number | 'timer' | 'wait' | 'ended' {
    this.onLook();
    let earliest = NEVER;
    let which = -1;
    for (let index = 0; index < sources.length; index++) {
      const at = sources[index]?.peekAt() ?? NEVER;
      if (at < earliest) {
        earliest = at;
        which = index;
      }
    }
    const now = this.now();
    if (timerAt < earliest && timerAt <= now) {
      this.nextAt = timerAt;
      this.#seen = Math.max(this.#seen, timerAt);
      return 'timer';
    }
    this.nextAt = earliest;
    if (which === -1 || earliest > now) return 'wait';
    this.#seen = Math.max(this.#seen, earliest);
    return which;
  }

  wait(sources: readonly Source[], timerAt: TimeMs): Promise<void> {
    let earliest = timerAt;
    for (const source of sources) earliest = Math.min(earliest, source.peekAt());
    return new Promise((resolve) => {
      // The loop of a dead process is not gone on with.
      const wake = (): void => {
        if (!this.#timers.isDead) resolve();
      };
      this.#wake = wake;
      for (const source of sources) source.onArrival?.(wake);
      if (earliest !== NEVER) void this.#timers.sleep(earliest - this.now()).then(wake);
    });
  }

  /** Whoever waits looks again. */
  wake(): void {
    this.#wake?.();
  }

  beginSlice(): void {
    this.#leftOfSlice = EVENTS_A_SLICE;
  }

  sliceIsOver(): boolean {
    return --this.#leftOfSlice <= 0;
  }

  pause(): Promise<void> {
    return new Promise((resolve) => {
      // At the end of a case time has stopped, and who ends the loop wakes it.
      this.#wake = resolve;
      void this.#timers.sleep(0).then(resolve);
    });
  }
}
