// A served venue with a price that a test sets, and unmodified clients that trade on it.
import { AssertionError } from 'node:assert';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RestClientV5, WebsocketAPIClient, WebsocketClient, type DefaultLogger } from 'bybit-api';
import type { pro } from 'ccxt';
import { systemTimers } from '../../src/app/system-timers.ts';
import { amount } from '../../src/domain/decimal.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import { Random } from '../../src/quant/random.ts';
import type { BybitVenue } from '../../src/venues/ccxt/bybit-venue.ts';
import { openBybitVenue } from '../../src/venues/ccxt/open-venue.ts';
import { Exchange, type ExchangeParts } from '../../src/venues/bybit-server/exchange.ts';
import { BybitServer } from '../../src/venues/bybit-server/server.ts';
import { holdPort, type Door } from '../../src/venues/bybit-server/transport.ts';
import { START_PRICES, steppedInstruments, SteppedMarket } from '../support/stepped-market.ts';

export const CAPITAL = 100_000;

export interface SteppedListing {
  readonly instruments: readonly Instrument[];
  readonly prices: readonly number[];
}

/** One server, and an account for every test. */
export class Bench {
  readonly stepped: SteppedMarket;
  readonly exchange: Exchange;
  readonly server: BybitServer;
  #served: Door | undefined;
  #given = 0;
  readonly #closers: (() => Promise<unknown> | void)[] = [];

  constructor(
    accounts: number,
    parts: Partial<Pick<ExchangeParts, 'rules' | 'slippageRatio'>> = {},
    { instruments, prices }: SteppedListing = { instruments: steppedInstruments(), prices: START_PRICES },
  ) {
    const now = Date.now();
    this.stepped = new SteppedMarket(instruments, now - 1_000, prices);
    this.exchange = new Exchange({
      market: this.stepped.market,
      accounts: Array.from({ length: accounts }, (_, index) => ({
        name: `account-${index + 1}`,
        uid: index + 1,
        key: `key-${index + 1}`,
        secret: `secret-${index + 1}`,
        capital: amount(String(CAPITAL)),
      })),
      from: now,
      seed: 1,
      slippageRatio: 0,
      rules: {},
      ...parts,
    });
    this.server = new BybitServer({ exchange: this.exchange, seed: 1, hasFaults: false });
  }

  async open(): Promise<void> {
    this.#served = await holdPort(0);
    this.#served.open(this.server, 1);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    await this.#served?.close();
  }

  get address(): string {
    if (this.#served === undefined) throw new Error('found a bench that is not open, expected open() before');
    return this.#served.address;
  }

  /** An account that nobody has used. */
  account(): { readonly key: string; readonly secret: string; readonly name: string } {
    const settings = this.exchange.accounts[this.#given++]?.settings;
    if (settings === undefined) throw new Error(`found ${this.#given - 1} accounts, expected one more`);
    return settings;
  }

  /** ccxt as docs/guides/simulate-venue.md says, REST and streams in one. */
  async ccxt(
    { key, secret }: { readonly key: string; readonly secret: string },
    types: readonly string[] = ['linear'],
  ): Promise<InstanceType<typeof pro.bybit>> {
    const Bybit = await ccxtBybit();
    const exchange = new Bybit(ccxtOptions(this.address, key, secret));
    Object.assign(exchange.options, { fetchMarkets: { types } });
    await exchange.loadHttpProxyAgent();
    await exchange.loadMarkets();
    this.#closers.push(() => exchange.close());
    return exchange;
  }

  /** ccxt as it comes: only the addresses are said, and it asks for everything that it does not know. */
  async ccxtAsItComes({ key, secret }: { readonly key: string; readonly secret: string }): Promise<InstanceType<typeof pro.bybit>> {
    const Bybit = await ccxtBybit();
    const { urls = {} } = ccxtOptions(this.address, key, secret) ?? {};
    const exchange = new Bybit({ apiKey: key, secret, urls });
    this.#closers.push(() => exchange.close());
    return exchange;
  }

  /** This project's own adapter, connected and reconciled. @param notices what it tells a person */
  async adapter(
    account: { readonly key: string; readonly secret: string },
    notices: string[] = [],
    orderEntry: 'rest' | 'socket' = 'rest',
  ): Promise<BybitVenue> {
    const controller = new AbortController();
    const venue = await openBybitVenue({
      site: 'main',
      environment: { BYBIT_API_KEY: account.key, BYBIT_API_SECRET: account.secret },
      address: this.address,
      instruments: this.stepped.market.instruments,
      timers: systemTimers,
      random: new Random(1),
      settings: { recvWindowMs: 2_000, propagationMs: 100, deadlineMs: 2_000, reconcileMs: 1_000, pingMs: 500, orderEntry },
      runId: 'own',
      // The market of these tests has a time of its own.
      since: 0,
      capital: amount('1000'),
      now: () => Date.now(),
      notBefore: () => 0,
      lastPrice: (instrument) => this.exchange.listings[instrument]?.last ?? NaN,
      disasterPrice: () => NaN,
      foreign: 'adopt',
      isGuarded: false,
      mayOpen: () => undefined,
      onNotice: (words) => notices.push(words),
      signal: controller.signal,
    });
    this.#closers.push(() => {
      venue.stop();
      controller.abort();
    });
    venue.start();
    await until('a reconciled venue', () => venue.isReconciled && (orderEntry === 'rest' || venue.hasOrderSocket), Boolean);
    return venue;
  }

  rest({ key, secret }: { readonly key: string; readonly secret: string }): RestClientV5 {
    return new RestClientV5({ key, secret, baseUrl: this.address, parseAPIRateLimits: true }, { timeout: 3_000 });
  }

  /** bybit-api's streams of one path. */
  socket(path: string, account?: { readonly key: string; readonly secret: string }): WebsocketClient {
    const keys = account === undefined ? {} : { key: account.key, secret: account.secret };
    const client = new WebsocketClient({ ...keys, wsUrl: `${this.address.replace('http', 'ws')}${path}` }, SILENT);
    client.on('exception', () => undefined);
    this.#closers.push(() => client.closeAll(true));
    return client;
  }

  tradeSocket({ key, secret }: { readonly key: string; readonly secret: string }): WebsocketAPIClient {
    const options = { key, secret, wsUrl: `${this.address.replace('http', 'ws')}/v5/trade`, attachEventListeners: false };
    const client = new WebsocketAPIClient(options, SILENT);
    this.#closers.push(() => client.getWSClient().closeAll(true));
    return client;
  }
}

/** ccxt's own file for Bybit, as it is: its front door loads a hundred exchanges more. */
async function ccxtBybit(): Promise<typeof pro.bybit> {
  const file = join(dirname(createRequire(import.meta.url).resolve('ccxt')), '..', 'js/src/pro/bybit.js');
  const module = (await import(pathToFileURL(file).href)) as { readonly default: typeof pro.bybit };
  return module.default;
}

const SILENT: DefaultLogger = { trace: () => undefined, info: () => undefined, error: () => undefined };

export function ccxtOptions(address: string, apiKey: string, secret: string): ConstructorParameters<typeof pro.bybit>[0] {
  const socket = address.replace('http', 'ws');
  const ofAccount = `${socket}/v5/private`;
  return {
    apiKey,
    secret,
    urls: {
      api: {
        public: address,
        private: address,
        ws: {
          public: {
            linear: `${socket}/v5/public/linear`,
            spot: `${socket}/v5/public/spot`,
            inverse: `${socket}/v5/public/inverse`,
            option: `${socket}/v5/public/option`,
          },
          private: {
            spot: { unified: ofAccount, nonUnified: ofAccount },
            contract: ofAccount,
            usdc: ofAccount,
            trade: `${socket}/v5/trade`,
          },
        },
      },
    },
    has: { fetchCurrencies: false },
    enableRateLimit: false,
    options: {
      fetchMarkets: { types: ['linear'] },
      defaultType: 'swap',
      enableUnifiedMargin: false,
      enableUnifiedAccount: true,
      unifiedMarginStatus: 6,
      adjustForTimeDifference: true,
      recvWindow: 5_000,
    },
  };
}

/** Waits until something is so. @throws after three seconds, with what it was */
export async function until<Value>(what: string, ask: () => Value | Promise<Value>, isSo: (value: Value) => boolean): Promise<Value> {
  const deadline = performance.now() + 3_000;
  for (;;) {
    const value = await ask();
    if (isSo(value)) return value;
    if (performance.now() > deadline) throw new Error(`found ${JSON.stringify(value)}, expected ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Two views are asked for one after the other, and the market goes on between: they must agree before long. @throws what they differed by */
export async function agree<Value>(compare: () => Promise<Value>, pauseMs = 25, withinMs = 3_000): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await compare();
    } catch (error) {
      if (!(error instanceof AssertionError) || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Keeps one watch going until the client is closed, and gathers what it says. */
export function gather<Row>(watch: () => Promise<readonly Row[]>): Row[] {
  const rows: Row[] = [];
  void (async () => {
    try {
      for (;;) rows.push(...structuredClone(await watch()));
    } catch (error) {
      if (!String(error).includes('closedByUser')) throw error;
    }
  })();
  return rows;
}
