// How far a column of levels is from a random walk: how its spread grows with the span.
import { linearFit, mean } from './statistics.ts';
import { normalDistribution } from './normal-distribution.ts';

export interface VarianceRatio {
  /** Variance over the span, by the span, over that of a step: 1 of a random walk, below it where levels come back, above it in trends. */
  readonly ratio: number;
  /** Standard normal of a random walk. */
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Lo and MacKinlay (1988): overlapping spans, without the bias of small samples, and with a statistic that holds for changes whose variance
 * changes over time (Campbell, Lo and MacKinlay, 1997, section 2.4.3).
 * @param levels in logarithms where prices are meant
 * @param span in steps, from 2
 * @throws RangeError with a span below 2, or without at least two more levels
 */
export function varianceRatio(levels: ArrayLike<number>, span: number): VarianceRatio {
  const count = levels.length - 1;
  if (!Number.isInteger(span) || span < 2 || count <= span) {
    throw new RangeError(`${levels.length} levels and a span of ${span}, expected a whole span from 2 and at least two levels more`);
  }
  const drift = ((levels[count] ?? NaN) - (levels[0] ?? NaN)) / count;
  const squares = new Float64Array(count);
  let total = 0;
  for (let step = 0; step < count; step++) {
    const square = ((levels[step + 1] ?? NaN) - (levels[step] ?? NaN) - drift) ** 2;
    squares[step] = square;
    total += square;
  }
  let wide = 0;
  for (let end = span; end <= count; end++) wide += ((levels[end] ?? NaN) - (levels[end - span] ?? NaN) - span * drift) ** 2;
  const ratio = wide / (span * (count - span + 1) * (1 - span / count)) / (total / (count - 1));
  let variance = 0;
  for (let lag = 1; lag < span; lag++) {
    let product = 0;
    for (let step = lag; step < count; step++) product += (squares[step] ?? NaN) * (squares[step - lag] ?? NaN);
    variance += (4 * (1 - lag / span) ** 2 * count * product) / total ** 2;
  }
  const statistic = (Math.sqrt(count) * (ratio - 1)) / Math.sqrt(variance);
  return { ratio, statistic, pValue: 2 * normalDistribution(-Math.abs(statistic)) };
}

const SMALLEST_BOX = 4;
const BOX_GROWTH = 1.2;
const MINIMUM_CHANGES = 100;

/**
 * Hurst's exponent by detrended fluctuation analysis (Peng et al., 1994): the slope, on logarithmic scales, of the spread around a line
 * within boxes over their size. 0.5 of changes without memory, below it where levels come back, above it where they trend.
 * Boxes are of 4 changes and more, in steps of 20 %, up to a tenth of the changes.
 * @param changes at least 100 of them: returns of a price, or steps of a spread
 * @throws RangeError below 100 changes
 */
export function hurstExponent(changes: ArrayLike<number>): number {
  const count = changes.length;
  if (count < MINIMUM_CHANGES) throw new RangeError(`${count} changes, expected at least ${MINIMUM_CHANGES}`);
  const boxes = boxesOf(count);
  const centre = mean(changes);
  const profile = new Float64Array(count);
  let level = 0;
  for (let index = 0; index < count; index++) profile[index] = level += (changes[index] ?? NaN) - centre;
  const fluctuations = boxes.map((box) => Math.log(fluctuation(profile, box)));
  return linearFit(boxes.map(Math.log), fluctuations).slope;
}

function boxesOf(changes: number): number[] {
  const boxes: number[] = [];
  for (let size = SMALLEST_BOX; size <= changes / 10; size *= BOX_GROWTH) {
    if (Math.floor(size) !== boxes.at(-1)) boxes.push(Math.floor(size));
  }
  return boxes;
}

/** The root of the mean square, over whole boxes, of what departs from the box's own line. */
function fluctuation(profile: Float64Array, box: number): number {
  const boxes = Math.floor(profile.length / box);
  const middle = (box - 1) / 2;
  const spread = (box * (box * box - 1)) / 12;
  let sum = 0;
  for (let each = 0; each < boxes; each++) {
    const start = each * box;
    let total = 0;
    let inTime = 0;
    for (let place = 0; place < box; place++) {
      const value = profile[start + place] ?? NaN;
      total += value;
      inTime += value * (place - middle);
    }
    const [level, slope] = [total / box, inTime / spread];
    for (let place = 0; place < box; place++) sum += ((profile[start + place] ?? NaN) - level - slope * (place - middle)) ** 2;
  }
  return Math.sqrt(sum / (boxes * box));
}
