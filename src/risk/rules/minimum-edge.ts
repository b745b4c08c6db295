import { percent } from '../../domain/words.ts';
import { PASS, type Decision, type RiskRule, type Target } from '../../domain/decision.ts';
import { clampOf, heldScale } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/** Of this rule, on what it has scaled. */
export const MINIMUM_EDGE = 'minimum-edge';

/**
 * Whether what a forecast expects is worth a round trip. Where it names nothing there is nothing to hold against the cost.
 * @param expectedReturn of the side that is taken: a loss is worth nothing, however large
 */
export function isWorthItsCost(expectedReturn: number, roundTripCostRatio: number, edgeMultiple: number): boolean {
  if (!(edgeMultiple > 0) || Number.isNaN(expectedReturn)) return true;
  // A cost that is not known is more than anything that could be expected.
  return expectedReturn >= edgeMultiple * roundTripCostRatio;
}

/**
 * No trade that its own forecast does not expect to pay: a fresh target that would increase keeps what is held. What reduces and what closes
 * costs as much, and is never held back for it: the cost of going out was part of going in.
 */
export function minimumEdge({ edgeMultiple }: RiskPolicy): RiskRule {
  function scaleOf(target: Target): number {
    if (!target.fresh || isWorthItsCost(target.expectedReturn, target.roundTripCostRatio, edgeMultiple)) return 1;
    return heldScale(target);
  }

  function why({ targets }: Decision): string {
    return targets
      .filter((target) => scaleOf(target) < 1)
      .map(({ expectedReturn, roundTripCostRatio }) => {
        const expected = percent(expectedReturn);
        return `${expected} is expected and ${percent(edgeMultiple * roundTripCostRatio)} needed, ${edgeMultiple} x the ${percent(roundTripCostRatio)} of a round trip`;
      })
      .join('; ');
  }

  return {
    name: MINIMUM_EDGE,
    review(decision) {
      const { targets } = decision;
      for (let index = 0; index < targets.length; index++) {
        if (scaleOf(targets[index] as Target) < 1) return clampOf(MINIMUM_EDGE, targets.map(scaleOf), () => why(decision));
      }
      return PASS;
    },
  };
}
