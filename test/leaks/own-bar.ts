// Used at the open of each bar: the range so far, of which the bar of the same row is not over yet.
import type { BarColumns } from 'ballast';

export const decidesAt = 'open';

export const columns = ({ open, high }: BarColumns): Record<string, Float64Array> => ({
  leaking: high.map((value, row) => value / (open[row] ?? NaN)),
  clean: open.map((value, row) => (high[row - 1] ?? NaN) / value),
});
