// Which executions have been believed already. A stream repeats itself, queries overlap, and a process starts again: money is booked once.
// Its state survives with the session's.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';

/** Queries begin so far before what is known to be complete: rows of one millisecond, and those that the venue lists late. */
const OVERLAP_MS = 60_000;
/** What is older is not asked for again. */
const REMEMBERED_MS = 7 * DAY_MS;
/** Forgotten in one go, so that it costs nothing each time. */
const FORGOTTEN_AT_ONCE = 1_000;

export class ExecutionMemory implements Stateful {
  /** By id: its time at the venue. In the order in which they were believed. */
  readonly #seen = new Map<string, TimeMs>();
  #latest: TimeMs;
  /** A query has listed everything up to here: what a stream says of later says nothing of what it missed before. */
  #completeTo: TimeMs;

  /** @param since nothing of before this is ours */
  constructor(since: TimeMs) {
    this.#latest = since;
    this.#completeTo = since;
  }

  /** From when on executions are to be asked for. */
  get askFrom(): TimeMs {
    return Math.max(0, this.#completeTo - OVERLAP_MS);
  }

  /** A query from `askFrom` on has been answered to its end, and this was the time of the newest that it knew. */
  completed(at: TimeMs): void {
    this.#completeTo = Math.max(this.#completeTo, at);
  }

  has(id: string): boolean {
    return this.#seen.has(id);
  }

  /** True the first time. */
  believe(id: string, at: TimeMs): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.set(id, at);
    if (at > this.#latest) this.#latest = at;
    if (this.#seen.size % FORGOTTEN_AT_ONCE === 0) this.#forget();
    return true;
  }

  #forget(): void {
    for (const [id, at] of this.#seen) if (at < this.#latest - REMEMBERED_MS) this.#seen.delete(id);
  }

  save(out: ByteWriter): void {
    out.number(this.#latest);
    out.number(this.#completeTo);
    out.count(this.#seen.size);
    for (const [id, at] of this.#seen) {
      out.text(id);
      out.number(at);
    }
  }

  restore(from: ByteReader): void {
    this.#latest = from.number();
    this.#completeTo = from.number();
    this.#seen.clear();
    for (let left = from.count(); left > 0; left--) {
      const id = from.text();
      this.#seen.set(id, from.number());
    }
  }
}
