import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  price,
  quantity,
  roundToStep,
  signOf,
  subtract,
  toNumber,
  ZERO_QUANTITY,
  type Quantity,
} from '../domain/decimal.ts';
import { layOut, type PortfolioView, type Sleeve } from '../domain/sleeve.ts';
import { testInstrument } from '../../test/support/scripted-venue.ts';
import { isDust, plan, sideOf, stopOrder, type PlanInput } from './planner.ts';

const SLEEVES: readonly Sleeve[] = ['a', 'b', 'c'].map((name) => ({ name, shareRatio: 0.3, instruments: [0], sources: [] }));
const HOLDINGS = layOut(SLEEVES, 1);
const X = testInstrument('X');

function input(target: readonly string[], held: readonly string[], pending: readonly string[] = ['0', '0', '0'], mark = 100): PlanInput {
  const quantities = held.map((text) => quantity(text));
  const portfolio: PortfolioView = {
    quantity: quantities,
    held: Float64Array.from(quantities, toNumber),
    net: [quantities.reduce(add, ZERO_QUANTITY)],
    entryPrice: new Float64Array(3),
    cash: [],
    equity: 1,
  };
  return {
    instruments: [X],
    holdings: HOLDINGS,
    target: target.map((text) => quantity(text)),
    pending: pending.map((text) => quantity(text)),
    portfolio,
    mark: Float64Array.of(mark),
    rebalanceBandRatio: 0.05,
  };
}

test('nothing is planned when everything is there or on its way', () => {
  assert.equal(plan(input(['1', '0', '-1'], ['1', '0', '0'], ['0', '0', '-1']), 0), undefined);
});

test('an instrument that does not exist is not planned', () => {
  assert.equal(plan({ ...input(['1', '0', '0'], ['0', '0', '0']), instruments: [] }, 0), undefined);
  assert.equal(plan(input(['1', '0', '0'], ['0', '0', '0']), 5), undefined);
});

test('what is on its way counts, so that the difference alone is ordered', () => {
  const planned = plan(input(['3', '0', '0'], ['1', '0', '0'], ['0.5', '0', '0']), 0);
  assert.equal(format(planned?.quantity ?? ZERO_QUANTITY), '1.5');
});

test('a difference below the lot is not ordered', () => {
  assert.equal(plan(input(['0', '0', '0'], ['0.0004', '0', '0']), 0), undefined);
});

test('sides, dust and protective stops', () => {
  assert.equal(sideOf(quantity('-1')), 'sell');
  const dear = testInstrument('X', { minimumNotional: amount('10'), minimumQuantity: quantity('0.01') });
  assert.equal(isDust(dear, quantity('0.009'), 100, true), true);
  assert.equal(isDust(dear, quantity('-0.05'), 100, false), true);
  assert.equal(isDust(dear, quantity('-0.05'), 100, true), false);
  assert.equal(isDust(dear, quantity('0.1'), 100, false), false);
  assert.equal(isDust(dear, quantity('0.05'), NaN, false), false);
  const stop = stopOrder('1-1', 1, 0, quantity('-2'), price('95'), [], true);
  assert.deepEqual([stop.side, format(stop.quantity), stop.role, stop.reduceOnly], ['sell', '2', 'disaster', true]);
});

const lots = fc.integer({ min: -2_000, max: 2_000 }).map((count) => (count * 0.001).toFixed(3));
const three = fc.tuple(lots, lots, lots);

test('a crossing sums to zero, shares sum to the order, and everyone gets what they want in whole lots', () => {
  fc.assert(
    fc.property(three, three, three, (target, held, pending) => {
      const given = input(target, held, pending);
      const planned = plan(given, 0);
      const after = held.map((text, holding) => add(quantity(text), quantity(pending[holding] ?? '0')));
      const take = (parts: readonly { sleeve: number; quantity: Quantity }[]): void => {
        for (const part of parts) {
          assert.equal(compare(roundToStep(part.quantity, X.lot), part.quantity), 0);
          after[part.sleeve] = add(after[part.sleeve] ?? ZERO_QUANTITY, part.quantity);
        }
      };
      if (planned !== undefined) {
        assert.ok(isZero(planned.crossing.reduce((sum, part) => add(sum, part.quantity), ZERO_QUANTITY)));
        assert.equal(format(planned.shares.reduce((sum, part) => add(sum, part.quantity), ZERO_QUANTITY)), format(planned.quantity));
        assert.ok(
          planned.shares.every((share) => signOf(share.quantity) === signOf(planned.quantity)),
          'nobody trades against the order',
        );
        assert.equal(planned.crossing.length === 0, planned.crossingPrice === undefined);
        take(planned.crossing);
        take(planned.shares);
      }
      after.forEach((quantityThen, holding) => {
        const wanted = quantity(target[holding] ?? '0');
        const drift = toNumber(absolute(subtract(wanted, quantityThen)));
        // Inside the band nothing is done; outside it everything.
        assert.ok(drift === 0 || drift < 0.05 * Math.abs(toNumber(wanted)));
      });
    }),
    { numRuns: 500 },
  );
});
