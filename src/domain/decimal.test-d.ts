// What must not compile. Nothing here runs: tsc reads it, and an error that is expected and missing is an error.
/* oxlint-disable typescript/restrict-plus-operands, typescript/no-unsafe-assignment -- the linter finds what is here on purpose */
import { add, compare, price, quantity, notional, toNumber, type Amount, type Price, type Quantity } from './decimal.ts';

const some: Price = price('100');
const few: Quantity = quantity('2');

// @ts-expect-error an exact price is not multiplied by an estimate
export const product = some * 1.5;
// @ts-expect-error a price and a quantity are not added by an operator
export const sum = some + few;
// @ts-expect-error nor two prices
export const twice = some + some;
// @ts-expect-error nor compared by one
export const isLess = some < 3;
// @ts-expect-error a price is no number
export const estimate: number = some;
// @ts-expect-error a number is no price
export const made: Price = 100;
// @ts-expect-error a bigint is none either
export const raw: Price = 100n;
// @ts-expect-error a quantity is no price
export const mistaken: Price = few;
// @ts-expect-error price and quantity are not added by name either
export const named: Price = add(some, few);
// @ts-expect-error nor compared
export const compared: number = compare(some, few);
// @ts-expect-error the order of a notional is price, quantity
export const swapped: Amount = notional(few, some);

export const worth: Amount = notional(some, few);
export const seen: number = toNumber(some) * 1.5;
