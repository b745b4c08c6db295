// A made-up stream of changes of a book: they cluster at the touch (8 ticks away from it on average), a third of them takes a level away, and
// the touch walks. The book of this stream is never crossed, and a thousand levels deep on each side.
import { ASK, BID, type BookLevels } from '../src/domain/book.ts';
import { portableLog, Random } from '../src/quant/random.ts';

const START_TICK = 600_000;
const TICKS_PER_UNIT = 10;
const LEVELS = 1_000;
const MEAN_OFFSET_TICKS = 8;

export interface BookStream {
  readonly start: BookLevels;
  readonly updates: BookLevels;
}

export function bookStream(count: number): BookStream {
  const random = new Random(7);
  const start = levels(2 * LEVELS);
  for (let level = 0; level < LEVELS; level++) {
    put(start, 2 * level, BID, START_TICK - level, random.integer(10_000) + 1);
    put(start, 2 * level + 1, ASK, START_TICK + 1 + level, random.integer(10_000) + 1);
  }
  const updates = levels(count);
  // Bids rest at this tick and below, asks above.
  let touch = START_TICK;
  for (let row = 0; row < count; row++) {
    if (random.bernoulli(0.05)) {
      // The touch goes a tick on, and takes away the level that would cross it.
      if (random.bernoulli(0.5)) put(updates, row, ASK, ++touch, 0);
      else put(updates, row, BID, touch--, 0);
      continue;
    }
    const offset = Math.floor(-MEAN_OFFSET_TICKS * portableLog(random.openUniform()));
    const lots = random.bernoulli(1 / 3) ? 0 : random.integer(10_000) + 1;
    if (random.bernoulli(0.5)) put(updates, row, BID, touch - offset, lots);
    else put(updates, row, ASK, touch + 1 + offset, lots);
  }
  return { start, updates };
}

function levels(length: number): BookLevels {
  return { side: new Int8Array(length), price: new Float64Array(length), quantity: new Float64Array(length) };
}

function put(into: BookLevels, row: number, side: number, tick: number, lots: number): void {
  into.side[row] = side;
  // Quotients of whole numbers are correctly rounded: what a venue's text would be read as.
  into.price[row] = tick / TICKS_PER_UNIT;
  into.quantity[row] = lots / 1_000;
}
