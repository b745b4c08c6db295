import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../domain/time.ts';
import { barFault, breakFault, isAligned, SPIKE_RATIO, spikeFault } from './quality.ts';

const GOOD = { open: 100, high: 110, low: 90, close: 105, volume: 3 };

test('a bar with its prices in order has no fault', () => {
  assert.equal(barFault(GOOD, undefined), undefined);
  assert.equal(barFault(GOOD, GOOD), undefined);
  assert.equal(barFault({ open: 5, high: 5, low: 5, close: 5, volume: 0 }, undefined), undefined);
});

test('a fault names the field, what it was and what was expected', () => {
  const cases = [
    [{ ...GOOD, close: NaN }, 'found close NaN, expected a finite price above 0'],
    [{ ...GOOD, open: -5 }, 'found open -5, expected a finite price above 0'],
    [{ ...GOOD, low: 0 }, 'found low 0, expected a finite price above 0'],
    [{ ...GOOD, high: Infinity }, 'found high Infinity, expected a finite price above 0'],
    [{ ...GOOD, volume: -1 }, 'found volume -1, expected a finite volume of 0 or more'],
    [{ ...GOOD, volume: NaN }, 'found volume NaN, expected a finite volume of 0 or more'],
    [{ ...GOOD, high: 104 }, 'found open 100, high 104, low 90, close 105, expected low <= open, close <= high'],
    [{ ...GOOD, low: 101 }, 'found open 100, high 110, low 101, close 105, expected low <= open, close <= high'],
  ] as const;
  for (const [bar, text] of cases) assert.equal(barFault(bar, undefined), text);
});

test('a feed that jumps 1000x from its last bar is named a spike, up or down', () => {
  const up = { open: 105_000, high: 106_000, low: 104_000, close: 105_500, volume: 1 };
  const down = { open: 0.105, high: 0.11, low: 0.1, close: 0.107, volume: 1 };
  assert.equal(
    barFault(up, GOOD),
    'found close 105500, a spike beside the close of 105 before it, expected a price within 20x of its neighbours',
  );
  assert.match(barFault(down, GOOD) ?? '', /^found close 0\.107, a spike/);
  assert.match(barFault({ ...GOOD, high: 110_000 }, GOOD) ?? '', /^found high 110000, a spike/);
  assert.equal(barFault(up, undefined), undefined);
});

test('a move that the next bar confirms is the market, and so is a low through an empty book', () => {
  const crash = { open: 1.07, high: 1.38, low: 0.00028, close: 0.00032, volume: 1 };
  assert.equal(spikeFault(crash, 1.08, 0.00032), undefined);
  assert.notEqual(spikeFault(crash, 1.08, 1.06), undefined);
  assert.equal(spikeFault({ open: 3.06, high: 3.2, low: 0.0001, close: 2.4, volume: 1 }, 3.06, 2.45), undefined);
  assert.equal(spikeFault(crash, undefined, undefined), undefined);
});

test('two bars side by side that do not touch are a break', () => {
  assert.equal(breakFault(105, 100), undefined);
  assert.match(breakFault(100_000, 100)?.found ?? '', /^open 100000, a jump from the close of 100/);
  assert.match(breakFault(0.1, 100)?.found ?? '', /^open 0\.1, a jump/);
});

test('no walk of moves below the ratio is ever called a spike, and one price 1000x off always is', () => {
  const factors = fc.array(fc.double({ min: 0.6, max: 1.6, noNaN: true }), { minLength: 3, maxLength: 20 });
  fc.assert(
    fc.property(factors, fc.nat(), (moves, at) => {
      let price = 100;
      const bars = moves.map((move) => {
        const open = price;
        price *= move;
        return { open, high: Math.max(open, price), low: Math.min(open, price), close: price, volume: 1 };
      });
      const faultAt = (index: number, bar = bars[index]): unknown => bar && spikeFault(bar, bars[index - 1]?.close, bars[index + 1]?.open);
      bars.forEach((_, index) => assert.equal(faultAt(index), undefined));
      const index = at % bars.length;
      const bar = bars[index] ?? GOOD;
      assert.notEqual(faultAt(index, { ...bar, high: bar.high * 1000, close: bar.close * 1000 }), undefined);
      assert.notEqual(faultAt(index, { ...bar, low: bar.low / 1000, open: bar.open / 1000 }), undefined);
    }),
  );
  assert.ok(SPIKE_RATIO > 1.6 ** 3);
});

test('bars open at multiples of their timeframe, and weeks on a Monday', () => {
  assert.ok(isAligned(Date.parse('2021-01-01T05:00:00Z'), HOUR_MS));
  assert.ok(!isAligned(Date.parse('2021-01-01T05:30:00Z'), HOUR_MS));
  assert.ok(isAligned(Date.parse('2021-01-04T00:00:00Z'), 7 * DAY_MS));
  assert.ok(!isAligned(Date.parse('2021-01-07T00:00:00Z'), 7 * DAY_MS));
  assert.ok(!isAligned(NaN, HOUR_MS));
});
