// What an answer of Bybit V5 to a private request means: done, refused, perhaps done, or nothing at all. Decided by code, never by ccxt's
// class of error: it makes refusals of several codes after which an order may well stand (170005, 20003 and 20006 among them).
import { z } from 'zod';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import type { WholeAnswer } from './venue-wire.ts';

export type Judged =
  /** `more`: beside the result, of a batch what became of each of its rows. */
  | { readonly kind: 'answered'; readonly result: unknown; readonly more?: unknown }
  /** The venue says no, and nothing was done. */
  | { readonly kind: 'refused'; readonly code: number; readonly words: string }
  /** It is as it was asked for already. */
  | { readonly kind: 'unchanged' }
  /** The order is not there, or not any more: what became of it is to be asked. */
  | { readonly kind: 'gone'; readonly words: string }
  /** Our id is in use: the order was taken before. */
  | { readonly kind: 'taken' }
  /** It may have been done, or not. `pauseMs` where the venue wants to be left alone for so long. */
  | { readonly kind: 'unknown'; readonly words: string; readonly pauseMs?: number; readonly isBan?: boolean; readonly isClock?: boolean }
  /** The key is refused: nothing that is asked with it will be done. */
  | { readonly kind: 'unauthorised'; readonly words: string };

const envelope = z.object({
  retCode: z.int(),
  retMsg: z.string(),
  result: z.unknown(),
  retExtInfo: z.unknown().optional(),
  time: z.int().optional(),
});

const UNAUTHORISED: readonly number[] = [10003, 10004, 10005, 10007, 10008, 10010, 10024, 10027, 10028, 10029, 33004];
/** After these an order may stand, and after every code that is in no list here: those of nautechsystems/nautilus_trader, and 10002 beside them. */
const UNKNOWN: readonly number[] = [
  429, 10000, 10002, 10006, 10009, 10014, 10016, 10018, 10019, 10403, 10429, 110030, 170001, 170005, 170007, 170032, 20003, 20006, 500000,
];
/** Too many requests: of this kind, or of this address. */
const TOO_MANY: readonly number[] = [429, 10006, 10018, 10429, 20003];
const BANNED: readonly number[] = [10009, 10018];
const CLOCK = 10002;
const TAKEN: readonly number[] = [110072, 170141];
const GONE: readonly number[] = [110001, 110008, 110010, 170139, 170142, 170143, 170213];
const UNCHANGED: readonly number[] = [34036, 34040, 110025, 110026, 110027, 110043];
/** The instrument is not as we know it. */
export const OUTDATED: readonly number[] = [110066, 110074, 110094, 170136, 170140];

const BAN_MS = 10 * MINUTE_MS;

export interface JudgedAnswer {
  readonly judged: Judged;
  /** The venue's clock when it answered; undefined where it does not say. */
  readonly venueAt: number | undefined;
}

/** The same of an answer that came either way. */
export interface Reply extends JudgedAnswer {
  /** The venue's own counts are among them. */
  readonly headers: Headers;
  /** Where the venue wants to be left alone: by everything of this address, or by this kind of request. */
  readonly isOfAddress: boolean;
}

/** @param redact takes out of words what nobody should read */
export function judge({ status, headers, body }: WholeAnswer, redact: (words: string) => string): JudgedAnswer {
  const safe = redact(body);
  const excerpt = JSON.stringify(safe.length > 120 ? `${safe.slice(0, 117)}...` : safe);
  const unknown = (words: string, more: object = {}): JudgedAnswer => ({ judged: { kind: 'unknown', words, ...more }, venueAt: undefined });
  if (status === 401) return { judged: { kind: 'unauthorised', words: `HTTP 401 ${excerpt}` }, venueAt: undefined };
  const retryAfterMs = Number(headers.get('retry-after') ?? NaN) * SECOND_MS;
  // 403 is the ban of an address that asked too often, and 418 its like elsewhere.
  if (status === 403 || status === 418)
    return unknown(`HTTP ${status} ${excerpt}`, { pauseMs: retryAfterMs >= 0 ? retryAfterMs : BAN_MS, isBan: true });
  if (status === 429) return unknown(`HTTP 429 ${excerpt}`, { pauseMs: retryAfterMs >= 0 ? retryAfterMs : 5 * SECOND_MS });
  if (status !== 200) return unknown(`HTTP ${status} ${excerpt}`);
  const parsed = envelope.safeParse(json(body));
  if (!parsed.success) return unknown(`an answer that is cut or no JSON of Bybit, ${excerpt}`);
  const { retCode: code, retMsg, result, retExtInfo, time: venueAt } = parsed.data;
  return { judged: judgeCode(code, redact(retMsg), result, retExtInfo), venueAt };
}

/** Of a whole answer, of a row of a batch, or of an answer on a socket. */
export function judgeCode(code: number, retMsg: string, result: unknown, more?: unknown): Judged {
  const words = `${code} ${retMsg}`;
  if (code === 0) return { kind: 'answered', result, more };
  if (UNAUTHORISED.includes(code)) return { kind: 'unauthorised', words };
  if (TAKEN.includes(code)) return { kind: 'taken' };
  if (GONE.includes(code)) return { kind: 'gone', words };
  if (UNCHANGED.includes(code)) return { kind: 'unchanged' };
  if (!UNKNOWN.includes(code) && isDefinitive(code)) return { kind: 'refused', code, words };
  const isBan = BANNED.includes(code);
  const pause = TOO_MANY.includes(code) || isBan ? { pauseMs: isBan ? BAN_MS : SECOND_MS } : {};
  return { kind: 'unknown', words, ...pause, ...(isBan ? { isBan } : {}), ...(code === CLOCK ? { isClock: true } : {}) };
}

/** Parameters, and the families of contracts, of spot and of the older refusals. A code of none of these proves nothing. */
function isDefinitive(code: number): boolean {
  return code === 10001 || (code >= 30_000 && code < 40_000) || (code >= 110_000 && code < 120_000) || (code >= 170_000 && code < 180_000);
}

/** Undefined for what is no JSON. */
function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
