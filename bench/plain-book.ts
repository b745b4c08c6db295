// The same book twice, with no code of src/: in one loop over plain columns, the yardstick of its speed, and as maps, the witness of its
// levels.
import type { BookLevels } from '../src/domain/book.ts';
import type { BookStream } from './book-stream.ts';

/** Levels by price, on both sides. */
export interface PlainLevels {
  readonly bids: ReadonlyMap<number, number>;
  readonly asks: ReadonlyMap<number, number>;
}

const CAPACITY = 1 << 16;

/** Applies every update and adds up the imbalance of the best `depth` levels after each. */
export function plainBook({ start, updates }: BookStream, depth: number): { readonly sum: number; readonly levels: PlainLevels } {
  const price = [new Float64Array(CAPACITY), new Float64Array(CAPACITY)] as const;
  const quantity = [new Float64Array(CAPACITY), new Float64Array(CAPACITY)] as const;
  const count = new Int32Array(2);
  let sum = 0;
  for (const levels of [start, updates]) {
    for (let row = 0; row < levels.side.length; row++) {
      const side = levels.side[row] ?? 0;
      const ladder = side > 0 ? 0 : 1;
      const keys = price[ladder];
      const totals = quantity[ladder];
      const key = (levels.price[row] ?? NaN) * side;
      const total = levels.quantity[row] ?? NaN;
      const size = count[ladder] ?? 0;
      let at = size;
      while (at > 0 && (keys[at - 1] ?? NaN) > key) at--;
      if (at > 0 && keys[at - 1] === key) {
        if (total > 0) totals[at - 1] = total;
        else {
          for (let index = at; index < size; index++) {
            keys[index - 1] = keys[index] ?? NaN;
            totals[index - 1] = totals[index] ?? NaN;
          }
          count[ladder] = size - 1;
        }
      } else if (total > 0) {
        for (let index = size; index > at; index--) {
          keys[index] = keys[index - 1] ?? NaN;
          totals[index] = totals[index - 1] ?? NaN;
        }
        keys[at] = key;
        totals[at] = total;
        count[ladder] = size + 1;
      }
      if (levels === start) continue;
      let bids = 0;
      let asks = 0;
      const bidCount = count[0] ?? 0;
      const askCount = count[1] ?? 0;
      for (let level = 1; level <= depth; level++) {
        if (level <= bidCount) bids += quantity[0][bidCount - level] ?? NaN;
        if (level <= askCount) asks += quantity[1][askCount - level] ?? NaN;
      }
      sum += (bids - asks) / (bids + asks);
    }
  }
  const mapped = (ladder: 0 | 1, side: number): Map<number, number> =>
    new Map(Array.from({ length: count[ladder] ?? 0 }, (_, at) => [(price[ladder][at] ?? NaN) * side, quantity[ladder][at] ?? NaN]));
  return { sum, levels: { bids: mapped(0, 1), asks: mapped(1, -1) } };
}

/** What is left when every price is a key: no order, no search, nothing to get wrong. */
export function mappedBook({ start, updates }: BookStream): PlainLevels {
  const bids = new Map<number, number>();
  const asks = new Map<number, number>();
  const take = ({ side, price, quantity }: BookLevels): void => {
    for (let row = 0; row < side.length; row++) {
      const levels = (side[row] ?? 0) > 0 ? bids : asks;
      const total = quantity[row] ?? NaN;
      if (total > 0) levels.set(price[row] ?? NaN, total);
      else levels.delete(price[row] ?? NaN);
    }
  };
  take(start);
  take(updates);
  return { bids, asks };
}
