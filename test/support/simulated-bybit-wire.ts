// The wire of the adapter without a network: the simulated Bybit venue in the same process, on a clock that a test steps. Requests and frames
// are under way for as long as the test says, by a seed.
import type { InstrumentKind } from '../../src/domain/instrument.ts';
import type { Timers } from '../../src/domain/ports.ts';
import type { Random } from '../../src/quant/random.ts';
import type { BybitServer } from '../../src/venues/bybit-server/server.ts';
import { signed } from '../../src/venues/bybit-server/signature.ts';
import type { Credentials } from '../../src/venues/ccxt/credentials.ts';
import { socketRequest } from '../../src/app/simulation/network.ts';
import {
  bodyOf,
  type Dial,
  type Socket,
  type SocketEars,
  type VenueRequest,
  type VenueWire,
  type WholeAnswer,
} from '../../src/venues/ccxt/venue-wire.ts';

export interface SimulatedWireParts {
  readonly server: BybitServer;
  readonly credentials: Credentials;
  readonly timers: Timers;
  readonly random: Random;
  /** UTC at the venue when the timers are at 0. */
  readonly startAt: number;
  readonly recvWindowMs: number;
}

const ADDRESS = '127.0.0.1';

export class SimulatedWire implements VenueWire {
  readonly #parts: SimulatedWireParts;
  #aheadMs = 0;
  /** One way. */
  latencyMs: readonly [least: number, most: number] = [1, 5];
  /** By how much this machine's clock is wrong. */
  driftMs = 0;
  /** No network: requests fail, sockets are gone. */
  isCut = false;
  /** Every request that was made, in order. */
  readonly requests: (VenueRequest & { readonly at: number })[] = [];
  /** Those of them that took the socket for orders. */
  readonly socketRequests: (typeof this.requests)[number][] = [];
  readonly #sockets = new Set<() => void>();
  /** By path: of the socket that was dialled last. */
  readonly #say = new Map<string, (text: string) => void>();

  constructor(parts: SimulatedWireParts) {
    this.#parts = parts;
  }

  #now(): number {
    return Math.floor(this.#parts.startAt + this.#parts.timers.now());
  }

  wallNow(): number {
    return this.#now() + this.driftMs;
  }

  venueNow(): number {
    return this.wallNow() + this.#aheadMs;
  }

  setClock(venueAheadMs: number): void {
    this.#aheadMs = venueAheadMs;
  }

  /** The network goes, or comes back. */
  cut(isCut: boolean): void {
    this.isCut = isCut;
    if (isCut) for (const drop of this.#sockets) drop();
  }

  /** A frame of the open stream that the venue would not say by itself. */
  inject(frame: object | string, path = '/v5/private'): void {
    this.#say.get(path)?.(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Paths of the requests since the timers stood there. */
  pathsSince(at: number): readonly string[] {
    return this.requests.filter((each) => each.at >= at).map(({ path }) => path);
  }

  async #travel(signal?: AbortSignal): Promise<void> {
    const [least, most] = this.latencyMs;
    await this.#parts.timers.sleep(least + Math.floor(this.#parts.random.uniform() * (most - least + 1)), signal);
  }

  async ask(request: VenueRequest, signal: AbortSignal): Promise<WholeAnswer> {
    const { server, timers } = this.#parts;
    this.requests.push({ at: timers.now(), ...request });
    const sent = this.#signed(request);
    request.onGiven?.();
    await this.#travel(signal);
    if (this.isCut) throw new TypeError('fetch failed');
    server.exchange.advance(this.#now());
    const outcome = server.request({ ...sent, method: request.method, path: request.path, address: ADDRESS }, this.#now());
    switch (outcome.kind) {
      case 'reply': {
        await this.#travel(signal);
        if (outcome.afterMs !== undefined) await this.#parts.timers.sleep(outcome.afterMs, signal);
        if (this.isCut) throw new TypeError('fetch failed');
        return { status: outcome.status, headers: new Headers({ ...outcome.headers }), body: outcome.body };
      }
      case 'reset':
        throw new TypeError('fetch failed', { cause: new Error('socket hang up') });
      case 'stall':
      case 'silence':
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    }
  }

  #signed({ method, parameters, rows, isPrivate }: VenueRequest): {
    query: string;
    body: string;
    headers: Readonly<Record<string, string>>;
  } {
    const { credentials, recvWindowMs } = this.#parts;
    const query =
      method === 'GET' ? new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])).toString() : '';
    const body = method === 'POST' ? JSON.stringify(bodyOf({ parameters, rows })) : '';
    if (!isPrivate) return { query, body, headers: {} };
    const timestamp = String(this.wallNow() + this.#aheadMs);
    const sign = signed(credentials.secret, `${timestamp}${credentials.key}${recvWindowMs}${query}${body}`);
    return {
      query,
      body,
      headers: {
        'x-bapi-api-key': credentials.key,
        'x-bapi-timestamp': timestamp,
        'x-bapi-recv-window': String(recvWindowMs),
        'x-bapi-sign': sign,
      },
    };
  }

  login(): string {
    const { key, secret } = this.#parts.credentials;
    const expires = String(this.wallNow() + this.#aheadMs + 10_000);
    return JSON.stringify({ op: 'auth', args: [key, expires, signed(secret, `GET/realtime${expires}`)] });
  }

  readonly dialPrivate: Dial = (ears) => this.#dial('/v5/private', ears);
  readonly dialTrade: Dial = (ears) => this.#dial('/v5/trade', ears);

  dialPublic(category: InstrumentKind): Dial {
    return (ears) => this.#dial(`/v5/public/${category}`, ears);
  }

  /** An order that takes the socket is a request as any other. */
  #noteRequest(text: string): void {
    const request = socketRequest(text);
    if (request === undefined) return;
    const made = { at: this.#parts.timers.now(), ...request };
    this.requests.push(made);
    this.socketRequests.push(made);
  }

  #dial(path: string, { opened, said, closed }: SocketEars): Socket {
    const { server } = this.#parts;
    let isOver = false;
    /** Frames arrive in the order in which they were sent. */
    let way: Promise<void> = Promise.resolve();
    let wayUp: Promise<void> = Promise.resolve();
    const later = (what: () => void): void => {
      way = way.then(() => this.#travel()).then(what);
    };
    const over = (why: string): void => {
      if (isOver) return;
      isOver = true;
      this.#sockets.delete(drop);
      later(() => closed(why));
    };
    const drop = (): void => {
      if (typeof session === 'object') server.disconnected(session, this.#now());
      over('terminated');
    };
    const say = (text: string): void => {
      if (isOver) return;
      later(() => {
        if (!isOver) said(text);
      });
    };
    this.#say.set(path, say);
    const session = this.isCut ? 'refused' : server.connect(path, ADDRESS, { send: say, drop }, this.#now());
    if (typeof session === 'string' || server.closesAtOnce(path)) over('code 1001');
    else {
      this.#sockets.add(drop);
      later(() => {
        if (!isOver) opened();
      });
    }
    return {
      send: (text) => {
        if (isOver || typeof session === 'string') return;
        const arrive = (): void => {
          server.exchange.advance(this.#now());
          server.receive(session, text, this.#now());
        };
        if (path !== '/v5/trade') {
          arrive();
          return;
        }
        // An order is under way as long as over REST.
        this.#noteRequest(text);
        wayUp = wayUp
          .then(() => this.#travel())
          .then(() => {
            if (!isOver) arrive();
          });
      },
      close: () => {
        if (isOver) return;
        isOver = true;
        this.#sockets.delete(drop);
        if (typeof session === 'object') server.disconnected(session, this.#now());
      },
    };
  }
}
