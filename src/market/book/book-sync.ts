// A book that knows whether it is one. Snapshots and changes arrive on different ways, get lost and come twice; here they become a book,
// or the plain statement that there is none and a snapshot is wanted.
//
//   waiting --snapshot joined--> in-sync --gap, crossing, malformed message, silence, lost wire--> invalid --snapshot joined--> in-sync
//
// The one question to every change: does it begin after what the book has? A venue's changes carry totals, never differences, so a message
// that reaches back behind the book is harmless, and one that is wholly behind it says nothing new. One that begins later is a gap.
import { ByteReader, ByteWriter, type Stateful } from '../../domain/bytes.ts';
import type { BookMessage } from '../../domain/book.ts';
import type { TimeMs } from '../../domain/time.ts';
import { decodeBookMessage, emptyBookMessage, encodeBookMessage } from './book-message.ts';
import { OrderBook } from './order-book.ts';

/** How a venue numbers its changes, and how it hands out snapshots. */
export interface BookRules {
  /**
   * `adjacent`: each message begins with the number after the last one of the message before.
   * `linked`: numbers leave holes, and each message names the last one of the message before.
   */
  readonly sequence: 'adjacent' | 'linked';
  /**
   * `asked`: on another way than the changes, with an age of its own; changes are kept until it comes, and an old one changes nothing.
   * `streamed`: in the order of the changes; it replaces the book whatever its number is, and changes before it are worth nothing.
   */
  readonly snapshots: 'asked' | 'streamed';
}

/** `U` is 1 more than the last `u`; a snapshot by REST. */
export const BINANCE_SPOT_BOOK: BookRules = { sequence: 'adjacent', snapshots: 'asked' };
/** `pu` is the last `u`; a snapshot by REST. Both USD-M and COIN-M. */
export const BINANCE_FUTURES_BOOK: BookRules = { sequence: 'linked', snapshots: 'asked' };
/** `u` grows by 1; a snapshot begins the stream, and one with `u` = 1 follows a restart of the service. First and last number are both `u`. */
export const BYBIT_BOOK: BookRules = { sequence: 'adjacent', snapshots: 'streamed' };

export type BookState = 'waiting' | 'in-sync' | 'invalid';

/**
 * What became of a message. `applied`: the book has it. `buffered`: kept until a snapshot comes. `ignored`: it says nothing new.
 * `resync`: there is no book now, and a snapshot, newer than any before, is wanted; said once for each loss and each snapshot in vain.
 */
export type BookVerdict = 'applied' | 'buffered' | 'ignored' | 'resync';

export interface BookCounts {
  applied: number;
  ignored: number;
  /** Messages that began after what came before them. */
  gaps: number;
  /** Books whose best bid was not below their best ask after a whole message. */
  crossings: number;
  /** Messages that are none: numbers or levels that cannot be. */
  malformed: number;
  /** Times that nothing was applied for longer than allowed. */
  silences: number;
  /** Times that the wire was lost. */
  interruptions: number;
  /** Snapshots that were older than the oldest change that is kept. */
  snapshotsTooOld: number;
  /** Times that too much was kept while no snapshot came. */
  overflows: number;
  /** Snapshots taken up after the book was lost. */
  resyncs: number;
  /** Changes that did not name what they follow, on a feed of the `linked` kind: a gap before them would not have been seen. */
  unproven: number;
}

type Loss = 'gaps' | 'crossings' | 'malformed' | 'silences' | 'interruptions';

const STATES: readonly BookState[] = ['waiting', 'in-sync', 'invalid'];
/** Of kept changes: minutes of the busiest books, while a snapshot takes seconds. */
const BUFFER_BYTES = 16 * 1024 * 1024;

export class BookSync implements Stateful {
  readonly counts: BookCounts = noCounts();
  readonly #rules: BookRules;
  readonly #staleAfterMs: TimeMs;
  readonly #book = new OrderBook();
  #state: BookState = 'waiting';
  /** The number of the last change in the book. */
  #last = NaN;
  /** `at` of the last message in the book. */
  #lastAt: TimeMs = NaN;
  /** The greatest last number of the changes that arrived on this wire, applied or not; NaN when none has. */
  #arrived = NaN;
  /** Changes that wait for a snapshot: the number that each follows, and its message. */
  readonly #buffer = new ByteWriter();
  readonly #kept = emptyBookMessage();

  /** @param staleAfterMs how long a book may be read after its last change, by `check`; Infinity where silence proves nothing */
  constructor(rules: BookRules, staleAfterMs: TimeMs) {
    this.#rules = rules;
    this.#staleAfterMs = staleAfterMs;
  }

  get state(): BookState {
    return this.#state;
  }

  /** The book while it is one. It changes with the next message, and is empty once it is lost: keep numbers of it, not it. */
  get book(): OrderBook | undefined {
    return this.#state === 'in-sync' ? this.#book : undefined;
  }

  /** The number of the last change in the book; NaN when there is no book. */
  get lastUpdate(): number {
    return this.#state === 'in-sync' ? this.#last : NaN;
  }

  /** Takes a message; nothing of it is kept but bytes. */
  receive(message: BookMessage): BookVerdict {
    if (message.kind === 'snapshot') return this.#snapshot(message);
    if (!isNumbered(message)) return this.#lose('malformed');
    const follows = this.#follows(message);
    const arrived = this.#arrived;
    if (!(arrived >= message.lastUpdate)) this.#arrived = message.lastUpdate;
    if (this.#state === 'in-sync') return this.#advance(message, follows);
    if (this.#rules.snapshots === 'streamed') {
      this.counts.ignored++;
      return 'ignored';
    }
    return this.#keep(message, follows, arrived);
  }

  /** The clock says `at`: a book that has been silent for too long is none any more. */
  check(at: TimeMs): BookVerdict {
    return this.#state === 'in-sync' && at - this.#lastAt > this.#staleAfterMs ? this.#lose('silences') : 'ignored';
  }

  /** The wire is lost: what is missed from now on cannot always be seen in numbers. */
  interrupt(): BookVerdict {
    this.#arrived = NaN;
    return this.#lose('interruptions');
  }

  /** The number up to which the book must have everything for this message to join it. */
  #follows(message: BookMessage): number {
    if (this.#rules.sequence === 'adjacent') return message.firstUpdate - 1;
    if (!Number.isNaN(message.previousUpdate)) return message.previousUpdate;
    // Not said. What arrived before it is believed to be what it follows: captures without these numbers are checked no further.
    this.counts.unproven++;
    return Number.isNaN(this.#arrived) ? message.firstUpdate - 1 : this.#arrived;
  }

  #advance(message: BookMessage, follows: number): BookVerdict {
    if (message.lastUpdate <= this.#last) {
      this.counts.ignored++;
      return 'ignored';
    }
    if (follows > this.#last) {
      const verdict = this.#lose('gaps');
      // It is the first of what the next snapshot is to be joined with.
      if (this.#rules.snapshots === 'asked') this.#buffered(message, follows);
      return verdict;
    }
    const { at, lastUpdate, levels, from, to } = message;
    if (!this.#book.apply(levels, from, to)) return this.#lose('malformed');
    this.#last = lastUpdate;
    this.#lastAt = at;
    if (this.#book.isCrossed) return this.#lose('crossings');
    this.counts.applied++;
    return 'applied';
  }

  #keep(message: BookMessage, follows: number, arrived: number): BookVerdict {
    if (this.#buffer.length > 0 && follows > arrived) {
      // What is before a gap is worth nothing: the snapshot must be newer than the gap.
      this.counts.gaps++;
      this.#buffer.clear();
    }
    this.#buffered(message, follows);
    if (this.#buffer.length <= BUFFER_BYTES) return 'buffered';
    this.counts.overflows++;
    this.#buffer.clear();
    return 'resync';
  }

  #buffered(message: BookMessage, follows: number): void {
    this.#buffer.number(follows);
    encodeBookMessage(this.#buffer, message);
  }

  #snapshot(message: BookMessage): BookVerdict {
    const { at, lastUpdate, levels, from, to } = message;
    if (!isNumbered(message)) return this.#lose('malformed');
    const isAsked = this.#rules.snapshots === 'asked';
    if (isAsked && this.#state === 'in-sync' && lastUpdate <= this.#last) {
      this.counts.ignored++;
      return 'ignored';
    }
    if (!this.#book.replace(levels, from, to)) return this.#lose('malformed');
    this.#last = lastUpdate;
    this.#lastAt = at;
    if (!isAsked) this.#arrived = lastUpdate;
    if (this.#book.isCrossed) return this.#lose('crossings');
    const wasLost = this.#state === 'invalid';
    const verdict = this.#join();
    if (verdict === 'applied') {
      this.counts.applied++;
      if (wasLost) this.counts.resyncs++;
    }
    return verdict;
  }

  /** Brings the snapshot that the book holds up to the last change that was kept. */
  #join(): BookVerdict {
    const reader = new ByteReader(this.#buffer.view());
    const before = this.#state;
    this.#state = 'in-sync';
    while (!reader.ended) {
      const follows = reader.number();
      decodeBookMessage(reader, this.#kept);
      if (this.#kept.lastUpdate <= this.#last) continue;
      if (follows > this.#last) {
        // Only the first of them can: gaps between them were seen as they came. All are kept for a newer snapshot.
        this.#book.clear();
        this.#state = before;
        this.counts.snapshotsTooOld++;
        return 'resync';
      }
      if (this.#advance(this.#kept, follows) === 'resync') return 'resync';
    }
    this.#buffer.clear();
    return 'applied';
  }

  #lose(why: Loss): BookVerdict {
    this.counts[why]++;
    this.#state = 'invalid';
    this.#book.clear();
    this.#buffer.clear();
    return 'resync';
  }

  save(out: ByteWriter): void {
    out.byte(STATES.indexOf(this.#state));
    out.number(this.#last);
    out.number(this.#lastAt);
    out.number(this.#arrived);
    for (const key of COUNTED) out.count(this.counts[key]);
    this.#book.save(out);
    out.bytes(this.#buffer.view());
  }

  restore(from: ByteReader): void {
    this.#state = STATES[from.byte()] ?? 'invalid';
    this.#last = from.number();
    this.#lastAt = from.number();
    this.#arrived = from.number();
    for (const key of COUNTED) this.counts[key] = from.count();
    this.#book.restore(from);
    this.#buffer.clear();
    for (const byte of from.bytes()) this.#buffer.byte(byte);
  }
}

function noCounts(): BookCounts {
  return {
    applied: 0,
    ignored: 0,
    gaps: 0,
    crossings: 0,
    malformed: 0,
    silences: 0,
    interruptions: 0,
    snapshotsTooOld: 0,
    overflows: 0,
    resyncs: 0,
    unproven: 0,
  };
}

const COUNTED = Object.keys(noCounts()) as (keyof BookCounts)[];

/** Numbers that order messages: whole, from 0 on, the first not after the last. */
function isNumbered({ firstUpdate, lastUpdate }: BookMessage): boolean {
  return Number.isSafeInteger(lastUpdate) && Number.isSafeInteger(firstUpdate) && firstUpdate >= 0 && firstUpdate <= lastUpdate;
}
