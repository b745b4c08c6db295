// Columns of your own, for research and for models. `ballast lookahead examples/own-columns.ts` proves that they do not know the future.
import type { BarColumns, ColumnFunction, OutsideSeries } from 'ballast';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 1);
const days = Float64Array.from({ length: 60 }, (_, day) => day);

/** What the columns read beside the bars: when each row happened, when it could be known, and its values. */
export const outside: Record<string, OutsideSeries> = {
  // Measured over a day, and published six hours after its end.
  activity: {
    happenedAt: days.map((day) => START + (day + 1) * DAY_MS),
    knownAt: days.map((day) => START + (day + 1) * DAY_MS + 6 * HOUR_MS),
    addresses: days.map((day) => 1_000 + 100 * Math.sin(day)),
  },
};

/** One value a bar, used at the bar's close: whatever it is made of has to be known by then. */
export const columns: ColumnFunction = ({ openAt, close }, { activity }) => ({
  momentum: close.map((value, row) => value / (close[row - 24] ?? NaN) - 1),
  // By when it was known. By `happenedAt` the last day would be in it six hours too early: an as-of join that leaks.
  addresses: openAt.map((at) => activity?.['addresses']?.[activity.knownAt.findLastIndex((known) => known <= at + HOUR_MS)] ?? NaN),
});

/** What a model is trained to predict looks ahead by its nature. Named here, a label among the columns is called one. */
export const labels = ({ close }: BarColumns): Float64Array => close.map((value, row) => (close[row + 24] ?? NaN) / value - 1);
