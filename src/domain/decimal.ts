// The exact number world of the ledger: integers in units of 1e-12, opaque to arithmetic operators, so that
// `price * 1.5` and `price + quantity` do not compile. Estimates are plain numbers; the doors between the two are here.
import { BallastError } from './errors.ts';

declare const unit: unique symbol;

/** An exact number. At run time a bigint in units of 1e-12; to the compiler nothing that operators accept. */
export interface Decimal<Unit extends string = string> {
  readonly [unit]: Unit;
}
/** Quote currency for one unit of base. */
export type Price = Decimal<'price'>;
/** Base currency or contracts. Signed where it is a position or a delta: positive is long. */
export type Quantity = Decimal<'quantity'>;
/** Quote currency. */
export type Amount = Decimal<'amount'>;

export type Rounding = 'down' | 'up' | 'nearest' | 'toward-zero';

/** Units in one: 1e12. */
const SCALE = 1_000_000_000_000n;
const HALF = SCALE / 2n;
const LEAST_HALF = -HALF;
/** Half of the digits behind the point. */
const MILLION = 1_000_000n;
/** Below this as a number, every part of a price, of a quantity, and of both multiplied fits into 64 bits. */
const PARTED = 4e6;

export const ZERO_PRICE = 0n as unknown as Price;
export const ZERO_QUANTITY = 0n as unknown as Quantity;
export const ZERO_AMOUNT = 0n as unknown as Amount;

const raw = (value: Decimal): bigint => value as unknown as bigint;

export function add<D extends Decimal>(left: D, right: D): D {
  return (raw(left) + raw(right)) as unknown as D;
}
export function subtract<D extends Decimal>(left: D, right: D): D {
  return (raw(left) - raw(right)) as unknown as D;
}
export function negate<D extends Decimal>(value: D): D {
  // Not a sign before it: compiled code subtracts in a register, and calls somebody to change a sign.
  return (0n - raw(value)) as unknown as D;
}
export function absolute<D extends Decimal>(value: D): D {
  return (raw(value) < 0n ? 0n - raw(value) : raw(value)) as unknown as D;
}
export function smaller<D extends Decimal>(left: D, right: D): D {
  return raw(left) <= raw(right) ? left : right;
}
export function larger<D extends Decimal>(left: D, right: D): D {
  return raw(left) >= raw(right) ? left : right;
}
/** Negative, zero or positive, as `left` is below, at or above `right`. */
export function compare<D extends Decimal>(left: D, right: D): number {
  return raw(left) < raw(right) ? -1 : raw(left) > raw(right) ? 1 : 0;
}
export function isZero(value: Decimal): boolean {
  return raw(value) === 0n;
}
/** -1, 0 or 1. */
export function signOf(value: Decimal): -1 | 0 | 1 {
  return raw(value) < 0n ? -1 : raw(value) > 0n ? 1 : 0;
}

/** price x quantity in quote currency, rounded half away from zero to 1e-12: the one rounding of a fill's notional. */
export function notional(price: Price, quantity: Quantity): Amount {
  const at = Math.abs(toNumber(price));
  const count = Math.abs(toNumber(quantity));
  if (at < PARTED && count < PARTED && at * count < 2 * PARTED) return notionalInParts(price, quantity);
  const product = raw(price) * raw(quantity);
  return (product >= 0n ? (product + HALF) / SCALE : (product - HALF) / SCALE) as unknown as Amount;
}

/** The same by halves of twelve digits: each part then fits into a word, which compiled code keeps in a register. A quarter of the time. */
function notionalInParts(price: Price, quantity: Quantity): Amount {
  const upperPrice = raw(price) / MILLION;
  const upperQuantity = raw(quantity) / MILLION;
  const lowerPrice = raw(price) - upperPrice * MILLION;
  const lowerQuantity = raw(quantity) - upperQuantity * MILLION;
  const lower = lowerPrice * lowerQuantity;
  const carried = lower / MILLION;
  const middle = upperPrice * lowerQuantity + lowerPrice * upperQuantity + carried;
  const units = upperPrice * upperQuantity + middle / MILLION;
  // Every part has the sign of the product, so that nothing is borrowed.
  const rest = (middle % MILLION) * MILLION + (lower - carried * MILLION);
  return (rest >= HALF ? units + 1n : rest <= LEAST_HALF ? units - 1n : units) as unknown as Amount;
}

/** value x numerator / denominator, rounded toward zero. The rest is the caller's: give it to the last share. */
export function proportion<D extends Decimal, R extends Decimal>(value: D, numerator: R, denominator: R): D {
  // All of it, as most often: without a product of two words and its quotient.
  if (raw(numerator) === raw(denominator) && raw(denominator) !== 0n) return value;
  return ((raw(value) * raw(numerator)) / raw(denominator)) as unknown as D;
}

/**
 * The most that an amount pays for at a price, with a fee that is a ratio of the notional: money / (price x (1 + fee)), down to the lot. One
 * unit of the money is kept back, so that the rounding of the notional never takes more than there is.
 */
export function payable(money: Amount, price: Price, feeRate: Amount, lot: Quantity): Quantity {
  const units = raw(money) > 0n ? ((raw(money) - 1n) * SCALE * SCALE) / (raw(price) * (SCALE + raw(feeRate))) : 0n;
  return roundToStep(units as unknown as Quantity, lot);
}

/** value rounded toward zero to a multiple of step; a zero step leaves it as it is. */
export function roundToStep<D extends Decimal>(value: D, step: D): D {
  if (raw(step) === 0n) return value;
  return (raw(value) - (raw(value) % raw(step))) as unknown as D;
}

/** One 64-bit integer, seen as a whole and as two halves: the way between a bigint and a double that compiled code goes by itself. */
const whole = new BigInt64Array(1);
const high = new Int32Array(whole.buffer);
const low = new Uint32Array(whole.buffer);
const [LOW, HIGH] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0];
const HALF_RANGE = 4_294_967_296;
const INT64_MAX = 9_223_372_036_854_775_807n;
const INT64_MIN = -9_223_372_036_854_775_808n;

/** The door from exact to estimate. */
export function toNumber(value: Decimal): number {
  const units = raw(value);
  if (units > INT64_MAX || units < INT64_MIN) return Number(units) / 1e12;
  whole[0] = units;
  // Both terms are exact, so the sum is rounded once, as a conversion is.
  return ((high[HIGH] ?? NaN) * HALF_RANGE + (low[LOW] ?? NaN)) / 1e12;
}

/** Of a whole number. */
function bigintOf(count: number): bigint {
  // Below this the upper half fits in 32 bits.
  if (!(Math.abs(count) < 9.2e18)) return BigInt(count);
  const upper = Math.floor(count / HALF_RANGE);
  high[HIGH] = upper;
  low[LOW] = count - upper * HALF_RANGE;
  return whole[0] ?? 0n;
}

/** The door from an estimate to a price on the venue's tick. @throws BallastError NUMBER_NOT_FINITE */
export function priceFrom(estimate: number, tick: Price, rounding: Rounding): Price {
  return stepped(estimate, raw(tick), rounding) as unknown as Price;
}
/** The door from an estimate to a quantity on the venue's lot. @throws BallastError NUMBER_NOT_FINITE */
export function quantityFrom(estimate: number, lot: Quantity, rounding: Rounding): Quantity {
  return stepped(estimate, raw(lot), rounding) as unknown as Quantity;
}
/** The door from an estimate to money, to the nearest 1e-12. @throws BallastError NUMBER_NOT_FINITE */
export function amountFrom(estimate: number): Amount {
  return stepped(estimate, 0n, 'nearest') as unknown as Amount;
}

function stepped(estimate: number, step: bigint, rounding: Rounding): bigint {
  // Without a filter the step is one unit; the product loses nothing that a double had below 2^53 units.
  const steps = step === 0n ? estimate * 1e12 : estimate / (Number(step) / 1e12);
  if (!Number.isFinite(steps)) {
    throw new BallastError({ code: 'NUMBER_NOT_FINITE', place: 'decimal', found: String(estimate), expected: 'a finite number' });
  }
  // A quotient within a few ulps of a whole number is that number: 0.3 / 0.1 is 3 steps, not 2.
  const whole = Math.round(steps);
  const isWhole = Math.abs(steps - whole) <= Math.abs(steps) * 8 * Number.EPSILON + 1e-9;
  let count: number;
  if (isWhole || rounding === 'nearest') count = whole;
  else if (rounding === 'down') count = Math.floor(steps);
  else if (rounding === 'up') count = Math.ceil(steps);
  else count = Math.trunc(steps);
  return step === 0n ? bigintOf(count) : bigintOf(count) * step;
}

/** Exponents of three digits are more than money needs, and few enough that reading one never takes long. */
const DECIMAL_TEXT = /^([+-])?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

function parseUnits(text: string, place: string): bigint {
  const match = DECIMAL_TEXT.exec(text.trim());
  if (match === null) {
    throw new BallastError({ code: 'DECIMAL_MALFORMED', place, found: JSON.stringify(text), expected: 'a decimal number such as 0.001' });
  }
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  const shift = 12 - fraction.length + Number(match[4] ?? 0);
  const digits = BigInt(whole + fraction);
  let units: bigint;
  if (shift >= 0) units = digits * 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    units = digits / divisor;
    if (digits % divisor !== 0n) {
      throw new BallastError({ code: 'DECIMAL_MALFORMED', place, found: JSON.stringify(text), expected: 'at most 12 decimal places' });
    }
  }
  return match[1] === '-' ? -units : units;
}

/** Reads a decimal string exactly. @throws BallastError DECIMAL_MALFORMED */
export function price(text: string, place = 'price'): Price {
  return parseUnits(text, place) as unknown as Price;
}
/** Reads a decimal string exactly. @throws BallastError DECIMAL_MALFORMED */
export function quantity(text: string, place = 'quantity'): Quantity {
  return parseUnits(text, place) as unknown as Quantity;
}
/** Reads a decimal string exactly. @throws BallastError DECIMAL_MALFORMED */
export function amount(text: string, place = 'amount'): Amount {
  return parseUnits(text, place) as unknown as Amount;
}

/** The exact decimal string, without trailing zeros. */
export function format(value: Decimal): string {
  const units = raw(value);
  const digits = (units < 0n ? -units : units).toString().padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -12)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The integer behind a decimal, for the byte codec and for nothing else. */
export function unitsOf(value: Decimal): bigint {
  return raw(value);
}
export function fromUnits<D extends Decimal>(units: bigint): D {
  return units as unknown as D;
}
