// Volume that is told to which side it belongs by where the close lies.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandPrice, demandVolume, typicalPrice } from './price.ts';
import { RunningTotal } from './smoothing.ts';

/** Typical prices closer than this, as a ratio of both together, differ by rounding alone: TA-Lib's bound. */
const SAME = 1e-14;

/** Chaikin's share of a bar's volume: all of it for a close at the high, all of it negative for one at the low; 0 for a bar without height. */
function flowOf(high: number, low: number, close: number, volume: number): number {
  const height = high - low;
  return height > 0 ? ((close - low - (high - close)) / height) * volume : 0;
}

/**
 * Money flow index (Quong and Soudack 1989), 0..100: turnover of bars whose typical price rose among that of all bars whose price changed.
 * 0 where nothing flowed, as in TA-Lib.
 */
export class Mfi implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #rising: RollingSum;
  readonly #falling: RollingSum;
  #previous = NaN;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#rising = new RollingSum(window);
    this.#falling = new RollingSum(window);
  }

  update(bar: BarView): void {
    const typical = typicalPrice(bar);
    const turnover = typical * demandVolume(bar.volume);
    const previous = this.#previous;
    this.#previous = typical;
    // The first bar of all has nothing to be compared with.
    if (Number.isNaN(previous)) return;
    const change = typical - previous;
    const moved = Math.abs(change) >= SAME * (typical + previous);
    this.#rising.push(moved && change > 0 ? turnover : 0);
    this.#falling.push(moved && change < 0 ? turnover : 0);
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#previous);
    this.#rising.save(out);
    this.#falling.save(out);
  }

  restore(from: ByteReader): void {
    this.#previous = from.number();
    this.#rising.restore(from);
    this.#falling.restore(from);
    this.#publish();
  }

  #publish(): void {
    const rising = this.#rising.sum;
    const flowed = rising + this.#falling.sum;
    this.value = flowed === 0 ? 0 : (100 * rising) / flowed;
  }
}

/** On-balance volume (Granville 1963): volume of rising closes less that of falling ones since the first bar, whose own volume begins it. */
export class Obv implements Indicator {
  value = NaN;
  readonly warmup = 1;
  readonly #total = new RunningTotal();
  #previous = NaN;

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const volume = demandVolume(bar.volume);
    const previous = this.#previous;
    this.#previous = close;
    if (close > previous || Number.isNaN(previous)) this.#total.add(volume);
    else if (close < previous) this.#total.add(-volume);
    this.value = this.#total.value;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#previous);
    this.#total.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#previous = from.number();
    this.#total.restore(from);
  }
}

/** Accumulation and distribution (Chaikin): the sum of every bar's flow since the first one. */
export class AccumulationDistribution implements Indicator {
  value = NaN;
  readonly warmup = 1;
  readonly #total = new RunningTotal();

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    this.#total.add(flowOf(high, low, close, demandVolume(bar.volume)));
    this.value = this.#total.value;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#total.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#total.restore(from);
  }
}

/**
 * Chaikin oscillator: a fast less a slow exponential mean of accumulation and distribution, both begun at the line's first value. The line
 * grows without end and the oscillator does not, so its means are kept by how far they lie behind the line.
 */
export class ChaikinOscillator implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #fastKeep: number = NaN;
  readonly #slowKeep: number = NaN;
  #fastLag = NaN;
  #slowLag = NaN;
  #seen = 0;

  constructor(fast: number, slow: number) {
    this.warmup = slow;
    this.#fastKeep = 1 - 2 / (fast + 1);
    this.#slowKeep = 1 - 2 / (slow + 1);
    this.#fastLag = 0;
    this.#slowLag = 0;
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const flow = flowOf(high, low, close, demandVolume(bar.volume));
    if (this.#seen > 0) {
      this.#fastLag = (this.#fastLag + flow) * this.#fastKeep;
      this.#slowLag = (this.#slowLag + flow) * this.#slowKeep;
    }
    if (this.#seen < this.warmup) this.#seen++;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#fastLag);
    out.number(this.#slowLag);
    out.count(this.#seen);
  }

  restore(from: ByteReader): void {
    this.#fastLag = from.number();
    this.#slowLag = from.number();
    this.#seen = from.count();
    this.#publish();
  }

  #publish(): void {
    this.value = this.#seen < this.warmup ? NaN : this.#slowLag - this.#fastLag;
  }
}

/** Chaikin money flow, -1..1: the flow of the last n bars among their volume. 0 where nothing was traded. */
export class ChaikinMoneyFlow implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #flows: RollingSum;
  readonly #volumes: RollingSum;

  constructor(window: number) {
    this.warmup = window;
    this.#flows = new RollingSum(window);
    this.#volumes = new RollingSum(window);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const volume = demandVolume(bar.volume);
    this.#flows.push(flowOf(high, low, close, volume));
    this.#volumes.push(volume);
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#flows.save(out);
    this.#volumes.save(out);
  }

  restore(from: ByteReader): void {
    this.#flows.restore(from);
    this.#volumes.restore(from);
    this.#publish();
  }

  #publish(): void {
    const volume = this.#volumes.sum;
    this.value = volume === 0 ? 0 : this.#flows.sum / volume;
  }
}
