// A sleeve owns positions: a subject, a fixed share of equity, and the sources whose opinions are pooled in it.
import type { Amount, Quantity } from './decimal.ts';

export interface Sleeve {
  readonly name: string;
  /** Fixed share of equity, 0..1. */
  readonly shareRatio: number;
  /** Index of each leg's instrument: one, or two for a pair. */
  readonly instruments: readonly number[];
  /** Indexes of its sources of opinion. */
  readonly sources: readonly number[];
}

/**
 * A holding is one leg of one sleeve. Holdings are numbered through all sleeves, so that positions, targets and
 * working quantities are flat arrays.
 */
export interface Holdings {
  readonly count: number;
  /** By sleeve: number of its first holding. */
  readonly first: readonly number[];
  readonly sleeve: readonly number[];
  readonly leg: readonly number[];
  readonly instrument: readonly number[];
  /** By instrument: its holdings, in order. */
  readonly ofInstrument: readonly (readonly number[])[];
}

export function layOut(sleeves: readonly Sleeve[], instrumentCount: number): Holdings {
  const first: number[] = [];
  const sleeve: number[] = [];
  const leg: number[] = [];
  const instrument: number[] = [];
  const ofInstrument: number[][] = Array.from({ length: instrumentCount }, () => []);
  sleeves.forEach((each, index) => {
    first.push(sleeve.length);
    each.instruments.forEach((traded, position) => {
      ofInstrument[traded]?.push(sleeve.length);
      sleeve.push(index);
      leg.push(position);
      instrument.push(traded);
    });
  });
  return { count: sleeve.length, first, sleeve, leg, instrument, ofInstrument };
}

/** What other stages may know of the portfolio. */
export interface PortfolioView {
  /** Signed, by holding. */
  readonly quantity: readonly Quantity[];
  /** Float mirror of `quantity`. */
  readonly held: Float64Array;
  /** Signed, by instrument: the sum of its holdings. */
  readonly net: readonly Quantity[];
  /** Average entry price by holding; NaN when flat. */
  readonly entryPrice: Float64Array;
  /** By sleeve, and the unallocated reserve last. They sum to the portfolio's cash. */
  readonly cash: readonly Amount[];
  readonly equity: number;
}
