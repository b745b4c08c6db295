// A feed that comes when it comes: late, in bursts, one instrument before the other. What was recorded of it replays to the same state.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { follow } from '../../src/app/recovery.ts';
import { ComparingRecorder, SessionRecorder } from '../../src/app/session-recorder.ts';
import { format } from '../../src/domain/decimal.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { MINUTE_MS, NEVER, type TimeMs } from '../../src/domain/time.ts';
import { Engine } from '../../src/engine/engine.ts';
import { run } from '../../src/engine/run.ts';
import { SystemClock } from '../../src/engine/system-clock.ts';
import { Journal } from '../../src/journal/journal.ts';
import { readRecording } from '../../src/journal/recording.ts';
import { TapeReader, TapeWriter } from '../../src/journal/tape.ts';
import { Feed } from '../../src/market/feed/feed.ts';
import { Random } from '../../src/quant/random.ts';
import { closeOf, forecast, single, START, stances, TestSession, walk, type SessionParts } from '../support/session.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-feed-'));
after(() => rmSync(folder, { recursive: true }));

/** A clock that a test moves by hand: nothing is due before it says so. */
class HandClock extends SystemClock {
  hand: TimeMs = START;
  /** Then whoever waits finds that the time has come. */
  isPassing = false;

  override now(): TimeMs {
    return this.hand;
  }

  override wait(): Promise<void> {
    if (this.isPassing && this.nextAt < NEVER) this.hand = Math.max(this.hand, this.nextAt);
    return Promise.resolve();
  }
}

function feedOf(session: TestSession, clock: Clock): Feed {
  return new Feed({
    symbols: session.plan.instruments.map(({ symbol }) => symbol),
    baseTimeframeMs: MINUTE_MS,
    now: () => clock.now(),
    notBefore: () => session.engine.earliestNext,
    latest: () => START + 1e12,
    onTime: () => undefined,
    onRefused: (why) => assert.fail(why),
  });
}

function message(instrument: number, bar: number, [open, high, low, close]: readonly number[]): string {
  const symbol = `${String.fromCharCode(65 + instrument)}/USDT:USDT`;
  return JSON.stringify({ kind: 'bar.closed', symbol, openAt: START + bar * MINUTE_MS, open, high, low, close, volume: 1 });
}

function print(instrument: number, happenedAt: TimeMs, price: number): string {
  const symbol = `${String.fromCharCode(65 + instrument)}/USDT:USDT`;
  return JSON.stringify({ kind: 'trade.printed', symbol, happenedAt, price, quantity: 1 });
}

/** Handles everything that is known and due. */
async function settle(
  session: TestSession,
  clock: Clock,
  feed: Feed,
  watched: readonly ReturnType<TestSession['venue']['watching']>[],
): Promise<void> {
  let turns = 0;
  await run({ engine: session.engine, clock, sources: [session.venue, feed.control, ...watched], isStopping: () => ++turns > 1 });
}

describe('a session on a live feed', () => {
  test('with jitter, bursts and a lost wire replays to the same state hash', async () => {
    const random = new Random(5);
    const tapeFolder = join(folder, 'tape');
    const journal = Journal.create(join(folder, 'journal.db'), { durability: 'every-commit' });
    const tape = TapeWriter.open(tapeFolder, journal);
    const parts: SessionParts = {
      instruments: [{}, {}],
      bars: [],
      sleeves: [
        single(0, (bar) => forecast(Math.sign(Math.sin(bar / 3)))),
        { instruments: [0, 1], shareRatio: 0.5, minds: [{ says: (bar) => Math.sign(Math.cos(bar / 5)) }] },
        single(1, stances([0, 1, 1, 1, -1]), { timeframeMs: 5 * MINUTE_MS }),
      ],
    };
    const live = new TestSession({ ...parts, recorder: new SessionRecorder(journal, tape, true) });
    const clock = new HandClock(START, 1);
    const feed = feedOf(live, clock);
    const watched = feed.sources.map((source) => live.venue.watching(source));
    const quotes = [0, 1].map((instrument) => walk({ seed: 40 + instrument, count: 120, from: instrument === 0 ? 100 : 40 }));
    const pending: string[] = [];
    for (let bar = 0; bar < 120; bar++) {
      clock.hand = closeOf(bar) + Math.floor(random.uniform() * 900);
      for (const instrument of random.uniform() < 0.5 ? [0, 1] : [1, 0])
        pending.push(message(instrument, bar, quotes[instrument]?.[bar] as readonly number[]));
      if (bar === 60) feed.report('feed.lost', 'code 1006');
      if (bar === 64) feed.report('feed.restored', 'again');
      // Sometimes nothing comes for a while, and then everything at once.
      if (random.uniform() < 0.2) continue;
      for (const text of pending.splice(0)) {
        feed.receive(text);
        // And sometimes what came is handled before the other half of its minute is there.
        if (random.uniform() < 0.3) await settle(live, clock, feed, watched);
        clock.hand += Math.floor(random.uniform() * 90);
      }
      await settle(live, clock, feed, watched);
    }
    for (const text of pending) feed.receive(text);
    feed.receive('{"kind":"feed.ended"}');
    clock.isPassing = true;
    assert.equal(await run({ engine: live.engine, clock, sources: [live.venue, feed.control, ...watched] }), 'ended');
    assert.ok(live.of('order.filled').length > 0, 'it trades');
    assert.equal(format(live.venue.cash), format(live.engine.portfolio.totalCash()));
    tape.close();
    journal.commit();

    const recorder = new ComparingRecorder();
    const engine = new Engine({
      plan: live.plan,
      recorder,
      venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined },
    });
    const steps = readRecording(journal.rows(), TapeReader.open(tapeFolder, journal));
    follow(steps, { engine, recorder, knownFailures: new Map(), venue: undefined, sources: [] });
    if (engine.isOpen) engine.closeInstant();
    recorder.settle();
    assert.equal(engine.stateHash('test'), live.stateHash);
    journal.close();
  });

  test('fills an order in a bar that comes after later events of others, in its place', async () => {
    // The order of the first instrument waits for a bar; meanwhile the second one's trades go on, and nobody decides on them.
    const live = new TestSession({ instruments: [{}, {}], bars: [], sleeves: [single(0, stances([0, 1]))] });
    const clock = new HandClock(START, 1);
    const feed = feedOf(live, clock);
    const watched = feed.sources.map((source) => live.venue.watching(source));
    const quote = [100, 101, 99, 100];
    for (const bar of [0, 1]) {
      clock.hand = closeOf(bar) + 50;
      feed.receive(message(0, bar, quote));
      await settle(live, clock, feed, watched);
    }
    clock.hand = closeOf(1) + 30_000;
    feed.receive(print(1, clock.hand, 7));
    await settle(live, clock, feed, watched);
    clock.hand = closeOf(2) + 80;
    feed.receive(message(0, 2, quote));
    await settle(live, clock, feed, watched);
    const times = live.events.map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((left, right) => left - right),
    );
    assert.deepEqual(
      live.of('order.filled').map(({ fill }) => fill?.liquidity),
      ['taker'],
    );
    assert.equal(live.held(0), '10');
  });

  test('acts on a stop that the engine holds at the trade that reached it, not at the bar after it', async () => {
    const live = new TestSession({
      instruments: [{}],
      bars: [],
      sleeves: [single(0, stances([0, 1])), single(0, stances([0, 0, -1]), { shareRatio: 0.5 })],
    });
    const clock = new HandClock(START, 1);
    const feed = feedOf(live, clock);
    const watched = feed.sources.map((source) => live.venue.watching(source));
    for (const bar of [0, 1, 2, 3]) {
      clock.hand = closeOf(bar) + 50;
      feed.receive(message(0, bar, [100, 101, 99, 100]));
      await settle(live, clock, feed, watched);
    }
    assert.deepEqual([live.held(0), live.held(1)], ['10', '-4.999'], 'opposite, so that the engine holds both stops');
    clock.hand = closeOf(3) + 20_000;
    feed.receive(print(0, clock.hand, 96.5));
    await settle(live, clock, feed, watched);
    const [stopped] = live.of('sleeve.stopped');
    assert.equal(stopped?.at, closeOf(3) + 20_000);
    assert.equal(stopped.sleeve, 0);
  });
});
