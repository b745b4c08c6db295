// Gate one: a decision becomes lawful. The only place where something is approved. Gate two, for orders, is in admission.ts.
import type { AccountView, Approved, Decision, MarketView, RiskRule, Ruling, Target } from '../domain/decision.ts';
import type { RulingNote } from '../domain/entry.ts';
import { assert } from '../domain/errors.ts';
import { scaledTarget } from './reviewed-target.ts';

/** What gate one made of a decision. May be reused by its owner: copy what you keep, except the arrays, which are never written again. */
export interface Review {
  approved: Approved<Decision>;
  /** What was not a pass, in the order in which it was said. */
  rulings: readonly RulingNote[];
  /** By position in the decision's targets: what all rules together left of each, in [0, 1]. Empty when every rule passed. */
  scales: readonly number[];
}

const NO_RULINGS: readonly RulingNote[] = [];
const NO_SCALES: readonly number[] = [];

/** An object for `review` to write into, so that a decision that passes allocates nothing. */
export function emptyReview(): Review {
  return { approved: { id: -1, at: 0, targets: [] } as Decision as Approved<Decision>, rulings: NO_RULINGS, scales: NO_SCALES };
}

/**
 * Puts a decision through the rules in their order. Each sees what the ones before left; a halt ends the review with everything at zero.
 * When every rule passes, the approved decision is the decision itself.
 */
export function review(
  decision: Decision,
  market: MarketView,
  account: AccountView,
  rules: readonly RiskRule[],
  into: Review = emptyReview(),
): Review {
  into.rulings = NO_RULINGS;
  into.scales = NO_SCALES;
  let current = decision;
  for (let index = 0; index < rules.length; index++) {
    const ruling = (rules[index] as RiskRule).review(current, market, account);
    if (ruling.kind === 'pass') continue;
    current = apply(current, ruling);
    const scales = ruling.kind === 'halt' ? current.targets.map(() => 0) : ruling.scales;
    into.scales = into.scales.length === 0 ? scales : into.scales.map((scale, position) => scale * (scales[position] ?? 1));
    const note: RulingNote = {
      rule: ruling.rule,
      kind: ruling.kind,
      why: ruling.why,
      scales: ruling.kind === 'halt' ? NO_SCALES : ruling.scales,
    };
    into.rulings = into.rulings.length === 0 ? [note] : [...into.rulings, note];
    if (ruling.kind === 'halt') break;
  }
  into.approved = current as Approved<Decision>;
  return into;
}

/** The decision that a ruling leaves. A rule that would raise a target breaks the gate's one promise, and the machine stops. */
export function apply(decision: Decision, ruling: Ruling): Decision {
  if (ruling.kind === 'pass') return decision;
  const { targets } = decision;
  if (ruling.kind === 'halt') return { ...decision, targets: targets.map((target) => scaledTarget(target, 0, ruling.rule)) };
  const { rule, scales } = ruling;
  // Here and below the words are built only for a bug.
  if (scales.length !== targets.length)
    assert(false, `rule ${rule} gave ${scales.length} scales, expected one for each of ${targets.length} targets`);
  const scaled = targets.slice();
  for (let position = 0; position < targets.length; position++) {
    const scale = scales[position] ?? NaN;
    if (!(scale >= 0 && scale <= 1)) assert(false, `rule ${rule} gave scale ${scale}, expected 0 to 1: no rule may make a target grow`);
    if (scale !== 1) scaled[position] = scaledTarget(targets[position] as Target, scale, rule);
  }
  return { ...decision, targets: scaled };
}
