// What the engine hands over in one instant, as the venue gets it: together, answered row by row, within what the venue allows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { price, quantity } from '../../domain/decimal.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { AdapterBench, RUN, stop } from '../../../test/support/adapter-bench.ts';
import { defaultBybitVenueSettings } from './bybit-venue.ts';
import type { VenueRequest, WholeAnswer } from './venue-wire.ts';

const limit = (limitPrice: string) => ({ type: 'limit', limitPrice: price(limitPrice) }) as const;
const ETH = { instrument: 1, quantity: quantity('0.1') };

/** Requests that carry orders, in order: how many each. */
function carried(bench: AdapterBench, since = 0): readonly (readonly [path: string, orders: number])[] {
  return bench.wire.requests.flatMap(({ path, rows, at }) =>
    at >= since && /order\/(create|cancel)/.test(path) ? [[path.replace('/v5/order/', ''), rows?.length ?? 1] as const] : [],
  );
}

for (const orderEntry of ['rest', 'socket'] as const) {
  const opened = (): Promise<AdapterBench> =>
    new AdapterBench({ parts: { settings: { ...defaultBybitVenueSettings, orderEntry } } }).start();

  describe(`orders of one instant over ${orderEntry === 'rest' ? 'REST' : 'the socket'}`, () => {
    test('leave in one request, and one that comes alone leaves alone', async () => {
      const bench = await opened();
      bench.submit('1-1');
      bench.submit('1-2', ETH);
      await bench.advance(SECOND_MS);
      bench.submit('1-3');
      await bench.advance(SECOND_MS);
      assert.deepEqual(carried(bench), [
        ['create-batch', 2],
        ['create', 1],
      ]);
      assert.deepEqual(bench.said().toSorted(), ['1-1 filled 0.01', '1-2 filled 0.1', '1-3 filled 0.01']);
      assert.equal(bench.wire.socketRequests.length, orderEntry === 'socket' ? 2 : 0);
    });

    test('what closes and what opens have turns of their own', async () => {
      const bench = await opened();
      bench.submit('1-1', limit('50000'));
      bench.submit('1-2', ETH);
      bench.venue.submit(stop('1-3', bench.now, '40000'));
      await bench.advance(SECOND_MS);
      const sent = new Map(carried(bench));
      assert.deepEqual([sent.get('create'), sent.get('create-batch')], [1, 2]);
    });

    test('a row that is refused is refused alone', async () => {
      const bench = await opened();
      bench.submit('1-1', { quantity: quantity('900') });
      bench.submit('1-2', ETH);
      await bench.advance(SECOND_MS);
      assert.deepEqual([bench.said('1-1'), bench.said('1-2')], [['rejected'], ['filled 0.1']]);
      assert.match(bench.reasonOf('1-1'), /110007/);
      assert.equal(bench.venue.counts.doubts, 0);
    });

    test('a batch without an answer leaves every order of it in doubt, and each is found once', async () => {
      const bench = await opened();
      bench.fault({ kind: 'accept-reset', where: '/v5/order/create-batch', times: 1 });
      bench.fault({ kind: 'no-data', times: 8 });
      bench.submit('1-1');
      bench.submit('1-2', ETH);
      await bench.until('two fills', () => bench.said().length === 2);
      assert.deepEqual([bench.venue.counts.doubts, bench.atVenue('1-1'), bench.atVenue('1-2')], [2, 1, 1]);
      assert.deepEqual([bench.believed(0), bench.believed(1)], [bench.held(0), bench.held(1)]);
    });

    test('a batch that is lost: entries are dropped once, stops are sent again under their own ids', async () => {
      const bench = await opened();
      bench.submit('1-1');
      bench.submit('1-2', ETH);
      await bench.advance(SECOND_MS);
      bench.fault({ kind: 'lose', where: '/v5/order/create-batch', times: 2 });
      bench.submit('2-1', limit('50000'));
      bench.submit('2-2', { ...ETH, ...limit('2000') });
      bench.venue.submit(stop('2-3', bench.now, '58000'));
      bench.venue.submit(stop('2-4', bench.now, '2900', ETH));
      await bench.until(
        'all of it',
        () => bench.said('2-1').length > 0 && bench.said('2-2').length > 0 && bench.stopsAtVenue().length === 2,
      );
      await bench.advance(20 * SECOND_MS);
      assert.deepEqual([bench.said('2-1'), bench.said('2-2')], [['rejected'], ['rejected']]);
      assert.deepEqual([bench.atVenue('2-1'), bench.atVenue('2-3'), bench.atVenue('2-4'), bench.venue.counts.resent], [0, 1, 1, 2]);
    });

    test('an order that is called back in the instant in which it was given does not leave', async () => {
      const bench = await opened();
      bench.submit('1-1');
      bench.submit('1-2', ETH);
      bench.cancel('1-2', 1);
      await bench.advance(SECOND_MS);
      assert.deepEqual([bench.said('1-1'), bench.said('1-2'), bench.atVenue('1-2')], [['filled 0.01'], ['cancelled'], 0]);
    });

    test('a basket and its cancels stay within what the venue allows, by batch and one by one', async () => {
      const bench = await opened();
      const names = Array.from({ length: 20 }, (_, index) => `1-${index}`);
      for (const [index, name] of names.entries()) bench.submit(name, limit(String(40_000 + index)));
      await bench.advance(4 * SECOND_MS);
      assert.deepEqual(
        names.filter((name) => bench.said(name).join() !== 'accepted'),
        [],
      );
      assert.deepEqual(carried(bench).slice(0, 2), [
        ['create-batch', 4],
        ['create', 1],
      ]);
      const at = bench.timers.now();
      for (const name of names) bench.cancel(name);
      await bench.advance(4 * SECOND_MS);
      assert.deepEqual([bench.account.openOrders().length, bench.venue.counts.doubts], [0, 0]);
      const cancels = carried(bench, at);
      assert.ok(cancels.every(([path]) => path.startsWith('cancel')));
      assert.equal(
        cancels.reduce((sum, [, orders]) => sum + orders, 0),
        20,
        'each once',
      );
      assert.ok(
        carried(bench).every(([, orders]) => orders <= 4),
        'no more than go at once',
      );
    });
  });
}

describe('an answer to a batch', () => {
  /** The venue's answer to the next batch is changed on its way. */
  async function answered(change: (answer: { result: { list: object[] }; retExtInfo: { list: object[] } }) => void): Promise<AdapterBench> {
    const bench = await new AdapterBench().start();
    const ask = bench.wire.ask.bind(bench.wire);
    bench.wire.ask = async (request: VenueRequest, signal: AbortSignal): Promise<WholeAnswer> => {
      const answer = await ask(request, signal);
      if (request.path !== '/v5/order/create-batch') return answer;
      const said = JSON.parse(answer.body) as Parameters<typeof change>[0];
      change(said);
      return { ...answer, body: JSON.stringify(said) };
    };
    bench.fault({ kind: 'no-data', where: 'order', times: 2 });
    bench.submit('1-1', limit('50000'));
    bench.submit('1-2', { ...ETH, ...limit('2000') });
    await bench.until('both', () => bench.said().length === 2);
    assert.deepEqual([bench.said('1-1'), bench.said('1-2')], [['accepted'], ['accepted']]);
    assert.deepEqual([bench.atVenue('1-1'), bench.atVenue('1-2')], [1, 1]);
    return bench;
  }

  test('without a row leaves the order of that row in doubt, and no other', async () => {
    const bench = await answered(({ retExtInfo }) => retExtInfo.list.pop());
    assert.equal(bench.venue.counts.doubts, 1);
  });

  test('with rows that are not in their places leaves all of them in doubt', async () => {
    const bench = await answered(({ result }) => result.list.reverse());
    assert.equal(bench.venue.counts.doubts, 2);
  });

  test('that has no rows at all proves nothing', async () => {
    const bench = await answered((said) => Object.assign(said, { result: {}, retExtInfo: {} }));
    assert.equal(bench.venue.counts.doubts, 2);
  });

  test('that says of one row what nobody can know leaves that one in doubt', async () => {
    const bench = await answered(({ retExtInfo }) => Object.assign(retExtInfo.list[1] ?? {}, { code: 10016, msg: 'Server error' }));
    assert.equal(bench.venue.counts.doubts, 1);
    assert.ok(bench.notices.some((words) => words.includes('order 1-2 is in doubt: 10016 Server error')));
  });

  test('names orders as they were asked for', async () => {
    const bench = await answered(() => undefined);
    assert.equal(bench.venue.counts.doubts, 0);
    const [batch] = bench.wire.requests.filter(({ path }) => path === '/v5/order/create-batch');
    assert.deepEqual(
      batch?.rows?.map(({ orderLinkId }) => orderLinkId),
      [`${RUN}-1-1`, `${RUN}-1-2`],
    );
    assert.deepEqual(batch?.parameters, { category: 'linear' });
  });
});
