// The guard of a question, by the wall clock: what spins is ended, and everything after it goes on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTimeout } from './guard.ts';
import { questionGuard } from './question-guard.ts';

const TIMEOUT_MS = 50;
const QUESTIONS = 25_000;

describe('a question', () => {
  test('is asked at once, and what it throws comes out as it is', () => {
    const guard = questionGuard(10_000);
    let asked = 0;
    guard(() => asked++);
    assert.equal(asked, 1);
    const cause = new RangeError('nonsense');
    assert.throws(
      () => guard(() => assert.fail(cause)),
      (thrown) => thrown === cause,
    );
    guard(() => asked++);
    assert.equal(asked, 2);
  });

  test('that never returns is ended, also where it catches everything, and the next one is answered', () => {
    const guard = questionGuard(TIMEOUT_MS);
    let caught = 0;
    const spin = (): void => {
      for (;;) {
        try {
          for (;;) caught += 0;
        } catch {
          caught++;
        }
      }
    };
    for (let time = 0; time < 3; time++) assert.throws(() => guard(spin), isTimeout);
    assert.equal(caught, 0);
    let answered = false;
    guard(() => (answered = true));
    assert.equal(answered, true);
  });

  test('does not let anything else have its turn: what waits, waits until the loop is back', async () => {
    const order: string[] = [];
    const guard = questionGuard(10_000);
    const waiting = Promise.resolve().then(() => order.push('microtask'));
    process.nextTick(() => order.push('tick'));
    guard(() => order.push('question'));
    order.push('after');
    await waiting;
    assert.deepEqual(order.slice(0, 2), ['question', 'after']);
  });

  test('is guarded also where there are more of them than watches', () => {
    const guard = questionGuard(60_000);
    let asked = 0;
    for (let index = 0; index < QUESTIONS; index++) guard(() => asked++);
    assert.equal(asked, QUESTIONS);
  });
});
