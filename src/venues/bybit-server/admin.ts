// The venue's own hand: faults, its clock, and what it does to instruments, accounts and sockets. For tests, on loopback.
import { z } from 'zod';
import { amount, price, quantity } from '../../domain/decimal.ts';
import { HOUR_MS } from '../../domain/time.ts';
import type { Account } from './account.ts';
import type { Exchange } from './exchange.ts';
import { faultSchema, type Faults } from './faults.ts';
import type { PublicTopics } from './public-topics.ts';
import { parameterError } from './refusal.ts';
import { read } from './requests.ts';

/** Market seconds a second: that of `--speed`. */
const MOST_SPEED = 3_600;

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text');
const market = { symbol: z.string(), category: z.enum(['linear', 'spot']).default('linear') };
const on = { account: z.string().optional(), ...market };

const actSchema = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('drop-sockets') }),
  z.strictObject({ act: z.literal('restart') }),
  z.strictObject({
    act: z.literal('delist'),
    ...market,
    status: z.enum(['PreLaunch', 'PendingOpen', 'Settling', 'Delivering', 'Closed']).default('Closed'),
  }),
  z.strictObject({ act: z.literal('relist'), ...market }),
  z.strictObject({
    act: z.literal('change-filters'),
    ...market,
    tickSize: decimal.optional(),
    qtyStep: decimal.optional(),
    minOrderQty: decimal.optional(),
    minNotionalValue: decimal.optional(),
  }),
  z.strictObject({ act: z.literal('change-funding-interval'), symbol: z.string(), hours: z.number().int().min(1).max(24) }),
  z.strictObject({ act: z.literal('fund'), ...on, amount: decimal.optional() }),
  z.strictObject({
    act: z.literal('change-position'),
    ...on,
    qty: decimal,
    positionIdx: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(0),
  }),
  z.strictObject({ act: z.literal('fill-again'), account: z.string().optional(), order: z.string(), qty: decimal }),
  z.strictObject({ act: z.literal('liquidate'), ...on }),
  z.strictObject({ act: z.literal('deleverage'), ...on }),
  z.strictObject({ act: z.literal('transfer'), account: z.string().optional(), coin: z.string().default('USDT'), amount: decimal }),
]);

/** What is left out stays as it is. A market that stood still would leave orders that are on their way to it there. */
const clockSchema = z.strictObject({ skewMs: z.number().int(), speed: z.number().positive().max(MOST_SPEED) }).partial();

export interface AdminParts {
  readonly exchange: Exchange;
  readonly faults: Faults;
  /** Of every category. */
  readonly topics: readonly PublicTopics[];
  readonly dropSockets: () => void;
  readonly clock: VenueClock;
}

/** How far the venue's clock is off this machine's, and how many market seconds pass in a second. */
export interface VenueClock {
  skewMs: number;
  speed: number;
}

/** @returns undefined where there is no such path. @throws Refusal where the body is not what it should be */
export function administer({ exchange, faults, topics, dropSockets, clock }: AdminParts, route: string, body: unknown): object | undefined {
  switch (route) {
    case 'GET /admin/faults':
      return { faults: faults.standing };
    case 'DELETE /admin/faults':
      faults.clear();
      return { faults: faults.standing };
    case 'POST /admin/faults':
      faults.add(read(faultSchema, body));
      return { faults: faults.standing };
    case 'POST /admin/clock':
      return Object.assign(clock, read(clockSchema, body));
    case 'POST /admin/acts':
      act({ exchange, topics, dropSockets }, read(actSchema, body));
      return {};
    default:
      return undefined;
  }
}

function act(
  { exchange, topics, dropSockets }: Pick<AdminParts, 'exchange' | 'topics' | 'dropSockets'>,
  asked: z.infer<typeof actSchema>,
): void {
  switch (asked.act) {
    case 'drop-sockets':
      dropSockets();
      return;
    case 'restart':
      for (const account of exchange.accounts) account.restarted();
      for (const each of topics) each.restartBooks();
      return;
    case 'delist':
    case 'relist':
      exchange.changeStatus(exchange.listing(asked.symbol, asked.category), asked.act === 'delist' ? asked.status : 'Trading');
      for (const each of topics) each.restartBooks();
      return;
    case 'change-filters': {
      const { symbol, category, tickSize, qtyStep, minOrderQty, minNotionalValue } = asked;
      exchange.changeInstrument(exchange.listing(symbol, category), {
        ...(tickSize === undefined ? {} : { tick: price(tickSize) }),
        ...(qtyStep === undefined ? {} : { lot: quantity(qtyStep) }),
        ...(minOrderQty === undefined ? {} : { minimumQuantity: quantity(minOrderQty) }),
        ...(minNotionalValue === undefined ? {} : { minimumNotional: amount(minNotionalValue) }),
      });
      for (const each of topics) each.restartBooks();
      return;
    }
    case 'change-funding-interval':
      exchange.changeFundingInterval(exchange.listing(asked.symbol), asked.hours * HOUR_MS);
      return;
    case 'fund': {
      const { account, symbol, amount: paid } = asked;
      accountOf(exchange, account).fundNow(exchange.listing(symbol), paid === undefined ? undefined : amount(paid));
      return;
    }
    case 'change-position': {
      const { account, symbol, category, qty, positionIdx } = asked;
      accountOf(exchange, account).changeByHand(exchange.listing(symbol, category), quantity(qty), positionIdx);
      return;
    }
    case 'fill-again':
      accountOf(exchange, asked.account).fillAgain(asked.order, quantity(asked.qty));
      return;
    case 'liquidate':
      accountOf(exchange, asked.account).closeByForce(exchange.listing(asked.symbol), 'liquidation');
      return;
    case 'deleverage':
      accountOf(exchange, asked.account).closeByForce(exchange.listing(asked.symbol), 'deleveraging');
      return;
    case 'transfer':
      accountOf(exchange, asked.account).transfer(asked.coin, amount(asked.amount));
  }
}

/** By its key or its name; the first unless said. @throws Refusal 10001 */
function accountOf(exchange: Exchange, named: string | undefined): Account {
  const account =
    named === undefined
      ? exchange.accounts[0]
      : exchange.accounts.find(({ settings }) => settings.key === named || settings.name === named);
  if (account === undefined) throw parameterError(`no account ${named ?? ''}`);
  return account;
}
