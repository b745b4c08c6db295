// What the bars say of the fills: whether there was a market to fill them, and how much of it they would have been.
import type { BarColumns } from '../../domain/bars.ts';
import type { TimeMs } from '../../domain/time.ts';

export interface FilledAt {
  readonly at: TimeMs;
  readonly quantity: number;
}

/** The bars of an instrument in the order of time, perhaps in pieces, and what was filled of it, in the same order. */
export interface FilledInstrument {
  readonly bars: Iterable<BarColumns> | AsyncIterable<BarColumns>;
  readonly fills: readonly FilledAt[];
}

export interface FillFacts {
  readonly fills: number;
  /** In a bar without volume, or in the first one after a hole: a price that nobody may have been there to give. */
  readonly stale: number;
  /** Part of its bar's volume that a fill was: the largest, and the 95th percentile. Null where no fill has a bar with volume. */
  readonly largestVolumeShare: number | null;
  readonly volumeShare95: number | null;
}

/** A fill belongs to the bar that opens before it and has not closed before it: what a stop filled is known at the close of its bar. */
export async function fillFacts(instruments: readonly FilledInstrument[], timeframeMs: TimeMs): Promise<FillFacts> {
  const shares: number[] = [];
  let stale = 0;
  let count = 0;
  for (const { bars, fills } of instruments) {
    count += fills.length;
    let next = 0;
    let before = NaN;
    for await (const { openAt, volume } of bars) {
      for (let row = 0; row < openAt.length && next < fills.length; row++) {
        const opened = openAt[row] ?? NaN;
        // The very first bar has nothing before it.
        const isAfterHole = opened - before > timeframeMs;
        const traded = volume[row] ?? NaN;
        before = opened;
        for (let fill = fills[next]; fill !== undefined && fill.at <= opened + timeframeMs; fill = fills[++next]) {
          if (isAfterHole || !(traded > 0)) stale++;
          if (traded > 0) shares.push(fill.quantity / traded);
        }
      }
    }
  }
  shares.sort((one, other) => one - other);
  return {
    fills: count,
    stale,
    largestVolumeShare: shares.at(-1) ?? null,
    volumeShare95: shares[Math.ceil(0.95 * shares.length) - 1] ?? null,
  };
}
