// What a strategy is put through: crises that were, by name, and shocks made out of its own bars.
import type { BarColumns } from '../../domain/bars.ts';
import { HOUR_MS, type TimeMs } from '../../domain/time.ts';

export interface Crisis {
  readonly name: string;
  readonly about: string;
  readonly from: TimeMs;
  readonly to: TimeMs;
}

/** Whole months, so that what led to the fall and what followed it is in. */
export const CRISES: readonly Crisis[] = [
  { name: 'March 2020', about: 'half of the price lost within two days', from: Date.UTC(2020, 2, 1), to: Date.UTC(2020, 3, 1) },
  { name: 'May 2021', about: 'the end of the leverage of spring', from: Date.UTC(2021, 4, 1), to: Date.UTC(2021, 5, 1) },
  { name: 'Luna and 3AC 2022', about: 'a stablecoin and a fund', from: Date.UTC(2022, 4, 1), to: Date.UTC(2022, 6, 1) },
  { name: 'FTX 2022', about: 'an exchange', from: Date.UTC(2022, 10, 1), to: Date.UTC(2022, 11, 1) },
];

/** Of every price from a bar's open on. */
export const GAP_RATIO = -0.3;
/** How many times as far every fill slips when liquidity is gone, which part of its volume a bar keeps, and how much of that may be taken. */
export const DRY_SLIPPAGE_TIMES = 10;
export const DRY_VOLUME_RATIO = 0.01;
export const DRY_VOLUME_SHARE = 0.1;
/** Slippage of a dry market where the run assumed none. */
export const DRY_LEAST_SLIPPAGE = 0.001;
export const OUTAGE_MS = HOUR_MS;

/** Prices from the bar that opens at `at` on are multiplied, once and for good: nobody could trade between. */
export function gapAt(bars: BarColumns, at: TimeMs, ratio: number): BarColumns {
  const scale = (column: Float64Array): Float64Array =>
    column.map((value, row) => ((bars.openAt[row] ?? NaN) < at ? value : value * (1 + ratio)));
  return { ...bars, open: scale(bars.open), high: scale(bars.high), low: scale(bars.low), close: scale(bars.close) };
}

export function thinned(bars: BarColumns, volumeRatio: number): BarColumns {
  return { ...bars, volume: bars.volume.map((value) => value * volumeRatio) };
}

/** Without the bars that open within `spanMs` from one of the times on: nothing is known and nothing fills until the next one opens. */
export function outages(bars: BarColumns, times: readonly TimeMs[], spanMs: TimeMs): BarColumns {
  const isThere = bars.openAt.map((openAt) => (times.some((at) => openAt >= at && openAt < at + spanMs) ? 0 : 1));
  const keep = (column: Float64Array): Float64Array => column.filter((_, row) => isThere[row] === 1);
  const { openAt, open, high, low, close, volume } = bars;
  return { openAt: keep(openAt), open: keep(open), high: keep(high), low: keep(low), close: keep(close), volume: keep(volume) };
}

/** A position while it was held: from inclusive, to exclusive. */
export interface HeldSpan {
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly side: 1 | -1;
}

/** A bar that a position was held through, from before its open to after its close. */
export interface HeldBar {
  readonly openAt: TimeMs;
  /** Of its price from open to close, against the position: above 0 is a loss. */
  readonly adverseRatio: number;
  readonly side: 1 | -1;
}

/** Each bar once for each position that it was held by. */
export function barsHeldThrough({ openAt, open, close }: BarColumns, held: readonly HeldSpan[], timeframeMs: TimeMs): HeldBar[] {
  const bars: HeldBar[] = [];
  for (const { from, to, side } of held) {
    let row = openAt.findIndex((at) => at >= from);
    if (row < 0) continue;
    for (; (openAt[row] ?? Infinity) + timeframeMs < to; row++) {
      const adverseRatio = -side * ((close[row] ?? NaN) / (open[row] ?? NaN) - 1);
      bars.push({ openAt: openAt[row] ?? NaN, adverseRatio, side });
    }
  }
  return bars;
}

/** So many of them, evenly spread in their order. */
export function evenly<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return items.slice();
  return Array.from({ length: count }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / count)]).filter(
    (item) => item !== undefined,
  );
}

/** What somebody has who bought equal parts of all at the first open and kept them: at each close of the first. */
export function holdingCurve(bars: readonly BarColumns[]): Float64Array {
  const [axis] = bars;
  if (axis === undefined) return new Float64Array();
  const rows = bars.map(() => 0);
  return axis.close.map((_, row) => {
    const at = axis.openAt[row] ?? NaN;
    let sum = 0;
    bars.forEach(({ openAt, open, close }, instrument) => {
      let place = rows[instrument] ?? 0;
      while ((openAt[place + 1] ?? Infinity) <= at) place++;
      rows[instrument] = place;
      // One that has no bar yet is still cash.
      sum += (openAt[place] ?? Infinity) <= at ? (close[place] ?? NaN) / (open[0] ?? NaN) : 1;
    });
    return sum / bars.length;
  });
}

/** Deepest fall from a peak, the start of 1 included: 0..1. */
export function deepestFall(curve: Float64Array): number {
  let peak = 1;
  let deepest = 0;
  for (const value of curve) {
    if (value > peak) peak = value;
    else deepest = Math.max(deepest, 1 - value / peak);
  }
  return deepest;
}

/** Wilson's (1927) interval of 95 % around a share of so few that the share alone would say too much. */
export function wilsonInterval(hits: number, count: number): readonly [number, number] {
  if (count === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = hits / count;
  const scale = 1 + z ** 2 / count;
  const centre = (share + z ** 2 / (2 * count)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
