// Orders over Bybit's socket for them: the same requests as over REST, one hop shorter, answered by number. It carries what it can while it is
// open and logged in; whoever asks takes the other way meanwhile. What was sent and not answered when it is lost, nobody knows.
import { z } from 'zod';
import type { Timers } from '../../domain/ports.ts';
import type { Random } from '../../quant/random.ts';
import { judgeCode, type Judged, type Reply } from './bybit-codes.ts';
import { Stream, type Frame } from './stream.ts';
import { bodyOf, type VenueRequest, type VenueWire } from './venue-wire.ts';

export interface OrderSocketParts {
  readonly wire: VenueWire;
  readonly timers: Timers;
  /** Of pauses. */
  readonly random: Random;
  /** The venue takes no request that is older than this when it arrives, by its clock. */
  readonly recvWindowMs: number;
  readonly pingMs: number;
  readonly redact: (words: string) => string;
  /** For a person. */
  readonly onNotice: (words: string) => void;
}

/** What Bybit calls on the socket what has this path over REST. */
const OPERATIONS: Readonly<Record<string, string>> = {
  '/v5/order/create': 'order.create',
  '/v5/order/amend': 'order.amend',
  '/v5/order/cancel': 'order.cancel',
  '/v5/order/create-batch': 'order.create-batch',
  '/v5/order/cancel-batch': 'order.cancel-batch',
};
/** Of a connection and not of the key: too many of them, or not logged in any more. And a service that is about to restart. */
const OF_CONNECTION: readonly number[] = [10003, 10004, 10019];

const headersSchema = z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).catch({});

interface Pending {
  readonly settle: (reply: Reply) => void;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
}

export class OrderSocket {
  readonly #parts: OrderSocketParts;
  readonly #stream: Stream;
  /** By number of the request. */
  readonly #pending = new Map<string, Pending>();
  /** Numbers of two processes differ. */
  readonly #prefix: string;
  #asked = 0;
  /** Once for as long as it is away. */
  #isToldLost = false;

  constructor(parts: OrderSocketParts) {
    const { wire, timers, random, pingMs, redact, onNotice } = parts;
    this.#parts = parts;
    this.#prefix = `${Math.floor(wire.wallNow()).toString(36)}-`;
    this.#stream = new Stream({
      name: 'the socket for orders of bybit',
      dial: wire.dialTrade,
      timers,
      random,
      topics: [],
      login: () => wire.login(),
      pingMs,
      staleMs: () => Infinity,
      onFrame: () => undefined,
      onReply: (frame) => this.#onReply(frame),
      onActive: () => {
        this.#isToldLost = false;
      },
      onLost: (why) => {
        if (!this.#isToldLost) onNotice(`the socket for orders is lost: ${why}; orders go over REST until it is back`);
        this.#isToldLost = true;
        this.#giveUp(`the socket was lost: ${why}`);
      },
      onRefused: (words) => {
        onNotice(redact(words));
        // It may have been the answer to any of them.
        if (this.#pending.size > 0) this.#stream.redial('it said what is no answer');
      },
    });
  }

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
    this.#giveUp('given up: the session is over');
  }

  /** Whether a request takes this way now. */
  carries(path: string): boolean {
    return this.#stream.state === 'active' && OPERATIONS[path] !== undefined;
  }

  /** Sent before this returns. Rejects when the signal aborts first: a socket that has swallowed an order is dialled again. */
  ask({ path, ...said }: VenueRequest, signal: AbortSignal): Promise<Reply> {
    const { wire, recvWindowMs } = this.#parts;
    const reqId = `${this.#prefix}${++this.#asked}`;
    const header = { 'X-BAPI-TIMESTAMP': String(Math.floor(wire.venueNow())), 'X-BAPI-RECV-WINDOW': String(recvWindowMs) };
    const op = OPERATIONS[path] ?? '';
    const answer = new Promise<Reply>((settle, fail) => {
      const onAbort = (): void => {
        this.#pending.delete(reqId);
        fail(signal.reason as Error);
        this.#stream.redial(`${op} was not answered in time`);
      };
      this.#pending.set(reqId, { settle, signal, onAbort });
      signal.addEventListener('abort', onAbort, { once: true });
    });
    this.#stream.send(JSON.stringify({ reqId, header, op, args: [bodyOf(said)] }));
    said.onGiven?.();
    return answer;
  }

  #onReply({ reqId = '', retCode, retMsg = '', data, retExtInfo, header }: Frame): void {
    const pending = this.#take(reqId);
    if (pending === undefined) return;
    const headers = new Headers(headersSchema.parse(header));
    const venueAt = Number(headers.get('timenow') ?? NaN);
    const judged = this.#judge(retCode, retMsg, data, retExtInfo);
    pending.settle({ judged, venueAt: venueAt > 0 ? venueAt : undefined, headers, isOfAddress: false });
    if (retCode !== undefined && OF_CONNECTION.includes(retCode)) this.#stream.redial(`${retCode} ${this.#parts.redact(retMsg)}`);
  }

  #judge(retCode: number | undefined, retMsg: string, data: unknown, more: unknown): Judged {
    if (retCode === undefined) return { kind: 'unknown', words: 'an answer without a code' };
    const words = this.#parts.redact(retMsg);
    if (OF_CONNECTION.includes(retCode)) return { kind: 'unknown', words: `${retCode} ${words}` };
    return judgeCode(retCode, words, data, more);
  }

  #take(reqId: string): Pending | undefined {
    const pending = this.#pending.get(reqId);
    if (pending === undefined) return undefined;
    this.#pending.delete(reqId);
    pending.signal.removeEventListener('abort', pending.onAbort);
    return pending;
  }

  #giveUp(words: string): void {
    for (const reqId of this.#pending.keys()) {
      this.#take(reqId)?.settle({ judged: { kind: 'unknown', words }, venueAt: undefined, headers: new Headers(), isOfAddress: false });
    }
  }
}
