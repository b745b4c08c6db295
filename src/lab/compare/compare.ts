// Two runs of one period, order by order: what differs, why, and how much of the trading is the same.
import type { TimeMs } from '../../domain/time.ts';
import { align, timeOf, type Pair } from './align.ts';
import { causesOf, CAUSES, feeRateOf, firstUnlike, WORST_COST_RATIO, type Cause, type Finding } from './cause.ts';
import type { Execution, RunRecord } from './run-record.ts';

export interface Difference extends Pair {
  readonly at: TimeMs;
  /** Every cause, the weightiest first. */
  readonly findings: readonly [Finding, ...Finding[]];
  /** What the second run has more than the first by price and fee on what both filled, in quote currency; 0 where one has no fill. */
  readonly money: number;
  /** In [0, 1]: 1 is the same. */
  readonly agreement: number;
}

export interface Comparison {
  /** The period that both runs have, from inclusive, to exclusive. */
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly toleranceMs: TimeMs;
  /**
   * In [0, 1]: the agreement of all pairs, weighed by notional; null where neither run sent an order. An order without a counterpart agrees
   * by 0. A pair agrees by the smaller filled quantity over the larger, x 1 less a hundred times the difference of price and fee over the
   * price (a percent is as bad as no fill), x 1 less the distance of the fills over a bar of the strategies.
   */
  readonly parity: number | null;
  readonly same: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly differences: readonly Difference[];
  /** By weightiest cause: how many, and the money. */
  readonly causes: Readonly<Partial<Record<Cause, { readonly count: number; readonly money: number }>>>;
  /** Orders of before or after the common period. */
  readonly outside: number;
}

/** The period that two runs have in common is empty when `from` is not before `to`: then there is nothing to compare. */
export function commonPeriod(a: RunRecord, b: RunRecord): { readonly from: TimeMs; readonly to: TimeMs } {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

export function compareRuns(a: RunRecord, b: RunRecord): Comparison {
  const { from, to } = commonPeriod(a, b);
  // An order of the last instant had no time to fill in the run that ended.
  const within = ({ executions }: RunRecord): Execution[] => executions.filter(({ at }) => at >= from && at < to);
  const [ofA, ofB] = [within(a), within(b)];
  const toleranceMs = Math.max(a.timeframeMs, b.timeframeMs);
  const pairs = align(ofA, ofB, toleranceMs);
  const differences: Difference[] = [];
  let [weights, agreed, same] = [0, 0, 0];
  const ledger = { a: new Map<string, number>(), b: new Map<string, number>() };
  for (const execution of a.executions) if (execution.at < from) hold(ledger.a, execution);
  for (const execution of b.executions) if (execution.at < from) hold(ledger.b, execution);
  const unlikeBars = new Map(
    a.instruments.flatMap(({ symbol }) => {
      const first = firstUnlike(a, b, symbol, -Infinity, to);
      return first === undefined ? [] : [[symbol, first] as const];
    }),
  );
  for (const pair of pairs) {
    const weight = Math.max(notionalOf(pair.a), notionalOf(pair.b));
    const agreement = agreementOf(pair, toleranceMs);
    weights += weight;
    agreed += weight * agreement;
    const findings = causesOf({ pair, a, b, unlikeBars, heldA: ledger.a, heldB: ledger.b, toleranceMs });
    const [first, ...others] = findings;
    if (first === undefined) same++;
    else differences.push({ ...pair, at: timeOf(pair), findings: [first, ...others], money: moneyOf(pair), agreement });
    hold(ledger.a, pair.a);
    hold(ledger.b, pair.b);
  }
  const causes: Partial<Record<Cause, { count: number; money: number }>> = {};
  for (const cause of CAUSES) {
    const due = differences.filter(({ findings: [{ cause: first }] }) => first === cause);
    if (due.length > 0) causes[cause] = { count: due.length, money: due.reduce((sum, { money }) => sum + money, 0) };
  }
  return {
    from,
    to,
    toleranceMs,
    parity: weights === 0 ? null : agreed / weights,
    same,
    onlyA: differences.filter((each) => each.b === undefined).length,
    onlyB: differences.filter((each) => each.a === undefined).length,
    differences,
    causes,
    outside: a.executions.length + b.executions.length - ofA.length - ofB.length,
  };
}

function hold(held: Map<string, number>, execution: Execution | undefined): void {
  if (execution === undefined) return;
  const { symbol, side, filled } = execution;
  held.set(symbol, (held.get(symbol) ?? 0) + (side === 'buy' ? filled : -filled));
}

function notionalOf(execution: Execution | undefined): number {
  if (execution === undefined) return 0;
  const { quantity, filled, price, reference } = execution;
  return Math.max(quantity, filled) * (Number.isNaN(price) ? reference : price) || 0;
}

function agreementOf({ a, b }: Pair, barMs: TimeMs): number {
  if (a === undefined || b === undefined) return 0;
  // Neither filled: they agree as far as they asked for the same.
  if (a.filled === 0 && b.filled === 0) return a.refusal === b.refusal ? ratioOf(a.quantity, b.quantity) : 0;
  if (a.filled === 0 || b.filled === 0) return 0;
  const price = Math.max(a.price, b.price);
  const costRatio = Math.abs(a.price - b.price) / price + Math.abs(feeRateOf(a) - feeRateOf(b));
  const late = Math.abs(a.lastFillAt - b.lastFillAt) / barMs;
  return ratioOf(a.filled, b.filled) * Math.max(0, 1 - costRatio / WORST_COST_RATIO) * Math.max(0, 1 - late);
}

function ratioOf(left: number, right: number): number {
  return left === right ? 1 : Math.min(left, right) / Math.max(left, right);
}

function moneyOf({ a, b }: Pair): number {
  if (a === undefined || b === undefined || a.filled === 0 || b.filled === 0) return 0;
  const quantity = Math.min(a.filled, b.filled);
  const sign = a.side === 'sell' ? 1 : -1;
  return sign * (b.price - a.price) * quantity - (b.fee / b.filled - a.fee / a.filled) * quantity;
}
