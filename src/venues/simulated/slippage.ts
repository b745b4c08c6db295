// How much worse than the bar says an order at the market fills.

/**
 * `fixed` is a ratio of price. `volume-share` adds impact x share^2, `square-root` impact x share^(1/2), the share being the fill's quantity
 * over the volume of its bar: the first as in Lean's volume share model, the second the square-root law of market impact (Torre 1997;
 * Almgren et al., "Direct Estimation of Equity Market Impact", 2005), whose volatility is in the impact.
 */
export type SlippageModel = 'fixed' | 'volume-share' | 'square-root';

export interface SlippageRules {
  readonly slippageModel: SlippageModel;
  /** Ratio of price for a fill of the bar's whole volume. */
  readonly impactRatio: number;
}

/** As a ratio of price. A bar without volume counts as if all of it was taken. */
export function slippageOf({ slippageModel, impactRatio }: SlippageRules, fixedRatio: number, quantity: number, volume: number): number {
  if (slippageModel === 'fixed') return fixedRatio;
  const share = volume > quantity ? quantity / volume : 1;
  return fixedRatio + impactRatio * (slippageModel === 'volume-share' ? share * share : Math.sqrt(share));
}
