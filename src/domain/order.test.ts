import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  negate,
  price,
  quantity,
  roundToStep,
  signOf,
  subtract,
  ZERO_QUANTITY,
  type Quantity,
} from './decimal.ts';
import type { OrderReport } from './event.ts';
import { filledShares, isOpen, remaining, scaledShares, stateAfter, sumOfShares, type OrderState, type Share } from './order.ts';

const OPEN: readonly OrderState[] = ['submitted', 'working', 'cancelling', 'in-doubt'];
const ENDED: readonly OrderState[] = ['filled', 'cancelled', 'expired', 'rejected'];
const two = quantity('2');

function report(kind: OrderReport['kind']): OrderReport {
  const fill = { id: 'f1', price: price('1'), quantity: quantity('1'), fee: amount('0'), liquidity: 'taker' } as const;
  return { kind, at: 1, happenedAt: 1, instrument: 0, order: '1-1', reason: '', fill: kind === 'order.filled' ? fill : undefined };
}

describe('the state machine of an order', () => {
  const after = (state: OrderState, kind: OrderReport['kind'], filled = '0'): OrderState =>
    stateAfter(state, report(kind), quantity(filled), two);

  test('an order is open or ended', () => {
    assert.ok(OPEN.every(isOpen));
    assert.ok(!ENDED.some(isOpen));
  });

  test('an answer makes it work, unless it is past that', () => {
    assert.deepEqual(
      [...OPEN, ...ENDED].map((state) => after(state, 'order.accepted')),
      ['working', 'working', 'cancelling', 'working', ...ENDED],
    );
  });

  test('a fill of a part is an answer too; a fill of all ends it in every state', () => {
    assert.deepEqual(
      [...OPEN, ...ENDED].map((state) => after(state, 'order.filled', '1')),
      ['working', 'working', 'cancelling', 'working', ...ENDED],
    );
    for (const state of [...OPEN, ...ENDED])
      for (const filled of ['2', '2.5']) assert.equal(after(state, 'order.filled', filled), 'filled');
  });

  test('the end is said once', () => {
    for (const [kind, ended] of [
      ['order.rejected', 'rejected'],
      ['order.cancelled', 'cancelled'],
      ['order.expired', 'expired'],
    ] as const) {
      for (const state of OPEN) assert.equal(after(state, kind), ended);
      for (const state of ENDED) assert.equal(after(state, kind), state);
    }
  });

  test('a report of a fill carries one', () => {
    assert.throws(() => stateAfter('working', { ...report('order.filled'), fill: undefined }, two, two), /carries a fill/);
  });

  test('what is not filled yet is never negative', () => {
    assert.deepEqual(
      [format(remaining(two, quantity('0.5'))), format(remaining(two, two)), format(remaining(two, quantity('3')))],
      ['1.5', '0', '0'],
    );
  });
});

const LOT = quantity('0.001');
const inLots = (count: number): Quantity => quantity((count * 0.001).toFixed(3));
const sum = (values: readonly Quantity[]): Quantity => values.reduce(add, ZERO_QUANTITY);

describe('dividing a fill among shares', () => {
  test('is exact, in whole lots, never more than was asked for, and nobody gives back as more is filled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        fc.nat(2_600),
        fc.nat(300),
        (sizes, isSale, first, more) => {
          const shares: Share[] = sizes.map((size, sleeve) => ({ sleeve, leg: 0, quantity: isSale ? negate(inLots(size)) : inLots(size) }));
          const total = absolute(sumOfShares(shares));
          const before = filledShares(shares, inLots(first), LOT);
          const after = filledShares(shares, inLots(first + more), LOT);
          assert.equal(format(absolute(sum(before))), format(inLots(first)));
          shares.forEach((share, index) => {
            const [part, next] = [before[index] ?? ZERO_QUANTITY, after[index] ?? ZERO_QUANTITY];
            assert.equal(compare(roundToStep(part, LOT), part), 0, 'whole lots');
            if (compare(inLots(first + more), total) > 0) return;
            assert.ok(compare(absolute(part), absolute(share.quantity)) <= 0, 'never more than was asked for');
            assert.ok(compare(absolute(next), absolute(part)) >= 0, 'nobody gives back');
            assert.ok(signOf(part) * signOf(share.quantity) >= 0);
          });
          assert.deepEqual(
            filledShares(shares, total, LOT).map(format),
            shares.map((share) => format(share.quantity)),
            'all of it completes every share',
          );
        },
      ),
    );
  });

  test('is in proportion, to within a lot for each share', () => {
    const shares = ['1', '2', '3'].map((text, sleeve) => ({ sleeve, leg: 0, quantity: quantity(text) }));
    assert.deepEqual(filledShares(shares, quantity('3'), LOT).map(format), ['0.5', '1', '1.5']);
    assert.deepEqual(filledShares(shares, quantity('1'), LOT).map(format), ['0.166', '0.333', '0.501']);
    assert.deepEqual(filledShares(shares, quantity('1'), ZERO_QUANTITY).map(format), [
      '0.166666666666',
      '0.333333333333',
      '0.500000000001',
    ]);
  });

  test('gives an overfill to the last', () => {
    const shares = ['1', '1'].map((text, sleeve) => ({ sleeve, leg: 0, quantity: quantity(text) }));
    assert.deepEqual(filledShares(shares, quantity('2.7'), LOT).map(format), ['1', '1.7']);
    assert.deepEqual(filledShares([], quantity('1'), LOT), []);
  });
});

test('a fill of the whole-position stop scales every holding, and all of it closes them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 100 }),
      (sizes, percent) => {
        const held = sizes.map(inLots);
        const net = sum(held);
        const lots = Math.floor((Math.abs(sizes.reduce((total, size) => total + size, 0)) * percent) / 100);
        if (lots === 0) return;
        const changes = scaledShares(held, inLots(lots), LOT);
        assert.equal(format(sum(changes)), format(signOf(net) > 0 ? negate(inLots(lots)) : inLots(lots)));
        held.forEach((before, index) => {
          const after = add(before, changes[index] ?? ZERO_QUANTITY);
          assert.equal(compare(roundToStep(after, LOT), after), 0, 'whole lots');
          assert.ok(signOf(after) * signOf(before) >= 0 && compare(absolute(after), absolute(before)) <= 0, 'shrinks and does not flip');
          if (percent === 100) assert.ok(isZero(after));
        });
      },
    ),
  );
  assert.deepEqual(
    scaledShares(
      ['1', '-1'].map((text) => quantity(text)),
      quantity('1'),
      LOT,
    ).map(format),
    ['0', '0'],
    'without a net there is nothing to scale',
  );
  assert.equal(format(subtract(two, two)), '0');
});
