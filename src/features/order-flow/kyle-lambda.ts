// What it costs to trade: how far a unit of signed flow moves the price.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandQuantity, type TakerSide } from './trade.ts';

/** Of the squares of the flows, what their variance must exceed: below, it is rounding. */
const LEAST_VARIANCE = 1e-12;

/**
 * Kyle's lambda (Kyle 1985, "Continuous Auctions and Insider Trading"), in price by quantity: the slope of an ordinary regression with
 * intercept of price changes on signed flow. Trades are taken in intervals of `tradesEach`; an interval's flow is what takers bought less
 * what they sold, its change that from the last price of the interval before to its own last price. `value` is that of the last
 * `intervals`, NaN before there are so many and where their flow did not vary. O(1) a trade.
 */
export class KyleLambda implements Stateful {
  value = NaN;
  readonly #intervals: number;
  readonly #tradesEach: number;
  readonly #flows: RollingSum;
  readonly #changes: RollingSum;
  readonly #squares: RollingSum;
  readonly #products: RollingSum;
  #flow = NaN;
  #trades = 0;
  /** The last price of the interval before; NaN before the first trade of all, whose price begins the first interval. */
  #from = NaN;

  constructor(intervals: number, tradesEach: number) {
    this.#intervals = intervals;
    this.#tradesEach = tradesEach;
    this.#flows = new RollingSum(intervals);
    this.#changes = new RollingSum(intervals);
    this.#squares = new RollingSum(intervals);
    this.#products = new RollingSum(intervals);
    this.#flow = 0;
  }

  update(price: number, quantity: number, side: TakerSide): void {
    demandQuantity(quantity);
    if (Number.isNaN(this.#from)) {
      this.#from = price;
      return;
    }
    this.#flow += side * quantity;
    this.#trades++;
    if (this.#trades < this.#tradesEach) return;
    const flow = this.#flow;
    const change = price - this.#from;
    this.#flows.push(flow);
    this.#changes.push(change);
    this.#squares.push(flow * flow);
    this.#products.push(flow * change);
    this.#from = price;
    this.#flow = 0;
    this.#trades = 0;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#flow);
    out.count(this.#trades);
    out.number(this.#from);
    for (const sum of [this.#flows, this.#changes, this.#squares, this.#products]) sum.save(out);
  }

  restore(from: ByteReader): void {
    this.#flow = from.number();
    this.#trades = from.count();
    this.#from = from.number();
    for (const sum of [this.#flows, this.#changes, this.#squares, this.#products]) sum.restore(from);
    this.#publish();
  }

  #publish(): void {
    const mean = this.#flows.sum / this.#intervals;
    const variance = this.#squares.sum - mean * this.#flows.sum;
    const covariance = this.#products.sum - mean * this.#changes.sum;
    this.value = variance > LEAST_VARIANCE * this.#squares.sum ? covariance / variance : NaN;
  }
}
