// The same strategy, fills, fees, slippage and funding in one loop over the same arrays, with nothing else: no rules, no stops, no record.
// It is the yardstick of the engine's speed, and, where no rule of the engine binds, the witness of its arithmetic. It shares no code with src/.

/** The part of columns of bars that the loop reads. */
export interface PlainBars {
  readonly openAt: Float64Array;
  readonly open: Float64Array;
  readonly close: Float64Array;
}

export interface PlainRules {
  readonly fast: number;
  readonly slow: number;
  /** Weight of a full stance of all instruments together. */
  readonly weight: number;
  readonly capital: number;
  readonly feeRate: number;
  readonly slippageRatio: number;
  readonly fundingRate: number;
  readonly fundingIntervalMs: number;
  readonly barMs: number;
  /** Of the bars at whose close is decided: a multiple of `barMs`. */
  readonly decisionMs: number;
}

export interface PlainResult {
  readonly equity: number;
  readonly lowestEquity: number;
  readonly fills: number;
}

/** Every instrument has the same times, and an equal share of equity. */
export function plainLoop(instruments: readonly PlainBars[], rules: PlainRules): PlainResult {
  const { fast, slow, capital, feeRate, slippageRatio, fundingRate, fundingIntervalMs, barMs, decisionMs } = rules;
  const count = instruments.length;
  const weight = rules.weight / count;
  const fastAlpha = 2 / (fast + 1);
  const slowAlpha = 2 / (slow + 1);
  const fastMean = new Float64Array(count);
  const slowMean = new Float64Array(count);
  const held = new Float64Array(count);
  const ordered = new Float64Array(count);
  const stance = new Float64Array(count);
  const mark = new Float64Array(count);
  const bars = instruments[0]?.openAt.length ?? 0;
  let cash = capital;
  let lowestEquity = capital;
  let equity = capital;
  let fills = 0;
  let seen = 0;
  for (let bar = 0; bar < bars; bar++) {
    let closeAt = 0;
    equity = 0;
    for (let index = 0; index < count; index++) {
      const columns = instruments[index];
      if (columns === undefined) continue;
      closeAt = (columns.openAt[bar] ?? NaN) + barMs;
      const order = ordered[index] ?? 0;
      if (order !== 0) {
        const price = (columns.open[bar] ?? NaN) * (order > 0 ? 1 + slippageRatio : 1 - slippageRatio);
        cash -= order * price + Math.abs(order) * price * feeRate;
        held[index] = (held[index] ?? 0) + order;
        ordered[index] = 0;
        fills++;
      }
      const position = held[index] ?? 0;
      const close = columns.close[bar] ?? NaN;
      if (position !== 0 && fundingRate !== 0 && closeAt % fundingIntervalMs === 0) cash -= position * close * fundingRate;
      mark[index] = close;
      equity += position * close;
    }
    equity += cash;
    if (equity < lowestEquity) lowestEquity = equity;
    if (decisionMs !== barMs && closeAt % decisionMs !== 0) continue;
    seen++;
    for (let index = 0; index < count; index++) {
      const close = mark[index] ?? NaN;
      // A mean begins as the simple mean of its first closes.
      if (seen > fast) fastMean[index] = (fastMean[index] ?? 0) + (close - (fastMean[index] ?? 0)) * fastAlpha;
      else fastMean[index] = (fastMean[index] ?? 0) + close / fast;
      if (seen > slow) slowMean[index] = (slowMean[index] ?? 0) + (close - (slowMean[index] ?? 0)) * slowAlpha;
      else slowMean[index] = (slowMean[index] ?? 0) + close / slow;
      if (seen < slow) continue;
      const wanted = (fastMean[index] ?? 0) > (slowMean[index] ?? 0) ? 1 : -1;
      if (wanted === stance[index]) continue;
      stance[index] = wanted;
      ordered[index] = (wanted * weight * equity) / close - (held[index] ?? 0);
    }
  }
  return { equity, lowestEquity, fills };
}
