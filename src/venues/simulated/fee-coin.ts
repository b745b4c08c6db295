// Fees in a third coin: neither what is traded nor what it is paid with, and cheaper for it.
import {
  add,
  amountFrom,
  compare,
  notional,
  priceFrom,
  proportion,
  quantityFrom,
  roundToStep,
  signOf,
  subtract,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Decimal,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import type { CoinQuantity } from '../../domain/event.ts';
import type { TimeMs } from '../../domain/time.ts';

export interface FeeCoin {
  readonly currency: string;
  /** What a fee in the coin is cheaper by: 0.25 of Binance's spot fees, 0.1 of its futures' for BNB. */
  readonly discountRatio: number;
  /** Its price in quote currency from each time on. Before the first there is none, and fees are in quote currency and whole. */
  readonly prices: readonly CoinPrice[];
}

export interface CoinPrice {
  readonly from: TimeMs;
  readonly price: number;
}

/** A fee that was paid in the coin: how much of it, and what that cost, exactly. */
export interface CoinFee {
  readonly coin: CoinQuantity;
  readonly cost: Amount;
}

const ONE = amountFrom(1);
const ONE_COIN = quantityFrom(1, ZERO_QUANTITY, 'nearest');
/** Venues reckon coins to eight places. */
const COIN_STEP = quantityFrom(1e-8, ZERO_QUANTITY, 'nearest');

/**
 * The coin is bought when a fee falls due, at its price then, and paid at once: what a fill cost is exact in quote currency, and no stock of
 * the coin is held whose own gain or loss would be in the result.
 */
export class FeeCoinPrices {
  readonly #currency: string;
  readonly #payableRatio: Amount;
  readonly #from: Float64Array;
  readonly #prices: readonly Price[];

  constructor({ currency, discountRatio, prices }: FeeCoin) {
    const sorted = prices.toSorted((left, right) => left.from - right.from);
    this.#currency = currency;
    this.#payableRatio = subtract(ONE, amountFrom(discountRatio));
    this.#from = Float64Array.from(sorted, ({ from }) => from);
    this.#prices = sorted.map(({ price }) => priceFrom(price, ZERO_PRICE, 'nearest'));
  }

  /**
   * The discount is taken off the fee, cut off at 1e-12, and what is left is rounded up to 1e-8 of the coin: never less than is due. A rebate
   * is paid in quote currency, and so is a fee while the coin has no price: undefined.
   */
  paid(fee: Amount, at: TimeMs): CoinFee | undefined {
    const price = this.#priceAt(at);
    if (price === undefined || signOf(fee) <= 0) return undefined;
    const due = proportion(fee, this.#payableRatio, ONE);
    let quantity: Quantity = roundToStep(proportion<Quantity, Decimal>(ONE_COIN, due, price), COIN_STEP);
    if (compare(notional(price, quantity), due) < 0) quantity = add(quantity, COIN_STEP);
    return { coin: { currency: this.#currency, quantity }, cost: notional(price, quantity) };
  }

  #priceAt(at: TimeMs): Price | undefined {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] ?? NaN) <= at) low = middle + 1;
      else high = middle;
    }
    return this.#prices[low - 1];
  }
}
