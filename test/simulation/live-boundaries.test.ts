// Promise 3, every boundary: a live session in one process with the simulated Bybit venue, on stepped time. It is killed at every commit of its
// journal: before it, after it and before anything has left, and while what has left is on its way. A new process goes on from what was on disk.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { test } from 'node:test';
import type { Recipe } from '../../src/app/recipe.ts';
import { journalPath } from '../../src/app/runs.ts';
import { openPartsAround, recover, saveSnapshot, type SessionParts } from '../../src/app/session-parts.ts';
import { defaultConfig } from '../../src/app/config.ts';
import { format } from '../../src/domain/decimal.ts';
import { SECOND_MS, type TimeMs } from '../../src/domain/time.ts';
import { run } from '../../src/engine/run.ts';
import { SystemClock } from '../../src/engine/system-clock.ts';
import { Journal } from '../../src/journal/journal.ts';
import { Feed } from '../../src/market/feed/feed.ts';
import type { BybitVenue } from '../../src/venues/ccxt/bybit-venue.ts';
import { journalFacts } from '../e2e/journal-facts.ts';
import { AdapterBench, START } from '../support/adapter-bench.ts';
import { temporaryFolder } from '../support/run-app.ts';
import { planOf, single } from '../support/session.ts';
import { BTC, ETH } from '../support/stepped-market.ts';

const BAR_MS = 2 * SECOND_MS;
/** What the two minds say and where the prices go, bar by bar: entries, a trail, a stop-out, a turn, a close. */
const BTC_STANCES = [0, 1, 1, 1, 1, 1, -1, -1, -1, 0];
const ETH_STANCES = [0, 0, -1, -1, -1, 1, 1, 1, 0, 0];
const BTC_PRICES = [60_000, 60_000, 61_500, 63_000, 61_000, 59_000, 59_000, 58_500, 58_500, 58_500];
const BARS = BTC_STANCES.length;
/** From the kill on: whatever was in doubt is resolved by then. */
const BARS_AFTER = 7;

/** As if the process were gone. */
class Killed extends Error {}

type Moment = 'before the commit' | 'after the commit' | 'on the way';
const MOMENTS: readonly Moment[] = ['before the commit', 'after the commit', 'on the way'];

class StepClock extends SystemClock {
  readonly #now: () => TimeMs;

  constructor(now: () => TimeMs) {
    super(0, 1);
    this.#now = now;
  }

  override now(): TimeMs {
    return this.#now();
  }

  override wait(): Promise<void> {
    return Promise.resolve();
  }
}

interface Process {
  readonly parts: SessionParts<BybitVenue>;
  readonly feed: Feed;
  readonly folder: string;
}

class World {
  readonly bench = new AdapterBench({ seed: 3 });
  #bar = 0;
  process: Process;
  commits = 0;

  constructor() {
    this.process = this.#open(temporaryFolder('live-boundary'), undefined);
  }

  #open(folder: string, journal: Journal | undefined): Process {
    const { bench } = this;
    const stance = (list: readonly number[]) => (bar: number) => list[Math.min(bar, list.length - 1)] ?? 0;
    const plan = planOf({
      sleeves: [single(0, stance(BTC_STANCES), { shareRatio: 0.5 }), single(1, stance(ETH_STANCES), { shareRatio: 0.5 })],
      bars: [],
      instruments: bench.instruments,
      baseTimeframeMs: BAR_MS,
      startAt: START,
      capital: '100000',
      policy: { trailR: 1, staleIntervals: 100 },
      plan: { opinionLifeBars: 100 },
    });
    const recipe = { config: defaultConfig() } as Recipe;
    const place = { notBefore: (): number => 0 };
    const venue = bench.open({ notBefore: () => place.notBefore() });
    bench.venue = venue;
    const parts = openPartsAround(
      {
        folder,
        plan,
        recipe,
        configHash: 'test',
        durability: 'every-commit',
        askTimeoutMs: 0,
        ...(journal === undefined ? {} : { journal }),
      },
      () => venue,
    );
    place.notBefore = () => parts.engine.earliestNext;
    const feed = new Feed({
      symbols: [BTC, ETH],
      baseTimeframeMs: BAR_MS,
      now: () => bench.now,
      notBefore: place.notBefore,
      latest: () => Infinity,
      onTime: () => undefined,
      onRefused: (why) => assert.fail(why),
    });
    return { parts, feed, folder };
  }

  /** Everything that is known and due is handled. */
  async #settle(): Promise<void> {
    const { parts, feed } = this.process;
    const clock = new StepClock(() => this.bench.now);
    let turns = 0;
    await run({ engine: parts.engine, clock, sources: [parts.venue, feed.control, ...feed.sources], isStopping: () => ++turns > 1 });
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      await this.bench.pass(STEP_MS);
      await this.#settle();
    }
  }

  async start(): Promise<void> {
    this.process.parts.venue.start();
    for (let waited = 0; waited < 10 && !this.process.parts.venue.isReconciled; waited++) await this.bench.pass(SECOND_MS / 2);
    assert.ok(this.process.parts.venue.isReconciled, this.bench.notices.join('; '));
  }

  async bars(count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      this.bench.stepped.move(0, BTC_PRICES[Math.min(this.#bar, BTC_PRICES.length - 1)] ?? 60_000);
      await this.#pass(BAR_MS);
      const openAt = START + this.#bar * BAR_MS;
      this.#bar++;
      [BTC, ETH].forEach((symbol, instrument) => {
        const price = this.bench.exchange.listings[instrument]?.last ?? NaN;
        const bar = { kind: 'bar.closed', symbol, openAt, open: price, high: price, low: price, close: price, volume: 1 };
        this.process.feed.receive(JSON.stringify(bar));
      });
      await this.#settle();
    }
  }

  /** No bar comes: what was asked for is answered. */
  rest(): Promise<void> {
    return this.#pass(SECOND_MS);
  }

  /** The process dies at this commit. @param onWay told when the commit is done and the order is about to leave */
  killAt(commit: number, moment: Moment, onWay: () => void): void {
    const { recorder } = this.process.parts;
    const original = recorder.commit.bind(recorder);
    recorder.commit = () => {
      const isIt = ++this.commits === commit;
      if (isIt && moment === 'before the commit') throw new Killed();
      original();
      if (isIt && moment === 'after the commit') throw new Killed();
      if (isIt) onWay();
    };
  }

  /** What was on disk is all that the next one has. */
  async again(): Promise<void> {
    const { parts, folder } = this.process;
    const copy = temporaryFolder('live-boundary');
    cpSync(folder, copy, { recursive: true });
    parts.venue.stop();
    parts.tape.close();
    parts.journal.close();
    // The next one takes a while to come.
    await this.bench.pass(700);
    const journal = Journal.open(journalPath(copy));
    assert.deepEqual(journal.damage, []);
    this.process = this.#open(copy, journal);
    const { parts: next, feed } = this.process;
    recover(next, undefined, [], (words) => assert.fail(words));
    feed.goOn(next.engine.at, next.engine.market.barAt, next.engine.market.mark);
    await this.start();
  }

  /** What must be the same, said by the exchange itself. */
  compare(place: string): void {
    const { bench } = this;
    const { engine, venue } = this.process.parts;
    const { account } = bench;
    const open = account.openOrders();
    bench.instruments.forEach(({ symbol }, instrument) => {
      assert.equal(format(engine.portfolio.net[instrument] ?? assert.fail()), bench.held(instrument), `${symbol}, ${place}`);
      assert.equal(format(venue.net(instrument)), bench.held(instrument), `${symbol} by the adapter, ${place}`);
      const isProtected = open.some(({ trigger, listing }) => trigger?.kind === 'StopLoss' && listing.index === instrument);
      assert.ok(bench.held(instrument) === '0' || isProtected, `${symbol} is held without a stop, ${place}`);
    });
    assert.equal(
      engine.desk.tracker.open.length,
      open.length,
      `open orders, ${place}: ${engine.desk.tracker.open.map(({ intent }) => intent.id).join()}`,
    );
    const ids = account.orders.map(({ linkId }) => linkId).filter((id) => id !== '');
    assert.equal(new Set(ids).size, ids.length, `no order twice, ${place}`);
  }

  close(): void {
    const { parts } = this.process;
    parts.venue.stop();
    parts.tape.close();
    parts.journal.close();
  }
}

const STEP_MS = 100;

test('a live session that is killed at any commit goes on where the venue is, in the middle of anything', async (t) => {
  const whole = new World();
  whole.killAt(Infinity, 'after the commit', () => undefined);
  await whole.start();
  await whole.bars(BARS);
  await whole.rest();
  whole.compare('never killed');
  assert.ok(whole.commits >= 10, `a session of many commits, found ${whole.commits}`);
  whole.close();
  const { fills } = journalFacts(whole.process.folder, Infinity);
  assert.ok(fills >= 6, `a session that trades, found ${fills} fills`);
  let kills = 0;
  for (let commit = 1; commit <= whole.commits; commit++) {
    for (const moment of MOMENTS) {
      const place = `killed at commit ${commit} of ${whole.commits}, ${moment}`;
      const world = new World();
      const way = Promise.withResolvers<void>();
      let isOnWay = false;
      world.killAt(commit, moment, () => {
        isOnWay = true;
        way.resolve();
      });
      await world.start();
      try {
        for (let bar = 0; bar < BARS && !isOnWay; bar++) await world.bars(1);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      kills++;
      await world.again();
      // Every third with a snapshot, as a session takes one when it is reconciled.
      if (kills % 3 === 0 && !world.process.parts.venue.hasUnheard()) saveSnapshot(world.process.parts, undefined);
      await world.bars(BARS_AFTER);
      await world.rest();
      world.compare(place);
      world.close();
      const { faults } = journalFacts(world.process.folder, Infinity);
      assert.deepEqual(faults, [], place);
    }
  }
  t.diagnostic(`${kills} kills at ${whole.commits} commits`);
});
