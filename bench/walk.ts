// Bars for the benchmarks: a seeded random walk of minutes, in columns, whole or chunk by chunk.
import type { BarColumns } from '../src/domain/bars.ts';
import { MINUTE_MS, type TimeMs } from '../src/domain/time.ts';

/** A midnight of UTC, so that hours and days of the walk are whole. */
export const WALK_START: TimeMs = Date.UTC(2020, 0, 1);

/** Standard deviation of a minute's return: 22 % a year. */
const MINUTE_MOVE = 0.0003;
/** The furthest that a bar goes beyond its ends. On average as far as a true walk does, or stops would win or lose by themselves. */
const WICK = 0.8 * MINUTE_MOVE;

/** Goes on where its last chunk ended. */
export class Walk {
  #state: number;
  #price = 20_000;
  #bars = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(bars: number): BarColumns {
    const columns = emptyBars(bars);
    const { openAt, open, high, low, close, volume } = columns;
    for (let bar = 0; bar < bars; bar++) {
      const opened = this.#price;
      // The sum of three uniform numbers has half of this standard deviation, and never ruins a price.
      const move = 2 * MINUTE_MOVE * (this.#uniform() + this.#uniform() + this.#uniform() - 1.5);
      const closed = opened * (1 + move);
      openAt[bar] = WALK_START + (this.#bars + bar) * MINUTE_MS;
      open[bar] = opened;
      close[bar] = closed;
      high[bar] = Math.max(opened, closed) * (1 + this.#uniform() * WICK);
      low[bar] = Math.min(opened, closed) * (1 - this.#uniform() * WICK);
      volume[bar] = this.#uniform() * 10;
      this.#price = closed;
    }
    this.#bars += bars;
    return columns;
  }

  /** Mulberry32: 32 bits of state, good enough for prices, and the same everywhere. */
  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}

export function emptyBars(rows: number): BarColumns {
  return {
    openAt: new Float64Array(rows),
    open: new Float64Array(rows),
    high: new Float64Array(rows),
    low: new Float64Array(rows),
    close: new Float64Array(rows),
    volume: new Float64Array(rows),
  };
}
