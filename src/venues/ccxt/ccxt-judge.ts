// What it means that a call of ccxt has failed, at a venue whose codes nobody here knows one by one: refused, or nobody knows. Only those of
// ccxt's classes are believed that no venue earns by accident; what is in none of them may have been done.
import { SECOND_MS } from '../../domain/time.ts';
import type { Judged } from './bybit-codes.ts';

const UNAUTHORISED = ['AuthenticationError', 'PermissionDenied', 'AccountSuspended', 'AccountNotEnabled'];
const UNKNOWN = ['NetworkError', 'OperationFailed', 'BadResponse', 'NullResponse'];
const REFUSED = [
  'InsufficientFunds',
  'InvalidOrder',
  'BadRequest',
  'ArgumentsRequired',
  'NotSupported',
  'OperationRejected',
  'ContractUnavailable',
  'MarketClosed',
];
/** Binance, and others after it, say so where ccxt makes a refusal of it. */
const SAYS_UNKNOWN = /status unknown/i;
/** Coinbase has more words for a refusal than ccxt knows; the one that says that it does not know is none. */
const SAYS_REFUSED = /"success":\s*false.*"error_response":\s*\{\s*"error":\s*"(?!UNKNOWN)/s;
/** ccxt has a class for it that most venues never reach; -4116 and -20132 are Binance's. */
const SAYS_DUPLICATE = /duplicat|-4116\b|-20132\b/i;

/** The names of an error's class and of all that it extends. */
function classesOf(error: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  for (let proto: unknown = error; proto !== null && proto !== undefined; proto = Object.getPrototypeOf(proto)) {
    const { constructor } = proto as { readonly constructor?: { readonly name?: string } };
    if (constructor?.name !== undefined) names.add(constructor.name);
  }
  return names;
}

/** @param redact takes out of words what nobody should read */
export function judgeFailure(error: unknown, redact: (words: string) => string): Exclude<Judged, { kind: 'answered' | 'unchanged' }> {
  const classes = classesOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const safe = redact(message);
  const words = safe.length > 200 ? `${safe.slice(0, 197)}...` : safe;
  const is = (names: readonly string[]): boolean => names.some((name) => classes.has(name));
  if (is(UNAUTHORISED)) return { kind: 'unauthorised', words };
  if (is(['InvalidNonce'])) return { kind: 'unknown', words, isClock: true };
  if (is(['RateLimitExceeded', 'DDoSProtection'])) return { kind: 'unknown', words, pauseMs: SECOND_MS };
  if (is(UNKNOWN) || SAYS_UNKNOWN.test(message)) return { kind: 'unknown', words };
  if (is(['OrderNotFound'])) return { kind: 'gone', words };
  if (is(['DuplicateOrderId']) || (is(['ExchangeError']) && SAYS_DUPLICATE.test(message))) return { kind: 'taken' };
  if (is(REFUSED) || SAYS_REFUSED.test(message)) return { kind: 'refused', code: 0, words };
  return { kind: 'unknown', words };
}
