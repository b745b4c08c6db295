// The adapter and the simulated Bybit venue in one process, on stepped time: what a test asks for happens at the moment it says.
import assert from 'node:assert/strict';
import { amount, format, price, quantity } from '../../src/domain/decimal.ts';
import type { AdapterReport } from '../../src/venues/ccxt/report-queue.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { OrderIntent } from '../../src/domain/order.ts';
import { NEVER } from '../../src/domain/time.ts';
import { Random } from '../../src/quant/random.ts';
import { Exchange, type ExchangeParts } from '../../src/venues/bybit-server/exchange.ts';
import { BybitServer } from '../../src/venues/bybit-server/server.ts';
import { BybitVenue, defaultBybitVenueSettings, type BybitVenueParts } from '../../src/venues/ccxt/bybit-venue.ts';
import { listedFrom } from '../../src/venues/ccxt/bybit-orders.ts';
import { instrumentRowSchema } from '../../src/venues/ccxt/bybit-rows.ts';
import { redactor } from '../../src/venues/ccxt/credentials.ts';
import { syntheticMarket } from '../../src/market/synthetic/market.ts';
import { orderOf } from '../contracts/venue.contract.ts';
import { SteppedMarket } from './stepped-market.ts';
import { SteppedTimers } from './stepped-timers.ts';
import { SimulatedWire } from './simulated-bybit-wire.ts';

/** A Monday, 00:00 UTC. */
export const START = Date.UTC(2026, 0, 5);
export const CREDENTIALS = { key: 'key-of-the-test', secret: 'secret-of-the-test' };
export const RUN = 'test-run';
/** Of the account, and of the run: nothing is beside it. */
export const CAPITAL = amount('1000000');
const TICK_MS = 20;
/** Where minutes are to pass, the venue's streams speak less often. */
const COARSE_TICK_MS = 200;
const COARSE_FROM_MS = 60_000;
const WARM_MS = 500;

export interface AdapterBenchOptions {
  readonly seed?: number;
  readonly prices?: readonly [number, number];
  readonly parts?: Partial<BybitVenueParts>;
  readonly rules?: ExchangeParts['rules'];
  /** BTC and ETH perpetuals of the synthetic market unless said. */
  readonly instruments?: readonly Instrument[];
}

export class AdapterBench {
  readonly timers = new SteppedTimers();
  readonly instruments: readonly Instrument[];
  readonly stepped: SteppedMarket;
  readonly exchange: Exchange;
  readonly server: BybitServer;
  readonly wire: SimulatedWire;
  readonly reports: AdapterReport[] = [];
  readonly notices: string[] = [];
  venue: BybitVenue;
  readonly #parts: Partial<BybitVenueParts>;
  readonly #seed: number;

  constructor({ seed = 1, prices = [60_000, 3_000], parts = {}, rules = {}, instruments }: AdapterBenchOptions = {}) {
    this.#seed = seed;
    this.#parts = parts;
    this.instruments = instruments ?? syntheticMarket({ seed: 1, startAt: 0, assets: ['BTC/USDT:USDT', 'ETH/USDT:USDT'] }).instruments;
    this.stepped = new SteppedMarket(this.instruments, START - 1_000, [...prices]);
    this.exchange = new Exchange({
      market: this.stepped.market,
      accounts: [{ name: 'account', uid: 1, ...CREDENTIALS, capital: CAPITAL }],
      from: START,
      seed,
      slippageRatio: 0,
      rules,
    });
    this.server = new BybitServer({ exchange: this.exchange, seed, hasFaults: false });
    const random = new Random(seed);
    const { recvWindowMs } = parts.settings ?? defaultBybitVenueSettings;
    this.wire = new SimulatedWire({
      server: this.server,
      credentials: CREDENTIALS,
      timers: this.timers,
      random: random.fork('wire'),
      startAt: START,
      recvWindowMs,
    });
    this.venue = this.open();
  }

  /** An adapter to the same account, as a new process would be. */
  open(parts: Partial<BybitVenueParts> = {}): BybitVenue {
    return new BybitVenue({
      instruments: this.instruments,
      listed: this.exchange.listings.map((listing, index) => {
        const row = listing.category === 'spot' ? listing.spotInfo() : listing.info();
        return listedFrom(instrumentRowSchema.parse(row), index, listing.category);
      }),
      wire: this.wire,
      timers: this.timers,
      random: new Random(this.#seed).fork('venue'),
      settings: defaultBybitVenueSettings,
      runId: RUN,
      since: START,
      capital: CAPITAL,
      now: () => this.now,
      notBefore: () => 0,
      lastPrice: (instrument) => this.exchange.listings[instrument]?.last ?? NaN,
      disasterPrice: () => NaN,
      redact: redactor(CREDENTIALS),
      foreign: 'flag',
      isGuarded: false,
      mayOpen: () => undefined,
      onNotice: (words) => this.notices.push(words),
      ...this.#parts,
      ...parts,
    });
  }

  get now(): number {
    return Math.floor(START + this.timers.now());
  }

  /** Connected and reconciled. */
  async start(): Promise<this> {
    this.venue.start();
    await this.advance(WARM_MS);
    assert.ok(this.venue.isReconciled, `expected a reconciled venue, found ${this.notices.join('; ')}`);
    return this;
  }

  /** Time passes, for the venue as for everybody, and reports are gathered. */
  async advance(ms: number): Promise<void> {
    const tickMs = ms < COARSE_FROM_MS ? TICK_MS : COARSE_TICK_MS;
    for (let passed = 0; passed < ms; passed += tickMs) {
      await this.#tick(Math.min(tickMs, ms - passed));
      while (this.venue.peekAt() !== NEVER) this.reports.push(this.venue.take());
    }
  }

  /** The same, and whatever the adapter says waits for somebody else. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) await this.#tick(Math.min(TICK_MS, ms - passed));
  }

  async #tick(ms: number): Promise<void> {
    this.exchange.advance(this.now);
    this.server.tick(this.now);
    await this.timers.advance(ms);
  }

  /** Until it is so. @throws after `mostMs`, with what there was */
  async until(what: string, isSo: () => boolean, mostMs = 30_000): Promise<void> {
    for (let passed = 0; passed <= mostMs; passed += TICK_MS) {
      if (isSo()) return;
      await this.advance(TICK_MS);
    }
    assert.fail(`expected ${what} within ${mostMs} ms, found ${JSON.stringify(this.said())} and ${JSON.stringify(this.notices)}`);
  }

  /** The venue's own hand. */
  fault(fault: object): void {
    this.#administer('POST', '/admin/faults', fault);
  }

  act(act: object): void {
    this.#administer('POST', '/admin/acts', act);
  }

  clearFaults(): void {
    this.#administer('DELETE', '/admin/faults', {});
  }

  #administer(method: string, path: string, body: object): void {
    const headers = { 'content-type': 'application/json' };
    const outcome = this.server.request({ method, path, query: '', body: JSON.stringify(body), headers, address: '127.0.0.1' }, this.now);
    assert.ok(outcome.kind === 'reply' && outcome.status === 200, JSON.stringify(outcome));
  }

  submit(id: string, parts: Partial<OrderIntent> = {}): void {
    this.venue.submit(orderOf(id, this.now, { quantity: quantity('0.01'), ...parts }));
  }

  cancel(order: string, instrument = 0): void {
    this.venue.cancel({ at: this.now, instrument, order });
  }

  move(order: string, stopPrice: string, instrument = 0): void {
    this.venue.amend({ at: this.now, instrument, order, stopPrice: price(stopPrice) });
  }

  /** What was reported, in a few words each. */
  said(order?: string): string[] {
    return this.reports.flatMap((report) => {
      if (!('order' in report)) return order === undefined ? [report.kind] : [];
      if (order !== undefined && report.order !== order) return [];
      const fill = report.kind === 'order.filled' && report.fill !== undefined ? ` ${format(report.fill.quantity)}` : '';
      return [`${order === undefined ? `${report.order} ` : ''}${report.kind.replace('order.', '')}${fill}`];
    });
  }

  reasonOf(order: string): string {
    const report = this.reports.findLast((each) => 'order' in each && each.order === order);
    return report !== undefined && 'reason' in report ? report.reason : '';
  }

  get account() {
    const [account] = this.exchange.accounts;
    assert.ok(account !== undefined);
    return account;
  }

  /** What the venue really holds. */
  held(instrument = 0): string {
    return format(this.account.positions[instrument]?.quantity ?? quantity('0'));
  }

  /** What the adapter believes it holds. */
  believed(instrument = 0): string {
    return format(this.venue.net(instrument));
  }

  /** Orders of this run that are at the venue, under our own ids. */
  atVenue(id: string): number {
    return this.account.orders.filter(({ linkId }) => linkId === `${RUN}-${id}`).length;
  }

  stopsAtVenue(): readonly string[] {
    return this.account.openOrders().flatMap(({ trigger }) => (trigger === undefined ? [] : [`${trigger.kind} ${format(trigger.price)}`]));
  }
}

/** A stop of a sleeve. */
export function stop(id: string, at: number, stopPrice: string, parts: Partial<OrderIntent> = {}): OrderIntent {
  return orderOf(id, at, {
    side: 'sell',
    type: 'stop',
    role: 'stop',
    quantity: quantity('0.01'),
    stopPrice: price(stopPrice),
    reduceOnly: true,
    ...parts,
  });
}

/** The stop of the whole position. */
export function disaster(id: string, at: number, stopPrice: string, parts: Partial<OrderIntent> = {}): OrderIntent {
  return stop(id, at, stopPrice, { role: 'disaster', wholePosition: true, ...parts });
}
