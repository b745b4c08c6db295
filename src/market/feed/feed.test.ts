// What comes over a wire: judged before it is believed, stamped with when it was known, and lost or restored by an event.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MINUTE_MS, NEVER, type TimeMs } from '../../domain/time.ts';
import { Feed } from './feed.ts';

const START = Date.UTC(2026, 0, 5);

interface World {
  readonly feed: Feed;
  now: TimeMs;
  notBefore: TimeMs;
  readonly refused: string[];
  readonly learned: TimeMs[];
}

function world(symbols: readonly string[] = ['A/USDT', 'B/USDT']): World {
  const made = { now: START, notBefore: 0, refused: [] as string[], learned: [] as TimeMs[] };
  const feed = new Feed({
    symbols,
    baseTimeframeMs: MINUTE_MS,
    now: () => made.now,
    notBefore: () => made.notBefore,
    latest: () => START + 1_000 * MINUTE_MS,
    onTime: (happenedAt) => made.learned.push(happenedAt),
    onRefused: (why) => made.refused.push(why),
  });
  return Object.assign(made, { feed });
}

function bar(number: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'bar.closed',
    symbol: 'A/USDT',
    openAt: START + number * MINUTE_MS,
    open: 100,
    high: 101,
    low: 99,
    close: 100.5,
    volume: 3,
    ...more,
  };
}

/** The events that wait, oldest first. */
function waiting({ feed }: World, instrument = 0): { kind: string; at: TimeMs; happenedAt: TimeMs; close: number; warmup: boolean }[] {
  const source = feed.sources[instrument] ?? assert.fail('there is such a source');
  const events = [];
  while (source.peekAt() !== NEVER) {
    const { kind, at, happenedAt, close, warmup } = source.take();
    events.push({ kind, at, happenedAt, close, warmup });
  }
  return events;
}

describe('a message that is believed', () => {
  test('is an event of its instrument, known at its arrival and true since its close', () => {
    const made = world();
    made.now = START + MINUTE_MS + 250;
    made.feed.receive(JSON.stringify(bar(0)));
    made.now += 5;
    made.feed.receive(JSON.stringify(bar(0, { symbol: 'B/USDT', close: 99.5 })));
    assert.deepEqual(waiting(made, 0), [
      { kind: 'bar.closed', at: START + MINUTE_MS + 250, happenedAt: START + MINUTE_MS, close: 100.5, warmup: false },
    ]);
    assert.deepEqual(waiting(made, 1), [
      { kind: 'bar.closed', at: START + MINUTE_MS + 255, happenedAt: START + MINUTE_MS, close: 99.5, warmup: false },
    ]);
    assert.deepEqual(made.refused, []);
  });

  test('may say its time in words', () => {
    const made = world();
    made.feed.receive(JSON.stringify(bar(0, { openAt: '2026-01-05T01:00:00+01:00' })));
    assert.equal(waiting(made)[0]?.happenedAt, START + MINUTE_MS);
  });

  test('may be a trade or a mark, which are one price', () => {
    const made = world();
    made.feed.receive(JSON.stringify({ kind: 'trade.printed', symbol: 'A/USDT', happenedAt: START + 5, price: 101, quantity: 2 }));
    made.feed.receive(JSON.stringify({ kind: 'mark.changed', symbol: 'A/USDT', happenedAt: START + 6, price: 102 }));
    const source = made.feed.sources[0] ?? assert.fail();
    const { open, high, low, close, volume } = source.take();
    assert.deepEqual([open, high, low, close, volume], [101, 101, 101, 101, 2]);
    assert.deepEqual([source.take().close, source.ended], [102, false]);
    assert.equal(made.feed.sources[0]?.marksTaken, 1);
  });

  test('is never known before what arrived earlier, nor before it happened', () => {
    const anySteps = fc.array(fc.record({ wait: fc.integer({ min: -90_000, max: 90_000 }), symbol: fc.constantFrom('A/USDT', 'B/USDT') }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(anySteps, (steps) => {
        const made = world();
        const next: Record<string, number> = {};
        const arrivals: TimeMs[] = [];
        for (const { wait, symbol } of steps) {
          // A wall clock that was set back must not turn the order around.
          made.now += wait;
          const number = next[symbol] ?? 0;
          next[symbol] = number + 1;
          made.feed.receive(JSON.stringify(bar(number, { symbol })));
          const queued = waiting(made, symbol === 'A/USDT' ? 0 : 1);
          for (const { at, happenedAt } of queued) {
            assert.ok(at >= happenedAt);
            arrivals.push(at);
          }
        }
        assert.equal(arrivals.length, steps.length);
        assert.deepEqual(
          arrivals,
          arrivals.toSorted((left, right) => left - right),
        );
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('waits for the loop, which may be past the time at which it came', () => {
    const made = world();
    made.now = START + MINUTE_MS + 1;
    made.feed.receive(JSON.stringify(bar(0)));
    made.notBefore = START + MINUTE_MS + 900;
    assert.equal(made.feed.sources[0]?.peekAt(), START + MINUTE_MS + 900);
    assert.equal(made.feed.sources[0]?.take().at, START + MINUTE_MS + 900);
  });

  test('of the warm-up is of its own time, and teaches nobody what time it is', () => {
    const made = world();
    made.now = START + 50 * MINUTE_MS;
    made.feed.receive(JSON.stringify(bar(0, { warmup: true })));
    made.feed.receive(JSON.stringify(bar(1, { warmup: true })));
    assert.deepEqual(made.learned, []);
    made.feed.receive(JSON.stringify(bar(2)));
    assert.deepEqual(made.learned, [START + 3 * MINUTE_MS]);
    assert.deepEqual(
      waiting(made).map(({ at, warmup }) => [at, warmup]),
      [
        [START + MINUTE_MS, true],
        [START + 2 * MINUTE_MS, true],
        [START + 50 * MINUTE_MS, false],
      ],
    );
  });

  test('that is a bar is known to the venue while it waits, a trade before it is not taken for one', () => {
    const made = world();
    made.feed.receive(JSON.stringify({ kind: 'trade.printed', symbol: 'A/USDT', happenedAt: START + 5, price: 101, quantity: 2 }));
    assert.equal(made.feed.sources[0]?.nextBar(), undefined);
    made.feed.receive(JSON.stringify(bar(0)));
    assert.equal(made.feed.sources[0]?.nextBar()?.close, 100.5);
    assert.equal(made.feed.sources[0]?.take().kind, 'trade.printed');
  });

  test('wakes the clock that waits, the last one that asked', () => {
    const made = world();
    const woken: string[] = [];
    made.feed.sources[0]?.onArrival(() => woken.push('first'));
    made.feed.sources[1]?.onArrival(() => woken.push('second'));
    made.feed.receive(JSON.stringify(bar(0)));
    assert.deepEqual(woken, ['second']);
  });
});

const MALFORMED: readonly [string, string, RegExp][] = [
  ['no JSON', '{"kind": bar', /is no JSON/],
  ['nothing', '', /is no JSON/],
  ['a number', '7', /7: /],
  ['null', 'null', /null: /],
  ['a list', '[]', /\[\]: /],
  ['no kind', JSON.stringify(bar(0, { kind: undefined })), /kind/],
  ['an unknown kind', JSON.stringify(bar(0, { kind: 'bar.opened' })), /kind/],
  ['a missing price', JSON.stringify(bar(0, { close: undefined })), /close/],
  ['a price in words', JSON.stringify(bar(0, { close: '100' })), /close/],
  ['a price of null', JSON.stringify(bar(0, { high: null })), /high/],
  ['a time in the future of all dates', JSON.stringify(bar(0, { openAt: 1e18 })), /openAt/],
  ['a time before the epoch', JSON.stringify(bar(0, { openAt: -1 })), /openAt/],
  ['a broken time', JSON.stringify(bar(0, { openAt: '2026-13-45T00:00:00Z' })), /openAt/],
  ['a field that nobody knows', JSON.stringify(bar(0, { price: 3 })), /price/],
  ['an unknown symbol', JSON.stringify(bar(0, { symbol: 'C/USDT' })), /symbol "C\/USDT" is not one of A\/USDT, B\/USDT/],
  ['a price of zero', JSON.stringify(bar(0, { low: 0 })), /found low 0, expected a finite price above 0/],
  ['a negative price', JSON.stringify(bar(0, { open: -5 })), /found open -5/],
  ['a high below its close', JSON.stringify(bar(0, { high: 100.2 })), /expected low <= open, close <= high/],
  ['a negative volume', JSON.stringify(bar(0, { volume: -1 })), /found volume -1/],
  ['a bar that opens between two', JSON.stringify(bar(0, { openAt: START + 1 })), /open time is not a multiple of 60000 ms/],
  ['a bar from the year 2100', JSON.stringify(bar(0, { openAt: Date.UTC(2100, 0, 1) })), /expected one that is not after/],
  [
    'a trade at no price',
    JSON.stringify({ kind: 'trade.printed', symbol: 'A/USDT', happenedAt: START, price: 0, quantity: 1 }),
    /price above 0/,
  ],
];

/** Noise, JSON, and bars with something wrong in them. */
const anyText = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .dictionary(fc.constantFrom('kind', 'symbol', 'openAt', 'high', 'volume', 'x'), fc.jsonValue())
    .map((wrong) => JSON.stringify(bar(0, wrong))),
);

describe('a message that is not believed', () => {
  for (const [name, text, why] of MALFORMED) {
    test(`${name} is refused by name and nothing comes of it`, () => {
      const made = world();
      made.feed.receive(text);
      assert.equal(made.refused.length, 1);
      assert.match(made.refused[0] ?? '', why);
      assert.deepEqual([waiting(made, 0), waiting(made, 1)], [[], []]);
      made.feed.receive(JSON.stringify(bar(0)));
      assert.equal(waiting(made).length, 1, 'and the next one is believed');
    });
  }

  test('F25: a bar that was told before, or is older, is refused', () => {
    const made = world();
    made.feed.receive(JSON.stringify(bar(3)));
    made.feed.receive(JSON.stringify(bar(3)));
    made.feed.receive(JSON.stringify(bar(2)));
    assert.equal(waiting(made).length, 1);
    assert.equal(made.refused.length, 2);
    assert.match(made.refused[0] ?? '', /a bar that closed at \d+, after one that closed at \d+/);
  });

  test('F24: a price a thousand times its neighbour is refused, and the next one is judged by what was believed', () => {
    const made = world();
    made.feed.receive(JSON.stringify(bar(0)));
    made.feed.receive(JSON.stringify(bar(1, { open: 100_000, high: 101_000, low: 99_000, close: 100_500 })));
    made.feed.receive(JSON.stringify(bar(2)));
    assert.equal(waiting(made).length, 2);
    assert.match(made.refused[0] ?? '', /spike/);
  });

  test('a long message is told by its beginning', () => {
    const made = world();
    made.feed.receive(`"${'x'.repeat(10_000)}"`);
    assert.ok((made.refused[0] ?? '').length < 300);
  });

  test('no text at all breaks anything', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const made = world();
        made.feed.receive(text);
        assert.ok(made.refused.length === 1 || waiting(made, 0).length === 1);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe('the wire', () => {
  test('lost and restored is an event for every instrument, in its place', () => {
    const made = world();
    made.feed.receive(JSON.stringify(bar(0)));
    made.now = START + 2 * MINUTE_MS;
    made.feed.report('feed.lost', 'code 1006');
    made.now += 3_000;
    made.feed.report('feed.restored', 'again');
    const { control } = made.feed;
    assert.deepEqual(control.take(), {
      kind: 'feed.lost',
      at: START + 2 * MINUTE_MS,
      happenedAt: START + 2 * MINUTE_MS,
      instrument: -1,
      reason: 'code 1006',
    });
    assert.equal(control.take().at, START + 2 * MINUTE_MS + 3_000);
    assert.equal(control.peekAt(), NEVER);
    assert.equal(control.ended, false);
  });

  test('that is lost before it said what time it is does not put the session into the wrong time', () => {
    const made = world();
    made.now = Date.UTC(2036, 0, 1);
    made.feed.report('feed.lost', 'refused');
    assert.ok(made.feed.control.peekAt() <= START, 'a feed of the past may still come');
  });

  test('that says it has ended, ends once what waits was taken', () => {
    const made = world();
    made.feed.receive(JSON.stringify(bar(0)));
    made.feed.receive('{"kind":"feed.ended"}');
    assert.equal(made.feed.sources[0]?.ended, false);
    assert.equal(made.feed.sources[1]?.ended, true);
    assert.equal(made.feed.control.ended, true);
    made.feed.sources[0]?.take();
    assert.equal(made.feed.sources[0]?.ended, true);
  });
});
