// How long ago the market was at its highest and at its lowest.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';
import { RollingExtreme } from './rolling-extreme.ts';

/**
 * Aroon (Chande 1995): `up` is 100 on the highest high of n + 1 bars and falls to 0 as that grows old, `down` the same for the lowest
 * low, `value` the oscillator up - down, -100..100. Of equal highs the newest counts.
 */
export class Aroon implements Indicator {
  value = NaN;
  up = NaN;
  down = NaN;
  readonly warmup: number;
  readonly #scale: number = NaN;
  readonly #highest: RollingExtreme;
  readonly #lowest: RollingExtreme;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#scale = 100 / window;
    this.#highest = new RollingExtreme(window + 1);
    this.#lowest = new RollingExtreme(window + 1);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    this.#highest.push(high);
    this.#lowest.push(-low);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#highest.save(out);
    this.#lowest.save(out);
  }

  restore(from: ByteReader): void {
    this.#highest.restore(from);
    this.#lowest.restore(from);
    this.#publish();
  }

  #publish(): void {
    const window = this.warmup - 1;
    this.up = this.#scale * (window - this.#highest.age);
    this.down = this.#scale * (window - this.#lowest.age);
    this.value = this.up - this.down;
  }
}
