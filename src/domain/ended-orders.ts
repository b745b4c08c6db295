// How long an order is remembered after its end, so that late and repeated reports find it. One rule for the order tracker and for the
// views, so that a late report counts in one where it counts in the other.
import { isZero, type Quantity } from './decimal.ts';
import type { OrderIntent } from './order.ts';
import { Queue, removeFrom } from './queue.ts';
import { HOUR_MS, NEVER, type TimeMs } from './time.ts';

/** In market time. A venue that speaks of an order after more than this speaks of an order nobody knows. */
const REMEMBERED_MS = HOUR_MS;
/** However long ago they ended: on daily bars an hour is nothing. */
const ALWAYS_REMEMBERED = 32;

export interface EndingOrder {
  readonly intent: OrderIntent;
  readonly filled: Quantity;
  /** NEVER while it is open. */
  endedAt: TimeMs;
}

/** Ended orders, oldest first. Few on purpose: what lives a while is copied twice by the garbage collector. */
export class EndedOrders<Order extends EndingOrder> {
  readonly #queue = new Queue<Order>();
  /** Older than those, and not to be forgotten. */
  readonly #kept: Order[] = [];
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
    const queue = this.#queue;
    queue.push(order);
    while (queue.length > ALWAYS_REMEMBERED) {
      const oldest = queue.at(0);
      if (oldest === undefined || oldest.endedAt > at - REMEMBERED_MS) break;
      queue.shift();
      if (oldest.intent.wholePosition && !isZero(oldest.filled)) this.#kept.push(oldest);
      else this.#forget(oldest);
    }
  }

  /** It came back to life: it leaves its place, so that what is remembered is what a restored one would be. */
  revived(order: Order): void {
    order.endedAt = NEVER;
    if (this.#queue.take((each) => each === order) === undefined) removeFrom(this.#kept, order);
  }

  /** In the order in which they ended. */
  all(): readonly Order[] {
    return [...this.#kept, ...this.#queue];
  }

  clear(): void {
    this.#queue.clear();
    this.#kept.length = 0;
  }
}
