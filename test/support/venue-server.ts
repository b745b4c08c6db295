// The public history of Bybit (V5) and Binance (spot, USDT-margined futures) as their documentation has it: paths, parameters, shapes, order,
// limits, headers and codes, with bars of its own making. What no reader of prices asks for is not there. On demand it misbehaves.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import type { BarColumns } from '../../src/domain/bars.ts';

export interface ServedMarket {
  /** The venue's own spelling: BTCUSDT. */
  readonly id: string;
  readonly base: string;
  readonly kind: 'spot' | 'linear';
  /** Bars of minutes that open from here on, and before the other. */
  readonly listedAt: number;
  readonly delistedAt?: number;
  /** Minutes in which nothing was traded, so that there is no bar: from inclusive, to exclusive. */
  readonly outages?: readonly (readonly [fromMs: number, toMs: number])[];
}

export interface ServerPlan {
  readonly markets: readonly ServedMarket[];
  /** What time it is at the venue. */
  readonly now: () => number;
  /** Milliseconds by which requests are counted against the limits. */
  readonly clock: () => number;
}

export interface ServedRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly isForBars: boolean;
}

/** Instead of the answer. */
export type Fault =
  /** The connection is cut before an answer. */
  | 'reset'
  /** The first half of the answer, with the length of a half: a whole HTTP answer, and no JSON. */
  | 'truncated'
  /** Headers and half a body, and then nothing. */
  | 'stalled'
  /** A lawful answer without a bar. */
  | 'empty'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** HTTP 200 with a code, as Bybit does. */
  | { readonly retCode: number; readonly words: string };

interface Bar {
  readonly openAt: number;
  readonly texts: readonly [open: string, high: string, low: string, close: string, volume: string];
}

/** Where the venues put their words. */
const BYBIT_WORDS = 'retMsg';
const BINANCE_WORDS = 'msg';

const BYBIT_SPANS: Readonly<Record<string, number>> = { '1': MINUTE_MS, '5': 5 * MINUTE_MS, '60': HOUR_MS, D: DAY_MS };
const BINANCE_SPANS: Readonly<Record<string, number>> = { '1m': MINUTE_MS, '5m': 5 * MINUTE_MS, '1h': HOUR_MS, '1d': DAY_MS };

export class VenueServer {
  readonly requests: ServedRequest[] = [];
  /** Requests that were over a limit: a client that behaves never makes one. */
  overLimit = 0;
  /** Asked before every answer. */
  fault: (request: ServedRequest) => Fault | undefined = () => undefined;
  /** What the venue says now of a minute that it told otherwise before; by `id openAt`. */
  readonly corrections = new Map<string, Bar['texts']>();
  readonly #plan: ServerPlan;
  readonly #server: Server;
  /** When Bybit's last requests came, and what Binance counted in which minute. */
  #times: number[] = [];
  readonly #used = new Map<string, { minute: number; weight: number }>();

  constructor(plan: ServerPlan) {
    this.#plan = plan;
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.address;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** How many requests for bars came since the list was last emptied. */
  get barRequests(): number {
    return this.requests.filter(({ isForBars }) => isForBars).length;
  }

  /** Every minute of a range that the venue has, as columns. */
  truth(id: string, kind: ServedMarket['kind'], fromMs: number, toMs: number): BarColumns {
    const market = this.#plan.markets.find((each) => each.id === id && each.kind === kind);
    if (market === undefined) throw new Error(`no market ${kind} ${id}`);
    const bars: Bar[] = [];
    for (let at = fromMs; at < toMs; at += MINUTE_MS) {
      const bar = this.#bar(market, at, MINUTE_MS);
      if (bar !== undefined) bars.push(bar);
    }
    const column = (index: number): Float64Array => Float64Array.from(bars, ({ texts }) => Number(texts[index]));
    return {
      openAt: Float64Array.from(bars, ({ openAt }) => openAt),
      open: column(0),
      high: column(1),
      low: column(2),
      close: column(3),
      volume: column(4),
    };
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://venue');
    const served = { path: url.pathname, query: url.searchParams, isForBars: /kline/.test(url.pathname) };
    this.requests.push(served);
    const fault = this.fault(served);
    if (fault === 'reset') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      return;
    }
    const isBybit = url.pathname.startsWith('/v5/');
    const limited = isBybit ? this.#bybitLimit(response) : this.#binanceLimit(url, response);
    if (limited) return;
    const answer = isBybit ? this.#bybit(url, fault) : this.#binance(url, fault);
    const text = JSON.stringify(answer.json);
    const half = text.slice(0, text.length / 2);
    const type = { 'content-type': 'application/json' };
    if (fault === 'truncated') response.writeHead(200, type).end(half);
    else if (fault === 'stalled') response.writeHead(200, { ...type, 'content-length': text.length }).write(half);
    else response.writeHead(answer.status, type).end(text);
  }

  // ---- Bybit

  /** 600 requests of an address in any five seconds. */
  #bybitLimit(response: ServerResponse): boolean {
    const now = this.#plan.clock();
    this.#times = [...this.#times.filter((at) => at > now - 5 * SECOND_MS), now];
    if (this.#times.length <= 600) return false;
    this.overLimit++;
    if (this.#times.length > 1_200) response.writeHead(403).end('403, access too frequent');
    else response.writeHead(200).end(JSON.stringify(this.#envelope(10018, 'Exceeded the IP Rate Limit.', {})));
    return true;
  }

  #envelope(retCode: number, words: string, result: object): object {
    return { retCode, [BYBIT_WORDS]: words, result, retExtInfo: {}, time: this.#plan.now() };
  }

  #bybit({ pathname, searchParams: query }: URL, fault: Fault | undefined): { status: number; json: object } {
    const ok = (result: object): { status: number; json: object } => ({ status: 200, json: this.#envelope(0, 'OK', result) });
    const refused = (retCode: number, words: string): { status: number; json: object } => ({
      status: 200,
      json: this.#envelope(retCode, words, {}),
    });
    if (typeof fault === 'object' && 'retCode' in fault) return refused(fault.retCode, fault.words);
    const category = query.get('category');
    if (pathname === '/v5/market/time') {
      const seconds = Math.floor(this.#plan.now() / SECOND_MS);
      return ok({ timeSecond: String(seconds), timeNano: `${this.#plan.now()}000000` });
    }
    if (pathname === '/v5/market/instruments-info') {
      const isTrading = (query.get('status') ?? 'Trading') === 'Trading';
      const list = this.#plan.markets.filter(({ kind }) => kind === category && isTrading).map(bybitInstrument);
      return ok({ category, list, nextPageCursor: '' });
    }
    if (pathname !== '/v5/market/kline') return { status: 404, json: { error: 'not found' } };
    const market = this.#plan.markets.find(({ id, kind }) => id === query.get('symbol') && kind === category);
    if (market === undefined) return refused(10001, 'Not supported symbols');
    const spanMs = BYBIT_SPANS[query.get('interval') ?? ''];
    if (spanMs === undefined) return refused(10001, 'Invalid period!');
    const limit = Math.min(1_000, Number(query.get('limit') ?? 200));
    const end = Number(query.get('end') ?? this.#plan.now());
    const start = Number(query.get('start') ?? end - limit * spanMs);
    const bars = fault === 'empty' ? [] : this.#bars(market, start, end, spanMs);
    // The newest of the range, and the newest first.
    const list = bars
      .slice(-limit)
      .toReversed()
      .map(({ openAt, texts }) => [String(openAt), ...texts, (Number(texts[3]) * Number(texts[4])).toFixed(4)]);
    return ok({ symbol: market.id, category, list });
  }

  // ---- Binance

  /** 6000 of weight a minute for spot, 2400 for futures. */
  #binanceLimit(url: URL, response: ServerResponse): boolean {
    const isFutures = url.pathname.startsWith('/fapi/');
    const now = this.#plan.clock();
    const minute = Math.floor(now / MINUTE_MS);
    const known = this.#used.get(isFutures ? 'futures' : 'spot');
    const used = known?.minute === minute ? known : { minute, weight: 0 };
    used.weight += binanceWeight(url, isFutures);
    this.#used.set(isFutures ? 'futures' : 'spot', used);
    response.setHeader('X-MBX-USED-WEIGHT-1M', String(used.weight));
    const most = isFutures ? 2_400 : 6_000;
    if (used.weight <= most) return false;
    this.overLimit++;
    const seconds = Math.ceil(((minute + 1) * MINUTE_MS - now) / SECOND_MS);
    response.writeHead(used.weight > 1.5 * most ? 418 : 429, { 'Retry-After': String(seconds) });
    response.end(
      JSON.stringify({
        code: -1003,
        [BINANCE_WORDS]: `Too much request weight used; current limit is ${most} request weight per 1 MINUTE.`,
      }),
    );
    return true;
  }

  #binance({ pathname, searchParams: query }: URL, fault: Fault | undefined): { status: number; json: object } {
    const [, family, , endpoint] = pathname.split('/');
    const kind = family === 'fapi' ? 'linear' : 'spot';
    if (endpoint === 'time') return { status: 200, json: { serverTime: this.#plan.now() } };
    if (endpoint === 'exchangeInfo') {
      const symbols = this.#plan.markets.filter((market) => market.kind === kind).map(binanceInstrument);
      return { status: 200, json: { timezone: 'UTC', serverTime: this.#plan.now(), rateLimits: [], exchangeFilters: [], symbols } };
    }
    if (endpoint !== 'klines') return { status: 404, json: { code: -5000, [BINANCE_WORDS]: `Path ${pathname}, Method GET is invalid` } };
    const market = this.#plan.markets.find((each) => each.id === query.get('symbol') && each.kind === kind);
    if (market === undefined) return { status: 400, json: { code: -1121, [BINANCE_WORDS]: 'Invalid symbol.' } };
    const spanMs = BINANCE_SPANS[query.get('interval') ?? ''];
    if (spanMs === undefined) return { status: 400, json: { code: -1120, [BINANCE_WORDS]: 'Invalid interval.' } };
    const limit = Math.min(kind === 'linear' ? 1_500 : 1_000, Number(query.get('limit') ?? 500));
    const start = query.get('startTime');
    const end = Number(query.get('endTime') ?? this.#plan.now());
    const bars = fault === 'empty' ? [] : this.#bars(market, Number(start ?? end - limit * spanMs), end, spanMs);
    // The oldest of the range, and the oldest first.
    const json = bars.slice(0, limit).map(({ openAt, texts }) => {
      const turnover = (Number(texts[3]) * Number(texts[4])).toFixed(8);
      return [openAt, ...texts, openAt + spanMs - 1, turnover, 40, '0.50000000', '1.00000000', '0'];
    });
    return { status: 200, json };
  }

  // ---- bars

  /** Those that open from `start` to `end`, both inclusive, the open one included; oldest first. */
  #bars(market: ServedMarket, start: number, end: number, spanMs: number): Bar[] {
    const bars: Bar[] = [];
    const last = Math.min(end, this.#plan.now(), market.delistedAt ?? Infinity);
    for (let at = Math.ceil(Math.max(start, market.listedAt - spanMs) / spanMs) * spanMs; at <= last; at += spanMs) {
      const bar = this.#bar(market, at, spanMs);
      if (bar !== undefined) bars.push(bar);
    }
    return bars;
  }

  /** The same for the same arguments, whoever asks and when, unless it was corrected; what is not over yet is told as it stands. */
  #bar(market: ServedMarket, openAt: number, spanMs: number): Bar | undefined {
    const { listedAt, delistedAt = Infinity, outages = [] } = market;
    if (openAt + spanMs <= listedAt || openAt >= delistedAt) return undefined;
    if (outages.some(([fromMs, toMs]) => openAt >= fromMs && openAt + spanMs <= toMs)) return undefined;
    const corrected = spanMs === MINUTE_MS ? this.corrections.get(`${market.id} ${openAt}`) : undefined;
    if (corrected !== undefined) return { openAt, texts: corrected };
    const closeAt = Math.min(openAt + spanMs, this.#plan.now());
    const open = priceOf(market, openAt);
    const close = priceOf(market, closeAt);
    const reach = 1 + ((openAt / MINUTE_MS) % 7);
    const volume = ((openAt / MINUTE_MS) % 997) + 1.125;
    return {
      openAt,
      texts: [open, Math.max(open, close) + reach, Math.min(open, close) - reach, close]
        .map((price) => price.toFixed(2))
        .concat(volume.toFixed(3)) as unknown as Bar['texts'],
    };
  }
}

/** Waves upon waves, of another length for every market. */
function priceOf({ id, kind, listedAt }: ServedMarket, at: number): number {
  const phase = id.charCodeAt(0) + (kind === 'linear' ? 1 : 0);
  const minutes = (at - listedAt) / MINUTE_MS;
  const price = 1_000 * phase * (1 + 0.2 * Math.sin(minutes / 9_000 + phase) + 0.01 * Math.sin(minutes / (30 + phase)));
  return Math.round(price * 100) / 100;
}

function binanceWeight(url: URL, isFutures: boolean): number {
  const isForBars = url.pathname.endsWith('/klines');
  if (!isFutures) return isForBars ? 2 : url.pathname.endsWith('/exchangeInfo') ? 20 : 1;
  const limit = Number(url.searchParams.get('limit') ?? 500);
  if (!isForBars || limit < 100) return 1;
  if (limit < 500) return 2;
  return limit <= 1_000 ? 5 : 10;
}

/** What their documentation shows of an instrument, but for what tells one from another. */
const BYBIT_SPOT =
  '{"innovation":"0","marginTrading":"both","stTag":"0","lotSizeFilter":{"basePrecision":"0.000001","quotePrecision":"0.0000001","minOrderQty":"0.000011","maxOrderQty":"83","minOrderAmt":"5","maxOrderAmt":"8000000"},"priceFilter":{"tickSize":"0.01"}}';
const BYBIT_LINEAR =
  '{"contractType":"LinearPerpetual","settleCoin":"USDT","deliveryTime":"0","deliveryFeeRate":"","priceScale":"2","leverageFilter":{"minLeverage":"1","maxLeverage":"100.00","leverageStep":"0.01"},"priceFilter":{"minPrice":"0.10","maxPrice":"1999999.80","tickSize":"0.10"},"lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","minNotionalValue":"5","maxMktOrderQty":"500.000"},"unifiedMarginTrade":true,"fundingInterval":480,"copyTrading":"both","upperFundingRate":"0.00375","lowerFundingRate":"-0.00375","isPreListing":false,"preListingInfo":null}';
const BINANCE_ANY =
  '{"status":"TRADING","quotePrecision":8,"orderTypes":["LIMIT","MARKET"],"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.00","tickSize":"0.01"},{"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000.00000","stepSize":"0.00001"},{"filterType":"NOTIONAL","minNotional":"5.00000000"}]}';
const BINANCE_SPOT =
  '{"baseAssetPrecision":8,"isSpotTradingAllowed":true,"isMarginTradingAllowed":true,"permissions":[],"permissionSets":[["SPOT"]]}';
const BINANCE_FUTURES =
  '{"contractType":"PERPETUAL","deliveryDate":4133404800000,"marginAsset":"USDT","pricePrecision":2,"quantityPrecision":3,"underlyingType":"COIN"}';

function bybitInstrument({ id, base, kind, listedAt }: ServedMarket): object {
  const common = { symbol: id, status: 'Trading', baseCoin: base, quoteCoin: 'USDT' };
  if (kind === 'spot') return { ...common, ...(JSON.parse(BYBIT_SPOT) as object) };
  return { ...common, ...(JSON.parse(BYBIT_LINEAR) as object), launchTime: String(listedAt) };
}

function binanceInstrument({ id, base, kind, listedAt }: ServedMarket): object {
  const common = { symbol: id, baseAsset: base, quoteAsset: 'USDT', ...(JSON.parse(BINANCE_ANY) as object) };
  if (kind === 'spot') return { ...common, ...(JSON.parse(BINANCE_SPOT) as object) };
  return { ...common, ...(JSON.parse(BINANCE_FUTURES) as object), pair: id, onboardDate: listedAt };
}
