import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { amount, price, quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { MINUTE_MS } from '../../domain/time.ts';
import { align } from './align.ts';
import { compareRuns } from './compare.ts';
import type { Execution, RunRecord } from './run-record.ts';

const SYMBOL = 'BTC/USDT:USDT';
const instrument: Instrument = {
  venue: 'test',
  symbol: SYMBOL,
  kind: 'linear',
  base: 'BTC',
  quote: 'USDT',
  tick: price('0'),
  lot: quantity('0'),
  minimumQuantity: quantity('0'),
  minimumNotional: amount('0'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.001,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

function order(more: Partial<Execution> = {}): Execution {
  const at = more.at ?? 10 * MINUTE_MS;
  const filled = more.filled ?? more.quantity ?? 2;
  return {
    order: 'o',
    symbol: SYMBOL,
    side: 'buy',
    role: 'target',
    type: 'market',
    at,
    sentAt: at,
    quantity: 2,
    reference: 100,
    equity: 10_000,
    filled,
    fills: filled === 0 ? 0 : 1,
    price: 100,
    fee: 0.001 * filled * 100,
    firstFillAt: at + 1,
    lastFillAt: at + 1,
    refusal: '',
    ...more,
  };
}

function runOf(executions: readonly Execution[], more: Partial<RunRecord> = {}): RunRecord {
  return {
    runId: 'r',
    instruments: [instrument],
    baseTimeframeMs: MINUTE_MS,
    timeframeMs: 5 * MINUTE_MS,
    from: 0,
    to: 10_000 * MINUTE_MS,
    executions: executions.toSorted((left, right) => left.at - right.at),
    refusals: [],
    bars: new Map(),
    standstills: [],
    crossings: 0,
    ...more,
  };
}

const anyOrder: fc.Arbitrary<Execution> = fc
  .record({
    minute: fc.nat(60),
    side: fc.constantFrom('buy', 'sell'),
    role: fc.constantFrom('target', 'stop', 'disaster'),
    quantity: fc.double({ min: 0.1, max: 9, noNaN: true }),
    share: fc.constantFrom(0, 0.5, 1, 1, 1),
    price: fc.double({ min: 90, max: 110, noNaN: true }),
  })
  .map(({ minute, share, ...more }) =>
    order({
      ...more,
      at: minute * MINUTE_MS,
      filled: share * more.quantity,
      ...(share === 0 ? { price: NaN, firstFillAt: NaN, lastFillAt: NaN } : {}),
    }),
  );
const anyRun = fc.array(anyOrder, { maxLength: 12 }).map((executions) => runOf(executions));

describe('alignment', () => {
  test('every order is in one pair, of its symbol, side and kind, within the tolerance, and no two pairs cross', () => {
    fc.assert(
      fc.property(anyRun, anyRun, ({ executions: a }, { executions: b }) => {
        const pairs = align(a, b, 3 * MINUTE_MS);
        assert.deepEqual(new Set(pairs.flatMap((pair) => pair.a ?? [])), new Set(a));
        assert.deepEqual(new Set(pairs.flatMap((pair) => pair.b ?? [])), new Set(b));
        assert.equal(pairs.length, a.length + b.length - pairs.filter((pair) => pair.a !== undefined && pair.b !== undefined).length);
        const last = new Map<string, number>();
        for (const pair of pairs
          .filter((each) => each.a !== undefined)
          .toSorted((left, right) => a.indexOf(left.a ?? order()) - a.indexOf(right.a ?? order()))) {
          if (pair.a === undefined || pair.b === undefined) continue;
          const kind = pair.a.role === 'target';
          assert.deepEqual([pair.b.symbol, pair.b.side, pair.b.role === 'target'], [pair.a.symbol, pair.a.side, kind]);
          assert.ok(Math.abs(pair.a.at - pair.b.at) <= 3 * MINUTE_MS);
          const key = `${pair.a.side} ${kind}`;
          assert.ok(pair.b.at >= (last.get(key) ?? -Infinity));
          last.set(key, pair.b.at);
        }
      }),
    );
  });

  test('the nearest in time are a pair, not the first', () => {
    const [early, late] = [order({ at: 0 }), order({ at: 4 * MINUTE_MS })];
    const other = order({ at: 3 * MINUTE_MS });
    assert.deepEqual(align([early, late], [other], 5 * MINUTE_MS), [
      { a: early, b: undefined },
      { a: late, b: other },
    ]);
  });
});

describe('the score', () => {
  test('is in [0, 1], 1 for a run and itself, and the same from both sides', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (a, b) => {
        const { parity } = compareRuns(a, b);
        if (parity === null) assert.equal(a.executions.length + b.executions.length, 0);
        else assert.ok(parity >= 0 && parity <= 1, `${parity}`);
        assert.ok(Math.abs((compareRuns(b, a).parity ?? 0) - (parity ?? 0)) < 1e-12);
        const own = compareRuns(a, a);
        assert.equal(own.parity, a.executions.length === 0 ? null : 1);
        assert.deepEqual(own.differences, []);
      }),
    );
  });

  test('by hand: half of the quantity, half a percent of price, half a bar late, half without a counterpart', () => {
    const one = order();
    const scored = (other: Execution): number => compareRuns(runOf([one]), runOf([other])).parity ?? NaN;
    assert.equal(scored(order({ filled: 1 })), 0.5);
    assert.ok(Math.abs(scored(order({ price: 100.5, fee: 0.201 })) - (1 - 0.5 / 1.005)) < 1e-9);
    assert.ok(Math.abs(scored(order({ lastFillAt: one.lastFillAt + 2.5 * MINUTE_MS })) - 0.5) < 1e-12);
    assert.equal(compareRuns(runOf([one, order({ at: 60 * MINUTE_MS })]), runOf([one])).parity, 0.5);
    assert.equal(compareRuns(runOf([]), runOf([])).parity, null);
  });
});

describe('causes that a backtest hardly shows', () => {
  const causeOf = (a: RunRecord, b: RunRecord): string =>
    compareRuns(a, b)
      .differences.map(({ findings: [{ cause, words }] }) => `${cause}: ${words}`)
      .join();

  test('gate two did not let an order out', () => {
    const refusals = [{ at: 10 * MINUTE_MS, symbol: SYMBOL, rule: 'collar', why: 'too far from the mark' }];
    assert.equal(
      causeOf(runOf([order()]), runOf([], { refusals })),
      'rejected order: the second run did not let it out: collar, too far from the mark',
    );
  });

  test('a pause, as long as it lasts', () => {
    const standstills = [{ from: 5 * MINUTE_MS, to: 20 * MINUTE_MS, cause: 'a pause: daily loss' }];
    assert.match(causeOf(runOf([]), runOf([order()], {})), /^opinion: the first run did not want it$/);
    assert.match(causeOf(runOf([], { standstills }), runOf([order()])), /^halt: the first run stood still because of a pause: daily loss$/);
    assert.match(causeOf(runOf([], { standstills }), runOf([order({ at: 30 * MINUTE_MS })])), /^opinion/);
  });

  test('a feed that is late by less than a bar', () => {
    const late = order({ at: 10 * MINUTE_MS + 350 });
    assert.equal(causeOf(runOf([order()]), runOf([late])), 'latency: the second run decided 350 ms later');
  });

  test('a stop whose level moved with its entry', () => {
    const stop = (reference: number): Execution =>
      order({ role: 'stop', side: 'sell', type: 'stop', reference, price: reference * 0.999, fee: 0 });
    assert.match(causeOf(runOf([stop(95)]), runOf([stop(95.5)])), /^carried over: .*triggers stood at 95 and 95\.5$/);
    const slipped = order({ role: 'stop', side: 'sell', type: 'stop', reference: 95, price: 94, fee: 0 });
    assert.match(causeOf(runOf([stop(95)]), runOf([slipped])), /^price: .* slipped 10\.00 bp and 105\.26 bp$/);
  });

  test('the weightiest comes first, and what begins comes before what follows', () => {
    const smaller = order({ quantity: 0.5, filled: 0.5, fee: 0.05, price: 100.1, equity: 2_500 });
    const [difference] = compareRuns(runOf([order()]), runOf([smaller])).differences;
    assert.deepEqual(
      difference?.findings.map(({ cause }) => cause),
      ['carried over', 'price', 'fee'].slice(0, difference?.findings.length),
    );
    assert.equal(difference?.findings[0].lost, 0.75);
  });
});
