import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { Random } from '../../quant/random.ts';
import { evolution } from './evolution.ts';
import type { Constraint } from './grid.ts';
import { drawn, listed, spread, type Search, type SearchSettings } from './search.ts';
import { pointAt, spaceOf, type ParameterField } from './space.ts';
import type { SweepPoint } from './strategy.ts';
import { tpe } from './tpe.ts';

const FREE: Constraint = { constraint: 'none', meets: () => true };

function fieldsOf(schema: z.ZodObject): Readonly<Record<string, ParameterField>> {
  return z.toJSONSchema(schema, { io: 'input' }).properties as Readonly<Record<string, ParameterField>>;
}

/** Runs a search to its end. */
function ran(search: Search, worth: (point: SweepPoint) => number | null): { points: SweepPoint[]; values: number[] } {
  const points: SweepPoint[] = [];
  const values: number[] = [];
  for (let asked = search.ask(); asked.length > 0; asked = search.ask()) {
    const told = asked.map(worth);
    search.tell(told);
    points.push(...asked);
    values.push(...told.map((value) => value ?? -Infinity));
  }
  return { points, values };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN;
}

describe('a space', () => {
  const schema = z.strictObject({
    window: z.int().min(2).max(5_000),
    ratio: z.number().min(0).max(1),
    kind: z.enum(['plain', 'weighted', 'none']),
    short: z.boolean(),
    unbounded: z.int().min(1).default(3),
    narrow: z
      .int()
      .min(1)
      .max(1_000_000)
      .meta({ search: [3, 6] }),
    name: z.string().default('x'),
  });

  test('is what the schema bounds on both sides, or what it says is worth searching', () => {
    const { dimensions, size } = spaceOf(fieldsOf(schema), undefined, '--grid');
    assert.deepEqual(
      dimensions.map((dimension) => [dimension.name, dimension.size, dimension.isOrdered]),
      [
        ['window', 4_999, true],
        ['ratio', Infinity, true],
        ['kind', 3, false],
        ['short', 2, false],
        ['narrow', 4, true],
      ],
    );
    assert.equal(size, Infinity);
    const first = pointAt({ dimensions, size }, new Float64Array(5));
    assert.deepEqual(first, { window: 2, ratio: 0, kind: 'plain', short: false, narrow: 3 });
    const last = pointAt({ dimensions, size }, new Float64Array(5).fill(1 - Number.EPSILON));
    assert.deepEqual(last, { window: 5_000, ratio: 1, kind: 'none', short: true, narrow: 6 });
    // By its logarithm: half of all draws are below the root of the product of its ends.
    assert.ok(Math.abs(Number(dimensions[0]?.at(0.5)) - 100) <= 1);
  });

  test('is the ranges that are named: with a step its values, without one everything between', () => {
    const { dimensions, size } = spaceOf(fieldsOf(schema), 'window=5..50:5,short=true,narrow=4..9,kind=none|plain', '--grid');
    assert.deepEqual(
      dimensions.map((dimension) => dimension.size),
      [10, 1, 6, 2],
    );
    assert.equal(size, 120);
    const real = spaceOf(fieldsOf(schema), 'ratio=0.1..0.3', '--grid').dimensions[0];
    assert.deepEqual([real?.size, real?.at(0), real?.at(0.5)], [Infinity, 0.1, 0.2]);
  });

  test('every place is a value of the schema', () => {
    const { dimensions, size } = spaceOf(fieldsOf(schema), undefined, '--grid');
    const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const places = fc.array(place, { minLength: dimensions.length, maxLength: dimensions.length });
    fc.assert(
      fc.property(places, (each) => {
        schema.parse(pointAt({ dimensions, size }, Float64Array.from(each)));
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  test('without anything to search is told', () => {
    assert.throws(() => spaceOf(fieldsOf(z.strictObject({ a: z.int() })), undefined, '--grid'), { code: 'SPACE_EMPTY' });
  });
});

describe('a search', () => {
  const schema = z.strictObject({ a: z.int().min(0).max(30), b: z.number().min(-1).max(1), kind: z.enum(['x', 'y']) });
  const constraint: Constraint = { constraint: 'a is not 7', meets: ({ a }) => a !== 7 };
  const settings: SearchSettings = { space: spaceOf(fieldsOf(schema), undefined, '--grid'), constraint, trials: 90, seed: 3 };
  const worth = ({ a, b, kind }: SweepPoint): number | null => (a === 9 ? null : Number(a) * Number(b) + (kind === 'x' ? 1 : 0));

  for (const [name, search] of Object.entries({ drawn, spread, tpe, evolution })) {
    test(`${name}: as many as were asked for, each new and lawful, the same for a seed`, () => {
      const { points } = ran(search(settings), worth);
      assert.equal(points.length, 90);
      assert.equal(new Set(points.map((point) => JSON.stringify(point))).size, 90);
      for (const point of points) {
        schema.parse(point);
        assert.ok(constraint.meets(point));
      }
      assert.deepEqual(ran(search(settings), worth).points, points);
      assert.notDeepEqual(ran(search({ ...settings, seed: 4 }), worth).points, points);
    });

    test(`${name}: ends where the space has no more`, () => {
      const small = spaceOf(fieldsOf(schema), 'a=1..3,kind=x|y', '--grid');
      const { points } = ran(search({ space: small, constraint: FREE, trials: 50, seed: 1 }), worth);
      assert.equal(points.length, 6);
    });
  }

  test('a Latin hypercube has each of as many intervals once along every axis', () => {
    const space = spaceOf(fieldsOf(schema), 'b=0..1', '--grid');
    const { points } = ran(spread({ space, constraint: FREE, trials: 40, seed: 8 }), () => 0);
    const intervals = points.map(({ b }) => Math.floor(Number(b) * 40));
    assert.deepEqual(
      intervals.toSorted((one, other) => one - other),
      Array.from({ length: 40 }, (_, index) => index),
    );
  });

  test('a list is asked for once', () => {
    const list = listed({ points: [{ a: 1 }, { a: 2 }], leftOut: 5 });
    assert.deepEqual([list.total, list.leftOut, list.ask(), list.ask()], [2, 5, [{ a: 1 }, { a: 2 }], []]);
  });
});

describe('what is found', () => {
  const SEEDS = 15;
  const best = (
    search: (settings: SearchSettings) => Search,
    settings: Omit<SearchSettings, 'seed'>,
    worth: (point: SweepPoint) => number,
  ): number[] => Array.from({ length: SEEDS }, (_, seed) => Math.max(...ran(search({ ...settings, seed }), worth).values));

  test('on a mixed space TPE is better than draws', () => {
    // One kind is right, a window near 24 by its logarithm, a threshold near 0.3; the switch matters little.
    const schema = z.strictObject({
      window: z.int().min(2).max(2_000),
      threshold: z.number().min(-2).max(2),
      kind: z.enum(['a', 'b', 'c', 'd']),
      isOn: z.boolean(),
    });
    const worth = ({ window, threshold, kind, isOn }: SweepPoint): number =>
      -Math.abs(Math.log(Number(window) / 24)) - Math.abs(Number(threshold) - 0.3) - (kind === 'c' ? 0 : 1) - (isOn === true ? 0 : 0.1);
    const settings = { space: spaceOf(fieldsOf(schema), undefined, '--grid'), constraint: FREE, trials: 100 };
    const [learned, lucky] = [best(tpe, settings, worth), best(drawn, settings, worth)];
    assert.ok(median(learned) > 0.5 * median(lucky), `TPE ${median(learned)}, draws ${median(lucky)}, 0 is the best there is`);
    assert.ok(learned.filter((value, seed) => value > (lucky[seed] ?? NaN)).length >= 12);
  });

  test('in a smooth valley CMA-ES is far better than draws', () => {
    const names = ['a', 'b', 'c', 'd'];
    const schema = z.strictObject(Object.fromEntries(names.map((name) => [name, z.number().min(-2).max(2)])));
    // Rosenbrock's valley, turned over.
    const worth = (point: SweepPoint): number => {
      const x = names.map((name) => Number(point[name]));
      return -x.slice(1).reduce((sum, next, index) => sum + 100 * (next - (x[index] ?? NaN) ** 2) ** 2 + (1 - (x[index] ?? NaN)) ** 2, 0);
    };
    const settings = { space: spaceOf(fieldsOf(schema), undefined, '--grid'), constraint: FREE, trials: 800 };
    const [evolved, lucky] = [best(evolution, settings, worth), best(drawn, settings, worth)];
    assert.ok(median(evolved) > 0.05 * median(lucky), `CMA-ES ${median(evolved)}, draws ${median(lucky)}, 0 is the best there is`);
  });

  test('a restart finds the better of two valleys', () => {
    const schema = z.strictObject({ a: z.number().min(0).max(1), b: z.number().min(0).max(1) });
    // A wide valley, and a deeper one in a corner.
    const worth = ({ a, b }: SweepPoint): number => {
      const wide = (Number(a) - 0.4) ** 2 + (Number(b) - 0.5) ** 2;
      const deep = (Number(a) - 0.95) ** 2 + (Number(b) - 0.05) ** 2;
      return -Math.min(wide + 0.05, 8 * deep);
    };
    const settings = { space: spaceOf(fieldsOf(schema), undefined, '--grid'), constraint: FREE, trials: 1_500 };
    const found = best(evolution, settings, worth);
    assert.ok(median(found) > -0.01, `found ${found.map((value) => value.toFixed(4)).join(' ')}`);
  });

  test('a search draws from its own streams', () => {
    const schema = z.strictObject({ a: z.number().min(0).max(1) });
    const settings = { space: spaceOf(fieldsOf(schema), undefined, '--grid'), constraint: FREE, trials: 3, seed: 9 };
    const random = new Random(9).fork('draws');
    assert.deepEqual(
      ran(drawn(settings), () => 0).points,
      [0, 1, 2].map(() => ({ a: Number(random.uniform().toPrecision(6)) })),
    );
  });
});
