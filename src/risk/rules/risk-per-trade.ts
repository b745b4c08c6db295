import { percent } from '../../domain/words.ts';
import type { RiskRule, Target } from '../../domain/decision.ts';
import { clampEach, divide, dividedScale, exceeds, keptRatio, openRisk } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** No sleeve loses more than its ratio of equity at its stop. */
export function riskPerTrade(policy: RiskPolicy): RiskRule {
  const limit = policy.riskPerTradeRatio;
  const why = `a sleeve would lose more than ${percent(limit)} of equity at its stop`;

  function scaleToRisk(target: Target): number {
    const risk = openRisk(target);
    if (!exceeds(risk, limit)) return 1;
    const kept = keptRatio(target);
    return dividedScale(kept, divide(limit, risk * kept, risk * (1 - kept), policy.standingToleranceRatio));
  }

  return {
    name: 'risk-per-trade',
    review: (decision, market) => clampEach(decision, market, scaleToRisk, 'risk-per-trade', why),
  };
}
