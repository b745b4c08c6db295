// A venue that says a thousand book updates a second, or ten thousand: the simulated Bybit with its accounts, orders and bars, whose books of
// 50 levels are replaced by ones that are made up here, at a rate that is asked for. Now and then a book leans, which is said in its frame.
import { createHash } from 'node:crypto';
import { amount, toNumber } from '../src/domain/decimal.ts';
import { MINUTE_MS, type TimeMs } from '../src/domain/time.ts';
import { loadConfig } from '../src/app/config.ts';
import { syntheticToServe } from '../src/app/served-market.ts';
import { rulesFrom } from '../src/app/session-parts.ts';
import { Random } from '../src/quant/random.ts';
import type { AccountSettings } from '../src/venues/bybit-server/account-surroundings.ts';
import { Exchange } from '../src/venues/bybit-server/exchange.ts';
import { BybitServer } from '../src/venues/bybit-server/server.ts';
import type { Session } from '../src/venues/bybit-server/session.ts';
import { holdPort } from '../src/venues/bybit-server/transport.ts';

/** All that the synthetic market has. */
export const SYMBOLS = ['BTC', 'ETH', 'SOL', 'XRP', 'LTC', 'DOGE', 'AVAX', 'ADA', 'LUNA', 'LINK'].map((base) => `${base}/USDT:USDT`);
export const CAPITAL = 1_000_000;
const LEVELS = 50;
/** Levels of each side that an ordinary update says anew. */
const CHANGED = 4;
/** Of a leaning side, at each of the best ten levels, over the other's. */
const LEAN = 9;
const LEANING_LEVELS = 10;
/** Updates leave in bunches this far apart, as a venue's do. */
const BUNCH_MS = 2;
/** An update is not owed for longer than this: a venue that was held up does not say everything at once. */
const MOST_OWED_MS = 100;
const HISTORY_MS = 30 * MINUTE_MS;

/** `at`: by the monotonic clock of the machine, milliseconds. The first field of a frame, and the second of one that leans. */
export const SENT = '{"sent":';
export const LEANS = ',"leans":';

/** The same in every process of a machine. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

interface Book {
  readonly symbol: string;
  readonly category: string;
  readonly topic: string;
  readonly bid: number;
  readonly tick: number;
  readonly decimals: number;
  update: number;
  /** 1 to the bids, -1 to the asks. */
  side: number;
  /** Its next update leans to the other side; 0, or the number of that. */
  leans: number;
  readonly listeners: Set<(text: string) => void>;
}

/** Market time can be moved on, so that nobody waits for the end of a minute. */
class HurriedExchange extends Exchange {
  #aheadMs = 0;

  override advance(to: TimeMs, most?: number): boolean {
    // It is called before its own fields are there, by the constructor that it extends.
    return super.advance(to + (#aheadMs in this ? this.#aheadMs : 0), most);
  }

  /** Almost to the end of the minute, whose bar closes then. */
  endMinute(): void {
    this.#aheadMs += Math.max(0, MINUTE_MS - (this.now % MINUTE_MS) - 200);
  }
}

interface Subscription {
  readonly op?: unknown;
  readonly args?: unknown;
}

export class BookVenue extends BybitServer {
  readonly #sends = new Map<Session, { readonly category: string; readonly send: (text: string) => void }>();
  readonly #books: readonly Book[];
  readonly #random = new Random(5);
  #next = 0;
  #leans = 0;
  sent = 0;

  constructor(exchange: Exchange) {
    super({ exchange, seed: 1, hasFaults: false });
    this.#books = exchange.listings.map((listing): Book => {
      const { symbol, category, instrument, last } = listing;
      const tick = toNumber(instrument.tick);
      const decimals = Math.max(0, Math.ceil(-Math.log10(tick)));
      return {
        symbol,
        category,
        topic: `orderbook.50.${symbol}`,
        bid: Math.floor(last / tick),
        tick,
        decimals,
        update: 0,
        side: -1,
        leans: 0,
        listeners: new Set(),
      };
    });
  }

  override connect(...[path, address, wire, wallNow]: Parameters<BybitServer['connect']>): ReturnType<BybitServer['connect']> {
    const session = super.connect(path, address, wire, wallNow);
    if (typeof session !== 'string') this.#sends.set(session, { category: path.split('/').at(-1) ?? '', send: (text) => wire.send(text) });
    return session;
  }

  override disconnected(session: Session, wallNow: number): void {
    const ears = this.#sends.get(session);
    if (ears !== undefined) for (const { listeners } of this.#books) listeners.delete(ears.send);
    this.#sends.delete(session);
    super.disconnected(session, wallNow);
  }

  override receive(session: Session, text: string, wallNow: number): void {
    const message = JSON.parse(text) as Subscription;
    const isSubscription = message.op === 'subscribe' || message.op === 'unsubscribe';
    const topics = isSubscription && Array.isArray(message.args) ? (message.args as readonly string[]) : [];
    const ears = this.#sends.get(session);
    const mine = this.#books.filter(({ topic, category }) => category === ears?.category && topics.includes(topic));
    if (ears === undefined || mine.length === 0) {
      super.receive(session, text, wallNow);
      return;
    }
    const theirs = topics.filter((topic) => !mine.some((book) => book.topic === topic));
    if (theirs.length > 0) super.receive(session, JSON.stringify({ ...message, args: theirs }), wallNow);
    const { send } = ears;
    for (const book of mine) {
      if (message.op === 'unsubscribe') book.listeners.delete(send);
      else {
        book.listeners.add(send);
        send(this.#frame(book, 'snapshot', LEVELS, 1, ''));
      }
    }
  }

  /** One update of the next book. */
  update(): void {
    const book = this.#books[this.#next++ % this.#books.length];
    if (book === undefined) return;
    book.update++;
    const { leans } = book;
    if (leans > 0) book.side = -book.side;
    book.leans = 0;
    const text =
      leans > 0 ? this.#frame(book, 'delta', LEANING_LEVELS, LEAN, `${LEANS}${leans}`) : this.#frame(book, 'delta', CHANGED, 1, '');
    this.#tell(book, text);
  }

  /**
   * The next book leans to the side to which it did not lean before, with its own next update and until its levels are said anew: a strategy that
   * smooths over a millisecond has forgotten the update before by then.
   */
  lean(): void {
    const book = this.#books[this.#leans++ % this.#books.length];
    if (book !== undefined) book.leans = this.#leans;
  }

  #tell(book: Book, text: string): void {
    for (const send of book.listeners) send(text);
    this.sent++;
  }

  #frame(book: Book, type: string, levels: number, lean: number, leans: string): string {
    const side = (direction: number): string => {
      const heavy = direction === book.side ? lean : 1;
      const best = direction > 0 ? book.bid : book.bid + 1;
      const rows: string[] = [];
      for (let level = 0; level < levels; level++) {
        const price = ((best - direction * level) * book.tick).toFixed(book.decimals);
        rows.push(`["${price}","${(heavy * (1 + 0.1 * this.#random.uniform())).toFixed(3)}"]`);
      }
      return `[${rows.join(',')}]`;
    };
    const { now } = this.exchange;
    const data = `{"s":"${book.symbol}","b":${side(1)},"a":${side(-1)},"u":${book.update},"seq":${book.update}}`;
    return `${SENT}${machineNow().toFixed(3)}${leans},"topic":"${book.topic}","type":"${type}","ts":${now},"data":${data},"cts":${now}}`;
  }
}

export interface OpenBookVenue {
  readonly address: string;
  readonly key: string;
  readonly secret: string;
  readonly venue: BookVenue;
  /** Updates a second, of all books together. */
  setRate(aSecond: number): void;
  endMinute(): void;
  close(): Promise<void>;
}

/** Listens on loopback. */
export async function openBookVenue(home: string, instruments: number): Promise<OpenBookVenue> {
  const door = await holdPort(0);
  const { market, from } = syntheticToServe({ seed: 3, symbols: SYMBOLS.slice(0, instruments), from: Date.now(), historyMs: HISTORY_MS });
  const { margin: _margin, ...rules } = rulesFrom(loadConfig({ home }).venue);
  const secretly = (what: string): string => createHash('sha256').update(`a venue of books, ${what}`).digest('hex');
  const account: AccountSettings = {
    name: 'account-1',
    uid: 100_000_001,
    key: secretly('key').slice(0, 18),
    secret: secretly('secret').slice(0, 36),
    capital: amount(String(CAPITAL)),
  };
  const exchange = new HurriedExchange({ market, accounts: [account], from, seed: 1, slippageRatio: 0, rules });
  const venue = new BookVenue(exchange);
  door.open(venue, 1);
  let rate = 0;
  let owedSince = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const owedMs = Math.min(now - owedSince, MOST_OWED_MS);
    const due = Math.floor((owedMs * rate) / 1_000);
    if (due === 0 && rate > 0 && owedMs < MOST_OWED_MS) return;
    // What is not whole yet is owed still.
    owedSince = rate > 0 ? now - (owedMs - (due * 1_000) / rate) : now;
    for (let index = 0; index < due; index++) venue.update();
  }, BUNCH_MS);
  return {
    address: door.address,
    key: account.key,
    secret: account.secret,
    venue,
    setRate(aSecond) {
      rate = aSecond;
      owedSince = performance.now();
    },
    endMinute: () => exchange.endMinute(),
    async close() {
      clearInterval(timer);
      await door.close();
    },
  };
}
