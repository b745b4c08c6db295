// The venue's own hand: faults, its clock, and what it does to instruments, accounts and sockets. For tests, on loopback.
import { z } from 'zod';
import { amount, amountFrom, negate, price, quantity, toNumber } from '../../domain/decimal.ts';
import { HOUR_MS } from '../../domain/time.ts';
import type { Account } from './account.ts';
import type { Exchange } from './exchange.ts';
import { faultSchema, type Faults } from './faults.ts';
import type { PublicTopics } from './public-topics.ts';
import { parameterError } from './refusal.ts';
import { read } from './requests.ts';

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number as text');
const on = { account: z.string().optional(), symbol: z.string() };

const actSchema = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('drop-sockets') }),
  z.strictObject({ act: z.literal('restart') }),
  z.strictObject({ act: z.literal('delist'), symbol: z.string() }),
  z.strictObject({ act: z.literal('relist'), symbol: z.string() }),
  z.strictObject({
    act: z.literal('change-filters'),
    symbol: z.string(),
    tickSize: decimal.optional(),
    qtyStep: decimal.optional(),
    minOrderQty: decimal.optional(),
    minNotionalValue: decimal.optional(),
  }),
  z.strictObject({ act: z.literal('change-funding-interval'), symbol: z.string(), hours: z.number().int().min(1).max(24) }),
  z.strictObject({ act: z.literal('fund'), ...on, amount: decimal.optional() }),
  z.strictObject({ act: z.literal('change-position'), ...on, qty: decimal }),
  z.strictObject({ act: z.literal('liquidate'), ...on }),
  z.strictObject({ act: z.literal('deleverage'), ...on }),
  z.strictObject({ act: z.literal('transfer'), account: z.string().optional(), amount: decimal }),
]);

export interface AdminParts {
  readonly exchange: Exchange;
  readonly faults: Faults;
  readonly topics: PublicTopics;
  readonly dropSockets: () => void;
  readonly clock: { skewMs: number };
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
      clock.skewMs = read(z.strictObject({ skewMs: z.number().int() }), body).skewMs;
      return { skewMs: clock.skewMs };
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
      topics.restartBooks();
      return;
    case 'delist':
    case 'relist':
      exchange.changeStatus(exchange.listing(asked.symbol), asked.act === 'delist' ? 'Closed' : 'Trading');
      topics.restartBooks();
      return;
    case 'change-filters': {
      const { symbol, tickSize, qtyStep, minOrderQty, minNotionalValue } = asked;
      exchange.changeInstrument(exchange.listing(symbol), {
        ...(tickSize === undefined ? {} : { tick: price(tickSize) }),
        ...(qtyStep === undefined ? {} : { lot: quantity(qtyStep) }),
        ...(minOrderQty === undefined ? {} : { minimumQuantity: quantity(minOrderQty) }),
        ...(minNotionalValue === undefined ? {} : { minimumNotional: amount(minNotionalValue) }),
      });
      topics.restartBooks();
      return;
    }
    case 'change-funding-interval':
      exchange.changeFundingInterval(exchange.listing(asked.symbol), asked.hours * HOUR_MS);
      return;
    case 'fund': {
      const account = accountOf(exchange, asked.account);
      const listing = exchange.listing(asked.symbol);
      const held = toNumber(account.positions[listing.index]?.quantity ?? quantity('0'));
      // Longs pay a positive rate.
      account.pay(
        asked.amount === undefined ? negate(amountFrom(held * listing.mark * listing.fundingRate)) : amount(asked.amount),
        listing,
      );
      return;
    }
    case 'change-position':
      accountOf(exchange, asked.account).changeByHand(asked.symbol, quantity(asked.qty));
      return;
    case 'liquidate':
      accountOf(exchange, asked.account).closeByForce(asked.symbol, 'liquidation');
      return;
    case 'deleverage':
      accountOf(exchange, asked.account).closeByForce(asked.symbol, 'deleveraging');
      return;
    case 'transfer':
      accountOf(exchange, asked.account).pay(amount(asked.amount), undefined);
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
