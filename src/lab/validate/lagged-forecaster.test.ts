import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { forecaster, type Evidence, type Forecaster } from '../../domain/strategy.ts';
import { bollinger, ema } from '../../features/catalog.ts';
import { lagged } from './lagged-forecaster.ts';

/** Says the last close it knows, less the mean it knows, and whether it is held. */
const echo = forecaster(
  {
    name: 'echo',
    about: '',
    legs: 1,
    parameters: { parse: () => ({}) },
    features: () => ({ mean: ema(3), band: bollinger(4, 2) }),
    opine: ({ bars, features, sleeve }) => ({
      kind: 'forecast',
      stance: ((bars[0]?.close ?? NaN) - features.mean.value + features.band.upper) / 1_000,
      confidence: sleeve.side === 1 ? 1 : 0,
    }),
    explain: () => ({ because: 'as it is', numbers: {} }),
  },
  {},
);

function bar(row: number): BarView {
  const close = 100 + 10 * Math.sin(row);
  return { at: row, open: close, high: close + 1, low: close - 1, close, volume: 1 };
}

/** Feeds and asks at each bar, as the engine does. */
function answers(asked: Forecaster, rows: number): (string | number)[][] {
  const features: Record<string, Indicator> = Object.fromEntries(
    Object.entries(asked.features).map(([name, spec]) => [name, spec.create() as Indicator]),
  );
  // One object for all bars, as the engine has it.
  const shared = { at: NaN, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN };
  return Array.from({ length: rows }, (_, row) => {
    Object.assign(shared, bar(row));
    for (const feature of Object.values(features)) feature.update(shared);
    const side = row % 2 === 0 ? 1 : 0;
    const evidence: Evidence = { at: row, bars: [shared], features, sleeve: { side, stance: side, entryPrice: 1, heldSince: 0 } };
    const opinion = asked.opine(evidence);
    asked.explain(evidence);
    return opinion.kind === 'abstention' ? [opinion.because, side] : [opinion.stance, opinion.confidence];
  });
}

for (const lag of [1, 3]) {
  test(`${lag} late: what was said of its bars then is said now, of the position that is held now`, () => {
    const own = answers(echo, 40);
    const late = answers(lagged(echo, lag), 40);
    for (let row = 10; row < 40; row++) {
      assert.equal(late[row]?.[0], own[row - lag]?.[0], `bar ${row}`);
      assert.equal(late[row]?.[1], row % 2 === 0 ? 1 : 0);
    }
    for (let row = 0; row < lag; row++) assert.equal(late[row]?.[0], 'the bars are still on their way');
  });
}

test('it needs as many bars more, and shares no indicator with what is not late', () => {
  const late = lagged(echo, 2);
  for (const [name, spec] of Object.entries(echo.features)) {
    assert.equal(late.features[name]?.warmup, spec.warmup + 2);
    assert.notEqual(late.features[name]?.key, spec.key);
  }
  assert.deepEqual([late.name, late.legs], ['echo', 1]);
});
