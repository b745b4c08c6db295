// How many evaluations pycma needs on known functions, and that ours needs about as many: the two draw other numbers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { CmaEs } from '../../src/quant/cma-es.ts';
import { Random } from '../../src/quant/random.ts';
import { quantile } from '../../src/quant/tails.ts';

const goldenSchema = z.object({
  cases: z.array(
    z.object({
      function: z.enum(['sphere', 'ellipsoid', 'rosenbrock']),
      size: z.int(),
      start: z.number(),
      deviation: z.number(),
      target: z.number(),
      population: z.int(),
      reached: z.number(),
      quartiles: z.tuple([z.number(), z.number(), z.number()]),
    }),
  ),
});

const RUNS = 25;
const MOST_EVALUATIONS = 30_000;

const FUNCTIONS: Readonly<Record<string, (x: Float64Array) => number>> = {
  sphere: (x) => x.reduce((sum, each) => sum + each * each, 0),
  ellipsoid: (x) => x.reduce((sum, each, axis) => sum + 1e6 ** (axis / (x.length - 1)) * each * each, 0),
  rosenbrock(x) {
    let sum = 0;
    for (let axis = 0; axis + 1 < x.length; axis++) {
      const [here = NaN, next = NaN] = x.subarray(axis, axis + 2);
      sum += 100 * (next - here * here) ** 2 + (1 - here) ** 2;
    }
    return sum;
  },
};

function evaluationsUntil(
  measure: (x: Float64Array) => number,
  target: number,
  mean: Float64Array,
  deviation: number,
  seed: number,
): number | undefined {
  const search = new CmaEs({ mean, deviation, random: new Random(seed) });
  for (let evaluations = 0; evaluations < MOST_EVALUATIONS;) {
    const points = search.ask();
    const values = points.map(measure);
    evaluations += points.length;
    if (Math.min(...values) <= target) return evaluations;
    // It has settled in another valley.
    if (search.spread < 1e-12) return undefined;
    search.tell(points, values);
  }
  return undefined;
}

test('a minimum is found in about as many evaluations as pycma needs', () => {
  const { cases } = goldenSchema.parse(JSON.parse(readFileSync(new URL('cma-es.json', import.meta.url), 'utf8')));
  for (const { function: name, size, start, deviation, target, population, reached, quartiles } of cases) {
    const measure = FUNCTIONS[name];
    assert.ok(measure !== undefined);
    const mean = new Float64Array(size).fill(start);
    assert.equal(new CmaEs({ mean, deviation, random: new Random(1) }).population, population);
    const found = Array.from({ length: RUNS }, (_, seed) => evaluationsUntil(measure, target, mean, deviation, seed + 1)).filter(
      (each) => each !== undefined,
    );
    const place = `${name} of ${size}`;
    assert.ok(found.length / RUNS >= reached - 0.2, `${place}: found in ${found.length} of ${RUNS} runs, pycma in ${reached} of all`);
    const ours = quantile(
      found.toSorted((one, other) => one - other),
      0.5,
    );
    const [low, median, high] = quartiles;
    assert.ok(ours > 0.8 * low && ours < 1.25 * high, `${place}: ${ours} evaluations, pycma ${median}`);
  }
});
