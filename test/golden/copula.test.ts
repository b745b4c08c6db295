// What pyvinecopulib and scipy say of the same copulas, marginals and ranks. See copula-golden.py; and the published figures of Gumbel's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { fitCopula, fitCopulas } from '../../src/quant/copula-fit.ts';
import {
  conditionalProbabilities,
  copulaDistribution,
  copulaLogDensity,
  kendallTauOf,
  tailDependence,
  type Copula,
} from '../../src/quant/copula.ts';
import { fitMarginals, marginalProbability } from '../../src/quant/marginal.ts';
import { averageRanks, kendall, spearman } from '../../src/quant/rank-correlation.ts';
import { studentDistribution } from '../../src/quant/student-distribution.ts';

const family = z.enum(['gaussian', 'student', 'frank', 'clayton', 'gumbel', 'joe']);
const rotation = z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]);
const numbers = z.array(z.number());
const fit = z.object({ family, rotation, parameters: numbers, logLikelihood: z.number(), aic: z.number() });
const marginalFit = z.object({ parameters: numbers, logLikelihood: z.number() });
const golden = z
  .object({
    points: z.array(z.tuple([z.number(), z.number()])),
    copulas: z.array(
      z.object({
        family,
        rotation,
        parameters: numbers,
        logDensity: numbers,
        first: numbers,
        second: numbers,
        distribution: numbers.nullable(),
        tau: z.number(),
      }),
    ),
    fits: z.array(z.object({ name: z.string(), u: numbers, v: numbers, fits: z.array(fit) })),
    student: z.object({
      values: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
      quantiles: z.array(z.tuple([z.number(), z.number(), z.number()])),
    }),
    marginals: z.array(
      z.object({ name: z.string(), values: numbers, fits: z.object({ normal: marginalFit, student: marginalFit, cauchy: marginalFit }) }),
    ),
    ranks: z.object({ x: numbers, y: numbers, ranks: numbers, spearman: z.number(), kendall: z.number() }),
  })
  .parse(JSON.parse(readFileSync(new URL('copula.json', import.meta.url), 'utf8')));

function assertNear(found: number, wanted: number, what: string, tolerance: number): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted)), `${what} was ${found}, the witness says ${wanted}`);
}

function made({
  family: name,
  rotation: turn,
  parameters: [first = NaN, second = NaN],
}: Omit<z.infer<typeof fit>, 'logLikelihood' | 'aic'>): Copula {
  if (name === 'gaussian') return { family: name, correlation: first };
  if (name === 'student') return { family: name, correlation: first, degrees: second };
  return name === 'frank' ? { family: name, theta: first } : { family: name, theta: first, rotation: turn };
}

function parametersOf(copula: Copula): readonly number[] {
  if (copula.family === 'gaussian') return [copula.correlation];
  return copula.family === 'student' ? [copula.correlation, copula.degrees] : [copula.theta];
}

describe('copulas', () => {
  test('densities, h-functions, distribution and tau are those of vinecopulib, however they are turned', () => {
    for (const wanted of golden.copulas) {
      const copula = made(wanted);
      const name = JSON.stringify(copula);
      golden.points.forEach(([u, v], place) => {
        const at = `${name} at ${u}, ${v}`;
        assertNear(copulaLogDensity(copula, u, v), wanted.logDensity[place] ?? NaN, `log density of ${at}`, 1e-8);
        const { first, second } = conditionalProbabilities(copula, u, v);
        assertNear(first, wanted.first[place] ?? NaN, `first of ${at}`, 1e-8);
        assertNear(second, wanted.second[place] ?? NaN, `second of ${at}`, 1e-8);
        if (wanted.distribution !== null) {
          assertNear(copulaDistribution(copula, u, v), wanted.distribution[place] ?? NaN, `distribution of ${at}`, 1e-8);
        }
      });
      assertNear(kendallTauOf(copula), wanted.tau, `tau of ${name}`, 1e-6);
    }
  });

  test('a strong Frank copula keeps its digits in the corner, where vinecopulib loses half of them', () => {
    // In fifty digits, by the formula as Nelsen writes it.
    const { first, second } = conditionalProbabilities({ family: 'frank', theta: 25 }, 0.97, 0.99);
    assertNear(first, 0.5347820972080147, 'first', 1e-12);
    assertNear(second, 0.8817066188666773, 'second', 1e-12);
  });

  test("what arbitragelab's tests say of a Gumbel copula of theta 2", () => {
    const copula: Copula = { family: 'gumbel', theta: 2, rotation: 0 };
    assertNear(copulaDistribution(copula, 0.7, 0.5), 0.458621, 'C(0.7, 0.5)', 1e-6);
    assertNear(Math.exp(copulaLogDensity(copula, 0.5, 0.7)), 1.21699, 'c(0.5, 0.7)', 1e-5);
    assertNear(conditionalProbabilities(copula, 0.5, 0.7).first, 0.299774, 'h(0.5 given 0.7)', 1e-6);
    assert.equal(kendallTauOf(copula), 0.5);
    assertNear(tailDependence(copula).upper, 2 - Math.SQRT2, 'upper tail', 1e-12);
  });

  test('every fit has the likelihood and the parameters that scipy finds on those of vinecopulib, and the same one is chosen', () => {
    for (const { name, u, v, fits } of golden.fits) {
      const found = fitCopulas(u, v);
      assert.equal(found.length, fits.length);
      const [best] = fits;
      assert.ok(best !== undefined && found[0] !== undefined);
      assert.deepEqual(
        [found[0].copula.family, 'rotation' in found[0].copula ? found[0].copula.rotation : 0],
        [best.family, best.rotation],
        name,
      );
      for (const wanted of fits) {
        const own = fitCopula(wanted.family, u, v, wanted.rotation);
        const what = `${wanted.family} turned by ${wanted.rotation} of ${name}`;
        assertNear(own.logLikelihood, wanted.logLikelihood, `likelihood of ${what}`, 1e-7);
        assertNear(own.aic, wanted.aic, `AIC of ${what}`, 1e-7);
        // Where a likelihood is flat only the likelihood is compared: degrees of freedom at their bound, thetas of next to no dependence.
        if (wanted.logLikelihood < 1) continue;
        parametersOf(own.copula).forEach((value, index) =>
          assertNear(value, wanted.parameters[index] ?? NaN, `parameter ${index} of ${what}`, 1e-4),
        );
      }
    }
  });
});

test("Student's distribution, density and quantiles are scipy's", () => {
  for (const [degrees, x, probability, logDensity] of golden.student.values) {
    const own = studentDistribution(degrees);
    const found = own.probability(x);
    assert.ok(Math.abs(found - probability) <= 1e-11 * probability, `t of ${degrees} at ${x} was ${found}, scipy says ${probability}`);
    assertNear(own.logDensity(x), logDensity, `log density of ${degrees} at ${x}`, 1e-12);
  }
  for (const [degrees, probability, wanted] of golden.student.quantiles) {
    const found = studentDistribution(degrees).quantile(probability);
    assert.ok(
      Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted),
      `quantile of ${degrees} at ${probability} was ${found}, scipy says ${wanted}`,
    );
  }
});

test("marginals are fitted as scipy's likelihoods are, and the one that made the values is chosen", () => {
  for (const { name, values, fits } of golden.marginals) {
    const found = fitMarginals(values);
    assert.equal(found[0]?.marginal.family, name);
    for (const { marginal, logLikelihood, aic } of found) {
      assert.ok(marginal.family !== 'empirical');
      const wanted = fits[marginal.family];
      assertNear(logLikelihood, wanted.logLikelihood, `likelihood of ${marginal.family} on ${name}`, 1e-8);
      const own = [marginal.middle, marginal.scale, ...(marginal.family === 'student' ? [marginal.degrees] : [])];
      assert.equal(aic, 2 * (own.length - logLikelihood));
      // Two hundred degrees of freedom are as likely as a hundred and fifty.
      own.slice(0, 2).forEach((value, index) => assertNear(value, wanted.parameters[index] ?? NaN, `${marginal.family} on ${name}`, 1e-4));
      assertNear(marginalProbability(marginal, marginal.middle), 0.5, 'the middle', 1e-12);
    }
  }
});

test("ranks, Spearman's rho and Kendall's tau are scipy's, with ties", () => {
  const { x, y, ranks, ...wanted } = golden.ranks;
  assert.deepEqual(Array.from(averageRanks(x)), ranks);
  assertNear(spearman(x, y), wanted.spearman, 'rho', 1e-13);
  assertNear(kendall(x, y), wanted.kendall, 'tau', 1e-13);
});
