// Whether the money of an account is what this run has made of it. What is paid in, taken out or charged beside our trades shows as a step
// between the venue's money and ours; a step is believed once it was seen twice with nothing happening in between.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import {
  absolute,
  add,
  amountFrom,
  compare,
  format,
  larger,
  negate,
  signOf,
  subtract,
  ZERO_AMOUNT,
  type Amount,
} from '../../domain/decimal.ts';

/** Average prices are told with so many digits: of what is held this part may be rounding. */
const ROUNDING_RATIO = 1e-7;
const LEAST_STEP = 0.01;

export interface MoneyStep {
  /** What came or, negative, went without a trade of ours. */
  readonly change: Amount;
  /** What the account holds since, beside what our trades have made of it. */
  readonly beside: Amount;
}

/** For a person. */
export function stepWords({ change }: MoneyStep): string {
  const words = signOf(change) > 0 ? `${format(change)} have come` : `${format(negate(change))} have gone`;
  return `the account: ${words} that no trade of this run explains: a transfer, interest, or another's trade`;
}

export class MoneyCheck implements Stateful {
  readonly #capital: Amount;
  /** The venue's money less ours, once it was seen. */
  #base: Amount | undefined;
  #seen: Amount | undefined;
  /** Cash by our own trades: what was received less what was paid, fees and funding included. */
  cash: Amount = ZERO_AMOUNT;

  /** @param capital what the run believes to be its own: an account that has less of it when it is first looked at is a step as well */
  constructor(capital: Amount) {
    this.#capital = capital;
  }

  /** Something was seen that has to be seen again before it is believed. */
  get isInDoubt(): boolean {
    return this.#seen !== undefined;
  }

  /**
   * @param held cost of what is held, in all, positive: how much rounding there may be
   * @returns undefined where nothing came and went, or it has to be seen again
   */
  compare(venueCash: Amount, held: number): MoneyStep | undefined {
    const beside = subtract(venueCash, this.cash);
    const tolerance = amountFrom(LEAST_STEP + held * ROUNDING_RATIO);
    const isNear = (other: Amount): boolean => compare(absolute(subtract(beside, other)), tolerance) <= 0;
    const before = this.#base ?? larger(beside, this.#capital);
    if (isNear(before)) {
      this.#base ??= beside;
      this.#seen = undefined;
      return undefined;
    }
    if (this.#seen === undefined || !isNear(this.#seen)) {
      this.#seen = beside;
      return undefined;
    }
    this.counted(beside);
    return { change: subtract(beside, before), beside };
  }

  /** What stands beside our trades is known, and was told. */
  counted(beside: Amount): void {
    this.#base = beside;
    this.#seen = undefined;
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
