// An average that is quick where the market goes somewhere and slow where it goes to and fro.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';
import { Delay } from './smoothing.ts';

const FASTEST = 2 / (2 + 1);
const SLOWEST = 2 / (30 + 1);

/**
 * Kaufman's adaptive mean (Kaufman 1995) with his constants of 2 and 30: the smoothing constant is the square of what lies between them by
 * the efficiency ratio, the way made over n bars among the way gone. Seeded by the close before the first value, as TA-Lib does.
 */
export class Kama implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #past: Delay;
  readonly #steps: RollingSum;
  #previous = NaN;

  constructor(window: number) {
    this.warmup = window + 1;
    this.#past = new Delay(window);
    this.#steps = new RollingSum(window);
  }

  update(bar: BarView): void {
    const close = demandPrice(bar.close);
    const previous = this.#previous;
    this.#previous = close;
    this.#past.push(close);
    // The first bar of all has made no step.
    if (Number.isNaN(previous)) return;
    this.#steps.push(Math.abs(close - previous));
    const gone = this.#steps.sum;
    if (Number.isNaN(gone)) return;
    const made = Math.abs(close - this.#past.value);
    // Nothing went anywhere, or everything one way, where the sum may lack a last digit.
    const efficiency = gone <= made ? 1 : made / gone;
    const root = efficiency * (FASTEST - SLOWEST) + SLOWEST;
    const before = Number.isNaN(this.value) ? previous : this.value;
    this.value = before + (close - before) * (root * root);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#previous);
    this.#past.save(out);
    this.#steps.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#previous = from.number();
    this.#past.restore(from);
    this.#steps.restore(from);
  }
}
