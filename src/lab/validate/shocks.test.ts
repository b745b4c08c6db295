import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { barsHeldThrough, CRISES, deepestFall, evenly, gapAt, holdingCurve, outages, thinned } from './shocks.ts';

const START = Date.UTC(2022, 0, 1);

function bars(closes: readonly number[]): BarColumns {
  const column = (of: (close: number, row: number) => number): Float64Array => Float64Array.from(closes, of);
  return {
    openAt: column((_, row) => START + row * HOUR_MS),
    open: column((close, row) => closes[row - 1] ?? close),
    high: column((close, row) => Math.max(close, closes[row - 1] ?? close)),
    low: column((close, row) => Math.min(close, closes[row - 1] ?? close)),
    close: column((close) => close),
    volume: column(() => 10),
  };
}

test('a gap moves every price from its open on, and none before', () => {
  const found = gapAt(bars([100, 100, 100, 110]), START + 2 * HOUR_MS, -0.3);
  assert.deepEqual(Array.from(found.open), [100, 100, 70, 70]);
  assert.deepEqual(Array.from(found.low), [100, 100, 70, 70]);
  assert.deepEqual(Array.from(found.close), [100, 100, 70, 77]);
  assert.deepEqual(Array.from(found.volume), [10, 10, 10, 10]);
});

test('an outage takes the bars that open within it, of all columns', () => {
  const found = outages(bars([1, 2, 3, 4, 5, 6]), [START + HOUR_MS, START + 4 * HOUR_MS], 2 * HOUR_MS);
  assert.deepEqual(Array.from(found.close), [1, 4]);
  assert.deepEqual(Array.from(found.openAt), [START, START + 3 * HOUR_MS]);
  assert.deepEqual(new Set(Object.values(found).map((column: Float64Array) => column.length)), new Set([2]));
  assert.deepEqual(Array.from(thinned(bars([1, 2]), 0.01).volume), [0.1, 0.1]);
});

test('a bar is held through when the position was there before its open and after its close', () => {
  const found = barsHeldThrough(
    bars([100, 90, 99, 99, 50]),
    [
      { from: START + 1, to: START + 3 * HOUR_MS + 1, side: 1 },
      { from: START + 3 * HOUR_MS, to: Infinity, side: -1 },
    ],
    HOUR_MS,
  );
  assert.deepEqual(
    found.map(({ openAt, side }) => [(openAt - START) / HOUR_MS, side]),
    [
      [1, 1],
      [2, 1],
      [3, -1],
      [4, -1],
    ],
  );
  assert.ok(Math.abs((found[0]?.adverseRatio ?? NaN) - 0.1) < 1e-12);
  assert.ok(Math.abs((found[1]?.adverseRatio ?? NaN) + 0.1) < 1e-12);
  assert.ok(Math.abs((found[3]?.adverseRatio ?? NaN) - (50 / 99 - 1)) < 1e-12, 'a fall is in favour of one who is short');
});

test('holding is equal parts bought at the first opens, and falls from its peak or its start', () => {
  const one = bars([100, 50, 200]);
  const other = bars([10, 10, 10]);
  assert.deepEqual(Array.from(holdingCurve([one])), [1, 0.5, 2]);
  assert.deepEqual(Array.from(holdingCurve([one, other])), [1, 0.75, 1.5]);
  assert.equal(deepestFall(Float64Array.of(0.9, 1.2, 0.6, 1.3)), 0.5);
  assert.equal(deepestFall(Float64Array.of(0.9, 0.95)), 1 - 0.9);
  assert.equal(deepestFall(new Float64Array()), 0);
});

test('as many as are asked for, in their order, are spread over the whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 }), (length, count) => {
      const items = Array.from({ length }, (_, index) => index);
      const found = evenly(items, count);
      assert.equal(found.length, Math.min(length, count));
      assert.ok(found.every((item, index) => item > (found[index - 1] ?? -1) && item < length));
      if (length > count) assert.ok((found[0] ?? NaN) < length / count && (found.at(-1) ?? NaN) >= length - length / count - 1);
    }),
  );
});

test('the crises are those of the record, in their order', () => {
  const fell = ['2020-03-12', '2021-05-19', '2022-05-09', '2022-06-13', '2022-11-09'];
  for (const day of fell) assert.equal(CRISES.filter(({ from, to }) => Date.parse(day) >= from && Date.parse(day) < to).length, 1, day);
  assert.ok(CRISES.every(({ from }, index) => from >= (CRISES[index - 1]?.to ?? 0)));
});
