import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compare, format } from '../../domain/decimal.ts';
import { orderRowSchema, type OrderRow } from './bybit-rows.ts';
import { isEnded, merged, type OrderProgress } from './order-progress.ts';

function row(orderStatus: string, filled: string, updatedTime: number, more: object = {}): OrderRow {
  const common = { symbol: 'BTCUSDT', orderId: 'o', side: 'Buy', price: '100', qty: '1', cumExecQty: filled, orderStatus, updatedTime };
  return orderRowSchema.parse({ ...common, ...more });
}

function fold(rows: readonly OrderRow[]): OrderProgress {
  const [first, ...rest] = rows;
  return rest.reduce<OrderProgress>((before, each) => merged(before, each), merged(undefined, first ?? assert.fail()));
}

test('an older state never overwrites a newer one', () => {
  const filled = merged(undefined, row('Filled', '1', 9));
  assert.equal(merged(filled, row('PartiallyFilled', '0.5', 5)), filled, 'and is not even heard');
  assert.equal(merged(filled, row('New', '0', 12)), filled);
  const cancelled = fold([row('New', '0', 1), row('Cancelled', '0.5', 5), row('PartiallyFilled', '0.7', 4)]);
  assert.deepEqual([cancelled.status, format(cancelled.filled)], ['Cancelled', '0.7'], 'a late fill counts, and the end stays');
});

test('the same row again says nothing', () => {
  const known = merged(undefined, row('New', '0', 1));
  assert.equal(merged(known, row('New', '0', 1)), known);
});

test('an amended price is heard, and an older one is not', () => {
  const amended = fold([row('New', '0', 1), row('New', '0', 3, { price: '101', triggerPrice: '90' })]);
  assert.equal(format(amended.limitPrice ?? assert.fail()), '101');
  assert.equal(merged(amended, row('New', '0', 2, { price: '100.5' })), amended);
});

test('a true history leads to its end in whatever order and however often its rows come', () => {
  const histories = fc
    .record({
      fills: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 6 }),
      end: fc.constantFrom('Filled', 'Cancelled', 'Deactivated', 'none' as const),
    })
    .map(({ fills, end }) => {
      let sum = 0;
      const rows = [row('New', '0', 1)];
      for (const each of fills) {
        sum += each;
        rows.push(row('PartiallyFilled', String(sum / 100), rows.length + 1));
      }
      if (end !== 'none') rows.push(row(end, String(sum / 100), rows.length + 1));
      return rows;
    });
  const disordered = histories.chain((rows) =>
    fc.tuple(fc.constant(rows), fc.shuffledSubarray([...rows, ...rows], { minLength: rows.length * 2, maxLength: rows.length * 2 })),
  );
  fc.assert(
    fc.property(disordered, ([rows, heard]) => {
      const truth = rows.at(-1) ?? assert.fail();
      const known = fold(heard);
      assert.equal(known.status, truth.orderStatus);
      assert.equal(compare(known.filled, truth.cumExecQty), 0);
      assert.equal(known.updatedAt, truth.updatedTime);
    }),
  );
});

test('what is known only grows, whatever is said', () => {
  const anyRow = fc
    .record({
      status: fc.constantFrom('New', 'PartiallyFilled', 'Untriggered', 'Triggered', 'Filled', 'Cancelled', 'Rejected'),
      filled: fc.integer({ min: 0, max: 9 }),
      at: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ status, filled, at }) => row(status, String(filled / 10), at));
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: 1, maxLength: 12 }), (rows) => {
      let known: OrderProgress | undefined;
      for (const each of rows) {
        const next = merged(known, each);
        if (known !== undefined) {
          assert.ok(compare(next.filled, known.filled) >= 0);
          if (isEnded(known.status)) assert.ok(isEnded(next.status));
        }
        known = next;
      }
    }),
  );
});
