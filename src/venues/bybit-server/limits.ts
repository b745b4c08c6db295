// How often one may ask: rolling windows by account and kind of request, and by address. Times are the venue's wall clock, handed in.
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';

/** Requests that share a window. */
export type RateClass =
  | 'create'
  | 'amend'
  | 'cancel'
  | 'cancel-all'
  | 'create-batch'
  | 'amend-batch'
  | 'cancel-batch'
  | 'query'
  | 'position'
  | 'account';

/** Of spot orders twice as many. */
const SPOT_FACTOR = 2;
const OF_ORDERS: ReadonlySet<RateClass> = new Set([
  'create',
  'amend',
  'cancel',
  'cancel-all',
  'create-batch',
  'amend-batch',
  'cancel-batch',
]);
/** A second: what Bybit's documentation gives linear orders; of the queries it gives 10 to 50, and here it is 50. */
const A_SECOND: Readonly<Record<RateClass, number>> = {
  create: 10,
  amend: 10,
  cancel: 10,
  'cancel-all': 10,
  'create-batch': 10,
  'amend-batch': 10,
  'cancel-batch': 10,
  query: 50,
  position: 10,
  account: 50,
};

export interface Allowance {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** When the next one is free, or now. */
  readonly resetAt: number;
}

/** Times within a window, oldest first. */
class Window {
  readonly #times: number[] = [];
  readonly #limit: number;
  readonly #windowMs: number;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  take(now: number, count: number): Allowance {
    let passed = 0;
    while ((this.#times[passed] ?? Infinity) <= now - this.#windowMs) passed++;
    this.#times.splice(0, passed);
    const isAllowed = this.#times.length + count <= this.#limit;
    if (isAllowed) for (let each = 0; each < count; each++) this.#times.push(now);
    const resetAt = this.#times.length >= this.#limit ? (this.#times[0] ?? now) + this.#windowMs : now;
    return { isAllowed, limit: this.#limit, remaining: Math.max(0, this.#limit - this.#times.length), resetAt };
  }
}

export class RateLimits {
  readonly #windows = new Map<string, Window>();

  /** @param count orders in the request: each of a batch counts. Orders on spot are counted by themselves */
  take(uid: number, rate: RateClass, now: number, count = 1, isSpot = false): Allowance {
    const isOwn = isSpot && OF_ORDERS.has(rate);
    const id = `${uid} ${rate}${isOwn ? ' spot' : ''}`;
    let window = this.#windows.get(id);
    if (window === undefined) {
      window = new Window(A_SECOND[rate] * (isOwn ? SPOT_FACTOR : 1), SECOND_MS);
      this.#windows.set(id, window);
    }
    return window.take(now, count);
  }
}

const ADDRESS_REQUESTS = 600;
const ADDRESS_WINDOW_MS = 5 * SECOND_MS;
export const BAN_MS = 10 * MINUTE_MS;
const CONNECTIONS = 500;
const CONNECTION_WINDOW_MS = 5 * MINUTE_MS;

/** What one address may do: 600 requests in five seconds, then it is banned for ten minutes; 500 new sockets in five minutes. */
export class AddressLimits {
  readonly #requests = new Window(ADDRESS_REQUESTS, ADDRESS_WINDOW_MS);
  readonly #connections = new Window(CONNECTIONS, CONNECTION_WINDOW_MS);
  #bannedUntil = 0;

  mayAsk(now: number): boolean {
    if (now < this.#bannedUntil) return false;
    if (this.#requests.take(now, 1).isAllowed) return true;
    this.#bannedUntil = now + BAN_MS;
    return false;
  }

  mayConnect(now: number): boolean {
    return this.#connections.take(now, 1).isAllowed;
  }
}
