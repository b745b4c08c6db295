// The channel that the market has kept to.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingRange } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/**
 * Donchian channel: highest high and lowest low of the last n bars, and `value` the middle between them. The newest bar is in the window,
 * so a close never lies outside: a new high of n bars shows as `bar.high === upper`.
 */
export class Donchian implements Indicator {
  value = NaN;
  upper = NaN;
  lower = NaN;
  readonly warmup: number;
  readonly #range: RollingRange;

  constructor(window: number) {
    this.warmup = window;
    this.#range = new RollingRange(window);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    this.#range.push(high, low);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#range.save(out);
  }

  restore(from: ByteReader): void {
    this.#range.restore(from);
    this.#publish();
  }

  #publish(): void {
    const { highest, lowest } = this.#range;
    this.upper = highest;
    this.lower = lowest;
    this.value = (highest + lowest) / 2;
  }
}
