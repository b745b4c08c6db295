// Engine and plain loop over the same arrays under rules that do not bind: the same fills and the same money.
import type { BarColumns } from '../src/domain/bars.ts';
import { MINUTE_MS } from '../src/domain/time.ts';
import { CAPITAL, configOf, prepareBacktest, removeHome, runBacktest, UNBOUND_RATIO, type BacktestCase } from './backtest-session.ts';
import { plainLoop, type PlainRules } from './plain-loop.ts';

/** Exact money against doubles, over a hundred thousand fills. */
export const EQUITY_TOLERANCE = 1e-9;

export interface Equality {
  readonly isEqual: boolean;
  readonly engine: { readonly equity: number; readonly fills: number };
  readonly plain: { readonly equity: number; readonly fills: number };
}

export function plainRules(subject: BacktestCase): PlainRules {
  const { fast, slow, timeframeMs = MINUTE_MS } = subject;
  const { feeRate, slippageRatio } = configOf(subject).venue;
  return {
    fast,
    slow,
    weight: UNBOUND_RATIO,
    capital: CAPITAL,
    // Of a linear perpetual whose venue was not asked.
    feeRate: feeRate ?? 0.0006,
    slippageRatio,
    fundingRate: 0.0001,
    fundingIntervalMs: 8 * 60 * MINUTE_MS,
    barMs: MINUTE_MS,
    decisionMs: timeframeMs,
  };
}

export async function compare(subject: BacktestCase, columns: readonly BarColumns[]): Promise<Equality> {
  const prepared = await prepareBacktest({ ...subject, isUnbound: true }, columns[0]?.openAt.length ?? 0);
  try {
    const { equity, fills } = await runBacktest(
      prepared,
      columns.map((each) => [each]),
    );
    const plain = plainLoop(columns, plainRules(subject));
    const isEqual = fills === plain.fills && Math.abs(equity / plain.equity - 1) <= EQUITY_TOLERANCE;
    return { isEqual, engine: { equity, fills }, plain };
  } finally {
    removeHome(prepared);
  }
}
