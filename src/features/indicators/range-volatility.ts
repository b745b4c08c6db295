// Volatility from a bar's whole range instead of its close alone. Logarithmic prices throughout; each is the square root of a mean over
// the last n bars, per bar or scaled to a year.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingMoments, RollingSum } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** The variance that one bar shows on its own. */
export type BarVariance = (open: number, high: number, low: number, close: number) => number;

const PARKINSON_SCALE = 1 / (4 * Math.LN2);
const GARMAN_KLASS_CLOSE = 2 * Math.LN2 - 1;

/** ln(H / L)² / (4 ln 2): five times as efficient as closes where prices diffuse without drift and without gaps (Parkinson 1980). */
export function parkinsonVariance(_open: number, high: number, low: number, _close: number): number {
  const range = Math.log(high / low);
  return range * range * PARKINSON_SCALE;
}

/** ½ ln(H / L)² - (2 ln 2 - 1) ln(C / O)²: without drift and without gaps (Garman and Klass 1980, their practical estimator). */
export function garmanKlassVariance(open: number, high: number, low: number, close: number): number {
  const range = Math.log(high / low);
  const body = Math.log(close / open);
  return 0.5 * range * range - GARMAN_KLASS_CLOSE * body * body;
}

/** ln(H / C) ln(H / O) + ln(L / C) ln(L / O): whatever the drift, without gaps (Rogers and Satchell 1991). */
export function rogersSatchellVariance(open: number, high: number, low: number, close: number): number {
  return Math.log(high / close) * Math.log(high / open) + Math.log(low / close) * Math.log(low / open);
}

/** Square root of the mean variance of the last n bars, times the square root of `barsPerYear` (1 gives it per bar). */
export class RangeVolatility implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #scale: number = NaN;
  readonly #varianceOf: BarVariance;
  readonly #variances: RollingSum;

  constructor(window: number, barsPerYear: number, varianceOf: BarVariance) {
    this.warmup = window;
    this.#scale = barsPerYear / window;
    this.#varianceOf = varianceOf;
    this.#variances = new RollingSum(window);
  }

  update(bar: BarView): void {
    this.#variances.push(this.#varianceOf(demandPrice(bar.open), demandPrice(bar.high), demandPrice(bar.low), demandPrice(bar.close)));
    this.#publish();
  }

  save(out: ByteWriter): void {
    this.#variances.save(out);
  }

  restore(from: ByteReader): void {
    this.#variances.restore(from);
    this.#publish();
  }

  #publish(): void {
    // A bar without height may show less than nothing by a last digit.
    this.value = Math.sqrt(Math.max(0, this.#variances.sum) * this.#scale);
  }
}

/**
 * Whatever the drift and whatever the gaps between bars (Yang and Zhang 2000): the variance of the gaps, k of that of the bodies and 1 - k
 * of Rogers and Satchell's, with k = 0.34 / (1.34 + (n + 1) / (n - 1)). Variances of gaps and bodies are the sample's.
 */
export class YangZhang implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #barsPerYear: number = NaN;
  readonly #gapShare: number = NaN;
  readonly #bodyShare: number = NaN;
  readonly #rangeShare: number = NaN;
  readonly #gaps: RollingMoments;
  readonly #bodies: RollingMoments;
  readonly #ranges: RollingSum;
  #previousClose = NaN;

  constructor(window: number, barsPerYear: number) {
    this.warmup = window + 1;
    this.#barsPerYear = barsPerYear;
    const bodyWeight = 0.34 / (1.34 + (window + 1) / (window - 1));
    this.#gapShare = 1 / (window - 1);
    this.#bodyShare = bodyWeight / (window - 1);
    this.#rangeShare = (1 - bodyWeight) / window;
    this.#gaps = new RollingMoments(window);
    this.#bodies = new RollingMoments(window);
    this.#ranges = new RollingSum(window);
  }

  update(bar: BarView): void {
    const open = demandPrice(bar.open);
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const previous = this.#previousClose;
    this.#previousClose = close;
    // The first bar of all follows no gap.
    if (Number.isNaN(previous)) return;
    this.#gaps.push(Math.log(open / previous));
    this.#bodies.push(Math.log(close / open));
    this.#ranges.push(rogersSatchellVariance(open, high, low, close));
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.#previousClose);
    this.#gaps.save(out);
    this.#bodies.save(out);
    this.#ranges.save(out);
  }

  restore(from: ByteReader): void {
    this.#previousClose = from.number();
    this.#gaps.restore(from);
    this.#bodies.restore(from);
    this.#ranges.restore(from);
    this.#publish();
  }

  #publish(): void {
    const variance =
      this.#gaps.squares * this.#gapShare + this.#bodies.squares * this.#bodyShare + Math.max(0, this.#ranges.sum) * this.#rangeShare;
    this.value = Math.sqrt(Math.max(0, variance) * this.#barsPerYear);
  }
}
