// What a mind says: a forecast or an abstention, never an order.
import type { TimeMs } from './time.ts';

export interface Protection {
  /** Distance of the stop from entry as a ratio of price; of several legs what they may lose together, of the first that is traded. */
  readonly stopRatio?: number;
  /** Distance of the target from entry as a ratio of price. */
  readonly targetRatio?: number;
  /** Trail the stop by this many R once one R is won; R is the entry's stop distance. */
  readonly trailR?: number;
  /**
   * Keep the stop this far behind the best price after the bar that was decided on, as a ratio of that price; in place of `trailR`. Moved
   * with each bar, after the bar was tested against it.
   */
  readonly trailRatio?: number;
}

export interface Forecast {
  readonly kind: 'forecast';
  /** In [-1, 1]: the sign is the side, the size the conviction. */
  readonly stance: number;
  /** In [0, 1], calibrated by the source's own record where it has one. */
  readonly confidence: number;
  /**
   * Expected return over the horizon, as a ratio, of the subject as its legs are listed, for each unit of weight that `legs` multiply. Signed by
   * the subject and not by the stance: a short stance that is right names a negative one, and the side's own expectation is sign(stance) times
   * it. Before costs.
   */
  readonly expectedReturn?: number;
  readonly horizonMs?: TimeMs;
  readonly protection?: Protection;
  /** Ratio of each leg of the subject, signed, 0 for one that is left out; [1] for one instrument. */
  readonly legs?: readonly number[];
}

/** Holds what is held, adds nothing. Not the same as a neutral stance, which makes flat. */
export interface Abstention {
  readonly kind: 'abstention';
  readonly because: string;
}

export type Opinion = Forecast | Abstention;

/** Why, in words and named numbers. Asked for only when a decision is recorded. */
export interface Reasons {
  readonly because: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export function abstain(because: string): Abstention {
  return { kind: 'abstention', because };
}
