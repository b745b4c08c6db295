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

/** A Friday, 00:00 UTC: periods of a week are then those of Tadi and Witzany (2025). */
const GRID_ORIGIN = Date.UTC(1970, 0, 2);

/**
 * A spread in units of the notional of its first leg, formed on the bars up to and with this one, and measured bar by bar in between. Nothing
 * of a later bar is in it. While a stretch is being traded the line that measures it stands, and only the figures of the test are renewed: a line
 * that moves would let a trade end without the spread having come back.
 *
 * Formations are where the bars' clock says, not where the first bar was: a run that begins later forms on the same bars. So it is warm after one
 * period more than a formation.
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
  flaw: Flaw = FLAW.cold;
  protected readonly window: PriceWindow;
  protected readonly excursion: Excursion;
  readonly #every: number;
  /** Bars since the last formation. */
  #age = 0;
  /** A turn has come, and its bar was no price yet. */
  #isDue = false;
  /** Up to the warm-up. */
  #seen = 0;
  #lastAt = NaN;
  /** Of the last formation: what stands in the way of any z-score until the next. */
  #formationFlaw: Flaw = FLAW.cold;

  constructor({ legs, formation, every, levels }: FormationSettings) {
    this.warmup = warmupOf(formation, every);
    this.window = new PriceWindow(legs, formation);
    this.excursion = new Excursion(levels);
    this.#every = every;
  }

  /** Of the z-score of a stretch that may be traded; 0 where there is none, or it is spent. */
  get stretch(): number {
    return this.excursion.isOpen ? this.excursion.side : 0;
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
    if (this.#hasTurned(bars[0]?.at ?? NaN)) this.#isDue = true;
    if (!this.window.push(bars)) {
      this.#unknown(FLAW.unknown);
      return;
    }
    this.#age++;
    if (this.#seen < this.warmup) this.#seen++;
    if (this.#isDue && this.window.isFull) this.#form();
    // One that came too early is no reason to form later, between two turns.
    this.#isDue = false;
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
    if (this.#seen < this.warmup) this.#unknown(FLAW.cold);
  }

  /** Whether the clock has come to another period of so many bars. */
  #hasTurned(at: number): boolean {
    const before = this.#lastAt;
    this.#lastAt = at;
    if (!(at - before > 0)) return false;
    this.barMs = Number.isNaN(this.barMs) ? at - before : Math.min(this.barMs, at - before);
    const span = this.#every * this.barMs;
    return Math.floor((at - GRID_ORIGIN) / span) !== Math.floor((before - GRID_ORIGIN) / span);
  }

  #form(): void {
    this.#age = 0;
    const formed = this.#attempt(!this.excursion.isOpen || this.#formationFlaw !== FLAW.none);
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
    out.flag(this.#isDue);
    for (const count of [this.flaw, this.#formationFlaw, this.#age, this.#seen]) out.count(count);
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
    this.#isDue = from.flag();
    this.flaw = from.count() as Flaw;
    this.#formationFlaw = from.count() as Flaw;
    this.#age = from.count();
    this.#seen = from.count();
    this.restoreLine(from);
  }
}

/** Bars until a formation has been complete at a turn, wherever in a period they began. */
export function warmupOf(formation: number, every: number): number {
  return formation + every - 1;
}

/** Natural logarithm of a leg's close. */
export function logOf(bars: readonly BarView[], leg: number): number {
  return Math.log(bars[leg]?.close ?? NaN);
}
