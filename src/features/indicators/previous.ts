// What another indicator showed one bar ago: a crossing is a comparison of two bars.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';

export class Previous implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #indicator: Indicator;

  constructor(indicator: Indicator) {
    this.warmup = indicator.warmup + 1;
    this.#indicator = indicator;
  }

  update(bar: BarView): void {
    const before = this.#indicator.value;
    this.#indicator.update(bar);
    this.value = before;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    this.#indicator.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#indicator.restore(from);
  }
}
