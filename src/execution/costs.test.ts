import assert from 'node:assert/strict';
import { test } from 'node:test';
import { price, quantity } from '../domain/decimal.ts';
import { testInstrument } from '../../test/support/scripted-venue.ts';
import { expectedCostRatio, roundTripCostRatio } from './costs.ts';
import { marketOrder, stopOrder } from './planner.ts';

test('at the market the taker fee and the slippage, at rest the maker fee, and of a protective stop nothing is expected', () => {
  const instrument = testInstrument('X', { takerFeeRate: 0.0006, makerFeeRate: -0.0001 });
  const order = marketOrder('1-1', 1, 0, quantity('1'), [], false, []);
  assert.equal(expectedCostRatio(order, instrument, 0.0005), 0.0006 + 0.0005);
  for (const type of ['limit', 'post-only'] as const) {
    assert.equal(expectedCostRatio({ ...order, type, limitPrice: price('100') }, instrument, 0.0005), -0.0001);
  }
  assert.equal(expectedCostRatio(stopOrder('1-2', 1, 0, quantity('-1'), price('95'), [], false), instrument, 0.0005), NaN);
});

test('a round trip costs fee, half the spread and slippage twice in every leg, by its ratio, and nothing in one that is left out', () => {
  const instruments = [0.001, 0.0005, 0.01].map((takerFeeRate, index) => testInstrument(`X${index}`, { takerFeeRate }));
  assert.equal(roundTripCostRatio([1], [1], instruments, 0.0005, [0, 0, 0]), 2 * 0.001);
  assert.equal(roundTripCostRatio([-1], [0], instruments, 0, [0, 0, 0]), 2 * 0.001);
  // 2 x (1 x 0.15 % + 0.5 x 0.1 %).
  assert.ok(Math.abs(roundTripCostRatio([1, -0.5, 0], [0, 1, 2], instruments, 0.0005, [0, 0, 0]) - 0.004) < 1e-15);
  assert.ok(Math.abs(roundTripCostRatio([1, -0.5, 0], [0, 1, 2], instruments, 0.0005, [0.0002, 0.0004, 0.1]) - 0.0048) < 1e-15);
});
