// The one place that knows ccxt's files. Its entry loads a hundred venues and takes over a second; the file of one venue takes 0.2 s and half
// the memory. The package's `exports` name the entry alone, but bind names and not paths; its version is pinned to the digit.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Exchange } from 'ccxt';
import { BallastError } from '../../domain/errors.ts';
import type { Credentials, Site } from './credentials.ts';
import type { StreamAddresses } from './transport.ts';

export type ClientId = 'bybit' | 'binance';

/** What ccxt calls for every request; it reads status, headers and text of the answer. */
export type Fetch = (
  address: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly method?: string; readonly body?: string },
) => Promise<Response>;

export interface ClientOptions {
  readonly fetch: Fetch;
  /** Kinds of markets that are loaded, by ccxt's names. */
  readonly marketTypes: readonly ('spot' | 'linear')[];
  /** Takes the place of scheme and host of every address that ccxt knows; paths stay. */
  readonly address: string | undefined;
}

/** ccxt for one venue, without keys. It never waits, never retries and never times out: `fetch` does all that, and better. */
export async function loadClient(id: ClientId, { fetch, marketTypes, address }: ClientOptions, name: string = id): Promise<Exchange> {
  const entry = createRequire(import.meta.url).resolve('ccxt');
  const file = join(dirname(entry), '..', 'js', 'src', `${name}.js`);
  const { default: Client } = (await import(pathToFileURL(file).href)) as { readonly default: new (settings: object) => Exchange };
  const longestTimerMs = 2 ** 31 - 1;
  const client = new Client({
    fetchImplementation: fetch,
    enableRateLimit: false,
    timeout: longestTimerMs,
    // Currencies want a key.
    has: { fetchCurrencies: false },
    options: {
      fetchMarkets: { types: marketTypes },
      fetchMargins: false,
      // Where the time is asked for: Binance has a host for each.
      ...(marketTypes.includes('spot') ? { defaultType: 'spot' } : { defaultType: 'swap', defaultSubType: 'linear' }),
    },
  });
  if (address !== undefined) Object.assign(client.urls, { api: readdressed(client.urls['api'], address.replace(/\/+$/, '')) });
  return client;
}

export interface TraderOptions extends ClientOptions {
  /** Undefined where only what is public is asked for. */
  readonly credentials: Credentials | undefined;
  readonly site: Site;
  readonly recvWindowMs: number;
}

/** ccxt for its addresses and signatures; its sockets, its limiter and its timers are never used. And where the streams are. */
export async function loadBybitTrader(options: TraderOptions): Promise<{ readonly client: Exchange; readonly addresses: StreamAddresses }> {
  const { credentials, site, address } = options;
  // The pro file knows the streams' addresses too.
  const client = await loadClient('bybit', { ...options, address: undefined }, 'pro/bybit');
  if (credentials !== undefined) Object.assign(client, { apiKey: credentials.key, secret: credentials.secret });
  Object.assign(client.options, { recvWindow: options.recvWindowMs });
  if (site === 'testnet') client.setSandboxMode(true);
  if (site === 'demo') client.enableDemoTrading(true);
  if (address !== undefined) Object.assign(client.urls, { api: readdressed(client.urls['api'], address.replace(/\/+$/, '')) });
  const { ws } = client.urls['api'] as {
    readonly ws: {
      readonly private: Readonly<Record<'contract' | 'trade', string>>;
      readonly public: Readonly<Record<'linear' | 'spot', string>>;
    };
  };
  const whole = (url: string): string => client.implodeHostname(url).replace(/^http/, 'ws');
  const { contract, trade } = ws.private;
  const addresses = { linear: whole(ws.public.linear), spot: whole(ws.public.spot), private: whole(contract), trade: whole(trade) };
  return { client, addresses };
}

export interface AnyTraderOptions extends ClientOptions {
  readonly credentials: Credentials | undefined;
  /** `main` where it is not said. */
  readonly site?: Site | undefined;
  readonly recvWindowMs: number;
}

/** Any venue that ccxt knows, as ccxt trades it, with exact numbers: its sockets and its timers are never used. @throws BallastError VENUE_UNKNOWN, SITE_UNKNOWN */
export async function loadAnyTrader(exchange: string, options: AnyTraderOptions): Promise<Exchange> {
  let client: Exchange;
  try {
    if (!/^[a-z0-9]+$/.test(exchange)) throw new RangeError(`found ${JSON.stringify(exchange)}, expected an id of ccxt`);
    client = await loadClient('bybit', { ...options, address: undefined }, exchange);
  } catch (cause) {
    throw new BallastError({
      code: 'VENUE_UNKNOWN',
      place: 'exchange',
      found: JSON.stringify(exchange),
      expected: 'an id of ccxt, such as binance, binanceusdm, coinbase, kraken',
      cause,
      exitCode: 2,
    });
  }
  const { credentials, address, recvWindowMs, site = 'main' } = options;
  if (site !== 'main') enter(client, site);
  if (credentials !== undefined) Object.assign(client, { apiKey: credentials.key, secret: credentials.secret });
  Object.assign(client, { number: String, enableRateLimit: true });
  Object.assign(client.options, { recvWindow: recvWindowMs, warnOnFetchOpenOrdersWithoutSymbol: false, maxRetriesOnFailure: 0 });
  // By the older interface, which ccxt asks, nobody learns what orders have put aside.
  if (client.id === 'coinbase') Object.assign(client.options, { fetchBalance: 'v3PrivateGetBrokerageAccounts' });
  if (address !== undefined) Object.assign(client.urls, { api: readdressed(client.urls['api'], address.replace(/\/+$/, '')) });
  return client;
}

/** @throws BallastError SITE_UNKNOWN */
function enter(client: Exchange, site: Exclude<Site, 'main'>): void {
  const demo: unknown = Reflect.get(client, 'enableDemoTrading');
  if (site === 'testnet' && client.urls['test'] !== undefined) client.setSandboxMode(true);
  else if (site === 'demo' && typeof demo === 'function' && client.urls['demo'] !== undefined) Reflect.apply(demo, client, [true]);
  else {
    throw new BallastError({
      code: 'SITE_UNKNOWN',
      place: `--${site}`,
      found: `${client.id}, of which ccxt knows no ${site}`,
      expected: 'a venue that has one',
      remedy: 'leave it away for the real site, and begin with the smallest capital that the venue takes',
      exitCode: 2,
    });
  }
}

/** Every address within, at whatever depth, so that none is left that leads elsewhere. */
function readdressed(urls: unknown, address: string): unknown {
  if (typeof urls === 'string') return urls.replace(/^(https?|wss?):\/\/[^/]+/, address);
  if (typeof urls !== 'object' || urls === null) return urls;
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, readdressed(url, address)]));
}
