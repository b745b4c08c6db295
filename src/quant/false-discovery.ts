// How many of many findings are false: the rate, not the chance of one.

/**
 * The smallest rate of false discoveries at which each hypothesis would be rejected (its q-value), in the order of the p-values: Benjamini
 * and Hochberg (1995). Rejecting all with a q-value of at most r keeps the expected share of false ones among them at r where the tests are
 * independent, or positively dependent as pairs that share an asset are about to be (Benjamini and Yekutieli, 2001).
 * @param pValues in [0, 1]; NaN is a test that could not be made: it counts as none and stays NaN
 */
export function falseDiscoveryRates(pValues: ArrayLike<number>): Float64Array {
  const rates = new Float64Array(pValues.length).fill(NaN);
  const order = Array.from({ length: pValues.length }, (_, index) => index)
    .filter((index) => !Number.isNaN(pValues[index]))
    .toSorted((left, right) => (pValues[left] ?? NaN) - (pValues[right] ?? NaN));
  let least = 1;
  for (let rank = order.length; rank >= 1; rank--) {
    const index = order[rank - 1] ?? 0;
    least = Math.min(least, ((pValues[index] ?? NaN) * order.length) / rank);
    rates[index] = least;
  }
  return rates;
}
