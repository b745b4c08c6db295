// Made-up legs for tests: coins that follow one walk, each with a spread of its own that comes back.
import type { BarColumns } from '../../domain/bars.ts';
import type { BarView } from '../../domain/feature.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';

export interface BoundLegsOptions {
  readonly bars: number;
  readonly legs: number;
  readonly seed?: number;
  /** Bars until half of a deviation is gone. */
  readonly halfLife?: number;
  /** A bar from which on the spreads wander. */
  readonly breaksAt?: number;
}

/** The first leg is the walk itself; hourly bars that open where the last one closed. */
export function boundLegs({ bars, legs, seed = 3, halfLife = 12, breaksAt = Infinity }: BoundLegsOptions): BarColumns[] {
  const random = new Random(seed);
  const memory = 0.5 ** (1 / halfLife);
  const spreads = new Float64Array(legs);
  const closes = Array.from({ length: legs }, () => new Float64Array(bars));
  let walk = 0;
  for (let bar = 0; bar < bars; bar++) {
    walk += 0.008 * random.normal();
    for (let leg = 0; leg < legs; leg++) {
      const keeps = bar >= breaksAt ? 1 : memory;
      spreads[leg] = leg === 0 ? 0 : keeps * (spreads[leg] ?? NaN) + 0.004 * random.normal();
      const close = closes[leg];
      if (close !== undefined) close[bar] = 100 * (leg + 1) * Math.exp((1 + 0.2 * leg) * walk + (spreads[leg] ?? NaN));
    }
  }
  return closes.map(columnsOf);
}

/** Independent walks. */
export function strangers(bars: number, legs: number, seed: number): BarColumns[] {
  const random = new Random(seed);
  return Array.from({ length: legs }, () => {
    let walk = 0;
    return columnsOf(Float64Array.from({ length: bars }, () => 100 * Math.exp((walk += 0.01 * random.normal()))));
  });
}

export function columnsOf(close: Float64Array): BarColumns {
  const open = close.map((price, bar) => close[bar - 1] ?? price);
  return {
    openAt: Float64Array.from(close, (_, bar) => bar * HOUR_MS),
    open,
    high: close.map((price, bar) => Math.max(price, open[bar] ?? price)),
    low: close.map((price, bar) => Math.min(price, open[bar] ?? price)),
    close,
    volume: new Float64Array(close.length).fill(1),
  };
}

/** One close of all legs. */
export function barsAt(legs: readonly BarColumns[], bar: number): BarView[] {
  return legs.map(({ openAt, open, high, low, close, volume }) => ({
    at: (openAt[bar] ?? NaN) + HOUR_MS,
    open: open[bar] ?? NaN,
    high: high[bar] ?? NaN,
    low: low[bar] ?? NaN,
    close: close[bar] ?? NaN,
    volume: volume[bar] ?? NaN,
  }));
}
