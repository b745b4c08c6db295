// Wilder's smoothing, a mean that forgets 1/n a bar, seeded by the plain mean of the first n: relative strength and true range.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice } from './price.ts';

/** Relative strength index, 0..100. Where nothing has moved at all it is 50, neither bought nor sold (TA-Lib says 0). */
export class Rsi implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #window: number;
  readonly #alpha: number = NaN;
  #previous = NaN;
  /**
   * Smoothed change and smoothed absolute change; while seeding their sums. With mean gain g and mean loss l they are g - l and g + l, so
   * that 100 g / (g + l) = 50 + 50 (g - l) / (g + l): the same index without asking of every bar whether it rose.
   */
  #net = NaN;
  #moved = NaN;
  #changes = 0;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#window = window;
    this.#alpha = 1 / window;
    this.#net = 0;
    this.#moved = 0;
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const change = close - this.#previous;
    this.#previous = close;
    if (this.#changes === this.#window) {
      this.#net += (change - this.#net) * this.#alpha;
      this.#moved += (Math.abs(change) - this.#moved) * this.#alpha;
      this.#publish();
    } else if (!Number.isNaN(change)) {
      this.#seed(change);
    }
  }

  save(out: ByteWriter): void {
    out.number(this.#previous);
    out.number(this.#net);
    out.number(this.#moved);
    out.count(this.#changes);
  }

  restore(from: ByteReader): void {
    this.#previous = from.number();
    this.#net = from.number();
    this.#moved = from.number();
    this.#changes = from.count();
    this.value = NaN;
    if (this.#changes === this.#window) this.#publish();
  }

  #seed(change: number): void {
    this.#net += change;
    this.#moved += Math.abs(change);
    this.#changes++;
    if (this.#changes < this.#window) return;
    this.#net *= this.#alpha;
    this.#moved *= this.#alpha;
    this.#publish();
  }

  #publish(): void {
    this.value = this.#moved > 0 ? 50 + (50 * this.#net) / this.#moved : 50;
  }
}

/** Average true range in units of price. The first bar has no range of its own: it lends its close to the second. */
export class Atr implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #window: number;
  readonly #alpha: number = NaN;
  #previous = NaN;
  #seedSum = NaN;
  #ranges = 0;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#window = window;
    this.#alpha = 1 / window;
    this.#seedSum = 0;
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    // The range from the previous close to wherever the bar went: the widest of high - low, high - previous and previous - low.
    const range = Math.max(high, this.#previous) - Math.min(low, this.#previous);
    this.#previous = close;
    if (this.#ranges === this.#window) this.value += (range - this.value) * this.#alpha;
    else if (!Number.isNaN(range)) this.#seed(range);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#previous);
    out.number(this.#seedSum);
    out.count(this.#ranges);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#previous = from.number();
    this.#seedSum = from.number();
    this.#ranges = from.count();
  }

  #seed(range: number): void {
    this.#seedSum += range;
    this.#ranges++;
    if (this.#ranges === this.#window) this.value = this.#seedSum / this.#window;
  }
}
