// Points that cover a cube evenly along every axis (McKay, Beckman and Conover 1979).
import type { Random } from './random.ts';

/** So many points in [0, 1)^dimensions: along each axis, each of as many equal intervals has exactly one of them. */
export function latinHypercube(points: number, dimensions: number, random: Random): Float64Array[] {
  const sample = Array.from({ length: points }, () => new Float64Array(dimensions));
  const order = new Int32Array(points);
  for (let axis = 0; axis < dimensions; axis++) {
    for (let index = 0; index < points; index++) {
      // Fisher and Yates, from the inside out.
      const other = random.integer(index + 1);
      order[index] = order[other] ?? 0;
      order[other] = index;
    }
    for (const [index, point] of sample.entries()) point[axis] = ((order[index] ?? NaN) + random.uniform()) / points;
  }
  return sample;
}
