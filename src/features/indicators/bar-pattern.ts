// Patterns of one to four bars, as TA-Lib's CDL functions know them, with its default settings.
//
// A body is long or short, a shadow is there or not, and prices are near each other by comparison with the usual: means of bodies and
// ranges over the bars before the one that is judged.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { RollingSum } from '../../quant/rolling.ts';
import { demandPrice } from './price.ts';

/** How many bars the usual body and the usual range are taken of, and how many the usual range that says what is near. */
const USUAL_BARS = 10;
const NEAR_BARS = 5;
/** Bars that a pattern may span; a power of two, so that a place in the ring is a mask. */
const LAGS = 4;

/** The last bars by lag, 0 the newest, each with what was usual before it. */
class BarsOfPattern {
  readonly #open = new Float64Array(LAGS);
  readonly #high = new Float64Array(LAGS);
  readonly #low = new Float64Array(LAGS);
  readonly #close = new Float64Array(LAGS);
  readonly #usualBody = new Float64Array(LAGS);
  readonly #usualRange = new Float64Array(LAGS);
  readonly #nearRange = new Float64Array(LAGS);
  readonly #bodies = new RollingSum(USUAL_BARS);
  readonly #ranges = new RollingSum(USUAL_BARS);
  readonly #nearRanges = new RollingSum(NEAR_BARS);
  #newest = 0;

  push(open: number, high: number, low: number, close: number): void {
    const newest = (this.#newest + 1) & (LAGS - 1);
    this.#newest = newest;
    this.#open[newest] = open;
    this.#high[newest] = high;
    this.#low[newest] = low;
    this.#close[newest] = close;
    this.#usualBody[newest] = this.#bodies.sum / USUAL_BARS;
    this.#usualRange[newest] = this.#ranges.sum / USUAL_BARS;
    this.#nearRange[newest] = this.#nearRanges.sum / NEAR_BARS;
    this.#bodies.push(Math.abs(close - open));
    this.#ranges.push(high - low);
    this.#nearRanges.push(high - low);
  }

  open(lag: number): number {
    return this.#open[(this.#newest - lag) & (LAGS - 1)] ?? NaN;
  }
  high(lag: number): number {
    return this.#high[(this.#newest - lag) & (LAGS - 1)] ?? NaN;
  }
  low(lag: number): number {
    return this.#low[(this.#newest - lag) & (LAGS - 1)] ?? NaN;
  }
  close(lag: number): number {
    return this.#close[(this.#newest - lag) & (LAGS - 1)] ?? NaN;
  }
  top(lag: number): number {
    return Math.max(this.open(lag), this.close(lag));
  }
  bottom(lag: number): number {
    return Math.min(this.open(lag), this.close(lag));
  }
  body(lag: number): number {
    return Math.abs(this.close(lag) - this.open(lag));
  }
  upperShadow(lag: number): number {
    return this.high(lag) - this.top(lag);
  }
  lowerShadow(lag: number): number {
    return this.bottom(lag) - this.low(lag);
  }
  /** 1 for a bar that did not fall, -1 for one that did. */
  side(lag: number): 1 | -1 {
    return this.close(lag) >= this.open(lag) ? 1 : -1;
  }
  usualBody(lag: number): number {
    return this.#usualBody[(this.#newest - lag) & (LAGS - 1)] ?? NaN;
  }
  isLong(lag: number): boolean {
    return this.body(lag) > this.usualBody(lag);
  }
  /** The largest body of a doji, and the length below which a shadow counts for none: a tenth of the usual range. */
  trifle(lag: number): number {
    return 0.1 * (this.#usualRange[(this.#newest - lag) & (LAGS - 1)] ?? NaN);
  }
  isDoji(lag: number): boolean {
    return this.body(lag) <= this.trifle(lag);
  }
  hasUpperShadow(lag: number): boolean {
    return !(this.upperShadow(lag) < this.trifle(lag));
  }
  hasLowerShadow(lag: number): boolean {
    return !(this.lowerShadow(lag) < this.trifle(lag));
  }
  near(lag: number): number {
    return 0.2 * (this.#nearRange[(this.#newest - lag) & (LAGS - 1)] ?? NaN);
  }
  far(lag: number): number {
    return 0.6 * (this.#nearRange[(this.#newest - lag) & (LAGS - 1)] ?? NaN);
  }

  save(out: ByteWriter): void {
    for (let lag = LAGS - 1; lag >= 0; lag--) {
      const place = (this.#newest - lag) & (LAGS - 1);
      for (const column of this.#columns()) out.number(column[place] ?? NaN);
    }
    for (const sum of [this.#bodies, this.#ranges, this.#nearRanges]) sum.save(out);
  }

  restore(from: ByteReader): void {
    this.#newest = LAGS - 1;
    for (let place = 0; place < LAGS; place++) for (const column of this.#columns()) column[place] = from.number();
    for (const sum of [this.#bodies, this.#ranges, this.#nearRanges]) sum.restore(from);
  }

  #columns(): readonly Float64Array[] {
    return [this.#open, this.#high, this.#low, this.#close, this.#usualBody, this.#usualRange, this.#nearRange];
  }
}

interface Pattern {
  /** Bars before the first one that can be judged: TA-Lib's lookback. */
  readonly lookback: number;
  /** 0 where it is not there; positive where it is bullish, negative where bearish. */
  readonly read: (bars: BarsOfPattern) => number;
}

const ONE = USUAL_BARS;
const TWO = USUAL_BARS + 1;
const THREE = USUAL_BARS + 2;
const FOUR = USUAL_BARS + 3;

/** By TA-Lib's name of it, without CDL. */
const PATTERNS = {
  /** CDLDOJI: hardly a body. */
  doji: pattern(ONE, (bars) => on(bars.isDoji(0), 100)),
  /** CDLDRAGONFLYDOJI: a doji with a lower shadow alone. */
  'dragonfly-doji': pattern(ONE, (bars) => on(bars.isDoji(0) && !bars.hasUpperShadow(0) && bars.lowerShadow(0) > bars.trifle(0), 100)),
  /** CDLGRAVESTONEDOJI: a doji with an upper shadow alone. */
  'gravestone-doji': pattern(ONE, (bars) => on(bars.isDoji(0) && !bars.hasLowerShadow(0) && bars.upperShadow(0) > bars.trifle(0), 100)),
  /** CDLLONGLEGGEDDOJI: a doji with a shadow longer than its body. */
  'long-legged-doji': pattern(ONE, (bars) =>
    on(bars.isDoji(0) && (bars.lowerShadow(0) > bars.body(0) || bars.upperShadow(0) > bars.body(0)), 100),
  ),
  /** CDLSPINNINGTOP: a short body between two longer shadows. */
  'spinning-top': pattern(ONE, (bars) =>
    on(bars.body(0) < bars.usualBody(0) && bars.upperShadow(0) > bars.body(0) && bars.lowerShadow(0) > bars.body(0), 100 * bars.side(0)),
  ),
  /** CDLMARUBOZU: a long body without shadows. */
  marubozu: pattern(ONE, (bars) => on(bars.isLong(0) && !bars.hasUpperShadow(0) && !bars.hasLowerShadow(0), 100 * bars.side(0))),
  /** CDLBELTHOLD: a long body without a shadow where it opened. */
  'belt-hold': pattern(ONE, (bars) =>
    on(bars.isLong(0) && !(bars.side(0) > 0 ? bars.hasLowerShadow(0) : bars.hasUpperShadow(0)), 100 * bars.side(0)),
  ),
  /** CDLHAMMER: a short body above a long lower shadow, near or below the last low. */
  hammer: pattern(TWO, (bars) => on(hangs(bars) && bars.bottom(0) <= bars.low(1) + bars.near(1), 100)),
  /** CDLHANGINGMAN: the same shape, near or above the last high. */
  'hanging-man': pattern(TWO, (bars) => on(hangs(bars) && bars.bottom(0) >= bars.high(1) - bars.near(1), -100)),
  /** CDLINVERTEDHAMMER: a short body below a long upper shadow, a gap down from the last body. */
  'inverted-hammer': pattern(TWO, (bars) => on(rears(bars) && bars.top(0) < bars.bottom(1), 100)),
  /** CDLSHOOTINGSTAR: the same shape, a gap up from the last body. */
  'shooting-star': pattern(TWO, (bars) => on(rears(bars) && bars.bottom(0) > bars.top(1), -100)),
  /** CDLENGULFING: a body around the last one, of the other side; 80 where one end is the same. */
  engulfing: pattern(2, (bars) => {
    const side = bars.side(0);
    if (bars.side(1) === side) return 0;
    const isOver = bars.top(0) >= bars.top(1) && bars.bottom(0) <= bars.bottom(1);
    const ends = (bars.top(0) === bars.top(1) ? 1 : 0) + (bars.bottom(0) === bars.bottom(1) ? 1 : 0);
    return isOver && ends < 2 ? side * (ends === 0 ? 100 : 80) : 0;
  }),
  /** CDLHARAMI: a short body within a long one, against the side of the latter; 80 where one end is the same. */
  harami: pattern(TWO, (bars) => {
    if (!bars.isLong(1) || bars.isLong(0)) return 0;
    if (bars.top(0) < bars.top(1) && bars.bottom(0) > bars.bottom(1)) return -100 * bars.side(1);
    return on(bars.top(0) <= bars.top(1) && bars.bottom(0) >= bars.bottom(1), -80 * bars.side(1));
  }),
  /** CDLPIERCING: after a long fall, from below its low to more than half its body up, both bodies long. */
  piercing: pattern(TWO, (bars) =>
    on(
      bars.side(1) < 0 &&
        bars.isLong(1) &&
        bars.side(0) > 0 &&
        bars.isLong(0) &&
        bars.open(0) < bars.low(1) &&
        bars.close(0) < bars.open(1) &&
        bars.close(0) > bars.close(1) + bars.body(1) * 0.5,
      100,
    ),
  ),
  /** CDLDARKCLOUDCOVER: after a long rise, from above its high to more than half its body down. */
  'dark-cloud-cover': pattern(TWO, (bars) =>
    on(
      bars.side(1) > 0 &&
        bars.isLong(1) &&
        bars.side(0) < 0 &&
        bars.open(0) > bars.high(1) &&
        bars.close(0) > bars.open(1) &&
        bars.close(0) < bars.close(1) - bars.body(1) * 0.5,
      -100,
    ),
  ),
  /** CDLMORNINGSTAR: a long fall, a short body a gap below, and a body that rises more than 0.3 into the first. */
  'morning-star': pattern(THREE, (bars) =>
    on(
      bars.isLong(2) &&
        bars.side(2) < 0 &&
        !bars.isLong(1) &&
        bars.top(1) < bars.bottom(2) &&
        bars.isLong(0) &&
        bars.side(0) > 0 &&
        bars.close(0) > bars.close(2) + bars.body(2) * 0.3,
      100,
    ),
  ),
  /** CDLEVENINGSTAR: a long rise, a short body a gap above, and a body that falls more than 0.3 into the first. */
  'evening-star': pattern(THREE, (bars) =>
    on(
      bars.isLong(2) &&
        bars.side(2) > 0 &&
        !bars.isLong(1) &&
        bars.bottom(1) > bars.top(2) &&
        bars.isLong(0) &&
        bars.side(0) < 0 &&
        bars.close(0) < bars.close(2) - bars.body(2) * 0.3,
      -100,
    ),
  ),
  /** CDL3WHITESOLDIERS: three rises without upper shadows, each begun within or near the last body, none much shorter. */
  'three-white-soldiers': pattern(THREE, (bars) => {
    for (let lag = 2; lag >= 0; lag--) if (bars.side(lag) < 0 || bars.hasUpperShadow(lag)) return 0;
    for (let lag = 1; lag >= 0; lag--) {
      const before = lag + 1;
      if (!(bars.close(lag) > bars.close(before) && bars.open(lag) > bars.open(before))) return 0;
      if (!(bars.open(lag) <= bars.close(before) + bars.near(before))) return 0;
      if (!(bars.body(lag) > bars.body(before) - bars.far(before))) return 0;
    }
    return on(bars.isLong(0), 100);
  }),
  /** CDL3BLACKCROWS: after a rise, three falls without lower shadows, each begun within the last body, the first closing below the rise's high. */
  'three-black-crows': pattern(FOUR, (bars) => {
    if (bars.side(3) < 0 || !(bars.high(3) > bars.close(2))) return 0;
    for (let lag = 2; lag >= 0; lag--) if (bars.side(lag) > 0 || bars.hasLowerShadow(lag)) return 0;
    for (let lag = 1; lag >= 0; lag--) {
      const before = lag + 1;
      if (!(bars.open(lag) < bars.open(before) && bars.open(lag) > bars.close(before))) return 0;
      if (!(bars.close(lag) < bars.close(before))) return 0;
    }
    return -100;
  }),
} as const satisfies Readonly<Record<string, Pattern>>;

export type PatternName = keyof typeof PATTERNS;
// keys forgets the names.
export const PATTERN_NAMES = Object.keys(PATTERNS) as readonly PatternName[];

/** TA-Lib's integer for the pattern that ends with this bar: 0 for none, 100 bullish or -100 bearish; ±80 for one that only just is. */
export class BarPattern implements Indicator {
  value = NaN;
  readonly warmup: number;
  readonly #pattern: Pattern;
  readonly #bars = new BarsOfPattern();
  #seen = 0;

  constructor(pattern: PatternName) {
    this.#pattern = PATTERNS[pattern];
    this.warmup = this.#pattern.lookback + 1;
  }

  update(bar: BarView): void {
    this.#bars.push(demandPrice(bar.open), demandPrice(bar.high), demandPrice(bar.low), demandPrice(bar.close));
    if (this.#seen < this.warmup) this.#seen++;
    this.#publish();
  }

  save(out: ByteWriter): void {
    out.count(this.#seen);
    this.#bars.save(out);
  }

  restore(from: ByteReader): void {
    this.#seen = from.count();
    this.#bars.restore(from);
    this.#publish();
  }

  #publish(): void {
    this.value = this.#seen < this.warmup ? NaN : this.#pattern.read(this.#bars);
  }
}

/**
 * Pin bar, by our own definition: one shadow takes at least `shadowRatio` of the whole bar, so that body and other shadow are pressed into
 * the rest. `value` is 1 where the long shadow points down (refused below, bullish), -1 where it points up, otherwise 0.
 */
export class PinBar implements Indicator {
  value = NaN;
  readonly warmup = 1;
  readonly #shadowRatio: number = NaN;

  constructor(shadowRatio: number) {
    this.#shadowRatio = shadowRatio;
  }

  update(bar: BarView): void {
    const open = demandPrice(bar.open);
    const high = demandPrice(bar.high);
    const low = demandPrice(bar.low);
    const close = demandPrice(bar.close);
    const least = this.#shadowRatio * (high - low);
    if (high === low) this.value = 0;
    else if (Math.min(open, close) - low >= least) this.value = 1;
    else this.value = high - Math.max(open, close) >= least ? -1 : 0;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
  }
}

/** A short body at the top of the bar, a lower shadow longer than it, no upper one. */
function hangs(bars: BarsOfPattern): boolean {
  return bars.body(0) < bars.usualBody(0) && bars.lowerShadow(0) > bars.body(0) && !bars.hasUpperShadow(0);
}

/** A short body at the bottom of the bar, an upper shadow longer than it, no lower one. */
function rears(bars: BarsOfPattern): boolean {
  return bars.body(0) < bars.usualBody(0) && bars.upperShadow(0) > bars.body(0) && !bars.hasLowerShadow(0);
}

function pattern(lookback: number, read: Pattern['read']): Pattern {
  return { lookback, read };
}

function on(isThere: boolean, value: number): number {
  return isThere ? value : 0;
}
