// What the rules of gate one share: how much of a target is there already, and how a limit is divided between that and what is new.
//
// A target is whole: a rule may only scale it, all legs alike, by a number in [0, 1]. Of a standing target everything is *kept*.
// Of a fresh one the part that only keeps what is held, on the side it is held, is kept too, and the rest is *added*. So a target that
// reduces has nothing added: no room is needed for it and no lack of room can keep it from reducing or make it smaller than it asked.
import { PASS, type Decision, type MarketView, type Ruling, type Target } from '../domain/decision.ts';

/** Relative slack for sums of rounded products: far below any lot, far above rounding. */
export const TOLERANCE = 1e-12;
/** Held and asked come from different roundings of one quantity; nearer than this they are the same. */
const SAME = 1e-9;

/** The largest scale of what one leg asks that is no more than it holds on that side; a leg that asks nothing sets no bound. */
export function legHeldScale(asked: number, held: number): number {
  if (asked === 0) return 1;
  const ratio = held / asked;
  if (ratio >= 1 - SAME) return 1;
  return ratio > 0 ? ratio : 0;
}

/** The largest scale of a target at which no leg is larger than it is held, or on another side: 1 when it reduces, 0 when it flips or opens. */
export function heldScale(target: Target): number {
  let scale = 1;
  for (let leg = 0; leg < target.weights.length; leg++) {
    scale = Math.min(scale, legHeldScale(target.weights[leg] ?? 0, target.heldWeights[leg] ?? 0));
  }
  return scale;
}

/** The part of a target that is there already, as a ratio of what it asks. */
export function keptRatio(target: Target): number {
  return target.fresh ? heldScale(target) : 1;
}

/** Sum of the legs' absolute weights. */
export function gross(target: Target): number {
  let sum = 0;
  for (let leg = 0; leg < target.weights.length; leg++) sum += Math.abs(target.weights[leg] ?? 0);
  return sum;
}

/**
 * What the sleeve loses at its stop, as a ratio of equity. A pair's stop acts on its spread: what all legs lose together is a ratio of the
 * first that is traded. Without a known stop all of it is at risk.
 */
export function openRisk(target: Target): number {
  const { stopRatio, weights } = target;
  if (!(stopRatio > 0 && stopRatio < Infinity)) return gross(target);
  for (let leg = 0; leg < weights.length; leg++) {
    const weight = weights[leg] ?? 0;
    if (weight !== 0) return Math.abs(weight) * stopRatio;
  }
  return 0;
}

export function hasPosition(weights: readonly number[]): boolean {
  for (let leg = 0; leg < weights.length; leg++) if (weights[leg] !== 0) return true;
  return false;
}

export function exceeds(value: number, limit: number): boolean {
  return value > limit * (1 + TOLERANCE);
}

/** How a limit divides: by how much what is kept is cut, and what part of the additions is granted. */
export interface Division {
  readonly cut: number;
  readonly grant: number;
}

/**
 * What stands goes first and is cut only beyond limit x tolerance, then to the limit; what is added shares the room that is left.
 * Afterwards either the limit holds, or nothing is added and what stands is within the tolerance. Dividing again changes nothing.
 */
export function divide(limit: number, kept: number, added: number, toleranceRatio: number): Division {
  if (exceeds(kept, limit * toleranceRatio)) return { cut: limit / kept, grant: 0 };
  return { cut: 1, grant: exceeds(kept + added, limit) && added > 0 ? Math.max(0, limit - kept) / added : 1 };
}

/** The scale of a whole target of which a part is kept and cut, and the rest is granted in part. */
export function dividedScale(kept: number, { cut, grant }: Division): number {
  return cut * (kept + (1 - kept) * grant);
}

/** Applies one limit to the sum of a measure over all targets. */
export function limitSum(
  decision: Decision,
  limit: number,
  toleranceRatio: number,
  measure: (target: Target) => number,
  rule: string,
  why: (total: number) => string,
): Ruling {
  const { targets } = decision;
  let total = 0;
  for (let index = 0; index < targets.length; index++) total += measure(targets[index] as Target);
  if (!exceeds(total, limit)) return PASS;
  let kept = 0;
  for (const target of targets) kept += measure(target) * keptRatio(target);
  const division = divide(limit, kept, total - kept, toleranceRatio);
  return clampOf(
    rule,
    targets.map((target) => dividedScale(keptRatio(target), division)),
    () => why(total),
  );
}

/** Scales every target by itself; passes, without allocating, when all scales are 1. */
export function clampEach(
  decision: Decision,
  market: MarketView,
  scaleOf: (target: Target, market: MarketView) => number,
  rule: string,
  why: string,
): Ruling {
  const { targets } = decision;
  for (let index = 0; index < targets.length; index++) {
    if (scaleOf(targets[index] as Target, market) === 1) continue;
    return { kind: 'clamp', rule, why, scales: targets.map((target) => scaleOf(target, market)) };
  }
  return PASS;
}

/** A clamp, or a pass when no scale says anything. */
export function clampOf(rule: string, scales: readonly number[], why: () => string): Ruling {
  return scales.every((scale) => scale === 1) ? PASS : { kind: 'clamp', rule, why: why(), scales };
}
