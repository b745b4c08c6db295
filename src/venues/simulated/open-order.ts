// Orders at the venue and on their way to it, with their bytes.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { subtract, toNumber, type Price, type Quantity } from '../../domain/decimal.ts';
import { readIntent, writeIntent } from '../../domain/intent-bytes.ts';
import type { LimitAmendIntent, OrderIntent } from '../../domain/order.ts';
import type { TimeMs } from '../../domain/time.ts';
import { reachOf, type Reach } from './fills.ts';

export interface OpenOrder {
  intent: OrderIntent;
  /** Its trigger or limit price; NaN for a market order. */
  level: number;
  readonly reach: Reach;
  /** When it reached the venue. An attached order has it from its entry, once that has filled; NaN while it waits for that. */
  arrivedAt: TimeMs;
  filled: Quantity;
  /** What the order that it is paired with has filled in its place. */
  taken: Quantity;
  /** Order of arrival: ties inside a bar are decided by it. */
  number: number;
}

/** What it still asks for. */
export function restOf({ intent, filled, taken }: OpenOrder): Quantity {
  return subtract(subtract(intent.quantity, filled), taken);
}

export type Arrival = { readonly at: TimeMs; readonly instrument: number } & (
  | { readonly what: 'order'; readonly intent: OrderIntent }
  | { readonly what: 'cancel'; readonly target: string }
  | { readonly what: 'amend'; readonly target: string; readonly stopPrice: Price }
  | ({ readonly what: 'reprice'; readonly target: string } & Pick<LimitAmendIntent, 'limitPrice' | 'quantity'>)
);

const WHATS: readonly Arrival['what'][] = ['order', 'cancel', 'amend', 'reprice'];

export function levelOf({ stopPrice, limitPrice }: OrderIntent): number {
  const price = stopPrice ?? limitPrice;
  return price === undefined ? NaN : toNumber(price);
}

export function writeOrder(out: ByteWriter, order: OpenOrder): void {
  writeIntent(out, order.intent);
  out.number(order.arrivedAt);
  out.decimal(order.filled);
  out.decimal(order.taken);
  out.count(order.number);
}

export function readOrder(from: ByteReader): OpenOrder {
  const intent = readIntent(from);
  return {
    intent,
    level: levelOf(intent),
    reach: reachOf(intent),
    arrivedAt: from.number(),
    filled: from.decimal(),
    taken: from.decimal(),
    number: from.count(),
  };
}

export function writeArrival(out: ByteWriter, arrival: Arrival): void {
  out.number(arrival.at);
  out.count(arrival.instrument);
  out.byte(WHATS.indexOf(arrival.what));
  if (arrival.what === 'order') return writeIntent(out, arrival.intent);
  out.text(arrival.target);
  if (arrival.what === 'amend') out.decimal(arrival.stopPrice);
  if (arrival.what !== 'reprice') return;
  out.decimal(arrival.limitPrice);
  out.decimal(arrival.quantity);
}

export function readArrival(from: ByteReader): Arrival {
  const at = from.number();
  const instrument = from.count();
  const what = WHATS[from.byte()] ?? 'cancel';
  if (what === 'order') return { at, instrument, what, intent: readIntent(from) };
  const target = from.text();
  if (what === 'amend') return { at, instrument, what, target, stopPrice: from.decimal() };
  if (what === 'reprice') return { at, instrument, what, target, limitPrice: from.decimal(), quantity: from.decimal() };
  return { at, instrument, what, target };
}
