// The order book of one instrument: snapshots and deltas around the price, out of which the market's trades are taken.
//
// Between two trades the middle walks a Brownian bridge from one to the other; the touch follows it, levels that the price runs over are
// taken away, new ones are set before the others. Depth is a stock that fear takes at once and that comes back slowly. What is not
// modelled: single orders, queues, and any word of the book about where the price goes next.
import type { BookDeltaColumns, BookSnapshotColumns } from '../../domain/book.ts';
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { assert } from '../../domain/errors.ts';
import { MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import { portableExp, portableLog, Random } from '../../quant/random.ts';
import type { SyntheticAsset } from './assets.ts';
import { BAR_WIDTH, lifeOf, Model, pathOf, stepOf, type AssetPath, type Step } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import { checkBook, type BookParameters } from './parameters.ts';
import { REGIMES } from './regimes.ts';
import { TradePath } from './trades.ts';

/** The trades of a bar as the book saw them: the same as the market's, with the side that took. */
export interface BookTradeColumns {
  readonly at: Float64Array;
  /** Of the taker: 1 bought from the asks, -1 sold to the bids. */
  readonly side: Int8Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
  /** Id of the update after which the trade took: the price is then the best of the other side and holds at least the quantity. */
  readonly lastUpdate: Float64Array;
}

/** What happened to the book in one bar. Views of buffers that the next step reuses: copy what you keep. */
export interface BookStep {
  readonly openAt: TimeMs;
  /** The book at the bar's open; undefined where none is due. */
  readonly snapshot: BookSnapshotColumns | undefined;
  readonly deltas: BookDeltaColumns;
  readonly trades: BookTradeColumns;
}

/** How strongly depth answers to the factor's log volatility. */
export const DEPTH_ELASTICITY = 0.8;
/** Depth above this multiple of the usual is not reached, however calm it is. */
export const DEPTH_LIMIT = 1.5;
/** How strongly the spread answers to depth: a tenth of the depth is a spread six times as wide. */
export const SPREAD_ELASTICITY = 0.8;
/** Half-life in minutes with which depth goes. */
const FLIGHT_MINUTES = 1;
/** Each level behind the best holds so much more, as a ratio of the best. */
const DEEPER_RATIO = 0.2;
/** Levels of a side that an update changes without moving them. */
const STIRRED = 2;
/** Distance between two levels, in parts of the spread, on average. */
const GAP_RATIO = 0.3;

/** @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function syntheticBook(options: SyntheticMarketOptions, symbol: string): SyntheticBook {
  const checked = checkOptions({ ...options, assets: [symbol] });
  const [asset] = checked.assets;
  if (asset === undefined) throw new RangeError(`there was no asset ${symbol}, expected checkOptions to have refused it`);
  return new SyntheticBook(checked, asset);
}

/** The levels of one side, best last. A key is the tick on the bid's side and its negative on the ask's: the better, the larger. */
class Levels implements Stateful {
  readonly side: 1 | -1;
  readonly keys: Float64Array;
  readonly lots: Float64Array;
  count = 0;

  constructor(side: 1 | -1, capacity: number) {
    this.side = side;
    this.keys = new Float64Array(capacity);
    this.lots = new Float64Array(capacity);
  }

  get best(): number {
    return this.count === 0 ? -Infinity : (this.keys[this.count - 1] ?? NaN);
  }

  push(key: number, lots: number): void {
    this.keys[this.count] = key;
    this.lots[this.count++] = lots;
  }

  /** Takes the `count` worst away. */
  dropWorst(count: number): void {
    this.keys.copyWithin(0, count, this.count);
    this.lots.copyWithin(0, count, this.count);
    this.count -= count;
  }

  /** Behind all others. */
  pushWorst(key: number, lots: number): void {
    this.keys.copyWithin(1, 0, this.count);
    this.lots.copyWithin(1, 0, this.count);
    this.keys[0] = key;
    this.lots[0] = lots;
    this.count++;
  }

  save(out: ByteWriter): void {
    out.count(this.count);
    for (let level = 0; level < this.count; level++) {
      out.number(this.keys[level] ?? NaN);
      out.number(this.lots[level] ?? NaN);
    }
  }

  restore(from: ByteReader): void {
    this.count = from.count();
    for (let level = 0; level < this.count; level++) {
      this.keys[level] = from.number();
      this.lots[level] = from.number();
    }
  }
}

/** Rows of delta messages, in buffers that grow to the largest bar. */
class DeltaRows {
  #at = new Float64Array(1024);
  #first = new Float64Array(1024);
  #last = new Float64Array(1024);
  #side = new Int8Array(1024);
  #price = new Float64Array(1024);
  #quantity = new Float64Array(1024);
  count = 0;

  push(at: TimeMs, side: number, price: number, quantity: number): void {
    if (this.count === this.#at.length) this.#grow();
    const row = this.count++;
    this.#at[row] = at;
    this.#side[row] = side;
    this.#price[row] = price;
    this.#quantity[row] = quantity;
  }

  /** Makes one message of the rows from `start` on, with an id for each row. The id of the last is returned. */
  seal(start: number, lastBefore: number): number {
    const last = lastBefore + this.count - start;
    for (let row = start; row < this.count; row++) {
      this.#first[row] = lastBefore + 1;
      this.#last[row] = last;
    }
    return last;
  }

  columns(): BookDeltaColumns {
    const end = this.count;
    const at = this.#at.subarray(0, end);
    return {
      at,
      happenedAt: at,
      firstUpdate: this.#first.subarray(0, end),
      lastUpdate: this.#last.subarray(0, end),
      side: this.#side.subarray(0, end),
      price: this.#price.subarray(0, end),
      quantity: this.#quantity.subarray(0, end),
    };
  }

  #grow(): void {
    const wider = (column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.#at = wider(this.#at);
    this.#first = wider(this.#first);
    this.#last = wider(this.#last);
    this.#price = wider(this.#price);
    this.#quantity = wider(this.#quantity);
    const side = new Int8Array(this.#side.length * 2);
    side.set(this.#side);
    this.#side = side;
  }
}

/** One instrument's book, bar by bar, for ever or until it is delisted. Its trades are those of a market with the same options. */
export class SyntheticBook implements Stateful {
  readonly #model: Model;
  readonly #path: AssetPath;
  readonly #trades: TradePath | undefined;
  readonly #random: Random;
  readonly #parameters: BookParameters;
  readonly #startAt: TimeMs;
  readonly #timeframeMs: TimeMs;
  readonly #tick: Step;
  readonly #lot: Step;
  readonly #life: number;
  readonly #levelLots: number;
  readonly #crash: number;
  readonly #flightMemory: number;
  readonly #recoveryMemory: number;
  readonly #row = new Float64Array(BAR_WIDTH);
  readonly #rows = new DeltaRows();
  readonly #fresh: Float64Array;
  readonly #tradeColumns: BookTradeColumns;
  readonly #bids: Levels;
  readonly #asks: Levels;
  // State. NaN first, so that V8 keeps the fields as doubles.
  #bar = 0;
  #logDepth = NaN;
  #middle = NaN;
  #lastTicks = NaN;
  #lastSide: 1 | -1 = 1;
  #update = 0;
  // Of the bar that is being made.
  #levels = 0;
  #spread = NaN;
  #lotsOfBest = NaN;

  constructor(options: CheckedOptions, asset: SyntheticAsset) {
    const { seed, startAt, timeframeMs, tradesPerBar, book } = options;
    checkBook(book, timeframeMs);
    const { instrument } = asset;
    const root = new Random(seed);
    this.#model = new Model(options, [asset]);
    this.#path = pathOf(this.#model, instrument.symbol);
    this.#trades =
      tradesPerBar === 0 ? undefined : new TradePath(instrument, tradesPerBar, timeframeMs, root.fork(`trades ${instrument.symbol}`));
    this.#random = root.fork(`book ${instrument.symbol}`);
    this.#parameters = book;
    this.#startAt = startAt;
    this.#timeframeMs = timeframeMs;
    this.#tick = stepOf(instrument.tick);
    this.#lot = stepOf(instrument.lot);
    this.#life = lifeOf(asset, options);
    this.#levelLots = (asset.minuteVolume * book.levelMinutes * this.#lot.denominator) / this.#lot.numerator;
    this.#crash = REGIMES.findIndex(({ name }) => name === 'crash');
    const minutes = timeframeMs / MINUTE_MS;
    this.#flightMemory = portableExp((-minutes * Math.LN2) / FLIGHT_MINUTES);
    this.#recoveryMemory = portableExp((-minutes * Math.LN2) / book.recoveryMinutes);
    // One more than are ever kept: a trade may set one before the others.
    this.#bids = new Levels(1, book.levels + 1);
    this.#asks = new Levels(-1, book.levels + 1);
    this.#fresh = new Float64Array(book.levels + 1);
    const column = (): Float64Array => new Float64Array(tradesPerBar);
    this.#tradeColumns = { at: column(), side: new Int8Array(tradesPerBar), price: column(), quantity: column(), lastUpdate: column() };
    this.#logDepth = 0;
    this.#lastTicks = 0;
    this.#middle = 0;
  }

  /** How deep the book is, over what is usual: 1 in a market as volatile as usual, a few hundredths in a crash. */
  get depthRatio(): number {
    return portableExp(this.#logDepth);
  }

  /** The instrument was delisted: there is no further bar. */
  get ended(): boolean {
    return this.#bar >= this.#life;
  }

  /**
   * The book begins at this bar instead of the first, with its usual depth: up to there only the price is walked, which takes a hundredth of the
   * time. From its second hour on it is hardly another than one that began at the first bar. Before anything else, and only forwards.
   */
  beginAt(bar: number): void {
    assert(this.#isEmpty && bar >= this.#bar, 'a book that has begun goes on bar by bar');
    for (; this.#bar < bar && !this.ended; this.#bar++) this.#model.step(this.#row, 0);
  }

  get #isEmpty(): boolean {
    return this.#bids.count + this.#asks.count === 0;
  }

  /** Makes the book of the next bar. Not where it has ended. */
  step(): BookStep {
    assert(!this.ended, 'nobody asks for the book of a delisted instrument');
    const openAt = this.#startAt + this.#bar * this.#timeframeMs;
    this.#model.step(this.#row, 0);
    this.#random.seek(this.#bar);
    this.#rows.count = 0;
    this.#pace();
    const isFirst = this.#isEmpty;
    if (isFirst) this.#begin(openAt);
    const snapshot = isFirst || this.#bar % this.#parameters.snapshotBars === 0 ? this.#snapshot(openAt) : undefined;
    this.#walk(openAt);
    this.#bar++;
    return { openAt, snapshot, deltas: this.#rows.columns(), trades: this.#tradeColumns };
  }

  save(out: ByteWriter): void {
    this.#model.save(out);
    out.count(this.#bar);
    out.number(this.#logDepth);
    out.number(this.#middle);
    out.number(this.#lastTicks);
    out.flag(this.#lastSide === 1);
    out.count(this.#update);
    this.#bids.save(out);
    this.#asks.save(out);
  }

  /** Into a book of the same options and symbol. */
  restore(from: ByteReader): void {
    this.#model.restore(from);
    this.#bar = from.count();
    this.#logDepth = from.number();
    this.#middle = from.number();
    this.#lastTicks = from.number();
    this.#lastSide = from.flag() ? 1 : -1;
    this.#update = from.count();
    this.#bids.restore(from);
    this.#asks.restore(from);
  }

  /** Lets depth go or come back, and says what that makes of spread and levels in this bar. */
  #pace(): void {
    const { levels, spreadRatio, crashDepthRatio } = this.#parameters;
    const { logVolatility, regime } = this.#model.factor;
    let target = -DEPTH_ELASTICITY * logVolatility;
    if (regime === this.#crash) target += portableLog(crashDepthRatio);
    target = Math.min(target, portableLog(DEPTH_LIMIT));
    const memory = target < this.#logDepth ? this.#flightMemory : this.#recoveryMemory;
    this.#logDepth = target + (this.#logDepth - target) * memory;
    const depth = portableExp(this.#logDepth);
    this.#levels = Math.max(2, Math.round(levels * Math.min(1, Math.sqrt(depth))));
    this.#spread = (spreadRatio * this.#ticks(this.#row[0])) / portableExp(SPREAD_ELASTICITY * this.#logDepth);
    this.#lotsOfBest = this.#levelLots * depth;
  }

  /** The first book, before any update. */
  #begin(openAt: TimeMs): void {
    this.#middle = this.#ticks(this.#row[0]);
    this.#lastTicks = this.#middle;
    this.#quote(openAt);
    // It is in the snapshot.
    this.#rows.count = 0;
    this.#update = 0;
  }

  /** Updates at their rate, trades at their times. */
  #walk(openAt: TimeMs): void {
    const { updateMs } = this.#parameters;
    const updates = Math.max(1, Math.floor(this.#timeframeMs / updateMs));
    const times = this.#trades?.times;
    const trades = times?.length ?? 0;
    this.#trades?.draw(this.#bar, this.#row, 0);
    const high = this.#ticks(this.#row[1]);
    const low = this.#ticks(this.#row[2]);
    const close = this.#ticks(this.#row[3]);
    const deviation = this.#path.deviation * this.#ticks(this.#row[0]);
    const variance = (deviation * deviation) / this.#timeframeMs;
    let trade = 0;
    let now = 0;
    for (let update = 1; update <= updates; update++) {
      const due = Math.min(update * updateMs, this.#timeframeMs);
      for (; trade < trades && (times?.[trade] ?? NaN) <= due; trade++) {
        now = times?.[trade] ?? NaN;
        this.#trade(openAt + now, trade);
      }
      // Towards the next trade, or the close where none is left: exactly there when the time has come.
      const until = trade < trades ? (times?.[trade] ?? NaN) : this.#timeframeMs;
      const goal = trade < trades ? this.#ticks(this.#trades?.prices[trade]) : close;
      const rest = until - now;
      if (rest > 0) {
        const passed = due - now;
        const noise = Math.sqrt((variance * passed * (until - due)) / rest) * this.#random.normal();
        this.#middle += ((goal - this.#middle) * passed) / rest + noise;
        this.#middle = Math.min(high, Math.max(low, this.#middle));
      }
      now = due;
      this.#quote(openAt + now);
    }
    // After the last update of a bar that is no multiple of them.
    for (; trade < trades; trade++) this.#trade(openAt + (times?.[trade] ?? NaN), trade);
  }

  /** One message that brings the touch to the middle, and a few levels that change where they are. */
  #quote(at: TimeMs): void {
    const spread = Math.max(1, Math.round(this.#spread * (0.6 + 0.8 * this.#random.uniform())));
    const bid = Math.max(1, Math.round(this.#middle - spread / 2));
    this.#move(at, bid, bid + spread, STIRRED, 0, 0);
  }

  /** Two messages: what rests comes to the price, as much as is wanted; and the trade takes it. */
  #trade(at: TimeMs, trade: number): void {
    const price = this.#trades?.prices[trade] ?? NaN;
    const quantity = this.#trades?.quantities[trade] ?? NaN;
    const ticks = this.#ticks(price);
    const lots = Math.round((quantity * this.#lot.denominator) / this.#lot.numerator);
    if (ticks !== this.#lastTicks) this.#lastSide = ticks > this.#lastTicks ? 1 : -1;
    this.#lastTicks = ticks;
    const spread = Math.max(1, Math.round(this.#spread));
    const isBuy = this.#lastSide === 1;
    const bid = isBuy ? Math.max(1, ticks - spread) : ticks;
    const ask = isBuy ? ticks : ticks + spread;
    this.#middle = (bid + ask) / 2;
    this.#move(at, bid, ask, 0, isBuy ? 0 : lots, isBuy ? lots : 0);

    const { at: times, side: sides, price: prices, quantity: quantities, lastUpdate } = this.#tradeColumns;
    times[trade] = at;
    sides[trade] = this.#lastSide;
    prices[trade] = price;
    quantities[trade] = quantity;
    lastUpdate[trade] = this.#update;

    const side = isBuy ? this.#asks : this.#bids;
    const best = side.count - 1;
    const left = (side.lots[best] ?? NaN) - lots;
    const start = this.#rows.count;
    this.#write(at, side, best, left);
    if (left > 0) side.lots[best] = left;
    else side.count--;
    this.#update = this.#rows.seal(start, this.#update);
  }

  /**
   * Bids up to `bid` and asks from `ask` on, with at least so many lots there. What is in the way is removed before anything is set, so
   * that the book is not crossed after any single row either; no level has two rows.
   */
  #move(at: TimeMs, bid: number, ask: number, stirred: number, bidLots: number, askLots: number): void {
    const start = this.#rows.count;
    this.#cut(at, this.#bids, bid);
    this.#cut(at, this.#asks, -ask);
    this.#fill(at, this.#bids, bid, stirred, bidLots);
    this.#fill(at, this.#asks, -ask, stirred, askLots);
    this.#update = this.#rows.seal(start, this.#update);
  }

  #cut(at: TimeMs, side: Levels, best: number): void {
    for (; side.best > best; side.count--) this.#write(at, side, side.count - 1, 0);
  }

  #fill(at: TimeMs, side: Levels, best: number, stirred: number, leastLots: number): void {
    const fresh = this.#fresh;
    const nearest = side.best;
    // The new levels from the best on, as far as the nearest that is there.
    let count = 0;
    for (let key = best; key > nearest && count < this.#levels && this.#isPrice(side, key); key -= this.#gap()) fresh[count++] = key;

    const excess = Math.min(side.count, Math.max(0, side.count + count - this.#levels));
    for (let level = 0; level < excess; level++) this.#write(at, side, level, 0);
    if (excess > 0) side.dropWorst(excess);

    for (let stir = 0; stir < stirred && side.count > 0; stir++) {
      // From equal parts of the side, so that none is changed twice.
      const first = Math.floor((stir * side.count) / stirred);
      const width = Math.floor(((stir + 1) * side.count) / stirred) - first;
      if (width === 0) continue;
      const level = first + Math.floor(this.#random.uniform() * width);
      const lots = this.#draw(count + side.count - 1 - level);
      side.lots[level] = lots;
      this.#write(at, side, level, lots);
    }
    if (count === 0 && side.count > 0 && (side.lots[side.count - 1] ?? NaN) < leastLots) {
      const lots = leastLots + this.#draw(0);
      side.lots[side.count - 1] = lots;
      this.#write(at, side, side.count - 1, lots);
    }
    while (count > 0) {
      const lots = this.#draw(--count) + (count === 0 ? leastLots : 0);
      side.push(fresh[count] ?? NaN, lots);
      this.#write(at, side, side.count - 1, lots);
    }
    // Depth that comes back does so at the far end.
    for (let key = (side.keys[0] ?? NaN) - this.#gap(); side.count < this.#levels && this.#isPrice(side, key); key -= this.#gap()) {
      const lots = this.#draw(side.count);
      side.pushWorst(key, lots);
      this.#write(at, side, 0, lots);
    }
  }

  /** Lots of a level `place` behind the best: exponential about its mean, at least one. */
  #draw(place: number): number {
    const mean = this.#lotsOfBest * (1 + DEEPER_RATIO * place);
    return Math.max(1, Math.round(-mean * portableLog(this.#random.openUniform())));
  }

  /** Ticks between two levels. */
  #gap(): number {
    return 1 + Math.floor(2 * GAP_RATIO * this.#spread * this.#random.uniform());
  }

  #isPrice(side: Levels, key: number): boolean {
    return key * side.side >= 1;
  }

  #write(at: TimeMs, side: Levels, level: number, lots: number): void {
    const ticks = (side.keys[level] ?? NaN) * side.side;
    const price = (ticks * this.#tick.numerator) / this.#tick.denominator;
    this.#rows.push(at, side.side, price, (lots * this.#lot.numerator) / this.#lot.denominator);
  }

  #snapshot(openAt: TimeMs): BookSnapshotColumns {
    const count = this.#bids.count + this.#asks.count;
    const at = new Float64Array(count).fill(openAt);
    const side = new Int8Array(count);
    const price = new Float64Array(count);
    const quantity = new Float64Array(count);
    let row = 0;
    for (const levels of [this.#bids, this.#asks]) {
      for (let level = levels.count - 1; level >= 0; level--, row++) {
        side[row] = levels.side;
        price[row] = ((levels.keys[level] ?? NaN) * levels.side * this.#tick.numerator) / this.#tick.denominator;
        quantity[row] = ((levels.lots[level] ?? NaN) * this.#lot.numerator) / this.#lot.denominator;
      }
    }
    return { at, happenedAt: at, lastUpdate: new Float64Array(count).fill(this.#update), side, price, quantity };
  }

  #ticks(price: number | undefined): number {
    return Math.round(((price ?? NaN) * this.#tick.denominator) / this.#tick.numerator);
  }
}
