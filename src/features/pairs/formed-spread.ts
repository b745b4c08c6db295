// What the spreads of all strategies with several legs have in common: a window of closes, a formation every so many bars, a z-score a bar.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, JointIndicator } from '../../domain/feature.ts';
import { Excursion, type ExcursionLevels } from './excursion.ts';
import { FLAW, type Flaw } from './flaw.ts';
import { PriceWindow } from './price-window.ts';

export interface FormationSettings {
  readonly legs: number;
  /** Bars that a formation looks at. */
  readonly formation: number;
  /** Bars from one formation to the next. A formation costs O(formation x lags), so a bar costs O(formation / every x lags). */
  readonly every: number;
  readonly levels: ExcursionLevels;
}

/** What a formation says of its bars; kept until the next. */
export interface FormationFigures {
  /** That there is no relation: of residuals, never a plain Dickey-Fuller one. NaN where nothing was tested. */
  readonly pValue: number;
  /** Bars; NaN where the spread does not come back. */
  readonly halfLife: number;
  readonly rSquared: number;
}

/**
 * A spread in units of the notional of its first leg, formed on the bars up to and with this one, and measured bar by bar in between. Nothing
 * of a later bar is in it. While a stretch is being traded the line that measures it stands, and only the figures of the test are renewed: a line
 * that moves would let a trade end without the spread having come back.
 */
export abstract class FormedSpread implements JointIndicator {
  readonly warmup: number;
  /** The z-score: deviations of the spread from its middle. NaN until it is known. */
  value = NaN;
  /** From its middle, in units of the first leg's notional. */
  spread = NaN;
  /** In the same unit. */
  deviation = NaN;
  pValue = NaN;
  halfLife = NaN;
  rSquared = NaN;
  /** Of a bar: the shortest time between two of them. */
  barMs = NaN;
  /** Formations so far: what a bar costs on average is in them. */
  formations = 0;
  flaw: Flaw = FLAW.cold;
  protected readonly window: PriceWindow;
  protected readonly excursion: Excursion;
  readonly #every: number;
  /** Bars since the last formation; as many as are needed before the first. */
  #age: number;
  #lastAt = NaN;
  /** Of the last formation: what stands in the way of any z-score until the next. */
  #formationFlaw: Flaw = FLAW.cold;

  constructor({ legs, formation, every, levels }: FormationSettings) {
    this.warmup = formation;
    this.window = new PriceWindow(legs, formation);
    this.excursion = new Excursion(levels);
    this.#every = every;
    this.#age = every;
  }

  /** Of the z-score of a stretch that may be traded; 0 where there is none, or it is spent. */
  get stretch(): number {
    return this.excursion.isLive ? this.excursion.side : 0;
  }
  /** Bars since the stretch began. */
  get stretchBars(): number {
    return this.excursion.bars;
  }
  /** Bars since the last formation: 0 at the bar that ends one. */
  get age(): number {
    return this.#age;
  }
  /** 1 where a stretch was stopped, or took too long, and has not come back yet. */
  get isSpent(): number {
    return this.excursion.isSpent ? 1 : 0;
  }

  /** Money in each leg for one of the first: what the spread is a ratio of. A new array whenever they change. */
  abstract get legs(): readonly number[];

  update(bars: readonly BarView[]): void {
    const at = bars[0]?.at ?? NaN;
    if (at - this.#lastAt > 0) this.barMs = Number.isNaN(this.barMs) ? at - this.#lastAt : Math.min(this.barMs, at - this.#lastAt);
    this.#lastAt = at;
    if (!this.window.push(bars)) {
      this.#unknown(FLAW.unknown);
      return;
    }
    // Before the first formation nothing ages.
    if (this.formations > 0) this.#age++;
    if (this.window.isFull && this.#age >= this.#every) this.#form();
    if (this.#formationFlaw !== FLAW.none) {
      this.#unknown(this.#formationFlaw);
      return;
    }
    this.spread = this.measure(bars);
    this.value = this.spread / this.deviation;
    if (!Number.isFinite(this.value)) {
      this.#unknown(FLAW.singular);
      return;
    }
    this.flaw = FLAW.none;
    this.excursion.push(this.value);
  }

  #form(): void {
    this.#age = 0;
    this.formations++;
    const formed = this.#attempt(!this.excursion.isLive || this.#formationFlaw !== FLAW.none);
    this.#formationFlaw = typeof formed === 'number' ? formed : FLAW.none;
    if (typeof formed === 'number') {
      this.pValue = NaN;
      this.halfLife = NaN;
      this.rSquared = NaN;
      return;
    }
    this.pValue = formed.pValue;
    this.halfLife = formed.halfLife;
    this.rSquared = formed.rSquared;
  }

  /** A range error of the mathematics is a formation that has no solution: columns that repeat each other, or do not vary. */
  #attempt(mayMove: boolean): FormationFigures | Flaw {
    try {
      return this.form(this.window.columns(), mayMove);
    } catch (cause) {
      if (cause instanceof RangeError) return FLAW.singular;
      throw cause;
    }
  }

  #unknown(flaw: Flaw): void {
    this.flaw = flaw;
    this.value = NaN;
    this.spread = NaN;
  }

  /**
   * Tests the closes of a full window, a column for each leg, oldest first; takes their line, and `deviation`, where it may.
   * @returns what stands in the way where nothing can be said
   * @throws RangeError where the columns are singular, before a part of the line was taken
   */
  protected abstract form(closes: readonly Float64Array[], mayMove: boolean): FormationFigures | Flaw;

  /** The spread at a bar, from its middle, by the line as it stands. May set `deviation`. */
  protected abstract measure(bars: readonly BarView[]): number;

  protected abstract saveLine(out: ByteWriter): void;
  protected abstract restoreLine(from: ByteReader): void;

  save(out: ByteWriter): void {
    this.window.save(out);
    this.excursion.save(out);
    for (const figure of [this.value, this.spread, this.deviation, this.pValue, this.halfLife, this.rSquared, this.barMs, this.#lastAt]) {
      out.number(figure);
    }
    for (const count of [this.formations, this.flaw, this.#formationFlaw, this.#age]) out.count(count);
    this.saveLine(out);
  }

  restore(from: ByteReader): void {
    this.window.restore(from);
    this.excursion.restore(from);
    this.value = from.number();
    this.spread = from.number();
    this.deviation = from.number();
    this.pValue = from.number();
    this.halfLife = from.number();
    this.rSquared = from.number();
    this.barMs = from.number();
    this.#lastAt = from.number();
    this.formations = from.count();
    this.flaw = from.count() as Flaw;
    this.#formationFlaw = from.count() as Flaw;
    this.#age = from.count();
    this.restoreLine(from);
  }
}

/** Natural logarithm of a leg's close. */
export function logOf(bars: readonly BarView[], leg: number): number {
  return Math.log(bars[leg]?.close ?? NaN);
}
