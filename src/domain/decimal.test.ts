import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  absolute,
  add,
  amount,
  amountFrom,
  compare,
  format,
  fromUnits,
  isZero,
  larger,
  negate,
  notional,
  price,
  priceFrom,
  payable,
  proportion,
  quantity,
  quantityFrom,
  roundToStep,
  signOf,
  smaller,
  subtract,
  toNumber,
  unitsOf,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
  type Rounding,
} from './decimal.ts';

const units = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const ticks = fc.constantFrom('0.01', '0.1', '1', '0.5', '0.00000001', '0.0005', '0.025', '1000');

describe('text', () => {
  test('is read exactly and written without trailing zeros', () => {
    for (const [text, written] of [
      ['0', '0'],
      ['-0', '0'],
      ['0.1', '0.1'],
      ['+1.50', '1.5'],
      [' 12 ', '12'],
      ['-0.000000000001', '-0.000000000001'],
      ['1e3', '1000'],
      ['1.5E-3', '0.0015'],
      ['25e+2', '2500'],
      ['1.0000000000000', '1'],
      ['123456789012345678.000000000001', '123456789012345678.000000000001'],
    ] as const) {
      assert.equal(format(price(text)), written);
      assert.equal(format(quantity(text)), written);
      assert.equal(format(amount(text)), written);
    }
  });

  test('what is no decimal, or finer than the ledger, is named with its place', () => {
    for (const text of ['', 'x', '1.', '.5', '1,5', '0x10', 'NaN', 'Infinity', '1e', '--1', '1 2', '1e1000']) {
      assert.throws(() => price(text, 'line 7'), { code: 'DECIMAL_MALFORMED', place: 'line 7' });
    }
    assert.throws(() => amount('0.0000000000001'), { code: 'DECIMAL_MALFORMED', expected: 'at most 12 decimal places' });
  });

  test('round-trips', () => {
    fc.assert(fc.property(units, (value) => unitsOf(quantity(format(fromUnits(value)))) === value));
  });
});

describe('arithmetic', () => {
  test('is that of whole numbers', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        const [a, b] = [fromUnits<Price>(left), fromUnits<Price>(right)];
        assert.equal(unitsOf(add(a, b)), left + right);
        assert.equal(unitsOf(subtract(a, b)), left - right);
        assert.equal(unitsOf(negate(a)), -left);
        assert.equal(unitsOf(absolute(a)), left < 0n ? -left : left);
        assert.equal(unitsOf(smaller(a, b)), left < right ? left : right);
        assert.equal(unitsOf(larger(a, b)), left > right ? left : right);
        assert.equal(compare(a, b), left < right ? -1 : left > right ? 1 : 0);
        assert.equal(signOf(a), left < 0n ? -1 : left > 0n ? 1 : 0);
        assert.equal(isZero(a), left === 0n);
      }),
    );
    assert.ok([ZERO_PRICE, ZERO_QUANTITY, ZERO_AMOUNT].every(isZero));
  });

  test('a notional is rounded once, half away from zero', () => {
    assert.equal(format(notional(price('0.000001'), quantity('0.0000005'))), '0.000000000001');
    assert.equal(format(notional(price('0.000001'), quantity('-0.0000005'))), '-0.000000000001');
    assert.equal(format(notional(price('0.000001'), quantity('0.000000499999'))), '0');
    // On either side of what fits into words, and where halves are frequent.
    const factors = fc.oneof(
      units,
      fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }),
      fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
      fc.bigInt({ min: -2_000n, max: 2_000n }).map((halves) => halves * 500_000n),
    );
    fc.assert(
      fc.property(factors, factors, (left, right) => {
        const exact = left * right;
        const size = exact < 0n ? -exact : exact;
        const expected = (2n * size + 10n ** 12n) / (2n * 10n ** 12n);
        assert.equal(unitsOf(notional(fromUnits(left), fromUnits(right))), exact < 0n ? -expected : expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a proportion is rounded toward zero and leaves the rest to the caller', () => {
    assert.equal(format(proportion(amount('10'), quantity('1'), quantity('3'))), '3.333333333333');
    assert.equal(format(proportion(amount('-10'), quantity('1'), quantity('3'))), '-3.333333333333');
    assert.equal(format(proportion(amount('-10'), quantity('-3'), quantity('-3'))), '-10');
    assert.throws(() => proportion(amount('10'), ZERO_QUANTITY, ZERO_QUANTITY), RangeError);
  });

  test('what money pays for, its fee included, is all of it and never more', () => {
    assert.equal(format(payable(amount('10000'), price('100'), amount('0.001'), quantity('0.001'))), '99.9');
    assert.equal(format(payable(amount('0'), price('100'), amount('0.001'), quantity('0'))), '0');
    assert.equal(format(payable(amount('-5'), price('100'), amount('0.001'), quantity('0'))), '0');
    const ONE = amount('1');
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 18n }),
        fc.bigInt({ min: 1n, max: 10n ** 18n }),
        fc.bigInt({ min: -(10n ** 9n), max: 10n ** 11n }),
        (moneyUnits, priceUnits, feeUnits) => {
          const [money, at, feeRate] = [fromUnits<Amount>(moneyUnits), fromUnits<Price>(priceUnits), fromUnits<Amount>(feeUnits)];
          const cost = (count: Quantity): bigint => {
            const value = notional(at, count);
            return unitsOf(add(value, proportion(value, feeRate, ONE)));
          };
          const bought = payable(money, at, feeRate, ZERO_QUANTITY);
          assert.ok(cost(bought) <= moneyUnits, 'never more');
          // One unit of quantity more, and the two of rounding, are beyond it.
          assert.ok(cost(add(bought, quantity('0.000000000001'))) >= moneyUnits - 2n - priceUnits / 10n ** 12n, 'all of it');
        },
      ),
    );
  });

  test('rounding to a step is toward zero; no step changes nothing', () => {
    assert.equal(format(roundToStep(quantity('1.2345'), quantity('0.01'))), '1.23');
    assert.equal(format(roundToStep(quantity('-1.2345'), quantity('0.01'))), '-1.23');
    assert.equal(format(roundToStep(quantity('1.2345'), ZERO_QUANTITY)), '1.2345');
  });
});

describe('the doors', () => {
  test('round in the named direction', () => {
    const at = (estimate: number, rounding: Rounding): string => format(priceFrom(estimate, price('0.5'), rounding));
    assert.deepEqual(
      (['down', 'up', 'nearest', 'toward-zero'] as const).map((rounding) => [at(1.7, rounding), at(-1.7, rounding)]),
      [
        ['1.5', '-2'],
        ['2', '-1.5'],
        ['1.5', '-1.5'],
        ['1.5', '-1.5'],
      ],
    );
  });

  test('take a quotient within a few ulps of a whole number for that number', () => {
    assert.equal(format(quantityFrom(0.3, quantity('0.1'), 'down')), '0.3');
    assert.equal(format(priceFrom(100 * 1.0005, price('0.01'), 'up')), '100.05');
    // But no more than that: a part in 1e12 is not rounding noise.
    assert.equal(format(quantityFrom(1_000_000_000 - 0.01, quantity('1'), 'down')), '999999999');
    assert.equal(format(quantityFrom(1 / 6, ZERO_QUANTITY, 'down')), '0.166666666666');
  });

  test('never pass the estimate in the direction they are to round to', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), ticks, (estimate, tick) => {
        const step = Number(tick);
        const slack = Math.abs(estimate) * 1e-14 + step * 2e-9;
        const down = toNumber(priceFrom(estimate, price(tick), 'down'));
        const up = toNumber(priceFrom(estimate, price(tick), 'up'));
        const nearest = toNumber(priceFrom(estimate, price(tick), 'nearest'));
        const toward = toNumber(priceFrom(estimate, price(tick), 'toward-zero'));
        assert.ok(down <= estimate + slack && down > estimate - step - slack);
        assert.ok(up >= estimate - slack && up < estimate + step + slack);
        assert.ok(Math.abs(nearest - estimate) <= step / 2 + slack);
        assert.ok(Math.abs(toward) <= Math.abs(estimate) + slack);
      }),
    );
  });

  test('are inverse on the steps, whatever the rounding', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
        ticks,
        fc.constantFrom('down', 'up', 'nearest', 'toward-zero'),
        (count, tick, rounding) => {
          const exact = fromUnits<Price>(BigInt(count) * unitsOf(price(tick)));
          assert.equal(unitsOf(priceFrom(toNumber(exact), price(tick), rounding)), unitsOf(exact));
        },
      ),
    );
  });

  test('an estimate is the nearest double of the units, whatever their size', () => {
    const sizes = fc.oneof(units, fc.bigInt({ min: -(1n << 65n), max: 1n << 65n }), fc.bigInt({ min: -(1n << 33n), max: 1n << 33n }));
    const hold = (value: bigint): void => assert.equal(toNumber(fromUnits<Amount>(value)), Number(value) / 1e12);
    fc.assert(fc.property(sizes, hold));
    for (const bits of [31n, 32n, 52n, 53n, 62n, 63n, 64n]) {
      for (const beside of [-1n, 0n, 1n]) for (const sign of [-1n, 1n]) hold(sign * ((1n << bits) + beside));
    }
  });

  test('a whole number of steps is that number, whatever its size', () => {
    const counts = fc.oneof(fc.maxSafeInteger(), fc.double({ min: -1e24, max: 1e24, noNaN: true }).map(Math.trunc));
    const hold = (count: number): void => assert.equal(unitsOf(priceFrom(count, price('1'), 'nearest')), BigInt(count) * 10n ** 12n);
    fc.assert(fc.property(counts, hold));
    for (const exponent of [31, 32, 53, 62, 63, 64]) for (const sign of [-1, 1]) hold(sign * 2 ** exponent);
  });

  test('money goes to the nearest 1e-12', () => assert.equal(format(amountFrom(0.1)), '0.1'));

  test('let nothing in that is not finite', () => {
    for (const estimate of [NaN, Infinity, -Infinity])
      assert.throws(() => priceFrom(estimate, price('0.01'), 'down'), { code: 'NUMBER_NOT_FINITE' });
    assert.throws(() => amountFrom(1e300), { code: 'NUMBER_NOT_FINITE' });
  });
});
