// Made-up bars for tests: from a linear congruential generator and plain arithmetic, so that any language makes the same doubles.
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import type { BarView } from '../../domain/feature.ts';
import { HOUR_MS } from '../../domain/time.ts';

/** The smooth bars of test/golden/talib-golden.py: each opens where the last one closed. */
export function madeUpBars(count: number, seed = 20_261_120): BarColumns {
  const uniform = generator(seed);
  const bars = emptyBars(count);
  let last = 40_000;
  for (let index = 0; index < count; index++) {
    const start = last;
    last = start * (1 + 0.02 * (uniform() - 0.495));
    bars.openAt[index] = index * HOUR_MS;
    bars.open[index] = start;
    bars.high[index] = Math.max(start, last) * (1 + 0.004 * uniform());
    bars.low[index] = Math.min(start, last) * (1 - 0.004 * uniform());
    bars.close[index] = last;
    bars.volume[index] = 1 + index;
  }
  return bars;
}

/**
 * Legs that have to do with each other. The first is made up; each other follows it, three quarters of every move at once and the rest a bar
 * later, and strays from it by a noise that comes back: what looks for correlation, for a lead or for a spread finds one.
 */
export function relatedBars(count: number, legs: number, seed: number): BarColumns[] {
  const leader = madeUpBars(count, seed);
  const followers = Array.from({ length: legs - 1 }, (_, leg) => {
    const uniform = generator(seed + 101 * (leg + 1));
    const bars = emptyBars(count);
    let stray = 0;
    let before = 1_000;
    for (let index = 0; index < count; index++) {
      const own = Math.log(leader.close[index] ?? NaN);
      const last = Math.log(leader.close[index - 1] ?? leader.open[0] ?? NaN);
      stray = 0.85 * stray + 0.016 * (uniform() - 0.5);
      const close = Math.exp(0.75 * own + 0.25 * last + stray) / 40;
      bars.openAt[index] = index * HOUR_MS;
      bars.open[index] = before;
      bars.high[index] = Math.max(before, close) * (1 + 0.004 * uniform());
      bars.low[index] = Math.min(before, close) * (1 - 0.004 * uniform());
      bars.close[index] = close;
      bars.volume[index] = 1 + index;
      before = close;
    }
    return bars;
  });
  return [leader, ...followers];
}

/** The gappy bars of test/golden/talib-golden.py: gaps, ticks, dojis, long shadows, bars without a shadow and bars without volume. */
export function gappyBars(count: number): BarColumns {
  const uniform = generator(20_261_121);
  const bars = emptyBars(count);
  const draws = new Float64Array(10);
  let before = 1_000;
  let last = 1_000;
  for (let index = 0; index < count; index++) {
    for (let draw = 0; draw < draws.length; draw++) draws[draw] = uniform();
    const [opens = NaN, gap = NaN, size = NaN, way = NaN, above = NaN, up = NaN, below = NaN, down = NaN, idle = NaN, traded = NaN] = draws;
    let start = last;
    if (opens < 0.4) start = last * (1 + 0.015 * (gap - 0.5));
    else if (opens < 0.7) start = last + (before - last) * gap;
    const move = size < 0.2 ? 0.0006 : size < 0.7 ? 0.01 : 0.03;
    const close = start * (1 + move * (way - 0.5) + (0.02 * (1_000 - start)) / 1_000);
    before = tick(start);
    last = tick(close);
    bars.openAt[index] = index * HOUR_MS;
    bars.open[index] = before;
    bars.high[index] = tick(Math.max(start, close) * (1 + shadow(above) * up));
    bars.low[index] = tick(Math.min(start, close) * (1 - shadow(below) * down));
    bars.close[index] = last;
    bars.volume[index] = idle < 0.1 ? 0 : Math.floor(traded * 1_000) / 8;
  }
  return bars;
}

/** The still bars of test/golden/talib-golden.py: gappy ones between two stretches in which nothing moves and nobody trades. */
export function stillBars(count: number): BarColumns {
  const bars = gappyBars(count);
  for (const [first, last] of [
    [0, 90],
    [170, count],
  ] as const) {
    const price = bars.open[first] ?? NaN;
    for (const column of [bars.open, bars.high, bars.low, bars.close]) column.fill(price, first, last);
    bars.volume.fill(0, first, last);
  }
  return bars;
}

/**
 * Quiet, wild, tiny, huge, standing still, and now and then falling or rising by orders of magnitude, within a bar or between two; with
 * and without volume; beginning at any hour of a day.
 */
export function anyBars(minimum: number, maximum: number): fc.Arbitrary<BarColumns> {
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }).map((share) => ({ share, gap: 1, factor: 1 })) },
    { weight: 4, arbitrary: fc.constant({ share: 0, gap: 1, factor: 1 }) },
    { weight: 2, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }).map((share) => ({ share, gap: 1 + 0.01 * share, factor: 1 })) },
    { weight: 1, arbitrary: fc.constantFrom(1e-5, 1e-2, 0.5, 2, 1e3).map((factor) => ({ share: 0, gap: 1, factor })) },
  );
  return fc
    .record({
      start: fc.constantFrom(1e-6, 0.1, 7, 4_000, 1e5),
      move: fc.constantFrom(1e-9, 1e-5, 1e-3, 0.05),
      reach: fc.constantFrom(0, 1e-9, 0.01),
      steps: fc.array(step, { minLength: minimum, maxLength: maximum, size: 'max' }),
      hour: fc.nat({ max: 23 }),
      volume: fc.constantFrom(0, 1, 1e-8, 12.345, 1e9),
    })
    .map(({ start, move, reach, steps, hour, volume }) => {
      const bars = emptyBars(steps.length);
      let last: number = start;
      for (const [index, { share, gap, factor }] of steps.entries()) {
        const open = last * gap;
        // Within what a quote can be, so that a run of thousandfold rises stays a price.
        last = Math.min(1e9, Math.max(1e-9, open * factor * (1 + move * share)));
        bars.openAt[index] = (hour + index) * HOUR_MS;
        bars.open[index] = open;
        bars.high[index] = Math.max(open, last) * (1 + reach);
        bars.low[index] = Math.min(open, last) * (1 - reach);
        bars.close[index] = last;
        // Now and then nobody trades.
        bars.volume[index] = share > 0.8 ? 0 : volume * (1 + Math.abs(share));
      }
      return bars;
    });
}

export function barAt(bars: BarColumns, index: number): BarView {
  return {
    at: (bars.openAt[index] ?? NaN) + HOUR_MS,
    open: bars.open[index] ?? NaN,
    high: bars.high[index] ?? NaN,
    low: bars.low[index] ?? NaN,
    close: bars.close[index] ?? NaN,
    volume: bars.volume[index] ?? NaN,
  };
}

/** The first bars only: a tape that was cut. */
export function firstBars(bars: BarColumns, count: number): BarColumns {
  return {
    openAt: bars.openAt.slice(0, count),
    open: bars.open.slice(0, count),
    high: bars.high.slice(0, count),
    low: bars.low.slice(0, count),
    close: bars.close.slice(0, count),
    volume: bars.volume.slice(0, count),
  };
}

/** The same up to a bar, and from there on another market. */
export function withAnotherFuture(bars: BarColumns, from: number): BarColumns {
  const other = firstBars(bars, bars.close.length);
  for (const column of [other.open, other.high, other.low, other.close, other.volume]) {
    for (let index = from; index < column.length; index++) column[index] = (column[index] ?? NaN) * (index % 3 === 0 ? 7 : 0.2);
  }
  return other;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

function tick(price: number): number {
  return Math.floor(price * 10 + 0.5) / 10;
}

function shadow(draw: number): number {
  return draw < 0.5 ? 0 : draw < 0.7 ? 0.002 : 0.02;
}

function emptyBars(count: number): BarColumns {
  const column = (): Float64Array => new Float64Array(count);
  return { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
}
