// The lowest point of a function that is only known by its values: what likelihoods are fitted with.

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
}

const MOST_EVALUATIONS = 20_000;
/** Of the function's values across the simplex, relative. */
const FLAT = 1e-14;
/** A simplex that has collapsed onto a wall is thrown open again, until that gains nothing. */
const MOST_RESTARTS = 12;

/**
 * Nelder and Mead (1965) with the coefficients of Gao and Han (2012), started again from where it ended until that gains nothing more. It
 * finds a local minimum, without derivatives, and gives the same digits each time.
 * @param of may return NaN or Infinity where it is not defined: such points are the highest
 * @param start where it is defined
 * @param steps first movement along each axis, none of them 0
 * @throws RangeError where the function is not defined at the start, or there is not one step for each axis
 */
export function minimise(of: (point: Float64Array) => number, start: ArrayLike<number>, steps: ArrayLike<number>): Minimum {
  if (steps.length !== start.length) throw new RangeError(`${steps.length} steps and ${start.length} axes, expected equally many`);
  const value = of(Float64Array.from(start));
  if (!Number.isFinite(value)) throw new RangeError(`the function was ${value} at the start, expected a number`);
  let best: Minimum = { at: Float64Array.from(start), value };
  for (let restart = 0; restart < MOST_RESTARTS; restart++) {
    const found = descend(of, best, steps, restart % 2 === 0 ? 1 : -0.25);
    const gain = best.value - found.value;
    best = found;
    if (restart > 0 && gain <= 1e-13 * (1 + Math.abs(found.value))) break;
  }
  return best;
}

interface Corner {
  readonly at: Float64Array;
  readonly value: number;
}

function descend(of: (point: Float64Array) => number, start: Minimum, steps: ArrayLike<number>, scale: number): Minimum {
  const size = start.at.length;
  const [expansion, contraction, shrinkage] = [1 + 2 / size, 0.75 - 1 / (2 * size), 1 - 1 / Math.max(2, size)];
  const valueAt = (at: Float64Array): Corner => {
    const value = of(at);
    return { at, value: Number.isNaN(value) ? Infinity : value };
  };
  const corners: Corner[] = [start];
  for (let axis = 0; axis < size; axis++) {
    const at = Float64Array.from(start.at);
    at[axis] = (at[axis] ?? NaN) + scale * (steps[axis] ?? NaN);
    corners.push(valueAt(at));
  }
  for (let evaluations = size; evaluations < MOST_EVALUATIONS;) {
    corners.sort((one, other) => one.value - other.value);
    const [best, worst, second] = [corners[0], corners[size], corners[size - 1]];
    if (best === undefined || worst === undefined || second === undefined) break;
    if (worst.value - best.value <= FLAT * (1 + Math.abs(best.value)) && spreadOf(corners) < 1e-7) break;
    const centre = new Float64Array(size);
    for (const { at } of corners.slice(0, size)) at.forEach((value, axis) => (centre[axis] = (centre[axis] ?? NaN) + value / size));
    const along = (times: number): Corner => valueAt(centre.map((middle, axis) => middle + times * ((worst.at[axis] ?? NaN) - middle)));
    const reflected = along(-1);
    evaluations++;
    let accepted: Corner | undefined;
    if (reflected.value < best.value) {
      const expanded = along(-expansion);
      evaluations++;
      accepted = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < second.value) accepted = reflected;
    else {
      const isOutside = reflected.value < worst.value;
      const contracted = along(isOutside ? -contraction : contraction);
      evaluations++;
      if (contracted.value < (isOutside ? reflected.value : worst.value)) accepted = contracted;
    }
    if (accepted !== undefined) corners[size] = accepted;
    else {
      for (let index = 1; index <= size; index++) {
        const corner = corners[index]?.at ?? best.at;
        corners[index] = valueAt(corner.map((value, axis) => (best.at[axis] ?? NaN) + shrinkage * (value - (best.at[axis] ?? NaN))));
      }
      evaluations += size;
    }
  }
  corners.sort((one, other) => one.value - other.value);
  return corners[0] ?? start;
}

/** The furthest that a corner is from the first, along any axis. */
function spreadOf(corners: readonly Corner[]): number {
  const first = corners[0]?.at ?? new Float64Array(0);
  let furthest = 0;
  for (const { at } of corners) at.forEach((value, axis) => (furthest = Math.max(furthest, Math.abs(value - (first[axis] ?? NaN)))));
  return furthest;
}

const GOLDEN = (3 - Math.sqrt(5)) / 2;

/**
 * Of one variable within a bracket: Brent (1973), parabolas where they help and golden sections where they do not. Where there are several
 * local minima it finds one of them.
 * @param tolerance of the place, relative; finer than about 1e-8 is lost in the rounding of the values
 * @throws RangeError unless the bracket ascends
 */
export function minimiseWithin(of: (x: number) => number, low: number, high: number, tolerance = 1e-8): { at: number; value: number } {
  if (!(low < high)) throw new RangeError(`bracket from ${low} to ${high}, expected an ascending one`);
  let [from, to] = [low, high];
  let at = from + GOLDEN * (to - from);
  let [second, third] = [at, at];
  let value = of(at);
  let [secondValue, thirdValue] = [value, value];
  let [step, before] = [0, 0];
  for (let round = 0; round < 200; round++) {
    const middle = (from + to) / 2;
    const least = tolerance * Math.abs(at) + 1e-12;
    if (Math.abs(at - middle) <= 2 * least - (to - from) / 2) break;
    let isParabola = false;
    if (Math.abs(before) > least) {
      const r = (at - second) * (value - thirdValue);
      let q = (at - third) * (value - secondValue);
      let p = (at - third) * q - (at - second) * r;
      q = 2 * (q - r);
      if (q > 0) p = -p;
      q = Math.abs(q);
      if (Math.abs(p) < Math.abs((q * before) / 2) && p > q * (from - at) && p < q * (to - at)) {
        before = step;
        step = p / q;
        const next = at + step;
        if (next - from < 2 * least || to - next < 2 * least) step = at < middle ? least : -least;
        isParabola = true;
      }
    }
    if (!isParabola) {
      before = (at < middle ? to : from) - at;
      step = GOLDEN * before;
    }
    const next = at + (Math.abs(step) >= least ? step : step > 0 ? least : -least);
    const nextValue = of(next);
    if (nextValue <= value) {
      if (next < at) to = at;
      else from = at;
      [third, thirdValue, second, secondValue] = [second, secondValue, at, value];
      [at, value] = [next, nextValue];
    } else {
      if (next < at) from = next;
      else to = next;
      if (nextValue <= secondValue || second === at) [third, thirdValue, second, secondValue] = [second, secondValue, next, nextValue];
      else if (nextValue <= thirdValue || third === at || third === second) [third, thirdValue] = [next, nextValue];
    }
  }
  return { at, value };
}
