import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forecaster } from '../../domain/strategy.ts';
import { strategies } from './index.ts';

test('built-in strategies have names of their own and run on their defaults', () => {
  assert.deepEqual(
    strategies.map(({ name }) => name),
    [
      'trend',
      'trend-strength',
      'donchian-ensemble',
      'mean-reversion',
      'vwap-deviation',
      'price-action',
      'correlation-divergence',
      'lead-lag',
      'cross-venue-arbitrage',
      'sma-cross',
      'rsi-stop',
      'book-imbalance',
      'funding-carry',
      'pairs',
      'basket',
      'dynamic-pairs',
      'copula-pairs',
      'distance-pairs',
    ],
  );
  for (const strategy of strategies) {
    const bound = forecaster(strategy, strategy.parameters.parse({}));
    assert.equal(bound.name, strategy.name);
    assert.notEqual(Object.keys(bound.features).length, 0);
  }
});
