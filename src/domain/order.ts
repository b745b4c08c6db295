// What we ask of a venue, and the states an order can be in.
import type { OrderReport } from './event.ts';
import {
  absolute,
  add,
  compare,
  isZero,
  negate,
  proportion,
  roundToStep,
  signOf,
  smaller,
  subtract,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from './decimal.ts';
import { assert } from './errors.ts';
import type { TimeMs } from './time.ts';

export type Side = 'buy' | 'sell';
export type PositionSide = 'long' | 'short';
export type OrderType = 'market' | 'limit' | 'post-only' | 'stop' | 'take-profit' | 'trailing';
/** What a limit or market order that cannot fill at once does: take what is there and end, or nothing unless it is all there. */
export type TimeInForce = 'ioc' | 'fok';
/**
 * How what an instrument needs is carried out. `market` sends it at once; each of the others works it on a ticket: `limit-first` as a limit
 * order, `iceberg` as limit orders of which one at a time is shown, `twap`, `vwap` and `almgren-chriss` in slices by the clock, `pov` as a part
 * of what is traded.
 */
export const EXECUTION_ALGORITHMS = ['market', 'limit-first', 'iceberg', 'twap', 'vwap', 'pov', 'almgren-chriss'] as const;
export type ExecutionAlgorithm = (typeof EXECUTION_ALGORITHMS)[number];
/** Those that work on a ticket. */
export type TicketAlgorithm = Exclude<ExecutionAlgorithm, 'market'>;
/** Why the order exists. `stop` protects a sleeve, `disaster` the net position; neither counts as working. */
export type OrderRole = 'target' | 'stop' | 'disaster';

/** A sleeve's part of an order, frozen with it. Signed: positive buys. The shares of an order sum to its signed quantity. */
export interface Share {
  readonly sleeve: number;
  readonly leg: number;
  readonly quantity: Quantity;
}

export interface OrderIntent {
  /** Derived: decision and number within it. A resend is the same order. */
  readonly id: string;
  readonly at: TimeMs;
  readonly instrument: number;
  readonly side: Side;
  readonly type: OrderType;
  readonly role: OrderRole;
  /**
   * Positive. For a whole-position stop it is what the position was when the stop was set; the venue follows the position. Beside a budget it
   * is an estimate.
   */
  readonly quantity: Quantity;
  /**
   * For an order that buys at the market: what it may cost, fees included, and never more than the cash there is. Its quantity is computed
   * where it fills, as that of Binance's `quoteOrderQty`.
   */
  readonly budget?: Amount;
  /** For limit and post-only. */
  readonly limitPrice: Price | undefined;
  /** For stop, take-profit and trailing: triggers a market order. A trailing stop begins there. */
  readonly stopPrice: Price | undefined;
  /** For trailing: how far the trigger follows behind the best price since it came to rest. */
  readonly trailBy?: Price;
  /** Absent: it rests until it fills or is cancelled. */
  readonly timeInForce?: TimeInForce;
  /** Id of the order with which it shares what is to be closed: what one of them fills the other does not, and the last of it ends both. */
  readonly pairedWith?: string;
  /** Which of the two positions it opens or closes, at a venue that keeps a long and a short one; absent where there is one. */
  readonly positionSide?: PositionSide;
  readonly reduceOnly: boolean;
  /** A stop that closes the whole position whatever its quantity by then. */
  readonly wholePosition: boolean;
  readonly shares: readonly Share[];
  /** Protective stops that begin to rest with this order's first fill. */
  readonly attached: readonly OrderIntent[];
}

export interface CancelIntent {
  readonly at: TimeMs;
  readonly instrument: number;
  readonly order: string;
}

/** Moves the trigger of a stop that rests; everything else of it stays. Until the venue has answered, the old trigger protects. */
export interface AmendIntent {
  readonly at: TimeMs;
  readonly instrument: number;
  readonly order: string;
  readonly stopPrice: Price;
}

/** Gives a limit order that rests another price and another quantity. A new price, or more of it, goes to the end of the queue. */
export interface LimitAmendIntent {
  readonly at: TimeMs;
  readonly instrument: number;
  readonly order: string;
  readonly limitPrice: Price;
  /** The whole of it, what has filled already included. */
  readonly quantity: Quantity;
}

/** It becomes a market order when the market has come to its trigger. */
export function isConditional(type: OrderType): boolean {
  return type === 'stop' || type === 'take-profit' || type === 'trailing';
}

export type OrderState = 'submitted' | 'working' | 'cancelling' | 'in-doubt' | 'filled' | 'cancelled' | 'expired' | 'rejected';

/** Neither filled nor dead: it may still trade. */
export function isOpen(state: OrderState): boolean {
  return state === 'submitted' || state === 'working' || state === 'cancelling' || state === 'in-doubt';
}

/**
 * The order's state machine. A late fill on an order that was reported dead is real money: the quantity counts, and the state stays as the
 * venue last said until everything is filled.
 * @returns the state after the report, given how much is filled once the report is counted.
 */
export function stateAfter(state: OrderState, report: OrderReport, filled: Quantity, quantity: Quantity): OrderState {
  switch (report.kind) {
    case 'order.accepted':
      return state === 'submitted' || state === 'in-doubt' ? 'working' : state;
    case 'order.filled':
      assert(report.fill !== undefined, 'an order.filled report carries a fill');
      if (compare(filled, quantity) >= 0) return 'filled';
      return state === 'submitted' || state === 'in-doubt' ? 'working' : state;
    case 'order.rejected':
      return isOpen(state) ? 'rejected' : state;
    case 'order.cancelled':
      return isOpen(state) ? 'cancelled' : state;
    case 'order.expired':
      return isOpen(state) ? 'expired' : state;
  }
}

/** What is not filled yet. */
export function remaining(quantity: Quantity, filled: Quantity): Quantity {
  return compare(filled, quantity) >= 0 ? ZERO_QUANTITY : subtract(quantity, filled);
}

/**
 * What each share has of an order that has brought `cumulative` (positive) in all: its proportion in whole lots, the remainder to the last.
 * Each is reckoned from what the shares before it left, so no share gets more than it asked for, none gives back when more is filled, and
 * every sleeve keeps whole lots, which its own stop can close. A full order completes every share; an overfill goes to the last: never
 * silent, never lost.
 * @returns signed, by position in the shares
 */
export function filledShares(shares: readonly Share[], cumulative: Quantity, lot: Quantity): Quantity[] {
  let rest = cumulative;
  const total = sumOfShares(shares);
  let restOfShares = absolute(total);
  const isComplete = compare(cumulative, restOfShares) >= 0;
  return shares.map(({ quantity }, index) => {
    const asked = absolute(quantity);
    const part =
      index === shares.length - 1 ? rest : isComplete || isZero(asked) ? asked : roundToStep(proportion(rest, asked, restOfShares), lot);
    rest = subtract(rest, part);
    restOfShares = subtract(restOfShares, asked);
    return signOf(total) < 0 ? negate(part) : part;
  });
}

/**
 * What a fill of the whole-position stop changes: `filled` (positive) of the net of `held` was closed. Every holding shrinks by the same
 * fraction, in whole lots: those against the net first, as if they crossed, then those on its side by that much more.
 * @returns signed, by position in `held`; the changes sum to what was closed
 */
export function scaledShares(held: readonly Quantity[], filled: Quantity, lot: Quantity): Quantity[] {
  let net = ZERO_QUANTITY;
  let against = ZERO_QUANTITY;
  for (const quantity of held) net = add(net, quantity);
  const side = signOf(net);
  for (const quantity of held) if (signOf(quantity) === -side) against = add(against, absolute(quantity));
  const crossed = side === 0 ? ZERO_QUANTITY : smaller(against, roundToStep(proportion(against, filled, absolute(net)), lot));
  const changes = held.map(() => ZERO_QUANTITY);
  for (const [sign, total] of [
    [-side, crossed],
    [side, add(filled, crossed)],
  ] as const) {
    const positions = held.flatMap((quantity, position) => (signOf(quantity) === sign ? [position] : []));
    const shares = positions.map((position) => ({ sleeve: 0, leg: 0, quantity: negate(held[position] ?? ZERO_QUANTITY) }));
    filledShares(shares, total, lot).forEach((change, index) => {
      changes[positions[index] ?? 0] = change;
    });
  }
  return changes;
}

export function sumOfShares(shares: readonly Share[]): Quantity {
  let sum = ZERO_QUANTITY;
  for (const share of shares) sum = add(sum, share.quantity);
  return sum;
}
