import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { RollingMoments, RollingRange, RollingSum } from './rolling.ts';

const windows = fc.integer({ min: 1, max: 60 });
/** Prices and returns of every size, with jumps between sizes: what makes running sums drift. */
const numbers = fc.array(
  fc.oneof(
    // Squares of less than 1e-100 begin to be no doubles.
    fc.double({ min: -1, max: 1, noNaN: true }).map((value) => (Math.abs(value) < 1e-100 ? 0 : value)),
    fc.double({ min: 99_999, max: 100_001, noNaN: true }),
    fc.double({ min: 1e-7, max: 2e-7, noNaN: true }),
    fc.constant(0.1),
  ),
  { maxLength: 250, size: 'max' },
);

test('a rolling sum is NaN until the window is full and then the sum of the window', () => {
  fc.assert(
    fc.property(windows, numbers, (window, values) => {
      const rolling = new RollingSum(window);
      assert.ok(Number.isNaN(rolling.sum));
      for (const [index, value] of values.entries()) {
        rolling.push(value);
        if (index + 1 < window) {
          assert.ok(Number.isNaN(rolling.sum), `warm after ${index + 1} of ${window}`);
          continue;
        }
        const inside = values.slice(index + 1 - window, index + 1);
        // Relative to what was added, not to what is left of it: numbers of both signs may cancel.
        close(rolling.sum, total(inside), 1e-13 * total(inside.map(Math.abs)));
      }
    }),
  );
});

test('rolling moments are NaN until the window is full and then those of the window, to 1e-9', () => {
  fc.assert(
    fc.property(windows, numbers, (window, values) => {
      const rolling = new RollingMoments(window);
      for (const [index, value] of values.entries()) {
        rolling.push(value);
        if (index + 1 < window) {
          for (const output of [rolling.mean, rolling.squares, rolling.offset]) assert.ok(Number.isNaN(output));
          continue;
        }
        const expected = moments(values.slice(index + 1 - window, index + 1));
        close(rolling.squares, expected.squares, 1e-9 * expected.squares);
        const deviation = Math.sqrt(expected.squares / window);
        close(rolling.offset, expected.offset, 1e-9 * deviation);
        close(rolling.mean, expected.mean, 1e-9 * Math.max(Math.abs(expected.mean), deviation));
      }
    }),
  );
});

test('squares are never negative and exactly zero when nothing moves', () => {
  fc.assert(
    fc.property(windows, numbers, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (window, values, still) => {
      const rolling = new RollingMoments(window);
      for (const value of values) {
        rolling.push(value);
        assert.ok(!(rolling.squares < 0), `squares ${rolling.squares}`);
      }
      for (let index = 0; index < window; index++) rolling.push(still);
      assert.equal(rolling.squares, 0);
      assert.equal(rolling.offset, 0);
      assert.equal(rolling.mean, still);
    }),
  );
});

test('prices near 1e5 that move by a ten-thousandth keep nine digits of their variance', () => {
  for (const window of [2, 20, 500]) {
    const rolling = new RollingMoments(window);
    const values: number[] = [];
    for (let index = 0; index < 3_000; index++) {
      const value = 100_000 + 1e-4 * Math.sin(index * index);
      values.push(value);
      rolling.push(value);
      if (values.length < window) continue;
      const expected = moments(values.slice(-window));
      close(rolling.squares, expected.squares, 1e-9 * expected.squares);
    }
  }
});

test('a fall by seven orders within a window is forgotten with the window', () => {
  const window = 20;
  const rolling = new RollingMoments(window);
  const values: number[] = [];
  for (let index = 0; index < 200; index++) {
    const value = (index < 101 ? 100 : 1e-5) * (1 + 0.01 * Math.sin(index));
    values.push(value);
    rolling.push(value);
    if (values.length < window) continue;
    const expected = moments(values.slice(-window));
    close(rolling.squares, expected.squares, 1e-9 * expected.squares);
    close(rolling.mean, expected.mean, 1e-9 * expected.mean);
  }
});

test('a million numbers later a window is as exact as the first', () => {
  const window = 48;
  const moved = new RollingMoments(window);
  const summed = new RollingSum(window);
  const fresh = new RollingMoments(window);
  const freshSum = new RollingSum(window);
  const count = 1_000_000 - (1_000_000 % window);
  const value = (index: number): number => 40_000 + 300 * Math.sin(index) + index * 1e-3;
  for (let index = 0; index < count; index++) {
    moved.push(value(index));
    summed.push(value(index));
  }
  for (let index = count - window; index < count; index++) {
    fresh.push(value(index));
    freshSum.push(value(index));
  }
  assert.equal(summed.sum, freshSum.sum);
  assert.equal(moved.squares, fresh.squares);
  assert.equal(moved.mean, fresh.mean);
});

test('a rolling range is the extremes of the window', () => {
  fc.assert(
    fc.property(windows, numbers, (window, values) => {
      const rolling = new RollingRange(window);
      for (const [index, value] of values.entries()) {
        rolling.push(value, -value);
        const inside = values.slice(Math.max(0, index + 1 - window), index + 1);
        assert.equal(rolling.highest, index + 1 < window ? NaN : Math.max(...inside));
        assert.equal(rolling.lowest, index + 1 < window ? NaN : -Math.max(...inside));
      }
    }),
  );
});

test('a window saved anywhere goes on bit for bit, whatever the instance held before', () => {
  fc.assert(
    fc.property(windows, numbers, fc.nat(250), (window, values, place) => {
      const lived = { sum: new RollingSum(window), moments: new RollingMoments(window), range: new RollingRange(window) };
      const restored = { sum: new RollingSum(window), moments: new RollingMoments(window), range: new RollingRange(window) };
      const push = (to: typeof lived, value: number): void => {
        to.sum.push(value);
        to.moments.push(value);
        to.range.push(value + 1, value);
      };
      for (let index = 0; index < place % 97; index++) push(restored, index);
      for (const [index, value] of values.entries()) {
        if (index === place % values.length) {
          const bytes = saved(lived);
          const reader = new ByteReader(bytes);
          restored.sum.restore(reader);
          restored.moments.restore(reader);
          restored.range.restore(reader);
          assert.ok(reader.ended);
          assert.deepEqual(saved(restored), bytes);
          assert.deepEqual(outputs(restored), outputs(lived));
        }
        push(lived, value);
        push(restored, value);
        if (index >= place % values.length) assert.deepEqual(outputs(restored), outputs(lived));
      }
    }),
  );
});

interface Windows {
  readonly sum: RollingSum;
  readonly moments: RollingMoments;
  readonly range: RollingRange;
}

function saved({ sum, moments: squares, range }: Windows): Uint8Array {
  const out = new ByteWriter();
  sum.save(out);
  squares.save(out);
  range.save(out);
  return out.view().slice();
}

function outputs({ sum, moments: of, range }: Windows): number[] {
  return [sum.sum, of.mean, of.squares, of.offset, range.highest, range.lowest];
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** In two passes over differences from the window's last number: the mean first, then the deviations from it. */
function moments(values: readonly number[]): { mean: number; squares: number; offset: number } {
  const last = values.at(-1) ?? NaN;
  const differences = values.map((value) => value - last);
  const mean = total(differences) / values.length;
  return { mean: last + mean, squares: total(differences.map((difference) => (difference - mean) ** 2)), offset: -mean };
}

function close(found: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(found - expected) <= tolerance, `found ${found}, expected ${expected} to ${tolerance}`);
}
