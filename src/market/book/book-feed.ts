// The books of a venue's streams as events for a loop that may be behind: proved to follow each other, thinned out, and never more than two
// that wait for an instrument, however many messages come.
import type { BookMessage } from '../../domain/book.ts';
import type { BookEvent } from '../../domain/event.ts';
import type { Source } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import { BookSync, type BookRules } from './book-sync.ts';
import { emptyTouch, TouchReader } from './book-touch.ts';

export interface BookFeedParts {
  readonly instrument: number;
  readonly rules: BookRules;
  /** Market time now, and the earliest time that the loop can still take. */
  readonly now: () => TimeMs;
  readonly notBefore: () => TimeMs;
  /** Whether what is said now forms features and no decisions. */
  readonly warmsUp: () => boolean;
  /** Of two events, unless the book was lost or found between them. */
  readonly intervalMs: TimeMs;
  /** The loop takes what was heard at `heardAt`, by the clock of whoever calls `receive`; its event carries `at`. */
  readonly onTaken?: (at: TimeMs, heardAt: number) => void;
}

/**
 * What waits is the last word of the book, which a newer one replaces, and before it perhaps that there was none for a while: who compares
 * looks with each other must not compare across a gap.
 */
export class BookFeed implements Source {
  readonly instrument: number;
  readonly #parts: BookFeedParts;
  /** Silence is judged by whoever holds the wire. */
  readonly #sync: BookSync;
  readonly #reader = new TouchReader();
  readonly #loss: BookEvent;
  readonly #look: BookEvent;
  #hasLoss = false;
  #hasLook = false;
  #hadBook = false;
  #saidAt: TimeMs = -Infinity;
  #lossHeardAt = NaN;
  #lookHeardAt = NaN;
  #wake: (() => void) | undefined;
  /** So far: messages, events that a newer one replaced before the loop took them, and events that it took. */
  received = 0;
  replaced = 0;
  taken = 0;
  /** A stream never keeps a session from ending. */
  readonly ended = true;

  constructor(parts: BookFeedParts) {
    this.instrument = parts.instrument;
    this.#parts = parts;
    this.#sync = new BookSync(parts.rules, Infinity);
    this.#loss = emptyTouch(parts.instrument);
    this.#look = emptyTouch(parts.instrument);
  }

  /** How many the loop has not taken yet: 0 to 2. */
  get waiting(): number {
    return Number(this.#hasLoss) + Number(this.#hasLook);
  }

  /** Nothing of the message is kept. @returns true where there is no book any more, and a snapshot is wanted */
  receive(message: BookMessage, heardAt: number): boolean {
    this.received++;
    const verdict = this.#sync.receive(message);
    const { book } = this.#sync;
    const now = this.#parts.now();
    if (book === undefined) {
      if (this.#hadBook) this.#lose(now, heardAt);
    } else if (!this.#hadBook || now >= this.#saidAt + this.#parts.intervalMs) {
      if (this.#hasLook) this.replaced++;
      this.#reader.read(book, this.#look);
      this.#stamp(this.#look, now, message.happenedAt);
      this.#hasLook = true;
      this.#lookHeardAt = heardAt;
      this.#hadBook = true;
      this.#saidAt = now;
      this.#wake?.();
    }
    return verdict === 'resync';
  }

  /** The wire is lost, or what it says is not to be believed: there is no book until a snapshot comes. */
  interrupt(heardAt: number): void {
    this.#sync.interrupt();
    if (this.#hadBook) this.#lose(this.#parts.now(), heardAt);
  }

  /** A session goes on: what it had seen of the book before is not followed by what comes now. */
  goOn(heardAt: number): void {
    this.#sync.interrupt();
    this.#lose(this.#parts.now(), heardAt);
  }

  peekAt(): TimeMs {
    const next = this.#hasLoss ? this.#loss : this.#hasLook ? this.#look : undefined;
    if (next === undefined) return NEVER;
    const earliest = this.#parts.notBefore();
    if (next.at < earliest) next.at = earliest;
    return next.at;
  }

  take(): BookEvent {
    const at = this.peekAt();
    if (at === NEVER) throw new Error('broken invariant: taken from an empty queue');
    const event = this.#hasLoss ? this.#loss : this.#look;
    const heardAt = this.#hasLoss ? this.#lossHeardAt : this.#lookHeardAt;
    if (this.#hasLoss) this.#hasLoss = false;
    else this.#hasLook = false;
    event.warmup = this.#parts.warmsUp();
    this.taken++;
    this.#parts.onTaken?.(at, heardAt);
    return event;
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }

  #lose(now: TimeMs, heardAt: number): void {
    // A look that nobody has taken is one at a book that is gone.
    if (this.#hasLook) this.replaced++;
    this.#hasLook = false;
    this.#reader.read(undefined, this.#loss);
    this.#stamp(this.#loss, now, now);
    this.#hasLoss = true;
    this.#lossHeardAt = heardAt;
    this.#hadBook = false;
    this.#wake?.();
  }

  #stamp(event: BookEvent, now: TimeMs, happenedAt: TimeMs): void {
    event.at = now;
    // A venue whose clock is ahead says what has happened when it is heard.
    event.happenedAt = Math.min(Math.floor(happenedAt), now);
  }
}
