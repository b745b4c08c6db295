import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OrderParamsV5, SetTradingStopParamsV5 } from 'bybit-api';
import fc from 'fast-check';
import { amount, compare, format, price, quantity, roundToStep } from '../../domain/decimal.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { orderOf } from '../../../test/contracts/venue.contract.ts';
import {
  changesOf,
  createRequest,
  feeInQuote,
  limitOnTick,
  listedFrom,
  positionStopRequest,
  triggerOnTick,
  type Listed,
} from './bybit-orders.ts';
import { instrumentRowSchema } from './bybit-rows.ts';

const LINEAR: Listed = {
  instrument: 0,
  category: 'linear',
  symbol: 'BTCUSDT',
  isTrading: true,
  tick: price('0.1'),
  lot: quantity('0.001'),
  budgetStep: amount('0'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('5'),
  mostQuantity: quantity('100'),
  mostMarketQuantity: quantity('10'),
};
const SPOT: Listed = { ...LINEAR, category: 'spot', budgetStep: amount('0.01'), lot: quantity('0.000001') };

function composed(parts: Partial<OrderIntent>, listed = LINEAR, more: object = {}): Readonly<Record<string, unknown>> | string {
  const request = createRequest(orderOf('1-1', 0, parts), listed, { linkId: 'run-1-1', lastPrice: 60_000, ...more });
  return request.kind === 'order' ? request.parameters : request.reason;
}

/** Why it was not composed. */
function reason(...asked: Parameters<typeof composed>): string {
  const request = composed(...asked);
  return typeof request === 'string' ? request : 'composed';
}

const short = (parts: Partial<OrderIntent>): OrderIntent =>
  orderOf('1-2', 0, { side: 'sell', type: 'stop', role: 'stop', reduceOnly: true, stopPrice: price('58000'), ...parts });

describe('the requests are those of the types of bybit-api', () => {
  test('a market order with the stop of its position', () => {
    const expected = {
      category: 'linear',
      symbol: 'BTCUSDT',
      side: 'Buy',
      orderLinkId: 'run-1-1',
      orderType: 'Market',
      qty: '1',
      positionIdx: 0,
      reduceOnly: false,
      tpslMode: 'Full',
      stopLoss: '50000',
      slTriggerBy: 'LastPrice',
      slOrderType: 'Market',
    } as const satisfies OrderParamsV5;
    const attached = [short({}), short({ id: '1-3', role: 'disaster', wholePosition: true, stopPrice: price('50000') })];
    assert.deepEqual(composed({ attached }), expected);
  });

  test('without a stop of the position attached, what it is given for the position that it may open; on spot there is none', () => {
    const stopOf = (disasterPrice: number, parts: Partial<OrderIntent> = {}, listed = LINEAR): unknown => {
      const request = createRequest(orderOf('1-1', 0, { quantity: quantity('1'), ...parts }), listed, {
        linkId: 'run-1-1',
        lastPrice: 60_000,
        disasterPrice,
      });
      return request.kind === 'order' ? request.parameters['stopLoss'] : request.reason;
    };
    const attached = [short({ role: 'disaster', wholePosition: true, stopPrice: price('50000') })];
    assert.deepEqual([stopOf(51_000.04), stopOf(51_000, { attached }), stopOf(NaN)], ['51000', '50000', undefined]);
    assert.deepEqual([stopOf(69_000.06, { side: 'sell' }), stopOf(51_000, {}, SPOT)], ['69000.1', undefined]);
  });

  test('limits, conditional orders, and their ways to wait', () => {
    const limit = { orderType: 'Limit', price: '100', timeInForce: 'GTC' } as const satisfies Partial<OrderParamsV5>;
    const partOf = (parts: Partial<OrderIntent>): unknown => {
      const request = composed(parts);
      assert.ok(typeof request === 'object');
      return Object.fromEntries(Object.keys(limit).map((name) => [name, request[name]]));
    };
    const at = { limitPrice: price('100') };
    assert.deepEqual(partOf({ type: 'limit', ...at }), limit);
    assert.deepEqual(partOf({ type: 'post-only', ...at }), { ...limit, timeInForce: 'PostOnly' });
    assert.deepEqual(partOf({ type: 'limit', timeInForce: 'ioc', ...at }), { ...limit, timeInForce: 'IOC' });
    assert.deepEqual(partOf({ type: 'limit', timeInForce: 'fok', ...at }), { ...limit, timeInForce: 'FOK' });
    const triggered = (intent: OrderIntent): unknown => {
      const request = composed(intent);
      return typeof request === 'object'
        ? [request['side'], request['triggerPrice'], request['triggerDirection'], request['triggerBy'], request['reduceOnly']]
        : request;
    };
    assert.deepEqual(triggered(short({})), ['Sell', '58000', 2, 'LastPrice', true]);
    assert.deepEqual(triggered(short({ side: 'buy', stopPrice: price('62000') })), ['Buy', '62000', 1, 'LastPrice', true]);
    assert.deepEqual(triggered(short({ type: 'take-profit', stopPrice: price('62000') })), ['Sell', '62000', 1, 'LastPrice', true]);
  });

  test('on spot: base coins, budgets, stop orders, and nothing of positions', () => {
    const sell = composed({ side: 'sell', quantity: quantity('0.5'), reduceOnly: true }, SPOT);
    assert.deepEqual(sell, {
      category: 'spot',
      symbol: 'BTCUSDT',
      side: 'Sell',
      orderLinkId: 'run-1-1',
      orderType: 'Market',
      qty: '0.5',
      marketUnit: 'baseCoin',
    } satisfies OrderParamsV5);
    const buy = composed({ budget: amount('123.456') }, SPOT);
    assert.ok(typeof buy === 'object');
    assert.deepEqual([buy['qty'], buy['marketUnit']], ['123.45', 'quoteCoin']);
    const stop = composed(short({ wholePosition: true }), SPOT);
    assert.ok(typeof stop === 'object');
    assert.deepEqual(
      [stop['orderFilter'], stop['triggerPrice'], stop['reduceOnly'], stop['stopLoss']],
      ['StopOrder', '58000', undefined, undefined],
    );
  });

  test('the stop of a position', () => {
    const set = positionStopRequest(LINEAR, price('50000'));
    const named: SetTradingStopParamsV5 = {
      category: 'linear',
      symbol: 'BTCUSDT',
      positionIdx: 0,
      tpslMode: 'Full',
      stopLoss: '50000',
      slTriggerBy: 'LastPrice',
    };
    assert.deepEqual(set, named);
  });
});

describe('what is sent is what was checked', () => {
  test('F46: a spot sale is cut to what is there, in whole lots', () => {
    const request = composed({ side: 'sell', quantity: quantity('0.5') }, SPOT, { available: quantity('0.4995007') });
    assert.ok(typeof request === 'object');
    assert.equal(request['qty'], '0.4995');
  });

  test('too small, too large and too cheap is refused in words', () => {
    assert.match(reason({ quantity: quantity('0.0009') }), /below the minimum of 0\.001/);
    assert.match(reason({ quantity: quantity('11') }), /above the most of one order, 10/);
    assert.equal(typeof composed({ quantity: quantity('11'), type: 'limit', limitPrice: price('100') }), 'object');
    assert.match(
      reason({ quantity: quantity('0.001'), type: 'limit', limitPrice: price('100') }),
      /notional 0\.1 is below the minimum of 5/,
    );
    assert.equal(
      typeof composed({ quantity: quantity('0.001'), side: 'sell', reduceOnly: true }, LINEAR, { lastPrice: 100 }),
      'object',
      'closing may be cheap',
    );
    assert.match(reason({ budget: amount('4') }, SPOT), /budget of 4 is below/);
    assert.match(reason({ budget: amount('400') }), /only buying on spot/);
    assert.match(reason({ type: 'trailing', trailBy: price('5') }), /held by the engine/);
  });

  test('a limit is never worse than asked for, a stop never later', () => {
    const cents = fc.integer({ min: 1, max: 10_000_000 }).map((value) => price((value / 100).toFixed(2)));
    fc.assert(
      fc.property(cents, fc.constantFrom('0.05', '0.1', '0.5', '7'), (asked, step) => {
        const tick = price(step);
        for (const side of ['buy', 'sell'] as const) {
          const limit = limitOnTick(asked, tick, side);
          assert.ok(side === 'buy' ? compare(limit, asked) <= 0 : compare(limit, asked) >= 0);
          const stop = triggerOnTick(asked, tick, { side, type: 'stop' });
          assert.ok(side === 'sell' ? compare(stop, asked) >= 0 : compare(stop, asked) <= 0);
          for (const level of [limit, stop]) assert.equal(compare(roundToStep(level, tick), level), 0);
        }
      }),
    );
  });

  test('a float error below a step loses no step, and nothing is rounded to nearest', () => {
    const request = composed({ quantity: quantity('0.003'), type: 'limit', limitPrice: price('60000.17') });
    assert.ok(typeof request === 'object');
    assert.deepEqual([request['qty'], request['price']], ['0.003', '60000.1']);
  });

  test('a fee in the base coin is worth what it costs', () => {
    assert.equal(format(feeInQuote(amount('0.001'), 'BTC', { base: 'BTC' }, price('60000'))), '60');
    assert.equal(format(feeInQuote(amount('-0.5'), 'USDT', { base: 'BTC' }, price('60000'))), '-0.5');
  });

  test('filters are read of both markets, and a change is said in words', () => {
    const linear = instrumentRowSchema.parse({
      symbol: 'BTCUSDT',
      status: 'Trading',
      priceFilter: { tickSize: '0.10' },
      lotSizeFilter: { qtyStep: '0.001', minOrderQty: '0.001', maxOrderQty: '1190', maxMktOrderQty: '119', minNotionalValue: '5' },
    });
    const spot = instrumentRowSchema.parse({
      symbol: 'BTCUSDT',
      status: 'Trading',
      priceFilter: { tickSize: '0.01' },
      lotSizeFilter: {
        basePrecision: '0.000001',
        quotePrecision: '0.0000001',
        minOrderQty: '0.000011',
        maxOrderQty: '83',
        minOrderAmt: '5',
      },
    });
    const [one, other] = [listedFrom(linear, 0, 'linear'), listedFrom(spot, 1, 'spot')];
    assert.deepEqual([one.lot, other.lot].map(format), ['0.001', '0.000001']);
    assert.deepEqual([one.minimumNotional, other.minimumNotional].map(format), ['5', '5']);
    assert.equal(changesOf(one, { ...one, tick: price('0.5'), isTrading: false }), 'it does not trade, tick 0.1 became 0.5');
    assert.equal(changesOf(one, one), '');
  });
});
