// A spot balance that is smaller than what the run believes it holds: a fee was taken in the coin, or somebody has sent some away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { amount, price, quantity } from '../../domain/decimal.ts';
import { SECOND_MS } from '../../domain/time.ts';
import { AdapterBench } from '../../../test/support/adapter-bench.ts';
import type { Listed } from './bybit-orders.ts';
import type { VenueRequest, WholeAnswer } from './venue-wire.ts';

const SPOT: Listed = {
  instrument: 0,
  category: 'spot',
  symbol: 'BTCUSDT',
  isTrading: true,
  tick: price('0.1'),
  lot: quantity('0.0001'),
  budgetStep: amount('0.01'),
  minimumQuantity: quantity('0.0005'),
  minimumNotional: amount('5'),
  mostQuantity: quantity('100'),
  mostMarketQuantity: quantity('100'),
};

/** An adapter on spot whose account has so much of the coin; every order that leaves is kept. */
async function onSpot(free: () => string): Promise<{ readonly bench: AdapterBench; readonly created: VenueRequest['parameters'][] }> {
  const [future] = new AdapterBench().instruments;
  assert.ok(future !== undefined);
  const bench = new AdapterBench({ parts: { instruments: [{ ...future, kind: 'spot', symbol: 'BTC/USDT' }], listed: [SPOT] } });
  const created: VenueRequest['parameters'][] = [];
  const { wire } = bench;
  const ask = wire.ask.bind(wire);
  const answer = (result: object): Promise<WholeAnswer> =>
    Promise.resolve({ status: 200, headers: new Headers(), body: JSON.stringify({ retCode: 0, retMsg: 'OK', result, time: bench.now }) });
  wire.ask = (request, signal) => {
    const { path, parameters } = request;
    if (path === '/v5/account/wallet-balance') {
      return answer({ list: [{ coin: [{ coin: 'BTC', walletBalance: free(), locked: '0' }] }] });
    }
    if (path === '/v5/order/create') {
      created.push(parameters);
      return answer({ orderId: `venue-${created.length}`, orderLinkId: parameters['orderLinkId'] });
    }
    return parameters['category'] === 'spot' ? answer({ list: [], nextPageCursor: '' }) : ask(request, signal);
  };
  await bench.start();
  return { bench, created };
}

describe('F46: less is there than the run believes', () => {
  test('F46: a sale is cut to the free balance, in whole lots, and never goes above what was asked', async () => {
    let free = '0.00999';
    const { bench, created } = await onSpot(() => free);
    bench.submit('1-1', { side: 'sell', reduceOnly: true, quantity: quantity('0.01') });
    await bench.advance(SECOND_MS);
    assert.deepEqual(
      created.map(({ side, qty }) => [side, qty]),
      [['Sell', '0.0099']],
    );
    bench.submit('1-2', { side: 'sell', reduceOnly: true, quantity: quantity('0.005') });
    await bench.advance(SECOND_MS);
    assert.equal(created.at(-1)?.['qty'], '0.005');
    // What somebody else has sent there meanwhile is not this run's to sell.
    free = '0.02';
    await bench.advance(31 * SECOND_MS);
    bench.submit('1-3', { side: 'sell', reduceOnly: true, quantity: quantity('0.015') });
    await bench.advance(SECOND_MS);
    assert.equal(created.at(-1)?.['qty'], '0.0099');
  });

  test('F46: a sale of which nothing is left that the venue would take is refused here, once, and nothing leaves', async () => {
    for (const free of ['0', '0.0004', '0.00049999']) {
      const { bench, created } = await onSpot(() => free);
      bench.submit('1-1', { side: 'sell', quantity: quantity('0.01'), reduceOnly: true });
      await bench.advance(10 * SECOND_MS);
      assert.deepEqual([bench.said('1-1'), created], [['rejected'], []]);
      assert.match(bench.reasonOf('1-1'), /below the minimum/);
    }
  });
});
