// Any venue that ccxt knows, ready to be started: its file is loaded, keys are read from the environment, and instruments are as it lists them now.
import type { Exchange, MarketInterface as Market } from 'ccxt';
import { amountFrom, priceFrom, quantityFrom, ZERO_PRICE, ZERO_QUANTITY, type Quantity } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { CcxtVenue, defaultCcxtVenueSettings, type CcxtListed, type CcxtVenueParts, type CcxtVenueSettings } from './ccxt-venue.ts';
import { CcxtMarket, type CcxtMarketParts } from './ccxt-market.ts';
import { loadAnyTrader } from './client.ts';
import { anyCredentialsFrom, redactor, type Site } from './credentials.ts';
import { fetchWhole } from './transport.ts';

export interface OpenCcxtVenueOptions extends Omit<CcxtVenueParts, 'listed' | 'client' | 'settings' | 'redact' | 'onStop'> {
  /** ccxt's id: `binance`, `binanceusdm`, `coinbase`, … */
  readonly exchange: string;
  /** Where keys are looked for: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Instead of the venue's own: a server on this machine. */
  readonly address: string | undefined;
  readonly site?: Site | undefined;
  readonly settings?: Partial<CcxtVenueSettings>;
  readonly signal: AbortSignal;
}

/** Conditional orders of Binance's futures are `algoOrder`s since the end of 2025, which ccxt's table of features does not say. */
const HAS_ALGO_ORDERS = /^binance(usdm)?$/;
/** An address that was banned is left alone for so long where the venue does not say. */
const BAN_MS = 10 * MINUTE_MS;
const LIMITED_MS = 5 * SECOND_MS;
const MOST_LISTINGS = 4;
const PAGE_FILLS = 100;
/** Coinbase says the newest first: what does not fit into a page is older. */
const COINBASE_FILLS = 3_000;

/** @throws BallastError VENUE_UNKNOWN, CREDENTIALS_MISSING, SYMBOL_UNLISTED, VENUE_UNREACHABLE */
export async function openCcxtVenue(options: OpenCcxtVenueOptions): Promise<CcxtVenue> {
  const { exchange, environment, address, site, settings: asked, signal, ...parts } = options;
  const settings = { ...defaultCcxtVenueSettings, ...asked };
  const credentials = anyCredentialsFrom(environment, exchange, site);
  const end = new AbortController();
  const frozen = { by: (_ms: number): void => undefined };
  const client = await loadAnyTrader(exchange, {
    credentials,
    address,
    site,
    recvWindowMs: settings.recvWindowMs,
    marketTypes: [...new Set(parts.instruments.map(({ kind }) => kind))],
    fetch: async (url, { headers, method = 'GET', body }) => {
      const limits = AbortSignal.any([signal, end.signal]);
      const answer = await fetchWhole(new URL(url), headers, settings.deadlineMs, limits, { method, body });
      const pauseMs = pauseOf(answer.status, answer.headers);
      if (pauseMs !== undefined) frozen.by(pauseMs);
      return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: answer.headers });
    },
  });
  const redact = redactor(credentials);
  const listed = await listedOf(client, parts.instruments, { ...parts, redact });
  const venue = new CcxtVenue({ ...parts, listed, client, settings, redact, onStop: () => end.abort() });
  frozen.by = (ms) => venue.freeze(ms);
  return venue;
}

function pauseOf(status: number, headers: Headers): number | undefined {
  if (status !== 429 && status !== 418 && status !== 403) return undefined;
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return seconds >= 0 ? seconds * SECOND_MS : status === 429 ? LIMITED_MS : BAN_MS;
}

interface Listing {
  /** Of words. */
  readonly redact: (words: string) => string;
  readonly timers: Timers;
  /** Of pauses. */
  readonly random: Random;
}

/** What of them a venue lists, with everything that an order must heed. @throws BallastError SYMBOL_UNLISTED, VENUE_UNREACHABLE, VENUE_ANSWER_MALFORMED */
export async function listedOf(
  client: Exchange,
  instruments: readonly Pick<Instrument, 'symbol' | 'kind'>[],
  { redact, timers, random }: Listing,
): Promise<readonly CcxtListed[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      // Once it has failed, ccxt says so for ever unless it is told to ask anew.
      await client.loadMarkets(attempt > 1);
      break;
    } catch (error) {
      const judged = judgeFailure(error, redact);
      if (judged.kind !== 'unknown' || attempt === MOST_LISTINGS) {
        // The error itself stays here: what ccxt writes into it is not ours to look through.
        throw new BallastError({
          code: 'VENUE_UNREACHABLE',
          place: client.id,
          found: 'words' in judged ? judged.words : judged.kind,
          expected: 'the list of its markets',
        });
      }
      await timers.sleep(pauseAfter(attempt, random));
    }
  }
  return instruments.map((instrument, index) => listing(client, instrument, index));
}

function listing(client: Exchange, { symbol, kind }: Pick<Instrument, 'symbol' | 'kind'>, instrument: number): CcxtListed {
  const place = `${client.id} ${symbol}`;
  if (!Object.keys(client.markets ?? {}).includes(symbol)) {
    throw new BallastError({ code: 'SYMBOL_UNLISTED', place, found: 'no such market', expected: `a market of ${client.id}`, exitCode: 2 });
  }
  const market: Market = client.market(symbol);
  const { precision, limits, contractSize, active } = market;
  const size = quantityOf(kind === 'spot' ? 1 : (contractSize ?? 1));
  const inBase = (contracts: unknown): Quantity => quantityOf(Number(contracts ?? 0) * Number(contractSize ?? 1));
  const [tick, lot] = [Number(precision.price), Number(precision.amount)];
  if (!(tick > 0) || !(lot > 0)) {
    throw new BallastError({
      code: 'VENUE_ANSWER_MALFORMED',
      place,
      found: `price steps of ${precision.price} and lots of ${precision.amount}`,
      expected: 'numbers above 0',
    });
  }
  const has = (method: string, parameter: string): boolean => client.featureValue(symbol, method, parameter) === true;
  return {
    instrument,
    category: kind,
    symbol: market.id ?? symbol,
    unified: symbol,
    isTrading: active !== false,
    tick: priceFrom(tick, ZERO_PRICE, 'nearest'),
    lot: inBase(lot),
    budgetStep: amountFrom(0.01),
    minimumQuantity: inBase(limits.amount?.min),
    minimumNotional: amountFrom(Number(limits.cost?.min ?? 0)),
    mostQuantity: inBase(limits.amount?.max),
    mostMarketQuantity: inBase(limits.market?.max),
    contractSize: size,
    // Coinbase has none but with a limit, which may not be reached.
    hasStops: client.id !== 'coinbase' && (has('createOrder', 'stopLossPrice') || has('createOrder', 'triggerPrice')),
    linkParameter: client.id === 'coinbase' ? 'client_order_id' : 'clientOrderId',
    buysByCost: client.id === 'coinbase' && kind === 'spot',
    tradesPage: client.id === 'coinbase' ? COINBASE_FILLS : PAGE_FILLS,
    hasOwnTriggerLists: has('fetchOpenOrders', 'trigger') || (kind === 'linear' && HAS_ALGO_ORDERS.test(client.id)),
  };
}

function quantityOf(number: unknown): Quantity {
  return quantityFrom(Number(number), ZERO_QUANTITY, 'nearest');
}

export interface OpenCcxtMarketOptions extends Omit<CcxtMarketParts, 'client'> {
  readonly exchange: string;
  readonly site?: Site | undefined;
  readonly address: string | undefined;
  /** For one request and its whole answer. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** No key is needed, and none is read. @throws BallastError VENUE_UNKNOWN, SYMBOL_UNLISTED, VENUE_UNREACHABLE */
export async function openCcxtMarket({
  exchange,
  site,
  address,
  deadlineMs,
  signal,
  ...parts
}: OpenCcxtMarketOptions): Promise<CcxtMarket> {
  const client = await loadAnyTrader(exchange, {
    credentials: undefined,
    site,
    address,
    recvWindowMs: defaultCcxtVenueSettings.recvWindowMs,
    marketTypes: [...new Set(parts.instruments.map(({ kind }) => kind))],
    fetch: async (url, { headers, method = 'GET', body }) => {
      const answer = await fetchWhole(new URL(url), headers, deadlineMs, signal, { method, body });
      return new Response(answer.body === '' ? null : answer.body, { status: answer.status, headers: answer.headers });
    },
  });
  await listedOf(client, parts.instruments, { ...parts, redact: (words) => words });
  return new CcxtMarket({ ...parts, client });
}
