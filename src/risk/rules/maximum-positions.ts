import { PASS, type RiskRule, type Target } from '../../domain/decision.ts';
import { clampOf, exceeds, hasPosition } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/**
 * Counts sleeves that have, or want, a position. Those that have one keep their place, also when they flip; free places go to the others in
 * the order of the targets, because half a place is no place and a fixed order is the same in every run.
 */
export function maximumPositions(policy: RiskPolicy): RiskRule {
  const limit = policy.maximumPositions;
  return {
    name: 'maximum-positions',
    review({ targets }) {
      let wanted = 0;
      let seated = 0;
      for (let index = 0; index < targets.length; index++) {
        const target = targets[index] as Target;
        if (!hasPosition(target.weights)) continue;
        wanted++;
        if (hasPlace(target)) seated++;
      }
      if (wanted <= limit) return PASS;
      let placesForSeated = exceeds(seated, limit * policy.standingToleranceRatio) ? limit : seated;
      let placesForOthers = Math.max(0, limit - seated);
      const scales = targets.map((target) => {
        if (!hasPosition(target.weights)) return 1;
        if (hasPlace(target)) return placesForSeated-- > 0 ? 1 : 0;
        return placesForOthers-- > 0 ? 1 : 0;
      });
      return clampOf('maximum-positions', scales, () => `${wanted} sleeves want a position, ${limit} may have one`);
    },
  };
}

function hasPlace(target: Target): boolean {
  return !target.fresh || hasPosition(target.heldWeights);
}
