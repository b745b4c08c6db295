import type { MarketView, RiskRule, Target } from '../../domain/decision.ts';
import { clampEach, heldScale } from '../exposure.ts';

/** Nothing increases in an instrument whose price is old or unknown; a pair with one such leg is held back whole. */
export function staleData(): RiskRule {
  return {
    name: 'stale-data',
    review(decision, market) {
      return clampEach(decision, market, scaleWhileStale, 'stale-data', 'nothing may increase on a price that is old or unknown');
    },
  };
}

function scaleWhileStale(target: Target, market: MarketView): number {
  for (let leg = 0; leg < target.instruments.length; leg++) {
    const instrument = target.instruments[leg] ?? -1;
    // NaN, zero, negative and absent are all unknown.
    const known = (market.mark[instrument] ?? NaN) > 0;
    if (!known || market.stale[instrument] !== 0) return heldScale(target);
  }
  return 1;
}
