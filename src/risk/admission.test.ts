import assert from 'node:assert/strict';
import test from 'node:test';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import type { AccountView, MarketView } from '../domain/decision.ts';
import { amount, price, quantity } from '../domain/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { OrderIntent } from '../domain/order.ts';
import { createAdmission, type Admission, type Refusal } from './admission.ts';
import { defaultRiskPolicy, type RiskPolicy } from './policy.ts';
import { calmMarket, quietAccount } from './risk-rule.contract.ts';

const instrument: Instrument = {
  venue: 'simulated',
  symbol: 'BTC/USDT',
  kind: 'linear',
  base: 'BTC',
  quote: 'USDT',
  tick: price('0.5'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.002'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.0006,
  makerFeeRate: 0.0002,
  fundingRate: 0.0001,
  fundingIntervalMs: 28_800_000,
};

const marketOrder: OrderIntent = {
  id: 'run-1-0',
  at: 1_000_000,
  instrument: 0,
  side: 'buy',
  type: 'market',
  role: 'target',
  quantity: quantity('10'),
  limitPrice: undefined,
  stopPrice: undefined,
  reduceOnly: false,
  wholePosition: false,
  shares: [],
  attached: [],
};
const limitOrder: OrderIntent = { ...marketOrder, type: 'limit', limitPrice: price('100') };
const protectiveStop: OrderIntent = { ...marketOrder, side: 'sell', type: 'stop', role: 'stop', stopPrice: price('97') };

function admission(change: Partial<RiskPolicy> = {}): Admission {
  return createAdmission({ ...defaultRiskPolicy, ...change }, [instrument]);
}
/** The name of the rule that refuses, with equity 10,000 and the mark at 100. */
function refusing(
  intent: OrderIntent,
  market: Partial<MarketView> = {},
  account: Partial<AccountView> = {},
  policy: Partial<RiskPolicy> = {},
): string | undefined {
  return admission(policy).admit(intent, calmMarket(market), quietAccount(account))?.rule;
}

test('an ordinary order of each type is admitted', () => {
  for (const intent of [marketOrder, limitOrder, { ...limitOrder, type: 'post-only' } as const, protectiveStop]) {
    assert.equal(refusing(intent), undefined);
  }
});

test('a quantity of zero or less is refused, with what was found', () => {
  const refusal = admission().admit({ ...marketOrder, quantity: quantity('-1') }, calmMarket(), quietAccount());
  assert.deepEqual(refusal, { rule: 'nonsense', why: 'quantity was -1, expected more than zero' } satisfies Refusal);
  assert.equal(refusing({ ...marketOrder, quantity: quantity('0') }), 'nonsense');
});

test('an instrument that does not exist is refused', () => assert.equal(refusing({ ...marketOrder, instrument: 3 }), 'nonsense'));

test('a quantity between lots, a price between ticks and a price of zero are refused', () => {
  assert.equal(refusing({ ...marketOrder, quantity: quantity('1.0005') }), 'lot');
  assert.equal(refusing({ ...limitOrder, limitPrice: price('100.3') }), 'tick');
  assert.equal(refusing({ ...protectiveStop, stopPrice: price('97.1') }), 'tick');
  assert.equal(refusing({ ...limitOrder, limitPrice: price('0') }), 'nonsense');
  assert.equal(refusing({ ...protectiveStop, stopPrice: price('-1') }), 'nonsense');
});

test('an instrument without steps takes any quantity and price', () => {
  const free = { ...instrument, tick: price('0'), lot: quantity('0'), minimumQuantity: quantity('0'), minimumNotional: amount('0') };
  const intent = { ...limitOrder, quantity: quantity('0.00000001'), limitPrice: price('100.000001') };
  assert.equal(createAdmission(defaultRiskPolicy, [free]).admit(intent, calmMarket(), quietAccount()), undefined);
});

test('a limit order without a limit, a stop without a trigger, and prices that mean nothing are refused', () => {
  assert.equal(refusing({ ...limitOrder, limitPrice: undefined }), 'nonsense');
  assert.equal(refusing({ ...protectiveStop, stopPrice: undefined }), 'nonsense');
  assert.equal(refusing({ ...marketOrder, limitPrice: price('100') }), 'nonsense');
  assert.equal(refusing({ ...limitOrder, stopPrice: price('97') }), 'nonsense');
});

test('an entry whose attached stop is malformed does not go out', () => {
  const attach = (stop: OrderIntent): Refusal | undefined =>
    admission().admit({ ...marketOrder, attached: [stop] }, calmMarket(), quietAccount());
  assert.equal(attach(protectiveStop), undefined);
  assert.equal(attach({ ...protectiveStop, stopPrice: price('97.3') })?.rule, 'tick');
  assert.match(
    attach({ ...protectiveStop, id: 'run-1-0-s', instrument: 1 })?.why ?? '',
    /^attached stop run-1-0-s: it is of another instrument/,
  );
});

test('a stop on the whole position may be of any quantity', () => {
  const disaster = { ...protectiveStop, role: 'disaster', reduceOnly: true, wholePosition: true, quantity: quantity('0.0007') } as const;
  assert.equal(refusing(disaster), undefined);
});

test("a quantity or a worth below the instrument's minimum is refused", () => {
  assert.equal(refusing({ ...marketOrder, quantity: quantity('0.001') }), 'minimum-quantity');
  assert.equal(refusing({ ...marketOrder, quantity: quantity('0.049') }), 'minimum-notional');
  assert.equal(refusing({ ...limitOrder, quantity: quantity('0.05') }), undefined);
  assert.equal(refusing({ ...limitOrder, limitPrice: price('99.5'), quantity: quantity('0.05') }), 'minimum-notional');
});

test('a remainder may be closed whatever it is worth', () => {
  assert.equal(refusing({ ...marketOrder, quantity: quantity('0.002'), reduceOnly: true }), undefined);
});

test('a limit more than 5 % from the mark is refused on either side, at 5 % it is not', () => {
  assert.equal(refusing({ ...limitOrder, limitPrice: price('105') }), undefined);
  assert.equal(refusing({ ...limitOrder, limitPrice: price('105.5') }), 'price-collar');
  assert.equal(refusing({ ...limitOrder, limitPrice: price('94.5') }), 'price-collar');
  assert.equal(refusing({ ...limitOrder, limitPrice: price('94.5'), reduceOnly: true }), 'price-collar');
});

test('an order larger than 0.6 of equity is refused, also with equity that is gone or unknown', () => {
  assert.equal(refusing({ ...marketOrder, quantity: quantity('60') }), undefined);
  assert.equal(refusing({ ...marketOrder, quantity: quantity('60.001') }), 'fat-finger');
  for (const equity of [0, -100, NaN]) assert.equal(refusing(marketOrder, {}, { equity }), 'fat-finger');
});

test('a reduce-only order is never too large, because it cannot make a position larger', () => {
  assert.equal(refusing({ ...marketOrder, quantity: quantity('500'), reduceOnly: true }, {}, { equity: 100 }), undefined);
});

test('a protective stop that is not reduce-only must not be too large', () => {
  assert.equal(refusing({ ...protectiveStop, quantity: quantity('500') }), 'fat-finger');
});

test('on a stale or an unknown price only ways out and protection go out', () => {
  for (const [market, rule] of [
    [{ stale: Uint8Array.of(1) }, 'stale-data'],
    [{ mark: Float64Array.of(NaN) }, 'no-mark'],
  ] as const) {
    assert.equal(refusing(marketOrder, market), rule);
    assert.equal(refusing(limitOrder, market), rule);
    assert.equal(refusing({ ...marketOrder, reduceOnly: true }, market), undefined);
    assert.equal(refusing({ ...limitOrder, limitPrice: price('50'), reduceOnly: true }, market), undefined);
    assert.equal(refusing(protectiveStop, market), undefined);
  }
});

test('under halt only reduce-only orders go out', () => {
  assert.equal(refusing(marketOrder, {}, { halted: true }), 'halted');
  assert.equal(refusing(protectiveStop, {}, { halted: true }), 'halted');
  assert.equal(refusing({ ...marketOrder, reduceOnly: true }, {}, { halted: true }), undefined);
});

test('a pause is the business of gate one', () => assert.equal(refusing(marketOrder, {}, { paused: true }), undefined));

const slow = { orderBurst: 2, ordersPerMinute: 60 };

test('after a burst orders wait for market time', () => {
  const gate = admission(slow);
  const admitted = (at: number): boolean => gate.admit({ ...marketOrder, at }, calmMarket(), quietAccount()) === undefined;
  assert.deepEqual([0, 0, 0, 999, 1000, 1000, 60_000, 60_000, 60_000].map(admitted), [
    true,
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    false,
  ]);
});

test('the rate refuses neither a way out nor protection, but they take their tokens', () => {
  const gate = admission(slow);
  const send = (intent: OrderIntent): string | undefined => gate.admit({ ...intent, at: 0 }, calmMarket(), quietAccount())?.rule;
  for (let count = 0; count < 10; count++) {
    assert.equal(send({ ...marketOrder, reduceOnly: true }), undefined);
    assert.equal(send(protectiveStop), undefined);
  }
  assert.equal(send(marketOrder), 'order-rate');
  // They leave no debt: a second later there is a token again.
  assert.equal(gate.admit({ ...marketOrder, at: 1000 }, calmMarket(), quietAccount()), undefined);
});

test('an order that is refused takes no token', () => {
  const gate = admission(slow);
  for (let count = 0; count < 5; count++) gate.admit({ ...marketOrder, quantity: quantity('90') }, calmMarket(), quietAccount());
  assert.equal(gate.admit(marketOrder, calmMarket(), quietAccount()), undefined);
});

test('time that stands still or goes back neither fills nor empties the bucket', () => {
  const gate = admission(slow);
  const admitted = (at: number): boolean => gate.admit({ ...marketOrder, at }, calmMarket(), quietAccount()) === undefined;
  assert.deepEqual([5000, 4000, 5000, 5999, 6000].map(admitted), [true, true, false, false, true]);
});

test('an unlimited policy refuses no honest order', () => {
  const unlimited = { fatFingerRatio: Infinity, collarRatio: Infinity, ordersPerMinute: Infinity, orderBurst: Infinity };
  const gate = admission(unlimited);
  for (let count = 0; count < 1000; count++) {
    assert.equal(
      gate.admit({ ...limitOrder, limitPrice: price('1'), quantity: quantity('100000') }, calmMarket(), quietAccount()),
      undefined,
    );
  }
});

test('a restored gate goes on where the saved one stood', () => {
  const gate = admission(slow);
  gate.admit({ ...marketOrder, at: 7000 }, calmMarket(), quietAccount());
  gate.admit({ ...marketOrder, at: 7000 }, calmMarket(), quietAccount());
  const saved = new ByteWriter();
  gate.save(saved);
  const restored = admission(slow);
  restored.restore(new ByteReader(saved.view()));
  for (const at of [7100, 8000, 8000, 9000]) {
    const intent = { ...marketOrder, at };
    assert.deepEqual(restored.admit(intent, calmMarket(), quietAccount()), gate.admit(intent, calmMarket(), quietAccount()));
  }
});
