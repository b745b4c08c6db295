// Schedules and routes against a linear system, a root finder and a linear program: see execution-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { almgrenChrissWeights, expectedShortfall, urgencyRate } from '../../src/execution/algorithms/almgren-chriss.ts';
import { route } from '../../src/execution/router.ts';

const problem = z.object({
  quantity: z.number(),
  horizon: z.number(),
  slices: z.number(),
  volatility: z.number(),
  permanentImpact: z.number(),
  temporaryImpact: z.number(),
  fixedCost: z.number(),
  riskAversion: z.number(),
});
const venue = z.object({
  levels: z.array(z.object({ price: z.number(), quantity: z.number() })),
  takerFeeRate: z.number(),
  latencyMs: z.number(),
});
const golden = z
  .object({
    schedules: z.array(z.object({ problem, weights: z.array(z.number()), mean: z.number(), variance: z.number(), kappa: z.number() })),
    routes: z.array(
      z.object({
        side: z.enum(['buy', 'sell']),
        quantity: z.number(),
        volatility: z.number(),
        venues: z.array(venue),
        value: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('execution.json', import.meta.url), 'utf8')));

function close(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${what}: found ${actual}, expected ${expected}`);
}

test('the closed form of Almgren and Chriss is the minimum that a linear system finds, with its mean and variance', () => {
  assert.equal(golden.schedules.length, 23);
  for (const { problem: asked, weights, mean, variance, kappa } of golden.schedules) {
    const rate = urgencyRate(asked);
    close(rate, kappa, 1e-9, 'kappa');
    const found = almgrenChrissWeights(asked.slices, rate * asked.horizon);
    weights.forEach((weight, slice) => close(found[slice] ?? NaN, weight, 1e-9, `slice ${slice} of ${asked.slices}`));
    const expected = expectedShortfall(asked, found);
    close(expected.mean, mean, 1e-9, 'mean');
    close(expected.variance, variance, 1e-9, 'variance');
  }
});

test('the example of their paper trades at 0.61 a day', () => {
  close(golden.schedules[0]?.kappa ?? NaN, 0.61, 0.005, 'kappa');
});

test('a route costs what the optimum of a linear program costs', () => {
  for (const { side, quantity, volatility, venues, value } of golden.routes) {
    const routes = route(side, quantity, venues, volatility);
    const depth = venues.reduce((sum, { levels }) => sum + levels.reduce((all, level) => all + level.quantity, 0), 0);
    close(
      routes.reduce((sum, way) => sum + way.quantity, 0),
      Math.min(quantity, depth),
      1e-12,
      'quantity',
    );
    close(
      routes.reduce((sum, way) => sum + way.value, 0),
      value,
      1e-9,
      'value',
    );
  }
});
