// The rows of Bybit V5 that the adapter believes, read once at the wire: exact numbers, known words, times. What is none of that is no row.
import { z } from 'zod';
import { amount, price, quantity } from '../../domain/decimal.ts';

/** More digits than any price or quantity has, and few enough to be exact. */
const decimal = z.string().regex(/^-?\d{1,18}(\.\d{1,12})?$/, 'expected a decimal number');
const isPositive = (text: string): boolean => Number(text) > 0;
const orNothing = z.union([z.literal('').transform(() => '0'), decimal]);
const positivePrice = decimal.refine(isPositive, 'expected a positive price').transform((text) => price(text));
const positiveQuantity = decimal.refine(isPositive, 'expected a positive quantity').transform((text) => quantity(text));
const countedQuantity = orNothing.refine((text) => Number(text) >= 0, 'expected no negative quantity').transform((text) => quantity(text));
/** `''` and `'0'` are none. */
const optionalPrice = orNothing.default('0').transform((text) => (Number(text) > 0 ? price(text) : undefined));
/** Estimates, not owed: prices and quantities of the market. */
export const counted = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,18})?$/)
  .transform(Number);
export const positive = counted.refine((value) => value > 0, 'expected a positive number');
const time = z.union([z.string().regex(/^\d{1,15}$/, 'expected milliseconds'), z.int().nonnegative()]).transform(Number);

export const ORDER_STATUSES = [
  'Created',
  'New',
  'Active',
  'PartiallyFilled',
  'Untriggered',
  'Triggered',
  'Filled',
  'Cancelled',
  'PartiallyFilledCanceled',
  'Deactivated',
  'Rejected',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const orderRowSchema = z.object({
  symbol: z.string().min(1),
  orderId: z.string().min(1),
  orderLinkId: z.string().default(''),
  side: z.enum(['Buy', 'Sell']),
  orderStatus: z.enum(ORDER_STATUSES),
  price: optionalPrice,
  qty: countedQuantity,
  cumExecQty: countedQuantity.default(quantity('0')),
  triggerPrice: optionalPrice,
  stopOrderType: z.string().default(''),
  cancelType: z.string().default('UNKNOWN'),
  rejectReason: z.string().default('EC_NoError'),
  updatedTime: time,
});
export type OrderRow = z.output<typeof orderRowSchema>;

/** What a row of executions can be. The others move no money of a position here, and are told to a person. */
export const executionRowSchema = z.discriminatedUnion('execType', [
  z.object({
    execType: z.enum(['Trade', 'BustTrade', 'AdlTrade']),
    symbol: z.string().min(1),
    orderId: z.string().min(1),
    orderLinkId: z.string().default(''),
    side: z.enum(['Buy', 'Sell']),
    stopOrderType: z.string().default(''),
    execId: z.string().min(1),
    execPrice: positivePrice,
    execQty: positiveQuantity,
    execFee: orNothing.transform((text) => amount(text)),
    feeCurrency: z.string().default(''),
    isMaker: z.boolean(),
    execTime: time,
  }),
  z.object({
    execType: z.literal('Funding'),
    symbol: z.string().min(1),
    execId: z.string().min(1),
    execFee: decimal.transform((text) => amount(text)),
    feeRate: z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
    execTime: time,
  }),
]);
export type ExecutionRow = z.output<typeof executionRowSchema>;
export type TradeRow = Exclude<ExecutionRow, { execType: 'Funding' }>;

export const positionRowSchema = z.object({
  symbol: z.string().min(1),
  positionIdx: z.int(),
  side: z.enum(['Buy', 'Sell', '', 'None']),
  size: countedQuantity,
  avgPrice: optionalPrice,
  markPrice: optionalPrice,
  /** What it has cost, at its average price. */
  positionValue: orNothing.default('0').transform((text) => amount(text)),
  updatedTime: time.default(0),
});
export type PositionRow = z.output<typeof positionRowSchema>;

const stepText = orNothing.default('0');
export const instrumentRowSchema = z.object({
  symbol: z.string().min(1),
  status: z.string(),
  priceFilter: z.object({ tickSize: positivePrice }),
  lotSizeFilter: z.object({
    qtyStep: decimal.optional(),
    basePrecision: decimal.optional(),
    quotePrecision: decimal.optional(),
    minOrderQty: stepText,
    maxOrderQty: stepText,
    maxMktOrderQty: stepText,
    minNotionalValue: stepText,
    minOrderAmt: stepText,
  }),
});
export type InstrumentRow = z.output<typeof instrumentRowSchema>;

export const walletRowSchema = z.object({
  coin: z.array(
    z.object({
      coin: z.string(),
      walletBalance: orNothing.transform((text) => quantity(text)),
      locked: orNothing.default('0').transform((text) => quantity(text)),
    }),
  ),
});

/** Rows as they came, to be read one by one: a row that is none must not hide the others. */
export const listSchema = z.object({ list: z.array(z.unknown()), nextPageCursor: z.string().default('') });
export const idsSchema = z.object({ orderId: z.string().min(1) });

export const frameSchema = z.looseObject({
  topic: z.string().optional(),
  op: z.string().optional(),
  success: z.boolean().optional(),
  ret_msg: z.string().optional(),
  req_id: z.string().optional(),
  /** Of the socket for orders, which has words of its own. */
  reqId: z.string().optional(),
  retCode: z.int().optional(),
  retMsg: z.string().optional(),
  retExtInfo: z.unknown().optional(),
  header: z.unknown().optional(),
  data: z.unknown().optional(),
  type: z.string().optional(),
  ts: z.int().optional(),
});

/** What is wrong with it, for a person: the first field that is not as it must be, and no values. */
export function wrongWith(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'malformed'}`.trim();
}
