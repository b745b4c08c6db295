import { PASS, type RiskRule } from '../../domain/decision.ts';
import { assert } from '../../domain/errors.ts';

/** A weight that is no number cannot be scaled into a lawful one: it is a bug before this gate, and the machine stops. */
export function finiteNumbers(): RiskRule {
  return {
    name: 'finite-numbers',
    review(decision) {
      const { targets } = decision;
      for (let index = 0; index < targets.length; index++) {
        const target = targets[index];
        if (target === undefined) continue;
        for (let leg = 0; leg < target.weights.length; leg++) {
          const weight = target.weights[leg];
          const held = target.heldWeights[leg];
          // The words are built only for a bug.
          if (Number.isFinite(weight) && Number.isFinite(held)) continue;
          assert(false, `leg ${leg} of sleeve ${target.sleeve} wants ${weight} and holds ${held}, expected finite numbers`);
        }
      }
      return PASS;
    },
  };
}
