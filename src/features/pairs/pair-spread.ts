// The spread of two legs: log of the first on log of the second, tested, filtered and measured.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView } from '../../domain/feature.ts';
import { engleGranger, relationOf, type Relation } from '../../quant/cointegration.ts';
import { KalmanHedge } from '../../quant/kalman-hedge.ts';
import { mean, standardDeviation, variance } from '../../quant/statistics.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { smoothTransition } from '../../quant/smooth-transition.ts';
import type { ExcursionLevels } from './excursion.ts';
import { FLAW, isCopy, isStill, type Flaw } from './flaw.ts';
import { FormedSpread, logOf, type FormationFigures } from './formed-spread.ts';

export interface PairSettings {
  readonly formation: number;
  readonly every: number;
  readonly levels: ExcursionLevels;
  /** Engle and Granger's, or that of Kapetanios, Shin and Snell, which sees spreads that come back from far out only. */
  readonly test: 'engle-granger' | 'kss';
  /**
   * How the spread is measured: by the line of the last formation and the deviation of its residuals; by the same line, from the mean of the
   * last so many half-lives and in their deviation; or by a Kalman filter that forgets over so many bars.
   */
  readonly by:
    | { readonly kind: 'formation' }
    | { readonly kind: 'look-back'; readonly halfLives: number }
    | { readonly kind: 'kalman'; readonly memory: number };
}

/** Fewer values say nothing about a deviation. */
const SHORTEST_LOOK_BACK = 10;

export class PairSpread extends FormedSpread {
  readonly #test: PairSettings['test'];
  readonly #by: PairSettings['by'];
  /** Log of the first leg = intercept + hedgeRatio x log of the second: money in the second for one in the first. */
  hedgeRatio = 1;
  intercept = 0;
  #legs: readonly number[] = [1, -1];
  /** Of the look-back, or of the filter's innovations. */
  #moments: RollingMoments | undefined;
  #lookBack = 0;
  #filter: KalmanHedge | undefined;
  /** The log of the second leg from which the filter measures: near it slope and intercept do not stand in for each other. */
  #centre = 0;
  #walks = { slope: 0, intercept: 0, noise: 1 };

  constructor({ formation, every, levels, test, by }: PairSettings) {
    super({ legs: 2, formation, every, levels });
    this.#test = test;
    this.#by = by;
  }

  get legs(): readonly number[] {
    if (this.#legs[1] !== -this.hedgeRatio) this.#legs = [1, -this.hedgeRatio];
    return this.#legs;
  }

  protected form([first, second]: readonly Float64Array[], mayMove: boolean): FormationFigures | Flaw {
    const [y, x] = [first?.map(Math.log) ?? new Float64Array(0), second?.map(Math.log) ?? new Float64Array(0)];
    if (isStill(y) || isStill(x)) return FLAW.still;
    const tested = this.#test === 'engle-granger' ? engleGranger(y, x) : undefined;
    const relation = tested ?? relationOf(y, x);
    if (isCopy(relation.residuals, y)) return FLAW.copy;
    const pValue = tested?.pValue ?? smoothTransition(relation.residuals, 'residual').pValue;
    const halfLife = reversionOf(relation.residuals).halfLife ?? NaN;
    if (!Number.isFinite(pValue + relation.beta)) return FLAW.singular;
    if (this.#by.kind === 'kalman') this.#begin(relation, x);
    else if (mayMove) this.#take(relation, halfLife);
    return { pValue, halfLife, rSquared: relation.rSquared };
  }

  #take(relation: Relation, halfLife: number): void {
    this.hedgeRatio = relation.beta;
    this.intercept = relation.alpha;
    this.deviation = standardDeviation(relation.residuals);
    if (this.#by.kind !== 'look-back') return;
    const { length } = relation.residuals;
    const wanted = Math.round(this.#by.halfLives * halfLife);
    this.#lookBack = Number.isNaN(wanted) ? length : Math.min(length, Math.max(SHORTEST_LOOK_BACK, wanted));
    this.#moments = new RollingMoments(this.#lookBack);
    // All but the last, which is measured as every bar is.
    for (const residual of relation.residuals.subarray(length - this.#lookBack, -1)) this.#moments.push(residual);
  }

  /** Only once: from then on the filter knows what there is to know. */
  #begin({ alpha, beta, residuals }: Relation, x: Float64Array): void {
    if (this.#filter !== undefined || this.#by.kind !== 'kalman') return;
    const noise = variance(residuals);
    const spread = variance(x);
    // A level that walks with this part of the noise's variance is forgotten over `memory` bars.
    const walk = noise / this.#by.memory ** 2;
    this.#centre = mean(x);
    this.#walks = { slope: walk / spread, intercept: walk, noise };
    this.#filter = new KalmanHedge(this.#walks, {
      slope: beta,
      intercept: alpha + beta * this.#centre,
      slopeVariance: noise / (x.length * spread),
      interceptVariance: noise / x.length,
    });
    this.#moments = new RollingMoments(this.window.length);
    // All but the last, which comes to the filter as every bar does.
    for (const residual of residuals.subarray(0, -1)) this.#moments.push(residual);
  }

  protected measure(bars: readonly BarView[]): number {
    const [y, x] = [logOf(bars, 0), logOf(bars, 1)];
    if (this.#filter !== undefined) return this.#filtered(this.#filter, x, y);
    const residual = y - this.intercept - this.hedgeRatio * x;
    if (this.#by.kind !== 'look-back' || this.#moments === undefined) return residual;
    this.#moments.push(residual);
    this.deviation = Math.sqrt(this.#moments.squares / this.#lookBack);
    return this.#moments.offset;
  }

  /** What the filter did not expect, in the deviation of what it did not expect within the last window. */
  #filtered(filter: KalmanHedge, x: number, y: number): number {
    filter.push(x - this.#centre, y);
    this.hedgeRatio = filter.slope;
    this.intercept = filter.intercept - filter.slope * this.#centre;
    this.#moments?.push(filter.innovation);
    const { length } = this.window;
    const { mean: middle = NaN, squares = NaN } = this.#moments ?? {};
    this.deviation = Math.sqrt(squares / length + middle ** 2);
    return filter.innovation;
  }

  protected saveLine(out: ByteWriter): void {
    for (const number of [this.hedgeRatio, this.intercept, this.#centre, this.#walks.slope, this.#walks.intercept, this.#walks.noise]) {
      out.number(number);
    }
    out.count(this.#lookBack);
    out.flag(this.#moments !== undefined);
    this.#moments?.save(out);
    out.flag(this.#filter !== undefined);
    this.#filter?.save(out);
  }

  protected restoreLine(from: ByteReader): void {
    this.hedgeRatio = from.number();
    this.intercept = from.number();
    this.#centre = from.number();
    this.#walks = { slope: from.number(), intercept: from.number(), noise: from.number() };
    this.#lookBack = from.count();
    this.#moments = from.flag() ? new RollingMoments(this.#by.kind === 'kalman' ? this.window.length : this.#lookBack) : undefined;
    this.#moments?.restore(from);
    const unknown = { slope: 0, intercept: 0, slopeVariance: 0, interceptVariance: 0 };
    this.#filter = from.flag() ? new KalmanHedge(this.#walks, unknown) : undefined;
    this.#filter?.restore(from);
  }
}
