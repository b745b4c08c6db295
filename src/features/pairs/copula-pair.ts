// Of several coins the two that keep best to a reference coin, and how unusual each of their spreads to it is when the other is known.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView } from '../../domain/feature.ts';
import { engleGrangerThroughOrigin } from '../../quant/cointegration.ts';
import { conditionalProbabilities, type Copula, type CopulaFamily, type Rotation } from '../../quant/copula.ts';
import { fitCopulas } from '../../quant/copula-fit.ts';
import { fitMarginals, marginalProbability, type Marginal } from '../../quant/marginal.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { kendall } from '../../quant/rank-correlation.ts';
import { smoothTransition } from '../../quant/smooth-transition.ts';
import { mean, standardDeviation } from '../../quant/statistics.ts';
import { changesOf } from '../../quant/unit-root.ts';
import { FLAW, isCopy, isStill, type Flaw } from './flaw.ts';
import { FormedSpread, type FormationFigures } from './formed-spread.ts';

export interface CopulaPairSettings {
  /** The reference, which is the first, among them. */
  readonly legs: number;
  readonly formation: number;
  /** Bars until the next formation, which ends every trade. */
  readonly trading: number;
  readonly test: 'engle-granger' | 'kss';
  /** A coin is a candidate where its spread to the reference wanders with at most this probability. */
  readonly mostPValue: number;
}

/** Price of the reference less beta prices of the coin, and how that is distributed by itself. */
export interface ChosenCoin {
  /** Which leg it is. */
  readonly leg: number;
  readonly beta: number;
  readonly pValue: number;
  /** Kendall's, of its returns with the reference's. */
  readonly tau: number;
  readonly marginal: Marginal;
}

export interface ChosenPair {
  /** The one with the larger tau. */
  readonly one: ChosenCoin;
  readonly other: ChosenCoin;
  readonly copula: Copula;
  /** Of the spread of the one less that of the other: of other.beta x price - one.beta x price. */
  readonly middle: number;
  readonly deviation: number;
}

interface Candidate extends Omit<ChosenCoin, 'marginal'> {
  readonly spreads: Float64Array;
}

/** A stretch is not looked at: the two probabilities say when to trade. */
const NEVER_STRETCHED = { entry: Infinity, exit: 0, stop: Infinity, longest: Infinity };

/**
 * Tadi and Witzany (2025), Copula-based trading of cointegrated cryptocurrency pairs. Each coin's spread is S = price of the reference - beta x
 * its price, beta by least squares through the origin; coins whose S comes back are candidates, by MacKinnon's p-values of residuals where the
 * paper has those of a column by itself; the two with the largest Kendall tau are the pair; marginals (normal, Student's, Cauchy's) and copula
 * (Gaussian, Student's, Clayton, Gumbel, Frank, Joe, turned) are those of the lowest AIC. The paper's BB and Tawn families are not here.
 * Without two candidates `hasPair` is 0, the z-score 0, and both probabilities a half.
 */
export class CopulaPair extends FormedSpread {
  readonly #test: CopulaPairSettings['test'];
  readonly #mostPValue: number;
  /** Of the one's spread being below what it is, where the other's is known; and the other way. */
  firstProbability = NaN;
  secondProbability = NaN;
  /** Coins whose spreads come back. */
  candidates = 0;
  #pair: ChosenPair | undefined;
  #legs: readonly number[];

  constructor({ legs, formation, trading, test, mostPValue }: CopulaPairSettings) {
    super({ legs, formation, every: trading, levels: NEVER_STRETCHED });
    this.#test = test;
    this.#mostPValue = mostPValue;
    // Of no pair, and traded by nobody.
    this.#legs = Array.from({ length: legs }, (_, leg) => (leg === 1 ? 1 : leg === 2 ? -1 : 0));
  }

  get pair(): ChosenPair | undefined {
    return this.#pair;
  }
  get hasPair(): number {
    return this.#pair === undefined ? 0 : 1;
  }
  /** Of the one's spread less the other's: the larger leg is 1 in size. */
  get legs(): readonly number[] {
    return this.#legs;
  }

  protected form([reference, ...coins]: readonly Float64Array[]): FormationFigures | Flaw {
    this.#pair = undefined;
    if (reference === undefined || isStill(reference.map(Math.log))) return FLAW.still;
    const candidates = coins.flatMap((prices, index) => this.#candidate(index + 1, reference, prices) ?? []);
    candidates.sort((one, other) => other.tau - one.tau);
    this.candidates = candidates.length;
    const [one, other] = candidates;
    if (one === undefined || other === undefined) return { pValue: NaN, halfLife: NaN, rSquared: NaN };
    const differences = one.spreads.map((spread, row) => spread - (other.spreads[row] ?? NaN));
    if (isCopy(differences, reference)) return FLAW.copy;
    const [first, second] = [one, other].map(({ spreads }) => fitMarginals(spreads)[0]?.marginal);
    if (first === undefined || second === undefined) return FLAW.singular;
    const [u, v] = [
      one.spreads.map((spread) => marginalProbability(first, spread)),
      other.spreads.map((spread) => marginalProbability(second, spread)),
    ];
    const copula = fitCopulas(u, v)[0]?.copula;
    if (copula === undefined) return FLAW.singular;
    const chosen = ({ leg, beta, pValue, tau }: Candidate, marginal: Marginal): ChosenCoin => ({ leg, beta, pValue, tau, marginal });
    this.#pair = {
      one: chosen(one, first),
      other: chosen(other, second),
      copula,
      middle: mean(differences),
      deviation: standardDeviation(differences),
    };
    return { pValue: Math.max(one.pValue, other.pValue), halfLife: reversionOf(differences).halfLife ?? NaN, rSquared: NaN };
  }

  /** Undefined where its spread wanders, or is none. */
  #candidate(leg: number, reference: Float64Array, prices: Float64Array): Candidate | undefined {
    if (isStill(prices.map(Math.log))) return undefined;
    const { beta, residuals, pValue: residualPValue } = engleGrangerThroughOrigin(reference, prices);
    if (isCopy(residuals, reference)) return undefined;
    const pValue = this.#test === 'engle-granger' ? residualPValue : smoothTransition(residuals, 'residual').pValue;
    const tau = kendall(returnsOf(reference), returnsOf(prices));
    if (!(pValue <= this.#mostPValue) || Number.isNaN(tau)) return undefined;
    return { leg, beta, pValue, tau, spreads: residuals };
  }

  protected measure(bars: readonly BarView[]): number {
    const pair = this.#pair;
    if (pair === undefined) {
      this.firstProbability = 0.5;
      this.secondProbability = 0.5;
      this.deviation = 1;
      return 0;
    }
    const { one, other, copula, middle, deviation } = pair;
    const [priceOfOne, priceOfOther] = [bars[one.leg]?.close ?? NaN, bars[other.leg]?.close ?? NaN];
    const base = bars[0]?.close ?? NaN;
    const [spreadOfOne, spreadOfOther] = [base - one.beta * priceOfOne, base - other.beta * priceOfOther];
    const { first, second } = conditionalProbabilities(
      copula,
      marginalProbability(one.marginal, spreadOfOne),
      marginalProbability(other.marginal, spreadOfOther),
    );
    this.firstProbability = first;
    this.secondProbability = second;
    // The reference cancels: what is left is money in the two coins.
    const [moneyOfOne, moneyOfOther] = [-one.beta * priceOfOne, other.beta * priceOfOther];
    const most = Math.max(Math.abs(moneyOfOne), Math.abs(moneyOfOther));
    this.#legs = Array.from({ length: this.window.legs }, (_, leg) => {
      return leg === one.leg ? moneyOfOne / most : leg === other.leg ? moneyOfOther / most : 0;
    });
    const notional = Math.abs(one.leg < other.leg ? moneyOfOne : moneyOfOther);
    this.deviation = deviation / notional;
    return (spreadOfOne - spreadOfOther - middle) / notional;
  }

  protected saveLine(out: ByteWriter): void {
    for (const number of [this.firstProbability, this.secondProbability]) out.number(number);
    out.count(this.candidates);
    out.numbers(Float64Array.from(this.#legs));
    out.flag(this.#pair !== undefined);
    if (this.#pair === undefined) return;
    const { one, other, copula, middle, deviation } = this.#pair;
    for (const { leg, beta, pValue, tau, marginal } of [one, other]) {
      out.count(leg);
      for (const number of [beta, pValue, tau]) out.number(number);
      writeMarginal(out, marginal);
    }
    writeCopula(out, copula);
    out.number(middle);
    out.number(deviation);
  }

  protected restoreLine(from: ByteReader): void {
    this.firstProbability = from.number();
    this.secondProbability = from.number();
    this.candidates = from.count();
    this.#legs = Array.from(from.numbers());
    if (!from.flag()) {
      this.#pair = undefined;
      return;
    }
    const coin = (): ChosenCoin => {
      return { leg: from.count(), beta: from.number(), pValue: from.number(), tau: from.number(), marginal: readMarginal(from) };
    };
    const [one, other] = [coin(), coin()];
    this.#pair = { one, other, copula: readCopula(from), middle: from.number(), deviation: from.number() };
  }
}

function returnsOf(prices: Float64Array): Float64Array {
  return changesOf(prices.map(Math.log));
}

const MARGINALS = ['normal', 'student', 'cauchy'] as const;

function writeMarginal(out: ByteWriter, marginal: Marginal): void {
  if (marginal.family === 'empirical') throw new TypeError('an empirical marginal, expected one that was fitted');
  out.count(MARGINALS.indexOf(marginal.family));
  for (const number of [marginal.middle, marginal.scale, marginal.family === 'student' ? marginal.degrees : 0]) out.number(number);
}

function readMarginal(from: ByteReader): Marginal {
  const family = MARGINALS[from.count()] ?? 'normal';
  const [middle, scale, degrees] = [from.number(), from.number(), from.number()];
  return family === 'student' ? { family, middle, scale, degrees } : { family, middle, scale };
}

const FAMILIES: readonly CopulaFamily[] = ['gaussian', 'student', 'frank', 'clayton', 'gumbel', 'joe'];

function writeCopula(out: ByteWriter, copula: Copula): void {
  out.count(FAMILIES.indexOf(copula.family));
  out.number('theta' in copula ? copula.theta : copula.correlation);
  out.number('degrees' in copula ? copula.degrees : 0);
  out.count('rotation' in copula ? copula.rotation : 0);
}

function readCopula(from: ByteReader): Copula {
  const family = FAMILIES[from.count()] ?? 'gaussian';
  const [parameter, degrees, rotation] = [from.number(), from.number(), from.count() as Rotation];
  switch (family) {
    case 'gaussian':
      return { family, correlation: parameter };
    case 'student':
      return { family, correlation: parameter, degrees };
    case 'frank':
      return { family, theta: parameter };
    default:
      return { family, theta: parameter, rotation };
  }
}
