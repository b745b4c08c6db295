// A venue's limit on requests, kept in one place: whoever asks waits here for its turn.
import type { Timers } from '../../domain/ports.ts';

/** So much weight in any window of this length, as the venue counts it for one address of the internet. */
export interface Allowance {
  readonly weight: number;
  readonly windowMs: number;
}

/** The part that is used: another process on this machine, a session for one, may ask the same venue. */
const SHARE = 0.5;
/** What may be used at once after a quiet time. With `SHARE` this stays below the allowance wherever its windows begin. */
const BURST = 0.05;
/** From this part on what the venue says was used, by whomever, nothing is asked for a while. */
const NEARLY_ALL = 0.8;
const NEARLY_ALL_PAUSE_MS = 10_000;

/** A bucket that fills steadily and is emptied by requests, first come, first served. */
export class RateLimiter {
  readonly #timers: Timers;
  readonly #allowance: Allowance;
  readonly #capacity: number;
  readonly #weightPerMs: number;
  #filled: number;
  #filledAt: number;
  #frozenUntil = -Infinity;
  /** Settles when the last in the queue has had its turn. */
  #queue: Promise<void> = Promise.resolve();

  constructor(timers: Timers, allowance: Allowance) {
    this.#timers = timers;
    this.#allowance = allowance;
    this.#capacity = allowance.weight * BURST;
    this.#weightPerMs = (allowance.weight * SHARE) / allowance.windowMs;
    this.#filled = this.#capacity;
    this.#filledAt = timers.now();
  }

  /** Resolves when a request of this weight may go out. Throws the reason of the abort when the signal aborts first. */
  take(weight: number, signal: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#wait(weight, signal));
    // Whoever gave up has been told so by its own promise; the next one's turn comes all the same.
    this.#queue = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /** Nobody asks for so long: the venue said so. */
  freeze(pauseMs: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#timers.now() + pauseMs);
  }

  /** The venue's own count for this window, of all processes together. */
  report(usedWeight: number): void {
    if (usedWeight > this.#allowance.weight * NEARLY_ALL) this.freeze(NEARLY_ALL_PAUSE_MS);
  }

  async #wait(weight: number, signal: AbortSignal): Promise<void> {
    // More than the bucket holds can only be owed.
    const needed = Math.min(weight, this.#capacity);
    for (;;) {
      signal.throwIfAborted();
      const now = this.#timers.now();
      this.#filled = Math.min(this.#capacity, this.#filled + (now - this.#filledAt) * this.#weightPerMs);
      this.#filledAt = now;
      const frozenMs = this.#frozenUntil - now;
      if (frozenMs <= 0 && this.#filled >= needed) break;
      await this.#timers.sleep(Math.max(frozenMs, Math.ceil((needed - this.#filled) / this.#weightPerMs)), signal);
    }
    this.#filled -= weight;
  }
}
