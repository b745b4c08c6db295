// The spread of three legs or more: the relation that Johansen finds most likely.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView } from '../../domain/feature.ts';
import { dot } from '../../quant/linear-model.ts';
import { johansen } from '../../quant/johansen.ts';
import { reversionOf } from '../../quant/ornstein-uhlenbeck.ts';
import { mean, standardDeviation } from '../../quant/statistics.ts';
import type { ExcursionLevels } from './excursion.ts';
import { FLAW, isCopy, isStill, type Flaw } from './flaw.ts';
import { FormedSpread, logOf, type FormationFigures } from './formed-spread.ts';

export interface BasketSettings {
  readonly legs: number;
  readonly formation: number;
  readonly every: number;
  readonly levels: ExcursionLevels;
}

export class BasketSpread extends FormedSpread {
  /** Of logs, 1 in the first leg: money in each for one in the first. */
  #vector: readonly number[];
  #middle = 0;
  /** Relations that the trace test finds at 5 %. */
  rank = 0;

  constructor({ legs, formation, every, levels }: BasketSettings) {
    super({ legs, formation, every, levels });
    this.#vector = Array.from({ length: legs }, (_, leg) => (leg === 0 ? 1 : -1 / (legs - 1)));
  }

  get legs(): readonly number[] {
    return this.#vector;
  }
  /** Money in all legs, whatever their sides, for one in the first. */
  get grossRatio(): number {
    return this.#vector.reduce((sum, ratio) => sum + Math.abs(ratio), 0);
  }

  protected form(closes: readonly Float64Array[], mayMove: boolean): FormationFigures | Flaw {
    const logs = closes.map((column) => column.map(Math.log));
    if (logs.some(isStill)) return FLAW.still;
    const tested = johansen(logs);
    const [vector] = tested.vectors;
    if (vector === undefined || !vector.every(Number.isFinite)) return FLAW.singular;
    const spreads = Float64Array.from(logs[0] ?? [], (_, row) => dot(vector, rowOf(logs, row)));
    const [first] = logs;
    if (first === undefined || isCopy(spreads, first)) return FLAW.copy;
    const [pValue = NaN] = tested.tracePValues;
    if (!Number.isFinite(pValue)) return FLAW.singular;
    const halfLife = reversionOf(spreads).halfLife ?? NaN;
    const rejected = tested.trace.findIndex((statistic, rank) => !(statistic > (tested.traceCritical[rank]?.[1] ?? NaN)));
    this.rank = rejected < 0 ? logs.length : rejected;
    if (mayMove) {
      this.#vector = Array.from(vector);
      this.#middle = mean(spreads);
      this.deviation = standardDeviation(spreads);
    }
    return { pValue, halfLife, rSquared: NaN };
  }

  protected measure(bars: readonly BarView[]): number {
    let sum = -this.#middle;
    for (let leg = 0; leg < this.#vector.length; leg++) sum += (this.#vector[leg] ?? NaN) * logOf(bars, leg);
    return sum;
  }

  protected saveLine(out: ByteWriter): void {
    out.numbers(Float64Array.from(this.#vector));
    out.number(this.#middle);
    out.count(this.rank);
  }

  protected restoreLine(from: ByteReader): void {
    this.#vector = Array.from(from.numbers());
    this.#middle = from.number();
    this.rank = from.count();
  }
}

function rowOf(columns: readonly Float64Array[], row: number): number[] {
  return columns.map((column) => column[row] ?? NaN);
}
