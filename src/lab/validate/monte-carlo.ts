// Other histories that the same returns could have made: how far down, how much at the end.
import type { Resample } from '../../quant/resampling.ts';
import { mean } from '../../quant/statistics.ts';
import { quantile } from '../../quant/tails.ts';

/** Of a path, from a start of 1. */
export interface PathFigures {
  /** Times the start. */
  readonly finalEquity: number;
  /** Deepest fall from a peak, the start included: 0..1. */
  readonly maxDrawdown: number;
  /** Mean over standard deviation (n - 1), of a period; 0 without spread. */
  readonly sharpe: number;
}

export interface Percentiles {
  readonly p5: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
}

export interface MonteCarlo {
  readonly paths: number;
  readonly finalEquity: Percentiles;
  /** The bad end is `p95`. */
  readonly maxDrawdown: Percentiles;
  readonly sharpe: Percentiles;
  /** Share of the paths that end below their start. */
  readonly lossProbability: number;
}

/**
 * As many paths as are asked for, each as long as the sample and compounded: memory for three figures a path and for one path, whatever
 * their number. A return below -1 counts as -1, and an equity of 0 stays there.
 * @param returns simple returns of neighbouring periods, in order
 * @throws RangeError for fewer than 2 returns or no path
 */
export function monteCarlo(returns: Float64Array, paths: number, resample: Resample): MonteCarlo {
  if (returns.length < 2) throw new RangeError(`${returns.length} returns, expected at least 2`);
  if (!Number.isInteger(paths) || paths < 1) throw new RangeError(`${paths} paths, expected a whole number from 1 on`);
  const walker = walkerOver(returns);
  const rows = new Int32Array(returns.length);
  const finals = new Float64Array(paths);
  const drawdowns = new Float64Array(paths);
  const sharpes = new Float64Array(paths);
  let lost = 0;
  for (let path = 0; path < paths; path++) {
    resample(path, rows);
    const { finalEquity, maxDrawdown, sharpe } = walker(rows);
    finals[path] = finalEquity;
    drawdowns[path] = maxDrawdown;
    sharpes[path] = sharpe;
    if (finalEquity < 1) lost++;
  }
  return {
    paths,
    finalEquity: percentilesOf(finals),
    maxDrawdown: percentilesOf(drawdowns),
    sharpe: percentilesOf(sharpes),
    lossProbability: lost / paths,
  };
}

/** The figures of the returns as they came. @throws RangeError for fewer than 2 returns */
export function pathOf(returns: Float64Array): PathFigures {
  if (returns.length < 2) throw new RangeError(`${returns.length} returns, expected at least 2`);
  return walkerOver(returns)(Int32Array.from(returns, (_, row) => row));
}

function walkerOver(returns: Float64Array): (rows: Int32Array) => PathFigures {
  const count = returns.length;
  const growth = returns.map((value) => Math.max(0, 1 + value));
  const centre = mean(growth);
  return (rows) => {
    let equity = 1;
    let peak = 1;
    // Lowest equity as a part of its peak: divided only where it is beaten.
    let lowest = 1;
    // Around the sample's mean, so that the squares of a path lose nothing to it.
    let sum = 0;
    let squares = 0;
    for (let place = 0; place < count; place++) {
      const times = growth[rows[place] ?? 0] ?? NaN;
      const deviation = times - centre;
      sum += deviation;
      squares += deviation * deviation;
      equity *= times;
      if (equity > peak) peak = equity;
      else if (equity < lowest * peak) lowest = equity / peak;
    }
    const spread = squares - (sum * sum) / count;
    const average = centre - 1 + sum / count;
    // By the squares around 1: those around the mean are rounding, too, where all returns are equal.
    const sharpe = spread > ROUNDING * (squares + count * (centre - 1) ** 2) ? average / Math.sqrt(spread / (count - 1)) : 0;
    return { finalEquity: equity, maxDrawdown: 1 - lowest, sharpe };
  };
}

/** A variance this small a part of the mean square is what rounding leaves of none. */
const ROUNDING = 1e-12;

/** Sorts in place. */
function percentilesOf(values: Float64Array): Percentiles {
  const sorted = values.sort();
  return {
    p5: quantile(sorted, 0.05),
    p25: quantile(sorted, 0.25),
    p50: quantile(sorted, 0.5),
    p75: quantile(sorted, 0.75),
    p95: quantile(sorted, 0.95),
  };
}
