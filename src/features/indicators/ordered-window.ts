// The last n numbers in the order of their size: a treap over the slots of a ring, O(log n) a number.
//
// Its shape follows from the numbers and from fixed priorities of the slots alone, and every sum in it is formed anew on the way up, from
// its children: so no error is carried along, and what is restored by inserting the window again has the same bits.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';

const NONE = -1;

/** Answers how far the numbers below a place lie from it, all together. */
export class OrderedWindow implements Stateful {
  readonly #values: Float64Array;
  readonly #priorities: Uint32Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #counts: Float64Array;
  /** Of a subtree: the sum of what its numbers are above that of its root. Differences of neighbours keep the digits that sums would lose. */
  readonly #spreads: Float64Array;
  #root = NONE;
  #position = 0;
  #full = false;
  #splitLeft = NONE;
  #splitRight = NONE;

  constructor(window: number) {
    this.#values = new Float64Array(window);
    this.#priorities = Uint32Array.from({ length: window }, (_, slot) => scatter(slot));
    this.#left = new Int32Array(window).fill(NONE);
    this.#right = new Int32Array(window).fill(NONE);
    this.#counts = new Float64Array(window);
    this.#spreads = new Float64Array(window);
  }

  /** Takes a number in, and the oldest out once there are more than n. */
  push(value: number): void {
    const slot = this.#position;
    if (this.#full) this.#root = this.#without(this.#root, slot);
    this.#place(slot, value);
    if (slot + 1 === this.#values.length) {
      this.#position = 0;
      this.#full = true;
    } else {
      this.#position = slot + 1;
    }
  }

  /** Sum of (place - number) over all numbers below `place`, which lies `offset` below `from`: told so, it keeps the digits of small offsets. */
  shortfall(from: number, offset: number): number {
    let sum = 0;
    let node = this.#root;
    while (node !== NONE) {
      const gap = from - this.#valueOf(node) - offset;
      if (gap > 0) {
        const below = this.#left[node] ?? NONE;
        if (below !== NONE) sum += this.#countOf(below) * (from - this.#valueOf(below) - offset) - this.#spreadOf(below);
        sum += gap;
        node = this.#right[node] ?? NONE;
      } else {
        node = this.#left[node] ?? NONE;
      }
    }
    return sum;
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.numbers(this.#values);
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    const values = from.numbers(this.#values);
    this.#root = NONE;
    const known = this.#full ? values.length : this.#position;
    for (let slot = 0; slot < known; slot++) this.#place(slot, values[slot] ?? NaN);
  }

  #place(slot: number, value: number): void {
    this.#values[slot] = value;
    this.#left[slot] = NONE;
    this.#right[slot] = NONE;
    this.#root = this.#with(this.#root, slot);
  }

  #with(node: number, slot: number): number {
    if (node === NONE) return this.#formed(slot);
    if ((this.#priorities[slot] ?? 0) > (this.#priorities[node] ?? 0)) {
      this.#split(node, slot);
      this.#left[slot] = this.#splitLeft;
      this.#right[slot] = this.#splitRight;
      return this.#formed(slot);
    }
    if (this.#isBefore(slot, node)) this.#left[node] = this.#with(this.#left[node] ?? NONE, slot);
    else this.#right[node] = this.#with(this.#right[node] ?? NONE, slot);
    return this.#formed(node);
  }

  #without(node: number, slot: number): number {
    if (node === slot) return this.#merged(this.#left[slot] ?? NONE, this.#right[slot] ?? NONE);
    if (this.#isBefore(slot, node)) this.#left[node] = this.#without(this.#left[node] ?? NONE, slot);
    else this.#right[node] = this.#without(this.#right[node] ?? NONE, slot);
    return this.#formed(node);
  }

  /** Cuts a subtree into what lies before the slot and what after, left in two fields: a pair would have to be allocated. */
  #split(node: number, slot: number): void {
    if (node === NONE) {
      this.#splitLeft = NONE;
      this.#splitRight = NONE;
    } else if (this.#isBefore(node, slot)) {
      this.#split(this.#right[node] ?? NONE, slot);
      this.#right[node] = this.#splitLeft;
      this.#splitLeft = this.#formed(node);
    } else {
      this.#split(this.#left[node] ?? NONE, slot);
      this.#left[node] = this.#splitRight;
      this.#splitRight = this.#formed(node);
    }
  }

  #merged(left: number, right: number): number {
    if (left === NONE) return right;
    if (right === NONE) return left;
    if ((this.#priorities[left] ?? 0) > (this.#priorities[right] ?? 0)) {
      this.#right[left] = this.#merged(this.#right[left] ?? NONE, right);
      return this.#formed(left);
    }
    this.#left[right] = this.#merged(left, this.#left[right] ?? NONE);
    return this.#formed(right);
  }

  #formed(node: number): number {
    const left = this.#left[node] ?? NONE;
    const right = this.#right[node] ?? NONE;
    const value = this.#valueOf(node);
    let count = 1;
    let spread = 0;
    if (left !== NONE) {
      const below = this.#countOf(left);
      count += below;
      spread += this.#spreadOf(left) + below * (this.#valueOf(left) - value);
    }
    if (right !== NONE) {
      const above = this.#countOf(right);
      count += above;
      spread += this.#spreadOf(right) + above * (this.#valueOf(right) - value);
    }
    this.#counts[node] = count;
    this.#spreads[node] = spread;
    return node;
  }

  #isBefore(one: number, other: number): boolean {
    const left = this.#valueOf(one);
    const right = this.#valueOf(other);
    return left < right || (left === right && one < other);
  }

  #valueOf(node: number): number {
    return this.#values[node] ?? NaN;
  }
  #countOf(node: number): number {
    return this.#counts[node] ?? NaN;
  }
  #spreadOf(node: number): number {
    return this.#spreads[node] ?? NaN;
  }
}

/** Whole numbers in, whole numbers without visible order out, each its own: the finalizer of MurmurHash3. */
function scatter(slot: number): number {
  let bits = slot + 1;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85_eb_ca_6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2_b2_ae_35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
