// One socket's conversation: ping, auth, subscriptions, orders. It knows no network: texts come in, texts go out.
import { z } from 'zod';
import type { Account } from './account.ts';
import type { Answer, PrivateCall } from './calls.ts';
import type { Exchange } from './exchange.ts';
import type { Faults } from './faults.ts';
import { amend, batched, cancel, create } from './order-endpoints.ts';
import type { Allowance, RateClass, RateLimits } from './limits.ts';
import type { PublicTopics } from './public-topics.ts';
import { CODES, Refusal } from './refusal.ts';
import { isSocketSigned, mustBeInTime } from './signature.ts';
import type { PrivateEvent } from './wire.ts';

export type SocketKind = 'public' | 'private' | 'trade';

export interface SessionParts {
  readonly kind: SocketKind;
  readonly id: string;
  readonly exchange: Exchange;
  /** Of the socket's own category; a private one has none. */
  readonly topics: PublicTopics | undefined;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly send: (text: string) => void;
  /** Ends it without a word. */
  readonly drop: () => void;
}

const PRIVATE_TOPIC = /^(order|execution|execution\.fast|position|wallet|greeks|dcp)(\.(linear|inverse|spot|option|future))?$/;
/** Ids of requests that a repeated one is told from. */
const KEPT_REQUESTS = 10_000;
/** How long a message waits for the next one, where it is to come after it. */
const LONGEST_HELD_MS = 1_000;

const messageSchema = z.looseObject({
  op: z.string(),
  req_id: z.union([z.string(), z.number()]).transform(String).optional(),
  reqId: z.union([z.string(), z.number()]).transform(String).optional(),
  args: z.array(z.unknown()).optional(),
  header: z.record(z.string(), z.unknown()).optional(),
});
type Message = z.infer<typeof messageSchema>;

interface Operation {
  readonly rate: RateClass;
  readonly answer: (call: PrivateCall) => Answer;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'order.create': { rate: 'create', answer: (call) => ({ result: create(call) }) },
  'order.amend': { rate: 'amend', answer: (call) => ({ result: amend(call) }) },
  'order.cancel': { rate: 'cancel', answer: (call) => ({ result: cancel(call) }) },
  'order.create-batch': { rate: 'create-batch', answer: batched(create, true) },
  'order.amend-batch': { rate: 'amend-batch', answer: batched(amend, false) },
  'order.cancel-batch': { rate: 'cancel-batch', answer: batched(cancel, false) },
};

export class Session {
  readonly kind: SocketKind;
  readonly id: string;
  readonly #parts: SessionParts;
  account: Account | undefined;
  /** Private topics, as they were asked for. */
  readonly #subscribed = new Set<string>();
  readonly #requestIds = new Set<string>();
  /** A message that another one overtakes. */
  #held: { readonly text: string; readonly until: number } | undefined;
  /** Messages that come late, by the venue's clock. */
  readonly #late: { readonly at: number; readonly text: string }[] = [];

  constructor(parts: SessionParts) {
    this.kind = parts.kind;
    this.id = parts.id;
    this.#parts = parts;
  }

  /** Whether its loss sets off the cancelling of orders on disconnection. */
  get isGuarded(): boolean {
    return [...this.#subscribed].some((topic) => topic.startsWith('dcp'));
  }

  /** What a client says. @param wallNow the venue's clock */
  receive(text: string, wallNow: number): void {
    const message = messageOf(text);
    if (message === undefined) {
      this.#say({ success: false, ret_msg: 'error:invalid json', conn_id: this.id, op: '' });
      return;
    }
    switch (message.op) {
      case 'ping':
        this.#pong(message, wallNow);
        return;
      case 'auth':
        this.#authenticate(message, wallNow);
        return;
      case 'subscribe':
      case 'unsubscribe':
        this.#subscribe(message, wallNow);
        return;
      default:
        this.#other(message, wallNow);
    }
  }

  // ---- the conversation ----------------------------------------------------------------------------------------------

  #pong({ req_id: request }: Message, wallNow: number): void {
    if (this.#parts.faults.strikes(['no-pong'], this.kind) !== undefined) return;
    const named = request === undefined ? {} : { req_id: request };
    switch (this.kind) {
      case 'public':
        this.#say({ success: true, ret_msg: 'pong', conn_id: this.id, ...named, op: 'ping' });
        return;
      case 'private':
        this.#say({ ...named, op: 'pong', args: [String(wallNow)], conn_id: this.id });
        return;
      case 'trade':
        this.#say({ retCode: 0, retMsg: 'OK', op: 'pong', data: [String(wallNow)], connId: this.id });
    }
  }

  #authenticate({ args, req_id: request }: Message, wallNow: number): void {
    const [key, expires, sign] = (args ?? []).map((each) => (typeof each === 'string' || typeof each === 'number' ? String(each) : ''));
    const account = this.#parts.exchange.account(key ?? '');
    const isSigned = account !== undefined && isSocketSigned(account.settings.secret, expires ?? '', sign ?? '');
    const isInTime = Number(expires) > wallNow;
    if (isSigned && isInTime && this.kind !== 'public') {
      // Again is tolerated: one client asks twice.
      this.account = account;
      this.#authenticated(request, 0, 'OK');
    } else if (!isSigned) this.#authenticated(request, account === undefined ? CODES.keyUnknown : CODES.signature, 'error:sign');
    else this.#authenticated(request, CODES.signature, 'Params Error');
  }

  #authenticated(request: string | undefined, retCode: number, words: string): void {
    if (this.kind === 'trade') {
      this.#say({ retCode, retMsg: words, op: 'auth', connId: this.id });
      return;
    }
    const named = request === undefined ? {} : { req_id: request };
    // Which request has failed: a client that does not number its requests finds it by this.
    const failed = retCode === 0 ? {} : { request: { op: 'auth', ...named } };
    this.#say({ success: retCode === 0, ret_msg: retCode === 0 ? '' : words, op: 'auth', conn_id: this.id, ...named, ...failed });
  }

  #subscribe({ op, args, req_id: request = '' }: Message, wallNow: number): void {
    const { faults } = this.#parts;
    const names = (args ?? []).filter((each) => typeof each === 'string');
    // Public sockets repeat what was asked of them.
    const done = this.kind === 'public' ? op : '';
    const answer = (why: string): void =>
      this.#say({
        success: why === '',
        ret_msg: why === '' ? done : why,
        conn_id: this.id,
        req_id: request,
        op,
        ...(why === '' ? {} : { request: { op, args: names, req_id: request } }),
      });
    if (op === 'subscribe' && faults.strikes(['silent-subscribe'], names[0] ?? '') !== undefined) return;
    if (this.kind === 'trade') return answer(`error:handler not found,topic:${names.join(',')}`);
    if (this.kind === 'private' && this.account === undefined) return answer('Request not authorized');
    const unknown = names.find((name) => !this.#isTopic(name));
    if (unknown !== undefined) return answer(`error:handler not found,topic:${unknown}`);
    answer('');
    for (const name of names) this.#turn(name, op === 'subscribe', wallNow);
  }

  #isTopic(name: string): boolean {
    return this.#parts.topics?.has(name) ?? PRIVATE_TOPIC.test(name);
  }

  #turn(name: string, isOn: boolean, wallNow: number): void {
    const { topics } = this.#parts;
    if (topics !== undefined) {
      if (isOn) topics.subscribe(name, this, wallNow);
      else topics.unsubscribe(name, this);
    } else if (isOn) this.#subscribed.add(name);
    else this.#subscribed.delete(name);
  }

  #other(message: Message, wallNow: number): void {
    const operation = this.kind === 'trade' ? OPERATIONS[message.op] : undefined;
    if (operation !== undefined) this.#operate(message, operation, wallNow);
    else if (this.kind === 'trade') {
      this.#say({ reqId: message.reqId ?? '', retCode: 10404, retMsg: 'op type is not found', op: message.op, data: {}, connId: this.id });
    } else this.#say({ success: false, ret_msg: 'error:invalid op', conn_id: this.id, op: message.op });
  }

  #operate({ op, reqId = '', args, header = {} }: Message, { rate, answer }: Operation, wallNow: number): void {
    const { exchange, limits, faults } = this.#parts;
    const reply = (retCode: number, words: string, answered?: Answer, allowance?: Allowance): void =>
      this.#say({
        reqId,
        retCode,
        retMsg: words,
        op,
        data: answered?.result ?? {},
        retExtInfo: answered?.retExtInfo ?? {},
        header: allowance === undefined ? {} : { ...limitHeaders(allowance), Traceid: this.id, Timenow: String(wallNow) },
        connId: this.id,
      });
    const { account } = this;
    /** The same request over HTTP. */
    const path = `/v5/${op.replace('.', '/')}`;
    const before = faults.strikes(['lose', 'html', 'empty', 'ret-code'], op, path);
    if (before !== undefined && before.kind !== 'ret-code') {
      if (before.kind !== 'lose') this.#parts.send(before.kind === 'html' ? '<html><body>maintenance</body></html>' : '');
      return;
    }
    if (account === undefined) return reply(CODES.signature, 'Request not authorized');
    if (reqId !== '' && this.#requestIds.has(reqId)) return reply(CODES.duplicateRequest, 'Duplicate reqId');
    this.#remember(reqId);
    const given = args?.[0];
    const allowance = limits.take(account.settings.uid, rate, wallNow, ordersIn(given), isOfSpot(given));
    let answered: Answer;
    try {
      const [timestamp, recvWindow] = [header['X-BAPI-TIMESTAMP'], header['X-BAPI-RECV-WINDOW']].map((each) =>
        typeof each === 'string' || typeof each === 'number' ? String(each) : undefined,
      );
      mustBeInTime(timestamp ?? '', recvWindow, wallNow);
      if (!allowance.isAllowed) throw new Refusal(CODES.tooManyVisits, 'Too many visits!');
      if (before !== undefined) throw new Refusal(before.retCode, before.retMsg);
      answered = answer({ exchange, account, given, wallNow });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply(error.retCode, error.message, undefined, allowance);
      return;
    }
    const after = faults.strikes(['silent-orders', 'accept-silently', 'stall', 'accept-reset'], op, path);
    if (after?.kind === 'accept-reset') this.#parts.drop();
    if (after !== undefined) return;
    reply(0, 'OK', answered, allowance);
  }

  #remember(request: string): void {
    this.#requestIds.add(request);
    if (this.#requestIds.size <= KEPT_REQUESTS) return;
    const [oldest] = this.#requestIds;
    if (oldest !== undefined) this.#requestIds.delete(oldest);
  }

  // ---- what it is told -----------------------------------------------------------------------------------------------

  publish(topic: string, message: object): void {
    if (this.#parts.faults.strikes(['no-data'], topic) !== undefined) return;
    if (this.#parts.faults.strikes(['corrupt-frames'], topic) !== undefined) this.#parts.send(JSON.stringify(message).slice(0, 20));
    else this.#say(message);
  }

  /** What has happened to its account: rows of one topic that follow each other are one message. */
  tell(events: readonly PrivateEvent[], wallNow: number): void {
    for (let from = 0; from < events.length;) {
      const topic = events[from]?.topic ?? 'order';
      let to = from;
      while (events[to]?.topic === topic) to++;
      const said = events.slice(from, to);
      for (const name of this.#subscribed) {
        const rows = said.filter((event) => isOf(name, event)).map(({ row }) => row);
        if (rows.length > 0) this.#tellRows(name, rows, wallNow);
      }
      from = to;
    }
  }

  #tellRows(topic: string, rows: readonly object[], wallNow: number): void {
    const { exchange, faults } = this.#parts;
    if (faults.strikes(['no-data'], topic) !== undefined) return;
    const text = JSON.stringify({ id: exchange.nextId(), topic, creationTime: wallNow, data: rows });
    if (this.#held === undefined && faults.strikes(['reorder-private'], topic) !== undefined) {
      this.#held = { text, until: wallNow + LONGEST_HELD_MS };
      return;
    }
    const late = faults.strikes(['delay-private'], topic);
    if (late !== undefined) {
      this.#late.push({ at: wallNow + late.delayMs, text });
      return;
    }
    this.#parts.send(faults.strikes(['corrupt-frames'], topic) === undefined ? text : text.slice(0, Math.floor(text.length / 2)));
    if (faults.strikes(['duplicate-private'], topic) !== undefined) this.#parts.send(text);
    this.#letGo(Infinity);
  }

  /** A message that nothing follows comes all the same, late. */
  #letGo(wallNow: number): void {
    if (this.#held === undefined || this.#held.until > wallNow) return;
    this.#parts.send(this.#held.text);
    this.#held = undefined;
  }

  /** What was kept back and is due. */
  flush(wallNow: number): void {
    this.#letGo(wallNow);
    for (const { text } of this.#late.filter(({ at }) => at <= wallNow)) this.#parts.send(text);
    this.#late.splice(0, this.#late.length, ...this.#late.filter(({ at }) => at > wallNow));
  }

  #say(message: object): void {
    this.#parts.send(JSON.stringify(message));
  }
}

function messageOf(text: string): Message | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Not JSON: the client is told so.
    return undefined;
  }
  return messageSchema.safeParse(json).data;
}

/** `order.linear` is `order` of that category alone; `execution.fast` is not `execution`. */
function isOf(name: string, { topic, row }: PrivateEvent): boolean {
  return name === topic || ('category' in row && name === `${topic}.${row.category}`);
}

export function limitHeaders({ limit, remaining, resetAt }: Allowance): Record<string, string> {
  return { 'X-Bapi-Limit': String(limit), 'X-Bapi-Limit-Status': String(remaining), 'X-Bapi-Limit-Reset-Timestamp': String(resetAt) };
}

export function isOfSpot(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'category' in given && given.category === 'spot';
}

/** A batch counts as its orders. */
export function ordersIn(given: unknown): number {
  const request = typeof given === 'object' && given !== null && 'request' in given ? given.request : undefined;
  return Array.isArray(request) ? Math.max(1, request.length) : 1;
}
