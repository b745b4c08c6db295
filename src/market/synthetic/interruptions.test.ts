import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MarketEvent } from '../../domain/event.ts';
import { HOUR_MS, MINUTE_MS, NEVER } from '../../domain/time.ts';
import { BallastError } from '../../domain/errors.ts';
import { Random } from '../../quant/random.ts';
import { holdsMarketSourceContract } from '../../../test/contracts/market-source.contract.ts';
import { interruptedMarket, interruptionTruth } from './interruptions.ts';
import { syntheticMarket } from './market.ts';
import type { SyntheticMarketOptions } from './options.ts';
import { Spells } from './spells.ts';

const START = Date.UTC(2026, 0, 1);
/** Often enough to be seen. */
const OFTEN = { outageEveryHours: 2, outageMinutes: 15, gapEveryHours: 3, gapBars: 4 };

holdsMarketSourceContract('the synthetic market with interruptions', () => {
  const market = interruptedMarket({ seed: 3, startAt: START, assets: ['ETH/USDT:USDT'], interruptions: OFTEN });
  const [source] = market.sources;
  if (source === undefined) throw new Error('the market has the asset that was asked for');
  return { source, state: market };
});

test('every event comes when it happened, or at the end of the outage that it happened in, or, in a gap, never', () => {
  const cases = fc.record({
    seed: fc.maxSafeNat(),
    tradesPerBar: fc.constantFrom(0, 4),
    timeframeMs: fc.constantFrom(MINUTE_MS, 5 * MINUTE_MS),
    assets: fc.constantFrom(['BTC/USDT:USDT'], ['XRP/USDT:USDT', 'BTC/USDT:USDT']),
  });
  fc.assert(
    fc.property(cases, (options) => {
      const given: SyntheticMarketOptions = { ...options, startAt: START, interruptions: OFTEN };
      const bars = 600;
      const truth = interruptionTruth(given, bars);
      const [whole, broken] = [syntheticMarket(given), interruptedMarket(given)];
      let [late, lost] = [0, 0];
      whole.instruments.forEach(({ symbol }, index) => {
        const [source, faulty] = [whole.sources[index], broken.sources[index]];
        const gaps = truth.gaps.get(symbol);
        assert.ok(source && faulty && gaps);
        let last = 0;
        for (let bar = 0; bar < bars; bar++) {
          const openAt = START + bar * options.timeframeMs;
          for (let part = 0; part <= options.tradesPerBar; part++) {
            const event: MarketEvent = { ...source.take() };
            if (gaps.some(({ from, until }) => openAt >= from && openAt < until)) {
              lost++;
              continue;
            }
            const outage = truth.outages.find(({ from, until }) => event.at >= from && event.at < until);
            if (outage !== undefined) late++;
            const expected = { ...event, at: outage?.until ?? event.at };
            assert.equal(faulty.peekAt(), expected.at);
            assert.deepEqual({ ...faulty.take() }, expected);
            assert.ok(expected.at >= last);
            last = expected.at;
          }
        }
      });
      assert.ok(late > 0 && lost > 0, `${late} late, ${lost} lost`);
    }),
    { numRuns: 20 },
  );
});

test('without interruptions the feed is the market', () => {
  const options = { seed: 8, startAt: START, interruptions: { outageEveryHours: 0, gapEveryHours: 0 } };
  const [whole, same] = [syntheticMarket(options), interruptedMarket(options)];
  assert.deepEqual(interruptionTruth(options, 1e6), { outages: [], gaps: new Map(whole.instruments.map(({ symbol }) => [symbol, []])) });
  for (let taken = 0; taken < 500; taken++) {
    whole.sources.forEach((source, index) => assert.deepEqual({ ...same.sources[index]?.take() }, { ...source.take() }));
  }
});

test('an interrupted instrument that is delisted ends', () => {
  const studies = { delistedAfterDays: 1, collapseHours: 2 };
  const { sources } = interruptedMarket({ seed: 1, startAt: START, assets: ['LUNA/USDT:USDT'], studies, interruptions: OFTEN });
  const [source] = sources;
  assert.ok(source);
  let taken = 0;
  for (; source.peekAt() !== NEVER; taken++) source.take();
  assert.ok(taken > 1440 && taken < 1440 * 5);
  assert.deepEqual([source.ended, source.nextBar()], [true, undefined]);
});

test('a spell lies in its stretch and on its steps, has its length, and all of them are those that are found one by one', () => {
  const paces = fc.record({ everySteps: fc.integer({ min: 40, max: 500 }), meanSteps: fc.integer({ min: 1, max: 20 }), odd: fc.nat(999) });
  fc.assert(
    fc.property(fc.maxSafeNat(), paces, (seed, { everySteps, meanSteps, odd }) => {
      const stepMs = 1_000;
      // Not a multiple of the step, as 72 hours are none of a bar of seven minutes.
      const everyMs = everySteps * stepMs + odd;
      const spells = new Spells(new Random(seed), { everyMs, lengthMs: meanSteps * stepMs, stepMs });
      const all = spells.before(10 * everyMs);
      assert.equal(all.length, 10);
      all.forEach(({ fromMs, untilMs }, index) => {
        assert.ok(fromMs >= index * everyMs && untilMs <= (index + 1) * everyMs, 'in its stretch');
        assert.ok(fromMs % stepMs === 0 && untilMs % stepMs === 0);
        const steps = (untilMs - fromMs) / stepMs;
        assert.ok(steps >= 1 && steps >= 0.5 * meanSteps - 0.5 && steps <= 1.5 * meanSteps + 0.5);
        // One may end on the last step of its stretch and the next begin on the first of its own.
        const [before, after] = [all[index - 1]?.untilMs === fromMs ? index - 1 : -1, all[index + 1]?.fromMs === untilMs ? index + 1 : -1];
        assert.deepEqual(
          [fromMs - 1, fromMs, untilMs - 1, untilMs].map((time) => spells.spellAt(time)),
          [before, index, index, after],
        );
        assert.equal(spells.untilOf(index), untilMs);
      });
    }),
  );
});

test('interruptions that do not fit are refused by name', () => {
  const wrong: readonly (readonly [SyntheticMarketOptions['interruptions'], RegExp])[] = [
    [{ outageEveryHours: 1, outageMinutes: 50 }, /interruptions\.outageMinutes: found 50, expected at most two thirds/],
    [{ gapEveryHours: 1, gapBars: 50 }, /interruptions\.gapBars: found 50, expected at most two thirds/],
    [{ gapBars: -1 }, /interruptions\.gapBars: found -1, expected a number from 1 to 10000/],
  ];
  for (const [interruptions, message] of wrong) {
    assert.throws(
      () => interruptedMarket({ seed: 1, startAt: START, interruptions }),
      (error) => error instanceof BallastError && message.test(error.message),
    );
  }
  // A bar of a day has no room for five of them in five days, but a market without interruptions does not ask.
  syntheticMarket({ seed: 1, startAt: START, timeframeMs: 24 * HOUR_MS });
});
