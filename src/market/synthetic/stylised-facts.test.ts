// The stylised facts of returns (Cont, 2001), on the synthetic market and on real bars, measured in the same way over windows of the same
// length. A band is the 5th to the 95th percentile of the real windows; the numbers stand here, so that the market is held to them where
// the shared data is absent, and are held to the data where it is there. What the synthetic market does not reproduce is marked as such,
// and a test fails if it suddenly does: the page docs/reference/synthetic-market.md then says something wrong.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { needs, sharedPath } from '../../../test/support/needs.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { autocorrelation, correlation, kurtosis, linearFit, mean, standardDeviation } from '../../quant/statistics.ts';
import { dickeyFullerCritical } from '../../quant/unit-root-distribution.ts';
import { augmentedDickeyFuller } from '../../quant/unit-root.ts';
import { SYNTHETIC_ASSETS } from './assets.ts';
import { syntheticDerivatives } from './derivatives.ts';
import { syntheticMarket } from './market.ts';

const START = Date.UTC(2026, 0, 1);
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
/** An hourly window: 60 days. A window of minutes: about a week. */
const HOURS = 60 * 24 + 1;
const MINUTES = 10_000;
/** Real hourly windows, one after the other. */
const REAL_FROM = Date.UTC(2021, 0, 1);
const REAL_UNTIL = Date.UTC(2025, 0, 1);

type Found = Map<string, number[]>;

interface Fact {
  /** 5th and 95th percentile of the real windows. */
  readonly band: readonly [low: number, high: number];
  /** Least share of the synthetic windows inside the band, or, where the market differs, the largest. */
  readonly inside: { readonly least: number } | { readonly most: number };
}

const MOST = { least: 0.75 };

const FACTS: Readonly<Record<string, Fact>> = {
  'hourly: annual volatility': { band: [0.427, 1.768], inside: MOST },
  'hourly: kurtosis': { band: [6.286, 47.745], inside: MOST },
  'hourly: autocorrelation of absolute returns, 1 h': { band: [0.118, 0.382], inside: MOST },
  'hourly: autocorrelation of absolute returns, 6 h': { band: [0.033, 0.264], inside: MOST },
  'hourly: autocorrelation of absolute returns, 24 h': { band: [0.018, 0.202], inside: { most: 0.7 } },
  'hourly: volatility of daily volatility': { band: [0.301, 0.636], inside: MOST },
  'hourly: autocorrelation of returns, 1 h': { band: [-0.098, 0.057], inside: { most: 0.8 } },
  'hourly: correlation of two assets': { band: [0.429, 0.855], inside: MOST },
  'minutes: kurtosis': { band: [8.084, 213.78], inside: MOST },
  'minutes: autocorrelation of absolute returns, 1 min': { band: [0.171, 0.458], inside: { most: 0.5 } },
  'minutes: autocorrelation of absolute returns, 60 min': { band: [0.045, 0.229], inside: MOST },
  'minutes: autocorrelation of returns, 1 min': { band: [-0.07, 0.079], inside: MOST },
  'minutes: correlation of volume and absolute return': { band: [0.43, 0.753], inside: MOST },
};

function add(found: Found, fact: string, value: number): void {
  const values = found.get(fact);
  if (values === undefined) found.set(fact, [value]);
  else values.push(value);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

function returns(close: Float64Array): Float64Array {
  return Float64Array.from({ length: close.length - 1 }, (_, row) => Math.log((close[row + 1] ?? NaN) / (close[row] ?? NaN)));
}

/** Standard deviation, over the days of a window, of the log of the volatility that a day's hours realised. */
function volatilityOfVolatility(hourly: Float64Array): number {
  const logs: number[] = [];
  for (let hour = 0; hour + 24 <= hourly.length; hour += 24) {
    logs.push(Math.log(hourly.subarray(hour, hour + 24).reduce((sum, value) => sum + value * value, 0)) / 2);
  }
  return standardDeviation(logs);
}

function measureHours(found: Found, closes: readonly Float64Array[]): void {
  const columns = closes.map(returns);
  columns.forEach((column, index) => {
    const sizes = column.map(Math.abs);
    add(found, 'hourly: annual volatility', standardDeviation(column) * Math.sqrt(365 * 24));
    add(found, 'hourly: kurtosis', kurtosis(column));
    for (const lag of [1, 6, 24]) add(found, `hourly: autocorrelation of absolute returns, ${lag} h`, autocorrelation(sizes, lag));
    add(found, 'hourly: volatility of daily volatility', volatilityOfVolatility(column));
    add(found, 'hourly: autocorrelation of returns, 1 h', autocorrelation(column, 1));
    for (const other of columns.slice(index + 1)) add(found, 'hourly: correlation of two assets', correlation(column, other));
  });
}

function measureMinutes(found: Found, close: Float64Array, volume: Float64Array): void {
  const column = returns(close);
  const sizes = column.map(Math.abs);
  add(found, 'minutes: kurtosis', kurtosis(column));
  for (const lag of [1, 60]) add(found, `minutes: autocorrelation of absolute returns, ${lag} min`, autocorrelation(sizes, lag));
  add(found, 'minutes: autocorrelation of returns, 1 min', autocorrelation(column, 1));
  add(found, 'minutes: correlation of volume and absolute return', correlation(sizes, volume.subarray(1)));
}

/** Engle and Granger's test of the follower on its leader, with half a day of lags. */
function isCointegrated(leader: Float64Array, follower: Float64Array): boolean {
  const [x, y] = [leader.map(Math.log), follower.map(Math.log)];
  const { slope, intercept } = linearFit(x, y);
  const residuals = y.map((value, row) => value - intercept - slope * (x[row] ?? NaN));
  const { statistic, observations } = augmentedDickeyFuller(residuals, 12, 'none');
  return statistic < dickeyFullerCritical(2, 0.05, observations);
}

function column(length: number): Float64Array {
  return new Float64Array(length);
}

/** Closes by asset, each hour of the first 60 days; the measures of the first weeks of minutes of BTC and ETH on the way. */
function syntheticHours(seed: number, found: Found): Float64Array[] {
  const { sources } = syntheticMarket({ seed, startAt: START, tradesPerBar: 0 });
  const hourly = sources.map(() => column(HOURS));
  const minutes = sources.slice(0, 2).map(() => ({ close: column(MINUTES), volume: column(MINUTES) }));
  for (let bar = 0; bar < HOURS * 60; bar++) {
    sources.forEach((source, index) => {
      const { close, volume } = source.take();
      const hours = hourly[index];
      if (hours !== undefined && bar % 60 === 59) hours[(bar - 59) / 60] = close;
      const window = minutes[index];
      if (window === undefined) return;
      window.close[bar % MINUTES] = close;
      window.volume[bar % MINUTES] = volume;
    });
    if (bar % MINUTES === MINUTES - 1) for (const { close, volume } of minutes) measureMinutes(found, close, volume);
  }
  return hourly;
}

const synthetic: Found = new Map();
const markets = SEEDS.map((seed) => syntheticHours(seed, synthetic));
for (const market of markets) measureHours(synthetic, market);

for (const [fact, { band, inside }] of Object.entries(FACTS)) {
  test(`${fact}: the synthetic market ${'least' in inside ? 'lies in' : 'differs from'} what is real`, () => {
    const values = synthetic.get(fact) ?? [];
    assert.ok(values.length >= 48);
    const share = values.filter((value) => value >= band[0] && value <= band[1]).length / values.length;
    const told = `${(100 * share).toFixed(0)} % of ${values.length} windows lay in ${band.join(' to ')}; the median was ${percentile(values, 0.5)}`;
    if ('most' in inside) assert.ok(share <= inside.most, told);
    else {
      assert.ok(share >= inside.least, told);
      assert.ok(percentile(values, 0.5) >= band[0] && percentile(values, 0.5) <= band[1], told);
    }
  });
}

test('the planted pairs are cointegrated in every window, which real pairs are not: the market differs', () => {
  const symbols = SYNTHETIC_ASSETS.map(({ instrument }) => instrument.base);
  for (const market of markets) {
    for (const [leader, follower] of [
      ['BTC', 'ETH'],
      ['LTC', 'DOGE'],
    ]) {
      const [x, y] = [market[symbols.indexOf(leader ?? '')], market[symbols.indexOf(follower ?? '')]];
      assert.ok(x && y && isCointegrated(x, y));
    }
  }
  // Two assets with no relation but the factor: hardly ever, as it should be.
  const unrelated = markets.filter(([, , sol = column(0), xrp = column(0)]) => isCointegrated(sol, xrp)).length;
  assert.ok(unrelated <= 3, `${unrelated} of ${markets.length} windows found SOL and XRP cointegrated`);
});

/** Over a year of funding times: the smallest and largest value of a year, of BTC, ETH and LTC from 2020 to 2024, rounded outwards. */
const FUNDING_BANDS = {
  mean: [0.000_007, 0.000_37],
  deviation: [0.000_067, 0.000_56],
  shareAtInterest: [0.25, 0.58],
  shareNegative: [0.007, 0.35],
  autocorrelation8h: [0.58, 0.87],
  autocorrelation24h: [0.27, 0.77],
  correlationWithDay: [0.1, 0.39],
} as const;

type FundingFact = keyof typeof FUNDING_BANDS;

/** @param move log return of the last 24 hours at each funding time */
function fundingFacts(rates: readonly number[], moves: readonly number[]): Record<FundingFact, number> {
  const known = rates.map((_, row) => row).filter((row) => Number.isFinite(moves[row]));
  return {
    mean: mean(rates),
    deviation: standardDeviation(rates),
    shareAtInterest: rates.filter((rate) => rate === 0.0001).length / rates.length,
    shareNegative: rates.filter((rate) => rate < 0).length / rates.length,
    autocorrelation8h: autocorrelation(rates, 1),
    autocorrelation24h: autocorrelation(rates, 3),
    correlationWithDay: correlation(
      known.map((row) => rates[row] ?? NaN),
      known.map((row) => moves[row] ?? NaN),
    ),
  };
}

test('funding: a year of it lies in the bands of real years', () => {
  for (const symbol of ['BTC/USDT:USDT', 'LTC/USDT:USDT']) {
    const found = SEEDS.slice(0, 4).map((seed) => {
      const derivatives = syntheticDerivatives({ seed, startAt: START, timeframeMs: 15 * MINUTE_MS }, symbol);
      const [rates, moves, closes]: number[][] = [[], [], []];
      for (let bar = 0; bar < 365 * 96; bar++) {
        const { fundings, fundingRate, indexPrice, premiumRatio } = derivatives.step();
        const close = indexPrice * (1 + premiumRatio);
        closes?.push(Math.log(close));
        if (fundings === 0) continue;
        rates?.push(fundingRate[0] ?? NaN);
        moves?.push(Math.log(close) - (closes?.at(-97) ?? NaN));
      }
      return fundingFacts(rates ?? [], moves ?? []);
    });
    for (const [fact, [low, high]] of Object.entries(FUNDING_BANDS)) {
      const middle = percentile(
        found.map((of) => of[fact as FundingFact]),
        0.5,
      );
      assert.ok(
        middle >= low && middle <= high,
        `${symbol}, ${fact}: the middle of four seeds was ${middle}, real years ${low} to ${high}`,
      );
    }
  }
});

function rowsOf(file: string): string[][] {
  const text = gunzipSync(readFileSync(sharedPath(`data/${file}`))).toString();
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
}

test('the bands are those of the real bars', { skip: needs('shared data') }, () => {
  const found: Found = new Map();
  const coins = ['BTC', 'ETH', 'SOL', 'XRP', 'LTC', 'DOGE'].map(
    (coin) => new Map(rowsOf(`2_intraday/1h_spot/${coin}USDT_1h.csv.gz`).map((row) => [Date.parse(row[0] ?? ''), Number(row[4])])),
  );
  let cointegrated = 0;
  let windows = 0;
  for (let from = REAL_FROM; from + HOURS * HOUR_MS < REAL_UNTIL; from += 60 * DAY_MS) {
    const closes = coins.map((byTime) => {
      let last = NaN;
      // Hours in which the venue stood still have no bar: the last close holds.
      return Float64Array.from({ length: HOURS }, (_, hour) => (last = byTime.get(from + hour * HOUR_MS) ?? last));
    });
    measureHours(found, closes);
    const [bitcoin, ether, , , litecoin, dogecoin] = closes;
    assert.ok(bitcoin && ether && litecoin && dogecoin);
    windows += 2;
    if (isCointegrated(bitcoin, ether)) cointegrated++;
    if (isCointegrated(litecoin, dogecoin)) cointegrated++;
  }
  assert.deepEqual([cointegrated, windows], [7, 48], 'real pairs are rarely cointegrated over 60 days');
  for (const file of ['BTCUSDT_1m_2021', 'BTCUSDT_1m_2022', 'BTCUSDT_1m_2024', 'ETHUSDT_1m_2021', 'ETHUSDT_1m_2022', 'ETHUSDT_1m_2024']) {
    const rows = rowsOf(`2_intraday/1m_spot_windows/${file}.csv.gz`);
    const [close, volume] = [4, 5].map((place) => Float64Array.from(rows, (row) => Number(row[place])));
    assert.ok(close && volume);
    for (let first = 0; first + MINUTES <= rows.length; first += MINUTES) {
      measureMinutes(found, close.subarray(first, first + MINUTES), volume.subarray(first, first + MINUTES));
    }
  }
  for (const [fact, { band }] of Object.entries(FACTS)) {
    const values = found.get(fact) ?? [];
    const real = [percentile(values, 0.05), percentile(values, 0.95)];
    band.forEach((bound, index) => assert.ok(Math.abs(bound - (real[index] ?? NaN)) < 0.001, `${fact}: real were ${real.join(' to ')}`));
  }
});

test('the bands of funding are those of real years', { skip: needs('shared data') }, () => {
  const found: Record<FundingFact, number>[] = [];
  for (const coin of ['BTC', 'ETH', 'LTC']) {
    const closes = new Map(
      rowsOf(`2_intraday/1h_perp/${coin}USDT_perp_1h.csv.gz`).map((row) => [Date.parse(row[0] ?? ''), Number(row[4])]),
    );
    const funding = rowsOf(`4_funding_oi_fng/${coin}USDT_funding_8h.csv.gz`).map(
      (row) => [Date.parse(row[0] ?? ''), Number(row[1])] as const,
    );
    for (let year = 2020; year <= 2024; year++) {
      const ofYear = funding.filter(([at]) => new Date(at).getUTCFullYear() === year);
      found.push(
        fundingFacts(
          ofYear.map(([, rate]) => rate),
          ofYear.map(([at]) => Math.log((closes.get(at) ?? NaN) / (closes.get(at - DAY_MS) ?? NaN))),
        ),
      );
    }
  }
  for (const [fact, [low, high]] of Object.entries(FUNDING_BANDS)) {
    const values = found.map((of) => of[fact as FundingFact]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    assert.ok(least >= low && most <= high, `${fact}: real years were ${least} to ${most}`);
    assert.ok(
      least - low < 0.1 * (most - least) && high - most < 0.1 * (most - least),
      `${fact}: the band is wider than ${least} to ${most}`,
    );
  }
});
