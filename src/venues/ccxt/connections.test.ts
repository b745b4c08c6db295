// Requests over connections that stay open, against a server of a few lines on loopback.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Connections } from './connections.ts';
import { failureWords } from './requests.ts';

const server = createServer((request, response) => void answer(request, response));
let address = '';
/** Ports that requests came from. */
const ports: (number | undefined)[] = [];

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.closeAllConnections());
after(() => server.close());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  ports.push(request.socket.remotePort);
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  if (request.url === '/silent') return;
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of', () => request.socket.destroy());
    return;
  }
  if (request.url === '/moved') {
    response.writeHead(302, { location: '/elsewhere' }).end();
    return;
  }
  response.writeHead(200, { 'x-of': `${request.method} ${String(request.headers['x-mine'])}` }).end(`heard ${body}`);
}

function asked(method: 'GET' | 'POST', body?: string) {
  return { method, headers: { 'x-mine': 'yes' }, body, signal: new AbortController().signal };
}

test('one after the other go over one connection, and a body arrives whole in any language', async () => {
  const connections = new Connections();
  ports.length = 0;
  for (const words of ['one', 'zwei, größer', '三']) {
    const { status, headers, body } = await connections.ask(new URL(`${address}/order`), asked('POST', words));
    assert.deepEqual([status, headers.get('X-Of'), body], [200, 'POST yes', `heard ${words}`]);
  }
  const { body } = await connections.ask(new URL(`${address}/order`), asked('GET'));
  assert.equal(body, 'heard ');
  assert.deepEqual([ports.length, new Set(ports).size], [4, 1]);
});

test('its last byte is given once, before it is answered', async () => {
  const connections = new Connections();
  const order: string[] = [];
  for (let time = 0; time < 2; time++) {
    await connections.ask(new URL(`${address}/order`), { ...asked('POST', 'buy'), onGiven: () => order.push('given') });
    order.push('answered');
  }
  assert.deepEqual(order, ['given', 'answered', 'given', 'answered']);
});

test('a redirect is an answer', async () => {
  const { status, headers } = await new Connections().ask(new URL(`${address}/moved`), asked('GET'));
  assert.deepEqual([status, headers.get('location')], [302, '/elsewhere']);
});

test('an answer that is cut off, and a door that is closed, are failures with a cause', async () => {
  const connections = new Connections();
  await assert.rejects(connections.ask(new URL(`${address}/cut`), asked('GET')), (failure) => {
    assert.ok(failure instanceof TypeError && failure.cause instanceof Error);
    return true;
  });
  const nobody = createServer();
  nobody.listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await once(nobody, 'close');
  await assert.rejects(connections.ask(new URL(`http://127.0.0.1:${port}/`), asked('GET')), (failure) =>
    /ECONNREFUSED/.test(failureWords(failure, 'the venue', 1_000)),
  );
  // What broke is not used again.
  assert.equal((await connections.ask(new URL(`${address}/order`), asked('POST', 'again'))).body, 'heard again');
});

test('who gives up hears his own reason, at once and before it began', async () => {
  const connections = new Connections();
  const giving = new AbortController();
  const reason = new Error('the session is over');
  const answered = connections.ask(new URL(`${address}/silent`), {
    ...asked('POST', 'x'),
    signal: giving.signal,
    onGiven: () => giving.abort(reason),
  });
  await assert.rejects(answered, (failure) => failure === reason);
  await assert.rejects(
    connections.ask(new URL(`${address}/order`), { ...asked('GET'), signal: giving.signal }),
    (failure) => failure === reason,
  );
});
