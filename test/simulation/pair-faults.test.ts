// A process that is killed in the middle of entering a pair, with one leg filled: after the restart the other leg comes, or the first one goes,
// and nobody holds half a pair for longer than he may.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import type { Entry } from '../../src/domain/entry.ts';
import type { Event, VenueReport } from '../../src/domain/event.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { RunPlan } from '../../src/engine/plan.ts';
import type { VenueRequest, WholeAnswer } from '../../src/venues/ccxt/venue-wire.ts';
import { AdapterBench } from '../support/adapter-bench.ts';
import { bars, closeOf, flat, planOf, stances, TestSession, type Quote, type SessionParts } from '../support/session.ts';

const LEGGED_MS = 10_000;

describe('F30: killed with one leg of a pair filled, at the simulated venue', () => {
  /** Long the first leg and short the second from bar 1 on; the second has no price, and so no fill, for so many bars after it. */
  function pair(holes: number, maximumLeggedMs: number): SessionParts {
    const hole: Quote[] = Array.from({ length: holes }, () => undefined);
    return {
      bars: [bars(flat(20, 100)), bars([50, 50, ...hole, ...flat(18 - holes, 50)])],
      sleeves: [{ instruments: [0, 1], minds: [{ says: stances([0, 1]) }] }],
      desk: { maximumLeggedMs },
      plan: { opinionLifeBars: 30 },
    };
  }

  /** Killed as soon as the first leg is filled, taken up again from what was saved then. */
  async function killed(
    parts: SessionParts,
  ): Promise<{ readonly run: TestSession; readonly leggedAt: number; readonly whole: TestSession }> {
    const whole = new TestSession(parts);
    let state: Uint8Array | undefined;
    let leggedAt = NaN;
    whole.onEvent = (event) => {
      if (event.kind !== 'order.filled' || state !== undefined) return;
      leggedAt = event.at;
      state = whole.snapshot();
    };
    await whole.run();
    const run = new TestSession(parts);
    run.restore(new ByteReader(state ?? assert.fail('a leg was filled')));
    assert.deepEqual([run.held(0, 0) === '0', run.held(0, 1)], [false, '0'], 'one leg');
    await run.run();
    return { run, leggedAt, whole };
  }

  test('F30: the first leg goes when the second does not come in time, and the time is that of the first process', async () => {
    const { run, leggedAt, whole } = await killed(pair(3, LEGGED_MS));
    const [closed] = run.of('sleeve.closed');
    assert.equal(closed?.at, leggedAt + LEGGED_MS);
    assert.match(closed.because, /only one leg of the pair was filled for 10000 ms/);
    assert.deepEqual([run.held(0, 0), run.held(0, 1)], ['0', '0']);
    assert.equal(run.stateHash, whole.stateHash);
  });

  test('F30: the second leg that comes within the time completes the pair', async () => {
    const { run, whole } = await killed(pair(2, 5 * MINUTE_MS));
    assert.deepEqual(run.of('sleeve.closed'), []);
    assert.deepEqual([run.held(0, 0), run.held(0, 1)], ['10', '-20']);
    assert.equal(run.stateHash, whole.stateHash);
    assert.ok(run.of('order.filled').some(({ at }) => at > closeOf(2)));
  });
});

const isReport = (event: Event): event is VenueReport =>
  event.kind.startsWith('order.') || event.kind === 'funding.paid' || event.kind === 'position.liquidated';

/** An order of several that leave together, as if it left by itself. */
function singly({ rows: _together, ...request }: VenueRequest, row: VenueRequest['parameters']): VenueRequest {
  return { ...request, path: request.path.replace('-batch', ''), parameters: { ...request.parameters, ...row } };
}

/** The engine on the adapter, in stepped time, with what it heard kept as a journal keeps it. */
class PairSession {
  readonly bench: AdapterBench;
  readonly plan: RunPlan;
  readonly entries: Entry[] = [];
  engine: Engine;
  /** Since the snapshot: what was handled, and where an instant was closed. */
  #recorded: (Event | 'closed')[] = [];
  #snapshot: { readonly engine: Uint8Array; readonly venue: Uint8Array } | undefined;
  /** Requests for which this holds leave and never arrive, and nobody answers. */
  isLost: (request: VenueRequest) => boolean = () => false;

  constructor() {
    const now = { notBefore: (): number => 0 };
    this.bench = new AdapterBench({ parts: { notBefore: () => now.notBefore() } });
    this.plan = planOf({
      instruments: this.bench.instruments,
      bars: [],
      sleeves: [{ instruments: [0, 1], minds: [{ says: () => (this.isWanted ? 1 : 0) }] }],
      desk: { maximumLeggedMs: LEGGED_MS },
      plan: { opinionLifeBars: 100 },
    });
    this.engine = this.#newEngine();
    now.notBefore = () => this.engine.earliestNext;
    const { wire } = this.bench;
    const ask = wire.ask.bind(wire);
    wire.ask = (request, signal): Promise<WholeAnswer> => {
      const { rows = [] } = request;
      const arriving = rows.filter((row) => !this.isLost(singly(request, row)));
      if (arriving.length === rows.length && !this.isLost(request)) return ask(request, signal);
      // Of orders sent together the venue takes those that are not lost, and nobody answers.
      if (arriving.length > 0) void ask({ ...request, rows: arriving }, signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    };
  }

  isWanted = false;

  #newEngine(): Engine {
    return new Engine({
      plan: this.plan,
      recorder: { market: () => undefined, entry: (entry) => this.entries.push(entry), commit: () => undefined },
      // The venue of whatever process is alive.
      venue: {
        submit: (intent) => this.bench.venue.submit(intent),
        amend: (intent) => this.bench.venue.amend(intent),
        cancel: (intent) => this.bench.venue.cancel(intent),
      },
    });
  }

  handle(event: Event): void {
    this.#recorded.push({ ...event });
    this.engine.handle(event);
  }

  close(): void {
    if (!this.engine.isOpen) return;
    this.#recorded.push('closed');
    this.engine.closeInstant();
  }

  /** A bar of both closes, at the prices of the venue. */
  bar(): void {
    const at = Math.max(this.bench.now, this.engine.earliestNext);
    for (const instrument of [0, 1]) {
      const price = this.bench.exchange.listings[instrument]?.last ?? NaN;
      const values = { open: price, high: price, low: price, close: price, volume: 1 };
      this.handle({ kind: 'bar.closed', at, happenedAt: at, instrument, ...values, warmup: false });
    }
    this.close();
  }

  /** Time passes, with a bar every second; whatever the venue says is handled at once. */
  async pass(ms: number, isOver: () => boolean = () => false): Promise<void> {
    for (let passed = 0; passed < ms && !isOver(); passed += 20) {
      const from = this.bench.reports.length;
      await this.bench.advance(20);
      for (const report of this.bench.reports.slice(from)) {
        this.handle({ ...report, at: Math.max(report.at, this.engine.earliestNext) });
        // What comes after it is heard by nobody.
        if (isOver()) return;
      }
      while (this.engine.nextTimer() <= this.bench.now) this.handle(this.engine.takeTimer());
      this.close();
      if (passed % SECOND_MS === 0) this.bar();
    }
  }

  save(): void {
    const [engine, venue] = [new ByteWriter(), new ByteWriter()];
    this.engine.save(engine);
    this.bench.venue.save(venue);
    this.#snapshot = { engine: engine.view().slice(), venue: venue.view().slice() };
    this.#recorded = [];
  }

  /** The process dies and another takes up what was recorded. */
  kill(): void {
    const { bench } = this;
    const snapshot = this.#snapshot ?? assert.fail('something was saved');
    bench.venue.stop();
    bench.venue = bench.open();
    bench.venue.restore(new ByteReader(snapshot.venue));
    this.engine = this.#newEngine();
    this.engine.restore(new ByteReader(snapshot.engine));
    for (const each of this.#recorded) {
      if (each === 'closed') this.engine.closeInstant();
      else {
        if (isReport(each)) bench.venue.recall(each);
        this.engine.handle(each);
      }
    }
    bench.venue.start();
  }

  get held(): readonly string[] {
    return [this.bench.held(0), this.bench.held(1)];
  }

  /** What every case ends with: the engine, the adapter and the venue agree, and no id was used twice. */
  agree(): void {
    const { net } = this.engine.portfolio;
    for (const instrument of [0, 1]) {
      assert.equal(this.bench.believed(instrument), this.bench.held(instrument), 'the adapter');
      assert.equal(Number(net[instrument] ?? 0n) / 1e12, Number(this.bench.held(instrument)), 'the portfolio');
    }
    const ids = this.bench.account.orders.map(({ linkId }) => linkId).filter((id) => id !== '');
    assert.equal(new Set(ids).size, ids.length, 'no id is used twice');
  }
}

describe('F30: killed with one leg of a pair filled, at the adapter', () => {
  const isSecondLeg = ({ path, parameters }: VenueRequest): boolean =>
    path === '/v5/order/create' && parameters['symbol'] === 'ETHUSDT' && parameters['reduceOnly'] !== true;

  /** Decided, the first leg filled and heard of, the second sent into the void or not answered; then killed. */
  async function legged(isLost: (request: VenueRequest) => boolean): Promise<{ readonly session: PairSession; readonly leggedAt: number }> {
    const session = new PairSession();
    await session.bench.start();
    await session.pass(3 * SECOND_MS);
    session.save();
    session.isLost = isLost;
    session.isWanted = true;
    // Whichever is heard of first.
    const isLegged = (): boolean => (session.engine.portfolio.netHeld[0] !== 0) !== (session.engine.portfolio.netHeld[1] !== 0);
    await session.pass(4 * SECOND_MS, isLegged);
    assert.ok(isLegged(), 'one leg, as far as the engine knows');
    const leggedAt = session.bench.now;
    session.kill();
    return { session, leggedAt };
  }

  /** @returns when the venue held nothing any more */
  async function untilFlat(session: PairSession, mostMs: number): Promise<number> {
    await session.pass(mostMs, () => session.held.every((held) => held === '0'));
    assert.deepEqual(session.held, ['0', '0']);
    return session.bench.now;
  }

  test('F30: the second leg never arrived: the restart finds that out and takes the first one off, in time', async () => {
    const { session, leggedAt } = await legged(isSecondLeg);
    const flatAt = await untilFlat(session, 30 * SECOND_MS);
    assert.ok(flatAt - leggedAt <= LEGGED_MS + 2 * SECOND_MS, `half a pair for ${flatAt - leggedAt} ms`);
    assert.equal(
      session.bench.wire.requests.filter((request) => isSecondLeg(request as unknown as VenueRequest)).length,
      0,
      'not sent again',
    );
    await session.pass(5 * SECOND_MS);
    assert.deepEqual(session.held, ['0', '0']);
    session.agree();
  });

  test('F30: the second leg arrived and was filled, and nobody heard: the restart finds it, and the pair is whole', async () => {
    const { session } = await legged(() => false);
    await session.pass(15 * SECOND_MS);
    assert.ok(Number(session.held[0]) > 0 && Number(session.held[1]) < 0, session.held.join());
    assert.deepEqual(
      session.entries.filter(({ kind }) => kind === 'sleeve.closed'),
      [],
    );
    session.agree();
  });

  test('F30: nobody can say what became of the second leg: the first one goes when the time is over, whatever it was', async () => {
    const { session, leggedAt } = await legged((request) => isSecondLeg(request) || /order\/(realtime|history)/.test(request.path));
    const flatAt = await untilFlat(session, 30 * SECOND_MS);
    assert.ok(flatAt - leggedAt <= LEGGED_MS + 2 * SECOND_MS, `half a pair for ${flatAt - leggedAt} ms`);
    assert.ok(session.entries.some((entry) => entry.kind === 'sleeve.closed' && /only one leg/.test(entry.because)));
    // Later somebody says it.
    session.isLost = () => false;
    await session.pass(MINUTE_MS);
    assert.deepEqual(session.held, ['0', '0']);
    session.agree();
  });
});
