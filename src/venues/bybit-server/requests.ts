// What a client may send, read once: every parameter that is served, as zod schemas. Numbers come as texts or as JSON numbers.
import { z } from 'zod';
import { parameterError } from './refusal.ts';
import type { WirePositionIdx } from './wire.ts';

const text = z.union([z.string(), z.number(), z.bigint()]).transform(String);
/** A decimal; an empty text is one that was left out. */
const decimal = text.refine((value) => value === '' || /^-?\d+(\.\d+)?$/.test(value), 'not a decimal number');
const whole = text.pipe(z.string().regex(/^\d+$/, 'not a whole number')).transform(Number);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')]);
const triggerBy = z.enum(['LastPrice', 'IndexPrice', 'MarkPrice']);
/** An enumeration that may be sent empty. */
const orEmpty = <Schema extends z.ZodType>(schema: Schema) => z.union([z.literal('').transform(() => undefined), schema]).optional();
const category = z.enum(['linear', 'spot', 'inverse', 'option']);
const symbol = z.string().min(1);
const linkId = z.string().max(36, 'orderLinkId is longer than 36 characters');
const positionIdx = text
  .pipe(z.enum(['0', '1', '2'], 'position idx not match position mode'))
  .transform((value): WirePositionIdx => (value === '0' ? 0 : value === '1' ? 1 : 2))
  .optional();
const smpType = orEmpty(z.enum(['None', 'CancelMaker', 'CancelTaker', 'CancelBoth']));
const orderFilter = orEmpty(z.enum(['Order', 'StopOrder', 'tpslOrder']));

const brackets = {
  takeProfit: decimal.optional(),
  stopLoss: decimal.optional(),
  tpTriggerBy: orEmpty(triggerBy),
  slTriggerBy: orEmpty(triggerBy),
  tpslMode: orEmpty(z.enum(['Full', 'Partial'])),
  tpLimitPrice: decimal.optional(),
  slLimitPrice: decimal.optional(),
  tpOrderType: orEmpty(z.enum(['Market', 'Limit'])),
  slOrderType: orEmpty(z.enum(['Market', 'Limit'])),
};

export const createSchema = z.object({
  category,
  symbol,
  side: z.enum(['Buy', 'Sell'], 'side invalid'),
  orderType: z.enum(['Market', 'Limit']),
  qty: decimal,
  price: decimal.optional(),
  timeInForce: orEmpty(z.enum(['GTC', 'IOC', 'FOK', 'PostOnly'])),
  orderLinkId: linkId.optional(),
  reduceOnly: flag.optional(),
  closeOnTrigger: flag.optional(),
  triggerPrice: decimal.optional(),
  triggerDirection: z.union([z.literal(1), z.literal(2), z.enum(['1', '2']).transform(Number)]).optional(),
  triggerBy: orEmpty(triggerBy),
  positionIdx,
  smpType,
  /** Of a market order: how far from the last price it may fill, in ticks or in per cent. */
  slippageToleranceType: orEmpty(z.enum(['TickSize', 'Percent'])),
  slippageTolerance: decimal.optional(),
  /** Of a market order on spot: what `qty` counts. Without it a purchase counts quote currency, and a sale base. */
  marketUnit: orEmpty(z.enum(['baseCoin', 'quoteCoin'])),
  /** On spot: a stop puts nothing aside until it is triggered, a tpslOrder does at once. */
  orderFilter,
  ...brackets,
});
export type CreateRequest = z.infer<typeof createSchema>;

const named = { category, symbol, orderId: z.string().optional(), orderLinkId: z.string().optional() };

export const amendSchema = z.object({
  ...named,
  qty: decimal.optional(),
  price: decimal.optional(),
  triggerPrice: decimal.optional(),
  triggerBy: orEmpty(triggerBy),
  ...brackets,
});
export type AmendRequest = z.infer<typeof amendSchema>;

export const cancelSchema = z.object(named);
export type CancelRequest = z.infer<typeof cancelSchema>;

export const cancelAllSchema = z.object({
  category,
  symbol: z.string().optional(),
  baseCoin: z.string().optional(),
  settleCoin: z.string().optional(),
  orderFilter,
});
export type CancelAllRequest = z.infer<typeof cancelAllSchema>;

/** Bybit takes twenty linear orders in one. */
const MOST_IN_BATCH = 20;
export const batchSchema = z.object({
  category,
  request: z.array(z.record(z.string(), z.unknown())).min(1).max(MOST_IN_BATCH, `more than ${MOST_IN_BATCH} orders in a batch`),
});

export const disconnectSchema = z.object({
  timeWindow: z.union([z.number(), z.string().transform(Number)]).pipe(z.number().int().min(3).max(300)),
  product: z.enum(['DERIVATIVES', 'SPOT']).default('DERIVATIVES'),
});

export const leverageSchema = z.object({ category, symbol, buyLeverage: decimal, sellLeverage: decimal });
export const marginModeSchema = z.object({ setMarginMode: z.enum(['ISOLATED_MARGIN', 'REGULAR_MARGIN', 'PORTFOLIO_MARGIN']) });
export const positionModeSchema = z.object({
  category,
  symbol: z.string().optional(),
  coin: z.string().optional(),
  mode: z.union([z.literal(0), z.literal(3), z.enum(['0', '3']).transform(Number)]),
});

export const tradingStopSchema = z.object({
  category,
  symbol,
  positionIdx,
  trailingStop: decimal.optional(),
  activePrice: decimal.optional(),
  tpSize: decimal.optional(),
  slSize: decimal.optional(),
  ...brackets,
});
export type TradingStopRequest = z.infer<typeof tradingStopSchema>;

const page = { limit: whole.optional(), cursor: z.string().optional() };
const range = { startTime: whole.optional(), endTime: whole.optional() };

export const marketQuery = z.object({
  category,
  symbol: z.string().optional(),
  baseCoin: z.string().optional(),
  status: z.string().optional(),
  ...page,
});
export const symbolQuery = z.object({ category, symbol, limit: whole.optional() });
export const klineQuery = z.object({
  category: category.optional(),
  symbol,
  interval: z.string(),
  start: whole.optional(),
  end: whole.optional(),
  limit: whole.optional(),
});
export const fundingQuery = z.object({ category, symbol, ...range, limit: whole.optional() });
export const interestQuery = z.object({
  category,
  symbol,
  intervalTime: z.enum(['5min', '15min', '30min', '1h', '4h', '1d']),
  ...range,
  ...page,
});
export const riskQuery = z.object({ category, symbol: z.string().optional(), cursor: z.string().optional() });

export const ordersQuery = z.object({
  category,
  symbol: z.string().optional(),
  baseCoin: z.string().optional(),
  settleCoin: z.string().optional(),
  orderId: z.string().optional(),
  orderLinkId: z.string().optional(),
  openOnly: whole.optional(),
  orderStatus: z.string().optional(),
  orderFilter,
  ...range,
  ...page,
});
export type OrdersQuery = z.infer<typeof ordersQuery>;

export const executionsQuery = z.object({
  category,
  symbol: z.string().optional(),
  baseCoin: z.string().optional(),
  orderId: z.string().optional(),
  orderLinkId: z.string().optional(),
  execType: z.string().optional(),
  ...range,
  ...page,
});
export type ExecutionsQuery = z.infer<typeof executionsQuery>;

export const positionsQuery = z.object({
  category,
  symbol: z.string().optional(),
  baseCoin: z.string().optional(),
  settleCoin: z.string().optional(),
  ...page,
});
export const closedPnlQuery = z.object({ category, symbol: z.string().optional(), ...range, ...page });
export const walletQuery = z.object({ accountType: z.string(), coin: z.string().optional() });
export const logQuery = z.object({
  accountType: z.string().optional(),
  category: z.string().optional(),
  currency: z.string().optional(),
  baseCoin: z.string().optional(),
  type: z.string().optional(),
  ...range,
  ...page,
});
export const feeQuery = z.object({ category: category.default('linear'), symbol: z.string().optional(), baseCoin: z.string().optional() });

/** @throws Refusal 10001, with the field and what is wrong with it */
export function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw parameterError(`params error: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'invalid'}`);
}
