// How much dearer one thing is in one place than in another, and how much dearer it usually is.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, JointIndicator } from '../../domain/feature.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** The first leg's close as a ratio of the second's, less 1; `usual` is its mean over the last n closes that both had, the newest among them. */
export class Premium implements JointIndicator {
  value = NaN;
  readonly warmup: number;
  readonly #premiums: RollingMoments;
  #left: number;
  #newest = NaN;

  constructor(window: number) {
    this.warmup = window;
    this.#left = window;
    this.#premiums = new RollingMoments(window);
  }

  get usual(): number {
    return this.#premiums.mean;
  }

  update(bars: readonly BarView[]): void {
    this.#newest = demandPrice(bars[0]?.close ?? NaN) / demandPrice(bars[1]?.close ?? NaN) - 1;
    this.#premiums.push(this.#newest);
    if (this.#left > 0) this.#left--;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#newest);
    out.count(this.#left);
    this.#premiums.save(out);
  }

  restore(from: ByteReader): void {
    this.#newest = from.number();
    this.#left = from.count();
    this.#premiums.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = this.#left > 0 ? NaN : this.#newest;
  }
}
