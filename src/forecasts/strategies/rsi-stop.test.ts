import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarView, Features } from '../../domain/feature.ts';
import type { Evidence } from '../../domain/strategy.ts';
import { rsiStop, type RsiStopParameters } from './rsi-stop.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

type Specs = ReturnType<typeof rsiStop.features>;

holdsStrategyContract(
  rsiStop,
  fc.record({
    window: fc.integer({ min: 1, max: 20 }),
    entryBelow: fc.double({ min: 0, max: 49, noNaN: true }),
    exitAbove: fc.double({ min: 50, max: 100, noNaN: true }),
    stop: fc.constantFrom(0, 0.005, 0.03, 0.5),
    trailing: fc.boolean(),
  }),
);

const chosen = rsiStop.parameters.parse({});

test('it enters on the bar that falls below the level and on no other', () => {
  assert.equal(opinionAt({ before: 30, now: 29.9 }).stance, 1);
  assert.equal(opinionAt({ before: 29.9, now: 20 }).stance, 0, 'it was below already');
  assert.equal(opinionAt({ before: 40, now: 30 }).stance, 0, 'at the level is not below it');
});

test('a position is held until the index is above the other level', () => {
  assert.equal(opinionAt({ before: 60, now: 70, side: 1 }).stance, 1);
  assert.equal(opinionAt({ before: 60, now: 70.1, side: 1 }).stance, 0);
  assert.equal(opinionAt({ before: 29, now: 28, side: 1 }).stance, 1);
});

test('the stop is as far away as was asked, follows where that was asked, and is not there at 0', () => {
  assert.deepEqual(opinionAt({ before: 40, now: 20 }).protection, { stopRatio: 0.03 });
  assert.deepEqual(opinionAt({ before: 40, now: 20 }, { ...chosen, trailing: true }).protection, { stopRatio: 0.03, trailRatio: 0.03 });
  assert.deepEqual(opinionAt({ before: 40, now: 20 }, { ...chosen, stop: 0, trailing: true }).protection, {});
});

test('the words say what was measured and what follows', () => {
  const because = (shown: Shown, parameters = chosen): string => rsiStop.explain(at(shown), parameters).because;
  assert.equal(
    because({ before: 40, now: 20 }),
    'the relative strength is 20.0 after 40.0: it has fallen below 30, which is bought; the stop is 3.00 % away',
  );
  assert.match(
    because({ before: 60, now: 65, side: 1 }, { ...chosen, trailing: true }),
    /held until it is above 70; .* follows the highest/,
  );
  assert.match(because({ before: 60, now: 71, side: 1 }), /above 70, which is sold$/);
  assert.match(because({ before: 25, now: 20 }), /below 30, but not since this bar$/);
  assert.match(because({ before: 45, now: 50 }, { ...chosen, stop: 0 }), /not below 30$/);
});

test('levels that contradict each other are refused by name', () => {
  assert.throws(() => rsiStop.parameters.parse({ entryBelow: 70 }), /entryBelow[^]*expected less than exitAbove/);
});

interface Shown {
  readonly before: number;
  readonly now: number;
  readonly side?: -1 | 0 | 1;
}

function opinionAt(shown: Shown, parameters: RsiStopParameters = chosen) {
  const opinion = rsiStop.opine(at(shown), parameters);
  assert.ok(opinion.kind === 'forecast');
  return opinion;
}

function at({ before, now, side = 0 }: Shown): Evidence<Specs> {
  const shows = <Value extends { readonly value: number }>(value: number, indicator: Value): Value => ({ ...indicator, value });
  const living = rsiStop.features(chosen, 1);
  const features: Features<Specs> = {
    strength: shows(now, living.strength.create()),
    strengthBefore: shows(before, living.strengthBefore.create()),
  };
  const bar: BarView = { at: 0, open: 100, high: 100, low: 100, close: 100, volume: 1 };
  return { at: 0, bars: [bar], features, sleeve: { side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: 0 } };
}
