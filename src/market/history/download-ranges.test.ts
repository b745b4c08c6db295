import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut, joined, lengthMs, without, type Span } from './download-ranges.ts';

const spans = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9 })).map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length })),
  { maxLength: 8 },
);

/** Millisecond by millisecond. */
function points(list: readonly Span[]): number[] {
  const all = new Set(list.flatMap(({ fromMs, toMs }) => Array.from({ length: toMs - fromMs }, (_, index) => fromMs + index)));
  return [...all].toSorted((one, other) => one - other);
}

function isTidy(list: readonly Span[]): boolean {
  return list.every(({ fromMs, toMs }, index) => fromMs < toMs && fromMs > (list[index - 1]?.toMs ?? -Infinity));
}

test('joined spans hold the same points, sorted and apart', () => {
  fc.assert(
    fc.property(spans, (list) => {
      const result = joined(list);
      assert.ok(isTidy(result));
      assert.deepEqual(points(result), points(list));
      assert.equal(lengthMs(result), points(list).length);
    }),
  );
});

test('spans without others hold the points of the one and none of the others', () => {
  fc.assert(
    fc.property(spans, spans, (list, others) => {
      const result = without(list, others);
      const taken = new Set(points(others));
      assert.ok(isTidy(result));
      assert.deepEqual(
        points(result),
        points(list).filter((point) => !taken.has(point)),
      );
    }),
  );
});

test('cut spans hold the same points in parts that are short enough', () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: 12 }), (list, longestMs) => {
      const result = cut(joined(list), longestMs);
      assert.ok(result.every(({ fromMs, toMs }) => toMs > fromMs && toMs - fromMs <= longestMs));
      assert.deepEqual(points(result), points(list));
    }),
  );
});
