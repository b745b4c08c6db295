// One tape, one outcome: whichever clock drives it, in whatever pieces the bars arrive, and wherever it was saved and restored.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from '../../src/domain/bytes.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import { SystemClock } from '../../src/engine/system-clock.ts';
import { START, TestSession, textOf } from '../support/session.ts';
import { anyWorld, partsOf, trials, type World } from './worlds.ts';

interface Outcome {
  readonly said: readonly string[];
  readonly events: readonly string[];
  readonly stateHash: string;
  readonly venueHash: string;
}

function outcomeOf(run: TestSession): Outcome {
  return {
    said: run.said.map(({ entry, sequence, tapeOffset }) => `${sequence} ${tapeOffset} ${textOf(entry)}`),
    events: run.events.map((event) => `${event.at} ${event.kind}`),
    stateHash: run.stateHash,
    venueHash: run.venue.stateHash(),
  };
}

async function outcome(world: World, clock: Clock, pieceRows?: number): Promise<Outcome> {
  const run = new TestSession({ ...partsOf(world), ...(pieceRows === undefined ? {} : { pieceRows }) });
  await run.run({ clock });
  return outcomeOf(run);
}

describe('one tape has one outcome', () => {
  test('under the simulated clock and under the system clock, as fast as can be and a million times as fast as the wall', async () => {
    const property = fc.asyncProperty(anyWorld(120), async (world) => {
      const simulated = await outcome(world, new SimulatedClock());
      assert.deepEqual(await outcome(world, new SystemClock(START, Infinity)), simulated, 'speed Infinity');
      assert.deepEqual(await outcome(world, new SystemClock(START, 1e6)), simulated, 'speed 1e6');
    });
    await fc.assert(property, trials(12));
  });

  test('in whatever pieces the bars arrive', async () => {
    const property = fc.asyncProperty(anyWorld(120), fc.integer({ min: 1, max: 40 }), async (world, pieceRows) => {
      const whole = await outcome(world, new SimulatedClock());
      assert.deepEqual(await outcome(world, new SimulatedClock(), pieceRows), whole, 'the simulated clock');
      assert.deepEqual(await outcome(world, new SystemClock(START, Infinity), pieceRows), whole, 'the system clock');
    });
    await fc.assert(property, trials(15));
  });

  test('saved after any event and restored into fresh parts', async () => {
    const property = fc.asyncProperty(anyWorld(120), fc.double({ min: 0, max: 1, noNaN: true }), async (world, part) => {
      const whole = new TestSession(partsOf(world));
      await whole.run();
      const expected = outcomeOf(whole);
      const place = Math.floor(part * (whole.events.length - 1)) + 1;
      const { restored, saidBefore } = await restoredAt(world, place);
      await restored.run();
      const actual = outcomeOf(restored);
      assert.equal(actual.stateHash, expected.stateHash, `state after saving at event ${place}`);
      assert.equal(actual.venueHash, expected.venueHash, `venue after saving at event ${place}`);
      assert.deepEqual(
        actual.said.map(withoutOffset),
        expected.said.slice(saidBefore).map(withoutOffset),
        `what was said after event ${place}`,
      );
    });
    await fc.assert(property, trials(40));
  });

  test('saved after every event of a short run, one after the other', async () => {
    const world: World = { seed: 99, count: 60, latencyMs: 500, isRuled: true, margin: 'leverage' };
    const whole = new TestSession(partsOf(world));
    const snapshots: Uint8Array[] = [];
    whole.onEvent = () => snapshots.push(whole.snapshot());
    await whole.run();
    assert.ok(whole.of('order.filled').length > 5);
    for (const [index, bytes] of snapshots.entries()) {
      const restored = new TestSession(partsOf(world));
      restored.restore(new ByteReader(bytes));
      assert.deepEqual(restored.snapshot(), bytes, 'restored and saved again');
      await restored.run();
      assert.equal(restored.stateHash, whole.stateHash, `from event ${index + 1}`);
      assert.equal(restored.venue.stateHash(), whole.venue.stateHash(), `the venue from event ${index + 1}`);
    }
  });
});

/** A session that was saved after so many events, and restored; and how much had been said by then. */
async function restoredAt(world: World, place: number): Promise<{ restored: TestSession; saidBefore: number }> {
  const saved = new TestSession(partsOf(world));
  let bytes: Uint8Array | undefined;
  let saidBefore = 0;
  saved.onEvent = () => {
    if (saved.events.length !== place) return;
    bytes = saved.snapshot();
    saidBefore = saved.said.length;
  };
  await saved.run();
  assert.ok(bytes !== undefined, `there is an event ${place}`);
  const restored = new TestSession(partsOf(world));
  restored.restore(new ByteReader(bytes));
  return { restored, saidBefore };
}

/** The tape of a restored session begins anew; its numbers of events go on. */
function withoutOffset(said: string): string {
  const [sequence, , ...words] = said.split(' ');
  return [sequence, ...words].join(' ');
}
