// Whose turn it is to ask the venue. A bucket for each kind of request that the venue counts by itself, one for the address, and a queue in
// which a cancel overtakes everything. What the venue's headers say of its own counts corrects ours.
import type { Timers } from '../../domain/ports.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { Alarm } from './alarm.ts';

/** What the venue counts together. */
export type Budget = 'create' | 'amend' | 'cancel' | 'create-batch' | 'cancel-batch' | 'stops' | 'query' | 'market';

/** Lower goes first. */
export const PRIORITY = { cancel: 0, protect: 1, close: 2, doubt: 3, look: 4, enter: 5 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** Requests a second of one user, of batches their rows: Bybit's documentation for linear orders, and the least that it gives for the rest, until its headers say more. */
const A_SECOND: Readonly<Record<Budget, number>> = {
  create: 10,
  amend: 10,
  cancel: 10,
  'create-batch': 10,
  'cancel-batch': 10,
  stops: 10,
  query: 10,
  market: 20,
};
/** At once after a quiet time, and then steadily: together less than the allowance in any second, wherever the venue's begins. */
const BURST = 0.4;
const STEADY = 0.5;
/** Of the 600 in 5 s that the venue takes from one address: the other half is that of downloads and of other programs. */
const ADDRESS_BURST = 40;
const ADDRESS_A_SECOND = 48;

class Bucket {
  #capacity: number;
  #perMs: number;
  #filled: number;
  #filledAt: number;
  frozenUntil = -Infinity;

  constructor(capacity: number, aSecond: number, now: number) {
    this.#capacity = capacity;
    this.#perMs = aSecond / SECOND_MS;
    this.#filled = capacity;
    this.#filledAt = now;
  }

  resize(capacity: number, aSecond: number): void {
    this.#capacity = capacity;
    this.#perMs = aSecond / SECOND_MS;
  }

  /** No more than the venue says is left. */
  bound(left: number): void {
    this.#filled = Math.min(this.#filled, left);
  }

  /** How many may go at once after a quiet time. */
  get atOnce(): number {
    return Math.floor(this.#capacity);
  }

  /** When the next request, of so many, may go: `now` or later. More than it holds is waited for until it is full. */
  freeAt(now: number, weight = 1): number {
    const needed = Math.min(weight, Math.max(1, this.#capacity));
    this.#filled = Math.min(this.#capacity, this.#filled + Math.max(0, now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    const filledAt = this.#filled >= needed ? now : now + Math.ceil((needed - this.#filled) / this.#perMs);
    return Math.max(filledAt, this.frozenUntil);
  }

  take(weight = 1): void {
    this.#filled -= weight;
  }
}

interface Waiting {
  readonly budget: Budget;
  readonly priority: Priority;
  readonly weight: number;
  readonly go: () => void;
}

export interface CountedByVenue {
  /** Requests in the window, and how many of them are left. */
  readonly limit: number;
  readonly left: number;
  /** Until the window is free again, from now; 0 where it is. */
  readonly resetMs: number;
}

export class Turns {
  readonly #timers: Timers;
  readonly #address: Bucket;
  readonly #buckets: Readonly<Record<Budget, Bucket>>;
  readonly #alarm: Alarm;
  /** In the order of their turns. */
  readonly #waiting: Waiting[] = [];
  #isClosed = false;

  /** @param aSecond what a venue allows, where it is not what Bybit does */
  constructor(timers: Timers, aSecond: Partial<Readonly<Record<Budget, number>>> = {}) {
    this.#timers = timers;
    const now = timers.now();
    const allowed = { ...A_SECOND, ...aSecond };
    const bucket = (budget: Budget): Bucket => new Bucket(allowed[budget] * BURST, allowed[budget] * STEADY, now);
    this.#address = new Bucket(ADDRESS_BURST, ADDRESS_A_SECOND, now);
    this.#buckets = {
      create: bucket('create'),
      amend: bucket('amend'),
      cancel: bucket('cancel'),
      'create-batch': bucket('create-batch'),
      'cancel-batch': bucket('cancel-batch'),
      stops: bucket('stops'),
      query: bucket('query'),
      market: bucket('market'),
    };
    this.#alarm = new Alarm(timers, () => this.#serve());
  }

  /** Until when nobody asks anything, as the venue said; in the past where everybody may. */
  get frozenUntil(): number {
    return this.#address.frozenUntil;
  }

  /** How many of one kind may go at once, where none has gone lately. */
  atOnce(budget: Budget): number {
    return this.#buckets[budget].atOnce;
  }

  /** @param weight as many as the venue counts it for */
  take(budget: Budget, priority: Priority, weight = 1): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((go) => {
      const place = this.#waiting.findIndex((each) => each.priority > priority);
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, { budget, priority, weight, go });
      this.#serve();
    });
  }

  /** The venue wants to hear nothing for so long: of one kind of request, or of this address at all. */
  freeze(ms: number, budget?: Budget): void {
    const bucket = budget === undefined ? this.#address : this.#buckets[budget];
    bucket.frozenUntil = Math.max(bucket.frozenUntil, this.#timers.now() + ms);
    this.#serve();
  }

  /** Whoever waits is let go, and whoever comes is not held up: nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#alarm.set(Infinity);
    for (const { go } of this.#waiting.splice(0)) go();
  }

  /** What the venue has counted itself, of all programs that share its key. */
  counted(budget: Budget, { limit, left, resetMs }: CountedByVenue): void {
    const bucket = this.#buckets[budget];
    bucket.resize(Math.max(1, limit * BURST), Math.max(1, limit * STEADY));
    bucket.bound(left);
    if (left <= 0) this.freeze(Math.min(resetMs, SECOND_MS), budget);
    else this.#serve();
  }

  #serve(): void {
    const now = this.#timers.now();
    let next = Infinity;
    for (let place = 0; place < this.#waiting.length;) {
      const waiting = this.#waiting[place];
      if (waiting === undefined) break;
      const addressAt = this.#address.freeAt(now);
      const bucket = this.#buckets[waiting.budget];
      const freeAt = Math.max(addressAt, bucket.freeAt(now, waiting.weight));
      if (freeAt > now) {
        next = Math.min(next, freeAt);
        // Whoever comes after would take what the first in the queue waits for.
        if (addressAt > now) break;
        place++;
        continue;
      }
      this.#address.take();
      bucket.take(waiting.weight);
      this.#waiting.splice(place, 1);
      waiting.go();
    }
    this.#alarm.set(next);
  }
}
