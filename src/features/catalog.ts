// The features a strategy may declare, by name. A spec is plain data and a constructor; the board brings it to life.
import type { BarColumns } from '../domain/bars.ts';
import { BallastError } from '../domain/errors.ts';
import type { FeatureSpec, Indicator } from '../domain/feature.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import { Aroon } from './indicators/aroon.ts';
import { BarSpan } from './indicators/bar-span.ts';
import { BarPattern, PATTERN_NAMES, PinBar, type PatternName } from './indicators/bar-pattern.ts';
import { Cci } from './indicators/cci.ts';
import { Adx, Adxr } from './indicators/directional.ts';
import { Bollinger, StandardDeviation, ZScore } from './indicators/dispersion.ts';
import { DonchianEnsemble } from './indicators/donchian-ensemble.ts';
import { Donchian } from './indicators/donchian.ts';
import { Dema, Macd, Tema, Trix } from './indicators/exponential-chain.ts';
import { Ichimoku } from './indicators/ichimoku.ts';
import { Kama } from './indicators/kama.ts';
import { Keltner } from './indicators/keltner.ts';
import { Momentum, RateOfChange, UltimateOscillator } from './indicators/momentum.ts';
import { AccumulationDistribution, ChaikinMoneyFlow, ChaikinOscillator, Mfi, Obv } from './indicators/money-flow.ts';
import { Ema, Sma } from './indicators/moving-average.ts';
import { Previous } from './indicators/previous.ts';
import { PIVOT_METHODS, PivotPoints, type PivotMethod } from './indicators/pivot-points.ts';
import {
  garmanKlassVariance,
  parkinsonVariance,
  RangeVolatility,
  rogersSatchellVariance,
  YangZhang,
  type BarVariance,
} from './indicators/range-volatility.ts';
import { Stochastic, StochasticRsi, WilliamsR } from './indicators/stochastic.ts';
import { LiquiditySweep, Swings } from './indicators/swings.ts';
import { ParabolicSar, SuperTrend } from './indicators/trailing-line.ts';
import { RealisedVolatility, VolatilityRatio } from './indicators/volatility.ts';
import { VolumeProfile } from './indicators/volume-profile.ts';
import { VwapDeviation } from './indicators/vwap-deviation.ts';
import { AnchoredVwap, RollingVwap, SessionVwap } from './indicators/vwap.ts';
import { Hma, Wma } from './indicators/weighted-average.ts';
import { Atr, Rsi } from './indicators/wilder.ts';

const YEAR_MS = 365 * DAY_MS;
/** Almost two years of minutes, 8 MB a column: beyond it a window is a slip of the pen. */
const LONGEST_WINDOW = 1_000_000;
/** A row of a basis point: below it a profile has as many rows as bars. */
const LOWEST_ROW_RATIO = 0.0001;

/** A feature of the catalog names what can be read of it: always `value`, and more where the indicator has more. */
export interface CatalogSpec<
  I extends Indicator & Readonly<Record<Output, number>>,
  Output extends string = 'value',
> extends FeatureSpec<I> {
  readonly outputs: readonly Output[];
  /** It asks each bar when it closed. */
  readonly needsTime?: true;
}

/** Mean of the last closes. */
export function sma(window: number): CatalogSpec<Sma> {
  const bars = windowOf('sma', window, 1);
  return valued(`sma(${bars})`, () => new Sma(bars));
}

/** Exponential mean of closes, alpha = 2 / (window + 1), seeded as TA-Lib does. */
export function ema(window: number): CatalogSpec<Ema> {
  const bars = windowOf('ema', window, 1);
  return valued(`ema(${bars})`, () => new Ema(bars));
}

/** Wilder's relative strength index, 0..100. */
export function rsi(window: number): CatalogSpec<Rsi> {
  const bars = windowOf('rsi', window, 1);
  return valued(`rsi(${bars})`, () => new Rsi(bars));
}

/** Wilder's average true range, in units of price. */
export function atr(window: number): CatalogSpec<Atr> {
  const bars = windowOf('atr', window, 1);
  return valued(`atr(${bars})`, () => new Atr(bars));
}

/** Bollinger bands `multiple` population standard deviations around the mean; also %B and width. */
export function bollinger(window: number, multiple: number): CatalogSpec<Bollinger, 'value' | 'upper' | 'lower' | 'percentB' | 'width'> {
  const bars = windowOf('bollinger', window, 2);
  const deviations = positiveOf('bollinger', multiple, 'multiple of the standard deviation');
  return spec(`bollinger(${bars},${deviations})`, () => new Bollinger(bars, deviations), ['value', 'upper', 'lower', 'percentB', 'width']);
}

/** Population standard deviation of the last closes, in units of price. */
export function standardDeviation(window: number): CatalogSpec<StandardDeviation> {
  const bars = windowOf('standardDeviation', window, 2);
  return valued(`standardDeviation(${bars})`, () => new StandardDeviation(bars));
}

/** The close less its mean, in population standard deviations. */
export function zScore(window: number): CatalogSpec<ZScore> {
  const bars = windowOf('zScore', window, 2);
  return valued(`zScore(${bars})`, () => new ZScore(bars));
}

/** Sample standard deviation of logarithmic returns: a year's (365 days) when told how long a bar is, otherwise a bar's. */
export function realisedVolatility(window: number, barMs?: TimeMs): CatalogSpec<RealisedVolatility> {
  const bars = windowOf('realisedVolatility', window, 2);
  if (barMs === undefined) return valued(`realisedVolatility(${bars})`, () => new RealisedVolatility(bars, 1));
  const length = spanOf('realisedVolatility', barMs);
  return valued(`realisedVolatility(${bars},${length}ms)`, () => new RealisedVolatility(bars, YEAR_MS / length));
}

/** Realised volatility of the last `short` returns over that of the last `long`; also both, per bar. */
export function volatilityRatio(short: number, long: number): CatalogSpec<VolatilityRatio, 'value' | 'short' | 'long'> {
  const shortBars = windowOf('volatilityRatio', short, 2);
  const longBars = windowOf('volatilityRatio', long, 2);
  if (shortBars >= longBars) throw malformed('volatilityRatio', `${short} and ${long}`, 'a short window below the long one');
  return spec(`volatilityRatio(${shortBars},${longBars})`, () => new VolatilityRatio(shortBars, longBars), ['value', 'short', 'long']);
}

/** Highest high and lowest low of the last bars, the newest among them. */
export function donchian(window: number): CatalogSpec<Donchian, 'value' | 'upper' | 'lower'> {
  const bars = windowOf('donchian', window, 1);
  return spec(`donchian(${bars})`, () => new Donchian(bars), ['value', 'upper', 'lower']);
}

/** Which part, 0..1, of the channels of closes over these windows has been broken out of and not fallen back into. */
export function donchianEnsemble(windows: readonly number[]): CatalogSpec<DonchianEnsemble> {
  const bars = windows.map((window) => windowOf('donchianEnsemble', window, 2));
  if (bars.length === 0) throw malformed('donchianEnsemble', 'no window', 'one at least');
  return valued(`donchianEnsemble(${bars.join(',')})`, () => new DonchianEnsemble(bars));
}

/** Mean of the last closes with weights that fall in a straight line, the newest weighing most. */
export function wma(window: number): CatalogSpec<Wma> {
  const bars = windowOf('wma', window, 1);
  return valued(`wma(${bars})`, () => new Wma(bars));
}

/** Double exponential mean of closes: 2 EMA - EMA of EMA. */
export function dema(window: number): CatalogSpec<Dema> {
  const bars = windowOf('dema', window, 1);
  return valued(`dema(${bars})`, () => new Dema(bars));
}

/** Triple exponential mean of closes: 3 EMA - 3 EMA of EMA + EMA of EMA of EMA. */
export function tema(window: number): CatalogSpec<Tema> {
  const bars = windowOf('tema', window, 1);
  return valued(`tema(${bars})`, () => new Tema(bars));
}

/** Kaufman's adaptive mean: quick in a trend, slow in a range. */
export function kama(window: number): CatalogSpec<Kama> {
  const bars = windowOf('kama', window, 1);
  return valued(`kama(${bars})`, () => new Kama(bars));
}

/** Hull's mean: a weighted mean without most of its lag. */
export function hma(window: number): CatalogSpec<Hma> {
  const bars = windowOf('hma', window, 2);
  return valued(`hma(${bars})`, () => new Hma(bars));
}

/** Fast less slow exponential mean (`value`), its own mean over `triggerWindow` bars (`trigger`) and the difference (`histogram`). */
export function macd(fast: number, slow: number, triggerWindow: number): CatalogSpec<Macd, 'value' | 'trigger' | 'histogram'> {
  const fastBars = windowOf('macd', fast, 1);
  const slowBars = windowOf('macd', slow, 1);
  const triggerBars = windowOf('macd', triggerWindow, 1);
  if (fastBars >= slowBars) throw malformed('macd', `${fast} and ${slow}`, 'a fast window below the slow one');
  return spec(`macd(${fastBars},${slowBars},${triggerBars})`, () => new Macd(fastBars, slowBars, triggerBars), [
    'value',
    'trigger',
    'histogram',
  ]);
}

/** Average directional index, 0..100, with its directional indicators `plus` and `minus` and the index `dx` between them. */
export function adx(window: number): CatalogSpec<Adx, 'value' | 'plus' | 'minus' | 'dx'> {
  const bars = windowOf('adx', window, 2);
  return spec(`adx(${bars})`, () => new Adx(bars), ['value', 'plus', 'minus', 'dx']);
}

/** Average directional index rating: the mean of the index now and window - 1 bars ago. */
export function adxr(window: number): CatalogSpec<Adxr> {
  const bars = windowOf('adxr', window, 2);
  return valued(`adxr(${bars})`, () => new Adxr(bars));
}

/** Keltner channel `multiple` average true ranges around the exponential mean of the typical price. */
export function keltner(window: number, rangeWindow: number, multiple: number): CatalogSpec<Keltner, 'value' | 'upper' | 'lower'> {
  const bars = windowOf('keltner', window, 1);
  const rangeBars = windowOf('keltner', rangeWindow, 1);
  const ranges = positiveOf('keltner', multiple, 'multiple of the range');
  return spec(`keltner(${bars},${rangeBars},${ranges})`, () => new Keltner(bars, rangeBars, ranges), ['value', 'upper', 'lower']);
}

/** Slow stochastic, 0..100: %K averaged over `smoothing` bars (`value`) and %D, its mean over `averaging` bars (`average`). */
export function stochastic(window: number, smoothing: number, averaging: number): CatalogSpec<Stochastic, 'value' | 'average'> {
  const bars = windowOf('stochastic', window, 1);
  const smoothed = windowOf('stochastic', smoothing, 1);
  const averaged = windowOf('stochastic', averaging, 1);
  return spec(`stochastic(${bars},${smoothed},${averaged})`, () => new Stochastic(bars, smoothed, averaged), ['value', 'average']);
}

/** Fast stochastic, 0..100: raw %K (`value`) and its mean %D (`average`). */
export function stochasticFast(window: number, averaging: number): CatalogSpec<Stochastic, 'value' | 'average'> {
  const bars = windowOf('stochasticFast', window, 1);
  const averaged = windowOf('stochasticFast', averaging, 1);
  return spec(`stochasticFast(${bars},${averaged})`, () => new Stochastic(bars, 1, averaged), ['value', 'average']);
}

/** Where the relative strength index lies in its own range, 0..100 (`value`), and the mean of that (`average`). */
export function stochasticRsi(rsiWindow: number, window: number, averaging: number): CatalogSpec<StochasticRsi, 'value' | 'average'> {
  const rsiBars = windowOf('stochasticRsi', rsiWindow, 1);
  const bars = windowOf('stochasticRsi', window, 1);
  const averaged = windowOf('stochasticRsi', averaging, 1);
  return spec(`stochasticRsi(${rsiBars},${bars},${averaged})`, () => new StochasticRsi(rsiBars, bars, averaged), ['value', 'average']);
}

/** Williams %R, -100..0: where the close lies below the highest high of the window. */
export function williamsR(window: number): CatalogSpec<WilliamsR> {
  const bars = windowOf('williamsR', window, 1);
  return valued(`williamsR(${bars})`, () => new WilliamsR(bars));
}

/** Commodity channel index of the typical price. */
export function cci(window: number): CatalogSpec<Cci> {
  const bars = windowOf('cci', window, 2);
  return valued(`cci(${bars})`, () => new Cci(bars));
}

/** Money flow index, 0..100: turnover of rising bars among that of all that moved. */
export function mfi(window: number): CatalogSpec<Mfi> {
  const bars = windowOf('mfi', window, 1);
  return valued(`mfi(${bars})`, () => new Mfi(bars));
}

/** On-balance volume since the first bar. */
export function obv(): CatalogSpec<Obv> {
  return valued('obv()', () => new Obv());
}

/** Chaikin's accumulation and distribution line since the first bar. */
export function accumulationDistribution(): CatalogSpec<AccumulationDistribution> {
  return valued('accumulationDistribution()', () => new AccumulationDistribution());
}

/** Fast less slow exponential mean of the accumulation and distribution line. */
export function chaikinOscillator(fast: number, slow: number): CatalogSpec<ChaikinOscillator> {
  const fastBars = windowOf('chaikinOscillator', fast, 1);
  const slowBars = windowOf('chaikinOscillator', slow, 1);
  if (fastBars >= slowBars) throw malformed('chaikinOscillator', `${fast} and ${slow}`, 'a fast window below the slow one');
  return valued(`chaikinOscillator(${fastBars},${slowBars})`, () => new ChaikinOscillator(fastBars, slowBars));
}

/** Chaikin money flow, -1..1: accumulation of the last bars among their volume. */
export function chaikinMoneyFlow(window: number): CatalogSpec<ChaikinMoneyFlow> {
  const bars = windowOf('chaikinMoneyFlow', window, 1);
  return valued(`chaikinMoneyFlow(${bars})`, () => new ChaikinMoneyFlow(bars));
}

/** Volume-weighted typical price since the beginning of the UTC day. Told how long a bar is, which has to divide a day. */
export function sessionVwap(barMs: TimeMs): CatalogSpec<SessionVwap> {
  const length = partOfDay('sessionVwap', barMs);
  return { ...valued(`sessionVwap(${length}ms)`, () => new SessionVwap(length)), needsTime: true };
}

/** Volume-weighted typical price of the last bars. */
export function rollingVwap(window: number): CatalogSpec<RollingVwap> {
  const bars = windowOf('rollingVwap', window, 1);
  return valued(`rollingVwap(${bars})`, () => new RollingVwap(bars));
}

/** Volume-weighted typical price of the bars that closed after a time; NaN until there is one. */
export function anchoredVwap(anchorAt: TimeMs): CatalogSpec<AnchoredVwap> {
  if (!Number.isInteger(anchorAt)) throw malformed('anchoredVwap', `an anchor at ${anchorAt}`, 'a time in whole UTC milliseconds');
  return { ...valued(`anchoredVwap(${anchorAt}ms)`, () => new AnchoredVwap(anchorAt)), needsTime: true };
}

/** The close as a ratio of that price, less 1 (`ratio`), in its deviations over `history` bars, and what the next bar usually keeps of it. */
export function vwapDeviation(window: number, history: number): CatalogSpec<VwapDeviation, 'value' | 'ratio' | 'persistence'> {
  const bars = windowOf('vwapDeviation', window, 1);
  const past = windowOf('vwapDeviation', history, 3);
  return spec(`vwapDeviation(${bars},${past})`, () => new VwapDeviation(bars, past), ['value', 'ratio', 'persistence']);
}

/** The close as a ratio of that of `window` bars ago, less 1. */
export function rateOfChange(window: number): CatalogSpec<RateOfChange> {
  const bars = windowOf('rateOfChange', window, 1);
  return valued(`rateOfChange(${bars})`, () => new RateOfChange(bars));
}

/** The close less that of `window` bars ago, in units of price. */
export function momentum(window: number): CatalogSpec<Momentum> {
  const bars = windowOf('momentum', window, 1);
  return valued(`momentum(${bars})`, () => new Momentum(bars));
}

/** Change of a triple exponential mean over one bar, in percent. */
export function trix(window: number): CatalogSpec<Trix> {
  const bars = windowOf('trix', window, 1);
  return valued(`trix(${bars})`, () => new Trix(bars));
}

/** Ultimate oscillator, 0..100: buying pressure over three windows. */
export function ultimateOscillator(short: number, middle: number, long: number): CatalogSpec<UltimateOscillator> {
  const shortBars = windowOf('ultimateOscillator', short, 1);
  const middleBars = windowOf('ultimateOscillator', middle, 1);
  const longBars = windowOf('ultimateOscillator', long, 1);
  if (!(shortBars < middleBars && middleBars < longBars)) {
    throw malformed('ultimateOscillator', `${short}, ${middle} and ${long}`, 'three windows, each longer than the one before');
  }
  return valued(
    `ultimateOscillator(${shortBars},${middleBars},${longBars})`,
    () => new UltimateOscillator(shortBars, middleBars, longBars),
  );
}

/** How new the highest high (`up`) and the lowest low (`down`) of the window are, 0..100, and the difference (`value`). */
export function aroon(window: number): CatalogSpec<Aroon, 'value' | 'up' | 'down'> {
  const bars = windowOf('aroon', window, 1);
  return spec(`aroon(${bars})`, () => new Aroon(bars), ['value', 'up', 'down']);
}

/** Ichimoku's conversion (`value`) and base line, the cloud over this bar (`spanA`, `spanB`) and the one drawn now (`leadingA`, `leadingB`). */
export function ichimoku(
  conversion: number,
  base: number,
  span: number,
  displacement: number,
): CatalogSpec<Ichimoku, 'value' | 'base' | 'spanA' | 'spanB' | 'leadingA' | 'leadingB'> {
  const conversionBars = windowOf('ichimoku', conversion, 1);
  const baseBars = windowOf('ichimoku', base, 1);
  const spanBars = windowOf('ichimoku', span, 1);
  const ahead = windowOf('ichimoku', displacement, 1);
  if (conversionBars > spanBars || baseBars > spanBars) {
    throw malformed('ichimoku', `${conversion}, ${base} and ${span}`, 'a third window that is not shorter than the first two');
  }
  return spec(
    `ichimoku(${conversionBars},${baseBars},${spanBars},${ahead})`,
    () => new Ichimoku(conversionBars, baseBars, spanBars, ahead),
    ['value', 'base', 'spanA', 'spanB', 'leadingA', 'leadingB'],
  );
}

/** SuperTrend: the line in force, `multiple` average true ranges from the market, and whether the trend is up (1) or down (-1). */
export function superTrend(window: number, multiple: number): CatalogSpec<SuperTrend, 'value' | 'trend'> {
  const bars = windowOf('superTrend', window, 1);
  const ranges = positiveOf('superTrend', multiple, 'multiple of the range');
  return spec(`superTrend(${bars},${ranges})`, () => new SuperTrend(bars, ranges), ['value', 'trend']);
}

/** Parabolic stop and reverse: the stop for the bar, accelerated by `step` for each new extreme up to `most`; and the trend after it. */
export function parabolicSar(step: number, most: number): CatalogSpec<ParabolicSar, 'value' | 'trend'> {
  const first = positiveOf('parabolicSar', step, 'acceleration');
  const last = positiveOf('parabolicSar', most, 'acceleration');
  if (!(first <= last && last <= 1)) throw malformed('parabolicSar', `${step} and ${most}`, 'a step up to its most, and that up to 1');
  return spec(`parabolicSar(${first},${last})`, () => new ParabolicSar(first, last), ['value', 'trend']);
}

/** Pivot points of the last completed UTC day: classic, fibonacci or camarilla. Told how long a bar is, which has to divide a day. */
export function pivotPoints(
  method: PivotMethod,
  barMs: TimeMs,
): CatalogSpec<PivotPoints, 'value' | 'resistance1' | 'resistance2' | 'resistance3' | 'support1' | 'support2' | 'support3'> {
  const way = oneOf('pivotPoints', method, PIVOT_METHODS);
  const length = partOfDay('pivotPoints', barMs);
  return {
    ...spec(`pivotPoints(${way},${length}ms)`, () => new PivotPoints(way, length), [
      'value',
      'resistance1',
      'resistance2',
      'resistance3',
      'support1',
      'support2',
      'support3',
    ]),
    needsTime: true,
  };
}

/** Volume by price in rows of `rowRatio`: the point of control (`value`) and the edges of the value area around it. */
export function volumeProfile(window: number, rowRatio: number): CatalogSpec<VolumeProfile, 'value' | 'areaLow' | 'areaHigh'> {
  const bars = windowOf('volumeProfile', window, 1);
  if (!(rowRatio >= LOWEST_ROW_RATIO && rowRatio <= 1)) {
    throw malformed('volumeProfile', `a row of ${rowRatio}`, `the height of a row as a ratio of price, from ${LOWEST_ROW_RATIO} to 1`);
  }
  return spec(`volumeProfile(${bars},${rowRatio})`, () => new VolumeProfile(bars, rowRatio), ['value', 'areaLow', 'areaHigh']);
}

/** Parkinson's volatility, from highs and lows: a year's (365 days) when told how long a bar is, otherwise a bar's. */
export function parkinson(window: number, barMs?: TimeMs): CatalogSpec<RangeVolatility> {
  return rangeVolatility('parkinson', window, barMs, parkinsonVariance);
}

/** Garman and Klass's volatility, from all four prices. */
export function garmanKlass(window: number, barMs?: TimeMs): CatalogSpec<RangeVolatility> {
  return rangeVolatility('garmanKlass', window, barMs, garmanKlassVariance);
}

/** Rogers and Satchell's volatility, from all four prices, whatever the drift. */
export function rogersSatchell(window: number, barMs?: TimeMs): CatalogSpec<RangeVolatility> {
  return rangeVolatility('rogersSatchell', window, barMs, rogersSatchellVariance);
}

/** Yang and Zhang's volatility, from all four prices and the gaps between bars, whatever the drift. */
export function yangZhang(window: number, barMs?: TimeMs): CatalogSpec<YangZhang> {
  const bars = windowOf('yangZhang', window, 2);
  if (barMs === undefined) return valued(`yangZhang(${bars})`, () => new YangZhang(bars, 1));
  const length = spanOf('yangZhang', barMs);
  return valued(`yangZhang(${bars},${length}ms)`, () => new YangZhang(bars, YEAR_MS / length));
}

/** A pattern of one to four bars that ends with this one: 0 for none, 100 (or 80) for a bullish one, -100 (or -80) for a bearish one. */
export function barPattern(name: PatternName): CatalogSpec<BarPattern> {
  const pattern = oneOf('barPattern', name, PATTERN_NAMES);
  return valued(`barPattern(${pattern})`, () => new BarPattern(pattern));
}

/** A bar of which one shadow is at least `shadowRatio`: 1 for the lower shadow, -1 for the upper, 0 for neither. */
export function pinBar(shadowRatio: number): CatalogSpec<PinBar> {
  if (!(shadowRatio > 0.5 && shadowRatio <= 1)) {
    throw malformed('pinBar', `a shadow of ${shadowRatio}`, 'a ratio of the whole bar above 0.5, up to 1');
  }
  return valued(`pinBar(${shadowRatio})`, () => new PinBar(shadowRatio));
}

/** Turning points with `side` bars on each side, once confirmed: the structure (`value`), the last levels and how they turned. */
export function swings(side: number): CatalogSpec<Swings, 'value' | 'high' | 'low' | 'newHigh' | 'newLow' | 'highTurn' | 'lowTurn'> {
  const bars = windowOf('swings', side, 1);
  return spec(`swings(${bars})`, () => new Swings(bars), ['value', 'high', 'low', 'newHigh', 'newLow', 'highTurn', 'lowTurn']);
}

/** A wick beyond the last confirmed swing and a close back inside: 1 below a low, -1 above a high, and how deep it went. */
export function liquiditySweep(side: number): CatalogSpec<LiquiditySweep, 'value' | 'depth'> {
  const bars = windowOf('liquiditySweep', side, 1);
  return spec(`liquiditySweep(${bars})`, () => new LiquiditySweep(bars), ['value', 'depth']);
}

/** The shortest time between two closes so far, in milliseconds: how long a bar is. */
export function barSpan(): CatalogSpec<BarSpan> {
  return { ...valued('barSpan()', () => new BarSpan()), needsTime: true };
}

/** What another feature's `value` was one bar ago, on its leg and timeframe. */
export function previous(feature: FeatureSpec & Pick<CatalogSpec<Indicator>, 'needsTime'>): CatalogSpec<Previous> {
  const { leg, timeframeMs, needsTime } = feature;
  return {
    ...valued(`previous(${feature.key})`, () => new Previous(feature.create())),
    ...(leg === undefined ? undefined : { leg }),
    ...(timeframeMs === undefined ? undefined : { timeframeMs }),
    ...(needsTime === undefined ? undefined : { needsTime }),
  };
}

/** The same feature on another leg of the subject or on a higher timeframe. The key stays: it names the feature, not the series. */
export function on<Spec extends FeatureSpec>(where: { readonly leg?: number; readonly timeframeMs?: TimeMs }, feature: Spec): Spec {
  const { leg, timeframeMs } = where;
  if (leg !== undefined && !(Number.isInteger(leg) && leg >= 0)) {
    throw malformed(feature.key, `leg ${leg}`, "a leg's index, counted from 0");
  }
  return {
    ...feature,
    ...(leg === undefined ? undefined : { leg }),
    ...(timeframeMs === undefined ? undefined : { timeframeMs: spanOf(feature.key, timeframeMs) }),
  };
}

/**
 * Every output of a feature over history, by the very class that lives in the engine. Bars are those of the feature's own timeframe.
 * Told how long a bar is, it also tells the indicator when each closed, which features of days and of anchors ask.
 * @throws BallastError FEATURE_MALFORMED for a feature that asks when it was not told
 */
export function columns<I extends Indicator & Readonly<Record<Output, number>>, Output extends string>(
  feature: CatalogSpec<I, Output>,
  bars: BarColumns,
  barMs: TimeMs = feature.timeframeMs ?? NaN,
): Record<Output, Float64Array> {
  const { openAt, open, high, low, close, volume } = bars;
  const { outputs } = feature;
  if (feature.needsTime === true && Number.isNaN(barMs)) {
    throw malformed(feature.key, 'bars of unknown length', 'to be told how long a bar is, in milliseconds');
  }
  const indicator = feature.create();
  const filled = outputs.map(() => new Float64Array(close.length));
  const bar = { at: NaN, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN };
  for (let index = 0; index < close.length; index++) {
    bar.at = (openAt[index] ?? NaN) + barMs;
    bar.open = open[index] ?? NaN;
    bar.high = high[index] ?? NaN;
    bar.low = low[index] ?? NaN;
    bar.close = close[index] ?? NaN;
    bar.volume = volume[index] ?? NaN;
    indicator.update(bar);
    for (let output = 0; output < outputs.length; output++) {
      const column = filled[output];
      const name = outputs[output];
      if (column !== undefined && name !== undefined) column[index] = indicator[name];
    }
  }
  // fromEntries forgets the names that it was given.
  return Object.fromEntries(outputs.map((name, output) => [name, filled[output]])) as Record<Output, Float64Array>;
}

function valued<I extends Indicator>(key: string, create: () => I): CatalogSpec<I> {
  return spec(key, create, ['value']);
}

function spec<I extends Indicator & Readonly<Record<Output, number>>, Output extends string>(
  key: string,
  create: () => I,
  outputs: readonly Output[],
): CatalogSpec<I, Output> {
  return { key, warmup: create().warmup, create, outputs };
}

function windowOf(feature: string, window: number, least: number): number {
  if (Number.isInteger(window) && window >= least && window <= LONGEST_WINDOW) return window;
  throw malformed(feature, `a window of ${window}`, `a whole number of bars from ${least} to ${LONGEST_WINDOW}`);
}

function spanOf(feature: string, span: TimeMs): TimeMs {
  if (Number.isInteger(span) && span > 0) return span;
  throw malformed(feature, `a timeframe of ${span}`, 'a positive whole number of milliseconds');
}

function partOfDay(feature: string, barMs: TimeMs): TimeMs {
  if (Number.isInteger(barMs) && barMs > 0 && DAY_MS % barMs === 0) return barMs;
  throw malformed(feature, `bars of ${barMs}`, 'a length of bars in milliseconds that divides a day');
}

function positiveOf(feature: string, value: number, what: string): number {
  if (value > 0 && value < Infinity) return value;
  throw malformed(feature, `${value}`, `a positive, finite ${what}`);
}

function oneOf<Name extends string>(feature: string, value: Name, names: readonly Name[]): Name {
  if (names.includes(value)) return value;
  throw malformed(feature, JSON.stringify(value), `one of ${names.join(', ')}`);
}

function rangeVolatility(
  feature: string,
  window: number,
  barMs: TimeMs | undefined,
  varianceOf: BarVariance,
): CatalogSpec<RangeVolatility> {
  const bars = windowOf(feature, window, 1);
  if (barMs === undefined) return valued(`${feature}(${bars})`, () => new RangeVolatility(bars, 1, varianceOf));
  const length = spanOf(feature, barMs);
  return valued(`${feature}(${bars},${length}ms)`, () => new RangeVolatility(bars, YEAR_MS / length, varianceOf));
}

function malformed(feature: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'FEATURE_MALFORMED', place: `feature ${feature}`, found, expected, exitCode: 2 });
}
