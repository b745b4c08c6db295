// What seeds of `ballast simulate` have found in the adapter, each in the few steps that it takes. The worlds of the seeds have changed since.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { format, price, quantity } from '../../domain/decimal.ts';
import { MINUTE_MS, NEVER } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { orderEventRow } from '../bybit-server/served-order.ts';
import { BybitMarket, type MarketMessage } from './bybit-market.ts';
import { AdapterBench, disaster, START, stop } from '../../../test/support/adapter-bench.ts';

function paidTo({ reports }: AdapterBench): string[] {
  return reports.flatMap((report) => (report.kind === 'funding.paid' ? [format(report.amount)] : []));
}

async function holding(): Promise<AdapterBench> {
  const bench = await new AdapterBench().start();
  bench.submit('1-1', { quantity: quantity('0.01') });
  await bench.until('a position', () => bench.held() === '0.01');
  await bench.advance(2_000);
  return bench;
}

/** A position with the stop that its entry brought is closed, and the stream does not say that the stop has gone with it. */
async function closedUnsaid(): Promise<AdapterBench> {
  const bench = await new AdapterBench().start();
  bench.submit('1-1', { attached: [disaster('1-2', bench.now, '50000')] });
  await bench.until('its stop', () => bench.said('1-2').includes('accepted'));
  bench.fault({ kind: 'no-data', where: 'order' });
  bench.submit('1-3', { side: 'sell', reduceOnly: true });
  await bench.until('no position', () => bench.held() === '0');
  return bench;
}

describe('found by the simulation', () => {
  test('seed 121: a payment of funding that was booked before a restart is not booked again after it', async () => {
    const bench = await holding();
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '1.5' });
    await bench.advance(1_000);
    assert.deepEqual(paidTo(bench), ['1.5']);
    bench.venue.stop();
    const heard = [...bench.reports];
    bench.venue = bench.open();
    // As a recovery does it: commands and reports in the order in which they were recorded.
    bench.submit('1-1', { quantity: quantity('0.01') });
    for (const report of heard) bench.venue.recall(report);
    bench.venue.start();
    await bench.advance(MINUTE_MS);
    assert.ok(bench.venue.isReconciled);
    assert.deepEqual(paidTo(bench), ['1.5']);
    assert.equal(bench.believed(), bench.held());
  });

  test('seed 1583: what was paid while the network was away is asked for, although the stream has said something newer meanwhile', async () => {
    const bench = await holding();
    bench.wire.cut(true);
    await bench.advance(1_000);
    bench.act({ act: 'fund', symbol: 'BTCUSDT', amount: '-2.25' });
    await bench.advance(3 * MINUTE_MS);
    bench.wire.cut(false);
    // The stream is back before the account has been asked for anything, and says a fill.
    bench.fault({ kind: 'http-status', where: '/v5/execution/list', times: 3 });
    bench.submit('2-1', { side: 'sell', quantity: quantity('0.005'), reduceOnly: true });
    await bench.until('the fill', () => bench.held() === '0.005', 2 * MINUTE_MS);
    await bench.advance(2 * MINUTE_MS);
    assert.ok(bench.venue.isReconciled);
    assert.deepEqual(paidTo(bench), ['-2.25']);
  });

  test('what has been asked for to its end is not asked for again after a restart', async () => {
    const bench = await holding();
    await bench.advance(3 * MINUTE_MS);
    bench.submit('2-1', { quantity: quantity('0.01') });
    await bench.advance(MINUTE_MS);
    const out = new ByteWriter();
    bench.venue.save(out);
    bench.venue.stop();
    bench.venue = bench.open();
    bench.venue.restore(new ByteReader(out.view()));
    const since = bench.timers.now();
    bench.venue.start();
    await bench.advance(1_000);
    const asked = bench.wire.requests.find(({ at, path }) => at >= since && path === '/v5/execution/list');
    assert.ok(Number(asked?.parameters['startTime']) >= START + MINUTE_MS, JSON.stringify(asked));
  });

  test('seed 3070: an order that the stream tells of while it is looked for in vain is not in doubt for ever', async () => {
    const bench = await new AdapterBench().start();
    const ask = bench.wire.ask.bind(bench.wire);
    const state = { isBlind: true };
    bench.fault({ kind: 'no-data', where: 'order', times: 1 });
    bench.wire.ask = async (request, signal) => {
      const answer = await ask(request, signal);
      if (!state.isBlind) return answer;
      if (request.path === '/v5/order/create') throw new TypeError('fetch failed');
      if (!('orderLinkId' in request.parameters)) return answer;
      // The venue's answer is older than what its stream says before it comes.
      if (request.path === '/v5/order/history') {
        const [order] = bench.account.openOrders();
        if (order !== undefined) bench.wire.inject({ topic: 'order', data: [orderEventRow(order)] });
        await bench.timers.sleep(50);
        state.isBlind = false;
      }
      const body = JSON.stringify({ ...(JSON.parse(answer.body) as object), result: { list: [], nextPageCursor: '' } });
      return { ...answer, body };
    };
    bench.submit('1-1', { type: 'limit', limitPrice: price('50000') });
    await bench.until('what the stream says', () => bench.said('1-1').includes('accepted'));
    await bench.advance(MINUTE_MS);
    assert.equal(bench.venue.blockOf(0), undefined);
  });

  test('an order that the venue did not know for a moment is known again once it does', async () => {
    const bench = await new AdapterBench().start();
    bench.submit('1-1', { type: 'limit', limitPrice: price('50000') });
    await bench.until('an order', () => bench.said('1-1').includes('accepted'));
    const ask = bench.wire.ask.bind(bench.wire);
    const state = { isBlind: true };
    bench.wire.ask = async (request, signal) => {
      const answer = await ask(request, signal);
      if (!state.isBlind || !request.path.startsWith('/v5/order/')) return answer;
      const body = JSON.stringify({ ...(JSON.parse(answer.body) as object), result: { list: [], nextPageCursor: '' } });
      return { ...answer, body };
    };
    await bench.until('a doubt', () => bench.venue.blockOf(0)?.includes('1-1') === true, MINUTE_MS);
    state.isBlind = false;
    await bench.advance(MINUTE_MS);
    assert.equal(bench.venue.blockOf(0), undefined);
  });

  test('seed 27: a bar that was forming when it was asked for is none, although it has closed when the answer comes', async () => {
    const bench = await new AdapterBench().start();
    const said: MarketMessage[] = [];
    const market = new BybitMarket({
      instruments: bench.instruments.slice(0, 1),
      wire: bench.wire,
      timers: bench.timers,
      random: new Random(1),
      timeframeMs: MINUTE_MS,
      also: [],
      deadlineMs: 5_000,
      pingMs: 10_000,
      since: [START],
      warmsUp: false,
      onMessage: (message) => said.push(message),
      onBook: () => false,
      onBookLost: () => undefined,
      onLost: () => undefined,
      onRestored: () => undefined,
      onNotice: () => undefined,
    });
    await bench.advance(MINUTE_MS - 1_000 - (bench.now - START));
    // Asked before the close, answered after it; and in the last moment the price moves.
    bench.wire.latencyMs = [300, 300];
    market.start();
    await bench.advance(920);
    bench.stepped.move(0, 61_234.5);
    await bench.advance(3_000);
    bench.wire.latencyMs = [1, 5];
    await bench.advance(1_000);
    const bars = said.filter(({ kind }) => kind === 'bar.closed');
    assert.deepEqual(
      bars.map((bar) => 'close' in bar && bar.close),
      [61_234.5],
    );
    market.stop();
  });

  test('seed 203344: the end of a stop that went with its position is asked for where the stream does not say it', async () => {
    const bench = await closedUnsaid();
    // Long before the account is next compared: another position may come, and must not be taken for protected.
    await bench.until('its end', () => bench.said('1-2').includes('cancelled'), 3_000);
  });

  test('seed 204336: a stop that a former life may have sent is asked about, and its cancel is one at the venue', async () => {
    const bench = await new AdapterBench().start();
    const entry = () => bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000')] });
    const before = new ByteWriter();
    bench.venue.save(before);
    entry();
    await bench.until('a stop', () => bench.stopsAtVenue().length === 1);
    // Killed before it wrote down that the entry has filled.
    bench.venue.stop();
    bench.reports.length = 0;
    bench.venue = bench.open();
    bench.venue.restore(new ByteReader(before.view()));
    entry();
    const ask = bench.wire.ask.bind(bench.wire);
    bench.wire.ask = async (request, signal) => {
      const answer = await ask(request, signal);
      // Its list of what is open comes after what it says of fills.
      if (request.path === '/v5/order/realtime' && !('orderLinkId' in request.parameters)) await bench.timers.sleep(500);
      return answer;
    };
    let isCancelled = false;
    bench.venue.onArrival(() => {
      while (bench.venue.peekAt() !== NEVER) bench.reports.push(bench.venue.take());
      if (isCancelled || !bench.said('1-1').includes('filled 0.01')) return;
      isCancelled = true;
      bench.cancel('1-2');
    });
    bench.venue.start();
    await bench.until('its end', () => bench.said('1-2').includes('cancelled'));
    assert.deepEqual(bench.stopsAtVenue(), []);
    assert.equal(bench.atVenue('1-2'), 1);
  });

  test('a stop that no former life has sent leaves once the venue has proven that', async () => {
    const bench = await new AdapterBench().start();
    const entry = () => bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000')] });
    const before = new ByteWriter();
    bench.venue.save(before);
    entry();
    await bench.advance(4);
    // Killed before it heard of the fill.
    bench.venue.stop();
    await bench.until('a position', () => bench.held() === '0.01');
    assert.deepEqual(bench.stopsAtVenue(), []);
    bench.reports.length = 0;
    bench.venue = bench.open();
    bench.venue.restore(new ByteReader(before.view()));
    entry();
    bench.venue.start();
    await bench.until('its stop', () => bench.said('1-2').includes('accepted'), MINUTE_MS);
    assert.deepEqual(bench.stopsAtVenue(), ['Stop 58000']);
    assert.equal(bench.atVenue('1-2'), 1);
  });

  test('seed 226524: an order that is found while its amendment has not left yet is looked at again, and time goes on', async () => {
    const bench = await new AdapterBench().start();
    bench.submit('1-1');
    bench.venue.submit(stop('1-2', bench.now, '58000'));
    const out = new ByteWriter();
    bench.venue.save(out);
    await bench.until('a stop', () => bench.stopsAtVenue().length === 1);
    bench.venue.stop();
    bench.reports.length = 0;
    bench.venue = bench.open();
    bench.venue.restore(new ByteReader(out.view()));
    // It is moved in the instant in which it is found, by a loop that was waiting for that.
    let isMoved = false;
    bench.venue.onArrival(() => {
      while (bench.venue.peekAt() !== NEVER) bench.reports.push(bench.venue.take());
      if (isMoved || !bench.said('1-2').includes('accepted')) return;
      isMoved = true;
      queueMicrotask(() => bench.move('1-2', '58500'));
    });
    bench.venue.start();
    await bench.until('it has moved', () => bench.stopsAtVenue().join() === 'Stop 58500', MINUTE_MS);
    bench.submit('1-3', { side: 'sell', reduceOnly: true });
    await bench.until('another order', () => bench.held() === '0');
    const { reconciliations } = bench.venue.counts;
    await bench.advance(3 * MINUTE_MS);
    assert.ok(bench.venue.counts.reconciliations > reconciliations + 3, 'it is still awake');
  });

  test('a position has one stop: where two are believed in, the cancel of one takes none away', async () => {
    const bench = await closedUnsaid();
    // Another comes before anybody has heard of that.
    bench.submit('1-4', { attached: [disaster('1-5', bench.now, '49000')] });
    await bench.until('the next position', () => bench.held() === '0.01' && bench.believed() === '0.01');
    bench.clearFaults();
    // The engine keeps the tighter one of two.
    bench.cancel('1-5');
    let naked = 0;
    for (let step = 0; step < 3_000; step++) {
      await bench.advance(5);
      if (bench.stopsAtVenue().length === 0) naked++;
    }
    assert.equal(naked, 0, 'never naked');
    // What the engine does when it hears that.
    bench.venue.submit(disaster('1-6', bench.now, '50000'));
    await bench.until('the one stop', () => bench.said('1-5').includes('cancelled'), 3_000);
    assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 50000']);
  });

  test('seed 1027445: what a text of the private stream that cannot be read was to say is asked for', async () => {
    const bench = await holding();
    const { reconciliations } = bench.venue.counts;
    bench.wire.inject('{"topic":"order","creationTime":17676000');
    await bench.advance(3_000);
    assert.ok(bench.venue.counts.reconciliations > reconciliations, 'long before the next one is due');
  });
});
