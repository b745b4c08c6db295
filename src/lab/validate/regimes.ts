// In which weather the money was made: days by what the market had done before them.
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import { mean, standardDeviation } from '../../quant/statistics.ts';
import { MINIMUM_RETURNS } from '../../views/metrics.ts';
import { pathOf } from './monte-carlo.ts';

export type RegimeName = 'rising, calm' | 'rising, turbulent' | 'falling, calm' | 'falling, turbulent' | 'not known yet';

export interface Regime {
  readonly name: RegimeName;
  readonly days: number;
  /** Compounded over its days, wherever they lie. */
  readonly returnRatio: number;
  readonly holdReturn: number;
  /** Of a year; null below 30 days or without a spread. */
  readonly sharpe: number | null;
  /** As if its days came one after the other. */
  readonly maxDrawdown: number;
}

/** Days of the market, oldest first. */
export interface MarketDays {
  /** Start of the day. */
  readonly day: Float64Array;
  readonly close: Float64Array;
}

export const TREND_DAYS = 200;
export const VOLATILITY_DAYS = 30;
/** Volatilities that must have been seen before one of them is called high. */
const LEAST_VOLATILITIES = 60;
const NAMES: readonly RegimeName[] = ['rising, calm', 'rising, turbulent', 'falling, calm', 'falling, turbulent', 'not known yet'];

/**
 * A day is rising when the close before it was above the mean of the 200 closes that end with it, otherwise falling; turbulent when the
 * standard deviation of the 30 returns before it was above the median of all such that were known by then, otherwise calm. Nothing of the
 * day itself, or after it, says what it was.
 */
export function regimesOf({ close }: MarketDays): RegimeName[] {
  const names: RegimeName[] = [];
  const returns: number[] = [];
  const volatilities: number[] = [];
  for (let day = 0; day < close.length; day++) {
    names.push(regimeBefore(close, day, volatilities));
    if (day > 0) returns.push((close[day] ?? NaN) / (close[day - 1] ?? NaN) - 1);
    if (returns.length >= VOLATILITY_DAYS) volatilities.push(standardDeviation(returns.slice(-VOLATILITY_DAYS)));
  }
  return names;
}

function regimeBefore(close: Float64Array, day: number, volatilities: readonly number[]): RegimeName {
  if (day < TREND_DAYS || volatilities.length < LEAST_VOLATILITIES) return 'not known yet';
  const isRising = (close[day - 1] ?? NaN) > mean(close.subarray(day - TREND_DAYS, day));
  const last = volatilities.at(-1) ?? NaN;
  const isTurbulent = 2 * volatilities.filter((each) => each < last).length > volatilities.length;
  if (isRising) return isTurbulent ? 'rising, turbulent' : 'rising, calm';
  return isTurbulent ? 'falling, turbulent' : 'falling, calm';
}

/** A day's return of the run, by the start of its day. */
export interface RunDays {
  readonly day: Float64Array;
  readonly returns: Float64Array;
}

/** The run's days by the market's regimes; a day that the market does not have is left out, a regime without days too. */
export function regimeBreakdown(run: RunDays, market: MarketDays): Regime[] {
  const regimes = regimesOf(market);
  const rowOf = new Map(Array.from(market.day, (day, row) => [day, row]));
  const days = new Map<RegimeName, { own: number[]; hold: number[] }>(NAMES.map((name) => [name, { own: [], hold: [] }]));
  run.day.forEach((day, index) => {
    const row = rowOf.get(day);
    const name = row === undefined ? undefined : regimes[row];
    if (row === undefined || name === undefined) return;
    const found = days.get(name);
    found?.own.push(run.returns[index] ?? NaN);
    found?.hold.push(row === 0 ? 0 : (market.close[row] ?? NaN) / (market.close[row - 1] ?? NaN) - 1);
  });
  return [...days]
    .filter(([, { own }]) => own.length > 0)
    .map(([name, { own, hold }]) => {
      const returns = Float64Array.from(own);
      const { finalEquity, maxDrawdown, sharpe } =
        own.length < 2 ? { finalEquity: 1 + (own[0] ?? 0), maxDrawdown: 0, sharpe: 0 } : pathOf(returns);
      return {
        name,
        days: own.length,
        returnRatio: finalEquity - 1,
        holdReturn: hold.reduce((product, change) => product * (1 + change), 1) - 1,
        sharpe: own.length >= MINIMUM_RETURNS && sharpe !== 0 ? sharpe * Math.sqrt(365) : null,
        maxDrawdown,
      };
    });
}

/** The last close of each UTC day that has one. */
export function marketDays(openAt: Float64Array, close: Float64Array, timeframeMs: TimeMs): MarketDays {
  const day: number[] = [];
  const closes: number[] = [];
  for (let bar = 0; bar < openAt.length; bar++) {
    // A close at midnight is that of the day that ends there.
    const start = Math.ceil(((openAt[bar] ?? NaN) + timeframeMs) / DAY_MS - 1) * DAY_MS;
    if (day.at(-1) === start) closes[closes.length - 1] = close[bar] ?? NaN;
    else {
      day.push(start);
      closes.push(close[bar] ?? NaN);
    }
  }
  return { day: Float64Array.from(day), close: Float64Array.from(closes) };
}

/** Equal parts of all, each day anew, from 1 on: the days that every one of them has. */
export function marketIndex(markets: readonly MarketDays[]): MarketDays {
  const [only, ...others] = markets;
  if (only === undefined) return { day: new Float64Array(), close: new Float64Array() };
  if (others.length === 0) return only;
  const closes = markets.map(({ day, close }) => new Map(Array.from(day, (start, row) => [start, close[row] ?? NaN])));
  const day = only.day.filter((start) => closes.every((each) => each.has(start)));
  const close = new Float64Array(day.length);
  let level = 1;
  day.forEach((start, row) => {
    const before = day[row - 1];
    if (before !== undefined) {
      const changes = closes.map((each) => (each.get(start) ?? NaN) / (each.get(before) ?? NaN));
      level *= mean(changes);
    }
    close[row] = level;
  });
  return { day, close };
}
