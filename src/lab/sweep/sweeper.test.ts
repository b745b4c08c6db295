import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../domain/time.ts';
import { ALL_IN, type SweepAccount } from './account.ts';
import { walkBars } from './bars.fixture.ts';
import { IS_COLUMN, NUMBERS_A_TASK, planSweep, type SweepPlan } from './plan.ts';
import type { SweepPoint } from './strategy.ts';
import type { ColumnOutcome } from './column-pool.ts';
import { Sweeper, type SweepRequest } from './sweeper.ts';

const ACCOUNT: SweepAccount = {
  capital: 1_000,
  feeRate: 0.001,
  slippageRatio: 0.0005,
  stopSlippageRatio: 0,
  fill: 'close',
  sizing: ALL_IN,
};
const TOUCHY = new URL('./touchy-strategy.fixture.ts', import.meta.url).href;

function grid(): SweepPoint[] {
  const points: SweepPoint[] = [];
  for (let fast = 2; fast <= 14; fast += 2) for (let slow = 20; slow <= 60; slow += 10) points.push({ fast, slow });
  return points;
}

const request: SweepRequest = { bars: walkBars(3, 2_000), timeframeMs: HOUR_MS, strategy: 'sma-cross', points: grid(), account: ACCOUNT };

async function withSweeper<T>(workers: number, work: (sweeper: Sweeper) => Promise<T>): Promise<T> {
  const sweeper = new Sweeper(workers);
  try {
    return await work(sweeper);
  } finally {
    await sweeper.close();
  }
}

test('rows are the same for any number of threads, on a warm pool too', async () => {
  const alone = await withSweeper(1, (sweeper) => sweeper.run(request));
  assert.deepEqual(
    alone.map((row) => row.params),
    request.points,
  );
  assert.ok(alone.every((row) => (row.metrics?.orders ?? 0) > 10));
  await withSweeper(3, async (sweeper) => {
    assert.deepEqual(await sweeper.run(request), alone);
    const other = await sweeper.run({ ...request, bars: walkBars(4, 500), path: 'general' });
    assert.notDeepEqual(other[0]?.metrics, alone[0]?.metrics);
    assert.deepEqual(await sweeper.run(request), alone);
    const shuffled = { ...request, points: request.points.toReversed() };
    assert.deepEqual((await sweeper.run(shuffled)).toReversed(), alone);
  });
});

test('a column that throws is told with its parameters, and the others go on', async () => {
  const points = [{ window: 5 }, { window: 13 }, { window: 8 }, { window: 17 }, { window: 9 }, { window: 0 }];
  await withSweeper(2, async (sweeper) => {
    const rows = await sweeper.run({ ...request, strategy: TOUCHY, points });
    assert.deepEqual(
      rows.map((row) => row.failure ?? typeof row.metrics?.orders),
      ['number', 'thirteen is unlucky', 'number', 'seventeen has no mean', 'number', rows[5]?.failure],
    );
    assert.match(rows[5]?.failure ?? '', /window=0: found window 0/);
    assert.deepEqual(rows[1]?.params, { window: 13 });
  });
});

test('a column that falls too far is stopped, by both paths alike, and the others are what they are', async () => {
  await withSweeper(2, async (sweeper) => {
    const free = await sweeper.run(request);
    const falls = free.map((row) => row.metrics?.maxDrawdown ?? NaN).toSorted((one, other) => one - other);
    const drawdownLimit = ((falls[9] ?? NaN) + (falls[10] ?? NaN)) / 2;
    for (const path of ['fused', 'general'] as const) {
      const limited = await sweeper.run({ ...request, path, drawdownLimit });
      assert.equal(limited.filter((row) => row.stopped !== undefined).length, free.length - 10);
      for (const [column, row] of limited.entries()) {
        if ((free[column]?.metrics?.maxDrawdown ?? NaN) > drawdownLimit) assert.match(row.stopped ?? '', /^its drawdown passed \d+/);
        else assert.equal(row.metrics?.orders, free[column]?.metrics?.orders);
      }
    }
  });
});

test('known columns are not run again', async () => {
  await withSweeper(2, async (sweeper) => {
    const all = await sweeper.run(request);
    const known = new Map<number, ColumnOutcome>();
    for (const [column, row] of all.entries())
      if (column % 3 !== 0 && row.metrics !== undefined) known.set(column, { metrics: row.metrics });
    const ran: number[] = [];
    const again = await sweeper.run({ ...request, known, onColumn: (column) => ran.push(column) });
    assert.deepEqual(again, all);
    assert.deepEqual(
      ran.toSorted((one, other) => one - other),
      request.points.map((_, column) => column).filter((column) => column % 3 === 0),
    );
  });
});

test('an aborted sweep throws, and the pool takes the next one', async () => {
  await withSweeper(2, async (sweeper) => {
    const controller = new AbortController();
    const points = Array.from({ length: 400 }, (_, index) => ({ fast: 2 + index, slow: 500 + index }));
    const bars = walkBars(3, 50_000);
    const running = sweeper.run({
      ...request,
      bars,
      points,
      onColumn: () => controller.abort(new Error('enough')),
      signal: controller.signal,
    });
    await assert.rejects(running, /enough/);
    assert.equal((await sweeper.run(request)).length, request.points.length);
  });
});

test('a strategy that is not there is refused', async () => {
  await withSweeper(1, async (sweeper) => {
    await assert.rejects(sweeper.run({ ...request, strategy: 'sma-crossing' }), /expected one that can be swept: sma-cross, rsi-stop/);
  });
});

/** Runs the plan in an order that threads may take: any task whose needs have finished. Gives how often each indicator was computed. */
function follow(plan: SweepPlan, keys: readonly (readonly string[] | undefined)[], choose: (count: number) => number): Map<string, number> {
  const buffers: (string | undefined)[] = [];
  const computed = new Map<string, number>();
  const isDone = new Set<number>();
  const tasks = plan.needs.length;
  while (isDone.size < tasks) {
    const ready: number[] = [];
    for (let task = 0; task < tasks; task++) {
      const needs = plan.needs[task] ?? 0;
      const hasAll = Array.from({ length: needs }, (_, earlier) => earlier).every((earlier) => isDone.has(earlier));
      if (!isDone.has(task) && hasAll) ready.push(task);
    }
    const task = ready[choose(ready.length)] ?? NaN;
    const [point = NaN, place = NaN, slot = NaN] = plan.tasks.subarray(task * NUMBERS_A_TASK, (task + 1) * NUMBERS_A_TASK);
    const ofPoint = keys[point] ?? [];
    if (place === IS_COLUMN) {
      for (const [index, key] of ofPoint.entries()) assert.equal(buffers[plan.slotsOf[point * plan.width + index] ?? -1], key);
    } else {
      const key = ofPoint[place] ?? '';
      buffers[slot] = key;
      computed.set(key, (computed.get(key) ?? 0) + 1);
    }
    isDone.add(task);
  }
  return computed;
}

test('a plan has every indicator in place whoever is faster, in no more buffers than there is room for', () => {
  const key = fc.integer({ min: 0, max: 12 }).map((number) => `k${number}`);
  const points = fc.array(fc.option(fc.uniqueArray(key, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 6 }), { maxLength: 30 });
  fc.assert(
    fc.property(
      points,
      fc.integer({ min: 0, max: 14 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat()),
      (keys, room, wave, stream) => {
        const plan = planSweep(keys, room, wave);
        const computed = follow(plan, keys, (count) => (stream.next().value ?? 0) % count);
        const distinct = new Set(keys.flatMap((each) => each ?? []));
        assert.ok(plan.slots <= Math.max(room, plan.width), `${plan.slots} buffers`);
        assert.deepEqual([...computed.keys()].toSorted(), [...distinct].toSorted());
        if (room >= distinct.size) assert.ok([...computed.values()].every((times) => times === 1));
      },
    ),
    { numRuns: 300, seed: 2 },
  );
});

test('buffers are given on as soon as nobody needs them', () => {
  const pairs = Array.from({ length: 100 }, (_, index) => [`fast${index}`, `slow${index}`]);
  assert.equal(planSweep(pairs, 1_000, 4).slots, 8);
});
