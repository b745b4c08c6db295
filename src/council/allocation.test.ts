import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { layOut, type Sleeve } from '../domain/sleeve.ts';
import { bayesSteinMeans, ledoitWolf } from '../quant/covariance.ts';
import { hierarchicalWeights, meanVarianceWeights, minimumVarianceWeights, riskParityWeights } from '../quant/portfolio-weights.ts';
import { Random } from '../quant/random.ts';
import { Allocation, ALLOCATION_METHODS, type AllocationMethod, type AllocationSettings, type Allocated } from './allocation.ts';

type Method = Exclude<AllocationMethod, 'equal'>;
const METHODS = ALLOCATION_METHODS.filter((method): method is Method => method !== 'equal');

/** One sleeve an instrument, and a pair of the first two last, with these shares. */
function sleevesOf(shares: readonly number[]): Sleeve[] {
  return shares.map((shareRatio, index) => ({
    name: `sleeve-${index}`,
    shareRatio,
    instruments: index === shares.length - 1 ? [0, 1] : [index],
    sources: [index],
  }));
}

/** Prices of one market, day by day; and an allocation that is told of them. */
class Days {
  readonly mark: Float64Array;
  readonly sleeves: readonly Sleeve[];
  readonly allocation: Allocation;
  readonly random: Random;
  last: Allocated | undefined = undefined;

  constructor(
    method: Method,
    { shares = [0.3, 0.3, 0.2, 0.2], seed = 1, ...more }: Partial<AllocationSettings> & { shares?: number[]; seed?: number } = {},
  ) {
    this.sleeves = sleevesOf(shares);
    this.mark = new Float64Array(shares.length).fill(100);
    const settings = { method, windowDays: 30, cadenceDays: 7, riskAversion: 4, ...more };
    this.allocation = new Allocation(settings, this.sleeves, layOut(this.sleeves, shares.length), this.mark);
    this.random = new Random(seed);
  }

  /** Takes a side on a share of one, and is given all of what its share asks for. */
  decide(sleeve: number, unitWeight: number, given = 1): void {
    const legs = this.sleeves[sleeve]?.instruments.length === 2 ? [1, -0.5] : [1];
    const share = this.allocation.shares[sleeve] ?? 0;
    this.allocation.decided(
      sleeve,
      unitWeight,
      legs,
      legs.map((ratio) => given * unitWeight * ratio * share),
    );
  }

  /** Each price moves by its own measure, and all with the market. */
  move(): void {
    const market = this.random.normal();
    for (let instrument = 0; instrument < this.mark.length; instrument++) {
      this.mark[instrument] = (this.mark[instrument] ?? 0) * Math.exp(0.01 * (1 + instrument) * (this.random.normal() + 0.5 * market));
    }
  }

  close(): Allocated | undefined {
    const allocated = this.allocation.closeDay();
    if (allocated === undefined) return undefined;
    this.allocation.shares.set(allocated.shares);
    this.last = allocated;
    return allocated;
  }

  pass(days: number): void {
    for (let day = 0; day < days; day++) {
      this.move();
      this.close();
    }
  }
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0);

/** What the functions of `quant` say of the same columns: those are held to scikit-learn, riskfolio-lib and others by test/golden. */
function expected(method: Method, columns: readonly Float64Array[]): Float64Array {
  const { covariance } = ledoitWolf(columns);
  switch (method) {
    case 'hrp':
      return hierarchicalWeights(covariance);
    case 'erc':
      return riskParityWeights(covariance);
    case 'minimum-variance':
      return minimumVarianceWeights(covariance);
    case 'mean-variance':
      return meanVarianceWeights(bayesSteinMeans(columns, covariance).means, covariance, 4);
  }
}

for (const method of METHODS) {
  test(`${method} divides the total as the function of quant does on the last days of paper returns, also once the window has slid`, () => {
    const days = new Days(method, { shares: [0.3, 0.2, 0.2, 0.1] });
    const units = [0.5, -1, 2, 0.7];
    units.forEach((unit, sleeve) => days.decide(sleeve, unit));
    const columns: number[][] = units.map(() => []);
    let allocations = 0;
    for (let day = 1; day <= 51; day++) {
      const before = days.mark.slice();
      days.move();
      const moved = days.mark.map((mark, instrument) => mark / (before[instrument] ?? NaN) - 1);
      units.forEach((unit, sleeve) =>
        columns[sleeve]?.push(sleeve === 3 ? unit * (moved[0] ?? NaN) + -0.5 * unit * (moved[1] ?? NaN) : unit * (moved[sleeve] ?? NaN)),
      );
      const allocated = days.close();
      assert.equal(allocated !== undefined, day >= 30 && (day - 30) % 7 === 0, `on day ${day}`);
      if (allocated === undefined) continue;
      allocations++;
      const weights = expected(
        method,
        columns.map((column) => Float64Array.from(column.slice(-30))),
      );
      allocated.shares.forEach((share, sleeve) =>
        assert.ok(Math.abs(share - 0.8 * (weights[sleeve] ?? NaN)) < 1e-12, `sleeve ${sleeve} on day ${day}: ${share}`),
      );
    }
    assert.equal(allocations, 4);
    assert.match(
      days.last?.because ?? '',
      /^\D+ of 30 days: sleeve-0 \d+\.\d\d %, sleeve-1 \d+\.\d\d %, sleeve-2 \d+\.\d\d %, sleeve-3 \d+\.\d\d %$/,
    );
  });
}

test('shares are never negative and sum to no more than what was given out, whatever the sleeves do and the market does', () => {
  const act = fc.record({
    sleeve: fc.nat({ max: 3 }),
    unit: fc.oneof(fc.constant(0), fc.double({ min: -3, max: 3, noNaN: true })),
    leaves: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...METHODS),
      fc.array(fc.double({ min: 0.01, max: 0.25, noNaN: true }), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 2, max: 12 }),
      fc.nat(),
      fc.array(fc.record({ acts: fc.array(act, { maxLength: 3 }), isStill: fc.boolean(), gap: fc.boolean() }), {
        minLength: 5,
        maxLength: 40,
      }),
      (method, shares, windowDays, seed, story) => {
        const days = new Days(method, { shares, seed, windowDays, cadenceDays: 3 });
        const total = sum(shares);
        for (const { acts, isStill, gap } of story) {
          for (const { sleeve, unit, leaves } of acts) {
            if (leaves) days.allocation.left(sleeve);
            else days.decide(sleeve, unit);
          }
          if (!isStill) days.move();
          if (gap) days.mark[0] = NaN;
          else if (Number.isNaN(days.mark[0])) days.mark[0] = 50;
          try {
            days.close();
          } catch (error) {
            // Weights that do not exist leave the shares as they are.
            assert.ok(error instanceof RangeError, String(error));
          }
          assert.ok(
            days.allocation.shares.every((share) => share >= 0),
            days.allocation.shares.join(' '),
          );
          assert.ok(sum(days.allocation.shares) <= total * (1 + 1e-12), `${sum(days.allocation.shares)} of ${total}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('a sleeve that has not spoken for a whole window keeps what it was given, and the others divide theirs', () => {
  const days = new Days('erc', { shares: [0.4, 0.2, 0.2, 0.2] });
  for (const sleeve of [0, 1]) days.decide(sleeve, 1);
  days.pass(10);
  days.decide(2, 1);
  days.pass(20);
  const [one = NaN, other = NaN, late, silent] = days.last?.shares ?? [];
  assert.deepEqual([late, silent], [0.2, 0.2]);
  assert.ok(Math.abs(one + other - 0.6) < 1e-12 && one > other, `${one} and ${other}: the second market is the wilder one`);
  days.pass(14);
  assert.notEqual(days.last?.shares[2], 0.2, 'ten days later it has a window behind it');
});

test('one sleeve alone has nobody to divide with', () => {
  const days = new Days('hrp');
  days.decide(0, 1);
  days.pass(100);
  assert.equal(days.last, undefined);
});

test('a sleeve that is flat is measured by what it held last: who sits out most days is not safer for it', () => {
  const share = (isOut: boolean): number => {
    const days = new Days('minimum-variance', { seed: 7 });
    for (const sleeve of [0, 1, 2, 3]) days.decide(sleeve, 1);
    days.pass(3);
    if (isOut) days.decide(2, 0);
    days.pass(27);
    return days.last?.shares[2] ?? NaN;
  };
  assert.equal(share(true), share(false));
});

test('and what it has made is of the days on which it stood behind it', () => {
  // Two sleeves in one market: it rises for ten days, falls for ten days. One leaves before the fall.
  const shares = (leave: (days: Days) => void): readonly number[] => {
    const days = new Days('mean-variance', { windowDays: 20, riskAversion: 1 });
    for (const sleeve of [0, 1]) days.decide(sleeve, 1);
    for (let day = 0; day < 20; day++) {
      if (day === 10) leave(days);
      const moved = (day < 10 ? 1.02 : 0.98) + (day % 2 === 0 ? 0.004 : -0.004);
      for (const instrument of [0, 1]) days.mark[instrument] = (days.mark[instrument] ?? 0) * (moved + (day % (2 + instrument)) * 0.001);
      days.close();
    }
    return days.last?.shares ?? [];
  };
  const [stayed = NaN, left = NaN] = shares((days) => days.allocation.left(1));
  assert.ok(left > 0.59 && stayed < 0.01, `${stayed} and ${left}`);
  assert.deepEqual(
    shares((days) => days.decide(1, 0)),
    [stayed, left, 0.2, 0.2],
    'flat by opinion is as good as stopped',
  );
});

test('a turn within a day is reckoned at the price of the turn', () => {
  // Up 10 %, and down 10 % after the turn: as much as up 20 % at once.
  const shares = (first: (days: Days) => void): readonly number[] => {
    const days = new Days('erc', { windowDays: 5, seed: 3 });
    for (const sleeve of [0, 1]) days.decide(sleeve, 1);
    first(days);
    days.mark[1] = 95;
    days.close();
    days.decide(0, 1);
    days.pass(4);
    return days.last?.shares ?? [];
  };
  const turned = shares((days) => {
    days.mark[0] = 110;
    days.decide(0, -1);
    days.mark[0] = 99;
  });
  const straight = shares(({ mark }) => (mark[0] = 120));
  turned.forEach((share, sleeve) => assert.ok(Math.abs(share - (straight[sleeve] ?? NaN)) < 1e-12, `${share} and ${straight[sleeve]}`));
  assert.notEqual(turned[0], turned[1]);
});

test('a standing target is cut only where it is beyond its new share by more than the tolerance, and to that share', () => {
  const days = new Days('erc', { shares: [0.5, 0.3, 0.1, 0.1] });
  days.decide(0, 2);
  days.decide(1, -2, 0.5);
  days.decide(3, 0);
  const cut = (sleeve: number): number => days.allocation.cutOf(sleeve, 1.1);
  assert.deepEqual([0, 1, 2, 3].map(cut), [1, 1, 1, 1]);
  days.allocation.shares.set([0.46, 0.1, 0, 0]);
  // A limit had granted the second only half of its share.
  assert.deepEqual([0, 1, 2, 3].map(cut), [1, 0.1 / 0.15, 1, 1]);
  days.allocation.shares.set([0.25, 0.14, 0, 0]);
  assert.deepEqual([0, 1].map(cut), [0.5, 1]);
  days.allocation.scaled(0, 0.5);
  assert.equal(cut(0), 1, 'once it was cut it is within');
  days.allocation.left(1);
  days.allocation.shares.set([0, 0, 0, 0]);
  assert.deepEqual([0, 1].map(cut), [0, 1], 'nothing is left of one that was closed');
});

test('saved and restored at any day it goes on to the same shares', () => {
  for (const method of METHODS) {
    const whole = new Days(method);
    for (const sleeve of [0, 1, 2, 3]) whole.decide(sleeve, sleeve - 1.5);
    whole.pass(23);
    whole.mark[0] = 90;
    whole.allocation.left(2);
    const out = new ByteWriter();
    whole.allocation.save(out);
    const again = new Allocation(
      { method, windowDays: 30, cadenceDays: 7, riskAversion: 4 },
      whole.sleeves,
      layOut(whole.sleeves, 4),
      whole.mark,
    );
    const from = new ByteReader(out.view());
    again.restore(from);
    assert.ok(from.ended);
    for (let day = 0; day < 20; day++) {
      whole.move();
      const [one, other] = [whole.allocation.closeDay(), again.closeDay()];
      assert.deepEqual(other, one, `${method} on day ${day}`);
      for (const each of [whole.allocation, again]) if (one !== undefined) each.shares.set(one.shares);
    }
  }
});
