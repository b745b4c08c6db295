// The trades inside a bar. Drawn from a substream of the bar's own index, so that they need no memory: a source that stands in the
// middle of a minute is restored by drawing that minute again, and the bars are the same with any number of trades, or none.
import type { Instrument } from '../../domain/instrument.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { stepOf, type Step } from './model.ts';

/** The nearer extreme to the open's side comes first this often: a rising bar usually dips before it rises. */
const NEAR_EXTREME_FIRST = 0.7;
/** How far a trade between two anchors strays from the straight line, in parts of the bar's range. */
const STRAY = 0.25;

/** First trade = open, last = close, the extremes in between, everything else between the extremes; quantities sum to the bar's volume. */
export class TradePath {
  /** Milliseconds after the bar's open, from 1 to the timeframe, never falling. */
  readonly times: Float64Array;
  readonly prices: Float64Array;
  readonly quantities: Float64Array;
  readonly #random: Random;
  /** Three for the course, then as many as there are trades for prices, for times and for quantities. */
  readonly #draws: Float64Array;
  readonly #tick: Step;
  readonly #lot: Step;
  readonly #timeframeMs: TimeMs;

  /** @param count at least 4 */
  constructor(instrument: Instrument, count: number, timeframeMs: TimeMs, random: Random) {
    this.times = new Float64Array(count);
    this.prices = new Float64Array(count);
    this.quantities = new Float64Array(count);
    this.#random = random;
    this.#draws = new Float64Array(3 + 3 * count);
    this.#tick = stepOf(instrument.tick);
    this.#lot = stepOf(instrument.lot);
    this.#timeframeMs = timeframeMs;
  }

  /** Draws the trades of bar `index`, whose columns stand in `bars` from `offset`. */
  draw(index: number, bars: Float64Array, offset: number): void {
    this.#random.seek(index);
    this.#random.fillOpen(this.#draws, 0, this.#draws.length);
    this.#drawPrices(bars, offset);
    this.#drawTimes();
    this.#drawQuantities(bars[offset + 4] ?? NaN);
  }

  #drawPrices(bars: Float64Array, offset: number): void {
    const draws = this.#draws;
    const { numerator, denominator } = this.#tick;
    const open = this.#ticks(bars[offset]);
    const high = this.#ticks(bars[offset + 1]);
    const low = this.#ticks(bars[offset + 2]);
    const close = this.#ticks(bars[offset + 3]);
    const isLowFirst = (draws[0] ?? NaN) < (close >= open ? NEAR_EXTREME_FIRST : 1 - NEAR_EXTREME_FIRST);
    const first = isLowFirst ? low : high;
    const second = isLowFirst ? high : low;

    // Two different places strictly between the first trade and the last.
    const last = this.prices.length - 1;
    const places = last - 1;
    const firstPlace = 1 + Math.floor((draws[1] ?? NaN) * (places - 1));
    const secondPlace = firstPlace + 1 + Math.floor((draws[2] ?? NaN) * (places - firstPlace));
    const stray = (high - low) * STRAY;
    let fromPlace = 0;
    let from = open;
    let toPlace = firstPlace;
    let to = first;
    for (let place = 0; place <= last; place++) {
      if (place > toPlace) {
        fromPlace = toPlace;
        from = to;
        toPlace = fromPlace === firstPlace ? secondPlace : last;
        to = fromPlace === firstPlace ? second : close;
      }
      let ticks = to;
      if (place === 0) ticks = open;
      else if (place < toPlace) {
        const straight = from + ((to - from) * (place - fromPlace)) / (toPlace - fromPlace);
        ticks = Math.min(high, Math.max(low, Math.round(straight + stray * (2 * (draws[3 + place] ?? NaN) - 1))));
      }
      this.prices[place] = (ticks * numerator) / denominator;
    }
  }

  #drawTimes(): void {
    // One trade in each equal part of the bar. A draw just below 1 may round up into the next part, and the last has none.
    const count = this.times.length;
    const part = this.#timeframeMs / count;
    for (let place = 0; place < count; place++) {
      const drawn = this.#draws[3 + count + place] ?? NaN;
      this.times[place] = Math.min(this.#timeframeMs, 1 + Math.floor((place + drawn) * part));
    }
  }

  #drawQuantities(volume: number): void {
    const { quantities } = this;
    const count = quantities.length;
    let weights = 0;
    for (let place = 0; place < count; place++) {
      const weight = 0.1 + (this.#draws[3 + 2 * count + place] ?? NaN);
      quantities[place] = weight;
      weights += weight;
    }
    // In whole lots, at least one each; the last takes what rounding left.
    const lots = Math.round((volume * this.#lot.denominator) / this.#lot.numerator);
    let rest = lots;
    for (let place = 0; place < count; place++) {
      const share = place === count - 1 ? rest : 1 + Math.floor(((lots - count) * (quantities[place] ?? 0)) / weights);
      rest -= share;
      quantities[place] = (share * this.#lot.numerator) / this.#lot.denominator;
    }
  }

  #ticks(price: number | undefined): number {
    return Math.round(((price ?? NaN) * this.#tick.denominator) / this.#tick.numerator);
  }
}
