// What waits for its turn, in its order, in a ring that keeps its room. An array that is emptied by `shift` gives its room back by a call into
// the runtime, and the next `push` makes it anew, seventeen places wide: a venue that says one thing at a time does so with every word.

const FEWEST_PLACES = 16;

/** First in, first out. Places count from the first, which is 0. */
export class Queue<Item> {
  /** A ring; its length is a power of two. */
  #ring: (Item | undefined)[] = room(FEWEST_PLACES);
  #begin = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Undefined where it ends before that. */
  at(place: number): Item | undefined {
    return place < this.#length ? this.#ring[(this.#begin + place) & (this.#ring.length - 1)] : undefined;
  }

  last(): Item | undefined {
    return this.#length === 0 ? undefined : this.at(this.#length - 1);
  }

  push(item: Item): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#begin + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
  }

  /** Takes the first; undefined where there is none. */
  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#begin];
    this.#ring[this.#begin] = undefined;
    this.#begin = (this.#begin + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** Takes the first for which this holds; undefined where it holds for none. */
  take(isIt: (item: Item) => boolean): Item | undefined {
    const items = [...this];
    const place = items.findIndex(isIt);
    if (place < 0) return undefined;
    const [taken] = items.splice(place, 1);
    this.clear();
    for (const item of items) this.push(item);
    return taken;
  }

  /** Puts something else in a place that is taken. */
  replace(place: number, item: Item): void {
    if (place < this.#length) this.#ring[(this.#begin + place) & (this.#ring.length - 1)] = item;
  }

  clear(): void {
    this.#ring = room(FEWEST_PLACES);
    this.#begin = 0;
    this.#length = 0;
  }

  *[Symbol.iterator](): Generator<Item, void, undefined> {
    for (let place = 0; place < this.#length; place++) yield this.at(place) as Item;
  }

  #grow(): void {
    const items = [...this];
    this.#ring = [...items, ...room(items.length)];
    this.#begin = 0;
  }
}

/** Takes an item out of a list, in place: `splice` would make an array of it. False where it is not there. */
export function removeFrom<Item>(list: Item[], item: Item): boolean {
  let place = list.indexOf(item);
  if (place < 0) return false;
  for (; place < list.length - 1; place++) list[place] = list[place + 1] as Item;
  list.pop();
  return true;
}

function room(places: number): undefined[] {
  return Array.from({ length: places }, () => undefined);
}
