// Bars of a minute in memory, made from finer ones, and longer ones made from them on demand: what /kline answers and streams.
import { DAY_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';

export interface SeriesBar {
  readonly openAt: TimeMs;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  /** Quote currency. */
  turnover: number;
}

/** Thirty days of minutes: what is older is forgotten. */
const KEPT_MINUTES = 43_200;
/** Forgotten in blocks, not minute by minute. */
const FORGOTTEN_AT_ONCE = 1_440;

const MINUTES: Readonly<Record<string, number>> = {
  1: 1,
  3: 3,
  5: 5,
  15: 15,
  30: 30,
  60: 60,
  120: 120,
  240: 240,
  360: 360,
  720: 720,
};

/** 1970-01-05 was the first Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

/** Bybit's spelling: minutes, `D`, `W`, `M`. */
export function isInterval(interval: string): boolean {
  return interval in MINUTES || interval === 'D' || interval === 'W' || interval === 'M';
}

/** Open time of the bar that holds `at`. */
export function openOf(interval: string, at: TimeMs): TimeMs {
  const minutes = MINUTES[interval];
  if (minutes !== undefined) return Math.floor(at / (minutes * MINUTE_MS)) * minutes * MINUTE_MS;
  if (interval === 'D') return Math.floor(at / DAY_MS) * DAY_MS;
  if (interval === 'W') return Math.floor((at - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
  const day = new Date(at);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth());
}

/** Open time of the bar after. */
export function nextOpenOf(interval: string, openAt: TimeMs): TimeMs {
  const minutes = MINUTES[interval];
  if (minutes !== undefined) return openAt + minutes * MINUTE_MS;
  if (interval === 'D') return openAt + DAY_MS;
  if (interval === 'W') return openAt + WEEK_MS;
  const day = new Date(openAt);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1);
}

export class MinuteSeries {
  readonly #bars: SeriesBar[] = [];

  /** Adds what was traded at `at`: a bar of up to a minute that opened there, or one price. */
  add(at: TimeMs, part: Omit<SeriesBar, 'openAt'>): void {
    const openAt = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const last = this.#bars.at(-1);
    if (last === undefined || last.openAt < openAt) {
      this.#bars.push({ openAt, ...part });
      if (this.#bars.length > KEPT_MINUTES + FORGOTTEN_AT_ONCE) this.#bars.splice(0, FORGOTTEN_AT_ONCE);
      return;
    }
    merge(last, part);
  }

  addPrice(at: TimeMs, price: number): void {
    this.add(at, { open: price, high: price, low: price, close: price, volume: 0, turnover: 0 });
  }

  get first(): SeriesBar | undefined {
    return this.#bars[0];
  }

  get last(): SeriesBar | undefined {
    return this.#bars.at(-1);
  }

  /**
   * Bars that open from `from` to `to`, both inclusive, the one that is forming included; oldest first, at most the newest `most`.
   * What is traded but not closed yet comes as `forming`.
   */
  bars(interval: string, from: TimeMs, to: TimeMs, most: number, forming?: SeriesBar): SeriesBar[] {
    const made: SeriesBar[] = [];
    const start = openOf(interval, from) < from ? nextOpenOf(interval, openOf(interval, from)) : from;
    for (let index = this.#indexFrom(start); index < this.#bars.length; index++) {
      const bar = this.#bars[index];
      if (bar === undefined || bar.openAt >= nextOpenOf(interval, openOf(interval, to))) break;
      append(made, interval, bar);
    }
    if (forming !== undefined && forming.openAt >= start && openOf(interval, forming.openAt) <= to) append(made, interval, forming);
    return made.slice(-most);
  }

  /** Everything since `from` as one bar; undefined where there is nothing. */
  since(from: TimeMs): SeriesBar | undefined {
    let sum: SeriesBar | undefined;
    for (let index = this.#indexFrom(from); index < this.#bars.length; index++) {
      const bar = this.#bars[index];
      if (bar === undefined) break;
      if (sum === undefined) sum = { ...bar };
      else merge(sum, bar);
    }
    return sum;
  }

  #indexFrom(at: TimeMs): number {
    let low = 0;
    let high = this.#bars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#bars[middle]?.openAt ?? Infinity) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function append(made: SeriesBar[], interval: string, bar: SeriesBar): void {
  const openAt = openOf(interval, bar.openAt);
  const last = made.at(-1);
  if (last?.openAt === openAt) merge(last, bar);
  else made.push({ ...bar, openAt });
}

function merge(into: SeriesBar, part: Omit<SeriesBar, 'openAt'>): void {
  into.high = Math.max(into.high, part.high);
  into.low = Math.min(into.low, part.low);
  into.close = part.close;
  into.volume += part.volume;
  into.turnover += part.turnover;
}
