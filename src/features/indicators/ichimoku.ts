// Ichimoku's lines, of which a bar may see only what had been drawn by then.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingRange } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';
import { Delay } from './smoothing.ts';

/**
 * Ichimoku Kinko Hyo (Hosoda 1969). `value` is the conversion line (tenkan-sen), `base` the base line (kijun-sen): middles between highest
 * high and lowest low of their windows. `spanA` and `spanB` are the cloud over this bar, drawn `displacement` bars ago; `leadingA` and
 * `leadingB` the cloud that is drawn now, to stand that many bars ahead. The lagging line (chikou) is the close drawn back in time: at the
 * bar over which it stands it is not known, so it is no feature.
 */
export class Ichimoku implements Indicator {
  value = NaN;
  base = NaN;
  leadingA = NaN;
  leadingB = NaN;
  spanA = NaN;
  spanB = NaN;
  readonly warmup: number;
  readonly #conversion: RollingRange;
  readonly #base: RollingRange;
  readonly #span: RollingRange;
  readonly #pastA: Delay;
  readonly #pastB: Delay;

  constructor(conversion: number, base: number, span: number, displacement: number) {
    this.warmup = span + displacement;
    this.#conversion = new RollingRange(conversion);
    this.#base = new RollingRange(base);
    this.#span = new RollingRange(span);
    this.#pastA = new Delay(displacement);
    this.#pastB = new Delay(displacement);
  }

  update(bar: BarView): void {
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    this.#conversion.push(high, low);
    this.#base.push(high, low);
    this.#span.push(high, low);
    const conversion = middle(this.#conversion);
    this.base = middle(this.#base);
    this.leadingA = (conversion + this.base) / 2;
    this.leadingB = middle(this.#span);
    this.#pastA.push(this.leadingA);
    this.#pastB.push(this.leadingB);
    this.spanA = this.#pastA.value;
    this.spanB = this.#pastB.value;
    // Nothing is said before all of it can be.
    if (!Number.isNaN(this.spanB)) this.value = conversion;
  }

  save(out: ByteWriter): void {
    for (const line of [this.value, this.base, this.leadingA, this.leadingB, this.spanA, this.spanB]) out.number(line);
    for (const part of [this.#conversion, this.#base, this.#span, this.#pastA, this.#pastB]) part.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.base = from.number();
    this.leadingA = from.number();
    this.leadingB = from.number();
    this.spanA = from.number();
    this.spanB = from.number();
    for (const part of [this.#conversion, this.#base, this.#span, this.#pastA, this.#pastB]) part.restore(from);
  }
}

function middle(range: RollingRange): number {
  return (range.highest + range.lowest) / 2;
}
