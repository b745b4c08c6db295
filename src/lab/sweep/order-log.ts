// The fills of one column, in columns. Reused from one column of a sweep to the next: it grows, and is never given back.

export const FILL_REASONS = ['entry', 'exit', 'stop', 'target', 'ruin'] as const;
export type FillReason = (typeof FILL_REASONS)[number];
const FIRST_ROOM = 1_024;

/** One fill as an object, for whoever reads few of them. */
export interface FillRecord {
  /** Row of the bar in which it filled. */
  readonly bar: number;
  /** Above 0 is bought. */
  readonly quantity: number;
  readonly price: number;
  readonly fee: number;
  readonly reason: FillReason;
}

/** Entries and exits take turns, so that fills 2k and 2k + 1 are a trade; the last entry may still be open. */
export class OrderLog {
  length = 0;
  bar = new Int32Array(FIRST_ROOM);
  quantity = new Float64Array(FIRST_ROOM);
  price = new Float64Array(FIRST_ROOM);
  fee = new Float64Array(FIRST_ROOM);
  reason = new Uint8Array(FIRST_ROOM);

  clear(): void {
    this.length = 0;
  }

  push(bar: number, quantity: number, price: number, fee: number, reason: FillReason): void {
    if (this.length === this.bar.length) this.#grow();
    const row = this.length++;
    this.bar[row] = bar;
    this.quantity[row] = quantity;
    this.price[row] = price;
    this.fee[row] = fee;
    this.reason[row] = FILL_REASONS.indexOf(reason);
  }

  at(row: number): FillRecord {
    const reason = FILL_REASONS[this.reason[row] ?? -1];
    if (row >= this.length || reason === undefined) throw new RangeError(`there are ${this.length} fills, and none at ${row}`);
    return {
      bar: this.bar[row] ?? NaN,
      quantity: this.quantity[row] ?? NaN,
      price: this.price[row] ?? NaN,
      fee: this.fee[row] ?? NaN,
      reason,
    };
  }

  toArray(): FillRecord[] {
    return Array.from({ length: this.length }, (_, row) => this.at(row));
  }

  #grow(): void {
    const room = this.bar.length * 2;
    this.bar = grown(this.bar, new Int32Array(room));
    this.quantity = grown(this.quantity, new Float64Array(room));
    this.price = grown(this.price, new Float64Array(room));
    this.fee = grown(this.fee, new Float64Array(room));
    this.reason = grown(this.reason, new Uint8Array(room));
  }
}

function grown<Column extends Int32Array | Float64Array | Uint8Array>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
