import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from './bybit-codes.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { anyCredentialsFrom, redactor } from './credentials.ts';

/** With what addresses and JSON write otherwise. */
const KEY = 'key/of the+test-0123456789';
const SECRET = 'secret"of=the&test-9876543210';
const redact = redactor({ key: KEY, secret: SECRET });

test('keys, secrets and signatures are taken out of words, however they are written', () => {
  const signature = 'ab'.repeat(32);
  const words = `${KEY} ${encodeURIComponent(KEY)} ${SECRET} ${JSON.stringify(SECRET)} ${signature} /fapi?x=1&signature=${'Zz%2F'.repeat(9)}&y=2`;
  assert.equal(redact(words), '[key] [key] [secret] "[secret]" [signature] /fapi?x=1&signature=[signature]&y=2');
});

test('a key that lies across the place at which words are cut leaves no half of it', () => {
  for (let length = 0; length < 220; length++) {
    const body = `${'x'.repeat(length)}${KEY}${SECRET}`;
    const { judged } = judge({ status: 503, headers: new Headers(), body }, redact);
    const words = [judged, judgeFailure(new Error(body), redact)].map((each) => JSON.stringify(each)).join(' ');
    for (const part of [KEY.slice(0, 8), JSON.stringify(SECRET).slice(1, 9)]) assert.ok(!words.includes(part), `${length}: ${words}`);
  }
});

test('a key in PEM is read from one line, and none of its lines is left in words; nor is what is made of it', () => {
  const lines = ['-----BEGIN EC PRIVATE KEY-----', 'A'.repeat(64), 'b/+9'.repeat(12), '-----END EC PRIVATE KEY-----'];
  const environment = { COINBASE_API_KEY: 'organizations/o/apiKeys/k', COINBASE_API_SECRET: lines.join('\\n') };
  const credentials = anyCredentialsFrom(environment, 'coinbase');
  assert.equal(credentials.secret, lines.join('\n'));
  const hide = redactor(credentials);
  const words = `${credentials.secret} ${JSON.stringify(credentials.secret)} ${lines[2]} Bearer eyJhbGciOi.eyJhdWQi.abc-_1 ${credentials.key}`;
  assert.equal(hide(words), '[secret] "[secret]" [secret] Bearer [token] [key]');
});

test('each site of a venue has keys of its own', () => {
  const environment = { BINANCE_API_KEY: 'a', BINANCE_API_SECRET: 'b', BINANCE_DEMO_API_KEY: 'c', BINANCE_DEMO_API_SECRET: 'd' };
  assert.equal(anyCredentialsFrom(environment, 'binance').key, 'a');
  assert.equal(anyCredentialsFrom(environment, 'binance', 'demo').key, 'c');
  assert.throws(() => anyCredentialsFrom(environment, 'binance', 'testnet'), { code: 'CREDENTIALS_MISSING' });
});
