import { percent } from '../../domain/words.ts';
import type { RiskRule } from '../../domain/decision.ts';
import { limitSum, openRisk } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** If every stop were hit at once, no more than this is lost. */
export function heat(policy: RiskPolicy): RiskRule {
  const limit = policy.heatRatio;
  const why = (total: number): string => `all stops together would lose ${percent(total)} of equity, the limit is ${percent(limit)}`;
  return {
    name: 'heat',
    review: (decision) => limitSum(decision, limit, policy.standingToleranceRatio, openRisk, 'heat', why),
  };
}
