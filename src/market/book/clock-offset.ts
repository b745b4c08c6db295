// A capture's own clock, put right: what was received cannot have been received before it was sent.

/** Latencies this many times further below the median than its lower spread are wrong stamps, not fast messages. */
const FENCE = 20;
/** The lower spread is taken from the median to this quantile. */
const LOW_QUANTILE = 0.05;
/** Stamps of venues are whole milliseconds: a spread below one says nothing. */
const LEAST_SPREAD_MS = 1;

/**
 * The whole milliseconds to add to the local times of a capture so that none lies before the venue's: `at` = local + offset. 0 when the
 * clock was not early.
 *
 * It is the smallest one that makes the smallest latency not negative. Causality is what is owed, for every row: with the median of the
 * latencies half of the rows would be known before they happened. And the lower edge of latencies is sharp, because it is the way of the
 * light and the wire, while their median moves with load; clock synchronisation has always taken the minimum (Cristian 1989; Paxson
 * 1998). The true latency of the fastest message stays unknown and counts as none, so latencies from shifted times are lower bounds.
 *
 * One wrong stamp must not shift a whole capture: latencies far below the lower edge are left out (more than 20 times as far below the
 * median as the 5 % quantile is), and rows without one of the times. Whoever makes `at` raises those rows to the venue's time.
 *
 * @param local and happenedAt in milliseconds, row by row, as recorded
 */
export function clockOffset(local: Float64Array, happenedAt: Float64Array): number {
  const latencies = local.map((received, row) => received - (happenedAt[row] ?? NaN)).filter((latency) => Number.isFinite(latency));
  if (latencies.length === 0) return 0;
  latencies.sort();
  const median = latencies[latencies.length >> 1] ?? NaN;
  const low = latencies[Math.floor(latencies.length * LOW_QUANTILE)] ?? NaN;
  const fence = median - FENCE * Math.max(median - low, LEAST_SPREAD_MS);
  const smallest = latencies.find((latency) => latency >= fence) ?? median;
  return smallest < 0 ? Math.ceil(-smallest) : 0;
}
