// Transaction-cost analysis: what orders cost against the price at which they were decided, by the algorithm that carried them out. Perold,
// "The implementation shortfall: paper versus reality", Journal of Portfolio Management 14 (1988): slippage and fees of what was filled, and
// what the price did meanwhile to what was not.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { EXECUTION_ALGORITHMS, type ExecutionAlgorithm } from '../domain/order.ts';
import { known } from './daily.ts';

/** Estimates in quote currency; basis points are 1e-4 of a notional at arrival prices. Null where there is nothing to divide by. */
export interface ExecutionRow {
  readonly algorithm: ExecutionAlgorithm;
  /** What was decided at one price: a ticket; at the market, an order. */
  readonly decided: number;
  readonly orders: number;
  /** Notional at arrival prices of what was wanted, and the part of it that was filled. */
  readonly wanted: number | null;
  readonly filledRatio: number | null;
  /** Part of what was filled that paid the maker's fee. */
  readonly makerRatio: number | null;
  /** Fill prices against arrival prices; positive was worse. Of what was filled. */
  readonly slippageBps: number | null;
  readonly feeBps: number | null;
  /** What the price did to what was not filled when its ticket was closed, or its order ended, whatever the reason. Of what was wanted. */
  readonly opportunityBps: number | null;
  /** All three, of what was wanted. */
  readonly totalBps: number | null;
  /** Fee and slippage as they were expected when the orders were sent, of what was filled: to be held against `slippageBps` + `feeBps`. */
  readonly expectedBps: number | null;
}

/** Places of the sums of an algorithm. */
const DECIDED = 0;
const ORDERS = 1;
const WANTED = 2;
const FILLED = 3;
const MAKER = 4;
const SLIPPAGE = 5;
const FEES = 6;
const OPPORTUNITY = 7;
const EXPECTED = 8;
const SUMS = 9;

/** What a fill, or what was missed, is measured against. */
export interface Arrival {
  readonly algorithm: ExecutionAlgorithm;
  readonly price: number;
  /** 1 buys. */
  readonly side: 1 | -1;
}

export class TransactionCosts implements Stateful {
  readonly #sums = EXECUTION_ALGORITHMS.map(() => new Float64Array(SUMS));

  #of(algorithm: ExecutionAlgorithm): Float64Array {
    return this.#sums[EXECUTION_ALGORITHMS.indexOf(algorithm)] ?? new Float64Array(SUMS);
  }

  decided({ algorithm, price }: Arrival, quantity: number): void {
    const sums = this.#of(algorithm);
    sums[DECIDED] = (sums[DECIDED] ?? 0) + 1;
    sums[WANTED] = (sums[WANTED] ?? 0) + quantity * price;
  }

  /** More of the same was wanted before it was done. */
  grown({ algorithm, price }: Arrival, quantity: number): void {
    const sums = this.#of(algorithm);
    sums[WANTED] = (sums[WANTED] ?? 0) + quantity * price;
  }

  ordered(algorithm: ExecutionAlgorithm): void {
    const sums = this.#of(algorithm);
    sums[ORDERS] = (sums[ORDERS] ?? 0) + 1;
  }

  filled({ algorithm, price, side }: Arrival, paid: number, quantity: number, fee: number, isMaker: boolean, costRatio: number): void {
    const sums = this.#of(algorithm);
    const value = quantity * price;
    sums[FILLED] = (sums[FILLED] ?? 0) + value;
    if (isMaker) sums[MAKER] = (sums[MAKER] ?? 0) + value;
    sums[SLIPPAGE] = (sums[SLIPPAGE] ?? 0) + side * (paid - price) * quantity;
    sums[FEES] = (sums[FEES] ?? 0) + fee;
    sums[EXPECTED] = (sums[EXPECTED] ?? 0) + costRatio * value;
  }

  /** So much was never filled, and the price is `now`. */
  missed({ algorithm, price, side }: Arrival, now: number, quantity: number): void {
    const sums = this.#of(algorithm);
    sums[OPPORTUNITY] = (sums[OPPORTUNITY] ?? 0) + side * (now - price) * quantity;
  }

  /** Algorithms that decided anything, in the order of their list. */
  rows(): ExecutionRow[] {
    return EXECUTION_ALGORITHMS.flatMap((algorithm, index) => {
      const at = (place: number): number => this.#sums[index]?.[place] ?? 0;
      if (at(DECIDED) === 0) return [];
      const ofFilled = (place: number): number => at(place) / at(FILLED);
      return {
        algorithm,
        decided: at(DECIDED),
        orders: at(ORDERS),
        wanted: known(at(WANTED)),
        filledRatio: known(at(FILLED) / at(WANTED)),
        makerRatio: known(ofFilled(MAKER)),
        slippageBps: known(1e4 * ofFilled(SLIPPAGE)),
        feeBps: known(1e4 * ofFilled(FEES)),
        opportunityBps: known((1e4 * at(OPPORTUNITY)) / at(WANTED)),
        totalBps: known((1e4 * (at(SLIPPAGE) + at(FEES) + at(OPPORTUNITY))) / at(WANTED)),
        expectedBps: known(1e4 * ofFilled(EXPECTED)),
      };
    });
  }

  save(out: ByteWriter): void {
    for (const sums of this.#sums) out.numbers(sums);
  }

  restore(from: ByteReader): void {
    for (const sums of this.#sums) from.numbers(sums);
  }
}
