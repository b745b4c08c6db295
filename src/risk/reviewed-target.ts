// What the gate writes on a target that a rule has scaled.
import type { Target } from '../domain/decision.ts';

export interface ReviewedTarget extends Target {
  /** Names of the rules that have scaled this target, in their order; absent when none has. */
  readonly clampedBy?: readonly string[];
}

export function wasClampedBy(target: ReviewedTarget, rule: string): boolean {
  return target.clampedBy?.includes(rule) ?? false;
}

/** All legs by one scale, so that a pair keeps its proportions. Zero is zero, also of what is no number. */
export function scaledTarget(target: ReviewedTarget, scale: number, rule: string): ReviewedTarget {
  const weights = target.weights.slice();
  for (let leg = 0; leg < weights.length; leg++) weights[leg] = scale === 0 ? 0 : (weights[leg] ?? NaN) * scale;
  return {
    sleeve: target.sleeve,
    fresh: target.fresh,
    weights,
    heldWeights: target.heldWeights,
    instruments: target.instruments,
    stopRatio: target.stopRatio,
    expectedReturn: target.expectedReturn,
    roundTripCostRatio: target.roundTripCostRatio,
    clampedBy: target.clampedBy === undefined ? [rule] : [...target.clampedBy, rule],
  };
}
