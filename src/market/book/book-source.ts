// The messages of a recorded or made book as events for strategies: proved to follow each other, thinned out, in the time in which they
// were known.
import type { BookMessage } from '../../domain/book.ts';
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
  /** Nothing at or before this is said: a session that goes on had it already. */
  readonly after?: TimeMs;
}

/** Times are rounded up to whole milliseconds: nothing is known before it came. */
export class BookSource implements Source {
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

  constructor(parts: BookSourceParts) {
    this.#parts = { intervalMs: BOOK_INTERVAL_MS, after: -Infinity, ...parts };
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
    return this.#event;
  }

  /** Goes on until something is worth saying. */
  #advance(): void {
    const { messages, silentAfterMs, intervalMs, until, after } = this.#parts;
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
        if (silentAt > after) return;
        continue;
      }
      const { happenedAt } = this.#message;
      this.#sync.receive(this.#message);
      this.#heardAt = at;
      this.#message = messages.next();
      const hasBook = this.#sync.book !== undefined;
      if (hasBook === this.#hadBook && !(hasBook && at >= this.#saidAt + intervalMs)) continue;
      this.#say(at, Math.floor(happenedAt));
      if (at > after) return;
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
    this.#nextAt = at > this.#parts.after ? at : NEVER;
  }
}
