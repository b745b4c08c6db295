// What a venue has said, in the order in which it was believed, for the loop to take.
import type { VenueReport } from '../../domain/event.ts';
import type { Source } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';

/** Without `at`: the queue sets it. */
export type Unstamped = VenueReport extends infer Report ? (Report extends VenueReport ? Omit<Report, 'at'> : never) : never;

export class ReportQueue implements Source {
  readonly #reports: { at: TimeMs; readonly said: Unstamped }[] = [];
  readonly #now: () => TimeMs;
  readonly #notBefore: () => TimeMs;
  #lastAt: TimeMs = 0;
  #wake: (() => void) | undefined;

  /** @param now market time; `notBefore` the earliest time that the loop can still take */
  constructor(now: () => TimeMs, notBefore: () => TimeMs) {
    this.#now = now;
    this.#notBefore = notBefore;
  }

  /** A venue of the world outside never keeps a run from ending. */
  get ended(): boolean {
    return this.#reports.length === 0;
  }

  push(said: Unstamped): void {
    this.#lastAt = Math.max(this.#lastAt, this.#now());
    this.#reports.push({ at: this.#lastAt, said });
    this.#wake?.();
  }

  peekAt(): TimeMs {
    const first = this.#reports[0];
    if (first === undefined) return NEVER;
    first.at = Math.max(first.at, this.#notBefore());
    return first.at;
  }

  take(): VenueReport {
    const at = this.peekAt();
    const first = this.#reports.shift();
    if (first === undefined) throw new Error('broken invariant: taken from an empty queue');
    return { ...first.said, at };
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }
}
