import { PASS, type RiskRule } from '../../domain/decision.ts';
import { clampEach, heldScale } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** After the day's loss nothing increases: a target may keep or reduce what it holds, and a flip only closes. */
export function dailyPause(policy: RiskPolicy): RiskRule {
  return {
    name: 'daily-pause',
    review(decision, market, account) {
      // The loss itself counts at once; the latch keeps the pause when equity recovers within the day.
      if (!account.paused && account.dayLossRatio < policy.dailyLossPauseRatio) return PASS;
      return clampEach(decision, market, heldScale, 'daily-pause', "nothing may increase after the day's loss");
    },
  };
}
