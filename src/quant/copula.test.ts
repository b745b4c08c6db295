// Against pyvinecopulib and scipy: test/golden/copula.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitCopula, fitCopulas } from './copula-fit.ts';
import {
  conditionalProbabilities,
  copulaDistribution,
  copulaLogDensity,
  kendallTauOf,
  tailDependence,
  type Copula,
  type Rotation,
} from './copula.ts';
import { integrate } from './integrate.ts';
import { empiricalMarginal, fitMarginals, marginalProbability, pseudoObservations } from './marginal.ts';
import { Random } from './random.ts';
import { kendall } from './rank-correlation.ts';
import { studentDistribution } from './student-distribution.ts';

const rotation = fc.constantFrom<Rotation>(0, 90, 180, 270);
const correlation = fc.double({ min: -0.95, max: 0.95, noNaN: true });
const copula: fc.Arbitrary<Copula> = fc.oneof(
  fc.record({ family: fc.constant<'gaussian'>('gaussian'), correlation }),
  fc.record({ family: fc.constant<'student'>('student'), correlation, degrees: fc.double({ min: 2, max: 30, noNaN: true }) }),
  fc.record({ family: fc.constant<'frank'>('frank'), theta: fc.double({ min: 0.1, max: 15, noNaN: true }) }),
  fc.record({
    family: fc.constantFrom<'clayton' | 'gumbel' | 'joe'>('clayton', 'gumbel', 'joe'),
    theta: fc.double({ min: 1.01, max: 8, noNaN: true }),
    rotation,
  }),
);
const probability = fc.double({ min: 0.02, max: 0.98, noNaN: true });

test('nearly equal probabilities, and nearly opposite ones, are no others than equal and opposite ones', () => {
  const near = 0.020000000000000046;
  for (const correlation of [-0.3, 0, 0.6]) {
    const each = { family: 'student', correlation, degrees: 9.287832411245184 } as const;
    assert.ok(Math.abs(copulaDistribution(each, near, 0.020000000000000028) - copulaDistribution(each, 0.02, 0.02)) < 1e-12);
    assert.ok(Math.abs(copulaDistribution(each, near, 0.9799999999999999) - copulaDistribution(each, 0.02, 0.98)) < 1e-12);
  }
});

test('a copula is 2-increasing with uniform margins; its h-functions are its derivatives and its density theirs', () => {
  fc.assert(
    fc.property(copula, probability, probability, (each, u, v) => {
      const c = (x: number, y: number): number => copulaDistribution(each, x, y);
      assert.ok(Math.abs(c(u, 1) - u) < 1e-12 && Math.abs(c(1, v) - v) < 1e-12 && c(u, 0) === 0 && c(0, v) === 0);
      assert.ok(c(u, v) >= Math.max(0, u + v - 1) - 1e-9 && c(u, v) <= Math.min(u, v) + 1e-9);
      const step = 1e-4;
      const { first, second } = conditionalProbabilities(each, u, v);
      const h = (x: number, y: number): number => conditionalProbabilities(each, x, y).first;
      // Where the density is steep a difference is not the derivative.
      const steep = Math.max(1, ...[-2, 0, 2].map((k) => Math.exp(copulaLogDensity(each, u + k * step, v))));
      assert.ok(Math.abs((c(u, v + step) - c(u, v - step)) / (2 * step) - first) < 1e-4 * steep, 'first');
      assert.ok(Math.abs((c(u + step, v) - c(u - step, v)) / (2 * step) - second) < 1e-4 * steep, 'second');
      const density = Math.exp(copulaLogDensity(each, u, v));
      assert.ok(Math.abs((h(u + step, v) - h(u - step, v)) / (2 * step) - density) < 2e-3 * steep ** 2, 'density');
      assert.ok(first >= 0 && first <= 1 && second >= 0 && second <= 1);
    }),
    { numRuns: 150 },
  );
});

test('a conditional probability that grows with u ends at 0 and 1', () => {
  fc.assert(
    fc.property(copula, probability, (each, v) => {
      let before = 0;
      for (let u = 0.01; u < 1; u += 0.01) {
        const { first } = conditionalProbabilities(each, u, v);
        assert.ok(first >= before - 1e-12);
        before = first;
      }
      // A density that is all at one place is steep there.
      assert.ok(conditionalProbabilities(each, 0, v).first < 0.01 && conditionalProbabilities(each, 1, v).first > 0.99);
    }),
    { numRuns: 60 },
  );
});

test('tails are what the copula does in its corners', () => {
  for (const each of [
    { family: 'clayton', theta: 2, rotation: 0 },
    { family: 'clayton', theta: 2, rotation: 180 },
    { family: 'gumbel', theta: 1.8, rotation: 0 },
    { family: 'joe', theta: 2.4, rotation: 180 },
    { family: 'joe', theta: 2.4, rotation: 90 },
    { family: 'student', correlation: 0.5, degrees: 3 },
  ] satisfies Copula[]) {
    const { lower, upper } = tailDependence(each);
    const corner = 1e-5;
    const [low, high] = [
      copulaDistribution(each, corner, corner) / corner,
      (2 * corner - 1 + copulaDistribution(each, 1 - corner, 1 - corner)) / corner,
    ];
    assert.ok(Math.abs(low - lower) < 0.02 && Math.abs(high - upper) < 0.02, `${JSON.stringify(each)}: ${low} ${high}, ${lower} ${upper}`);
  }
});

/** From a copula, the second by bisection of its h-function. */
function sampled(each: Copula, count: number, seed: number): [Float64Array, Float64Array] {
  const random = new Random(seed);
  const [u, v] = [new Float64Array(count), new Float64Array(count)];
  for (let row = 0; row < count; row++) {
    const [first, level] = [random.openUniform(), random.openUniform()];
    let [low, high] = [0, 1];
    for (let step = 0; step < 40; step++) {
      const middle = (low + high) / 2;
      if (conditionalProbabilities(each, first, middle).second < level) low = middle;
      else high = middle;
    }
    u[row] = first;
    v[row] = low;
  }
  return [u, v];
}

test('the copula that made a sample is chosen again, by ranks alone, and h-functions of it are uniform', () => {
  const truths: Copula[] = [
    { family: 'gaussian', correlation: 0.7 },
    { family: 'student', correlation: 0.6, degrees: 3 },
    { family: 'frank', theta: -6 },
    { family: 'clayton', theta: 2, rotation: 180 },
    { family: 'gumbel', theta: 2.2, rotation: 0 },
    { family: 'joe', theta: 2.5, rotation: 270 },
  ];
  for (const [index, truth] of truths.entries()) {
    const [u, v] = sampled(truth, 1500, index + 1);
    const fits = fitCopulas(pseudoObservations(u), pseudoObservations(v));
    const [best] = fits;
    assert.ok(best !== undefined);
    // Clayton's turned round is nearly Joe's: which of the two it was, a sample of this length cannot say.
    if (truth.family === 'clayton' || truth.family === 'joe') {
      const own = fits.find(({ copula: { family } }) => family === truth.family);
      assert.ok(own !== undefined && own.aic - best.aic < 6);
      assert.ok('rotation' in own.copula && own.copula.rotation === truth.rotation);
    } else assert.equal(best.copula.family, truth.family);
    const conditional = Float64Array.from(u, (value, row) => conditionalProbabilities(best.copula, value, v[row] ?? NaN).first).sort();
    const furthest = conditional.reduce((most, value, place) => Math.max(most, Math.abs(value - (place + 0.5) / 1500)), 0);
    // Kolmogorov's 1 % level; a fitted copula is closer.
    assert.ok(furthest < 1.63 / Math.sqrt(1500), `${truth.family} ${furthest}`);
    assert.ok(Math.abs(kendallTauOf(best.copula) - kendall(u, v)) < 0.03);
  }
});

test('independence has a positive AIC: no copula earns its parameter', () => {
  const random = new Random(3);
  let positive = 0;
  for (let sample = 0; sample < 20; sample++) {
    const u = Float64Array.from({ length: 300 }, () => random.openUniform());
    const v = Float64Array.from({ length: 300 }, () => random.openUniform());
    if (fitCopula('gaussian', u, v).aic > 0) positive++;
  }
  // Akaike's rule is wrong in 16 %.
  assert.ok(positive >= 13, `${positive}`);
});

test('marginals: the empirical one is the ranks of its sample, and never 0 or 1', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 30 }), (values) => {
      const marginal = empiricalMarginal(values);
      assert.deepEqual(
        values.map((value) => marginalProbability(marginal, value)),
        Array.from(pseudoObservations(values)),
      );
      for (const beyond of [-100, 100]) {
        const end = marginalProbability(marginal, beyond);
        assert.ok(end > 0 && end < 1);
      }
    }),
  );
  assert.throws(() => fitMarginals(new Float64Array(20).fill(1)), /at least 10 that vary/);
});

test("Student's quantile is the inverse of its probability, from one degree of freedom on", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 300, noNaN: true }), fc.double({ min: 1e-8, max: 1 - 1e-8, noNaN: true }), (degrees, level) => {
      const student = studentDistribution(degrees);
      const found = student.probability(student.quantile(level));
      assert.ok(Math.abs(found - level) < 1e-10 * level + 1e-13, `${degrees} at ${level}: ${found}`);
    }),
  );
  assert.throws(() => studentDistribution(0.5), /expected a number from 1/);
  assert.throws(() => studentDistribution(3).quantile(1), /expected one in \(0, 1\)/);
});

test('integrals with ends where the function is infinite, or does not want to be asked', () => {
  assert.ok(Math.abs(integrate((x) => 1 / Math.sqrt(x), 0, 1) - 2) < 1e-7);
  assert.ok(Math.abs(integrate((x) => Math.exp(-x * x), -8, 8) - Math.sqrt(Math.PI)) < 1e-12);
  assert.ok(Math.abs(integrate((x) => x / Math.expm1(x), 0, 1) - 0.777504634112248) < 1e-12);
});

test('parameters out of their range are refused, and so is what is no probability', () => {
  for (const each of [
    { family: 'gaussian', correlation: 1 },
    { family: 'clayton', theta: 0, rotation: 0 },
    { family: 'gumbel', theta: 0.5, rotation: 90 },
    { family: 'frank', theta: 0 },
    { family: 'student', correlation: 0, degrees: 0 },
  ] satisfies Copula[]) {
    assert.throws(() => copulaLogDensity(each, 0.5, 0.5), RangeError);
  }
  assert.throws(() => fitCopula('frank', [0.5], [0.5]), /at least 10/);
  assert.throws(() => fitCopulas(new Float64Array(12).fill(2), new Float64Array(12)), /row 0 holds 2, expected a probability/);
  assert.throws(
    () => fitCopulas(new Float64Array(12).fill(0.5), pseudoObservations([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])),
    /does not vary/,
  );
});
