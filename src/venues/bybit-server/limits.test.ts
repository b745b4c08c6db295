import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressLimits, BAN_MS, RateLimits } from './limits.ts';

test('ten orders in any second, by account and kind, each of a batch counted', () => {
  const limits = new RateLimits();
  const take = (now: number, count = 1, uid = 1): boolean => limits.take(uid, 'create', now, count).isAllowed;
  for (let each = 0; each < 10; each++) assert.equal(take(1_000 + each * 50), true);
  assert.equal(take(1_999), false);
  assert.equal(take(1_999, 1, 2), true, 'another account');
  assert.equal(limits.take(1, 'amend', 1_999).isAllowed, true, 'another kind');
  assert.equal(limits.take(1, 'create', 1_999).resetAt, 2_000);
  assert.equal(take(2_000), true, 'the first is a second old');
  assert.equal(take(2_000), false);
  assert.equal(take(2_160, 4), false, 'three are free');
  assert.equal(take(2_160, 3), true);
  assert.equal(limits.take(3, 'create-batch', 0, 10).remaining, 0);
});

test('six hundred requests in five seconds, then ten minutes of none', () => {
  const limits = new AddressLimits();
  for (let each = 0; each < 600; each++) assert.equal(limits.mayAsk(each), true);
  assert.equal(limits.mayAsk(4_999), false);
  assert.equal(limits.mayAsk(4_999 + BAN_MS - 1), false);
  assert.equal(limits.mayAsk(4_999 + BAN_MS), true);
});

test('five hundred new sockets in five minutes', () => {
  const limits = new AddressLimits();
  for (let each = 0; each < 500; each++) assert.equal(limits.mayConnect(each), true);
  assert.equal(limits.mayConnect(299_999), false);
  assert.equal(limits.mayConnect(300_500), true);
});
