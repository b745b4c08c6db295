// How the simulated venue matches and margins: everything about it that is a choice. The defaults are the plain bar-fill rule.
import type { MaintenanceBasis, MarginTier } from './margin.ts';

/**
 * `leverage` bounds gross exposure over equity and never liquidates. `cash` pays in full and sells only what is held. `isolated` posts
 * margin for each position, which is all it can lose; `cross` lets the whole account stand behind every position.
 */
export type MarginKind = 'leverage' | 'cash' | 'isolated' | 'cross';

export interface MatchingRules {
  readonly margin: MarginKind;
  readonly maintenanceBasis: MaintenanceBasis;
  /** By symbol; a symbol without has `margin.ts#defaultTiers`. */
  readonly marginTiers: Readonly<Record<string, readonly MarginTier[]>>;
  /** Fee of a liquidation, as a ratio of notional, in place of the taker's; at most what is left of the margin. */
  readonly liquidationFeeRate: number;
  /** What the insurance fund holds at the start, in quote currency; liquidation fees go to it. What it cannot bear is auto-deleveraged. */
  readonly insuranceFund: number;
}

export const defaultRules: MatchingRules = {
  margin: 'leverage',
  maintenanceBasis: 'mark',
  marginTiers: {},
  liquidationFeeRate: 0.01,
  insuranceFund: Infinity,
};
