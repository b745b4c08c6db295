// A market data server for the witnesses: it speaks docs/reference/feed.md over a WebSocket, in a process of its own, as badly as real ones do.
//   node test/support/feed-server.ts '{"seed":1,"symbols":["BTC/USDT"],…}'      prints its address, then one line for each client
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Program, seeded, startNode, until } from './run-app.ts';

export interface FeedPlan {
  readonly seed: number;
  readonly symbols: readonly string[];
  /** Bars of history that every client gets first. */
  readonly historyBars: number;
  /** Bars that come after it, each minute of the market in `paceMs` of the wall. */
  readonly bars: number;
  readonly paceMs: number;
  /** Sent late, twice, malformed and in bursts; the wire is cut now and then. */
  readonly isUnruly: boolean;
}

export const MINUTE_MS = 60_000;
export const START = Date.UTC(2025, 0, 6);

/** What no client should believe, sent in turn. */
const NONSENSE = [
  'not json at all',
  '[]',
  '{"kind":"bar.closed"}',
  '{"kind":"news.published","symbol":"BTC/USDT"}',
  '{"kind":"trade.printed","symbol":"NO/SUCH","happenedAt":1736121600000,"price":1,"quantity":1}',
  '{"kind":"trade.printed","symbol":"BTC/USDT","happenedAt":1736121600000,"price":null,"quantity":1}',
  '{"kind":"trade.printed","symbol":"BTC/USDT","happenedAt":1736121600000,"price":-1,"quantity":1}',
  '{"kind":"trade.printed","symbol":"BTC/USDT","happenedAt":1736121600000,"price":"87000","quantity":1}',
  '{"kind":"trade.printed","symbol":"BTC/USDT","happenedAt":1736121600000,"price":87000000000,"quantity":1}',
  '{"kind":"mark.changed","symbol":"BTC/USDT","happenedAt":1736121600000,"price":1e999}',
  '{"kind":"mark.changed","symbol":"BTC/USDT","happenedAt":9007199254740991,"price":100}',
  '{"kind":"mark.changed","symbol":"BTC/USDT","happenedAt":1736121600000000,"price":100}',
  '{"kind":"mark.changed","symbol":"BTC/USDT","happenedAt":4102444800000,"price":100}',
  '{"kind":"bar.closed","symbol":"BTC/USDT","openAt":1736121600001,"open":100,"high":101,"low":99,"close":100,"volume":1}',
  '{"kind":"bar.closed","symbol":"BTC/USDT","openAt":1736121600000,"open":100,"high":99,"low":101,"close":100,"volume":1}',
] as const;

interface Bar {
  readonly kind: 'bar.closed';
  readonly symbol: string;
  readonly openAt: number | string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly warmup?: true;
}

/** Starts the server as a process. */
export async function startFeedServer(plan: FeedPlan): Promise<{ readonly url: string; readonly program: Program }> {
  const program = startNode([import.meta.filename, JSON.stringify(plan)]);
  const address = /ws:\/\/127\.0\.0\.1:\d+/;
  await until('the feed server listens', () => address.test(program.said()));
  return { url: address.exec(program.said())?.[0] ?? '', program };
}

/** Bars of one symbol, oldest first: a walk that trends for hours and swings, so that there is something to trade. */
export function barsOf(
  seed: number,
  symbolIndex: number,
  count: number,
): { readonly openAt: number; readonly prices: readonly number[] }[] {
  const random = seeded(seed * 1_000 + symbolIndex);
  let close = 100 * (symbolIndex + 1);
  let drift = 0;
  return Array.from({ length: count }, (_, index) => {
    if (index % 97 === 0) drift = (random() - 0.5) * 0.0016;
    const open = close;
    close = open * (1 + drift + (random() - 0.5) * 0.002);
    const high = Math.max(open, close) * (1 + random() * 0.0005);
    const low = Math.min(open, close) * (1 - random() * 0.0005);
    return { openAt: START + index * MINUTE_MS, prices: [open, high, low, close] };
  });
}

const THE_END = '{"kind":"feed.ended"}';

class FeedServer {
  readonly #plan: FeedPlan;
  readonly #random: () => number;
  /** By minute: one bar of each symbol. */
  readonly #minutes: readonly (readonly Bar[])[];
  readonly #server: WebSocketServer;
  #client: WebSocket | undefined;
  /** Minutes that are over out there, whether somebody listens or not. */
  #now: number;
  #nonsense = 0;
  /** The market begins with its first client. */
  #isRunning = false;

  constructor(plan: FeedPlan) {
    this.#plan = plan;
    this.#random = seeded(plan.seed);
    const bySymbol = plan.symbols.map((_, index) => barsOf(plan.seed, index, plan.historyBars + plan.bars));
    this.#minutes = Array.from({ length: plan.historyBars + plan.bars }, (_, minute) =>
      plan.symbols.map((symbol, index): Bar => {
        const { openAt = 0, prices = [] } = bySymbol[index]?.[minute] ?? {};
        const [open = NaN, high = NaN, low = NaN, close = NaN] = prices;
        return { kind: 'bar.closed', symbol, openAt, open, high, low, close, volume: 10 };
      }),
    );
    this.#now = plan.historyBars;
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    this.#server.on('listening', () => {
      const address = this.#server.address();
      if (typeof address === 'object' && address !== null) console.error(`feed ${randomUUID()} at ws://127.0.0.1:${address.port}`);
    });
    this.#server.on('connection', (client) => this.#welcome(client));
  }

  #welcome(client: WebSocket): void {
    console.error(`client at minute ${this.#now}`);
    this.#client = client;
    // A client that is killed does not say goodbye.
    client.on('error', () => client.terminate());
    const { historyBars } = this.#plan;
    // Whoever dials gets the history: a session that was killed in the middle of it needs the rest.
    for (const bar of this.#minutes.slice(0, historyBars).flat()) client.send(JSON.stringify({ ...bar, warmup: true }));
    // What was sent to a client that was killed may never have been read.
    for (const bar of this.#minutes.slice(historyBars, this.#now).flat()) client.send(JSON.stringify(bar));
    // Whoever comes back after the end hears it too: the end may have been told to a client that was killed before it read it.
    if (this.#now >= this.#minutes.length) client.send(THE_END);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#next();
  }

  /** The market goes on, and sends what it says with delays of its own. */
  #next(): void {
    if (this.#now >= this.#minutes.length) {
      if (this.#client?.readyState === 1) this.#client.send(THE_END);
      return;
    }
    const burst = this.#plan.isUnruly && this.#random() < 0.05 ? 4 : 1;
    for (let count = 0; count < burst && this.#now < this.#minutes.length; count++) this.#minute();
    const jitter = this.#plan.isUnruly ? 2 * this.#random() : 1;
    setTimeout(() => this.#next(), this.#plan.paceMs * burst * jitter);
  }

  #minute(): void {
    const bars = this.#minutes[this.#now] ?? [];
    this.#now++;
    const client = this.#client;
    if (client?.readyState !== 1) return;
    for (const bar of bars) {
      const text = JSON.stringify(bar);
      // Two ways to write a time.
      client.send(this.#random() < 0.5 ? text : JSON.stringify({ ...bar, openAt: new Date(bar.openAt).toISOString() }));
      if (!this.#plan.isUnruly) continue;
      const luck = this.#random();
      if (luck < 0.1) client.send(text);
      else if (luck < 0.2) this.#sendTrade(client, bar);
      else if (luck < 0.25) setTimeout(() => client.send(text), 3 * this.#plan.paceMs);
      else if (luck < 0.3) client.send(NONSENSE[this.#nonsense++ % NONSENSE.length] ?? '');
      else if (luck < 0.31) client.send(new Uint8Array([1, 2, 3]));
    }
    if (!this.#plan.isUnruly) return;
    const luck = this.#random();
    if (luck < 0.004) client.close(1012, 'maintenance');
    else if (luck < 0.008) client.terminate();
  }

  #sendTrade(client: WebSocket, { symbol, openAt, close }: Bar): void {
    const happenedAt = Number(openAt) + MINUTE_MS - Math.floor(this.#random() * 3 * MINUTE_MS);
    client.send(JSON.stringify({ kind: 'trade.printed', symbol, happenedAt, price: close, quantity: 0.5 }));
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  void new FeedServer(JSON.parse(process.argv[2] ?? '{}') as FeedPlan);
}
