// The clock that waits. Market time passes `speed` times as fast as the wall; with speed Infinity it never waits for what is known.
import type { Clock, Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

const SLICE_MS = 20;
/**
 * Of market time. What comes in the same millisecond as what was decided just before is placed in the next one, and does not wait for that: a
 * timer of the system would let it wait for one or two.
 */
const GRAIN_MS = 1;
/** The longest sleep: a suspended machine or a stepped wall clock is noticed after this. */
const LONGEST_SLEEP_MS = 1_000;

export class SystemClock implements Clock {
  readonly #speed: number;
  #marketAnchor: TimeMs;
  #wallAnchor: number;
  #seen: TimeMs;
  #sliceEnds = 0;
  nextAt: TimeMs = NEVER;

  /** Market time is `startAt` now. For a live feed, `SystemClock.live()`. */
  constructor(startAt: TimeMs, speed: number) {
    this.#speed = speed;
    this.#marketAnchor = startAt;
    this.#seen = startAt;
    // The monotonic clock: a step of the wall clock must not step the market.
    this.#wallAnchor = performance.now();
  }

  /** Market time is UTC. */
  static live(): SystemClock {
    return new SystemClock(Date.now(), 1);
  }

  /** Market time goes on from here: after a resume, and when a feed's first event says what time it is out there. */
  anchor(at: TimeMs): void {
    this.#marketAnchor = at;
    this.#seen = at;
    this.#wallAnchor = performance.now();
  }

  now(): TimeMs {
    return this.#speed === Infinity ? this.#seen : Math.max(this.#seen, this.#elapsed());
  }

  /** By the wall alone, which what was seen may be ahead of by a grain. */
  #elapsed(): TimeMs {
    return Math.floor(this.#marketAnchor + (performance.now() - this.#wallAnchor) * this.#speed);
  }

  next(sources: readonly Source[], timerAt: TimeMs): number | 'timer' | 'wait' | 'ended' {
    let earliest = NEVER;
    let which = -1;
    for (let index = 0; index < sources.length; index++) {
      const source = sources[index];
      if (source === undefined) continue;
      const at = source.peekAt();
      if (at === NEVER && source.isLoading === true) {
        this.nextAt = NEVER;
        return 'wait';
      }
      if (at < earliest) {
        earliest = at;
        which = index;
      }
    }
    if (which === -1 && sources.every((source) => source.ended)) {
      this.nextAt = NEVER;
      return 'ended';
    }
    const now = this.#speed === Infinity ? (which === -1 ? this.#seen : earliest) : this.now();
    // A timer rings when its time has come and nothing known comes first.
    if (timerAt < earliest && timerAt <= now) {
      this.nextAt = timerAt;
      if (timerAt > this.#seen) this.#seen = timerAt;
      return 'timer';
    }
    if (which === -1 || (earliest > now && earliest > this.#elapsed() + GRAIN_MS)) {
      this.nextAt = earliest;
      return 'wait';
    }
    this.nextAt = earliest;
    if (earliest > this.#seen) this.#seen = earliest;
    return which;
  }

  wait(sources: readonly Source[], timerAt: TimeMs): Promise<void> {
    let earliest = timerAt;
    for (const source of sources) earliest = Math.min(earliest, source.peekAt());
    const wallMs =
      this.#speed === Infinity ? LONGEST_SLEEP_MS : Math.min(LONGEST_SLEEP_MS, Math.max(0, (earliest - this.now()) / this.#speed));
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, wallMs);
      // One for all of them: this is done for every frame of a book.
      const wake = (): void => {
        clearTimeout(timeout);
        resolve();
      };
      for (const source of sources) source.onArrival?.(wake);
    });
  }

  beginSlice(): void {
    this.#sliceEnds = performance.now() + SLICE_MS;
  }

  sliceIsOver(): boolean {
    return performance.now() >= this.#sliceEnds;
  }

  pause(): Promise<void> {
    // Who waited through a slice that a mind held up needs several turns to be heard: its call, its words, its answer.
    const isLate = performance.now() > this.#sliceEnds + SLICE_MS;
    return new Promise((resolve) => (isLate ? setTimeout(resolve, SLICE_MS) : setImmediate(resolve)));
  }
}
