// Columns that leak, one way each, and columns that do not. Written as they are met with in research.
import type { BarColumns } from 'ballast';

type Columns = Record<string, (bars: BarColumns) => Float64Array>;

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const leaking: Columns = {
  /** Long when the next close is higher: the one bar that known tools leave uncut. */
  'next-bar': ({ close }) => close.map((value, row) => ((close[row + 1] ?? value) > value ? 1 : 0)),
  'negative-shift': ({ close }) => close.map((_, row) => close[row + 3] ?? NaN),
  label: ({ close }) => close.map((value, row) => Math.log((close[row + 5] ?? NaN) / value)),
  'centred-window': ({ close }) =>
    close.map((_, row) => (row < 4 || row + 4 >= close.length ? NaN : mean(close.subarray(row - 4, row + 5)))),
  'whole-sample': ({ close }) => {
    const middle = mean(close);
    const deviation = Math.sqrt(mean(close.map((value) => (value - middle) ** 2)));
    return close.map((value) => (value - middle) / deviation);
  },
  'whole-sample-range': ({ volume }) => {
    const [least, most] = [Math.min(...volume), Math.max(...volume)];
    return volume.map((value) => (value - least) / (most - least));
  },
  /** The close of the day that is not over, in each of its hours. */
  'higher-timeframe': ({ openAt, close }) =>
    openAt.map((at) => close[openAt.findLastIndex((other) => Math.floor(other / 86_400_000) === Math.floor(at / 86_400_000))] ?? NaN),
  /** A mean whose first rows, which have none, are given the first there is. */
  'back-fill': ({ close }) => close.map((_, row) => mean(close.subarray(Math.max(0, row - 19), Math.max(20, row + 1)))),
  /** Only every seventh day has a value, and the days before it take it. */
  'back-fill-gaps': ({ volume }) => {
    const filled = new Float64Array(volume.length).fill(NaN);
    let next = NaN;
    for (let row = volume.length - 1; row >= 0; row--) {
      if (row % 17 === 3 || row % 29 === 5) next = volume[row] ?? NaN;
      filled[row] = next;
    }
    return filled;
  },
  /** A highest high of both sides, which only some bars are. */
  fractal: ({ high }) =>
    high.map((value, row) => (row >= 2 && high.subarray(row - 2, row + 3).every((other) => other <= value) ? value : 0)),
  /** Weights by how far a row is from the last. */
  length: ({ close }) => close.map((value, row) => value * 0.99 ** (close.length - row)),
};

export const clean: Columns = {
  mean: ({ close }) => close.map((_, row) => (row < 19 ? NaN : mean(close.subarray(row - 19, row + 1)))),
  return: ({ close }) => close.map((value, row) => value / (close[row - 1] ?? NaN) - 1),
  /** All bars so far, and none of those to come. */
  rank: ({ volume }) => volume.map((value, row) => volume.subarray(0, row + 1).filter((other) => other <= value).length / (row + 1)),
  /** The close of the day before. */
  yesterday: ({ openAt, close }) =>
    openAt.map((at) => close[openAt.findLastIndex((other) => Math.floor(other / 86_400_000) < Math.floor(at / 86_400_000))] ?? NaN),
};
