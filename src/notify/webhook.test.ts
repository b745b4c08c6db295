// Alerts over HTTP, against a server on this machine that behaves badly.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import type { Notice } from './notifier.ts';
import { webhook } from './webhook.ts';

const NOTICE: Notice = { at: Date.UTC(2026, 0, 5), runId: 'paper-1', rule: 'halt', why: 'drawdown 25.00 % reached 25.00 %' };
const SECRET = 'services-T000-secret';
const never = new AbortController().signal;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** @returns its address, whose path is the secret, and every body that came */
async function server(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ address: string; bodies: string[] }> {
  const bodies: string[] = [];
  const listening = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.push(body);
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { address: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/${SECRET}`, bodies };
}

const withStatus = (status: number) => server((_, response) => response.writeHead(status).end('whatever it says'));

describe('F49: a webhook', () => {
  test('is one POST of JSON that chat services show and programs read', async () => {
    const { address, bodies } = await withStatus(204);
    assert.equal(await webhook(address)(NOTICE, 2, never), 'taken');
    const words = 'ballast paper-1: halt: drawdown 25.00 % reached 25.00 % (2 earlier alerts could not be sent)';
    assert.deepEqual(
      bodies.map((body) => JSON.parse(body) as unknown),
      [{ text: words, content: words, runId: 'paper-1', rule: 'halt', why: NOTICE.why, at: '2026-01-05T00:00:00Z', missed: 2 }],
    );
  });

  for (const status of [500, 502, 503, 429, 408, 302]) {
    test(`F49: that answers ${status} may be asked again`, async () => {
      const { address } = await server((_, response) => response.writeHead(status, { location: 'http://127.0.0.1:9/elsewhere' }).end());
      await assert.rejects(webhook(address)(NOTICE, 0, never), new RegExp(`^Error: HTTP ${status}$`));
    });
  }

  for (const status of [400, 401, 403, 404, 410]) {
    test(`F49: that answers ${status} has refused`, async () => {
      const { address } = await withStatus(status);
      assert.equal(await webhook(address)(NOTICE, 0, never), 'refused');
    });
  }

  test('F49: that hangs, cuts the connection or is not there fails in words without the address', async () => {
    const { address: hanging } = await server(() => undefined);
    const { address: cutting } = await server((request) => request.socket.destroy());
    const failures: unknown[] = [];
    for (const address of [hanging, cutting, `http://127.0.0.1:1/${SECRET}`]) {
      await webhook(address, address === hanging ? 50 : 30_000)(NOTICE, 0, never).catch((error: unknown) => failures.push(error));
    }
    assert.equal(failures.length, 3);
    assert.equal(String(failures[0]), 'Error: no answer in time');
    for (const failure of failures) assert.doesNotMatch(String(failure), new RegExp(SECRET));
  });

  test('F49: is let go of when the session ends', async () => {
    const { address } = await server(() => undefined);
    const end = new AbortController();
    const asked = webhook(address)(NOTICE, 0, end.signal);
    end.abort();
    await assert.rejects(asked, /no answer in time/);
  });
});
