import { percent } from '../../domain/words.ts';
import type { RiskRule } from '../../domain/decision.ts';
import { gross, limitSum } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** Binds the gross of all sleeves: long and short, and sleeves that offset each other, count in full. */
export function leverage(policy: RiskPolicy): RiskRule {
  const limit = policy.leverageRatio;
  const why = (total: number): string => `all sleeves together would be ${percent(total)} of equity, the limit is ${percent(limit)}`;
  return {
    name: 'leverage',
    review: (decision) => limitSum(decision, limit, policy.standingToleranceRatio, gross, 'leverage', why),
  };
}
