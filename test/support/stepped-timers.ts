// Time that passes when a test says so: whoever sleeps is woken at its moment, in order, and everything that follows from that has happened
// before the next one is.
import type { Timers } from '../../src/domain/ports.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class SteppedTimers implements Timers {
  #now = 0;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason as Error);
      };
      const sleeper: Sleeper = {
        at: this.#now + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Everything that is ready has run. */
  static settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await SteppedTimers.settle();
    for (;;) {
      let next: Sleeper | undefined;
      for (const each of this.#sleepers) if (next === undefined || each.at < next.at) next = each;
      if (next === undefined || next.at > until) break;
      const due = next;
      this.#sleepers = this.#sleepers.filter((each) => each !== due);
      this.#now = Math.max(this.#now, due.at);
      due.wake();
      await SteppedTimers.settle();
    }
    this.#now = until;
  }
}
