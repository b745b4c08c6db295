import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter, RecordBytes } from './bytes.ts';
import { fromUnits, unitsOf } from './decimal.ts';

test('everything that is written is read back, in a buffer that grows', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('byte' as const), value: fc.nat(255) }),
          fc.record({ kind: fc.constant('flag' as const), value: fc.boolean() }),
          fc.record({ kind: fc.constant('number' as const), value: fc.double() }),
          fc.record({ kind: fc.constant('count' as const), value: fc.maxSafeNat() }),
          fc.record({ kind: fc.constant('decimal' as const), value: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }) }),
          fc.record({ kind: fc.constant('text' as const), value: fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })) }),
          fc.record({ kind: fc.constant('numbers' as const), value: fc.float64Array() }),
          fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array() }),
        ),
      ),
      (written) => {
        const out = new ByteWriter(1);
        for (const each of written) {
          if (each.kind === 'byte') out.byte(each.value);
          else if (each.kind === 'flag') out.flag(each.value);
          else if (each.kind === 'number') out.number(each.value);
          else if (each.kind === 'count') out.count(each.value);
          else if (each.kind === 'decimal') out.decimal(fromUnits(each.value));
          else if (each.kind === 'text') out.text(each.value);
          else if (each.kind === 'numbers') out.numbers(each.value);
          else out.bytes(each.value);
        }
        const from = new ByteReader(out.view());
        for (const each of written) {
          if (each.kind === 'byte') assert.equal(from.byte(), each.value);
          else if (each.kind === 'flag') assert.equal(from.flag(), each.value);
          else if (each.kind === 'number') assert.ok(Object.is(from.number(), each.value));
          else if (each.kind === 'count') assert.equal(from.count(), each.value);
          else if (each.kind === 'decimal') assert.equal(unitsOf(from.decimal()), each.value);
          else if (each.kind === 'text') assert.equal(from.text(), each.value);
          else if (each.kind === 'numbers') assert.deepEqual(from.numbers(), each.value);
          else assert.deepEqual(from.bytes(), each.value);
        }
        assert.ok(from.ended);
        assert.equal(from.offset, out.length);
      },
    ),
  );
});

test('every NaN is the same NaN', () => {
  const [left, right] = [new ByteWriter(), new ByteWriter()];
  const odd = new Float64Array(new BigUint64Array([0x7ff8000000000001n]).buffer);
  left.number(NaN);
  right.number(odd[0] ?? 0);
  assert.deepEqual(left.view(), right.view());
});

test('the ends of the short form of a decimal are kept', () => {
  for (const value of [2n ** 63n - 1n, -(2n ** 63n - 1n), 2n ** 63n, -(2n ** 63n)]) {
    const out = new ByteWriter();
    out.decimal(fromUnits(value));
    assert.equal(unitsOf(new ByteReader(out.view()).decimal()), value);
  }
});

test('a cleared writer begins again, and what was copied before stays', () => {
  const out = new ByteWriter();
  out.text('first');
  const kept = out.view().slice();
  out.clear();
  assert.equal(out.length, 0);
  out.text('other');
  assert.equal(new ByteReader(kept).text(), 'first');
});

test('numbers are read into a column of the same length, and into no other', () => {
  const out = new ByteWriter();
  out.numbers(Float64Array.of(1, 2, 3));
  const into = new Float64Array(3);
  assert.equal(new ByteReader(out.view()).numbers(into), into);
  assert.deepEqual([...into], [1, 2, 3]);
  assert.throws(() => new ByteReader(out.view()).numbers(new Float64Array(2)), { code: 'BYTES_TRUNCATED' });
});

test('what is cut short is damaged, wherever it is cut and whatever it claims', () => {
  const out = new ByteWriter();
  out.byte(1);
  out.number(2);
  out.text('three');
  out.numbers(Float64Array.of(4));
  out.decimal(fromUnits(5n));
  const whole = out.view();
  for (let length = 0; length < whole.length; length++) {
    const from = new ByteReader(whole.subarray(0, length));
    assert.throws(
      () => {
        from.byte();
        from.number();
        from.text();
        from.numbers();
        from.decimal();
      },
      { code: 'BYTES_TRUNCATED' },
    );
  }
  // A length that no memory could hold is not believed.
  const lying = new ByteWriter();
  lying.count(2 ** 50);
  assert.throws(() => new ByteReader(lying.view()).numbers(), { code: 'BYTES_TRUNCATED' });
  assert.throws(() => new ByteReader(lying.view()).bytes(), { code: 'BYTES_TRUNCATED' });
});

test('records are read in the order in which they were written, over many pages and while more are written', () => {
  const records = new RecordBytes();
  const write = (from: number, to: number): void => {
    for (let index = from; index < to; index++) {
      const out = records.next();
      out.count(index);
      out.text('r'.repeat(index % 50));
    }
  };
  const read = (count: number, each?: () => void): void => {
    let index = 0;
    for (const from of records.readers()) {
      while (!from.ended) {
        assert.deepEqual([from.count(), from.text().length], [index, index % 50]);
        if (++index === count) each?.();
      }
    }
    assert.ok(index >= count, `${index} of ${count} records`);
  };
  read(0);
  write(0, 40_000);
  read(40_000);
  read(1, () => write(40_000, 60_000));
  read(59_990, () => write(60_000, 90_000));
  read(90_000);
});
