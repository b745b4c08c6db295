// Of several legs the two whose normalised prices lie nearest to each other, and how far apart they are now.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView } from '../../domain/feature.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { standardDeviation } from '../../quant/statistics.ts';
import type { ExcursionLevels } from './excursion.ts';
import { FLAW, isStill, type Flaw } from './flaw.ts';
import { FormedSpread, type FormationFigures } from './formed-spread.ts';

export interface DistanceSettings {
  readonly legs: number;
  readonly formation: number;
  /** Bars until the next formation, which ends every trade. */
  readonly trading: number;
  readonly levels: ExcursionLevels;
}

/**
 * Gatev, Goetzmann and Rouwenhorst (2006), Pairs trading: performance of a relative-value arbitrage rule. Prices are divided by those at the
 * formation's first bar; the pair with the smallest sum of squared differences is chosen; its deviations are of the difference within the
 * formation, from 0, where the two meet. Nothing is tested.
 */
export class DistanceSpread extends FormedSpread {
  /** Legs of the chosen pair, the first below the second. */
  first = 0;
  second = 1;
  /** Mean squared difference of the chosen pair. */
  distance = NaN;
  #bases: readonly [number, number] = [1, 1];
  #normalDeviation = NaN;
  #legs: readonly number[];

  constructor({ legs, formation, trading, levels }: DistanceSettings) {
    super({ legs, formation, every: trading, levels });
    this.#legs = oppositeLegs(legs, 0, 1);
  }

  get legs(): readonly number[] {
    return this.#legs;
  }

  protected form(closes: readonly Float64Array[]): FormationFigures | Flaw {
    this.excursion.end();
    const normal = closes.map((column) => column.map((close) => close / (column[0] ?? NaN)));
    let nearest = { first: 0, second: 1, distance: Infinity, differences: new Float64Array(0) };
    for (const [first, one] of normal.entries()) {
      // What stands still is near to whatever hardly moves, and no pair of it.
      if (isStill(one)) continue;
      for (let second = first + 1; second < normal.length; second++) {
        const other = normal[second];
        if (other === undefined || isStill(other)) continue;
        const differences = one.map((price, row) => price - (other[row] ?? NaN));
        const distance = differences.reduce((sum, difference) => sum + difference ** 2, 0) / differences.length;
        // Copies of each other lie nearest of all, and never part.
        if (distance < nearest.distance && !isStill(differences)) nearest = { first, second, distance, differences };
      }
    }
    const { first, second, distance, differences } = nearest;
    if (distance === Infinity) return normal.every((column) => !isStill(column)) ? FLAW.copy : FLAW.still;
    const halfLife = reversionOf(differences).halfLife ?? NaN;
    this.first = first;
    this.second = second;
    this.distance = distance;
    this.#bases = [closes[first]?.[0] ?? NaN, closes[second]?.[0] ?? NaN];
    this.#normalDeviation = standardDeviation(differences);
    this.#legs = oppositeLegs(this.window.legs, first, second);
    return { pValue: NaN, halfLife, rSquared: NaN };
  }

  protected measure(bars: readonly BarView[]): number {
    const one = (bars[this.first]?.close ?? NaN) / this.#bases[0];
    const other = (bars[this.second]?.close ?? NaN) / this.#bases[1];
    // As much money in either leg: a normalised price is worth its part of the middle of the two.
    const middle = (one + other) / 2;
    this.deviation = this.#normalDeviation / middle;
    return (one - other) / middle;
  }

  protected saveLine(out: ByteWriter): void {
    out.count(this.first);
    out.count(this.second);
    for (const number of [this.distance, ...this.#bases, this.#normalDeviation]) out.number(number);
  }

  protected restoreLine(from: ByteReader): void {
    this.first = from.count();
    this.second = from.count();
    this.distance = from.number();
    this.#bases = [from.number(), from.number()];
    this.#normalDeviation = from.number();
    this.#legs = oppositeLegs(this.window.legs, this.first, this.second);
  }
}

function oppositeLegs(legs: number, first: number, second: number): number[] {
  return Array.from({ length: legs }, (_, leg) => (leg === first ? 1 : leg === second ? -1 : 0));
}
