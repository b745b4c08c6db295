// Iceberg: one limit order after the other, each a small part of the whole, so that the book does not show what is wanted.
import { larger, quantityFrom, smaller, toNumber, type Quantity } from '../../domain/decimal.ts';

/** The tip to be shown: a part of what was wanted at first, at least what the venue takes, at most what is left. */
export function shownQuantity(left: Quantity, whole: Quantity, displayRatio: number, lot: Quantity, minimum: Quantity): Quantity {
  return smaller(left, larger(minimum, quantityFrom(toNumber(whole) * displayRatio, lot, 'toward-zero')));
}
