// How one-sided the flow is, on the market's own clock: volume.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandQuantity, type TakerSide } from './trade.ts';

/**
 * Volume-synchronised probability of informed trading, 0..1 (Easley, López de Prado and O'Hara 2012, "Flow Toxicity and Liquidity in a
 * High-frequency World"): trades fill buckets of equal volume, a trade that does not fit going on in the next one, and `value` is the mean
 * over the last `buckets` of what takers bought less what they sold, without its sign, among the bucket. The paper guesses sides from price
 * changes; here they are known. NaN before there are so many buckets. O(1) a trade and bucket.
 */
export class Vpin implements Stateful {
  value = NaN;
  readonly #bucketVolume: number = NaN;
  readonly #buckets: number;
  readonly #imbalances: RollingSum;
  #filled = NaN;
  #signed = NaN;

  constructor(bucketVolume: number, buckets: number) {
    this.#bucketVolume = bucketVolume;
    this.#buckets = buckets;
    this.#imbalances = new RollingSum(buckets);
    this.#filled = 0;
    this.#signed = 0;
  }

  update(quantity: number, side: TakerSide): void {
    let rest = demandQuantity(quantity);
    const bucket = this.#bucketVolume;
    while (rest >= bucket - this.#filled) {
      const room = bucket - this.#filled;
      this.#imbalances.push(Math.abs(this.#signed + side * room));
      this.#filled = 0;
      this.#signed = 0;
      rest -= room;
      // All buckets are this trade's by then: what overflows the window leaves no trace in it.
      if (rest > bucket * (this.#buckets + 1)) rest = bucket * this.#buckets + (rest % bucket);
    }
    this.#filled += rest;
    this.#signed += side * rest;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#filled);
    out.number(this.#signed);
    this.#imbalances.save(out);
  }

  restore(from: ByteReader): void {
    this.#filled = from.number();
    this.#signed = from.number();
    this.#imbalances.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = this.#imbalances.sum / (this.#buckets * this.#bucketVolume);
  }
}
