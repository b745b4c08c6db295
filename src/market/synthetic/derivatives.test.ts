import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { toNumber } from '../../domain/decimal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { mean } from '../../quant/statistics.ts';
import { ALL_ASSETS } from './assets.ts';
import { syntheticDerivatives, type DerivativeStep, type SyntheticDerivatives } from './derivatives.ts';
import { syntheticMarket } from './market.ts';
import type { SyntheticMarketOptions } from './options.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const BTC = 'BTC/USDT:USDT';
const SYMBOLS = ALL_ASSETS.map(({ instrument }) => instrument.symbol);

type Copy = Omit<DerivativeStep, 'fundingAt' | 'fundingRate' | 'fundings'> & { funding: (readonly [at: number, rate: number])[] };

function take(from: SyntheticDerivatives, bars: number): Copy[] {
  return Array.from({ length: bars }, () => {
    const { fundings, fundingAt, fundingRate, ...values } = from.step();
    return {
      ...values,
      funding: Array.from({ length: fundings }, (_, index) => [fundingAt[index] ?? NaN, fundingRate[index] ?? NaN] as const),
    };
  });
}

test('last price, premium, index and mark belong together, and funding stands at every boundary with the venue formula over the premium', () => {
  const cases = fc.record({
    seed: fc.maxSafeNat(),
    symbol: fc.constantFrom(...SYMBOLS),
    timeframeMs: fc.constantFrom(MINUTE_MS, 7 * MINUTE_MS, HOUR_MS, 5 * HOUR_MS, DAY_MS),
  });
  fc.assert(
    fc.property(cases, ({ seed, symbol, timeframeMs }) => {
      const bars = Math.min(1_500, (20 * DAY_MS) / timeframeMs);
      const startAt = Math.ceil(START / timeframeMs) * timeframeMs;
      const options: SyntheticMarketOptions = { seed, startAt, timeframeMs };
      const [source] = syntheticMarket({ ...options, tradesPerBar: 0, assets: [symbol] }).sources;
      const lot = toNumber(ALL_ASSETS.find(({ instrument }) => instrument.symbol === symbol)?.instrument.lot ?? assert.fail());
      assert.ok(source);
      const steps = take(syntheticDerivatives(options, symbol), bars);
      let boundary = (Math.floor(startAt / (8 * HOUR_MS)) + 1) * 8 * HOUR_MS;
      let premiums: number[] = [];
      for (const step of steps) {
        const { at, close } = source.take();
        assert.deepEqual([step.at, step.happenedAt], [at, at]);
        assert.ok(Math.abs(step.indexPrice * (1 + step.premiumRatio) - close) < 1e-9 * close);
        assert.ok(Math.abs(step.markPrice / step.indexPrice - 1) < 0.02);
        assert.ok(step.openInterest > 0 && Math.abs(step.openInterest / lot - Math.round(step.openInterest / lot)) < 1e-4);
        const expected: [number, number | undefined][] = [];
        for (; boundary <= at; boundary += 8 * HOUR_MS) {
          const known = boundary === at ? [...premiums, step.premiumRatio] : premiums;
          expected.push([boundary, known.length === 0 ? undefined : mean(known)]);
          premiums = [];
        }
        assert.deepEqual(
          step.funding.map(([time]) => time),
          expected.map(([time]) => time),
        );
        step.funding.forEach(([, rate], index) => {
          const average = expected[index]?.[1];
          if (average === undefined) return;
          const clamped = average + Math.min(0.0005, Math.max(-0.0005, 0.0001 - average));
          assert.ok(Math.abs(rate - Math.min(0.0075, Math.max(-0.0075, clamped))) < 1e-12, `${rate} of an average of ${average}`);
        });
        // What is not settled at this close counts for the next time.
        if (expected.at(-1)?.[0] !== at) premiums.push(step.premiumRatio);
      }
    }),
    { numRuns: 40 },
  );
});

test('the premium leans with the trend, and open interest is closed by jumps and in a crash', () => {
  const bars = 200 * 24;
  const [rising, falling, jumped, still, crashed]: number[][] = [[], [], [], [], []];
  for (let seed = 0; seed < 8; seed++) {
    const options = { seed, startAt: START, timeframeMs: HOUR_MS };
    const steps = take(syntheticDerivatives(options, BTC), bars);
    const truth = groundTruth({ ...options, bars });
    const jumps = truth.assets[0]?.jump ?? assert.fail();
    for (let bar = 24; bar < bars; bar++) {
      const [step, dayBefore, before] = [steps[bar], steps[bar - 24], steps[bar - 1]];
      assert.ok(step && dayBefore && before);
      const move = Math.log(step.indexPrice / dayBefore.indexPrice);
      if (move > 0.04) rising?.push(step.premiumRatio);
      if (move < -0.04) falling?.push(step.premiumRatio);
      const change = Math.log(step.openInterest / before.openInterest);
      if (truth.regimeNames[truth.regime[bar] ?? -1] === 'crash') crashed?.push(change);
      else if (Math.abs(jumps[bar] ?? 0) > 0.01) jumped?.push(change);
      else still?.push(change);
    }
  }
  assert.ok(rising && falling && jumped && still && crashed && rising.length > 500 && falling.length > 500 && jumped.length > 50);
  assert.ok(mean(rising) - mean(falling) > 0.0003, `premium was ${mean(rising)} in rises, ${mean(falling)} in falls`);
  assert.ok(mean(jumped) < -0.04, `after a jump open interest changed by ${mean(jumped)}`);
  assert.ok(mean(crashed) < -0.03, `in an hour of crash by ${mean(crashed)}`);
  assert.ok(mean(still) > 0 && mean(still) < 0.01, `otherwise by ${mean(still)}`);
});

test('a stream saved and restored at any bar continues', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...SYMBOLS), fc.nat(900), (seed, symbol, bars) => {
      const options = { seed, startAt: START };
      const running = syntheticDerivatives(options, symbol);
      take(running, bars);
      const saved = new ByteWriter();
      running.save(saved);
      const resumed = syntheticDerivatives(options, symbol);
      resumed.restore(new ByteReader(saved.view()));
      assert.deepEqual(take(resumed, 600), take(running, 600));
    }),
    { numRuns: 20 },
  );
});

test('a delisted instrument has no mark after its last bar', () => {
  const derivatives = syntheticDerivatives(
    { seed: 1, startAt: START, timeframeMs: HOUR_MS, studies: { delistedAfterDays: 1, collapseHours: 2 } },
    'LUNA/USDT:USDT',
  );
  take(derivatives, 24);
  assert.equal(derivatives.ended, true);
  assert.throws(() => derivatives.step(), /delisted/);
});
