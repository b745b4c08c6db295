// The server without its sockets: what each request is answered, and what each stream is told. The clock is handed in.
import type { Account } from './account.ts';
import { accountEndpoints } from './account-endpoints.ts';
import { administer, type VenueClock } from './admin.ts';
import type { Answer, Endpoint } from './calls.ts';
import type { Exchange } from './exchange.ts';
import { Faults, type Fault } from './faults.ts';
import { AddressLimits, RateLimits, type Allowance } from './limits.ts';
import { marketEndpoints } from './market-endpoints.ts';
import { orderEndpoints } from './order-endpoints.ts';
import { PublicTopics } from './public-topics.ts';
import { CODES, parameterError, Refusal } from './refusal.ts';
import { isOfSpot, limitHeaders, ordersIn, Session, type SocketKind } from './session.ts';
import { mustBeSigned } from './signature.ts';
import type { WireCategory } from './wire.ts';

const ENDPOINTS: Readonly<Record<string, Endpoint>> = { ...marketEndpoints, ...orderEndpoints, ...accountEndpoints };

/** Paths of sockets. */
const SOCKETS: Readonly<Record<string, { readonly kind: SocketKind; readonly category?: string }>> = {
  '/v5/public/linear': { kind: 'public', category: 'linear' },
  '/v5/public/spot': { kind: 'public', category: 'spot' },
  '/v5/public/inverse': { kind: 'public', category: 'inverse' },
  '/v5/public/option': { kind: 'public', category: 'option' },
  '/v5/private': { kind: 'private' },
  '/v5/trade': { kind: 'trade' },
};
const CATEGORIES = ['linear', 'spot', 'inverse', 'option'];

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** After the `?`, as it was sent. */
  readonly query: string;
  readonly body: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly address: string;
}

/** What is done about a request. */
export type HttpOutcome =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** It leaves so much later. */
      readonly afterMs?: number;
    }
  /** Headers and half of the body, and then nothing. */
  | { readonly kind: 'stall'; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: 'silence' }
  | { readonly kind: 'reset' };

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
/** Decided before anything is done, and after it. */
const BEFORE = ['lose', 'http-status', 'html', 'empty', 'ret-code'] as const;
const AFTER = ['accept-silently', 'accept-reset', 'stall', 'empty-positions', 'delay', 'truncate', 'other-execution-ids'] as const;

export interface BybitServerParts {
  readonly exchange: Exchange;
  /** Of chances. */
  readonly seed: number;
  /** Faults by seed from the start. */
  readonly hasFaults: boolean;
}

export class BybitServer {
  readonly exchange: Exchange;
  readonly faults: Faults;
  /** Of the market's pace whoever serves it takes note. */
  readonly clock: VenueClock = { skewMs: 0, speed: 1 };
  readonly #topics: ReadonlyMap<string, PublicTopics>;
  readonly #limits = new RateLimits();
  readonly #addresses = new Map<string, AddressLimits>();
  readonly #sessions = new Map<Session, () => void>();
  /** By account: when its last guarded stream was lost. */
  readonly #unguardedSince = new Map<Account, { readonly at: number; readonly cancelled: Set<WireCategory> }>();

  constructor({ exchange, seed, hasFaults }: BybitServerParts) {
    this.exchange = exchange;
    this.faults = new Faults(seed);
    if (hasFaults) this.faults.sow();
    this.#topics = new Map(CATEGORIES.map((category) => [category, new PublicTopics(exchange, this.faults, category)]));
  }

  // ---- HTTP ----------------------------------------------------------------------------------------------------------

  /** @param wallNow of this machine: the venue's clock may be off */
  request(request: HttpRequest, wallNow: number): HttpOutcome {
    const now = wallNow + this.clock.skewMs;
    const route = `${request.method} ${request.path}`;
    if (request.path.startsWith('/admin/')) return this.#administer(request, route, now);
    if (!this.#addressOf(request.address).mayAsk(wallNow)) return plain(403, '403, access too frequent');
    const before = this.faults.strikes(BEFORE, request.path);
    const instead = before === undefined ? undefined : insteadOf(before, now);
    if (instead !== undefined) return instead;
    const endpoint = ENDPOINTS[route];
    if (endpoint === undefined)
      return reply(404, envelope(CODES.unknownPath, `Path ${request.path}, Method ${request.method} is not found`, {}, now));
    const outcome = this.#answer(request, endpoint, now);
    const after = this.faults.strikes(AFTER, request.path);
    return after === undefined ? outcome : afterwards(after, request, outcome, now);
  }

  #answer(request: HttpRequest, endpoint: Endpoint, now: number): HttpOutcome {
    let headers: Readonly<Record<string, string>> = {};
    try {
      const { answer, allowance } = this.#ask(request, endpoint, now);
      headers = privateHeaders(allowance, now, this.exchange);
      if (allowance !== undefined && !allowance.isAllowed) throw new Refusal(CODES.tooManyVisits, 'Too many visits!');
      const { result, retExtInfo = {} } = answer();
      return reply(200, envelope(0, 'OK', result, now, retExtInfo), headers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return reply(200, envelope(error.retCode, error.message, {}, now), headers);
    }
  }

  /** Who asks, and how often; what is done comes after. @throws Refusal */
  #ask(request: HttpRequest, endpoint: Endpoint, now: number): { answer: () => Answer; allowance: Allowance | undefined } {
    const { exchange } = this;
    const isQuery = request.method === 'GET';
    const given = isQuery ? Object.fromEntries(new URLSearchParams(request.query)) : jsonOf(request.body);
    if (!endpoint.isPrivate) return { answer: () => endpoint.answer({ exchange, given, wallNow: now }), allowance: undefined };
    const account = this.#signedBy(request, now);
    const allowance = this.#limits.take(account.settings.uid, endpoint.rate, now, ordersIn(given), isOfSpot(given));
    return { answer: () => endpoint.answer({ exchange, account, given, wallNow: now }), allowance };
  }

  /** @throws Refusal 10001, 10002, 10003, 10004 */
  #signedBy({ method, query, body, headers }: HttpRequest, now: number): Account {
    const key = headers['x-bapi-api-key'] ?? '';
    const account = this.exchange.account(key);
    const payload = method === 'GET' ? query : body;
    const timestamp = headers['x-bapi-timestamp'] ?? '';
    mustBeSigned(
      { key, timestamp, recvWindow: headers['x-bapi-recv-window'], sign: headers['x-bapi-sign'] ?? '', payload },
      account?.settings.secret,
      now,
    );
    if (account === undefined) throw new Refusal(CODES.keyUnknown, 'API key is invalid.');
    return account;
  }

  #addressOf(address: string): AddressLimits {
    let limits = this.#addresses.get(address);
    if (limits === undefined) {
      limits = new AddressLimits();
      this.#addresses.set(address, limits);
    }
    return limits;
  }

  #administer({ body, headers }: HttpRequest, route: string, now: number): HttpOutcome {
    // A page of another site can send a form here, but no JSON without asking first, and it always says where it comes from.
    if (headers['origin'] !== undefined) return plain(403, 'a request that another site makes');
    if (route.startsWith('POST') && !(headers['content-type'] ?? '').startsWith('application/json'))
      return plain(415, 'expected application/json');
    try {
      const { exchange, faults } = this;
      const parts = { exchange, faults, topics: [...this.#topics.values()], dropSockets: () => this.#dropSockets(), clock: this.clock };
      const result = administer(parts, route, body === '' ? {} : jsonOf(body));
      return result === undefined
        ? reply(404, envelope(CODES.unknownPath, `${route} is not found`, {}, now))
        : reply(200, envelope(0, 'OK', result, now));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return reply(400, envelope(error.retCode, error.message, {}, now));
    }
  }

  // ---- sockets -------------------------------------------------------------------------------------------------------

  /**
   * A new socket, or why there is none. A public socket of a category that is not served has no topics.
   * @param send a text to it; `drop` ends it without a word
   */
  connect(
    path: string,
    address: string,
    wire: { send(text: string): void; drop(): void },
    wallNow: number,
  ): Session | 'unknown' | 'refused' {
    const socket = SOCKETS[path];
    if (socket === undefined) return 'unknown';
    const { kind, category = '' } = socket;
    if (!this.#addressOf(address).mayConnect(wallNow)) return 'refused';
    const { exchange, faults } = this;
    const session = new Session({
      kind,
      id: exchange.nextId(),
      exchange,
      topics: this.#topics.get(category),
      limits: this.#limits,
      faults,
      send: (text) => wire.send(text),
      drop: () => wire.drop(),
    });
    this.#sessions.set(session, () => wire.drop());
    return session;
  }

  /** Whether a socket that was just opened is closed at once. */
  closesAtOnce(path: string): boolean {
    return this.faults.strikes(['refuse-sockets'], path) !== undefined;
  }

  receive(session: Session, text: string, wallNow: number): void {
    session.receive(text, wallNow + this.clock.skewMs);
    const { account } = session;
    if (account !== undefined && session.isGuarded) this.#unguardedSince.delete(account);
  }

  disconnected(session: Session, wallNow: number): void {
    this.#sessions.delete(session);
    for (const topics of this.#topics.values()) topics.leave(session);
    const { account } = session;
    if (account === undefined || !session.isGuarded) return;
    const isGuarded = [...this.#sessions.keys()].some((each) => each.account === account && each.isGuarded);
    if (!isGuarded) this.#unguardedSince.set(account, { at: wallNow, cancelled: new Set() });
  }

  #dropSockets(): void {
    for (const drop of this.#sessions.values()) drop();
  }

  /** Tells every stream what has happened, and cancels for whom nobody has come back. */
  tick(wallNow: number): void {
    for (const [account, since] of this.#unguardedSince) {
      for (const [category, windowMs] of account.disconnectWindowsMs) {
        // Once: nobody cancels what is sent after that.
        if (wallNow - since.at < windowMs || since.cancelled.has(category)) continue;
        since.cancelled.add(category);
        account.cancelAll({ category }, 'CancelByDCP');
      }
    }
    const now = wallNow + this.clock.skewMs;
    for (const session of this.#sessions.keys()) session.flush(now);
    for (const account of this.exchange.accounts) {
      const events = account.takeEvents();
      if (events.length === 0) continue;
      for (const session of this.#sessions.keys()) if (session.account === account && session.kind === 'private') session.tell(events, now);
    }
    for (const topics of this.#topics.values()) topics.publish(wallNow);
  }
}

function envelope(retCode: number, words: string, result: object, now: number, retExtInfo: object = {}): string {
  return JSON.stringify({ retCode, retMsg: words, result, retExtInfo, time: now });
}

function reply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpOutcome {
  return { kind: 'reply', status, headers: { ...JSON_TYPE, ...headers }, body };
}

function plain(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpOutcome {
  return { kind: 'reply', status, headers: { 'content-type': 'text/html', ...headers }, body };
}

function privateHeaders(allowance: Allowance | undefined, now: number, exchange: Exchange): Readonly<Record<string, string>> {
  if (allowance === undefined) return {};
  return { ...limitHeaders(allowance), Timenow: String(now), Traceid: exchange.nextId().replaceAll('-', '') };
}

/** @throws Refusal 10001 */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    // What it should have been is all that can be said of it.
    throw parameterError('params error: the body is not JSON');
  }
}

function insteadOf(fault: Fault, now: number): HttpOutcome | undefined {
  switch (fault.kind) {
    case 'lose':
      return { kind: 'reset' };
    case 'http-status': {
      const headers = fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
      return plain(fault.status, `<html><body>${fault.status}</body></html>`, headers);
    }
    case 'html':
      return plain(200, '<html><body>maintenance</body></html>');
    case 'empty':
      return reply(200, '');
    case 'ret-code':
      return reply(200, envelope(fault.retCode, fault.retMsg, {}, now));
    default:
      return undefined;
  }
}

function afterwards(fault: Fault, { path }: HttpRequest, outcome: HttpOutcome, now: number): HttpOutcome {
  switch (fault.kind) {
    case 'accept-silently':
      return { kind: 'silence' };
    case 'accept-reset':
      return { kind: 'reset' };
    case 'stall':
      return outcome.kind === 'reply' ? { kind: 'stall', headers: outcome.headers, body: outcome.body } : outcome;
    case 'empty-positions':
      if (path !== '/v5/position/list') return outcome;
      return reply(200, envelope(0, 'OK', { category: 'linear', list: [], nextPageCursor: '' }, now));
    case 'delay':
      return outcome.kind === 'reply' ? { ...outcome, afterMs: fault.delayMs } : outcome;
    case 'truncate':
      return outcome.kind === 'reply' ? { ...outcome, body: outcome.body.slice(0, Math.floor(outcome.body.length / 2)) } : outcome;
    case 'other-execution-ids':
      // As if another machine of the venue had numbered them.
      if (path !== '/v5/execution/list' || outcome.kind !== 'reply') return outcome;
      return { ...outcome, body: outcome.body.replaceAll('"execId":"', '"execId":"other-') };
    default:
      return outcome;
  }
}
