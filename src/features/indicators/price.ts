// The checks between a bar and an indicator's memory, and the prices that several indicators make of one bar.
import { assert } from '../../domain/errors.ts';
import type { BarView } from '../../domain/feature.ts';

/**
 * Bars are validated where they enter the system, so a price that is not positive and finite is a bug here, and a bug stops the machine.
 * Recursive indicators would carry a NaN for ever, which a strategy could not tell from a warm-up that never ends. Called before
 * anything is changed: the indicator that refused a bar stands as it stood.
 */
export function demandPrice(value: number): number {
  if (!(value > 0 && value < Infinity)) refuse('has positive, finite prices', value);
  return value;
}

/** The same for a volume, which may be 0: nothing was traded. */
export function demandVolume(value: number): number {
  if (!(value >= 0 && value < Infinity)) refuse('has a finite volume from 0 on', value);
  return value;
}

/** The same for the time at which a bar closed, where an indicator belongs to a day or begins at an hour. */
export function demandTime(value: number): number {
  if (!(value > -Infinity && value < Infinity)) refuse('says when it closed', value);
  return value;
}

/** Mean of high, low and close. */
export function typicalPrice(bar: BarView): number {
  return (demandPrice(bar.high) + demandPrice(bar.low) + demandPrice(bar.close)) / 3;
}

/** From the previous close to wherever the bar went: the widest of high - low, high - previous and previous - low. NaN without a previous close. */
export function trueRange(high: number, low: number, previousClose: number): number {
  return Math.max(high, previousClose) - Math.min(low, previousClose);
}

/** Apart, so that the words are not built on the hot path. */
function refuse(what: string, value: number): void {
  assert(false, `a bar that reaches an indicator ${what}, but one was ${value}`);
}
