// Tells a person who is not looking. Whoever has something to say puts it here and goes on: it never waits, never throws, and keeps no more
// than it has room for, so that an address that does not answer costs trading nothing.
import type { Timers } from '../domain/ports.ts';
import { MINUTE_MS, SECOND_MS, type TimeMs } from '../domain/time.ts';
import { counted, reasonOf } from '../domain/words.ts';

/** What somebody should hear of. */
export interface Notice {
  /** Market time. */
  readonly at: TimeMs;
  readonly runId: string;
  /** `halt`, or the rule that raised an alert. */
  readonly rule: string;
  readonly why: string;
}

/**
 * Brings one notice to its address. @param missed how many before it were given up and will never come
 * @returns `refused` where asking again cannot help
 * @throws where it may
 */
export type Deliver = (notice: Notice, missed: number, signal: AbortSignal) => Promise<'taken' | 'refused'>;

export interface NotifierParts {
  readonly deliver: Deliver;
  readonly timers: Timers;
  /** Told when the address stops taking notices, and when it takes them again: once each. */
  readonly onNotice: (words: string) => void;
}

/** What waits; of more, the oldest that is no halt is given up. */
const MOST_WAITING = 100;
const FIRST_PAUSE_MS = SECOND_MS;
const LONGEST_PAUSE_MS = MINUTE_MS;

export class Notifier {
  readonly #parts: NotifierParts;
  readonly #waiting: Notice[] = [];
  readonly #end = new AbortController();
  #pause = new AbortController();
  #pump: Promise<void> | undefined;
  #isClosing = false;
  #isTroubled = false;
  /** Given up since the last one that was taken. */
  #missed = 0;
  readonly counts = { taken: 0, givenUp: 0 };

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Not delivered yet, the one under way included. */
  get waiting(): number {
    return this.#waiting.length;
  }

  tell(notice: Notice): void {
    if (this.#isClosing) return;
    this.#waiting.push(notice);
    if (this.#waiting.length > MOST_WAITING) {
      // The first may be under way, and has to be there when it comes back.
      const place = this.#waiting.findIndex(({ rule }, index) => index > 0 && rule !== 'halt');
      this.#waiting.splice(place < 0 ? 1 : place, 1);
      this.#giveUp();
    }
    this.#pump ??= this.#run();
  }

  /** One more attempt for what waits, within so much time; then it is given up. Nothing can be told after it. */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    this.#pause.abort();
    if (this.#pump === undefined) return;
    const late = new AbortController();
    const limit = this.#parts.timers.sleep(withinMs, late.signal).catch(() => undefined);
    await Promise.race([this.#pump, limit]);
    late.abort();
    this.#end.abort();
    await this.#pump;
    const left = this.#waiting.splice(0).length;
    if (left > 0) this.#parts.onNotice(`${counted(left, 'alert')} could not be sent`);
  }

  #giveUp(): void {
    this.#missed++;
    this.counts.givenUp++;
  }

  async #run(): Promise<void> {
    let failures = 0;
    for (;;) {
      const [notice] = this.#waiting;
      if (notice === undefined || this.#end.signal.aborted) break;
      try {
        const outcome = await this.#parts.deliver(notice, this.#missed, this.#end.signal);
        this.#waiting.shift();
        failures = 0;
        if (outcome === 'taken') this.#delivered();
        else {
          this.#giveUp();
          this.#trouble('it refused one');
        }
      } catch (cause) {
        this.#trouble(reasonOf(cause));
        if (this.#isClosing && failures > 0) break;
        await this.#wait(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures++, 16)));
      }
    }
    this.#pump = undefined;
  }

  #delivered(): void {
    this.counts.taken++;
    this.#missed = 0;
    if (this.#isTroubled) this.#parts.onNotice('alerts are sent again');
    this.#isTroubled = false;
  }

  #trouble(why: string): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#parts.onNotice(`alerts cannot be sent: ${why}; they wait, and trading goes on`);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isClosing) return;
    this.#pause = new AbortController();
    await this.#parts.timers.sleep(ms, this.#pause.signal).catch(() => undefined);
  }
}
