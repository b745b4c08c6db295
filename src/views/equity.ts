// Equity over time: figures at full resolution, and a curve thin enough to keep. A bar costs a few additions and no memory.
import { ByteReader, ByteWriter, type Stateful } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';

/** Points that are kept. When they are full, every other one goes and the stride doubles. */
export const CURVE_POINTS = 8192;

export interface EquityPoint {
  readonly at: TimeMs;
  readonly equity: number;
}

/**
 * Equity at the last mark of each UTC day that has one, oldest first. A mark at midnight is the last of the day that ends there, as the
 * bars before it are that day's. A day without a mark is absent: 16 bytes a day, whatever the number of bars.
 */
export interface DailyEquity {
  /** Start of the day. */
  readonly day: Float64Array;
  readonly equity: Float64Array;
}

/**
 * Everything that metrics need of the curve, at full resolution. Returns are simple, the first against the starting capital. Where money was
 * taken out or given back, all that was before is as it would have been with as much as was there after it, as prices are before a split:
 * returns are of what was traded with, whatever came and went.
 */
export interface EquitySummary {
  readonly capital: number;
  /** What the final equity is measured against: the capital, on the footing of after the last transfer. */
  readonly basis: number;
  /** How many instants were marked, N. */
  readonly instants: number;
  readonly firstAt: TimeMs;
  readonly lastAt: TimeMs;
  readonly finalEquity: number;
  readonly lowestEquity: number;
  readonly highestEquity: number;
  readonly meanReturn: number;
  /** Of the N returns, divided by N - 1. NaN below two. */
  readonly variance: number;
  /** Mean over all N of min(return, 0) squared. */
  readonly downsideVariance: number;
  /** Deepest fall from a peak, 0..1, the start included. */
  readonly maxDrawdownRatio: number;
  /** The peak before it, its bottom, and where that peak was reached again; NaN when there was no fall, or no recovery yet. */
  readonly maxDrawdownFrom: TimeMs;
  readonly maxDrawdownBottom: TimeMs;
  readonly maxDrawdownRecovered: TimeMs;
  readonly longestUnderwaterMs: TimeMs;
  readonly daily: DailyEquity;
}

export interface EquitySettings {
  readonly capital: number;
  /** Calls within one such span since the epoch are one instant: with the bar timeframe, bars that arrive milliseconds apart. */
  readonly intervalMs?: TimeMs;
}

export class EquityRecorder implements Stateful {
  readonly #capital: number;
  #basis: number;
  readonly #intervalMs: TimeMs;
  /** The last instant, which may still be overwritten: it enters the figures when the next one begins. */
  #at: TimeMs = NaN;
  #equity = NaN;
  /** Where that instant ends. */
  #boundary: TimeMs = -Infinity;
  // Figures up to the instant before it.
  #instants = 0;
  #firstAt: TimeMs = NaN;
  // Numbers from the beginning, as all that move with every bar: a field that was undefined first makes a number anew each time it is set.
  #previous = NaN;
  #mean = 0;
  /** Sum of squared deviations from the mean, by Welford: sums of squares would lose a small variance around a large mean. */
  #squares = 0;
  #downside = 0;
  #lowest = NaN;
  #peak = NaN;
  #peakAt: TimeMs = NaN;
  #isUnderwater = false;
  #maxDrawdown = 0;
  #maxFrom: TimeMs = NaN;
  #maxBottom: TimeMs = NaN;
  #maxRecovered: TimeMs = NaN;
  #longestUnderwaterMs = 0;
  readonly #curveAt = new Float64Array(CURVE_POINTS);
  readonly #curveEquity = new Float64Array(CURVE_POINTS);
  #points = 0;
  #stride = 1;
  /** Instants until the next point of the curve. */
  #skip = 0;
  // By day up to the instant before the last, doubled when they are full: almost three years to begin with.
  #day = new Float64Array(1024);
  #dayEquity = new Float64Array(1024);
  #days = 0;
  /** Where the last of them ends. */
  #dayEnd: TimeMs = -Infinity;

  constructor(settings: EquitySettings) {
    if (!(settings.capital > 0)) {
      throw new BallastError({ code: 'CAPITAL_NOT_POSITIVE', place: 'capital', found: String(settings.capital), expected: 'more than 0' });
    }
    this.#capital = settings.capital;
    this.#basis = settings.capital;
    this.#intervalMs = settings.intervalMs ?? 1;
    this.#previous = settings.capital;
    this.#lowest = settings.capital;
    this.#peak = settings.capital;
  }

  /** After every closed bar. A second call within one instant replaces the first: several instruments close together. */
  record(at: TimeMs, equity: number): void {
    if (at >= this.#boundary) {
      if (this.#boundary !== -Infinity) this.#settle();
      const next = this.#boundary + this.#intervalMs;
      // Most often the one after the last, without a division.
      this.#boundary = at < next ? next : (Math.floor(at / this.#intervalMs) + 1) * this.#intervalMs;
    }
    this.#at = at;
    this.#equity = equity;
  }

  /**
   * Money came or went, neither won nor lost: everything before moves in proportion, but for the curve, which shows what was there. Of nothing
   * there is no proportion: what takes the last of it, or finds nothing, stands as a loss or a gain.
   */
  transfer(before: number, after: number): void {
    if (!(before > 0 && after > 0)) return;
    const scale = after / before;
    this.#basis *= scale;
    this.#previous *= scale;
    this.#lowest *= scale;
    this.#peak *= scale;
    // The last instant may still be overwritten by one of after it.
    this.#equity *= scale;
    for (let day = 0; day < this.#days; day++) this.#dayEquity[day] = (this.#dayEquity[day] ?? NaN) * scale;
  }

  /** What the equity is measured against: the capital, on the footing of after the last transfer. */
  get basis(): number {
    return this.#basis;
  }

  /** The equity last recorded; the capital before the first. */
  get last(): number {
    return this.#boundary === -Infinity ? this.#basis : this.#equity;
  }

  #settle(): void {
    const at = this.#at;
    const equity = this.#equity;
    // Of nothing there is no return: after ruin the curve tells what happened.
    const change = this.#previous > 0 ? equity / this.#previous - 1 : 0;
    this.#previous = equity;
    const instants = ++this.#instants;
    if (instants === 1) {
      this.#firstAt = at;
      this.#peakAt = at;
    }
    const deviation = change - this.#mean;
    this.#mean += deviation / instants;
    this.#squares += deviation * (change - this.#mean);
    if (change < 0) this.#downside += change * change;
    if (equity < this.#lowest) this.#lowest = equity;
    if (equity >= this.#peak) this.#surface(at, equity);
    else {
      this.#isUnderwater = true;
      const drawdown = 1 - equity / this.#peak;
      if (drawdown > this.#maxDrawdown) {
        this.#maxDrawdown = drawdown;
        this.#maxFrom = this.#peakAt;
        this.#maxBottom = at;
        this.#maxRecovered = NaN;
      }
    }
    if (this.#skip === 0) this.#keep(at, equity);
    else this.#skip--;
    // A bar that is known a moment after its close still belongs to the day that it closed.
    const closedAt = this.#intervalMs <= DAY_MS ? this.#boundary - this.#intervalMs : at;
    if (closedAt > this.#dayEnd) this.#beginDay(closedAt);
    this.#dayEquity[this.#days - 1] = equity;
  }

  #beginDay(closedAt: TimeMs): void {
    this.#dayEnd = Math.ceil(closedAt / DAY_MS) * DAY_MS;
    if (this.#days === this.#day.length) {
      this.#day = grown(this.#day);
      this.#dayEquity = grown(this.#dayEquity);
    }
    this.#day[this.#days++] = this.#dayEnd - DAY_MS;
  }

  #surface(at: TimeMs, equity: number): void {
    if (this.#isUnderwater) {
      this.#isUnderwater = false;
      if (at - this.#peakAt > this.#longestUnderwaterMs) this.#longestUnderwaterMs = at - this.#peakAt;
      if (this.#maxFrom === this.#peakAt && Number.isNaN(this.#maxRecovered)) this.#maxRecovered = at;
    }
    this.#peak = equity;
    this.#peakAt = at;
  }

  #keep(at: TimeMs, equity: number): void {
    if (this.#points === CURVE_POINTS) {
      for (let index = 0; index * 2 < CURVE_POINTS; index++) {
        this.#curveAt[index] = this.#curveAt[index * 2] ?? NaN;
        this.#curveEquity[index] = this.#curveEquity[index * 2] ?? NaN;
      }
      this.#points = CURVE_POINTS / 2;
      this.#stride *= 2;
    }
    this.#curveAt[this.#points] = at;
    this.#curveEquity[this.#points] = equity;
    this.#points++;
    this.#skip = this.#stride - 1;
  }

  /** The figures so far, the last instant included. */
  summary(): EquitySummary {
    return this.#settled().#figures();
  }

  #figures(): EquitySummary {
    const count = this.#instants;
    const openMs = this.#isUnderwater ? this.#at - this.#peakAt : 0;
    return {
      capital: this.#capital,
      basis: this.#basis,
      instants: count,
      firstAt: this.#firstAt,
      lastAt: this.#at,
      finalEquity: this.last,
      lowestEquity: this.#lowest,
      highestEquity: this.#peak,
      meanReturn: count === 0 ? NaN : this.#mean,
      variance: count < 2 ? NaN : this.#squares / (count - 1),
      downsideVariance: this.#downside / count,
      maxDrawdownRatio: this.#maxDrawdown,
      maxDrawdownFrom: this.#maxFrom,
      maxDrawdownBottom: this.#maxBottom,
      maxDrawdownRecovered: this.#maxRecovered,
      longestUnderwaterMs: Math.max(openMs, this.#longestUnderwaterMs),
      daily: { day: this.#day.slice(0, this.#days), equity: this.#dayEquity.slice(0, this.#days) },
    };
  }

  /** At most CURVE_POINTS points at equal strides, and the last instant always. */
  curve(): EquityPoint[] {
    const points: EquityPoint[] = [];
    for (let index = 0; index < this.#points; index++) {
      points.push({ at: this.#curveAt[index] ?? NaN, equity: this.#curveEquity[index] ?? NaN });
    }
    if (this.#boundary !== -Infinity) points.push({ at: this.#at, equity: this.#equity });
    return points;
  }

  /** A copy whose last instant is counted; this one's may still be overwritten. */
  #settled(): EquityRecorder {
    const copy = new EquityRecorder({ capital: this.#capital, intervalMs: this.#intervalMs });
    const bytes = new ByteWriter(1 << 18);
    this.save(bytes);
    copy.restore(new ByteReader(bytes.view()));
    if (copy.#boundary !== -Infinity) copy.#settle();
    return copy;
  }

  save(out: ByteWriter): void {
    out.number(this.#basis);
    for (const value of [this.#at, this.#equity, this.#boundary, this.#instants, this.#firstAt, this.#previous]) out.number(value);
    for (const value of [this.#mean, this.#squares, this.#downside, this.#lowest, this.#peak, this.#peakAt]) out.number(value);
    for (const value of [this.#maxDrawdown, this.#maxFrom, this.#maxBottom, this.#maxRecovered, this.#longestUnderwaterMs])
      out.number(value);
    out.flag(this.#isUnderwater);
    out.count(this.#stride);
    out.count(this.#skip);
    out.numbers(this.#curveAt.subarray(0, this.#points));
    out.numbers(this.#curveEquity.subarray(0, this.#points));
    out.number(this.#dayEnd);
    out.numbers(this.#day.subarray(0, this.#days));
    out.numbers(this.#dayEquity.subarray(0, this.#days));
  }

  restore(from: ByteReader): void {
    this.#basis = from.number();
    this.#at = from.number();
    this.#equity = from.number();
    this.#boundary = from.number();
    this.#instants = from.number();
    this.#firstAt = from.number();
    this.#previous = from.number();
    this.#mean = from.number();
    this.#squares = from.number();
    this.#downside = from.number();
    this.#lowest = from.number();
    this.#peak = from.number();
    this.#peakAt = from.number();
    this.#maxDrawdown = from.number();
    this.#maxFrom = from.number();
    this.#maxBottom = from.number();
    this.#maxRecovered = from.number();
    this.#longestUnderwaterMs = from.number();
    this.#isUnderwater = from.flag();
    this.#stride = from.count();
    this.#skip = from.count();
    const at = from.numbers();
    this.#points = at.length;
    this.#curveAt.set(at);
    this.#curveEquity.set(from.numbers());
    this.#dayEnd = from.number();
    const day = from.numbers();
    this.#days = day.length;
    while (this.#day.length < day.length) {
      this.#day = grown(this.#day);
      this.#dayEquity = grown(this.#dayEquity);
    }
    this.#day.set(day);
    this.#dayEquity.set(from.numbers());
  }
}

/** Twice as long, with the same beginning. */
function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(values.length * 2);
  longer.set(values);
  return longer;
}
