import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  add,
  amount,
  format,
  isZero,
  negate,
  notional,
  price,
  quantity,
  signOf,
  subtract,
  ZERO_AMOUNT,
  type Amount,
} from '../../domain/decimal.ts';
import { Position } from './position.ts';

test('opened, added to, closed in part, flipped: cost, result and fees of each', () => {
  const position = new Position();
  position.trade(quantity('2'), price('100'), amount('0.2'), 1);
  position.trade(quantity('2'), price('110'), amount('0.22'), 2);
  assert.equal(format(position.cost), '420');
  const part = position.trade(quantity('-1'), price('120'), amount('0.12'), 3);
  assert.deepEqual(
    [format(part.entryValue), format(part.exitValue), format(part.result), format(part.openFee)],
    ['105', '120', '15', '0.105'],
  );
  const flip = position.trade(quantity('-5'), price('100'), amount('0.5'), 4);
  assert.deepEqual([format(flip.quantity), format(flip.result), format(flip.closeFee)], ['3', '-15', '0.3']);
  assert.deepEqual([format(position.quantity), format(position.cost), position.openedAt], ['-2', '-200', 4]);
  assert.equal(format(position.realised), '-0.2', 'the new position has only its fee');
  assert.equal(format(position.everRealised), '-1.04');
  const end = position.trade(quantity('2'), price('90'), amount('0.18'), 5);
  assert.deepEqual([format(end.result), format(end.openFee), position.side], ['20', '0.2', 0]);
});

test('money in and out is result and cost, to the last digit, whatever is traded', () => {
  const trade = fc.record({
    lots: fc.integer({ min: -5_000, max: 5_000 }).filter((lots) => lots !== 0),
    ticks: fc.integer({ min: 1, max: 1_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(trade, { minLength: 1, maxLength: 30 }), (trades) => {
      const position = new Position();
      let cash: Amount = ZERO_AMOUNT;
      let openFees: Amount = ZERO_AMOUNT;
      trades.forEach(({ lots, ticks }, index) => {
        const change = quantity((lots / 1_000).toFixed(3));
        const at = price((ticks / 10).toFixed(1));
        const fee = amount((index / 8).toFixed(3));
        cash = subtract(subtract(cash, notional(at, change)), fee);
        const closing = position.trade(change, at, fee, index);
        openFees = subtract(add(openFees, subtract(fee, closing.closeFee)), closing.openFee);
        assert.equal(format(subtract(add(cash, position.cost), position.everRealised)), '0');
        if (position.side === 0) assert.ok(isZero(position.cost) && isZero(openFees));
        else assert.equal(signOf(position.cost), position.side);
      });
      position.fund(negate(amount('3')), 99);
      assert.equal(format(subtract(add(cash, position.cost), position.everRealised)), '3');
    }),
  );
});
