import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { binance, bybit, type Wire } from './wire.ts';

function judged(wire: Wire, path: string, status: number, body: unknown, headers: Record<string, string> = {}): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const verdict = wire.judge(new URL(`https://venue.example${path}`), { status, headers: new Headers(headers), body: text });
  return verdict.kind === 'limited' ? `limited ${verdict.pauseMs / 1_000} s` : verdict.kind;
}

const BYBIT_BARS = '/v5/market/kline?symbol=BTCUSDT';
const envelope = (retCode: number, retMsg: string, result: object = {}): object => ({ retCode, retMsg, result, retExtInfo: {}, time: 1 });
const bybitRow = ['1670608800000', '1', '2', '0.5', '1.5', '10', '15'];

describe('an answer of Bybit', () => {
  for (const [words, status, body, verdict] of [
    ['with bars', 200, envelope(0, 'OK', { list: [bybitRow] }), 'answered'],
    ['without a bar', 200, envelope(0, 'OK', { list: [] }), 'answered'],
    ['that is good, but has no list', 200, envelope(0, 'OK', {}), 'failed'],
    ['with half a row', 200, envelope(0, 'OK', { list: [bybitRow.slice(0, 4)] }), 'failed'],
    ['that is cut', 200, JSON.stringify(envelope(0, 'OK', { list: [bybitRow] })).slice(0, 60), 'failed'],
    ['that is empty', 200, '', 'failed'],
    ['that is a page', 200, '<html>maintenance</html>', 'failed'],
    ['with too many visits', 200, envelope(10006, 'Too many visits!'), 'limited 5 s'],
    ['with the limit of the address', 200, envelope(10018, 'Exceeded the IP Rate Limit.'), 'limited 5 s'],
    ['with the limit of the system', 200, envelope(10429, 'System level frequency protection'), 'limited 5 s'],
    ['429', 429, '', 'limited 5 s'],
    ['with the ban of an address', 403, '403, access too frequent', 'limited 600 s'],
    ['with the ban of a country', 403, 'The Amazon CloudFront distribution is configured to block access from your country.', 'refused'],
    ['with a server in trouble', 200, envelope(10016, 'Server error'), 'failed'],
    ['502', 502, '<html>bad gateway</html>', 'failed'],
    ['with an unknown symbol', 200, envelope(10001, 'Not supported symbols'), 'refused'],
    ['404', 404, '', 'refused'],
    ['with a redirect', 302, '', 'refused'],
  ] as const) {
    test(`${words} is ${verdict}`, () => assert.equal(judged(bybit, BYBIT_BARS, status, body), verdict));
  }

  test('is found behind the path of a proxy, too', () => {
    assert.equal(judged(bybit, `/bybit${BYBIT_BARS}`, 200, envelope(0, 'OK', {})), 'failed');
  });
});

describe('an answer of Binance', () => {
  const row = [1591478520000, '1', '2', '0.5', '1.5', '10', 1591478579999, '15', 40, '1', '1', '0'];
  const fault = (code: number, msg: string): object => ({ code, msg });
  for (const [words, path, status, body, headers, verdict] of [
    ['with bars', '/api/v3/klines', 200, [row], {}, 'answered'],
    ['without a bar', '/fapi/v1/klines', 200, [], {}, 'answered'],
    ['that is an object where rows are expected', '/api/v3/klines', 200, {}, {}, 'failed'],
    ['that is cut', '/api/v3/klines', 200, JSON.stringify([row]).slice(0, 40), {}, 'failed'],
    ['without symbols', '/api/v3/exchangeInfo', 200, {}, {}, 'failed'],
    ['429', '/api/v3/klines', 429, fault(-1003, 'Too much request weight used'), { 'retry-after': '17' }, 'limited 17 s'],
    ['429 that does not say how long', '/api/v3/klines', 429, fault(-1003, 'Too much'), {}, 'limited 60 s'],
    ['418', '/api/v3/klines', 418, fault(-1003, 'Way too much'), { 'retry-after': '120' }, 'limited 120 s'],
    ['403', '/api/v3/klines', 403, '<html>WAF</html>', {}, 'limited 600 s'],
    [
      'with a restricted location',
      '/api/v3/klines',
      451,
      { code: 0, msg: 'Service unavailable from a restricted location' },
      {},
      'refused',
    ],
    ['with an internal error', '/api/v3/klines', 400, fault(-1001, 'Internal error'), {}, 'failed'],
    ['503', '/api/v3/klines', 503, '', {}, 'failed'],
    ['with an invalid symbol', '/api/v3/klines', 400, fault(-1121, 'Invalid symbol.'), {}, 'refused'],
  ] as const) {
    test(`${words} is ${verdict}`, () => assert.equal(judged(binance, path, status, body, headers), verdict));
  }

  test('is paid for as Binance counts', () => {
    const weight = (address: string): string => {
      const charge = binance.charge(new URL(`https://venue.example${address}`));
      return `${charge.allowance} ${charge.weight}`;
    };
    assert.equal(weight('/api/v3/klines?limit=1000'), 'spot 2');
    assert.equal(weight('/api/v3/exchangeInfo'), 'spot 20');
    assert.equal(weight('/fapi/v1/klines?limit=99'), 'futures 1');
    assert.equal(weight('/fapi/v1/klines?limit=499'), 'futures 2');
    assert.equal(weight('/fapi/v1/klines?limit=1000'), 'futures 5');
    assert.equal(weight('/fapi/v1/klines?limit=1500'), 'futures 10');
    assert.equal(binance.usedWeight(new Headers({ 'X-MBX-USED-WEIGHT-1M': '77' })), 77);
  });
});

test('words of a venue cannot move a cursor', () => {
  const answer = { status: 400, headers: new Headers(), body: '\u001b[2Jgone' };
  const verdict = bybit.judge(new URL(`https://venue.example${BYBIT_BARS}`), answer);
  assert.ok(verdict.kind === 'refused' && !verdict.found.includes('\u001b'), JSON.stringify(verdict));
});
