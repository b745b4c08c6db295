import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASK, BID, type BookDeltaColumns, type BookSnapshotColumns } from '../../domain/book.ts';
import { BookMessages } from './book-messages.ts';

type Row = readonly [at: number, firstUpdate: number, lastUpdate: number, side: number, price: number];

function columns(rows: readonly Row[]): BookDeltaColumns & BookSnapshotColumns {
  const column = (index: number): Float64Array => Float64Array.from(rows, (row) => row[index] ?? NaN);
  return {
    at: column(0),
    happenedAt: column(0).map((at) => at - 1),
    firstUpdate: column(1),
    lastUpdate: column(2),
    side: Int8Array.from(column(3)),
    price: column(4),
    quantity: column(4),
  };
}

test('rows become the messages that they were, by time, and by number where times are equal', () => {
  const deltas = columns([
    [10, 1, 3, BID, 99],
    [10, 1, 3, ASK, 101],
    [20, 4, 6, BID, 98],
    [30, 7, 9, BID, 97],
  ]);
  const snapshots = columns([
    [20, 5, 5, BID, 90],
    [20, 5, 5, ASK, 110],
    [30, 9, 9, BID, 91],
    [40, 12, 12, BID, 92],
  ]);
  const messages = new BookMessages(deltas, snapshots);
  const found: unknown[] = [];
  for (let message = messages.next(); message !== undefined; message = messages.next()) {
    const { kind, at, happenedAt, firstUpdate, lastUpdate, previousUpdate, levels, from, to } = message;
    assert.equal(happenedAt, at - 1);
    assert.equal(previousUpdate, NaN);
    found.push([kind, at, firstUpdate, lastUpdate, ...levels.price.subarray(from, to)]);
  }
  assert.deepEqual(found, [
    ['delta', 10, 1, 3, 99, 101],
    ['snapshot', 20, 5, 5, 90, 110],
    ['delta', 20, 4, 6, 98],
    ['snapshot', 30, 9, 9, 91],
    ['delta', 30, 7, 9, 97],
    ['snapshot', 40, 12, 12, 92],
  ]);
  assert.equal(messages.next(), undefined);
});

test('without rows there are no messages', () => {
  assert.equal(new BookMessages(columns([]), columns([])).next(), undefined);
});
