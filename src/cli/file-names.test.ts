// Names of files as exchanges, archives and people write them, and what must not be guessed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import { formatSpan } from '../domain/time.ts';
import { seriesOfName, type NameRequest } from './file-names.ts';

const BARS: NameRequest = { kind: 'bars', market: undefined, timeframeMs: undefined };

function read(path: string, request: Partial<NameRequest> = {}): string {
  const { symbol, timeframeMs } = seriesOfName(path, { ...BARS, ...request });
  return timeframeMs === undefined ? symbol : `${symbol} ${formatSpan(timeframeMs)}`;
}

for (const [path, expected, request] of [
  ['1h_spot/BTCUSDT_1h.csv.gz', 'BTC/USDT 1h', {}],
  ['1h_spot/LUNAUSDT_1h_2021-23.csv.gz', 'LUNA/USDT 1h', {}],
  ['data/SOLUSDT_perp_5m.csv.gz', 'SOL/USDT:USDT 5m', {}],
  ['klines/BTCUSDT-1m-2024-01.zip', 'BTC/USDT:USDT 1m', { market: 'linear' }],
  ['spot/1000PEPEUSDT-1d-2024-01-31.zip', '1000PEPE/USDT 1d', {}],
  ['x/ETH_BTC-5m.feather', 'ETH/BTC 5m', { market: 'spot' }],
  ['futures/BTC_USDT_USDT-5m-futures.feather', 'BTC/USDT:USDT 5m', {}],
  ['x/BTC_USDT_USDT-1h-mark.feather', 'BTC/USDT:USDT 1h', { kind: 'mark' }],
  ['x/ADAUSDT_funding_8h.csv.gz', 'ADA/USDT:USDT', { kind: 'funding' }],
  ['x/BTCUSDT-fundingRate-2024-01.zip', 'BTC/USDT:USDT', { kind: 'funding' }],
  ['x/BTCUSDT-trades-2025-01.zip', 'BTC/USDT', { kind: 'trades', market: 'spot' }],
  ['x/BTC_coinmetrics.csv.gz', 'BTC', { kind: 'metric' }],
  ['x/BTC_deribit_2024-05.csv', 'BTC', { kind: 'option-chain' }],
  ['spot/BTCUSDT.csv', 'BTC/USDT 1h', { timeframeMs: 3_600_000 }],
] as const satisfies readonly (readonly [string, string, Partial<NameRequest>])[]) {
  test(`${path} is ${expected}`, () => assert.equal(read(path, request), expected));
}

for (const [path, reason, request] of [
  ['klines/BTCUSDT-1m-2024-01.zip', /nothing that says whether it is spot or a perpetual.*--market/, {}],
  ['1h_spot/BTCUSDT_perp_1h.csv', /a word for spot and one for a perpetual/, {}],
  ['1h_spot/BTCUSDT_1h.csv', /a word for spot and one for a perpetual/, { market: 'linear' }],
  ['spot/SXTUSD_1h.csv', /SX\/TUSD or SXT\/USD/, {}],
  ['spot/BTC-PERP_1m.csv', /no symbol at its beginning/, {}],
  ['spot/btcusdt_1h.csv', /no symbol at its beginning/, {}],
  ['spot/2024-01.csv', /no symbol at its beginning/, { timeframeMs: 60_000 }],
  ['spot/BTCUSDT_2024.csv', /nothing that says how long its bars are/, {}],
  ['spot/BTCUSDT_1h.csv', /several lengths of bars/, { timeframeMs: 60_000 }],
  ['x/fear_greed_daily.csv', /"fear" at its beginning/, { kind: 'metric' }],
] as const satisfies readonly (readonly [string, RegExp, Partial<NameRequest>])[]) {
  test(`${path} with ${JSON.stringify(request)} is refused`, () => {
    assert.throws(
      () => read(path, request),
      (error) => {
        assert.ok(error instanceof BallastError);
        assert.deepEqual([error.code, error.exitCode, error.place], ['NAME_AMBIGUOUS', 2, path]);
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}
