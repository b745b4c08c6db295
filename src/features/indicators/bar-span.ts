// How long a bar is, for what is said about the time ahead: a strategy is told neither its timeframe nor its clock.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandPrice, demandTime } from './price.ts';

/** The shortest time between two closes so far, in milliseconds: a bar that is missing makes one step longer, never shorter. */
export class BarSpan implements Indicator {
  value = NaN;
  readonly warmup = 2;
  #before = NaN;

  update(bar: BarView): void {
    demandPrice(bar.close);
    const at = demandTime(bar.at);
    const step = at - this.#before;
    this.#before = at;
    // Only the first bar has none before it.
    if (!Number.isNaN(step)) this.value = Number.isNaN(this.value) ? step : Math.min(this.value, step);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.#before);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#before = from.number();
  }
}
