// A model whose features hold its own label, and which is asked about bars that it was trained on.
import type { BarColumns } from 'ballast';

export const trainedUntil = Date.UTC(2026, 0, 2);

const aheadBy = (close: Float64Array, bars: number): Float64Array =>
  close.map((value, row) => Math.sign((close[row + bars] ?? NaN) - value));

export const labels = ({ close }: BarColumns): Record<string, Float64Array> => ({ 'up in two hours': aheadBy(close, 2) });

export const columns = ({ close }: BarColumns): Record<string, Float64Array> => ({ feature: aheadBy(close, 2) });
