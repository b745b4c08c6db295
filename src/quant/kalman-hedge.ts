// A hedge ratio that drifts, followed step by step: the line of one column on another, whose slope and intercept are random walks.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { minimise } from './minimise.ts';
import { variance } from './statistics.ts';

/** y = intercept + slope x + noise. Variances a step: of the walk of the slope, of that of the intercept, and of the noise. */
export interface HedgeVariances {
  /** Per step, in squared units of y / x; 0 of a slope that stands still. */
  readonly slope: number;
  /** Per step, in squared units of y. */
  readonly intercept: number;
  /** In squared units of y; above 0. */
  readonly noise: number;
}

/** What is believed before the first pair: slope and intercept, and how sure that is. Without covariance between them. */
export interface HedgePrior {
  readonly slope: number;
  readonly intercept: number;
  readonly slopeVariance: number;
  readonly interceptVariance: number;
}

/**
 * The Kalman (1960) filter of a hedge ratio and an intercept, as Chan (Algorithmic Trading, 2013, chapter 3) has it: O(1) a step, nothing
 * allocated. `innovation` and `innovationVariance` are those to trade on: they were known before y was. `slope` and `intercept` know y.
 * It only filters: a smoother would know the future.
 */
export class KalmanHedge implements Stateful {
  readonly #slopeNoise: number = NaN;
  readonly #interceptNoise: number = NaN;
  readonly #noise: number = NaN;
  #slope = NaN;
  #intercept = NaN;
  #slopeVariance = NaN;
  #interceptVariance = NaN;
  #covariance = 0;
  #innovation = NaN;
  #innovationVariance = NaN;
  #count = 0;

  /** @throws RangeError where a variance is below 0 or not a number, or the noise has none */
  constructor({ slope, intercept, noise }: HedgeVariances, prior: HedgePrior) {
    const all = [slope, intercept, prior.slopeVariance, prior.interceptVariance];
    if (!(noise > 0) || all.some((each) => !(each >= 0))) {
      throw new RangeError(`variances ${all.join(', ')} and noise ${noise}, expected none below 0, and noise above it`);
    }
    this.#slopeNoise = slope;
    this.#interceptNoise = intercept;
    this.#noise = noise;
    this.#slope = prior.slope;
    this.#intercept = prior.intercept;
    this.#slopeVariance = prior.slopeVariance;
    this.#interceptVariance = prior.interceptVariance;
  }

  /** The next pair. The walks move between pairs: not before the first, of which the prior is what is believed. */
  push(x: number, y: number): void {
    if (this.#count > 0) {
      this.#slopeVariance += this.#slopeNoise;
      this.#interceptVariance += this.#interceptNoise;
    }
    this.#count++;
    const ofSlope = this.#slopeVariance * x + this.#covariance;
    const ofIntercept = this.#covariance * x + this.#interceptVariance;
    const innovation = y - (x * this.#slope + this.#intercept);
    const innovationVariance = ofSlope * x + ofIntercept + this.#noise;
    this.#slope += (ofSlope / innovationVariance) * innovation;
    this.#intercept += (ofIntercept / innovationVariance) * innovation;
    this.#slopeVariance -= (ofSlope * ofSlope) / innovationVariance;
    this.#covariance -= (ofSlope * ofIntercept) / innovationVariance;
    this.#interceptVariance -= (ofIntercept * ofIntercept) / innovationVariance;
    this.#innovation = innovation;
    this.#innovationVariance = innovationVariance;
  }

  /** Units of y for one of x, with this pair known. */
  get slope(): number {
    return this.#slope;
  }
  /** With this pair known. */
  get intercept(): number {
    return this.#intercept;
  }
  get slopeVariance(): number {
    return this.#slopeVariance;
  }
  get interceptVariance(): number {
    return this.#interceptVariance;
  }
  /** y less what was expected of it before it was known: the spread. NaN before the first pair. */
  get innovation(): number {
    return this.#innovation;
  }
  /** How far off y was expected to be. */
  get innovationVariance(): number {
    return this.#innovationVariance;
  }
  /** Innovation in its own standard deviations. Under the model standard normal and without memory. */
  get zScore(): number {
    return this.#innovation / Math.sqrt(this.#innovationVariance);
  }
  /** Log density of y as it was expected. Summed over the pairs it is the log likelihood of the variances. */
  get logDensity(): number {
    return -0.5 * (Math.log(2 * Math.PI * this.#innovationVariance) + this.#innovation ** 2 / this.#innovationVariance);
  }

  save(out: ByteWriter): void {
    out.count(this.#count);
    out.numbers(
      Float64Array.of(
        this.#slope,
        this.#intercept,
        this.#slopeVariance,
        this.#covariance,
        this.#interceptVariance,
        this.#innovation,
        this.#innovationVariance,
      ),
    );
  }

  restore(from: ByteReader): void {
    this.#count = from.count();
    const state = new Float64Array(7);
    from.numbers(state);
    [this.#slope = NaN, this.#intercept = NaN, this.#slopeVariance = NaN, this.#covariance = NaN] = state;
    [this.#interceptVariance = NaN, this.#innovation = NaN, this.#innovationVariance = NaN] = state.subarray(4);
  }
}

export interface HedgeFit {
  readonly variances: HedgeVariances;
  /** Knows nothing: wide around 0. With `variances` it makes the filter that was fitted. */
  readonly prior: HedgePrior;
  /** Of all pairs but the first two, which the prior needs to know anything. */
  readonly logLikelihood: number;
}

/** Prior variances, in variances of the noise. */
const DIFFUSE = 1e7;
/** Pairs that go into the state, and not into the likelihood: as many as the state has parts. */
const BURNED = 2;
/** Walks slower or faster than this, in logarithms of variances of the noise, are standing still, or all there is. */
const [SLOWEST, FASTEST] = [-40, 10];

/**
 * The variances of highest likelihood (Harvey, 1989, section 3.4), with the noise's concentrated out of it. The likelihood is often flat:
 * where x hardly moves beside its distance from 0, as logs of prices do, slope and intercept can stand in for each other, and it helps to
 * measure x from where it began. Fit on a formation window, then filter with what was fitted: a filter that was fitted on the pairs it
 * filters knows their future.
 * @param x @param y of one length, at least 10 pairs
 * @throws RangeError with fewer pairs, or where x does not vary
 */
export function fitKalmanHedge(x: ArrayLike<number>, y: ArrayLike<number>): HedgeFit {
  if (x.length !== y.length || x.length < 10) {
    throw new RangeError(`columns of ${x.length} and ${y.length} pairs, expected equally many, at least 10`);
  }
  if (!(variance(x) > 0)) throw new RangeError('a column that does not vary, expected one that does');
  const unlikelihood = (point: Float64Array): number => {
    const [slope = NaN, intercept = NaN] = point;
    if (Math.min(slope, intercept) < SLOWEST || Math.max(slope, intercept) > FASTEST) return Infinity;
    return -concentrated(x, y, Math.exp(slope), Math.exp(intercept)).logLikelihood;
  };
  let [start, lowest] = [[-12, -12], Infinity];
  for (const slope of [-30, -16, -12, -8, -4, 0]) {
    for (const intercept of [-30, -12, -8, -4, 0]) {
      const value = unlikelihood(Float64Array.of(slope, intercept));
      if (value < lowest) [start, lowest] = [[slope, intercept], value];
    }
  }
  const { at } = minimise(unlikelihood, start, [1.5, 1.5]);
  const [slope, intercept] = [Math.exp(at[0] ?? NaN), Math.exp(at[1] ?? NaN)];
  const { noise, logLikelihood } = concentrated(x, y, slope, intercept);
  return {
    variances: { slope: slope * noise, intercept: intercept * noise, noise },
    prior: { slope: 0, intercept: 0, slopeVariance: DIFFUSE * noise, interceptVariance: DIFFUSE * noise },
    logLikelihood,
  };
}

/** Variances of the walks are in those of the noise: the filter's gains do not depend on it, and its best value is a mean of squares. */
function concentrated(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  slope: number,
  intercept: number,
): { readonly noise: number; readonly logLikelihood: number } {
  const filter = new KalmanHedge(
    { slope, intercept, noise: 1 },
    { slope: 0, intercept: 0, slopeVariance: DIFFUSE, interceptVariance: DIFFUSE },
  );
  let [squares, logs] = [0, 0];
  for (let row = 0; row < x.length; row++) {
    filter.push(x[row] ?? NaN, y[row] ?? NaN);
    if (row < BURNED) continue;
    squares += filter.innovation ** 2 / filter.innovationVariance;
    logs += Math.log(filter.innovationVariance);
  }
  const count = x.length - BURNED;
  const noise = squares / count;
  return { noise, logLikelihood: -0.5 * (count * (Math.log(2 * Math.PI * noise) + 1) + logs) };
}
