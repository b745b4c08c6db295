// Where the adapter meets the world: requests over HTTP and their whole answers, sockets, the wall clock. ccxt says where, and signs.
import { createHmac } from 'node:crypto';
import type { Exchange } from 'ccxt';
import { SECOND_MS } from '../../domain/time.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { bodyOf, type Dial, type PublicWire, type VenueRequest, type VenueWire, type WholeAnswer } from './venue-wire.ts';

/**
 * Headers and body within the deadline. ccxt's own timer stops at the headers, so that a body which stalls would hold it up for ever.
 * @throws TypeError for whatever the network does, DOMException TimeoutError, and the reason of the abort when the signal aborts
 */
export async function fetchWhole(
  url: URL,
  headers: Readonly<Record<string, string>>,
  deadlineMs: number,
  signal: AbortSignal,
  { method = 'GET', body }: { readonly method?: string; readonly body?: string | undefined } = {},
): Promise<WholeAnswer> {
  const limits = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  // A venue's API does not redirect; a hotel's network does.
  const response = await fetch(url, { method, headers, redirect: 'manual', signal: limits, ...(body === undefined ? {} : { body }) });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** A socket's login is good for so long. */
const LOGIN_MS = 10 * SECOND_MS;

/** Where the streams of Bybit are. */
export interface StreamAddresses {
  readonly linear: string;
  readonly spot: string;
  readonly private: string;
  readonly trade: string;
}

export interface PublicWireParts {
  /** Only for addresses and signatures: it sends nothing itself. */
  readonly client: Exchange;
  readonly addresses: StreamAddresses;
}

export function openPublicWire({ client, addresses }: PublicWireParts): PublicWire {
  const ahead = { ms: 0 };
  const connections = new Connections();
  return {
    wallNow: () => Date.now(),
    venueNow: () => Date.now() + ahead.ms,
    setClock(venueAheadMs) {
      ahead.ms = venueAheadMs;
      client.options['timeDifference'] = -venueAheadMs;
    },
    ask(request, signal) {
      const { url, method, headers, body } = signed(client, request);
      return connections.ask(new URL(url), { method, headers, body, signal, onGiven: request.onGiven });
    },
    dialPublic: (category) => dialler(addresses[category]),
  };
}

/** The wire of Bybit V5. Messages of its errors hold no key: those are in headers, and headers are never told. */
export function openBybitWire({ credentials, ...parts }: PublicWireParts & { readonly credentials: Credentials }): VenueWire {
  const wire = openPublicWire(parts);
  return {
    ...wire,
    login() {
      const expires = String(wire.venueNow() + LOGIN_MS);
      const sign = createHmac('sha256', credentials.secret).update(`GET/realtime${expires}`).digest('hex');
      return JSON.stringify({ req_id: 'login', op: 'auth', args: [credentials.key, expires, sign] });
    },
    dialPrivate: dialler(parts.addresses.private),
    dialTrade: dialler(parts.addresses.trade),
  };
}

interface SignedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

function signed(client: Exchange, { method, path, isPrivate, ...said }: VenueRequest): SignedRequest {
  // ccxt has no type for what it signs.
  const request = client.sign(path.slice(1), isPrivate ? 'private' : 'public', method, { ...bodyOf(said) }) as {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>> | undefined;
    readonly body: string | undefined;
  };
  return { url: request.url, method, headers: request.headers ?? {}, body: request.body };
}

/** A socket to an address, for whoever dials it. */
function dialler(address: string): Dial {
  return ({ opened, said, closed }) => {
    const socket = new WebSocket(address);
    socket.addEventListener('open', () => opened());
    socket.addEventListener('message', ({ data }) => said(typeof data === 'string' ? data : ''));
    // The close that follows an error says what is to be done.
    socket.addEventListener('close', ({ code, reason }) => closed(reason === '' ? `code ${code}` : `code ${code}, ${reason}`));
    return { send: (text) => socket.send(text), close: () => socket.close() };
  };
}
