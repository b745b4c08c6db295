// What a venue has said, in the order in which it was believed, for the loop to take.
import type { AccountReport, VenueReport } from '../../domain/event.ts';
import type { Source } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';

/** Of orders, of positions, and of the account beside them. */
export type AdapterReport = VenueReport | AccountReport;
/** Without `at`: the queue sets it. */
export type Unstamped = AdapterReport extends infer Report ? (Report extends AdapterReport ? Omit<Report, 'at'> : never) : never;

/** Taken reports are let go of in pieces: one by one, a long queue would be moved for each. */
const PIECE = 1_024;

/** Nothing in it is ever dropped or made one: who asks for less must send less. */
export class ReportQueue implements Source {
  readonly #reports: { at: TimeMs; readonly said: Unstamped }[] = [];
  #taken = 0;
  readonly #now: () => TimeMs;
  readonly #notBefore: () => TimeMs;
  readonly #marketWaitsSince: () => TimeMs;
  #lastAt: TimeMs = 0;
  #wake: (() => void) | undefined;

  /**
   * @param now market time; `notBefore` the earliest time that the loop can still take
   * @param marketWaitsSince time of the earliest price that the loop has not taken yet; NEVER where none waits. A loop that is behind with prices
   *   hears what it holds before it goes on with them.
   */
  constructor(now: () => TimeMs, notBefore: () => TimeMs, marketWaitsSince: () => TimeMs = () => NEVER) {
    this.#now = now;
    this.#notBefore = notBefore;
    this.#marketWaitsSince = marketWaitsSince;
  }

  /** How many the loop has not taken yet. */
  get waiting(): number {
    return this.#reports.length - this.#taken;
  }

  /** A venue of the world outside never keeps a run from ending. */
  get ended(): boolean {
    return this.waiting === 0;
  }

  push(said: Unstamped): void {
    this.#lastAt = Math.max(this.#lastAt, this.#now());
    this.#reports.push({ at: this.#lastAt, said });
    this.#wake?.();
  }

  peekAt(): TimeMs {
    const first = this.#reports[this.#taken];
    if (first === undefined) return NEVER;
    first.at = Math.max(Math.min(first.at, this.#marketWaitsSince()), this.#notBefore());
    return first.at;
  }

  take(): AdapterReport {
    const at = this.peekAt();
    const first = this.#reports[this.#taken];
    if (first === undefined) throw new Error('broken invariant: taken from an empty queue');
    if (++this.#taken === PIECE) this.#reports.splice(0, PIECE);
    this.#taken %= PIECE;
    return { ...first.said, at };
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }
}
