// Which side takes.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandQuantity, type TakerSide } from './trade.ts';

/** Quantity bought less quantity sold by takers among both, over the last n trades: -1..1, NaN before there are n. O(1) a trade. */
export class TradeImbalance implements Stateful {
  value = NaN;
  readonly #signed: RollingSum;
  readonly #traded: RollingSum;

  constructor(trades: number) {
    this.#signed = new RollingSum(trades);
    this.#traded = new RollingSum(trades);
  }

  update(quantity: number, side: TakerSide): void {
    demandQuantity(quantity);
    this.#signed.push(side * quantity);
    this.#traded.push(quantity);
    this.value = this.#signed.sum / this.#traded.sum;
  }

  save(out: ByteWriter): void {
    this.#signed.save(out);
    this.#traded.save(out);
  }

  restore(from: ByteReader): void {
    this.#signed.restore(from);
    this.#traded.restore(from);
    this.value = this.#signed.sum / this.#traded.sum;
  }
}
