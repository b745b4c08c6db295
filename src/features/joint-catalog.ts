// The features of several legs together that a strategy may declare. Strategies have them of subject-catalog.ts.
import { BallastError } from '../domain/errors.ts';
import type { JointFeatureSpec, JointIndicator } from '../domain/feature.ts';
import { CatchUp, ReturnCorrelation } from './indicators/joint-returns.ts';
import { Premium } from './indicators/premium.ts';

/** As long as in catalog.ts: beyond it a window is a slip of the pen. */
const LONGEST_WINDOW = 1_000_000;

/** Pearson's correlation of both legs' logarithmic returns, -1..1, and the first one's `beta` on the second. */
export function returnCorrelation(window: number): JointFeatureSpec<ReturnCorrelation> {
  const bars = windowOf('returnCorrelation', window, 3);
  return joint(`returnCorrelation(${bars})`, () => new ReturnCorrelation(bars));
}

/** The first leg's lead over the second, and what of such a lead the second has usually caught up (`slope`, `tStatistic`). */
export function catchUp(moveBars: number, aheadBars: number, window: number): JointFeatureSpec<CatchUp> {
  const move = windowOf('catchUp', moveBars, 1);
  const ahead = windowOf('catchUp', aheadBars, 1);
  const pairs = windowOf('catchUp', window, 3);
  return joint(`catchUp(${move},${ahead},${pairs})`, () => new CatchUp(move, ahead, pairs));
}

/** How much dearer the first leg is than the second, as a ratio, and its mean (`usual`). */
export function premium(window: number): JointFeatureSpec<Premium> {
  const bars = windowOf('premium', window, 1);
  return joint(`premium(${bars})`, () => new Premium(bars));
}

function joint<I extends JointIndicator>(key: string, create: () => I): JointFeatureSpec<I> {
  return { key, isJoint: true, warmup: create().warmup, create };
}

function windowOf(feature: string, window: number, least: number): number {
  if (Number.isInteger(window) && window >= least && window <= LONGEST_WINDOW) return window;
  throw new BallastError({
    code: 'FEATURE_MALFORMED',
    place: `feature ${feature}`,
    found: `a window of ${window}`,
    expected: `a whole number of bars from ${least} to ${LONGEST_WINDOW}`,
    exitCode: 2,
  });
}
