// Whether the tests of pairs mean what they say: fewer seeds than scripts/calibrate-pairs.ts, the same functions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { powerOf, scanRates, sizeOf } from './pair-rates.ts';

test('Engle and Granger reject 4 to 6 % of independent walks at 5 %', (context) => {
  const seeds = 3_000;
  const size = sizeOf(seeds);
  context.diagnostic(`rejected ${(100 * size).toFixed(2)} % of ${seeds}`);
  // Three standard errors beyond what is promised of 10,000.
  const error = 3 * Math.sqrt((0.05 * 0.95) / seeds);
  assert.ok(size > 0.04 - error && size < 0.06 + error, `size ${size}`);
});

test('and find at least 95 % of the pairs that halve in ten bars, fewer of slower ones', (context) => {
  const [ten, fifteen, twenty] = [10, 15, 20].map((halfLife) => powerOf(halfLife, 600));
  context.diagnostic(`found of half-lives 10, 15, 20: ${[ten, fifteen, twenty].join(', ')}`);
  assert.ok(ten !== undefined && fifteen !== undefined && twenty !== undefined);
  assert.ok(ten >= 0.95 - 3 * Math.sqrt((0.05 * 0.95) / 600), `power ${ten}`);
  assert.ok(ten > fifteen && fifteen > twenty && twenty > 0.3);
});

test('a scan of 190 pairs of which none is one reports any in a tenth of the runs at most', (context) => {
  const scans = 25;
  const { alarmed, reported, naive } = scanRates(scans);
  context.diagnostic(`any in ${alarmed} of ${scans} scans, ${reported} a scan; by plain p-values ${naive} a scan`);
  assert.ok(alarmed <= 0.1 + 3 * Math.sqrt((0.1 * 0.9) / scans), `any in ${alarmed}`);
  assert.ok(naive > 15 && naive > 20 * reported, `naive ${naive}`);
});
