// Public requests with patience: in turn, within a deadline, judged, and asked again where that can help. What comes out has been believed.
import type { Timers } from '../../domain/ports.ts';
import { BallastError } from '../../domain/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { RateLimiter } from './rate-limiter.ts';
import { fetchWhole } from './transport.ts';
import type { WholeAnswer } from './venue-wire.ts';
import type { Verdict, Wire } from './wire.ts';

/** The list of all markets is megabytes, and not every line is fast. */
const DEADLINE_MS = 30 * SECOND_MS;
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = SECOND_MS;
/** One ban of ten minutes is waited for; a second one is for a person to think about. */
const PATIENCE_MS = 15 * MINUTE_MS;

export interface RequestParts {
  readonly wire: Wire;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Told of every pause, in words for a person. */
  readonly onNotice: (words: string) => void;
  /** For the tests. */
  readonly deadlineMs?: number | undefined;
}

export class Requests {
  readonly #parts: RequestParts;
  readonly #limiters: ReadonlyMap<string, RateLimiter>;
  /** What is being waited for: requests that go side by side wait for the same, and it is said once. */
  readonly #pauses = new Set<string>();

  constructor(parts: RequestParts) {
    this.#parts = parts;
    this.#limiters = new Map(
      Object.entries(parts.wire.allowances).map(([name, allowance]) => [name, new RateLimiter(parts.timers, allowance)]),
    );
  }

  /** @throws BallastError VENUE_UNREACHABLE, VENUE_BUSY, VENUE_REFUSED, and the reason of the abort */
  async get(address: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { wire, timers, signal, onNotice } = this.#parts;
    const url = new URL(address);
    const { allowance, weight } = wire.charge(url);
    const limiter = this.#limiters.get(allowance);
    if (limiter === undefined) throw new Error(`broken invariant: no allowance ${allowance} at ${wire.id}`);
    let pausedMs = 0;
    for (let attempt = 1; ; attempt++) {
      await limiter.take(weight, signal);
      const { answer, verdict } = await this.#ask(url, headers);
      if (answer !== undefined) limiter.report(wire.usedWeight(answer.headers) ?? 0);
      if (answer !== undefined && verdict.kind === 'answered')
        return new Response(answer.body, { status: answer.status, headers: answer.headers });
      if (verdict.kind === 'answered') throw new Error('broken invariant: an answer that is none');
      if (verdict.kind === 'refused') throw this.#refused(url, verdict.found);
      // No jitter: who comes back at the same moment has to wait for its turn anyway.
      const pauseMs = verdict.kind === 'limited' ? verdict.pauseMs : FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (attempt === ATTEMPTS || pausedMs + pauseMs > PATIENCE_MS) throw this.#exhausted(url, verdict, attempt, pauseMs);
      pausedMs += pauseMs;
      const notice = `${wire.id} ${url.pathname}: ${verdict.found}; asking again in ${Math.ceil(pauseMs / SECOND_MS)} s`;
      if (!this.#pauses.has(notice)) onNotice(notice);
      if (verdict.kind === 'limited') {
        limiter.freeze(pauseMs);
        continue;
      }
      this.#pauses.add(notice);
      await timers.sleep(pauseMs, signal);
      this.#pauses.delete(notice);
    }
  }

  async #ask(
    url: URL,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly answer: WholeAnswer | undefined; readonly verdict: Verdict }> {
    const { wire, signal, deadlineMs = DEADLINE_MS } = this.#parts;
    let answer: WholeAnswer;
    try {
      answer = await fetchWhole(url, headers, deadlineMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      return { answer: undefined, verdict: { kind: 'failed', found: failureWords(error, url.hostname, deadlineMs) } };
    }
    return { answer, verdict: wire.judge(url, answer) };
  }

  #refused(url: URL, found: string): BallastError {
    return new BallastError({
      code: 'VENUE_REFUSED',
      place: this.#place(url),
      found,
      expected: 'an answer',
      remedy: 'asking again would change nothing; look at the address, if data.addresses of ballast.yaml names one',
    });
  }

  #exhausted(url: URL, { kind, found }: Verdict & { readonly found: string }, attempts: number, pauseMs: number): BallastError {
    const times = attempts === 1 ? '' : `, ${attempts} times`;
    return kind === 'limited'
      ? new BallastError({
          code: 'VENUE_BUSY',
          place: this.#place(url),
          found: `${found}${times}, and ${Math.ceil(pauseMs / SECOND_MS)} s to wait`,
          expected: 'to be within the limits of the venue',
          remedy: 'another program at this address may be asking it too; wait, then run it again: it goes on where it was',
        })
      : new BallastError({
          code: 'VENUE_UNREACHABLE',
          place: this.#place(url),
          found: `${found}${times}`,
          expected: 'an answer',
          remedy:
            'look at the connection, then run it again: it goes on where it was; behind a proxy, set NODE_USE_ENV_PROXY=1 and ' +
            'HTTPS_PROXY=http://HOST:PORT',
        });
  }

  #place(url: URL): string {
    return `${this.#parts.wire.id} ${url.host}${url.pathname}`;
  }
}

/** How a name that has no address is told; the second of a machine without a network, by Linux. */
const UNRESOLVED = /^(ENOTFOUND|EAI_AGAIN)$/;

/** What went wrong with a fetch, for a person. The cause of a failed fetch is in what caused it. */
export function failureWords(error: unknown, host: string, deadlineMs: number): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no whole answer within ${deadlineMs / SECOND_MS} s`;
  if (!(error instanceof Error)) return String(error);
  const cause: unknown = error.cause;
  if (!(cause instanceof Error)) return error.message;
  if ('code' in cause && UNRESOLVED.test(String(cause.code))) return `cannot find ${host}: is this machine online?`;
  // A refused connection is a list of refusals, one for each address, and has no message.
  return cause.message !== '' ? cause.message : 'code' in cause ? String(cause.code) : cause.name;
}
