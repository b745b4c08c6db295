// The bars that a subject is shown, and other bars that agree with them up to a place: cut off there, or going on as another market.
import type { BarColumns } from '../../domain/bars.ts';
import type { TimeMs } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';

/** One history by leg: rows of equal open times, oldest first. */
export interface World {
  readonly legs: readonly BarColumns[];
  readonly timeframeMs: TimeMs;
}

export const INPUTS = ['open', 'high', 'low', 'close', 'volume'] as const;
export type Input = (typeof INPUTS)[number];

/** How another market goes on: every price well above the true one, or well below. One of the two turns any comparison round. */
export type Manner = 'rising' | 'falling';

export function rowsOf({ legs }: World): number {
  return legs[0]?.openAt.length ?? 0;
}

/** When the bar of a row is known: at its close. */
export function closeOf({ legs, timeframeMs }: World, row: number): TimeMs {
  return (legs[0]?.openAt[row] ?? NaN) + timeframeMs;
}

/** Rows from `from` up to `to`, as columns of their own: whoever writes into them writes into nobody's else. */
export function rowsBetween({ legs, timeframeMs }: World, from: number, to: number): World {
  return { timeframeMs, legs: legs.map((bars) => mapped(bars, (column) => column.slice(from, to))) };
}

/** Another market in every row: the same times, other prices and volumes, each bar still one that could be. */
export function anotherMarket({ legs, timeframeMs }: World, manner: Manner): World {
  return {
    timeframeMs,
    legs: legs.map((bars, leg) => {
      const random = new Random(7 + leg);
      const other = mapped(bars, (column) => column.slice());
      for (let row = 0; row < other.openAt.length; row++) {
        const level = manner === 'rising' ? 1.1 + 0.5 * random.uniform() : 0.9 - 0.4 * random.uniform();
        const open = (bars.open[row] ?? NaN) * level;
        const close = (bars.close[row] ?? NaN) * level * (0.98 + 0.04 * random.uniform());
        other.open[row] = open;
        other.close[row] = close;
        other.high[row] = Math.max(open, close, (bars.high[row] ?? NaN) * level) * (1 + 0.01 * random.uniform());
        other.low[row] = Math.min(open, close, (bars.low[row] ?? NaN) * level) * (1 - 0.01 * random.uniform());
        other.volume[row] = (1 + (bars.volume[row] ?? NaN)) * (manner === 'rising' ? 1.5 + random.uniform() : 0.2 + 0.4 * random.uniform());
      }
      return other;
    }),
  };
}

export interface Splice {
  /** Rows that are the other market's: from this on, and before that; to the end unless said. */
  readonly from: number;
  readonly to?: number;
  /** Of this leg alone, and of this input alone, where they are said. */
  readonly leg?: number;
  readonly input?: Input;
  /** The open of the row `from` is known already by who decides at the open: it stays. */
  readonly keepsFirstOpen?: boolean;
}

/** The world with some rows of another. */
export function spliced(world: World, other: World, { from, to, leg: only, input: onlyInput, keepsFirstOpen = false }: Splice): World {
  return {
    timeframeMs: world.timeframeMs,
    legs: world.legs.map((bars, leg) => {
      const own = mapped(bars, (column) => column.slice());
      const others = other.legs[leg];
      if (others === undefined || (only !== undefined && only !== leg)) return own;
      for (const input of INPUTS) {
        if (onlyInput !== undefined && onlyInput !== input) continue;
        const first = keepsFirstOpen && input === 'open' ? from + 1 : from;
        if (first < own.openAt.length) own[input].set(others[input].subarray(first, to), first);
      }
      return own;
    }),
  };
}

function mapped(bars: BarColumns, make: (column: Float64Array) => Float64Array): BarColumns {
  const { openAt, open, high, low, close, volume } = bars;
  return { openAt: make(openAt), open: make(open), high: make(high), low: make(low), close: make(close), volume: make(volume) };
}
