// The bars that were made and not yet delivered by every source: a ring that all sources of a market read.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { assert } from '../../domain/errors.ts';
import { BAR_WIDTH, type Model } from './model.ts';

/** Sources merged by time stand at most a bar apart. More than this behind, a source was forgotten; better to say so than to fill the memory. */
const FORGOTTEN_AFTER = 1 << 20;

/** Made in order, once, by one model; a row is a bar of every instrument. */
export class Minutes implements Stateful {
  /** The rows, as a ring. Another array after it grew: read it anew each time. */
  rows: Float64Array;
  readonly #model: Model;
  readonly #width: number;
  /** The bar at which each source stands. */
  readonly #stands: Float64Array;
  #capacity = 4;
  /** The oldest row that is kept, and the first that is not made yet. */
  #first = 0;
  #next = 0;

  constructor(model: Model, instruments: number) {
    this.#model = model;
    this.#width = instruments * BAR_WIDTH;
    this.#stands = new Float64Array(instruments);
    this.rows = new Float64Array(this.#capacity * this.#width);
  }

  /** Makes the bar at which a source now stands, if no other source has needed it, and lets go of what all have passed. */
  stand(instrument: number, minute: number): void {
    this.#stands[instrument] = minute;
    while (this.#next <= minute) {
      if (this.#next - this.#first === this.#capacity) this.#makeRoom();
      this.#model.step(this.rows, this.#start(this.#next));
      this.#next++;
    }
  }

  /** An instrument that has no further bar holds nobody up. */
  retire(instrument: number): void {
    this.#stands[instrument] = Infinity;
  }

  /** Where the bar begins in `rows`. */
  offset(instrument: number, minute: number): number {
    return this.#start(minute) + instrument * BAR_WIDTH;
  }

  /** Equal stands give equal bytes: rows that all sources have passed are not written, though the ring may still hold them. */
  save(out: ByteWriter): void {
    this.#model.save(out);
    const first = this.#slowest();
    out.count(first);
    out.count(this.#next);
    for (let minute = first; minute < this.#next; minute++) {
      const start = this.#start(minute);
      for (let column = 0; column < this.#width; column++) out.number(this.rows[start + column] ?? NaN);
    }
  }

  /** The sources call `stand` afterwards. */
  restore(from: ByteReader): void {
    this.#model.restore(from);
    this.#first = from.count();
    this.#next = from.count();
    this.#capacity = 4;
    while (this.#capacity < this.#next - this.#first) this.#capacity *= 2;
    this.rows = new Float64Array(this.#capacity * this.#width);
    for (let minute = this.#first; minute < this.#next; minute++) {
      const start = this.#start(minute);
      for (let column = 0; column < this.#width; column++) this.rows[start + column] = from.number();
    }
  }

  #start(minute: number): number {
    return (minute & (this.#capacity - 1)) * this.#width;
  }

  #slowest(): number {
    return this.#stands.reduce((slowest, minute) => Math.min(slowest, minute), this.#next);
  }

  #makeRoom(): void {
    this.#first = this.#slowest();
    const kept = this.#next - this.#first;
    if (kept < this.#capacity) return;
    assert(
      kept < FORGOTTEN_AFTER,
      `no source of a synthetic market stands ${FORGOTTEN_AFTER} bars behind another (take from all of them, or leave it out of \`assets\`)`,
    );
    const before = this.rows;
    const grown = new Float64Array(this.#capacity * 2 * this.#width);
    for (let minute = this.#first; minute < this.#next; minute++) {
      const start = this.#start(minute);
      grown.set(before.subarray(start, start + this.#width), (minute & (this.#capacity * 2 - 1)) * this.#width);
    }
    this.#capacity *= 2;
    this.rows = grown;
  }
}
