// The engine trades on the simulated Bybit venue over loopback: real sockets, ccxt's signatures, the system's clock. In wall time, so it is short.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemTimers } from '../../app/system-timers.ts';
import { amount, format } from '../../domain/decimal.ts';
import type { Entry } from '../../domain/entry.ts';
import { BallastError } from '../../domain/errors.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { NEVER } from '../../domain/time.ts';
import { Engine } from '../../engine/engine.ts';
import { run } from '../../engine/run.ts';
import { SystemClock } from '../../engine/system-clock.ts';
import { syntheticMarket } from '../../market/synthetic/market.ts';
import { Random } from '../../quant/random.ts';
import { Exchange } from '../bybit-server/exchange.ts';
import { BybitServer } from '../bybit-server/server.ts';
import { holdPort, type Door } from '../bybit-server/transport.ts';
import type { BybitVenue, BybitVenueSettings } from './bybit-venue.ts';
import { openBybitVenue } from './open-venue.ts';
import { SteppedMarket } from '../../../test/support/stepped-market.ts';
import { orderOf } from '../../../test/contracts/venue.contract.ts';
import { planOf, single } from '../../../test/support/session.ts';

const BAR_MS = 100;
const BTC = 'BTC/USDT:USDT';
const NAMES = ['one', 'two', 'three', 'four', 'five'];
const QUICK = { recvWindowMs: 1_000, propagationMs: 100, deadlineMs: 1_000, reconcileMs: 1_000, pingMs: 500 };

let served: Door;
let stepped: SteppedMarket;
let exchange: Exchange;

before(async () => {
  const now = Date.now();
  const { instruments } = syntheticMarket({ seed: 1, startAt: 0, assets: [BTC] });
  stepped = new SteppedMarket(instruments, now - 1_000, [60_000]);
  const accounts = NAMES.map((name, index) => ({
    name,
    uid: index + 1,
    key: `key-${name}`,
    secret: `secret-${name}`,
    capital: amount('100000'),
  }));
  exchange = new Exchange({ market: stepped.market, accounts, from: now, seed: 1, slippageRatio: 0, rules: {} });
  served = await holdPort(0);
  served.open(new BybitServer({ exchange, seed: 1, hasFaults: false }), 1);
});
after(() => served.close());

/** Ends what a test has begun, also where it failed: nothing of it may keep the process alive. */
const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  await fetch(`${served.address}/admin/faults`, { method: 'DELETE', headers: { 'content-type': 'application/json' } });
});

async function administer(path: string, body: object): Promise<void> {
  const response = await fetch(`${served.address}/admin/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.text());
}

/** Of the test that runs: what the adapter told a person, and what the journal was told. */
let noticed: readonly string[] = [];
let booked: readonly Entry[] = [];

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > deadline) {
      const entries = booked.map((entry) => ('reason' in entry ? `${entry.kind} (${entry.reason})` : entry.kind));
      assert.fail(`expected ${what}, found ${JSON.stringify({ noticed, entries })}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Bars of the served market, as a feed would bring them. */
class Bars implements MarketSource {
  readonly instrument = 0;
  readonly #events: MarketEvent[] = [];
  readonly #timer: NodeJS.Timeout;
  #closeAt = Math.floor(Date.now() / BAR_MS) * BAR_MS;
  #previous = NaN;
  #wake: (() => void) | undefined;
  readonly ended = false;
  readonly #notBefore: () => number;

  constructor(notBefore: () => number) {
    this.#notBefore = notBefore;
    this.#timer = setInterval(() => this.#look(), 10);
  }

  #look(): void {
    while (Date.now() >= this.#closeAt + BAR_MS) {
      this.#closeAt += BAR_MS;
      const close = exchange.listings[0]?.last ?? NaN;
      const open = Number.isNaN(this.#previous) ? close : this.#previous;
      this.#previous = close;
      const [at, high, low] = [this.#closeAt, Math.max(open, close), Math.min(open, close)];
      this.#events.push({ kind: 'bar.closed', at, happenedAt: at, instrument: 0, open, high, low, close, volume: 1, warmup: false });
      this.#wake?.();
    }
  }

  peekAt(): number {
    const [first] = this.#events;
    if (first === undefined) return NEVER;
    first.at = Math.max(first.at, this.#notBefore());
    return first.at;
  }

  take(): MarketEvent {
    this.peekAt();
    return this.#events.shift() ?? assert.fail('a bar');
  }

  nextBar(): MarketEvent | undefined {
    return undefined;
  }

  onArrival(wake: () => void): void {
    this.#wake = wake;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

interface Trading {
  readonly engine: Engine;
  readonly venue: BybitVenue;
  readonly said: Entry[];
  readonly notices: string[];
  readonly end: () => Promise<void>;
}

/** Where a machine that stops for a second must change nothing. */
const PATIENT = { ...QUICK, recvWindowMs: 10_000, deadlineMs: 10_000, pingMs: 10_000 };
const CAPITAL = amount('100000');

/** A whole session on an account of its own. @param says the stance, asked at every bar */
async function session(name: string, says: () => number, settings: Partial<BybitVenueSettings> = QUICK): Promise<Trading> {
  const { instruments } = stepped.market;
  const plan = planOf({
    sleeves: [single(0, says)],
    bars: [],
    instruments,
    baseTimeframeMs: BAR_MS,
    startAt: 0,
    capital: '100000',
    policy: { trailR: 1, staleIntervals: 100 },
    plan: { opinionLifeBars: 100 },
  });
  const said: Entry[] = [];
  const notices: string[] = [];
  noticed = notices;
  booked = said;
  const clock = SystemClock.live();
  const place = { notBefore: (): number => 0, last: (): number => NaN };
  const controller = new AbortController();
  const venue = await openBybitVenue({
    site: 'main',
    environment: { BYBIT_API_KEY: `key-${name}`, BYBIT_API_SECRET: `secret-${name}` },
    address: served.address,
    instruments,
    timers: systemTimers,
    random: new Random(1),
    settings,
    runId: `run-${name}`,
    since: Date.now(),
    capital: CAPITAL,
    now: () => clock.now(),
    notBefore: () => place.notBefore(),
    lastPrice: () => place.last(),
    disasterPrice: () => NaN,
    foreign: 'flag',
    isGuarded: false,
    mayOpen: () => undefined,
    onNotice: (words) => notices.push(words),
    signal: controller.signal,
  });
  const engine = new Engine({
    plan,
    recorder: { market: () => undefined, entry: (entry) => said.push(entry), commit: () => undefined },
    venue,
  });
  place.notBefore = () => engine.earliestNext;
  place.last = () => engine.portfolio.mark[0] ?? NaN;
  endings.push(() => venue.stop());
  venue.start();
  await until('a reconciled venue', () => venue.isReconciled);
  const bars = new Bars(() => engine.earliestNext);
  const state = { isStopping: false };
  const running = run({ engine, clock, sources: [venue, bars], isStopping: () => state.isStopping });
  const end = async (): Promise<void> => {
    state.isStopping = true;
    await running;
    bars.stop();
    venue.stop();
    controller.abort();
  };
  endings.push(end);
  return { engine, venue, said, notices, end };
}

function heldAtVenue(name: string): string {
  return format(exchange.accounts[NAMES.indexOf(name)]?.positions[0]?.quantity ?? assert.fail());
}

function kindsOf({ said }: Trading): string[] {
  return said.map(({ kind }) => kind);
}

describe('the engine on a venue over loopback', { timeout: 120_000 }, () => {
  test('enters with its stops at the venue, trails one of them in place, and is stopped out', async () => {
    const wanted = { stance: 0 };
    const live = await session('one', () => wanted.stance, PATIENT);
    wanted.stance = 1;
    await until('a position', () => heldAtVenue('one') !== '0');
    const account = exchange.accounts[0] ?? assert.fail();
    const levels = (): number[] => account.openOrders().map(({ trigger }) => Number(format(trigger?.price ?? assert.fail())));
    await until('two stops', () => levels().length === 2);
    const [before] = levels().toSorted((left, right) => right - left);
    // A whole R and a little: the stop of the sleeve follows.
    stepped.move(0, 62_000);
    await until('a stop that has moved', () => Math.max(...levels()) > (before ?? NaN) && kindsOf(live).includes('order.amended'));
    assert.equal(levels().length, 2, 'moved in place');
    stepped.move(0, 60_000);
    await until('no position', () => heldAtVenue('one') === '0');
    await until('nothing open', () => levels().length === 0 && live.engine.desk.tracker.open.length === 0);
    await live.end();
    assert.equal(format(live.engine.portfolio.net[0] ?? assert.fail()), '0');
    assert.equal(kindsOf(live).filter((kind) => kind === 'order.filled').length, 2);
    assert.ok(kindsOf(live).includes('sleeve.stopped'));
    // To the last digit: what the ledger says is what the venue says.
    assert.equal(format(live.engine.portfolio.totalCash()), format(account.books.walletBalance));
    assert.deepEqual(live.notices, []);
  });

  test('F3: the connection is cut while an order is under way, and it is booked once', async () => {
    const wanted = { stance: 0 };
    const live = await session('two', () => wanted.stance);
    await administer('faults', { kind: 'accept-reset', where: '/v5/order/create', times: 1 });
    await administer('faults', { kind: 'refuse-sockets', times: 2 });
    wanted.stance = 1;
    // Whether the stream or a query says so first is a race: it ends in the same place.
    await until('a fill at the venue', () => heldAtVenue('two') !== '0');
    await administer('acts', { act: 'drop-sockets' });
    await until('a fill', () => kindsOf(live).includes('order.filled'));
    await until('its stops', () => exchange.accounts[1]?.openOrders().length === 2);
    await until('to be reconciled again', () => live.venue.isReconciled && live.venue.dials >= 2);
    await live.end();
    assert.equal(kindsOf(live).filter((kind) => kind === 'order.filled').length, 1);
    assert.equal(format(live.engine.portfolio.net[0] ?? assert.fail()), heldAtVenue('two'));
    assert.equal(format(live.venue.net(0)), heldAtVenue('two'));
    assert.equal(exchange.accounts[1]?.orders.filter(({ linkId }) => linkId !== '').length, 2, 'an entry and a stop, each once');
  });

  test('an answer that stalls in its body ends with the deadline, and the order is found', async () => {
    // Neither a look at everything nor the stream finds it before.
    const live = await session('three', () => 0, { ...PATIENT, deadlineMs: QUICK.deadlineMs, reconcileMs: 60_000 });
    await administer('faults', { kind: 'stall', where: '/v5/order/create', times: 1 });
    await administer('faults', { kind: 'no-data' });
    live.venue.submit(
      orderOf('9-1', Date.now(), {
        quantity: planOf({ sleeves: [], bars: [], instruments: stepped.market.instruments }).instruments[0]?.lot ?? assert.fail(),
      }),
    );
    const sentAt = performance.now();
    await until('a fill', () => live.said.some(({ kind }) => kind === 'order.filled'));
    assert.ok(performance.now() - sentAt > QUICK.deadlineMs - 50, 'neither the answer nor the stream said so');
    assert.equal(heldAtVenue('three'), '0.001');
    await live.end();
  });

  test('a key that the venue does not know lets nothing in, and no message says it', async () => {
    const { instruments } = stepped.market;
    const notices: string[] = [];
    const venue = await openBybitVenue({
      site: 'main',
      environment: { BYBIT_API_KEY: 'key-four', BYBIT_API_SECRET: 'not the secret of four' },
      address: served.address,
      instruments,
      timers: systemTimers,
      random: new Random(1),
      settings: QUICK,
      runId: 'run-four',
      since: Date.now(),
      capital: CAPITAL,
      now: () => Date.now(),
      notBefore: () => 0,
      lastPrice: () => 60_000,
      disasterPrice: () => NaN,
      foreign: 'flag',
      isGuarded: false,
      mayOpen: () => undefined,
      onNotice: (words) => notices.push(words),
      signal: new AbortController().signal,
    });
    endings.push(() => venue.stop());
    venue.start();
    await until('a refusal', () => notices.some((words) => /refused the key/.test(words)));
    venue.submit(orderOf('1-1', Date.now()));
    assert.notEqual(venue.peekAt(), NEVER);
    const report = venue.take();
    assert.equal(report.kind, 'order.rejected');
    venue.stop();
    for (const words of [...notices, 'reason' in report ? report.reason : '']) assert.doesNotMatch(words, /key-four|not the secret/);
  });

  test('without keys in the environment it says which are missing', async () => {
    await assert.rejects(
      openBybitVenue({
        site: 'testnet',
        environment: { BYBIT_API_KEY: 'of another site' },
        address: served.address,
        instruments: [],
        timers: systemTimers,
        random: new Random(1),
        runId: 'run',
        since: 0,
        capital: CAPITAL,
        now: () => 0,
        notBefore: () => 0,
        lastPrice: () => NaN,
        disasterPrice: () => NaN,
        foreign: 'flag',
        isGuarded: false,
        mayOpen: () => undefined,
        onNotice: () => undefined,
        signal: new AbortController().signal,
      }),
      (error: unknown) =>
        error instanceof BallastError && error.code === 'CREDENTIALS_MISSING' && /BYBIT_TESTNET_API_KEY/.test(error.message),
    );
  });
});
