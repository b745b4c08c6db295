// What a column of a sweep trades with: prices, costs, sizes and exits. Estimates throughout: a sweep owes nobody anything.
import type { FillRule } from '../../venues/simulated/rules.ts';

/** Equal-length columns of one instrument, oldest first; what is missing is absent, and indicators count bars. */
export interface SweepBars {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

/**
 * What an entry commits, fees included, never more than the cash there is; a short commits as much as a long.
 * `compounding` takes the part from the cash of that moment, otherwise from the capital of the start: a fixed stake.
 */
export type ColumnSizing =
  | { readonly kind: 'fraction'; readonly ratio: number; readonly compounding: boolean }
  /** So much that the stop, where it fills at its own price, loses this part. Without a stop nothing is entered. */
  | { readonly kind: 'risk'; readonly ratio: number; readonly compounding: boolean }
  | { readonly kind: 'money'; readonly amount: number }
  | { readonly kind: 'quantity'; readonly quantity: number };

export const ALL_IN: ColumnSizing = { kind: 'fraction', ratio: 1, compounding: true };

export interface SweepAccount {
  readonly capital: number;
  /** Of notional, on every fill. */
  readonly feeRate: number;
  /** Of price, against us, on every fill that is not a stop or a target. */
  readonly slippageRatio: number;
  /** Of price, against us, where a stop fills. A target fills at its price or better. */
  readonly stopSlippageRatio: number;
  /** Where a change of position fills. */
  readonly fill: FillRule;
  readonly sizing: ColumnSizing;
}

/** Exits that need no flag. Ratios of the entry's price before slippage; 0 is none. */
export interface ColumnProtection {
  readonly stopRatio: number;
  /** The stop follows the best price since the entry, as known before the bar that is tested. */
  readonly isTrailing: boolean;
  readonly targetRatio: number;
}

export const UNPROTECTED: ColumnProtection = { stopRatio: 0, isTrailing: false, targetRatio: 0 };

/** Whether a position is always worth the whole account: then the returns of a held position are those of the price. */
export function isAllIn({ sizing }: SweepAccount): boolean {
  return sizing.kind === 'fraction' && sizing.ratio === 1 && sizing.compounding;
}

/** What to enter at this price; 0 where there is nothing to enter with. */
export function entryQuantity({ sizing, capital, feeRate }: SweepAccount, cash: number, price: number, stopRatio: number): number {
  if (!(cash > 0)) return 0;
  const most = cash / (price * (1 + feeRate));
  switch (sizing.kind) {
    case 'fraction':
      return Math.min(most, (sizing.ratio * (sizing.compounding ? cash : capital)) / (price * (1 + feeRate)));
    case 'risk':
      return stopRatio > 0 ? Math.min(most, (sizing.ratio * (sizing.compounding ? cash : capital)) / (price * stopRatio)) : 0;
    case 'money':
      return Math.min(most, sizing.amount / (price * (1 + feeRate)));
    case 'quantity':
      return Math.min(most, sizing.quantity);
  }
}
