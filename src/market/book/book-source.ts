// The messages of a recorded or made book as events for strategies: proved to follow each other, thinned out, in the time in which they
// were known.
import type { BookMessage } from '../../domain/book.ts';
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { BookEvent } from '../../domain/event.ts';
import type { Source } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import { BookSync, type BookRules } from './book-sync.ts';
import { emptyTouch, TouchReader } from './book-touch.ts';

/** Ten looks a second: what lies between is noise to whoever decides and pays for it, and would fill the tape. */
export const BOOK_INTERVAL_MS = 100;

export interface BookSourceParts {
  readonly instrument: number;
  /** In the order in which they became known. May reuse its message. */
  readonly messages: { next(): BookMessage | undefined };
  readonly rules: BookRules;
  /** Silence for longer than this is no book; Infinity where silence proves nothing. */
  readonly silentAfterMs: TimeMs;
  /** Of two events, unless the book was lost or found between them. */
  readonly intervalMs?: TimeMs;
  /** Events at or before this are of the warm-up. */
  readonly from: TimeMs;
  /** Nothing after this is said. */
  readonly until: TimeMs;
}

/**
 * Times are rounded up to whole milliseconds: nothing is known before it came. Its state is how many events were taken: where messages can
 * be read or made again from their beginning, all else follows from them.
 */
export class BookSource implements Source, Stateful {
  readonly #parts: Required<BookSourceParts>;
  readonly #sync: BookSync;
  readonly #reader = new TouchReader();
  readonly #event: BookEvent;
  /** Time of the event that is ready; NEVER when none is. */
  #nextAt: TimeMs = NEVER;
  #message: BookMessage | undefined;
  #saidAt: TimeMs = -Infinity;
  #heardAt: TimeMs = NaN;
  #hadBook = false;
  /** Events that were made, and taken. */
  #made = 0;
  #taken = 0;
  /** The first of them were taken before a restart: they are made again, for what follows from them, and not said. */
  #known = 0;

  constructor(parts: BookSourceParts) {
    this.#parts = { intervalMs: BOOK_INTERVAL_MS, ...parts };
    this.#sync = new BookSync(parts.rules, Infinity);
    this.#event = emptyTouch(parts.instrument);
    this.#message = parts.messages.next();
  }

  get ended(): boolean {
    return this.#nextAt === NEVER && this.#message === undefined;
  }

  peekAt(): TimeMs {
    if (this.#nextAt === NEVER && this.#message !== undefined) this.#advance();
    return this.#nextAt;
  }

  take(): BookEvent {
    this.peekAt();
    this.#nextAt = NEVER;
    this.#taken++;
    return this.#event;
  }

  /** Goes on until something is worth saying. */
  #advance(): void {
    const { messages, silentAfterMs, intervalMs, until } = this.#parts;
    while (this.#message !== undefined) {
      const at = Math.ceil(this.#message.at);
      const silentAt = Math.ceil(this.#heardAt + silentAfterMs);
      const isSilent = this.#hadBook && at > silentAt;
      if ((isSilent ? silentAt : at) > until) {
        this.#message = undefined;
        return;
      }
      if (isSilent) {
        this.#sync.interrupt();
        this.#say(silentAt, silentAt);
        if (this.#made > this.#known) return;
        continue;
      }
      const { happenedAt } = this.#message;
      this.#sync.receive(this.#message);
      this.#heardAt = at;
      this.#message = messages.next();
      const hasBook = this.#sync.book !== undefined;
      if (hasBook === this.#hadBook && !(hasBook && at >= this.#saidAt + intervalMs)) continue;
      this.#say(at, Math.floor(happenedAt));
      if (this.#made > this.#known) return;
    }
  }

  #say(at: TimeMs, happenedAt: TimeMs): void {
    const event = this.#event;
    const { book } = this.#sync;
    this.#reader.read(book, event);
    event.at = at;
    event.happenedAt = happenedAt;
    event.warmup = at <= this.#parts.from;
    this.#hadBook = book !== undefined;
    this.#saidAt = at;
    if (this.#made++ >= this.#known) this.#nextAt = at;
  }

  save(out: ByteWriter): void {
    out.count(this.#taken);
  }

  /** Into one of which nothing was asked yet, over the same messages from their beginning. */
  restore(from: ByteReader): void {
    this.#taken = from.count();
    this.#known = this.#taken;
  }
}
