// How much a fresh stance asks for, before any limit: pure functions from what is known of the sleeve to a signed fraction of equity.
import type { RiskPolicy } from './policy.ts';

/** `risk` lets the stop decide, `fixed` a constant, `volatility` the market, `kelly` the odds, `all-in` asks for everything. */
export type SizingMethod = 'risk' | 'fixed' | 'volatility' | 'kelly' | 'all-in';

/** What sizing may know. */
export interface SizingCase {
  /** In [-1, 1]. */
  readonly stance: number;
  /** The sleeve's fixed share of equity, 0..1. */
  readonly shareRatio: number;
  /** Distance of the stop from entry, from `stopDistance`. */
  readonly stopRatio: number;
  /** Distance of the target from entry; NaN when the opinion names none. */
  readonly targetRatio: number;
  /** Realised volatility a year, as a ratio; NaN until warm. */
  readonly volatility: number;
  /** Calibrated probability that the stance is right, 0..1. Only `kelly` looks at it. */
  readonly confidence: number;
}

/** A stop nearer than a basis point is inside any spread: it would be hit by noise. */
const MINIMUM_STOP_RATIO = 0.0001;
/** A long's stop must stand above a price of zero. */
const MAXIMUM_STOP_RATIO = 0.99;

/**
 * The weight that a fresh stance asks for: a fraction of equity with the sign of the stance, to be multiplied by each leg's ratio. In every
 * method it grows with the size of the stance and with the sleeve's share. What is unknown is sized at nothing.
 */
export function requestedWeight(method: SizingMethod, policy: RiskPolicy, sizingCase: SizingCase): number {
  const { stance, shareRatio } = sizingCase;
  const weight = Math.max(-1, Math.min(1, stance)) * shareRatio * fullWeight(method, policy, sizingCase);
  return Number.isFinite(weight) ? weight : 0;
}

/** What a stance of 1 in a sleeve that is all of equity asks for. */
function fullWeight(method: SizingMethod, policy: RiskPolicy, { stopRatio, targetRatio, volatility, confidence }: SizingCase): number {
  switch (method) {
    case 'risk':
      return stopRatio > 0 ? policy.riskPerTradeRatio / stopRatio : NaN;
    case 'fixed':
      return policy.fixedRatio;
    case 'volatility':
      return volatility > 0 ? policy.targetVolatilityRatio / volatility : NaN;
    case 'kelly': {
      // Kelly's fraction is what the bet may lose. A position loses its stop distance, so the position is that much larger.
      const payoffRatio = targetRatio > 0 ? targetRatio / stopRatio : policy.kellyPayoffRatio;
      return stopRatio > 0 ? (policy.kellyFraction * kellyRatio(confidence, payoffRatio)) / stopRatio : NaN;
    }
    case 'all-in':
      return 1;
  }
}

/**
 * The fraction of equity to put at risk that maximises the expected logarithm of equity, when the risk is lost with probability
 * 1 - p and won payoff times over with probability p: p - (1 - p) / payoff. Never negative: bad odds are no bet.
 */
export function kellyRatio(winProbability: number, payoffRatio: number): number {
  if (!(winProbability >= 0 && winProbability <= 1 && payoffRatio > 0)) return 0;
  return Math.max(0, winProbability - (1 - winProbability) / payoffRatio);
}

/**
 * Distance of a sleeve's stop from entry, as a ratio of price: the strategy's own where it names one, otherwise the tighter of the policy's
 * ratio and its multiple of ATR. Always above zero and below one.
 */
export function stopDistance(policy: RiskPolicy, atrRatio: number, own?: number): number {
  const byVolatility = atrRatio > 0 ? policy.stopAtr * atrRatio : Infinity;
  const wanted = own !== undefined && own > 0 ? own : Math.min(policy.stopRatio, byVolatility);
  return Math.max(MINIMUM_STOP_RATIO, Math.min(MAXIMUM_STOP_RATIO, wanted));
}
