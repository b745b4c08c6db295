// What a request is to whoever answers it: REST and the trade socket alike.
import type { z } from 'zod';
import type { Account } from './account.ts';
import type { Exchange } from './exchange.ts';
import { parameterError } from './refusal.ts';
import { read } from './requests.ts';
import type { RateClass } from './limits.ts';
import type { WireCategory } from './wire.ts';

/** One request, its parameters not yet read. */
export interface Call {
  readonly exchange: Exchange;
  /** The query of a GET, the body of a POST, the argument of a socket's request. */
  readonly given: unknown;
  /** The venue's wall clock. */
  readonly wallNow: number;
}

export interface PrivateCall extends Call {
  readonly account: Account;
}

export interface Answer {
  readonly result: object;
  readonly retExtInfo?: object;
}

export type Endpoint =
  | { readonly isPrivate: false; readonly answer: (call: Call) => Answer }
  | { readonly isPrivate: true; readonly rate: RateClass; readonly answer: (call: PrivateCall) => Answer };

export function open(answer: (call: Call) => object): Endpoint {
  return { isPrivate: false, answer: (call) => ({ result: answer(call) }) };
}

export function closed(rate: RateClass, answer: (call: PrivateCall) => object): Endpoint {
  return { isPrivate: true, rate, answer: (call) => ({ result: answer(call) }) };
}

/** A list that is asked for by category: of one that is not served it is empty, because clients ask for all of them. */
export function closedList<Schema extends z.ZodType<{ category: string }>>(
  rate: RateClass,
  schema: Schema,
  answer: (call: PrivateCall, query: z.output<Schema> & { readonly category: WireCategory }) => object,
): Endpoint {
  return closed(rate, (call) => {
    const query = read(schema, call.given);
    const { category } = query;
    return isServed(category) ? { category, ...answer(call, { ...query, category }) } : { category, list: [], nextPageCursor: '' };
  });
}

export function isServed(category: string): category is WireCategory {
  return category === 'linear' || category === 'spot';
}

/** Of a market that is served; linear unless said. @throws Refusal 10001 */
export function served<Schema extends z.ZodType<{ category?: string | undefined }>>(
  schema: Schema,
  given: unknown,
): z.output<Schema> & { readonly category: WireCategory } {
  const parsed = read(schema, given);
  const { category = 'linear' } = parsed;
  if (!isServed(category)) throw parameterError(`category ${category} is not served: this venue lists linear perpetuals and spot`);
  return { ...parsed, category };
}

/** Only of perpetuals. @throws Refusal 10001 */
export function linear<Schema extends z.ZodType<{ category?: string | undefined }>>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = read(schema, given);
  if (parsed.category !== undefined && parsed.category !== 'linear') {
    throw parameterError(`category ${parsed.category} has none of this: it is of linear perpetuals`);
  }
  return parsed;
}
