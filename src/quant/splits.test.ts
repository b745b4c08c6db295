import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  combinations,
  combinatorialPaths,
  combinatorialPurgedSplits,
  purgedFolds,
  walkForwardSplits,
  type LabelSpans,
  type Split,
} from './splits.ts';

/** Labels as they come: several may start at once, some look far ahead, some not at all. */
const spans: fc.Arbitrary<LabelSpans> = fc
  .array(fc.record({ step: fc.nat(4), ahead: fc.nat(12) }), { minLength: 12, maxLength: 80 })
  .map((rows) => {
    let at = 0;
    const start = rows.map(({ step }) => (at += step));
    return { start, end: start.map((from, row) => from + (rows[row]?.ahead ?? 0)) };
  });

/** Whether the label of a training row touches that of the test part between two rows, or starts within the embargo after it. */
function isLeak({ start, end }: LabelSpans, row: number, tested: readonly number[], embargo: number): boolean {
  const from = Math.min(...tested.map((each) => start[each] ?? NaN));
  const to = Math.max(...tested.map((each) => end[each] ?? NaN));
  const isAfter = row > Math.max(...tested);
  return (start[row] ?? NaN) <= to + (isAfter ? embargo : 0) && (end[row] ?? NaN) >= from;
}

function runs(rows: Int32Array): number[][] {
  const found: number[][] = [];
  for (const row of rows) {
    const last = found.at(-1);
    if (last?.at(-1) === row - 1) last.push(row);
    else found.push([row]);
  }
  return found;
}

/** Trained on is exactly what is neither tested nor a leak, said again row by row. */
function assertSplit(all: LabelSpans, { train, test: tested }: Split, embargo: number): void {
  const parts = runs(tested);
  const expected: number[] = [];
  for (let row = 0; row < all.start.length; row++) {
    if (!tested.includes(row) && !parts.some((part) => isLeak(all, row, part, embargo))) expected.push(row);
  }
  assert.deepEqual([...train], expected);
}

describe('purged folds', () => {
  test('test every row once and train on no label that touches the test', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 2, max: 12 }), fc.nat(9), (all, folds, embargo) => {
        const splits = purgedFolds(all, folds, embargo);
        assert.equal(splits.length, folds);
        assert.deepEqual(
          splits.flatMap((split) => [...split.test]),
          Array.from({ length: all.start.length }, (_, row) => row),
        );
        const sizes = splits.map((split) => split.test.length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
        for (const split of splits) assertSplit(all, split, embargo);
      }),
    );
  });

  test('an embargo is counted from the end of the last label', () => {
    const row = Array.from({ length: 12 }, (_, index) => index);
    const [first] = purgedFolds({ start: row, end: row.map((at) => at + 2) }, 3, 1);
    // Tested are rows 0 to 3, whose labels reach to 5; row 6 is embargoed.
    assert.deepEqual([...(first?.train ?? [])], [7, 8, 9, 10, 11]);
  });
});

describe('combinatorial splits', () => {
  test('are every choice of the parts, purged around each run of them', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 2, max: 6 }), fc.nat(4), fc.nat(6), (all, groups, fewer, embargo) => {
        const chosen = Math.max(1, groups - 1 - fewer);
        const splits = [...combinatorialPurgedSplits(all, groups, chosen, embargo)];
        assert.equal(new Set(splits.map((split) => split.test.join())).size, splits.length);
        for (const split of splits) assertSplit(all, split, embargo);
      }),
      { numRuns: 50 },
    );
  });

  test('number as the book says: C(N, k) splits and k/N C(N, k) paths', () => {
    const counts = [
      [6, 2],
      [10, 2],
      [10, 8],
      [16, 8],
    ].map(([groups = 0, chosen = 0]) => [combinations(groups, chosen).length, combinatorialPaths(groups, chosen).length]);
    assert.deepEqual(counts, [
      [15, 5],
      [45, 9],
      [45, 36],
      [12_870, 6_435],
    ]);
  });

  test('are joined to paths that use every test part once', () => {
    for (const [groups, chosen] of [
      [6, 2],
      [5, 4],
      [7, 1],
    ] as const) {
      const choices = combinations(groups, chosen);
      const used = new Set<string>();
      for (const path of combinatorialPaths(groups, chosen)) {
        assert.equal(path.length, groups);
        path.forEach((split, group) => {
          assert.ok(choices[split]?.includes(group) === true, `split ${split} does not test part ${group}`);
          used.add(`${split} ${group}`);
        });
      }
      assert.equal(used.size, choices.length * chosen);
    }
  });
});

describe('walk-forward splits', () => {
  test('train on labels that ended before the test, and lose no others', () => {
    const settings = fc.record({
      trainRows: fc.integer({ min: 1, max: 8 }),
      testRows: fc.integer({ min: 1, max: 4 }),
      stepRows: fc.integer({ min: 1, max: 6 }),
      isAnchored: fc.boolean(),
      embargo: fc.nat(5),
    });
    fc.assert(
      fc.property(spans, settings, (all, given) => {
        const splits = walkForwardSplits(all, given);
        splits.forEach(({ train, test: tested }, number) => {
          const from = given.trainRows + number * given.stepRows;
          assert.deepEqual(
            [...tested],
            Array.from({ length: given.testRows }, (_, row) => from + row),
          );
          const expected = [];
          for (let row = given.isAnchored ? 0 : from - given.trainRows; row < from; row++) {
            if ((all.end[row] ?? NaN) + given.embargo < (all.start[from] ?? NaN)) expected.push(row);
          }
          assert.deepEqual([...train], expected);
        });
        const after = given.trainRows + splits.length * given.stepRows;
        assert.ok(after + given.testRows > all.start.length, 'one more window would have fitted');
      }),
    );
  });

  test('join their tests without a gap unless told otherwise', () => {
    const row = Array.from({ length: 23 }, (_, index) => index);
    const tested = walkForwardSplits({ start: row, end: row }, { trainRows: 5, testRows: 6 }).flatMap((split) => [...split.test]);
    assert.deepEqual(
      tested,
      Array.from({ length: 18 }, (_, index) => index + 5),
    );
  });
});

test('what cannot be split is refused', () => {
  const row = Array.from({ length: 10 }, (_, index) => index);
  const all = { start: row, end: row };
  assert.throws(() => purgedFolds(all, 1), /1 parts of 10 rows/);
  assert.throws(() => purgedFolds(all, 11), /11 parts of 10 rows/);
  assert.throws(() => purgedFolds(all, 3, -1), /embargo of -1/);
  assert.throws(() => combinatorialPurgedSplits(all, 4, 4), /4 out of 4/);
  assert.throws(() => combinatorialPurgedSplits({ start: row, end: row.slice(1) }, 4, 2), /10 starts and 9 ends/);
  assert.throws(() => purgedFolds({ start: row.toReversed(), end: row }, 2), /expected rows in the order of their starts/);
  assert.throws(() => purgedFolds({ start: row, end: row.map((at) => at - 1) }, 2), /no end before its start/);
  assert.throws(() => walkForwardSplits(all, { trainRows: 8, testRows: 3 }), /expected at least 11/);
  assert.throws(() => walkForwardSplits(all, { trainRows: 0, testRows: 3 }), /trainRows was 0/);
  assert.throws(() => walkForwardSplits(all, { trainRows: 3, testRows: 3, embargo: NaN }), /embargo of NaN/);
});
