// Which of many pairs are cointegrated, and how many of those that look so are luck.
import { engleGranger, relationOf, type EngleGranger, type Relation } from '../../quant/cointegration.ts';
import { falseDiscoveryRates } from '../../quant/false-discovery.ts';
import { johansen, type Johansen } from '../../quant/johansen.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { smoothTransition } from '../../quant/smooth-transition.ts';
import { standardDeviation } from '../../quant/statistics.ts';
import { augmentedDickeyFuller, kpss } from '../../quant/unit-root.ts';
import { joinLogs, type ClosingPrices, type JoinedLogs } from './join.ts';

export const PAIR_METHODS = ['engle-granger', 'johansen', 'kss'] as const;
export type PairMethod = (typeof PAIR_METHODS)[number];

/** Log of one price on that of the other: explained = alpha + beta x other + spread. Bars are the unit of time. */
export interface DirectedRelation {
  readonly alpha: number;
  readonly beta: number;
  readonly rSquared: number;
  /** Engle and Granger's, with the number of lags by AIC; not there where another method was asked for. */
  readonly statistic?: number;
  readonly pValue?: number;
  /** At 1, 5 and 10 %. */
  readonly critical?: readonly number[];
  readonly lags?: number;
  /** Of the spread's change on the spread before it. */
  readonly lambda: number;
  readonly halfLifeBars: number | null;
  readonly halfLifeBarsLinear: number | null;
  /** Of the spread. */
  readonly deviation: number;
  /** The t-statistic of Kapetanios, Shin and Snell on the spread; not there where another method was asked for. */
  readonly kss?: { readonly statistic: number; readonly pValue: number; readonly lags: number };
}

/** With a constant and one earlier change; entries are of 0 relations against more, of 1 against 2. */
export interface PairRanks {
  readonly trace: readonly number[];
  readonly maxEigen: readonly number[];
  readonly traceCritical95: readonly number[];
  readonly maxEigenCritical95: readonly number[];
  readonly eigenvalues: readonly number[];
  readonly pValue: number;
}

export interface PairRow {
  readonly a: string;
  readonly b: string;
  /** Bars that both have. */
  readonly bars: number;
  readonly aOnB: DirectedRelation;
  readonly bOnA: DirectedRelation;
  readonly johansen?: PairRanks;
  /** Of the ranking method, for the pair: where both directions were tested, min(1, 2 x the smaller). */
  readonly pValue: number;
  /** Rejecting all pairs up to this one has this share of false ones among them: Benjamini and Hochberg. */
  readonly qValue: number;
  /**
   * A q-value up to 0.05; every direction that was tested at 1 %, where there are two; and two of the seven windows of `stability`, where
   * there are any. The first alone is right in seven of ten, and the others say why it is wrong: a leg that carries a quickly reverting part
   * of its own looks related to whatever explains it, and not the other way round; a spell of high volatility looks like a relation of all
   * pairs at once, and is in one window.
   */
  readonly isCointegrated: boolean;
  /** The direction with the smaller p-value, a where the method tests none: the figures below are of it. */
  readonly explained: 'a' | 'b';
  readonly statistic: number;
  readonly hedgeRatio: number;
  readonly halfLifeBars: number | null;
  readonly rSquared: number;
  /** Share of seven windows, each a quarter of the bars and half of it new, in which the pair's p-value is at most 5 %; null below 400 bars. */
  readonly stability: number | null;
  /** Log price of the spread that a round trip of both legs costs: fees and slippage, in and out. */
  readonly spreadCost: number;
  /** Of the spread, in the same unit. */
  readonly spreadDeviation: number;
}

/** Whether a log price by itself wanders: it should, or there is nothing to be cointegrated. */
export interface SeriesRow {
  readonly symbol: string;
  readonly bars: number;
  readonly adf: { readonly statistic: number; readonly pValue: number; readonly lags: number };
  readonly kpss: { readonly statistic: number; readonly pValue: number; readonly lags: number };
}

export interface MissingPair {
  readonly a: string;
  readonly b: string;
  readonly because: string;
}

export interface PairScan {
  /** The smallest p-value first. */
  readonly pairs: readonly PairRow[];
  readonly missing: readonly MissingPair[];
  readonly series: readonly SeriesRow[];
}

export interface PairScanRequest {
  readonly prices: readonly ClosingPrices[];
  readonly pairs: readonly (readonly [a: string, b: string])[];
  /** Undefined for all of them, ranked by Engle and Granger's. */
  readonly method: PairMethod | undefined;
  /** Fee and slippage of one fill of a symbol, as a ratio of its notional. */
  readonly fillCost: (symbol: string) => number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Share of false ones among the pairs that are called cointegrated. */
export const FALSE_DISCOVERY_RATE = 0.05;
/** Of one pair by itself. */
export const LEVEL = 0.05;
/** Of either direction. */
const DIRECTION_LEVEL = 0.01;
/** Share of windows: a lucky spell is in one of them. */
const LEAST_STABILITY = 2 / 7;
/** Fewer bars in common say nothing. */
export const MINIMUM_BARS = 100;
const WINDOW_PARTS = 4;

/** Every pair of a list of symbols, in its order. */
export function allPairs(symbols: readonly string[]): (readonly [string, string])[] {
  return symbols.flatMap((a, index) => symbols.slice(index + 1).map((b) => [a, b] as const));
}

/**
 * Tests every pair in both directions, and says of each how many of its rank are likely to be luck. Pairs without prices, with too few bars in
 * common or with nothing to be tested are said to be missing.
 */
export function scanPairs({ prices, pairs, method, fillCost, onProgress }: PairScanRequest): PairScan {
  const bySymbol = new Map(prices.map((each) => [each.symbol, each]));
  const missing: MissingPair[] = [];
  const rows: Omit<PairRow, 'qValue' | 'isCointegrated'>[] = [];
  for (const [done, [a, b]] of pairs.entries()) {
    const [pricesA, pricesB] = [bySymbol.get(a), bySymbol.get(b)];
    const joined = pricesA !== undefined && pricesB !== undefined ? joinLogs(pricesA, pricesB) : undefined;
    const because = reasonAgainst(a, b, pricesA, pricesB, joined);
    if (joined === undefined || because !== undefined) missing.push({ a, b, because: because ?? 'no bars' });
    else rows.push(pairRow(a, b, joined, method, fillCost));
    onProgress?.(done + 1, pairs.length);
  }
  const rates = falseDiscoveryRates(rows.map(({ pValue }) => pValue));
  const judged = rows.map((row, index) => {
    const qValue = rates[index] ?? NaN;
    return { ...row, qValue, isCointegrated: qValue <= FALSE_DISCOVERY_RATE && holdsBothWays(row, method) && isStable(row) };
  });
  const used = new Set(rows.flatMap(({ a, b }) => [a, b]));
  return {
    // What could not be tested comes last; equal ones in their order.
    pairs: judged.toSorted((one, other) => rankOf(one.pValue) - rankOf(other.pValue)),
    missing,
    series: prices.filter(({ symbol }) => used.has(symbol)).map(seriesRow),
  };
}

function holdsBothWays({ aOnB, bOnA }: Pick<PairRow, 'aOnB' | 'bOnA'>, method: PairMethod | undefined): boolean {
  if (method === 'johansen') return true;
  return [aOnB, bOnA].every((way) => ((method === 'kss' ? way.kss?.pValue : way.pValue) ?? NaN) <= DIRECTION_LEVEL);
}

function isStable({ stability }: Pick<PairRow, 'stability'>): boolean {
  return stability === null || stability >= LEAST_STABILITY;
}

function rankOf(pValue: number): number {
  return Number.isNaN(pValue) ? 2 : pValue;
}

/** Why a pair cannot be tested; undefined where it can. */
export function reasonAgainst(
  a: string,
  b: string,
  pricesA: ClosingPrices | undefined,
  pricesB: ClosingPrices | undefined,
  joined: JoinedLogs | undefined,
): string | undefined {
  const absent = [...(pricesA === undefined ? [a] : []), ...(pricesB === undefined ? [b] : [])];
  if (absent.length > 0 || joined === undefined) return `no bars of ${absent.join(' and ')}`;
  if (joined.a.length < MINIMUM_BARS) return `${joined.a.length} bars in common, ${MINIMUM_BARS} are needed`;
  return flaw(joined.a, joined.b);
}

/** Rounding, as a part of what it rounds. */
const ROUNDING = 1e-10;

/** Why nothing can be tested; undefined where it can. */
export function flaw(a: Float64Array, b: Float64Array): string | undefined {
  const [deviationA, deviationB] = [standardDeviation(a), standardDeviation(b)];
  if (deviationA < ROUNDING || deviationB < ROUNDING) return 'a price that does not move';
  if (standardDeviation(relationOf(a, b).residuals) < ROUNDING * deviationA) return 'the one is a copy of the other';
  return undefined;
}

function pairRow(
  a: string,
  b: string,
  { a: logA, b: logB }: JoinedLogs,
  method: PairMethod | undefined,
  fillCost: (symbol: string) => number,
): Omit<PairRow, 'qValue' | 'isCointegrated'> {
  const aOnB = directed(logA, logB, method);
  const bOnA = directed(logB, logA, method);
  const ranks = method === undefined || method === 'johansen' ? ranksOf(johansen([logA, logB])) : undefined;
  const verdict = verdictOf(aOnB, bOnA, ranks, method);
  const isA = verdict.explained === 'a';
  const better = isA ? aOnB : bOnA;
  const [own, other] = isA ? [a, b] : [b, a];
  return {
    a,
    b,
    bars: logA.length,
    aOnB,
    bOnA,
    ...(ranks !== undefined && { johansen: ranks }),
    ...verdict,
    hedgeRatio: better.beta,
    halfLifeBars: better.halfLifeBars,
    rSquared: better.rSquared,
    stability: windowsHeld(logA.length, (start, end) =>
      probability(logA.subarray(start, end), logB.subarray(start, end), method ?? 'engle-granger'),
    ),
    spreadCost: 2 * (fillCost(own) + Math.abs(better.beta) * fillCost(other)),
    spreadDeviation: better.deviation,
  };
}

function directed(explained: Float64Array, other: Float64Array, method: PairMethod | undefined): DirectedRelation {
  const isTested = method === undefined || method === 'engle-granger';
  const test: EngleGranger | undefined = isTested ? engleGranger(explained, other) : undefined;
  const relation: Relation = test ?? relationOf(explained, other);
  const { residuals } = relation;
  const reversion = reversionOf(residuals);
  const transition = method === undefined || method === 'kss' ? smoothTransition(residuals, 'residual') : undefined;
  return {
    alpha: relation.alpha,
    beta: relation.beta,
    rSquared: relation.rSquared,
    ...(test !== undefined && { statistic: test.statistic, pValue: test.pValue, critical: test.critical, lags: test.lags }),
    lambda: reversion.slope,
    halfLifeBars: reversion.halfLife,
    halfLifeBarsLinear: reversion.halfLifeLinear,
    deviation: standardDeviation(residuals),
    ...(transition !== undefined && {
      kss: { statistic: transition.statistic, pValue: transition.pValue, lags: transition.lags },
    }),
  };
}

function ranksOf({ trace, maxEigen, eigenvalues, traceCritical, maxEigenCritical, tracePValues }: Johansen): PairRanks {
  return {
    trace,
    maxEigen,
    traceCritical95: traceCritical.map(([, fivePercent]) => fivePercent),
    maxEigenCritical95: maxEigenCritical.map(([, fivePercent]) => fivePercent),
    eigenvalues,
    pValue: tracePValues[0] ?? NaN,
  };
}

interface PairVerdict {
  readonly pValue: number;
  readonly statistic: number;
  readonly explained: 'a' | 'b';
}

function verdictOf(
  aOnB: DirectedRelation,
  bOnA: DirectedRelation,
  ranks: PairRanks | undefined,
  method: PairMethod | undefined,
): PairVerdict {
  if (method === 'johansen') {
    // It tests no direction, and R2 is the same in both.
    return { pValue: ranks?.pValue ?? NaN, statistic: ranks?.trace[0] ?? NaN, explained: 'a' };
  }
  const [one, other] = method === 'kss' ? [aOnB.kss, bOnA.kss] : [aOnB, bOnA];
  const [pOfA = NaN, pOfB = NaN] = [one?.pValue, other?.pValue];
  const isA = !(pOfB < pOfA);
  return {
    pValue: eitherWay(pOfA, pOfB),
    statistic: (isA ? one?.statistic : other?.statistic) ?? NaN,
    explained: isA ? 'a' : 'b',
  };
}

/** Both directions were tried, so the better one counts twice (Bonferroni). */
export function eitherWay(one: number, other: number): number {
  return Math.min(1, 2 * Math.min(one, other));
}

/** Share of seven windows, each a quarter of the bars and half of it new, of which the probability is at most 5 %; null below 400 bars. */
export function windowsHeld(bars: number, probabilityOf: (start: number, end: number) => number): number | null {
  const length = Math.floor(bars / WINDOW_PARTS);
  if (length < MINIMUM_BARS) return null;
  const windows = 2 * WINDOW_PARTS - 1;
  let held = 0;
  for (let window = 0; window < windows; window++) {
    const start = Math.floor((window * length) / 2);
    if (probabilityOf(start, start + length) <= LEVEL) held++;
  }
  return held / windows;
}

/** Of the pair by one method. NaN where a price does not move within the bars, or copies the other. */
export function probability(a: Float64Array, b: Float64Array, method: PairMethod): number {
  if (flaw(a, b) !== undefined) return NaN;
  if (method === 'johansen') return johansen([a, b]).tracePValues[0] ?? NaN;
  const of = (explained: Float64Array, other: Float64Array): number =>
    method === 'kss' ? smoothTransition(relationOf(explained, other).residuals, 'residual').pValue : engleGranger(explained, other).pValue;
  return eitherWay(of(a, b), of(b, a));
}

function seriesRow({ symbol, close }: ClosingPrices): SeriesRow {
  const logs = close.map(Math.log);
  const { statistic, pValue, lags } = augmentedDickeyFuller(logs, { by: 'aic' });
  return { symbol, bars: logs.length, adf: { statistic, pValue, lags }, kpss: kpss(logs) };
}
