import { percent } from '../../domain/words.ts';
import { PASS, type RiskRule } from '../../domain/decision.ts';
import type { RiskPolicy } from '../policy.ts';

/** Halts at a fall from the peak. Speaks until the engine has latched the halt; from then on `halted` does. */
export function drawdownHalt(policy: RiskPolicy): RiskRule {
  return {
    name: 'drawdown-halt',
    review(_decision, _market, account) {
      // Written so that a drawdown that is no number halts too.
      if (account.halted || account.drawdownRatio < policy.drawdownHaltRatio) return PASS;
      return {
        kind: 'halt',
        rule: 'drawdown-halt',
        why: `equity is ${percent(account.drawdownRatio)} below its peak, the halt is at ${percent(policy.drawdownHaltRatio)}`,
      };
    },
  };
}
