import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BarColumns } from '../../domain/bars.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { fillFacts } from './fill-facts.ts';

const START = Date.UTC(2022, 0, 1);

/** Bars that open so many hours after the start, with these volumes. */
function bars(hours: readonly number[], volumes: readonly number[]): BarColumns {
  const flat = new Float64Array(hours.length).fill(100);
  return {
    openAt: Float64Array.from(hours, (hour) => START + hour * HOUR_MS),
    open: flat,
    high: flat,
    low: flat,
    close: flat,
    volume: Float64Array.from(volumes),
  };
}

const at = (hours: number, quantity = 1): { at: number; quantity: number } => ({ at: START + hours * HOUR_MS, quantity });
const MOMENT = 1 / HOUR_MS;

test('a fill belongs to the bar that opened before it, one at a close to the bar that closes', async () => {
  const facts = await fillFacts([{ bars: [bars([0, 1, 2], [10, 100, 1_000])], fills: [at(1 + MOMENT), at(2), at(2 + MOMENT)] }], HOUR_MS);
  assert.deepEqual(facts, { fills: 3, stale: 0, largestVolumeShare: 0.01, volumeShare95: 0.01 });
});

test('a bar without volume and the first one after a hole have nobody to trade with, whatever the pieces they come in', async () => {
  const fills = [at(0 + MOMENT), at(1 + MOMENT), at(4 + MOMENT, 2), at(5 + MOMENT)];
  const whole = bars([0, 1, 5, 6], [10, 0, 10, 10]);
  const pieces = [bars([0], [10]), bars([], []), bars([1], [0]), bars([5, 6], [10, 10])];
  const expected = { fills: 4, stale: 3, largestVolumeShare: 0.2, volumeShare95: 0.2 };
  assert.deepEqual(await fillFacts([{ bars: [whole], fills }], HOUR_MS), expected);
  assert.deepEqual(await fillFacts([{ bars: pieces, fills }], HOUR_MS), expected);
});

test('of many fills the 95th percentile is not the largest, and instruments are taken together', async () => {
  const hours = Array.from({ length: 100 }, (_, hour) => hour);
  const volumes = hours.map(() => 100);
  const fills = hours.map((hour) => at(hour + MOMENT, hour + 1));
  const other = { bars: [bars([0], [1])], fills: [at(MOMENT, 5)] };
  const { largestVolumeShare, volumeShare95 } = await fillFacts([{ bars: [bars(hours, volumes)], fills }, other], HOUR_MS);
  assert.deepEqual([largestVolumeShare, volumeShare95], [5, 0.96]);
});

test('without a bar that has volume there is no share', async () => {
  const facts = await fillFacts([{ bars: [bars([0], [0])], fills: [at(MOMENT)] }], HOUR_MS);
  assert.deepEqual(facts, { fills: 1, stale: 1, largestVolumeShare: null, volumeShare95: null });
});
