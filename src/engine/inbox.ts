// Words that come from outside at any time: the operator's, and letters. They are placed where they arrive.
import { BallastError } from '../domain/errors.ts';
import type { LetterArrived, OperatorSpoke } from '../domain/event.ts';
import type { Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

type Word = OperatorSpoke | LetterArrived;
/** Without times: the inbox sets them. */
export type Unstamped = Omit<OperatorSpoke, 'at' | 'happenedAt'> | Omit<LetterArrived, 'at' | 'happenedAt'>;

/** An operator who says more than that before he is heard is a program that has gone wrong. */
const MOST_OPERATOR_WORDS = 1_000;

/** Bounded: of each mind one letter waits, its latest, and of operators so many words. */
export class Inbox implements Source {
  readonly #words: { readonly word: Unstamped; readonly arrivedAt: TimeMs }[] = [];
  readonly #now: () => TimeMs;
  readonly #notBefore: () => TimeMs;
  /** Of the clock that waits now. One, not a list: a clock asks again every time it waits. */
  #wake: (() => void) | undefined;
  /** An inbox never keeps a run from ending. */
  readonly ended = true;

  constructor(now: () => TimeMs, notBefore: () => TimeMs) {
    this.#now = now;
    this.#notBefore = notBefore;
  }

  /** @throws BallastError COMMAND_REFUSED where operators have said too much that nobody has heard yet */
  post(word: Unstamped): void {
    const said = { word, arrivedAt: this.#now() };
    this.#makeRoomFor(word);
    // An operator is heard before any letter.
    const place = word.kind === 'operator.spoke' ? this.#words.findIndex((each) => each.word.kind !== 'operator.spoke') : -1;
    if (place < 0) this.#words.push(said);
    else this.#words.splice(place, 0, said);
    this.wake();
  }

  #makeRoomFor(word: Unstamped): void {
    if (word.kind === 'opinion.formed') {
      // What a mind said before it was heard is not its opinion any more.
      const before = this.#words.findIndex((each) => each.word.kind === 'opinion.formed' && each.word.source === word.source);
      if (before >= 0) this.#words.splice(before, 1);
      return;
    }
    const waiting = this.#words.findIndex((each) => each.word.kind !== 'operator.spoke');
    if ((waiting < 0 ? this.#words.length : waiting) < MOST_OPERATOR_WORDS) return;
    throw new BallastError({
      code: 'COMMAND_REFUSED',
      place: `command ${word.command} of ${word.by}`,
      found: `${MOST_OPERATOR_WORDS} words that the session has not heard yet`,
      expected: 'fewer',
      remedy: 'wait until they are heard',
    });
  }

  get hasWords(): boolean {
    return this.#words.length > 0;
  }

  /** Ends the clock's waiting, with or without a word. */
  wake(): void {
    this.#wake?.();
  }

  peekAt(): TimeMs {
    const first = this.#words[0];
    if (first === undefined) return NEVER;
    // A loop that is behind its clock obeys where it stands, not once it has caught up; a letter must not be known before it came.
    return first.word.kind === 'operator.spoke' ? this.#notBefore() : Math.max(first.arrivedAt, this.#notBefore());
  }

  take(): Word {
    const at = this.peekAt();
    const first = this.#words.shift();
    if (first === undefined) throw new Error('broken invariant: taken from an empty inbox');
    return { ...first.word, at, happenedAt: first.arrivedAt };
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }
}
