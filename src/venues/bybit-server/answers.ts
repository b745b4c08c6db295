// The simulated venue answers in words: what they are on Bybit. Held to the words themselves by a test.
import { CODES, Refusal } from './refusal.ts';
import type { WireCancelType, WireRejectReason } from './wire.ts';

/** Bybit takes such an order, and cancels it. */
export const WOULD_TAKE = /^post-only: /;

/** Why an order is refused at the door. */
export function refusalOf(words: string): Refusal {
  if (/^insufficient (margin|balance)/.test(words)) return new Refusal(CODES.lacksMargin, 'ab not enough for new order');
  if (words.startsWith('reduce-only: ')) return new Refusal(CODES.reduceOnly, 'current position is zero, cannot fix reduce-only order qty');
  if (/^notional .* is below the minimum/.test(words)) return new Refusal(CODES.belowNotional, 'Order does not meet minimum order value');
  if (WOULD_TAKE.test(words)) return new Refusal(CODES.parameter, 'EC_PostOnlyWillTakeLiquidity');
  return new Refusal(CODES.parameter, `params error: ${words}`);
}

export interface Cancellation {
  readonly cancelType: WireCancelType;
  readonly rejectReason: WireRejectReason;
}

/** Why an order that was taken has ended. `expired` is the end of the market. */
export function cancellationOf(words: string): Cancellation {
  if (words === 'asked for') return { cancelType: 'CancelByUser', rejectReason: 'EC_PerCancelRequest' };
  if (words.startsWith('reduce-only: ')) return { cancelType: 'CancelByReduceOnly', rejectReason: 'EC_NoError' };
  if (words === 'its position was liquidated') return { cancelType: 'CancelAllBeforeLiq', rejectReason: 'EC_NoError' };
  if (words.startsWith('immediate or cancel: ')) return { cancelType: 'UNKNOWN', rejectReason: 'EC_NoImmediateQtyToFill' };
  if (words.startsWith('fill or kill: ')) return { cancelType: 'UNKNOWN', rejectReason: 'EC_NoEnoughQtyToFill' };
  if (words === 'expired') return { cancelType: 'CancelByAdmin', rejectReason: 'EC_NoError' };
  return { cancelType: 'UNKNOWN', rejectReason: 'EC_Others' };
}
