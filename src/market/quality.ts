// What a believable bar is. The importers and the live feeds ask here, so that one fault has one name wherever it comes from.
import { DAY_MS } from '../domain/time.ts';
import type { TimeMs } from '../domain/time.ts';

/** What is judged: a row of a file, or a bar or trade off a feed. */
export interface BarValues {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** In the words of an error message: `found` this, `expected` that. */
export interface Fault {
  readonly found: string;
  readonly expected: string;
}

/**
 * A price this many times above or below its neighbours is a fault of the data and not of the market. The wildest hour in the stored
 * history (LUNA, May 2022) moved 10x within its bar; errors of unit and of decimal point are 100x, 1000x and more.
 */
export const SPIKE_RATIO = 20;

/** So far from both neighbours, from open to close, while these agree within EXCURSION_AGREEMENT: nobody can have traded there and back. */
export const EXCURSION_RATIO = 2;
const EXCURSION_AGREEMENT = 1.1;

/** The market's weeks open on a Monday; the epoch was a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

/** Whether a bar of this timeframe can open then: a multiple of the timeframe since the epoch, and of whole weeks since a Monday. */
export function isAligned(openAt: TimeMs, timeframeMs: TimeMs): boolean {
  return (timeframeMs % WEEK_MS === 0 ? openAt - FIRST_MONDAY_MS : openAt) % timeframeMs === 0;
}

/** When the bar that holds `at` opened. */
export function openOfBar(at: TimeMs, timeframeMs: TimeMs): TimeMs {
  const origin = timeframeMs % WEEK_MS === 0 ? FIRST_MONDAY_MS : 0;
  return Math.floor((at - origin) / timeframeMs) * timeframeMs + origin;
}

/**
 * Why this bar cannot be right, or undefined. `previous` is the last bar that was believed: leave it out after a hole or a restart,
 * where the market may really have moved that far.
 */
export function barFault(bar: BarValues, previous: BarValues | undefined, spikeRatio = SPIKE_RATIO): string | undefined {
  const fault = shapeFault(bar) ?? (previous === undefined ? undefined : spikeFault(bar, previous.close, undefined, spikeRatio));
  return fault === undefined ? undefined : `found ${fault.found}, expected ${fault.expected}`;
}

/** What is wrong with a bar looked at alone: numbers that are none, prices that are not above zero, a low above its high. */
export function shapeFault(bar: BarValues): Fault | undefined {
  const { open, high, low, close, volume } = bar;
  // One comparison chain for the good bar, which is nearly every bar; NaN fails each of them.
  if (low > 0 && low <= open && low <= close && open <= high && close <= high && high < Infinity && volume >= 0 && volume < Infinity) {
    return undefined;
  }
  for (const name of ['open', 'high', 'low', 'close'] as const) {
    if (!(bar[name] > 0 && bar[name] < Infinity)) return { found: `${name} ${bar[name]}`, expected: 'a finite price above 0' };
  }
  if (!(volume >= 0 && volume < Infinity)) return { found: `volume ${volume}`, expected: 'a finite volume of 0 or more' };
  return { found: `open ${open}, high ${high}, low ${low}, close ${close}`, expected: 'low <= open, close <= high' };
}

/**
 * A bar far away from both sides: `before` is the close that led to it, `after` the open that followed (undefined where not known).
 * A move that the other side confirms is the market's: a coin that truly fell 3000x in a day lies between its neighbours. So is a low on
 * its own: a market sale through an empty book has printed 0.0001 for a coin at 3 (LINK on Binance, March 2020).
 */
export function spikeFault(
  bar: BarValues,
  before: number | undefined,
  after: number | undefined,
  spikeRatio = SPIKE_RATIO,
): Fault | undefined {
  const lowest = Math.min(before ?? Infinity, after ?? Infinity);
  const highest = Math.max(before ?? 0, after ?? 0);
  const isFar = bar.high > highest * spikeRatio || Math.min(bar.open, bar.close) * spikeRatio < lowest;
  if (lowest === Infinity) return undefined;
  if (!isFar) return before === undefined || after === undefined ? undefined : excursionFault(bar, before, after);
  const isPriceFar = (price: number): boolean => price > highest * spikeRatio || price * spikeRatio < lowest;
  const name = (['close', 'open'] as const).find((field) => isPriceFar(bar[field])) ?? 'high';
  const sides: string[] = [];
  if (before !== undefined) sides.push(`the close of ${before} before it`);
  if (after !== undefined) sides.push(`the open of ${after} after it`);
  return {
    found: `${name} ${bar[name]}, a spike beside ${sides.join(' and ')}`,
    expected: `a price within ${spikeRatio}x of its neighbours`,
  };
}

/** A bar that jumps away and whose neighbours touch as if it were not there. */
function excursionFault({ open, close }: BarValues, before: number, after: number): Fault | undefined {
  const [lowest, highest] = [Math.min(before, after), Math.max(before, after)];
  if (highest > lowest * EXCURSION_AGREEMENT) return undefined;
  if (Math.min(open, close) <= highest * EXCURSION_RATIO && Math.max(open, close) * EXCURSION_RATIO >= lowest) return undefined;
  return {
    found: `open ${open} and close ${close} between a close of ${before} and an open of ${after}`,
    expected: `prices within ${EXCURSION_RATIO}x of neighbours that agree`,
  };
}

/** A break between two bars with no hole between them, where a close and the next open should nearly touch. */
export function breakFault(open: number, before: number, spikeRatio = SPIKE_RATIO): Fault | undefined {
  if (open <= before * spikeRatio && open * spikeRatio >= before) return undefined;
  return { found: `open ${open}, a jump from the close of ${before} before it`, expected: `a price within ${spikeRatio}x of it` };
}
