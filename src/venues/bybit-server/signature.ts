// Who a request is from: Bybit's HMAC over what was sent, byte for byte, and the window of its timestamp.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { SECOND_MS } from '../../domain/time.ts';
import { CODES, Refusal } from './refusal.ts';

export const DEFAULT_WINDOW_MS = 5_000;

export interface SignedRequest {
  readonly key: string;
  readonly timestamp: string;
  readonly recvWindow: string | undefined;
  readonly sign: string;
  /** The raw query after the `?`, or the raw body. */
  readonly payload: string;
}

export function signed(secret: string, payload: string): string {
  return createHmac('sha256', secret).update(payload).digest('hex');
}

function isSame(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** @throws Refusal 10003, 10002, 10004 */
export function mustBeSigned({ key, timestamp, recvWindow, sign, payload }: SignedRequest, secret: string | undefined, now: number): void {
  if (secret === undefined) throw new Refusal(CODES.keyUnknown, 'API key is invalid.');
  mustBeInTime(timestamp, recvWindow, now);
  if (!isSame(signed(secret, timestamp + key + (recvWindow ?? '') + payload), sign.toLowerCase())) {
    throw new Refusal(CODES.signature, `error sign! origin_string[${timestamp}${key}${recvWindow ?? ''}${payload}]`);
  }
}

/** `now - window <= timestamp < now + 1000`. @throws Refusal 10002 */
export function mustBeInTime(timestamp: string, recvWindow: string | undefined, now: number): void {
  const at = Number(timestamp);
  const windowMs = Number(recvWindow ?? DEFAULT_WINDOW_MS);
  if (timestamp !== '' && at >= now - windowMs && at < now + SECOND_MS) return;
  throw new Refusal(
    CODES.timestamp,
    `invalid request, please check your server timestamp or recv_window param. req_timestamp[${timestamp}],server_timestamp[${now}],recv_window[${windowMs}]`,
  );
}

/** Of a socket: `GET/realtime` and when it expires. */
export function isSocketSigned(secret: string, expires: string, sign: string): boolean {
  return isSame(signed(secret, `GET/realtime${expires}`), sign.toLowerCase());
}
