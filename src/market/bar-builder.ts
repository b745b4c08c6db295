// Bars from trades, one trade at a time, in the order in which they became known.
//
// - A bar of time covers [open, open + span) of the venue's time; a trade at exactly a boundary opens the next bar. A bar is over when a
//   trade of a later bar arrives, or when the clock is said to have come so far: nothing else proves it.
// - A bar of trades, volume or turnover closes with the trade that fills it. A trade is never divided, and what it has too much is not
//   carried over, so the sum over bars is the sum over trades.
// - A late trade, of a bar of time that has been closed, changes nothing but the count of late trades and their volume: who has read a bar
//   has read it. One that is late within the forming bar is part of it; open and close follow the venue's time, and arrival where it is equal.
// - A span without a trade gives no bar, unless `flat` asks for one: the last close four times, volume 0.
// - The first bar holds what was seen of it: trades that came before the first one given are not in it. After a hole in the trades a new
//   builder begins: what was forming would be told as if it were whole, and flat bars as if nothing had been traded.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { assert } from '../domain/errors.ts';
import type { TimeMs } from '../domain/time.ts';

/**
 * When a bar is full. `volume` counts quantity, `turnover` price times quantity (dollar bars; of an inverse contract the quantity is the
 * turnover already).
 */
export type BarRule =
  | { readonly by: 'time'; readonly spanMs: TimeMs; readonly empty?: 'none' | 'flat' }
  | { readonly by: 'trades'; readonly count: number }
  | { readonly by: 'volume'; readonly quantity: number }
  | { readonly by: 'turnover'; readonly turnover: number };

/** A closed bar. Reused: copy what you keep. */
export interface TradeBar {
  /** By time: the boundary. Otherwise the venue's time of its first trade. */
  openAt: TimeMs;
  /** By time: the next boundary, which is not in it. Otherwise the venue's time of its last trade. */
  closeAt: TimeMs;
  /** When it was known to be over: never before `closeAt`. */
  at: TimeMs;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  /** Sum of price times quantity; by volume it is the average price. */
  turnover: number;
  /** Of the volume, what buyers took. */
  buyVolume: number;
  trades: number;
}

/** Ten times 0.1 is a little less than 1 in doubles, and fills a bar of 1 all the same. */
const ROUNDING_RATIO = 1e-12;

const FIELDS = ['openAt', 'closeAt', 'at', 'open', 'high', 'low', 'close', 'volume', 'turnover', 'buyVolume', 'trades'] as const;

export class BarBuilder implements Stateful {
  /** Trades of bars that were closed already, and their quantity: in no bar. */
  lateTrades = 0;
  lateVolume = 0;
  readonly #onBar: (bar: Readonly<TradeBar>) => void;
  /** NaN in a rule of time. */
  readonly #limit: number;
  readonly #measure: 'trades' | 'volume' | 'turnover';
  /** NaN in every rule but that of time. */
  readonly #spanMs: TimeMs;
  readonly #fillsEmpty: boolean;
  /** The forming bar; one without trades is none. It is what is handed over when it closes. */
  readonly #bar: TradeBar = {
    openAt: NaN,
    closeAt: NaN,
    at: NaN,
    open: NaN,
    high: NaN,
    low: NaN,
    close: NaN,
    volume: NaN,
    turnover: NaN,
    buyVolume: NaN,
    trades: 0,
  };
  /** The venue's times of the trades that are its open and its close. */
  #openedBy: TimeMs = NaN;
  #closedBy: TimeMs = NaN;
  /** By time: before it everything is closed, and the forming bar begins with it or later; NaN before there was a trade or a clock. */
  #closedUntil: TimeMs = NaN;
  #lastClose = NaN;

  /** @param onBar is handed each bar as it closes */
  constructor(rule: BarRule, onBar: (bar: Readonly<TradeBar>) => void) {
    this.#onBar = onBar;
    const limit =
      rule.by === 'time' ? rule.spanMs : rule.by === 'trades' ? rule.count : rule.by === 'volume' ? rule.quantity : rule.turnover;
    assert(limit > 0 && limit < Infinity, `bars by ${rule.by} have a size above 0`);
    this.#limit = rule.by === 'time' ? NaN : limit * (1 - ROUNDING_RATIO);
    this.#spanMs = rule.by === 'time' ? limit : NaN;
    this.#measure = rule.by === 'time' ? 'trades' : rule.by;
    this.#fillsEmpty = rule.by === 'time' && rule.empty === 'flat';
  }

  /**
   * Takes a trade. Price and quantity are above 0: whoever reads the wire refuses what is not.
   * @param at when it was known @param happenedAt the venue's time @param takerSide 1 bought, -1 sold
   */
  push(at: TimeMs, happenedAt: TimeMs, price: number, quantity: number, takerSide: number): void {
    assert(price > 0 && quantity > 0 && happenedAt < Infinity, 'a trade has a time, and a price and a quantity above 0');
    const bar = this.#bar;
    if (!Number.isNaN(this.#spanMs)) {
      if (happenedAt < this.#closedUntil) {
        this.lateTrades++;
        this.lateVolume += quantity;
        return;
      }
      if (bar.trades === 0 || happenedAt >= bar.closeAt) {
        const openAt = Math.floor(happenedAt / this.#spanMs) * this.#spanMs;
        this.#closeUntil(openAt, at);
        bar.openAt = openAt;
        bar.closeAt = openAt + this.#spanMs;
      }
    }
    if (bar.trades === 0) this.#begin(happenedAt, price);
    if (price > bar.high) bar.high = price;
    if (price < bar.low) bar.low = price;
    if (happenedAt < this.#openedBy) {
      this.#openedBy = happenedAt;
      bar.open = price;
    }
    if (happenedAt >= this.#closedBy) {
      this.#closedBy = happenedAt;
      bar.close = price;
    }
    bar.volume += quantity;
    bar.turnover += price * quantity;
    if (takerSide > 0) bar.buyVolume += quantity;
    bar.trades++;
    if (bar[this.#measure] >= this.#limit) this.#close(at);
  }

  /**
   * Nothing that happened before `until` will come any more: bars of time that end by then close. The one who says it decides how long a
   * trade may be on its way. Other bars do not close with time.
   */
  advance(until: TimeMs): void {
    if (!Number.isNaN(this.#spanMs)) this.#closeUntil(Math.floor(until / this.#spanMs) * this.#spanMs, until);
  }

  #begin(happenedAt: TimeMs, price: number): void {
    const bar = this.#bar;
    if (Number.isNaN(this.#spanMs)) bar.openAt = happenedAt;
    bar.open = price;
    bar.high = price;
    bar.low = price;
    bar.close = price;
    bar.volume = 0;
    bar.turnover = 0;
    bar.buyVolume = 0;
    this.#openedBy = happenedAt;
    this.#closedBy = happenedAt;
  }

  /** By time: closes the forming bar if it ends by the boundary, and fills up to it. */
  #closeUntil(boundary: TimeMs, at: TimeMs): void {
    const bar = this.#bar;
    if (bar.trades > 0 && bar.closeAt <= boundary) this.#close(at);
    if (bar.trades > 0 || !(boundary > this.#closedUntil || Number.isNaN(this.#closedUntil))) return;
    if (this.#fillsEmpty && !Number.isNaN(this.#lastClose)) {
      for (let openAt = this.#closedUntil; openAt < boundary; openAt += this.#spanMs) {
        this.#begin(openAt, this.#lastClose);
        bar.openAt = openAt;
        bar.closeAt = openAt + this.#spanMs;
        this.#close(at);
      }
    }
    this.#closedUntil = boundary;
  }

  #close(at: TimeMs): void {
    const bar = this.#bar;
    if (Number.isNaN(this.#spanMs)) bar.closeAt = this.#closedBy;
    else this.#closedUntil = bar.closeAt;
    bar.at = Math.max(at, bar.closeAt);
    this.#lastClose = bar.close;
    this.#onBar(bar);
    bar.trades = 0;
  }

  save(out: ByteWriter): void {
    for (const field of FIELDS) out.number(this.#bar[field]);
    for (const value of [this.#openedBy, this.#closedBy, this.#closedUntil, this.#lastClose, this.lateTrades, this.lateVolume]) {
      out.number(value);
    }
  }

  restore(from: ByteReader): void {
    for (const field of FIELDS) this.#bar[field] = from.number();
    this.#openedBy = from.number();
    this.#closedBy = from.number();
    this.#closedUntil = from.number();
    this.#lastClose = from.number();
    this.lateTrades = from.number();
    this.lateVolume = from.number();
  }
}
