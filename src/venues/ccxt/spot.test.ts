// Spot through the adapter, without a network and in stepped time: balances are the positions, a buyer pays fees in what he receives, and
// what is sold is what is there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { add, amount, compare, format, price, quantity, subtract, ZERO_QUANTITY, type Quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { AdapterBench, stop } from '../../../test/support/adapter-bench.ts';
import { steppedInstruments } from '../../../test/support/stepped-market.ts';

const [perpetual] = steppedInstruments();
assert.ok(perpetual !== undefined);
const SPOT: Instrument = {
  ...perpetual,
  symbol: 'BTC/USDT',
  kind: 'spot',
  lot: quantity('0.0001'),
  minimumQuantity: quantity('0.0001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.001,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

const open = (): Promise<AdapterBench> => new AdapterBench({ instruments: [SPOT] }).start();
const coins = (bench: AdapterBench): string => format(bench.account.books.balanceOf('BTC'));

describe('spot', () => {
  test('the stop of a position sells what the entry has brought, its fee taken out, on the lot', async () => {
    const bench = await open();
    bench.submit('1-1', { quantity: quantity('0.01'), attached: [stop('1-2', bench.now, '58000')] });
    await bench.until('a stop', () => bench.stopsAtVenue().length === 1);
    const [resting] = bench.account.openOrders();
    assert.equal(format(resting?.quantity ?? ZERO_QUANTITY), '0.0099', '0.00999 in lots of 0.0001');
    assert.equal(coins(bench), '0.00999');
    bench.stepped.move(0, 57_000);
    await bench.until('no stop', () => bench.stopsAtVenue().length === 0);
    await bench.advance(500);
    assert.equal(coins(bench), '0.00009');
    assert.deepEqual(bench.said('1-2'), ['accepted', 'filled 0.0099', 'cancelled']);
    assert.match(bench.reasonOf('1-2'), /has made it 0.0099 and filled that/);
    // A second entry is protected as a whole, although the wallet has told of less until then.
    bench.submit('2-1', { quantity: quantity('0.02'), attached: [stop('2-2', bench.now, '50000', { quantity: quantity('0.02') })] });
    await bench.until('a stop', () => bench.stopsAtVenue().length === 1);
    assert.equal(format(bench.account.openOrders()[0]?.quantity ?? ZERO_QUANTITY), '0.02', 'with the dust there is enough');
    assert.deepEqual(bench.notices, []);
  });

  test('what a resting sale has put aside is not sold again', async () => {
    const bench = await open();
    bench.submit('1-1', { quantity: quantity('0.01') });
    await bench.until('a fill', () => bench.said('1-1').includes('filled 0.01'));
    bench.submit('1-2', { side: 'sell', type: 'limit', quantity: quantity('0.006'), limitPrice: price('70000') });
    await bench.until('a resting sale', () => bench.said('1-2').includes('accepted'));
    bench.submit('1-3', { side: 'sell', quantity: quantity('0.01'), reduceOnly: true });
    await bench.until('an end', () => bench.said('1-3').includes('cancelled'));
    assert.deepEqual(bench.said('1-3'), ['filled 0.0039', 'cancelled']);
  });

  test('F36: coins that somebody else has moved are found, nothing opens, and what is sold is what is there', async () => {
    const bench = await open();
    bench.submit('1-1', { quantity: quantity('0.01') });
    await bench.until('coins', () => coins(bench) === '0.00999');
    bench.act({ act: 'transfer', coin: 'BTC', amount: '-0.005' });
    await bench.until('a block', () => bench.venue.blockOf(0) === 'the position at the venue is not ours', 60_000);
    assert.match(bench.notices.join(), /the venue holds 0.00499, this run 0.00999/);
    bench.submit('2-1');
    await bench.until('a refusal', () => bench.said('2-1').includes('rejected'));
    bench.submit('3-1', { side: 'sell', quantity: quantity('0.01'), reduceOnly: true });
    await bench.until('a sale', () => bench.said('3-1').includes('cancelled'));
    assert.deepEqual(bench.said('3-1'), ['filled 0.0049', 'cancelled']);
    bench.act({ act: 'transfer', coin: 'BTC', amount: '0.005' });
    await bench.until('no block', () => bench.venue.blockOf(0) === undefined, 60_000);
  });

  test('an order whose answer is lost is found, and bought once', async () => {
    const bench = await open();
    bench.fault({ kind: 'accept-reset', where: '/v5/order/create', times: 1 });
    bench.submit('1-1', { quantity: quantity('0'), budget: amount('600') });
    await bench.until('a fill', () => bench.said('1-1').some((said) => said.startsWith('filled')));
    await bench.advance(20_000);
    assert.deepEqual([bench.atVenue('1-1'), coins(bench)], [1, '0.00999']);
    assert.equal(bench.venue.blockOf(0), undefined);
  });

  test('whatever is bought and sold, the coins in the wallet are those of the ledger, and no sale is refused for want of them', async () => {
    const orders = fc.array(
      fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), tenths: fc.integer({ min: 1, max: 300 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(orders, async (asked) => {
        const bench = await open();
        let held: Quantity = ZERO_QUANTITY;
        for (const [index, { side, tenths }] of asked.entries()) {
          bench.submit(`1-${index}`, { side, quantity: quantity(`${tenths / 10_000}`) });
          await bench.advance(300);
          for (const report of bench.reports.splice(0)) {
            assert.ok(report.kind !== 'order.rejected' || /below the minimum/.test(report.reason), JSON.stringify(bench.said()));
            if (report.kind !== 'order.filled' || report.fill === undefined) continue;
            held = side === 'buy' ? add(held, report.fill.quantity) : subtract(held, report.fill.quantity);
          }
        }
        const wallet = quantity(coins(bench));
        assert.ok(compare(wallet, ZERO_QUANTITY) >= 0 && compare(wallet, held) <= 0, `${format(wallet)} of ${format(held)}`);
        await bench.advance(32_000);
        assert.equal(bench.venue.blockOf(0), undefined, bench.notices.join());
        bench.venue.stop();
      }),
      { numRuns: 10 },
    );
  });
});
