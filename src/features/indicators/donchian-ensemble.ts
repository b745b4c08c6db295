// Many channels at once: which part of them a close has broken out of and not yet fallen back into.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingRange } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/**
 * The ensemble of Zarattini, Pagani and Barbon (2025), on closes. A channel of n bars is joined at a close that is the highest of the last n,
 * itself among them, with its middle as the first stop; the stop rises with the middle and never falls; a close at or below the stop of the
 * bar before leaves the channel. `value` is the part of the channels that are joined, 0..1.
 *
 * Two words are ours. A channel without height is never joined: where nothing moves there is no breakout. And each channel speaks from its
 * own n-th bar on, so that the short ones have a past when the longest, and with it `value`, becomes known.
 */
export class DonchianEnsemble implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #windows: readonly number[];
  readonly #ranges: readonly RollingRange[];
  /** By channel: the trailing stop; NaN while it is not joined. */
  readonly #stops: Float64Array;
  #seen = 0;

  constructor(windows: readonly number[]) {
    this.#windows = windows;
    this.#ranges = windows.map((window) => new RollingRange(window));
    this.#stops = new Float64Array(windows.length).fill(NaN);
    this.warmup = Math.max(...windows);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    for (let channel = 0; channel < this.#ranges.length; channel++) {
      const range = this.#ranges[channel];
      if (range === undefined) continue;
      range.push(close, close);
      const { highest, lowest } = range;
      const stop = this.#stops[channel] ?? NaN;
      if (Number.isNaN(stop)) {
        // NaN before there are n closes: then nothing is equal to it.
        if (close === highest && highest > lowest) this.#stops[channel] = (highest + lowest) / 2;
      } else {
        this.#stops[channel] = close <= stop ? NaN : Math.max(stop, (highest + lowest) / 2);
      }
    }
    if (this.#seen < this.warmup) this.#seen++;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.count(this.#seen);
    out.numbers(this.#stops);
    for (const range of this.#ranges) range.save(out);
  }

  restore(from: ByteReader): void {
    this.#seen = from.count();
    from.numbers(this.#stops);
    for (const range of this.#ranges) range.restore(from);
    this.#publish();
  }

  #publish(): void {
    if (this.#seen < this.warmup) {
      this.value = NaN;
      return;
    }
    let joined = 0;
    for (let channel = 0; channel < this.#stops.length; channel++) if (!Number.isNaN(this.#stops[channel] ?? NaN)) joined++;
    this.value = joined / this.#windows.length;
  }
}
