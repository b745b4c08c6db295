// Time-weighted: equal slices at equal distances (Bertsimas and Lo, "Optimal control of execution costs", 1998: the cheapest schedule where
// impact is linear and risk costs nothing).

/** @returns weights of the slices, which sum to 1 */
export function twapWeights(slices: number): Float64Array {
  return new Float64Array(slices).fill(1 / slices);
}
