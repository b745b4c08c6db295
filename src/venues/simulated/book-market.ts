// The market of one instrument as a tape of books and trades: what there is to take, where our limits stand in their queues, and when the next
// thing comes of it. What then becomes of the orders is the venue's to say.
//
// Nobody else on the tape knows of us. What we take is not offered again before a message says something new of its level; a trade that
// comes to our limits fills no more of them than its own quantity; beyond that the tape goes on as it was recorded.
import { ASK, BID } from '../../domain/book.ts';
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { compare, priceFrom, quantityFrom, toNumber, ZERO_PRICE, ZERO_QUANTITY, type Price, type Quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isConditional } from '../../domain/order.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import { OrderBook } from '../../market/book/order-book.ts';
import { BookRecords, CHANGE, LOST, TRADE, type BookTape } from './book-records.ts';
import { isReached, trailedLevel } from './fills.ts';
import type { OpenOrder } from './open-order.ts';
import { shareBehind, takeChange, takeTrade, type Place, type QueueRules, type ShareBehind } from './queue.ts';

/** One level that can be taken: its price, and what is left of it in whole lots. */
export interface Offer {
  readonly price: Price;
  readonly quantity: Quantity;
}

/** A limit of ours to which the market has come: at most so much of it fills. */
export interface Hit {
  readonly order: OpenOrder;
  readonly quantity: Quantity;
}

export interface BookMarketParts {
  readonly tape: BookTape;
  /** The orders of the instrument: the lists themselves, as they change. */
  readonly resting: readonly OpenOrder[];
  readonly waiting: readonly OpenOrder[];
  /** As its filters are now. */
  readonly instrument: () => Instrument;
  readonly rules: QueueRules & { readonly tradeThroughTicks: number };
}

/** An order that rests, as the tape comes to it. */
interface Watch extends Place {
  readonly order: OpenOrder;
  /** The order's number when it was placed: with another one it has gone to the end of its queue. */
  readonly number: number;
  /** Its limit or trigger, which may trail. */
  level: number;
  /** What the last trade brings to it. */
  hit: number;
  isTriggered: boolean;
}

/** How the market stands after a record. */
class Course {
  readonly book = new OrderBook();
  /** By price: what we have taken of a level about which nothing was said since. */
  readonly takenBids = new Map<number, number>();
  readonly takenAsks = new Map<number, number>();
  /** Price of the last trade. */
  lastTrade = NaN;
  /** Number of the record that comes next. */
  next = 0;
  watches: Watch[] = [];

  copyFrom(other: Course): void {
    this.book.copyFrom(other.book);
    for (const [into, from] of [
      [this.takenBids, other.takenBids],
      [this.takenAsks, other.takenAsks],
    ] as const) {
      into.clear();
      for (const [price, quantity] of from) into.set(price, quantity);
    }
    this.lastTrade = other.lastTrade;
    this.next = other.next;
    this.watches = other.watches.map((watch) => ({ ...watch }));
  }

  taken(side: number): Map<number, number> {
    return side === BID ? this.takenBids : this.takenAsks;
  }
}

export class BookMarket implements Stateful {
  readonly #records: BookRecords;
  readonly #resting: readonly OpenOrder[];
  readonly #waiting: readonly OpenOrder[];
  readonly #instrument: () => Instrument;
  readonly #rules: BookMarketParts['rules'];
  readonly #share: ShareBehind | undefined;
  readonly #isGathered: boolean;
  /** A level without quantity, reused. */
  readonly #gone = { side: new Int8Array(1), price: new Float64Array(1), quantity: new Float64Array(1) };
  /** How it stands by what has happened. */
  #now = new Course();
  /** How it will stand: looked ahead to what comes next, while nothing of ours changes. */
  #ahead = new Course();
  #isAhead = false;
  /** The look ahead ended at a record of which something comes. */
  #isFound = false;

  constructor({ tape, resting, waiting, instrument, rules }: BookMarketParts) {
    this.#records = new BookRecords(tape);
    this.#resting = resting;
    this.#waiting = waiting;
    this.#instrument = instrument;
    this.#rules = rules;
    this.#share = shareBehind(rules);
    this.#isGathered = tape.isGathered === true;
  }

  // ---- what comes next -----------------------------------------------------------------------------------------------

  /** Orders, levels or filters have changed: what was seen ahead no longer holds. */
  changed(): void {
    this.#isAhead = false;
  }

  /**
   * When something comes of the tape for us, looking no further than `until`; NEVER where nothing does.
   * @param liquidations levels of a long and of a short position, NaN where there is none
   */
  dueAt(until: TimeMs, liquidations: readonly [long: number, short: number]): TimeMs {
    const records = this.#records;
    if (!this.#isAhead) {
      this.#watch();
      this.#ahead.copyFrom(this.#now);
      this.#isAhead = true;
      this.#isFound = false;
    }
    const course = this.#ahead;
    while (!this.#isFound && records.has(course.next) && records.at(course.next) <= until) {
      this.#isFound = this.#comes(this.#apply(course), course, liquidations);
    }
    return this.#isFound ? records.at(course.next - 1) : NEVER;
  }

  /** Everything before `at` has happened, and nothing came of it. */
  reach(at: TimeMs): void {
    const records = this.#records;
    if (this.#isAhead && !this.#isFound && this.#ahead.next > this.#now.next && records.at(this.#ahead.next - 1) < at) {
      this.#turnOver();
      // Orders trail as their watches have, before they are compared.
      this.#settle();
    }
    this.#watch();
    while (records.has(this.#now.next) && records.at(this.#now.next) < at) this.#apply(this.#now);
    this.#settle();
  }

  /** What `dueAt` has found happens. @returns whether it was a trade */
  happen(): boolean {
    if (!this.#isAhead || !this.#isFound) throw new Error('broken invariant: what happens was looked for');
    this.#turnOver();
    this.#settle();
    return this.#records.kind(this.#now.next - 1) === TRADE;
  }

  #turnOver(): void {
    [this.#now, this.#ahead] = [this.#ahead, this.#now];
    this.#isAhead = false;
    this.#isFound = false;
  }

  /** Trails the orders themselves, and lets go what nobody reads again. */
  #settle(): void {
    this.#isAhead = false;
    for (const { order, level } of this.#now.watches) {
      if (order.level === level || order.intent.trailBy === undefined) continue;
      order.intent = { ...order.intent, stopPrice: priceFrom(level, ZERO_PRICE, 'nearest') };
      order.level = level;
    }
    // What happened last is still asked for.
    this.#records.letGo(this.#now.next - 1);
  }

  /** Every order that rests, and none that does not. */
  #watch(): void {
    const course = this.#now;
    const { watches } = course;
    let isSame = watches.length === this.#resting.length;
    for (let index = 0; isSame && index < watches.length; index++) {
      const order = this.#resting[index];
      const watch = watches[index];
      isSame = watch?.order === order && watch?.number === order?.number && watch?.level === order?.level;
    }
    if (isSame) return;
    course.watches = this.#resting.map((order) => {
      const known = watches.find((watch) => watch.order === order && watch.number === order.number);
      // A trigger that was moved.
      if (known !== undefined) return { ...known, level: order.level };
      const { number, level } = order;
      const total = isConditional(order.intent.type) ? 0 : course.book.quantityAt(order.intent.side === 'buy' ? BID : ASK, level);
      return { order, number, level, ahead: total, total, traded: 0, hit: 0, isTriggered: false };
    });
  }

  // ---- one record ----------------------------------------------------------------------------------------------------

  /** @returns its number */
  #apply(course: Course): number {
    const records = this.#records;
    const number = course.next++;
    const kind = records.kind(number);
    const from = records.from(number);
    if (kind === TRADE) this.#trade(course, from);
    else if (kind === CHANGE) this.#change(course, from, records.to(number));
    else {
      course.takenBids.clear();
      course.takenAsks.clear();
      if (kind === LOST) course.book.clear();
      else this.#whole(course, from, records.to(number));
    }
    return number;
  }

  #trade(course: Course, row: number): void {
    const { side, price, quantity } = this.#records.levels;
    const traded = price[row] ?? NaN;
    const size = quantity[row] ?? NaN;
    const makerSide = side[row] === BID ? 'sell' : 'buy';
    course.lastTrade = traded;
    if (this.#isGathered) this.#passBy(course, side[row] === BID ? ASK : BID, traded);
    for (const watch of course.watches) {
      const { order } = watch;
      if (isConditional(order.intent.type)) this.#tradeAtTrigger(watch, traded);
      else watch.hit = order.intent.side === makerSide ? this.#hitBy(watch, traded, size) : 0;
    }
  }

  /** What was better than the price of a trade somebody has taken: a stop that the trade triggers is not filled with what is gone. */
  #passBy({ book }: Course, side: number, traded: number): void {
    const gone = this.#gone;
    gone.side[0] = side;
    for (;;) {
      const best = side === BID ? book.bestBid : book.bestAsk;
      if (!(side * best > side * traded)) return;
      gone.price[0] = best;
      book.apply(gone, 0, 1);
    }
  }

  #hitBy(watch: Watch, traded: number, size: number): number {
    const { level, order } = watch;
    const { queueModel, tradeThroughTicks } = this.#rules;
    const beyond = order.intent.side === 'buy' ? level - traded : traded - level;
    if (queueModel !== 'none') {
      if (beyond === 0) return takeTrade(watch, size);
      if (beyond < 0) return 0;
      watch.ahead = 0;
      return size;
    }
    // As on bars: half a tick short of the last, so that a double beside its tick is still on it; of one tick any price beyond will do.
    const through = tradeThroughTicks > 1 ? (tradeThroughTicks - 0.5) * toNumber(this.#instrument().tick) : 0;
    return (tradeThroughTicks === 0 ? beyond >= 0 : beyond > through) ? size : 0;
  }

  #tradeAtTrigger(watch: Watch, traded: number): void {
    const { order, level } = watch;
    const { intent } = order;
    const price = { open: traded, high: traded, low: traded, close: traded };
    if (isReached(order.reach, level, price, 0, true)) {
      watch.isTriggered = true;
      return;
    }
    if (intent.trailBy === undefined) return;
    const trailed = trailedLevel(intent.side, level, toNumber(intent.trailBy), price, true);
    if (trailed === level) return;
    watch.level = toNumber(priceFrom(trailed, this.#instrument().tick, intent.side === 'sell' ? 'down' : 'up'));
  }

  #change(course: Course, from: number, to: number): void {
    const { levels } = this.#records;
    course.book.apply(levels, from, to);
    const { side, price, quantity } = levels;
    const hasTaken = course.takenBids.size > 0 || course.takenAsks.size > 0;
    if (!hasTaken && course.watches.length === 0) return;
    for (let row = from; row < to; row++) {
      const of = side[row] ?? 0;
      const level = price[row] ?? NaN;
      if (hasTaken) course.taken(of).delete(level);
      for (const watch of course.watches) {
        if (watch.level === level && isAt(watch, of)) takeChange(watch, quantity[row] ?? NaN, this.#share);
      }
    }
  }

  #whole(course: Course, from: number, to: number): void {
    course.book.replace(this.#records.levels, from, to);
    for (const watch of course.watches) {
      for (const side of [BID, ASK]) {
        if (!isAt(watch, side)) continue;
        const total = course.book.quantityAt(side, watch.level);
        const worst = course.book.worst(side);
        // Beyond the last level that it tells of, a snapshot says nothing.
        if (total > 0 || side * watch.level >= side * worst) takeChange(watch, total, this.#share);
      }
    }
  }

  /** Whether something comes of the record that was applied last. */
  #comes(number: number, course: Course, [long, short]: readonly [long: number, short: number]): boolean {
    const isTrade = this.#records.kind(number) === TRADE;
    const bestBid = this.#bestOf(course, BID);
    const bestAsk = this.#bestOf(course, ASK);
    if (isTrade && (course.lastTrade <= long || course.lastTrade >= short)) return true;
    for (const { intent } of this.#waiting) if (!Number.isNaN(intent.side === 'buy' ? bestAsk : bestBid)) return true;
    for (const watch of course.watches) {
      const { order, level, hit, isTriggered } = watch;
      const isBuy = order.intent.side === 'buy';
      const best = isBuy ? bestAsk : bestBid;
      if (isConditional(order.intent.type)) {
        if (isTriggered && !Number.isNaN(best)) return true;
      } else if ((isBuy ? best <= level : best >= level) || (isTrade && this.#isLot(hit))) return true;
    }
    return false;
  }

  // ---- what happened -------------------------------------------------------------------------------------------------

  /** Of the last trade, whether or not anything came of it. NaN before the first. */
  get lastTrade(): number {
    return this.#now.lastTrade;
  }

  /** Limits that the last trade came to, the best price first, then by arrival. Together they fill at most what it traded. */
  hits(): { readonly hits: readonly Hit[]; readonly quantity: Quantity } {
    const row = this.#records.from(this.#now.next - 1);
    const hits = this.#now.watches
      .filter(({ order, hit }) => !isConditional(order.intent.type) && this.#isLot(hit))
      .toSorted((left, right) => (left.order.intent.side === 'buy' ? right.level - left.level : left.level - right.level))
      .map(({ order, hit }) => ({ order, quantity: this.#lots(hit) }));
    return { hits, quantity: this.#lots(this.#records.levels.quantity[row] ?? NaN) };
  }

  /** Conditional orders whose trigger was traded: from now on they are at the market. */
  triggered(): readonly OpenOrder[] {
    return this.#now.watches.filter(({ isTriggered }) => isTriggered).map(({ order }) => order);
  }

  /** Limits that the other side of the book has come to, the best price first, then by arrival. */
  crossed(): readonly OpenOrder[] {
    return this.#now.watches
      .filter(({ order, level }) => {
        if (isConditional(order.intent.type)) return false;
        return order.intent.side === 'buy' ? this.bestOf(ASK) <= level : this.bestOf(BID) >= level;
      })
      .toSorted((left, right) => (left.order.intent.side === 'buy' ? right.level - left.level : left.level - right.level))
      .map(({ order }) => order);
  }

  /** Price of the best level of a side of which a lot is left; NaN where there is none. */
  bestOf(side: number): number {
    return this.#bestOf(this.#now, side);
  }

  #bestOf(course: Course, side: number): number {
    const { book } = course;
    const best = side === BID ? book.bestBid : book.bestAsk;
    const quantity = side === BID ? book.bestBidQuantity : book.bestAskQuantity;
    if (Number.isNaN(best) || this.#isLot(quantity - (course.taken(side).get(best) ?? 0))) return best;
    // Rarely: the best has less than a lot, or was ours.
    const count = book.levels(side);
    const prices = new Float64Array(count);
    const quantities = new Float64Array(count);
    book.top(side, prices, quantities);
    const index = quantities.findIndex((each, level) => this.#isLot(each - (course.taken(side).get(prices[level] ?? NaN) ?? 0)));
    return prices[index] ?? NaN;
  }

  /** What can be taken of a side, the best first, up to a price. */
  *offers(side: number, limitPrice: Price | undefined): Generator<Offer, void> {
    const { book } = this.#now;
    for (let wanted = 16, seen = 0; ; wanted *= 4) {
      const count = Math.min(wanted, book.levels(side));
      const prices = new Float64Array(count);
      const quantities = new Float64Array(count);
      book.top(side, prices, quantities);
      for (; seen < count; seen++) {
        const level = prices[seen] ?? NaN;
        // As the tape has it, on or off the tick.
        const price = priceFrom(level, ZERO_PRICE, 'nearest');
        if (limitPrice !== undefined && side * compare(limitPrice, price) > 0) return;
        const quantity = this.#lots((quantities[seen] ?? NaN) - (this.#now.taken(side).get(level) ?? 0));
        if (compare(quantity, ZERO_QUANTITY) > 0) yield { price, quantity };
      }
      if (count < wanted) return;
    }
  }

  /** We have taken so much of a level. */
  take(side: number, price: Price, quantity: Quantity): void {
    const taken = this.#now.taken(side);
    const level = toNumber(price);
    taken.set(level, (taken.get(level) ?? 0) + toNumber(quantity));
    this.changed();
  }

  #isLot(quantity: number): boolean {
    // A difference of doubles that is a rounding short of a lot is one.
    return quantity > 0 && quantity >= toNumber(this.#instrument().lot) * (1 - 1e-9);
  }

  #lots(quantity: number): Quantity {
    return this.#isLot(quantity) ? quantityFrom(quantity, this.#instrument().lot, 'down') : ZERO_QUANTITY;
  }

  // ---- state ---------------------------------------------------------------------------------------------------------

  save(out: ByteWriter): void {
    this.#watch();
    const { next, takenBids, takenAsks, watches } = this.#now;
    out.count(next);
    for (const taken of [takenBids, takenAsks]) {
      out.count(taken.size);
      for (const [price, quantity] of taken) {
        out.number(price);
        out.number(quantity);
      }
    }
    out.count(watches.length);
    for (const { ahead, total, traded } of watches) for (const value of [ahead, total, traded]) out.number(value);
  }

  /** On a fresh market over the same tape, after the orders. The book is read again up to where it was. */
  restore(from: ByteReader): void {
    const next = from.count();
    const course = this.#now;
    course.watches = [];
    while (course.next < next && this.#records.has(course.next)) this.#apply(course);
    for (const taken of [course.takenBids, course.takenAsks]) {
      taken.clear();
      for (let left = from.count(); left > 0; left--) taken.set(from.number(), from.number());
    }
    this.#watch();
    for (let left = from.count(), index = 0; left > 0; left--, index++) {
      const place = { ahead: from.number(), total: from.number(), traded: from.number() };
      const watch = course.watches[index];
      if (watch !== undefined) Object.assign(watch, place);
    }
    this.#records.letGo(next - 1);
    this.changed();
  }
}

function isAt({ order }: Watch, side: number): boolean {
  return !isConditional(order.intent.type) && (order.intent.side === 'buy') === (side === BID);
}
