// An order as the adapter keeps it, from the intent to the venue's last word about it.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { ZERO_QUANTITY, type Price, type Quantity } from '../../domain/decimal.ts';
import { readIntent, writeIntent } from '../../domain/intent-bytes.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import type { OrderProgress } from './order-progress.ts';

/**
 * `attached`: waits for the first fill of its entry. `queued`: it has not left. `sent`: it has, and nobody has answered. `in-doubt`: nobody
 * will, and the venue is being asked. `known`: the venue has taken it. `ended`: reported so.
 */
export type Phase = 'attached' | 'queued' | 'sent' | 'in-doubt' | 'known' | 'ended';
const PHASES: readonly Phase[] = ['attached', 'queued', 'sent', 'in-doubt', 'known', 'ended'];

/** What is asked to be changed, and when it left; Infinity before. */
export type Amendment =
  | { readonly kind: 'stop'; readonly stopPrice: Price; sentAt: number }
  | { readonly kind: 'limit'; readonly limitPrice: Price; readonly quantity: Quantity; sentAt: number };

/** One believed fill, for finding it again under another id. */
export interface BookedFill {
  readonly id: string;
  readonly price: Price;
  readonly quantity: Quantity;
  readonly at: TimeMs;
  readonly via: 'stream' | 'query';
}

export interface KeptOrder {
  /** As it stands at the venue, once that has said so. */
  intent: OrderIntent;
  readonly linkId: string;
  /** The entry that it is attached to. */
  readonly parent: KeptOrder | undefined;
  phase: Phase;
  venueId: string;
  progress: OrderProgress | undefined;
  /** By executions that were believed, once each. */
  filled: Quantity;
  readonly fills: BookedFill[];
  /** The venue has acknowledged it, which says that it was received and no more. */
  isAcknowledged: boolean;
  /** It was reported as taken. */
  isReported: boolean;
  /** It is to be cancelled as soon as there is something to cancel, and whether that has been asked for. */
  cancel: 'no' | 'wanted' | 'asked';
  amendment: Amendment | undefined;
  nextAmendment: Amendment | undefined;
  /** When it last left, and when the venue is to be asked about it, by the timers. */
  sentAt: number;
  lookAt: number;
  isLooking: boolean;
  looks: number;
  /** How often the venue, asked late enough, has not known it. */
  absences: number;
  resends: number;
  /** In market time, for `EndedOrders`. */
  endedAt: TimeMs;
}

export function keptOrder(intent: OrderIntent, linkId: string, parent: KeptOrder | undefined): KeptOrder {
  return {
    intent,
    linkId,
    parent,
    phase: parent === undefined ? 'queued' : 'attached',
    venueId: '',
    progress: undefined,
    filled: ZERO_QUANTITY,
    fills: [],
    isAcknowledged: false,
    isReported: false,
    cancel: 'no',
    amendment: undefined,
    nextAmendment: undefined,
    sentAt: -Infinity,
    lookAt: Infinity,
    isLooking: false,
    looks: 0,
    absences: 0,
    resends: 0,
    endedAt: NEVER,
  };
}

/** Nothing of what was asked for is shared with whoever asked. */
export function copyOf(intent: OrderIntent): OrderIntent {
  return { ...intent, shares: intent.shares.map((share) => ({ ...share })), attached: intent.attached.map(copyOf) };
}

/** What a restarted process must know of it. Everything else is asked of the venue. */
export function writeKept(out: ByteWriter, order: KeptOrder): void {
  writeIntent(out, order.intent);
  out.text(order.parent?.intent.id ?? '');
  out.byte(PHASES.indexOf(order.phase));
  out.text(order.venueId);
  out.decimal(order.filled);
  out.flag(order.isAcknowledged);
  out.flag(order.isReported);
  out.flag(order.cancel !== 'no');
  out.number(order.endedAt);
  writeAmendment(out, order.nextAmendment ?? order.amendment);
}

export function readKept(from: ByteReader, linkIdOf: (id: string) => string, find: (id: string) => KeptOrder | undefined): KeptOrder {
  const intent = readIntent(from);
  const order = keptOrder(intent, linkIdOf(intent.id), find(from.text()));
  order.phase = PHASES[from.byte()] ?? 'in-doubt';
  order.venueId = from.text();
  order.filled = from.decimal();
  order.isAcknowledged = from.flag();
  order.isReported = from.flag();
  order.cancel = from.flag() ? 'wanted' : 'no';
  order.endedAt = from.number();
  order.nextAmendment = readAmendment(from);
  return order;
}

/** One that was not answered is asked for again: it changes nothing where it had been heard. */
function writeAmendment(out: ByteWriter, amendment: Amendment | undefined): void {
  out.byte(amendment === undefined ? 0 : amendment.kind === 'stop' ? 1 : 2);
  if (amendment?.kind === 'stop') out.decimal(amendment.stopPrice);
  if (amendment?.kind === 'limit') {
    out.decimal(amendment.limitPrice);
    out.decimal(amendment.quantity);
  }
}

function readAmendment(from: ByteReader): Amendment | undefined {
  const kind = from.byte();
  if (kind === 0) return undefined;
  if (kind === 1) return { kind: 'stop', stopPrice: from.decimal(), sentAt: Infinity };
  return { kind: 'limit', limitPrice: from.decimal(), quantity: from.decimal(), sentAt: Infinity };
}
