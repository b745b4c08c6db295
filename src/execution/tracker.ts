// Every order we have sent and not seen the end of, with the sleeves' shares frozen on it.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { add, compare, isZero, negate, signOf, subtract, ZERO_QUANTITY, type Quantity } from '../domain/decimal.ts';
import { assert } from '../domain/errors.ts';
import type { OrderAmended, OrderReport, OrderRepriced } from '../domain/event.ts';
import { filledShares, isOpen, stateAfter, type OrderIntent, type OrderState, type Share } from '../domain/order.ts';
import type { Holdings } from '../domain/sleeve.ts';
import { IdMap } from '../domain/id-map.ts';
import { removeFrom } from '../domain/queue.ts';
import { EndedOrders } from '../domain/ended-orders.ts';
import { readIntent, writeIntent } from '../domain/intent-bytes.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

export interface TrackedOrder {
  /** As the venue has it, or will once it has heard of the amendments on their way. */
  intent: OrderIntent;
  state: OrderState;
  filled: Quantity;
  /** Signed, by position in the intent's shares; empty before the first fill. */
  shareFilled: readonly Quantity[];
  /** Ids of the fills it has seen: a fill counts once. Kept as long as the order is remembered. */
  fills: readonly string[];
  /** Its rest is part of what will be held. Protective stops never count; under halt nor do orders being cancelled. */
  counted: boolean;
  /** The venue has said something of this order itself. */
  reported: boolean;
  /** The entry it is attached to; undefined for an order sent by itself. */
  readonly parent: TrackedOrder | undefined;
  /** NEVER while it is open. */
  endedAt: TimeMs;
}

/** An attached stop whose entry has not filled: it does not rest at the venue, and nothing is to be done about it. */
export function awaitsParent(order: TrackedOrder): boolean {
  return order.parent !== undefined && isZero(order.parent.filled) && isOpen(order.parent.state);
}

/** A sleeve's part of one fill. */
export interface SharePart {
  readonly holding: number;
  readonly quantity: Quantity;
}

/** `none`: seen before. `expected`: the venue did as it was told, and what follows from it was done when it was told. */
export type News = 'none' | 'expected' | 'news';

export interface Reported {
  readonly order: TrackedOrder;
  readonly news: News;
  readonly parts: readonly SharePart[];
}

/** An order that comes to rest, or a protective stop that ends because it was cancelled: neither is counted otherwise than before. */
function isExpected(report: OrderReport, { state, intent, counted }: TrackedOrder): boolean {
  if (report.kind === 'order.accepted') return isOpen(state);
  return report.kind === 'order.cancelled' && state === 'cancelling' && intent.role !== 'target' && !counted;
}

/** Most orders are stops that never fill: they share these. */
const NOTHING_FILLED: readonly Quantity[] = [];
const NO_FILLS: readonly string[] = [];

const STATES: readonly OrderState[] = ['submitted', 'working', 'cancelling', 'in-doubt', 'filled', 'cancelled', 'expired', 'rejected'];

export class OrderTracker implements Stateful {
  readonly #holdings: Holdings;
  /** By instrument: the lot in which fills are divided. */
  readonly #lots: readonly Quantity[];
  /** Those that may still trade, in the order in which they came to, and by id those that have ended as well, as long as they are remembered. */
  readonly #open: TrackedOrder[] = [];
  readonly #orders = new IdMap<TrackedOrder>();
  readonly #ended = new EndedOrders<TrackedOrder>((order) => this.#orders.delete(order.intent.id));
  /** By holding, signed: what working and in-doubt orders may still bring. */
  readonly pending: Quantity[];

  constructor(holdings: Holdings, lots: readonly Quantity[] = []) {
    this.#holdings = holdings;
    this.#lots = lots;
    this.pending = Array.from({ length: holdings.count }, () => ZERO_QUANTITY);
  }

  get open(): readonly TrackedOrder[] {
    return this.#open;
  }

  find(id: string): TrackedOrder | undefined {
    return this.#orders.get(id);
  }

  /** Called when the intent is recorded, before it is sent. Attached stops are tracked with it. */
  submitted(intent: OrderIntent, parent?: TrackedOrder): void {
    const order: TrackedOrder = {
      intent,
      state: 'submitted',
      filled: ZERO_QUANTITY,
      shareFilled: NOTHING_FILLED,
      fills: NO_FILLS,
      counted: intent.role === 'target',
      reported: false,
      parent,
      endedAt: NEVER,
    };
    if (!this.#orders.add(intent.id, order)) throw new Error(`broken invariant: order id ${intent.id} is used once`);
    this.#open.push(order);
    if (order.counted) this.#count(order, 1);
    for (const stop of intent.attached) this.submitted(stop, order);
  }

  /** A cancel was asked for. Under halt its rest stops counting at once: counting it flipped or opened positions. */
  cancelling(order: TrackedOrder, uncount: boolean): void {
    if (order.state === 'submitted' || order.state === 'working' || order.state === 'in-doubt') order.state = 'cancelling';
    if (uncount) this.#uncount(order);
  }

  /** An amendment was asked for: the order as it will stand. */
  amending(order: TrackedOrder, amended: OrderIntent): void {
    order.intent = amended;
  }

  /** What stands is what was asked for last, unless the venue's answer to just that says otherwise. Answers may be late, or lost. */
  amended(report: OrderAmended): Reported | undefined {
    const order = this.find(report.order);
    if (order === undefined) return undefined;
    const { stopPrice } = order.intent;
    const isOfLast = stopPrice !== undefined && compare(stopPrice, report.asked) === 0;
    const stands = compare(report.stopPrice, report.asked) === 0;
    if (!isOfLast || stands || !isOpen(order.state)) return { order, news: 'expected', parts: [] };
    order.intent = { ...order.intent, stopPrice: report.stopPrice };
    return { order, news: 'news', parts: [] };
  }

  /** The limit order stands as the venue says. Its quantity is divided anew only where one share has all of it. */
  repriced({ order: id, limitPrice, quantity }: OrderRepriced): Reported | undefined {
    const order = this.find(id);
    if (order === undefined) return undefined;
    order.reported = true;
    const { intent, counted } = order;
    assert(intent.shares.length <= 1 || compare(quantity, intent.quantity) === 0, 'an order of several shares keeps its quantity');
    if (counted) this.#count(order, -1);
    const shares = intent.shares.map((share) => ({ ...share, quantity: signOf(share.quantity) < 0 ? negate(quantity) : quantity }));
    order.intent = { ...intent, limitPrice, quantity, shares: shares.length === 1 ? shares : intent.shares };
    if (counted) this.#count(order, 1);
    return { order, news: 'expected', parts: [] };
  }

  /** No answer came: ambiguity is a state, not a guess. */
  inDoubt(order: TrackedOrder): void {
    if (order.state === 'submitted') order.state = 'in-doubt';
  }

  /**
   * Applies a report to its order. A fill that was seen before changes nothing.
   * @returns the order, what kind of news the report was, and for a fill the sleeves' parts.
   */
  report(report: OrderReport): Reported | undefined {
    const order = this.find(report.order);
    if (order === undefined) return undefined;
    let parts: readonly SharePart[] = [];
    const { fill } = report;
    assert(report.kind !== 'order.filled' || fill !== undefined, 'an order.filled report carries a fill');
    if (fill !== undefined && order.fills.includes(fill.id)) return { order, news: 'none', parts };
    const expected = isExpected(report, order);
    if (!order.reported) {
      order.reported = true;
      this.#revive(order, order.state);
    }
    if (fill !== undefined) {
      order.fills = order.fills.length === 0 ? [fill.id] : [...order.fills, fill.id];
      const isFirst = isZero(order.filled);
      parts = this.#divide(order, fill.quantity);
      order.filled = add(order.filled, fill.quantity);
      // The venue sets attached stops to rest with the first fill; no report says so.
      if (isFirst) {
        for (const stop of order.intent.attached) {
          const attached = this.find(stop.id);
          if (attached !== undefined && !attached.reported) this.#revive(attached, 'working');
        }
      }
    }
    const before = order.state;
    const triggered = report.kind === 'order.filled' && order.intent.role === 'stop' && !order.counted;
    order.state = stateAfter(order.state, report, order.filled, order.intent.quantity);
    if (isOpen(before) && !isOpen(order.state)) this.#end(order, report.at);
    else if (triggered && isOpen(order.state)) {
      // A stop that has begun to fill is an order at work: its rest will come too.
      order.counted = true;
      this.#count(order, 1);
    }
    return { order, news: expected ? 'expected' : 'news', parts };
  }

  /**
   * An order that ended without a word of its own ended with its entry. When the entry turns out to have filled, or the venue speaks of the
   * order itself, it came to rest after all: reports do not always arrive in their order.
   */
  #revive(order: TrackedOrder, state: OrderState): void {
    if (isOpen(order.state)) {
      if (order.state === 'submitted') order.state = state;
      return;
    }
    order.state = 'working';
    this.#ended.revived(order);
    this.#open.push(order);
  }

  /** The cumulative fill is divided by the frozen shares; what is new of each share is its part of this fill. */
  #divide(order: TrackedOrder, quantity: Quantity): readonly SharePart[] {
    const { shares, instrument } = order.intent;
    const [only] = shares;
    if (only !== undefined && shares.length === 1) {
      const part = signOf(only.quantity) < 0 ? negate(quantity) : quantity;
      const holding = this.#holdingOf(only);
      if (order.counted) this.pending[holding] = subtract(this.pending[holding] ?? ZERO_QUANTITY, part);
      order.shareFilled = [add(order.shareFilled[0] ?? ZERO_QUANTITY, part)];
      return [{ holding, quantity: part }];
    }
    const upTo = filledShares(shares, add(order.filled, quantity), this.#lots[instrument] ?? ZERO_QUANTITY);
    const parts: SharePart[] = [];
    shares.forEach((share, index) => {
      const part = subtract(upTo[index] ?? ZERO_QUANTITY, order.shareFilled[index] ?? ZERO_QUANTITY);
      if (isZero(part)) return;
      const holding = this.#holdingOf(share);
      if (order.counted) this.pending[holding] = subtract(this.pending[holding] ?? ZERO_QUANTITY, part);
      parts.push({ holding, quantity: part });
    });
    order.shareFilled = upTo;
    return parts;
  }

  #holdingOf(share: Share): number {
    return (this.#holdings.first[share.sleeve] ?? 0) + share.leg;
  }

  #count(order: TrackedOrder, sign: 1 | -1): void {
    const { shares } = order.intent;
    for (let index = 0; index < shares.length; index++) {
      const share = shares[index];
      if (share === undefined) continue;
      const holding = this.#holdingOf(share);
      const rest = subtract(share.quantity, order.shareFilled[index] ?? ZERO_QUANTITY);
      const pending = this.pending[holding] ?? ZERO_QUANTITY;
      this.pending[holding] = sign === 1 ? add(pending, rest) : subtract(pending, rest);
    }
  }

  #uncount(order: TrackedOrder): void {
    if (!order.counted) return;
    this.#count(order, -1);
    order.counted = false;
  }

  #end(order: TrackedOrder, at: TimeMs): void {
    this.#uncount(order);
    removeFrom(this.#open, order);
    this.#ended.remember(order, at);
    // Stops attached to an entry that never filled never came to rest: they end with it.
    if (isZero(order.filled)) {
      for (const stop of order.intent.attached) {
        const attached = this.#orders.get(stop.id);
        if (attached !== undefined && isOpen(attached.state)) {
          attached.state = order.state === 'rejected' ? 'rejected' : 'cancelled';
          this.#end(attached, at);
        }
      }
    }
  }

  save(out: ByteWriter): void {
    for (const value of this.pending) out.decimal(value);
    for (const orders of [this.#ended.all(), this.#open]) {
      out.count(orders.length);
      for (const order of orders) {
        writeIntent(out, order.intent);
        out.byte(STATES.indexOf(order.state));
        out.decimal(order.filled);
        out.flag(order.counted);
        out.flag(order.reported);
        out.count(order.shareFilled.length);
        for (const part of order.shareFilled) out.decimal(part);
        out.count(order.fills.length);
        for (const id of order.fills) out.text(id);
        out.number(order.endedAt);
      }
    }
  }

  restore(from: ByteReader): void {
    // An attached stop's entry may have ended, so the ended orders are read first.
    const parents = new Map<string, TrackedOrder>();
    for (let holding = 0; holding < this.pending.length; holding++) this.pending[holding] = from.decimal();
    this.#orders.clear();
    this.#ended.clear();
    this.#open.length = 0;
    for (const hasEnded of [true, false]) {
      for (let left = from.count(); left > 0; left--) {
        const intent = readIntent(from);
        const state = STATES[from.byte()] ?? 'in-doubt';
        const filled = from.decimal<Quantity>();
        const counted = from.flag();
        const reported = from.flag();
        const shareFilled: Quantity[] = [];
        for (let shares = from.count(); shares > 0; shares--) shareFilled.push(from.decimal());
        const fills: string[] = [];
        for (let seen = from.count(); seen > 0; seen--) fills.push(from.text());
        const parent = parents.get(intent.id);
        const endedAt = from.number();
        const order = { intent, state, filled, shareFilled, fills, counted, reported, parent, endedAt };
        this.#orders.set(intent.id, order);
        if (hasEnded) this.#ended.remember(order, endedAt);
        else this.#open.push(order);
        for (const stop of intent.attached) parents.set(stop.id, order);
      }
    }
  }
}
