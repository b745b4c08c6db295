// What is remembered: executions, the clock of the venue, keys, pauses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { DAY_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { pauseAfter } from './backoff.ts';
import { loadBybitTrader } from './client.ts';
import { ClockSkew } from './clock-skew.ts';
import { credentialsFrom, redactor, type Site } from './credentials.ts';
import { ExecutionMemory } from './execution-memory.ts';

describe('executions', () => {
  test('are believed once, also after a restart', () => {
    const memory = new ExecutionMemory(1_000_000);
    assert.deepEqual([memory.believe('a', 2_000_000), memory.believe('a', 2_000_000), memory.believe('b', 1_500_000)], [true, false, true]);
    const out = new ByteWriter();
    memory.save(out);
    const again = new ExecutionMemory(0);
    again.restore(new ByteReader(out.view()));
    assert.deepEqual([again.has('a'), again.has('b'), again.has('c')], [true, true, false]);
  });

  test('are asked for from where a query has listed all of them, whatever a stream has said since', () => {
    const memory = new ExecutionMemory(1_000_000);
    memory.believe('a', 2_000_000);
    assert.equal(memory.askFrom, 940_000);
    memory.completed(1_500_000);
    memory.believe('b', 3_000_000);
    const out = new ByteWriter();
    memory.save(out);
    const again = new ExecutionMemory(0);
    again.restore(new ByteReader(out.view()));
    assert.deepEqual([memory.askFrom, again.askFrom], [1_440_000, 1_440_000]);
  });

  test('of long ago are let go of, and those of a week are not', () => {
    const memory = new ExecutionMemory(0);
    for (let each = 0; each < 2_000; each++) memory.believe(`old-${each}`, each);
    for (let each = 0; each < 2_000; each++) memory.believe(`new-${each}`, 8 * DAY_MS + each);
    assert.deepEqual([memory.has('old-5'), memory.has('new-0'), memory.has('new-1999')], [false, true, true]);
  });
});

describe('the clock of a venue', () => {
  test('is what the fastest answer says of it, and a slow one proves nothing', () => {
    const skew = new ClockSkew();
    assert.ok(Number.isNaN(skew.aheadMs));
    skew.measured(0, 900, 2_000);
    assert.equal(skew.leastMs, 0);
    skew.measured(10, 20, 30);
    skew.measured(20, -700, 1_500);
    assert.deepEqual([skew.aheadMs, skew.leastMs], [20, 5]);
    skew.measured(30, 5_000, 40);
    assert.equal(skew.aheadMs, 20, 'a slower one does not take its place');
    skew.measured(200_000, 5_000, 40);
    assert.deepEqual([skew.aheadMs, skew.leastMs], [5_000, 4_980]);
  });
});

describe('keys', () => {
  test('are those of their site, and are taken out of words', () => {
    const environment = {
      BYBIT_API_KEY: ' main ',
      BYBIT_API_SECRET: 'hidden',
      BYBIT_DEMO_API_KEY: 'demo',
      BYBIT_DEMO_API_SECRET: 'also hidden',
    };
    assert.deepEqual(credentialsFrom(environment, 'main'), { key: 'main', secret: 'hidden' });
    assert.deepEqual(credentialsFrom(environment, 'demo'), { key: 'demo', secret: 'also hidden' });
    assert.throws(() => credentialsFrom(environment, 'testnet'), { code: 'CREDENTIALS_MISSING', exitCode: 2 });
    assert.equal(redactor({ key: 'abc', secret: 'xyz' })('origin_string[1abc5000] xyz abc'), 'origin_string[1[key]5000] [secret] [key]');
  });

  test('go to the site that was chosen, and to no other', async () => {
    const nobodyAsks = (): Promise<never> => Promise.reject(new Error('nothing is asked'));
    const options = { credentials: { key: 'key', secret: 'secret' }, recvWindowMs: 5_000, marketTypes: [], fetch: nobodyAsks };
    const addressesOf = async (site: Site, address?: string): Promise<string[]> => {
      const { client, addresses } = await loadBybitTrader({ ...options, site, address });
      const { url } = client.sign('v5/order/create', 'private', 'POST', {}) as { readonly url: string };
      return [url, addresses.private, addresses.linear];
    };
    assert.deepEqual(await addressesOf('main'), [
      'https://api.bybit.com/v5/order/create',
      'wss://stream.bybit.com/v5/private',
      'wss://stream.bybit.com/v5/public/linear',
    ]);
    assert.deepEqual(await addressesOf('testnet'), [
      'https://api-testnet.bybit.com/v5/order/create',
      'wss://stream-testnet.bybit.com/v5/private',
      'wss://stream-testnet.bybit.com/v5/public/linear',
    ]);
    assert.deepEqual(await addressesOf('demo'), [
      'https://api-demo.bybit.com/v5/order/create',
      'wss://stream-demo.bybit.com/v5/private',
      'wss://stream.bybit.com/v5/public/linear',
    ]);
    assert.deepEqual(await addressesOf('main', 'http://127.0.0.1:9'), [
      'http://127.0.0.1:9/v5/order/create',
      'ws://127.0.0.1:9/v5/private',
      'ws://127.0.0.1:9/v5/public/linear',
    ]);
  });
});

test('pauses double from a quarter of a second to half a minute, give or take a fifth, by the seed', () => {
  const random = new Random(1);
  for (let attempt = 0; attempt < 40; attempt++) {
    const plain = Math.min(30_000, 250 * 2 ** attempt);
    const pause = pauseAfter(attempt, random);
    assert.ok(pause >= 0.8 * plain - 1 && pause <= 1.2 * plain + 1, `${pause} after ${attempt}`);
  }
  assert.equal(pauseAfter(3, new Random(7)), pauseAfter(3, new Random(7)));
});
