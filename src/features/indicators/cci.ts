// How unusual a price is, in the mean deviation that prices have.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { OrderedWindow } from './ordered-window.ts';
import { typicalPrice } from './price.ts';

/** Lambert's scale, by which most values lie within ±100. */
const SCALE = 0.015;

/**
 * Commodity channel index (Lambert 1980): the typical price less its mean over the window, in 0.015 mean absolute deviations. 0 where
 * nothing has moved. The deviations are found in the ordered window: what lies below the mean is half of all of them.
 */
export class Cci implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #moments: RollingMoments;
  readonly #ordered: OrderedWindow;

  constructor(window: number) {
    this.warmup = window;
    this.#moments = new RollingMoments(window);
    this.#ordered = new OrderedWindow(window);
  }

  update(bar: BarView): void {
    const typical = typicalPrice(bar);
    this.#moments.push(typical);
    this.#ordered.push(typical);
    const offset = this.#moments.offset;
    const deviation = (2 * this.#ordered.shortfall(typical, offset)) / this.warmup;
    this.value = deviation === 0 && !Number.isNaN(offset) ? 0 : offset / (SCALE * deviation);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#moments.save(out);
    this.#ordered.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#moments.restore(from);
    this.#ordered.restore(from);
  }
}
