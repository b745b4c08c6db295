// The orders at the venue: all that are open by id, those that rest and those that wait for a bar by instrument. Only who stands where; what
// becomes of them is the venue's to say.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { isZero, ZERO_QUANTITY } from '../../domain/decimal.ts';
import { IdMap } from '../../domain/id-map.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { removeFrom } from '../../domain/queue.ts';
import type { TimeMs } from '../../domain/time.ts';
import { reachOf } from './fills.ts';
import { levelOf, readOrder, writeOrder, type OpenOrder } from './open-order.ts';

export class OrderLists implements Stateful {
  readonly #byId = new IdMap<OpenOrder>();
  /** By instrument, in the order of the queue. */
  readonly resting: readonly OpenOrder[][];
  /** By instrument: orders at the market that have arrived and wait for a bar. */
  readonly waiting: readonly OpenOrder[][];
  #trailing = 0;
  #paired = 0;
  #numbers = 0;

  constructor(instruments: number) {
    this.resting = Array.from({ length: instruments }, () => []);
    this.waiting = Array.from({ length: instruments }, () => []);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** While there are none nobody looks for them. */
  get hasTrailing(): boolean {
    return this.#trailing > 0;
  }

  get hasPairs(): boolean {
    return this.#paired > 0;
  }

  get(id: string): OpenOrder | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** A copy: whoever walks over it may end what it finds. */
  all(): readonly OpenOrder[] {
    return [...this.#byId.values()];
  }

  /** Something may fill in a bar of this instrument. */
  isBusy(instrument: number): boolean {
    return (this.resting[instrument]?.length ?? 0) > 0 || (this.waiting[instrument]?.length ?? 0) > 0;
  }

  /** An order and those attached to it, which do not rest before it has filled. */
  open(intent: OrderIntent, arrivedAt: TimeMs): OpenOrder {
    const order = this.#opened(intent, arrivedAt);
    for (const each of intent.attached) this.#opened(each, NaN);
    return order;
  }

  #opened(intent: OrderIntent, arrivedAt: TimeMs): OpenOrder {
    const number = ++this.#numbers;
    const order: OpenOrder = {
      intent,
      level: levelOf(intent),
      reach: reachOf(intent),
      arrivedAt,
      filled: ZERO_QUANTITY,
      taken: ZERO_QUANTITY,
      number,
    };
    this.#known(order);
    return order;
  }

  #known(order: OpenOrder): void {
    this.#byId.set(order.intent.id, order);
    if (order.intent.trailBy !== undefined) this.#trailing++;
    if (order.intent.pairedWith !== undefined) this.#paired++;
  }

  rest(order: OpenOrder): void {
    this.resting[order.intent.instrument]?.push(order);
  }

  /** At the market from now on. One that waits already keeps its place. */
  wait(order: OpenOrder): void {
    const { instrument } = order.intent;
    this.#leave(this.resting, order);
    if (this.waiting[instrument]?.includes(order) === false) this.waiting[instrument]?.push(order);
  }

  /** As if it had just arrived. One that is attached does not rest before its entry has filled. */
  toEnd(order: OpenOrder, at: TimeMs): void {
    if (!this.#leave(this.resting, order)) return;
    this.rest(order);
    order.arrivedAt = at;
    order.number = ++this.#numbers;
  }

  /** Orders attached to an entry that never filled never came to rest: they end with it, without a word. */
  end(order: OpenOrder): void {
    const { attached } = order.intent;
    this.#forget(order);
    this.#leave(this.resting, order);
    this.#leave(this.waiting, order);
    if (!isZero(order.filled)) return;
    for (const { id } of attached) {
      const other = this.#byId.get(id);
      if (other !== undefined) this.#forget(other);
    }
  }

  #leave(lists: readonly OpenOrder[][], order: OpenOrder): boolean {
    const list = lists[order.intent.instrument];
    return list !== undefined && removeFrom(list, order);
  }

  #forget(order: OpenOrder): void {
    if (!this.#byId.delete(order.intent.id)) return;
    if (order.intent.trailBy !== undefined) this.#trailing--;
    if (order.intent.pairedWith !== undefined) this.#paired--;
  }

  save(out: ByteWriter): void {
    out.count(this.#numbers);
    out.count(this.#byId.size);
    for (const order of this.#byId.values()) writeOrder(out, order);
    for (const lists of [this.resting, this.waiting]) {
      for (const list of lists) {
        out.count(list.length);
        for (const order of list) out.text(order.intent.id);
      }
    }
  }

  restore(from: ByteReader): void {
    this.#numbers = from.count();
    this.#byId.clear();
    this.#trailing = 0;
    this.#paired = 0;
    for (let left = from.count(); left > 0; left--) this.#known(readOrder(from));
    for (const lists of [this.resting, this.waiting]) {
      for (const list of lists) {
        list.length = 0;
        for (let left = from.count(); left > 0; left--) {
          const order = this.#byId.get(from.text());
          if (order !== undefined) list.push(order);
        }
      }
    }
  }
}
