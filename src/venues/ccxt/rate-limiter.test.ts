import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { VirtualTimers } from '../../../test/support/virtual-timers.ts';
import { RateLimiter } from './rate-limiter.ts';

const never = new AbortController().signal;

describe('a rate limiter', () => {
  test('keeps to half of the allowance and a burst, wherever a window begins', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), idleMs: fc.integer({ min: 0, max: 400 }) }), {
          minLength: 1,
          maxLength: 120,
        }),
        async (requests) => {
          const timers = new VirtualTimers();
          const [weight, windowMs] = [100, 1_000];
          const limiter = new RateLimiter(timers, { weight, windowMs });
          const sent: { at: number; weight: number }[] = [];
          for (const each of requests) {
            // Mostly in a hurry, now and then after a rest.
            if (each.idleMs > 390) timers.pass(each.idleMs);
            await limiter.take(each.weight, never);
            sent.push({ at: timers.now(), weight: each.weight });
          }
          for (const { at } of sent) {
            const used = sent.filter((other) => other.at >= at && other.at < at + windowMs).reduce((sum, other) => sum + other.weight, 0);
            assert.ok(used <= 0.5 * weight + 0.05 * weight + 5, `found ${used} in the window from ${at}`);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('does use that half', async () => {
    const timers = new VirtualTimers();
    const limiter = new RateLimiter(timers, { weight: 600, windowMs: 5_000 });
    for (let count = 0; count < 630; count++) await limiter.take(1, never);
    assert.ok(timers.now() > 9_500 && timers.now() <= 10_700, `630 requests took ${timers.now()} ms, expected 30 at once and 60 a second`);
  });

  test('serves in the order of asking', async () => {
    const limiter = new RateLimiter(new VirtualTimers(), { weight: 20, windowMs: 1_000 });
    const order: number[] = [];
    await Promise.all([5, 1, 5, 1].map((weight, index) => limiter.take(weight, never).then(() => order.push(index))));
    assert.deepEqual(order, [0, 1, 2, 3]);
  });

  test('waits as long as the venue says, and for longer when more than most of the allowance is used up', async () => {
    const timers = new VirtualTimers();
    const limiter = new RateLimiter(timers, { weight: 6_000, windowMs: 60_000 });
    limiter.freeze(600_000);
    await limiter.take(1, never);
    assert.equal(timers.now(), 600_000);
    limiter.report(4_700);
    await limiter.take(1, never);
    assert.equal(timers.now(), 600_000);
    limiter.report(4_900);
    await limiter.take(1, never);
    assert.equal(timers.now(), 610_000);
  });

  test('lets go of whoever is told to end, and the next one has its turn', async () => {
    const limiter = new RateLimiter(new VirtualTimers(), { weight: 20, windowMs: 1_000 });
    const controller = new AbortController();
    await limiter.take(1, never);
    const [first, second] = [limiter.take(1, controller.signal), limiter.take(1, never)];
    controller.abort(new Error('enough'));
    await assert.rejects(first, /enough/);
    await second;
  });
});
