import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './bybit-codes.ts';

const plain = (words: string): string => words;

function kindOf(status: number, body: string, headers: Record<string, string> = {}): string {
  return judge({ status, headers: new Headers(headers), body }, plain).judged.kind;
}

function code(retCode: number, words = ''): string {
  return kindOf(200, JSON.stringify({ retCode, retMsg: words, result: {}, time: 5 }));
}

test('every code after which an order may stand leaves it in doubt, whatever ccxt makes of it', () => {
  // As nautechsystems/nautilus_trader lists them, in its adapter's http/error.rs.
  for (const each of [429, 10000, 10006, 10016, 10019, 10403, 10429, 170001, 170005, 170007, 170032, 20003, 20006, 500000]) {
    assert.equal(code(each), 'unknown', String(each));
  }
  assert.equal(code(424242), 'unknown', 'a code that nobody knows proves nothing');
});

test('refusals, keys, ids in use, orders that are gone and changes of nothing are told apart', () => {
  for (const each of [10001, 110003, 110004, 110007, 110009, 110012, 110017, 110074, 110092, 110093, 110094, 170131, 170140])
    assert.equal(code(each), 'refused', String(each));
  for (const each of [10003, 10004, 10005, 10010, 33004]) assert.equal(code(each), 'unauthorised', String(each));
  assert.equal(code(110072), 'taken');
  for (const each of [110001, 110008, 110010, 170213]) assert.equal(code(each), 'gone', String(each));
  for (const each of [34040, 34036, 110025, 110026, 110043]) assert.equal(code(each), 'unchanged', String(each));
  assert.equal(code(0), 'answered');
});

test('no HTTP status, no page and no half of an answer is a refusal, but 401', () => {
  for (const status of [302, 400, 404, 429, 500, 502, 503, 504]) assert.equal(kindOf(status, ''), 'unknown', String(status));
  for (const body of ['', '<html></html>', '{"retCode":0,"retMs', '[]', 'null', '{"retCode":"0"}'])
    assert.equal(kindOf(200, body), 'unknown', body);
  assert.equal(kindOf(401, ''), 'unauthorised');
});

test('limits say how long, and bans that they are bans', () => {
  const judged = (status: number, headers: Record<string, string>, body = ''): unknown => {
    const { judged: one } = judge({ status, headers: new Headers(headers), body }, plain);
    return one.kind === 'unknown' ? [one.pauseMs, one.isBan ?? false] : one.kind;
  };
  assert.deepEqual(judged(429, { 'retry-after': '7' }), [7_000, false]);
  assert.deepEqual(judged(429, {}), [5_000, false]);
  assert.deepEqual(judged(403, {}), [600_000, true]);
  assert.deepEqual(judged(418, { 'retry-after': '30' }), [30_000, true]);
  assert.deepEqual(judged(200, {}, JSON.stringify({ retCode: 10006, retMsg: '', result: {} })), [1_000, false]);
  assert.deepEqual(judged(200, {}, JSON.stringify({ retCode: 10018, retMsg: '', result: {} })), [600_000, true]);
});

test('what a venue repeats of a key is taken out of its words', () => {
  const body = JSON.stringify({ retCode: 10004, retMsg: 'error sign! origin_string[1700000000000KEY5000]', result: {}, time: 1 });
  const { judged, venueAt } = judge({ status: 200, headers: new Headers(), body }, (words) => words.replaceAll('KEY', '[key]'));
  assert.ok(judged.kind === 'unauthorised' && !judged.words.includes('KEY5'));
  assert.equal(venueAt, 1);
});
