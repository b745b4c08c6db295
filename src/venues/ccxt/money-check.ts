// Whether the money of an account is what this run has made of it. What is paid in, taken out or charged beside our trades shows as a step
// between the venue's money and ours; a step is believed once it was seen twice with nothing happening in between.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { absolute, add, amountFrom, compare, subtract, ZERO_AMOUNT, type Amount } from '../../domain/decimal.ts';

/** Average prices are told with so many digits: of what is held this part may be rounding. */
const ROUNDING_RATIO = 1e-7;
const LEAST_STEP = 0.01;

export class MoneyCheck implements Stateful {
  /** The venue's money less ours, once it was seen. */
  #base: Amount | undefined;
  #seen: Amount | undefined;
  /** Cash by our own trades: what was received less what was paid, fees and funding included. */
  cash: Amount = ZERO_AMOUNT;

  /**
   * @param held cost of what is held, in all, positive: how much rounding there may be
   * @returns what came (or, negative, went) without a trade of ours; undefined where nothing did
   */
  compare(venueCash: Amount, held: number): Amount | undefined {
    const base = subtract(venueCash, this.cash);
    const tolerance = amountFrom(LEAST_STEP + held * ROUNDING_RATIO);
    const isNear = (other: Amount): boolean => compare(absolute(subtract(base, other)), tolerance) <= 0;
    if (this.#base === undefined) {
      this.#base = base;
      return undefined;
    }
    if (isNear(this.#base)) {
      this.#seen = undefined;
      return undefined;
    }
    if (this.#seen === undefined || !isNear(this.#seen)) {
      this.#seen = base;
      return undefined;
    }
    const step = subtract(base, this.#base);
    this.#base = base;
    this.#seen = undefined;
    return step;
  }

  booked(change: Amount): void {
    this.cash = add(this.cash, change);
  }

  save(out: ByteWriter): void {
    out.decimal(this.cash);
    out.flag(this.#base !== undefined);
    if (this.#base !== undefined) out.decimal(this.#base);
  }

  restore(from: ByteReader): void {
    this.cash = from.decimal();
    this.#base = from.flag() ? from.decimal() : undefined;
    this.#seen = undefined;
  }
}
