// The last n closes of several legs: a step writes one row, and a formation reads them all.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { BarView } from '../../domain/feature.ts';

export class PriceWindow implements Stateful {
  readonly length: number;
  readonly #rings: readonly Float64Array[];
  #position = 0;
  #full = false;

  constructor(legs: number, length: number) {
    this.length = length;
    this.#rings = Array.from({ length: legs }, () => new Float64Array(length));
  }

  get legs(): number {
    return this.#rings.length;
  }
  get isFull(): boolean {
    return this.#full;
  }

  /** False, and nothing kept, where a close is not a price. */
  push(bars: readonly BarView[]): boolean {
    for (let leg = 0; leg < this.#rings.length; leg++) {
      const close = bars[leg]?.close ?? NaN;
      if (!(close > 0 && close < Infinity)) return false;
    }
    for (let leg = 0; leg < this.#rings.length; leg++) {
      const ring = this.#rings[leg];
      if (ring !== undefined) ring[this.#position] = bars[leg]?.close ?? NaN;
    }
    this.#position++;
    if (this.#position === this.length) {
      this.#position = 0;
      this.#full = true;
    }
    return true;
  }

  /** The column of a leg, oldest first: of a full window. */
  column(leg: number): Float64Array {
    const ring = this.#rings[leg] ?? new Float64Array(0);
    const column = new Float64Array(this.length);
    column.set(ring.subarray(this.#position));
    column.set(ring.subarray(0, this.#position), this.length - this.#position);
    return column;
  }

  columns(): Float64Array[] {
    return this.#rings.map((_, leg) => this.column(leg));
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    for (const ring of this.#rings) out.numbers(ring);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    for (const ring of this.#rings) from.numbers(ring);
  }
}
