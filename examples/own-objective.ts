// An objective of one's own: `ballast sweep --objective examples/own-objective.ts ...`.
// Many trades, each worth something, and no deep fall.
import type { ColumnMetrics } from 'ballast';

export default ({ trades, expectancy, maxDrawdown }: ColumnMetrics): number | null =>
  trades < 30 || expectancy === null ? null : expectancy * Math.sqrt(trades) * (1 - maxDrawdown);
