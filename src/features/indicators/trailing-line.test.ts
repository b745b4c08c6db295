// On which side of the market the trailing lines are; their values have TA-Lib for a witness.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columns, parabolicSar, superTrend } from '../catalog.ts';
import { anyBars, gappyBars } from './bars.fixture.ts';

test('the parabolic stop changes sides exactly on the bars that reach it', () => {
  fc.assert(
    fc.property(anyBars(3, 150), (bars) => {
      const { value, trend } = columns(parabolicSar(0.02, 0.2), bars);
      for (let index = 2; index < value.length; index++) {
        const [before = NaN, now = NaN, stop = NaN] = [trend[index - 1], trend[index], value[index]];
        const [high = NaN, low = NaN] = [bars.high[index], bars.low[index]];
        assert.ok(now === 1 || now === -1);
        // Where it holds, the stop lies beyond the bar; where it was reached, it goes to the far side.
        if (now === before) assert.ok(now > 0 ? stop < low : stop > high, `bar ${index} held`);
        else assert.ok(now > 0 ? stop <= low : stop >= high, `bar ${index} reversed`);
      }
    }),
  );
});

test('a super trend turns only on a close beyond its line, and holds its line towards the market meanwhile', () => {
  const bars = gappyBars(3_000);
  const { value, trend } = columns(superTrend(10, 2), bars);
  let turns = 0;
  for (let index = 11; index < value.length; index++) {
    const [before = NaN, now = NaN, last = NaN, line = NaN] = [trend[index - 1], trend[index], value[index - 1], value[index]];
    const [close = NaN, closeBefore = NaN] = [bars.close[index], bars.close[index - 1]];
    if (now !== before) {
      turns++;
      assert.ok(now > 0 ? close > last || close > line : close < last || close < line, `bar ${index}`);
    } else if (now > 0 ? closeBefore >= last : closeBefore <= last) {
      assert.ok(now > 0 ? line >= last : line <= last, `bar ${index} moved away`);
    }
  }
  assert.ok(turns > 20, `${turns} turns`);
});
