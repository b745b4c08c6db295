import { percent } from '../../domain/words.ts';
import { PASS, type RiskRule, type Target } from '../../domain/decision.ts';
import { clampEach, hasPosition } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';
import { wasClampedBy } from '../reviewed-target.ts';

/**
 * In a deep drawdown a fresh target gets half of what the other rules grant, so it comes last: halving what is asked would change nothing
 * where a limit binds anyway (2 % risk at a 3 % stop asks 67 %, half of that is still over the 25 % limit). What stands is left alone, and a
 * target is halved once: the gate writes on it which rules have scaled it.
 */
export function drawdownHalve(policy: RiskPolicy): RiskRule {
  const why = `sizes are halved from ${percent(policy.drawdownHalveRatio)} below the peak of equity`;
  return {
    name: 'drawdown-halve',
    review(decision, market, account) {
      if (account.drawdownRatio < policy.drawdownHalveRatio) return PASS;
      return clampEach(decision, market, halfIfFresh, 'drawdown-halve', why);
    },
  };
}

function halfIfFresh(target: Target): number {
  return target.fresh && hasPosition(target.weights) && !wasClampedBy(target, 'drawdown-halve') ? 0.5 : 1;
}
