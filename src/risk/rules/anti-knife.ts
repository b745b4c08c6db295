import type { MarketView, RiskRule, Target } from '../../domain/decision.ts';
import { clampEach, legHeldScale } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** No buying into a waterfall: long legs in a falling instrument do not grow. Covering a short is no such buying. */
export function antiKnife(policy: RiskPolicy): RiskRule {
  const { percentB, volatilityRatio } = policy.antiKnife;

  function scaleInWaterfall(target: Target, market: MarketView): number {
    let scale = 1;
    for (let leg = 0; leg < target.weights.length; leg++) {
      const weight = target.weights[leg] ?? 0;
      const instrument = target.instruments[leg] ?? -1;
      // Before the features are warm they are NaN, and NaN is no waterfall.
      const falls = (market.percentB[instrument] ?? NaN) <= percentB && (market.volatilityRatio[instrument] ?? NaN) >= volatilityRatio;
      if (weight > 0 && falls) scale = Math.min(scale, legHeldScale(weight, target.heldWeights[leg] ?? 0));
    }
    return scale;
  }

  return {
    name: 'anti-knife',
    review(decision, market) {
      return clampEach(
        decision,
        market,
        scaleInWaterfall,
        'anti-knife',
        'no buying into a waterfall: the price is under its band and volatility has jumped',
      );
    },
  };
}
