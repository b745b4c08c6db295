// The life of an order through the adapter, without a network and in stepped time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterBench, disaster, stop } from '../../../test/support/adapter-bench.ts';

test('a market order with its stops is placed, filled, moved and cancelled; its position stays protected', async () => {
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
  // A position keeps its own stop until it has another one.
  assert.deepEqual(bench.said().slice(5), ['1-2 cancelled']);
  assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 51000']);
  assert.deepEqual([bench.held(), bench.believed()], ['0.01', '0.01']);
  bench.venue.submit(disaster('1-4', bench.now, '52000'));
  await bench.advance(1_000);
  assert.deepEqual(bench.said().slice(6).toSorted(), ['1-3 cancelled', '1-4 accepted']);
  assert.deepEqual(bench.stopsAtVenue(), ['StopLoss 52000']);
  bench.cancel('1-4');
  bench.submit('1-5', { side: 'sell', reduceOnly: true });
  await bench.advance(1_000);
  assert.deepEqual(bench.said().slice(8).toSorted(), ['1-4 cancelled', '1-5 filled 0.01']);
  assert.deepEqual(bench.stopsAtVenue(), []);
  assert.deepEqual(bench.notices, []);
});
