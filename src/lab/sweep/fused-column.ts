// The account of a fused kernel: all in or flat, long only. A held position's returns are those of the price, so their sums come from running
// sums shared by all columns, and only the drawdown is looked for bar by bar.
import type { SweepAccount, SweepBars } from './account.ts';
import type { ColumnSums } from './column-metrics.ts';

export class FusedColumn {
  #cash = NaN;
  #quantity = NaN;
  #cashBefore = NaN;
  #entryPrice = NaN;
  #entryFee = NaN;
  /** First bar whose close finds the position. */
  #entryBar = 0;
  #peak = NaN;
  readonly #close: Float64Array;
  readonly #returnSums: readonly Float64Array[];
  readonly #account: SweepAccount;
  readonly #sums: ColumnSums;

  /** @param returnSums the columns of RETURN_SUMS */
  constructor({ close }: SweepBars, returnSums: readonly Float64Array[], account: SweepAccount, sums: ColumnSums) {
    sums.clear();
    this.#close = close;
    this.#returnSums = returnSums;
    this.#account = account;
    this.#sums = sums;
    this.#cash = account.capital;
    this.#peak = account.capital;
    this.#quantity = 0;
  }

  get isHeld(): boolean {
    return this.#quantity > 0;
  }

  enter(bar: number, price: number): void {
    const { feeRate, slippageRatio } = this.#account;
    const fillPrice = price * (1 + slippageRatio);
    this.#quantity = this.#cash / (fillPrice * (1 + feeRate));
    this.#entryPrice = fillPrice;
    this.#entryFee = this.#quantity * fillPrice * feeRate;
    this.#sums.fees += this.#entryFee;
    this.#sums.orders++;
    this.#cashBefore = this.#cash;
    this.#entryBar = bar;
  }

  /** Marks the position at the closes from its entry up to, and without, `end`: at one of them at least. */
  hold(end: number): void {
    const [returns, squares, losses] = this.#returnSums;
    const close = this.#close;
    const first = this.#entryBar;
    const quantity = this.#quantity;
    const last = end - 1;
    const sums = this.#sums;
    sums.return((quantity * (close[first] ?? NaN)) / this.#cashBefore - 1);
    sums.returnSum += (returns?.[last] ?? NaN) - (returns?.[first] ?? NaN);
    sums.returnSquares += (squares?.[last] ?? NaN) - (squares?.[first] ?? NaN);
    sums.downsideSquares += (losses?.[last] ?? NaN) - (losses?.[first] ?? NaN);
    let peak = this.#peak / quantity;
    let deepest = sums.maxDrawdown;
    let floor = peak * (1 - deepest);
    for (let bar = first; bar < end; bar++) {
      const price = close[bar] ?? NaN;
      if (price > peak) {
        peak = price;
        floor = price * (1 - deepest);
      } else if (price < floor) {
        deepest = 1 - price / peak;
        floor = price;
      }
    }
    sums.maxDrawdown = deepest;
    this.#peak = peak * quantity;
  }

  /** After `hold` up to this bar. */
  exit(bar: number, price: number, slippageRatio: number): void {
    const fillPrice = price * (1 - slippageRatio);
    const notional = this.#quantity * fillPrice;
    const fee = notional * this.#account.feeRate;
    const sums = this.#sums;
    const cash = notional - fee;
    sums.return(cash / (this.#quantity * (this.#close[bar - 1] ?? NaN)) - 1);
    sums.fees += fee;
    sums.orders++;
    // As the general path has it, so that a trade that made exactly nothing is the same to both.
    sums.trade(this.#quantity * (fillPrice - this.#entryPrice) - this.#entryFee - fee);
    this.#cash = cash;
    this.#quantity = 0;
    if (cash > this.#peak) this.#peak = cash;
    else sums.maxDrawdown = Math.max(sums.maxDrawdown, 1 - cash / this.#peak);
  }

  /** What is still held stays open and is marked at the last close. */
  finish(): void {
    const count = this.#close.length;
    if (this.isHeld) this.hold(count);
    this.#sums.finalEquity = this.isHeld ? this.#quantity * (this.#close[count - 1] ?? NaN) : this.#cash;
  }
}
