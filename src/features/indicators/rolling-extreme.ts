// The highest of the last n numbers and how long ago it was, amortised O(1): a queue of those that may still become the highest.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';

/** For the lowest push the negative. NaN before there are n numbers. */
export class RollingExtreme implements Stateful {
  /** Falling from the front to the back. A number takes the place of those that it equals. */
  readonly #queue: Float64Array;
  readonly #places: Float64Array;
  /** Where the last equal number was, whose place was taken; -1 without one. */
  readonly #equals: Float64Array;
  #front = 0;
  #length = 0;
  #seen = 0;

  constructor(window: number) {
    this.#queue = new Float64Array(window);
    this.#places = new Float64Array(window);
    this.#equals = new Float64Array(window);
  }

  push(value: number): void {
    const window = this.#queue.length;
    if (this.#length > 0 && this.#placeAt(0) <= this.#seen - window) {
      this.#front = this.#wrapped(this.#front + 1);
      this.#length--;
    }
    while (this.#length > 0 && this.#valueAt(this.#length - 1) < value) this.#length--;
    let equal = -1;
    if (this.#length > 0 && this.#valueAt(this.#length - 1) === value) equal = this.#placeAt(--this.#length);
    this.#append(value, this.#seen, equal);
    this.#seen++;
  }

  get value(): number {
    return this.#seen < this.#queue.length ? NaN : this.#valueAt(0);
  }
  /** How many pushes ago the highest was: 0 for the newest. Of equal ones the newest. */
  get age(): number {
    return this.#seen < this.#queue.length ? NaN : this.#seen - 1 - this.#placeAt(0);
  }
  /** Whether no other of the last n is as high. */
  get isUnique(): boolean {
    return (this.#equals[this.#front] ?? NaN) < this.#seen - this.#queue.length;
  }

  save(out: ByteWriter): void {
    out.count(this.#seen);
    out.count(this.#length);
    for (let index = 0; index < this.#length; index++) {
      out.number(this.#valueAt(index));
      out.number(this.#placeAt(index));
      out.number(this.#equals[this.#wrapped(this.#front + index)] ?? NaN);
    }
  }

  restore(from: ByteReader): void {
    this.#seen = from.count();
    const length = from.count();
    this.#front = 0;
    this.#length = 0;
    for (let index = 0; index < length; index++) {
      const value = from.number();
      const place = from.number();
      this.#append(value, place, from.number());
    }
  }

  #append(value: number, place: number, equal: number): void {
    const at = this.#wrapped(this.#front + this.#length);
    this.#queue[at] = value;
    this.#places[at] = place;
    this.#equals[at] = equal;
    this.#length++;
  }

  #wrapped(index: number): number {
    return index < this.#queue.length ? index : index - this.#queue.length;
  }
  #valueAt(index: number): number {
    return this.#queue[this.#wrapped(this.#front + index)] ?? NaN;
  }
  #placeAt(index: number): number {
    return this.#places[this.#wrapped(this.#front + index)] ?? NaN;
  }
}
