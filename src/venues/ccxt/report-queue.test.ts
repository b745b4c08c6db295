// Reports under a burst, with a loop that does not keep up: none is lost, and they go before prices that wait.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quantity } from '../../domain/decimal.ts';
import type { Event } from '../../domain/event.ts';
import type { Source } from '../../domain/ports.ts';
import { MINUTE_MS, NEVER, SECOND_MS } from '../../domain/time.ts';
import { SystemClock } from '../../engine/system-clock.ts';
import { Feed } from '../../market/feed/feed.ts';
import { AdapterBench } from '../../../test/support/adapter-bench.ts';
import { ReportQueue } from './report-queue.ts';

const START = Date.UTC(2026, 0, 5);
const said = (order: string) => ({ kind: 'order.accepted', happenedAt: START, instrument: 0, order, reason: '', fill: undefined }) as const;

describe('F26: reports of a venue, and a loop that does not keep up', () => {
  test('F26: none is lost, made one or put out of order', () => {
    const reports = new ReportQueue(
      () => START,
      () => 0,
    );
    const taken: string[] = [];
    let pushed = 0;
    // Ten come for each that is taken, then all that wait are.
    for (let round = 0; round < 3_000; round++) {
      for (let burst = 0; burst < 10; burst++) reports.push(said(`order-${pushed++}`));
      const report = reports.take();
      if ('order' in report) taken.push(report.order);
      assert.equal(reports.waiting, pushed - taken.length);
    }
    while (reports.peekAt() !== NEVER) {
      const report = reports.take();
      if ('order' in report) taken.push(report.order);
    }
    assert.ok(reports.ended);
    assert.deepEqual(
      taken,
      Array.from({ length: pushed }, (_, index) => `order-${index}`),
    );
  });

  test('F26: they go before prices that came earlier and wait, and never before what the loop has handled', () => {
    let now = START;
    let handled = START;
    const feed = new Feed({
      symbols: ['A/USDT'],
      baseTimeframeMs: MINUTE_MS,
      now: () => now,
      notBefore: () => handled,
      latest: () => now + MINUTE_MS,
      onTime: () => undefined,
      onRefused: (why) => assert.fail(why),
    });
    const [source] = feed.sources;
    assert.ok(source !== undefined);
    const reports = new ReportQueue(
      () => now,
      () => handled,
      () => source.peekAt(),
    );
    for (let price = 0; price < 100; price++) {
      now = START + 10 * price;
      feed.receive(JSON.stringify({ kind: 'trade.printed', symbol: 'A/USDT', happenedAt: now, price: 100, quantity: 1 }));
    }
    now = START + 2 * SECOND_MS;
    reports.push(said('1-1'));
    reports.push(said('1-2'));
    const clock = new SystemClock(START + 10 * SECOND_MS, 1);
    const sources: readonly Source[] = [reports, source];
    const order: Event[] = [];
    for (;;) {
      const next = clock.next(sources, NEVER);
      if (typeof next !== 'number') break;
      const event = sources[next]?.take() ?? assert.fail('there is such a source');
      assert.ok(event.at >= handled);
      handled = event.at;
      order.push({ ...event });
      // One comes while prices are being worked off.
      if (order.length === 50) reports.push(said('1-3'));
    }
    assert.deepEqual(
      order.flatMap((event, index) => ('order' in event ? [[event.order, index]] : [])),
      [
        ['1-1', 0],
        ['1-2', 1],
        ['1-3', 50],
      ],
    );
    assert.equal(order.length, 103);
  });

  test('F26: while too many wait nothing opens, and what closes does', async () => {
    const bench = await new AdapterBench().start();
    bench.submit('1-1');
    await bench.advance(SECOND_MS);
    // Cancels of what is not there are answered at once, and nobody takes the answers.
    for (let word = 0; word < 1_001; word++) bench.cancel(`nothing-${word}`);
    assert.match(bench.venue.blockOf(0) ?? '', /1001 reports wait for the loop/);
    bench.submit('1-2');
    bench.submit('1-3', { side: 'sell', reduceOnly: true });
    await bench.advance(SECOND_MS);
    assert.deepEqual([bench.said('1-2'), bench.said('1-3')], [['rejected'], ['filled 0.01']]);
    assert.match(bench.reasonOf('1-2'), /reports wait for the loop/);
    bench.submit('1-4', { quantity: quantity('0.01') });
    await bench.advance(SECOND_MS);
    assert.deepEqual(bench.said('1-4'), ['filled 0.01']);
  });
});
