import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarView, Features } from '../../domain/feature.ts';
import type { Evidence } from '../../domain/strategy.ts';
import { smaCross } from './sma-cross.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

type Specs = ReturnType<typeof smaCross.features>;

holdsStrategyContract(
  smaCross,
  fc
    .record({ fast: fc.integer({ min: 1, max: 20 }), more: fc.integer({ min: 1, max: 30 }) })
    .map(({ fast, more }) => ({ fast, slow: fast + more })),
);

const chosen = smaCross.parameters.parse({});

test('it enters on the bar of the crossing and on no other', () => {
  assert.equal(stanceAt({ before: [99, 100], now: [101, 100] }), 1);
  assert.equal(stanceAt({ before: [100, 100], now: [101, 100] }), 1, 'level is not above');
  assert.equal(stanceAt({ before: [101, 100], now: [102, 100] }), 0, 'it was above already');
  assert.equal(stanceAt({ before: [99, 100], now: [100, 100] }), 0);
});

test('a position is held until the fast mean is below', () => {
  assert.equal(stanceAt({ before: [101, 100], now: [102, 100], side: 1 }), 1);
  assert.equal(stanceAt({ before: [101, 100], now: [100, 100], side: 1 }), 1);
  assert.equal(stanceAt({ before: [101, 100], now: [99, 100], side: 1 }), 0);
});

test('the words say where the means are and what follows', () => {
  const because = (shown: Shown): string => smaCross.explain(at(shown), chosen).because;
  assert.equal(because({ before: [99, 100], now: [101, 100] }), 'the mean of 10 bars stands above that of 50: it has crossed');
  assert.match(because({ before: [101, 100], now: [102, 100], side: 1 }), /above that of 50: the position is held until it is below$/);
  assert.match(because({ before: [101, 100], now: [100, 100], side: 1 }), /level with that of 50: the position is held/);
  assert.match(because({ before: [101, 100], now: [102, 100] }), /did not cross with this bar/);
  assert.match(because({ before: [99, 100], now: [98, 100] }), /below that of 50: no reason to be long/);
});

test('a fast mean that is not faster is refused by name', () => {
  assert.throws(() => smaCross.parameters.parse({ fast: 50 }), /fast[^]*expected fewer bars than slow has/);
});

interface Shown {
  /** Fast and slow. */
  readonly before: readonly [number, number];
  readonly now: readonly [number, number];
  readonly side?: -1 | 0 | 1;
}

function stanceAt(shown: Shown): number {
  const opinion = smaCross.opine(at(shown), chosen);
  assert.ok(opinion.kind === 'forecast');
  return opinion.stance;
}

function at({ before, now, side = 0 }: Shown): Evidence<Specs> {
  const shows = <Value extends { readonly value: number }>(value: number, indicator: Value): Value => ({ ...indicator, value });
  const living = smaCross.features(chosen, 1);
  const features: Features<Specs> = {
    fast: shows(now[0], living.fast.create()),
    slow: shows(now[1], living.slow.create()),
    fastBefore: shows(before[0], living.fastBefore.create()),
    slowBefore: shows(before[1], living.slowBefore.create()),
  };
  const bar: BarView = { at: 0, open: 100, high: 100, low: 100, close: 100, volume: 1 };
  return { at: 0, bars: [bar], features, sleeve: { side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: 0 } };
}
