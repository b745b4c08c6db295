// Bars for the tests: a seeded walk with gaps between bars, on a grid of cents so that means tie now and then.
import { Random } from '../../quant/random.ts';
import type { SweepBars } from './account.ts';

export function walkBars(seed: number, count: number, moveRatio = 0.01): SweepBars {
  const random = new Random(seed);
  const bars = {
    open: new Float64Array(count),
    high: new Float64Array(count),
    low: new Float64Array(count),
    close: new Float64Array(count),
  };
  let price = 100;
  const step = (size: number): number => 1 + size * (random.uniform() + random.uniform() - 1);
  const cents = (value: number): number => Math.max(0.01, Math.round(value * 100) / 100);
  for (let bar = 0; bar < count; bar++) {
    const open = cents(price * step(moveRatio / 4));
    const close = cents(open * step(2 * moveRatio));
    bars.open[bar] = open;
    bars.close[bar] = close;
    bars.high[bar] = cents(Math.max(open, close) * (1 + moveRatio * random.uniform()));
    bars.low[bar] = cents(Math.min(open, close) * (1 - moveRatio * random.uniform()));
    price = close;
  }
  return bars;
}
