// How far the close has strayed from what was paid on average, and how much of such a stray the next bar has usually kept.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingRegression } from '../../quant/rolling-regression.ts';
import { RollingMoments } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';
import { RollingVwap } from './vwap.ts';

/** Deviations as small as this are what dividing and multiplying by volumes leaves of none. */
const ROUNDING = 1e-12;

/**
 * The deviation d is the close as a ratio of the volume-weighted price of the last `window` bars, less 1 (`ratio`). `value` is d in population
 * standard deviations of the last `history` of it, but measured from zero and not from their mean: the price that was paid is the anchor. It is 0
 * where they do not vary. `persistence` is the slope of d on the d of the bar before over as many pairs: what is usually left of a deviation
 * one bar later. It is 1, nothing reverts, where they do not vary.
 */
export class VwapDeviation implements Indicator {
  value = NaN;
  ratio = NaN;
  readonly warmup: number;
  readonly #price: RollingVwap;
  readonly #moments: RollingMoments;
  readonly #carried: RollingRegression;
  readonly #history: number;
  #before = NaN;
  /** Pairs pushed, up to `history`. */
  #pairs = 0;

  constructor(window: number, history: number) {
    this.#price = new RollingVwap(window);
    this.#moments = new RollingMoments(history);
    this.#carried = new RollingRegression(history);
    this.#history = history;
    // So many deviations, and one more for as many pairs.
    this.warmup = window + history;
  }

  /** Derived when it is asked: most bars are not. */
  get persistence(): number {
    if (Number.isNaN(this.value)) return NaN;
    if (!this.#varies) return 1;
    const { slope } = this.#carried.line;
    return Number.isNaN(slope) ? 1 : slope;
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    this.#price.update(bar);
    const ratio = close / this.#price.value - 1;
    const before = this.#before;
    this.#before = ratio;
    if (Number.isNaN(ratio)) return;
    this.#moments.push(ratio);
    if (Number.isNaN(before)) return;
    this.#carried.push(before, ratio);
    if (this.#pairs < this.#history) this.#pairs++;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#before);
    out.count(this.#pairs);
    this.#price.save(out);
    this.#moments.save(out);
    this.#carried.save(out);
  }

  restore(from: ByteReader): void {
    this.#before = from.number();
    this.#pairs = from.count();
    this.#price.restore(from);
    this.#moments.restore(from);
    this.#carried.restore(from);
    this.#publish();
  }

  get #deviation(): number {
    return Math.sqrt(this.#moments.squares / this.#history);
  }

  get #varies(): boolean {
    return this.#deviation > ROUNDING;
  }

  #publish(): void {
    const isKnown = this.#pairs === this.#history;
    this.ratio = isKnown ? this.#before : NaN;
    this.value = isKnown ? (this.#varies ? this.#before / this.#deviation : 0) : NaN;
  }
}
