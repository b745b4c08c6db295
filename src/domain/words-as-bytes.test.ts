import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.ts';
import { fromUnits, type Amount, type Price, type Quantity } from './decimal.ts';
import { readIntent, writeIntent } from './intent-bytes.ts';
import { abstain, type Opinion } from './opinion.ts';
import { readOpinion, writeOpinion } from './opinion-bytes.ts';
import type { OrderIntent } from './order.ts';

const quantities = fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }).map((units) => fromUnits<Quantity>(units));
const prices = fc.option(
  fc.bigInt({ min: 0n, max: 10n ** 22n }).map((units) => fromUnits<Price>(units)),
  { nil: undefined },
);
const share = fc.record({ sleeve: fc.nat(), leg: fc.nat(3), quantity: quantities }, { noNullPrototype: true });

function intents(attached: fc.Arbitrary<OrderIntent[]>): fc.Arbitrary<OrderIntent> {
  return fc.record(
    {
      id: fc.string(),
      at: fc.maxSafeNat(),
      instrument: fc.nat(),
      side: fc.constantFrom('buy', 'sell'),
      type: fc.constantFrom('market', 'limit', 'post-only', 'stop', 'take-profit', 'trailing'),
      role: fc.constantFrom('target', 'stop', 'disaster'),
      quantity: quantities,
      limitPrice: prices,
      stopPrice: prices,
      reduceOnly: fc.boolean(),
      wholePosition: fc.boolean(),
      shares: fc.array(share, { maxLength: 3 }),
      attached,
      trailBy: fc.bigInt({ min: 0n, max: 10n ** 22n }).map((units) => fromUnits<Price>(units)),
      timeInForce: fc.constantFrom('ioc', 'fok'),
      pairedWith: fc.string(),
      budget: fc.bigInt({ min: 0n, max: 10n ** 22n }).map((units) => fromUnits<Amount>(units)),
      positionSide: fc.constantFrom('long', 'short'),
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        'id',
        'at',
        'instrument',
        'side',
        'type',
        'role',
        'quantity',
        'limitPrice',
        'stopPrice',
        'reduceOnly',
        'wholePosition',
        'shares',
        'attached',
      ],
    },
  );
}

test('an intent is read back as it was written, its stops with it', () => {
  fc.assert(
    fc.property(intents(fc.array(intents(fc.constant([])), { maxLength: 2 })), (intent) => {
      const out = new ByteWriter();
      writeIntent(out, intent);
      const from = new ByteReader(out.view());
      assert.deepEqual(readIntent(from), intent);
      assert.ok(from.ended);
    }),
  );
});

test('an opinion is read back as it was written; what it does not say stays unsaid', () => {
  const ratio = fc.double({ noNaN: true });
  const opinions: fc.Arbitrary<Opinion> = fc.oneof(
    fc.string().map(abstain),
    fc.record(
      {
        kind: fc.constant('forecast' as const),
        stance: ratio,
        confidence: ratio,
        expectedReturn: ratio,
        horizonMs: fc.nat(),
        protection: fc.record(
          { stopRatio: ratio, targetRatio: ratio, trailR: ratio, trailRatio: ratio },
          { requiredKeys: [], noNullPrototype: true },
        ),
        legs: fc.array(ratio, { maxLength: 3 }),
      },
      { requiredKeys: ['kind', 'stance', 'confidence'], noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(opinions, (opinion) => {
      const out = new ByteWriter();
      writeOpinion(out, opinion);
      const from = new ByteReader(out.view());
      assert.deepEqual({ ...readOpinion(from) }, { ...opinion });
      assert.ok(from.ended);
    }),
  );
});
