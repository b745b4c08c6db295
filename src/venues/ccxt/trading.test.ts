// The life of an order through the adapter, without a network and in stepped time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterBench, disaster, stop } from '../../../test/support/adapter-bench.ts';

test('a market order with its stops is placed, filled, moved and cancelled', async () => {
  const bench = await new AdapterBench().start();
  bench.submit('1-1', { attached: [stop('1-2', bench.now, '58000'), disaster('1-3', bench.now, '50000')] });
  await bench.advance(1_000);
  assert.deepEqual(bench.said(), ['1-1 filled 0.01', '1-3 accepted', '1-2 accepted']);
  assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 50000', 'Stop 58000']);
  bench.move('1-2', '58500');
  bench.move('1-3', '51000');
  await bench.advance(1_000);
  assert.deepEqual(bench.said().slice(3).toSorted(), ['1-2 amended', '1-3 amended']);
  assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 51000', 'Stop 58500']);
  bench.cancel('1-2');
  bench.cancel('1-3');
  await bench.advance(1_000);
  assert.deepEqual(bench.said().slice(5).toSorted(), ['1-2 cancelled', '1-3 cancelled']);
  assert.deepEqual(bench.stopsAtVenue(), []);
  assert.deepEqual([bench.held(), bench.believed()], ['0.01', '0.01']);
  assert.deepEqual(bench.notices, []);
});
