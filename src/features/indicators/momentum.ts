// How far the close has come.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandPrice, trueRange } from './price.ts';
import { Delay } from './smoothing.ts';

/** The close less that of n bars ago, in units of price. */
export class Momentum implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #past: Delay;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#past = new Delay(window);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    this.#past.push(close);
    this.value = close - this.#past.value;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#past.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#past.restore(from);
  }
}

/** The close less that of n bars ago, as a ratio of the latter: TA-Lib's ROCP (its ROC is a hundred times as much). */
export class RateOfChange implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #past: Delay;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#past = new Delay(window);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    this.#past.push(close);
    const past = this.#past.value;
    this.value = (close - past) / past;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#past.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#past.restore(from);
  }
}

/**
 * Ultimate oscillator (Williams 1985), 0..100: buying pressure among true range over three windows, weighing 4, 2 and 1 from the shortest
 * to the longest. A window that has not moved gives nothing, as in TA-Lib.
 */
export class UltimateOscillator implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #pressures: readonly [RollingSum, RollingSum, RollingSum];
  readonly #ranges: readonly [RollingSum, RollingSum, RollingSum];
  #previousClose = NaN;

  constructor(short: number, middle: number, long: number) {
    this.warmup = long + 1;
    this.#pressures = [new RollingSum(short), new RollingSum(middle), new RollingSum(long)];
    this.#ranges = [new RollingSum(short), new RollingSum(middle), new RollingSum(long)];
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const previous = this.#previousClose;
    this.#previousClose = close;
    // The first bar of all has no range of its own.
    if (Number.isNaN(previous)) return;
    const pressure = close - Math.min(low, previous);
    const range = trueRange(high, low, previous);
    for (let index = 0; index < 3; index++) {
      this.#pressures[index]?.push(pressure);
      this.#ranges[index]?.push(range);
    }
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#previousClose);
    for (const sum of [...this.#pressures, ...this.#ranges]) sum.save(out);
  }

  restore(from: ByteReader): void {
    this.#previousClose = from.number();
    for (const sum of [...this.#pressures, ...this.#ranges]) sum.restore(from);
    this.#publish();
  }

  #publish(): void {
    const [short, middle, long] = this.#pressures;
    const [shortRange, middleRange, longRange] = this.#ranges;
    const weighted = 4 * shareOf(short, shortRange) + 2 * shareOf(middle, middleRange) + shareOf(long, longRange);
    this.value = (100 * weighted) / 7;
  }
}

function shareOf(pressure: RollingSum, range: RollingSum): number {
  return range.sum === 0 ? 0 : pressure.sum / range.sum;
}
