import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import type { Parse } from './definition.ts';
import * as values from './values.ts';

function refuses<Value>(parse: Parse<Value>, text: string): BallastError {
  try {
    parse(text, '--flag');
  } catch (error) {
    assert.ok(error instanceof BallastError, String(error));
    assert.equal(error.exitCode, 2);
    assert.match(error.place, /^--flag/);
    return error;
  }
  return assert.fail(`${JSON.stringify(text)} was taken`);
}

describe('the values of flags', () => {
  test('a number that is not a number is refused with what was found', () => {
    for (const text of ['', 'abc', 'NaN', 'Infinity', '1e999', '1,5', '0x10', '1 2', '--']) {
      const error = refuses(values.number({ least: 0, most: 1 }), text);
      assert.equal(error.found, JSON.stringify(text));
      assert.equal(error.expected, 'a number from 0 to 1');
      refuses(values.seed, text);
      refuses(values.money, text);
      refuses(values.speed, text);
    }
    assert.equal(values.number({ least: 0, most: 1 })('6e-4', '--fee'), 0.0006);
    assert.equal(values.number({ least: 0, most: 1 })('.5', '--fee'), 0.5);
  });

  test('the ends of a range are within it', () => {
    const percentage = values.wholeNumber({ least: 0, most: 100 });
    assert.equal(percentage('0', '--flag'), 0);
    assert.equal(percentage('100', '--flag'), 100);
    for (const text of ['-1', '101', '1.0', '1e2']) refuses(percentage, text);
    assert.equal(values.seed('9007199254740991', '--seed'), Number.MAX_SAFE_INTEGER);
    refuses(values.seed, '9007199254740992');
  });

  test('speed is above 0, or max', () => {
    assert.equal(values.speed('max', '--speed'), Infinity);
    assert.equal(values.speed('0.5', '--speed'), 0.5);
    for (const text of ['0', '-1', '1e10', 'fast']) refuses(values.speed, text);
  });

  test('money stays an exact text', () => {
    assert.equal(values.money('0.100000000001', '--capital'), '0.100000000001');
    for (const text of ['0', '0.00', '-5', '1e4', '0.1000000000001', '1000 USDT']) refuses(values.money, text);
  });

  test('an unknown timeframe says which there are', () => {
    assert.equal(values.timeframe('15m', '--timeframe'), 900_000);
    for (const text of ['7x', '1', 'h', '0m', '-1h', '1.5h', '99999999999999999w', '']) refuses(values.timeframe, text);
    assert.match(refuses(values.timeframe, '7x').expected, /such as 1m, 4h or 30d/);
  });

  test('a day that the calendar does not have is no time', () => {
    assert.equal(values.time('20210228', '--from'), Date.UTC(2021, 1, 28));
    assert.equal(values.time('2020-02-29T10:30Z', '--from'), Date.UTC(2020, 1, 29, 10, 30));
    assert.equal(values.time('1609459200000', '--from'), Date.UTC(2021, 0, 1));
    for (const text of ['2021-02-29', '20210229', '2021-02-30T00:00Z', '2021-13-01', '2021-04-31', 'yesterday', ''])
      refuses(values.time, text);
  });

  test('a time with an offset may lie on another day than it says', () => {
    assert.equal(values.time('2021-01-01T00:30+02:00', '--from'), Date.UTC(2020, 11, 31, 22, 30));
  });

  test('a time range has days, seconds or milliseconds, and one side may be open', () => {
    const fromMs = Date.UTC(2021, 0, 1);
    const toMs = Date.UTC(2023, 0, 1);
    for (const text of ['20210101-20230101', '1609459200-1672531200', '1609459200000-20230101']) {
      assert.deepEqual(values.timeRange(text, '--timerange'), { fromMs, toMs });
    }
    assert.deepEqual(values.timeRange('20210101-', '--timerange'), { fromMs, toMs: undefined });
    assert.deepEqual(values.timeRange('-20230101', '--timerange'), { fromMs: undefined, toMs });
    for (const text of ['-', '', '20210101', '2021-2023', '20210101-20230101-', '20210230-20230101']) refuses(values.timeRange, text);
  });

  test('a reversed or an empty range is refused, by either way of saying it', () => {
    assert.match(refuses(values.timeRange, '20230101-20210101').found, /^a reversed range, 2023-01-01T00:00:00Z to 2021-01-01T00:00:00Z$/);
    assert.match(refuses(values.timeRange, '20210101-20210101').found, /^an empty range/);
    const timerange = undefined;
    assert.throws(() => values.rangeOf({ from: 2, to: 1, timerange }), /--from, --to: found a reversed range/);
    assert.throws(() => values.rangeOf({ from: 2, to: 2, timerange }), /an empty range/);
    assert.throws(() => values.rangeOf({ from: 2, to: undefined, timerange: { fromMs: 1, toMs: 3 } }), /--timerange: found --from as well/);
    assert.deepEqual(values.rangeOf({ from: 2, to: undefined, timerange }), { fromMs: 2, toMs: undefined });
  });

  test('symbols are ccxt’s, each once', () => {
    assert.deepEqual(values.symbols('BTC/USDT, ETH/USDT:USDT', '--symbols'), ['BTC/USDT', 'ETH/USDT:USDT']);
    for (const text of ['BTCUSDT', 'btc/usdt', 'BTC/USDT,', '', 'BTC/USDT:BTC', 'BTC/USDT,BTC/USDT']) refuses(values.symbols, text);
  });

  test('a choice says what there is to choose from', () => {
    assert.equal(values.oneOf('auto', 'none')('none', '--warmup'), 'none');
    assert.equal(refuses(values.oneOf('auto', 'none'), 'no').expected, 'one of auto, none');
    assert.equal(refuses(values.oneOf('simulated'), 'bybit').expected, 'simulated');
  });

  test('a feed is a WebSocket', () => {
    assert.equal(values.webSocketAddress('ws://127.0.0.1:9000/x', '--feed'), 'ws://127.0.0.1:9000/x');
    for (const text of ['http://127.0.0.1', 'localhost:9000', '', 'ws://']) refuses(values.webSocketAddress, text);
  });
});
