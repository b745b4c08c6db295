// A level-2 book: sorted columns, the best price last, so that what changes most lies where little must be moved.
//
// Measured against a dense ring of ticks and a map of prices, this was the fastest on streams that cluster at the touch. Prices are
// doubles as they were read from the venue's text: no tick size is needed, and a change of tick size changes nothing. Only levels that
// were heard of are known: after a snapshot of n levels, what lies beyond them exists out there and not here.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { ASK, BID, type BookLevels } from '../../domain/book.ts';

const FIRST_CAPACITY = 1024;
/** Levels from the best that are looked through one by one before the rest is halved: nearly all changes fall among them. */
const NEAR_LEVELS = 32;
/** Levels from which on the processor's own move is faster than a loop. */
const LONG_MOVE = 48;
/** Of a quantity: what is left below this ratio is the rounding of a sum. */
const ROUNDING_RATIO = 1e-12;

/** One side. A key is the price times the side, so that on both sides the best level has the greatest key. */
class Ladder implements Stateful {
  keys = new Float64Array(FIRST_CAPACITY);
  quantities = new Float64Array(FIRST_CAPACITY);
  /** Levels in use; the best is the last of them. */
  count = 0;

  /**
   * Takes the level in a row of columns. Places in columns are handed on here, not the doubles in them: a double that goes from one function
   * to another may cost an object on the heap.
   */
  take(prices: Float64Array, totals: Float64Array, row: number, side: number): void {
    const { keys, count } = this;
    const key = side * (prices[row] ?? NaN);
    const near = count > NEAR_LEVELS ? count - NEAR_LEVELS : 0;
    let at = count;
    while (at > near && (keys[at - 1] ?? NaN) > key) at--;
    // Further away: by halves, the number of keys that are not greater.
    let low = at === near ? 0 : at;
    while (low < at) {
      const middle = (low + at) >>> 1;
      if ((keys[middle] ?? NaN) > key) at = middle;
      else low = middle + 1;
    }
    // `at` is now the place after the last key that is not greater.
    const total = totals[row] ?? NaN;
    if (at > 0 && keys[at - 1] === key) {
      if (total > 0) this.quantities[at - 1] = total;
      else this.#remove(at - 1);
    } else if (total > 0) {
      this.#makeRoom(at);
      this.keys[at] = key;
      this.quantities[at] = total;
    }
  }

  #remove(at: number): void {
    const { keys, quantities } = this;
    const last = --this.count;
    if (last - at > LONG_MOVE) {
      keys.copyWithin(at, at + 1, last + 1);
      quantities.copyWithin(at, at + 1, last + 1);
      return;
    }
    for (let index = at; index < last; index++) {
      keys[index] = keys[index + 1] ?? NaN;
      quantities[index] = quantities[index + 1] ?? NaN;
    }
  }

  /** Moves what is better than the place `at` by one. */
  #makeRoom(at: number): void {
    const { count } = this;
    this.reserve(count + 1);
    const { keys, quantities } = this;
    if (count - at > LONG_MOVE) {
      keys.copyWithin(at + 1, at, count);
      quantities.copyWithin(at + 1, at, count);
    } else {
      for (let index = count; index > at; index--) {
        keys[index] = keys[index - 1] ?? NaN;
        quantities[index] = quantities[index - 1] ?? NaN;
      }
    }
    this.count = count + 1;
  }

  /** Doubles the columns until `levels` fit: the only allocation there is, a few in the life of a book. */
  reserve(levels: number): void {
    if (levels <= this.keys.length) return;
    let capacity = this.keys.length;
    while (capacity < levels) capacity *= 2;
    const keys = new Float64Array(capacity);
    const quantities = new Float64Array(capacity);
    keys.set(this.keys);
    quantities.set(this.quantities);
    this.keys = keys;
    this.quantities = quantities;
  }

  /** Quantity of the best `depth` levels. */
  total(depth: number): number {
    const { quantities, count } = this;
    const end = count > depth ? count - depth : 0;
    let sum = 0;
    for (let index = count - 1; index >= end; index--) sum += quantities[index] ?? NaN;
    return sum;
  }

  copyFrom({ keys, quantities, count }: Ladder): void {
    this.reserve(count);
    this.keys.set(keys.subarray(0, count));
    this.quantities.set(quantities.subarray(0, count));
    this.count = count;
  }

  save(out: ByteWriter): void {
    out.numbers(this.keys.subarray(0, this.count));
    out.numbers(this.quantities.subarray(0, this.count));
  }

  restore(from: ByteReader): void {
    const keys = from.numbers();
    this.count = keys.length;
    this.reserve(this.count);
    this.keys.set(keys);
    from.numbers(this.quantities.subarray(0, this.count));
  }
}

/** The resting orders of one instrument, price by price. What is not there reads as NaN. */
export class OrderBook implements Stateful {
  readonly #bids = new Ladder();
  readonly #asks = new Ladder();
  /** The one row of `set`. */
  readonly #price = new Float64Array(1);
  readonly #quantity = new Float64Array(1);

  /** Sets the total at a price; 0 removes the level, and removing what is not there changes nothing. @param side 1 bid, -1 ask */
  set(side: number, price: number, quantity: number): void {
    this.#price[0] = price;
    this.#quantity[0] = quantity;
    (side > 0 ? this.#bids : this.#asks).take(this.#price, this.#quantity, 0, side);
  }

  /**
   * Sets the levels from row `from` to before row `to`.
   * @returns false when a row is no level (another side, a price that is not above 0, a quantity below 0, anything not finite): the rows
   * before it have been set then, and the book is good for nothing
   */
  apply(levels: BookLevels, from: number, to: number): boolean {
    for (let row = from; row < to; row++) if (!this.#apply(levels, row)) return false;
    return true;
  }

  /** As `apply`, on an empty book. Each price stands there once. */
  replace(levels: BookLevels, from: number, to: number): boolean {
    this.clear();
    // From the last row: venues list the best level first, and what comes to lie before all others moves them all.
    for (let row = to - 1; row >= from; row--) if (!this.#apply(levels, row)) return false;
    return true;
  }

  #apply({ side, price, quantity }: BookLevels, row: number): boolean {
    const of = side[row] ?? 0;
    if (of !== BID && of !== ASK) return false;
    const level = price[row] ?? NaN;
    const total = quantity[row] ?? NaN;
    if (!(level > 0 && level < Infinity && total >= 0 && total < Infinity)) return false;
    (of > 0 ? this.#bids : this.#asks).take(price, quantity, row, of);
    return true;
  }

  clear(): void {
    this.#bids.count = 0;
    this.#asks.count = 0;
  }

  get bestBid(): number {
    const { keys, count } = this.#bids;
    return count > 0 ? (keys[count - 1] ?? NaN) : NaN;
  }

  get bestBidQuantity(): number {
    const { quantities, count } = this.#bids;
    return count > 0 ? (quantities[count - 1] ?? NaN) : NaN;
  }

  get bestAsk(): number {
    const { keys, count } = this.#asks;
    return count > 0 ? -(keys[count - 1] ?? NaN) : NaN;
  }

  get bestAskQuantity(): number {
    const { quantities, count } = this.#asks;
    return count > 0 ? (quantities[count - 1] ?? NaN) : NaN;
  }

  /** Whether somebody bids what another asks, or more. One venue's book never rests so: it is a broken copy. */
  get isCrossed(): boolean {
    return this.bestBid >= this.bestAsk;
  }

  get mid(): number {
    return (this.bestBid + this.bestAsk) / 2;
  }

  /**
   * The mid weighted by the quantity on the other side: nearer to the side that is thinner, where the price will sooner go. The weighted
   * mid of Gatheral and Oomen (2010); Stoikov's martingale (2018) corrects it by what the future taught, which a book alone cannot know.
   */
  get microprice(): number {
    const bidQuantity = this.bestBidQuantity;
    const askQuantity = this.bestAskQuantity;
    return (this.bestBid * askQuantity + this.bestAsk * bidQuantity) / (bidQuantity + askQuantity);
  }

  /** Levels known on a side. */
  levels(side: number): number {
    return (side > 0 ? this.#bids : this.#asks).count;
  }

  /**
   * Bids less asks, by quantity in the best `depth` levels, divided by their sum: from -1, only asks, to 1, only bids. NaN when there are
   * neither.
   */
  imbalance(depth: number): number {
    const bids = this.#bids.total(depth);
    const asks = this.#asks.total(depth);
    return (bids - asks) / (bids + asks);
  }

  /** The quantity at exactly this price; 0 where no level is known. */
  quantityAt(side: number, price: number): number {
    const { keys, quantities, count } = side > 0 ? this.#bids : this.#asks;
    const key = side * price;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? NaN) < key) low = middle + 1;
      else high = middle;
    }
    return low < count && keys[low] === key ? (quantities[low] ?? NaN) : 0;
  }

  /** The worst price that is known of a side; NaN where none is. */
  worst(side: number): number {
    const { keys, count } = side > 0 ? this.#bids : this.#asks;
    return count > 0 ? side * (keys[0] ?? NaN) : NaN;
  }

  /** The levels of another book, in columns of its own. */
  copyFrom(other: OrderBook): void {
    this.#bids.copyFrom(other.#bids);
    this.#asks.copyFrom(other.#asks);
  }

  /**
   * Copies the best levels of a side, best first, as many as fit; the rest of both columns becomes NaN.
   * @returns how many levels there were
   */
  top(side: number, prices: Float64Array, quantities: Float64Array): number {
    const ladder = side > 0 ? this.#bids : this.#asks;
    const size = Math.min(prices.length, quantities.length);
    const copied = Math.min(size, ladder.count);
    for (let index = 0; index < copied; index++) {
      const place = ladder.count - 1 - index;
      prices[index] = side * (ladder.keys[place] ?? NaN);
      quantities[index] = ladder.quantities[place] ?? NaN;
    }
    prices.fill(NaN, copied);
    quantities.fill(NaN, copied);
    return copied;
  }

  /** Quantity of a side at `price` and at every better price. */
  quantityTo(side: number, price: number): number {
    const { keys, quantities, count } = side > 0 ? this.#bids : this.#asks;
    const worst = side * price;
    let sum = 0;
    for (let index = count - 1; index >= 0 && (keys[index] ?? NaN) >= worst; index--) sum += quantities[index] ?? NaN;
    return sum;
  }

  /**
   * The average price, weighted by quantity, of taking `quantity` at once from the best level on. NaN when the known levels do not hold
   * it. @param takerSide 1 buys from the asks, -1 sells to the bids
   */
  priceOfTaking(takerSide: number, quantity: number): number {
    const { keys, quantities, count } = takerSide > 0 ? this.#asks : this.#bids;
    let rest = quantity;
    let paid = 0;
    for (let index = count - 1; index >= 0 && rest > 0; index--) {
      const taken = Math.min(rest, quantities[index] ?? NaN);
      paid += taken * (keys[index] ?? NaN);
      rest -= taken;
    }
    return quantity > 0 && rest <= quantity * ROUNDING_RATIO ? (-takerSide * paid) / (quantity - rest) : NaN;
  }

  save(out: ByteWriter): void {
    this.#bids.save(out);
    this.#asks.save(out);
  }

  restore(from: ByteReader): void {
    this.#bids.restore(from);
    this.#asks.restore(from);
  }
}
