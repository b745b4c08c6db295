// An order intent as canonical bytes: the same in the journal, in snapshots and in a venue's own state.
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { Price } from './decimal.ts';
import type { OrderIntent, OrderRole, OrderType, Share } from './order.ts';

const TYPES: readonly OrderType[] = ['market', 'limit', 'post-only', 'stop'];
const ROLES: readonly OrderRole[] = ['target', 'stop', 'disaster'];

export function writeIntent(out: ByteWriter, intent: OrderIntent): void {
  out.text(intent.id);
  out.number(intent.at);
  out.count(intent.instrument);
  out.byte((intent.side === 'buy' ? 1 : 0) | (intent.reduceOnly ? 2 : 0) | (intent.wholePosition ? 4 : 0));
  out.byte(TYPES.indexOf(intent.type));
  out.byte(ROLES.indexOf(intent.role));
  out.decimal(intent.quantity);
  writePrice(out, intent.limitPrice);
  writePrice(out, intent.stopPrice);
  writeShares(out, intent.shares);
  out.count(intent.attached.length);
  for (const stop of intent.attached) writeIntent(out, stop);
}

export function readIntent(from: ByteReader): OrderIntent {
  const id = from.text();
  const at = from.number();
  const instrument = from.count();
  const bits = from.byte();
  const type = TYPES[from.byte()] ?? 'market';
  const role = ROLES[from.byte()] ?? 'target';
  const quantity = from.decimal<OrderIntent['quantity']>();
  const limitPrice = readPrice(from);
  const stopPrice = readPrice(from);
  const shares = readShares(from);
  const attached: OrderIntent[] = [];
  for (let left = from.count(); left > 0; left--) attached.push(readIntent(from));
  return {
    id,
    at,
    instrument,
    side: (bits & 1) !== 0 ? 'buy' : 'sell',
    type,
    role,
    quantity,
    limitPrice,
    stopPrice,
    reduceOnly: (bits & 2) !== 0,
    wholePosition: (bits & 4) !== 0,
    shares,
    attached,
  };
}

export function writeShares(out: ByteWriter, shares: readonly Share[]): void {
  out.count(shares.length);
  for (const share of shares) {
    out.count(share.sleeve);
    out.count(share.leg);
    out.decimal(share.quantity);
  }
}

export function readShares(from: ByteReader): readonly Share[] {
  const shares: Share[] = [];
  for (let left = from.count(); left > 0; left--) shares.push({ sleeve: from.count(), leg: from.count(), quantity: from.decimal() });
  return shares;
}

function writePrice(out: ByteWriter, value: Price | undefined): void {
  out.flag(value !== undefined);
  if (value !== undefined) out.decimal(value);
}

function readPrice(from: ByteReader): Price | undefined {
  return from.flag() ? from.decimal<Price>() : undefined;
}
