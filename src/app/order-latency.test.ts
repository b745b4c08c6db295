// Orders are timed from what they answer, bounds are told of once, and an entry on an old book does not leave.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameLateness } from './frame-lateness.ts';
import { OrderLatency } from './order-latency.ts';
import { SpreadOfTimes } from './spread-of-times.ts';

class Bench {
  /** By the monotonic clock; market time is ahead of it by a million. */
  clock = 0;
  at = 0;
  readonly told: string[] = [];
  readonly lastCommit = { beganAt: NaN, endedAt: NaN };
  readonly latency = new OrderLatency({
    alertMs: 100,
    haltMs: 500,
    now: () => 1_000_000 + Math.floor(this.clock),
    at: () => this.at,
    clock: () => this.clock,
    lastCommit: () => this.lastCommit,
    tell: (words) => this.told.push(words),
  });

  /** A look at a book whose frame came now, taken so much later. */
  book(takenAfterMs: number, lateMs = 0): void {
    const heardAt = this.clock;
    this.clock += takenAfterMs;
    this.at = 1_000_000 + Math.floor(this.clock);
    this.latency.took(this.at, heardAt, lateMs);
  }

  order(tookMs: number): void {
    const { onTurn, onGiven } = this.latency.begun();
    this.clock += tookMs;
    onTurn();
    onGiven();
  }

  commit(afterMs: number, tookMs: number): void {
    this.lastCommit.beganAt = this.clock += afterMs;
    this.lastCommit.endedAt = this.clock += tookMs;
  }

  status() {
    return this.latency.status(new SpreadOfTimes(), 3);
  }
}

test('an order on a book is timed from its frame, to the fraction; any other from the event in hand', () => {
  const bench = new Bench();
  bench.book(2.5);
  bench.order(1.25);
  assert.equal(bench.status().lastMs, 3.75);
  // A report, or a bar: an event that is no look at a book.
  bench.clock = 100;
  bench.at = 1_000_090;
  bench.order(5);
  assert.deepEqual([bench.status().lastMs, bench.status().orders], [15, 2]);
  assert.deepEqual([bench.status().p50Ms, bench.status().p99Ms, bench.status().commitP50Ms], [3.75, 15, null]);
  assert.equal(bench.status().bookEventsWaiting, 3);
});

test('the stages of an order on a book add up to its time, and those of one that was committed before its book are not known', () => {
  const bench = new Bench();
  bench.book(2);
  bench.commit(4, 8);
  const { onTurn, onGiven } = bench.latency.begun();
  bench.clock += 16;
  onTurn();
  bench.clock += 32;
  onGiven();
  const stages = { wait: 2, decide: 4, commit: 8, turn: 16, write: 32 };
  const expected = Object.fromEntries(Object.entries(stages).map(([name, ms]) => [name, { lastMs: ms, p50Ms: ms, p99Ms: ms, maxMs: ms }]));
  assert.deepEqual(bench.status().stages, expected);
  assert.deepEqual([bench.status().lastMs, bench.status().firstMs], [62, 62]);
  bench.book(1);
  bench.order(1);
  assert.deepEqual([bench.status().stages, bench.status().orders, bench.status().firstMs], [expected, 2, 62]);
});

test('of several books of one instant the first counts: any of them may be why', () => {
  const bench = new Bench();
  bench.book(3);
  const heardAt = bench.clock;
  bench.clock += 0.25;
  bench.latency.took(bench.at, heardAt, 0);
  bench.order(1);
  assert.equal(bench.status().lastMs, 4.25);
});

test('each bound is told of once when it is passed, and once when it is kept again', () => {
  const bench = new Bench();
  const took = (ms: number): void => {
    bench.book(0);
    bench.order(ms);
  };
  for (const ms of [100, 101, 200, 500, 501, 900, 3, 4]) took(ms);
  assert.deepEqual(
    bench.told.map((words) => /^(TOO LATE|.*alertMs|.*in time)/.exec(words)?.[0]?.slice(0, 8)),
    ['an order', 'TOO LATE', 'an order'],
  );
  assert.match(bench.told[0] ?? '', /took 101 ms .* live\.latency\.alertMs \(100\)/);
  assert.match(bench.told[1] ?? '', /took 501 ms .* live\.latency\.haltMs \(500\)/);
  assert.match(bench.told[2] ?? '', /took 3 ms .* in time again/);
  assert.equal(bench.status().level, 'kept');
});

test('nothing opens on a book that is too old, and the next book is judged by itself', () => {
  const bench = new Bench();
  bench.book(500);
  assert.equal(bench.latency.block(), undefined);
  bench.clock += 1;
  assert.match(bench.latency.block() ?? '', /501 ms old, more than live\.latency\.haltMs/);
  assert.deepEqual([bench.status().refused, bench.status().level, bench.told.length], [1, 'halted', 1]);
  bench.book(1);
  assert.equal(bench.latency.block(), undefined);
  // It waited in the socket, where no queue of ours shows it.
  bench.book(1, 600);
  assert.match(bench.latency.block() ?? '', /601 ms old/);
  // What is decided on a bar may be late: its price is not that of an instant.
  bench.at -= 5_000;
  assert.equal(bench.latency.block(), undefined);
});

test('frames are late by the quickest of the last minutes, whatever the clocks say', () => {
  const lateness = new FrameLateness();
  assert.equal(lateness.of(1_000, 500_000), 0);
  assert.equal(lateness.of(1_030, 500_010), 20);
  assert.equal(lateness.of(1_032, 500_040), 0);
  assert.equal(lateness.of(1_050, 500_050), 8);
  // The venue's clock is set back by a second: after two windows nobody knows of the time before.
  assert.equal(lateness.of(61_050, 559_058), 1_000);
  assert.equal(lateness.of(121_051, 619_059), 0);
  // A long silence forgets everything.
  assert.equal(lateness.of(400_000, 5), 0);
});

test('quantiles are those of the latest times, by the nearest rank', () => {
  const times = new SpreadOfTimes();
  assert.deepEqual(times.quantiles([0.5]), [NaN]);
  for (let ms = 1; ms <= 100; ms++) times.add(101 - ms);
  assert.deepEqual(times.quantiles([0, 0.5, 0.99, 1]), [1, 50, 99, 100]);
  for (let more = 0; more < 5_000; more++) times.add(7);
  assert.deepEqual([times.quantiles([0, 1]), times.count, times.lastMs], [[7, 7], 5_100, 7]);
});
