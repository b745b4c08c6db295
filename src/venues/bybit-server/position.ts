// One net position as the account's rows need it: cost, realised result, fees. Exact, by the same arithmetic as the simulated venue's account,
// so that cash and cost together are the wallet's balance to the last digit.
import {
  absolute,
  add,
  compare,
  isZero,
  negate,
  notional,
  proportion,
  signOf,
  subtract,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import type { TimeMs } from '../../domain/time.ts';

/** What one fill closed. */
export interface Closing {
  /** Positive; zero where nothing was closed. */
  readonly quantity: Quantity;
  readonly entryValue: Amount;
  readonly exitValue: Amount;
  /** Before fees. */
  readonly result: Amount;
  readonly openFee: Amount;
  readonly closeFee: Amount;
}

export class Position {
  /** Signed: positive is long. */
  quantity: Quantity = ZERO_QUANTITY;
  /** Average cost x quantity, signed. */
  cost: Amount = ZERO_AMOUNT;
  /** Since it was opened, and ever: results and funding less fees. */
  realised: Amount = ZERO_AMOUNT;
  everRealised: Amount = ZERO_AMOUNT;
  openedAt: TimeMs = 0;
  updatedAt: TimeMs = 0;
  #openFees: Amount = ZERO_AMOUNT;

  /** -1, 0 or 1. */
  get side(): -1 | 0 | 1 {
    return signOf(this.quantity);
  }

  /** @param change signed: positive buys */
  trade(change: Quantity, price: Price, fee: Amount, at: TimeMs): Closing {
    const before = this.quantity;
    const closes = signOf(before) !== 0 && signOf(before) !== signOf(change);
    const closed = !closes ? ZERO_QUANTITY : compare(absolute(change), absolute(before)) >= 0 ? negate(before) : change;
    const share = <Value extends Amount>(of: Value): Value =>
      isZero(closed) ? subtract(of, of) : proportion(of, absolute(closed), absolute(before));
    const entry = share(this.cost);
    const openFee = share(this.#openFees);
    const received = negate(notional(price, closed));
    const result = subtract(received, entry);
    const paid = subtract(notional(price, change), notional(price, closed));
    this.cost = add(subtract(this.cost, entry), paid);
    this.quantity = add(before, change);
    const closeFee = isZero(closed) ? ZERO_AMOUNT : proportion(fee, absolute(closed), absolute(change));
    this.#openFees = add(subtract(this.#openFees, openFee), subtract(fee, closeFee));
    this.everRealised = add(this.everRealised, subtract(result, fee));
    if (this.side !== 0 && this.side !== signOf(before)) {
      this.openedAt = at;
      this.realised = subtract(closeFee, fee);
    } else this.realised = add(this.realised, subtract(result, fee));
    this.updatedAt = at;
    return { quantity: absolute(closed), entryValue: absolute(entry), exitValue: absolute(received), result, openFee, closeFee };
  }

  /** Received less paid. */
  fund(payment: Amount, at: TimeMs): void {
    this.realised = add(this.realised, payment);
    this.everRealised = add(this.everRealised, payment);
    this.updatedAt = at;
  }
}
