// Funding rates as they were: when they were settled, and what longs then paid to shorts.
import { NEVER, type TimeMs } from './time.ts';

/** Equal-length columns in order of time. */
export interface FundingRates {
  readonly at: Float64Array;
  /** Of the position's value. */
  readonly rate: Float64Array;
}

/**
 * When funding is settled, and at what rate: as it was where that is known, and from the first settlement that is known to the last there are
 * no others; before and after, at an assumed rate on a plain grid.
 */
export class FundingCalendar {
  readonly #rates: FundingRates;

  constructor(rates: FundingRates | undefined) {
    this.#rates = rates ?? { at: new Float64Array(0), rate: new Float64Array(0) };
  }

  /** The first settlement at or after `from`; NEVER where there is none. @param intervalMs of the plain grid; 0 for none */
  nextAt(from: TimeMs, intervalMs: TimeMs): TimeMs {
    const grid = intervalMs > 0 ? Math.ceil(from / intervalMs) * intervalMs : NEVER;
    const { at } = this.#rates;
    const row = this.#firstFrom(from);
    const known = at[row];
    if (known === undefined) return grid;
    return row === 0 && grid < known ? grid : known;
  }

  /** Of the settlement at this time. */
  rateAt(at: TimeMs, assumedRate: number): number {
    const row = this.#firstFrom(at);
    return this.#rates.at[row] === at ? (this.#rates.rate[row] ?? NaN) : assumedRate;
  }

  #firstFrom(from: TimeMs): number {
    const { at } = this.#rates;
    let low = 0;
    let high = at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((at[middle] ?? NaN) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
