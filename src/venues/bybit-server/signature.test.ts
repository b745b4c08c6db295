import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from './refusal.ts';
import { isSocketSigned, mustBeInTime, mustBeSigned, signed } from './signature.ts';

const NOW = 1_795_189_060_000;

function codeOf(act: () => void): number {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error.retCode;
    throw error;
  }
  return 0;
}

test('HMAC-SHA256 as RFC 4231 has it', () => {
  // Test case 2 of the RFC.
  assert.equal(signed('Jefe', 'what do ya want for nothing?'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
});

test('a timestamp counts from the window before to less than a second ahead', () => {
  const at = (timestamp: number, recvWindow?: string): number => codeOf(() => mustBeInTime(String(timestamp), recvWindow, NOW));
  assert.deepEqual([at(NOW - 5_001), at(NOW - 5_000), at(NOW + 999), at(NOW + 1_000)], [10002, 0, 0, 10002]);
  assert.deepEqual([at(NOW - 20_000, '20000'), at(NOW - 20_001, '20000')], [0, 10002]);
  assert.deepEqual([codeOf(() => mustBeInTime('', undefined, NOW)), codeOf(() => mustBeInTime('soon', undefined, NOW))], [10002, 10002]);
});

test('the key is looked at before the time, and the time before the signature', () => {
  const payload = 'category=linear&symbol=BTC%252CUSDT';
  const timestamp = String(NOW);
  const sign = signed('secret', `${timestamp}key5000${payload}`);
  const request = { key: 'key', timestamp, recvWindow: '5000', sign, payload };
  assert.equal(
    codeOf(() => mustBeSigned(request, 'secret', NOW)),
    0,
  );
  assert.equal(
    codeOf(() => mustBeSigned(request, undefined, NOW + 60_000)),
    10003,
  );
  assert.equal(
    codeOf(() => mustBeSigned({ ...request, sign: 'x' }, 'secret', NOW + 60_000)),
    10002,
  );
  assert.equal(
    codeOf(() => mustBeSigned({ ...request, payload: `${payload}&` }, 'secret', NOW)),
    10004,
  );
  const expires = String(NOW + 5_000);
  assert.equal(isSocketSigned('secret', expires, signed('secret', `GET/realtime${expires}`)), true);
  assert.equal(isSocketSigned('secret', expires, signed('other', `GET/realtime${expires}`)), false);
});
