// A real venue's public bars through ccxt, which knows its markets, its paths and its parameters. No key is needed, and none is read.
import type { Exchange, MarketInterface as Market } from 'ccxt';
import { z } from 'zod';
import { BallastError } from '../../domain/errors.ts';
import { amountFrom, priceFrom, quantityFrom, ZERO_PRICE, ZERO_QUANTITY, type Quantity } from '../../domain/decimal.ts';
import { parseSymbol, type FilterVersion } from '../../domain/instrument.ts';
import type { BarRow, VenueHistory } from '../../domain/ports.ts';
import { DAY_MS, formatSpan, formatTime, parseSpan, type TimeMs } from '../../domain/time.ts';
import { loadClient, type ClientId } from './client.ts';
import { Requests, type RequestParts } from './requests.ts';
import { wires } from './wire.ts';

export interface HistoryOptions extends Omit<RequestParts, 'wire'> {
  readonly venue: ClientId;
  /** Markets of other kinds than theirs are not loaded. */
  readonly symbols: readonly string[];
  /** Of all of them, where there is one: refused before anything is asked. */
  readonly timeframeMs?: TimeMs | undefined;
  /** Instead of the venue's own: a proxy, or a server of a test. */
  readonly address: string | undefined;
}

/** Bars, and what the venue demands of orders. */
export interface ListedHistory extends VenueHistory {
  /**
   * What it demands now. Fees are not in it: they are an account's, no public answer names them, and those that ccxt has are its own.
   * @throws BallastError SYMBOL_UNLISTED, VENUE_ANSWER_MALFORMED
   */
  filters(symbol: string): Omit<FilterVersion, 'fromMs'>;
}

/** A parsed row of ccxt, which leaves out what it cannot read. */
const parsedRow = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]);

/** Loads what the venue lists. @throws BallastError TIMEFRAME_UNSERVED, VENUE_UNREACHABLE, VENUE_BUSY, VENUE_REFUSED */
export async function openHistory({ venue, symbols, timeframeMs: wantedMs, address, ...parts }: HistoryOptions): Promise<ListedHistory> {
  const wire = wires[venue];
  const requests = new Requests({ wire, ...parts });
  const kinds = new Set(symbols.map((symbol) => parseSymbol(symbol).kind));
  const client = await loadClient(venue, {
    fetch: (url, { headers }) => requests.get(url, headers),
    marketTypes: (['spot', 'linear'] as const).filter((kind) => kinds.has(kind)),
    address,
  });
  if (wantedMs !== undefined) for (const symbol of symbols) checkServed(client, venue, symbol, wantedMs);
  await client.loadMarkets();

  return {
    venue,
    pageBars: wire.pageBars,
    check(symbol, timeframeMs) {
      checkListed(client, venue, symbol);
      checkServed(client, venue, symbol, timeframeMs);
    },
    filters(symbol) {
      checkListed(client, venue, symbol);
      return filtersOf(client.market(symbol), `${venue} ${symbol}`, venue);
    },
    async now() {
      const at = await client.fetchTime();
      if (at === undefined || !Number.isSafeInteger(at)) throw malformed(venue, `the time ${String(at)}`, 'milliseconds since 1970');
      return at;
    },
    async page({ symbol, timeframeMs, fromMs, toMs }) {
      const place = `${venue} ${symbol} ${formatSpan(timeframeMs)}`;
      const bars = (toMs - fromMs) / timeframeMs;
      const rows: readonly unknown[] = await about(place, () =>
        // Both ends, so that it does not matter from which of them a venue begins to count; its end is inclusive.
        client.fetchOHLCV(symbol, formatSpan(timeframeMs), fromMs, bars, { until: toMs - 1 }),
      );
      return rows.map((row): BarRow => {
        const read = parsedRow.safeParse(row);
        if (read.success) return read.data;
        throw malformed(place, `${JSON.stringify(row)} between ${formatTime(fromMs)} and ${formatTime(toMs)}`, 'a time and five numbers');
      });
    },
  };
}

function checkListed(client: Exchange, venue: string, symbol: string): void {
  const listed = Object.keys(client.markets ?? {});
  if (listed.includes(symbol)) return;
  const { base } = parseSymbol(symbol);
  const near = listed.filter((each) => each.startsWith(`${base}/`));
  throw new BallastError({
    code: 'SYMBOL_UNLISTED',
    place: `${venue} ${symbol}`,
    found: 'no such market',
    expected: near.length === 0 ? `a market of ${venue}` : `a market of ${venue}, such as ${near.slice(0, 5).join(', ')}`,
    remedy: 'BTC/USDT is spot, BTC/USDT:USDT the linear perpetual',
    exitCode: 2,
  });
}

/** Steps of ccxt are numbers, and lots of contracts are in contracts. */
function filtersOf({ precision, limits, contractSize = 1 }: Market, place: string, venue: string): Omit<FilterVersion, 'fromMs'> {
  const [tick, lot] = [precision.price, precision.amount];
  if (!isStep(tick) || !isStep(lot) || !isStep(contractSize)) {
    throw malformed(place, `price steps of ${tick}, lots of ${lot}, contracts of ${contractSize}`, `numbers above 0 from ${venue}`);
  }
  const inBase = (contracts: number): Quantity => quantityFrom(contracts * contractSize, ZERO_QUANTITY, 'nearest');
  return {
    tick: priceFrom(tick, ZERO_PRICE, 'nearest'),
    lot: inBase(lot),
    minimumQuantity: inBase(limits.amount?.min ?? 0),
    minimumNotional: amountFrom(limits.cost?.min ?? 0),
    contractSize,
  };
}

function isStep(step: number | undefined): step is number {
  return step !== undefined && step > 0 && step < Infinity;
}

function checkServed(client: Exchange, venue: string, symbol: string, timeframeMs: number): void {
  const timeframe = formatSpan(timeframeMs);
  // A month has no one length, and Binance's three days begin where no multiple of three days does.
  const served = Object.keys(client.timeframes).filter((name) => name !== '1M' && (DAY_MS % parseSpan(name) === 0 || name === '1w'));
  if (served.includes(timeframe)) return;
  throw new BallastError({
    code: 'TIMEFRAME_UNSERVED',
    place: `${venue} ${symbol}`,
    found: timeframe,
    expected: `one of ${served.join(', ')}`,
    exitCode: 2,
  });
}

/** Says of which series a failure was. */
async function about<Value>(place: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BallastError)) throw error;
    const { code, found, expected, remedy, exitCode } = error;
    throw new BallastError({ code, place, found, expected, cause: error, exitCode, ...(remedy !== undefined && { remedy }) });
  }
}

function malformed(place: string, found: string, expected: string): BallastError {
  return new BallastError({
    code: 'VENUE_ANSWER_MALFORMED',
    place,
    found,
    expected,
    remedy: 'nothing of this answer was stored; run it again, and report it when it stays',
  });
}
