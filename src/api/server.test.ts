import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import { commandAnswerSchema, failureSchema, healthSchema, runStatusSchema, type StatusDocument } from './contract.ts';
import { fakeHandle, sampleStatus, type FakeHandle } from './sample-status.fixture.ts';
import { createApi, serve } from './server.ts';

const JSON_BODY = { 'content-type': 'application/json' };

function api(t: TestContext, handle: FakeHandle | undefined = fakeHandle()) {
  const server = createApi(() => handle);
  t.after(() => server.close());
  return server;
}

/** The code of a refusal, whose document has the shape of all refusals. */
function codeOf(body: string): string {
  return failureSchema.parse(JSON.parse(body)).error.code;
}

describe('what is answered', () => {
  test('health is short', async (t) => {
    const response = await api(t).inject('/health');
    assert.equal(response.statusCode, 200);
    assert.deepEqual(healthSchema.parse(response.json()), { status: 'ok', runId: 'paper-1', at: sampleStatus.at });
  });

  test('status is the whole state, and an estimate that is not known is null', async (t) => {
    const response = await api(t).inject('/status');
    const status = runStatusSchema.parse(response.json());
    assert.equal(status.equity, sampleStatus.equity);
    assert.equal(status.positions[1]?.mark, null);
    assert.equal(response.headers['cache-control'], 'no-store');
  });

  test('a session’s own state fits the contract', () => {
    const document: StatusDocument = sampleStatus;
    assert.equal(document.runId, 'paper-1');
  });

  test('a session that is still starting says so', async () => {
    const server = createApi(() => undefined);
    assert.equal(healthSchema.parse((await server.inject('/health')).json()).status, 'starting');
    for (const response of [
      await server.inject('/status'),
      await server.inject({ method: 'POST', url: '/commands/halt', headers: JSON_BODY, payload: '{}' }),
    ]) {
      assert.equal(response.statusCode, 503);
      assert.equal(codeOf(response.body), 'SESSION_STARTING');
    }
    await server.close();
  });

  for (const command of ['halt', 'resume', 'flatten'] as const) {
    test(`${command} is said to the session, and the state after it is the answer`, async (t) => {
      const handle = fakeHandle();
      const response = await api(t, handle).inject({ method: 'POST', url: `/commands/${command}`, headers: JSON_BODY, payload: '{}' });
      assert.equal(response.statusCode, 200);
      assert.equal(commandAnswerSchema.parse(response.json()).command, command);
      assert.deepEqual(handle.said, [`${command}  page`]);
    });
  }

  test('close needs the name of a sleeve', async (t) => {
    const handle = fakeHandle();
    const server = api(t, handle);
    const close = (payload: object) => server.inject({ method: 'POST', url: '/commands/close', headers: JSON_BODY, payload });
    assert.equal((await close({})).statusCode, 400);
    assert.equal((await close({ argument: 'trend BTC/USDT:USDT' })).statusCode, 200);
    assert.deepEqual(handle.said, ['close trend BTC/USDT:USDT page']);
  });

  test('what the session refuses is 409 with its words', async (t) => {
    for (const [refusal, code] of [
      [new Error('no sleeve is named "x"'), 'COMMAND_REFUSED'],
      [new BallastError({ code: 'RUN_OVER', place: 'run', found: 'an end', expected: 'a running session' }), 'RUN_OVER'],
    ] as const) {
      const response = await api(t, fakeHandle({}, refusal)).inject({
        method: 'POST',
        url: '/commands/halt',
        headers: JSON_BODY,
        payload: {},
      });
      assert.equal(response.statusCode, 409);
      assert.equal(codeOf(response.body), code);
    }
  });

  test('a bug in the session is 500 without a stack trace', async (t) => {
    const server = createApi(() => ({
      ...fakeHandle(),
      status: () => {
        throw new TypeError('x is undefined');
      },
    }));
    t.after(() => server.close());
    const response = await server.inject('/status');
    assert.equal(response.statusCode, 500);
    assert.equal(codeOf(response.body), 'BUG');
    assert.doesNotMatch(response.body, /\bat .*\.ts/);
  });
});

describe('what is refused', () => {
  for (const host of [
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.5',
    '169.254.169.254',
  ]) {
    test(`host ${JSON.stringify(host)}, whatever is asked for`, async (t) => {
      const handle = fakeHandle();
      const server = api(t, handle);
      for (const url of ['/', '/health', '/status', '/nothing']) {
        const response = await server.inject({ url, headers: { host } });
        assert.equal(response.statusCode, 403, url);
        assert.equal(codeOf(response.body), 'REQUEST_FOREIGN');
      }
      const posted = await server.inject({ method: 'POST', url: '/commands/halt', headers: { ...JSON_BODY, host }, payload: '{}' });
      assert.equal(posted.statusCode, 403);
      assert.deepEqual(handle.said, []);
    });
  }

  for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'localhost']) {
    test(`not host ${host}`, async (t) => assert.equal((await api(t).inject({ url: '/status', headers: { host } })).statusCode, 200));
  }

  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:4000' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
  ]) {
    test(`a command with ${JSON.stringify(headers)}`, async (t) => {
      const handle = fakeHandle();
      const response = await api(t, handle).inject({
        method: 'POST',
        url: '/commands/halt',
        headers: { ...JSON_BODY, host: 'localhost:3000', ...headers },
        payload: '{}',
      });
      assert.equal(response.statusCode, 403);
      assert.deepEqual(handle.said, []);
    });
  }

  test('not a command of the page itself, nor a link that opens the page', async (t) => {
    const handle = fakeHandle();
    const own = { ...JSON_BODY, host: 'localhost:3000', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' };
    assert.equal((await api(t, handle).inject({ method: 'POST', url: '/commands/halt', headers: own, payload: '{}' })).statusCode, 200);
    const link = { host: 'localhost:3000', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    assert.equal((await api(t).inject({ url: '/', headers: link })).statusCode, 200);
  });

  test('a request from another machine', async (t) => {
    const response = await api(t).inject({ url: '/status', remoteAddress: '192.168.1.9' });
    assert.equal(response.statusCode, 403);
  });

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', '']) {
    test(`a command of content-type ${JSON.stringify(type)}`, async (t) => {
      const handle = fakeHandle();
      for (const payload of ['{}', '']) {
        const headers = type === '' ? {} : { 'content-type': type };
        const response = await api(t, handle).inject({ method: 'POST', url: '/commands/halt', headers, payload });
        assert.equal(response.statusCode, 415, response.body);
        assert.equal(codeOf(response.body), 'BODY_MALFORMED');
      }
      assert.deepEqual(handle.said, []);
    });
  }

  for (const payload of [
    '{',
    '[]',
    'null',
    '"halt"',
    '{"argument":1}',
    '{"argument":"x","more":1}',
    `{"argument":"${'x'.repeat(2_000)}"}`,
    `"${'x'.repeat(20_000)}"`,
  ]) {
    test(`the body ${payload.slice(0, 40)}`, async (t) => {
      const handle = fakeHandle();
      const response = await api(t, handle).inject({ method: 'POST', url: '/commands/halt', headers: JSON_BODY, payload });
      assert.ok(response.statusCode === 400 || response.statusCode === 413, String(response.statusCode));
      assert.equal(codeOf(response.body), 'BODY_MALFORMED');
      assert.deepEqual(handle.said, []);
    });
  }

  test('stop and other commands that the contract does not have', async (t) => {
    const handle = fakeHandle();
    for (const command of ['stop', 'status', 'constructor', '..%2Fhalt']) {
      const response = await api(t, handle).inject({ method: 'POST', url: `/commands/${command}`, headers: JSON_BODY, payload: '{}' });
      assert.equal(response.statusCode, 404, command);
    }
    assert.deepEqual(handle.said, []);
  });

  test('a command by GET', async (t) => {
    const handle = fakeHandle();
    const response = await api(t, handle).inject('/commands/halt');
    assert.equal(response.statusCode, 404);
    assert.equal(codeOf(response.body), 'ROUTE_UNKNOWN');
    assert.deepEqual(handle.said, []);
  });
});

describe('listening', () => {
  test('a real request is answered on the address that was printed', async (t) => {
    const server = await serve(() => fakeHandle(), { host: '127.0.0.1', port: 0 });
    t.after(() => server.close());
    assert.match(server.address, /^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${server.address}/status`);
    assert.equal(runStatusSchema.parse(await response.json()).runId, 'paper-1');
    assert.equal((await fetch(`${server.address}/`)).headers.get('content-type'), 'text/html; charset=utf-8');
  });

  test('a name that was made to point here is refused on the wire', async (t) => {
    const server = await serve(() => fakeHandle(), { host: '127.0.0.1', port: 0 });
    t.after(() => server.close());
    const status = await new Promise((resolve, reject) => {
      request(`${server.address}/status`, { headers: { host: 'evil.example' } }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    assert.equal(status, 403);
  });

  test('a taken port is named, and what to do', async (t) => {
    const server = await serve(() => fakeHandle(), { host: '127.0.0.1', port: 0 });
    t.after(() => server.close());
    const port = Number(new URL(server.address).port);
    await assert.rejects(
      serve(() => undefined, { host: '127.0.0.1', port }),
      {
        code: 'PORT_TAKEN',
        message: new RegExp(`^127\\.0\\.0\\.1:${port}: found port ${port} taken, expected a free port \\(.*--port 0\\)$`),
      },
    );
  });

  test('an address of another machine cannot be listened on', async () => {
    await assert.rejects(
      serve(() => undefined, { host: '192.0.2.1', port: 0 }),
      { code: 'LISTEN_FAILED' },
    );
  });

  test('closing does not wait for a page that keeps its connection', async () => {
    const server = await serve(() => fakeHandle(), { host: '127.0.0.1', port: 0 });
    await (await fetch(`${server.address}/health`)).text();
    const before = performance.now();
    await server.close();
    assert.ok(performance.now() - before < 1_000, 'closed within a second');
  });
});
