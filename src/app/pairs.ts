// Pairs over the stored history: which there are, what they cost, and what the tests say of them.
import { BallastError } from '../domain/errors.ts';
import { formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { parseSymbol } from '../domain/instrument.ts';
import { scanCopulas, type CopulaRow } from '../lab/pairs/copula-scan.ts';
import { joinLogs, type ClosingPrices } from '../lab/pairs/join.ts';
import {
  allPairs,
  FALSE_DISCOVERY_RATE,
  MINIMUM_BARS,
  scanPairs,
  type MissingPair,
  type PairMethod,
  type PairRow,
  type SeriesRow,
} from '../lab/pairs/scan.ts';
import { studyPair, type PairStudy } from '../lab/pairs/study.ts';
import { openStore, type BarStore } from '../market/history/store.ts';
import type { Config } from './config.ts';
import { unfilteredInstrument } from './recipe.ts';

interface StoredRange {
  readonly home: string;
  readonly config: Config;
  /** Undefined where one stored venue has each symbol. */
  readonly venue: string | undefined;
  readonly timeframeMs: TimeMs;
  readonly fromMs: TimeMs | undefined;
  readonly toMs: TimeMs | undefined;
}

interface StoredPairsRequest extends StoredRange {
  /** Every pair of these, all of which must be stored; undefined for `pairs.universe` of the config, of which any may be missing. */
  readonly symbols: readonly string[] | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface StoredScanRequest extends StoredPairsRequest {
  readonly method: PairMethod | undefined;
}

export interface StoredCopulaRequest extends StoredPairsRequest {
  /** Undefined for the first symbol of the pairs whose base is BTC. */
  readonly reference: string | undefined;
}

/** Field names of a row are those of the golden values: `aOnB` is a explained by b. */
export interface PairScanDocument extends ScannedSpan {
  /** By which pairs are ranked. */
  readonly rankedBy: PairMethod;
  /** Pairs with a `qValue` up to it are called cointegrated. */
  readonly falseDiscoveryRate: number;
  readonly pairs: readonly PairRow[];
  readonly missing: readonly MissingPair[];
  readonly series: readonly SeriesRow[];
}

/** @throws BallastError SERIES_UNKNOWN, VENUE_AMBIGUOUS, STORE_FILE_CORRUPT */
export async function scanStoredPairs(request: StoredScanRequest): Promise<PairScanDocument> {
  const { config, symbols, method, timeframeMs, onProgress } = request;
  const pairs = symbols === undefined ? config.pairs.universe : allPairs(symbols);
  const found = await pricesOf(request, [...new Set(pairs.flat())], symbols === undefined);
  const scan = scanPairs({
    prices: found.map(({ prices }) => prices),
    pairs,
    method,
    fillCost: (symbol) => fillCostOf(config, found.find(({ prices }) => prices.symbol === symbol)?.venue ?? '', symbol),
    onProgress,
  });
  return {
    ...spanOf(found, timeframeMs),
    rankedBy: method ?? 'engle-granger',
    falseDiscoveryRate: FALSE_DISCOVERY_RATE,
    ...scan,
  };
}

interface ScannedSpan {
  readonly timeframe: string;
  /** Of the first and after the last bar of any series; null without any. */
  readonly from: string | null;
  readonly to: string | null;
}

function spanOf(found: readonly FoundPrices[], timeframeMs: TimeMs): ScannedSpan {
  const starts = found.map(({ prices }) => prices.openAt[0]).filter((at) => at !== undefined);
  const ends = found.map(({ prices }) => prices.openAt.at(-1)).filter((at) => at !== undefined);
  return {
    timeframe: formatSpan(timeframeMs),
    from: starts.length === 0 ? null : formatTime(Math.min(...starts)),
    to: ends.length === 0 ? null : formatTime(Math.max(...ends) + timeframeMs),
  };
}

export interface CopulaScanDocument extends ScannedSpan {
  readonly rankedBy: 'copula';
  /** The coin of which both of a pair are spreads. */
  readonly reference: string;
  /** Pairs with a `qValue` up to it are called cointegrated. */
  readonly falseDiscoveryRate: number;
  readonly pairs: readonly CopulaRow[];
  readonly missing: readonly MissingPair[];
}

/** @throws BallastError SERIES_UNKNOWN, VENUE_AMBIGUOUS, STORE_FILE_CORRUPT; ARGUMENT_INVALID without a reference */
export async function scanStoredCopulas(request: StoredCopulaRequest): Promise<CopulaScanDocument> {
  const { config, symbols, timeframeMs, onProgress } = request;
  const pairs = symbols === undefined ? config.pairs.universe : allPairs(symbols);
  const all = [...new Set(pairs.flat())];
  const reference = request.reference ?? all.find((symbol) => parseSymbol(symbol).base === 'BTC');
  if (reference === undefined) {
    throw new BallastError({
      code: 'ARGUMENT_INVALID',
      place: '--reference',
      found: 'nothing, and no symbol whose base is BTC',
      expected: 'the coin to which all others are compared',
      exitCode: 2,
    });
  }
  const [base] = await pricesOf(request, [reference], false);
  const found = await pricesOf(
    request,
    all.filter((symbol) => symbol !== reference),
    symbols === undefined,
  );
  if (base === undefined) throw new RangeError(`no bars of ${reference}, expected those that the store resolved`);
  const scan = scanCopulas({
    prices: found.map(({ prices }) => prices),
    reference: base.prices,
    pairs,
    fillCost: (symbol) => fillCostOf(config, found.find(({ prices }) => prices.symbol === symbol)?.venue ?? '', symbol),
    onProgress,
  });
  return { ...spanOf([base, ...found], timeframeMs), rankedBy: 'copula', reference, falseDiscoveryRate: FALSE_DISCOVERY_RATE, ...scan };
}

export interface StoredStudyRequest extends StoredRange {
  readonly a: string;
  readonly b: string;
  /** Of the z-score, in bars. */
  readonly window: number;
}

/** @throws BallastError SERIES_UNKNOWN, VENUE_AMBIGUOUS, STORE_FILE_CORRUPT, RANGE_EMPTY */
export async function studyStoredPair(request: StoredStudyRequest): Promise<PairStudy> {
  const { config, a, b, window } = request;
  const [one, other] = await pricesOf(request, [a, b], false);
  const joined = one === undefined || other === undefined ? undefined : joinLogs(one.prices, other.prices);
  const least = Math.max(MINIMUM_BARS, window);
  if (one === undefined || other === undefined || joined === undefined || joined.a.length < least) {
    throw new BallastError({
      code: 'RANGE_EMPTY',
      place: `${a} and ${b}, ${formatSpan(request.timeframeMs)}`,
      found: `${joined?.a.length ?? 0} bars in common`,
      expected: `at least ${least}`,
      remedy: 'ballast data ls says what is stored',
      exitCode: 2,
    });
  }
  return studyPair(joined, window, { a: fillCostOf(config, one.venue, a), b: fillCostOf(config, other.venue, b) });
}

interface FoundPrices {
  readonly venue: string;
  readonly prices: ClosingPrices;
}

async function pricesOf(range: StoredRange, symbols: readonly string[], mayLack: boolean): Promise<FoundPrices[]> {
  const store = await openStore(range.home);
  const found: FoundPrices[] = [];
  try {
    for (const symbol of symbols) {
      const venue = venueOf(store, { ...range, symbol }, mayLack);
      if (venue === undefined) continue;
      const { openAt, close } = await store.load({ ...range, symbol, venue });
      found.push({ venue, prices: { symbol, openAt, close } });
    }
  } finally {
    await store.close();
  }
  return found;
}

function venueOf(store: BarStore, query: StoredRange & { readonly symbol: string }, mayLack: boolean): string | undefined {
  try {
    return store.resolve(query);
  } catch (error) {
    // A universe is a wish list: what nobody has stored is said to be missing. Two venues are a question all the same.
    if (mayLack && error instanceof BallastError && error.code === 'SERIES_UNKNOWN') return undefined;
    throw error;
  }
}

function fillCostOf(config: Config, venue: string, symbol: string): number {
  const feeRate = config.venue.feeRate ?? unfilteredInstrument(venue, symbol, 'pairs').takerFeeRate;
  return feeRate + config.venue.slippageRatio;
}
