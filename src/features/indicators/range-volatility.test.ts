// Range volatilities on a market whose volatility is known, because it was made with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BarColumns } from '../../domain/bars.ts';
import { MINUTE_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { columns, garmanKlass, parkinson, realisedVolatility, rogersSatchell, yangZhang, type CatalogSpec } from '../catalog.ts';
import type { Indicator } from '../../domain/feature.ts';

const BARS = 4_000;
const STEPS = 400;
const SIGMA = 0.02;

/** Bars of a walk in many small steps, with drift and with gaps between bars, both by the bar. */
function diffusion(drift: number, gapSigma: number): BarColumns {
  const random = new Random(20_261_121);
  // The sum of twelve uniforms less six: near enough to normal for means of squares.
  const deviate = (): number => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) sum += random.uniform();
    return sum;
  };
  const bars = {
    openAt: new Float64Array(BARS),
    open: new Float64Array(BARS),
    high: new Float64Array(BARS),
    low: new Float64Array(BARS),
    close: new Float64Array(BARS),
    volume: new Float64Array(BARS),
  };
  let at = 0;
  for (let index = 0; index < BARS; index++) {
    at += gapSigma * deviate();
    const start = at;
    let highest = at;
    let lowest = at;
    for (let step = 0; step < STEPS; step++) {
      // Up or down by the same: the walk of a binomial tree.
      at += drift / STEPS + (random.uniform() < 0.5 ? SIGMA : -SIGMA) / Math.sqrt(STEPS);
      if (at > highest) highest = at;
      if (at < lowest) lowest = at;
    }
    bars.open[index] = 100 * Math.exp(start);
    bars.high[index] = 100 * Math.exp(highest);
    bars.low[index] = 100 * Math.exp(lowest);
    bars.close[index] = 100 * Math.exp(at);
  }
  return bars;
}

function over(bars: BarColumns, spec: CatalogSpec<Indicator>): number {
  return columns(spec, bars).value.at(-1) ?? NaN;
}

/** Extremes of a walk in steps fall short of those of a diffusion, by about half a step on each side. */
const SHORTFALL = 0.05;

test('each finds the volatility of a market without drift and gaps', () => {
  const bars = diffusion(0, 0);
  for (const spec of [parkinson(BARS), garmanKlass(BARS), rogersSatchell(BARS), yangZhang(BARS - 1)]) {
    const found = over(bars, spec);
    assert.ok(found > SIGMA * (1 - SHORTFALL) && found < SIGMA * 1.01, `${spec.key} found ${found}`);
  }
  assert.ok(Math.abs(over(bars, realisedVolatility(BARS - 1)) / SIGMA - 1) < 0.04);
});

test('drift deceives Parkinson, and neither Rogers and Satchell nor Yang and Zhang', () => {
  const bars = diffusion(2 * SIGMA, 0);
  assert.ok(over(bars, parkinson(BARS)) > 1.3 * SIGMA);
  for (const spec of [rogersSatchell(BARS), yangZhang(BARS - 1)]) {
    const found = over(bars, spec);
    assert.ok(found > SIGMA * (1 - 2 * SHORTFALL) && found < SIGMA * 1.02, `${spec.key} found ${found}`);
  }
});

test('gaps belong to the volatility of Yang and Zhang alone', () => {
  const bars = diffusion(0, SIGMA);
  const whole = Math.SQRT2 * SIGMA;
  const found = over(bars, yangZhang(BARS - 1));
  assert.ok(found > whole * (1 - SHORTFALL) && found < whole * 1.02, `found ${found}`);
  assert.ok(over(bars, rogersSatchell(BARS)) < 1.01 * SIGMA);
});

test('by the year it is the root of the bars of a year times as much', () => {
  const bars = diffusion(0, 0);
  const year = Math.sqrt(365 * 24 * 60);
  for (const feature of [parkinson, garmanKlass, rogersSatchell, yangZhang]) {
    assert.ok(Math.abs(over(bars, feature(50, MINUTE_MS)) / over(bars, feature(50)) / year - 1) < 1e-12);
  }
});
