// Fees of fills: each instrument's own rates, or those of the tier that one's own turnover has reached. A negative rate is a rebate.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { add, amountFrom, compare, proportion, ZERO_AMOUNT, type Amount } from '../../domain/decimal.ts';
import type { Fill } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';

/** Whoever has traded at least so much in the thirty whole UTC days before today pays these rates today, in every instrument. */
export interface FeeTier {
  /** Quote currency. */
  readonly turnover: number;
  readonly takerFeeRate: number;
  readonly makerFeeRate: number;
}

interface Rates {
  readonly taker: Amount;
  readonly maker: Amount;
}

const ONE = amountFrom(1);
const WINDOW_DAYS = 30;

export class FeeSchedule implements Stateful {
  readonly #rates: readonly Rates[];
  /** Rising in turnover. */
  readonly #tiers: readonly (Rates & { readonly turnover: Amount })[];
  /** Turnover by UTC day, the day modulo one more than the window; today is one of them. */
  readonly #turnover: Amount[] = Array.from({ length: WINDOW_DAYS + 1 }, () => ZERO_AMOUNT);
  /** The day that was reckoned last. */
  #day = -1;
  #tier: Rates | undefined;

  constructor(instruments: readonly Instrument[], tiers: readonly FeeTier[]) {
    const ratesOf = ({ takerFeeRate, makerFeeRate }: Pick<FeeTier, 'takerFeeRate' | 'makerFeeRate'>): Rates => ({
      taker: amountFrom(takerFeeRate),
      maker: amountFrom(makerFeeRate),
    });
    this.#rates = instruments.map(ratesOf);
    this.#tiers = tiers
      .map((tier) => ({ ...ratesOf(tier), turnover: amountFrom(tier.turnover) }))
      .toSorted((left, right) => compare(left.turnover, right.turnover));
  }

  /** Cut off at 1e-12. */
  feeOf(instrument: number, value: Amount, liquidity: Fill['liquidity'], at: TimeMs): Amount {
    return proportion(value, this.rateOf(instrument, liquidity, at), ONE);
  }

  /** Ratio of notional. */
  rateOf(instrument: number, liquidity: Fill['liquidity'], at: TimeMs): Amount {
    this.reach(at);
    return (this.#tier ?? this.#rates[instrument])?.[liquidity] ?? ZERO_AMOUNT;
  }

  /** What was traded counts from the next day on. */
  traded(value: Amount, at: TimeMs): void {
    if (this.#tiers.length === 0) return;
    this.reach(at);
    const slot = this.#day % this.#turnover.length;
    this.#turnover[slot] = add(this.#turnover[slot] ?? ZERO_AMOUNT, value);
  }

  /** Days end by themselves: brings the window and the tier up to this time. */
  reach(at: TimeMs): void {
    if (this.#tiers.length === 0) return;
    const day = Math.floor(at / DAY_MS);
    if (day > this.#day) {
      // Days without a fill are empty, and after the whole window all are.
      for (let passed = Math.max(this.#day + 1, day - WINDOW_DAYS); passed <= day; passed++) {
        this.#turnover[passed % this.#turnover.length] = ZERO_AMOUNT;
      }
      this.#day = day;
      this.#tier = this.#tierReached();
    }
  }

  /** Today's own turnover is nothing yet when this is asked. */
  #tierReached(): Rates | undefined {
    const sum = this.#turnover.reduce(add, ZERO_AMOUNT);
    return this.#tiers.findLast(({ turnover }) => compare(turnover, sum) <= 0);
  }

  save(out: ByteWriter): void {
    if (this.#tiers.length === 0) return;
    out.count(this.#day + 1);
    for (const value of this.#turnover) out.decimal(value);
    out.count(this.#tier === undefined ? 0 : 1 + this.#tiers.findIndex((tier) => tier === this.#tier));
  }

  restore(from: ByteReader): void {
    if (this.#tiers.length === 0) return;
    this.#day = from.count() - 1;
    for (let index = 0; index < this.#turnover.length; index++) this.#turnover[index] = from.decimal();
    this.#tier = this.#tiers[from.count() - 1];
  }
}
