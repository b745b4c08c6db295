// The server's sockets and its clock: HTTP and WebSocket on loopback, and the pace at which the market goes on.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { BallastError } from '../../domain/errors.ts';
import { MINUTE_MS, parseSpan, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { BybitServer, HttpOutcome, HttpRequest } from './server.ts';

/** A port that is held, and nobody behind it yet. */
export interface Door {
  /** `http://127.0.0.1:8099` */
  readonly address: string;
  /** The market goes on from where the exchange stands. */
  open(server: BybitServer, speed: number): void;
  close(): Promise<void>;
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
/** Bytes that wait for a client that does not read: then it is cut off. */
const MOST_BUFFERED = 32 << 20;
const LEAST_IDLE_MS = 30 * SECOND_MS;

/** Lets the market of a server pass, as fast as its clock says. */
class Pace {
  readonly server: BybitServer;
  #marketAt: TimeMs;
  #wallAt = performance.now();

  constructor(server: BybitServer) {
    this.server = server;
    this.#marketAt = server.exchange.now;
  }

  /** Lets the market come to what it is now, or a slice nearer. @returns whether it has */
  goOn(): boolean {
    const wallAt = performance.now();
    this.#marketAt += (wallAt - this.#wallAt) * this.server.clock.speed;
    this.#wallAt = wallAt;
    return this.server.exchange.advance(Math.floor(this.#marketAt), SLICE_EVENTS);
  }
}

/** Listens on loopback before anything long is begun: a port that is taken is a wrong argument. @throws BallastError PORT_TAKEN, LISTEN_FAILED */
export async function holdPort(port: number): Promise<Door> {
  let pace: Pace | undefined;
  let timer: NodeJS.Timeout | undefined;
  const sockets = new Set<Socket>();
  const http = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (pace === undefined || body === undefined) {
        response.writeHead(pace === undefined ? 503 : 413).end();
        return;
      }
      pace.goOn();
      carryOut(pace.server.request(asked(request, body), Date.now()), request, response);
    });
  });
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { path } = target(request);
      if (pace === undefined || pace.server.closesAtOnce(path)) webSocket.close(1001);
      else converse(webSocket, request, pace);
    });
  });
  await listen(http, port);
  return {
    address: `http://${LOOPBACK}:${(http.address() as AddressInfo).port}`,
    open(server, speed) {
      server.clock.speed = speed;
      const opened = new Pace(server);
      pace = opened;
      const tick = (): void => {
        const isThere = opened.goOn();
        server.tick(Date.now());
        timer = setTimeout(tick, isThere ? TICK_MS : 0);
      };
      tick();
    },
    async close() {
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
      if (outcome.afterMs === undefined) response.writeHead(outcome.status, outcome.headers).end(outcome.body);
      else setTimeout(() => response.writeHead(outcome.status, outcome.headers).end(outcome.body), outcome.afterMs).unref();
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

function converse(webSocket: WebSocket, request: IncomingMessage, pace: Pace): void {
  const { server } = pace;
  const { path, idleMs } = target(request);
  const wire = {
    send: (text: string): void => {
      if (webSocket.readyState !== webSocket.OPEN) return;
      if (webSocket.bufferedAmount > MOST_BUFFERED) webSocket.terminate();
      else webSocket.send(text);
    },
    drop: (): void => webSocket.terminate(),
  };
  const session = server.connect(path, request.socket.remoteAddress ?? '', wire, Date.now());
  if (typeof session === 'string') {
    webSocket.close(session === 'unknown' ? 1008 : 1013);
    return;
  }
  let idle = setTimeout(() => webSocket.close(1000), idleMs);
  webSocket.on('message', (data: Buffer) => {
    clearTimeout(idle);
    idle = setTimeout(() => webSocket.close(1000), idleMs);
    pace.goOn();
    server.receive(session, data.toString('utf8'), Date.now());
  });
  // A broken frame ends the socket; its end is what counts.
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => {
    clearTimeout(idle);
    server.disconnected(session, Date.now());
  });
}
