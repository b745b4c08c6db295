// The clock of a tape: it jumps to the earliest known event.
import type { Clock, Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

/** A macrotask at least this often, so that signals and timers of the process are served under any backlog. */
const SLICE_MS = 20;

export class SimulatedClock implements Clock {
  #at: TimeMs = 0;
  #sliceEnds = 0;
  nextAt: TimeMs = NEVER;

  now(): TimeMs {
    return this.#at;
  }

  next(sources: readonly Source[], timerAt: TimeMs): number | 'timer' | 'wait' | 'ended' {
    let earliest = NEVER;
    let which = -1;
    for (let index = 0; index < sources.length; index++) {
      const source = sources[index];
      if (source === undefined) continue;
      const at = source.peekAt();
      if (at < earliest) {
        earliest = at;
        which = index;
      } else if (at === NEVER && source.isLoading === true) {
        this.nextAt = NEVER;
        return 'wait';
      }
    }
    if (which === -1) {
      this.nextAt = NEVER;
      return sources.every((source) => source.ended) ? 'ended' : 'wait';
    }
    if (timerAt < earliest) {
      this.nextAt = timerAt;
      this.#at = timerAt;
      return 'timer';
    }
    this.nextAt = earliest;
    this.#at = earliest;
    return which;
  }

  /** Nothing is known and something may still come: only a source can wake a clock that does not pass by itself. */
  wait(sources: readonly Source[]): Promise<void> {
    return new Promise((resolve) => {
      for (const source of sources) source.onArrival?.(resolve);
    });
  }

  beginSlice(): void {
    this.#sliceEnds = performance.now() + SLICE_MS;
  }

  sliceIsOver(): boolean {
    return performance.now() >= this.#sliceEnds;
  }

  pause(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
