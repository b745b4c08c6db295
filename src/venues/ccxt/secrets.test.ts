// Promise 7: whatever fails, and however, neither a key nor a secret nor a signature is in what comes out of the adapters: errors with all that
// they carry, notices, reports. Requests of ccxt and of ours, to a server that repeats all that it was sent.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { systemTimers } from '../../app/system-timers.ts';
import { amount, price, quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Timers } from '../../domain/ports.ts';
import { NEVER } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { orderOf } from '../../../test/contracts/venue.contract.ts';
import { AdapterBench } from '../../../test/support/adapter-bench.ts';
import { BinanceServer } from '../../../test/conformance/binance-server.ts';
import { redactor } from './credentials.ts';
import { openBybitAccount } from './bybit-account.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { loadAnyTrader } from './client.ts';
import { openCcxtVenue } from './open-ccxt-venue.ts';
import { openBybitVenue } from './open-venue.ts';

/** With what addresses and JSON write otherwise. */
const KEY = 'key/of the+test-0123456789';
const SECRET = 'secret"of=the&test-9876543210';

/** How a request fails. Each but the last three repeats all of the request. */
const WAYS = {
  'a refused key': (echo: string) => [401, echo],
  'a refused key in an answer': (echo: string) => [
    200,
    JSON.stringify({ retCode: 10003, retMsg: echo, result: {}, code: -2014, msg: echo }),
  ],
  'a refused signature': (echo: string) => [400, JSON.stringify({ retCode: 10004, retMsg: echo, result: {}, code: -1022, msg: echo })],
  'a refused request': (echo: string) => [400, JSON.stringify({ retCode: 10001, retMsg: echo, result: {}, code: -1102, msg: echo })],
  'a 403': (echo: string) => [403, `<html>${echo}</html>`],
  'a 503': (echo: string) => [503, echo],
  'a cut answer': (echo: string) => [200, `{"retCode":0,"result":"${echo}`],
  'another document': (echo: string) => [200, JSON.stringify({ retCode: 0, retMsg: '', result: { list: [echo] }, echo })],
  // The key lies across the place at which words are cut.
  'a key at the end of what is read': (echo: string) => [418, `${'x'.repeat(108)}${KEY}${echo}`],
  'a longer one': (echo: string) => [418, `${'x'.repeat(150)}${KEY}${echo}`],
  'an empty answer': () => [200, ''],
  'a timeout': () => undefined,
  'a cut connection': () => 'reset',
} as const satisfies Record<string, (echo: string) => readonly [status: number, body: string] | 'reset' | undefined>;
type Way = keyof typeof WAYS;
/** Of those, some after which ccxt has the whole of it in its error. */
const ECHOING = ['a refused key', 'a refused signature', 'a refused request', 'a 503'] as const satisfies readonly Way[];

/** Passes on what is asked, or fails it. */
class Hostile {
  way: Way | undefined;
  readonly seen = new Set<string>();
  readonly #pass: (path: string) => Promise<readonly [number, string]>;
  /** A path that never fails. */
  readonly #spared: string;
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  constructor(pass: (path: string) => Promise<readonly [number, string]>, spared = '') {
    this.#pass = pass;
    this.#spared = spared;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const { url = '', headers } = request;
    const echo = `${url} ${JSON.stringify(headers)} ${body} ${KEY} ${SECRET} ${encodeURIComponent(SECRET)}`;
    for (const [signature] of echo.matchAll(/\b[0-9a-f]{64}\b/gi)) this.seen.add(signature);
    const answer = this.way === undefined || url === this.#spared ? await this.#pass(url) : WAYS[this.way](echo);
    if (answer === undefined) return;
    if (answer === 'reset') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer[0], { 'content-type': 'application/json' }).end(answer[1]);
  }
}

/** Everything that hangs on a value, enumerable or not, with what caused it. */
function everythingIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'string') return [value];
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return [String(value)];
  seen.add(value);
  const found = [inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity })];
  if (value instanceof Error) found.push(String(value), value.stack ?? '', JSON.stringify(value));
  for (const name of Reflect.ownKeys(value)) found.push(...everythingIn(Reflect.get(value, name), seen));
  return found;
}

/** Twelve characters of it in a row, wherever they begin: any of them is too much. */
function piecesOf(secret: string): string[] {
  return Array.from({ length: secret.length - 11 }, (_, from) => secret.slice(from, from + 12));
}

function mustBeClean(what: string, found: readonly unknown[], signatures: ReadonlySet<string>): void {
  const pieces = [KEY, SECRET, encodeURIComponent(KEY), encodeURIComponent(SECRET), ...signatures].flatMap(piecesOf);
  for (const text of found.flatMap((each) => everythingIn(each)))
    for (const piece of pieces) assert.ok(!text.includes(piece), `${what}: ${JSON.stringify(piece)} in ${text.slice(0, 600)}`);
}

/** Waits a twentieth of what it is asked to, and never longer than `mostMs`: of a ban of ten minutes only the clock knows. */
function impatientTimers(mostMs: number): Timers {
  let skipped = 0;
  return {
    now: () => systemTimers.now() + skipped,
    async sleep(ms, signal) {
      const waited = Math.min(ms / 20, mostMs);
      await systemTimers.sleep(waited, signal);
      skipped += ms - waited;
    },
  };
}
const QUICK = { recvWindowMs: 1_000, propagationMs: 50, deadlineMs: 150 };
const bench = new AdapterBench();
const [instrument] = bench.instruments;
const binance = new BinanceServer('usdm', { key: KEY, secret: SECRET });
let binanceAt = '';
before(async () => {
  binanceAt = await binance.listen();
});
after(() => binance.close());

interface Opened {
  readonly submit: (id: string) => void;
  readonly said: () => unknown[];
  readonly stop: () => void;
}

interface Client {
  readonly name: string;
  readonly pass: (path: string) => Promise<readonly [number, string]>;
  readonly open: (address: string, isPatient: boolean, notices: string[]) => Promise<Opened>;
}

function common(notices: string[]) {
  return {
    random: new Random(1),
    runId: 'run',
    since: Date.now(),
    capital: amount('1000'),
    now: () => Date.now(),
    notBefore: () => 0,
    lastPrice: () => 60_000,
    onNotice: (words: string): void => void notices.push(words),
    signal: new AbortController().signal,
  };
}

const traded = instrument ?? assert.fail('an instrument');
const binanceClient: Client = {
  name: 'openCcxtVenue',
  pass: async (path) => {
    const answer = await fetch(`${binanceAt}${path}`);
    return [answer.status, await answer.text()];
  },
  open: async (address, isPatient, notices) => {
    const venue = await openCcxtVenue({
      ...common(notices),
      exchange: 'binanceusdm',
      environment: { BINANCEUSDM_API_KEY: KEY, BINANCEUSDM_API_SECRET: SECRET },
      address,
      instruments: [{ ...traded, venue: 'binanceusdm' } satisfies Instrument],
      timers: isPatient ? systemTimers : impatientTimers(1),
      settings: { ...QUICK, pollMs: 50, queriesASecond: 80 },
    });
    venue.start();
    return {
      submit: (id) => venue.submit(stopOf(id)),
      said: () => taken(venue),
      stop: () => venue.stop(),
    };
  },
};
const CLIENTS: readonly Client[] = [
  {
    name: 'openBybitVenue',
    pass: (path) => {
      const list = path.includes('instruments-info') ? [bench.exchange.listings[0]?.info()] : [];
      return Promise.resolve([200, JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category: 'linear', list }, time: Date.now() })]);
    },
    open: async (address, isPatient, notices) => {
      const venue = await openBybitVenue({
        ...common(notices),
        site: 'main',
        environment: { BYBIT_API_KEY: KEY, BYBIT_API_SECRET: SECRET },
        address,
        instruments: [traded],
        timers: isPatient ? systemTimers : impatientTimers(1),
        settings: QUICK,
        disasterPrice: () => NaN,
        foreign: 'flag',
        isGuarded: false,
        mayOpen: () => undefined,
      });
      venue.start();
      return {
        submit: (id) => venue.submit(stopOf(id)),
        said: () => taken(venue),
        stop: () => venue.stop(),
      };
    },
  },
  binanceClient,
];

/** Leaves whatever is the matter: it protects. */
function stopOf(id: string) {
  return orderOf(id, Date.now(), {
    side: 'sell',
    type: 'stop',
    role: 'stop',
    quantity: quantity('0.01'),
    stopPrice: price('50000'),
    reduceOnly: true,
  });
}

function taken(venue: { readonly peekAt: () => number; readonly take: () => unknown }): unknown[] {
  const reports: unknown[] = [];
  while (venue.peekAt() !== NEVER) reports.push(venue.take());
  return reports;
}

describe('keys, secrets and signatures', { timeout: 300_000 }, () => {
  for (const { name, pass, open } of CLIENTS) {
    for (const way of Object.keys(WAYS) as Way[]) {
      test(`${name}: ${way}`, async (context) => {
        const server = new Hostile(pass);
        context.after(() => server.close());
        const address = await server.listen();
        const notices: string[] = [];
        // At the start, where it throws; a client of which nothing has answered within half a minute would be waited for.
        if (way !== 'a timeout' || name === 'openCcxtVenue') {
          server.way = way;
          const error = await open(address, false, notices).then(
            (venue) => venue.stop(),
            (thrown: unknown) => thrown,
          );
          assert.ok(error instanceof Error, 'a venue that only fails is not opened');
          mustBeClean('the error', [error, ...notices], server.seen);
        }
        // While it trades, where it tells.
        server.way = undefined;
        const venue = await open(address, true, notices);
        context.after(() => venue.stop());
        server.way = way;
        venue.submit('1-1');
        const told = notices.length;
        const deadline = performance.now() + 10_000;
        const said: unknown[] = [];
        while (performance.now() < deadline && notices.length === told && said.length === 0) {
          await systemTimers.sleep(20);
          said.push(...venue.said());
        }
        assert.ok(notices.length > told || said.length > 0, 'it is told');
        venue.stop();
        said.push(...venue.said());
        mustBeClean('what is told', [...notices, ...said], server.seen);
        assert.ok(server.seen.size > 0, 'something was signed');
      });
    }
  }

  test('what is looked through: an error of ccxt has all of it, and what is made of it has nothing', async (context) => {
    const server = new Hostile((path) => binanceClient.pass(path));
    context.after(() => server.close());
    const client = await loadAnyTrader('binanceusdm', {
      credentials: { key: KEY, secret: SECRET },
      address: await server.listen(),
      recvWindowMs: 1_000,
      marketTypes: ['linear'],
      fetch: async (url, { headers, method = 'GET', body }) => fetch(url, { headers, method, ...(body === undefined ? {} : { body }) }),
    });
    await client.loadMarkets();
    const redact = redactor({ key: KEY, secret: SECRET });
    for (const way of ECHOING) {
      server.way = way;
      const thrown: unknown = await client.fetchBalance().then(
        () => assert.fail('a venue that only fails answers nothing'),
        (error: unknown) => error,
      );
      const said = everythingIn(thrown).join(' ');
      for (const secret of [KEY, SECRET, ...server.seen])
        assert.ok(
          piecesOf(secret).some((piece) => said.includes(piece)),
          `${way}: the walk finds ${secret} in what ccxt throws`,
        );
      mustBeClean(way, [judgeFailure(thrown, redact)], server.seen);
      server.seen.clear();
    }
  });

  for (const way of [...ECHOING, 'a refused key in an answer', 'another document', 'a cut connection'] satisfies Way[]) {
    test(`openBybitAccount: ${way}`, async (context) => {
      const time = JSON.stringify({ retCode: 0, retMsg: 'OK', result: {}, time: Date.now() });
      const server = new Hostile(() => Promise.resolve([200, time]), '/v5/market/time');
      context.after(() => server.close());
      server.way = way;
      const account = await openBybitAccount({
        site: 'main',
        environment: { BYBIT_API_KEY: KEY, BYBIT_API_SECRET: SECRET },
        address: await server.listen(),
        // Its deadlines are by them, too.
        timers: impatientTimers(250),
        random: new Random(1),
      });
      context.after(() => account.close());
      const error: unknown = await account.facts().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof Error, 'it is told');
      assert.ok(server.seen.size > 0, 'something was signed');
      mustBeClean(way, [error], server.seen);
    });
  }
});
