// The features a strategy may declare, by name. A spec is plain data and a constructor; the board brings it to life.
import type { BarColumns } from '../domain/bars.ts';
import { BallastError } from '../domain/errors.ts';
import type { FeatureSpec, Indicator } from '../domain/feature.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import { Bollinger, StandardDeviation, ZScore } from './indicators/dispersion.ts';
import { Donchian } from './indicators/donchian.ts';
import { Ema, Sma } from './indicators/moving-average.ts';
import { RealisedVolatility, VolatilityRatio } from './indicators/volatility.ts';
import { Atr, Rsi } from './indicators/wilder.ts';

const YEAR_MS = 365 * DAY_MS;
/** Almost two years of minutes, 8 MB a column: beyond it a window is a slip of the pen. */
const LONGEST_WINDOW = 1_000_000;

/** A feature of the catalog names what can be read of it: always `value`, and more where the indicator has more. */
export interface CatalogSpec<
  I extends Indicator & Readonly<Record<Output, number>>,
  Output extends string = 'value',
> extends FeatureSpec<I> {
  readonly outputs: readonly Output[];
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
  if (!(multiple > 0 && multiple < Infinity)) {
    throw malformed('bollinger', `${multiple}`, 'a positive, finite multiple of the standard deviation');
  }
  return spec(`bollinger(${bars},${multiple})`, () => new Bollinger(bars, multiple), ['value', 'upper', 'lower', 'percentB', 'width']);
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
 * Told how long a bar is, it also tells the indicator when each closed; no feature of this catalog asks.
 */
export function columns<I extends Indicator & Readonly<Record<Output, number>>, Output extends string>(
  feature: CatalogSpec<I, Output>,
  bars: BarColumns,
  barMs: TimeMs = feature.timeframeMs ?? NaN,
): Record<Output, Float64Array> {
  const { openAt, open, high, low, close, volume } = bars;
  const { outputs } = feature;
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

function malformed(feature: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'FEATURE_MALFORMED', place: `feature ${feature}`, found, expected, exitCode: 2 });
}
