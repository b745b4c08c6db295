// One waker for many deadlines, over the Timers port: whoever owns it says when something is due next, and looks at everything when it rings.
import { assert } from '../../domain/errors.ts';
import type { Timers } from '../../domain/ports.ts';

/** Made once: an abort without a reason makes one each time, with a stack that nobody reads. */
const SET_ANEW = new Error('set anew');

export class Alarm {
  readonly #timers: Timers;
  readonly #ring: () => void;
  #at = Infinity;
  #sleep: AbortController | undefined;

  constructor(timers: Timers, ring: () => void) {
    this.#timers = timers;
    this.#ring = ring;
  }

  /** Rings once, at this time of the timers; Infinity is never. Takes the place of what was set before. */
  set(at: number): void {
    assert(!Number.isNaN(at), 'an alarm is set to a time');
    if (at === this.#at) return;
    this.#sleep?.abort(SET_ANEW);
    this.#sleep = undefined;
    this.#at = at;
    if (at === Infinity) return;
    const controller = new AbortController();
    this.#sleep = controller;
    void this.#timers.sleep(Math.max(0, at - this.#timers.now()), controller.signal).then(
      () => {
        if (this.#sleep !== controller) return;
        this.#sleep = undefined;
        this.#at = Infinity;
        this.#ring();
      },
      (cause: unknown) => {
        // Set anew: the other sleep rings.
        if (!controller.signal.aborted) throw cause;
      },
    );
  }
}
