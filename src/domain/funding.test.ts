import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FundingCalendar } from './funding.ts';
import { HOUR_MS, NEVER } from './time.ts';

const START = Date.UTC(2024, 0, 1);
const hours = (count: number): number => START + count * HOUR_MS;

test('settlements are those that are known, and a plain grid before the first and after the last', () => {
  // Eight hours, then four; the settlement at 24 is missing.
  const at = Float64Array.from([8, 16, 28, 32].map(hours));
  const calendar = new FundingCalendar({ at, rate: Float64Array.of(1, 2, 3, 4) });
  const next: readonly (readonly [from: number, to: number])[] = [
    [0, 0],
    [1, 8],
    [8, 8],
    [9, 16],
    [17, 28],
    [29, 32],
    [33, 40],
  ];
  for (const [from, to] of next) assert.equal(calendar.nextAt(hours(from), 8 * HOUR_MS), hours(to), `from ${from}`);
  assert.deepEqual(
    [0, 8, 16, 28, 32, 40].map((hour) => calendar.rateAt(hours(hour), 9)),
    [9, 1, 2, 3, 4, 9],
  );
});

test('where nothing is known there is the grid alone, or nothing', () => {
  assert.equal(new FundingCalendar(undefined).nextAt(hours(3), 8 * HOUR_MS), hours(8));
  assert.equal(new FundingCalendar(undefined).nextAt(hours(3), 0), NEVER);
});
