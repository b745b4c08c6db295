// What was paid on average for what was traded: the typical price of each bar, weighted by its volume.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import { demandTime, demandVolume, typicalPrice } from './price.ts';
import { RunningTotal } from './smoothing.ts';

/** Sums of turnover and volume since they were begun. Where nothing was traded the price is the last typical one. */
class Paid {
  readonly #turnover = new RunningTotal();
  readonly #volume = new RunningTotal();

  begin(): void {
    this.#turnover.clear();
    this.#volume.clear();
  }

  add(typical: number, volume: number): number {
    this.#turnover.add(typical * volume);
    this.#volume.add(volume);
    const traded = this.#volume.value;
    return traded > 0 ? this.#turnover.value / traded : typical;
  }

  save(out: ByteWriter): void {
    this.#turnover.save(out);
    this.#volume.save(out);
  }

  restore(from: ByteReader): void {
    this.#turnover.restore(from);
    this.#volume.restore(from);
  }
}

/** Volume-weighted price of the last n bars; their newest typical price where nothing was traded. */
export class RollingVwap implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #turnover: RollingSum;
  readonly #volume: RollingSum;

  constructor(window: number) {
    this.warmup = window;
    this.#turnover = new RollingSum(window);
    this.#volume = new RollingSum(window);
  }

  update(bar: BarView): void {
    const typical = typicalPrice(bar);
    const volume = demandVolume(bar.volume);
    this.#turnover.push(typical * volume);
    this.#volume.push(volume);
    const traded = this.#volume.sum;
    this.value = traded === 0 ? typical : this.#turnover.sum / traded;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#turnover.save(out);
    this.#volume.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#turnover.restore(from);
    this.#volume.restore(from);
  }
}

/**
 * Volume-weighted price since the beginning of the UTC day in which the bar opened. Nothing is said before as many bars as a day has were
 * seen: by then the day has changed, so nothing is ever said of one of which only the end was seen.
 */
export class SessionVwap implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #barMs: TimeMs;
  readonly #paid = new Paid();
  /** The day of the last bar, counted from 1970; NaN before the first one. */
  #day = NaN;
  #seen = 0;

  constructor(barMs: TimeMs) {
    this.warmup = DAY_MS / barMs;
    this.#barMs = barMs;
  }

  update(bar: BarView): void {
    const day = Math.floor((demandTime(bar.at) - this.#barMs) / DAY_MS);
    const typical = typicalPrice(bar);
    const volume = demandVolume(bar.volume);
    if (day !== this.#day) {
      this.#day = day;
      this.#paid.begin();
    }
    const price = this.#paid.add(typical, volume);
    if (this.#seen < this.warmup) this.#seen++;
    if (this.#seen === this.warmup) this.value = price;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#day);
    out.count(this.#seen);
    this.#paid.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#day = from.number();
    this.#seen = from.count();
    this.#paid.restore(from);
  }
}

/** Volume-weighted price of all bars that closed after the anchor, as far as they were seen; NaN before there was one. */
export class AnchoredVwap implements Indicator {
  value = NaN;
  readonly warmup = 1;
  readonly #anchorAt: TimeMs;
  readonly #paid = new Paid();

  constructor(anchorAt: TimeMs) {
    this.#anchorAt = anchorAt;
  }

  update(bar: BarView): void {
    const at = demandTime(bar.at);
    const typical = typicalPrice(bar);
    const volume = demandVolume(bar.volume);
    if (at > this.#anchorAt) this.value = this.#paid.add(typical, volume);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#paid.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#paid.restore(from);
  }
}
