// An order intent as canonical bytes: the same in the journal, in snapshots and in a venue's own state.
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { Amount, Price } from './decimal.ts';
import type { OrderIntent, OrderRole, OrderType, Share } from './order.ts';

const TYPES: readonly OrderType[] = ['market', 'limit', 'post-only', 'stop', 'take-profit', 'trailing'];
const ROLES: readonly OrderRole[] = ['target', 'stop', 'disaster'];

const IS_BUY = 1;
const IS_REDUCE_ONLY = 2;
const IS_WHOLE_POSITION = 4;
const IS_IOC = 8;
const IS_FOK = 16;
const HAS_TRAIL = 32;
const HAS_PAIR = 64;
const HAS_BUDGET = 128;
/** In the byte of the role. */
const ROLE_BITS = 15;
const OF_LONG = 16;
const OF_SHORT = 32;

export function writeIntent(out: ByteWriter, intent: OrderIntent): void {
  out.text(intent.id);
  out.number(intent.at);
  out.count(intent.instrument);
  const { trailBy, timeInForce, pairedWith, budget, positionSide } = intent;
  out.byte(
    (intent.side === 'buy' ? IS_BUY : 0) |
      (intent.reduceOnly ? IS_REDUCE_ONLY : 0) |
      (intent.wholePosition ? IS_WHOLE_POSITION : 0) |
      (timeInForce === 'ioc' ? IS_IOC : 0) |
      (timeInForce === 'fok' ? IS_FOK : 0) |
      (trailBy === undefined ? 0 : HAS_TRAIL) |
      (pairedWith === undefined ? 0 : HAS_PAIR) |
      (budget === undefined ? 0 : HAS_BUDGET),
  );
  out.byte(TYPES.indexOf(intent.type));
  out.byte(ROLES.indexOf(intent.role) | (positionSide === undefined ? 0 : positionSide === 'long' ? OF_LONG : OF_SHORT));
  out.decimal(intent.quantity);
  writePrice(out, intent.limitPrice);
  writePrice(out, intent.stopPrice);
  if (trailBy !== undefined) out.decimal(trailBy);
  if (pairedWith !== undefined) out.text(pairedWith);
  if (budget !== undefined) out.decimal(budget);
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
  const roleBits = from.byte();
  const role = ROLES[roleBits & ROLE_BITS] ?? 'target';
  const quantity = from.decimal<OrderIntent['quantity']>();
  const limitPrice = readPrice(from);
  const stopPrice = readPrice(from);
  // An absent field is absent, not undefined: what is read equals what was written.
  const trail = (bits & HAS_TRAIL) === 0 ? undefined : { trailBy: from.decimal<Price>() };
  const pair = (bits & HAS_PAIR) === 0 ? undefined : { pairedWith: from.text() };
  const money = (bits & HAS_BUDGET) === 0 ? undefined : { budget: from.decimal<Amount>() };
  const force = (bits & (IS_IOC | IS_FOK)) === 0 ? undefined : { timeInForce: (bits & IS_IOC) === 0 ? ('fok' as const) : ('ioc' as const) };
  const sideBits = roleBits & (OF_LONG | OF_SHORT);
  const ofPosition = sideBits === 0 ? undefined : { positionSide: sideBits === OF_LONG ? ('long' as const) : ('short' as const) };
  const shares = readShares(from);
  const attached: OrderIntent[] = [];
  for (let left = from.count(); left > 0; left--) attached.push(readIntent(from));
  return {
    id,
    at,
    instrument,
    side: (bits & IS_BUY) !== 0 ? 'buy' : 'sell',
    type,
    role,
    quantity,
    limitPrice,
    stopPrice,
    ...trail,
    ...pair,
    ...money,
    ...force,
    ...ofPosition,
    reduceOnly: (bits & IS_REDUCE_ONLY) !== 0,
    wholePosition: (bits & IS_WHOLE_POSITION) !== 0,
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
