// The HTTP server of a running session: its health, its state, an operator's word, and one page that shows and says all of it.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { z } from 'zod';
import type { RunHandle } from '../app/run-handle.ts';
import { BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { commandBodySchema, commandNames, type CommandName, type FailureDocument, type HealthDocument } from './contract.ts';
import { readPage } from './page.ts';

export interface ApiServer {
  /** `http://127.0.0.1:3000` */
  readonly address: string;
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Commands are short. */
const LONGEST_BODY = 16 * 1_024;

/** Listens; `current` gives the session once it has started. @throws BallastError PORT_TAKEN, LISTEN_FAILED */
export async function serve(current: () => RunHandle | undefined, { host, port }: ServeOptions): Promise<ApiServer> {
  const server = createApi(current);
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw listenFailure(error, host, port);
  }
  const bound = server.server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `http://${name}:${bound.port}`, close: () => server.close() };
}

/** The routes without a socket, for `serve` and for tests. */
export function createApi(current: () => RunHandle | undefined): FastifyInstance {
  const page = readPage();
  const server = fastify({
    bodyLimit: LONGEST_BODY,
    // A page that polls every second must not hold up the end of the session.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
  });
  // Text would do for a form of another site; only JSON makes a browser ask first.
  server.removeContentTypeParser('text/plain');

  server.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const found = foreign(request.raw, request.ip);
    if (found !== undefined)
      throw refusal(403, 'REQUEST_FOREIGN', found, 'a request from this machine to the address that the session printed');
  });

  server.get('/', async (_, reply) =>
    reply.header('content-security-policy', page.policy).type('text/html; charset=utf-8').send(page.html),
  );

  server.get('/health', async (): Promise<HealthDocument> => {
    const status = current()?.status();
    return status === undefined ? { status: 'starting', runId: null, at: null } : { status: 'ok', runId: status.runId, at: status.at };
  });

  server.get('/status', async () => running(current).status());

  server.post<{ Params: { command: string } }>('/commands/:command', async (request) => {
    const { command: name } = request.params;
    const command = commandNames.find((each) => each === name);
    if (command === undefined) throw refusal(404, 'COMMAND_UNKNOWN', JSON.stringify(name), `one of ${commandNames.join(', ')}`);
    // Fastify lets a request without a body pass whatever its type.
    if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) throw notJson(request.headers['content-type']);
    return obey(command, request.body, running(current));
  });

  server.setNotFoundHandler((request, reply) => {
    const expected = `GET /, GET /health, GET /status or POST /commands/{${commandNames.join(',')}}`;
    return answerFailure(reply, refusal(404, 'ROUTE_UNKNOWN', `${request.method} ${request.url.split('?')[0] ?? ''}`, expected));
  });
  server.setErrorHandler((error, { headers }, reply) => answerFailure(reply, asRefusal(error, headers['content-type'])));
  return server;
}

async function obey(command: CommandName, body: unknown, handle: RunHandle) {
  const parsed = commandBodySchema.safeParse(body);
  if (!parsed.success)
    throw refusal(400, 'BODY_MALFORMED', z.prettifyError(parsed.error).replaceAll(/\s+/g, ' '), '{} or {"argument": "…"}');
  const { argument = '' } = parsed.data;
  if (command === 'close' && argument === '') throw refusal(400, 'BODY_MALFORMED', 'no argument', '{"argument": "name of the sleeve"}');
  try {
    await handle.command(command, argument, 'page');
  } catch (error) {
    if (error instanceof BallastError) throw error;
    throw refusal(409, 'COMMAND_REFUSED', reasonOf(error), `a command that the session can follow`);
  }
  return { command, argument, status: handle.status() };
}

function running(current: () => RunHandle | undefined): RunHandle {
  const handle = current();
  if (handle !== undefined) return handle;
  throw refusal(503, 'SESSION_STARTING', 'a session that is still starting', 'a running one', 'ask again in a moment');
}

/**
 * Why a request does not come from a person at this machine, or undefined. A page of another site can send requests here through that
 * person's browser, by name (its own name made to point here: then Host is that name) or by address (then Origin is that page's).
 */
function foreign({ headers }: IncomingMessage, address: string): string | undefined {
  if (!isLoopback(address)) return `a request from ${address}`;
  const host = hostNameOf(`http://${headers.host ?? ''}`);
  if (host === undefined || !isThisMachine(host)) return `host ${JSON.stringify(headers.host ?? '')}`;
  const { origin } = headers;
  if (origin !== undefined && URL.parse(origin)?.host !== URL.parse(`http://${headers.host ?? ''}`)?.host)
    return `origin ${JSON.stringify(origin)}`;
  const site = headers['sec-fetch-site'];
  // `none` is typed into the address bar. A link from elsewhere may open the page, and nothing more.
  if (site === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') return 'a request that another site makes';
  return undefined;
}

function hostNameOf(url: string): string | undefined {
  const name = URL.parse(url)?.hostname;
  return name === undefined || name === '' ? undefined : name;
}

function isThisMachine(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** Something of the request is wrong; `status` is of HTTP. */
class Refusal extends Error {
  readonly status: number;
  readonly document: FailureDocument;

  constructor(status: number, document: FailureDocument) {
    super(document.error.found);
    this.status = status;
    this.document = document;
  }
}

function refusal(status: number, code: string, found: string, expected: string, remedy: string | null = null): Refusal {
  return new Refusal(status, { error: { code, place: 'request', found, expected, remedy } });
}

function notJson(type: string | undefined): Refusal {
  return refusal(415, 'BODY_MALFORMED', `content-type ${JSON.stringify(type ?? '')}`, 'application/json');
}

function asRefusal(error: unknown, contentType: string | undefined): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof BallastError) {
    const { code, place, found, expected, remedy } = error;
    return new Refusal(409, { error: { code, place, found, expected, remedy: remedy ?? null } });
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const found = reasonOf(error);
  if (status === 415) return notJson(contentType);
  if (status >= 400 && status < 500) return refusal(status, 'BODY_MALFORMED', found, 'a short JSON object');
  return refusal(500, 'BUG', found, 'no bug in Ballast', 'report what it says');
}

function answerFailure(reply: FastifyReply, { status, document }: Refusal): FastifyReply {
  return reply.status(status).send(document);
}

function listenFailure(error: unknown, host: string, port: number): BallastError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const place = `${host}:${port}`;
  if (code === 'EADDRINUSE') {
    const remedy = 'another session may have it: name another with --port, or take a free one with --port 0';
    return new BallastError({ code: 'PORT_TAKEN', place, found: `port ${port} taken`, expected: 'a free port', remedy, cause: error });
  }
  const found = reasonOf(error);
  const expected = 'an address of this machine and a port that may be listened on';
  return new BallastError({
    code: 'LISTEN_FAILED',
    place,
    found,
    expected,
    remedy: 'see api.port in the config',
    cause: error,
  });
}
