// The stylised facts, measured on what the sources deliver, and the truth that belongs to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { autocorrelation, correlation, halfLife, kurtosis, mean, standardDeviation } from '../../quant/statistics.ts';
import { SYNTHETIC_ASSETS } from './assets.ts';
import { syntheticMarket } from './market.ts';
import { meanDriftPerHour, REGIMES, regimeShares } from './regimes.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const DAYS = 60;
const BARS = (DAYS * DAY_MS) / MINUTE_MS;
const SEEDS = [1, 2, 3, 4];
const SYMBOLS = SYNTHETIC_ASSETS.map(({ instrument }) => instrument.symbol);

interface Path {
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** Every asset's bars over 60 days, as delivered. */
function paths(seed: number): Path[] {
  const { sources } = syntheticMarket({ seed, startAt: START, tradesPerBar: 0 });
  const made = sources.map(() => ({ close: new Float64Array(BARS), volume: new Float64Array(BARS) }));
  for (let bar = 0; bar < BARS; bar++) {
    sources.forEach((source, index) => {
      const { close, volume } = source.take();
      const path = made[index];
      assert.ok(path);
      path.close[bar] = close;
      path.volume[bar] = volume;
    });
  }
  return made;
}

/** Log returns from every `stride`-th close to the next. */
function returns(close: Float64Array, stride: number): Float64Array {
  return Float64Array.from(
    { length: Math.floor((close.length - 1) / stride) },
    (_, index) => Math.log(close[(index + 1) * stride] ?? NaN) - Math.log(close[index * stride] ?? NaN),
  );
}

const markets = SEEDS.map((seed) => ({ seed, paths: paths(seed), truth: groundTruth({ seed, startAt: START, bars: BARS }) }));

for (const { seed, paths: made, truth } of markets) {
  const hourly = made.map(({ close }) => returns(close, 60));

  test(`seed ${seed}: volatility is that of a crypto market, and clusters, and tails are fat`, () => {
    hourly.forEach((column, index) => {
      const symbol = SYMBOLS[index] ?? '';
      const annual = standardDeviation(column) * Math.sqrt(365 * 24);
      assert.ok(annual > 0.4 && annual < 1, `${symbol}: annual volatility was ${annual}`);
      assert.ok(kurtosis(column) > 4, `${symbol}: kurtosis was ${kurtosis(column)}`);
      const clustering = autocorrelation(column.map(Math.abs), 1);
      assert.ok(clustering > 0.05, `${symbol}: autocorrelation of absolute returns was ${clustering}`);
      assert.ok(Math.abs(autocorrelation(column, 1)) < 0.2, `${symbol}: returns themselves were predictable at lag 1`);
    });
  });

  test(`seed ${seed}: assets move together, and volume with the size of the move`, () => {
    hourly.forEach((left, index) => {
      for (const right of hourly.slice(index + 1)) assert.ok(correlation(left, right) > 0.3);
    });
    for (const { close, volume } of made) assert.ok(correlation(volume.subarray(1), returns(close, 1).map(Math.abs)) > 0.4);
  });

  test(`seed ${seed}: the planted pairs revert at the planted pace, in the prices too`, () => {
    assert.equal(truth.pairs.length, 2);
    for (const { leader, follower, hedgeRatio, spreadDeviation, spreadHalfLifeMs, spread } of truth.pairs) {
      const [lead, follow] = [made[SYMBOLS.indexOf(leader)], made[SYMBOLS.indexOf(follower)]];
      assert.ok(lead && follow);
      const seen = Float64Array.from(
        { length: DAYS * 24 },
        (_, hour) => Math.log(follow.close[hour * 60] ?? NaN) - hedgeRatio * Math.log(lead.close[hour * 60] ?? NaN),
      );
      const planted = Float64Array.from({ length: DAYS * 24 }, (_, hour) => spread[hour * 60] ?? NaN);
      // Two roundings to a tick apart, and a constant.
      assert.ok(correlation(seen, planted) > 0.999);
      const hours = halfLife(seen);
      const expected = spreadHalfLifeMs / HOUR_MS;
      assert.ok(hours > expected * 0.6 && hours < expected * 1.6, `${follower}: half-life was ${hours} h, planted ${expected} h`);
      const deviation = standardDeviation(seen);
      assert.ok(deviation > spreadDeviation * 0.6 && deviation < spreadDeviation * 1.6, `${follower}: spread deviation was ${deviation}`);
    }
  });

  test(`seed ${seed}: every regime is visited, and a crash is one`, () => {
    const visits = truth.regimeNames.map((_, regime) => truth.regime.filter((value) => value === regime).length);
    assert.ok(
      visits.every((count) => count > 0),
      `bars by regime were ${visits.join(', ')}`,
    );
    const crash = truth.regimeNames.indexOf('crash');
    const volatility = (wanted: (regime: number) => boolean): number =>
      mean(truth.factor.volatility.filter((_, bar) => wanted(truth.regime[bar] ?? -1)));
    assert.ok(volatility((regime) => regime === crash) > 2 * volatility((regime) => regime !== crash));
    const bitcoin = returns(made[0]?.close ?? new Float64Array(0), 1);
    const inCrash = bitcoin.filter((_, bar) => truth.regime[bar + 1] === crash);
    const share = inCrash.length / bitcoin.length;
    assert.ok(share > 0.001 && share < 0.08);
    const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
    assert.ok(sum(inCrash) < -0.03, `crashes took ${sum(inCrash)} of log price`);
  });
}

test('the truth belongs to the path: its level explains the price, its jumps are rare and its columns are full', () => {
  for (const { seed, paths: made, truth } of markets) {
    assert.deepEqual(truth.openAt.slice(0, 2), Float64Array.of(START, START + MINUTE_MS));
    const level = truth.factor.level.filter((_, bar) => bar % 60 === 0);
    const bitcoin = (made[0]?.close ?? new Float64Array(0)).filter((_, bar) => bar % 60 === 0).map(Math.log);
    assert.ok(correlation(returns(level.map(Math.exp), 1), returns(bitcoin.map(Math.exp), 1)) > 0.9);
    assert.deepEqual(
      truth.assets.map(({ symbol }) => symbol),
      SYMBOLS,
    );
    for (const { volatility, jump } of [...truth.assets, truth.factor]) {
      assert.ok(volatility.every((value) => value > 0.01 && value < 60));
      const jumps = jump.filter((value) => value !== 0).length;
      assert.ok(jumps > 10 && jumps < 400, `there were ${jumps} jumps`);
    }
    const again = syntheticMarket({ seed, startAt: START, assets: ['DOGE/USDT:USDT'] }).truth(500);
    assert.deepEqual(again, groundTruth({ seed, startAt: START, bars: 500 }), 'the truth is the whole market, whichever assets are chosen');
    assert.deepEqual(again.regime, truth.regime.slice(0, 500));
  }
});

test('the chain spends its computed shares of time in each regime, and in the long run goes nowhere', () => {
  const shares = regimeShares();
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  for (const { name, next } of REGIMES) {
    const sum = Object.values(next).reduce((total, chance) => total + chance, 0);
    assert.ok(Math.abs(sum - 1) < 1e-12, `what follows ${name} sums to ${sum}`);
  }
  const bars = 20_000;
  const visits = REGIMES.map(() => 0);
  let level = 0;
  const seeds = 12;
  for (let seed = 0; seed < seeds; seed++) {
    const truth = groundTruth({ seed, startAt: START, bars, timeframeMs: HOUR_MS });
    for (const regime of truth.regime) visits[regime] = (visits[regime] ?? 0) + 1 / bars / seeds;
    level += mean(truth.factor.level) / seeds;
  }
  shares.forEach((share, index) =>
    assert.ok(Math.abs((visits[index] ?? 0) - share) < 0.2 * share, `${REGIMES[index]?.name}: ${visits[index]} of ${share}`),
  );
  assert.ok(Math.abs(level) < 0.25, `the mean log level was ${level}`);
  assert.ok(Math.abs(meanDriftPerHour() * 8_760) < 0.5);
});
