// The assets for studies: a pair that breaks, one that lags, one that is delisted. Each against what is known of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { BallastError } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, NEVER } from '../../domain/time.ts';
import { correlation, standardDeviation } from '../../quant/statistics.ts';
import { dickeyFullerCritical } from '../../quant/unit-root-distribution.ts';
import { augmentedDickeyFuller } from '../../quant/unit-root.ts';
import { STUDY_ASSETS } from './assets.ts';
import { syntheticMarket, type SyntheticMarket } from './market.ts';
import type { SyntheticMarketOptions } from './options.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const [AVAX = '', ADA = '', LUNA = ''] = STUDY_ASSETS.map(({ instrument }) => instrument.symbol);
const SEEDS = [1, 2, 3, 4];

/** Log closes of each bar, by instrument. */
function closes(options: Partial<SyntheticMarketOptions>, bars: number): Float64Array[] {
  const { sources } = syntheticMarket({ seed: 1, startAt: START, tradesPerBar: 0, ...options });
  const columns = sources.map(() => new Float64Array(bars));
  for (let bar = 0; bar < bars; bar++)
    sources.forEach((source, index) => columns[index]?.fill(Math.log(source.take().close), bar, bar + 1));
  return columns;
}

function changes(column: Float64Array): Float64Array {
  return column.subarray(1).map((value, row) => value - (column[row] ?? NaN));
}

/** Correlation of the follower's change with the leader's, `lag` bars before. */
function correlationAt(leader: Float64Array, follower: Float64Array, lag: number): number {
  return correlation(changes(leader).subarray(0, -20), changes(follower).subarray(lag, lag - 20 === 0 ? undefined : lag - 20));
}

test("a pair's relation breaks when it is said to, and holds before and after", () => {
  const timeframeMs = HOUR_MS;
  const bars = 60 * 24;
  let [stretches, reverting, wandering] = [0, 0, 0];
  const seeds = Array.from({ length: 16 }, (_, seed) => seed);
  const reverts = (column: Float64Array): boolean => {
    const { statistic, observations } = augmentedDickeyFuller(column, 1);
    return statistic < dickeyFullerCritical(1, 0.05, observations);
  };
  for (const seed of seeds) {
    const [leader, follower] = closes({ seed, timeframeMs, assets: ['SOL/USDT:USDT', AVAX] }, bars);
    const [pair] = groundTruth({ seed, startAt: START, timeframeMs, bars }).brokenPairs;
    assert.ok(leader && follower && pair);
    assert.deepEqual([pair.leader, pair.follower], ['SOL/USDT:USDT', AVAX]);
    assert.equal(pair.breaks.length, 3, 'one in every 20 days');
    const residual = follower.map((value, bar) => value - pair.hedgeRatio * (leader[bar] ?? NaN));
    const isBroken = Array.from({ length: bars }, (_, bar) => {
      const openAt = START + bar * timeframeMs;
      return pair.breaks.some(({ from, until }) => openAt >= from && openAt < until);
    });
    // The constant moves in a break and nowhere else.
    for (let bar = 1; bar < bars; bar++) {
      assert.equal(pair.anchor[bar] !== pair.anchor[bar - 1], isBroken[bar], `bar ${bar}`);
    }
    // Between two breaks the spread reverts, where there is enough of it to tell.
    for (let first = 0; first < bars;) {
      let end = first;
      while (end < bars && isBroken[end] === isBroken[first]) end++;
      if (isBroken[first] === false && end - first >= 200) {
        stretches++;
        if (reverts(residual.slice(first, end))) reverting++;
        assert.ok(standardDeviation(residual.subarray(first, end)) < 0.03);
      }
      first = end;
    }
    // Over all of it, with three breaks inside, it does not.
    if (!reverts(residual)) wandering++;
    for (const { from, until } of pair.breaks) {
      const at = (time: number): number => pair.anchor[Math.min(bars - 1, (time - START) / timeframeMs)] ?? NaN;
      assert.ok(Math.abs(at(until) - at(from)) > 0.02, `the constant moved by ${at(until) - at(from)}`);
    }
  }
  assert.ok(stretches > 30 && reverting / stretches > 0.9, `${reverting} of ${stretches} stretches reverted`);
  assert.ok(wandering / seeds.length > 0.9, `${wandering} of ${seeds.length} whole paths did not`);
});

for (const seed of SEEDS) {
  test(`seed ${seed}: the lagging asset does what its leader did three bars before, and knows nothing of it earlier`, () => {
    const bars = 5 * 1440;
    const [leader, follower] = closes({ seed, assets: ['BTC/USDT:USDT', ADA] }, bars);
    assert.ok(leader && follower);
    const [lead] = groundTruth({ seed, startAt: START, bars: 10 }).leads;
    assert.deepEqual(lead, { leader: 'BTC/USDT:USDT', follower: ADA, lagMs: 3 * MINUTE_MS, beta: 1 });
    const found = [0, 1, 2, 3, 4, 5, 6].map((lag) => correlationAt(leader, follower, lag));
    found.forEach((value, lag) => {
      if (lag === 3) assert.ok(value > 0.5, `at lag 3 the correlation was ${value}`);
      else assert.ok(Math.abs(value) < 0.12, `at lag ${lag} the correlation was ${value}`);
    });
    const [otherLeader, other] = closes({ seed, assets: ['BTC/USDT:USDT', ADA], studies: { lagBars: 1 } }, bars);
    assert.ok(otherLeader && other);
    assert.ok(correlationAt(otherLeader, other, 1) > 0.5);
  });

  test(`seed ${seed}: the doomed asset collapses and is then gone, while the market goes on`, () => {
    const studies = { delistedAfterDays: 10, collapseHours: 48 };
    const market = syntheticMarket({ seed, startAt: START, tradesPerBar: 0, assets: [LUNA, 'BTC/USDT:USDT'], studies });
    const [doomed, other] = market.sources;
    assert.ok(doomed && other);
    const [truth] = groundTruth({ seed, startAt: START, bars: 1, studies }).delistings;
    assert.deepEqual(truth, { symbol: LUNA, collapseFrom: START + 8 * DAY_MS, at: START + 10 * DAY_MS });
    let [before, last, lastAt] = [NaN, NaN, NaN];
    while (other.peekAt() < START + 12 * DAY_MS) {
      if (doomed.peekAt() <= other.peekAt()) {
        const { at, close } = doomed.take();
        if (at <= truth.collapseFrom) before = close;
        [last, lastAt] = [close, at];
      } else other.take();
    }
    assert.equal(lastAt, truth.at);
    assert.ok(last < 0.2 * before, `it fell from ${before} to ${last}`);
    assert.deepEqual([doomed.ended, doomed.peekAt(), doomed.nextBar(), other.ended], [true, NEVER, undefined, false]);
  });
}

test('a market with all of them is saved and restored at any place, ended sources too', () => {
  const takeNext = ({ sources }: SyntheticMarket): unknown => {
    const first = sources.reduce((earliest, source) => (source.peekAt() < earliest.peekAt() ? source : earliest));
    return { ...first.take() };
  };
  const saved = (market: SyntheticMarket): Uint8Array<ArrayBuffer> => {
    const out = new ByteWriter();
    market.save(out);
    return out.view().slice();
  };
  fc.assert(
    fc.property(fc.nat(), fc.nat(900), fc.constantFrom(1, 7), (seed, taken, lagBars) => {
      const options = {
        seed,
        startAt: START,
        timeframeMs: HOUR_MS,
        assets: [AVAX, ADA, LUNA, 'ETH/USDT:USDT'],
        studies: { breakEveryDays: 1, breakHours: 6, delistedAfterDays: 1, collapseHours: 3, lagBars },
      };
      const running = syntheticMarket(options);
      for (let event = 0; event < taken; event++) takeNext(running);
      const resumed = syntheticMarket(options);
      resumed.restore(new ByteReader(saved(running)));
      assert.deepEqual(saved(resumed), saved(running));
      for (let event = 0; event < 100; event++) assert.deepEqual(takeNext(resumed), takeNext(running));
      assert.throws(
        () => syntheticMarket({ ...options, studies: { ...options.studies, breakHours: 5 } }).restore(new ByteReader(saved(running))),
        (error) => error instanceof BallastError && error.code === 'SYNTHETIC_STATE_MISMATCH',
      );
    }),
    { numRuns: 25 },
  );
});

test('choosing them, or other parameters for them, changes nothing of the default market', () => {
  const plain = closes({ assets: ['SOL/USDT:USDT', 'BTC/USDT:USDT'] }, 500);
  const studies = { breakEveryDays: 1, breakHours: 4, lagBars: 9, breakDriftPerHour: 0.01 };
  assert.deepEqual(closes({ assets: ['SOL/USDT:USDT', 'BTC/USDT:USDT', AVAX, ADA, LUNA], studies }, 500).slice(0, 2), plain);
});

test('parameters that cannot be are refused by name', () => {
  const wrong: readonly (readonly [Partial<SyntheticMarketOptions>, RegExp])[] = [
    [{ studies: { lagBars: 0 } }, /studies\.lagBars: found 0, expected a whole number from 1 to 1440/],
    [{ studies: { lagBars: 1.5 } }, /studies\.lagBars: found 1\.5/],
    [{ studies: { breakHours: NaN } }, /studies\.breakHours: found NaN/],
    [{ studies: { breakHours: 400 } }, /studies\.breakHours: found 400, expected at most two thirds of breakEveryDays/],
    [{ studies: { delistedAfterDays: 1 } }, /studies\.collapseHours: found 72, expected at most delistedAfterDays/],
    [{ book: { levels: 1 } }, /book\.levels: found 1, expected a whole number from 2 to 200/],
    [{ headlines: { decoyShare: 1 } }, /headlines\.decoyShare: found 1, expected a number from 0 to 0\.95/],
    [{ onChain: { lag: 3 } as object }, /onChain\.lag: found an option, expected one of periodHours/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => syntheticMarket({ seed: 1, startAt: START, ...options }),
      (error) => error instanceof BallastError && error.exitCode === 2 && message.test(error.message),
    );
  }
});
