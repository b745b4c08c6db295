// What the public answers of Bybit (V5) and Binance (spot, USDT-margined futures) mean. ccxt reads half an answer as an empty one, and several
// passing troubles as refusals, so every answer is judged here before ccxt sees it: by its code, never by ccxt's class of error.
import { z } from 'zod';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import type { ClientId } from './client.ts';
import type { Allowance } from './rate-limiter.ts';
import type { WholeAnswer } from './venue-wire.ts';

export type Verdict =
  | { readonly kind: 'answered' }
  /** Trouble that passes. */
  | { readonly kind: 'failed'; readonly found: string }
  /** Too many requests, as the venue sees it: none for so long. */
  | { readonly kind: 'limited'; readonly found: string; readonly pauseMs: number }
  /** Asking again would change nothing. */
  | { readonly kind: 'refused'; readonly found: string };

/** What a request counts, and against which allowance. */
export interface Charge {
  readonly allowance: string;
  readonly weight: number;
}

export interface Wire {
  readonly id: ClientId;
  readonly pageBars: number;
  readonly allowances: Readonly<Record<string, Allowance>>;
  charge(url: URL): Charge;
  /** What the venue counted already in the window, where it says so. */
  usedWeight(headers: Headers): number | undefined;
  judge(url: URL, answer: WholeAnswer): Verdict;
}

const ANSWERED: Verdict = { kind: 'answered' };

/** Bybit bans an address for ten minutes at least. */
const BAN_MS = 10 * MINUTE_MS;

const row = z.array(z.union([z.string(), z.number()]));

// ---- Bybit

const bybitEnvelope = z.object({ retCode: z.int(), retMsg: z.string(), result: z.unknown() });
const bybitResults: Readonly<Record<string, z.ZodType>> = {
  '/v5/market/kline': z.object({ list: z.array(row.min(7)) }),
  '/v5/market/instruments-info': z.object({ list: z.array(z.object({ symbol: z.string() })) }),
  '/v5/market/time': z.object({ timeSecond: z.string() }),
};
/** Limits: of a user, of an address, of the whole system. */
const BYBIT_LIMITED: readonly number[] = [10006, 10018, 10429];
/** The server's own trouble, and a clock that it does not agree with. */
const BYBIT_FAILED: readonly number[] = [10000, 10002, 10016, 10019, 500000];

export const bybit: Wire = {
  id: 'bybit',
  pageBars: 1_000,
  allowances: { address: { weight: 600, windowMs: 5 * SECOND_MS } },
  charge: () => ({ allowance: 'address', weight: 1 }),
  // Market data has no limit of its own, so nothing is counted.
  usedWeight: () => undefined,
  judge(url, answer) {
    const { status, body } = answer;
    // 403 is the ban of an address that asked too often, or of a country.
    if (status === 403 && /country|region|territor/i.test(body)) return { kind: 'refused', found: `HTTP 403 ${excerpt(body)}` };
    if (status === 403) return { kind: 'limited', found: `HTTP 403 ${excerpt(body)}`, pauseMs: BAN_MS };
    const verdict = judgeStatus(answer);
    if (verdict !== undefined) return verdict;
    const envelope = bybitEnvelope.safeParse(parsed(body));
    if (!envelope.success) return { kind: 'failed', found: `an answer that is cut or no JSON of Bybit, ${excerpt(body)}` };
    const { retCode, retMsg, result } = envelope.data;
    const found = `retCode ${retCode} ${excerpt(retMsg)}`;
    if (BYBIT_LIMITED.includes(retCode)) return { kind: 'limited', found, pauseMs: 5 * SECOND_MS };
    if (BYBIT_FAILED.includes(retCode)) return { kind: 'failed', found };
    if (retCode !== 0) return { kind: 'refused', found };
    return judgeShape(bybitResults[pathOf(url, '/v5/')], result, body);
  },
};

// ---- Binance

const binanceFault = z.object({ code: z.int(), msg: z.string() });
const binanceAnswers: Readonly<Record<string, z.ZodType>> = {
  klines: z.array(row.min(11)),
  exchangeInfo: z.object({ symbols: z.array(z.object({ symbol: z.string() })) }),
  time: z.object({ serverTime: z.int() }),
};
/** Unknown, disconnected, unexpected answer, timeout, overloaded: the venue's own troubles. */
const BINANCE_FAILED: readonly number[] = [-1000, -1001, -1006, -1007, -1008, -1016, -1021];
const BINANCE_LIMITED: readonly number[] = [-1003, -1015];

export const binance: Wire = {
  id: 'binance',
  pageBars: 1_000,
  allowances: {
    spot: { weight: 6_000, windowMs: MINUTE_MS },
    futures: { weight: 2_400, windowMs: MINUTE_MS },
  },
  charge(url) {
    const allowance = url.pathname.includes('/fapi/') ? 'futures' : 'spot';
    const endpoint = endpointOf(url);
    if (allowance === 'spot') return { allowance, weight: { klines: 2, exchangeInfo: 20 }[endpoint] ?? 1 };
    if (endpoint !== 'klines') return { allowance, weight: 1 };
    const limit = Number(url.searchParams.get('limit') ?? 500);
    if (limit < 100) return { allowance, weight: 1 };
    if (limit < 500) return { allowance, weight: 2 };
    return { allowance, weight: limit <= 1_000 ? 5 : 10 };
  },
  usedWeight(headers) {
    const used = headers.get('x-mbx-used-weight-1m');
    return used === null ? undefined : Number(used);
  },
  judge(url, answer) {
    const { status, headers, body } = answer;
    if (status === 403 || status === 418)
      return { kind: 'limited', found: `HTTP ${status} ${excerpt(body)}`, pauseMs: retryAfterMs(headers) ?? BAN_MS };
    const json = parsed(body);
    const fault = binanceFault.safeParse(json).data;
    const found = fault === undefined ? '' : `HTTP ${status}, code ${fault.code} ${excerpt(fault.msg)}`;
    if (fault !== undefined && BINANCE_LIMITED.includes(fault.code))
      return { kind: 'limited', found, pauseMs: retryAfterMs(headers) ?? MINUTE_MS };
    if (fault !== undefined && BINANCE_FAILED.includes(fault.code)) return { kind: 'failed', found };
    const verdict = judgeStatus(answer);
    if (verdict !== undefined) return fault === undefined ? verdict : { ...verdict, found };
    return judgeShape(binanceAnswers[endpointOf(url)], json, body);
  },
};

export const wires: Readonly<Record<ClientId, Wire>> = { bybit, binance };

// ---- both

function judgeStatus({ status, headers, body }: WholeAnswer): Verdict | undefined {
  if (status === 200) return undefined;
  const found = `HTTP ${status} ${excerpt(body)}`;
  if (status === 429) return { kind: 'limited', found, pauseMs: retryAfterMs(headers) ?? 5 * SECOND_MS };
  if (status >= 500 || status === 408) return { kind: 'failed', found };
  return { kind: 'refused', found };
}

/** An endpoint that is not known here has no shape to be held to. */
function judgeShape(shape: z.ZodType | undefined, json: unknown, body: string): Verdict {
  if (json !== undefined && (shape === undefined || shape.safeParse(json).success)) return ANSWERED;
  return { kind: 'failed', found: `an answer that is cut or of another shape, ${excerpt(body)}` };
}

/** Undefined for what is no JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `Retry-After` in seconds; venues do not use its other form. */
function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? NaN);
  return seconds >= 0 ? seconds * SECOND_MS : undefined;
}

/** A proxy may have put something before it. */
function pathOf(url: URL, beginning: string): string {
  return url.pathname.slice(Math.max(0, url.pathname.indexOf(beginning)));
}

function endpointOf(url: URL): string {
  return url.pathname.split('/').at(-1) ?? '';
}

/** In quotes, so that nothing of it can move a cursor. */
function excerpt(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text);
}
