// What a venue has said and nobody has taken yet, as bytes of its state.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { Amount, Price, Quantity } from '../../domain/decimal.ts';
import type { Fill, OrderReport, VenueReport } from '../../domain/event.ts';

const REPORT_KINDS: readonly OrderReport['kind'][] = [
  'order.accepted',
  'order.rejected',
  'order.cancelled',
  'order.expired',
  'order.filled',
];

const IS_ORDER = 0;
const IS_FUNDING = 1;
const IS_AMENDMENT = 2;
const IS_LIQUIDATION = 3;
const IS_REPRICE = 4;

const IS_MAKER = 1;
const HAS_FEE_COIN = 2;

export function writeReport(out: ByteWriter, report: VenueReport): void {
  out.byte(shapeOf(report));
  out.number(report.at);
  out.number(report.happenedAt);
  out.count(report.instrument);
  if (report.kind === 'funding.paid') {
    out.decimal(report.amount);
    out.number(report.rate);
    return;
  }
  if (report.kind === 'position.liquidated') {
    out.flag(report.side === 'sell');
    writeFill(out, report.fill);
    out.decimal(report.insurance);
    out.decimal(report.deleveraged);
    return;
  }
  out.text(report.order);
  out.text(report.reason);
  if (report.kind === 'order.amended') {
    out.decimal(report.asked);
    out.decimal(report.stopPrice);
    return;
  }
  if (report.kind === 'order.repriced') {
    out.decimal(report.limitPrice);
    return out.decimal(report.quantity);
  }
  out.byte(REPORT_KINDS.indexOf(report.kind));
  out.flag(report.fill !== undefined);
  if (report.fill !== undefined) writeFill(out, report.fill);
}

function shapeOf({ kind }: VenueReport): number {
  if (kind === 'funding.paid') return IS_FUNDING;
  if (kind === 'position.liquidated') return IS_LIQUIDATION;
  if (kind === 'order.repriced') return IS_REPRICE;
  return kind === 'order.amended' ? IS_AMENDMENT : IS_ORDER;
}

function writeFill(out: ByteWriter, fill: Fill): void {
  out.text(fill.id);
  out.decimal(fill.price);
  out.decimal(fill.quantity);
  out.decimal(fill.fee);
  out.byte((fill.liquidity === 'maker' ? IS_MAKER : 0) | (fill.feeCoin === undefined ? 0 : HAS_FEE_COIN));
  if (fill.feeCoin === undefined) return;
  out.text(fill.feeCoin.currency);
  out.decimal(fill.feeCoin.quantity);
}

function readFill(from: ByteReader): Fill {
  const id = from.text();
  const exact = { price: from.decimal<Price>(), quantity: from.decimal<Quantity>(), fee: from.decimal<Amount>() };
  const bits = from.byte();
  const feeCoin = (bits & HAS_FEE_COIN) === 0 ? undefined : { feeCoin: { currency: from.text(), quantity: from.decimal<Quantity>() } };
  return { id, ...exact, liquidity: (bits & IS_MAKER) === 0 ? 'taker' : 'maker', ...feeCoin };
}

export function readReport(from: ByteReader): VenueReport {
  const shape = from.byte();
  const at = from.number();
  const happenedAt = from.number();
  const instrument = from.count();
  if (shape === IS_FUNDING) return { kind: 'funding.paid', at, happenedAt, instrument, amount: from.decimal(), rate: from.number() };
  if (shape === IS_LIQUIDATION) {
    const side = from.flag() ? 'sell' : 'buy';
    return {
      kind: 'position.liquidated',
      at,
      happenedAt,
      instrument,
      side,
      fill: readFill(from),
      insurance: from.decimal(),
      deleveraged: from.decimal(),
    };
  }
  const order = from.text();
  const reason = from.text();
  if (shape === IS_AMENDMENT)
    return { kind: 'order.amended', at, happenedAt, instrument, order, asked: from.decimal(), stopPrice: from.decimal(), reason };
  if (shape === IS_REPRICE) {
    const limitPrice = from.decimal<Price>();
    return { kind: 'order.repriced', at, happenedAt, instrument, order, limitPrice, quantity: from.decimal(), reason };
  }
  const kind = REPORT_KINDS[from.byte()] ?? 'order.rejected';
  const fill = from.flag() ? readFill(from) : undefined;
  return { kind, at, happenedAt, instrument, order, reason, fill };
}
