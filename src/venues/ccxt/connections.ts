// Requests over connections that stay open. An order must not wait for a connection, and what `fetch` builds around a request takes longer than
// all of the order's decision: streams, headers and signals of the web's kind. This writes a request in the turn in which it is asked for.
import { Agent as PlainAgent, request as requestPlainly, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';
import { SECOND_MS } from '../../domain/time.ts';
import type { WholeAnswer } from './venue-wire.ts';

export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  /** The system has taken the last byte. */
  readonly onGiven?: (() => void) | undefined;
}

/** Longer than the half minute between two reconciliations, which so keep one open; shorter than the minute after which gateways close it. */
const IDLE_MS = 45 * SECOND_MS;
const KEPT_OPEN = { keepAlive: true, noDelay: true, timeout: IDLE_MS };

/** Those of one wire, to whatever hosts it asks. An idle one keeps no process alive. */
export class Connections {
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;

  constructor() {
    // As `fetch` does where Node is told to.
    const { NODE_USE_ENV_PROXY: isProxied } = process.env;
    const options = isProxied === '1' ? { ...KEPT_OPEN, proxyEnv: process.env } : KEPT_OPEN;
    this.#plain = new PlainAgent(options);
    this.#secure = new SecureAgent(options);
  }

  /**
   * Headers and the whole body; a redirect is an answer. It waits until the signal aborts: whoever asks has a deadline.
   * @throws TypeError with the cause, for whatever the network does, as `fetch`; and the reason of the abort
   */
  ask(url: URL, { method, headers, body, signal, onGiven }: Asked): Promise<WholeAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { accept: '*/*', ...headers, ...length } };
      const request: ClientRequest =
        url.protocol === 'https:'
          ? requestSecurely(url, { ...options, agent: this.#secure })
          : requestPlainly(url, { ...options, agent: this.#plain });
      const fail = (cause: Error): void => {
        signal.removeEventListener('abort', abort);
        reject(new TypeError('fetch failed', { cause }));
      };
      const abort = (): void => {
        reject(signal.reason as Error);
        request.destroy();
      };
      signal.addEventListener('abort', abort, { once: true });
      request.on('error', fail);
      if (onGiven !== undefined) request.once('finish', onGiven);
      request.once('response', (response) => {
        wholeBody(response, fail, (text) => {
          signal.removeEventListener('abort', abort);
          resolve({ status: response.statusCode ?? 0, headers: headersOf(response), body: text });
        });
      });
      request.end(body);
    });
  }
}

function wholeBody(response: IncomingMessage, fail: (cause: Error) => void, done: (text: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => (text += chunk));
  response.on('error', fail);
  response.once('end', () => done(text));
  // Cut off: there is no end, and not always an error.
  response.once('close', () => {
    if (!response.complete) fail(new Error('the answer was cut off'));
  });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  return headers;
}
