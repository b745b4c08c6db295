// A map from short ids to what is alive for a while. A Map whose entries come and go outgrows its table every few hundred deletions, and the
// table left behind points at the next: once one of them is old, the garbage collector keeps every later one, with all it held. In a busy
// backtest that was a tenth of the time.

const FEWEST_PLACES = 32;
/** Of more than these all that tells ids apart is hashed. */
const FEW_PLACES = 128;

/** In order of insertion, like a Map; without a Map's trail. */
export class IdMap<Value> {
  /** By place, as many as there is room for; undefined where an entry was deleted, and where none has been yet. */
  readonly #ids: (string | undefined)[] = Array.from({ length: FEWEST_PLACES }, () => undefined);
  readonly #values: (Value | undefined)[] = Array.from({ length: FEWEST_PLACES }, () => undefined);
  /** By place: kept, because ids are moved more often than they come. */
  #hashes = new Int32Array(FEWEST_PLACES);
  /** Open addressing: a place + 1; 0 where nothing ever was, below 0 where something was. Twice as many as places. */
  #slots = new Int32Array(2 * FEWEST_PLACES);
  #places = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: string): Value | undefined {
    const slot = this.#find(id, this.#hashOf(id));
    return slot < 0 ? undefined : this.#values[(this.#slots[slot] ?? 0) - 1];
  }

  has(id: string): boolean {
    return this.#find(id, this.#hashOf(id)) >= 0;
  }

  set(id: string, value: Value): void {
    const hash = this.#hashOf(id);
    const slot = this.#find(id, hash);
    if (slot >= 0) this.#values[(this.#slots[slot] ?? 0) - 1] = value;
    else this.#append(id, hash, value);
  }

  /** Enters what is not there yet. False, and nothing done, where it is. */
  add(id: string, value: Value): boolean {
    const hash = this.#hashOf(id);
    if (this.#find(id, hash) >= 0) return false;
    this.#append(id, hash, value);
    return true;
  }

  delete(id: string): boolean {
    const slot = this.#find(id, this.#hashOf(id));
    if (slot < 0) return false;
    const place = (this.#slots[slot] ?? 0) - 1;
    this.#slots[slot] = -1;
    this.#ids[place] = undefined;
    this.#values[place] = undefined;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#ids.fill(undefined);
    this.#values.fill(undefined);
    this.#slots.fill(0);
    this.#places = 0;
    this.#size = 0;
  }

  *keys(): Generator<string, void, undefined> {
    for (const [id] of this) yield id;
  }

  *values(): Generator<Value, void, undefined> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): Generator<[string, Value], void, undefined> {
    for (let place = 0; place < this.#places; place++) {
      const id = this.#ids[place];
      if (id !== undefined) yield [id, this.#values[place] as Value];
    }
  }

  #hashOf(id: string): number {
    return hashOf(id, this.#hashes.length > FEW_PLACES);
  }

  #append(id: string, hash: number, value: Value): void {
    if (this.#places === this.#hashes.length) {
      this.#compact();
      // There is room now; and of many ids it may be another hash.
      this.#append(id, this.#hashOf(id), value);
      return;
    }
    const place = this.#places++;
    this.#ids[place] = id;
    this.#values[place] = value;
    this.#hashes[place] = hash;
    this.#size++;
    this.#enter(hash, place + 1);
  }

  /** The slot that holds the id, or -1. */
  #find(id: string, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] ?? 0;
      if (entry === 0) return -1;
      if (entry > 0 && this.#hashes[entry - 1] === hash && this.#ids[entry - 1] === id) return slot;
    }
  }

  #enter(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while ((slots[slot] ?? 0) > 0) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }

  /** Gives the places of the deleted back, and makes more room when there were few. At most half of the slots are ever taken. */
  #compact(): void {
    const room = this.#hashes.length;
    let kept = 0;
    for (let place = 0; place < this.#places; place++) {
      const id = this.#ids[place];
      if (id === undefined) continue;
      this.#ids[kept] = id;
      this.#values[kept] = this.#values[place];
      this.#hashes[kept] = this.#hashes[place] ?? 0;
      kept++;
    }
    for (let place = kept; place < this.#places; place++) {
      this.#ids[place] = undefined;
      this.#values[place] = undefined;
    }
    this.#places = kept;
    if (2 * kept > room) {
      const hashes = new Int32Array(2 * room);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
      this.#slots = new Int32Array(4 * room);
      for (let place = room; place < 2 * room; place++) {
        this.#ids.push(undefined);
        this.#values.push(undefined);
      }
      if (room === FEW_PLACES) for (let place = 0; place < kept; place++) hashes[place] = hashOf(this.#ids[place] ?? '', true);
    } else this.#slots.fill(0);
    for (let place = 0; place < kept; place++) this.#enter(this.#hashes[place] ?? 0, place + 1);
  }
}

/**
 * Ids are a number, a dash and a number: those that are alive at one time differ in their last characters, and lie side by side. A character
 * takes longer than all else here: of few ids three tell enough.
 */
function hashOf(id: string, isOfMany: boolean): number {
  const { length } = id;
  if (length < 5) return length === 0 ? 0 : id.charCodeAt(length - 1) + 4 * id.charCodeAt(0);
  const few = id.charCodeAt(length - 1) + 4 * id.charCodeAt(length - 3) + 40 * id.charCodeAt(length - 4);
  return isOfMany ? few + 7 * id.charCodeAt(length - 2) + 400 * id.charCodeAt(length - 5) : few;
}
