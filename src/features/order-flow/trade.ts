// The check between a trade and the memory of an order-flow class.
import { assert } from '../../domain/errors.ts';

/** Who took: 1 for a buyer, -1 for a seller. */
export type TakerSide = 1 | -1;

/** Trades are validated where they enter the system, so a quantity that is not positive and finite is a bug here. */
export function demandQuantity(value: number): number {
  assert(value > 0 && value < Infinity, 'a trade has a positive, finite quantity');
  return value;
}
