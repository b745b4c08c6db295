// Against statsmodels: test/golden/cointegration.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { leastSquares } from './linear-model.ts';
import { Random } from './random.ts';
import { ExpandingRegression, RollingRegression, type Line } from './rolling-regression.ts';

function assertLine(found: Line, x: readonly number[], y: readonly number[], tolerance: number): void {
  const { coefficients, standardErrors, rSquared } = leastSquares(y, [x, x.map(() => 1)]);
  const [slope = NaN, intercept = NaN] = coefficients;
  const [slopeError = NaN, interceptError = NaN] = standardErrors;
  const wanted = { slope, intercept, slopeError, interceptError, rSquared };
  for (const [name, value] of Object.entries(wanted)) {
    const seen = found[name as keyof typeof wanted];
    assert.ok(Math.abs(seen - value) <= tolerance * (1 + Math.abs(value)), `${name} was ${seen}, expected ${value}`);
  }
}

test('at every step both lines are those of a regression from nothing, far from zero as well', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 3, max: 20 }), fc.constantFrom(0, 1e3, -1e5), (seed, window, far) => {
      const random = new Random(seed);
      const [x, y]: [number[], number[]] = [[], []];
      const [rolling, expanding] = [new RollingRegression(window), new ExpandingRegression()];
      for (let step = 0; step < 70; step++) {
        x.push(far + random.normal());
        y.push(0.7 * (x.at(-1) ?? NaN) + random.normal());
        rolling.push(x.at(-1) ?? NaN, y.at(-1) ?? NaN);
        expanding.push(x.at(-1) ?? NaN, y.at(-1) ?? NaN);
        if (step >= 2) assertLine(expanding.line, x, y, 1e-5);
        if (step + 1 >= window) assertLine(rolling.line, x.slice(-window), y.slice(-window), 1e-5);
        else assert.ok(Number.isNaN(rolling.line.slope));
      }
    }),
    { numRuns: 30 },
  );
});

test('what is far from the window leaves no trace', () => {
  const [worn, fresh] = [new RollingRegression(10), new RollingRegression(10)];
  const random = new Random(1);
  for (let step = 0; step < 25; step++) worn.push(1e12 * random.normal(), 1e12 * random.normal());
  for (let step = 0; step < 30; step++) {
    const [x, y] = [random.normal(), random.normal()];
    worn.push(x, y);
    fresh.push(x, y);
  }
  assert.ok(Math.abs(worn.line.slope - fresh.line.slope) < 1e-12);
});

test('restored at any step, the rest is the same to the last bit', () => {
  for (const make of [() => new RollingRegression(7), () => new ExpandingRegression()]) {
    for (let cut = 0; cut <= 20; cut++) {
      const random = new Random(cut);
      const [one, other] = [make(), make()];
      for (let step = 0; step < cut; step++) one.push(random.normal(), random.normal());
      const writer = new ByteWriter();
      one.save(writer);
      other.restore(new ByteReader(writer.view().slice()));
      for (let step = 0; step < 20; step++) {
        const [x, y] = [random.normal(), random.normal()];
        one.push(x, y);
        other.push(x, y);
        assert.deepEqual(other.line, one.line);
      }
    }
  }
});

test('there is no line through one place, and no window below two', () => {
  const rolling = new RollingRegression(2);
  rolling.push(3, 1);
  rolling.push(3, 2);
  assert.ok(Number.isNaN(rolling.line.slope));
  assert.throws(() => new RollingRegression(1), /window was 1/);
});
