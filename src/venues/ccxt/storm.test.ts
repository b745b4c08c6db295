// Seeded storms: an engine's commands without pause, every fault of the wire by chance, a network that goes and comes back, and processes that
// are killed. When the weather clears, what is believed is what is so. A failure is its seed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { price, quantity } from '../../domain/decimal.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { MINUTE_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { orderOf } from '../../../test/contracts/venue.contract.ts';
import { AdapterBench, RUN, stop } from '../../../test/support/adapter-bench.ts';

const SEEDS = Number(process.env['BALLAST_STORM_SEEDS'] ?? 10);
const STEPS = 60;
const FAULTS: readonly object[] = [
  { kind: 'lose', where: '/v5/order/' },
  { kind: 'lose', where: '/v5/position/' },
  { kind: 'accept-silently', where: '/v5/order/' },
  { kind: 'accept-reset', where: '/v5/order/' },
  { kind: 'accept-reset', where: '/v5/position/trading-stop' },
  { kind: 'stall' },
  { kind: 'html' },
  { kind: 'empty' },
  { kind: 'http-status', status: 503 },
  { kind: 'http-status', status: 429, retryAfterSeconds: 1 },
  { kind: 'ret-code', retCode: 10016, retMsg: 'Server error' },
  { kind: 'ret-code', retCode: 10006, retMsg: 'Too many visits!' },
  { kind: 'ret-code', retCode: 10002, retMsg: 'invalid request' },
  { kind: 'empty-positions' },
  { kind: 'refuse-sockets' },
  { kind: 'silent-subscribe' },
  { kind: 'no-pong' },
  { kind: 'no-data', where: 'order' },
  { kind: 'no-data', where: 'execution' },
  { kind: 'duplicate-private' },
  { kind: 'reorder-private' },
];

interface Storm {
  readonly bench: AdapterBench;
  readonly random: Random;
  /** By id: what was asked for. */
  readonly intents: Map<string, OrderIntent>;
  /** Commands and reports since the last snapshot, in their order, as a journal keeps them. */
  journal: (() => void)[];
  snapshot: Uint8Array;
}

function snapshotOf(bench: AdapterBench): Uint8Array {
  const out = new ByteWriter();
  bench.venue.save(out);
  return out.view().slice();
}

/** Takes what was said into the journal. A command of this step comes before all of it: whatever is answered was asked. */
function hear(storm: Storm, from: number): void {
  const { bench } = storm;
  for (const report of bench.reports.slice(from)) storm.journal.push(() => bench.venue.recall(report));
}

function submit(storm: Storm, intent: OrderIntent): void {
  const { bench, intents } = storm;
  for (const each of [intent, ...intent.attached]) intents.set(each.id, each);
  storm.journal.push(() => bench.venue.submit(intent));
  bench.venue.submit(intent);
}

function openIds({ bench, intents }: Storm): string[] {
  const ended = new Set(
    bench.reports.flatMap((report) => ('order' in report && /rejected|cancelled/.test(report.kind) ? [report.order] : [])),
  );
  return [...intents.keys()].filter((id) => !ended.has(id));
}

function act(storm: Storm, number: number): void {
  const { bench, random } = storm;
  const at = bench.now;
  const last = bench.exchange.listings[0]?.last ?? 60_000;
  const side = random.bernoulli(0.5) ? 'buy' : 'sell';
  const near = (ratio: number): ReturnType<typeof price> => price((Math.round(last * (1 + ratio) * 10) / 10).toFixed(1));
  switch (random.integer(7)) {
    case 0:
    case 1: {
      const protects = random.bernoulli(0.5)
        ? [stop(`${number}-2`, at, (last * (side === 'buy' ? 0.98 : 1.02)).toFixed(1), { side: side === 'buy' ? 'sell' : 'buy' })]
        : [];
      submit(storm, orderOf(`${number}-1`, at, { side, quantity: quantity('0.01'), attached: protects }));
      return;
    }
    case 2:
      submit(
        storm,
        orderOf(`${number}-1`, at, { side, type: 'limit', limitPrice: near(side === 'buy' ? -0.002 : 0.002), quantity: quantity('0.02') }),
      );
      return;
    case 3: {
      const id = openIds(storm).at(-1 - random.integer(5));
      if (id === undefined) return;
      storm.journal.push(() => bench.venue.cancel({ at, instrument: 0, order: id }));
      bench.venue.cancel({ at, instrument: 0, order: id });
      return;
    }
    case 4: {
      const id = openIds(storm).findLast((each) => storm.intents.get(each)?.type === 'stop');
      if (id === undefined) return;
      const stopPrice = near(storm.intents.get(id)?.side === 'sell' ? -0.015 : 0.015);
      storm.journal.push(() => bench.venue.amend({ at, instrument: 0, order: id, stopPrice }));
      bench.venue.amend({ at, instrument: 0, order: id, stopPrice });
      return;
    }
    default:
      bench.stepped.move(0, Math.round(last * (1 + (random.uniform() - 0.5) * 0.02) * 10) / 10);
  }
}

async function weather({ bench, random }: Storm): Promise<void> {
  if (random.bernoulli(0.5)) bench.fault({ ...FAULTS[random.integer(FAULTS.length)], times: 1 + random.integer(3) });
  if (random.bernoulli(0.05)) bench.act({ act: 'drop-sockets' });
  if (random.bernoulli(0.03)) bench.act({ act: 'restart' });
  if (random.bernoulli(0.05)) {
    bench.wire.cut(true);
    await bench.advance(random.integer(8_000));
    bench.wire.cut(false);
  }
  bench.wire.latencyMs = random.bernoulli(0.2) ? [1, 800] : [1, 5];
}

function kill(storm: Storm): void {
  const { bench } = storm;
  bench.venue.stop();
  bench.venue = bench.open();
  bench.venue.restore(new ByteReader(storm.snapshot));
  for (const step of storm.journal) step();
  bench.venue.start();
}

async function live(seed: number): Promise<Storm> {
  const bench = await new AdapterBench({ seed }).start();
  const storm: Storm = { bench, random: new Random(seed).fork('storm'), intents: new Map(), journal: [], snapshot: snapshotOf(bench) };
  for (let step = 1; step <= STEPS; step++) {
    const from = bench.reports.length;
    await weather(storm);
    act(storm, step);
    await bench.advance(storm.random.integer(2_000));
    hear(storm, from);
    if (storm.random.bernoulli(0.05)) kill(storm);
    else if (storm.random.bernoulli(0.1)) {
      storm.snapshot = snapshotOf(bench);
      storm.journal = [];
    }
  }
  bench.clearFaults();
  bench.wire.latencyMs = [1, 5];
  await bench.advance(3 * MINUTE_MS);
  return storm;
}

function inspect({ bench, intents }: Storm): void {
  assert.ok(bench.venue.isReconciled, 'the weather has cleared');
  assert.equal(bench.believed(), bench.held(), 'what is believed to be held is held');
  const fills = new Map<string, number>();
  const ended = new Map<string, number>();
  const seen = new Set<string>();
  for (const report of bench.reports) {
    if (report.kind === 'order.filled') {
      const id = report.fill?.id ?? '';
      assert.ok(!seen.has(id), `fill ${id} is reported once`);
      seen.add(id);
      const filled = Number(report.fill?.quantity) / 1e12;
      fills.set(report.order, (fills.get(report.order) ?? 0) + filled);
    }
    // To an order that has ended already a venue says "cancelled" again, when it is asked to cancel or to amend it.
    if (report.kind === 'order.rejected' || (report.kind === 'order.cancelled' && !/no such order/.test(report.reason))) {
      ended.set(report.order, (ended.get(report.order) ?? 0) + 1);
    }
  }
  let net = 0;
  for (const order of bench.account.orders) if (order.linkId !== '') net += (order.side === 'Buy' ? 1 : -1) * (Number(order.filled) / 1e12);
  let reported = 0;
  for (const [id, filled] of fills) reported += (intents.get(id)?.side === 'buy' ? 1 : -1) * filled;
  assert.ok(Math.abs(net - reported) < 1e-9, `the venue's orders filled ${net}, reported were ${reported}`);
  const open = new Set(bench.account.openOrders().map(({ linkId }) => linkId));
  for (const [id, intent] of intents) {
    assert.ok((ended.get(id) ?? 0) <= 1, `order ${id} ends once`);
    const isOpen = open.has(`${RUN}-${id}`);
    const filled = fills.get(id) ?? 0;
    const isDone = ended.has(id) || filled >= Number(intent.quantity) / 1e12 - 1e-12;
    const parent = [...intents.values()].find(({ attached }) => attached.some((each) => each.id === id));
    const waits = parent !== undefined && (fills.get(parent.id) ?? 0) === 0;
    assert.ok(
      waits || isOpen !== isDone,
      `order ${id} is ${isOpen ? 'open' : 'not open'} at the venue, and reported as ${isDone ? 'done' : 'open'}`,
    );
    assert.ok(bench.atVenue(id) <= 1, `order ${id} is there once`);
  }
}

describe('storms', { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed}`, async () => inspect(await live(seed)));
  }

  test('a seed is the same storm again', async () => {
    const [one, other] = [await live(3), await live(3)];
    assert.deepEqual(one.bench.reports, other.bench.reports);
    assert.deepEqual(one.bench.notices, other.bench.notices);
    assert.ok(one.bench.venue.counts.doubts + one.bench.reports.length > 0);
  });
});
