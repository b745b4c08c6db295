// The public streams: what each topic says next, made once for all who listen.
import { format } from '../../domain/decimal.ts';
import { SECOND_MS } from '../../domain/time.ts';
import type { Exchange } from './exchange.ts';
import type { Faults } from './faults.ts';
import type { Listing } from './listing.ts';
import { levelsOf } from './market-endpoints.ts';
import { isInterval, nextOpenOf, openOf } from './minute-series.ts';
import type { BookData, KlineData, LiquidationData, TradeData } from './wire.ts';

const DEPTHS = [1, 50, 200, 1_000];
/** Rows of one message. */
const MOST_TRADES = 1_024;
/** The best level is said again when nothing has changed for so long. */
const REPEATED_MS = 3 * SECOND_MS;
/** Tickers are said no more often. */
const TICKER_MS = 100;

/** Who can be told. */
export interface Listener {
  publish(topic: string, message: object): void;
}

interface Topic {
  readonly name: string;
  readonly listeners: Set<Listener>;
  /** What a new listener is told at once. */
  welcome(wallNow: number): object | undefined;
  /** What has happened since it was last asked. */
  next(wallNow: number): readonly object[];
  /** Of a book: the next message begins it anew. */
  restart?(): void;
}

export class PublicTopics {
  readonly #exchange: Exchange;
  readonly #faults: Faults;
  readonly #category: string;
  readonly #topics = new Map<string, Topic>();

  /** @param category of one that is not served there are none */
  constructor(exchange: Exchange, faults: Faults, category: string) {
    this.#category = category;
    this.#exchange = exchange;
    this.#faults = faults;
  }

  /** Whether there is such a topic. */
  has(name: string): boolean {
    return this.#topics.has(name) || this.#make(name) !== undefined;
  }

  subscribe(name: string, session: Listener, wallNow: number): void {
    const topic = this.#topics.get(name) ?? this.#make(name);
    if (topic === undefined || topic.listeners.has(session)) return;
    this.#topics.set(name, topic);
    const welcome = topic.welcome(wallNow);
    topic.listeners.add(session);
    if (welcome !== undefined) session.publish(name, welcome);
  }

  unsubscribe(name: string, session: Listener): void {
    const topic = this.#topics.get(name);
    topic?.listeners.delete(session);
    if (topic?.listeners.size === 0) this.#topics.delete(name);
  }

  leave(session: Listener): void {
    for (const name of this.#topics.keys()) this.unsubscribe(name, session);
  }

  publish(wallNow: number): void {
    for (const topic of this.#topics.values()) {
      const { name, listeners } = topic;
      for (const message of topic.next(wallNow)) {
        if ('type' in message && message.type === 'delta' && this.#faults.strikes(['drop-deltas'], name) !== undefined) continue;
        for (const session of listeners) session.publish(name, message);
      }
    }
  }

  /** Books begin anew: the service has restarted, or the instrument is not what it was. */
  restartBooks(): void {
    for (const topic of this.#topics.values()) topic.restart?.();
  }

  #make(name: string): Topic | undefined {
    const [stream = '', ...rest] = name.split('.');
    const symbol = rest.at(-1) ?? '';
    const listing = this.#exchange.listings.find((each) => each.symbol === symbol && each.category === this.#category);
    if (listing === undefined) return undefined;
    const [detail = ''] = rest;
    const exchange = this.#exchange;
    switch (stream) {
      case 'orderbook':
        return rest.length === 2 && DEPTHS.includes(Number(detail)) ? bookTopic(name, exchange, listing, Number(detail)) : undefined;
      case 'publicTrade':
        return rest.length === 1 ? tradeTopic(name, exchange, listing) : undefined;
      case 'tickers':
        return rest.length === 1 ? tickerTopic(name, exchange, listing) : undefined;
      case 'kline':
        return rest.length === 2 && isInterval(detail) ? klineTopic(name, exchange, listing, detail) : undefined;
      case 'allLiquidation':
        return rest.length === 1 && listing.category === 'linear' ? liquidationTopic(name, exchange, listing) : undefined;
      default:
        return undefined;
    }
  }
}

/** Levels of both sides by price. */
type View = readonly [bids: ReadonlyMap<string, string>, asks: ReadonlyMap<string, string>];

function bookTopic(name: string, exchange: Exchange, listing: Listing, depth: number): Topic {
  const look = (): View => [new Map(levelsOf(listing, 1, depth)), new Map(levelsOf(listing, -1, depth))];
  let view: View = look();
  // Any number above the 1 of a restart.
  let update = 2 + (exchange.now % 1_000_000);
  let saidAt = 0;
  let hasRestarted = false;
  const message = (type: 'snapshot' | 'delta', [bids, asks]: View): object => {
    const at = exchange.now;
    const data: BookData = { s: listing.symbol, b: [...bids], a: [...asks], u: update, seq: at };
    return { topic: name, type, ts: at, data, cts: at };
  };
  return {
    name,
    listeners: new Set(),
    restart() {
      hasRestarted = true;
    },
    welcome() {
      // Those who listen already have this view, and are told what changes from here.
      if (this.listeners.size === 0) view = look();
      return message('snapshot', view);
    },
    next(wallNow) {
      const seen = look();
      const changes: View = [changed(view[0], seen[0]), changed(view[1], seen[1])];
      const isSame = changes[0].size === 0 && changes[1].size === 0;
      view = seen;
      if (hasRestarted) {
        hasRestarted = false;
        update = 1;
        saidAt = wallNow;
        return [message('snapshot', view)];
      }
      if (isSame && (depth > 1 || wallNow - saidAt < REPEATED_MS)) return [];
      if (!isSame) update++;
      saidAt = wallNow;
      // The best level is always whole.
      return [depth === 1 ? message('snapshot', view) : message('delta', changes)];
    },
  };
}

/** What is new, and with a quantity of 0 what is gone. */
function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const changes = new Map<string, string>();
  for (const price of before.keys()) if (!after.has(price)) changes.set(price, '0');
  for (const [price, quantity] of after) if (before.get(price) !== quantity) changes.set(price, quantity);
  return changes;
}

function tradeTopic(name: string, exchange: Exchange, listing: Listing): Topic {
  let read = listing.tradeCount;
  return {
    name,
    listeners: new Set(),
    welcome: () => undefined,
    next() {
      const fresh = Math.min(listing.tradeCount - read, listing.trades.length);
      read = listing.tradeCount;
      if (fresh <= 0) return [];
      const rows = listing.trades.slice(-fresh).map(({ id, at, price, quantity, side, isUp, seq }): TradeData => ({
        T: at,
        s: listing.symbol,
        S: side,
        v: listing.quantityText(quantity),
        p: listing.priceText(price),
        L: isUp ? 'PlusTick' : 'MinusTick',
        i: id,
        BT: false,
        RPI: false,
        seq,
      }));
      const messages: object[] = [];
      for (let from = 0; from < rows.length; from += MOST_TRADES) {
        messages.push({ topic: name, type: 'snapshot', ts: exchange.now, data: rows.slice(from, from + MOST_TRADES) });
      }
      return messages;
    },
  };
}

function tickerTopic(name: string, exchange: Exchange, listing: Listing): Topic {
  const isSpot = listing.category === 'spot';
  const look = (): Readonly<Record<string, string>> => (isSpot ? listing.spotTicker(exchange.now) : listing.ticker(exchange.now));
  let ticker = look();
  let saidAt = 0;
  const message = (type: 'snapshot' | 'delta', data: object): object => ({ topic: name, type, data, cs: exchange.now, ts: exchange.now });
  return {
    name,
    listeners: new Set(),
    welcome() {
      if (this.listeners.size === 0) ticker = look();
      return message('snapshot', ticker);
    },
    next(wallNow) {
      if (wallNow - saidAt < TICKER_MS) return [];
      saidAt = wallNow;
      const seen = look();
      const changes = Object.fromEntries(Object.entries(seen).filter(([field, value]) => ticker[field] !== value));
      ticker = seen;
      if (Object.keys(changes).length === 0) return [];
      // Spot says all of it every time.
      return [isSpot ? message('snapshot', seen) : message('delta', { symbol: listing.symbol, ...changes })];
    },
  };
}

function klineTopic(name: string, exchange: Exchange, listing: Listing, interval: string): Topic {
  let openAt = openOf(interval, exchange.now);
  let said = '';
  const rowsFrom = (from: number): Omit<KlineData, 'timestamp'>[] =>
    listing.prices.bars(interval, from, exchange.now, 2, listing.forming).map((bar) => {
      const closesAt = nextOpenOf(interval, bar.openAt);
      return {
        start: bar.openAt,
        end: closesAt - 1,
        interval,
        open: listing.priceText(bar.open),
        close: listing.priceText(bar.close),
        high: listing.priceText(bar.high),
        low: listing.priceText(bar.low),
        volume: listing.quantityText(bar.volume),
        turnover: bar.turnover.toFixed(4),
        confirm: closesAt <= exchange.now,
      };
    });
  return {
    name,
    listeners: new Set(),
    welcome: () => undefined,
    next() {
      const rows = rowsFrom(openAt);
      const words = JSON.stringify(rows);
      if (words === said || rows.length === 0) return [];
      said = words;
      const now = exchange.now;
      openAt = openOf(interval, now);
      return rows.map((row) => {
        const data: KlineData[] = [{ ...row, timestamp: now }];
        return { topic: name, type: 'snapshot', ts: now, data };
      });
    },
  };
}

function liquidationTopic(name: string, exchange: Exchange, listing: Listing): Topic {
  let read = exchange.liquidations[listing.index]?.at(-1)?.number ?? 0;
  return {
    name,
    listeners: new Set(),
    welcome: () => undefined,
    next() {
      const fresh = (exchange.liquidations[listing.index] ?? []).filter(({ number }) => number > read);
      read = fresh.at(-1)?.number ?? read;
      const data = fresh.map(({ at, side, quantity, price }): LiquidationData => ({
        T: at,
        s: listing.symbol,
        S: side,
        v: format(quantity),
        p: format(price),
      }));
      return data.length === 0 ? [] : [{ topic: name, type: 'snapshot', ts: exchange.now, data }];
    },
  };
}
