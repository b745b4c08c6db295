// The one check between a bar and an indicator's memory.
import { assert } from '../../domain/errors.ts';

/**
 * Bars are validated where they enter the system, so a price that is not positive and finite is a bug here, and a bug stops the machine.
 * Recursive indicators would carry a NaN for ever, which a strategy could not tell from a warm-up that never ends. Called before
 * anything is changed: the indicator that refused a bar stands as it stood.
 */
export function demandPrice(value: number): number {
  if (!(value > 0 && value < Infinity)) refuse(value);
  return value;
}

/** Apart, so that the words are not built on the hot path. */
function refuse(value: number): void {
  assert(false, `a bar that reaches an indicator has positive, finite prices, but one was ${value}`);
}
