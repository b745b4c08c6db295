// What lies between the adapter and the simulated exchange: requests and frames that travel for a while, and whatever the weather does to them.
// The exchange's own logic is at its far end, without a socket; what is under way arrives although the process that sent it has died.
import type { InstrumentKind } from '../../domain/instrument.ts';
import type { Random } from '../../quant/random.ts';
import { faultSchema, type FaultKind } from '../../venues/bybit-server/faults.ts';
import type { BybitServer, HttpOutcome } from '../../venues/bybit-server/server.ts';
import { signed } from '../../venues/bybit-server/signature.ts';
import {
  bodyOf,
  type Dial,
  type Socket,
  type SocketEars,
  type VenueRequest,
  type VenueWire,
  type WholeAnswer,
} from '../../venues/ccxt/venue-wire.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import type { Scheduler } from './scheduler.ts';
import { WORLD_STARTS, type Fault, type FaultName } from './world.ts';

export interface NetworkParts {
  readonly server: BybitServer;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly latencyMs: readonly [least: number, most: number];
  readonly recvWindowMs: number;
  readonly credentials: Credentials;
  readonly tell: Tell;
  /** When the exchange has something to do by itself; NEVER where it has not. */
  readonly nextVenueAt: () => TimeMs;
  /** The venue may have changed. */
  readonly onVenue: () => void;
  /** A request that has come to the venue comes once more, now. */
  readonly onAgain: (request: VenueRequest) => void;
}

/** What happens, in words that are made when somebody wants them. */
export type Tell = (kind: StepKind, words: () => string) => void;
/** Of the weather, of lives of the process, of commands, of the journal's rows, of what a person is told, and of the wire. */
export type StepKind = 'weather' | 'life' | 'order' | 'journal' | 'notice' | 'wire';

export interface Credentials {
  readonly key: string;
  readonly secret: string;
}

/** Whose wire it is. */
export interface Caller {
  readonly isDead: boolean;
  /** A request leaves. */
  onRequest(request: VenueRequest): void;
}

const ADDRESS = '127.0.0.1';
/** The exchange's own faults, by name of ours. */
const VENUE_FAULTS: Partial<Record<FaultName, { readonly kind: FaultKind; readonly [detail: string]: unknown }>> = {
  'venue-silent-after-accepting': { kind: 'accept-silently' },
  'venue-stalls': { kind: 'stall' },
  'venue-answers-html': { kind: 'html' },
  'venue-answers-nothing': { kind: 'empty' },
  'venue-503': { kind: 'http-status', status: 503 },
  'venue-429': { kind: 'http-status', status: 429, retryAfterSeconds: 1 },
  'venue-403': { kind: 'http-status', status: 403, retryAfterSeconds: 60, times: 1 },
  'venue-error': { kind: 'ret-code', retCode: 10016 },
  'venue-too-many': { kind: 'ret-code', retCode: 10006 },
  'venue-clock-code': { kind: 'ret-code', retCode: 10002 },
  'venue-says-no-positions': { kind: 'empty-positions' },
  'venue-refuses-sockets': { kind: 'refuse-sockets' },
  'venue-silent-to-subscriptions': { kind: 'silent-subscribe' },
  'venue-silent-to-pings': { kind: 'no-pong' },
  'orders-unsaid': { kind: 'no-data', where: 'order' },
  'executions-unsaid': { kind: 'no-data', where: 'execution' },
  'bars-unsaid': { kind: 'no-data', where: 'kline' },
  'private-doubled': { kind: 'duplicate-private' },
  'private-reordered': { kind: 'reorder-private' },
};
const LONGEST_SLOW_MS = 9_000;
const LONGEST_LATE_FRAME_MS = 3_000;

export class SimulatedNetwork {
  readonly #parts: NetworkParts;
  readonly #active = new Map<FaultName, Fault>();
  readonly #sockets = new Set<SimulatedSocket>();
  #nextVenueAt = Infinity;
  #nextVenue: { isOff: boolean } | undefined;
  /** By how much the clock of the machine that the processes run on is wrong. */
  machineAheadMs = 0;
  requests = 0;
  frames = 0;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.advance();
  }

  get venueNow(): number {
    return Math.floor(WORLD_STARTS + this.#parts.scheduler.now);
  }

  // ---- weather -------------------------------------------------------------------------------------------------------

  begin(fault: Fault): void {
    this.#active.set(fault.name, fault);
    const { server, tell } = this.#parts;
    switch (fault.name) {
      case 'link-cut':
        for (const socket of this.#sockets) socket.break('terminated');
        break;
      case 'stream-closed':
        for (const socket of this.#sockets) socket.break('code 1006');
        break;
      case 'venue-restarted':
        this.#administer({ act: 'restart' });
        this.#administer({ act: 'drop-sockets' });
        break;
      case 'venue-deleverages':
      case 'venue-pays-funding': {
        const held = server.exchange.accounts[0]?.positions.findIndex(({ side }) => side !== 0) ?? -1;
        const symbol = server.exchange.listings[held]?.symbol;
        if (symbol === undefined) break;
        if (fault.name === 'venue-deleverages') this.#administer({ act: 'deleverage', symbol });
        else this.#administer({ act: 'fund', symbol, amount: (fault.size / 1_000).toFixed(3) });
        break;
      }
      case 'delisted':
        this.#administer({ act: 'delist', symbol: server.exchange.listings[0]?.symbol ?? '' });
        break;
      case 'machine-clock-stepped':
        this.machineAheadMs = fault.size;
        break;
      default:
        break;
    }
    this.#setVenueFaults();
    tell('weather', () => `${fault.name} begins, ${words(fault)}`);
    this.advance();
  }

  /** Another hand pays in or, with a negative amount, takes out. */
  moveMoney(amount: string): void {
    this.#administer({ act: 'transfer', amount });
    this.#parts.tell('weather', () => `${amount} are moved by another hand`);
    this.advance();
  }

  end(fault: Fault): void {
    // One that began later stands in its place.
    if (this.#active.get(fault.name) !== fault) return;
    this.#active.delete(fault.name);
    switch (fault.name) {
      case 'delisted':
        this.#administer({ act: 'relist', symbol: this.#parts.server.exchange.listings[0]?.symbol ?? '' });
        break;
      case 'machine-clock-stepped':
        this.machineAheadMs = 0;
        break;
      default:
        break;
    }
    this.#setVenueFaults();
    this.#parts.tell('weather', () => `${fault.name} ends`);
    this.advance();
  }

  #setVenueFaults(): void {
    const { faults } = this.#parts.server;
    faults.clear();
    for (const [name, { chance }] of this.#active) {
      const fault = VENUE_FAULTS[name];
      if (fault !== undefined) faults.add(faultSchema.parse({ ...fault, chance }));
    }
  }

  /** By the venue's own hand. */
  #administer(body: object): void {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', path: '/admin/acts', query: '', body: JSON.stringify(body), headers, address: ADDRESS };
    const outcome = this.#parts.server.request(request, this.venueNow);
    if (outcome.kind !== 'reply' || outcome.status !== 200)
      throw new Error(`broken invariant: the venue does as its own hand asks, ${JSON.stringify(outcome)}`);
  }

  strikes(name: FaultName): boolean {
    const fault = this.#active.get(name);
    return fault !== undefined && (fault.chance >= 1 || this.#parts.random.bernoulli(fault.chance));
  }

  isActive(name: FaultName): boolean {
    return this.#active.has(name);
  }

  get isClear(): boolean {
    return this.#active.size === 0;
  }

  // ---- the venue -----------------------------------------------------------------------------------------------------

  /** Everything that is due there happens, and its streams say so. */
  advance(): void {
    const { server, scheduler, nextVenueAt, onVenue } = this.#parts;
    server.exchange.advance(this.venueNow);
    server.tick(this.venueNow);
    onVenue();
    const nextAt = nextVenueAt();
    const next = nextAt === NEVER ? Infinity : nextAt - WORLD_STARTS;
    if (next === this.#nextVenueAt && this.#nextVenue?.isOff === false) return;
    if (this.#nextVenue !== undefined) this.#nextVenue.isOff = true;
    this.#nextVenueAt = next;
    this.#nextVenue = undefined;
    if (next === Infinity) return;
    this.#nextVenue = scheduler.at(next, () => {
      this.#nextVenue = undefined;
      this.advance();
    });
  }

  // ---- a process's end -----------------------------------------------------------------------------------------------

  wireOf(caller: Caller): VenueWire {
    let aheadMs = 0;
    const wallNow = (): number => this.venueNow + this.machineAheadMs;
    const { credentials } = this.#parts;
    return {
      wallNow,
      venueNow: () => wallNow() + aheadMs,
      setClock: (venueAheadMs) => {
        aheadMs = venueAheadMs;
      },
      ask: (request, signal) => this.#ask(caller, request, signal, wallNow() + aheadMs),
      login: () => {
        const expires = String(wallNow() + aheadMs + 10_000);
        return JSON.stringify({ op: 'auth', args: [credentials.key, expires, signed(credentials.secret, `GET/realtime${expires}`)] });
      },
      dialPrivate: this.#dialOf(caller, '/v5/private'),
      dialTrade: this.#dialOf(caller, '/v5/trade'),
      dialPublic: (category: InstrumentKind) => this.#dialOf(caller, `/v5/public/${category}`),
    };
  }

  /** Its sockets are closed by the system a moment after its death. */
  died(caller: Caller): void {
    for (const socket of this.#sockets) if (socket.caller === caller) socket.break('the process is dead');
  }

  latency(): number {
    const [least, most] = this.#parts.latencyMs;
    return least + this.#parts.random.integer(most - least + 1);
  }

  #travelMs(): number {
    return this.latency() + (this.strikes('slow') ? this.#parts.random.integer(LONGEST_SLOW_MS) : 0);
  }

  #ask(caller: Caller, request: VenueRequest, signal: AbortSignal, timestamp: number): Promise<WholeAnswer> {
    const { scheduler, tell, random, recvWindowMs } = this.#parts;
    const number = ++this.requests;
    caller.onRequest(request);
    const sent = this.#signed(request, timestamp);
    tell('wire', () => `#${number} ${request.method} ${request.path} ${brief(request)}`);
    request.onGiven?.();
    return new Promise((resolve, reject) => {
      const isOver = (): boolean => caller.isDead || signal.aborted;
      const abort = (): void => {
        if (!caller.isDead) reject(signal.reason as Error);
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      let hasFailed = false;
      let hasArrived = false;
      const fail = (why: string): void => {
        tell('wire', () => `#${number} fails: ${why}`);
        if (isOver() || hasFailed) return;
        hasFailed = true;
        signal.removeEventListener('abort', abort);
        reject(new TypeError('fetch failed', { cause: new Error(why) }));
      };
      const answer = (outcome: HttpOutcome): void => {
        if (outcome.kind === 'reset') return fail('socket hang up');
        if (outcome.kind !== 'reply') {
          tell('wire', () => `#${number} is answered with ${outcome.kind === 'stall' ? 'half of a body' : 'nothing'}`);
          return;
        }
        if (this.strikes('answers-lost')) {
          tell('wire', () => `#${number} was carried out, its answer is lost`);
          if (random.bernoulli(0.5)) scheduler.after(this.latency(), () => fail('connection reset'));
          return;
        }
        const body = this.strikes('answers-cut') ? outcome.body.slice(0, random.integer(outcome.body.length + 1)) : outcome.body;
        scheduler.after(this.#travelMs(), () => {
          if (this.#active.has('link-cut')) return fail('the network is gone');
          tell(
            'wire',
            () => `#${number} ${caller.isDead ? 'comes back to a dead process' : 'is answered'} ${outcome.status} ${body.slice(0, 160)}`,
          );
          if (isOver()) return;
          signal.removeEventListener('abort', abort);
          resolve({ status: outcome.status, headers: new Headers({ ...outcome.headers }), body });
        });
      };
      if (this.#active.has('link-cut')) {
        scheduler.after(this.latency(), () => fail('the network is gone'));
        return;
      }
      if (this.strikes('requests-lost')) {
        tell('wire', () => `#${number} is lost`);
        if (random.bernoulli(0.5)) scheduler.after(this.latency(), () => fail('connection reset'));
        return;
      }
      const arrive = (hear: (outcome: HttpOutcome) => void): void => {
        if (this.#active.has('link-cut')) return fail('the network is gone');
        const { server } = this.#parts;
        server.exchange.advance(this.venueNow);
        const outcome = server.request({ ...sent, method: request.method, path: request.path, address: ADDRESS }, this.venueNow);
        tell('wire', () => `#${number} arrives`);
        hasArrived = true;
        this.advance();
        hear(outcome);
      };
      if (this.strikes('requests-reset-and-late')) {
        // Something on the way has it, and hands it on after it has told its sender that it failed.
        scheduler.after(this.latency(), () => fail('connection reset'));
        scheduler.after(this.#travelMs() + random.integer(recvWindowMs), () => arrive(() => undefined));
        return;
      }
      scheduler.after(this.#travelMs(), () => arrive(answer));
      if (this.strikes('requests-doubled')) {
        scheduler.after(this.#travelMs() + 1, () => {
          tell('wire', () => `#${number} arrives once more`);
          if (hasArrived) this.#parts.onAgain(request);
          arrive(() => undefined);
        });
      }
    });
  }

  #signed(
    { method, parameters, rows, isPrivate }: VenueRequest,
    timestamp: number,
  ): { query: string; body: string; headers: Readonly<Record<string, string>> } {
    const { credentials, recvWindowMs } = this.#parts;
    const query =
      method === 'GET' ? new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])).toString() : '';
    const body = method === 'POST' ? JSON.stringify(bodyOf({ parameters, rows })) : '';
    if (!isPrivate) return { query, body, headers: {} };
    const headers = {
      'x-bapi-api-key': credentials.key,
      'x-bapi-timestamp': String(timestamp),
      'x-bapi-recv-window': String(recvWindowMs),
      'x-bapi-sign': signed(credentials.secret, `${timestamp}${credentials.key}${recvWindowMs}${query}${body}`),
    };
    return { query, body, headers };
  }

  // ---- sockets -------------------------------------------------------------------------------------------------------

  #dialOf(caller: Caller, path: string): Dial {
    return (ears) => {
      const { server, tell } = this.#parts;
      const socket = new SimulatedSocket({
        caller,
        path,
        ears,
        network: this,
        scheduler: this.#parts.scheduler,
        random: this.#parts.random,
        tell,
        onSaid: () => {
          this.frames++;
        },
        onOver: (over) => this.#sockets.delete(over),
        server,
      });
      if (this.#active.has('link-cut')) socket.refuse('the network is gone');
      else if (server.closesAtOnce(path)) socket.refuse('code 1001');
      else {
        this.#sockets.add(socket);
        socket.connect(ADDRESS);
      }
      return socket;
    };
  }
}

interface SocketParts {
  readonly caller: Caller;
  readonly path: string;
  readonly ears: SocketEars;
  readonly network: SimulatedNetwork;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly server: BybitServer;
  readonly tell: Tell;
  readonly onSaid: () => void;
  readonly onOver: (socket: SimulatedSocket) => void;
}

/** Frames arrive in the order in which they were sent, each way, unless the weather has it otherwise. */
class SimulatedSocket implements Socket {
  readonly #parts: SocketParts;
  readonly caller: Caller;
  #session: Exclude<ReturnType<BybitServer['connect']>, string> | undefined;
  #isOver = false;
  #lastDown = 0;
  #lastUp = 0;

  constructor(parts: SocketParts) {
    this.#parts = parts;
    this.caller = parts.caller;
  }

  connect(address: string): void {
    const { server, path, network, ears } = this.#parts;
    const wire = { send: (text: string) => this.#say(text), drop: () => this.break('dropped by the venue') };
    const session = server.connect(path, address, wire, network.venueNow);
    if (typeof session === 'string') {
      this.refuse(session);
      return;
    }
    this.#session = session;
    this.#down(() => ears.opened());
  }

  refuse(why: string): void {
    this.#isOver = true;
    this.#parts.scheduler.after(this.#parts.network.latency(), () => this.#closed(why));
  }

  /** The connection is gone; both ends hear of it. */
  break(why: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#parts.scheduler.after(this.#parts.network.latency(), () => this.#closed(why));
  }

  #end(): void {
    this.#isOver = true;
    const { server, network, onOver } = this.#parts;
    onOver(this);
    if (this.#session !== undefined) server.disconnected(this.#session, network.venueNow);
  }

  #closed(why: string): void {
    const { caller, ears, tell, path } = this.#parts;
    tell('wire', () => `${path} is closed: ${why}`);
    if (!caller.isDead) ears.closed(why);
  }

  /** Toward the process, in order. */
  #down(act: () => void, extraMs = 0): void {
    const { scheduler, network, caller } = this.#parts;
    this.#lastDown = Math.max(this.#lastDown, scheduler.now + network.latency() + extraMs);
    scheduler.at(this.#lastDown, () => {
      if (!this.#isOver && !caller.isDead) act();
    });
  }

  #say(text: string): void {
    const { network, scheduler, random, ears, tell, path, caller, onSaid } = this.#parts;
    if (this.#isOver) return;
    if (network.strikes('stream-deaf')) {
      tell('wire', () => `${path} says nothing of ${text.slice(0, 100)}`);
      return;
    }
    onSaid();
    const hear = (said: string): void => {
      tell('wire', () => `${path} says ${said.slice(0, 200)}`);
      ears.said(said);
    };
    const said = network.strikes('frames-garbled') ? text.slice(0, random.integer(Math.max(1, text.length))) : text;
    const extraMs = network.strikes('frames-late') ? random.integer(LONGEST_LATE_FRAME_MS) : 0;
    if (network.strikes('frames-reordered')) {
      scheduler.after(network.latency() + random.integer(500), () => {
        if (!this.#isOver && !caller.isDead) hear(said);
      });
    } else this.#down(() => hear(said), extraMs);
    if (network.strikes('frames-doubled')) this.#down(() => hear(said));
  }

  send(text: string): void {
    const { scheduler, network, server, path } = this.#parts;
    if (this.#isOver) return;
    if (path === '/v5/trade') this.#tellRequest(text);
    this.#lastUp = Math.max(this.#lastUp, scheduler.now + network.latency());
    scheduler.at(this.#lastUp, () => {
      if (this.#isOver || this.#session === undefined || network.strikes('stream-deaf')) return;
      server.exchange.advance(network.venueNow);
      server.receive(this.#session, text, network.venueNow);
      network.advance();
    });
  }

  /** An order that takes the socket is a request as any other. */
  #tellRequest(text: string): void {
    const { caller, tell } = this.#parts;
    const request = socketRequest(text);
    if (request === undefined) return;
    tell('wire', () => `${request.path} over the socket ${brief(request)}`);
    caller.onRequest(request);
  }

  close(): void {
    if (!this.#isOver) this.#end();
  }
}

function words({ forMs, chance, size, name }: Fault): string {
  const sized = name === 'machine-clock-stepped' ? `, by ${size} ms` : '';
  return `for ${forMs} ms, at a chance of ${chance.toFixed(2)}${sized}`;
}

function brief({ parameters, rows = [] }: VenueRequest): string {
  return [parameters, ...rows]
    .map(({ category: _category, ...rest }) =>
      Object.entries(rest)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', '),
    )
    .join('; ');
}

/** What a frame on the socket for orders asks for, as it would be asked over HTTP; undefined where it asks for no order. */
export function socketRequest(text: string): VenueRequest | undefined {
  const { op, args } = JSON.parse(text) as {
    readonly op: string;
    readonly args?: readonly [VenueRequest['parameters'] & { readonly request?: NonNullable<VenueRequest['rows']> }];
  };
  if (!op.startsWith('order.') || args === undefined) return undefined;
  const [{ request: rows, ...parameters }] = args;
  return { method: 'POST', path: `/v5/${op.replace('.', '/')}`, parameters, rows, isPrivate: true };
}
