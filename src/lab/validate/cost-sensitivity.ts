// At what fee the edge dies.

export interface CostPoint {
  /** Of notional, for every fill. */
  readonly feeRate: number;
  readonly totalReturn: number;
  readonly sharpe: number | null;
  readonly trades: number;
}

/**
 * The fee at which the account no longer grows: between the first fee that it does not survive and the one before it, on a straight line.
 * Undefined where it dies nowhere among the fees, 0 where it does not grow at the lowest of them. Points in the order of their fees.
 */
export function breakEvenFee(points: readonly CostPoint[]): number | undefined {
  const dead = points.findIndex((point) => point.totalReturn <= 0);
  const after = points[dead];
  if (after === undefined) return undefined;
  const before = points[dead - 1];
  if (before === undefined) return 0;
  return before.feeRate + ((after.feeRate - before.feeRate) * before.totalReturn) / (before.totalReturn - after.totalReturn);
}
