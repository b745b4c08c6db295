// What a finished run made: by day, and by round trip.
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import type { EquityPoint } from '../../views/equity.ts';

export interface PeriodReturns {
  /** A day, or a bar where that is longer. */
  readonly periodMs: TimeMs;
  /** From the last mark of one period to that of the next, the first against the capital. After ruin 0. */
  readonly returns: Float64Array;
}

/**
 * Returns between the last marks of UTC days; a mark at midnight is the last of the day that ends there. Of a curve that was thinned the
 * last mark of a day may be earlier than the day's last bar: the returns still multiply to the whole.
 * @param points in the order of time
 */
export function periodReturns(capital: number, points: readonly EquityPoint[], timeframeMs: TimeMs): PeriodReturns {
  const periodMs = Math.max(DAY_MS, timeframeMs);
  // A bar is known a few milliseconds after its close.
  const periodOf = (at: TimeMs): number => Math.ceil((Math.floor(at / timeframeMs) * timeframeMs) / periodMs);
  const returns: number[] = [];
  let before = capital;
  points.forEach(({ at, equity }, index) => {
    const next = points[index + 1];
    if (next !== undefined && periodOf(next.at) === periodOf(at)) return;
    returns.push(before > 0 ? equity / before - 1 : 0);
    before = equity;
  });
  return { periodMs, returns: Float64Array.from(returns) };
}

/** The same of an equity that is marked at the close of every bar. */
export function columnReturns(capital: number, openAt: Float64Array, equity: Float64Array, timeframeMs: TimeMs): Float64Array {
  const periodMs = Math.max(DAY_MS, timeframeMs);
  const returns: number[] = [];
  let before = capital;
  for (let bar = 0; bar < equity.length; bar++) {
    const period = Math.ceil(((openAt[bar] ?? NaN) + timeframeMs) / periodMs);
    if (bar + 1 < equity.length && Math.ceil(((openAt[bar + 1] ?? NaN) + timeframeMs) / periodMs) === period) continue;
    const value = equity[bar] ?? NaN;
    returns.push(before > 0 ? value / before - 1 : 0);
    before = value;
  }
  return Float64Array.from(returns);
}

/** A closed leg. The legs of one round trip share the sleeve and the round. */
export interface ClosedLeg {
  readonly sleeve: string;
  readonly round: number;
  readonly closedAt: TimeMs;
  readonly pnl: number;
}

/**
 * What each round trip made of the equity that was closed before it, in the order in which their last legs closed. Trips that were open at
 * the same time are taken one after the other.
 */
export function tripReturns(capital: number, legs: readonly ClosedLeg[]): Float64Array {
  const trips = new Map<string, { closedAt: TimeMs; pnl: number }>();
  for (const { sleeve, round, closedAt, pnl } of legs) {
    const key = JSON.stringify([sleeve, round]);
    const trip = trips.get(key);
    trips.set(key, { closedAt: Math.max(trip?.closedAt ?? -Infinity, closedAt), pnl: (trip?.pnl ?? 0) + pnl });
  }
  let before = capital;
  const ordered = [...trips.values()].toSorted((one, other) => one.closedAt - other.closedAt);
  return Float64Array.from(ordered, ({ pnl }) => {
    const change = before > 0 ? pnl / before : 0;
    before += pnl;
    return change;
  });
}
