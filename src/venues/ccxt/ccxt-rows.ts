// What ccxt makes of any venue's rows, read once: exact numbers (ccxt is told to say texts), known words, times. What is none of that is no row.
import { z } from 'zod';
import { amount, price, proportion, quantity, signOf, type Price, type Quantity } from '../../domain/decimal.ts';
import type { OrderRow, OrderStatus } from './bybit-rows.ts';

const decimal = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^-?\d{1,18}(\.\d{1,12}0*)?$/, 'expected a decimal number'));
const counted = decimal.refine((text) => Number(text) >= 0, 'expected no negative quantity').transform((text) => quantity(text));
const positive = decimal.refine((text) => Number(text) > 0, 'expected a positive number');
const optionalPrice = decimal.nullish().transform((text) => (Number(text ?? 0) > 0 ? price(text ?? '0') : undefined));
const time = z.int().nonnegative();

const orderSchema = z.object({
  id: z.string().min(1),
  clientOrderId: z.string().nullish(),
  symbol: z.string().min(1),
  side: z.enum(['buy', 'sell']),
  status: z.enum(['open', 'closed', 'canceled', 'canceling', 'rejected', 'expired', 'expired_in_match']),
  price: optionalPrice,
  amount: counted.nullish(),
  filled: counted.nullish(),
  triggerPrice: optionalPrice,
  timestamp: time.nullish(),
  lastTradeTimestamp: time.nullish(),
  lastUpdateTimestamp: time.nullish(),
});
/** Of a conditional order that has been triggered, the order that it has become; its own status is of no interest then. */
const becameSchema = z.object({ info: z.object({ actualOrderId: z.union([z.string().min(1), z.int()]).transform(String) }) });

/** An order of ccxt as the rows that `merged` puts together. */
export interface CcxtOrder {
  readonly row: OrderRow;
  /** The order that a conditional one has become; '' where it waits, or was none. */
  readonly becameId: string;
}

const ONE = quantity('1');

/** What a quantity of contracts is in base currency. */
export function inBase(contracts: Quantity, contractSize: Quantity): Quantity {
  return proportion(contracts, contractSize, ONE);
}

export function inContracts(base: Quantity, contractSize: Quantity): Quantity {
  return proportion(base, ONE, contractSize);
}

/** @throws z.ZodError */
export function readOrder(raw: unknown, contractSize: Quantity): CcxtOrder {
  const becameId = becameSchema.safeParse(raw).data?.info.actualOrderId ?? '';
  const read = orderSchema.parse(becameId === '' ? raw : { ...(raw as object), status: 'open' });
  const filled = read.filled ?? quantity('0');
  return {
    becameId,
    row: {
      symbol: read.symbol,
      orderId: read.id,
      orderLinkId: read.clientOrderId ?? '',
      side: read.side === 'buy' ? 'Buy' : 'Sell',
      orderStatus: statusOf(read.status, signOf(filled) > 0),
      price: read.price,
      qty: inBase(read.amount ?? quantity('0'), contractSize),
      cumExecQty: inBase(filled, contractSize),
      triggerPrice: read.triggerPrice,
      stopOrderType: '',
      cancelType: 'UNKNOWN',
      rejectReason: read.status.startsWith('expired') ? 'expired' : 'EC_NoError',
      updatedTime: Math.max(read.lastUpdateTimestamp ?? 0, read.lastTradeTimestamp ?? 0, read.timestamp ?? 0),
    },
  };
}

function statusOf(status: z.output<typeof orderSchema>['status'], hasFilled: boolean): OrderStatus {
  switch (status) {
    case 'open':
    case 'canceling':
      return hasFilled ? 'PartiallyFilled' : 'New';
    case 'closed':
      return 'Filled';
    case 'rejected':
      return 'Rejected';
    case 'canceled':
    case 'expired':
    case 'expired_in_match':
      return 'Cancelled';
  }
}

const tradeSchema = z.object({
  id: z.string().min(1),
  order: z.string().nullish(),
  symbol: z.string().min(1),
  side: z.enum(['buy', 'sell']),
  price: positive.transform((text) => price(text)),
  amount: positive.transform((text) => quantity(text)),
  takerOrMaker: z.enum(['taker', 'maker']).nullish(),
  timestamp: time,
  fee: z.object({ cost: decimal.nullish(), currency: z.string().nullish() }).nullish(),
});

export interface CcxtTrade {
  /** Unique over symbols: most venues number their trades by symbol. */
  readonly id: string;
  readonly orderId: string;
  readonly side: 'buy' | 'sell';
  readonly price: Price;
  readonly quantity: Quantity;
  readonly isMaker: boolean;
  readonly at: number;
  /** Undefined where the venue does not say. */
  readonly fee: { readonly cost: ReturnType<typeof amount>; readonly currency: string } | undefined;
}

/** @throws z.ZodError */
export function readTrade(raw: unknown, contractSize: Quantity): CcxtTrade {
  const { id, order, symbol, side, price: at, amount: size, takerOrMaker, timestamp, fee } = tradeSchema.parse(raw);
  const { cost, currency } = fee ?? {};
  return {
    id: `${symbol}:${id}`,
    orderId: order ?? '',
    side,
    price: at,
    quantity: inBase(size, contractSize),
    isMaker: takerOrMaker === 'maker',
    at: timestamp,
    fee: cost === undefined || cost === null || currency === undefined || currency === null ? undefined : { cost: amount(cost), currency },
  };
}

const positionSchema = z.object({
  symbol: z.string().min(1),
  side: z.enum(['long', 'short']).nullish(),
  contracts: counted.nullish(),
});

/** Signed, in base currency. @throws z.ZodError */
export function readPosition(raw: unknown, contractSize: Quantity): { readonly symbol: string; readonly held: Quantity } {
  const { symbol, side, contracts } = positionSchema.parse(raw);
  const size = inBase(contracts ?? quantity('0'), contractSize);
  return { symbol, held: side === 'short' ? proportion(size, quantity('-1'), ONE) : size };
}

const balanceSchema = z.object({ total: z.record(z.string(), decimal.nullish()) });

/** By coin. @throws z.ZodError */
export function readBalances(raw: unknown): ReadonlyMap<string, Quantity> {
  const { total } = balanceSchema.parse(raw);
  return new Map(Object.entries(total).map(([coin, text]) => [coin, quantity(text ?? '0')]));
}
