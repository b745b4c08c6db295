// How much later than the quickest one a frame was heard: what waits in the socket of a process that does not keep up is in no queue of ours.
import { MINUTE_MS, type TimeMs } from '../domain/time.ts';

/** The quickest of so long at least, and of twice that at most: clocks drift, and are set. */
const WINDOW_MS = MINUTE_MS;

/** The clocks of venue and machine may differ by anything: only differences of their difference count. */
export class FrameLateness {
  #least = Infinity;
  #leastBefore = Infinity;
  #since = -Infinity;

  /**
   * @param heardAt by a clock that never goes back
   * @param happenedAt by the venue's
   * @returns milliseconds, 0 for the quickest; to the venue's whole millisecond, the way through the network included
   */
  of(heardAt: number, happenedAt: TimeMs): number {
    if (heardAt - this.#since > WINDOW_MS) {
      // After a silence what was before is of another time.
      this.#leastBefore = heardAt - this.#since > 2 * WINDOW_MS ? Infinity : this.#least;
      this.#least = Infinity;
      this.#since = heardAt;
    }
    const difference = heardAt - happenedAt;
    if (difference < this.#least) this.#least = difference;
    return difference - Math.min(this.#least, this.#leastBefore);
  }
}
