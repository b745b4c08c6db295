import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakEvenFee, type CostPoint } from './cost-sensitivity.ts';

function point(feeRate: number, totalReturn: number): CostPoint {
  return { feeRate, totalReturn, sharpe: null, trades: 1 };
}

test('the edge dies on the line between the last fee that it survives and the first that it does not', () => {
  assert.equal(breakEvenFee([point(0, 0.4), point(0.001, 0.1), point(0.002, -0.1)]), 0.0015);
  assert.equal(breakEvenFee([point(0, 0.4), point(0.001, 0)]), 0.001);
});

test('one that lives again at a higher fee has died once', () => {
  assert.equal(breakEvenFee([point(0, 0.2), point(0.001, -0.2), point(0.002, 0.1)]), 0.0005);
});

test('one that grows nowhere dies at nothing, one that grows everywhere nowhere', () => {
  assert.equal(breakEvenFee([point(0, -0.01), point(0.001, -0.2)]), 0);
  assert.equal(breakEvenFee([point(0, 0.3), point(0.001, 0.2)]), undefined);
});
