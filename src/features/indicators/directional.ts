// Wilder's directional movement: how much of the range went up, how much down, and how one-sided that was.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice, trueRange } from './price.ts';
import { Delay } from './smoothing.ts';

/** Below it a sum of ranges is the last echo of a market that has stood still for ten thousand bars, and its digits are noise. */
const SILENCE = 1e-300;

/**
 * Directional movement (Wilder 1978), each 0..100: `plus` and `minus` are the directional indicators +DI and -DI, `dx` the directional
 * index between them, `value` its smoothed mean, the average directional index. `plus`, `minus` and `dx` are known from bar n + 1 on,
 * `value` from bar 2n on. Where nothing has moved the indicators are 0, `dx` stays as it was and `value` too, as TA-Lib does.
 */
export class Adx implements Indicator {
  value = NaN;
  plus = NaN;
  minus = NaN;
  dx = NaN;
  readonly warmup: number;
  readonly #window: number;
  #previousHigh = NaN;
  #previousLow = NaN;
  #previousClose = NaN;
  /** Wilder's sums: of the first n - 1 bars as they are, then each bar takes away an n-th before it adds its own. */
  #plusMovement = NaN;
  #minusMovement = NaN;
  #ranges = NaN;
  #indexSum = NaN;
  #seen = 0;

  constructor(window: number) {
    this.warmup = 2 * window;
    this.#window = window;
    this.#plusMovement = 0;
    this.#minusMovement = 0;
    this.#ranges = 0;
    this.#indexSum = 0;
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const up = high - this.#previousHigh;
    const down = this.#previousLow - low;
    const range = trueRange(high, low, this.#previousClose);
    this.#previousHigh = high;
    this.#previousLow = low;
    this.#previousClose = close;
    const seen = this.#seen;
    if (seen < this.warmup) this.#seen = seen + 1;
    // The first bar of all has nothing to be compared with.
    if (seen === 0) return;
    const window = this.#window;
    if (seen >= window) {
      this.#plusMovement -= this.#plusMovement / window;
      this.#minusMovement -= this.#minusMovement / window;
      this.#ranges -= this.#ranges / window;
    }
    if (up > 0 && up > down) this.#plusMovement += up;
    else if (down > 0 && down > up) this.#minusMovement += down;
    this.#ranges += range;
    if (this.#ranges < SILENCE) {
      this.#plusMovement = 0;
      this.#minusMovement = 0;
      this.#ranges = 0;
    }
    if (seen >= window) this.#publish();
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.plus);
    out.number(this.minus);
    out.number(this.dx);
    out.number(this.#previousHigh);
    out.number(this.#previousLow);
    out.number(this.#previousClose);
    out.number(this.#plusMovement);
    out.number(this.#minusMovement);
    out.number(this.#ranges);
    out.number(this.#indexSum);
    out.count(this.#seen);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.plus = from.number();
    this.minus = from.number();
    this.dx = from.number();
    this.#previousHigh = from.number();
    this.#previousLow = from.number();
    this.#previousClose = from.number();
    this.#plusMovement = from.number();
    this.#minusMovement = from.number();
    this.#ranges = from.number();
    this.#indexSum = from.number();
    this.#seen = from.count();
  }

  #publish(): void {
    const ranges = this.#ranges;
    this.plus = ranges > 0 ? (100 * this.#plusMovement) / ranges : 0;
    this.minus = ranges > 0 ? (100 * this.#minusMovement) / ranges : 0;
    const moved = this.plus + this.minus;
    const known = moved > 0;
    if (known) this.dx = (100 * Math.abs(this.plus - this.minus)) / moved;
    else if (Number.isNaN(this.dx)) this.dx = 0;
    const window = this.#window;
    if (Number.isNaN(this.value)) {
      // 0 where nothing has moved yet: a mean that has once moved does not come to rest within a window.
      this.#indexSum += this.dx;
      if (this.#seen === this.warmup) this.value = this.#indexSum / window;
    } else if (known) {
      this.value += (this.dx - this.value) / window;
    }
  }
}

/** Average directional index rating (Wilder 1978): the mean of the index now and n - 1 bars ago. */
export class Adxr implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #index: Adx;
  readonly #past: Delay;

  constructor(window: number) {
    this.warmup = 3 * window - 1;
    this.#index = new Adx(window);
    this.#past = new Delay(window - 1);
  }

  update(bar: BarView): void {
    this.#index.update(bar);
    const now = this.#index.value;
    if (Number.isNaN(now)) return;
    this.#past.push(now);
    this.value = (now + this.#past.value) / 2;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#index.save(out);
    this.#past.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#index.restore(from);
    this.#past.restore(from);
  }
}
