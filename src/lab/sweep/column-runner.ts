// One column after another in the same buffers: however many columns a sweep has, a thread holds one equity, one row of flags and one log.
import type { SweepAccount, SweepBars } from './account.ts';
import { ColumnSums, sumUp } from './column-metrics.ts';
import { OrderLog } from './order-log.ts';
import { simulate } from './simulator.ts';
import type { ColumnRules } from './strategy.ts';

/** `fused` where a strategy has a kernel that follows the account, the general path otherwise; `general` always that. */
export type SweepPath = 'fused' | 'general';

export class ColumnRunner {
  readonly sums: ColumnSums;
  readonly orders = new OrderLog();
  readonly #bars: SweepBars;
  readonly #account: SweepAccount;
  readonly #path: SweepPath;
  #flags: Uint8Array | undefined;
  #equity: Float64Array | undefined;

  /** @param drawdownLimit a column that falls further is hopeless: a kernel ends it there, and its sums say so */
  constructor(bars: SweepBars, account: SweepAccount, path: SweepPath, drawdownLimit = Infinity) {
    this.sums = new ColumnSums(drawdownLimit);
    this.#bars = bars;
    this.#account = account;
    this.#path = path;
  }

  /** Leaves the column's figures in `sums` and, on the general path, its fills in `orders`. @param columns of `indicatorsOf` these rules */
  run(rules: ColumnRules, columns: readonly Float64Array[]): void {
    if (isFused(rules, this.#account, this.#path)) {
      rules.fused?.run(this.#bars, columns, this.#account, this.sums);
      return;
    }
    const count = this.#bars.close.length;
    const flags = (this.#flags ??= new Uint8Array(count));
    const equity = (this.#equity ??= new Float64Array(count));
    rules.mark(this.#bars, columns, flags);
    simulate(this.#bars, flags, rules.protection, this.#account, { equity, orders: this.orders });
    sumUp(this.#account.capital, equity, this.orders, this.sums);
  }

  /** Of the last column on the general path. */
  get equity(): Float64Array {
    return this.#equity ?? new Float64Array();
  }
}

export function indicatorsOf(rules: ColumnRules, account: SweepAccount, path: SweepPath): ColumnRules['indicators'] {
  return isFused(rules, account, path) ? (rules.fused?.indicators ?? []) : rules.indicators;
}

function isFused(rules: ColumnRules, account: SweepAccount, path: SweepPath): boolean {
  return path === 'fused' && rules.fused?.follows(account) === true;
}
