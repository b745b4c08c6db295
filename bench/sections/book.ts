// The book alone: changes of levels with an imbalance after each, whole messages, the tape of them, and bars from trades.
import { ASK, BID, type BookMessage } from '../../src/domain/book.ts';
import { ByteWriter } from '../../src/domain/bytes.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { BarBuilder, type BarRule } from '../../src/market/bar-builder.ts';
import { emptyBookMessage } from '../../src/market/book/book-message.ts';
import { BINANCE_FUTURES_BOOK, BookSync } from '../../src/market/book/book-sync.ts';
import { bookTapeHeader, BookTapeEncoder, BookTapeReader } from '../../src/market/book/book-tape.ts';
import { OrderBook } from '../../src/market/book/order-book.ts';
import { Random } from '../../src/quant/random.ts';
import { bookStream, type BookStream } from '../book-stream.ts';
import type { Figure } from '../figure.ts';
import { medianOf, ownMs, timed, type Timing } from '../measure.ts';
import { mappedBook, plainBook, type PlainLevels } from '../plain-book.ts';
import type { Section } from '../section.ts';

const UPDATES = 5_000_000;
/** Of the rows that are not the promise. */
const LEVELS = 1_000_000;
const LEVELS_PER_MESSAGE = 10;
const TRADES = 1_000_000;
const DEPTH = 5;
const WARMUPS = 2;
const REPEATS = 5;

export const book: Section = {
  name: 'book',
  title: `Book: ${UPDATES.toLocaleString('en')} changes near the touch of a book 1,000 levels deep`,
  rows: [
    { name: 'updates', measure: measureUpdates },
    { name: 'messages', measure: measureMessages },
    { name: 'tape', measure: measureTape },
    { name: 'bars', measure: measureBars },
  ],
};

/** The promise: each change applied, and the imbalance of the five best levels read after it, through the public class. */
async function measureUpdates(): Promise<readonly Figure[]> {
  const stream = bookStream(UPDATES);
  const ours: Timing[] = [];
  const plains: Timing[] = [];
  let isEqual = true;
  for (let repeat = -WARMUPS; repeat < REPEATS; repeat++) {
    const plain = await timed(() => plainBook(stream, DEPTH));
    const ran = await timed(() => updated(stream));
    const { final, sum } = ran.result;
    isEqual &&= sum === plain.result.sum && isSame(final, plain.result.levels) && isSame(final, mappedBook(stream));
    if (repeat < 0) continue;
    plains.push(plain.timing);
    ours.push(ran.timing);
  }
  const timing = medianOf(ours);
  return [
    {
      name: `a level and the imbalance of ${DEPTH}`,
      value: (UPDATES / ownMs(timing)) * 1000,
      unit: 'updates/s',
      better: 'more',
      cpu: (UPDATES / timing.cpuMs) * 1000,
      timesPlain: ownMs(timing) / ownMs(medianOf(plains)),
      floor: 4_000_000,
      goal: 8_000_000,
      isEqual,
      note: 'and to a map of prices',
    },
  ];
}

function updated({ start, updates }: BookStream): { readonly final: OrderBook; readonly sum: number } {
  const final = new OrderBook();
  final.replace(start, 0, start.side.length);
  const { side, price, quantity } = updates;
  let sum = 0;
  for (let row = 0; row < side.length; row++) {
    final.set(side[row] ?? 0, price[row] ?? NaN, quantity[row] ?? NaN);
    sum += final.imbalance(DEPTH);
  }
  return { final, sum };
}

function isSame(final: OrderBook, levels: PlainLevels): boolean {
  return [BID, ASK].every((side) => {
    const expected = side === BID ? levels.bids : levels.asks;
    const prices = new Float64Array(final.levels(side));
    const quantities = new Float64Array(prices.length);
    final.top(side, prices, quantities);
    return prices.length === expected.size && prices.every((price, level) => expected.get(price) === quantities[level]);
  });
}

/** The stream in messages as Binance's futures send them, the first of them a snapshot. */
function* messagesOf({ start, updates }: BookStream): Generator<BookMessage> {
  const message = emptyBookMessage();
  message.kind = 'snapshot';
  message.at = message.happenedAt = message.firstUpdate = message.lastUpdate = 0;
  message.levels = start;
  message.to = start.side.length;
  yield message;
  message.kind = 'delta';
  message.levels = updates;
  for (let row = 0; row < updates.side.length; row += LEVELS_PER_MESSAGE) {
    message.at = message.happenedAt = row;
    message.previousUpdate = message.lastUpdate;
    message.firstUpdate = message.lastUpdate + 1;
    message.lastUpdate += LEVELS_PER_MESSAGE;
    message.from = row;
    message.to = row + LEVELS_PER_MESSAGE;
    yield message;
  }
}

async function measureMessages(): Promise<readonly Figure[]> {
  const stream = bookStream(LEVELS);
  const timing = await repeated(() => {
    const sync = new BookSync(BINANCE_FUTURES_BOOK, Infinity);
    let sum = 0;
    for (const message of messagesOf(stream)) {
      if (sync.receive(message) !== 'applied') throw new Error('broken invariant: the stream has no gap');
      sum += sync.book?.imbalance(DEPTH) ?? NaN;
    }
    return sum;
  });
  return [rateOf(`messages of ${LEVELS_PER_MESSAGE} levels, checked, an imbalance after each`, LEVELS, 'levels/s', timing)];
}

async function measureTape(): Promise<readonly Figure[]> {
  const stream = bookStream(LEVELS);
  const out = new ByteWriter();
  const written = await repeated(() => {
    out.clear();
    for (const byte of bookTapeHeader()) out.byte(byte);
    const encoder = new BookTapeEncoder();
    for (const message of messagesOf(stream)) encoder.append(out, message);
  });
  const read = await repeated(() => {
    const reader = new BookTapeReader(out.view());
    while (reader.next() !== undefined);
    if (reader.isTorn) throw new Error('broken invariant: the tape was written whole');
  });
  const levels = LEVELS + stream.start.side.length;
  return [
    rateOf('onto a tape', levels, 'levels/s', written),
    rateOf('from a tape', levels, 'levels/s', read),
    { name: 'tape', value: out.length / levels, unit: 'bytes/level', better: 'less' },
  ];
}

async function measureBars(): Promise<readonly Figure[]> {
  const random = new Random(7);
  const at = new Float64Array(TRADES);
  const price = new Float64Array(TRADES);
  const quantity = new Float64Array(TRADES);
  for (let row = 0; row < TRADES; row++) {
    at[row] = (at[row - 1] ?? 0) + random.integer(100);
    price[row] = 60_000 + random.integer(1_000) / 10;
    quantity[row] = (random.integer(1_000) + 1) / 1_000;
  }
  const rules: readonly BarRule[] = [
    { by: 'time', spanMs: MINUTE_MS },
    { by: 'volume', quantity: 500 },
  ];
  const figures: Figure[] = [];
  for (const rule of rules) {
    const timing = await repeated(() => {
      let bars = 0;
      const builder = new BarBuilder(rule, () => bars++);
      for (let row = 0; row < TRADES; row++) {
        const time = at[row] ?? NaN;
        builder.push(time, time, price[row] ?? NaN, quantity[row] ?? NaN, 1);
      }
      return bars;
    });
    figures.push(rateOf(`bars by ${rule.by} from trades`, TRADES, 'trades/s', timing));
  }
  return figures;
}

async function repeated(work: () => unknown): Promise<Timing> {
  const timings: Timing[] = [];
  for (let repeat = -WARMUPS; repeat < REPEATS; repeat++) {
    const { timing } = await timed(work);
    if (repeat >= 0) timings.push(timing);
  }
  return medianOf(timings);
}

function rateOf(name: string, count: number, unit: string, timing: Timing): Figure {
  return { name, value: (count / ownMs(timing)) * 1000, unit, better: 'more', cpu: (count / timing.cpuMs) * 1000 };
}
