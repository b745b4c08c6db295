// From flags to fills and equity: the general path of a sweep. One tight loop for each thing that a column can be doing, so that a bar on
// which nothing happens costs a load, a test and a store.
import { entryQuantity, type SweepAccount, type ColumnProtection, type SweepBars } from './account.ts';
import type { FillReason, OrderLog } from './order-log.ts';

/** What a strategy wants on the close of a bar; a bar may have several. */
export const ENTER_LONG = 1;
export const EXIT_LONG = 2;
export const ENTER_SHORT = 4;
export const EXIT_SHORT = 8;

/** Where a simulation writes; both are reused from column to column. */
export interface SimulationOutput {
  /** Marked at each close. As long as the bars. */
  readonly equity: Float64Array;
  readonly orders: OrderLog;
}

/**
 * Trades the flags of a column, one position at a time.
 *
 * On a bar: what was decided on the close before fills at the open (`next-open`); then stop and target are tested, the stop first; then the
 * trail moves; then the flags are read, and fill at this close (`close`) or at the next open. A position entered at a close is tested from
 * the next bar on, one entered at an open on that same bar. The flags of a bar on which a stop or a target filled are ignored. A stop fills
 * at its price or, where the bar opened beyond it, at the open; so does a target.
 *
 * An entry and an exit of one side on one bar cancel each other, and so do entries of both sides while flat. A flag to enter the other side
 * closes what is held and enters, at the same price and with a fill for each. What was decided on the last close does not fill at an open.
 *
 * A short whose loss has taken everything is bought back at that close, and the column trades no more.
 */
export function simulate(
  bars: SweepBars,
  flags: Uint8Array,
  protection: ColumnProtection,
  account: SweepAccount,
  into: SimulationOutput,
): void {
  into.orders.clear();
  const position = new Position(account, protection, into.orders);
  const { open, close } = bars;
  const { equity } = into;
  const count = close.length;
  const isAtClose = account.fill === 'close';
  let bar = 0;
  while (bar < count) {
    const entry = flatUntil(flags, bar, count);
    equity.fill(position.cash, bar, Math.min(entry + (isAtClose ? 0 : 1), count));
    bar = isAtClose ? entry : entry + 1;
    if (bar >= count) return;
    position.enter(bar, sideOfEntry(flags[entry] ?? 0), (isAtClose ? close[bar] : open[bar]) ?? NaN);
    if (position.quantity === 0) {
      // Nothing to enter with: at an open the bar's own flags are still to be read.
      if (isAtClose) equity[bar++] = position.cash;
      continue;
    }
    if (isAtClose) {
      equity[bar] = position.valueAt(close[bar] ?? NaN);
      bar++;
    }
    while (position.quantity !== 0) {
      const exit = position.hold(bars, flags, bar, equity);
      bar = exit;
      if (exit >= count) return;
      if (position.hasEnded) {
        equity[exit] = position.cash;
        bar = exit + 1;
        break;
      }
      const reversal = sideAfter(flags[exit] ?? 0, position.side);
      if (!isAtClose && ++bar >= count) return;
      const price = (isAtClose ? close[bar] : open[bar]) ?? NaN;
      position.exit(bar, price, account.slippageRatio, 'exit');
      if (reversal !== 0) position.enter(bar, reversal, price);
      if (isAtClose) {
        equity[bar] = position.valueAt(price);
        bar++;
      }
    }
  }
}

/** The first bar from here on that enters. */
function flatUntil(flags: Uint8Array, from: number, count: number): number {
  let bar = from;
  for (;;) {
    while (bar < count && ((flags[bar] ?? 0) & (ENTER_LONG | ENTER_SHORT)) === 0) bar++;
    if (bar >= count || sideOfEntry(flags[bar] ?? 0) !== 0) return bar;
    bar++;
  }
}

/** 1, -1, or 0 where the flags contradict each other. */
function sideOfEntry(flags: number): 1 | -1 | 0 {
  const isLong = (flags & (ENTER_LONG | EXIT_LONG)) === ENTER_LONG;
  const isShort = (flags & (ENTER_SHORT | EXIT_SHORT)) === ENTER_SHORT;
  if (isLong === isShort) return 0;
  return isLong ? 1 : -1;
}

/** The side that a holder of `side` turns to: the other one, or 0 for none. */
function sideAfter(flags: number, side: number): 1 | -1 | 0 {
  if (side > 0) return (flags & (ENTER_SHORT | EXIT_SHORT)) === ENTER_SHORT ? -1 : 0;
  return (flags & (ENTER_LONG | EXIT_LONG)) === ENTER_LONG ? 1 : 0;
}

/** Whether the flags close a position of this side. */
function closes(flags: number, side: number): boolean {
  if (sideAfter(flags, side) !== 0) return true;
  return side > 0 ? (flags & (ENTER_LONG | EXIT_LONG)) === EXIT_LONG : (flags & (ENTER_SHORT | EXIT_SHORT)) === EXIT_SHORT;
}

/** Marks a long position without stop or target, up to and with the first bar that has a flag against it. */
function markUntil(close: Float64Array, flags: Uint8Array, from: number, cash: number, quantity: number, equity: Float64Array): number {
  const count = close.length;
  let bar = from;
  while (bar < count) {
    equity[bar] = cash + quantity * (close[bar] ?? NaN);
    if (((flags[bar] ?? 0) & (EXIT_LONG | ENTER_SHORT)) !== 0) break;
    bar++;
  }
  return bar;
}

/** What is held, and the cash beside it. */
class Position {
  cash = NaN;
  /** Below 0 for a short. */
  quantity = NaN;
  /** A stop, a target or ruin closed it inside the bar that `hold` gave back. */
  hasEnded = false;
  /** The stop is this part away from `#reference`. */
  #reference = NaN;
  #targetPrice = NaN;
  readonly #account: SweepAccount;
  readonly #protection: ColumnProtection;
  readonly #orders: OrderLog;

  constructor(account: SweepAccount, protection: ColumnProtection, orders: OrderLog) {
    this.cash = account.capital;
    this.quantity = 0;
    this.#account = account;
    this.#protection = protection;
    this.#orders = orders;
  }

  get side(): number {
    return Math.sign(this.quantity);
  }

  valueAt(price: number): number {
    return this.cash + this.quantity * price;
  }

  enter(bar: number, side: number, price: number): void {
    const { slippageRatio } = this.#account;
    const { stopRatio, targetRatio } = this.#protection;
    const fillPrice = price * (1 + side * slippageRatio);
    const size = entryQuantity(this.#account, this.cash, fillPrice, stopRatio);
    if (!(size > 0)) return;
    this.#fill(bar, side * size, fillPrice, 'entry');
    this.hasEnded = false;
    this.#reference = price;
    this.#targetPrice = targetRatio > 0 ? price * (1 + side * targetRatio) : side * Infinity;
  }

  exit(bar: number, price: number, slippageRatio: number, reason: FillReason): void {
    const fillPrice = price * (1 - this.side * slippageRatio);
    this.#fill(bar, -this.quantity, fillPrice, reason);
    this.quantity = 0;
  }

  /** Holds from this bar on and marks each; gives the bar on which flags close it or it has ended, or the count of bars. */
  hold(bars: SweepBars, flags: Uint8Array, from: number, equity: Float64Array): number {
    const { stopRatio, targetRatio } = this.#protection;
    if (this.quantity < 0) return this.#holdShort(bars, flags, from, equity);
    if (stopRatio > 0 || targetRatio > 0) return this.#holdProtected(bars, flags, from, equity);
    let bar = from - 1;
    do bar = markUntil(bars.close, flags, bar + 1, this.cash, this.quantity, equity);
    while (bar < equity.length && !closes(flags[bar] ?? 0, 1));
    return bar;
  }

  #holdProtected({ open, high, low, close }: SweepBars, flags: Uint8Array, from: number, equity: Float64Array): number {
    const { stopRatio, isTrailing } = this.#protection;
    const { cash, quantity } = this;
    const count = close.length;
    const targetPrice = this.#targetPrice;
    const keptRatio = 1 - stopRatio;
    let reference = this.#reference;
    let stopPrice = stopRatio > 0 ? reference * keptRatio : -Infinity;
    // A fixed stop has a reference that no price reaches.
    let trailFrom = isTrailing ? reference : Infinity;
    let bar = from;
    for (; bar < count; bar++) {
      if ((low[bar] ?? NaN) <= stopPrice) {
        this.#end(bar, Math.min(open[bar] ?? NaN, stopPrice), this.#account.stopSlippageRatio, 'stop');
        return bar;
      }
      const top = high[bar] ?? NaN;
      if (top >= targetPrice) {
        this.#end(bar, Math.max(open[bar] ?? NaN, targetPrice), 0, 'target');
        return bar;
      }
      if (top > trailFrom) {
        trailFrom = reference = top;
        stopPrice = stopRatio > 0 ? top * keptRatio : -Infinity;
      }
      equity[bar] = cash + quantity * (close[bar] ?? NaN);
      const flag = flags[bar] ?? 0;
      if ((flag & (EXIT_LONG | ENTER_SHORT)) !== 0 && closes(flag, 1)) break;
    }
    this.#reference = reference;
    return bar;
  }

  #holdShort({ open, high, low, close }: SweepBars, flags: Uint8Array, from: number, equity: Float64Array): number {
    const { stopRatio, isTrailing } = this.#protection;
    const { cash, quantity } = this;
    const count = close.length;
    const targetPrice = this.#targetPrice;
    let reference = this.#reference;
    let stopPrice = stopRatio > 0 ? reference * (1 + stopRatio) : Infinity;
    let bar = from;
    for (; bar < count; bar++) {
      const bottom = low[bar] ?? NaN;
      if ((high[bar] ?? NaN) >= stopPrice) {
        this.#end(bar, Math.max(open[bar] ?? NaN, stopPrice), this.#account.stopSlippageRatio, 'stop');
        return bar;
      }
      if (bottom <= targetPrice) {
        this.#end(bar, Math.min(open[bar] ?? NaN, targetPrice), 0, 'target');
        return bar;
      }
      if (isTrailing && bottom < reference) {
        reference = bottom;
        if (stopRatio > 0) stopPrice = bottom * (1 + stopRatio);
      }
      const value = cash + quantity * (close[bar] ?? NaN);
      equity[bar] = value;
      if (!(value > 0)) {
        this.#end(bar, close[bar] ?? NaN, this.#account.slippageRatio, 'ruin');
        return bar;
      }
      const flag = flags[bar] ?? 0;
      if ((flag & (EXIT_SHORT | ENTER_LONG)) !== 0 && closes(flag, -1)) break;
    }
    this.#reference = reference;
    return bar;
  }

  #end(bar: number, price: number, slippageRatio: number, reason: FillReason): void {
    this.exit(bar, price, slippageRatio, reason);
    this.hasEnded = true;
  }

  #fill(bar: number, quantity: number, price: number, reason: FillReason): void {
    const notional = quantity * price;
    const fee = Math.abs(notional) * this.#account.feeRate;
    this.cash -= notional + fee;
    this.quantity = quantity;
    this.#orders.push(bar, quantity, price, fee, reason);
  }
}
