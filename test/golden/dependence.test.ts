// What pandas, scipy, dcor, pyinform and lead-lag say of the same columns. See dependence-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { distanceCorrelation } from '../../src/quant/distance-correlation.ts';
import { leadLag } from '../../src/quant/lead-lag.ts';
import { kendall, rollingCorrelation, spearman } from '../../src/quant/rank-correlation.ts';
import { RollingRegression } from '../../src/quant/rolling-regression.ts';
import { binnedTransferEntropy } from '../../src/quant/transfer-entropy.ts';

const numbers = z.array(z.number());
const golden = z
  .object({
    windows: z.object({
      x: numbers,
      y: numbers,
      window: z.number(),
      rows: numbers,
      pearson: numbers,
      spearman: numbers,
      kendall: numbers,
      distance: z.number(),
      distanceOfSquare: z.number(),
    }),
    entropy: z.object({ source: numbers, target: numbers, forward: z.number(), backward: z.number() }),
    leads: z.object({ firstAt: numbers, first: numbers, secondAt: numbers, second: numbers, lags: numbers, correlations: numbers }),
  })
  .parse(JSON.parse(readFileSync(new URL('dependence.json', import.meta.url), 'utf8')));

function assertNear(found: number, wanted: number, what: string, tolerance = 1e-11): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.max(1e-3, Math.abs(wanted)), `${what} was ${found}, the witness says ${wanted}`);
}

test("rolling correlations are those of pandas and scipy, distance correlation is dcor's", () => {
  const { x, y, window, rows, ...wanted } = golden.windows;
  const [left, right] = [Float64Array.from(x), Float64Array.from(y)];
  const [rho, tau] = [rollingCorrelation(left, right, window, spearman), rollingCorrelation(left, right, window, kendall)];
  const regression = new RollingRegression(window);
  x.forEach((value, row) => {
    regression.push(value, y[row] ?? NaN);
    const place = rows.indexOf(row);
    if (place < 0) return;
    assertNear(regression.line.correlation, wanted.pearson[place] ?? NaN, `Pearson of row ${row}`);
    assertNear(rho[row] ?? NaN, wanted.spearman[place] ?? NaN, `Spearman of row ${row}`);
    assertNear(tau[row] ?? NaN, wanted.kendall[place] ?? NaN, `Kendall of row ${row}`);
  });
  assert.ok(rho.subarray(0, window - 1).every(Number.isNaN) && rho.subarray(window - 1).every(Number.isFinite));
  assertNear(distanceCorrelation(x, y), wanted.distance, 'distance correlation');
  const squares = x.map((value) => value ** 2);
  assertNear(distanceCorrelation(x, squares), wanted.distanceOfSquare, 'distance correlation of the square');
});

test("transfer entropy is pyinform's, both ways", () => {
  const [source, target] = [Uint8Array.from(golden.entropy.source), Uint8Array.from(golden.entropy.target)];
  assertNear(binnedTransferEntropy(source, target), golden.entropy.forward, 'forward');
  assertNear(binnedTransferEntropy(target, source), golden.entropy.backward, 'backward');
});

test('cross-correlations of trades at different times are those of lead-lag, and the lag is the planted one', () => {
  const { firstAt, first, secondAt, second, lags, correlations } = golden.leads;
  const found = leadLag({ at: firstAt, value: first }, { at: secondAt, value: second }, lags);
  correlations.forEach((wanted, index) => assertNear(found.correlations[index] ?? NaN, wanted, `lag ${lags[index]}`));
  assert.equal(found.lag, 5);
  assert.ok(found.ratio > 1);
});
