// How long an order is remembered after its end, so that late and repeated reports find it. One rule for the order tracker and for the
// views, so that a late report counts in one where it counts in the other.
import { isZero, type Quantity } from './decimal.ts';
import type { OrderIntent } from './order.ts';
import { HOUR_MS, NEVER, type TimeMs } from './time.ts';

/** In market time. A venue that speaks of an order after more than this speaks of an order nobody knows. */
const REMEMBERED_MS = HOUR_MS;
/** However long ago they ended: on daily bars an hour is nothing. */
const ALWAYS_REMEMBERED = 32;
/** Empty places at the front of the queue before they are given back. */
const COMPACTED = 64;

export interface EndingOrder {
  readonly intent: OrderIntent;
  readonly filled: Quantity;
  /** NEVER while it is open. */
  endedAt: TimeMs;
}

/** A queue of ended orders, oldest first. Short on purpose: what lives a while is copied twice by the garbage collector. */
export class EndedOrders<Order extends EndingOrder> {
  readonly #queue: (Order | undefined)[] = [];
  #first = 0;
  readonly #forget: (order: Order) => void;

  constructor(forget: (order: Order) => void) {
    this.#forget = forget;
  }

  /**
   * The order has ended; those that need not be remembered any longer are forgotten. Never a stop on the whole position that has begun to
   * fill: it follows a position that may have grown since it was set, a part at a time where the market has little, and no word but its
   * fills tells its end. There are few of them.
   */
  remember(order: Order, at: TimeMs): void {
    order.endedAt = at;
    if (order.intent.wholePosition && !isZero(order.filled)) return;
    this.#queue.push(order);
    while (this.#queue.length - this.#first > ALWAYS_REMEMBERED) {
      const oldest = this.#queue[this.#first];
      // One that came back to life is open again, or has a later place in the queue.
      if (oldest === undefined || (oldest.endedAt !== NEVER && oldest.endedAt > at - REMEMBERED_MS)) break;
      this.#queue[this.#first++] = undefined;
      if (oldest.endedAt !== NEVER) this.#forget(oldest);
    }
    if (this.#first < COMPACTED) return;
    this.#queue.splice(0, this.#first);
    this.#first = 0;
  }

  /** It came back to life: it leaves its place, so that the queue is what a restored one would be. */
  revived(order: Order): void {
    order.endedAt = NEVER;
    const place = this.#queue.indexOf(order, this.#first);
    if (place >= 0) this.#queue.splice(place, 1);
  }

  clear(): void {
    this.#queue.length = 0;
    this.#first = 0;
  }
}
