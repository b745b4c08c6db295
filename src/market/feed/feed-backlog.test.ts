// A loop that cannot keep up with a feed: what waits stays bounded, and what is left of it hides no price that a stop would have met.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { MarketEvent } from '../../domain/event.ts';
import { MINUTE_MS, NEVER } from '../../domain/time.ts';
import { conflated, Feed } from './feed.ts';

const START = Date.UTC(2026, 0, 5);

const priced = (kind: MarketEvent['kind'], at: number, close: number, volume: number): MarketEvent => ({
  kind,
  at,
  happenedAt: at,
  instrument: 0,
  open: close,
  high: close,
  low: close,
  close,
  volume,
  warmup: false,
});

const anyBacklog = fc
  .array(
    fc.record({
      kind: fc.constantFrom('trade.printed' as const, 'trade.printed' as const, 'mark.changed' as const, 'bar.closed' as const),
      close: fc.integer({ min: 1, max: 20 }),
      volume: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 60 },
  )
  .map((list) => list.map(({ kind, close, volume }, at) => priced(kind, at, close, kind === 'mark.changed' ? 0 : volume)));

/** By stretch between two bars: what a watcher of its trades and marks sees of it. */
function stretches(events: readonly MarketEvent[]): unknown[] {
  const seen: unknown[] = [];
  let trades: MarketEvent[] = [];
  let mark = NaN;
  const close = (bar?: MarketEvent): void => {
    const prices = trades.map((each) => each.close);
    const volume = trades.reduce((sum, each) => sum + each.volume, 0);
    seen.push([Math.min(...prices), Math.max(...prices), prices.at(-1), volume, mark, bar?.at, bar?.close, bar?.volume]);
    trades = [];
    mark = NaN;
  };
  for (const event of events) {
    if (event.kind === 'bar.closed') close(event);
    else if (event.kind === 'trade.printed') trades.push(event);
    else mark = event.close;
  }
  close();
  return seen;
}

describe('F26: a loop that does not keep up with a feed', () => {
  test('F26: every bar is kept; between bars the extremes, the last trade, the last mark and all of the volume', () => {
    fc.assert(
      fc.property(anyBacklog, (backlog) => {
        const before = stretches(backlog);
        const left = conflated(backlog.map((each) => ({ ...each })));
        assert.deepEqual(stretches(left), before);
        const times = left.map(({ at }) => at);
        assert.deepEqual(
          times,
          times.toSorted((one, other) => one - other),
        );
        const bars = backlog.filter(({ kind }) => kind === 'bar.closed').length;
        assert.ok(left.length <= bars + 4 * (bars + 1), `${left.length} are left of ${backlog.length}`);
        assert.deepEqual(stretches(conflated(left)), before, 'and again');
      }),
    );
  });

  test('F26: a burst ten times as long as what may wait leaves no more than that, in order, without a bar missing', () => {
    let now = START;
    const feed = new Feed({
      symbols: ['A/USDT'],
      baseTimeframeMs: MINUTE_MS,
      now: () => now,
      notBefore: () => 0,
      latest: () => now + MINUTE_MS,
      onTime: () => undefined,
      onRefused: (why) => assert.fail(why),
    });
    const source = feed.sources[0] ?? assert.fail('there is a source');
    let most = 0;
    const bars = 30;
    let volume = 0;
    for (let number = 0; number < bars; number++) {
      for (let trade = 0; trade < 400; trade++) {
        now = START + number * MINUTE_MS + trade;
        volume += 0.5;
        feed.receive(
          JSON.stringify({ kind: 'trade.printed', symbol: 'A/USDT', happenedAt: now, price: 100 + Math.sin(trade), quantity: 0.5 }),
        );
        if (trade % 2 === 0) feed.receive(JSON.stringify({ kind: 'mark.changed', symbol: 'A/USDT', happenedAt: now, price: 100 }));
        most = Math.max(most, source.waiting);
      }
      now = START + (number + 1) * MINUTE_MS;
      const openAt = START + number * MINUTE_MS;
      feed.receive(JSON.stringify({ kind: 'bar.closed', symbol: 'A/USDT', openAt, open: 100, high: 101, low: 99, close: 100, volume: 1 }));
    }
    assert.ok(most <= 1_024, `${most} waited`);
    let [taken, seenBars, at] = [0, 0, 0];
    while (source.peekAt() !== NEVER) {
      const event = source.take();
      assert.ok(event.at >= at);
      at = event.at;
      if (event.kind === 'bar.closed') seenBars++;
      if (event.kind === 'trade.printed') taken += event.volume;
    }
    assert.deepEqual([seenBars, taken], [bars, volume]);
  });

  test('F26: bars alone are never dropped, however many wait', () => {
    const feed = new Feed({
      symbols: ['A/USDT'],
      baseTimeframeMs: MINUTE_MS,
      now: () => START,
      notBefore: () => 0,
      latest: () => Infinity,
      onTime: () => undefined,
      onRefused: (why) => assert.fail(why),
    });
    for (let number = 0; number < 5_000; number++) {
      const openAt = START + number * MINUTE_MS;
      feed.receive(JSON.stringify({ kind: 'bar.closed', symbol: 'A/USDT', openAt, open: 1, high: 1, low: 1, close: 1, volume: 1 }));
    }
    assert.equal(feed.sources[0]?.waiting, 5_000);
  });
});
