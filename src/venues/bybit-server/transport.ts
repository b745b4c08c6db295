// The server's sockets and its clock: HTTP and WebSocket on loopback, and the pace at which the market goes on.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { BallastError } from '../../domain/errors.ts';
import { MINUTE_MS, parseSpan, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { BybitServer, HttpOutcome, HttpRequest } from './server.ts';

export interface ServedVenue {
  /** `http://127.0.0.1:8099` */
  readonly address: string;
  close(): Promise<void>;
}

export interface ServeVenueOptions {
  readonly server: BybitServer;
  /** 0 takes a free one. */
  readonly port: number;
  /** Market seconds a wall second. */
  readonly speed: number;
}

/** Whoever reaches it can trade: only this machine may. */
const LOOPBACK = '127.0.0.1';
/** Streams are told of changes this often. */
const TICK_MS = 20;
/** Events of the market before the sockets have their turn again. */
const SLICE_EVENTS = 5_000;
const LONGEST_BODY = 1 << 20;
/** Bybit closes a socket on which nothing was said for so long, or for what its address asked for. */
const IDLE_MS = 10 * MINUTE_MS;
const LEAST_IDLE_MS = 30 * SECOND_MS;

/** Serves until closed. The market goes on from where the exchange stands. @throws BallastError PORT_TAKEN, LISTEN_FAILED */
export async function serveVenue({ server, port, speed }: ServeVenueOptions): Promise<ServedVenue> {
  const { exchange } = server;
  const startedAt = performance.now();
  const from = exchange.now;
  const marketNow = (): TimeMs => Math.floor(from + (performance.now() - startedAt) * speed);
  const sockets = new Set<Socket>();
  const http = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (body === undefined) {
        response.writeHead(413).end();
        return;
      }
      exchange.advance(marketNow(), SLICE_EVENTS);
      carryOut(server.request(asked(request, body), Date.now()), request, response);
    });
  });
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    const { path, idleMs } = target(request);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (server.closesAtOnce(path)) webSocket.close(1001);
      else converse(webSocket, { server, path, address: request.socket.remoteAddress ?? '', idleMs, marketNow });
    });
  });
  await listen(http, port);
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const tick = (): void => {
    const isThere = exchange.advance(marketNow(), SLICE_EVENTS);
    server.tick(Date.now());
    if (!isClosed) timer = setTimeout(tick, isThere ? TICK_MS : 0);
  };
  tick();
  return {
    address: `http://${LOOPBACK}:${(http.address() as AddressInfo).port}`,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const webSocket of webSockets.clients) webSocket.terminate();
      const ended = new Promise<void>((resolve) => {
        http.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}

async function listen(http: ReturnType<typeof createServer>, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(port, LOOPBACK, () => resolve());
    });
  } catch (cause) {
    const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    throw new BallastError({
      code: isTaken ? 'PORT_TAKEN' : 'LISTEN_FAILED',
      place: '--port',
      found: isTaken ? `port ${port} taken` : cause instanceof Error ? cause.message : String(cause),
      expected: 'a free port',
      remedy: 'name another with --port, or take a free one with --port 0',
      cause,
      exitCode: 2,
    });
  }
}

function target(request: IncomingMessage): { readonly path: string; readonly query: string; readonly idleMs: number } {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const asked = new URLSearchParams(query).get('max_active_time') ?? '';
  const askedMs = /^\d{1,4}[sm]$/.test(asked) ? parseSpan(asked) : IDLE_MS;
  return { path, query, idleMs: Math.min(IDLE_MS, Math.max(LEAST_IDLE_MS, askedMs)) };
}

function asked(request: IncomingMessage, body: string): HttpRequest {
  const { path, query } = target(request);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  return { method: request.method ?? 'GET', path, query, body, headers, address: request.socket.remoteAddress ?? '' };
}

/** Undefined where it is longer than anybody needs, or was never sent to its end. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      const bytes = chunk as Buffer;
      length += bytes.length;
      if (length > LONGEST_BODY) return undefined;
      chunks.push(bytes);
    }
  } catch {
    // Whoever asked has gone.
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function carryOut(outcome: HttpOutcome, request: IncomingMessage, response: ServerResponse): void {
  switch (outcome.kind) {
    case 'reply':
      response.writeHead(outcome.status, outcome.headers).end(outcome.body);
      return;
    case 'stall': {
      const { body } = outcome;
      response.writeHead(200, { ...outcome.headers, 'content-length': String(Buffer.byteLength(body)) });
      response.write(body.slice(0, Math.floor(body.length / 2)));
      return;
    }
    case 'reset':
      request.socket.destroy();
      return;
    case 'silence':
  }
}

interface Conversation {
  readonly server: BybitServer;
  readonly path: string;
  readonly address: string;
  readonly idleMs: number;
  readonly marketNow: () => TimeMs;
}

function converse(webSocket: WebSocket, { server, path, address, idleMs, marketNow }: Conversation): void {
  const wire = {
    send: (text: string): void => {
      if (webSocket.readyState === webSocket.OPEN) webSocket.send(text);
    },
    drop: (): void => webSocket.terminate(),
  };
  const session = server.connect(path, address, wire, Date.now());
  if (typeof session === 'string') {
    webSocket.close(session === 'unknown' ? 1008 : 1013);
    return;
  }
  let idle = setTimeout(() => webSocket.close(1000), idleMs);
  webSocket.on('message', (data: Buffer) => {
    clearTimeout(idle);
    idle = setTimeout(() => webSocket.close(1000), idleMs);
    server.exchange.advance(marketNow(), SLICE_EVENTS);
    server.receive(session, data.toString('utf8'), Date.now());
  });
  // A broken frame ends the socket; its end is what counts.
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => {
    clearTimeout(idle);
    server.disconnected(session, Date.now());
  });
}
