// Pairs of coins that each keep to a reference coin: which two deviate from it together, and how (Tadi and Witzany, 2025, Copula-based trading of
// cointegrated cryptocurrency pairs).
import { engleGranger, type EngleGranger } from '../../quant/cointegration.ts';
import { fitCopulas } from '../../quant/copula-fit.ts';
import { conditionalProbabilities, tailDependence, type Conditional, type Copula, type TailDependence } from '../../quant/copula.ts';
import { falseDiscoveryRates } from '../../quant/false-discovery.ts';
import { pseudoObservations } from '../../quant/marginal.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { kendall } from '../../quant/rank-correlation.ts';
import { standardDeviation } from '../../quant/statistics.ts';
import { changesOf } from '../../quant/unit-root.ts';
import { joinAllLogs, type ClosingPrices } from './join.ts';
import { FALSE_DISCOVERY_RATE, flaw, MINIMUM_BARS, reasonAgainst, windowsHeld, type MissingPair } from './scan.ts';

/** Log of the reference = alpha + beta x log of a coin + its spread. */
export interface ReferenceLeg {
  readonly alpha: number;
  readonly beta: number;
  readonly statistic: number;
  /** That the spread wanders: Engle and Granger's, of the reference explained by the coin, with the number of lags by AIC. */
  readonly pValue: number;
  readonly lags: number;
  /** Kendall's tau of its returns with the reference's, by which the paper orders coins. */
  readonly tauWithReference: number;
}

export interface CopulaRow {
  readonly a: string;
  readonly b: string;
  /** Bars that both and the reference have. */
  readonly bars: number;
  readonly legs: { readonly a: ReferenceLeg; readonly b: ReferenceLeg };
  /** That one of the two spreads wanders: the larger of both, which needs no correction (Berger, 1982). */
  readonly pValue: number;
  /** Rejecting all pairs up to this p-value has this share of false ones among them: Benjamini and Hochberg. */
  readonly qValue: number;
  /** Both coins are, with the reference. */
  readonly isCointegrated: boolean;
  /** Kendall's of the two spreads: what pairs are ranked by. */
  readonly tau: number;
  /** Of the ranks of the two spreads, with the lowest AIC. */
  readonly copula: Copula;
  readonly aic: number;
  readonly tail: TailDependence;
  /** Of the last bar's spreads: how low a's is where b's is known, and the other way. The bar is one of those that were fitted on. */
  readonly last: Conditional;
  /** What is traded, the reference cancelled: log a - hedgeRatio x log b. The figures below are of it. */
  readonly hedgeRatio: number;
  readonly halfLifeBars: number | null;
  /** Share of seven windows, each a quarter of the bars and half of it new, in which the pair's p-value is at most 5 %; null below 400 bars. */
  readonly stability: number | null;
  /** Log price of the spread that a round trip of both legs costs: fees and slippage, in and out. */
  readonly spreadCost: number;
  /** In the same unit. */
  readonly spreadDeviation: number;
}

export interface CopulaScan {
  /** Cointegrated ones first, the largest tau before the others; then the rest, the smallest p-value first. */
  readonly pairs: readonly CopulaRow[];
  readonly missing: readonly MissingPair[];
}

export interface CopulaScanRequest {
  readonly prices: readonly ClosingPrices[];
  readonly reference: ClosingPrices;
  readonly pairs: readonly (readonly [a: string, b: string])[];
  /** Fee and slippage of one fill of a symbol, as a ratio of its notional. */
  readonly fillCost: (symbol: string) => number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Ranks pairs by how much their spreads to the reference move together, among those of which both spreads come back.
 *
 * Why so: a trade of the difference of two spreads holds no reference, so what it leaves open is the part of the one that the other does not
 * explain, and that is small where tau is large; where tau is 0 the two conditional probabilities are the two marginals, and the trade is
 * two trades against the reference without its leg. And it can only end well if both spreads come back, which tau does not say: two that wander
 * share the reference's walk, and have a large tau by chance. Likelihoods of copulas are not ranked by: spreads have memory, which overstates
 * them by an amount that differs between pairs, and large ones may be of negative dependence, where the difference of the spreads widens.
 *
 * Logarithms with a constant, where the paper has prices without one: the critical values are of a regression with a constant. Marginals are ranks.
 */
export function scanCopulas({ prices, reference, pairs, fillCost, onProgress }: CopulaScanRequest): CopulaScan {
  const bySymbol = new Map(prices.map((each) => [each.symbol, each]));
  const missing: MissingPair[] = [];
  const rows: Omit<CopulaRow, 'qValue' | 'isCointegrated'>[] = [];
  for (const [done, [a, b]] of pairs.entries()) {
    const found = testedRow(a, b, bySymbol, reference, fillCost);
    if (typeof found === 'string') missing.push({ a, b, because: found });
    else rows.push(found);
    onProgress?.(done + 1, pairs.length);
  }
  const rates = falseDiscoveryRates(rows.map(({ pValue }) => pValue));
  const judged = rows.map((row, index): CopulaRow => {
    const qValue = rates[index] ?? NaN;
    return { ...row, qValue, isCointegrated: qValue <= FALSE_DISCOVERY_RATE };
  });
  return {
    pairs: [
      ...judged.filter(({ isCointegrated }) => isCointegrated).toSorted((one, other) => other.tau - one.tau),
      ...judged.filter(({ isCointegrated }) => !isCointegrated).toSorted((one, other) => one.pValue - other.pValue),
    ],
    missing,
  };
}

/** Or why there is none. */
function testedRow(
  a: string,
  b: string,
  bySymbol: ReadonlyMap<string, ClosingPrices>,
  reference: ClosingPrices,
  fillCost: (symbol: string) => number,
): Omit<CopulaRow, 'qValue' | 'isCointegrated'> | string {
  if (a === reference.symbol || b === reference.symbol) return `${reference.symbol} is the reference`;
  const [pricesA, pricesB] = [bySymbol.get(a), bySymbol.get(b)];
  if (pricesA === undefined || pricesB === undefined) return reasonAgainst(a, b, pricesA, pricesB, undefined) ?? 'no bars';
  const { logs } = joinAllLogs([reference, pricesA, pricesB]);
  const [base = new Float64Array(0), logA = new Float64Array(0), logB = new Float64Array(0)] = logs;
  if (base.length < MINIMUM_BARS) return `${base.length} bars in common with ${reference.symbol}, ${MINIMUM_BARS} are needed`;
  const because = flaw(base, logA) ?? flaw(base, logB) ?? flaw(logA, logB);
  return because ?? rowOf(a, b, base, logA, logB, fillCost);
}

function rowOf(
  a: string,
  b: string,
  base: Float64Array,
  logA: Float64Array,
  logB: Float64Array,
  fillCost: (symbol: string) => number,
): Omit<CopulaRow, 'qValue' | 'isCointegrated'> {
  const [ofA, ofB] = [engleGranger(base, logA), engleGranger(base, logB)];
  const [u, v] = [pseudoObservations(ofA.residuals), pseudoObservations(ofB.residuals)];
  const [best] = fitCopulas(u, v);
  if (best === undefined) throw new RangeError('no copula, expected one of every family');
  // S of a less S of b is beta b log b - beta a log a, but for a constant.
  const hedgeRatio = ofB.beta / ofA.beta;
  const spread = logA.map((value, row) => value - hedgeRatio * (logB[row] ?? NaN));
  return {
    a,
    b,
    bars: base.length,
    legs: { a: legOf(ofA, base, logA), b: legOf(ofB, base, logB) },
    pValue: Math.max(ofA.pValue, ofB.pValue),
    tau: kendall(ofA.residuals, ofB.residuals),
    copula: best.copula,
    aic: best.aic,
    tail: tailDependence(best.copula),
    last: conditionalProbabilities(best.copula, u.at(-1) ?? NaN, v.at(-1) ?? NaN),
    hedgeRatio,
    halfLifeBars: reversionOf(spread).halfLife,
    stability: windowsHeld(base.length, (start, end) => {
      const [from, one, other] = [base, logA, logB].map((column) => column.subarray(start, end));
      if (from === undefined || one === undefined || other === undefined) return NaN;
      if (flaw(from, one) !== undefined || flaw(from, other) !== undefined) return NaN;
      return Math.max(engleGranger(from, one).pValue, engleGranger(from, other).pValue);
    }),
    spreadCost: 2 * (fillCost(a) + Math.abs(hedgeRatio) * fillCost(b)),
    spreadDeviation: standardDeviation(spread),
  };
}

function legOf({ alpha, beta, statistic, pValue, lags }: EngleGranger, base: Float64Array, log: Float64Array): ReferenceLeg {
  return { alpha, beta, statistic, pValue, lags, tauWithReference: kendall(changesOf(base), changesOf(log)) };
}
