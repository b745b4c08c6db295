// The complete target portfolio, what rules said of it, and the mark that only the gate may give.
import type { TimeMs } from './time.ts';

/** What one sleeve should hold. */
export interface Target {
  readonly sleeve: number;
  /** An opinion has changed, so the target is computed anew; otherwise it stands as it was frozen. */
  readonly fresh: boolean;
  /** Signed fraction of equity for each leg: wanted when fresh, held at current prices when standing. */
  readonly weights: readonly number[];
  /** The same for what the sleeve holds now: a rule may always leave that much alone. */
  readonly heldWeights: readonly number[];
  readonly instruments: readonly number[];
  /** Distance of the sleeve's stop from the price as a ratio: the open risk is weight x this. */
  readonly stopRatio: number;
  /**
   * Of a fresh target: what its leading forecast expects of the side that is taken, over its horizon, for every unit of weight that the leg
   * ratios multiply; negative for a loss. NaN where it names nothing, and of a standing target.
   */
  readonly expectedReturn: number;
  /** In the same unit: what opening all legs and closing them again is expected to cost. */
  readonly roundTripCostRatio: number;
  /** Names of the rules that have scaled this target, in their order; absent when none has. */
  readonly clampedBy?: readonly string[];
}

/** A decision names every sleeve, so deciding twice is harmless. */
export interface Decision {
  readonly id: number;
  readonly at: TimeMs;
  readonly targets: readonly Target[];
}

/** What gate one may know of the account: estimates, as fractions and money of the quote currency. */
export interface AccountView {
  readonly equity: number;
  readonly peakEquity: number;
  readonly dayStartEquity: number;
  /** 0..1 below the peak. */
  readonly drawdownRatio: number;
  /** 0..1 below the day's start; 0 when above. */
  readonly dayLossRatio: number;
  readonly halted: boolean;
  readonly paused: boolean;
}

/** What gates may know of the market, by instrument index. */
export interface MarketView {
  readonly at: TimeMs;
  /** Last known price; NaN before the first. */
  readonly mark: Float64Array;
  /** When the last bar closed; NaN before the first. A trade may be told late, so its time says nothing of which bars were seen. */
  readonly barAt: Float64Array;
  /** 1 when the feed is lost or silent beyond its limit. */
  readonly stale: Uint8Array;
  /** Bollinger %B of the decision timeframe; NaN until warm. */
  readonly percentB: Float64Array;
  /** Short realised volatility over long realised volatility; NaN until warm. */
  readonly volatilityRatio: Float64Array;
  /** ATR of the decision timeframe as a ratio of price; NaN until warm. */
  readonly atrRatio: Float64Array;
  /** Realised volatility a year, as a ratio; NaN until warm. */
  readonly volatility: Float64Array;
}

export type Ruling =
  | { readonly kind: 'pass' }
  /** By position in the decision's targets: each in [0, 1], whole sleeves at a time. */
  | { readonly kind: 'clamp'; readonly rule: string; readonly why: string; readonly scales: readonly number[] }
  | { readonly kind: 'halt'; readonly rule: string; readonly why: string };

export const PASS: Ruling = { kind: 'pass' };

/** A rule of gate one. Never raises a leg's absolute weight, keeps a sleeve's proportions, idempotent. */
export interface RiskRule {
  readonly name: string;
  review(decision: Decision, market: MarketView, account: AccountView): Ruling;
}

declare const approved: unique symbol;
/** Minted in risk/gate.ts only; what is not approved cannot be planned. */
export type Approved<T> = T & { readonly [approved]: true };
