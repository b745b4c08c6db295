// What a leaning book has been followed by, learned while it goes: the order flow's one forecast.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BookEvent } from '../../domain/event.ts';
import type { BookFeatureSpec, BookIndicator } from '../../domain/feature.ts';
import { BallastError } from '../../domain/errors.ts';
import type { TimeMs } from '../../domain/time.ts';

/** Looks that wait for their horizon, at most: with ten looks a second, almost seven minutes of them. */
const MOST_WAITING = 4_096;
/** Pairs of a lean and what followed it, before the slope of one on the other is believed at all. */
const LEAST_PAIRS = 500;

/** In milliseconds. */
export interface PressureWindows {
  /** Half-life of the lean's smoothing. */
  readonly smoothingMs: TimeMs;
  /** What comes within this is what the lean is held to have led to. */
  readonly horizonMs: TimeMs;
  /** Half-life of the memory in which leans and their outcomes are compared. */
  readonly memoryMs: TimeMs;
}

/**
 * The imbalance of a book, smoothed, and what it forecasts: the log return of the mid over the horizon, by a regression through the origin of
 * past returns on past imbalances whose memory decays (Cont, Kukanov and Stoikov 2014 find the relation linear; its slope differs by market
 * and hour, so it is learned and not assumed). A pair enters once its horizon is over: nothing is known early. O(1) a look, amortised.
 */
export class BookPressure implements BookIndicator {
  /** At least: a pair takes as long as its horizon. */
  readonly warmup = LEAST_PAIRS + 1;
  /** Forecast log return of the mid over the horizon; NaN without a book, and before enough pairs were seen. */
  value = NaN;
  /** Smoothed imbalance, -1..1; NaN without a book. */
  imbalance = NaN;
  /** Of the touch, as a ratio of the mid; NaN without a book. */
  spreadRatio = NaN;
  mid = NaN;
  /** Log return over the horizon for an imbalance of 1; NaN before enough pairs were seen. */
  slope = NaN;
  pairs = 0;
  readonly #windows: PressureWindows;
  readonly #at = new Float64Array(MOST_WAITING);
  readonly #lean = new Float64Array(MOST_WAITING);
  readonly #mid = new Float64Array(MOST_WAITING);
  #first = 0;
  #waiting = 0;
  #lastAt: TimeMs = NaN;
  #squares = 0;
  #products = 0;

  constructor(windows: PressureWindows) {
    this.#windows = windows;
  }

  update({ at, bidPrice, askPrice, imbalance }: BookEvent): void {
    const mid = (bidPrice + askPrice) / 2;
    if (!(mid > 0) || Number.isNaN(imbalance)) {
      this.#lose();
      return;
    }
    const { smoothingMs, memoryMs } = this.#windows;
    const passedMs = at - this.#lastAt;
    const kept = Number.isNaN(this.imbalance) ? 0 : 2 ** (-passedMs / smoothingMs);
    this.imbalance = kept === 0 ? imbalance : kept * this.imbalance + (1 - kept) * imbalance;
    if (passedMs > 0) {
      const remembered = 2 ** (-passedMs / memoryMs);
      this.#squares *= remembered;
      this.#products *= remembered;
    }
    this.#lastAt = at;
    this.mid = mid;
    this.spreadRatio = (askPrice - bidPrice) / mid;
    this.#learn(at, mid);
    this.#wait(at, mid);
    this.slope = this.pairs >= LEAST_PAIRS && this.#squares > 0 ? this.#products / this.#squares : NaN;
    this.value = this.slope * this.imbalance;
  }

  /** What was learned of the market stays; what waits for an outcome would have one from beyond the gap. */
  #lose(): void {
    this.#waiting = 0;
    this.value = NaN;
    this.imbalance = NaN;
    this.spreadRatio = NaN;
    this.mid = NaN;
  }

  #learn(at: TimeMs, mid: number): void {
    const { horizonMs } = this.#windows;
    while (this.#waiting > 0 && (this.#at[this.#first] ?? NaN) + horizonMs <= at) {
      const lean = this.#lean[this.#first] ?? NaN;
      this.#squares += lean * lean;
      this.#products += lean * Math.log(mid / (this.#mid[this.#first] ?? NaN));
      this.pairs++;
      this.#first = (this.#first + 1) % MOST_WAITING;
      this.#waiting--;
    }
  }

  #wait(at: TimeMs, mid: number): void {
    // More than there is room for: the oldest is given up.
    if (this.#waiting === MOST_WAITING) {
      this.#first = (this.#first + 1) % MOST_WAITING;
      this.#waiting--;
    }
    const place = (this.#first + this.#waiting) % MOST_WAITING;
    this.#at[place] = at;
    this.#lean[place] = this.imbalance;
    this.#mid[place] = mid;
    this.#waiting++;
  }

  save(out: ByteWriter): void {
    for (const value of this.#numbers()) out.number(value);
    out.count(this.pairs);
    out.count(this.#waiting);
    for (let index = 0; index < this.#waiting; index++) {
      const place = (this.#first + index) % MOST_WAITING;
      out.number(this.#at[place] ?? NaN);
      out.number(this.#lean[place] ?? NaN);
      out.number(this.#mid[place] ?? NaN);
    }
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.imbalance = from.number();
    this.spreadRatio = from.number();
    this.mid = from.number();
    this.slope = from.number();
    this.#lastAt = from.number();
    this.#squares = from.number();
    this.#products = from.number();
    this.pairs = from.count();
    this.#first = 0;
    this.#waiting = from.count();
    for (let index = 0; index < this.#waiting; index++) {
      this.#at[index] = from.number();
      this.#lean[index] = from.number();
      this.#mid[index] = from.number();
    }
  }

  #numbers(): readonly number[] {
    return [this.value, this.imbalance, this.spreadRatio, this.mid, this.slope, this.#lastAt, this.#squares, this.#products];
  }
}

/** A feature of a leg's book. @throws BallastError FEATURE_MALFORMED unless all windows are above 0 */
export function bookPressure(windows: PressureWindows): BookFeatureSpec<BookPressure> {
  const { smoothingMs, horizonMs, memoryMs } = windows;
  const key = `bookPressure(${smoothingMs},${horizonMs},${memoryMs})`;
  if (!(smoothingMs > 0 && horizonMs > 0 && memoryMs > 0)) {
    throw new BallastError({
      code: 'FEATURE_MALFORMED',
      place: key,
      found: 'a window that is not above 0',
      expected: 'milliseconds above 0',
    });
  }
  return { key, input: 'book', warmup: LEAST_PAIRS + 1, create: () => new BookPressure(windows) };
}
