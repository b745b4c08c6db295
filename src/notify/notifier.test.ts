// The queue of alerts, with somebody at the other end who does not answer. No network, stepped time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { SteppedTimers } from '../../test/support/stepped-timers.ts';
import { Notifier, type Deliver, type Notice } from './notifier.ts';

const notice = (number: number, rule = 'drawdown'): Notice => ({ at: number, runId: 'run', rule, why: `number ${number}` });

/** Answers as it is told to, and remembers. */
class Address {
  readonly timers = new SteppedTimers();
  readonly taken: { readonly why: string; readonly missed: number }[] = [];
  readonly asked: number[] = [];
  readonly words: string[] = [];
  mood: 'takes' | 'refuses' | 'fails' | 'hangs' = 'takes';
  readonly notifier = new Notifier({
    deliver: (...args) => this.#deliver(...args),
    timers: this.timers,
    onNotice: (words) => this.words.push(words),
  });

  #deliver(...[{ why }, missed, signal]: Parameters<Deliver>): ReturnType<Deliver> {
    this.asked.push(this.timers.now());
    if (this.mood === 'fails') return Promise.reject(new Error('HTTP 500'));
    if (this.mood === 'refuses') return Promise.resolve('refused');
    if (this.mood === 'hangs') {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true }));
    }
    this.taken.push({ why, missed });
    return Promise.resolve('taken');
  }
}

describe('F49: a notifier that is down', () => {
  test('F49: whoever has something to say goes on at once, whatever the address does, and what waits is bounded', async () => {
    for (const mood of ['fails', 'hangs', 'refuses'] as const) {
      const address = new Address();
      address.mood = mood;
      for (let number = 0; number < 100_000; number++) {
        assert.equal(address.notifier.tell(notice(number)), undefined);
        assert.ok(address.notifier.waiting <= 100, `${address.notifier.waiting} wait`);
      }
      await address.timers.advance(MINUTE_MS);
      assert.equal(address.taken.length, 0);
      assert.ok(address.asked.length <= 200, `${mood}: asked ${address.asked.length} times in a minute`);
    }
  });

  test('F49: it is asked less and less often, is told about once, and what waited comes when it is back', async () => {
    const address = new Address();
    address.mood = 'fails';
    address.notifier.tell(notice(1));
    address.notifier.tell(notice(2));
    await address.timers.advance(HOUR_MS);
    assert.deepEqual(address.asked.slice(0, 4), [0, SECOND_MS, 3 * SECOND_MS, 7 * SECOND_MS]);
    assert.ok(address.asked.length < 70, `${address.asked.length} times in an hour`);
    assert.deepEqual(address.words, ['alerts cannot be sent: HTTP 500; they wait, and trading goes on']);
    address.mood = 'takes';
    await address.timers.advance(MINUTE_MS);
    assert.deepEqual(address.taken, [
      { why: 'number 1', missed: 0 },
      { why: 'number 2', missed: 0 },
    ]);
    assert.equal(address.words.at(-1), 'alerts are sent again');
  });

  test('F49: of too many the oldest are given up, halts last, and the next that is taken says how many', async () => {
    const address = new Address();
    address.mood = 'fails';
    address.notifier.tell(notice(0));
    address.notifier.tell(notice(1, 'halt'));
    for (let number = 2; number < 300; number++) address.notifier.tell(notice(number));
    address.mood = 'takes';
    await address.timers.advance(2 * SECOND_MS);
    // The first was under way when the others came.
    assert.deepEqual(address.taken.slice(0, 3), [
      { why: 'number 0', missed: 200 },
      { why: 'number 1', missed: 0 },
      { why: 'number 202', missed: 0 },
    ]);
    assert.deepEqual([address.taken.length, address.notifier.counts], [100, { taken: 100, givenUp: 200 }]);
  });

  test('F49: what an address refuses holds up nothing behind it', async () => {
    const address = new Address();
    address.mood = 'refuses';
    address.notifier.tell(notice(1));
    await address.timers.advance(10);
    address.mood = 'takes';
    address.notifier.tell(notice(2));
    await address.timers.advance(10);
    assert.deepEqual(address.taken, [{ why: 'number 2', missed: 1 }]);
  });

  for (const mood of ['fails', 'hangs'] as const) {
    test(`F49: a session's end waits for its last words, and not for ever: the address ${mood}`, async () => {
      const address = new Address();
      address.mood = mood;
      address.notifier.tell(notice(1));
      await address.timers.advance(30 * SECOND_MS);
      let isClosed = false;
      const closing = address.notifier.close(3 * SECOND_MS).then(() => (isClosed = true));
      await address.timers.advance(3 * SECOND_MS);
      await closing;
      assert.ok(isClosed);
      assert.deepEqual([address.notifier.waiting, address.words.at(-1)], [0, '1 alert could not be sent']);
      address.notifier.tell(notice(2));
      assert.equal(address.notifier.waiting, 0, 'nothing can be told after it');
    });
  }

  test('F49: last words are tried at once, though the pause is long', async () => {
    const address = new Address();
    address.mood = 'fails';
    address.notifier.tell(notice(1));
    await address.timers.advance(10 * MINUTE_MS);
    address.mood = 'takes';
    const closing = address.notifier.close(3 * SECOND_MS);
    await address.timers.advance(0);
    await closing;
    assert.equal(address.taken.length, 1);
  });
});
