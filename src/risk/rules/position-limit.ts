import { percent } from '../../domain/words.ts';
import { PASS, type Decision, type RiskRule, type Target } from '../../domain/decision.ts';
import { clampOf, divide, dividedScale, exceeds, keptRatio } from '../exposure.ts';
import type { RiskPolicy } from '../policy.ts';

/**
 * Binds the gross of the sleeves in each instrument, not their net: scaling a sleeve down can then never raise another instrument's
 * measure, so one pass is enough. A pair takes the tightest scale of its legs' instruments.
 */
export function positionLimit(policy: RiskPolicy, instrumentNames: readonly string[] = []): RiskRule {
  const limit = policy.positionRatio;
  const limitInWords = percent(limit);
  // By instrument, reused between reviews.
  let grossBy = new Float64Array(0);
  let keptBy = new Float64Array(0);

  function clamp({ targets }: Decision, largest: number): ReturnType<RiskRule['review']> {
    for (let instrument = 0; instrument < keptBy.length; instrument++) keptBy[instrument] = 0;
    for (let index = 0; index < targets.length; index++) addTo(keptBy, targets[index] as Target, keptRatio(targets[index] as Target));
    const scales: number[] = [];
    for (let index = 0; index < targets.length; index++) scales.push(scaleOf(targets[index] as Target));
    return clampOf('position-limit', scales, () => {
      const name = instrumentNames[largest] ?? `instrument ${largest}`;
      return `the sleeves in ${name} would be ${percent(grossBy[largest] ?? 0)} of equity, the limit is ${limitInWords}`;
    });
  }

  function scaleOf(target: Target): number {
    let cut = 1;
    let grant = 1;
    for (let leg = 0; leg < target.instruments.length; leg++) {
      const instrument = target.instruments[leg] ?? -1;
      // A leg without weight takes no room, whatever its instrument has left.
      if (target.weights[leg] === 0) continue;
      const kept = keptBy[instrument] ?? 0;
      const division = divide(limit, kept, (grossBy[instrument] ?? 0) - kept, policy.standingToleranceRatio);
      cut = Math.min(cut, division.cut);
      grant = Math.min(grant, division.grant);
    }
    return dividedScale(keptRatio(target), { cut, grant });
  }

  return {
    name: 'position-limit',
    review(decision, market) {
      if (grossBy.length !== market.mark.length) {
        grossBy = new Float64Array(market.mark.length);
        keptBy = new Float64Array(market.mark.length);
      }
      const { targets } = decision;
      // A loop: for a handful of instruments the call of fill costs more than all the rest of this rule.
      for (let instrument = 0; instrument < grossBy.length; instrument++) grossBy[instrument] = 0;
      for (let index = 0; index < targets.length; index++) addTo(grossBy, targets[index] as Target, 1);
      let largest = 0;
      for (let instrument = 1; instrument < grossBy.length; instrument++) {
        if ((grossBy[instrument] ?? 0) > (grossBy[largest] ?? 0)) largest = instrument;
      }
      return exceeds(grossBy[largest] ?? 0, limit) ? clamp(decision, largest) : PASS;
    },
  };
}

/** Adds each leg's absolute weight, times a ratio, to the sum of its instrument. */
function addTo(sums: Float64Array, { instruments, weights }: Target, ratio: number): void {
  for (let leg = 0; leg < instruments.length; leg++) {
    const instrument = instruments[leg] ?? -1;
    sums[instrument] = (sums[instrument] ?? 0) + Math.abs(weights[leg] ?? 0) * ratio;
  }
}
