// What belongs to a perpetual beside its price: index, mark, funding and open interest, bar by bar.
//
// The model's price is the perpetual's. The index is that price less the premium, which is a slow process of its own and leans with the
// trend: who buys the rise pays for it. Funding is the venues' formula over the premium's average. Jumps and crashes close positions.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { assert } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS, type TimeMs } from '../../domain/time.ts';
import { portableExp, portableLog, Random } from '../../quant/random.ts';
import type { SyntheticAsset } from './assets.ts';
import { BAR_WIDTH, lifeOf, Model, pathOf, stepOf, type AssetPath, type Step } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import type { DerivativeParameters } from './parameters.ts';
import { REGIMES } from './regimes.ts';

/** At the close of one bar. One object that the next step writes again: copy what you keep. */
export interface DerivativeStep {
  /** When the bar closes; so it was, and so it is known. */
  at: TimeMs;
  happenedAt: TimeMs;
  /** Of the underlying, as if averaged over spot venues: no venue's tick. */
  indexPrice: number;
  /** What positions are valued and liquidated at: the index and the smoothed premium. */
  markPrice: number;
  /** The last price over the index, less 1. */
  premiumRatio: number;
  /** In base currency, whole lots. */
  openInterest: number;
  /** Funding times in this bar: after its open, at the latest at its close. None in most bars, several where a bar is longer than the interval. */
  fundings: number;
  /** The first `fundings` entries: when, and the rate that longs then pay to shorts, as a ratio of the position at the mark. */
  readonly fundingAt: Float64Array;
  readonly fundingRate: Float64Array;
}

/** How long a trend is remembered. */
export const TREND_HALF_LIFE_HOURS = 24;
export const PREMIUM_HALF_LIFE_HOURS = 30;
/** The premium flickers from bar to bar with this deviation, as a ratio: last trades are not the middle. */
export const PREMIUM_FLICKER = 0.0001;
/** What the mark smooths away. */
export const MARK_HALF_LIFE_MINUTES = 5;
/** A trend beyond so many daily deviations leads to no further premium. */
const TREND_LIMIT = 5;
export const OPEN_INTEREST_HALF_LIFE_DAYS = 5;
/** Stationary standard deviation of the log of open interest, before what jumps and crashes close. */
export const OPEN_INTEREST_DEVIATION = 0.08;
/** Share that is closed in every hour of a crash. */
export const CRASH_FLUSH_PER_HOUR = 0.03;

/** @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function syntheticDerivatives(options: SyntheticMarketOptions, symbol: string): SyntheticDerivatives {
  const checked = checkOptions({ ...options, assets: [symbol] });
  const [asset] = checked.assets;
  if (asset === undefined) throw new RangeError(`there was no asset ${symbol}, expected checkOptions to have refused it`);
  return new SyntheticDerivatives(checked, asset);
}

function memoryOf(hours: number, halfLifeHours: number): number {
  return portableExp((-hours * Math.LN2) / halfLifeHours);
}

export class SyntheticDerivatives implements Stateful {
  readonly #model: Model;
  readonly #path: AssetPath;
  readonly #random: Random;
  readonly #parameters: DerivativeParameters;
  readonly #startAt: TimeMs;
  readonly #timeframeMs: TimeMs;
  readonly #intervalMs: TimeMs;
  readonly #lot: Step;
  readonly #life: number;
  readonly #typicalInterest: number;
  readonly #dailyDeviation: number;
  readonly #trendMemory: number;
  readonly #premiumMemory: number;
  readonly #markMemory: number;
  readonly #interestMemory: number;
  readonly #crash: number;
  readonly #crashFlush: number;
  readonly #row = new Float64Array(BAR_WIDTH);
  readonly #made: DerivativeStep;
  // State. NaN first, so that V8 keeps the fields as doubles.
  #bar = 0;
  #trend = NaN;
  #premium = NaN;
  #smooth = NaN;
  #logInterest = NaN;
  #sum = NaN;
  #samples = 0;
  #lastRatio = NaN;

  constructor(options: CheckedOptions, asset: SyntheticAsset) {
    const { seed, startAt, timeframeMs, derivatives } = options;
    const { instrument } = asset;
    const hours = timeframeMs / HOUR_MS;
    this.#model = new Model(options, [asset]);
    this.#path = pathOf(this.#model, instrument.symbol);
    this.#random = new Random(seed).fork(`derivatives ${instrument.symbol}`);
    this.#parameters = derivatives;
    this.#startAt = startAt;
    this.#timeframeMs = timeframeMs;
    this.#intervalMs = instrument.fundingIntervalMs;
    this.#lot = stepOf(instrument.lot);
    this.#life = lifeOf(asset, options);
    this.#typicalInterest = asset.minuteVolume * 1_440 * derivatives.openInterestDays;
    this.#dailyDeviation = this.#path.typicalMove * Math.sqrt(DAY_MS / timeframeMs);
    this.#trendMemory = memoryOf(hours, TREND_HALF_LIFE_HOURS);
    this.#premiumMemory = memoryOf(hours, PREMIUM_HALF_LIFE_HOURS);
    this.#markMemory = memoryOf(hours, MARK_HALF_LIFE_MINUTES / 60);
    this.#interestMemory = memoryOf(hours, OPEN_INTEREST_HALF_LIFE_DAYS * 24);
    this.#crash = REGIMES.findIndex(({ name }) => name === 'crash');
    this.#crashFlush = portableLog(1 - CRASH_FLUSH_PER_HOUR) * hours;
    const most = Math.ceil(timeframeMs / this.#intervalMs) + 1;
    this.#made = {
      at: NaN,
      happenedAt: NaN,
      indexPrice: NaN,
      markPrice: NaN,
      premiumRatio: NaN,
      openInterest: NaN,
      fundings: 0,
      fundingAt: new Float64Array(most),
      fundingRate: new Float64Array(most),
    };
    this.#trend = 0;
    this.#premium = 0;
    this.#smooth = derivatives.meanPremium;
    this.#lastRatio = derivatives.meanPremium;
    this.#logInterest = 0;
    this.#sum = 0;
  }

  /** The instrument was delisted: there is no further bar. */
  get ended(): boolean {
    return this.#bar >= this.#life;
  }

  /** What stands at the close of the next bar. Not where it has ended. */
  step(): DerivativeStep {
    assert(!this.ended, 'nobody asks for the mark of a delisted instrument');
    const made = this.#made;
    const openAt = this.#startAt + this.#bar * this.#timeframeMs;
    const before = this.#path.logPrice;
    this.#model.step(this.#row, 0);
    this.#random.seek(this.#bar);
    this.#bar++;
    const ratio = this.#premiumNow(this.#path.logPrice - before);
    const close = this.#row[3] ?? NaN;
    this.#smooth = ratio + (this.#smooth - ratio) * this.#markMemory;
    made.at = openAt + this.#timeframeMs;
    made.happenedAt = made.at;
    made.premiumRatio = ratio;
    made.indexPrice = close / (1 + ratio);
    made.markPrice = made.indexPrice * (1 + this.#smooth);
    made.openInterest = this.#interestNow();
    this.#fund(openAt, made, ratio);
    return made;
  }

  save(out: ByteWriter): void {
    this.#model.save(out);
    out.count(this.#bar);
    for (const value of [this.#trend, this.#premium, this.#smooth, this.#logInterest, this.#sum, this.#lastRatio]) out.number(value);
    out.count(this.#samples);
  }

  /** Into one of the same options and symbol. */
  restore(from: ByteReader): void {
    this.#model.restore(from);
    this.#bar = from.count();
    this.#trend = from.number();
    this.#premium = from.number();
    this.#smooth = from.number();
    this.#logInterest = from.number();
    this.#sum = from.number();
    this.#lastRatio = from.number();
    this.#samples = from.count();
  }

  #premiumNow(move: number): number {
    const { premiumDeviation, meanPremium, trendPremium } = this.#parameters;
    this.#trend = this.#trend * this.#trendMemory + move;
    const memory = this.#premiumMemory;
    this.#premium = this.#premium * memory + premiumDeviation * Math.sqrt(1 - memory * memory) * this.#random.normal();
    const trend = Math.min(TREND_LIMIT, Math.max(-TREND_LIMIT, this.#trend / this.#dailyDeviation));
    return meanPremium + this.#premium + trendPremium * trend + PREMIUM_FLICKER * this.#random.normal();
  }

  #interestNow(): number {
    const memory = this.#interestMemory;
    let log = this.#logInterest * memory + OPEN_INTEREST_DEVIATION * Math.sqrt(1 - memory * memory) * this.#random.normal();
    log += (Math.abs(this.#path.jump) / 0.01) * portableLog(1 - this.#parameters.jumpFlushRatio);
    if (this.#model.factor.regime === this.#crash) log += this.#crashFlush;
    this.#logInterest = log;
    const lots = (this.#typicalInterest * portableExp(log) * this.#lot.denominator) / this.#lot.numerator;
    return (Math.max(1, Math.round(lots)) * this.#lot.numerator) / this.#lot.denominator;
  }

  /** The rate is the premium's average since the last funding, drawn towards the interest by at most the dampening. */
  #fund(openAt: TimeMs, made: DerivativeStep, ratio: number): void {
    const interval = this.#intervalMs;
    made.fundings = 0;
    for (let boundary = (Math.floor(openAt / interval) + 1) * interval; boundary < made.at; boundary += interval) {
      // Within the bar, whose close is not known then.
      this.#settle(boundary, made, this.#samples === 0 ? this.#lastRatio : this.#sum / this.#samples);
    }
    this.#sum += ratio;
    this.#samples++;
    this.#lastRatio = ratio;
    if (made.at % interval === 0) this.#settle(made.at, made, this.#sum / this.#samples);
  }

  #settle(at: TimeMs, made: DerivativeStep, average: number): void {
    const { interestRate, dampeningRatio, maximumRate } = this.#parameters;
    const towards = Math.min(dampeningRatio, Math.max(-dampeningRatio, interestRate - average));
    // Where the dampening reaches, the rate is the interest itself and not the sum of two roundings of it.
    const rate = Math.abs(interestRate - average) <= dampeningRatio ? interestRate : average + towards;
    made.fundingAt[made.fundings] = at;
    made.fundingRate[made.fundings++] = Math.min(maximumRate, Math.max(-maximumRate, rate));
    this.#sum = 0;
    this.#samples = 0;
  }
}
