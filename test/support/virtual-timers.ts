// Waiting that takes no wall time: whoever sleeps is woken in the order of the times, as soon as the program has nothing else at hand.
import type { Timers } from '../../src/domain/ports.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class VirtualTimers implements Timers {
  #now = 0;
  #sleepers: Sleeper[] = [];
  /** Everything that was slept, in order. */
  readonly slept: number[] = [];

  now(): number {
    return this.#now;
  }

  /** Time passes without anybody sleeping. */
  pass(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    await new Promise<void>((resolve, reject) => {
      const sleeper: Sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        reject(signal.reason as Error);
      });
      setImmediate(() => this.#wakeNext());
    });
  }

  #wakeNext(): void {
    const next = this.#sleepers.reduce<Sleeper | undefined>(
      (one, other) => (one === undefined || other.at < one.at ? other : one),
      undefined,
    );
    if (next === undefined) return;
    this.#sleepers = this.#sleepers.filter((each) => each !== next);
    this.#now = Math.max(this.#now, next.at);
    next.wake();
  }
}
