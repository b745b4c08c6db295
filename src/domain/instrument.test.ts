import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as mustHold, BallastError, unreachable } from './errors.ts';
import { isMarketEvent } from './event.ts';
import { instrumentId, parseSymbol } from './instrument.ts';
import { layOut } from './sleeve.ts';
import { defineStrategy, forecaster } from './strategy.ts';

test('a symbol names base, quote and kind', () => {
  assert.deepEqual(parseSymbol('BTC/USDT'), { base: 'BTC', quote: 'USDT', kind: 'spot' });
  assert.deepEqual(parseSymbol('1000PEPE/USDT:USDT'), { base: '1000PEPE', quote: 'USDT', kind: 'linear' });
});

test('what is no symbol is refused by name', () => {
  for (const symbol of ['BTCUSDT', 'btc/usdt', 'BTC/', '/USDT', 'BTC/USD:BTC', 'BTC/USDT:', 'BTC/USDT:USDT-240329', ' BTC/USDT']) {
    assert.throws(() => parseSymbol(symbol, '--symbols'), { code: 'SYMBOL_MALFORMED', place: '--symbols', exitCode: 2 });
  }
});

test('an instrument is a venue and a symbol', () =>
  assert.equal(instrumentId({ venue: 'binance', symbol: 'BTC/USDT' }), 'binance:BTC/USDT'));

test('an error says the place, what was found, what was expected and what to do', () => {
  const error = new BallastError({ code: 'X', place: 'file:3', found: '"a"', expected: 'a number', remedy: 'fix it', cause: 'why' });
  assert.equal(error.message, 'file:3: found "a", expected a number (fix it)');
  assert.deepEqual([error.code, error.exitCode, error.cause, error.remedy], ['X', 1, 'why', 'fix it']);
  assert.equal(new BallastError({ code: 'X', place: 'p', found: 'f', expected: 'e', exitCode: 2 }).message, 'p: found f, expected e');
});

test('a broken invariant says what must hold', () => {
  mustHold(true, 'nothing');
  assert.throws(() => mustHold(false, 'one is one'), /broken invariant: one is one/);
  assert.throws(() => unreachable('x' as never), /unreachable value "x"/);
});

test('prices are market events and words are not', () => {
  const event = { at: 1, happenedAt: 1, instrument: 0, open: 1, high: 1, low: 1, close: 1, volume: 1, warmup: false };
  for (const kind of ['bar.closed', 'trade.printed', 'mark.changed'] as const) assert.ok(isMarketEvent({ kind, ...event }));
  assert.ok(!isMarketEvent({ kind: 'timer.rang', at: 1, happenedAt: 1, timer: 0 }));
});

test('holdings are the legs of all sleeves in order', () => {
  const holdings = layOut(
    [
      { name: 'pair', shareRatio: 0.5, instruments: [1, 0], sources: [] },
      { name: 'one', shareRatio: 0.5, instruments: [0], sources: [] },
    ],
    2,
  );
  assert.deepEqual(holdings, {
    count: 3,
    first: [0, 2],
    sleeve: [0, 0, 1],
    leg: [0, 1, 0],
    instrument: [1, 0, 0],
    ofInstrument: [[1, 2], [0]],
  });
});

test('a strategy is bound to its parameters once', () => {
  const strategy = defineStrategy({
    name: 'x',
    about: '',
    legs: 1,
    parameters: { parse: (value: unknown) => ({ size: Number(value) }) },
    features: () => ({}),
    opine: (evidence, parameters: { size: number }) => ({ kind: 'forecast', stance: parameters.size, confidence: evidence.at }),
    explain: (_evidence, parameters) => ({ because: `size ${parameters.size}`, numbers: {} }),
  });
  const bound = forecaster(strategy, strategy.parameters.parse(0.5));
  const evidence = { at: 1, bars: [], features: {}, sleeve: { side: 0, stance: 0, entryPrice: NaN, heldSince: NaN } } as const;
  assert.deepEqual([bound.name, bound.legs, bound.features], ['x', 1, {}]);
  assert.deepEqual(bound.opine(evidence), { kind: 'forecast', stance: 0.5, confidence: 1 });
  assert.equal(bound.explain(evidence).because, 'size 0.5');
});
