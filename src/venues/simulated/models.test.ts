import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { amount, format, price, quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { DAY_MS } from '../../domain/time.ts';
import { FeeSchedule } from './fees.ts';
import { latencyFrom, responseFrom } from './latency.ts';
import { shareBehind, takeChange, takeTrade } from './queue.ts';
import { slippageOf } from './slippage.ts';

const STILL = { latencyJitterMs: 0, latencySeed: 1, recordedLatenciesMs: [] };
const FIRST = Array.from({ length: 20_000 }, (_, message) => message);

describe('latency', () => {
  test('is constant, and at least a millisecond', () => {
    assert.deepEqual(FIRST.slice(0, 3).map(latencyFrom(STILL, 250)), [250, 250, 250]);
    assert.equal(latencyFrom(STILL, 0)(0), 1);
  });

  test('as recorded is used in its order, and again from the first', () => {
    assert.deepEqual(FIRST.slice(0, 5).map(latencyFrom({ ...STILL, recordedLatenciesMs: [7, 90] }, 250)), [7, 90, 7, 90, 7]);
  });

  test('with jitter has the mean that was asked for on top of the constant, the long tail of an exponential, and a seed', () => {
    const rules = { ...STILL, latencyJitterMs: 40 };
    const drawn = FIRST.map(latencyFrom(rules, 10));
    const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
    assert.ok(Math.abs(mean - 50) < 1, `mean ${mean}`);
    assert.ok(drawn.every((each) => each >= 10));
    // One in e^5 is more than five means away.
    const far = drawn.filter((each) => each > 10 + 5 * 40).length / drawn.length;
    assert.ok(Math.abs(far - Math.exp(-5)) < 0.002, `tail ${far}`);
    assert.deepEqual(drawn, FIRST.map(latencyFrom(rules, 10)));
    assert.notDeepEqual(drawn, FIRST.map(latencyFrom({ ...rules, latencySeed: 2 }, 10)));
  });
});

describe('latency of answers', () => {
  const AT_ONCE = { responseLatencyMs: 0, responseJitterMs: 0, recordedResponsesMs: [], latencySeed: 1 };

  test('is none unless one is asked for', () => assert.equal(responseFrom(AT_ONCE), undefined));
  test('is constant, or as recorded', () => {
    assert.deepEqual(FIRST.slice(0, 2).map(responseFrom({ ...AT_ONCE, responseLatencyMs: 40 }) ?? assert.fail()), [40, 40]);
    assert.deepEqual(FIRST.slice(0, 3).map(responseFrom({ ...AT_ONCE, recordedResponsesMs: [0, 9] }) ?? assert.fail()), [0, 9, 0]);
  });
  test('is sampled with its mean, and not as orders are', () => {
    const rules = { ...AT_ONCE, responseLatencyMs: 5, responseJitterMs: 20 };
    const drawn = FIRST.map(responseFrom(rules) ?? assert.fail());
    const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length;
    assert.ok(Math.abs(mean - 25) < 1, `mean ${mean}`);
    assert.notDeepEqual(drawn, FIRST.map(latencyFrom({ ...STILL, latencyJitterMs: 20 }, 5)));
  });
});

describe('a place in a queue', () => {
  const MODELS = [
    { queueModel: 'risk-averse', queuePower: 1 },
    { queueModel: 'power', queuePower: 1 },
    { queueModel: 'power', queuePower: 3 },
    { queueModel: 'log', queuePower: 1 },
  ] as const;

  test('is never negative, never beyond the level, never goes back, and is never behind the risk-averse one', () => {
    const happening = fc.oneof(
      fc.record({ trade: fc.double({ min: 0, max: 10, noNaN: true }) }),
      fc.record({ total: fc.double({ min: 0, max: 30, noNaN: true }) }),
    );
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 30, noNaN: true }),
        fc.array(happening),
        fc.constantFrom(...MODELS),
        (first, happenings, rules) => {
          const place = { ahead: first, total: first, traded: 0 };
          const averse = { ...place };
          const share = shareBehind(rules);
          for (const each of happenings) {
            const before = place.ahead;
            if ('trade' in each) {
              const past = takeTrade(place, each.trade);
              takeTrade(averse, each.trade);
              assert.ok(past >= 0 && past <= each.trade);
            } else {
              takeChange(place, each.total, share);
              takeChange(averse, each.total, undefined);
              assert.ok(place.ahead <= each.total);
            }
            assert.ok(place.ahead >= 0 && place.ahead <= before);
            // Whoever believes in no cancel ahead is behind all others.
            assert.ok(place.ahead <= averse.ahead + 1e-12);
          }
        },
      ),
    );
  });
});

describe('slippage', () => {
  const of = (slippageModel: 'fixed' | 'volume-share' | 'square-root', size: number, volume: number): number =>
    slippageOf({ slippageModel, impactRatio: 0.1 }, 0.001, size, volume);

  test('fixed asks for no volume', () => assert.equal(of('fixed', 5, 0), 0.001));
  test('by volume share grows with its square: a tenth of the bar costs a hundredth of the impact', () => {
    assert.ok(Math.abs(of('volume-share', 10, 100) - 0.002) < 1e-15);
  });
  test('by the square root: a hundredth of the bar costs a tenth of the impact', () => {
    assert.ok(Math.abs(of('square-root', 1, 100) - 0.011) < 1e-15);
  });
  test('four times the quantity slips twice as far by the square root', () => {
    assert.ok(Math.abs(of('square-root', 4, 100) - 0.001 - 2 * (of('square-root', 1, 100) - 0.001)) < 1e-15);
  });
  test('more than the bar had, and a bar that had nothing, cost the whole impact', () => {
    for (const [size, volume] of [
      [200, 100],
      [1, 0],
    ] as const)
      assert.equal(of('square-root', size, volume), 0.101);
  });
});

describe('fees', () => {
  const instrument: Instrument = {
    venue: 'test',
    symbol: 'X/USDT:USDT',
    kind: 'linear',
    base: 'X',
    quote: 'USDT',
    tick: price('0.01'),
    lot: quantity('0.001'),
    minimumQuantity: quantity('0'),
    minimumNotional: amount('0'),
    takerFeeRate: 0.001,
    makerFeeRate: -0.0002,
    fundingRate: 0,
    fundingIntervalMs: 0,
  };
  const TIERS = [
    { turnover: 10_000, takerFeeRate: 0.0005, makerFeeRate: -0.0001 },
    { turnover: 1_000, takerFeeRate: 0.0008, makerFeeRate: 0 },
  ];
  const taker = (fees: FeeSchedule, day: number): string => format(fees.feeOf(0, amount('1000'), 'taker', day * DAY_MS));

  test("without tiers are the instrument's own, a rebate being negative", () => {
    const fees = new FeeSchedule([instrument], []);
    assert.equal(taker(fees, 0), '1');
    assert.equal(format(fees.feeOf(0, amount('1000'), 'maker', 0)), '-0.2');
  });

  test('follow the turnover of the thirty days before today, and not that of today', () => {
    const fees = new FeeSchedule([instrument], TIERS);
    fees.traded(amount('999'), 3 * DAY_MS);
    assert.equal(taker(fees, 4), '1');
    fees.traded(amount('1'), 4 * DAY_MS);
    assert.equal(taker(fees, 4), '1');
    assert.equal(taker(fees, 5), '0.8');
    fees.traded(amount('9000'), 10 * DAY_MS);
    assert.equal(taker(fees, 11), '0.5');
    // Day 3 falls out first, then day 4, then day 10.
    assert.equal(taker(fees, 33), '0.5');
    assert.equal(taker(fees, 34), '0.8');
    assert.equal(taker(fees, 40), '0.8');
    assert.equal(taker(fees, 41), '1');
  });

  test('forget a month in which nothing was traded', () => {
    const fees = new FeeSchedule([instrument], TIERS);
    fees.traded(amount('50000'), DAY_MS);
    assert.equal(taker(fees, 2), '0.5');
    assert.equal(taker(fees, 500), '1');
  });

  test('are saved with the tier of today', () => {
    const fees = new FeeSchedule([instrument], TIERS);
    fees.traded(amount('5000'), DAY_MS);
    assert.equal(taker(fees, 2), '0.8');
    const out = new ByteWriter();
    fees.save(out);
    const again = new FeeSchedule([instrument], TIERS);
    again.restore(new ByteReader(out.view()));
    for (const day of [2, 30, 31, 32]) assert.equal(taker(again, day), taker(fees, day));
  });
});
