// What level-based strategies share: the step between a measured level and a side, and the stop's distance.
import type { BarView } from '../../domain/feature.ts';

/** The confidence of a source without a record of its own: as likely right as wrong. The record, not the strategy, may raise it. */
export const UNCALIBRATED = 0.5;

/** A stop as far away as the price itself would lie at zero and protect nothing. */
const WIDEST_STOP_RATIO = 0.95;

export type Side = -1 | 0 | 1;

/**
 * The side of a level, positive for long: taken from `entry` on, kept while the level is beyond `exit`. Between the two it depends on what
 * is held, so that a level that trembles at a threshold does not trade at every bar. After a stop nothing is held and only a level beyond
 * `entry` counts: that is what lets a stopped sleeve become neutral and re-arm.
 */
export function sideOf(level: number, entry: number, exit: number, held: Side): Side {
  if (level >= entry) return 1;
  if (level <= -entry) return -1;
  return level * held > exit ? held : 0;
}

/** Distance of a stop so many average true ranges away, as a ratio of the close. NaN unless both are positive numbers. */
export function stopRatioOf(multiple: number, range: number, bar: BarView | undefined): number {
  if (bar === undefined || !(range > 0 && range < Infinity && bar.close > 0)) return NaN;
  return Math.min((multiple * range) / bar.close, WIDEST_STOP_RATIO);
}

/** Whether all legs have their bar of the same close: a leg that is late, silent or delisted shows an old one. */
export function areOfOneClose(bars: readonly BarView[]): boolean {
  return bars.every(({ at }) => at === bars[0]?.at);
}
