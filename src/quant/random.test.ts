import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import { normalQuantile, normalQuantiles, portableExp, portableExps, portableLog, portableLogs, Random } from './random.ts';
import { autocorrelation, correlation, kurtosis, mean, skewness, variance } from './statistics.ts';

const seeds = fc.maxSafeNat();
const DRAWS = 200_000;

function draw(count: number, next: () => number): Float64Array {
  return Float64Array.from({ length: count }, next);
}

function saved(random: Random): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  random.save(out);
  return out.view().slice();
}

/** A stream in the given state, by way of its saved bytes: key 0, then the four words. */
function inState(state: readonly number[]): Random {
  const out = new ByteWriter();
  for (const word of [0, 0, ...state]) out.count(word);
  const random = new Random(0);
  random.restore(new ByteReader(out.view()));
  return random;
}

/** One of everything, chosen by `kind`. */
function drawKind(random: Random, kind: number): number {
  switch (kind % 6) {
    case 0:
      return random.uint32();
    case 1:
      return random.uniform();
    case 2:
      return random.normal();
    case 3:
      return random.studentT(4);
    case 4:
      return random.integer(1000);
    default:
      return random.bernoulli(0.5) ? 1 : 0;
  }
}

test('the generator is xoshiro128**: the reference outputs of its authors', () => {
  const random = inState([1, 2, 3, 4]);
  const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
  assert.deepEqual(
    expected.map(() => random.uint32()),
    expected,
  );
});

test('the generator agrees with an obvious one in big integers', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xffffffff), { minLength: 4, maxLength: 4 }), (state) => {
      fc.pre(state.some((word) => word !== 0));
      const random = inState(state);
      const words = state.map(BigInt);
      const mask = 0xffffffffn;
      const rotated = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (32n - by))) & mask;
      for (let round = 0; round < 20; round++) {
        let [s0, s1, s2, s3] = words as [bigint, bigint, bigint, bigint];
        assert.equal(random.uint32(), Number((rotated((s1 * 5n) & mask, 7n) * 9n) & mask));
        const shifted = (s1 << 9n) & mask;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = rotated(s3, 11n);
        words.splice(0, 4, s0, s1, s2, s3);
      }
    }),
  );
});

test('one seed gives one stream, and another seed another', () => {
  fc.assert(
    fc.property(seeds, seeds, fc.array(fc.nat(), { minLength: 5, maxLength: 60 }), (seed, other, kinds) => {
      const [left, right] = [new Random(seed), new Random(seed)];
      for (const kind of kinds) assert.equal(drawKind(left, kind), drawKind(right, kind));
      if (other !== seed) assert.notDeepEqual(saved(new Random(seed)), saved(new Random(other)));
    }),
  );
});

test('a saved and restored stream continues identically, its forks too', () => {
  fc.assert(
    fc.property(
      seeds,
      fc.array(fc.nat(), { maxLength: 40 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
      (seed, before, after) => {
        const random = new Random(seed);
        for (const kind of before) drawKind(random, kind);
        const restored = new Random(0);
        restored.restore(new ByteReader(saved(random)));
        assert.deepEqual(saved(restored), saved(random));
        assert.equal(restored.fork('child').uint32(), random.fork('child').uint32());
        for (const kind of after) assert.equal(drawKind(restored, kind), drawKind(random, kind));
      },
    ),
  );
});

test('a fork depends on key and label, not on what was drawn', () => {
  fc.assert(
    fc.property(seeds, fc.string(), fc.string(), fc.nat(50), (seed, label, other, draws) => {
      const random = new Random(seed);
      const early = random.fork(label);
      const before = saved(random);
      for (let index = 0; index < draws; index++) random.uint32();
      assert.deepEqual(saved(random.fork(label)), saved(early));
      assert.deepEqual(saved(new Random(seed)), before, 'forking draws nothing');
      if (other !== label) assert.notDeepEqual(saved(random.fork(other)), saved(early));
      assert.notDeepEqual(saved(random.fork(`${label}${other}x`)), saved(random.fork(label).fork(`${other}x`)));
    }),
  );
});

test('seek goes to a substream of the key, wherever the stream stood', () => {
  fc.assert(
    fc.property(seeds, fc.maxSafeNat(), fc.maxSafeNat(), fc.nat(20), (seed, index, other, draws) => {
      const [left, right] = [new Random(seed), new Random(seed)];
      for (let drawn = 0; drawn < draws; drawn++) left.normal();
      left.seek(index);
      right.seek(index);
      assert.deepEqual(saved(left), saved(right));
      if (other !== index) {
        left.seek(other);
        assert.notDeepEqual(saved(left), saved(right));
      }
    }),
  );
});

test('uniforms fill [0, 1) evenly and forget', () => {
  const random = new Random(7);
  for (const next of [() => random.uniform(), () => random.openUniform()]) {
    const values = draw(DRAWS, next);
    assert.ok(values.every((value) => value >= 0 && value < 1));
    assert.ok(Math.abs(mean(values) - 0.5) < 0.003);
    assert.ok(Math.abs(variance(values) - 1 / 12) < 0.001);
    for (const lag of [1, 2, 7]) assert.ok(Math.abs(autocorrelation(values, lag)) < 0.01);
    // Chi-squared over 256 bins: 255 degrees of freedom, standard deviation 22.6.
    const bins = new Float64Array(256);
    for (const value of values) {
      const bin = Math.floor(value * 256);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const expected = DRAWS / 256;
    const distance = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert.ok(distance > 255 - 5 * 22.6 && distance < 255 + 5 * 22.6, `chi-squared was ${distance}`);
  }
});

test('neighbouring seeds, forks and substreams know nothing of each other', () => {
  const parent = new Random(11);
  const firstOf = (of: (index: number) => Random): Float64Array => Float64Array.from({ length: 20_000 }, (_, index) => of(index).uniform());
  const columns = [
    firstOf((seed) => new Random(seed)),
    firstOf((index) => parent.fork(`${index}`)),
    firstOf((index) => {
      parent.seek(index);
      return parent;
    }),
  ];
  for (const column of columns) {
    assert.ok(Math.abs(mean(column) - 0.5) < 0.01);
    assert.ok(Math.abs(variance(column) - 1 / 12) < 0.002);
    assert.ok(Math.abs(autocorrelation(column, 1)) < 0.03);
  }
  const [left, right] = [parent.fork('left'), parent.fork('right')];
  assert.ok(
    Math.abs(
      correlation(
        draw(DRAWS, () => left.normal()),
        draw(DRAWS, () => right.normal()),
      ),
    ) < 0.01,
  );
});

test('filling with words draws what single calls would', () => {
  fc.assert(
    fc.property(seeds, fc.nat(20), fc.nat(20), (seed, before, count) => {
      const [one, many] = [new Random(seed), new Random(seed)];
      const column = new Uint32Array(before + count + 3).fill(7);
      many.fillUint32(column, before, before + count);
      assert.deepEqual(
        column.slice(before, before + count),
        Uint32Array.from({ length: count }, () => one.uint32()),
      );
      assert.ok(column.slice(before + count).every((value) => value === 7));
      assert.deepEqual(saved(many), saved(one));
    }),
  );
});

test('filling a column draws what single calls would, and functions of a column are those of its values', () => {
  fc.assert(
    fc.property(seeds, fc.nat(20), fc.nat(20), (seed, before, count) => {
      const [one, many] = [new Random(seed), new Random(seed)];
      const column = new Float64Array(before + count + 3).fill(-1);
      many.fillOpen(column, before, before + count);
      const single = Float64Array.from({ length: count }, () => one.openUniform());
      assert.deepEqual(column.slice(before, before + count), single);
      assert.ok(column.slice(before + count).every((value) => value === -1));
      assert.deepEqual(saved(many), saved(one));
      for (const [ofColumn, ofValue] of [
        [normalQuantiles, normalQuantile],
        [portableLogs, portableLog],
        [portableExps, portableExp],
      ] as const) {
        const values = single.slice();
        ofColumn(values, 0, count);
        assert.deepEqual(values, single.map(ofValue));
      }
    }),
  );
});

test('normal draws have the moments and the tails of a normal', () => {
  const random = new Random(3);
  const values = draw(DRAWS, () => random.normal());
  assert.ok(Math.abs(mean(values)) < 0.01);
  assert.ok(Math.abs(variance(values) - 1) < 0.02);
  assert.ok(Math.abs(skewness(values)) < 0.03);
  assert.ok(Math.abs(kurtosis(values) - 3) < 0.08);
  const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / DRAWS;
  assert.ok(Math.abs(beyondTwo - 0.0455) < 0.003);
});

test('Student-t draws of four degrees have variance 2 and their own tails, by both ways of making them', () => {
  const random = new Random(5);
  const values = draw(DRAWS, () => random.studentT(4));
  assert.ok(Math.abs(mean(values)) < 0.02);
  assert.ok(Math.abs(variance(values) - 2) < 0.2);
  // Two-sided tail of t(4): 0.1 beyond 2.1318, 0.01 beyond 4.6041.
  const beyond = (limit: number): number => values.filter((value) => Math.abs(value) > limit).length / DRAWS;
  assert.ok(Math.abs(beyond(2.1318) - 0.1) < 0.004);
  assert.ok(Math.abs(beyond(4.6041) - 0.01) < 0.0015);
  // The general formula at nearly four degrees is nearly the short one.
  const [short, general] = [new Random(9), new Random(9)];
  for (let index = 0; index < 1000; index++) {
    const drawn = short.studentT(4);
    assert.ok(Math.abs(general.studentT(4 + 1e-9) - drawn) < 1e-6 * (1 + Math.abs(drawn)));
  }
});

test('integers are even over a bound that is no power of two', () => {
  const random = new Random(13);
  const counts = new Float64Array(7);
  for (let index = 0; index < 70_000; index++) {
    const drawn = random.integer(7);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  assert.ok(counts.every((count) => Math.abs(count - 10_000) < 500));
  assert.equal(random.integer(1), 0);
  assert.ok(random.integer(2 ** 32) < 2 ** 32);
});

test('a seed or bound that is none is refused, with the value', () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) assert.throws(() => new Random(seed), RangeError);
  for (const bound of [0, -1, 1.5, 2 ** 32 + 1]) assert.throws(() => new Random(1).integer(bound), RangeError);
});

test('portable exp and log agree with the engine to the last bits', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (value) => {
      const exponential = Math.exp(value);
      assert.ok(Math.abs(portableExp(value) - exponential) <= 3e-16 * exponential);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (value) => {
      const logarithm = Math.log(value);
      assert.ok(Math.abs(portableLog(value) - logarithm) <= 3e-16 * Math.abs(logarithm) + 1e-300);
    }),
  );
  assert.equal(portableExp(0), 1);
  assert.equal(portableLog(1), 0);
});

test('the normal quantile has the printed values of tables', () => {
  const table: readonly (readonly [number, number])[] = [
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167813],
    [1e-20, -9.26234008979841],
  ];
  for (const [probability, expected] of table)
    assert.ok(Math.abs(normalQuantile(probability) - expected) < 1e-14 * (1 + Math.abs(expected)));
});
