import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SteppedTimers } from '../../../test/support/stepped-timers.ts';
import { PRIORITY, Turns } from './turns.ts';

test('a burst is let through at once, the rest steadily, and never more than the venue takes in any second', async () => {
  const timers = new SteppedTimers();
  const turns = new Turns(timers);
  const sent: number[] = [];
  for (let order = 0; order < 30; order++) void turns.take('create', PRIORITY.enter).then(() => sent.push(timers.now()));
  await timers.advance(60_000);
  assert.equal(sent.length, 30);
  assert.equal(sent.filter((at) => at === 0).length, 4);
  for (const from of sent) assert.ok(sent.filter((at) => at >= from && at < from + 1_000).length <= 10, `from ${from}`);
});

test('a batch waits until there is room for all of its rows, whatever their number, and no second has more than the venue takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ weight: fc.integer({ min: 1, max: 4 }), afterMs: fc.integer({ min: 0, max: 1_500 }) }), { maxLength: 25 }),
      async (batches) => {
        const timers = new SteppedTimers();
        const turns = new Turns(timers);
        assert.equal(turns.atOnce('create-batch'), 4);
        const sent: { readonly at: number; readonly weight: number }[] = [];
        for (const { weight, afterMs } of batches) {
          void turns.take('create-batch', PRIORITY.enter, weight).then(() => sent.push({ at: timers.now(), weight }));
          await timers.advance(afterMs);
        }
        await timers.advance(60_000);
        assert.equal(sent.length, batches.length);
        for (const { at: from } of sent) {
          const rows = sent.reduce((sum, { at, weight }) => sum + (at >= from && at < from + 1_000 ? weight : 0), 0);
          assert.ok(rows <= 10, `${rows} rows from ${from}`);
        }
      },
    ),
  );
});

test('more rows than go at once wait until everything is free', async () => {
  const timers = new SteppedTimers();
  const turns = new Turns(timers);
  let sentAt = NaN;
  await turns.take('cancel-batch', PRIORITY.cancel, 4);
  void turns.take('cancel-batch', PRIORITY.cancel, 20).then(() => {
    sentAt = timers.now();
  });
  await timers.advance(10_000);
  assert.equal(sentAt, 800, 'four at five a second');
});

test('a cancel overtakes whatever waits, for the address as for its own kind', async () => {
  const timers = new SteppedTimers();
  const turns = new Turns(timers);
  const sent: string[] = [];
  turns.freeze(1_000);
  for (const [name, budget, priority] of [
    ['entry', 'create', PRIORITY.enter],
    ['look', 'query', PRIORITY.look],
    ['stop', 'create', PRIORITY.protect],
    ['cancel', 'cancel', PRIORITY.cancel],
    ['second cancel', 'cancel', PRIORITY.cancel],
  ] as const) {
    void turns.take(budget, priority).then(() => sent.push(name));
  }
  await timers.advance(999);
  assert.deepEqual(sent, []);
  await timers.advance(1);
  assert.deepEqual(sent, ['cancel', 'second cancel', 'stop', 'look', 'entry']);
});

test('what one kind has used up does not hold up another', async () => {
  const timers = new SteppedTimers();
  const turns = new Turns(timers);
  for (let order = 0; order < 20; order++) void turns.take('create', PRIORITY.protect);
  let isAsked = false;
  void turns.take('query', PRIORITY.look).then(() => {
    isAsked = true;
  });
  await timers.advance(0);
  assert.ok(isAsked);
});

test("the venue's own count corrects ours, in both directions", async () => {
  const timers = new SteppedTimers();
  const turns = new Turns(timers);
  const sent: number[] = [];
  // Another program has used everything but one.
  turns.counted('create', { limit: 10, left: 1, resetMs: 0 });
  for (let order = 0; order < 3; order++) void turns.take('create', PRIORITY.enter).then(() => sent.push(timers.now()));
  await timers.advance(0);
  assert.equal(sent.length, 1);
  turns.counted('create', { limit: 10, left: 0, resetMs: 700 });
  await timers.advance(699);
  assert.equal(sent.length, 1);
  await timers.advance(10_000);
  assert.equal(sent.length, 3);
  // A better account.
  turns.counted('query', { limit: 50, left: 50, resetMs: 0 });
  await timers.advance(1_000);
  let asked = 0;
  for (let query = 0; query < 20; query++) {
    void turns.take('query', PRIORITY.look).then(() => {
      asked++;
    });
  }
  await timers.advance(0);
  assert.equal(asked, 20);
});
