import { PASS, type RiskRule } from '../../domain/decision.ts';
import { hasPosition } from '../exposure.ts';

/** While the halt is latched every target is zero. Silent once they all are: a latched halt is one ruling, not one a bar. */
export function halted(): RiskRule {
  return {
    name: 'halted',
    review(decision, _market, account) {
      if (!account.halted || !decision.targets.some((target) => hasPosition(target.weights))) return PASS;
      return { kind: 'halt', rule: 'halted', why: 'the run is halted: every sleeve is closed until it is resumed by hand' };
    },
  };
}
