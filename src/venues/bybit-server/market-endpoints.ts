// Public REST: time, instruments, bars, book, tickers, trades, funding, open interest, risk limits.
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import { isServed, linear, open, served, type Call, type Endpoint } from './calls.ts';
import type { Exchange } from './exchange.ts';
import { INTEREST_STEP_MS, rateText, type Listing } from './listing.ts';
import { isInterval, type MinuteSeries, type SeriesBar } from './minute-series.ts';
import { parameterError } from './refusal.ts';
import { pageOf } from './records.ts';
import type { WireCategory } from './wire.ts';
import { fundingQuery, interestQuery, klineQuery, marketQuery, read, riskQuery, symbolQuery } from './requests.ts';

/** Levels of a side that REST gives at most. */
const MOST_LEVELS = 1_000;
const INTEREST_SPANS: Readonly<Record<string, TimeMs>> = {
  '5min': INTEREST_STEP_MS,
  '15min': 15 * MINUTE_MS,
  '30min': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '4h': 4 * HOUR_MS,
  '1d': DAY_MS,
};

export const marketEndpoints: Readonly<Record<string, Endpoint>> = {
  'GET /v5/market/time': open(({ wallNow }) => ({
    timeSecond: String(Math.floor(wallNow / 1_000)),
    timeNano: `${wallNow}000000`,
  })),
  'GET /v5/market/instruments-info': open(instruments),
  'GET /v5/market/kline': open((call) => klines(call, ({ prices }) => prices, 'traded')),
  'GET /v5/market/mark-price-kline': open((call) => klines(call, ({ marks }) => marks, 'quoted')),
  'GET /v5/market/index-price-kline': open((call) => klines(call, ({ indexes }) => indexes, 'quoted')),
  'GET /v5/market/premium-index-price-kline': open((call) => klines(call, ({ premiums }) => premiums, 'ratio')),
  'GET /v5/market/orderbook': open(book),
  'GET /v5/market/tickers': open(tickers),
  'GET /v5/market/recent-trade': open(trades),
  'GET /v5/market/funding/history': open(fundings),
  'GET /v5/market/open-interest': open(interest),
  'GET /v5/market/risk-limit': open(riskLimits),
};

/** Of a category that is not served nothing is listed: clients ask for all of them. */
function instruments({ exchange, given }: Call): object {
  const { category, symbol, baseCoin, status = '', limit = 500, cursor = '' } = read(marketQuery, given);
  const listed = isServed(category)
    ? exchange.listings.filter(
        (listing) =>
          listing.category === category &&
          (symbol === undefined || listing.symbol === symbol) &&
          (baseCoin === undefined || listing.instrument.base === baseCoin) &&
          (status === '' ? symbol !== undefined || listing.status === 'Trading' : listing.status === status),
      )
    : [];
  const start = cursor === '' ? 0 : Number(cursor);
  const end = start + limit;
  return {
    category,
    nextPageCursor: end < listed.length ? String(end) : '',
    list: listed.slice(start, end).map((listing) => (category === 'spot' ? listing.spotInfo() : listing.info())),
  };
}

/** With a start alone the oldest from there on, which is how bars are downloaded page by page; otherwise the newest. Newest first. */
function klines({ exchange, given }: Call, seriesOf: (listing: Listing) => MinuteSeries, kind: 'traded' | 'quoted' | 'ratio'): object {
  const { category, symbol, interval, start, end, limit: asked = 200 } = (kind === 'traded' ? served : linear)(klineQuery, given);
  const listing = exchange.listing(symbol, category === 'spot' ? 'spot' : 'linear');
  if (!isInterval(interval)) throw parameterError('Invalid period!');
  const limit = Math.min(1_000, Math.max(1, asked));
  const forming = kind === 'traded' ? listing.forming : undefined;
  const bars = seriesOf(listing).bars(interval, start ?? 0, end ?? exchange.now, Infinity, forming);
  const wanted = start !== undefined && end === undefined ? bars.slice(0, limit) : bars.slice(-limit);
  return { symbol, category: listing.category, list: wanted.toReversed().map((bar) => klineRow(listing, bar, kind)) };
}

function klineRow(listing: Listing, { openAt, open: opened, high, low, close, volume, turnover }: SeriesBar, kind: string): string[] {
  const text = (value: number): string => (kind === 'ratio' ? value.toFixed(6) : listing.priceText(value));
  const row = [String(openAt), text(opened), text(high), text(low), text(close)];
  return kind === 'traded' ? [...row, listing.quantityText(volume), turnover.toFixed(4)] : row;
}

/** Levels as texts, best first. */
export function levelsOf(listing: Listing, side: 1 | -1, depth: number): [string, string][] {
  const prices = new Float64Array(depth);
  const quantities = new Float64Array(depth);
  const count = listing.status === 'Trading' ? listing.surroundings.top(side, prices, quantities) : 0;
  return Array.from({ length: count }, (_, level) => [
    listing.priceText(prices[level] ?? NaN),
    listing.quantityText(quantities[level] ?? 0),
  ]);
}

function book({ exchange, given }: Call): object {
  const { category, symbol, limit = 25 } = served(symbolQuery, given);
  const listing = exchange.listing(symbol, category);
  const depth = Math.min(MOST_LEVELS, Math.max(1, limit));
  const at = exchange.now;
  // Streams number their own messages; a snapshot of REST has the market's time, which rises as they do.
  return { s: symbol, b: levelsOf(listing, 1, depth), a: levelsOf(listing, -1, depth), ts: at, u: at, seq: at, cts: at };
}

function chosen(exchange: Exchange, category: WireCategory, symbol: string | undefined, baseCoin: string | undefined): readonly Listing[] {
  if (symbol !== undefined && symbol !== '') return [exchange.listing(symbol, category)];
  return exchange.listings.filter(
    ({ instrument, status, category: own }) =>
      own === category && status === 'Trading' && (baseCoin === undefined || instrument.base === baseCoin),
  );
}

function tickers({ exchange, given }: Call): object {
  const { category, symbol, baseCoin } = read(marketQuery, given);
  if (!isServed(category)) return { category, list: [] };
  const list = chosen(exchange, category, symbol, baseCoin).map((listing) => {
    const { tickDirection: _direction, ...ticker } = listing.ticker(exchange.now);
    if (category === 'linear') return ticker;
    const { bid1Price, bid1Size, ask1Price, ask1Size } = ticker;
    return { ...listing.spotTicker(exchange.now), bid1Price, bid1Size, ask1Price, ask1Size };
  });
  return { category, list };
}

function trades({ exchange, given }: Call): object {
  const { category, symbol, limit = 500 } = served(symbolQuery, given);
  const listing = exchange.listing(symbol, category);
  const newest = listing.trades.slice(-Math.min(1_000, Math.max(1, limit))).toReversed();
  return { category, list: newest.map((trade) => listing.tradeRow(trade)) };
}

function fundings({ exchange, given }: Call): object {
  const { symbol, startTime = 0, endTime = Infinity, limit = 200 } = linear(fundingQuery, given);
  const listing = exchange.listing(symbol);
  const list = listing.fundings
    .filter(({ at }) => at >= startTime && at <= endTime)
    .slice(-Math.min(200, Math.max(1, limit)))
    .toReversed()
    .map(({ at, rate }) => ({ symbol, fundingRate: rateText(rate), fundingRateTimestamp: String(at) }));
  return { category: 'linear', list };
}

function interest({ exchange, given }: Call): object {
  const { symbol, intervalTime, startTime = 0, endTime = Infinity, limit = 50, cursor = '' } = linear(interestQuery, given);
  const listing = exchange.listing(symbol);
  const spanMs = INTEREST_SPANS[intervalTime] ?? HOUR_MS;
  const rows = listing.interest.map(({ at, quantity }) => ({ number: at, quantity }));
  const isWanted = ({ number: at }: { readonly number: number }): boolean => at % spanMs === 0 && at >= startTime && at <= endTime;
  const page = pageOf(rows, isWanted, Math.min(200, Math.max(1, limit)), cursor);
  const list = page.rows.map(({ number, quantity }) => ({ openInterest: listing.quantityText(quantity), timestamp: String(number) }));
  return { category: 'linear', symbol, list, nextPageCursor: page.nextPageCursor };
}

function riskLimits({ exchange, given }: Call): object {
  const { symbol } = linear(riskQuery, given);
  const list = chosen(exchange, 'linear', symbol, undefined).flatMap((listing) =>
    listing.tiers.map(({ id, upTo, maintenanceRate, initialRate, maxLeverage, isLowest }) => ({
      id,
      symbol: listing.symbol,
      riskLimitValue: upTo,
      maintenanceMargin: rateText(maintenanceRate),
      initialMargin: rateText(initialRate),
      isLowestRisk: isLowest ? 1 : 0,
      maxLeverage: `${maxLeverage}.00`,
      mmDeduction: '',
    })),
  );
  return { category: 'linear', list, nextPageCursor: '' };
}
