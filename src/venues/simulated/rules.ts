// How the simulated venue matches and margins: everything about it that is a choice. The defaults are the plain bar-fill rule.
import type { DatedFilter } from './dated-filters.ts';
import type { FeeCoin } from './fee-coin.ts';
import type { FeeTier } from './fees.ts';
import type { LatencyRules, ResponseRules } from './latency.ts';
import type { MaintenanceBasis, MarginTier } from './margin.ts';
import type { QueueRules } from './queue.ts';
import type { SlippageRules } from './slippage.ts';

/**
 * `leverage` bounds gross exposure over equity and never liquidates. `cash` pays in full and sells only what is held. `isolated` posts
 * margin for each position, which is all it can lose; `cross` lets the whole account stand behind every position.
 */
export type MarginKind = 'leverage' | 'cash' | 'isolated' | 'cross';

/** What an order that would trade with a resting limit of one's own does: trade, cancel the resting one, end itself, or both. */
export type SelfTrade = 'allow' | 'cancel-resting' | 'cancel-incoming' | 'cancel-both';

/**
 * What fills an order at the market when it arrives: the open of the bar that holds that moment, or the last trade seen in it; or the last
 * close, as if one could still trade at the price on which one has decided.
 */
export type FillRule = 'next-open' | 'close';

export interface MatchingRules extends LatencyRules, ResponseRules, SlippageRules, QueueRules {
  readonly fill: FillRule;
  /** A triggered stop fills this much worse, as a ratio of price; null: as much as an order at the market. */
  readonly stopSlippageRatio: number | null;
  readonly margin: MarginKind;
  readonly maintenanceBasis: MaintenanceBasis;
  /** By symbol; a symbol without has `margin.ts#defaultTiers`. */
  readonly marginTiers: Readonly<Record<string, readonly MarginTier[]>>;
  /** Fee of a liquidation, as a ratio of notional, in place of the taker's; at most what is left of the margin. */
  readonly liquidationFeeRate: number;
  /** What the insurance fund holds at the start, in quote currency; liquidation fees go to it. What it cannot bear is auto-deleveraged. */
  readonly insuranceFund: number;
  /** By turnover; without any, each instrument's own rates hold. */
  readonly feeTiers: readonly FeeTier[];
  /** The coin in which fees are paid; undefined for the quote currency. */
  readonly feeCoin: FeeCoin | undefined;
  /** How each symbol's steps and minima changed; the instrument's own hold before the first. */
  readonly filters: readonly DatedFilter[];
  /** How far the market must go through a resting limit to fill it: 0 is a touch, 1 any price beyond it. */
  readonly tradeThroughTicks: number;
  /** Part of a bar's volume that all our fills in it may take together; the rest waits. 0 is without bound. */
  readonly volumeShareRatio: number;
  readonly selfTrade: SelfTrade;
}

export const defaultRules: MatchingRules = {
  fill: 'next-open',
  stopSlippageRatio: null,
  margin: 'leverage',
  maintenanceBasis: 'mark',
  marginTiers: {},
  liquidationFeeRate: 0.01,
  insuranceFund: Infinity,
  feeTiers: [],
  feeCoin: undefined,
  filters: [],
  tradeThroughTicks: 1,
  volumeShareRatio: 0,
  slippageModel: 'fixed',
  impactRatio: 0.1,
  latencyJitterMs: 0,
  latencySeed: 1,
  recordedLatenciesMs: [],
  responseLatencyMs: 0,
  responseJitterMs: 0,
  recordedResponsesMs: [],
  selfTrade: 'allow',
  queueModel: 'none',
  queuePower: 3,
};
